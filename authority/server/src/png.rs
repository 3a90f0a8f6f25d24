//! A PNG as the row of chunks that it is made of (W3C, Portable Network Graphics): what drawing needs stays, all else goes.
//!
//! Deliberately without decoding: no pixel changes. What goes are words of programs and people, and whatever stands behind its end.

/// What every PNG begins with.
pub const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// The chunks that say what is drawn, and in which colours.
const KEPT: [&[u8; 4]; 10] = [b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"pHYs"];
/// Length of a chunk's checksum, and of a header's content.
const CHECKSUM_BYTES: usize = 4;
const HEADER_BYTES: usize = 13;

/// An image without anything that drawing does not need.
///
/// # Errors
/// Says what makes it no PNG.
pub fn bare(bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
    const CUT: &str = "it does not end as one, so a part of it may be missing";
    let mut rest = bytes.strip_prefix(SIGNATURE).ok_or("it does not begin as one")?;
    let mut kept = SIGNATURE.to_vec();
    loop {
        let (length, after) = rest.split_first_chunk::<4>().ok_or(CUT)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| CUT)?;
        let (name, after) = after.split_first_chunk::<4>().ok_or(CUT)?;
        let (_, after) = after.split_at_checked(length.checked_add(CHECKSUM_BYTES).ok_or(CUT)?).ok_or(CUT)?;
        let chunk = rest.len().checked_sub(after.len()).and_then(|whole| rest.get(..whole)).ok_or(CUT)?;
        let is_first = kept.len() == SIGNATURE.len();
        if is_first != (name == b"IHDR") || is_first && length != HEADER_BYTES {
            return Err("its first chunk, and no other one, must be its header");
        }
        if KEPT.contains(&name) {
            kept.extend_from_slice(chunk);
        } else if name.first().is_some_and(u8::is_ascii_uppercase) {
            return Err("it contains a chunk that no image needs");
        }
        if name == b"IEND" {
            return Ok(kept);
        }
        rest = after;
    }
}

/// Width and height as the header says them; `None` where there is none.
#[must_use]
pub fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    // Behind the signature stand the header's length and name.
    let (width, rest) = bytes.strip_prefix(SIGNATURE)?.get(8..)?.split_first_chunk::<4>()?;
    let (height, _) = rest.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*width), u32::from_be_bytes(*height)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        [length.as_slice(), name, content, &[0; CHECKSUM_BYTES]].concat()
    }

    fn image(more: &[u8]) -> Vec<u8> {
        let header = [0, 0, 2, 0, 0, 0, 1, 0, 8, 2, 0, 0, 0];
        [SIGNATURE, &chunk(b"IHDR", &header), more, &chunk(b"IDAT", b"pixels"), &chunk(b"IEND", b"")].concat()
    }

    #[test]
    fn what_programs_and_people_wrote_is_gone_and_what_is_drawn_stays() {
        let whole = [image(&chunk(b"tEXt", b"Author\0Kim")), b"<script>alert(1)</script>".to_vec()].concat();
        assert_eq!(bare(&whole).unwrap(), image(b""));
        assert_eq!(bare(&image(b"")).unwrap(), image(b""));
        let colours = chunk(b"sRGB", b"\0");
        assert_eq!(bare(&image(&colours)).unwrap(), image(&colours));
        assert_eq!(size(&whole), Some((512, 256)));
    }

    #[test]
    fn what_is_cut_or_no_image_is_refused() {
        let whole = image(b"");
        for end in 0..whole.len() {
            assert!(bare(&whole[..end]).is_err(), "cut after {end} bytes");
        }
        assert!(bare(&image(&chunk(b"EVIL", b""))).is_err() && bare(&image(&chunk(b"IHDR", &[0; 13]))).is_err());
        assert!(bare(&[SIGNATURE, &[0xff; 4], b"IHDR"].concat()).is_err(), "longer than there is");
        assert!(bare(b"<svg/>").is_err() && size(b"GIF89a").is_none() && size(SIGNATURE).is_none());
    }
}

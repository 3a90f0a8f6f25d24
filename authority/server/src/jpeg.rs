//! A JPEG as the row of segments that it is made of (ITU-T T.81, B.1): what decoding needs stays, all else goes.
//!
//! Deliberately without decoding: no pixel changes. What goes is where and with what a photo was taken, smaller copies of it
//! that may show more than it does, and whatever stands behind its end.

/// Marker codes, without the 0xff before each.
const START_OF_IMAGE: u8 = 0xd8;
const END_OF_IMAGE: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;
const JFIF: u8 = 0xe0;
const ADOBE: u8 = 0xee;

/// What a JFIF segment says that is no picture: its name, version and density.
const JFIF_BYTES: usize = 12;
/// An Adobe segment: its name, version, flags and how colours are stored.
const ADOBE_BYTES: usize = 12;

/// A photo without anything that decoding does not need.
///
/// # Errors
/// Says what makes it no JPEG.
pub fn bare(bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
    const CUT: &str = "it does not end as one, so a part of it may be missing";
    let Some(mut rest) = bytes.strip_prefix(&[0xff, START_OF_IMAGE]) else { return Err("it does not begin as one") };
    let mut kept = vec![0xff, START_OF_IMAGE];
    loop {
        let (marker, after) = marker(rest).ok_or(CUT)?;
        if marker == END_OF_IMAGE {
            kept.extend([0xff, END_OF_IMAGE]);
            return Ok(kept);
        }
        let (content, after) = segment(after).ok_or(CUT)?;
        rest = after;
        match marker {
            // Frames, Huffman tables, quantization tables, restart intervals, number of lines.
            0xc0..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf | 0xdb..=0xdd => put(&mut kept, marker, content),
            START_OF_SCAN => {
                put(&mut kept, marker, content);
                let (scan, after) = rest.split_at_checked(scan_bytes(rest).ok_or(CUT)?).ok_or(CUT)?;
                kept.extend(scan);
                rest = after;
            }
            // Decoders guess the kind of colours where these do not say it.
            JFIF if content.starts_with(b"JFIF\0") => {
                let known = content.get(..JFIF_BYTES).ok_or("its JFIF segment is cut")?;
                // No copy of the photo, of no width and no height.
                put(&mut kept, marker, &[known, &[0, 0]].concat());
            }
            ADOBE if content.starts_with(b"Adobe") => {
                put(&mut kept, marker, content.get(..ADOBE_BYTES).ok_or("its Adobe segment is cut")?);
            }
            // Other words of programs, and comments.
            0xe0..=0xef | 0xfe => {}
            _ => return Err("it contains a segment that no photo has"),
        }
    }
}

/// Width and height as the first frame of a bare photo says them; `None` where there is none.
pub fn size(bare: &[u8]) -> Option<(u32, u32)> {
    let mut rest = bare.strip_prefix(&[0xff, START_OF_IMAGE])?;
    loop {
        let (marker, after) = marker(rest)?;
        if matches!(marker, START_OF_SCAN | END_OF_IMAGE) {
            return None;
        }
        let (content, after) = segment(after)?;
        // Huffman tables and conditions of coding share the row of codes with frames.
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            let (height, rest) = content.get(1..)?.split_first_chunk::<2>()?;
            let (width, _) = rest.split_first_chunk::<2>()?;
            return Some((u16::from_be_bytes(*width).into(), u16::from_be_bytes(*height).into()));
        }
        rest = after;
    }
}

/// The next marker; any number of 0xff may stand before one.
fn marker(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let rest = bytes.strip_prefix(&[0xff])?;
    let fill = rest.iter().position(|byte| *byte != 0xff)?;
    rest.get(fill..)?.split_first().map(|(marker, rest)| (*marker, rest))
}

/// The content of a segment, whose length counts itself.
fn segment(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)).checked_sub(2)?)
}

/// How many bytes a scan has: up to the first marker that does not belong into one.
fn scan_bytes(bytes: &[u8]) -> Option<usize> {
    let pairs = bytes.windows(2);
    pairs.into_iter().position(|pair| matches!(pair, [0xff, next] if !matches!(next, 0 | 0xd0..=0xd7 | 0xff)))
}

fn put(kept: &mut Vec<u8>, marker: u8, content: &[u8]) {
    // It was read with a length of two bytes, and is no longer than it was.
    let length = u16::try_from(content.len().saturating_add(2)).unwrap_or(u16::MAX);
    kept.extend([0xff, marker]);
    kept.extend(length.to_be_bytes());
    kept.extend(content);
}

#[cfg(test)]
mod tests {
    use super::*;
    use zune_jpeg::JpegDecoder;
    use zune_jpeg::zune_core::bytestream::ZCursor;

    const PHOTO: &[u8] = include_bytes!("../tests/photo-24x30.jpg");

    fn pixels(bytes: &[u8]) -> Vec<u8> {
        JpegDecoder::new(ZCursor::new(bytes)).decode().unwrap()
    }

    fn with(segments: &[(u8, &[u8])]) -> Vec<u8> {
        let mut photo = PHOTO[..2].to_vec();
        segments.iter().for_each(|(marker, content)| put(&mut photo, *marker, content));
        photo.extend(&PHOTO[2..]);
        photo
    }

    #[test]
    fn what_tells_of_the_place_and_the_camera_is_gone_and_every_pixel_is_there() {
        let gps = b"Exif\0\0MM GPS 35.1767 N 126.9085 E";
        let photo = with(&[
            (JFIF, b"JFIF\0\x01\x02\x01\x00\x48\x00\x48\x01\x01\x07\x07\x07"),
            (0xe1, gps),
            (0xe1, b"http://ns.adobe.com/xap/1.0/\0<creator>Kim</creator>"),
            (0xed, b"Photoshop 3.0\0by Kim"),
            (0xfe, b"taken at home"),
            (JFIF, b"JFXX\0\x10a smaller copy"),
        ]);
        let photo = [photo.as_slice(), b"\xff\xd8 another photo, or a film"].concat();
        let bare = bare(&photo).unwrap();
        assert_eq!(pixels(&bare), pixels(PHOTO));
        for told in ["GPS", "Kim", "home", "copy", "film", "Exif"] {
            assert!(!bare.windows(told.len()).any(|window| window == told.as_bytes()), "{told}");
        }
        assert!(bare.len() < PHOTO.len() + 30, "{} bytes", bare.len());
    }

    #[test]
    fn the_size_is_that_of_the_frame() {
        assert_eq!(size(&bare(PHOTO).unwrap()), Some((24, 30)));
        for end in 0..100 {
            let _some_or_none = size(&PHOTO[..end]);
        }
        assert_eq!(size(b"\xff\xd8\xff\xd9"), None);
    }

    #[test]
    fn what_is_bare_stays_as_it_is() {
        let once = bare(PHOTO).unwrap();
        assert_eq!(bare(&once).unwrap(), once);
    }

    #[test]
    fn how_colours_are_stored_is_kept() {
        let adobe = b"Adobe\0\x64\0\0\0\0\x01";
        let bare = bare(&with(&[(ADOBE, &[adobe.as_slice(), b"more"].concat())])).unwrap();
        assert!(
            bare.windows(adobe.len()).any(|window| window == adobe) && !bare.windows(4).any(|four| four == b"more")
        );
    }

    #[test]
    fn what_is_cut_or_no_photo_is_refused() {
        for end in 0..PHOTO.len() {
            assert!(bare(&PHOTO[..end]).is_err(), "cut after {end} bytes");
        }
        assert!(bare(&with(&[(0x01, b"")])).is_err() && bare(&with(&[(JFIF, b"JFIF\0")])).is_err());
    }
}

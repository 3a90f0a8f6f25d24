//! Photos as files: checked before anything is made of them, and kept by the hash of their bytes, apart from the journal.
//!
//! What a program can check is checked here (a JPEG that can be decoded, of the campus's size); whether it shows the person, the
//! approver sees.

use crate::keys::{self, KeyError};
use doorward_policy::photo::{BYTES_MAX, PIXELS_MAX, PhotoFormat};
use doorward_protocol::id::{Hash, hash};
use std::path::{Path, PathBuf};
use thiserror::Error;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::options::DecoderOptions;

/// The marker at the end of each JPEG (ITU-T T.81, B.1.1.3).
const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];

/// Why a photo is not taken.
#[derive(Debug, Error)]
pub enum PhotoError {
    /// It is too large a file.
    #[error("the photo has {found} bytes; at most {most} are taken")]
    TooLarge {
        /// How large.
        found: usize,
        /// How large it may be.
        most: u32,
    },
    /// It is no JPEG, or a damaged one.
    #[error("the photo is no JPEG that can be decoded: {0}")]
    NotJpeg(String),
    /// It has another size.
    #[error("the photo is {width} x {height} pixels; it has to be {wanted_width} x {wanted_height}")]
    Size {
        /// Its width.
        width: usize,
        /// Its height.
        height: usize,
        /// The width that cards have.
        wanted_width: u32,
        /// The height that cards have.
        wanted_height: u32,
    },
    /// It cannot be kept or read.
    #[error("the photo cannot be kept or read: {0}")]
    Key(#[from] KeyError),
    /// There is none of that hash.
    #[error("the photo {0} is not there any more")]
    Missing(Hash),
}

/// The photos of a data directory.
#[derive(Debug)]
pub struct Photos(PathBuf);

impl Photos {
    /// Those in a folder, which is made when it is not there.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn open(folder: &Path) -> Result<Self, KeyError> {
        keys::private_directory(folder)?;
        Ok(Self(folder.to_owned()))
    }

    /// Keeps a photo that was checked; says the hash by which it is known.
    ///
    /// # Errors
    /// See [`PhotoError`].
    pub fn keep(&self, bytes: &[u8]) -> Result<Hash, PhotoError> {
        let image = hash("doorward 1 photo", &[bytes]);
        keys::replace_private_bytes(&self.file(image), bytes)?;
        Ok(image)
    }

    /// The bytes of a photo, as they were sent.
    ///
    /// # Errors
    /// See [`PhotoError`].
    pub fn read(&self, image: Hash) -> Result<Vec<u8>, PhotoError> {
        let bytes = std::fs::read(self.file(image)).map_err(|_| PhotoError::Missing(image))?;
        // A file that was changed is not the one that was approved.
        if hash("doorward 1 photo", &[&bytes]) == image { Ok(bytes) } else { Err(PhotoError::Missing(image)) }
    }

    fn file(&self, image: Hash) -> PathBuf {
        self.0.join(format!("{image}.jpg"))
    }
}

/// Whether a file is a photo as the campus wants it.
///
/// # Errors
/// See [`PhotoError`].
pub fn check(bytes: &[u8], format: Option<&PhotoFormat>) -> Result<(), PhotoError> {
    let most = format.map_or(BYTES_MAX, |format| format.bytes_max);
    if u32::try_from(bytes.len()).map_or(true, |found| found > most) {
        return Err(PhotoError::TooLarge { found: bytes.len(), most });
    }
    // A decoder makes an image of most of a file, too.
    if !bytes.ends_with(&END_OF_IMAGE) {
        return Err(PhotoError::NotJpeg("it does not end as one, so a part of it may be missing".into()));
    }
    let not_jpeg = |error: &dyn core::fmt::Debug| PhotoError::NotJpeg(format!("{error:?}"));
    let (wanted_width, wanted_height) = format.map_or((PIXELS_MAX, PIXELS_MAX), |format| (format.width, format.height));
    let side = usize::try_from(PIXELS_MAX).unwrap_or(usize::MAX);
    let options = DecoderOptions::default().set_max_width(side).set_max_height(side).set_strict_mode(true);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    // The size is known before anything is decoded.
    decoder.decode_headers().map_err(|error| not_jpeg(&error))?;
    let (width, height) = decoder.dimensions().ok_or_else(|| not_jpeg(&"no size"))?;
    let is_size = |found: usize, wanted: u32| u32::try_from(found).is_ok_and(|found| found == wanted);
    if format.is_some() && !(is_size(width, wanted_width) && is_size(height, wanted_height)) {
        return Err(PhotoError::Size { width, height, wanted_width, wanted_height });
    }
    decoder.decode().map(|_pixels| ()).map_err(|error| not_jpeg(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMAT: PhotoFormat = PhotoFormat { width: 24, height: 30, bytes_max: 10_000 };

    /// A grey photo of 24 x 30 pixels.
    const PHOTO: &[u8] = include_bytes!("../tests/photo-24x30.jpg");

    #[test]
    fn a_photo_of_the_right_size_that_can_be_decoded_is_taken() {
        check(PHOTO, Some(&FORMAT)).unwrap();
        check(PHOTO, None).unwrap();
    }

    #[test]
    fn what_is_too_large_of_another_size_or_damaged_is_refused() {
        let refused = |bytes: &[u8], format: PhotoFormat| check(bytes, Some(&format)).unwrap_err().to_string();
        let wide = PhotoFormat { width: 30, height: 24, ..FORMAT };
        assert_eq!(refused(PHOTO, wide), "the photo is 24 x 30 pixels; it has to be 30 x 24");
        let small = PhotoFormat { bytes_max: 10, ..FORMAT };
        assert!(refused(PHOTO, small).ends_with("at most 10 are taken"));
        for other in [b"".as_slice(), b"GIF89a", b"\x89PNG\r\n\x1a\n"] {
            assert!(refused(other, FORMAT).contains("no JPEG"), "{other:?}");
        }
        for end in 0..PHOTO.len() {
            assert!(check(PHOTO.get(..end).unwrap(), Some(&FORMAT)).is_err(), "cut after {end} bytes");
        }
    }

    #[test]
    fn no_damage_brings_the_check_down() {
        for at in 0..PHOTO.len() {
            for byte in [0, 1, 0x7f, 0xff] {
                let mut photo = PHOTO.to_vec();
                photo[at] = byte;
                let _taken_or_refused = check(&photo, None);
            }
        }
    }

    #[test]
    fn a_photo_is_kept_by_its_bytes_and_one_that_was_changed_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let photos = Photos::open(&directory.path().join("photos")).unwrap();
        let image = photos.keep(PHOTO).unwrap();
        assert_eq!(photos.keep(PHOTO).unwrap(), image);
        assert_eq!(photos.read(image).unwrap(), PHOTO);
        std::fs::write(photos.file(image), b"another face").unwrap();
        assert!(matches!(photos.read(image), Err(PhotoError::Missing(_))));
    }
}

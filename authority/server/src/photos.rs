//! Photos as files: checked before anything is made of them, and kept by the hash of their bytes, apart from the journal.
//!
//! What a program can check is checked here (a JPEG that can be decoded, of the campus's size); whether it shows the person, the
//! approver sees.

use crate::jpeg;
use crate::keys::{self, KeyError};
use doorward_policy::photo::{BYTES_MAX, PIXELS_MAX, PhotoFormat};
use doorward_protocol::id::{Hash, hash};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use thiserror::Error;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::options::DecoderOptions;

/// How long a file that nobody names is left alone: its order may be on its way.
const UNNAMED_FOR: Duration = Duration::from_secs(3_600);

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
pub struct Photos {
    folder: PathBuf,
    /// Held while a file is kept or removed: one that comes again is not removed for its age.
    files: Mutex<()>,
}

impl Photos {
    /// Those in a folder, which is made when it is not there.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn open(folder: &Path) -> Result<Self, KeyError> {
        keys::private_directory(folder)?;
        Ok(Self { folder: folder.to_owned(), files: Mutex::new(()) })
    }

    /// Keeps a photo that was checked; says the hash by which it is known.
    ///
    /// # Errors
    /// See [`PhotoError`].
    pub fn keep(&self, bytes: &[u8]) -> Result<Hash, PhotoError> {
        let image = hash("doorward 1 photo", &[bytes]);
        let _alone = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        keys::replace_private_bytes(&self.file(image), bytes)?;
        Ok(image)
    }

    /// The bytes of a photo, as they are kept.
    ///
    /// # Errors
    /// See [`PhotoError`].
    pub fn read(&self, image: Hash) -> Result<Vec<u8>, PhotoError> {
        let bytes = std::fs::read(self.file(image)).map_err(|_| PhotoError::Missing(image))?;
        // A file that was changed is not the one that was approved.
        if hash("doorward 1 photo", &[&bytes]) == image { Ok(bytes) } else { Err(PhotoError::Missing(image)) }
    }

    /// Files that nobody names, and that are old enough for their order to have come.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn unnamed(&self, named: &BTreeSet<Hash>, now: SystemTime) -> io::Result<Vec<PathBuf>> {
        let named: BTreeSet<PathBuf> = named.iter().map(|image| self.file(*image)).collect();
        let mut unnamed = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let entry = entry?;
            let is_old = |at: SystemTime| now.duration_since(at).is_ok_and(|age| age >= UNNAMED_FOR);
            let is_named = named.contains(&entry.path());
            if !is_named && entry.metadata().and_then(|about| about.modified()).is_ok_and(is_old) {
                unnamed.push(entry.path());
            }
        }
        Ok(unnamed)
    }

    /// Removes them; says how many.
    ///
    /// # Errors
    /// When the folder cannot be read or changed.
    pub fn remove_unnamed(&self, named: &BTreeSet<Hash>, now: SystemTime) -> io::Result<u64> {
        let _alone = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let unnamed = self.unnamed(named, now)?;
        unnamed.iter().try_for_each(std::fs::remove_file)?;
        Ok(u64::try_from(unnamed.len()).unwrap_or(u64::MAX))
    }

    fn file(&self, image: Hash) -> PathBuf {
        self.folder.join(format!("{image}.jpg"))
    }
}

/// What is kept of a file: a photo as the campus wants it, without all that decoding does not need.
///
/// # Errors
/// See [`PhotoError`].
pub fn taken(bytes: &[u8], format: Option<&PhotoFormat>) -> Result<Vec<u8>, PhotoError> {
    let most = format.map_or(BYTES_MAX, |format| format.bytes_max);
    if u32::try_from(bytes.len()).map_or(true, |found| found > most) {
        return Err(PhotoError::TooLarge { found: bytes.len(), most });
    }
    // A decoder makes an image of most of a file, too; and what is kept is what was decoded.
    let bare = jpeg::bare(bytes).map_err(|why| PhotoError::NotJpeg(why.into()))?;
    let not_jpeg = |error: &dyn core::fmt::Debug| PhotoError::NotJpeg(format!("{error:?}"));
    let (wanted_width, wanted_height) = format.map_or((PIXELS_MAX, PIXELS_MAX), |format| (format.width, format.height));
    let side = usize::try_from(PIXELS_MAX).unwrap_or(usize::MAX);
    let options = DecoderOptions::default().set_max_width(side).set_max_height(side).set_strict_mode(true);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bare.as_slice()), options);
    // The size is known before anything is decoded.
    decoder.decode_headers().map_err(|error| not_jpeg(&error))?;
    let (width, height) = decoder.dimensions().ok_or_else(|| not_jpeg(&"no size"))?;
    let is_size = |found: usize, wanted: u32| u32::try_from(found).is_ok_and(|found| found == wanted);
    if format.is_some() && !(is_size(width, wanted_width) && is_size(height, wanted_height)) {
        return Err(PhotoError::Size { width, height, wanted_width, wanted_height });
    }
    decoder.decode().map_err(|error| not_jpeg(&error))?;
    Ok(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMAT: PhotoFormat = PhotoFormat { width: 24, height: 30, bytes_max: 10_000 };

    /// A grey photo of 24 x 30 pixels.
    const PHOTO: &[u8] = include_bytes!("../tests/photo-24x30.jpg");

    #[test]
    fn a_photo_of_the_right_size_that_can_be_decoded_is_taken() {
        taken(PHOTO, Some(&FORMAT)).unwrap();
        assert_eq!(taken(PHOTO, None).unwrap(), jpeg::bare(PHOTO).unwrap());
    }

    #[test]
    fn what_is_too_large_of_another_size_or_damaged_is_refused() {
        let refused = |bytes: &[u8], format: PhotoFormat| taken(bytes, Some(&format)).unwrap_err().to_string();
        let wide = PhotoFormat { width: 30, height: 24, ..FORMAT };
        assert_eq!(refused(PHOTO, wide), "the photo is 24 x 30 pixels; it has to be 30 x 24");
        let small = PhotoFormat { bytes_max: 10, ..FORMAT };
        assert!(refused(PHOTO, small).ends_with("at most 10 are taken"));
        for other in [b"".as_slice(), b"GIF89a", b"\x89PNG\r\n\x1a\n"] {
            assert!(refused(other, FORMAT).contains("no JPEG"), "{other:?}");
        }
        for end in 0..PHOTO.len() {
            assert!(taken(PHOTO.get(..end).unwrap(), Some(&FORMAT)).is_err(), "cut after {end} bytes");
        }
    }

    #[test]
    fn no_damage_brings_the_check_down() {
        for at in 0..PHOTO.len() {
            for byte in [0, 1, 0x7f, 0xff] {
                let mut photo = PHOTO.to_vec();
                photo[at] = byte;
                let _taken_or_refused = taken(&photo, None);
            }
        }
    }

    #[test]
    fn a_file_that_nobody_names_is_left_alone_for_an_hour() {
        let directory = tempfile::tempdir().unwrap();
        let photos = Photos::open(&directory.path().join("photos")).unwrap();
        let [one, other] = [PHOTO, b"other"].map(|bytes| photos.keep(bytes).unwrap());
        let in_an_hour = SystemTime::now() + UNNAMED_FOR + Duration::from_secs(1);
        let unnamed = |named: &[Hash], now| photos.unnamed(&named.iter().copied().collect(), now).unwrap();
        assert!(unnamed(&[], SystemTime::now()).is_empty());
        assert_eq!(unnamed(&[one], in_an_hour), [photos.file(other)]);
        assert!(unnamed(&[one, other], in_an_hour).is_empty());
        assert_eq!(photos.remove_unnamed(&[one].into(), in_an_hour).unwrap(), 1);
        assert!(photos.read(one).is_ok() && photos.read(other).is_err());
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

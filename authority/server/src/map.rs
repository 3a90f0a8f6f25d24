//! The map of the campus: an image that somebody brought, and where its buildings stand on it, as files of the server's own.
//!
//! Deliberately not in the journal: no decision depends on it, and what cannot be read is told on the page and stops nothing. Read anew
//! each time, so that a restored file counts at once.

use crate::keys::{self, KeyError};
use crate::{jpeg, png};
use doorward_policy::model::BuildingId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use thiserror::Error;

/// Largest plan in bytes.
pub const PLAN_BYTES_MAX: usize = 2 << 20;
/// Largest side of a plan in pixels: what a browser decodes of it fits 64 MiB.
pub const SIDE_MAX: u32 = 4_096;
/// Largest file of places in bytes.
const PLACES_BYTES_MAX: usize = 1 << 20;
/// Along each side a place is one of so many parts.
pub const PARTS: u16 = 1_000;

/// Why the map cannot be read or changed.
#[derive(Debug, Error)]
pub enum MapError {
    /// It is too large a file.
    #[error("the plan has {0} bytes; at most {PLAN_BYTES_MAX} are taken")]
    TooLarge(usize),
    /// It is something else.
    #[error("the plan is neither a PNG nor a JPEG, by its first bytes")]
    Other,
    /// It is damaged.
    #[error("the plan is no image that can be shown: {0}")]
    Damaged(&'static str),
    /// It has too many pixels, or none.
    #[error("the plan is {0} x {1} pixels; each side has to be 1 to {SIDE_MAX}")]
    Size(u32, u32),
    /// A place is beside the plan.
    #[error("a place is a number from 0 to {PARTS} along each side of the plan")]
    Beside,
    /// There is no plan.
    #[error("there is no plan")]
    NoPlan,
    /// A file cannot be read.
    #[error("{0} cannot be read: {1}; restore it from a backup, or delete it")]
    File(PathBuf, String),
    /// A file cannot be written.
    #[error("the map cannot be kept: {0}")]
    Key(#[from] KeyError),
}

/// What kind of image a plan is: those that can carry no program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
}

impl Kind {
    /// As HTTP names it.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
        }
    }
}

/// A plan of the campus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What kind of image it is.
    pub kind: Kind,
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
    /// The image, without all that drawing does not need.
    pub bytes: Vec<u8>,
}

impl Plan {
    /// A plan, when the bytes are one that is taken.
    ///
    /// # Errors
    /// See [`MapError`].
    pub fn of(bytes: &[u8]) -> Result<Self, MapError> {
        if bytes.len() > PLAN_BYTES_MAX {
            return Err(MapError::TooLarge(bytes.len()));
        }
        let (kind, bytes, size) = if bytes.starts_with(png::SIGNATURE) {
            let bytes = png::bare(bytes).map_err(MapError::Damaged)?;
            let size = png::size(&bytes);
            (Kind::Png, bytes, size)
        } else if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
            let bytes = jpeg::bare(bytes).map_err(MapError::Damaged)?;
            let size = jpeg::size(&bytes);
            (Kind::Jpeg, bytes, size)
        } else {
            return Err(MapError::Other);
        };
        let (width, height) = size.ok_or(MapError::Damaged("it says nowhere how large it is"))?;
        let fits = |side: u32| (1..=SIDE_MAX).contains(&side);
        if !(fits(width) && fits(height)) {
            return Err(MapError::Size(width, height));
        }
        Ok(Self { kind, width, height, bytes })
    }
}

/// Where a building stands, in parts of the plan's width and height, from its top left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// From the left.
    pub x: u16,
    /// From the top.
    pub y: u16,
}

impl Place {
    const fn is_on_plan(self) -> bool {
        self.x <= PARTS && self.y <= PARTS
    }
}

/// The places of buildings.
pub type Places = BTreeMap<BuildingId, Place>;

/// See the module.
#[derive(Debug)]
pub struct CampusMap {
    folder: PathBuf,
    /// Held while a file is changed: of two who place buildings at once, neither undoes the other's.
    changing: Mutex<()>,
}

impl CampusMap {
    /// The map in a folder, which is made when something is put there.
    #[must_use]
    pub const fn at(folder: PathBuf) -> Self {
        Self { folder, changing: Mutex::new(()) }
    }

    fn plan_file(&self) -> PathBuf {
        self.folder.join("plan")
    }

    fn places_file(&self) -> PathBuf {
        self.folder.join("places.json")
    }

    /// The plan; `None` where nobody brought one.
    ///
    /// # Errors
    /// See [`MapError`].
    pub fn plan(&self) -> Result<Option<Plan>, MapError> {
        let file = self.plan_file();
        let Some(bytes) = read(&file, PLAN_BYTES_MAX)? else { return Ok(None) };
        Plan::of(&bytes).map(Some).map_err(|error| MapError::File(file, error.to_string()))
    }

    /// Puts a plan in the place of the one before.
    ///
    /// # Errors
    /// See [`MapError`].
    pub fn keep_plan(&self, bytes: &[u8]) -> Result<(), MapError> {
        let plan = Plan::of(bytes)?;
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        keys::private_directory(&self.folder)?;
        Ok(keys::replace_private_bytes(&self.plan_file(), &plan.bytes)?)
    }

    /// Removes the plan, also one that cannot be read; places stay.
    ///
    /// # Errors
    /// See [`MapError`].
    pub fn remove_plan(&self) -> Result<(), MapError> {
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        match std::fs::remove_file(self.plan_file()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(MapError::NoPlan),
            removed => removed.map_err(|error| KeyError::File(self.plan_file(), error).into()),
        }
    }

    /// Where buildings stand.
    ///
    /// # Errors
    /// See [`MapError`].
    pub fn places(&self) -> Result<Places, MapError> {
        let file = self.places_file();
        let Some(bytes) = read(&file, PLACES_BYTES_MAX)? else { return Ok(Places::new()) };
        let places: Result<Places, _> = serde_json::from_slice(&bytes);
        match places {
            Ok(places) if places.values().all(|place| place.is_on_plan()) => Ok(places),
            Ok(_) => Err(MapError::File(file, MapError::Beside.to_string())),
            Err(error) => Err(MapError::File(file, error.to_string())),
        }
    }

    /// Says where a building stands, or that it stands nowhere; forgets those that are no buildings any more.
    ///
    /// # Errors
    /// See [`MapError`]. A file that cannot be read is not written over.
    pub fn put(
        &self,
        building: &BuildingId,
        place: Option<Place>,
        is_one: impl Fn(&BuildingId) -> bool,
    ) -> Result<(), MapError> {
        if place.is_some_and(|place| !place.is_on_plan()) {
            return Err(MapError::Beside);
        }
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut places = self.places()?;
        places.retain(|id, _| is_one(id));
        match place {
            Some(place) => drop(places.insert(building.clone(), place)),
            None => drop(places.remove(building)),
        }
        let text = serde_json::to_string(&places);
        let text = text.map_err(|error| MapError::File(self.places_file(), error.to_string()))?;
        keys::private_directory(&self.folder)?;
        Ok(keys::replace_private(&self.places_file(), &text)?)
    }
}

/// A file that has at most so many bytes; `None` where there is none.
fn read(file: &Path, most: usize) -> Result<Option<Vec<u8>>, MapError> {
    let failed = |why: String| MapError::File(file.to_owned(), why);
    let opened = match File::open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(|error| failed(error.to_string()))?,
    };
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    opened.take(limit).read_to_end(&mut bytes).map_err(|error| failed(error.to_string()))?;
    if bytes.len() > most {
        return Err(failed(format!("it has more than {most} bytes")));
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHOTO: &[u8] = include_bytes!("../tests/photo-24x30.jpg");

    fn empty() -> (tempfile::TempDir, CampusMap) {
        let directory = tempfile::tempdir().unwrap();
        let map = CampusMap::at(directory.path().join("map"));
        (directory, map)
    }

    fn building(id: &str) -> BuildingId {
        BuildingId::new(id).unwrap()
    }

    #[test]
    fn a_plan_is_kept_as_it_is_drawn_and_replaced_whole() {
        let (_directory, map) = empty();
        assert!(map.plan().unwrap().is_none() && map.places().unwrap().is_empty());
        map.keep_plan(PHOTO).unwrap();
        let plan = map.plan().unwrap().unwrap();
        assert_eq!((plan.kind, plan.width, plan.height), (Kind::Jpeg, 24, 30));
        assert!(map.keep_plan(b"<svg onload=alert(1)/>").is_err());
        assert_eq!(map.plan().unwrap().unwrap(), plan, "what is refused replaces nothing");
        map.remove_plan().unwrap();
        assert!(map.plan().unwrap().is_none() && matches!(map.remove_plan(), Err(MapError::NoPlan)));
    }

    #[test]
    fn what_is_too_large_or_no_image_is_refused() {
        let says = |bytes: &[u8]| Plan::of(bytes).unwrap_err().to_string();
        assert!(says(&vec![0; PLAN_BYTES_MAX + 1]).contains("at most"));
        for other in [b"".as_slice(), b"GIF89a", b"<svg/>", b"%PDF-1.7", b"<!DOCTYPE html>"] {
            assert!(says(other).contains("neither a PNG nor a JPEG"));
        }
        let png = |width: u32, height: u32| {
            let header = [width.to_be_bytes(), height.to_be_bytes()].concat();
            [png::SIGNATURE, b"\0\0\0\rIHDR", &header, &[8, 2, 0, 0, 0, 0, 0, 0, 0], b"\0\0\0\0IEND\0\0\0\0"].concat()
        };
        assert_eq!(Plan::of(&png(SIDE_MAX, 1)).unwrap().kind, Kind::Png);
        for (width, height) in [(SIDE_MAX + 1, 1), (1, u32::MAX), (0, 1)] {
            assert!(says(&png(width, height)).contains("pixels"), "{width} x {height}");
        }
    }

    #[test]
    fn places_are_kept_of_buildings_alone_and_on_the_plan() {
        let (_directory, map) = empty();
        let (north, south) = (building("north"), building("south"));
        let place = Place { x: 250, y: PARTS };
        map.put(&north, Some(place), |_| true).unwrap();
        map.put(&south, Some(Place { x: 0, y: 0 }), |_| true).unwrap();
        assert!(matches!(map.put(&north, Some(Place { x: PARTS + 1, y: 0 }), |_| true), Err(MapError::Beside)));
        assert_eq!(map.places().unwrap()[&north], place);
        map.put(&south, None, |_| true).unwrap();
        assert_eq!(map.places().unwrap().len(), 1);
        map.put(&south, Some(place), |id| *id == south).unwrap();
        assert_eq!(map.places().unwrap(), Places::from([(south, place)]), "a building that is gone stands nowhere");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told_and_not_written_over() {
        let (directory, map) = empty();
        map.put(&building("north"), Some(Place { x: 1, y: 1 }), |_| true).unwrap();
        let file = directory.path().join("map/places.json");
        for wrong in ["{", "[]", r#"{"north":{"x":1}}"#, r#"{"north":{"x":1,"y":1001}}"#, r#"{"":{"x":1,"y":1}}"#] {
            std::fs::write(&file, wrong).unwrap();
            assert!(map.places().unwrap_err().to_string().contains("places.json"), "{wrong}");
            assert!(map.put(&building("south"), None, |_| true).is_err(), "{wrong}");
            assert_eq!(std::fs::read_to_string(&file).unwrap(), wrong);
        }
        std::fs::write(directory.path().join("map/plan"), "no image").unwrap();
        assert!(map.plan().unwrap_err().to_string().contains("neither a PNG nor a JPEG"));
        map.remove_plan().unwrap();
    }
}

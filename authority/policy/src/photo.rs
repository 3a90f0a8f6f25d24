//! Photos for cards: submitted, looked at by those who know the person, and locked once they are approved.
//!
//! Only hashes of images are here; the images are the shell's. A decision names the image that was seen.

use crate::command::Actor;
use crate::directory::{Directory, Refusal};
use crate::model::PersonId;
use doorward_protocol::id::Hash;
use doorward_protocol::time::UnixMs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Largest side of a photo in pixels: what is decoded fits some dozen MiB.
pub const PIXELS_MAX: u32 = 2_000;
/// Largest file of a photo in bytes, and what is taken where the campus says nothing.
pub const BYTES_MAX: u32 = 1 << 20;

/// What a photo must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhotoFormat {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Most bytes of the file.
    pub bytes_max: u32,
}

/// An order about a person's photo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum PhotoOrder {
    /// A photo is there and waits to be looked at.
    Submit {
        /// Of whom.
        person: PersonId,
        /// Hash of the file.
        #[serde(with = "crate::command::hexadecimal")]
        image: Hash,
    },
    /// The photo may go on a card.
    Approve {
        /// Of whom.
        person: PersonId,
        /// Hash of the file that was seen.
        #[serde(with = "crate::command::hexadecimal")]
        image: Hash,
    },
    /// The photo may not.
    Reject {
        /// Of whom.
        person: PersonId,
        /// Hash of the file that was seen.
        #[serde(with = "crate::command::hexadecimal")]
        image: Hash,
        /// Why.
        reason: String,
    },
    /// An approved photo is no longer, so that another can come.
    Reopen {
        /// Of whom.
        person: PersonId,
        /// Why.
        reason: String,
    },
    /// A photo is not kept any longer.
    Remove {
        /// Of whom.
        person: PersonId,
        /// Why.
        reason: String,
    },
}

/// Where a photo stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhotoState {
    /// Nobody has looked at it.
    Waiting,
    /// It may go on a card, and is locked.
    Approved,
    /// It may not.
    Rejected,
}

/// A person's photo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Photo {
    /// Hash of the file.
    pub image: Hash,
    /// Where it stands.
    pub state: PhotoState,
    /// Who submitted it, or decided last.
    pub by: Actor,
    /// When.
    pub at: UnixMs,
    /// Why it was rejected or reopened.
    pub reason: Option<String>,
}

impl PhotoState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Approved, Self::Rejected];

    /// In a word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }
}

impl PhotoOrder {
    /// The name of what was done, as the journal lists it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Submit { .. } => "photo-submit",
            Self::Approve { .. } => "photo-approve",
            Self::Reject { .. } => "photo-reject",
            Self::Reopen { .. } => "photo-reopen",
            Self::Remove { .. } => "photo-remove",
        }
    }

    /// Of whom the photo is.
    #[must_use]
    pub const fn person(&self) -> &PersonId {
        match self {
            Self::Submit { person, .. }
            | Self::Approve { person, .. }
            | Self::Reject { person, .. }
            | Self::Reopen { person, .. }
            | Self::Remove { person, .. } => person,
        }
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Submit { .. } | Self::Approve { .. } => None,
            Self::Reject { reason, .. } | Self::Reopen { reason, .. } | Self::Remove { reason, .. } => Some(reason),
        }
    }

    fn image(&self) -> Option<Hash> {
        match self {
            Self::Submit { image, .. } | Self::Approve { image, .. } | Self::Reject { image, .. } => Some(*image),
            Self::Reopen { .. } | Self::Remove { .. } => None,
        }
    }

    /// Where the photo stands after it; `None`: there is none any more.
    const fn result(&self) -> Option<PhotoState> {
        match self {
            Self::Submit { .. } => Some(PhotoState::Waiting),
            Self::Approve { .. } => Some(PhotoState::Approved),
            Self::Reject { .. } | Self::Reopen { .. } => Some(PhotoState::Rejected),
            Self::Remove { .. } => None,
        }
    }
}

impl Directory {
    pub(crate) fn check_photo(&self, order: &PhotoOrder) -> Result<(), Refusal> {
        let person = order.person();
        order.reason().map_or(Ok(()), crate::directory::check_reason)?;
        Refusal::unless_known("person", person, &self.tables().people)?;
        let known = self.photos().get(person);
        let state = known.map(|photo| photo.state);
        let is_seen = known.is_some_and(|photo| Some(photo.image) == order.image());
        match (order, state) {
            (PhotoOrder::Submit { .. }, None | Some(PhotoState::Waiting | PhotoState::Rejected)) => Ok(()),
            (PhotoOrder::Submit { .. }, Some(PhotoState::Approved)) => Err(Refusal::PhotoLocked(person.clone())),
            (PhotoOrder::Approve { .. } | PhotoOrder::Reject { .. }, Some(PhotoState::Waiting)) if is_seen => Ok(()),
            (PhotoOrder::Approve { .. } | PhotoOrder::Reject { .. }, Some(PhotoState::Waiting)) => {
                Err(Refusal::PhotoReplaced(person.clone()))
            }
            (PhotoOrder::Reopen { .. }, Some(PhotoState::Approved)) | (PhotoOrder::Remove { .. }, Some(_)) => Ok(()),
            (
                PhotoOrder::Approve { .. }
                | PhotoOrder::Reject { .. }
                | PhotoOrder::Reopen { .. }
                | PhotoOrder::Remove { .. },
                state,
            ) => Err(Refusal::PhotoState { person: person.clone(), state }),
        }
    }
}

/// Takes a checked order over.
pub(crate) fn perform(photos: &mut BTreeMap<PersonId, Photo>, order: &PhotoOrder, by: &Actor, at: UnixMs) {
    let Some(state) = order.result() else {
        photos.remove(order.person());
        return;
    };
    let known = photos.get(order.person()).map(|photo| photo.image);
    let Some(image) = order.image().or(known) else { return };
    let reason = order.reason().map(str::to_owned);
    photos.insert(order.person().clone(), Photo { image, state, by: by.clone(), at, reason });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Command;
    use crate::testing::{campus, directory, id, take};

    const ONE: Hash = Hash([1; 32]);
    const TWO: Hash = Hash([2; 32]);

    fn ann() -> PersonId {
        id("ann")
    }

    fn submit(image: Hash) -> Command {
        Command::Photo(PhotoOrder::Submit { person: ann(), image })
    }

    fn approve(image: Hash) -> Command {
        Command::Photo(PhotoOrder::Approve { person: ann(), image })
    }

    fn reject(image: Hash) -> Command {
        Command::Photo(PhotoOrder::Reject { person: ann(), image, reason: "not upright".into() })
    }

    fn reopen() -> Command {
        Command::Photo(PhotoOrder::Reopen { person: ann(), reason: "looks otherwise now".into() })
    }

    fn state(directory: &Directory) -> Option<PhotoState> {
        directory.photos().get(&ann()).map(|photo| photo.state)
    }

    #[test]
    fn a_rejected_photo_makes_room_for_another_and_an_approved_one_is_locked_until_it_is_reopened() {
        let mut directory = directory();
        assert!(take(&mut directory, submit(ONE)).unwrap().is_empty(), "no door is touched");
        take(&mut directory, reject(ONE)).unwrap();
        assert_eq!(directory.photos()[&ann()].reason.as_deref(), Some("not upright"));
        take(&mut directory, submit(TWO)).unwrap();
        assert_eq!(state(&directory), Some(PhotoState::Waiting));
        take(&mut directory, approve(TWO)).unwrap();
        let locked = take(&mut directory, submit(ONE)).unwrap_err().to_string();
        assert_eq!(locked, "the photo of person `ann` is approved and locked; reopen it first");
        take(&mut directory, reopen()).unwrap();
        assert_eq!((state(&directory), directory.photos()[&ann()].image), (Some(PhotoState::Rejected), TWO));
        take(&mut directory, submit(ONE)).unwrap();
    }

    #[test]
    fn a_decision_is_about_the_image_that_was_seen() {
        let mut directory = directory();
        let nothing = take(&mut directory, approve(ONE)).unwrap_err().to_string();
        assert_eq!(
            nothing,
            "there is no photo of person `ann`; only one that waits can be decided, and only an approved one reopened"
        );
        take(&mut directory, submit(ONE)).unwrap();
        take(&mut directory, submit(TWO)).unwrap();
        for stale in [approve(ONE), reject(ONE)] {
            let replaced = take(&mut directory, stale).unwrap_err().to_string();
            assert!(replaced.contains("another photo of person `ann` has come"), "{replaced}");
        }
        take(&mut directory, approve(TWO)).unwrap();
        assert!(take(&mut directory, approve(TWO)).unwrap_err().to_string().contains("is approved"));
        assert!(matches!(take(&mut directory, reject(TWO)), Err(Refusal::PhotoState { .. })));
    }

    #[test]
    fn a_photo_that_is_removed_is_gone_wherever_it_stood() {
        let remove = || Command::Photo(PhotoOrder::Remove { person: ann(), reason: "left long ago".into() });
        let mut directory = directory();
        assert!(matches!(take(&mut directory, remove()), Err(Refusal::PhotoState { state: None, .. })));
        for decide in [None, Some(approve(ONE)), Some(reject(ONE))] {
            take(&mut directory, submit(ONE)).unwrap();
            decide.into_iter().for_each(|decide| drop(take(&mut directory, decide).unwrap()));
            assert!(take(&mut directory, remove()).unwrap().is_empty(), "no door is touched");
            assert_eq!(state(&directory), None);
        }
    }

    #[test]
    fn a_photo_stays_with_a_person_who_has_left() {
        let mut directory = directory();
        take(&mut directory, submit(ONE)).unwrap();
        let mut folder = campus();
        folder.tables.people.remove(&ann());
        folder.tables.cards.retain(|_, card| card.person != ann());
        let difference = Box::new(crate::difference::Difference::between(&directory, &folder));
        take(&mut directory, Command::Import { difference }).unwrap();
        assert_eq!(state(&directory), Some(PhotoState::Waiting));
        let nobody = Command::Photo(PhotoOrder::Submit { person: id("nobody"), image: Hash([1; 32]) });
        assert!(matches!(take(&mut directory, nobody), Err(Refusal::Unknown { kind: "person", .. })));
    }
}

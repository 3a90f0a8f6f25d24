//! Identifiers: small validated strings and fixed-size content ids, one type per thing that is named.
//!
//! Deliberately no lookup and no meaning here: an id says only that its spelling is allowed.

use blake3::hazmat::{HasherExt, hash_derive_key_context};
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;
use thiserror::Error;

/// Longest id in bytes (campus-format: 1 to 64 of `A-Z a-z 0-9 . _ -`).
pub const ID_BYTES_MAX: usize = 64;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdError {
    /// The text has no character.
    #[error("is empty; an id has 1 to {ID_BYTES_MAX} characters")]
    Empty,
    /// The text is too long.
    #[error("has {0} characters; an id has at most {ID_BYTES_MAX}")]
    TooLong(usize),
    /// The text has a character that ids do not have.
    #[error("contains {0:?}; an id is made of A-Z a-z 0-9 . _ -{1}")]
    Character(char, &'static str),
}

fn validate(text: &str, colon_allowed: bool) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') || (colon_allowed && c == ':');
    if let Some(c) = text.chars().find(|c| !allowed(*c)) {
        return Err(IdError::Character(c, if colon_allowed { " :" } else { "" }));
    }
    match text.len() {
        0..=ID_BYTES_MAX => Ok(()),
        n => Err(IdError::TooLong(n)),
    }
}

/// Defines a newtype over a validated string; also used by the policy crate for its own ids.
#[macro_export]
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $colon:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// Parses an id.
            ///
            /// # Errors
            /// When the text is empty, too long, or has a character that ids do not have.
            pub fn new(text: &str) -> Result<Self, $crate::id::IdError> {
                $crate::id::check(text, $colon)?;
                Ok(Self(text.into()))
            }

            /// The id as it was written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl core::str::FromStr for $name {
            type Err = $crate::id::IdError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::id::IdError;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

/// Checks the spelling of an id; the door through which [`text_id!`] types are made.
///
/// # Errors
/// See [`IdError`].
pub fn check(text: &str, colon_allowed: bool) -> Result<(), IdError> {
    validate(text, colon_allowed)
}

text_id!(
    /// A campus.
    CampusId,
    false
);
text_id!(
    /// An edge agent.
    AgentId,
    false
);
text_id!(
    /// A door: an access point in the words of ONVIF.
    DoorId,
    false
);
text_id!(
    /// What a card can be used for; every door has one function.
    FunctionId,
    false
);

/// Defines a fixed-size binary id or hash that shows itself as hexadecimal.
#[macro_export]
macro_rules! bytes_id {
    ($(#[$doc:meta])* $name:ident, $length:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub struct $name(pub [u8; $length]);

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

bytes_id!(
    /// A BLAKE3 hash under one of this protocol's contexts.
    Hash,
    32
);
bytes_id!(
    /// The keyed hash of what a reader read: all that an agent knows of a credential's number.
    CredentialKey,
    16
);
bytes_id!(
    /// A schedule by its content.
    ScheduleId,
    8
);
bytes_id!(
    /// A class of equal access by its content.
    ClassId,
    8
);
bytes_id!(
    /// One life of an agent's record chain; a new one starts when the chain could not be continued.
    Incarnation,
    16
);

/// The secret of a campus under which card ids are hashed into [`CredentialKey`]s; never printed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReaderKey(pub [u8; 32]);

impl core::fmt::Debug for ReaderKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("ReaderKey(secret)")
    }
}

impl ReaderKey {
    /// What an agent knows a card by: the first 16 bytes of BLAKE3 keyed with this secret over the card id.
    #[must_use]
    pub fn credential_key(&self, card_id: &str) -> CredentialKey {
        let hash = blake3::keyed_hash(&self.0, card_id.as_bytes());
        let mut key = [0; 16];
        for (to, from) in key.iter_mut().zip(hash.as_bytes()) {
            *to = *from;
        }
        CredentialKey(key)
    }
}

/// A context of hashes that are made often: the key that BLAKE3 derives from its name is derived once.
#[derive(Debug)]
pub struct Context {
    name: &'static str,
    key: OnceLock<[u8; 32]>,
}

impl Context {
    /// Of this name.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, key: OnceLock::new() }
    }

    /// What [`hash`] gives under the same name.
    #[must_use]
    pub fn hash(&self, parts: &[&[u8]]) -> Hash {
        let mut hasher = self.hasher();
        for part in parts {
            hasher.update(part);
        }
        Hash(*hasher.finalize().as_bytes())
    }

    pub(crate) fn hasher(&self) -> blake3::Hasher {
        blake3::Hasher::new_from_context_key(self.key.get_or_init(|| hash_derive_key_context(self.name)))
    }
}

/// BLAKE3 under a context, so that no hash of one kind is ever a hash of another.
#[must_use]
pub fn hash(context: &str, parts: &[&[u8]]) -> Hash {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    for part in parts {
        hasher.update(part);
    }
    Hash(*hasher.finalize().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_what_is_wrong_with_it() {
        assert_eq!(DoorId::new(""), Err(IdError::Empty));
        assert_eq!(DoorId::new("a b"), Err(IdError::Character(' ', "")));
        assert_eq!(DoorId::new(&"x".repeat(65)), Err(IdError::TooLong(65)));
        assert_eq!(DoorId::new("a:b"), Err(IdError::Character(':', "")));
        assert!(DoorId::new("eng-1_main.A").is_ok());
    }

    #[test]
    fn a_context_gives_the_same_hash_as_its_name() {
        let context = Context::new("doorward 1 test");
        for parts in [&[][..], &[b"a".as_slice()], &[b"a", b"bc"]] {
            assert_eq!(context.hash(parts), hash("doorward 1 test", parts));
        }
    }

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(format!("{:?}", ReaderKey([7; 32])), "ReaderKey(secret)");
    }
}

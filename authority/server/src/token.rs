//! The token of the HTTP API: clients hold it, the server knows only its hash.
//!
//! Deliberately one token, for whoever owns the data directory: operators and their tokens are in the journal.

use crate::keys::{self, KeyError};
use crate::paths::Layout;
use crate::start::{self, StartError};
use doorward_protocol::id::{Hash, hash};
use std::path::PathBuf;
use thiserror::Error;

/// Why there is no token.
#[derive(Debug, Error)]
pub enum TokenError {
    /// The data directory is in use, or not one.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A file cannot be read or written.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Nothing says which token is right.
    #[error("{0} is not there, so no token for the API is right; make one with `doorward token new`")]
    Missing(PathBuf),
}

/// The token, as the server knows it.
#[derive(Debug, Clone, Copy)]
pub struct KnownToken(Hash);

impl KnownToken {
    /// Reads which token is right.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub fn read(layout: &Layout) -> Result<Self, TokenError> {
        let path = layout.api_token_hash();
        if !path.exists() {
            return Err(TokenError::Missing(path));
        }
        Ok(Self(Hash(keys::read_secret(&path)?)))
    }

    /// Whether this is the token, in a time that says nothing about it.
    #[must_use]
    pub fn is(&self, given: &[u8]) -> bool {
        keys::equal_in_constant_time(&hash_of(given).0, &self.0.0)
    }
}

/// Hash of a token, by which it is known.
pub fn hash_of(token: &[u8]) -> Hash {
    hash("doorward 1 api token", &[token])
}

/// Makes a token, and with that ends the one before.
///
/// # Errors
/// See [`KeyError`]. When only half of it was done, the old token is worth nothing, and another call makes a new one.
pub fn make(layout: &Layout) -> Result<(), KeyError> {
    let token = hex::encode(keys::random::<32>()?);
    keys::replace_private(&layout.api_token_hash(), &hash_of(token.as_bytes()).to_string())?;
    keys::replace_private(&layout.api_token(), &token)
}

/// Makes a new token in a data directory on which no server runs; says where it is.
///
/// # Errors
/// See [`TokenError`].
pub fn renew(layout: &Layout) -> Result<PathBuf, TokenError> {
    let _lock = start::lock(layout)?;
    make(layout)?;
    Ok(layout.api_token())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_token_ends_the_one_before_and_the_server_keeps_only_a_hash() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::new(directory.path());
        assert!(matches!(KnownToken::read(&layout), Err(TokenError::Missing(_))));
        make(&layout).unwrap();
        let first = keys::read_private(&layout.api_token()).unwrap().trim().to_owned();
        let known = KnownToken::read(&layout).unwrap();
        assert!(known.is(first.as_bytes()));
        let kept = keys::read_private(&layout.api_token_hash()).unwrap();
        assert!(!known.is(kept.trim().as_bytes()), "the hash is not a token");
        assert!(!known.is(&first.as_bytes()[..63]) && !known.is(b""));
        make(&layout).unwrap();
        let renewed = KnownToken::read(&layout).unwrap();
        assert!(!renewed.is(first.as_bytes()));
        assert!(renewed.is(keys::read_private(&layout.api_token()).unwrap().trim().as_bytes()));
    }
}

//! Binary values as one line of text for people to carry: a prefix, then base64url of the bytes and of a check.
//!
//! The check catches slips of the hand; it protects against nobody.

use crate::codec;
use crate::id::hash;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// Why a text is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ArmorError {
    /// It does not begin as it should.
    #[error("does not begin with {0:?}; copy the whole line")]
    Prefix(&'static str),
    /// A character is missing, added or changed.
    #[error("is damaged; copy the whole line again")]
    Damaged,
}

/// A value as text; `None` when it is larger than a frame.
#[must_use]
pub fn to_text<T: Serialize>(prefix: &'static str, value: &T) -> Option<String> {
    let body = codec::encode(value).ok()?;
    let check = check_of(prefix, &body);
    Some(format!("{prefix}{}", URL_SAFE_NO_PAD.encode([body, check.to_vec()].concat())))
}

/// Reads such a text, white space around it aside.
///
/// # Errors
/// See [`ArmorError`].
pub fn parse<T: Serialize + DeserializeOwned>(prefix: &'static str, text: &str) -> Result<T, ArmorError> {
    let encoded = text.trim().strip_prefix(prefix).ok_or(ArmorError::Prefix(prefix))?;
    let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| ArmorError::Damaged)?;
    let (body, check) = bytes.split_last_chunk::<4>().ok_or(ArmorError::Damaged)?;
    if *check != check_of(prefix, body) {
        return Err(ArmorError::Damaged);
    }
    codec::decode(body).map_err(|_| ArmorError::Damaged)
}

fn check_of(prefix: &str, body: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..] = hash("doorward 1 armor", &[prefix.as_bytes(), body]).0;
    [a, b, c, d]
}

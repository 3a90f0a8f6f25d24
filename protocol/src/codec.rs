//! The one place that turns values into bytes and back: bincode 2.0 with variable-length integers, little-endian.
//!
//! Decoding is strict: bounded before it is parsed, no trailing byte, and only the canonical bytes of a value are
//! accepted (the value is encoded again and compared), so a hash over received bytes is a hash over the value.

use crate::limits::{FRAME_BYTES_MAX, PART_BYTES_TARGET};
use bincode::config::{self, Configuration, Limit, LittleEndian, Varint};
use bincode::enc::write::Writer;
use bincode::error::EncodeError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// Why bytes are not the value that they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CodecError {
    /// More bytes than any such value may have.
    #[error("{0} bytes are more than the bound of {1}")]
    TooLong(usize, usize),
    /// The bytes do not parse.
    #[error("the bytes are not a value of the expected kind")]
    Malformed,
    /// Bytes are left after the value.
    #[error("{0} bytes are left after the value")]
    Trailing(usize),
    /// The value parses but has another, canonical, spelling.
    #[error("the bytes are not the canonical spelling of their value")]
    NotCanonical,
    /// The value cannot be encoded within the bound.
    #[error("the value does not fit the bound of a frame")]
    Unencodable,
}

const LIMIT: usize = FRAME_BYTES_MAX;

/// Room that most facts fit in: hundreds of thousands of them are encoded for one snapshot, each in one allocation.
const ROOM_BYTES: usize = 64;

struct Bytes(Vec<u8>);

impl Writer for Bytes {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

const fn strict() -> Configuration<LittleEndian, Varint, Limit<LIMIT>> {
    config::standard().with_limit::<LIMIT>()
}

/// Encodes a value.
///
/// # Errors
/// [`CodecError::Unencodable`] when the value is larger than a frame may be.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Bytes(Vec::with_capacity(ROOM_BYTES));
    bincode::serde::encode_into_writer(value, &mut bytes, strict()).map_err(|_| CodecError::Unencodable)?;
    let Bytes(bytes) = bytes;
    if bytes.len() > LIMIT { Err(CodecError::Unencodable) } else { Ok(bytes) }
}

/// Decodes a value from exactly these bytes.
///
/// # Errors
/// See [`CodecError`]; nothing larger than the bound is allocated.
pub fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    if bytes.len() > LIMIT {
        return Err(CodecError::TooLong(bytes.len(), LIMIT));
    }
    let (value, read) =
        bincode::serde::decode_from_slice::<T, _>(bytes, strict()).map_err(|_| CodecError::Malformed)?;
    if read != bytes.len() {
        return Err(CodecError::Trailing(bytes.len().saturating_sub(read)));
    }
    if encode(&value)? == bytes { Ok(value) } else { Err(CodecError::NotCanonical) }
}

/// Encodes a value that stays with whoever encoded it, such as on a disk of its own, and may be larger than any frame.
///
/// # Errors
/// [`CodecError::Unencodable`] when there is no encoding.
pub fn encode_kept<T: Serialize>(value: &T) -> Result<Vec<u8>, CodecError> {
    bincode::serde::encode_to_vec(value, config::standard()).map_err(|_| CodecError::Unencodable)
}

/// Decodes such a value from exactly these bytes. Deliberately not for bytes that came from somebody else: they must be known
/// to be the ones that were written, by their hash, because what they claim to be long is made room for.
///
/// # Errors
/// [`CodecError::Malformed`] or [`CodecError::Trailing`].
pub fn decode_kept<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let decoded = bincode::serde::decode_from_slice::<T, _>(bytes, config::standard());
    let (value, read) = decoded.map_err(|_| CodecError::Malformed)?;
    if read == bytes.len() { Ok(value) } else { Err(CodecError::Trailing(bytes.len().saturating_sub(read))) }
}

/// Splits values into groups whose encodings stay near [`PART_BYTES_TARGET`] each; no group is empty.
///
/// # Errors
/// [`CodecError::Unencodable`] when one value alone is larger than a frame may be.
pub fn split_into_parts<T: Serialize>(values: Vec<T>) -> Result<Vec<Vec<T>>, CodecError> {
    let mut parts = Vec::new();
    let mut part = Vec::new();
    let mut part_bytes = 0_usize;
    for value in values {
        let length = encode(&value)?.len();
        if part_bytes.saturating_add(length) > PART_BYTES_TARGET && !part.is_empty() {
            parts.push(core::mem::take(&mut part));
            part_bytes = 0;
        }
        part_bytes = part_bytes.saturating_add(length);
        part.push(value);
    }
    if !part.is_empty() {
        parts.push(part);
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Factors, Interval};
    use crate::id::DoorId;

    #[test]
    fn the_bytes_of_a_value_are_fixed() {
        let value = (DoorId::new("d-1").unwrap(), Some(Interval { start_min: 250, end_min: 1440 }), Factors::PIN);
        let golden = "03642d3101fafba00501";
        assert_eq!(hex::encode(encode(&value).unwrap()), golden);
        assert_eq!(decode(&hex::decode(golden).unwrap()), Ok(value));
    }

    #[test]
    fn trailing_truncated_and_padded_bytes_are_refused() {
        let bytes = encode(&7_u64).unwrap();
        assert_eq!(bytes, [7]);
        assert_eq!(decode::<u64>(&[7, 0]), Err(CodecError::Trailing(1)));
        assert_eq!(decode::<u64>(&[]), Err(CodecError::Malformed));
        assert_eq!(decode::<u64>(&[251, 7, 0]), Err(CodecError::NotCanonical));
    }

    #[test]
    fn a_claimed_length_allocates_nothing() {
        let claim = [253, 255, 255, 255, 255, 255, 255, 255, 127];
        assert_eq!(decode::<Vec<u8>>(&claim), Err(CodecError::Malformed));
        assert_eq!(decode::<u8>(&vec![0; LIMIT + 1]), Err(CodecError::TooLong(LIMIT + 1, LIMIT)));
    }

    #[test]
    fn what_is_kept_may_be_larger_than_a_frame_and_comes_back_as_it_was() {
        let value = vec![7_u8; LIMIT + 1];
        let bytes = encode_kept(&value).unwrap();
        assert_eq!(decode_kept(&bytes), Ok(value));
        assert_eq!(decode_kept::<u8>(&[7, 0]), Err(CodecError::Trailing(1)));
        assert_eq!(decode_kept::<Vec<u8>>(&bytes[..9]), Err(CodecError::Malformed));
    }

    #[test]
    fn a_bad_id_does_not_decode() {
        assert_eq!(decode::<DoorId>(&[2, b'a', b' ']), Err(CodecError::Malformed));
    }

    #[test]
    fn parts_keep_order_and_size() {
        let values: Vec<Vec<u8>> = (0..10).map(|i| vec![i; PART_BYTES_TARGET / 3]).collect();
        let parts = split_into_parts(values.clone()).unwrap();
        assert_eq!(parts.concat(), values);
        assert!(parts.iter().all(|part| part.len() <= 2));
    }
}

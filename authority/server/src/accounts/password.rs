//! Passwords: hashed with Argon2id, and checked at the same cost whether there is an account or not.
//!
//! The one place that names the library. Parameters are those that OWASP names as the least (19 MiB, two passes).

use crate::keys;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};

/// Fewest characters of a password: length is what resists guessing (NIST SP 800-63B).
pub const CHARACTERS_MIN: usize = 12;
/// Most bytes of a password: a sentence, and no work for nothing.
pub const BYTES_MAX: usize = 1024;

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Whether a password may be chosen.
///
/// # Errors
/// What would be right.
pub fn check(password: &str, operator: &str) -> Result<(), String> {
    if password.chars().count() < CHARACTERS_MIN {
        return Err(format!("a password has at least {CHARACTERS_MIN} characters; take a few words"));
    }
    if password.len() > BYTES_MAX {
        return Err(format!("a password has at most {BYTES_MAX} bytes"));
    }
    let mut characters = password.chars();
    let first = characters.next();
    if characters.all(|c| Some(c) == first) || password.to_lowercase().contains(&operator.to_lowercase()) {
        return Err("a password is not one character over and over, and does not contain the operator's name".into());
    }
    Ok(())
}

fn hasher() -> Option<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The hash of a password, with a salt of its own; `None` without randomness.
#[must_use]
pub fn hash(password: &str) -> Option<String> {
    let salt: [u8; 16] = keys::random().ok()?;
    let hash: PasswordHash = hasher()?.hash_password_with_salt(password.as_bytes(), &salt).ok()?;
    Some(hash.to_string())
}

/// Whether a password is the one of a hash.
#[must_use]
pub fn is(password: &str, hash: &str) -> bool {
    let parsed = PasswordHash::new(hash);
    parsed
        .is_ok_and(|parsed| hasher().is_some_and(|hasher| hasher.verify_password(password.as_bytes(), &parsed).is_ok()))
}

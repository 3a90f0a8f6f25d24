//! Signatures: Ed25519 over a context and exact bytes, and the one function that counts them.
//!
//! The only place that knows `ed25519_dalek`. Keys are made from randomness that the shell brings.

use crate::codec::{self, CodecError};
use crate::limits::SIGNATURES_MAX;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use thiserror::Error;

crate::bytes_id!(
    /// An Ed25519 public key.
    PublicKey,
    32
);

/// An Ed25519 signature, as its two halves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature(pub [u8; 32], pub [u8; 32]);

impl Signature {
    fn to_dalek(self) -> ed25519_dalek::Signature {
        ed25519_dalek::Signature::from_components(self.0, self.1)
    }
}

/// An Ed25519 private key; never printed, wiped when dropped.
pub struct SecretKey(SigningKey);

impl core::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SecretKey(secret)")
    }
}

impl SecretKey {
    /// A key from 32 random bytes.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The seed, for a file that only its owner can read.
    #[must_use]
    pub fn to_seed(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs bytes under a context.
    #[must_use]
    pub fn sign(&self, context: Context, bytes: &[u8]) -> Signature {
        let signature = self.0.sign(&context.message(bytes));
        Signature(*signature.r_bytes(), *signature.s_bytes())
    }

    /// Signs a value under its own context.
    ///
    /// # Errors
    /// When the value is larger than a frame may be.
    pub fn sign_value<T: Signable>(&self, value: &T) -> Result<Signed<T>, CodecError> {
        let bytes = codec::encode(value)?;
        let signature = self.sign(T::CONTEXT, &bytes);
        Ok(Signed { bytes, signatures: vec![(self.public(), signature)], kind: core::marker::PhantomData })
    }
}

/// What a signature is about, so that a signature of one kind is never one of another (PROTOCOL 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// [`crate::trust::Statement`].
    Statement,
    /// [`crate::commit::Commit`].
    Commit,
    /// [`crate::commit::Pulse`].
    Pulse,
    /// [`crate::removal::Removal`].
    Removal,
    /// [`crate::receipt::Receipt`].
    Receipt,
    /// [`crate::evidence::Evidence`].
    Evidence,
    /// [`crate::enrol::Proof`].
    Enrolment,
}

impl Context {
    const fn name(self) -> &'static [u8] {
        match self {
            Self::Statement => b"doorward 1 statement",
            Self::Commit => b"doorward 1 commit",
            Self::Pulse => b"doorward 1 pulse",
            Self::Removal => b"doorward 1 removal",
            Self::Receipt => b"doorward 1 receipt",
            Self::Evidence => b"doorward 1 evidence",
            Self::Enrolment => b"doorward 1 enrolment",
        }
    }

    /// The bytes that are signed: the context's name, a zero byte, the value's bytes.
    fn message(self, bytes: &[u8]) -> Vec<u8> {
        [self.name(), &[0], bytes].concat()
    }
}

/// A value that is signed under one context.
pub trait Signable: Serialize + DeserializeOwned {
    /// Its context.
    const CONTEXT: Context;
}

/// The received bytes of a value with signatures over exactly these bytes; not verified yet.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Signed<T> {
    /// The value's canonical encoding.
    pub bytes: Vec<u8>,
    /// Signatures, each with the key that is said to have made it.
    pub signatures: Vec<(PublicKey, Signature)>,
    #[serde(skip)]
    kind: core::marker::PhantomData<fn() -> T>,
}

impl<T> Clone for Signed<T> {
    fn clone(&self) -> Self {
        Self { bytes: self.bytes.clone(), signatures: self.signatures.clone(), kind: self.kind }
    }
}

impl<T> PartialEq for Signed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes && self.signatures == other.signatures
    }
}

impl<T> Eq for Signed<T> {}

impl<T> core::fmt::Debug for Signed<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Signed({} bytes, {} signatures)", self.bytes.len(), self.signatures.len())
    }
}

/// Why a signed value is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SignError {
    /// Too many signatures to look at.
    #[error("{0} signatures are more than the bound of {SIGNATURES_MAX}")]
    TooManySignatures(usize),
    /// Not enough distinct trusted keys signed.
    #[error("{valid} valid signatures of trusted keys; {needed} are needed")]
    NotEnough {
        /// Distinct trusted keys with a valid signature.
        valid: usize,
        /// How many were needed.
        needed: usize,
    },
    /// The signed bytes are not a value of the expected kind.
    #[error("the signed bytes are wrong: {0}")]
    Codec(#[from] CodecError),
}

/// A value whose signatures were checked against trusted keys; only verification makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// The value.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> core::ops::Deref for Verified<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Signable> Signed<T> {
    /// A value that nobody has signed: whoever takes it believes whom it comes from, or nothing.
    ///
    /// # Errors
    /// When the value is larger than a frame may be.
    pub fn unsigned(value: &T) -> Result<Self, CodecError> {
        Ok(Self { bytes: codec::encode(value)?, signatures: Vec::new(), kind: core::marker::PhantomData })
    }

    /// Adds a signature over the same bytes.
    pub fn add_signature(&mut self, key: &SecretKey) {
        self.signatures.push((key.public(), key.sign(T::CONTEXT, &self.bytes)));
    }

    /// Counts the signatures, then parses: believed when at least `needed` distinct keys of `trusted` signed.
    ///
    /// # Errors
    /// See [`SignError`].
    pub fn verify(&self, trusted: &BTreeSet<PublicKey>, needed: usize) -> Result<Verified<T>, SignError> {
        let valid = count_signatures(T::CONTEXT, &self.bytes, &self.signatures, trusted)?;
        if valid < needed.max(1) {
            return Err(SignError::NotEnough { valid, needed: needed.max(1) });
        }
        Ok(Verified(codec::decode(&self.bytes)?))
    }

    /// Parses without believing: for looking up which keys to verify with.
    ///
    /// # Errors
    /// When the bytes are not such a value.
    pub fn unverified(&self) -> Result<T, CodecError> {
        codec::decode(&self.bytes)
    }

    /// The hash that names this value.
    #[must_use]
    pub fn hash(&self) -> crate::id::Hash {
        crate::id::hash("doorward 1 signed value", &[T::CONTEXT.name(), &[0], &self.bytes])
    }
}

/// Counts the distinct trusted keys with a valid signature over these bytes; each key counts once.
///
/// # Errors
/// [`SignError::TooManySignatures`] over the bound.
pub fn count_signatures(
    context: Context,
    bytes: &[u8],
    signatures: &[(PublicKey, Signature)],
    trusted: &BTreeSet<PublicKey>,
) -> Result<usize, SignError> {
    if signatures.len() > SIGNATURES_MAX {
        return Err(SignError::TooManySignatures(signatures.len()));
    }
    let message = context.message(bytes);
    let valid: BTreeSet<PublicKey> = signatures
        .iter()
        .filter(|(key, signature)| trusted.contains(key) && verifies(key, &message, *signature))
        .map(|(key, _)| *key)
        .collect();
    Ok(valid.len())
}

fn verifies(key: &PublicKey, message: &[u8], signature: Signature) -> bool {
    VerifyingKey::from_bytes(&key.0).is_ok_and(|key| key.verify_strict(message, &signature.to_dalek()).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commit::Pulse;
    use crate::testing::{key, pulse};

    #[test]
    fn one_key_counts_once_and_an_unknown_key_not_at_all() {
        let (a, b, stranger) = (key(1), key(2), key(3));
        let mut signed = a.sign_value(&pulse(7)).unwrap();
        signed.add_signature(&a);
        signed.add_signature(&stranger);
        let trusted = BTreeSet::from([a.public(), b.public()]);
        assert_eq!(signed.verify(&trusted, 2), Err(SignError::NotEnough { valid: 1, needed: 2 }));
        signed.add_signature(&b);
        assert_eq!(signed.verify(&trusted, 2).map(Verified::into_inner), Ok(pulse(7)));
    }

    #[test]
    fn a_signature_of_another_kind_does_not_count() {
        let a = key(1);
        let mut signed: Signed<Pulse> = a.sign_value(&pulse(7)).unwrap();
        signed.signatures = vec![(a.public(), a.sign(Context::Commit, &signed.bytes))];
        assert!(signed.verify(&[a.public()].into(), 1).is_err());
    }

    #[test]
    fn no_threshold_is_below_one() {
        let signed: Signed<Pulse> = key(1).sign_value(&pulse(7)).unwrap();
        assert_eq!(signed.verify(&BTreeSet::new(), 0), Err(SignError::NotEnough { valid: 0, needed: 1 }));
    }
}

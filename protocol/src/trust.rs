//! Trust: the campus root and the numbered statements that name the keys which may sign (PROTOCOL 3).
//!
//! A root of k of n offline keys signs statement N; the root keys of statement N-1 must have signed it, too.

use crate::armor::{self, ArmorError};
use crate::codec;
use crate::id::{CampusId, Hash, hash};
use crate::limits::SIGNATURES_MAX;
use crate::sign::{Context, PublicKey, SignError, Signable, Signed, Verified};
use crate::time::UnixMs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use thiserror::Error;

const ROOT_PREFIX: &str = "doorwardroot1_";

/// The offline keys of a campus and how many of them must agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// Which campus.
    pub campus: CampusId,
    /// Keys; at most [`SIGNATURES_MAX`].
    pub keys: BTreeSet<PublicKey>,
    /// How many distinct keys must sign.
    pub threshold: u8,
}

impl Root {
    /// The hash by which a join token pins this root.
    #[must_use]
    pub fn hash(&self) -> Hash {
        // A root that does not encode has no keys that could sign; its hash must still be one of a kind.
        hash("doorward 1 root", &[&codec::encode(self).unwrap_or_default()])
    }

    /// The text of a root file, `root.pub`; `None` for a root beyond its bounds.
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        armor::to_text(ROOT_PREFIX, self)
    }

    /// Reads the text of a root file.
    ///
    /// # Errors
    /// See [`ArmorError`].
    pub fn parse(text: &str) -> Result<Self, ArmorError> {
        let root: Self = armor::parse(ROOT_PREFIX, text)?;
        if root.is_well_formed() { Ok(root) } else { Err(ArmorError::Damaged) }
    }

    fn is_well_formed(&self) -> bool {
        let threshold = usize::from(self.threshold);
        threshold >= 1 && threshold <= self.keys.len() && self.keys.len() <= SIGNATURES_MAX
    }
}

/// One numbered statement of whom to trust.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// 1, 2, 3, ... without gaps.
    pub version: u32,
    /// The epoch of commits from here on; never falls.
    pub epoch: u32,
    /// The root from here on.
    pub root: Root,
    /// Keys that may sign commits, pulses, removals and evidence.
    pub signing_keys: BTreeSet<PublicKey>,
    /// Hash of the DER certificate of the campus's certificate authority.
    pub certificate_authority: Hash,
    /// When it was made.
    pub at: UnixMs,
}

impl Signable for Statement {
    const CONTEXT: Context = Context::Statement;
}

/// Why a statement is not believed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TrustError {
    /// Signatures do not suffice.
    #[error("trust statement {version}: {error}")]
    Signature {
        /// Which statement.
        version: u32,
        /// Why.
        error: SignError,
    },
    /// It is not the next one.
    #[error("trust statement {found} follows statement {held}; statements are numbered without gaps")]
    Version {
        /// The one that is held.
        held: u32,
        /// The one that came.
        found: u32,
    },
    /// The first statement's root is not the pinned one, or a later one names another campus.
    #[error("the trust statement belongs to another campus root")]
    OtherRoot,
    /// Its epoch falls, or its root is not one.
    #[error("the trust statement contradicts itself or the one before")]
    Malformed,
}

/// The newest believed statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    statement: Statement,
}

impl Trust {
    /// Believes statement 1 because its root is the pinned one.
    ///
    /// # Errors
    /// See [`TrustError`].
    pub fn begin(pinned: Hash, first: &Signed<Statement>) -> Result<Self, TrustError> {
        let statement = first.unverified().map_err(|e| TrustError::Signature { version: 1, error: e.into() })?;
        if statement.root.hash() != pinned {
            return Err(TrustError::OtherRoot);
        }
        if statement.version != 1 {
            return Err(TrustError::Version { held: 0, found: statement.version });
        }
        verify_by(first, &statement.root, 1)?;
        Self::checked(statement, 0)
    }

    /// Believes a chain of statements, the first of which is statement 1.
    ///
    /// # Errors
    /// See [`TrustError`].
    pub fn from_chain(pinned: Hash, chain: &[Signed<Statement>]) -> Result<Self, TrustError> {
        let Some((first, rest)) = chain.split_first() else {
            return Err(TrustError::Version { held: 0, found: 0 });
        };
        rest.iter().try_fold(Self::begin(pinned, first)?, |trust, next| trust.next(next))
    }

    /// Believes a chain of statements and keeps what each of them said, oldest first; empty for an empty chain.
    ///
    /// # Errors
    /// See [`TrustError`].
    pub fn each_of_chain(pinned: Hash, chain: &[Signed<Statement>]) -> Result<Vec<Self>, TrustError> {
        let mut trusts: Vec<Self> = Vec::with_capacity(chain.len());
        for signed in chain {
            let trust = match trusts.last() {
                Some(before) => before.next(signed)?,
                None => Self::begin(pinned, signed)?,
            };
            trusts.push(trust);
        }
        Ok(trusts)
    }

    /// Believes the next statement: signed by this one's root and by its own.
    ///
    /// # Errors
    /// See [`TrustError`].
    pub fn next(&self, next: &Signed<Statement>) -> Result<Self, TrustError> {
        let version = self.statement.version.saturating_add(1);
        let statement = verify_by(next, &self.statement.root, version)?.into_inner();
        if statement.version != version {
            return Err(TrustError::Version { held: self.statement.version, found: statement.version });
        }
        if statement.root.campus != self.statement.root.campus {
            return Err(TrustError::OtherRoot);
        }
        verify_by(next, &statement.root, version)?;
        Self::checked(statement, self.statement.epoch)
    }

    fn checked(statement: Statement, epoch_min: u32) -> Result<Self, TrustError> {
        let keys = statement.signing_keys.len();
        let sound = statement.root.is_well_formed() && (1..=SIGNATURES_MAX).contains(&keys);
        if sound && statement.epoch >= epoch_min { Ok(Self { statement }) } else { Err(TrustError::Malformed) }
    }

    /// The statement.
    #[must_use]
    pub const fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The campus.
    #[must_use]
    pub const fn campus(&self) -> &CampusId {
        &self.statement.root.campus
    }

    /// Verifies something that the online signing key signs.
    ///
    /// # Errors
    /// See [`SignError`].
    pub fn verify<T: Signable>(&self, signed: &Signed<T>) -> Result<Verified<T>, SignError> {
        signed.verify(&self.statement.signing_keys, 1)
    }
}

fn verify_by(signed: &Signed<Statement>, root: &Root, version: u32) -> Result<Verified<Statement>, TrustError> {
    signed.verify(&root.keys, usize::from(root.threshold)).map_err(|error| TrustError::Signature { version, error })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{key, statement};

    #[test]
    fn a_chain_is_believed_step_by_step() {
        let first = statement(1, &[1], &[9]);
        let second = statement(2, &[2], &[8]);
        let pinned = first.root.hash();
        let first = key(1).sign_value(&first).unwrap();
        let mut second = key(2).sign_value(&second).unwrap();
        let trust = Trust::begin(pinned, &first).unwrap();
        assert!(matches!(trust.next(&second), Err(TrustError::Signature { version: 2, .. })));
        second.add_signature(&key(1));
        let trust = trust.next(&second).unwrap();
        assert_eq!(trust.statement().version, 2);
        assert!(trust.next(&second).is_err());
        assert_eq!(Trust::begin(Hash([0; 32]), &first), Err(TrustError::OtherRoot));
    }

    #[test]
    fn a_statement_cannot_be_skipped() {
        let first = statement(1, &[1], &[9]);
        let third = key(1).sign_value(&statement(3, &[1], &[9])).unwrap();
        let trust = Trust::begin(first.root.hash(), &key(1).sign_value(&first).unwrap()).unwrap();
        assert_eq!(trust.next(&third), Err(TrustError::Version { held: 1, found: 3 }));
    }

    #[test]
    fn a_threshold_of_two_needs_two_keys() {
        let mut first = statement(1, &[1, 2, 3], &[9]);
        first.root.threshold = 2;
        let mut signed = key(1).sign_value(&first).unwrap();
        signed.add_signature(&key(1));
        assert!(Trust::begin(first.root.hash(), &signed).is_err());
        signed.add_signature(&key(3));
        assert!(Trust::begin(first.root.hash(), &signed).is_ok());
    }
}

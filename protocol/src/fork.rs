//! The proof of two histories (PROTOCOL 10.2): two words of one campus, each signed, that cannot both be true.
//!
//! It accuses keys and nobody else: which history is the campus's own, and who held a key, no signature can say.

use crate::codec::{self, CodecError};
use crate::commit::{Commit, Position, Pulse};
use crate::evidence::{Chain, EvidenceError};
use crate::id::{CampusId, Hash};
use crate::sign::{PublicKey, Signable, Signed};
use crate::time::UnixMs;
use crate::trust::{Root, Statement, Trust};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// First bytes of such a file.
pub const FILE_MAGIC: &[u8] = b"doorward fork 1\n";

/// What a file holds. Every byte of it is signed or a signature that counts, so it needs none of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fork {
    /// All trust statements from 1.
    pub statements: Vec<Signed<Statement>>,
    /// A commit.
    pub first: Signed<Commit>,
    /// What cannot be true beside it.
    pub second: Word,
}

/// What the authority's key signs about its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Word {
    /// A commit: another one of the same position, or the next one with another one before it.
    Commit(Signed<Commit>),
    /// A pulse that names another commit of the same position.
    Pulse(Signed<Pulse>),
}

/// What a file shows: of one position, two commits are signed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which campus.
    pub campus: CampusId,
    /// Where the histories part at the latest.
    pub position: Position,
    /// For one of the commits.
    pub first: Claim,
    /// For the other one.
    pub second: Claim,
}

/// Who signed for a commit, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Hash of the commit.
    pub commit: Hash,
    /// Keys whose signatures are in the file.
    pub keys: BTreeSet<PublicKey>,
    /// The time that was signed.
    pub at: UnixMs,
    /// How it was signed for.
    pub form: Form,
}

/// How a commit is signed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// It is here itself.
    Itself,
    /// The commit of the next position, with this hash, names it as the one before.
    Successor(Hash),
    /// A pulse names it as the newest.
    Pulse,
}

impl Fork {
    /// Puts a proof together; `None` when the two words do not contradict each other under these statements, the first
    /// of which has the pinned root.
    #[must_use]
    pub fn prove(
        pinned: Hash,
        statements: &[Signed<Statement>],
        first: &Signed<Commit>,
        second: &Word,
    ) -> Option<Self> {
        let chain = Chain(Trust::each_of_chain(pinned, statements).ok()?);
        let fork = Self { statements: statements.to_vec(), first: first.clone(), second: second.clone() }.lean(&chain);
        fork.finding(&chain).ok().map(|_| fork)
    }

    /// Writes a file: the magic, then the proof.
    ///
    /// # Errors
    /// When it is larger than a frame may be.
    pub fn to_file(&self) -> Result<Vec<u8>, CodecError> {
        Ok([FILE_MAGIC, &codec::encode(self)?].concat())
    }

    /// The proof without signatures that count for nothing: those would be bytes that anybody can change.
    fn lean(&self, chain: &Chain) -> Self {
        let mut before = BTreeSet::new();
        let of_root = |(signed, trust): (&Signed<Statement>, &Trust)| {
            let own = &trust.statement().root.keys;
            let trusted = own.union(&before).copied().collect();
            before.clone_from(own);
            lean(signed, &trusted)
        };
        let statements = self.statements.iter().zip(&chain.0).map(of_root).collect();
        let signers = chain.0.iter().flat_map(|trust| &trust.statement().signing_keys).copied().collect();
        let second = match &self.second {
            Word::Commit(commit) => Word::Commit(lean(commit, &signers)),
            Word::Pulse(pulse) => Word::Pulse(lean(pulse, &signers)),
        };
        Self { statements, first: lean(&self.first, &signers), second }
    }

    fn finding(&self, chain: &Chain) -> Result<Finding, EvidenceError> {
        let (first, trust) = chain.believe("first commit", &self.first, |commit| commit.position)?;
        let (campus, position) = (&first.campus, first.position);
        let commit = self.first.hash();
        let keys = keys_of(&self.first);
        let (other_campus, second) = match &self.second {
            Word::Commit(signed) => {
                let (other, _) = chain.believe("second commit", signed, |commit| commit.position)?;
                let (commit, form) = if other.position == position {
                    (signed.hash(), Form::Itself)
                } else if follows(other.position, position) {
                    (other.previous, Form::Successor(signed.hash()))
                } else {
                    return Err(EvidenceError::Inconsistent("the commits are not of neighbouring positions".into()));
                };
                (other.campus, Claim { commit, keys: keys_of(signed), at: other.at, form })
            }
            Word::Pulse(signed) => {
                let (pulse, _) = chain.believe("pulse", signed, |pulse| pulse.position)?;
                if pulse.position != position {
                    return Err(EvidenceError::Inconsistent("the pulse is about another position".into()));
                }
                let claim = Claim { commit: pulse.commit, keys: keys_of(signed), at: pulse.at, form: Form::Pulse };
                (pulse.campus, claim)
            }
        };
        if campus != trust.campus() || other_campus != *campus {
            return Err(EvidenceError::Inconsistent("they name different campuses".into()));
        }
        if second.commit == commit {
            return Err(EvidenceError::Inconsistent("both are of one history".into()));
        }
        let first_claim = Claim { commit, keys, at: first.at, form: Form::Itself };
        Ok(Finding { campus: campus.clone(), position, first: first_claim, second })
    }
}

/// Checks a file under a campus root.
///
/// # Errors
/// See [`EvidenceError`]; a file with any byte changed is one of them.
pub fn verify(file: &[u8], root: &Root) -> Result<Finding, EvidenceError> {
    let not_evidence = |why: &str| EvidenceError::NotEvidence(why.into());
    let body = file.strip_prefix(FILE_MAGIC).ok_or_else(|| not_evidence("it does not begin as one"))?;
    let fork: Fork = codec::decode(body).map_err(|error| EvidenceError::NotEvidence(error.to_string()))?;
    let chain = Chain(Trust::each_of_chain(root.hash(), &fork.statements)?);
    let finding = fork.finding(&chain)?;
    if fork.lean(&chain) == fork { Ok(finding) } else { Err(not_evidence("it carries signatures that do not count")) }
}

/// Whether a position is the next one of the same epoch.
pub fn follows(position: Position, before: Position) -> bool {
    position.epoch == before.epoch && before.seq.checked_add(1) == Some(position.seq)
}

fn lean<T: Signable>(signed: &Signed<T>, trusted: &BTreeSet<PublicKey>) -> Signed<T> {
    let mut seen = BTreeSet::new();
    let mut lean = signed.clone();
    lean.signatures.retain(|signature| {
        let mut alone = signed.clone();
        alone.signatures = vec![*signature];
        alone.verify(trusted, 1).is_ok() && seen.insert(signature.0)
    });
    lean
}

fn keys_of<T>(signed: &Signed<T>) -> BTreeSet<PublicKey> {
    signed.signatures.iter().map(|(key, _)| *key).collect()
}

impl Finding {
    /// What is proven and what is not, for people; instants through `show`.
    #[must_use]
    pub fn sentences(&self, show: impl Fn(UnixMs) -> String) -> Vec<String> {
        let of_claim = |claim: &Claim| {
            let keys: Vec<String> = claim.keys.iter().map(ToString::to_string).collect();
            let how = match claim.form {
                Form::Itself => "signed at".to_owned(),
                Form::Successor(next) => format!("named as the one before commit {next}, which was signed at"),
                Form::Pulse => "named by a pulse, which was signed at".to_owned(),
            };
            format!("Proven: commit {} is {how} {} by key {}.", claim.commit, show(claim.at), keys.join(" and "))
        };
        vec![
            format!("Campus {} has two histories: entry {} is not the same in both.", self.campus, self.position),
            of_claim(&self.first),
            of_claim(&self.second),
            "Not proven: which of them is the campus's own, and who used these keys.".into(),
        ]
    }
}

//! The certificate of a revocation (PROTOCOL 10): what anyone can check offline with the campus root alone.
//!
//! It proves what the authority ordered and what agents signed. Which doors knew the card, and how long each door's
//! lease is, stands in it as the authority's signed word, not as proof; [`Finding::sentences`] keeps the two apart.

use crate::agent::stored::prove_head;
use crate::codec::{self, CodecError};
use crate::commit::{Commit, Head, Leaf, Position};
use crate::id::{AgentId, CampusId, DoorId};
use crate::merkle::Path;
use crate::receipt::{About, Receipt, Stage};
use crate::removal::{Item, Removal};
use crate::sign::{Context, SignError, Signable, Signed};
use crate::time::UnixMs;
use crate::trust::{Root, Statement, Trust, TrustError};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// First bytes of an evidence file.
pub const FILE_MAGIC: &[u8] = b"doorward evidence 1\n";

/// What an evidence file holds, signed by the authority as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// All trust statements from 1: inside of what is signed, so that the signature covers every byte of the file.
    pub statements: Vec<Signed<Statement>>,
    /// Which campus.
    pub campus: CampusId,
    /// What was revoked, in the authority's words: a card id, or a door's, building's or campus's lockdown.
    pub subject: String,
    /// Why, as it was given with the command.
    pub why: String,
    /// The signed order.
    pub removal: Signed<Removal>,
    /// The commit that contains it.
    pub commit: Signed<Commit>,
    /// Each agent that knew the subject.
    pub agents: Vec<AgentEvidence>,
    /// When this was put together.
    pub at: UnixMs,
}

/// What is known of one agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentEvidence {
    /// The agent's leaf in the commit, which names its key; `None` when it was not enrolled.
    pub leaf: Option<(Leaf, Path)>,
    /// Which agent.
    pub agent: AgentId,
    /// Its doors that knew the subject, each with the length of its lease in milliseconds.
    pub doors: Vec<(DoorId, Option<u64>)>,
    /// The agent's word that the order is durably in force: of the removal, or of a commit that contains it.
    pub receipt: Option<Signed<Receipt>>,
    /// The later commit that the receipt is about, when it is about neither the removal nor the commit above.
    pub later: Option<Signed<Commit>>,
}

impl Signable for Evidence {
    const CONTEXT: Context = Context::Evidence;
}

/// Why a file proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EvidenceError {
    /// Not such a file, or damaged.
    #[error("this is not an evidence file of Doorward, or it is damaged ({0})")]
    NotEvidence(String),
    /// The trust statements do not prove themselves under this root.
    #[error("the file was not made under this campus root: {0}")]
    Trust(#[from] TrustError),
    /// A signature does not fit.
    #[error("the {0} in the file is not signed by the campus: {1}")]
    Signature(&'static str, SignError),
    /// The parts do not belong together.
    #[error("the parts of the file do not belong together: {0}")]
    Inconsistent(String),
}

/// What a file shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which campus.
    pub campus: CampusId,
    /// What was revoked.
    pub subject: String,
    /// Why.
    pub why: String,
    /// The order.
    pub removal: Removal,
    /// When the file was put together.
    pub at: UnixMs,
    /// Door by door.
    pub doors: Vec<DoorFinding>,
}

/// What a file shows of one door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoorFinding {
    /// Its agent.
    pub agent: AgentId,
    /// The door.
    pub door: DoorId,
    /// What is shown.
    pub state: DoorState,
}

/// How a door stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DoorState {
    /// The agent signed that the order is durably in force, at this time by its clock.
    Closed(UnixMs),
    /// No signature; the door stops deciding at the latest when its lease ends.
    UntilLease(UnixMs),
    /// No signature and no lease.
    Open,
}

/// Writes a file: the magic, then the signed evidence.
///
/// # Errors
/// When it is larger than a frame may be.
pub fn to_file(evidence: &Signed<Evidence>) -> Result<Vec<u8>, CodecError> {
    Ok([FILE_MAGIC, &codec::encode(evidence)?].concat())
}

/// Checks a file under a campus root.
///
/// # Errors
/// See [`EvidenceError`]; a file with any byte changed is one of them.
pub fn verify(file: &[u8], root: &Root) -> Result<Finding, EvidenceError> {
    let not_evidence = |why: &str| EvidenceError::NotEvidence(why.into());
    let body = file.strip_prefix(FILE_MAGIC).ok_or_else(|| not_evidence("it does not begin as one"))?;
    let signed: Signed<Evidence> =
        codec::decode(body).map_err(|error| EvidenceError::NotEvidence(error.to_string()))?;
    // Signatures beyond the first would be bytes that nobody signed for.
    if signed.signatures.len() != 1 {
        return Err(not_evidence("it carries another number of signatures than one"));
    }
    let claimed = signed.unverified().map_err(|error| EvidenceError::NotEvidence(error.to_string()))?;
    let chain = Chain(Trust::each_of_chain(root.hash(), &claimed.statements)?);
    let newest = chain.0.last().ok_or(TrustError::Version { held: 0, found: 0 })?;
    let evidence = newest.verify(&signed).map_err(|error| EvidenceError::Signature("evidence", error))?.into_inner();
    let (removal, _) = chain.believe("removal", &evidence.removal, |removal| removal.position)?;
    let (commit, trust) = chain.believe("commit", &evidence.commit, |commit| commit.position)?;
    if removal.campus != *trust.campus() || commit.campus != removal.campus || evidence.campus != removal.campus {
        return Err(EvidenceError::Inconsistent("they name different campuses".into()));
    }
    if commit.position != removal.position {
        return Err(EvidenceError::Inconsistent("the commit is not the one that contains the removal".into()));
    }
    let mut doors = Vec::new();
    for agent in &evidence.agents {
        let closed = closed_at(&chain, trust, &evidence, agent, commit.position)?;
        doors.extend(agent.doors.iter().map(|(door, lease_ms)| DoorFinding {
            agent: agent.agent.clone(),
            door: door.clone(),
            state: door_state(closed, *lease_ms, commit.at),
        }));
    }
    let Evidence { campus, subject, why, at, .. } = evidence;
    Ok(Finding { campus, subject, why, removal, at, doors })
}

/// What each trust statement of a file said, oldest first.
pub(crate) struct Chain(pub(crate) Vec<Trust>);

impl Chain {
    /// Believes what was signed in its own time: keys and epochs change, and what was ordered before stays ordered. Says
    /// also under which statement.
    pub(crate) fn believe<T: Signable>(
        &self,
        what: &'static str,
        signed: &Signed<T>,
        position: impl Fn(&T) -> Position,
    ) -> Result<(T, &Trust), EvidenceError> {
        let mut why = SignError::NotEnough { valid: 0, needed: 1 };
        for trust in self.0.iter().rev() {
            match trust.verify(signed) {
                Ok(value) if position(&value).epoch == trust.statement().epoch => {
                    return Ok((value.into_inner(), trust));
                }
                Ok(_) => {}
                Err(error) => why = error,
            }
        }
        Err(EvidenceError::Signature(what, why))
    }
}

fn door_state(closed: Option<UnixMs>, lease_ms: Option<u64>, commit_at: UnixMs) -> DoorState {
    match (closed, lease_ms) {
        (Some(at), _) => DoorState::Closed(at),
        (None, Some(ms)) => DoorState::UntilLease(commit_at.plus_ms(i64::try_from(ms).unwrap_or(i64::MAX))),
        (None, None) => DoorState::Open,
    }
}

/// When the agent signed that the order is durably in force; `None` when it has not.
fn closed_at(
    chain: &Chain,
    trust: &Trust,
    evidence: &Evidence,
    agent: &AgentEvidence,
    position: Position,
) -> Result<Option<UnixMs>, EvidenceError> {
    let inconsistent = |why: String| EvidenceError::Inconsistent(format!("agent {}: {why}", agent.agent));
    let Some(signed) = &agent.receipt else {
        return if agent.later.is_none() { Ok(None) } else { Err(inconsistent("a commit without a receipt".into())) };
    };
    let Some((leaf, path)) = &agent.leaf else {
        return Err(inconsistent("a receipt without the key that made it".into()));
    };
    let head = Head { commit: evidence.commit.clone(), leaf: leaf.clone(), path: path.clone() };
    prove_head(trust, &head, &agent.agent, leaf.key).map_err(inconsistent)?;
    if signed.signatures.len() != 1 {
        return Err(inconsistent("the receipt carries more than one signature".into()));
    }
    let receipt = signed.verify(&[leaf.key].into(), 1).map_err(|error| EvidenceError::Signature("receipt", error))?;
    let about = match (&agent.later, receipt.about) {
        (Some(later), About::Commit) => {
            let (later_commit, _) = chain.believe("later commit", later, |commit| commit.position)?;
            if later_commit.campus != evidence.campus || later_commit.position < position {
                return Err(inconsistent("the receipt is about an older commit, or another campus's".into()));
            }
            later.hash()
        }
        (None, About::Commit) => evidence.commit.hash(),
        (None, About::Removal) => evidence.removal.hash(),
        (Some(_), About::Removal) => return Err(inconsistent("a commit that nothing refers to".into())),
    };
    let fits = receipt.agent == agent.agent
        && receipt.campus == evidence.campus
        && receipt.hash == about
        && receipt.stage == Stage::Durable;
    if fits { Ok(Some(receipt.at)) } else { Err(inconsistent("the receipt is about something else".into())) }
}

impl Finding {
    /// What is proven and what is not, for people; instants through `show`.
    #[must_use]
    pub fn sentences(&self, show: impl Fn(UnixMs) -> String) -> Vec<String> {
        let mut lines = vec![
            format!("Campus {} ordered at {}: {}.", self.campus, show(self.removal.at), self.order()),
            format!("Proven: the order is entry {} of the campus's signed history.", self.removal.position),
        ];
        for door in &self.doors {
            let DoorFinding { agent, door, state } = door;
            lines.push(match state {
                DoorState::Closed(at) => format!(
                    "Proven: agent {agent} signed that the order is in force and durable at door {door}, at {} by its clock.",
                    show(*at)
                ),
                DoorState::UntilLease(at) => format!(
                    "Not proven: door {door} (agent {agent}) has not confirmed; it stops deciding when its lease ends, at the latest at {}.",
                    show(*at)
                ),
                DoorState::Open => format!(
                    "Not proven: door {door} (agent {agent}) has not confirmed, and it has no lease: nothing says when it obeys."
                ),
            });
        }
        let closed = self.doors.iter().filter(|door| matches!(door.state, DoorState::Closed(_))).count();
        lines.push(format!(
            "Closed at {closed} of {} doors when this was written, at {}.",
            self.doors.len(),
            show(self.at)
        ));
        lines.push(format!(
            "Not proven, but signed by the campus: that these are all the doors that knew {}, that its key is the one in the order, and the length of leases.",
            self.subject
        ));
        lines.push("Not proven: that the agents' clocks and programs were sound when they signed.".into());
        lines
    }

    fn order(&self) -> String {
        let what = match self.removal.items.first() {
            Some(Item::Suspend(_)) => "suspend",
            Some(Item::Close(_)) => "close",
            Some(Item::LockDown(_)) => "lock down",
            None => "nothing about",
        };
        format!("{what} {} ({})", self.subject, self.why)
    }
}

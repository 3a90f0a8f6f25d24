//! Puts together the certificate of a revocation from what is kept of it.
//!
//! Only what verifies goes in: a receipt that does not fit the agent's key in that commit proves nothing and is left out.

use crate::access::StoreError;
use crate::authority::Authority;
use crate::clock;
use crate::closing::{Closing, ClosingAgent};
use crate::journal::{self, Journal, JournalError};
use doorward_protocol::codec::CodecError;
use doorward_protocol::commit::Commit;
use doorward_protocol::evidence::{AgentEvidence, Evidence, to_file};
use doorward_protocol::id::AgentId;
use doorward_protocol::receipt::{About, Receipt};
use doorward_protocol::sign::Signed;
use thiserror::Error;

/// Why there is no evidence.
#[derive(Debug, Error)]
pub enum EvidenceError {
    /// Nothing is known of such a change.
    #[error("entry {0} is no change whose progress is known")]
    Unknown(u64),
    /// It took nothing away.
    #[error("entry {0} took nothing away; there is evidence of a suspension, a closing and a lockdown")]
    NotARevocation(u64),
    /// The commit is not stored.
    #[error("the commit of entry {0} is not stored; start the server again, which computes it anew")]
    NoCommit(u64),
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is too large.
    #[error("the evidence does not fit one file ({0}); ask for it per building")]
    TooLarge(#[from] CodecError),
}

/// The evidence file of a change.
///
/// # Errors
/// See [`EvidenceError`].
pub fn evidence_file(authority: &Authority, seq: u64) -> Result<Vec<u8>, EvidenceError> {
    let closing = authority.closings.closing(seq)?.ok_or(EvidenceError::Unknown(seq))?;
    let Some(removal) = closing.removals.first().cloned() else { return Err(EvidenceError::NotARevocation(seq)) };
    let journal = journal::open(&authority.layout.journal())?;
    let commit = journal.commit(closing.position)?.ok_or(EvidenceError::NoCommit(seq))?;
    let mut agents = Vec::new();
    for (id, agent) in &closing.agents {
        agents.push(of_agent(&*journal, &closing, &commit, id, agent)?);
    }
    let evidence = Evidence {
        statements: authority.signer.statements().to_vec(),
        campus: authority.signer.campus().clone(),
        subject: closing.subject,
        why: closing.why,
        removal,
        commit,
        agents,
        at: clock::wall(),
    };
    Ok(to_file(&authority.signer.sign(&evidence)?)?)
}

fn of_agent(
    journal: &dyn Journal,
    closing: &Closing,
    commit: &Signed<Commit>,
    id: &AgentId,
    agent: &ClosingAgent,
) -> Result<AgentEvidence, JournalError> {
    let mut evidence = AgentEvidence {
        leaf: agent.leaf.clone(),
        agent: id.clone(),
        doors: agent.doors.clone(),
        receipt: None,
        later: None,
    };
    let Some((_, signed)) = &agent.receipt else { return Ok(evidence) };
    let Some(receipt) = verified(agent, signed) else { return Ok(evidence) };
    let later = match receipt.about {
        About::Removal => None,
        About::Commit if receipt.position == closing.position => None,
        About::Commit => journal.commit(receipt.position)?,
    };
    let hash = match (receipt.about, &later) {
        (About::Removal, _) => closing.removals.first().map(Signed::hash),
        (About::Commit, Some(later)) => Some(later.hash()),
        (About::Commit, None) => Some(commit.hash()),
    };
    if hash == Some(receipt.hash) {
        evidence.receipt = Some(signed.clone());
        evidence.later = later;
    }
    Ok(evidence)
}

fn verified(agent: &ClosingAgent, signed: &Signed<Receipt>) -> Option<Receipt> {
    let (leaf, _) = agent.leaf.as_ref()?;
    Some(signed.verify(&[leaf.key].into(), 1).ok()?.into_inner())
}

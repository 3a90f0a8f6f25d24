//! What an agent keeps on disk, and what is believed of it when it is read again.
//!
//! Nothing that a store returns is believed unproven: statements by the pinned root, the head by its signature and
//! path, the facts by the digest in the leaf, removals by their signatures.

use crate::commit::{Head, Position};
use crate::facts::{Fact, FactKey};
use crate::id::{AgentId, Hash};
use crate::overlay::Overlay;
use crate::removal::Removal;
use crate::sign::{PublicKey, Signed};
use crate::state::State;
use crate::time::UnixMs;
use crate::trust::{Statement, Trust, TrustError};
use serde::{Deserialize, Serialize};

/// One change to what is stored. A list of them is kept all or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Append a trust statement.
    Statement(u32, Signed<Statement>),
    /// Replace the head.
    Head(StoredHead),
    /// Put a fact under its key.
    PutFact(Fact),
    /// Remove a fact.
    RemoveFact(FactKey),
    /// Replace every fact by those of this state.
    ReplaceFacts(Box<State>),
    /// Keep a removal under its position and part.
    PutRemoval(Position, u32, Signed<Removal>),
    /// Drop the removals up to and including this position.
    DropRemovals(Position),
    /// Replace the floor.
    Floor(Floor),
}

/// What never falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor {
    /// Newest position that was in force.
    pub position: Position,
    /// Newest verified time that was seen.
    pub at: UnixMs,
    /// From when leases count.
    pub fresh_at: UnixMs,
}

impl Default for Floor {
    fn default() -> Self {
        Self { position: Position::default(), at: UnixMs(i64::MIN), fresh_at: UnixMs(i64::MIN) }
    }
}

/// The head as it is stored: with the statement under which it was believed, since keys change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredHead {
    /// Version of that statement.
    pub statement: u32,
    /// The head.
    pub head: Head,
}

/// Everything that a store returned.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    /// All statements from 1.
    pub statements: Vec<Signed<Statement>>,
    /// The head.
    pub head: Option<StoredHead>,
    /// The facts.
    pub facts: Vec<Fact>,
    /// Removals that the head does not contain.
    pub removals: Vec<Signed<Removal>>,
    /// The floor.
    pub floor: Floor,
    /// What could not be read at all, in a sentence.
    pub damage: Option<String>,
}

/// What was believed of a [`Stored`].
#[derive(Debug)]
pub struct Opened {
    /// The newest trust statement.
    pub trust: Trust,
    /// The state with its head, when both proved themselves.
    pub state: Option<(Head, State)>,
    /// Removals in force.
    pub overlay: Overlay,
    /// What did not prove itself, in sentences.
    pub damage: Vec<String>,
}

impl Stored {
    /// Believes what proves itself.
    ///
    /// # Errors
    /// When not even the statements prove themselves: then the agent has to join anew.
    pub fn open(self, agent: &AgentId, key: PublicKey, pinned: Hash) -> Result<Opened, TrustError> {
        let trusts = Trust::each_of_chain(pinned, &self.statements)?;
        let Some(trust) = trusts.last().cloned() else {
            return Err(TrustError::Version { held: 0, found: 0 });
        };
        let mut damage: Vec<String> = self.damage.into_iter().collect();
        let mut state = match self.head {
            None => {
                if self.floor.position > Position::default() {
                    damage.push("the state that was in force is missing".into());
                }
                None
            }
            Some(stored) => {
                let at_that_time = trusts.iter().find(|trust| trust.statement().version == stored.statement);
                let proven = at_that_time
                    .ok_or_else(|| "the trust statement of the stored state is missing".to_owned())
                    .and_then(|trust| prove_head(trust, &stored.head, agent, key))
                    .and_then(|position| not_below(position, self.floor.position))
                    .and_then(|()| prove_facts(self.facts, &stored.head));
                match proven {
                    Ok(state) => Some((stored.head, state)),
                    Err(why) => {
                        damage.push(why);
                        None
                    }
                }
            }
        };
        let mut overlay = Overlay::default();
        for signed in &self.removals {
            // Signing keys change while a removal waits for its commit; it was believed under one of these statements.
            match trusts.iter().rev().find_map(|trust| trust.verify(signed).ok()) {
                Some(removal) => overlay = overlay.with(removal.into_inner()),
                None => {
                    // What it took away is not known, so nothing is decided without it.
                    damage.push("a stored removal does not prove itself".into());
                    state = None;
                }
            }
        }
        Ok(Opened { trust, state, overlay, damage })
    }
}

/// Proves a head: commit signature, campus, epoch, agent, key and path (PROTOCOL 4.2).
///
/// # Errors
/// A sentence that says what does not fit.
pub fn prove_head(trust: &Trust, head: &Head, agent: &AgentId, key: PublicKey) -> Result<Position, String> {
    let commit = trust.verify(&head.commit).map_err(|error| error.to_string())?;
    let leaf = head.leaf.hash().map_err(|error| error.to_string())?;
    if commit.campus != *trust.campus() {
        return Err("the commit belongs to another campus".into());
    }
    if commit.position.epoch != trust.statement().epoch {
        return Err("the commit's epoch is not that of the trust statement".into());
    }
    if head.leaf.agent != *agent || head.leaf.key != key {
        return Err("the leaf belongs to another agent".into());
    }
    if head.path.root_of(leaf) != Some(commit.root) {
        return Err("the path does not lead to the commit's root".into());
    }
    Ok(commit.position)
}

/// A state below the floor is an old one, put in the place of what was in force (PROTOCOL 4.4).
fn not_below(position: Position, floor: Position) -> Result<(), String> {
    if position < floor { Err(format!("the stored state is of {position}, but {floor} was in force")) } else { Ok(()) }
}

fn prove_facts(facts: Vec<Fact>, head: &Head) -> Result<State, String> {
    let state = State::from_facts(facts).map_err(|error| error.to_string())?;
    if state.digest() == head.leaf.digest {
        Ok(state)
    } else {
        Err("the stored facts do not have the signed digest".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::CredentialKey;
    use crate::removal::Item;
    use crate::testing::{campus, key, statement};

    fn opened(removal_signer: u8) -> Opened {
        let first = statement(1, &[1], &[8]);
        let pinned = first.root.hash();
        let second = key(1).sign_value(&statement(2, &[1], &[9])).unwrap();
        let position = Position { epoch: 0, seq: 1 };
        let items = vec![Item::Suspend(CredentialKey([1; 16]))];
        let removal = Removal { campus: campus(), position, part: 0, at: UnixMs(1), items };
        let stored = Stored {
            statements: vec![key(1).sign_value(&first).unwrap(), second],
            removals: vec![key(removal_signer).sign_value(&removal).unwrap()],
            ..Stored::default()
        };
        stored.open(&AgentId::new("agent").unwrap(), key(3).public(), pinned).unwrap()
    }

    #[test]
    fn a_removal_stays_in_force_when_the_signing_key_changes_after_it() {
        for signer in [8, 9] {
            let opened = opened(signer);
            assert!(!opened.overlay.is_empty() && opened.damage.is_empty(), "{:?}", opened.damage);
            assert_eq!(opened.trust.statement().version, 2);
        }
    }

    #[test]
    fn a_removal_that_nobody_signed_closes_the_doors() {
        let opened = opened(7);
        assert!(opened.state.is_none());
        assert_eq!(opened.damage, ["a stored removal does not prove itself"]);
    }
}

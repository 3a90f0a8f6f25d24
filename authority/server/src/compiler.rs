//! The compiler thread: takes entries over into the present one by one and makes a signed commit of each.
//!
//! An entry that cannot be compiled stops no door and no later entry: what it touched is tried again with the next one,
//! and meanwhile agents stay at the newest commit that could be made.

use crate::access::{StoreError, Writing};
use crate::authority::{Authority, Warning};
use crate::closing::{Closing, ClosingAgent};
use crate::concern::{self, Confirmed};
use crate::cores;
use crate::hub::End;
use crate::journal::Journal;
use crate::present::{Leaves, Present, Published};
use crate::signer::Signer;
use crate::snapshots::Due;
use doorward_policy::command::{Command, Entry};
use doorward_policy::compile::Changes;
use doorward_policy::touched::Touched;
use doorward_protocol::codec::CodecError;
use doorward_protocol::commit::Position;
use doorward_protocol::id::{AgentId, Hash};
use doorward_protocol::removal::Removal;
use doorward_protocol::session::AlarmKind;
use doorward_protocol::sign::Signed;
use doorward_protocol::time::UnixMs;
use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};

pub struct Compiler {
    pub authority: Arc<Authority>,
    pub journal: Box<dyn Journal>,
    /// What entries have touched that could not be compiled.
    pub left_over: Touched,
    pub confirmed: Confirmed,
    /// Counts towards the next snapshot of the directory.
    pub due: Due,
}

/// An entry on its way from the writer.
pub struct Written {
    pub entry: Entry,
    /// Its removals, as they went out ahead; `None` when nothing went out in this process.
    pub removals: Option<Vec<Signed<Removal>>>,
}

impl Compiler {
    /// Takes entries until the writer is gone.
    pub fn run(mut self, entries: &mpsc::Receiver<Written>) {
        while let Ok(written) = entries.recv() {
            self.take(written);
        }
    }

    /// Takes one entry over and publishes its commit.
    pub fn take(&mut self, written: Written) {
        let seq = written.entry.seq;
        if let Err(why) = self.try_take(written) {
            let text = format!("entry {seq} cannot be compiled, agents stay where they are: {why}");
            self.authority.warn(Warning::NotCompiled, AlarmKind::Refused, &text);
        } else {
            self.authority.clear(Warning::NotCompiled);
        }
    }

    fn try_take(&mut self, Written { entry, removals }: Written) -> Result<(), String> {
        let authority = Arc::clone(&self.authority);
        let mut present = authority.present_mut();
        if let Some(agent) = newly_keyed(&entry.command) {
            self.confirmed.forget(agent);
        }
        let mut doors = concern::before(&authority, &mut self.confirmed, &present, &entry.command);
        let position = Position { epoch: authority.signer.epoch(), seq: entry.seq };
        let removals = removals.unwrap_or_else(|| {
            let removals = concern::removals(&present.directory, &entry, position);
            removals.iter().filter_map(|removal| authority.signer.sign(removal).ok()).collect()
        });
        // After an entry that could not be compiled, any leaf may be another.
        let follows = self.left_over.is_empty() && present.published.position.seq.saturating_add(1) == entry.seq;
        let changes = self.advance(&mut present, &entry)?;
        concern::add_changed(&mut doors, &present, &entry.command, &changes);
        let published = Arc::new(self.sign(&present, &entry, follows.then_some(&changes))?);
        let agents = concern::closing_agents(&present, &published.leaves, doors);
        // Its progress is watched before any agent can have the commit, whose receipt would be missed otherwise, and on the
        // disk before the commit is kept: after a crash in between, the entry is taken again.
        let watched = self.watch(&entry, position, removals, agents);
        authority.show_taken(entry.seq);
        if let Err(error) = watched.and_then(|watched| watched.map_or(Ok(()), Writing::wait)) {
            tracing::warn!(%error, seq = entry.seq, "the progress of a change will not survive a restart");
        }
        self.keep(&published);
        present.published = Arc::clone(&published);
        self.due.note(&entry.command, &present.directory);
        if let Command::Import { .. } = &entry.command {
            authority.set_zone(present.zone());
        }
        drop(present);
        authority.publish(published);
        match &entry.command {
            // Whoever is connected under this name with another key is not this agent any more.
            Command::AgentEnrol { agent, key, .. } => authority.hub.end_unless(agent, Some(*key), End::NotEnrolled),
            // Who came while this was being compiled could not be told from an agent.
            Command::AgentRemove { agent } => authority.hub.end_unless(agent, None, End::StruckOff),
            Command::Found { .. }
            | Command::Import { .. }
            | Command::Tick { .. }
            | Command::AgentAdd { .. }
            | Command::CardSuspend { .. }
            | Command::CardResume { .. }
            | Command::CardActivate { .. }
            | Command::CardClose { .. }
            | Command::Desk(_)
            | Command::Photo(_)
            | Command::Production(_)
            | Command::Application(_)
            | Command::CardFound { .. }
            | Command::LockDown { .. }
            | Command::Release { .. }
            | Command::GrantAdd { .. }
            | Command::GrantEnd { .. }
            | Command::GrantConfirm { .. }
            | Command::Request(_)
            | Command::Office(_)
            | Command::PersonErase { .. }
            | Command::Feed(_) => {}
        }
        authority.hub.head_moved(entry.seq, &changes.changed);
        Ok(())
    }

    /// Takes the entry into directory and states.
    fn advance(&mut self, present: &mut Present, entry: &Entry) -> Result<Changes, String> {
        let touched = present.directory.apply(entry).map_err(|refusal| refusal.to_string())?;
        present.note_touched(entry.seq, touched.clone());
        present.learn_cards_of(&entry.command);
        self.left_over.union(touched);
        let Present { compiled, directory, .. } = present;
        let changes = compiled
            .update_with(directory, &self.left_over, cores::while_serving)
            .map_err(|error| error.to_string())?;
        // Of entries that could not be compiled nothing is noted: they may have changed any state.
        self.left_over = Touched::default();
        present.note_changed(entry.seq, changes.changed.clone());
        Ok(changes)
    }

    /// Signs the commit of the entry. `changes` are all that is different from the newest commit, where that is known.
    fn sign(&self, present: &Present, entry: &Entry, changes: Option<&Changes>) -> Result<Published, String> {
        let Present { directory, compiled, published, .. } = present;
        let leaves = match changes {
            Some(changes) => {
                let named = newly_keyed(&entry.command);
                published.leaves.after(directory, compiled, changes.changed.iter().chain(&changes.gone).chain(named))
            }
            None => Leaves::of(directory, compiled),
        };
        let leaves = leaves.map_err(|error| error.to_string())?;
        let previous = present.published.hash;
        publish(&self.authority.signer, entry.seq, entry.at, previous, leaves).map_err(|error| error.to_string())
    }

    /// Begins to watch how far the change of the entry comes.
    fn watch(
        &self,
        entry: &Entry,
        position: Position,
        removals: Vec<Signed<Removal>>,
        agents: BTreeMap<AgentId, ClosingAgent>,
    ) -> Result<Option<Writing<()>>, StoreError> {
        if agents.is_empty() && removals.is_empty() {
            return Ok(None);
        }
        let (subject, why) = concern::in_words(&entry.command);
        let command = entry.command.name().to_owned();
        let closing = Closing { position, at: entry.at, command, subject, why, removals, agents };
        self.authority.closings.begin(closing).map(Some)
    }

    fn keep(&mut self, published: &Published) {
        if let Err(error) = self.journal.store_commit(published.position, &published.commit) {
            // The same bytes come out of the journal again, so a commit that is not kept is not lost.
            tracing::warn!(%error, seq = published.position.seq, "a commit could not be stored");
        }
    }
}

/// The agent that has another key after a command, or none any more.
const fn newly_keyed(command: &Command) -> Option<&AgentId> {
    if let Command::AgentEnrol { agent, .. } | Command::AgentRemove { agent } = command { Some(agent) } else { None }
}

/// The commit of the entry `seq`, which was accepted at `at`.
pub fn publish(signer: &Signer, seq: u64, at: UnixMs, previous: Hash, leaves: Leaves) -> Result<Published, CodecError> {
    let commit = signer.commit(seq, at, previous, leaves.root())?;
    let position = Position { epoch: signer.epoch(), seq };
    Ok(Published { position, at, hash: commit.hash(), commit, leaves })
}

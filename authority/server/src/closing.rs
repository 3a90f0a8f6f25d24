//! How far each change has come: which agents it concerns, which of them have confirmed it, and with what receipt.
//!
//! It survives a restart. Deliberately no judgement: whether a door counts as closed follows from what is kept here.

use crate::access::{AccessStore, ClosingAgentRow, ClosingRow, RemovalTimes, StoreError, Writing};
use doorward_protocol::codec;
use doorward_protocol::commit::{Leaf, Position};
use doorward_protocol::id::{AgentId, DoorId};
use doorward_protocol::merkle::Path;
use doorward_protocol::receipt::{About, Receipt, Stage};
use doorward_protocol::removal::Removal;
use doorward_protocol::sign::Signed;
use doorward_protocol::time::UnixMs;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Most changes that are kept in memory, those first that some agent has not confirmed; the others are in the store.
const KEPT_MAX: usize = 1024;

/// Most receipts that wait for their change: removals overtake it by the time of one compile.
const EARLY_MAX: usize = 65_536;

/// One change and the agents that it concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The commit that contains it.
    pub position: Position,
    /// When the command was accepted.
    pub at: UnixMs,
    /// Name of the command.
    pub command: String,
    /// What it is about.
    pub subject: String,
    /// Why.
    pub why: String,
    /// The removals that went ahead of the commit.
    pub removals: Vec<Signed<Removal>>,
    /// Agents that it concerns.
    pub agents: BTreeMap<AgentId, ClosingAgent>,
}

/// One agent of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClosingAgent {
    /// Its doors that the change concerns, each with the length of its lease in milliseconds.
    pub doors: Vec<(DoorId, Option<u64>)>,
    /// Its leaf in the commit; `None` when it was not enrolled.
    pub leaf: Option<(Leaf, Path)>,
    /// When its word came that the change is in force.
    pub applied_at: Option<UnixMs>,
    /// When its word came that the change is durable.
    pub durable_at: Option<UnixMs>,
    /// That word, and the position that it is about.
    pub receipt: Option<(Position, Signed<Receipt>)>,
}

impl Closing {
    /// Whether all of its agents have confirmed.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.agents.values().all(|agent| agent.durable_at.is_some())
    }

    /// Whether a receipt confirms this change.
    fn is_confirmed_by(&self, receipt: &Receipt) -> bool {
        match receipt.about {
            About::Commit => receipt.position >= self.position,
            // One of several removals confirms only its own part; the commit then confirms the whole.
            About::Removal => matches!(self.removals.as_slice(), [only] if only.hash() == receipt.hash),
        }
    }

    /// Takes over what agents have confirmed of the same change.
    fn take_over(&mut self, known: &Self) {
        for (id, agent) in &mut self.agents {
            if let Some(ClosingAgent { applied_at, durable_at, receipt, .. }) = known.agents.get(id).cloned() {
                *agent = ClosingAgent { applied_at, durable_at, receipt, ..std::mem::take(agent) };
            }
        }
    }

    fn to_row(&self) -> ClosingRow {
        let agents = self.agents.iter().map(|(id, agent)| agent.to_row(id));
        ClosingRow {
            position: self.position,
            at: self.at,
            command: self.command.clone(),
            subject: self.subject.clone(),
            why: self.why.clone(),
            removals: codec::encode(&self.removals).unwrap_or_default(),
            agents: agents.collect(),
        }
    }

    /// What does not decode counts as absent: then the change proves less, never more.
    fn from_row(row: ClosingRow) -> Self {
        let agents = row.agents.into_iter().map(|row| {
            let receipt = row.receipt.and_then(|bytes| codec::decode(&bytes).ok());
            let agent = ClosingAgent {
                doors: codec::decode(&row.doors).unwrap_or_default(),
                leaf: row.leaf.and_then(|bytes| codec::decode(&bytes).ok()),
                applied_at: row.applied_at,
                durable_at: row.durable_at,
                receipt: row.about.zip(receipt),
            };
            (row.agent, agent)
        });
        Self {
            position: row.position,
            at: row.at,
            command: row.command,
            subject: row.subject,
            why: row.why,
            removals: codec::decode(&row.removals).unwrap_or_default(),
            agents: agents.collect(),
        }
    }
}

impl ClosingAgent {
    fn take(&mut self, receipt: &Receipt, signed: &Signed<Receipt>, now: UnixMs) -> bool {
        if self.durable_at.is_some() {
            return false;
        }
        let was_applied = self.applied_at.is_some();
        self.applied_at = self.applied_at.or(Some(now));
        match receipt.stage {
            Stage::Applied => !was_applied,
            Stage::Durable => {
                self.durable_at = Some(now);
                self.receipt = Some((receipt.position, signed.clone()));
                true
            }
        }
    }

    fn to_row(&self, id: &AgentId) -> ClosingAgentRow {
        ClosingAgentRow {
            agent: id.clone(),
            doors: codec::encode(&self.doors).unwrap_or_default(),
            leaf: self.leaf.as_ref().and_then(|leaf| codec::encode(leaf).ok()),
            applied_at: self.applied_at,
            durable_at: self.durable_at,
            receipt: self.receipt.as_ref().and_then(|(_, signed)| codec::encode(signed).ok()),
            about: self.receipt.as_ref().map(|(position, _)| *position),
        }
    }
}

/// All changes whose progress is known.
#[derive(Debug)]
pub struct Closings {
    store: AccessStore,
    state: Mutex<State>,
    moved: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    closings: BTreeMap<u64, Closing>,
    /// Which of them each agent has yet to confirm: what an agent confirmed long ago costs its next receipt nothing.
    open: BTreeMap<AgentId, BTreeSet<u64>>,
    /// Receipts of removals whose change has not been compiled yet.
    early: Vec<(Receipt, Signed<Receipt>, UnixMs)>,
    /// Agents that have yet to confirm some change which only the store knows.
    forgotten: BTreeSet<AgentId>,
}

impl State {
    /// Takes a change in.
    fn put(&mut self, closing: Closing) {
        let seq = closing.position.seq;
        self.remove(seq);
        for (id, _) in closing.agents.iter().filter(|(_, agent)| agent.durable_at.is_none()) {
            self.open.entry(id.clone()).or_default().insert(seq);
        }
        self.closings.insert(seq, closing);
    }

    fn remove(&mut self, seq: u64) -> Option<Closing> {
        let closing = self.closings.remove(&seq)?;
        closing.agents.keys().for_each(|id| self.close(id, seq));
        Some(closing)
    }

    fn close(&mut self, id: &AgentId, seq: u64) {
        if let Some(open) = self.open.get_mut(id) {
            open.remove(&seq);
            if open.is_empty() {
                self.open.remove(id);
            }
        }
    }

    /// The changes that a receipt may confirm: one of a removal names a single change by its hash.
    fn confirmable(&self, receipt: &Receipt) -> Vec<u64> {
        let open = self.open.get(&receipt.agent).into_iter();
        let first = match receipt.about {
            About::Commit => 0,
            About::Removal => receipt.position.seq,
        };
        open.flat_map(|open| open.range(first..=receipt.position.seq)).copied().collect()
    }

    /// Makes room for one change.
    fn forget_one(&mut self) {
        let complete = self.closings.iter().find(|(_, closing)| closing.is_complete()).map(|(seq, _)| *seq);
        let seq = complete.or_else(|| self.closings.first_key_value().map(|(seq, _)| *seq));
        let closing = seq.and_then(|seq| self.remove(seq));
        let agents = closing.into_iter().flat_map(|closing| closing.agents);
        self.forgotten.extend(agents.filter(|(_, agent)| agent.durable_at.is_none()).map(|(id, _)| id));
    }
}

impl Closings {
    /// Opens the changes that were not confirmed everywhere.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open(store: AccessStore) -> Result<Self, StoreError> {
        let rows = store.open_closings(u32::try_from(KEPT_MAX).unwrap_or(u32::MAX))?;
        let mut state = State::default();
        rows.into_iter().for_each(|row| state.put(Closing::from_row(row)));
        let oldest = state.closings.first_key_value().map_or(0, |(seq, _)| *seq);
        state.forgotten = store.agents_of_open_closings_before(oldest)?;
        Ok(Self { store, state: Mutex::new(state), moved: watch::channel(0).0 })
    }

    /// Changes whenever some agent of some change has come further.
    #[must_use]
    pub fn moves(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }

    /// Lets go of changes after an entry: a journal that was restored from an older copy ends there, and what happened
    /// after it in the history that was lost is confirmed by no commit of this one.
    pub fn forget_after(&self, seq: u64) {
        let mut state = self.lock();
        let lost: Vec<u64> = state.closings.range(seq.saturating_add(1)..).map(|(seq, _)| *seq).collect();
        lost.into_iter().for_each(|seq| drop(state.remove(seq)));
    }

    /// Begins to watch a change. The store hears of it, too, and what comes back is when it has it on its disk; when it cannot
    /// keep it, only a restart would forget it.
    ///
    /// # Errors
    /// See [`StoreError`]; the change is watched all the same.
    pub fn begin(&self, mut closing: Closing) -> Result<Writing<()>, StoreError> {
        let seq = closing.position.seq;
        let row = {
            let mut state = self.lock();
            // After a crash before its commit was kept, a change is begun again.
            if let Some(known) = state.closings.get(&seq).filter(|known| known.at == closing.at) {
                closing.take_over(known);
            }
            for (receipt, signed, at) in std::mem::take(&mut state.early) {
                if receipt.position > closing.position {
                    state.early.push((receipt, signed, at));
                } else if closing.is_confirmed_by(&receipt)
                    && let Some(agent) = closing.agents.get_mut(&receipt.agent)
                {
                    agent.take(&receipt, &signed, at);
                }
            }
            let row = closing.to_row();
            state.put(closing);
            while state.closings.len() > KEPT_MAX {
                state.forget_one();
            }
            row
        };
        let confirmed: Vec<_> = row.agents.iter().filter(|agent| agent.durable_at.is_some()).cloned().collect();
        self.tell();
        let writing = self.store.begin_closing(row)?;
        confirmed.into_iter().for_each(|agent| self.store.advance_closing(seq, agent));
        Ok(writing)
    }

    /// Takes a receipt that is believed. What is only in force is not stored: a restart forgets it on the safe side, and the
    /// word that it is durable is about to come.
    pub fn take_receipt(&self, receipt: &Receipt, signed: &Signed<Receipt>, now: UnixMs) {
        let mut has_moved = false;
        let mut durable = Vec::new();
        let is_forgotten;
        {
            let mut state = self.lock();
            let is_of_commit = (receipt.about, receipt.stage) == (About::Commit, Stage::Durable);
            is_forgotten = is_of_commit && state.forgotten.remove(&receipt.agent);
            let is_known = state.closings.contains_key(&receipt.position.seq);
            if receipt.about == About::Removal && !is_known && state.early.len() < EARLY_MAX {
                state.early.push((receipt.clone(), signed.clone(), now));
            }
            for seq in state.confirmable(receipt) {
                if let Some(closing) = state.closings.get_mut(&seq)
                    && closing.is_confirmed_by(receipt)
                    && let Some(agent) = closing.agents.get_mut(&receipt.agent)
                    && agent.take(receipt, signed, now)
                {
                    has_moved = true;
                    if agent.durable_at.is_some() {
                        durable.push((seq, agent.to_row(&receipt.agent)));
                        state.close(&receipt.agent, seq);
                    }
                }
            }
        }
        if has_moved {
            self.tell();
        }
        durable.into_iter().for_each(|(seq, row)| self.store.advance_closing(seq, row));
        if is_forgotten && let Ok(bytes) = codec::encode(signed) {
            self.store.confirm_closings(receipt.agent.clone(), receipt.position, bytes, now);
        }
    }

    /// One change, also an old one; `None` when no such change was ever watched.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn closing(&self, seq: u64) -> Result<Option<Closing>, StoreError> {
        if let Some(closing) = self.lock().closings.get(&seq) {
            return Ok(Some(closing.clone()));
        }
        Ok(self.store.closing(seq)?.map(Closing::from_row))
    }

    /// How long the newest removals took, newest first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn removal_times(&self, limit: u32) -> Result<Vec<RemovalTimes>, StoreError> {
        let nothing = codec::encode(&Vec::<Signed<Removal>>::new()).unwrap_or_default();
        self.store.removal_times(&nothing, limit)
    }

    fn tell(&self) {
        self.moved.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change of the maps is complete in itself.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::Layout;
    use doorward_protocol::id::{CampusId, Hash};
    use doorward_protocol::sign::SecretKey;

    fn agent() -> AgentId {
        AgentId::new("agent-1").unwrap()
    }

    fn at(seq: u64) -> Position {
        Position { epoch: 0, seq }
    }

    fn removal(seq: u64) -> Signed<Removal> {
        let campus = CampusId::new("test").unwrap();
        let removal = Removal { campus, position: at(seq), part: 0, at: UnixMs(0), items: Vec::new() };
        SecretKey::from_seed(&[1; 32]).sign_value(&removal).unwrap()
    }

    fn closing(seq: u64) -> Closing {
        let doors = vec![(DoorId::new("d-1").unwrap(), Some(1000))];
        Closing {
            position: at(seq),
            at: UnixMs(0),
            command: "card-suspend".into(),
            subject: "card A".into(),
            why: "lost".into(),
            removals: vec![removal(seq)],
            agents: [(agent(), ClosingAgent { doors, ..ClosingAgent::default() })].into(),
        }
    }

    fn receipt(about: About, seq: u64, stage: Stage) -> (Receipt, Signed<Receipt>) {
        let hash = if about == About::Removal { removal(seq).hash() } else { Hash([0; 32]) };
        let campus = CampusId::new("test").unwrap();
        let receipt = Receipt { campus, agent: agent(), about, position: at(seq), hash, stage, at: UnixMs(1) };
        let signed = SecretKey::from_seed(&[2; 32]).sign_value(&receipt).unwrap();
        (receipt, signed)
    }

    fn open(directory: &tempfile::TempDir) -> Closings {
        Closings::open(AccessStore::open(&Layout::new(directory.path())).unwrap().0).unwrap()
    }

    fn begin(closings: &Closings, closing: Closing) {
        closings.begin(closing).unwrap().wait().unwrap();
    }

    fn stages(closings: &Closings, seq: u64) -> (bool, bool) {
        let agent = closings.closing(seq).unwrap().unwrap().agents.remove(&agent()).unwrap();
        (agent.applied_at.is_some(), agent.durable_at.is_some())
    }

    #[test]
    fn a_receipt_that_overtakes_its_change_still_counts() {
        let directory = tempfile::tempdir().unwrap();
        let closings = open(&directory);
        let (durable, signed) = receipt(About::Removal, 7, Stage::Durable);
        closings.take_receipt(&durable, &signed, UnixMs(3));
        begin(&closings, closing(6));
        begin(&closings, closing(7));
        assert_eq!(stages(&closings, 6), (false, false));
        assert_eq!(stages(&closings, 7), (true, true));
    }

    #[test]
    fn a_commit_confirms_every_change_before_it_and_none_after() {
        let directory = tempfile::tempdir().unwrap();
        let closings = open(&directory);
        (6..=8).for_each(|seq| begin(&closings, closing(seq)));
        let (durable, signed) = receipt(About::Commit, 7, Stage::Durable);
        closings.take_receipt(&durable, &signed, UnixMs(3));
        assert_eq!([6, 7, 8].map(|seq| stages(&closings, seq).1), [true, true, false]);
    }

    #[test]
    fn an_agent_that_was_away_for_long_confirms_also_what_is_kept_in_the_store_alone() {
        let directory = tempfile::tempdir().unwrap();
        let closings = open(&directory);
        let last = u64::try_from(KEPT_MAX).unwrap() + 6;
        (6..=last).for_each(|seq| begin(&closings, closing(seq)));
        assert_eq!(closings.lock().closings.len(), KEPT_MAX);
        let (durable, signed) = receipt(About::Commit, last, Stage::Durable);
        closings.take_receipt(&durable, &signed, UnixMs(3));
        closings.store.recover_contacts(UnixMs(0)).unwrap();
        assert_eq!([6, 7, last].map(|seq| stages(&closings, seq)), [(true, true); 3]);
        let confirmed = closings.closing(6).unwrap().unwrap().agents.remove(&agent()).unwrap();
        assert_eq!(confirmed.receipt, Some((at(last), signed)));
        // What is complete makes room first.
        begin(&closings, closing(last + 1));
        begin(&closings, closing(last + 2));
        assert!(closings.lock().closings.contains_key(&(last + 1)));
        drop(closings);
        let closings = open(&directory);
        assert_eq!(closings.lock().closings.keys().copied().collect::<Vec<_>>(), [last + 1, last + 2]);
    }

    #[test]
    fn what_a_restored_journal_has_lost_is_confirmed_by_nothing_and_its_number_is_given_again() {
        let directory = tempfile::tempdir().unwrap();
        let closings = open(&directory);
        (6..=8).for_each(|seq| begin(&closings, closing(seq)));
        drop(closings);
        let closings = open(&directory);
        closings.forget_after(6);
        let (durable, signed) = receipt(About::Commit, 9, Stage::Durable);
        closings.take_receipt(&durable, &signed, UnixMs(3));
        assert_eq!([6, 8].map(|seq| stages(&closings, seq).1), [true, false]);
        let again = Closing { at: UnixMs(99), subject: "card B".into(), ..closing(7) };
        begin(&closings, again.clone());
        drop(closings);
        assert_eq!(open(&directory).closing(7).unwrap(), Some(again));
    }

    #[test]
    fn of_several_removals_one_does_not_confirm_the_change() {
        let directory = tempfile::tempdir().unwrap();
        let closings = open(&directory);
        let mut several = closing(7);
        several.removals.push(removal(8));
        begin(&closings, several);
        let (durable, signed) = receipt(About::Removal, 7, Stage::Durable);
        closings.take_receipt(&durable, &signed, UnixMs(3));
        assert_eq!(stages(&closings, 7), (false, false));
    }

    #[test]
    fn an_open_change_goes_on_after_a_restart_which_forgets_what_is_not_durable() {
        let directory = tempfile::tempdir().unwrap();
        let closings = open(&directory);
        begin(&closings, closing(7));
        let (applied, signed) = receipt(About::Removal, 7, Stage::Applied);
        closings.take_receipt(&applied, &signed, UnixMs(3));
        assert_eq!(stages(&closings, 7), (true, false));
        // Whatever is stored later is stored after it.
        closings.store.recover_contacts(UnixMs(0)).unwrap();
        drop(closings);
        let closings = open(&directory);
        assert_eq!(stages(&closings, 7), (false, false));
        closings.take_receipt(&applied, &signed, UnixMs(3));
        begin(&closings, closing(7));
        assert_eq!(stages(&closings, 7), (true, false), "begun again, since its commit was not kept before the crash");
        let (durable, signed) = receipt(About::Commit, 9, Stage::Durable);
        closings.take_receipt(&durable, &signed, UnixMs(4));
        assert_eq!(stages(&closings, 7), (true, true));
    }
}

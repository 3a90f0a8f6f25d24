//! Recompiling what is touched: one pass over the touched cards and doors, one change per agent, all or nothing.

use super::access::{Access, Accesses};
use super::index::{Index, IndexedDoor};
use super::{Changes, CompileError, Compiled, Holding};
use crate::directory::Directory;
use crate::model::{Card, CardId, CardState, Person, Policy};
use crate::touched::{Resolved, Touched};
use doorward_protocol::facts::{Class, Credential, CredentialState, Door, Fact, FactKey, Leaving};
use doorward_protocol::id::{AgentId, ClassId, CredentialKey, ReaderKey, ScheduleId};
use doorward_protocol::state::{Change, State, Undo};
use doorward_protocol::time::DayRange;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Compiled {
    pub(super) fn recompile(
        &mut self,
        directory: &Directory,
        touched: &Touched,
        holding: Holding<'_>,
    ) -> Result<Changes, CompileError> {
        let reader_key = directory.reader_key().ok_or(CompileError::NotFounded)?;
        let Some(policy) = directory.policy() else {
            // Before the first import there is no agent that could have a state.
            return Ok(Changes::default());
        };
        let is_current = self.structure_seq == Some(directory.structure_seq()) && !touched.everything;
        let (index, is_new) = match &mut self.index {
            Some(index) if is_current => {
                if !touched.grants.is_empty() {
                    // Should anything fail from here on, the index is made anew the next time.
                    self.structure_seq = None;
                    Arc::make_mut(index).follow_grants(directory, &touched.grants)?;
                }
                (Arc::clone(index), false)
            }
            Some(_) | None => (Arc::new(Index::new(directory, policy)?), true),
        };
        let resolved = touched.resolve(directory);
        let outcome = Pass::new(self, directory, reader_key, &index, is_new, &resolved).run(policy, holding)?;
        let undos = self.apply_all(outcome.changes)?;
        if touched.everything {
            self.holders.clear();
        }
        for (card, holders) in outcome.holders {
            match holders {
                Some(holders) => self.holders.insert(card, holders),
                None => self.holders.remove(&card),
            };
        }
        let mut gone = BTreeSet::new();
        if is_new {
            let is_gone = |id: &&AgentId| index.agents.binary_search(id).is_err();
            gone = self.agents.keys().filter(is_gone).cloned().collect();
            self.agents.retain(|id, _| !gone.contains(id));
        }
        self.reader_key = Some(reader_key.clone());
        self.structure_seq = Some(directory.structure_seq());
        self.index = Some(index);
        let is_changed = |undo: &Undo| undo.keys().next().is_some();
        let changed = undos.into_iter().filter(|(_, undo)| is_changed(undo)).map(|(agent, _)| agent).collect();
        Ok(Changes { changed, gone })
    }

    fn apply_all(&mut self, changes: Vec<(AgentId, Change)>) -> Result<BTreeMap<AgentId, Undo>, CompileError> {
        let mut undos = BTreeMap::new();
        for (agent, change) in changes {
            match self.agents.entry(agent.clone()).or_default().apply(&change) {
                Ok(undo) => {
                    undos.insert(agent, undo);
                }
                Err(error) => {
                    for (agent, undo) in undos {
                        if let Some(state) = self.agents.get_mut(&agent) {
                            state.undo(undo);
                        }
                    }
                    // A finished state has a calendar, so only those that were new are empty.
                    self.agents.retain(|_, state| !state.is_empty());
                    return Err(CompileError::Agent { agent, error });
                }
            }
        }
        Ok(undos)
    }
}

/// One pass over what is touched.
struct Pass<'a> {
    compiled: &'a Compiled,
    directory: &'a Directory,
    reader_key: &'a ReaderKey,
    index: &'a Index,
    touched: &'a Resolved,
    /// By the agent's place in the index; of agents that nothing touches there is none.
    drafts: BTreeMap<usize, Draft<'a>>,
    holders: Vec<(CardId, Holders)>,
}

/// Who holds a card from now on; `None`: nobody.
type Holders = Option<Arc<BTreeSet<AgentId>>>;

/// The change of one agent while it is being made.
#[derive(Default)]
struct Draft<'a> {
    /// Its state, where it has one.
    before: Option<&'a State>,
    /// Whether all of its facts are put, and those that are not put are removed.
    is_whole: bool,
    /// Cards that are touched at this agent only.
    cards: Option<&'a BTreeSet<CardId>>,
    put: Vec<Fact>,
    removed: Vec<FactKey>,
    classes: BTreeSet<ClassId>,
    schedules: BTreeSet<ScheduleId>,
}

/// What a pass found out.
struct Outcome {
    changes: Vec<(AgentId, Change)>,
    holders: Vec<(CardId, Holders)>,
}

impl<'a> Pass<'a> {
    fn new(
        compiled: &'a Compiled,
        directory: &'a Directory,
        reader_key: &'a ReaderKey,
        index: &'a Index,
        is_new: bool,
        touched: &'a Resolved,
    ) -> Self {
        let (drafts, holders) = (BTreeMap::new(), Vec::new());
        let mut pass = Self { compiled, directory, reader_key, index, touched, drafts, holders };
        let place_of = |agent| index.agents.binary_search(agent).ok();
        if is_new {
            let lacks_state = |(_, agent): &(usize, &AgentId)| !compiled.agents.contains_key(*agent);
            let whole = index.agents.iter().enumerate().filter(|agent| touched.everything || lacks_state(agent));
            whole.for_each(|(place, _)| pass.draft(place).is_whole = true);
        }
        // With an index that is not new, every agent has a state.
        for place in touched.agents.iter().filter_map(place_of) {
            pass.draft(place).is_whole = true;
        }
        for (agent, cards) in &touched.cards_at {
            if let Some(place) = place_of(agent) {
                pass.draft(place).cards = Some(cards);
            }
        }
        pass
    }

    fn run(mut self, policy: &'a Policy, holding: Holding<'a>) -> Result<Outcome, CompileError> {
        self.put_calendars();
        self.put_doors();
        let holds_all = matches!(holding, Holding::All(_));
        let mut accesses = Accesses::new(self.index, policy, self.directory.tables(), holds_all);
        let is_any_whole = self.drafts.values().any(|draft| draft.is_whole);
        for id in self.cards_to_visit(holding, is_any_whole) {
            if !is_any_whole && !holds_all && self.touched.states_alone.contains(id) {
                self.visit_state(id);
            } else {
                self.visit_card(id, &mut accesses, holding)?;
            }
        }
        let changes = self.drafts.into_iter().filter_map(|(place, draft)| {
            let change = draft.finish(self.index, &accesses.classes);
            Some((self.index.agents.get(place)?.clone(), change)).filter(|(_, change)| !change.is_empty())
        });
        Ok(Outcome { changes: changes.collect(), holders: self.holders })
    }

    /// The draft of an agent, begun if there is none yet.
    fn draft(&mut self, place: usize) -> &mut Draft<'a> {
        let (compiled, index) = (self.compiled, self.index);
        self.drafts.entry(place).or_insert_with(|| {
            let before = index.agents.get(place).and_then(|agent| compiled.agents.get(agent));
            Draft { before, ..Draft::default() }
        })
    }

    fn put_calendars(&mut self) {
        if self.touched.calendar {
            for place in 0..self.index.agents.len() {
                let _begun = self.draft(place);
            }
        }
        for draft in self.drafts.values_mut() {
            if draft.is_whole {
                draft.put.push(Fact::Reader(self.reader_key.clone()));
            }
            if draft.is_whole || self.touched.calendar {
                draft.put.push(Fact::Calendar(self.index.calendar.clone()));
            }
        }
    }

    /// A door that leaves an agent comes with an import, which touches all of that agent.
    fn put_doors(&mut self) {
        let mut places: BTreeSet<usize> = self.touched.doors.iter().filter_map(|door| self.index.door(door)).collect();
        let whole = self.drafts.iter().filter(|(_, draft)| draft.is_whole);
        places.extend(whole.filter_map(|(place, _)| self.index.doors_of.get(*place)).flatten());
        for door in places.into_iter().filter_map(|place| self.index.doors.get(place)) {
            let fact = door_fact(door, self.directory);
            let draft = self.draft(door.agent);
            draft.schedules.extend(door.unlock);
            draft.put.push(fact);
        }
    }

    /// All cards where an agent is compiled whole, otherwise those that are touched.
    fn cards_to_visit(&self, holding: Holding<'a>, is_any_whole: bool) -> BTreeSet<&'a CardId> {
        if let Holding::All(cards) = holding {
            return cards.iter().collect();
        }
        let mut cards: BTreeSet<&CardId> = self.touched.cards.iter().collect();
        cards.extend(self.touched.cards_at.values().flatten());
        if is_any_whole {
            cards.extend(self.directory.tables().cards.keys());
        }
        cards
    }

    /// A card of which no more than the state is touched: whoever holds it goes on with the same access, or holds it no
    /// more once it is closed.
    fn visit_state(&mut self, id: &CardId) {
        let Some(card) = self.directory.tables().cards.get(id) else { return };
        let is_closed = card.state == CardState::Closed;
        let compiled = self.compiled;
        for (agent, _, credential) in compiled.credentials(id) {
            let Ok(place) = self.index.agents.binary_search(agent) else { continue };
            let draft = self.draft(place);
            if is_closed {
                draft.removed.push(FactKey::Credential(credential.key));
            } else {
                let credential = Credential { state: state_of(card.state), ..credential };
                draft.put.push(Fact::Credential(credential));
            }
        }
        if is_closed {
            self.holders.push((id.clone(), None));
        }
    }

    fn visit_card(
        &mut self,
        id: &CardId,
        accesses: &mut Accesses<'a>,
        holding: Holding<'a>,
    ) -> Result<(), CompileError> {
        let key = self.reader_key.credential_key(id.as_str());
        let is_touched = self.touched.everything || self.touched.cards.contains(id);
        let tables = self.directory.tables();
        let is_held = |card: &&Card| card.state != CardState::Closed || matches!(holding, Holding::All(_));
        let mut access = Arc::new(Access::default());
        if let Some(card) = tables.cards.get(id).filter(is_held) {
            let person = tables.people.get(&card.person);
            let person = person.ok_or_else(|| CompileError::Missing("person", card.person.to_string()))?;
            access = accesses.of(person, card)?;
            let facts = CardFacts::new(accesses.policy, self.directory, card, person)?;
            for (agent, class) in
                access.classes.iter().filter_map(|(agent, class)| Some((*agent, accesses.id(*class)?)))
            {
                if is_touched || self.drafts.get(&agent).is_some_and(|draft| draft.concerns(id)) {
                    let draft = self.draft(agent);
                    draft.put.push(Fact::Credential(facts.credential(key, class)));
                    draft.classes.insert(class);
                }
            }
        }
        let compiled = self.compiled;
        for agent in compiled.holders(id).filter(|agent| !access.holders.contains(*agent)) {
            let Ok(place) = self.index.agents.binary_search(agent) else { continue };
            if is_touched || self.drafts.get(&place).is_some_and(|draft| draft.concerns(id)) {
                self.draft(place).removed.push(FactKey::Credential(key));
            }
        }
        let holders = (!access.holders.is_empty()).then(|| Arc::clone(&access.holders));
        self.holders.push((id.clone(), holders));
        Ok(())
    }
}

impl Draft<'_> {
    fn concerns(&self, card: &CardId) -> bool {
        self.is_whole || self.cards.is_some_and(|cards| cards.contains(card))
    }

    /// The change, with every derived fact that a fact in it refers to.
    fn finish(mut self, index: &Index, classes: &BTreeMap<ClassId, Class>) -> Change {
        if self.is_whole
            && let Some(before) = self.before
        {
            let put: BTreeSet<FactKey> = self.put.iter().map(Fact::key).collect();
            let known = before.facts().map(|fact| fact.key());
            self.removed = known.filter(|key| !key.is_derived() && !put.contains(key)).collect();
        }
        put_derived(&mut self.put, &self.classes, self.schedules, index, classes);
        Change { removed: self.removed, put: self.put }
    }
}

/// Puts classes, and schedules together with those that the classes use.
pub(super) fn put_derived(
    put: &mut Vec<Fact>,
    used: &BTreeSet<ClassId>,
    mut schedules: BTreeSet<ScheduleId>,
    index: &Index,
    classes: &BTreeMap<ClassId, Class>,
) {
    for (id, class) in used.iter().filter_map(|id| classes.get_key_value(id)) {
        let entries = class.doors.iter().flat_map(|door| &door.entries);
        schedules.extend(entries.filter_map(|entry| entry.schedule));
        put.push(Fact::Class(*id, class.clone()));
    }
    let schedules = schedules.iter().filter_map(|id| index.schedules.get_key_value(id));
    put.extend(schedules.map(|(id, schedule)| Fact::Schedule(*id, Box::new(schedule.clone()))));
}

pub(super) fn door_fact(door: &IndexedDoor, directory: &Directory) -> Fact {
    let known = directory.tables().doors.get(&door.id);
    Fact::Door(Door {
        door: door.id.clone(),
        function: door.function.clone(),
        identity: door.identity,
        unlock: door.unlock,
        lease_ms: door.lease_ms,
        lockdown: known.is_some_and(|known| directory.is_locked_down(&door.id, known)),
    })
}

const fn state_of(state: CardState) -> CredentialState {
    match state {
        CardState::Produced => CredentialState::Produced,
        CardState::Active => CredentialState::Active,
        // Closed cards are held only where a removal closes them on top; see `taps`.
        CardState::Suspended | CardState::Closed => CredentialState::Suspended,
    }
}

/// What a card's credential says at every agent alike.
pub(super) struct CardFacts {
    state: CredentialState,
    valid: DayRange,
    leaving: Option<Leaving>,
}

impl CardFacts {
    pub(super) fn new(
        policy: &Policy,
        directory: &Directory,
        card: &Card,
        person: &Person,
    ) -> Result<Self, CompileError> {
        let category = policy.categories.get(&person.category);
        let category = category.ok_or_else(|| CompileError::Missing("category", person.category.to_string()))?;
        let grace_days = i32::try_from(category.grace_days).unwrap_or(i32::MAX);
        Ok(Self {
            state: state_of(card.state),
            valid: DayRange { from: Some(card.issued_on), until: directory.tables().last_day_of(card, policy) },
            leaving: person.left_on.map(|left_on| Leaving { left_on, grace_until: left_on.plus(grace_days) }),
        })
    }

    pub(super) const fn credential(&self, key: CredentialKey, class: ClassId) -> Credential {
        Credential { key, class, state: self.state, valid: self.valid, leaving: self.leaving }
    }
}

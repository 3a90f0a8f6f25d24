//! Recompiling what is touched: one pass over the touched cards and doors, one change per agent, all or nothing.

use super::access::{Access, Accesses};
use super::index::{Index, IndexedDoor};
use super::{CompileError, Compiled, Holding};
use crate::directory::Directory;
use crate::model::{Card, CardId, CardState, Person, Policy};
use crate::touched::{Resolved, Touched};
use doorward_protocol::facts::{Class, Credential, CredentialState, Door, Fact, FactKey, Leaving};
use doorward_protocol::id::{AgentId, ClassId, CredentialKey, ReaderKey, ScheduleId};
use doorward_protocol::state::{Change, State, Undo};
use doorward_protocol::time::DayRange;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What recompiling did, for those who tell others.
pub(super) struct Recompiled {
    pub undos: BTreeMap<AgentId, Undo>,
    pub gone: BTreeSet<AgentId>,
}

impl Compiled {
    pub(super) fn recompile(
        &mut self,
        directory: &Directory,
        touched: &Touched,
        holding: Holding<'_>,
    ) -> Result<Recompiled, CompileError> {
        let reader_key = directory.reader_key().ok_or(CompileError::NotFounded)?;
        let Some(policy) = directory.policy() else {
            // Before the first import there is no agent that could have a state.
            return Ok(Recompiled { undos: BTreeMap::new(), gone: BTreeSet::new() });
        };
        let is_current = self.structure_seq == directory.structure_seq() && !touched.everything;
        let index = match self.index.as_ref().filter(|_| is_current) {
            Some(index) => Arc::clone(index),
            None => Arc::new(Index::new(directory, policy)?),
        };
        let resolved = touched.resolve(directory);
        let outcome = Pass::new(self, directory, reader_key, &index, &resolved).run(policy, holding)?;
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
        let is_gone = |id: &&AgentId| index.agents.binary_search(id).is_err();
        let gone: BTreeSet<_> = self.agents.keys().filter(is_gone).cloned().collect();
        self.agents.retain(|id, _| !gone.contains(id));
        self.reader_key = Some(reader_key.clone());
        self.structure_seq = directory.structure_seq();
        self.index = Some(index);
        Ok(Recompiled { undos, gone })
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
    /// One for each agent of the index, in its order.
    drafts: Vec<Draft<'a>>,
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
        touched: &'a Resolved,
    ) -> Self {
        let drafts = index.agents.iter().map(|agent| {
            let before = compiled.agents.get(agent);
            let is_whole = touched.everything || touched.agents.contains(agent) || before.is_none();
            Draft { before, is_whole, cards: touched.cards_at.get(agent), ..Draft::default() }
        });
        let drafts = drafts.collect();
        Self { compiled, directory, reader_key, index, touched, drafts, holders: Vec::new() }
    }

    fn run(mut self, policy: &'a Policy, holding: Holding<'a>) -> Result<Outcome, CompileError> {
        self.put_calendars();
        self.put_doors();
        let holds_all = matches!(holding, Holding::All(_));
        let mut accesses = Accesses::new(self.index, policy, self.directory.tables(), holds_all);
        for id in self.cards_to_visit(holding) {
            self.visit_card(id, &mut accesses, holding)?;
        }
        let agents = self.index.agents.iter().cloned();
        let changes = agents.zip(self.drafts).map(|(id, draft)| (id, draft.finish(self.index, &accesses.classes)));
        let changes = changes.filter(|(_, change)| !change.is_empty()).collect();
        Ok(Outcome { changes, holders: self.holders })
    }

    fn put_calendars(&mut self) {
        for draft in &mut self.drafts {
            if draft.is_whole {
                draft.put.push(Fact::Reader(self.reader_key.clone()));
            }
            if draft.is_whole || self.touched.calendar {
                draft.put.push(Fact::Calendar(self.index.calendar.clone()));
            }
        }
    }

    fn put_doors(&mut self) {
        for door in &self.index.doors {
            let Some(draft) = self.drafts.get_mut(door.agent) else { continue };
            if draft.is_whole || self.touched.doors.contains(&door.id) {
                draft.schedules.extend(door.unlock);
                draft.put.push(door_fact(door, self.directory));
            }
        }
        // A door that leaves an agent comes with an import, which touches all of that agent.
    }

    /// All cards where an agent is compiled whole, otherwise those that are touched.
    fn cards_to_visit(&self, holding: Holding<'a>) -> BTreeSet<&'a CardId> {
        if let Holding::All(cards) = holding {
            return cards.iter().collect();
        }
        let mut cards: BTreeSet<&CardId> = self.touched.cards.iter().collect();
        cards.extend(self.touched.cards_at.values().flatten());
        if self.drafts.iter().any(|draft| draft.is_whole) {
            cards.extend(self.directory.tables().cards.keys());
        }
        cards
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
            for (agent, class) in &access.classes {
                let Some(draft) = self.drafts.get_mut(*agent) else { continue };
                if is_touched || draft.concerns(id) {
                    draft.put.push(Fact::Credential(facts.credential(key, *class)));
                    draft.classes.insert(*class);
                }
            }
        }
        for agent in self.compiled.holders(id).filter(|agent| !access.holders.contains(*agent)) {
            let Ok(place) = self.index.agents.binary_search(agent) else { continue };
            if let Some(draft) = self.drafts.get_mut(place)
                && (is_touched || draft.concerns(id))
            {
                draft.removed.push(FactKey::Credential(key));
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
        for (id, class) in self.classes.iter().filter_map(|id| classes.get_key_value(id)) {
            let entries = class.doors.iter().flat_map(|door| &door.entries);
            self.schedules.extend(entries.filter_map(|entry| entry.schedule));
            self.put.push(Fact::Class(*id, class.clone()));
        }
        let schedules = self.schedules.iter().filter_map(|id| index.schedules.get_key_value(id));
        self.put.extend(schedules.map(|(id, schedule)| Fact::Schedule(*id, Box::new(schedule.clone()))));
        Change { removed: self.removed, put: self.put }
    }
}

fn door_fact(door: &IndexedDoor, directory: &Directory) -> Fact {
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

/// What a card's credential says at every agent alike.
struct CardFacts {
    state: CredentialState,
    valid: DayRange,
    leaving: Option<Leaving>,
}

impl CardFacts {
    fn new(policy: &Policy, directory: &Directory, card: &Card, person: &Person) -> Result<Self, CompileError> {
        let category = policy.categories.get(&person.category);
        let category = category.ok_or_else(|| CompileError::Missing("category", person.category.to_string()))?;
        let grace_days = i32::try_from(category.grace_days).unwrap_or(i32::MAX);
        Ok(Self {
            state: match card.state {
                CardState::Produced => CredentialState::Produced,
                CardState::Active => CredentialState::Active,
                // Closed cards are held only where a removal closes them on top; see `taps`.
                CardState::Suspended | CardState::Closed => CredentialState::Suspended,
            },
            valid: DayRange { from: Some(card.issued_on), until: directory.tables().last_day_of(card, policy) },
            leaving: person.left_on.map(|left_on| Leaving { left_on, grace_until: left_on.plus(grace_days) }),
        })
    }

    const fn credential(&self, key: CredentialKey, class: ClassId) -> Credential {
        Credential { key, class, state: self.state, valid: self.valid, leaving: self.leaving }
    }
}

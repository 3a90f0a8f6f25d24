//! Random sequences of commands: what is updated step by step is what is compiled at once, and what changed in between
//! brings an agent that slept to the present.

use crate::decisions::runner;
use crate::generate::{RawCampus, RawGrant, id, raw_campus, raw_grant};
use doorward_policy::command::{Actor, Command, Entry, Scope};
use doorward_policy::compile::{Changes, Compiled};
use doorward_policy::desk::{Cause, DeskOrder, Issue};
use doorward_policy::difference::Difference;
use doorward_policy::directory::{Directory, Refusal};
use doorward_policy::feed::{Alias, FeedOrder, Pushed};
use doorward_policy::model::{Affiliation, Campus, CardState, Person, UnlockSchedule};
use doorward_policy::office::requests::{RequestOrder, Wish};
use doorward_policy::office::{ApiToken, OfficeOrder, Operator, Power, Remit, Role};
use doorward_policy::photo::{PhotoOrder, PhotoState};
use doorward_policy::touched::Touched;
use doorward_protocol::codec::{decode_kept, encode_kept};
use doorward_protocol::id::{AgentId, Hash, ReaderKey};
use doorward_protocol::state::State;
use doorward_protocol::time::{Day, DayRange, UnixMs};
use proptest::collection::vec;
use proptest::prelude::*;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::str::FromStr;

/// What is done next, as small numbers; what they mean depends on what there is.
#[derive(Debug, Clone)]
struct RawStep {
    kind: u8,
    a: usize,
    b: usize,
    day: Option<i32>,
    grant: RawGrant,
}

fn raw_step() -> impl Strategy<Value = RawStep> {
    (0..32_u8, 0..24_usize, 0..24_usize, proptest::option::of(-4..5_i32), raw_grant())
        .prop_map(|(kind, a, b, day, grant)| RawStep { kind, a, b, day, grant })
}

/// A campus as the journal and its compiled state see it, and the folder that its offices keep.
struct Campaign {
    raw: RawCampus,
    folder: Campus,
    directory: Directory,
    compiled: Compiled,
    /// For each entry what it touched, and the states of all agents after it.
    past: Vec<(Touched, BTreeMap<AgentId, State>)>,
}

impl Campaign {
    fn new(raw: RawCampus) -> Self {
        let folder = raw.campus();
        let (directory, compiled) = (Directory::default(), Compiled::default());
        let mut campaign = Self { raw, folder, directory, compiled, past: Vec::new() };
        let found = Command::Found { reader_key: ReaderKey([7; 32]), software: "x".into(), tzdb: "y".into() };
        campaign.take(found).unwrap();
        campaign.import().unwrap();
        campaign
    }

    fn import(&mut self) -> Result<(), Refusal> {
        let difference = Box::new(Difference::between(&self.directory, &self.folder));
        self.take(Command::Import { difference })
    }

    fn take(&mut self, command: Command) -> Result<(), Refusal> {
        // What is stored is what is folded: JSON must say all of it.
        let json = serde_json::to_string(&command).unwrap();
        let command: Command = serde_json::from_str(&json).unwrap();
        let entry = Entry { seq: self.directory.head() + 1, at: UnixMs(0), actor: Actor::system(), command };
        let touched = self.directory.apply(&entry)?;
        let changes = self.compiled.update(&self.directory, &touched).unwrap();
        self.check(&changes);
        let states = self.compiled.agents().map(|(agent, state)| (agent.clone(), state.clone())).collect();
        let kept: Touched = decode_kept(&encode_kept(&touched).unwrap()).unwrap();
        self.past.push((kept, states));
        Ok(())
    }

    /// Holds what was updated against what is compiled at once, and against what the agents were told.
    fn check(&self, changes: &Changes) {
        let whole = Compiled::whole(&self.directory).unwrap();
        let kept: Directory = decode_kept(&encode_kept(&self.directory).unwrap()).unwrap();
        assert_eq!(kept, self.directory, "what is kept of it is all of it");
        let digests =
            |compiled: &Compiled| compiled.agents().map(|(id, state)| (id.clone(), state.digest())).collect::<Vec<_>>();
        assert_eq!(digests(&self.compiled), digests(&whole));
        for card in self.directory.tables().cards.keys() {
            assert!(self.compiled.holders(card).eq(whole.holders(card)), "holders of {card}");
        }
        // Whoever is told of no change has none.
        let before = self.past.last().map(|(_, states)| states.clone()).unwrap_or_default();
        let is_same = |agent: &AgentId| match (before.get(agent), self.compiled.state(agent)) {
            (Some(before), Some(after)) => before.digest() == after.digest(),
            (None, _) | (_, None) => false,
        };
        let differ = self.compiled.agents().map(|(agent, _)| agent).filter(|agent| !is_same(agent));
        assert!(differ.eq(&changes.changed), "{:?} are told to have changed", changes.changed);
        let gone = before.keys().filter(|agent| self.compiled.state(agent).is_none());
        assert!(gone.eq(&changes.gone), "{:?} are told to be gone", changes.gone);
    }

    /// Every agent as it was after each entry is brought to the present; says how often no snapshot was needed.
    fn resume_all(&self) -> usize {
        let mut touched = Touched::default();
        let mut count = 0;
        for (later, states) in self.past.iter().rev() {
            for (agent, state) in states {
                let Some(present) = self.compiled.state(agent) else { continue };
                let Some(delta) = self.compiled.delta(&self.directory, agent, &touched) else { continue };
                let mut state = state.clone();
                state.apply(&delta).unwrap();
                assert_eq!(state.digest(), present.digest(), "{agent} after {touched:?}");
                count += usize::from(!touched.is_empty());
            }
            touched.union(later.clone());
        }
        count
    }

    fn step(&mut self, step: &RawStep) -> Result<(), Refusal> {
        let (a, b) = (step.a, step.b);
        let card = || nth(&self.directory.tables().cards, a);
        let reason = "because".to_owned();
        let command = match step.kind {
            0 if b.is_multiple_of(5) => Command::CardFound { card: card(), place: reason },
            0 | 1 => Command::CardSuspend { card: card(), reason },
            2 => Command::CardResume { card: card(), reason },
            3 if b.is_multiple_of(2) => Command::Desk(self.desk_order(a, b)),
            3 => self.activation(a),
            4 => Command::CardClose { card: card(), reason, document: None },
            5 => Command::LockDown { scope: self.scope(a, b), reason },
            6 => match self.directory.lockdowns().first() {
                Some(scope) => Command::Release { scope: scope.clone(), reason },
                None => return Ok(()),
            },
            7 => Command::Request(self.request_order(a, b, &step.grant)),
            8..=9 => Command::GrantAdd { id: id("added", a % 6), grant: self.raw.grant(&step.grant) },
            10..=12 => match self.directory.tables().grants.keys().nth(a % 4) {
                Some(grant) => Command::GrantEnd { id: grant.clone(), on: step.day.map(|day| self.day(day)) },
                None => return Ok(()),
            },
            // What touches everything is rare, or nobody would catch up by a delta.
            13 if a < 3 => Command::Tick { tzdb: "z".into() },
            13 if a % 5 == 3 => Command::Photo(self.photo_order(a, b)),
            13 if a % 2 == 0 => Command::Office(self.office_order(a, b)),
            14 => {
                let agent = nth(&self.agents(), a);
                Command::AgentAdd { agent, token_hash: Hash([1; 32]), expires_at: UnixMs(1) }
            }
            30 | 31 => Command::Feed(self.feed_order(a, b, step.day)),
            _ => {
                if step.kind == 23 && b.is_multiple_of(3) {
                    self.bring_back(a);
                } else {
                    edit(&mut self.folder, step, self.raw.middle());
                }
                return self.import();
            }
        };
        self.take(command)
    }

    /// Cards that wait to be activated come first: among all of them, few would.
    fn activation(&self, a: usize) -> Command {
        let cards = &self.directory.tables().cards;
        let produced = cards.iter().find(|(_, card)| card.state == CardState::Produced).map(|(id, _)| id.clone());
        Command::CardActivate { card: produced.unwrap_or_else(|| nth(cards, a)) }
    }

    fn desk_order(&self, a: usize, b: usize) -> DeskOrder {
        let tables = self.directory.tables();
        if a.is_multiple_of(4) {
            let until = self.day(i32::try_from(a + b).unwrap());
            return DeskOrder::Extend { card: nth(&tables.cards, a), until, document: "letter".into() };
        }
        let types = &self.directory.policy().unwrap().card_types;
        let card_type = nth(types, b);
        let cause = if types[&card_type].temporary { Cause::Temporary } else { Cause::ALL[b % 8] };
        // Mostly a card in the way is one that can be replaced.
        let old = cause.replaces().then(|| nth(&tables.cards, a));
        let person = old.as_ref().and_then(|old| tables.cards.get(old)).map(|card| card.person.clone());
        DeskOrder::Issue(Box::new(Issue {
            card: id("issued", tables.cards.len()),
            person: person.unwrap_or_else(|| nth(&tables.people, a)),
            card_type,
            cause,
            replaces: old,
            returned: a.is_multiple_of(3),
            number: None,
            issued_on: self.day(-3),
            valid_until: b.is_multiple_of(3).then(|| self.day(2)),
            document: None,
        }))
    }

    fn request_order(&self, a: usize, b: usize, grant: &RawGrant) -> RequestOrder {
        let (requests, reason) = (self.directory.requests(), "because".to_owned());
        let waiting = requests.iter().find(|(_, request)| request.outcome.is_none()).map(|(id, _)| id.clone());
        match (waiting, a % 4) {
            (Some(id), 0) => RequestOrder::Reject { id, reason },
            (Some(id), 1) => RequestOrder::Withdraw { id, reason },
            (Some(request), _) => {
                let until = b.is_multiple_of(2).then(|| self.day(3));
                RequestOrder::Approve { id: request, grant: id("added", a % 6), until, reason }
            }
            (None, _) => {
                let wish = Wish { grant: self.raw.grant(grant), reason, expires_at: UnixMs(1) };
                RequestOrder::Ask { id: id("request", requests.len()), wish }
            }
        }
    }

    fn photo_order(&self, a: usize, b: usize) -> PhotoOrder {
        let (person, reason) = (nth(&self.directory.tables().people, b), "because".to_owned());
        match (self.directory.photos().get(&person).map(|photo| photo.state), a.is_multiple_of(2)) {
            (None | Some(PhotoState::Rejected), _) => PhotoOrder::Submit { person, image: Hash([3; 32]) },
            (Some(PhotoState::Waiting), true) => PhotoOrder::Approve { person, image: Hash([3; 32]) },
            (Some(PhotoState::Waiting), false) => PhotoOrder::Reject { person, image: Hash([3; 32]), reason },
            (Some(PhotoState::Approved), _) => PhotoOrder::Reopen { person, reason },
        }
    }

    fn office_order(&self, a: usize, b: usize) -> OfficeOrder {
        let units = [nth(&self.directory.tables().units, b)].into();
        let remit = if b.is_multiple_of(3) { Remit::Campus } else { Remit::Part { units, buildings: [].into() } };
        let power = Power { role: Role::ALL[b % Role::ALL.len()], remit };
        match a % 4 {
            0 => OfficeOrder::OperatorRemove { id: nth(&self.directory.office().operators, b) },
            1 => {
                let operator = nth(&self.directory.office().operators, b);
                let token = ApiToken { operator, power, expires_at: UnixMs(1), hash: Hash([2; 32]) };
                OfficeOrder::TokenAdd { id: id("token", b % 3), token }
            }
            _ => OfficeOrder::OperatorPut { id: id("operator", b % 3), operator: Operator { name: "O".into(), power } },
        }
    }

    /// Somebody who is new, somebody who belongs elsewhere, or somebody who leaves.
    fn feed_order(&self, a: usize, b: usize, day: Option<i32>) -> FeedOrder {
        let tables = self.directory.tables();
        let id = if a.is_multiple_of(3) { id("pushed", b % 4) } else { nth(&tables.people, b) };
        let some_person = || Person {
            name: "P".into(),
            category: nth(&self.folder.policy.categories, b),
            ends_on: day.map(|day| self.day(day + 2)),
            left_on: None,
            affiliations: BTreeSet::new(),
        };
        let mut person = tables.people.get(&id).cloned().unwrap_or_else(some_person);
        match b % 3 {
            0 => person.left_on = day.map(|day| self.day(day)),
            1 => drop(person.affiliations.pop_first()),
            _ => {
                let days = DayRange { from: day.map(|day| self.day(day)), until: None };
                person.affiliations.insert(Affiliation { unit: nth(&tables.units, a), days });
            }
        }
        let alias = Alias { withdrawn: b.is_multiple_of(5), ..self.directory.alias(&id).into_owned() };
        let before = self.directory.person_version(&id);
        FeedOrder { people: [(id, Pushed { person, alias, before })].into() }
    }

    /// Somebody whom the folder had at first is in it again, with nothing but a name.
    fn bring_back(&mut self, n: usize) {
        let original = self.raw.campus().tables.people;
        let id = nth(&original, n);
        let person = Person { affiliations: BTreeSet::new(), left_on: None, ..original[&id].clone() };
        self.folder.tables.people.entry(id).or_insert(person);
    }

    fn agents(&self) -> BTreeMap<AgentId, ()> {
        self.directory.agent_ids().into_iter().map(|agent| (agent.clone(), ())).collect()
    }

    fn scope(&self, a: usize, b: usize) -> Scope {
        match a % 3 {
            0 => Scope::Campus,
            1 => Scope::Building(nth(&self.directory.tables().buildings, b)),
            _ => Scope::Door(nth(&self.directory.tables().doors, b)),
        }
    }

    fn day(&self, offset: i32) -> Day {
        day_of(self.raw.middle(), offset)
    }
}

fn day_of(middle: UnixMs, offset: i32) -> Day {
    Day(i32::try_from(middle.0 / 86_400_000).unwrap() + offset)
}

/// A key of a table; of an empty one, a name that is not known.
fn nth<K: Clone + FromStr<Err: Debug>, V>(table: &BTreeMap<K, V>, n: usize) -> K {
    table.keys().nth(n % table.len().max(1)).cloned().unwrap_or_else(|| id("no", "such"))
}

/// What an office does to its folder between two exports.
fn edit(campus: &mut Campus, step: &RawStep, middle: UnixMs) {
    let (a, b) = (step.a, step.b);
    let day = step.day.map(|offset| day_of(middle, offset));
    let Campus { policy, tables } = campus;
    let (person, door, building) = (nth(&tables.people, a), nth(&tables.doors, a), nth(&tables.buildings, a));
    let (unit, other_unit) = (nth(&tables.units, a), nth(&tables.units, b));
    let states = [CardState::Produced, CardState::Active, CardState::Suspended, CardState::Closed];
    match step.kind {
        15 | 16 => {
            let days = DayRange { from: day, until: None };
            tables.people.get_mut(&person).unwrap().affiliations.insert(Affiliation { unit: other_unit, days });
        }
        17 => {
            tables.people.get_mut(&person).unwrap().affiliations.pop_first();
        }
        18 => tables.people.get_mut(&person).unwrap().left_on = day,
        19 => tables.people.get_mut(&person).unwrap().category = nth(&policy.categories, b),
        20 if !tables.cards.is_empty() => {
            let card = nth(&tables.cards, a);
            tables.cards.get_mut(&card).unwrap().state = states[b % 4];
        }
        21 if !tables.cards.is_empty() => {
            let card = nth(&tables.cards, a);
            tables.cards.get_mut(&card).unwrap().person = nth(&tables.people, b);
        }
        22 if tables.cards.len() > 1 => {
            let card = nth(&tables.cards, a);
            tables.cards.remove(&card);
        }
        23 if tables.people.len() > 1 => {
            tables.people.remove(&person);
            tables.cards.retain(|_, card| card.person != person);
            tables.grants.retain(|_, grant| grant.subject != doorward_policy::model::Subject::Person(person.clone()));
        }
        24 if b < 8 => tables.doors.get_mut(&door).unwrap().building = nth(&tables.buildings, b),
        25 if b < 8 => tables.buildings.get_mut(&building).unwrap().agent = id("agent", b % 4),
        26 if b < 8 => {
            let door = tables.doors.get_mut(&door).unwrap();
            door.owner = (b % 2 == 0).then_some(other_unit);
            door.unlock = day.map(|_| UnlockSchedule::Always);
        }
        // Nothing hangs below itself: a unit moves only below one that is not below it.
        27 if !tables.unit_and_above(&other_unit).any(|above| *above == unit) => {
            tables.units.get_mut(&unit).unwrap().parent = Some(other_unit);
        }
        28 => {
            policy.holidays.insert(day_of(middle, 0), "h".into());
            tables.grants.pop_first();
        }
        29 if a < 3 => {
            policy.rules.pop_first();
        }
        _ => {}
    }
}

#[test]
fn every_sequence_of_commands_leaves_what_is_compiled_at_once_and_what_sleepers_catch_up_to() {
    let (taken, resumed) = (Cell::new(0), Cell::new(0));
    let outcome = runner(120).run(&(raw_campus(), vec(raw_step(), 1..40)), |(raw, steps)| {
        let mut campaign = Campaign::new(raw);
        for step in &steps {
            taken.set(taken.get() + usize::from(campaign.step(step).is_ok()));
        }
        resumed.set(resumed.get() + campaign.resume_all());
        Ok(())
    });
    assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
    assert!(taken.get() > 1500 && resumed.get() > 1500, "{} taken, {} resumed", taken.get(), resumed.get());
}

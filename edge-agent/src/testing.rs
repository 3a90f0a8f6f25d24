//! A campus of one agent with one door, for this crate's tests: its signed commits, removals and pulses.

use crate::identity::Identity;
use crate::identity::testing::{TestAuthority, certificate_authority, key};
use doorward_protocol::agent::stored::{Floor, StoredHead, Write};
use doorward_protocol::commit::{Commit, Head, Leaf, Position, Pulse};
use doorward_protocol::facts::{
    Calendar, Class, ClassDoor, Credential, CredentialState, Door, Effect, Entry, Fact, Factors,
};
use doorward_protocol::frame::{Base, ToAgent, Update};
use doorward_protocol::id::{DoorId, FunctionId, Hash, ReaderKey};
use doorward_protocol::merkle::Tree;
use doorward_protocol::removal::{Item, Removal};
use doorward_protocol::sign::Signed;
use doorward_protocol::state::{Change, State};
use doorward_protocol::time::{DayRange, UnixMs, Zone};

/// The door of the campus; its lease is one hour.
pub const DOOR: &str = "door-1";
/// A card that opens it.
pub const CARD: &str = "04AB";
/// A card that needs a PIN.
pub const CARD_WITH_PIN: &str = "04CD";

/// How long the door goes on deciding.
pub const LEASE_MS: i64 = 3_600_000;

const READER: ReaderKey = ReaderKey([9; 32]);

/// See the module.
pub struct Campus {
    pub authority: TestAuthority,
    pub identity: Identity,
}

impl Campus {
    pub fn new(addresses: Vec<String>) -> Self {
        let authority = certificate_authority();
        let identity = authority.identity("agent-1", addresses);
        Self { authority, identity }
    }

    pub fn position() -> Position {
        Position { epoch: 0, seq: 7 }
    }

    pub fn door() -> DoorId {
        DoorId::new(DOOR).unwrap()
    }

    pub fn facts() -> Vec<Fact> {
        let function = FunctionId::new("entry").unwrap();
        let class = |factors| {
            let entry = Entry { effect: Effect::Permit, days: DayRange::ALWAYS, schedule: None, factors };
            let doors = vec![ClassDoor { door: Self::door(), entries: vec![entry] }];
            Class { functions: vec![function.clone()], doors }
        };
        let (open, with_pin) = (class(Factors::NONE), class(Factors::PIN));
        let credential = |card: &str, class: &Class| {
            Fact::Credential(Credential {
                key: READER.credential_key(card),
                class: class.id().unwrap(),
                state: CredentialState::Active,
                valid: DayRange::ALWAYS,
                leaving: None,
            })
        };
        vec![
            Fact::Calendar(Calendar { zone: Zone { first_offset_s: 0, transitions: vec![] }, holidays: vec![] }),
            Fact::Reader(READER),
            Fact::Door(Door {
                door: Self::door(),
                function,
                identity: true,
                unlock: None,
                lease_ms: u64::try_from(LEASE_MS).ok(),
                lockdown: false,
            }),
            credential(CARD, &open),
            credential(CARD_WITH_PIN, &with_pin),
            Fact::Class(open.id().unwrap(), open),
            Fact::Class(with_pin.id().unwrap(), with_pin),
        ]
    }

    pub fn head(&self, at: UnixMs) -> Head {
        let digest = State::from_facts(Self::facts()).unwrap().digest();
        let leaf = Leaf { agent: self.identity.agent.clone(), key: self.identity.key.public(), digest };
        let tree = Tree::new(vec![leaf.hash().unwrap()]);
        let campus = self.identity.campus.clone();
        let commit = Commit { campus, position: Self::position(), at, previous: Hash([0; 32]), root: tree.root() };
        Head { commit: key(2).sign_value(&commit).unwrap(), leaf, path: tree.path(0).unwrap() }
    }

    /// The frames of a snapshot.
    pub fn snapshot(&self, at: UnixMs) -> Vec<ToAgent> {
        let update = Update { head: self.head(at), base: Base::Nothing, parts: 1 };
        let change = Change { removed: vec![], put: Self::facts() };
        vec![ToAgent::Update(Box::new(update)), ToAgent::Part(change)]
    }

    /// What the store holds after such a snapshot, fresh at that time.
    pub fn writes(&self, at: UnixMs) -> Vec<Write> {
        let facts = Write::ReplaceFacts(Box::new(State::from_facts(Self::facts()).unwrap()));
        let head = Write::Head(StoredHead { statement: 1, head: self.head(at) });
        let floor = Write::Floor(Floor { position: Self::position(), at, fresh_at: at });
        vec![facts, head, floor]
    }

    pub fn pulse(&self, at: UnixMs, of: UnixMs) -> ToAgent {
        let campus = self.identity.campus.clone();
        let commit = self.head(of).commit.hash();
        ToAgent::Pulse(key(2).sign_value(&Pulse { campus, position: Self::position(), commit, at }).unwrap())
    }

    /// A later suspension of the card that opens the door.
    pub fn suspension(&self, at: UnixMs) -> Signed<Removal> {
        let position = Position { epoch: 0, seq: 8 };
        let items = vec![Item::Suspend(READER.credential_key(CARD))];
        let campus = self.identity.campus.clone();
        key(2).sign_value(&Removal { campus, position, part: 0, at, items }).unwrap()
    }
}

//! Why a command is refused, each time with what would be right.

use crate::application::{ApplicationId, ApplicationState, DOCUMENTS_MAX};
use crate::command::{Scope, TextError};
use crate::desk::Cause;
use crate::model::{CardId, CardState, CardTypeId, CategoryId, GrantId, PersonId, UnitId};
use crate::number::NumberError;
use crate::office::requests::{RequestId, Standing};
use crate::office::{ApiTokenId, OperatorId, Role};
use crate::photo::PhotoState;
use crate::production::{BatchId, CampaignId, PEOPLE_MAX, RosterState};
use doorward_protocol::id::{AgentId, CampusId};
use doorward_protocol::problem::did_you_mean;
use doorward_protocol::time::{Day, UnixMs};
use std::collections::BTreeMap;
use thiserror::Error;

/// See the module. The directory is as it was.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The first entry must found the campus.
    #[error("the journal is empty; its first entry founds the campus")]
    NotFounded,
    /// Only the first entry founds the campus.
    #[error("the campus is founded already; only the first entry of a journal does that")]
    AlreadyFounded,
    /// A command needs a campus folder first.
    #[error("no campus folder was imported yet; import one first")]
    NothingImported,
    /// Something that is named is not there.
    #[error("{kind} `{id}` is not known{near}; check the spelling, or import a folder that declares it")]
    Unknown {
        /// What kind of thing.
        kind: &'static str,
        /// What was named.
        id: String,
        /// A suggestion, or nothing.
        near: String,
    },
    /// The card is closed, which is final.
    #[error("card `{0}` is closed for good; issue another card")]
    CardClosed(CardId),
    /// The card is in a state in which that cannot be done.
    #[error("card `{card}` is {}; only a card that is {needed} can be {done}", state_name(*.state))]
    CardState {
        /// Which card.
        card: CardId,
        /// Its state.
        state: CardState,
        /// The states that it would have to be in.
        needed: &'static str,
        /// What was to be done.
        done: &'static str,
    },
    /// Some card is read as this already.
    #[error("card `{0}` is there already, or was; every card is read as something of its own")]
    CardExists(CardId),
    /// The person has a card.
    #[error("person `{person}` has card `{card}`, and everyone has one; replace it, or close it first")]
    CardOpen {
        /// Whose card.
        person: PersonId,
        /// Which card.
        card: CardId,
    },
    /// The card is somebody else's.
    #[error("card `{card}` is not one of person `{person}`; a new card replaces one of the same holder")]
    OthersCard {
        /// Which card.
        card: CardId,
        /// For whom the new one is.
        person: PersonId,
    },
    /// The cause is about an old card.
    #[error("a card that is issued because the old one is {} names the old one", .0.name())]
    NothingReplaced(Cause),
    /// The cause is not about an old card.
    #[error("a card that is issued as {} replaces none; leave the old one out, or say what became of it", .0.name())]
    NothingToReplace(Cause),
    /// The type is not for that.
    #[error("cards of type `{card_type}` {}", temporary_text(*.cause))]
    TemporaryType {
        /// Which type.
        card_type: CardTypeId,
        /// Why the card was to be issued.
        cause: Cause,
    },
    /// The printed number is not one of the type.
    #[error("the number {0}")]
    Number(String),
    /// No printed number can be made.
    #[error(transparent)]
    NoNumber(#[from] NumberError),
    /// The card would not be valid for longer.
    #[error("card `{card}` {}, which is no earlier than {until}; give a later day", last_day_text(*.last))]
    NoExtension {
        /// Which card.
        card: CardId,
        /// Its last day.
        last: Option<Day>,
        /// What was asked for.
        until: Day,
    },
    /// Who is here is not erased.
    #[error(
        "person `{person}` {what}; once affiliations have ended and neither folder nor feed names the person, nothing stands in the way"
    )]
    StillHere {
        /// Who.
        person: PersonId,
        /// What stands in the way.
        what: &'static str,
    },
    /// The pseudonym is somebody's, or none.
    #[error("`{0}` is no pseudonym that is free")]
    NoAlias(PersonId),
    /// The photo cannot be replaced.
    #[error("the photo of person `{0}` is approved and locked; reopen it first")]
    PhotoLocked(PersonId),
    /// The photo is not the one that was seen.
    #[error("another photo of person `{0}` has come since; look at that one")]
    PhotoReplaced(PersonId),
    /// The photo does not stand so that this could be done.
    #[error("{} of person `{person}`{}; only one that waits can be decided, and only an approved one reopened", photo_text(*.state).0, photo_text(*.state).1)]
    PhotoState {
        /// Of whom.
        person: PersonId,
        /// Where it stands; `None`: there is none.
        state: Option<PhotoState>,
    },
    /// The campus gives such people no such cards.
    #[error("campus.toml gives no cards of type `{card_type}` to the category `{category}`, but: {}", if .entitled.is_empty() { "nothing" } else { .entitled })]
    NotEntitled {
        /// Of whom.
        category: CategoryId,
        /// Which cards.
        card_type: CardTypeId,
        /// What they get.
        entitled: String,
    },
    /// The card needs an application.
    #[error(
        "a card of type `{card_type}` for person `{person}` needs an approved application, which the role {approved_by} approves; \
         make it with `doorward application make`"
    )]
    NoApplication {
        /// For whom.
        person: PersonId,
        /// Which card.
        card_type: CardTypeId,
        /// Who would approve it.
        approved_by: Role,
    },
    /// The application lacks papers.
    #[error("the application lacks: {}; campus.toml asks for it", .0.join(", "))]
    DocumentsMissing(Vec<String>),
    /// So many papers are not taken.
    #[error("{0} documents are named; at most {DOCUMENTS_MAX} are kept")]
    TooManyDocuments(usize),
    /// An application of this name is there.
    #[error("application `{0}` is there already; choose another name")]
    ApplicationExists(ApplicationId),
    /// The application is decided.
    #[error("application `{id}` is {}; only one that waits can be decided, so apply anew", .state.name())]
    ApplicationDecided {
        /// Which.
        id: ApplicationId,
        /// Where it stands.
        state: ApplicationState,
    },
    /// Some of the people who are named cannot be.
    #[error("{people}: {what}")]
    People {
        /// Some of them.
        people: String,
        /// What they are.
        what: &'static str,
    },
    /// There would be no card to make.
    #[error("nobody is on it whose card could be made; put people on a roster, confirm it, and accept it")]
    NobodyToOrder,
    /// So many are not taken at once.
    #[error("{0} people are named; at most {PEOPLE_MAX} go into one roster, one order and one batch")]
    TooManyPeople(usize),
    /// Everyone is on one roster of a campaign.
    #[error("person `{person}` is on the roster of unit `{unit}` for this campaign; take them off there first")]
    OnAnotherRoster {
        /// Who.
        person: PersonId,
        /// Whose roster that is.
        unit: UnitId,
    },
    /// The roster does not stand so that this could be done.
    #[error("the roster of unit `{unit}` for campaign `{campaign}` is {}; {}", .state.name(), roster_text(*.state))]
    RosterState {
        /// Of which campaign.
        campaign: CampaignId,
        /// Whose roster.
        unit: UnitId,
        /// Where it stands.
        state: RosterState,
    },
    /// A batch of this name is there.
    #[error("batch `{0}` is there already; choose another name")]
    BatchExists(BatchId),
    /// A grant of this name is there.
    #[error("grant `{0}` is there already; end it first, or choose another id")]
    GrantExists(GrantId),
    /// A request of this name is there.
    #[error("request `{0}` is there already; choose another id")]
    RequestExists(RequestId),
    /// The request does not wait for a decision.
    #[error("request `{id}` is {}; only one that waits can be decided or withdrawn, so ask anew", .standing.name())]
    RequestDecided {
        /// Which request.
        id: RequestId,
        /// Where it stands.
        standing: Standing,
    },
    /// An API token of this name is there.
    #[error("API token `{0}` is there already; end it first, or choose another name")]
    ApiTokenExists(ApiTokenId),
    /// The name stands for somebody else in the journal.
    #[error("`{0}` stands for the authority's owner or the authority itself in the journal; choose another name")]
    ReservedName(OperatorId),
    /// An operator of the identity provider, who shows there who it is.
    #[error(
        "`{0}` signs in by the identity provider, and has no password and no API token here; add an operator of another name"
    )]
    OfProvider(OperatorId),
    /// A remit that nothing lies in.
    #[error("a remit without units and buildings extends to nothing; name some, or the whole campus")]
    EmptyRemit,
    /// The days of a grant end before they begin.
    #[error("the first day {from} is after the last day {until}; swap them")]
    NoDays {
        /// First day.
        from: Day,
        /// Last day.
        until: Day,
    },
    /// A unit lies within itself.
    #[error("a grant to a unit holds only for its people anyway; leave `within` out")]
    UnitWithinUnit,
    /// The schedule `always` is written by leaving the schedule out.
    #[error("`always` is no schedule of its own; leave the schedule out")]
    AlwaysIsNoSchedule,
    /// A lockdown is in force.
    #[error("{0} is locked down already; release it, or leave it so")]
    LockdownInForce(Scope),
    /// No such lockdown is in force.
    #[error("no lockdown of {scope} is in force; {}", in_force_text(.in_force))]
    LockdownNotInForce {
        /// What was to be released.
        scope: Scope,
        /// What could be released.
        in_force: Vec<Scope>,
    },
    /// The agent was not enrolled or is struck off.
    #[error("agent `{0}` has neither joined nor been given a token; there is nothing to remove")]
    AgentNotThere(AgentId),
    /// The token is not one that waits for this agent.
    #[error(
        "the token is not the one that agent `{0}` was given last, or it was used; make a new one with `doorward agent add {0}`"
    )]
    TokenUnknown(AgentId),
    /// The token has expired.
    #[error("the token for agent `{agent}` expired at {}; make a new one with `doorward agent add {agent}`", .expired_at.to_utc_text())]
    TokenExpired {
        /// Which agent.
        agent: AgentId,
        /// When.
        expired_at: UnixMs,
    },
    /// The token would expire before it is given.
    #[error("the token would have expired when it is given; choose a later instant than {}", .at.to_utc_text())]
    ExpiryPast {
        /// The instant of the command.
        at: UnixMs,
    },
    /// Another agent has that key.
    #[error("agent `{0}` has that key; every agent makes a key of its own")]
    KeyInUse(AgentId),
    /// A reason or name is no plain text.
    #[error("{what} {error}")]
    Text {
        /// Which text.
        what: &'static str,
        /// What is wrong with it.
        error: TextError,
    },
    /// The folder is of another campus.
    #[error("the folder is of campus `{found}`, this is campus `{present}`; nothing moves between campuses")]
    OtherCampus {
        /// This campus.
        present: CampusId,
        /// The folder's.
        found: CampusId,
    },
    /// A category leaves the policy and somebody still has it.
    #[error("category `{category}` is declared no more, but person `{person}` is on record with it; keep it declared")]
    CategoryInUse {
        /// Which category.
        category: CategoryId,
        /// Who has it.
        person: PersonId,
    },
    /// A feed pushes nobody, or too many at once.
    #[error("{0} people are pushed at once; push 1 to {max}", max = crate::feed::PEOPLE_MAX)]
    FeedSize(usize),
    /// The person is not as it was when the order was worked out.
    #[error("person `{0}` has changed meanwhile; look again")]
    PersonChanged(PersonId),
    /// Somebody else has that name.
    #[error("user name `{0}` is somebody else's; every person has one of its own")]
    UserNameTaken(String),
    /// Nobody belongs to that many units.
    #[error("person `{0}` has more affiliations than {max}; end some", max = crate::feed::AFFILIATIONS_MAX)]
    TooManyAffiliations(PersonId),
    /// The instant has no local day, so nobody can leave on it.
    #[error("{} has no local day here; set the clock right", .0.to_utc_text())]
    NoDay(UnixMs),
    /// Another import came between.
    #[error("the difference builds on the import of entry {base}, the last one is entry {present}; plan it again")]
    ImportOvertaken {
        /// What it builds on.
        base: u64,
        /// What is there.
        present: u64,
    },
    /// The time zone is not in the bundled database.
    #[error("time zone `{0}` is not in the bundled database; an IANA name such as Asia/Seoul is")]
    UnknownTimeZone(String),
    /// Time would run backwards.
    #[error("the entry is of {}, the last one of {}; set the clock right", .at.to_utc_text(), .head.to_utc_text())]
    TimeRunsBackwards {
        /// Of this entry.
        at: UnixMs,
        /// Of the last entry.
        head: UnixMs,
    },
    /// An entry is missing or there twice.
    #[error("entry {found} cannot come after entry {head}; the next one has the next number")]
    NotNext {
        /// Number of the last entry.
        head: u64,
        /// Number of this one.
        found: u64,
    },
}

impl Refusal {
    /// Refuses a name that a table does not have, with what it may have meant.
    pub(crate) fn unless_known<K: Ord + AsRef<str>, V>(
        kind: &'static str,
        id: &K,
        table: &BTreeMap<K, V>,
    ) -> Result<(), Self> {
        if table.contains_key(id) { Ok(()) } else { Err(Self::unknown(kind, id.as_ref(), table.keys())) }
    }

    /// A name is not known; `known` are the names that are.
    pub(crate) fn unknown<'a, K: AsRef<str> + 'a>(
        kind: &'static str,
        id: &str,
        known: impl Iterator<Item = &'a K>,
    ) -> Self {
        Self::Unknown { kind, id: id.to_owned(), near: did_you_mean(id, known.map(AsRef::as_ref)) }
    }
}

const fn state_name(state: CardState) -> &'static str {
    match state {
        CardState::Produced => "produced, not yet activated",
        CardState::Active => "active",
        CardState::Suspended => "suspended",
        CardState::Closed => "closed",
    }
}

const fn temporary_text(cause: Cause) -> &'static str {
    match cause {
        Cause::Temporary => "stand in for no other card; choose a type with `temporary = true` in campus.toml",
        Cause::First
        | Cause::Lost
        | Cause::Stolen
        | Cause::Damaged
        | Cause::Destroyed
        | Cause::DepartmentChange
        | Cause::RoleChange
        | Cause::NotWorking => "only stand in for another card; issue it as temporary, or choose another type",
    }
}

const fn photo_text(state: Option<PhotoState>) -> (&'static str, &'static str) {
    match state {
        None => ("there is no photo", ""),
        Some(PhotoState::Waiting) => ("the photo", " waits"),
        Some(PhotoState::Approved) => ("the photo", " is approved"),
        Some(PhotoState::Rejected) => ("the photo", " is rejected"),
    }
}

const fn roster_text(state: RosterState) -> &'static str {
    match state {
        RosterState::Open => "its unit has to confirm it first",
        RosterState::Confirmed => "the card office accepts it, or gives it back to be changed",
        RosterState::Accepted => "the card office can give it back until its cards are ordered",
    }
}

fn last_day_text(last: Option<Day>) -> String {
    last.map_or_else(|| "is valid without end".to_owned(), |day| format!("is valid through {day}"))
}

fn in_force_text(scopes: &[Scope]) -> String {
    if scopes.is_empty() {
        return "none is".to_owned();
    }
    let names: Vec<_> = scopes.iter().map(ToString::to_string).collect();
    format!("locked down are {}", names.join(", "))
}

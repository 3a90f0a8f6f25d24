//! The chain of sentences from door and card to the decision, in the order of the table of campus-format.
//!
//! Deliberately says of each rule that is about the door what is met and what is missing, so that a reader who expected
//! another answer sees at which link it broke.

use super::phrases::{Phrases, fill};
use crate::command::Scope;
use crate::directory::Directory;
use crate::model::{Card, CardId, CardState, Category, Door, Person, Policy, Rule, Tables, UnlockSchedule};
use crate::reference::Moment;
use doorward_protocol::decide::Reason;
use doorward_protocol::facts::{Effect, Factors};
use doorward_protocol::id::DoorId;
use doorward_protocol::problem::near;
use doorward_protocol::time::Local;

/// How many rules that do not match a chain shows: the nearest ones.
const NEAR_RULES_MAX: usize = 8;

/// What is explained.
pub struct Chain<'a> {
    pub directory: &'a Directory,
    pub policy: &'a Policy,
    pub moment: &'a Moment<'a>,
    pub door: &'a DoorId,
    pub card: &'a CardId,
    pub local: Local,
    pub phrases: &'a Phrases,
}

/// One rule or grant that is about the door, and how far it applies.
struct Link {
    name: String,
    effect: Effect,
    met: Vec<String>,
    missing: Vec<String>,
    /// Whether it matches, `when` and `factors` left aside.
    matches: bool,
    /// What of `when` and `factors` is not given now.
    not_now: Vec<String>,
}

impl Chain<'_> {
    fn tables(&self) -> &Tables {
        self.directory.tables()
    }

    /// The chain for a decision that is already known.
    pub fn sentences(&self, reason: Reason) -> Vec<String> {
        let Some(door) = self.tables().doors.get(self.door) else { return Vec::new() };
        let mut sentences = vec![self.about_door(door)];
        if reason == Reason::Lockdown {
            let scopes = self.directory.lockdowns().iter();
            let scopes = scopes.filter(|scope| self.directory.doors_in(scope).any(|inside| inside == self.door));
            let scopes = self.phrases.any_of(scopes.map(|scope| self.scope(scope)));
            sentences.push(fill(self.phrases.lockdown, &[("scopes", &scopes)]));
            return sentences;
        }
        if let Some(unlock) = &door.unlock {
            sentences.push(self.about_unlock(unlock, reason == Reason::Unlocked));
        }
        if reason == Reason::Unlocked {
            return sentences;
        }
        let card = self.tables().cards.get(self.card);
        let Some((card, person)) = card.and_then(|card| Some((card, self.tables().people.get(&card.person)?))) else {
            let near = near(self.card.as_str(), self.tables().cards.keys().map(AsRef::as_ref));
            let near = near.map(|name| fill(self.phrases.near, &[("name", &name)])).unwrap_or_default();
            sentences.push(fill(self.phrases.unknown_card, &[("card", self.card.as_str()), ("near", &near)]));
            return sentences;
        };
        sentences.push(self.about_card(card));
        sentences.push(self.about_person(card, person));
        match reason {
            Reason::FunctionNotOnCard => sentences.push(self.about_functions(card, door)),
            Reason::Ended => sentences.push(self.about_leaving(person, door)),
            Reason::Excluded
            | Reason::NoPermission
            | Reason::OutsideSchedule
            | Reason::FactorRequired
            | Reason::Granted => self.add_rules(card, person, reason, &mut sentences),
            Reason::NoState
            | Reason::LeaseEnded
            | Reason::ClockUntrusted
            | Reason::NotRecorded
            | Reason::Lockdown
            | Reason::Unlocked
            | Reason::UnknownCredential
            | Reason::Closed
            | Reason::NotActivated
            | Reason::Suspended
            | Reason::NotYetValid
            | Reason::Expired => {}
        }
        sentences
    }

    fn scope(&self, scope: &Scope) -> String {
        match scope {
            Scope::Campus => self.phrases.scope_campus.to_owned(),
            Scope::Building(id) => fill(self.phrases.scope_building, &[("id", id.as_str())]),
            Scope::Door(id) => fill(self.phrases.scope_door, &[("id", id.as_str())]),
        }
    }

    fn about_door(&self, door: &Door) -> String {
        let building = self.tables().buildings.get(&door.building);
        let building =
            building.map_or_else(|| door.building.to_string(), |known| format!("{} ({})", door.building, known.name));
        let owner = self.moment.owner().map(|owner| fill(self.phrases.owner, &[("owner", owner.as_str())]));
        let values = [
            ("door", self.door.as_str()),
            ("name", &door.name),
            ("building", &building),
            ("function", door.function.as_str()),
            ("owner", owner.as_deref().unwrap_or(self.phrases.no_owner)),
        ];
        fill(self.phrases.door, &values)
    }

    fn about_unlock(&self, unlock: &UnlockSchedule, holds: bool) -> String {
        let (sentence, name) = match (unlock, holds) {
            (UnlockSchedule::Always, _) => return self.phrases.unlock_always.to_owned(),
            (UnlockSchedule::Named(name), true) => (self.phrases.unlock_holds, name),
            (UnlockSchedule::Named(name), false) => (self.phrases.unlock_not_now, name),
        };
        fill(sentence, &[("schedule", &self.phrases.schedule(self.policy, name))])
    }

    fn about_card(&self, card: &Card) -> String {
        let phrases = self.phrases;
        let state = match card.state {
            CardState::Produced => phrases.produced,
            CardState::Active => phrases.active,
            CardState::Suspended => phrases.suspended,
            CardState::Closed => phrases.closed,
        };
        let last_day = self.tables().last_day_of(card, self.policy);
        let validity = match last_day {
            None => phrases.valid_open,
            Some(last) if last < card.issued_on => phrases.valid_never,
            Some(_) => phrases.valid,
        };
        let (from, last) = (card.issued_on.to_string(), last_day.map(|day| day.to_string()).unwrap_or_default());
        let validity = fill(validity, &[("from", &from), ("last", &last)]);
        let today = self.local.day;
        let now = if card.state != CardState::Active {
            ""
        } else if today < card.issued_on {
            phrases.to_come
        } else if last_day.is_some_and(|last| last < today) {
            phrases.has_passed
        } else {
            ""
        };
        let values = [
            ("card", self.card.as_str()),
            ("card_type", card.card_type.as_str()),
            ("person", card.person.as_str()),
            ("state", state),
            ("validity", &validity),
            ("now", now),
        ];
        fill(phrases.card, &values)
    }

    fn about_person(&self, card: &Card, person: &Person) -> String {
        let phrases = self.phrases;
        let units: Vec<_> = person
            .affiliations
            .iter()
            .map(|affiliation| {
                let now = if self.moment.is_today(&affiliation.days) { "" } else { phrases.not_today };
                format!("{}{}{now}", affiliation.unit, phrases.days(&affiliation.days))
            })
            .collect();
        let in_units = fill(phrases.in_units, &[("units", &units.join("; "))]);
        let left = person.left_on.map(|day| fill(phrases.left, &[("day", &day.to_string())]));
        let values = [
            ("person", card.person.as_str()),
            ("name", &person.name),
            ("category", person.category.as_str()),
            ("left", left.as_deref().unwrap_or_default()),
            ("units", if units.is_empty() { phrases.no_unit } else { &in_units }),
        ];
        fill(phrases.person, &values)
    }

    fn about_functions(&self, card: &Card, door: &Door) -> String {
        let functions = self.policy.card_types.get(&card.card_type).map(|card_type| &card_type.functions);
        let functions = functions.filter(|functions| !functions.is_empty());
        let has = functions.map_or_else(
            || self.phrases.no_function.to_owned(),
            |functions| functions.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(self.phrases.comma),
        );
        let values =
            [("card_type", card.card_type.as_str()), ("functions", &has), ("function", door.function.as_str())];
        fill(self.phrases.lacks_function, &values)
    }

    fn about_leaving(&self, person: &Person, door: &Door) -> String {
        let left = person.left_on.map(|day| day.to_string()).unwrap_or_default();
        let is_identity = self.policy.functions.get(&door.function).is_none_or(|function| function.identity);
        let sentence = if is_identity { self.phrases.left_identity } else { self.phrases.left_grace };
        let category = self.policy.categories.get(&person.category);
        let days = category.map_or(0, |category: &Category| category.grace_days).to_string();
        fill(sentence, &[("day", &left), ("function", door.function.as_str()), ("days", &days)])
    }

    fn add_rules(&self, card: &Card, person: &Person, reason: Reason, sentences: &mut Vec<String>) {
        let phrases = self.phrases;
        let rules =
            self.policy.rules.iter().map(|(id, rule)| (fill(phrases.rule, &[("id", id.as_str())]), rule.clone()));
        let grants = self
            .tables()
            .grants
            .iter()
            .map(|(id, grant)| (fill(phrases.grant, &[("id", id.as_str())]), grant.as_rule()));
        let named = rules.chain(grants).filter(|(_, rule)| self.moment.names_door(rule));
        let mut links: Vec<Link> = named.map(|(name, rule)| self.link(name, &rule, card, person)).collect();
        // The links that decide come first: a deny that holds, then what got farthest.
        links
            .sort_by_key(|link| (link.effect == Effect::Permit, !link.matches, link.missing.len(), link.not_now.len()));
        let (matching, others): (Vec<Link>, Vec<Link>) = links.into_iter().partition(|link| link.matches);
        if matching.is_empty() && others.is_empty() {
            sentences.push(phrases.no_rule.to_owned());
        }
        sentences.extend(matching.iter().map(|link| link.sentence(phrases)));
        if matches!(reason, Reason::NoPermission) {
            let permits = others.iter().filter(|link| link.effect == Effect::Permit);
            sentences.extend(permits.clone().take(NEAR_RULES_MAX).map(|link| link.sentence(phrases)));
            let more = permits.count().saturating_sub(NEAR_RULES_MAX);
            if more > 0 {
                sentences.push(fill(phrases.more_rules, &[("count", &more.to_string())]));
            }
        }
    }

    fn link(&self, name: String, rule: &Rule, card: &Card, person: &Person) -> Link {
        let phrases = self.phrases;
        let (mut met, mut missing, mut not_now) = (Vec::new(), Vec::new(), Vec::new());
        let mut tell = |is_met: bool, yes: String, no: String| if is_met { met.push(yes) } else { missing.push(no) };
        let who = &rule.who;
        if let Some(categories) = &who.categories {
            let named = phrases.any_of(categories);
            let (yes, no) =
                (fill(phrases.is, &[("what", person.category.as_str())]), fill(phrases.is_not, &[("what", &named)]));
            tell(categories.contains(&person.category), yes, no);
        }
        if let Some(units) = &who.units {
            let known = units.iter().find(|unit| self.moment.is_affiliated(person, unit));
            let found = known.map(|unit| fill(phrases.is_in, &[("unit", unit.as_str())])).unwrap_or_default();
            tell(known.is_some(), found, fill(phrases.is_not_in, &[("units", &phrases.any_of(units))]));
        }
        if let Some(people) = &who.people {
            let is_named = people.contains(&card.person);
            tell(is_named, phrases.is_named.to_owned(), fill(phrases.is_not, &[("what", &phrases.any_of(people))]));
        }
        if let Some(card_types) = &who.card_types {
            let named = phrases.any_of(card_types);
            let has = fill(phrases.holds, &[("card_type", card.card_type.as_str())]);
            tell(card_types.contains(&card.card_type), has, fill(phrases.holds_no, &[("card_types", &named)]));
        }
        if who.affiliated_to_owner {
            let owner = self.moment.owner();
            let is_in = owner.is_some_and(|owner| self.moment.is_affiliated(person, owner));
            let owner = owner.map(|owner| fill(phrases.the_owner, &[("owner", owner.as_str())]));
            let owner = owner.as_deref().unwrap_or(phrases.lacking_owner);
            tell(is_in, fill(phrases.is_in, &[("unit", owner)]), fill(phrases.is_not_in, &[("units", owner)]));
        }
        if !self.moment.is_today(&rule.days) {
            missing.push(fill(phrases.other_day, &[("days", &phrases.days(&rule.days))]));
        }
        if let Some(when) = &rule.when {
            let schedule = phrases.schedule(self.policy, when);
            if self.moment.is_in_schedule(Some(when)) == Some(true) {
                met.push(fill(phrases.holds_now, &[("schedule", &schedule)]));
            } else {
                not_now.push(fill(phrases.not_now, &[("schedule", &schedule)]));
            }
        }
        // A deny asks for no factors.
        if rule.factors != Factors::NONE && rule.effect == Effect::Permit {
            not_now.push(fill(phrases.needs_factors, &[("factors", &rule.factors.to_string())]));
        }
        let matches = self.moment.rule_matches(rule, card, person);
        Link { name, effect: rule.effect, met, missing, matches, not_now }
    }
}

impl Link {
    fn sentence(&self, phrases: &Phrases) -> String {
        let (does, to_others, would) = match self.effect {
            Effect::Permit => (phrases.permits, phrases.permits_others, phrases.would_permit),
            Effect::Deny => (phrases.denies, phrases.denies_others, phrases.would_deny),
        };
        let sentence = match (self.matches, self.not_now.is_empty()) {
            (false, _) => to_others,
            (true, true) => does,
            (true, false) => would,
        };
        let met = if self.met.is_empty() { phrases.anyone.to_owned() } else { self.met.join(phrases.comma) };
        let values = [
            ("rule", self.name.as_str()),
            ("met", &met),
            ("missing", &self.missing.join(phrases.and)),
            ("not_now", &self.not_now.join(phrases.and)),
        ];
        fill(sentence, &values)
    }
}

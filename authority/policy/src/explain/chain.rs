//! The chain of sentences from door and card to the decision, in the order of the table of campus-format.
//!
//! Deliberately says of each rule that is about the door what is met and what is missing, so that a reader who expected
//! another answer sees at which link it broke.

use super::words::{any_of, days, schedule};
use crate::directory::{Directory, Refusal};
use crate::model::{Card, CardId, CardState, Category, Door, Person, Policy, Rule, Tables, UnlockSchedule};
use crate::reference::Moment;
use doorward_protocol::decide::Reason;
use doorward_protocol::facts::{Effect, Factors};
use doorward_protocol::id::DoorId;
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
            sentences.push(format!("A lockdown of {} is in force, so it opens for nobody.", any_of(scopes)));
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
            let unknown = Refusal::unknown("card", self.card.as_str(), self.tables().cards.keys());
            sentences.push(format!("Nobody knows this card: {unknown}."));
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

    fn about_door(&self, door: &Door) -> String {
        let building = self.tables().buildings.get(&door.building);
        let building_name = building.map(|building| format!(" ({})", building.name)).unwrap_or_default();
        let owner =
            self.moment.owner().map_or_else(|| "has no owner".to_owned(), |owner| format!("belongs to {owner}"));
        let Door { name, building, function, .. } = door;
        format!("Door {} ({name}) in building {building}{building_name} needs {function} and {owner}.", self.door)
    }

    fn about_unlock(&self, unlock: &UnlockSchedule, holds: bool) -> String {
        match (unlock, holds) {
            (UnlockSchedule::Always, _) => "It opens for anyone at all times.".to_owned(),
            (UnlockSchedule::Named(name), true) => {
                format!("It opens for anyone while {} holds, as it does now.", schedule(self.policy, name))
            }
            (UnlockSchedule::Named(name), false) => {
                format!("It opens for anyone while {} holds, which it does not now.", schedule(self.policy, name))
            }
        }
    }

    fn about_card(&self, card: &Card) -> String {
        let state = match card.state {
            CardState::Produced => "not yet activated",
            CardState::Active => "active",
            CardState::Suspended => "suspended",
            CardState::Closed => "closed for good",
        };
        let last_day = self.tables().last_day_of(card, self.policy);
        let validity = match last_day {
            None => format!("valid from {} on without end", card.issued_on),
            Some(last) if last < card.issued_on => format!("valid on no day: issued on {}", card.issued_on),
            Some(last) => format!("valid from {} through {last}", card.issued_on),
        };
        let today = self.local.day;
        let now = if card.state != CardState::Active {
            ""
        } else if today < card.issued_on {
            ", which is still to come"
        } else if last_day.is_some_and(|last| last < today) {
            ", which has passed"
        } else {
            ""
        };
        format!(
            "Card {} is a {} of person {}; it is {state} and {validity}{now}.",
            self.card, card.card_type, card.person
        )
    }

    fn about_person(&self, card: &Card, person: &Person) -> String {
        let affiliations: Vec<_> = person
            .affiliations
            .iter()
            .map(|affiliation| {
                let now = if self.moment.is_today(&affiliation.days) { "" } else { ", not today" };
                format!("{}{}{now}", affiliation.unit, days(&affiliation.days))
            })
            .collect();
        let affiliations = if affiliations.is_empty() {
            "is in no unit".to_owned()
        } else {
            format!("is in {}", affiliations.join("; "))
        };
        let left = person.left_on.map(|day| format!(", left on {day}")).unwrap_or_default();
        format!("Person {} ({}) is {}{left}, and {affiliations}.", card.person, person.name, person.category)
    }

    fn about_functions(&self, card: &Card, door: &Door) -> String {
        let functions = self.policy.card_types.get(&card.card_type).map(|card_type| &card_type.functions);
        let functions = functions.filter(|functions| !functions.is_empty());
        let has = functions.map_or_else(
            || "no function".to_owned(),
            |functions| functions.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", "),
        );
        format!("A {} has {has}: not {}, which the door needs.", card.card_type, door.function)
    }

    fn about_leaving(&self, person: &Person, door: &Door) -> String {
        let left = person.left_on.map(|day| day.to_string()).unwrap_or_default();
        let is_identity = self.policy.functions.get(&door.function).is_none_or(|function| function.identity);
        if is_identity {
            return format!("The holder left on {left}, and {} ends on that day.", door.function);
        }
        let grace_days =
            self.policy.categories.get(&person.category).map_or(0, |category: &Category| category.grace_days);
        format!("The holder left on {left}, and {} went on for {grace_days} days after it.", door.function)
    }

    fn add_rules(&self, card: &Card, person: &Person, reason: Reason, sentences: &mut Vec<String>) {
        let rules = self.policy.rules.iter().map(|(id, rule)| (format!("Rule {id}"), rule.clone()));
        let grants = self.tables().grants.iter().map(|(id, grant)| (format!("Grant {id}"), grant.as_rule()));
        let named = rules.chain(grants).filter(|(_, rule)| self.moment.names_door(rule));
        let mut links: Vec<Link> = named.map(|(name, rule)| self.link(name, &rule, card, person)).collect();
        // The links that decide come first: a deny that holds, then what got farthest.
        links
            .sort_by_key(|link| (link.effect == Effect::Permit, !link.matches, link.missing.len(), link.not_now.len()));
        let (matching, others): (Vec<Link>, Vec<Link>) = links.into_iter().partition(|link| link.matches);
        if matching.is_empty() && others.is_empty() {
            sentences.push("No rule and no grant is about this door.".to_owned());
        }
        sentences.extend(matching.iter().map(Link::sentence));
        if matches!(reason, Reason::NoPermission) {
            let permits = others.iter().filter(|link| link.effect == Effect::Permit);
            sentences.extend(permits.clone().take(NEAR_RULES_MAX).map(Link::sentence));
            let more = permits.count().saturating_sub(NEAR_RULES_MAX);
            if more > 0 {
                sentences.push(format!("{more} more rules and grants about this door name somebody else, too."));
            }
        }
    }

    fn link(&self, name: String, rule: &Rule, card: &Card, person: &Person) -> Link {
        let (mut met, mut missing, mut not_now) = (Vec::new(), Vec::new(), Vec::new());
        let mut tell = |is_met: bool, yes: String, no: String| if is_met { met.push(yes) } else { missing.push(no) };
        let who = &rule.who;
        if let Some(categories) = &who.categories {
            let named = any_of(categories);
            tell(categories.contains(&person.category), format!("is {}", person.category), format!("is not {named}"));
        }
        if let Some(units) = &who.units {
            let known = units.iter().find(|unit| self.moment.is_affiliated(person, unit));
            let found = known.map(|unit| format!("is in {unit} or below it")).unwrap_or_default();
            tell(known.is_some(), found, format!("is not in {} today", any_of(units)));
        }
        if let Some(people) = &who.people {
            let is_named = people.contains(&card.person);
            tell(is_named, "is named".to_owned(), format!("is not {}", any_of(people)));
        }
        if let Some(card_types) = &who.card_types {
            let named = any_of(card_types);
            let has = format!("holds a {}", card.card_type);
            tell(card_types.contains(&card.card_type), has, format!("holds no {named}"));
        }
        if who.affiliated_to_owner {
            let owner = self.moment.owner();
            let is_in = owner.is_some_and(|owner| self.moment.is_affiliated(person, owner));
            let owner =
                owner.map_or_else(|| "an owner, which the door lacks".to_owned(), |owner| format!("the owner {owner}"));
            tell(is_in, format!("is in {owner} or below it"), format!("is not in {owner} today"));
        }
        if !self.moment.is_today(&rule.days) {
            missing.push(format!("is asked on a day when it does not apply: it does{}", days(&rule.days)));
        }
        if let Some(when) = rule.when.as_ref().filter(|when| self.moment.is_in_schedule(Some(when)) != Some(true)) {
            not_now.push(format!("its {} does not hold now", schedule(self.policy, when)));
        } else if let Some(when) = &rule.when {
            met.push(format!("comes while {} holds", schedule(self.policy, when)));
        }
        // A deny asks for no factors.
        if rule.factors != Factors::NONE && rule.effect == Effect::Permit {
            not_now.push(format!("it needs {} beside the card", rule.factors));
        }
        let matches = self.moment.rule_matches(rule, card, person);
        Link { name, effect: rule.effect, met, missing, matches, not_now }
    }
}

impl Link {
    fn sentence(&self) -> String {
        let verb = match self.effect {
            Effect::Permit => "permits",
            Effect::Deny => "denies",
        };
        let met = if self.met.is_empty() { "may be anyone".to_owned() } else { self.met.join(", ") };
        if !self.matches {
            return format!("{} {verb} somebody else: the holder {}.", self.name, self.missing.join(", and "));
        }
        if self.not_now.is_empty() {
            return format!("{} {verb} it: the holder {met}.", self.name);
        }
        format!(
            "{} would {} it, for the holder {met}, but {}.",
            self.name,
            verb.trim_end_matches('s'),
            self.not_now.join(", and ")
        )
    }
}

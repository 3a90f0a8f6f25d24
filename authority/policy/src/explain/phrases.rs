//! The sentences of an explanation, with places for what they are about, and the English ones.
//!
//! Deliberately a value that is handed in: who speaks another language brings sentences of the same places (the console does).

/// Makes the struct of all sentences and its English value.
macro_rules! phrases {
    ($($name:ident: $english:literal;)+) => {
        /// What an explanation is put together from, by what it is for; `{name}` is a place.
        #[derive(Debug)]
        #[expect(missing_docs, reason = "the English sentence beside each name says what it is for")]
        pub struct Phrases {
            $(pub $name: &'static str,)+
        }

        impl Phrases {
            /// In English.
            pub const ENGLISH: Self = Self { $($name: $english,)+ };

            /// All of them, each with its name.
            #[must_use]
            pub fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name),)+]
            }
        }
    };
}

phrases! {
    door: "Door {door} ({name}) in building {building} needs {function} and {owner}.";
    owner: "belongs to {owner}";
    no_owner: "has no owner";
    lockdown: "A lockdown of {scopes} is in force, so it opens for nobody.";
    scope_campus: "the campus";
    scope_building: "building {id}";
    scope_door: "door {id}";
    unlock_always: "It opens for anyone at all times.";
    unlock_holds: "It opens for anyone while {schedule} holds, as it does now.";
    unlock_not_now: "It opens for anyone while {schedule} holds, which it does not now.";
    unknown_card: "Nobody knows card {card}{near}.";
    near: " (did you mean {name}?)";
    card: "Card {card} is a {card_type} of person {person}; it is {state} and {validity}{now}.";
    produced: "not yet activated";
    active: "active";
    suspended: "suspended";
    closed: "closed for good";
    valid_open: "valid from {from} on without end";
    valid_never: "valid on no day: issued on {from}";
    valid: "valid from {from} through {last}";
    to_come: ", which is still to come";
    has_passed: ", which has passed";
    person: "Person {person} ({name}) is {category}{left}, and {units}.";
    left: ", left on {day}";
    in_units: "is in {units}";
    no_unit: "is in no unit";
    not_today: ", not today";
    lacks_function: "A {card_type} has {functions}: not {function}, which the door needs.";
    no_function: "no function";
    left_identity: "The holder left on {day}, and {function} ends on that day.";
    left_grace: "The holder left on {day}, and {function} went on for {days} days after it.";
    no_rule: "No rule and no grant is about this door.";
    more_rules: "{count} more rules and grants about this door name somebody else, too.";
    rule: "Rule {id}";
    grant: "Grant {id}";
    is: "is {what}";
    is_not: "is not {what}";
    is_in: "is in {unit} or below it";
    is_not_in: "is not in {units} today";
    is_named: "is named";
    holds: "holds a {card_type}";
    holds_no: "holds no {card_types}";
    the_owner: "the owner {owner}";
    lacking_owner: "an owner, which the door lacks";
    other_day: "is asked on a day when it does not apply: it does{days}";
    holds_now: "comes while {schedule} holds";
    not_now: "its {schedule} does not hold now";
    needs_factors: "it needs {factors} beside the card";
    anyone: "may be anyone";
    permits: "{rule} permits it: the holder {met}.";
    denies: "{rule} denies it: the holder {met}.";
    permits_others: "{rule} permits somebody else: the holder {missing}.";
    denies_others: "{rule} denies somebody else: the holder {missing}.";
    would_permit: "{rule} would permit it, for the holder {met}, but {not_now}.";
    would_deny: "{rule} would deny it, for the holder {met}, but {not_now}.";
    and: ", and ";
    comma: ", ";
    or: " or ";
    nothing: "nothing";
    from_on: " from {from} on";
    through: " through {until}";
    from_through: " from {from} through {until}";
    schedule: "schedule {name} ({hours})";
    weekdays: "mon tue wed thu fri sat sun";
    no_weekday: "on no weekday";
    no_holidays: "; closed on holidays";
    holidays: "; holidays {times}";
    also: " and ";
}

/// A sentence with values in its places, such as `{count}`.
#[must_use]
pub fn fill(sentence: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(sentence.len());
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let (name, behind) = after.split_once('}').unwrap_or((after, ""));
        filled.push_str(values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value));
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_their_places_and_are_not_looked_into() {
        assert_eq!(fill("{a} of {b}", &[("a", "{b}"), ("b", "2")]), "{b} of 2");
        assert_eq!(fill("nothing", &[]), "nothing");
    }
}

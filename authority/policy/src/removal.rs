//! What a command takes away that agents can be told at once, ahead of the commit that contains it.
//!
//! Deliberately less than all that a command takes away: an item can say that a card or a door is shut. What ends a
//! right in another way (an affiliation, a grant, a rule) travels in its commit.

use crate::command::Command;
use crate::difference::Difference;
use crate::directory::Directory;
use crate::model::{CardId, CardState};
use doorward_protocol::id::CredentialKey;
use doorward_protocol::limits::REMOVAL_ITEMS_MAX;
use doorward_protocol::removal::Item;

/// The items of a command in lists that fit one removal each; `directory` is the one before the command.
#[must_use]
pub fn removal_items(directory: &Directory, command: &Command) -> Vec<Vec<Item>> {
    let items = match command {
        Command::CardSuspend { card, .. } | Command::CardFound { card, .. } => {
            key_of(directory, card).map(Item::Suspend).into_iter().collect()
        }
        Command::CardClose { card, .. } => key_of(directory, card).map(Item::Close).into_iter().collect(),
        Command::CardActivate { card } => {
            directory.superseded_by(card).filter_map(|old| key_of(directory, old)).map(Item::Close).collect()
        }
        Command::Desk(order) => {
            directory.ended_by(order).and_then(|old| key_of(directory, old)).map(Item::Close).into_iter().collect()
        }
        Command::PersonErase { person, .. } => {
            directory.open_cards_of(person).filter_map(|card| key_of(directory, card)).map(Item::Close).collect()
        }
        Command::LockDown { scope, .. } => directory.doors_in(scope).cloned().map(Item::LockDown).collect(),
        Command::Import { difference } => of_import(directory, difference),
        Command::Found { .. }
        | Command::Tick { .. }
        | Command::AgentAdd { .. }
        | Command::AgentEnrol { .. }
        | Command::AgentRemove { .. }
        | Command::CardResume { .. }
        | Command::Release { .. }
        | Command::Production(_)
        | Command::Application(_)
        | Command::GrantAdd { .. }
        | Command::GrantEnd { .. }
        | Command::GrantConfirm { .. }
        | Command::Photo(_)
        | Command::Request(_)
        | Command::Office(_)
        | Command::Feed(_) => Vec::new(),
    };
    items.chunks(REMOVAL_ITEMS_MAX).map(<[Item]>::to_vec).collect()
}

/// Cards that the import suspends or closes; one that leaves the folder is closed to agents, too.
fn of_import(directory: &Directory, difference: &Difference) -> Vec<Item> {
    let known_state = |id: &CardId| directory.tables().cards.get(id).map(|card| card.state);
    let mut items = Vec::new();
    for (id, card) in &difference.cards.put {
        let after = directory.state_after_import(id, card.state);
        if known_state(id).is_none_or(|before| before == after) {
            continue;
        }
        let key = key_of(directory, id);
        items.extend(match after {
            CardState::Suspended => key.map(Item::Suspend),
            CardState::Closed => key.map(Item::Close),
            CardState::Produced | CardState::Active => None,
        });
    }
    let open = |id: &&CardId| known_state(id).is_some_and(|state| state != CardState::Closed);
    let removed = difference.cards.removed.iter().filter(open);
    items.extend(removed.filter_map(|id| key_of(directory, id)).map(Item::Close));
    items
}

fn key_of(directory: &Directory, card: &CardId) -> Option<CredentialKey> {
    directory.reader_key().map(|reader_key| reader_key.credential_key(card.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Scope;
    use crate::difference::Difference;
    use crate::testing::{campus, directory, id};

    fn key(card: &str) -> CredentialKey {
        key_of(&directory(), &id(card)).unwrap()
    }

    #[test]
    fn a_lockdown_names_every_door_in_its_scope() {
        let items = |scope| removal_items(&directory(), &Command::LockDown { scope, reason: "drill".into() });
        assert_eq!(items(Scope::Building(id("hall"))), [[Item::LockDown(id("kiosk")), Item::LockDown(id("main"))]]);
        assert_eq!(items(Scope::Campus)[0].len(), 3);
    }

    #[test]
    fn a_card_is_named_by_what_agents_know_it_by() {
        let (card, reason) = (id("A"), "lost".to_owned());
        let command = Command::CardSuspend { card, reason };
        assert_eq!(removal_items(&directory(), &command), [[Item::Suspend(key("A"))]]);
        let resume = Command::CardResume { card: id("X"), reason: "found".into() };
        assert!(removal_items(&directory(), &resume).is_empty());
    }

    #[test]
    fn an_import_names_the_cards_that_it_shuts_and_no_others() {
        let mut folder = campus();
        let cards = &mut folder.tables.cards;
        cards.get_mut(&id("A")).unwrap().state = CardState::Closed;
        cards.get_mut(&id("B")).unwrap().state = CardState::Suspended;
        cards.get_mut(&id("X")).unwrap().state = CardState::Active;
        cards.get_mut(&id("S")).unwrap().number = Some("1".into());
        cards.remove(&id("E"));
        let difference = Box::new(Difference::between(&directory(), &folder));
        let items = removal_items(&directory(), &Command::Import { difference });
        assert_eq!(items, [[Item::Close(key("A")), Item::Suspend(key("B")), Item::Close(key("E"))]]);
    }

    #[test]
    fn what_is_too_long_for_one_removal_comes_in_several() {
        let mut folder = campus();
        let card = folder.tables.cards[&id("A")].clone();
        folder.tables.cards.extend((0..5000).map(|n| (id(&format!("card-{n}")), card.clone())));
        let directory = Directory::of_campus(&folder).unwrap();
        let difference = Box::new(Difference::between(&directory, &campus()));
        let items = removal_items(&directory, &Command::Import { difference });
        assert_eq!(items.iter().map(Vec::len).collect::<Vec<_>>(), [4096, 904]);
    }
}

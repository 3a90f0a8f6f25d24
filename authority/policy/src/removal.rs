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
        Command::CardSuspend { card, .. } => key_of(directory, card).map(Item::Suspend).into_iter().collect(),
        Command::CardClose { card, .. } => key_of(directory, card).map(Item::Close).into_iter().collect(),
        Command::LockDown { scope, .. } => directory.doors_in(scope).cloned().map(Item::LockDown).collect(),
        Command::Import { difference } => of_import(directory, difference),
        Command::Found { .. }
        | Command::Tick { .. }
        | Command::AgentAdd { .. }
        | Command::AgentEnrol { .. }
        | Command::AgentRemove { .. }
        | Command::CardResume { .. }
        | Command::CardActivate { .. }
        | Command::Release { .. }
        | Command::GrantAdd { .. }
        | Command::GrantEnd { .. } => Vec::new(),
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

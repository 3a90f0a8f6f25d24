//! When doors stop deciding without a fresh word: what may be said of it on the safe side.

use crate::access::Contact;
use crate::authority::Authority;
use doorward_protocol::id::{AgentId, DoorId};
use doorward_protocol::time::UnixMs;

/// The newest fresh word that an agent can have had; `None` when it never had one.
#[must_use]
pub fn fresh_at(authority: &Authority, agent: &AgentId, contact: Contact) -> Option<UnixMs> {
    let live = authority.hub.connection(agent).and_then(|connection| connection.live().fresh_at);
    live.max(contact.fresh_at)
}

/// When the first of these doors stops deciding; `None` when none of them has a lease.
pub fn first_end(doors: impl IntoIterator<Item = (DoorId, Option<u64>)>, fresh_at: UnixMs) -> Option<UnixMs> {
    doors.into_iter().filter_map(|(_, lease_ms)| Some(ends(fresh_at, lease_ms?))).min()
}

/// When the last of these doors stops deciding; `None` when one of them has no lease.
#[must_use]
pub fn last_end(doors: &[(DoorId, Option<u64>)], fresh_at: UnixMs) -> Option<UnixMs> {
    let ends = doors.iter().map(|(_, lease_ms)| Some(ends(fresh_at, (*lease_ms)?)));
    ends.collect::<Option<Vec<_>>>()?.into_iter().max()
}

fn ends(fresh_at: UnixMs, lease_ms: u64) -> UnixMs {
    fresh_at.plus_ms(i64::try_from(lease_ms).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_door_without_a_lease_means_that_no_end_can_be_promised() {
        let door = |name: &str, lease_ms| (DoorId::new(name).unwrap(), lease_ms);
        let some = vec![door("a", Some(5)), door("b", Some(9))];
        assert_eq!(last_end(&some, UnixMs(100)), Some(UnixMs(109)));
        assert_eq!(first_end(some.clone(), UnixMs(100)), Some(UnixMs(105)));
        let without = [some, vec![door("c", None)]].concat();
        assert_eq!(last_end(&without, UnixMs(100)), None);
        assert_eq!(first_end(without, UnixMs(100)), Some(UnixMs(105)));
    }
}

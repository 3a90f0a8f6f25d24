//! Looks for entries of the journal, the newest first: by whom, what, about what and when.
//!
//! Deliberately without an index: what is looked for is told from how an entry is stored, so that only what fits is read, and a
//! look goes no further back than it is told to.

use crate::journal::{self, JournalError, Stored};
use crate::paths::Layout;
use doorward_policy::command::Entry;
use doorward_protocol::time::UnixMs;
use std::ops::ControlFlow;

/// Which entries are wanted; absent parts do not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Before this entry.
    pub before: Option<u64>,
    /// By this one, also when it acted through a token or was named by the owner.
    pub by: Option<String>,
    /// Commands of this name.
    pub command: Option<String>,
    /// In which this id stands.
    pub about: Option<String>,
    /// From this instant on.
    pub since: Option<UnixMs>,
    /// Before this instant.
    pub until: Option<UnixMs>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T> {
    /// The entries, newest first.
    pub entries: Vec<T>,
    /// The entry before which to look on; absent when there is nothing more to look at.
    pub next: Option<u64>,
}

/// What `show` makes of the entries that are wanted, newest first: at most `limit` of them, among at most `look_max`.
///
/// # Errors
/// See [`JournalError`].
pub fn find<T>(
    layout: &Layout,
    wanted: &Wanted,
    limit: usize,
    look_max: usize,
    show: impl Fn(&Entry) -> T,
) -> Result<Found<T>, JournalError> {
    let journal = journal::open(&layout.journal())?;
    let (mut entries, mut looked, mut next, mut damaged) = (Vec::new(), 0_usize, None, None);
    let quoted = wanted.about.as_ref().map(|about| format!("\"{}\"", about.replace(['"', '\\'], "")));
    journal.read_back(wanted.before.unwrap_or(u64::MAX), &mut |stored| {
        if wanted.since.is_some_and(|since| stored.at < since) {
            next = None;
            return ControlFlow::Break(());
        }
        if entries.len() >= limit || looked >= look_max {
            return ControlFlow::Break(());
        }
        looked = looked.saturating_add(1);
        next = Some(stored.seq).filter(|seq| *seq > 1);
        if !wanted.may_fit(stored, quoted.as_deref()) {
            return ControlFlow::Continue(());
        }
        match stored.entry() {
            Ok(entry) if wanted.command.as_deref().is_none_or(|name| entry.command.name() == name) => {
                entries.push(show(&entry));
            }
            Ok(_) => {}
            Err(error) => {
                damaged = Some(error);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    damaged.map_or(Ok(Found { entries, next }), Err)
}

impl Wanted {
    /// Whether an entry fits as far as that is seen without reading it.
    fn may_fit(&self, stored: &Stored<'_>, about: Option<&str>) -> bool {
        let is_by =
            |by: &str| stored.actor.strip_prefix(by).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let is_named = |by: &str| is_by(by) || stored.actor.strip_prefix("owner/") == Some(by);
        self.until.is_none_or(|until| stored.at < until)
            && self.by.as_deref().is_none_or(is_named)
            && about.is_none_or(|about| stored.command.contains(about))
            && self.command.as_deref().is_none_or(|name| may_be(stored.command, name))
    }
}

/// Whether a command as it is stored may have a name: either it stands in front, or a group of orders does.
fn may_be(stored: &str, name: &str) -> bool {
    let outer = stored.strip_prefix("{\"").and_then(|rest| rest.split('"').next());
    // Nothing but an import is large, and it is no group.
    outer.is_none_or(|outer| outer == name || outer != "import")
}

#[cfg(test)]
mod tests {
    use super::*;
    use doorward_policy::command::{Actor, Command};
    use doorward_policy::model::CardId;

    #[test]
    fn entries_are_found_by_whom_what_and_when_newest_first_and_page_by_page() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::new(directory.path());
        let mut journal = journal::create(&layout.journal()).unwrap();
        for seq in 1..=9_u64 {
            let card = CardId::new(if seq % 2 == 0 { "A" } else { "A2" }).unwrap();
            let command = match seq {
                5 => Command::CardActivate { card },
                _ => Command::CardSuspend { card, reason: "B".into() },
            };
            let actor = Actor::new(["kim", "owner/kim", "kim/token:t", "kimono"][usize::try_from(seq % 4).unwrap()]);
            let entry = Entry { seq, at: UnixMs(i64::try_from(seq).unwrap() * 10), actor: actor.unwrap(), command };
            let text = serde_json::to_string(&entry.command).unwrap();
            journal.append(seq - 1, &entry, &text).unwrap();
        }
        let found = |wanted: Wanted, limit, look_max| {
            let found = find(&layout, &wanted, limit, look_max, |entry| entry.seq).unwrap();
            (found.entries, found.next)
        };
        let all = Wanted::default;
        assert_eq!(found(all(), 3, 99), (vec![9, 8, 7], Some(7)));
        assert_eq!(found(Wanted { before: Some(7), ..all() }, 9, 99), (vec![6, 5, 4, 3, 2, 1], None));
        assert_eq!(found(Wanted { by: Some("kim".into()), ..all() }, 9, 99).0, [9, 8, 6, 5, 4, 2, 1]);
        assert_eq!(found(Wanted { about: Some("A".into()), ..all() }, 9, 99).0, [8, 6, 4, 2]);
        assert_eq!(found(Wanted { command: Some("card-activate".into()), ..all() }, 9, 99).0, [5]);
        let days = Wanted { since: Some(UnixMs(30)), until: Some(UnixMs(60)), ..all() };
        assert_eq!(found(days, 9, 99), (vec![5, 4, 3], None));
        let rare = Wanted { command: Some("card-activate".into()), ..all() };
        assert_eq!(found(rare.clone(), 9, 3), (vec![], Some(7)), "it says how far it looked");
        assert_eq!(found(Wanted { before: Some(7), ..rare }, 9, 3), (vec![5], Some(4)));
    }
}

//! Erases a person from everything that is kept: journal, snapshots, access records, alarms, looks, and how far changes have come.
//!
//! The command that says so comes first; what follows from it is done again after a crash, until it is done. Entries keep their
//! numbers, times and order, and fold to the same directory: commits are of the states of agents, which know no people, so that
//! every commit, receipt and piece of evidence stays as true as it was.

use crate::access::Erased;
use crate::authority::Authority;
use crate::concern;
use crate::journal;
use crate::keys;
use crate::snapshots;
use doorward_policy::command::{Actor, Command, Entry};
use doorward_policy::erasure::{ALIAS_PREFIX, Trail};
use doorward_policy::model::{CardId, PersonId};
use doorward_policy::office::authorize::Asker;
use std::ops::ControlFlow;
use std::sync::Arc;

/// How an order to erase begins, as it is stored.
const ORDER: &str = "{\"person-erase\":";

/// What an erasure has changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changed {
    /// Entries of the journal.
    pub entries: u64,
    /// Access records.
    pub records: u64,
}

/// The order to erase somebody, with a pseudonym of its own.
///
/// # Errors
/// When there is no randomness.
pub fn order(person: PersonId, reason: String) -> Result<Command, String> {
    let random = keys::random::<6>().map_err(|error| error.to_string())?;
    let alias = PersonId::new(&format!("{ALIAS_PREFIX}{}", hex::encode(random))).map_err(|error| error.to_string())?;
    Ok(Command::PersonErase { person, alias, reason })
}

/// Erases somebody of whom nothing stands in the way.
///
/// # Errors
/// When the order is refused, or what follows from it fails; then it is tried again with the next start, and daily.
pub async fn erase(authority: &Arc<Authority>, actor: Actor, person: PersonId, reason: String) -> Result<(), String> {
    let command = order(person, reason)?;
    let accepted = authority.execute_for(Asker::Owner, actor, command).await.map_err(|error| error.to_string())?;
    authority.published_at(accepted.seq).await;
    finish(authority).await.map(|_| ())
}

/// Does what follows from orders of which it was not done yet.
///
/// # Errors
/// When something cannot be read or written; it can be done again.
pub async fn finish(authority: &Arc<Authority>) -> Result<Changed, String> {
    let mut changed = Changed::default();
    for order in blocking(authority, unfinished).await? {
        // Not before its commit: a start takes the entries after the newest commit once more.
        authority.published_at(order.seq).await;
        let (seq, person, alias) = (order.seq, order.person, order.alias);
        let (trail, entries) = {
            let person = person.clone();
            blocking(authority, move |authority| follow(authority, seq, person)).await?
        };
        let erased = Erased {
            person: person.to_string(),
            cards: own_cards(authority, &trail),
            names: trail.names().iter().cloned().collect(),
            entries: entries.iter().map(|entry| (entry.seq, subject_of(&trail, entry, &alias))).collect(),
        };
        changed.records = changed.records.saturating_add(authority.store.erase(&erased).await.map_err(text)?);
        changed.entries = changed.entries.saturating_add(u64::try_from(entries.len()).unwrap_or(u64::MAX));
        // Last, since the journal is what says that something is left to do.
        blocking(authority, move |authority| rewrite(authority, &trail, entries, &alias)).await?;
        authority.present_mut().forget_cards(&erased.cards);
        tracing::info!(seq, "somebody was erased");
    }
    Ok(changed)
}

/// The cards that nobody else has by now.
fn own_cards(authority: &Authority, trail: &Trail) -> Vec<String> {
    let present = authority.present();
    let known = &present.directory.tables().cards;
    trail.cards().iter().filter(|card| !known.contains_key(*card)).map(CardId::to_string).collect()
}

/// An order of which something is left to do.
struct Unfinished {
    seq: u64,
    person: PersonId,
    alias: PersonId,
}

fn unfinished(authority: &Authority) -> Result<Vec<Unfinished>, String> {
    let journal = journal::open(&authority.layout.journal()).map_err(text)?;
    let mut orders = Vec::new();
    let mut note = |entry: Entry| {
        if let Command::PersonErase { person, alias, .. } = entry.command
            && person != alias
        {
            orders.push(Unfinished { seq: entry.seq, person, alias });
        }
        ControlFlow::Continue(())
    };
    journal.read_with(&[ORDER.to_owned()], u64::MAX, &mut note).map_err(text)?;
    Ok(orders)
}

/// What the entries up to a number say of a person: who that is, and those entries. One that comes later is about somebody else
/// who was given the same id.
///
/// # Errors
/// When the journal cannot be read.
pub fn follow(authority: &Authority, up_to: u64, person: PersonId) -> Result<(Trail, Vec<Entry>), String> {
    let journal = journal::open(&authority.layout.journal()).map_err(text)?;
    let mut trail = Trail::of(person);
    loop {
        let words = trail.words();
        let mut entries = Vec::new();
        let mut take = |entry: Entry| {
            trail.follow(&entry.command);
            if trail.concerns(&entry.command) || names_in_rules(&trail, &entry) {
                entries.push(entry);
            }
            ControlFlow::Continue(())
        };
        let sought: Vec<String> = words.iter().cloned().collect();
        journal.read_with(&sought, up_to, &mut take).map_err(text)?;
        // What was given to the person is named by entries that do not name the person.
        if trail.words() == words {
            return Ok((trail, entries));
        }
    }
}

/// Rules of a policy may name people.
fn names_in_rules(trail: &Trail, entry: &Entry) -> bool {
    let Command::Import { difference } = &entry.command else { return false };
    difference.policy.as_ref().is_some_and(|policy| trail.is_in_rules(policy))
}

fn subject_of(trail: &Trail, entry: &Entry, alias: &PersonId) -> String {
    let mut command = entry.command.clone();
    trail.erase_from(&mut command, alias);
    concern::in_words(&command).0
}

/// Writes the entries anew. Snapshots are of the journal as it was: they go before, and another is made after.
fn rewrite(authority: &Authority, trail: &Trail, entries: Vec<Entry>, alias: &PersonId) -> Result<(), String> {
    let mut texts = Vec::new();
    for mut entry in entries {
        trail.erase_from(&mut entry.command, alias);
        entry.actor = trail.erase_actor(&entry.actor, alias);
        let command = serde_json::to_string(&entry.command).map_err(text)?;
        texts.push((entry, command));
    }
    let mut journal = journal::open(&authority.layout.journal()).map_err(text)?;
    snapshots::anew(&authority.layout, || journal.rewrite(&texts).map_err(text))
}

async fn blocking<T: Send + 'static>(
    authority: &Arc<Authority>,
    work: impl FnOnce(&Authority) -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let authority = Arc::clone(authority);
    tokio::task::spawn_blocking(move || work(&authority)).await.map_err(text)?
}

fn text(error: impl ToString) -> String {
    error.to_string()
}

//! Exact: at commit n, states are what compiles from the directory at n, and decisions are those of the naive reference.

use crate::sim::holders::Decided;
use crate::sim::promise::Promise;
use crate::sim::world::World;
use doorward_policy::compile::Compiled;
use doorward_policy::directory::Directory;
use doorward_policy::model::CardId;
use doorward_policy::reference;
use doorward_protocol::decide::{Narrowed, Reason, View, decide};
use doorward_protocol::facts::CredentialState;
use doorward_protocol::time::UnixMs;
use std::sync::Arc;

/// Agents up to which every commit is compiled a second time as a whole.
const WHOLE_AGENTS_MAX: usize = 16;

/// How far into the future an agent is asked what it would do if it were cut off now, in milliseconds.
const AHEAD_MS_MAX: i64 = 40 * 86_400_000;

/// A commit was made: what was updated is what compiles at once.
pub fn on_commit(world: &mut World) {
    let Some(core) = &world.authority.core else { return };
    let present = &core.present;
    let seq = present.published.position.seq;
    if world.agents.len() > WHOLE_AGENTS_MAX && seq % 64 != 0 {
        return;
    }
    let text = match Compiled::whole(&present.directory) {
        Ok(whole) => {
            let differs = |(id, state): &(&_, &doorward_protocol::state::State)| {
                present.compiled.state(id).map(|updated| updated.digest()) != Some(state.digest())
            };
            whole.agents().find(differs).map(|(id, _)| format!("commit {seq}: {id} is not what compiles at once"))
        }
        Err(error) => Some(format!("commit {seq} does not compile at once: {error}")),
    };
    text.into_iter().for_each(|text| world.broken(Promise::Exact, text));
}

/// A tap was decided on.
pub fn on_tap(world: &mut World, decided: &Decided<'_>) {
    if matches!(decided.reason, Reason::NoState | Reason::LeaseEnded | Reason::ClockUntrusted) {
        return;
    }
    let ahead_ms = world.chances.checks.between(0, AHEAD_MS_MAX);
    let Some(core) = world.agents.get(decided.shown.index).and_then(|agent| agent.core.as_ref()) else { return };
    let committed = core.commit.and_then(|hash| world.truth.commit(&hash));
    let Some(directory) = committed.and_then(|committed| committed.directory.clone()) else { return };
    let Some(cache) = core.view.cache.clone() else { return };
    let is_held = cache.credential(decided.key).is_some();
    let narrowed = core.view.overlay.state_of(decided.key, CredentialState::Active);
    let is_locked = core.view.overlay.locks(&decided.shown.door);
    let position = core.position;
    world.counts.seen(Promise::Exact, "decisions compared with the reference, now and in the future");
    let expected = by_rules(&directory, decided, decided.at);
    let is_right = if is_locked {
        decided.reason == Reason::Lockdown
    } else if narrowed != Narrowed::As(CredentialState::Active) {
        decided.reason != Reason::Granted
    } else {
        expected.is_none_or(|expected| agrees(decided.reason, expected, is_held))
    };
    if !is_right {
        let text = format!("{} for {expected:?} at {position:?}: {:?}", decided.reason, decided.shown);
        world.broken(Promise::Exact, text);
    }
    let later = decided.at.plus_ms(ahead_ms);
    let view = View::of_any_instant(Arc::clone(&cache));
    let reason = decide(&view, &decided.shown.door, decided.key, decided.shown.factors, later);
    let expected = by_rules(&directory, decided, later);
    if !expected.is_none_or(|expected| agrees(reason, expected, is_held)) {
        let at = later.to_utc_text();
        let text = format!("at {at}, cut off, {reason} for {expected:?} at {position:?}: {:?}", decided.shown);
        world.broken(Promise::Exact, text);
    }
}

fn by_rules(directory: &Directory, decided: &Decided<'_>, at: UnixMs) -> Option<Reason> {
    let (policy, tables) = (directory.policy()?, directory.tables());
    let shown = decided.shown;
    let is_locked_down = |id: &_| tables.doors.get(id).is_some_and(|door| directory.is_locked_down(id, door));
    let card = CardId::new(&shown.card).ok()?;
    reference::decide(policy, tables, is_locked_down, at, &shown.door, &card, shown.factors)
}

/// Whether an agent may answer so: of a card that it need not hold it knows nothing.
fn agrees(reason: Reason, expected: Reason, is_held: bool) -> bool {
    let may_be_unknown = !is_held
        && !expected.is_grant()
        && !matches!(expected, Reason::Lockdown | Reason::OutsideSchedule | Reason::FactorRequired);
    reason == expected || (reason == Reason::UnknownCredential && may_be_unknown)
}

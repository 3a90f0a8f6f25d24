//! Fail closed: without state, lease or a clock that can be right nothing opens, whatever the machines believe.

use crate::sim::agent::Core;
use crate::sim::holders::Decided;
use crate::sim::keys::Keys;
use crate::sim::promise::Promise;
use crate::sim::watch::Watch;
use crate::sim::world::World;
use doorward_protocol::commit::Pulse;
use doorward_protocol::decide::Reason;
use doorward_protocol::sign::Signed;
use doorward_protocol::time::UnixMs;

/// A pulse is delivered; what an agent must not believe counts for nothing.
pub fn hear_pulse(keys: &Keys, core: &Core, watch: &mut Watch, signed: &Signed<Pulse>, wall: UnixMs) {
    let Some(pulse) = keys.believes(core.statement, signed) else { return };
    if keys.epoch_of(core.statement) != Some(pulse.position.epoch) {
        return;
    }
    if watch.hear(pulse.at, wall, true) && core.position == Some(pulse.position) && core.commit == Some(pulse.commit) {
        watch.fresh_at = watch.fresh_at.max(pulse.at);
    }
}

/// Looks at what an agent takes for certain.
pub fn check(world: &mut World, index: usize) {
    let Some(agent) = world.agents.get(index) else { return };
    let Some(core) = &agent.core else { return };
    let text = if core.view.clock_trusted && !agent.watch.clock_trusted {
        "trusts a clock that no genuine word agrees with".to_owned()
    } else if core.view.fresh_at > agent.watch.fresh_at {
        let (counted, heard) = (core.view.fresh_at.to_utc_text(), agent.watch.fresh_at.to_utc_text());
        format!("counts its leases from {counted}, but the newest word for its state is of {heard}")
    } else {
        return;
    };
    world.broken(Promise::FailClosed, format!("agent {index} {text}"));
}

/// A tap was decided on.
pub fn on_tap(world: &mut World, decided: &Decided<'_>) {
    let shown = decided.shown;
    let Some(agent) = world.agents.get(shown.index) else { return };
    let Some(core) = &agent.core else { return };
    if !decided.reason.is_grant() {
        let cases = [
            (Reason::LeaseEnded, "taps after a lease"),
            (Reason::ClockUntrusted, "taps by an untrusted clock"),
            (Reason::NoState, "taps without a state"),
        ];
        let case = cases.into_iter().find(|(reason, _)| *reason == decided.reason);
        case.into_iter().for_each(|(_, case)| world.counts.seen(Promise::FailClosed, case));
        let lease = core.view.cache.as_ref().and_then(|cache| cache.door(&shown.door)?.lease_ends(core.view.fresh_at));
        if decided.reason == Reason::LeaseEnded && lease.is_none_or(|ends| decided.at < ends) {
            world.broken(Promise::FailClosed, format!("the lease of {} has not ended: {shown:?}", shown.door));
        }
        return;
    }
    let committed = core.commit.and_then(|hash| world.truth.commit(&hash));
    let lease_ms = committed.and_then(|committed| {
        let directory = committed.directory.as_ref()?;
        let policy = directory.policy()?;
        let function = &directory.tables().doors.get(&shown.door)?.function;
        policy.functions.get(function)?.lease_ms.or(policy.lease_ms)
    });
    if decided.at > decided.wall {
        world.counts.seen(Promise::FailClosed, "grants at a time that a verified one held up");
    }
    if lease_ms.is_some() {
        world.counts.seen(Promise::FailClosed, "grants within a lease");
    }
    let ends = lease_ms.map(|ms| agent.watch.fresh_at.plus_ms(i64::try_from(ms).unwrap_or(i64::MAX)));
    let text = if core.position.is_none() {
        "without a verified state"
    } else if !agent.watch.clock_trusted {
        "by a clock that cannot be trusted"
    } else if ends.is_some_and(|ends| decided.at >= ends) {
        "after its lease has ended"
    } else if decided.at < decided.wall {
        "at an instant before what the clock shows"
    } else if decided.at < agent.watch.floor_at {
        "at an instant before a time that was verified already"
    } else {
        return;
    };
    world.broken(Promise::FailClosed, format!("a door opened {text}: {shown:?}"));
}

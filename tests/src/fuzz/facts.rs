//! What an agent keeps and decides by, made of whatever decodes: changes, their undoing, schedules, zones and decisions.
//!
//! None of this is signed: it stands behind the signatures, and must be total all the same.

use crate::fuzz::choices::Choices;
use doorward_protocol::cache::Cache;
use doorward_protocol::codec;
use doorward_protocol::decide::{View, decide, decide_now};
use doorward_protocol::facts::{Fact, Factors};
use doorward_protocol::id::{CredentialKey, DoorId};
use doorward_protocol::overlay::Overlay;
use doorward_protocol::removal::Removal;
use doorward_protocol::state::{Change, State};
use doorward_protocol::time::UnixMs;
use std::borrow::Cow;
use std::sync::Arc;

/// Looks at one input: changes one after another, each with its length in two bytes in front, then what is tapped.
pub fn run(input: &[u8]) {
    let mut state = State::default();
    let mut cache: Option<Cache> = None;
    let mut rest = input;
    while let Some((length, behind)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_le_bytes(*length));
        let (bytes, behind) = behind.split_at(length.min(behind.len()));
        rest = behind;
        let Ok(mut change) = codec::decode::<Change>(bytes) else { continue };
        // Ids that are those of the content are more than a fuzzer can guess.
        change.put = change.put.into_iter().map(named_by_content).collect();
        cache = take(&mut state, cache, &change);
    }
    if let Some(cache) = cache {
        tap(&state, cache, Choices::new(rest));
    }
}

/// Gives a derived fact the id that its content has.
pub fn named_by_content(fact: Fact) -> Fact {
    match fact {
        Fact::Schedule(id, schedule) => Fact::Schedule(schedule.id().unwrap_or(id), schedule),
        Fact::Class(id, class) => Fact::Class(class.id().unwrap_or(id), class),
        other @ (Fact::Calendar(_) | Fact::Reader(_) | Fact::Door(_) | Fact::Credential(_)) => other,
    }
}

/// A change is made whole or not at all, and can be undone.
fn take(state: &mut State, cache: Option<Cache>, change: &Change) -> Option<Cache> {
    let (digest, count) = (state.digest(), state.len());
    let mut tried = state.clone();
    match tried.apply(change) {
        Err(_) => {
            assert_eq!((tried.digest(), tried.len()), (digest, count), "a refused change changes nothing");
            cache
        }
        Ok(undo) => {
            let anew = State::from_facts(tried.facts().map(Cow::into_owned));
            assert!(anew.is_ok_and(|anew| anew.digest() == tried.digest()), "a digest is one of the facts");
            let changed = cache.as_ref().and_then(|cache| cache.changed(&tried, &undo));
            let whole = Cache::new(&tried);
            assert!(cache.is_none() || changed.is_some() == whole.is_some());
            *state = tried.clone();
            tried.undo(undo);
            assert_eq!((tried.digest(), tried.len()), (digest, count), "a change that is undone changes nothing");
            changed.or(whole)
        }
    }
}

/// Every tap has an answer, the incremental cache gives the same one as a new one, and an overlay only denies.
fn tap(state: &State, cache: Cache, mut choices: Choices<'_>) {
    let Some(whole) = Cache::new(state) else { return };
    let doors: Vec<DoorId> = state.doors().map(|door| door.door.clone()).take(8).collect();
    let cards: Vec<CredentialKey> = state.credentials().iter().map(|credential| credential.key).take(8).collect();
    let mut overlay = Overlay::default();
    if let Ok(removal) = codec::decode::<Removal>(choices.some()) {
        overlay = overlay.with(removal);
    }
    let (view, whole) = (View::of_any_instant(Arc::new(cache)), View::of_any_instant(Arc::new(whole)));
    let narrowed = View { overlay: Arc::new(overlay), ..view.clone() };
    for _ in 0..8 {
        let bytes: [u8; 8] = core::array::from_fn(|_| choices.byte());
        let near = UnixMs(i64::from_le_bytes(bytes).rem_euclid(4_102_444_800_000));
        let far = UnixMs(i64::from_le_bytes(bytes));
        let (Some(door), Some(card)) = (choices.pick(&doors), choices.pick(&cards)) else { return };
        let factors = [Factors::NONE, Factors::PIN, Factors::FACE.union(Factors::PIN)];
        let factors = choices.pick(&factors).copied().unwrap_or_default();
        for at in [near, far] {
            let reason = decide(&view, door, *card, factors, at);
            assert_eq!(reason, decide(&whole, door, *card, factors, at), "a cache that was changed is a new one");
            let narrow = decide(&narrowed, door, *card, factors, at);
            assert!(reason.is_grant() || !narrow.is_grant(), "an overlay only denies");
            let ended = View { fresh_at: UnixMs(i64::MIN), ..view.clone() };
            let (now, _) = decide_now(&ended, door, *card, factors, at);
            assert!(!now.is_grant() || reason.is_grant(), "a lease only denies");
        }
    }
}

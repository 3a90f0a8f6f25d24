//! Access records for stories: taps, their records, and heads of chains, honest and invented.

use crate::fuzz::choices::Choices;
use crate::fuzz::history::{agent, card, door};
use doorward_protocol::agent::recorder::Tap;
use doorward_protocol::commit::Position;
use doorward_protocol::decide::Reason;
use doorward_protocol::facts::Factors;
use doorward_protocol::id::{Hash, Incarnation};
use doorward_protocol::record::{ChainHead, Record};
use doorward_protocol::time::UnixMs;

/// The beginning of a chain in a numbered life.
pub fn begin(life: u8) -> Option<ChainHead> {
    Some(ChainHead::begin(&agent()?, Incarnation([life; 16])))
}

/// A tap; its instant tells it from every other.
pub fn tap(ticket: u64, choices: &mut Choices<'_>) -> Option<Tap> {
    let reason = *choices.pick(&[Reason::Granted, Reason::Unlocked, Reason::Suspended, Reason::NoState])?;
    let at = UnixMs(i64::try_from(ticket).ok()?);
    let credential = card(choices.byte() % 4);
    Some(Tap {
        ticket,
        at,
        door: door("front")?,
        credential,
        factors: Factors::NONE,
        reason,
        position: Position::default(),
    })
}

/// A record with this number; its instant makes its content.
pub fn record(seq: u64, at: i64) -> Option<Record> {
    Some(Record {
        seq,
        at: UnixMs(at),
        door: door("front")?,
        credential: card(1),
        factors: Factors::PIN,
        reason: Reason::Granted,
        position: Position::default(),
    })
}

/// A head that somebody made up, near one that is real.
pub fn invented(real: ChainHead, choices: &mut Choices<'_>) -> ChainHead {
    let mut head = real;
    match choices.below(5) {
        0 => head.seq = head.seq.saturating_add(u64::from(choices.byte())),
        1 => head.seq = head.seq.saturating_sub(u64::from(choices.byte())),
        2 => head.hash = Hash([choices.byte(); 32]),
        3 => head.incarnation = Incarnation([choices.byte(); 16]),
        _ => head.seq = u64::MAX - u64::from(choices.byte() % 3),
    }
    head
}

//! Where a request of the socket is dealt with: a tap is decided at once and handed to the recorder; status is looked up.

use crate::alarms::Alarms;
use crate::board::Board;
use crate::decider::Decider;
use crate::machines::recorder::DecidedTap;
use crate::socket::line::{DoorStatus, Status, TapRequest};
use doorward_protocol::agent::recorder::Tap;
use doorward_protocol::decide::Reason;
use doorward_protocol::id::{AgentId, CampusId};
use doorward_protocol::time::UnixMs;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// See the module.
#[derive(Debug)]
pub struct Desk {
    /// Which agent.
    pub agent: AgentId,
    /// Which campus.
    pub campus: CampusId,
    /// Where taps are decided.
    pub decider: Arc<Decider>,
    /// Where decided taps are recorded.
    pub taps: mpsc::Sender<DecidedTap>,
    /// What is shown.
    pub board: Arc<Board>,
    /// Where alarms go.
    pub alarms: Alarms,
}

impl Desk {
    /// Decides a tap; says which instant counted, and where the final reason will come from.
    pub async fn tap(&self, request: TapRequest, wall: UnixMs) -> (UnixMs, oneshot::Receiver<Reason>) {
        let TapRequest { door, card, factors, id: _ } = request;
        let decision = self.decider.decide(&door, &card, factors, wall);
        let (answer, reason) = oneshot::channel();
        let tap = Tap {
            ticket: 0,
            at: decision.at,
            door,
            credential: decision.credential,
            factors,
            reason: decision.reason,
            position: decision.position,
        };
        // When the recorder has ended, the answer's sender goes with the tap, and the tap counts as not recorded.
        let _stopping = self.taps.send(DecidedTap { tap, answer }).await;
        (decision.at, reason)
    }

    /// How the agent is.
    #[must_use]
    pub fn status(&self, wall: UnixMs) -> Status {
        let shown = self.decider.shown();
        let clock = shown.view.clock(wall);
        let doors = shown.view.cache.iter().flat_map(|cache| cache.doors());
        let doors = doors.map(|door| {
            let ends = door.lease_ends(shown.view.fresh_at);
            DoorStatus {
                door: door.id().clone(),
                lockdown: door.lockdown() || shown.view.overlay.locks(door.id()),
                lease_ends: ends.map(UnixMs::to_utc_text),
                lease_left_ms: ends.map(|ends| ends.since_ms(clock.unwrap_or(wall)).max(0)),
            }
        });
        Status {
            agent: self.agent.to_string(),
            campus: self.campus.to_string(),
            software: env!("CARGO_PKG_VERSION").to_owned(),
            position: shown.position.map(|position| position.to_string()),
            connected_to: self.board.connected_to(),
            clock_trusted: clock.is_some(),
            at: wall.to_utc_text(),
            certificate_until: self.board.certificate_until(),
            unsent_records: self.board.unsent(),
            doors: doors.collect(),
            alarms: self.alarms.last(),
        }
    }
}

//! The tasks that drive the two pure machines: they wait, hand over what happened, and do what the machine wants done.
//!
//! Deliberately without decisions of their own; those are the machines' in the protocol.

pub mod recorder;
pub mod sync;

use doorward_protocol::frame::{ToAgent, ToAuthority};
use tokio::sync::{mpsc, oneshot};

/// Frames that may wait to be written to one lane. The machines send a few for each that comes, so more than this means
/// that the other side has stopped reading.
pub const OUTGOING_MAX: usize = 4096;

/// Frames and words of a connection that may wait for a machine; beyond it, the stream they come on waits.
pub const INCOMING_MAX: usize = 64;

/// What a machine hears of a connection.
#[derive(Debug)]
pub enum Line {
    /// It stands; frames go there. The answer says that the machine knows, so that nothing overtakes this.
    Up(mpsc::Sender<ToAuthority>, oneshot::Sender<()>),
    /// A frame came.
    Frame(ToAgent),
    /// It is gone.
    Down,
}

/// Where a machine's frames go.
#[derive(Debug, Default)]
pub struct Outgoing(Option<mpsc::Sender<ToAuthority>>);

impl Outgoing {
    /// To this connection from now on, or nowhere.
    pub fn lead_to(&mut self, lane: Option<mpsc::Sender<ToAuthority>>) {
        self.0 = lane;
    }

    /// Sends without waiting. Where frames pile up, the lane is let go of, which ends the connection.
    pub fn send(&mut self, frame: ToAuthority) {
        if self.0.as_ref().is_some_and(|lane| lane.try_send(frame).is_err()) {
            self.0 = None;
        }
    }
}

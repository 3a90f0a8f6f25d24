//! One connection of an enrolled agent: who it is, its lanes, and how it ends.

use super::control::{self, Ended};
use super::frames::{FrameReader, FrameWriter};
use super::{end, records};
use crate::authority::Authority;
use crate::certificates;
use crate::clock;
use crate::hub::{self, End};
use doorward_protocol::id::AgentId;
use doorward_protocol::sign::PublicKey;
use quinn::{Connection, RecvStream, SendStream};
use rustls::pki_types::CertificateDer;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinSet;

/// First byte of a stream of the control lane.
const CONTROL: u8 = 0;
/// First byte of a stream of the records lane.
const RECORDS: u8 = 1;
/// Removals leave before whatever else waits for the same agent.
const REMOVAL_PRIORITY: i32 = 1;

/// What the lanes of one connection share.
pub struct Agent {
    pub authority: Arc<Authority>,
    pub connection: Arc<hub::Connection>,
    pub quic: Connection,
}

impl Agent {
    pub fn id(&self) -> &AgentId {
        &self.connection.agent
    }

    /// Closes the connection if it ends from this side. A lane does so while it still holds its stream: otherwise the
    /// agent would see the stream end first, and not why.
    pub fn close(&self, ended: &Ended) {
        if let Ended::Here(reason, _) = ended {
            end(&self.quic, *reason);
        }
    }
}

/// Serves a connection until it ends. It holds the place of a stranger until it has shown whose agent it is.
pub async fn serve(connection: Connection, authority: Arc<Authority>, place: Option<OwnedSemaphorePermit>) {
    let Some((id, key)) = identify(&connection, &authority) else {
        return end(&connection, End::NotEnrolled);
    };
    drop(place);
    let (live, removals) = authority.hub.enter(id.clone(), key, connection.remote_address(), clock::wall());
    // What it may hear from now on must be on record before it can hear it; and after its entry, so that the end of the
    // connection which this one replaces is on record before.
    if let Err(error) = authority.store.begin_contact(id.clone()).await {
        tracing::warn!(agent = %id, %error, "an agent was not let in");
        authority.hub.leave(&live);
        return end(&connection, End::Unavailable);
    }
    if identify(&connection, &authority).is_none() {
        // It was struck off between the first look and its entry, when nobody could have ended its connection.
        live.end(End::StruckOff);
    }
    tracing::info!(agent = %id, address = %connection.remote_address(), "an agent connected");
    let agent = Arc::new(Agent { authority: Arc::clone(&authority), connection: live, quic: connection.clone() });
    let ended = run(&connection, &agent, removals).await;
    tracing::info!(agent = %id, "an agent's connection ended: {ended}");
    agent.close(&ended);
    if authority.hub.leave(&agent.connection) {
        authority.store.end_contact(id, agent.connection.live().fresh_at);
    }
}

/// The agent whose key the certificate names, as the newest commit has it. The directory's word counts, not the
/// certificate's: an agent that was struck off has a valid one for a while.
fn identify(connection: &Connection, authority: &Authority) -> Option<(AgentId, PublicKey)> {
    let chain = connection.peer_identity()?.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    let key = certificates::key_of(chain.first()?)?;
    authority.published().leaves.agent_of(key).map(|id| (id.clone(), key))
}

async fn run(connection: &Connection, agent: &Arc<Agent>, removals: mpsc::Receiver<Arc<[u8]>>) -> Ended {
    let mut lanes = JoinSet::new();
    lanes.spawn(send_removals(Arc::clone(agent), removals));
    let mut opened = [false; 2];
    loop {
        tokio::select! {
            stream = connection.accept_bi() => match stream {
                Ok(stream) => match open_lane(stream, agent, &mut opened).await {
                    Ok(Lane::Control(send, receive)) => {
                        lanes.spawn(control::run(Arc::clone(agent), send, receive));
                    }
                    Ok(Lane::Records(send, receive)) => {
                        lanes.spawn(records::run(Arc::clone(agent), send, receive));
                    }
                    Err(ended) => return ended,
                },
                Err(error) => return Ended::There(error.to_string()),
            },
            ended = asked_to_end(agent) => return ended,
            Some(ended) = lanes.join_next() => {
                return ended.unwrap_or_else(|error| Ended::Here(End::Unavailable, error.to_string()));
            }
        }
    }
}

/// Waits until the hub wants the connection to end, and closes it.
async fn asked_to_end(agent: &Agent) -> Ended {
    let reason = agent.connection.ended().await;
    let ended = Ended::Here(reason, reason.reason().into());
    agent.close(&ended);
    ended
}

enum Lane {
    Control(FrameWriter, FrameReader),
    Records(FrameWriter, FrameReader),
}

/// Which lane a stream is; each is opened once.
async fn open_lane(
    (send, receive): (SendStream, RecvStream),
    agent: &Agent,
    opened: &mut [bool; 2],
) -> Result<Lane, Ended> {
    let (writer, mut reader) = (FrameWriter::new(send), FrameReader::new(receive));
    // An agent that opens a lane and says nothing can be struck off all the same.
    let byte = tokio::select! {
        byte = reader.byte() => byte.map_err(|error| Ended::There(error.to_string()))?,
        ended = asked_to_end(agent) => return Err(ended),
    };
    let [control, records] = opened;
    match byte {
        CONTROL if !std::mem::replace(control, true) => Ok(Lane::Control(writer, reader)),
        RECORDS if !std::mem::replace(records, true) => Ok(Lane::Records(writer, reader)),
        _ => Err(Ended::Here(End::Protocol, format!("agent {} opened a lane that is not one", agent.id()))),
    }
}

async fn send_removals(agent: Arc<Agent>, mut removals: mpsc::Receiver<Arc<[u8]>>) -> Ended {
    let mut stream = match agent.quic.open_uni().await {
        Ok(stream) => stream,
        Err(error) => return Ended::There(error.to_string()),
    };
    if let Err(error) = stream.set_priority(REMOVAL_PRIORITY) {
        return Ended::There(error.to_string());
    }
    while let Some(frame) = removals.recv().await {
        if let Err(error) = stream.write_all(&frame).await {
            return Ended::There(error.to_string());
        }
        agent.connection.sent_removal();
    }
    Ended::Here(End::Stopping, "the hub let go of the connection".into())
}

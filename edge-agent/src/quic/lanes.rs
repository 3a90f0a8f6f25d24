//! Frames on streams: reading and writing them within their bounds, and which stream is which lane.
//!
//! The agent opens two streams both ways; the first byte on each says which lane it is. The authority opens a stream
//! one way for removals, without such a byte: there is only that one kind.

use doorward_protocol::codec::CodecError;
use doorward_protocol::frame::{Lane, ToAgent, ToAuthority, body_length, from_wire, to_wire};
use quinn::{Connection, ConnectionError, ReadExactError, RecvStream, SendStream, WriteError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::sync::mpsc;

/// First byte of a stream of the control lane.
const CONTROL: u8 = 0;
/// First byte of a stream of the records lane.
const RECORDS: u8 = 1;

/// Why a lane ended.
#[derive(Debug, Error)]
pub enum LaneError {
    /// The connection is gone.
    #[error("{0}")]
    Connection(#[from] ConnectionError),
    /// Nothing more can be read.
    #[error("a lane was cut: {0}")]
    Read(#[from] ReadExactError),
    /// Nothing more can be written.
    #[error("a lane was cut: {0}")]
    Write(#[from] WriteError),
    /// A frame is too large or not one.
    #[error("a frame is wrong: {0}")]
    Frame(#[from] CodecError),
    /// A frame came on the wrong lane.
    #[error("a frame came on the wrong lane ({0:?})")]
    WrongLane(Lane),
    /// Frames for the other side pile up.
    #[error("the authority does not take what we send")]
    Stuck,
    /// The machine behind a lane is gone: the agent is stopping.
    #[error("the agent is stopping")]
    Stopping,
}

/// The agent's side of a lane on which it speaks.
pub type LaneOut = SendStream;

/// Opens one of the agent's lanes.
///
/// # Errors
/// See [`LaneError`].
pub async fn open(connection: &Connection, lane: Lane) -> Result<(SendStream, RecvStream), LaneError> {
    let (mut send, receive) = connection.open_bi().await?;
    let byte = match lane {
        Lane::Control => CONTROL,
        Lane::Records => RECORDS,
        Lane::Removal => return Err(LaneError::WrongLane(lane)),
    };
    send.write_all(&[byte]).await?;
    Ok((send, receive))
}

/// Writes one value as a frame.
///
/// # Errors
/// See [`LaneError`].
pub async fn write_frame<T: Serialize>(stream: &mut SendStream, value: &T) -> Result<(), LaneError> {
    Ok(stream.write_all(&to_wire(value)?).await?)
}

/// Reads one frame; its length is bounded before anything is allocated.
///
/// # Errors
/// See [`LaneError`].
pub async fn read_frame<T: Serialize + DeserializeOwned>(stream: &mut RecvStream) -> Result<T, LaneError> {
    let mut prefix = [0; 4];
    stream.read_exact(&mut prefix).await?;
    let mut body = vec![0; body_length(prefix)?];
    stream.read_exact(&mut body).await?;
    Ok(from_wire(&body)?)
}

/// Writes what a machine sends, until it sends no more or the lane ends.
///
/// # Errors
/// See [`LaneError`]; always ends with one.
pub async fn pump_out(mut stream: SendStream, mut frames: mpsc::Receiver<ToAuthority>) -> Result<(), LaneError> {
    while let Some(frame) = frames.recv().await {
        write_frame(&mut stream, &frame).await?;
    }
    // The machine lets go of a lane only when its frames pile up.
    Err(LaneError::Stuck)
}

/// Hands a machine what comes on a lane, until the lane ends.
///
/// # Errors
/// See [`LaneError`]; always ends with one.
pub async fn pump_in<T>(
    mut stream: RecvStream,
    lane: Lane,
    wrap: impl Fn(ToAgent) -> T,
    machine: &mpsc::Sender<T>,
) -> Result<(), LaneError> {
    loop {
        let frame: ToAgent = read_frame(&mut stream).await?;
        if lane_of(&frame) != lane {
            return Err(LaneError::WrongLane(lane));
        }
        machine.send(wrap(frame)).await.map_err(|_| LaneError::Stopping)?;
    }
}

const fn lane_of(frame: &ToAgent) -> Lane {
    match frame {
        ToAgent::Statements(_) | ToAgent::Update(_) | ToAgent::Part(_) | ToAgent::Pulse(_) => Lane::Control,
        ToAgent::Removal(_) => Lane::Removal,
        ToAgent::Stored(_) => Lane::Records,
    }
}

//! Frames on streams: lengths are bounded before anything is allocated, and reading can be interrupted and resumed.

use doorward_protocol::codec::CodecError;
use doorward_protocol::frame::{body_length, from_wire, to_wire};
use doorward_protocol::limits::FRAME_BYTES_MAX;
use quinn::{ReadError, RecvStream, SendStream, WriteError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::VecDeque;
use thiserror::Error;

/// How much is taken from a stream at once, in bytes.
const CHUNK_BYTES_MAX: usize = 64 << 10;

/// Why a stream yields no frame.
#[derive(Debug, Error)]
pub enum FrameError {
    /// Nothing more can be read.
    #[error("{0}")]
    Read(#[from] ReadError),
    /// Nothing more can be written.
    #[error("{0}")]
    Write(#[from] WriteError),
    /// The stream ended.
    #[error("the stream ended")]
    Ended,
    /// A frame is too long or not one.
    #[error("a frame is wrong: {0}")]
    Codec(#[from] CodecError),
}

/// Reads frames from a stream.
pub struct FrameReader {
    stream: RecvStream,
    buffer: VecDeque<u8>,
    bytes_max: usize,
}

impl FrameReader {
    /// A reader.
    pub fn new(stream: RecvStream) -> Self {
        Self::bounded(stream, FRAME_BYTES_MAX)
    }

    /// A reader of frames that are shorter than frames may be.
    pub fn bounded(stream: RecvStream, bytes_max: usize) -> Self {
        Self { stream, buffer: VecDeque::new(), bytes_max }
    }

    /// The next byte. Nothing is lost when the future is dropped.
    pub async fn byte(&mut self) -> Result<u8, FrameError> {
        loop {
            if let Some(byte) = self.buffer.pop_front() {
                return Ok(byte);
            }
            self.fill().await?;
        }
    }

    /// The next frame. Nothing is lost when the future is dropped.
    pub async fn next<T: Serialize + DeserializeOwned>(&mut self) -> Result<T, FrameError> {
        loop {
            if let Some(body) = self.take_body()? {
                return Ok(from_wire(&body)?);
            }
            self.fill().await?;
        }
    }

    fn take_body(&mut self) -> Result<Option<Vec<u8>>, CodecError> {
        let prefix: Vec<u8> = self.buffer.iter().take(4).copied().collect();
        let Ok(prefix) = <[u8; 4]>::try_from(prefix) else { return Ok(None) };
        let length = body_length(prefix)?;
        if length > self.bytes_max {
            return Err(CodecError::TooLong(length, self.bytes_max));
        }
        if self.buffer.len().saturating_sub(4) < length {
            return Ok(None);
        }
        self.buffer.drain(..4);
        Ok(Some(self.buffer.drain(..length).collect()))
    }

    async fn fill(&mut self) -> Result<(), FrameError> {
        let chunk = self.stream.read_chunk(CHUNK_BYTES_MAX, true).await?.ok_or(FrameError::Ended)?;
        self.buffer.extend(&chunk.bytes);
        Ok(())
    }
}

/// Frames that wait to be written to a stream.
pub struct FrameWriter {
    stream: SendStream,
    frames: VecDeque<Vec<u8>>,
    /// How much of the first of them is written.
    written: usize,
}

impl FrameWriter {
    /// A writer.
    pub const fn new(stream: SendStream) -> Self {
        Self { stream, frames: VecDeque::new(), written: 0 }
    }

    /// Puts a frame at the end of the queue.
    pub fn push<T: Serialize>(&mut self, frame: &T) -> Result<(), CodecError> {
        self.frames.push_back(to_wire(frame)?);
        Ok(())
    }

    /// Whether something waits.
    pub fn is_waiting(&self) -> bool {
        !self.frames.is_empty()
    }

    /// Writes as much as the stream takes at once. Nothing is lost or written twice when the future is dropped.
    pub async fn write_some(&mut self) -> Result<(), FrameError> {
        let Some(first) = self.frames.front() else { return Ok(()) };
        let rest = first.get(self.written..).unwrap_or_default();
        self.written = self.written.saturating_add(self.stream.write(rest).await?);
        if self.written >= first.len() {
            self.frames.pop_front();
            self.written = 0;
        }
        Ok(())
    }

    /// Writes everything that waits.
    pub async fn write_all(&mut self) -> Result<(), FrameError> {
        while self.is_waiting() {
            self.write_some().await?;
        }
        Ok(())
    }
}

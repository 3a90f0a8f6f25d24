//! Answers that are a ZIP archive, written while it is read: neither memory nor disk holds it as a whole.
//!
//! Deliberately without compression: what is large in it are photos, which are compressed.

use super::Api;
use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use doorward_protocol::id::Hash;
use std::io::{self, Write};
use std::sync::Arc;
use tokio::sync::mpsc;
use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Pieces that wait for a slow reader; who writes them waits then, too.
const WAITING_MAX: usize = 16;

/// A file of an archive.
pub enum Packed {
    /// These bytes.
    Bytes(Vec<u8>),
    /// The photo of this hash.
    Photo(Hash),
}

/// What the reader of an answer gets; an error ends it early, so that half an archive is not taken for a whole one.
struct Pipe(mpsc::Sender<io::Result<Bytes>>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map(|()| bytes.len()).map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "nobody reads any more"))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An answer of these files by name. `name` is letters, digits and marks that need no quoting.
pub fn stream(api: Arc<Api>, name: &str, files: Vec<(String, Packed)>) -> Response {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = write(&api, sender.clone(), files) {
            // Who reads no more needs no error.
            let _gone = sender.blocking_send(Err(io::Error::other(error)));
        }
    });
    let stream = futures_util::stream::unfold(receiver, |mut receiver| async move {
        let piece = receiver.recv().await?;
        Some((piece, receiver))
    });
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [(header::CONTENT_TYPE, "application/zip".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    (headers, Body::from_stream(stream)).into_response()
}

fn write(api: &Api, sender: mpsc::Sender<io::Result<Bytes>>, files: Vec<(String, Packed)>) -> ZipResult<()> {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut archive = ZipWriter::new_stream(io::BufWriter::with_capacity(64 << 10, Pipe(sender)));
    for (name, file) in files {
        let bytes = match file {
            Packed::Bytes(bytes) => bytes,
            Packed::Photo(image) => api.photos().read(image).map_err(io::Error::other)?,
        };
        archive.start_file(name, options)?;
        archive.write_all(&bytes)?;
    }
    archive.finish()?.into_inner().flush()?;
    Ok(())
}

//! One enrolment: one request, one answer, on a connection that is good for nothing else.

use super::frames::{FrameReader, FrameWriter};
use crate::enrolment::Enrolment;
use doorward_protocol::enrol::{BINDING_BYTES, BINDING_LABEL, EnrolRequest};
use quinn::Connection;
use std::time::Duration;

/// How long a client may take to ask, and to take the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longest request in bytes: a proof and a secret have 300. Whoever reaches the port may send one, so little is held.
const REQUEST_BYTES_MAX: usize = 4 << 10;

/// Serves one enrolment.
pub async fn serve(connection: &Connection, enrolment: &Enrolment) -> Result<(), String> {
    let served = tokio::time::timeout(PATIENCE, exchange(connection, enrolment)).await;
    served.map_err(|_| "an enrolment took too long")??;
    // The answer must arrive before the connection ends, and the client ends it.
    let _gone = tokio::time::timeout(PATIENCE, connection.closed()).await;
    Ok(())
}

async fn exchange(connection: &Connection, enrolment: &Enrolment) -> Result<(), String> {
    let mut binding = [0; BINDING_BYTES];
    connection
        .export_keying_material(&mut binding, BINDING_LABEL, b"")
        .map_err(|_| "the TLS session exports no keying material")?;
    let (send, receive) = connection.accept_bi().await.map_err(|error| error.to_string())?;
    let request: EnrolRequest =
        FrameReader::bounded(receive, REQUEST_BYTES_MAX).next().await.map_err(|error| error.to_string())?;
    let answer = enrolment.answer(&request, &binding).await;
    let mut writer = FrameWriter::new(send);
    writer.push(&answer).map_err(|error| error.to_string())?;
    writer.write_all().await.map_err(|error| error.to_string())
}

//! Asking the authority for a certificate: with a join token the first time, with the agent's own key afterwards.

use crate::identity::Identity;
use crate::quic::endpoint::{ReachError, Reached, connect_to_enrol, connect_to_renew};
use crate::quic::lanes::{LaneError, read_frame, write_frame};
use doorward_protocol::codec::CodecError;
use doorward_protocol::enrol::{BINDING_BYTES, BINDING_LABEL, EnrolAnswer, EnrolRequest, Enrolled, JoinToken, Proof};
use doorward_protocol::id::AgentId;
use doorward_protocol::sign::{SecretKey, Signed};
use quinn::Connection;
use std::time::Duration;
use thiserror::Error;

/// How long the authority may take to answer: it writes one entry to its journal.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Why there is no certificate.
#[derive(Debug, Error)]
pub enum EnrolError {
    /// The authority was not reached.
    #[error("{0}")]
    Reach(#[from] ReachError),
    /// The exchange broke off.
    #[error("{0}")]
    Lane(#[from] LaneError),
    /// The session gives no binding, or the proof does not encode.
    #[error("the proof cannot be made: {0}")]
    Proof(String),
    /// It did not answer.
    #[error("no answer to the request within {} s", ANSWER_TIMEOUT.as_secs())]
    Silent,
    /// It said no.
    #[error("the authority refused: {0}")]
    Refused(String),
}

impl From<CodecError> for EnrolError {
    fn from(error: CodecError) -> Self {
        Self::Proof(error.to_string())
    }
}

/// Joins with a token, at one address.
///
/// # Errors
/// See [`EnrolError`].
pub async fn join(address: &str, token: &JoinToken, key: &SecretKey) -> Result<Enrolled, EnrolError> {
    let reached = connect_to_enrol(address, token.certificate_authority).await?;
    let proof = proof(&reached.connection, &token.agent, key)?;
    exchange(reached, &EnrolRequest::Join { secret: token.secret, proof }).await
}

/// Asks for a new certificate for the same key, at one address.
///
/// # Errors
/// See [`EnrolError`].
pub async fn renew(address: &str, identity: &Identity) -> Result<Enrolled, EnrolError> {
    let reached = connect_to_renew(address, identity).await?;
    let proof = proof(&reached.connection, &identity.agent, &identity.key)?;
    exchange(reached, &EnrolRequest::Renew(proof)).await
}

/// The proof that the key is here, in this session and no other.
fn proof(connection: &Connection, agent: &AgentId, key: &SecretKey) -> Result<Signed<Proof>, EnrolError> {
    let mut binding = [0; BINDING_BYTES];
    connection
        .export_keying_material(&mut binding, BINDING_LABEL, b"")
        .map_err(|_| EnrolError::Proof("the TLS session exports no keying material".into()))?;
    Ok(key.sign_value(&Proof { agent: agent.clone(), key: key.public(), binding })?)
}

async fn exchange(reached: Reached, request: &EnrolRequest) -> Result<Enrolled, EnrolError> {
    let asked = async {
        let (mut send, mut receive) = reached.connection.open_bi().await.map_err(LaneError::from)?;
        write_frame(&mut send, request).await?;
        read_frame::<EnrolAnswer>(&mut receive).await
    };
    let answer = tokio::time::timeout(ANSWER_TIMEOUT, asked).await;
    reached.close("done").await;
    match answer.map_err(|_| EnrolError::Silent)?? {
        EnrolAnswer::Enrolled(enrolled) => Ok(*enrolled),
        EnrolAnswer::Refused(why) => Err(EnrolError::Refused(why)),
    }
}

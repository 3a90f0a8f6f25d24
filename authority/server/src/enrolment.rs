//! Enrolment: join tokens for agents that are to come, certificates for those that prove their key.
//!
//! Deliberately without a socket: a request comes in with the binding of its TLS session, an answer goes out.

use crate::authority::{Accepted, Authority, OrderError};
use crate::certificates::CertificateAuthority;
use crate::clock;
use crate::keys::{self, KeyError};
use doorward_policy::command::{Actor, Command};
use doorward_policy::office::authorize::Asker;
use doorward_protocol::enrol::{
    BINDING_BYTES, EnrolAnswer, EnrolRequest, Enrolled, JoinToken, Proof, certificate_hash,
};
use doorward_protocol::id::AgentId;
use doorward_protocol::time::UnixMs;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::Semaphore;

/// Requests that are looked at together; further ones wait.
const TOGETHER_MAX: usize = 8;

/// How long a refusal takes, so that guessing tokens is slow. They have 256 bits; this only keeps the log readable.
const REFUSAL_DELAY: Duration = Duration::from_millis(250);

/// Why no token was made.
#[derive(Debug, Error)]
pub enum InviteError {
    /// The command was not taken.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// No randomness.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The token cannot be encoded.
    #[error("the token is larger than any token may be; advertise fewer addresses")]
    Token,
}

/// See the module.
#[derive(Debug)]
pub struct Enrolment {
    authority: Arc<Authority>,
    certificates: Arc<CertificateAuthority>,
    addresses: Vec<String>,
    places: Semaphore,
}

impl Enrolment {
    /// Enrolment at an authority that agents reach at these addresses.
    #[must_use]
    pub fn new(authority: Arc<Authority>, certificates: Arc<CertificateAuthority>, addresses: Vec<String>) -> Self {
        Self { authority, certificates, addresses, places: Semaphore::new(TOGETHER_MAX) }
    }

    /// Lets an agent join once within a time, and makes the text that it needs for that.
    ///
    /// # Errors
    /// See [`InviteError`].
    pub async fn invite(
        &self,
        asker: Asker,
        actor: Actor,
        agent: AgentId,
        valid: Duration,
    ) -> Result<(Accepted, String, UnixMs), InviteError> {
        let secret = keys::random()?;
        let valid_ms = i64::try_from(valid.as_millis()).unwrap_or(i64::MAX);
        let expires_at = self.authority.timeline.now().plus_ms(valid_ms);
        let token = JoinToken {
            campus: self.authority.signer.campus().clone(),
            agent: agent.clone(),
            secret,
            expires_at,
            root: self.authority.signer.root().hash(),
            certificate_authority: certificate_hash(self.certificates.certificate()),
            addresses: self.addresses.clone(),
        };
        let text = token.to_text().ok_or(InviteError::Token)?;
        let command = Command::AgentAdd { agent, token_hash: JoinToken::secret_hash(&secret), expires_at };
        let accepted = self.authority.execute_for(asker, actor, command).await?;
        self.authority.published_at(accepted.seq).await;
        Ok((accepted, text, expires_at))
    }

    /// Answers one request.
    pub async fn answer(&self, request: &EnrolRequest, binding: &[u8; BINDING_BYTES]) -> EnrolAnswer {
        // The semaphore is never closed, so there is always a place in the end.
        let place = self.places.acquire().await;
        let answer = self.try_answer(request, binding).await;
        // Whoever is refused waits by itself: otherwise a few who guess would hold up all who renew.
        drop(place);
        match answer {
            Ok(enrolled) => EnrolAnswer::Enrolled(Box::new(enrolled)),
            Err(why) => {
                tracing::warn!("an enrolment was refused: {why}");
                tokio::time::sleep(REFUSAL_DELAY).await;
                EnrolAnswer::Refused(why)
            }
        }
    }

    async fn try_answer(&self, request: &EnrolRequest, binding: &[u8; BINDING_BYTES]) -> Result<Enrolled, String> {
        let proof = request.proof(binding).ok_or("the proof of the key does not belong to this connection")?;
        match request {
            EnrolRequest::Join { secret, .. } => self.join(&proof, secret).await?,
            EnrolRequest::Renew(_) => self.check_key(&proof)?,
        }
        let certificate = self.certificates.for_agent(&proof.agent, proof.key, clock::wall());
        Ok(Enrolled {
            certificate: certificate.map_err(|error| error.to_string())?,
            certificate_authority: self.certificates.certificate().to_vec(),
            statements: self.authority.signer.statements().to_vec(),
        })
    }

    /// A token works once. An agent whose answer was lost has its key on record already and may ask again with it.
    async fn join(&self, proof: &Proof, secret: &[u8; 32]) -> Result<(), String> {
        if self.check_key(proof).is_ok() {
            return Ok(());
        }
        let command = Command::AgentEnrol {
            agent: proof.agent.clone(),
            key: proof.key,
            token_hash: JoinToken::secret_hash(secret),
        };
        // What a former machine of that name had confirmed goes before the new one joins: a crash between the two would
        // otherwise hold the new one to it. It goes once more afterwards, because the former one may just have spoken.
        let is_welcome = self.authority.present().directory.check(&command, self.authority.timeline.now()).is_ok();
        if is_welcome {
            self.authority.store.begin_anew(proof.agent.clone()).await.map_err(|error| error.to_string())?;
        }
        let actor = Actor::agent(&proof.agent);
        let accepted = match self.authority.execute(actor, command).await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Its key may be on record in an entry that is in no commit yet: its first request was cut short just now.
                self.authority.published_at(self.authority.timeline.accepted()).await;
                return self.check_key(proof).map_err(|_| error.to_string());
            }
        };
        self.authority.store.begin_anew(proof.agent.clone()).await.map_err(|error| error.to_string())?;
        // Were the certificate handed out before the commit, its first connection would be refused.
        self.authority.published_at(accepted.seq).await;
        tracing::info!(agent = %proof.agent, key = %proof.key, "an agent joined");
        Ok(())
    }

    fn check_key(&self, proof: &Proof) -> Result<(), String> {
        let published = self.authority.published();
        match published.leaves.leaf(&proof.agent) {
            Some(leaf) if leaf.key == proof.key => Ok(()),
            Some(_) => Err(format!("agent {} has another key; join with a new token", proof.agent)),
            None => Err(format!("agent {} is not enrolled; join with a new token", proof.agent)),
        }
    }
}

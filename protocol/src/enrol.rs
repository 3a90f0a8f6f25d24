//! Enrolment: join tokens, and the two requests by which an agent gets a certificate (PROTOCOL 9).
//!
//! The agent's key is made on the agent. It proves that it holds the key by a signature that is bound to the TLS
//! session, so that a proof cannot be carried into another one.

use crate::armor::{self, ArmorError};
use crate::id::{AgentId, CampusId, Hash, hash};
use crate::limits::{ADDRESSES_MAX, TEXT_BYTES_MAX};
use crate::sign::{Context, PublicKey, Signable, Signed};
use crate::time::UnixMs;
use crate::trust::Statement;
use serde::{Deserialize, Serialize};

/// Label under which both sides export [`BINDING_BYTES`] of keying material from their TLS session (RFC 8446, 7.5).
pub const BINDING_LABEL: &[u8] = b"EXPORTER-doorward-enrol-1";
/// Length of the exported binding in bytes.
pub const BINDING_BYTES: usize = 32;

const TOKEN_PREFIX: &str = "doorward1_";

/// All that an agent needs to join: made by the authority, used once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinToken {
    /// Which campus.
    pub campus: CampusId,
    /// Which agent may join with it.
    pub agent: AgentId,
    /// What proves that the bearer was given the token.
    pub secret: [u8; 32],
    /// When it ends.
    pub expires_at: UnixMs,
    /// [`crate::trust::Root::hash`] of the campus root.
    pub root: Hash,
    /// Hash of the DER certificate of the campus's certificate authority, for the first TLS handshake.
    pub certificate_authority: Hash,
    /// Addresses of authorities as `host:port`, in the order in which to try them.
    pub addresses: Vec<String>,
}

impl core::fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "JoinToken(agent {}, expires {})", self.agent, self.expires_at.to_utc_text())
    }
}

impl JoinToken {
    /// The text that a person carries; `None` for a token beyond its bounds.
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        armor::to_text(TOKEN_PREFIX, self)
    }

    /// Reads the text.
    ///
    /// # Errors
    /// See [`ArmorError`].
    pub fn parse(text: &str) -> Result<Self, ArmorError> {
        let token: Self = armor::parse(TOKEN_PREFIX, text)?;
        let bounded = (1..=ADDRESSES_MAX).contains(&token.addresses.len())
            && token.addresses.iter().all(|address| address.len() <= TEXT_BYTES_MAX);
        if bounded { Ok(token) } else { Err(ArmorError::Damaged) }
    }

    /// The hash by which the authority remembers the token's secret.
    #[must_use]
    pub fn secret_hash(secret: &[u8; 32]) -> Hash {
        hash("doorward 1 join secret", &[secret])
    }
}

/// First and only request on an [`crate::frame::ALPN_ENROL`] connection.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EnrolRequest {
    /// With a token: makes this key the agent's.
    Join {
        /// The token's secret.
        secret: [u8; 32],
        /// [`Proof`], signed by the new key.
        proof: Signed<Proof>,
    },
    /// By the key that is already the agent's: a new certificate for it, also when the old one has expired.
    Renew(Signed<Proof>),
}

/// What the key signs: that it wants a certificate for this agent in this TLS session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Which agent.
    pub agent: AgentId,
    /// The key itself.
    pub key: PublicKey,
    /// Exported from the TLS session under [`BINDING_LABEL`].
    pub binding: [u8; BINDING_BYTES],
}

impl Signable for Proof {
    const CONTEXT: Context = Context::Enrolment;
}

impl EnrolRequest {
    /// The proof, believed when the key that it names signed it in the session with this binding.
    #[must_use]
    pub fn proof(&self, binding: &[u8; BINDING_BYTES]) -> Option<Proof> {
        let signed = match self {
            Self::Join { proof, .. } => proof,
            Self::Renew(proof) => proof,
        };
        let key = signed.unverified().ok()?.key;
        let proof = signed.verify(&[key].into(), 1).ok()?.into_inner();
        (proof.binding == *binding).then_some(proof)
    }
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EnrolAnswer {
    /// Enrolled.
    Enrolled(Box<Enrolled>),
    /// Not enrolled, and why, for a person.
    Refused(String),
}

/// What an enrolled agent gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    /// Its TLS certificate, DER.
    pub certificate: Vec<u8>,
    /// The campus's certificate authority, DER.
    pub certificate_authority: Vec<u8>,
    /// All trust statements from 1.
    pub statements: Vec<Signed<Statement>>,
}

/// The hash by which tokens and trust statements name a certificate authority.
#[must_use]
pub fn certificate_hash(der: &[u8]) -> Hash {
    hash("doorward 1 certificate authority", &[der])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{campus, key};

    fn token() -> JoinToken {
        JoinToken {
            campus: campus(),
            agent: AgentId::new("agent-1").unwrap(),
            secret: [7; 32],
            expires_at: UnixMs(1),
            root: Hash([1; 32]),
            certificate_authority: Hash([2; 32]),
            addresses: vec!["127.0.0.1:7443".into()],
        }
    }

    #[test]
    fn a_token_survives_paper_and_notices_a_slip() {
        let text = token().to_text().unwrap();
        assert_eq!(JoinToken::parse(&format!(" {text}\n")), Ok(token()));
        assert_eq!(JoinToken::parse("hello"), Err(ArmorError::Prefix(TOKEN_PREFIX)));
        for place in TOKEN_PREFIX.len()..text.len() {
            let mut slipped = text.clone().into_bytes();
            slipped[place] = if slipped[place] == b'A' { b'B' } else { b'A' };
            assert_eq!(JoinToken::parse(&String::from_utf8(slipped).unwrap()), Err(ArmorError::Damaged), "{place}");
        }
        assert!(!format!("{:?}", token()).contains("7, 7"));
    }

    #[test]
    fn a_proof_is_bound_to_its_session_and_key() {
        let agent = AgentId::new("agent-1").unwrap();
        let proof = |signer| {
            let proof = Proof { agent: agent.clone(), key: key(1).public(), binding: [5; 32] };
            EnrolRequest::Renew(key(signer).sign_value(&proof).unwrap())
        };
        assert!(proof(1).proof(&[5; 32]).is_some());
        assert!(proof(1).proof(&[6; 32]).is_none());
        assert!(proof(2).proof(&[5; 32]).is_none());
    }
}

//! Lets agents notice a restart of the server at once: their next packet is answered with a stateless reset, which they
//! believe because its key follows from a secret that outlives the process (RFC 9000, section 10.3).
//!
//! Without it, an agent would wait for its idle timeout.

use doorward_protocol::id::{Hash, hash};
use quinn::crypto::{CryptoError, HmacKey};
use quinn::{ConnectionId, ConnectionIdGenerator, EndpointConfig};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Length of a connection id in bytes: enough to be unpredictable, small in each packet.
const ID_BYTES: usize = 8;

/// The configuration of an endpoint whose resets are believed by connections of an earlier process.
pub fn endpoint_config(secret: Hash, started_ms: i64) -> EndpointConfig {
    let mut config = EndpointConfig::new(Arc::new(ResetKey(secret)));
    let ids = Arc::new(Ids { secret, started_ms, next: AtomicU64::new(0) });
    config.cid_generator(move || Box::new(IdGenerator(Arc::clone(&ids))));
    config
}

struct ResetKey(Hash);

impl HmacKey for ResetKey {
    fn sign(&self, data: &[u8], signature_out: &mut [u8]) {
        let tag = hash("doorward 1 quic reset", &[&self.0.0, data]);
        signature_out.iter_mut().zip(tag.0).for_each(|(out, byte)| *out = byte);
    }

    fn signature_len(&self) -> usize {
        32
    }

    fn verify(&self, data: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        let tag = hash("doorward 1 quic reset", &[&self.0.0, data]);
        if crate::keys::equal_in_constant_time(&tag.0, signature) { Ok(()) } else { Err(CryptoError) }
    }
}

/// Ids that nobody can guess and no process gives twice.
struct Ids {
    secret: Hash,
    started_ms: i64,
    next: AtomicU64,
}

struct IdGenerator(Arc<Ids>);

impl ConnectionIdGenerator for IdGenerator {
    fn generate_cid(&mut self) -> ConnectionId {
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        let parts = [&self.0.secret.0[..], &self.0.started_ms.to_le_bytes(), &number.to_le_bytes()];
        let id = hash("doorward 1 quic connection id", &parts).0;
        ConnectionId::new(id.first_chunk::<ID_BYTES>().unwrap_or(&[0; ID_BYTES]))
    }

    fn cid_len(&self) -> usize {
        ID_BYTES
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_of_the_next_process_is_believed_and_one_of_a_stranger_is_not() {
        let token = |secret: u8| {
            let mut out = [0; 32];
            ResetKey(Hash([secret; 32])).sign(b"id", &mut out);
            out
        };
        assert_eq!(token(1), token(1));
        assert!(ResetKey(Hash([1; 32])).verify(b"id", &token(1)).is_ok());
        assert!(ResetKey(Hash([2; 32])).verify(b"id", &token(1)).is_err());
    }

    #[test]
    fn no_connection_id_is_given_twice_also_not_by_the_next_process() {
        let ids = |started_ms| {
            let ids = Arc::new(Ids { secret: Hash([1; 32]), started_ms, next: AtomicU64::new(0) });
            let mut generator = IdGenerator(ids);
            (0..100).map(|_| generator.generate_cid().to_vec()).collect::<Vec<_>>()
        };
        let all: std::collections::BTreeSet<_> = [ids(1), ids(2)].concat().into_iter().collect();
        assert_eq!(all.len(), 200);
    }
}

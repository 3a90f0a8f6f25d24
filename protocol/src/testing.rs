//! Small values for this crate's tests.

use crate::commit::{Position, Pulse};
use crate::id::{CampusId, Hash};
use crate::sign::SecretKey;
use crate::time::UnixMs;
use crate::trust::{Root, Statement};

pub fn key(n: u8) -> SecretKey {
    SecretKey::from_seed(&[n; 32])
}

pub fn campus() -> CampusId {
    CampusId::new("test").unwrap()
}

pub fn pulse(seq: u64) -> Pulse {
    Pulse { campus: campus(), position: Position { epoch: 0, seq }, commit: Hash([1; 32]), at: UnixMs(5) }
}

pub fn statement(version: u32, roots: &[u8], signing: &[u8]) -> Statement {
    let keys = |seeds: &[u8]| seeds.iter().map(|n| key(*n).public()).collect();
    Statement {
        version,
        epoch: 0,
        root: Root { campus: campus(), keys: keys(roots), threshold: 1 },
        signing_keys: keys(signing),
        certificate_authority: Hash([2; 32]),
        at: UnixMs(1),
    }
}

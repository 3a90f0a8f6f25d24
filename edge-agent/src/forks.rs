//! Proofs that the campus's keys signed two histories, kept as files for whoever looks into it.
//!
//! Deliberately apart from the store: they outlive it, and nothing is decided by them.

use crate::files::write_private;
use anyhow::Result;
use doorward_protocol::fork::Fork;
use std::fs;
use std::path::{Path, PathBuf};

/// How many are kept: one proves the matter, a few show how it went on, and whoever holds a key could make any number.
const KEPT_MAX: u32 = 8;

/// Keeps a proof; `None` when it is there already, or enough others are.
///
/// # Errors
/// When it cannot be written.
pub fn keep(directory: &Path, proof: &Fork) -> Result<Option<PathBuf>> {
    let bytes = proof.to_file()?;
    for number in 1..=KEPT_MAX {
        let name = format!("fork-{number}.evidence");
        let path = directory.join(&name);
        match fs::read(&path) {
            Ok(kept) if kept == bytes => return Ok(None),
            Ok(_) => {}
            Err(_) => return write_private(directory, &name, &bytes).map(|()| Some(path)),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Campus;
    use doorward_protocol::fork::{Word, verify};
    use doorward_protocol::frame::ToAgent;
    use doorward_protocol::time::UnixMs;

    #[test]
    fn each_proof_is_kept_once_and_a_flood_of_them_ends() {
        let (directory, campus) = (tempfile::tempdir().unwrap(), Campus::new(vec![]));
        let (identity, commit) = (&campus.identity, campus.head(UnixMs(5)).commit);
        let proof = |n: i64| {
            let ToAgent::Pulse(pulse) = campus.pulse(UnixMs(6), UnixMs(100 + n)) else { panic!("a pulse") };
            Fork::prove(identity.pinned_root, &identity.statements, &commit, &Word::Pulse(pulse)).unwrap()
        };
        let first = keep(directory.path(), &proof(0)).unwrap().unwrap();
        assert_eq!(keep(directory.path(), &proof(0)).unwrap(), None);
        let kept = (1..100).filter(|n| keep(directory.path(), &proof(*n)).unwrap().is_some()).count();
        assert_eq!(kept, 7);
        let root = identity.statements[0].unverified().unwrap().root;
        assert!(verify(&fs::read(first).unwrap(), &root).is_ok());
    }
}

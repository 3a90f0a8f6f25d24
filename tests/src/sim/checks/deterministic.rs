//! Deterministic: a journal that is folded again gives the same commits, and a seed that is run again the same trace.
//!
//! The second half is a test, which compares the digests of two runs.

use crate::sim::promise::Promise;
use crate::sim::world::World;
use doorward_policy::compile::Compiled;
use doorward_policy::directory::Directory;
use doorward_protocol::commit::{Commit, Position};
use doorward_protocol::id::Hash;
use doorward_server::present::Leaves;

/// A restarted authority computed another commit than the one that it had signed.
pub fn on_other_commit(world: &mut World, hash: Hash) {
    world.broken(Promise::Deterministic, format!("commit {hash} comes out otherwise after a restart"));
}

/// Folds the whole journal again, entry by entry, and compares every commit that is kept.
pub fn at_end(world: &mut World) {
    let commits = u64::try_from(world.authority.journal.commits.len()).unwrap_or_default();
    world.counts.add(Promise::Deterministic.name(), "commits made a second time", commits);
    match replay(world) {
        Ok(None) => {}
        Ok(Some(position)) => {
            world
                .broken(Promise::Deterministic, format!("commit {position} comes out otherwise when it is made again"));
        }
        Err(error) => world.broken(Promise::Deterministic, format!("the journal cannot be folded again: {error:#}")),
    }
}

fn replay(world: &World) -> anyhow::Result<Option<Position>> {
    let journal = &world.authority.journal;
    let first = journal.commits.keys().map(|position| position.seq).min().unwrap_or_default();
    let (mut directory, mut compiled) = (Directory::default(), Compiled::default());
    for entry in &journal.entries {
        let touched = directory.apply(entry)?;
        compiled.update(&directory, &touched)?;
        if entry.seq < first {
            continue;
        }
        let root = Leaves::of(&directory, &compiled)?.root();
        for (position, signed) in journal.commits.iter().filter(|(position, _)| position.seq == entry.seq) {
            let Commit { at, root: signed_root, .. } = signed.unverified()?;
            if at != entry.at || signed_root != root {
                return Ok(Some(*position));
            }
        }
    }
    Ok(None)
}

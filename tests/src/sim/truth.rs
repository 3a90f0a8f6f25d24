//! What the checkers know: every commit that the authority made, and what each was made from.

use doorward_policy::compile::Compiled;
use doorward_policy::directory::Directory;
use doorward_protocol::commit::Position;
use doorward_protocol::id::{AgentId, Hash};
use doorward_protocol::state::State;
use doorward_protocol::time::UnixMs;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One commit and what it says.
#[derive(Debug, Clone)]
pub struct Committed {
    pub position: Position,
    pub at: UnixMs,
    /// What each agent's state must be.
    pub digests: BTreeMap<AgentId, Hash>,
    /// The directory, as long as it is kept.
    pub directory: Option<Arc<Directory>>,
    /// The states, as long as they are kept.
    pub compiled: Option<Arc<Compiled>>,
}

/// Agents up to which every state of every commit is kept.
const WHOLE_AGENTS_MAX: usize = 64;

/// Commits whose directory is kept when the campus is large.
const KEPT_MAX: usize = 24;

/// See the module.
#[derive(Debug, Default)]
pub struct Truth {
    commits: BTreeMap<Hash, Committed>,
    order: Vec<Hash>,
    kept: usize,
}

impl Truth {
    /// Takes note of a commit.
    pub fn add(&mut self, hash: Hash, position: Position, directory: &Directory, compiled: &Compiled) {
        if self.commits.contains_key(&hash) {
            return;
        }
        let digests: BTreeMap<_, _> = compiled.agents().map(|(id, state)| (id.clone(), state.digest())).collect();
        let is_small = digests.len() <= WHOLE_AGENTS_MAX;
        let committed = Committed {
            position,
            at: directory.at(),
            digests,
            directory: Some(Arc::new(directory.clone())),
            compiled: is_small.then(|| Arc::new(compiled.clone())),
        };
        self.commits.insert(hash, committed);
        self.order.push(hash);
        if !is_small {
            self.forget();
        }
    }

    /// Of a large campus only the newest directories are kept.
    fn forget(&mut self) {
        while self.order.len().saturating_sub(self.kept) > KEPT_MAX {
            if let Some(old) = self.order.get(self.kept).and_then(|hash| self.commits.get_mut(hash)) {
                old.directory = None;
            }
            self.kept += 1;
        }
    }

    /// The commit of a hash.
    pub fn commit(&self, hash: &Hash) -> Option<&Committed> {
        self.commits.get(hash)
    }
}

impl Committed {
    /// The state of an agent, as long as it is kept.
    pub fn state(&self, agent: &AgentId) -> Option<&State> {
        self.compiled.as_ref()?.state(agent)
    }
}

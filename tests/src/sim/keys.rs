//! The keys of a run: the campus root, the signing keys that its statements name one after another, and a stranger's.

use crate::sim::chance::Chance;
use anyhow::Result;
use doorward_protocol::id::{AgentId, CampusId, Hash};
use doorward_protocol::sign::{SecretKey, Signable, Signed};
use doorward_protocol::time::UnixMs;
use doorward_protocol::trust::{Root, Statement};
use std::collections::BTreeMap;

/// See the module.
pub struct Keys {
    root_key: SecretKey,
    /// The root that agents pin.
    pub root: Root,
    /// All trust statements from 1.
    pub statements: Vec<Signed<Statement>>,
    /// The same, parsed.
    pub said: Vec<Statement>,
    signing: SecretKey,
    /// Somebody else's key.
    pub stranger: SecretKey,
    agents: BTreeMap<AgentId, [u8; 32]>,
}

impl Keys {
    /// Keys for these agents.
    ///
    /// # Errors
    /// Never for values within their bounds.
    pub fn new(chance: &mut Chance, agents: &[AgentId], at: UnixMs) -> Result<Self> {
        let root_key = SecretKey::from_seed(&chance.bytes());
        let signing = SecretKey::from_seed(&chance.bytes());
        let root = Root { campus: CampusId::new("sim")?, keys: [root_key.public()].into(), threshold: 1 };
        let statement = Statement {
            version: 1,
            epoch: 0,
            root: root.clone(),
            signing_keys: [signing.public()].into(),
            certificate_authority: Hash([0; 32]),
            at,
        };
        let statements = vec![root_key.sign_value(&statement)?];
        let stranger = SecretKey::from_seed(&chance.bytes());
        let agents = agents.iter().map(|agent| (agent.clone(), chance.bytes())).collect();
        Ok(Self { root_key, root, statements, said: vec![statement], signing, stranger, agents })
    }

    /// The campus.
    pub const fn campus(&self) -> &CampusId {
        &self.root.campus
    }

    /// The epoch of what is signed.
    pub fn epoch(&self) -> u32 {
        self.said.last().map_or(0, |statement| statement.epoch)
    }

    /// The key of an agent.
    pub fn agent(&self, agent: &AgentId) -> SecretKey {
        SecretKey::from_seed(self.agents.get(agent).unwrap_or(&[0; 32]))
    }

    /// Signs with the online key.
    pub fn sign<T: Signable>(&self, value: &T) -> Option<Signed<T>> {
        self.signing.sign_value(value).ok()
    }

    /// The operator makes the next statement: the next epoch, where wanted, and a new signing key.
    pub fn next_statement(&mut self, chance: &mut Chance, raises_epoch: bool, at: UnixMs) {
        let Some(before) = self.said.last() else { return };
        let signing = SecretKey::from_seed(&chance.bytes());
        let statement = Statement {
            version: before.version + 1,
            epoch: before.epoch + u32::from(raises_epoch),
            signing_keys: [signing.public()].into(),
            at,
            ..before.clone()
        };
        if let Ok(signed) = self.root_key.sign_value(&statement) {
            self.statements.push(signed);
            self.said.push(statement);
            self.signing = signing;
        }
    }

    /// Whether an agent that holds a statement believes this.
    pub fn believes<T: Signable>(&self, version: u32, signed: &Signed<T>) -> Option<T> {
        let held = self.said.iter().find(|statement| statement.version == version)?;
        signed.verify(&held.signing_keys, 1).ok().map(doorward_protocol::sign::Verified::into_inner)
    }

    /// The epoch of a statement.
    pub fn epoch_of(&self, version: u32) -> Option<u32> {
        self.said.iter().find(|statement| statement.version == version).map(|statement| statement.epoch)
    }
}

//! A campus whose agents are all enrolled, made without asking a server ten thousand times: its journal is written by
//! production code, and what the agents are is written down for the swarm.

use crate::bench::campus::Recipe;
use anyhow::{Context, Result, anyhow};
use doorward_policy::command::{Actor, Command, Entry};
use doorward_policy::compile::Compiled;
use doorward_policy::directory::Directory;
use doorward_policy::folder::{CampusFiles, parse};
use doorward_protocol::enrol::JoinToken;
use doorward_protocol::id::{AgentId, CampusId, Hash};
use doorward_protocol::sign::{SecretKey, Signed};
use doorward_protocol::trust::Statement;
use doorward_server::certificates::CertificateAuthority;
use doorward_server::clock;
use doorward_server::init::{InitOptions, init};
use doorward_server::journal::{self, Journal};
use doorward_server::keys;
use doorward_server::paths::Layout;
use doorward_server::present::Leaves;
use doorward_server::signer::Signer;
use serde::{Deserialize, Serialize};
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

/// How many guards there are: their cards open every building, so that taking one away concerns every agent.
pub const GUARDS: u64 = 120;

/// Doors of every kind, for people who may open all of them.
const GUARD_RULE: &str = r#"
[[rule]]
id = "guards"
who = { units = ["security"] }
where = { functions = ["building-entry", "library", "dormitory", "laboratory", "dining"] }
"#;

/// A campus with guards.
#[derive(Debug, Clone, Copy)]
pub struct Crowd(pub Recipe);

/// Who the agents of a swarm are.
#[derive(Debug, Serialize, Deserialize)]
pub struct Members {
    /// Their campus.
    pub campus: CampusId,
    /// Hash of its root.
    pub pinned_root: Hash,
    /// Its certificate authority, DER.
    pub certificate_authority: Vec<u8>,
    /// Its trust statements.
    pub statements: Vec<Signed<Statement>>,
    /// Each agent.
    pub members: Vec<Member>,
}

/// One agent.
#[derive(Debug, Serialize, Deserialize)]
pub struct Member {
    /// Its id.
    pub agent: AgentId,
    /// The seed of its key.
    pub seed: [u8; 32],
    /// Its certificate, DER.
    pub certificate: Vec<u8>,
}

impl Crowd {
    /// The campus in a paragraph.
    #[must_use]
    pub fn describe(&self) -> String {
        format!("{} And {GUARDS} guards whose card opens every door.", self.0.describe())
    }

    /// The card of a guard by number.
    #[must_use]
    pub fn guard(&self, number: u64) -> String {
        format!("C0FFEE{number:08}")
    }

    /// The files of its folder.
    #[must_use]
    pub fn files(&self) -> CampusFiles {
        let mut files = self.0.files();
        let mut add = |name: &str, text: &str| {
            if let Some(file) = files.0.get_mut(name) {
                file.extend_from_slice(text.as_bytes());
            }
        };
        add("campus.toml", GUARD_RULE);
        add("units.csv", "security,Security,office,university\n");
        for number in 0..GUARDS {
            add("people.csv", &format!("guard-{number},Guard {number},staff,,\n"));
            add("affiliations.csv", &format!("guard-{number},security,2024-01-01,\n"));
            add("cards.csv", &format!("{},guard-{number},card,active,2024-01-01,\n", self.guard(number)));
        }
        files
    }

    /// Makes the data directory of an authority that has enrolled every agent, and a file of who they are.
    ///
    /// # Errors
    /// When production code refuses any of it, or a file cannot be written.
    pub fn make(&self, data: &Path, members: &Path) -> Result<()> {
        let layout = Layout::new(data);
        let campus = parse(&self.files()).map_err(|problems| {
            anyhow!("{}", problems.first().map_or_else(String::new, std::string::ToString::to_string))
        })?;
        init(&layout, &campus, InitOptions::default())?;
        let mut journal = journal::open(&layout.journal())?;
        let mut directory = Directory::default();
        let mut refused = None;
        journal.read_from(1, &mut |entry| {
            refused = directory.apply(&entry).err();
            if refused.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if let Some(refusal) = refused {
            return Err(refusal.into());
        }
        let ids = (0..self.0.agents).map(|number| Ok(AgentId::new(&self.0.agent(number))?));
        let ids = ids.collect::<Result<Vec<_>>>()?;
        let enrolled = write_members(&layout, ids, members)?;
        for (agent, key) in enrolled {
            enrol(&mut *journal, &mut directory, agent, &key)?;
        }
        store_commit(&layout, &mut *journal, &directory)
    }

    /// A file of agents whose certificates are good and whom the authority has not enrolled: it shakes hands with them
    /// and turns them away.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn make_strangers(&self, data: &Path, members: &Path) -> Result<()> {
        let ids = (0..self.0.agents).map(|number| Ok(AgentId::new(&format!("stranger-{number}"))?));
        write_members(&Layout::new(data), ids.collect::<Result<_>>()?, members).map(|_| ())
    }
}

impl Members {
    /// Reads a file of members.
    ///
    /// # Errors
    /// When it is not there, or is none.
    pub fn read(file: &Path) -> Result<Self> {
        let text = fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
        Ok(serde_json::from_slice(&text)?)
    }
}

/// Makes keys and certificates, and writes down who the agents are.
fn write_members(layout: &Layout, ids: Vec<AgentId>, file: &Path) -> Result<Vec<(AgentId, SecretKey)>> {
    let signer = open_signer(layout)?;
    let certificates = CertificateAuthority::open(layout, signer.campus())?;
    let mut made = Members {
        campus: signer.campus().clone(),
        pinned_root: signer.root().hash(),
        certificate_authority: certificates.certificate().to_vec(),
        statements: signer.statements().to_vec(),
        members: Vec::new(),
    };
    let mut secrets = Vec::new();
    for agent in ids {
        let secret = keys::new_secret_key()?;
        let certificate = certificates.for_agent(&agent, secret.public(), clock::wall())?;
        made.members.push(Member { agent: agent.clone(), seed: secret.to_seed(), certificate });
        secrets.push((agent, secret));
    }
    fs::write(file, serde_json::to_vec(&made)?)?;
    Ok(secrets)
}

fn open_signer(layout: &Layout) -> Result<Signer> {
    Ok(Signer::open(layout, journal::open(&layout.journal())?.statements()?)?)
}

/// What an enrolment leaves in the journal.
fn enrol(journal: &mut dyn Journal, directory: &mut Directory, agent: AgentId, key: &SecretKey) -> Result<()> {
    let token_hash = JoinToken::secret_hash(&keys::random()?);
    let expires_at = clock::wall().plus_ms(86_400_000);
    let add = Command::AgentAdd { agent: agent.clone(), token_hash, expires_at };
    let actor = Actor::agent(&agent);
    let enrol = Command::AgentEnrol { agent, key: key.public(), token_hash };
    for (actor, command) in [(Actor::system(), add), (actor, enrol)] {
        let text = serde_json::to_string(&command)?;
        let (before, at) = (directory.head(), directory.at().max(clock::wall()));
        let entry = Entry { seq: before + 1, at, actor, command };
        directory.apply(&entry)?;
        journal.append(before, &entry, &text)?;
    }
    Ok(())
}

/// The commit of the last entry, as an authority makes it.
fn store_commit(layout: &Layout, journal: &mut dyn Journal, directory: &Directory) -> Result<()> {
    let leaves = Leaves::of(directory, &Compiled::whole(directory)?)?;
    let signer = open_signer(layout)?;
    let commit = signer.commit(directory.head(), directory.at(), Hash([0; 32]), leaves.root())?;
    let position = commit.unverified()?.position;
    Ok(journal.store_commit(position, &commit)?)
}

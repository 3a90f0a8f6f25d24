//! `verify`: evidence that was made by the protocol's own means, whole and damaged.

use crate::run::doorward;
use doorward_protocol::commit::{Commit, Leaf, Position};
use doorward_protocol::evidence::{AgentEvidence, Evidence, to_file};
use doorward_protocol::id::{CredentialKey, Hash};
use doorward_protocol::merkle::Tree;
use doorward_protocol::removal::{Item, Removal};
use doorward_protocol::sign::SecretKey;
use doorward_protocol::time::UnixMs;
use doorward_protocol::trust::{Root, Statement};
use std::path::PathBuf;

fn key(n: u8) -> SecretKey {
    SecretKey::from_seed(&[n; 32])
}

fn root(n: u8) -> Root {
    Root { campus: "jnu".parse().unwrap(), keys: [key(n).public()].into(), threshold: 1 }
}

/// Evidence of a suspension that the one agent has not confirmed.
fn evidence() -> Vec<u8> {
    let (campus, at) = (root(1).campus, UnixMs(1_700_000_000_000));
    let position = Position { epoch: 0, seq: 7 };
    let leaf = Leaf { agent: "agent-sci".parse().unwrap(), key: key(10).public(), digest: Hash([1; 32]) };
    let tree = Tree::new(vec![leaf.hash().unwrap()]);
    let signing_keys = [key(2).public()].into();
    let certificate_authority = Hash([0; 32]);
    let statement = Statement { version: 1, epoch: 0, root: root(1), signing_keys, certificate_authority, at };
    let items = vec![Item::Suspend(CredentialKey([5; 16]))];
    let removal = Removal { campus: campus.clone(), position, part: 0, at, items };
    let commit = Commit { campus: campus.clone(), position, at, previous: Hash([0; 32]), root: tree.root() };
    let agent = AgentEvidence {
        agent: leaf.agent.clone(),
        leaf: Some((leaf, tree.path(0).unwrap())),
        doors: vec![("sci-main".parse().unwrap(), Some(3_600_000))],
        receipt: None,
        later: None,
    };
    let evidence = Evidence {
        statements: vec![key(1).sign_value(&statement).unwrap()],
        campus,
        subject: "card CARD3".into(),
        why: "lost".into(),
        removal: key(2).sign_value(&removal).unwrap(),
        commit: key(2).sign_value(&commit).unwrap(),
        agents: vec![agent],
        at,
    };
    to_file(&key(2).sign_value(&evidence).unwrap()).unwrap()
}

struct Papers {
    folder: tempfile::TempDir,
}

impl Papers {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("root.pub"), root(1).to_text().unwrap() + "\n").unwrap();
        std::fs::write(folder.path().join("other.pub"), root(3).to_text().unwrap() + "\n").unwrap();
        std::fs::write(folder.path().join("file"), evidence()).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn verify(&self, file: &str, root: &str, more: &[&str]) -> crate::run::Ran {
        let (file, root) = (self.path(file), self.path(root));
        let mut arguments = vec!["verify", file.to_str().unwrap(), "--root", root.to_str().unwrap()];
        arguments.extend(more);
        doorward(&arguments)
    }
}

#[test]
fn evidence_says_what_it_proves_and_what_it_does_not() {
    let papers = Papers::new();
    let ran = papers.verify("file", "root.pub", &["--time-zone", "Asia/Seoul"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.contains("suspend card CARD3 (lost)"), "{}", ran.out);
    assert!(ran.out.contains("at the latest at 2023-11-15T08:13:20.000+09:00"), "{}", ran.out);
    assert!(papers.verify("file", "root.pub", &[]).out.contains("at the latest at 2023-11-14T23:13:20Z"));
    let json: serde_json::Value = serde_json::from_str(&papers.verify("file", "root.pub", &["--json"]).out).unwrap();
    assert_eq!(json["doors"][0]["state"], "open-until-lease-ends");
}

#[test]
fn a_damaged_file_proves_nothing() {
    let papers = Papers::new();
    let whole = evidence();
    for place in (0..whole.len()).step_by(97).chain([whole.len() - 1]) {
        let mut damaged = whole.clone();
        damaged[place] ^= 1;
        std::fs::write(papers.path("damaged"), damaged).unwrap();
        let ran = papers.verify("damaged", "root.pub", &[]);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "byte {place}");
        assert!(ran.err.contains("damaged proves nothing"), "{}", ran.err);
    }
}

#[test]
fn evidence_of_another_campus_and_keys_that_are_none_are_refused() {
    let papers = Papers::new();
    let other = papers.verify("file", "other.pub", &[]);
    assert!(other.code == 1 && other.err.contains("not made under this campus root"), "{}", other.err);
    let no_key = papers.verify("file", "file", &[]);
    assert!(no_key.code == 1 && no_key.err.starts_with("error: "), "{}", no_key.err);
    let swapped = papers.verify("root.pub", "root.pub", &[]);
    assert!(swapped.code == 1 && swapped.err.contains("not an evidence file"), "{}", swapped.err);
    let zone = papers.verify("file", "root.pub", &["--time-zone", "asia/seoul"]);
    assert!(zone.code == 2 && zone.err.contains("did you mean Asia/Seoul?"), "{}", zone.err);
}

//! The certificate of a revocation: it verifies offline, and no byte of it can change.

use doorward_protocol::commit::{Commit, Leaf, Position};
use doorward_protocol::evidence::{self, AgentEvidence, DoorState, Evidence};
use doorward_protocol::id::{CredentialKey, Hash};
use doorward_protocol::merkle::Tree;
use doorward_protocol::receipt::{About, Receipt, Stage};
use doorward_protocol::removal::{Item, Removal};
use doorward_protocol::sign::SecretKey;
use doorward_protocol::time::UnixMs;
use doorward_protocol::trust::{Root, Statement};

pub const AT: UnixMs = UnixMs(1_700_000_000_000);

pub fn key(n: u8) -> SecretKey {
    SecretKey::from_seed(&[n; 32])
}

pub fn root() -> Root {
    Root { campus: "campus".parse().unwrap(), keys: [key(1).public()].into(), threshold: 1 }
}

fn evidence() -> Evidence {
    let campus = root().campus;
    let position = Position { epoch: 0, seq: 7 };
    let leaf =
        |n: u8| Leaf { agent: format!("agent-{n}").parse().unwrap(), key: key(n).public(), digest: Hash([n; 32]) };
    let leaves = [leaf(10), leaf(11)];
    let tree = Tree::new(leaves.iter().map(|leaf| leaf.hash().unwrap()).collect());
    let statement = Statement {
        version: 1,
        epoch: 0,
        root: root(),
        signing_keys: [key(2).public()].into(),
        certificate_authority: Hash([0; 32]),
        at: AT,
    };
    let items = vec![Item::Suspend(CredentialKey([5; 16]))];
    let removal = key(2).sign_value(&Removal { campus: campus.clone(), position, part: 0, at: AT, items }).unwrap();
    let commit = Commit { campus: campus.clone(), position, at: AT, previous: Hash([0; 32]), root: tree.root() };
    let commit = key(2).sign_value(&commit).unwrap();
    let receipt = Receipt {
        campus: campus.clone(),
        agent: leaves[0].agent.clone(),
        about: About::Removal,
        position,
        hash: removal.hash(),
        stage: Stage::Durable,
        at: AT.plus_ms(3),
    };
    let agents = [Some(key(10).sign_value(&receipt).unwrap()), None].into_iter().zip(0..).map(|(receipt, i)| {
        let leaf = leaves[i].clone();
        let doors =
            vec![(format!("door-{i}").parse().unwrap(), Some(60_000)), (format!("side-{i}").parse().unwrap(), None)];
        AgentEvidence {
            agent: leaf.agent.clone(),
            leaf: Some((leaf, tree.path(i).unwrap())),
            doors,
            receipt,
            later: None,
        }
    });
    Evidence {
        statements: vec![key(1).sign_value(&statement).unwrap()],
        campus,
        subject: "card CARD3".into(),
        why: "lost".into(),
        removal,
        commit,
        agents: agents.collect(),
        at: AT.plus_ms(10),
    }
}

fn file(evidence: &Evidence) -> Vec<u8> {
    evidence::to_file(&key(2).sign_value(evidence).unwrap()).unwrap()
}

#[test]
fn the_file_proves_what_agents_signed_and_says_what_it_does_not() {
    let finding = evidence::verify(&file(&evidence()), &root()).unwrap();
    let states: Vec<DoorState> = finding.doors.iter().map(|door| door.state).collect();
    let closed = DoorState::Closed(AT.plus_ms(3));
    assert_eq!(states, [closed, closed, DoorState::UntilLease(AT.plus_ms(60_000)), DoorState::Open]);
    let text = finding.sentences(UnixMs::to_utc_text).join("\n");
    assert!(text.contains("Closed at 2 of 4 doors"), "{text}");
    assert!(text.contains("Not proven: door door-1 (agent agent-11) has not confirmed"), "{text}");
}

#[test]
fn changing_any_byte_of_the_file_makes_it_prove_nothing() {
    let file = file(&evidence());
    for place in 0..file.len() {
        for bit in [1, 128] {
            let mut damaged = file.clone();
            damaged[place] ^= bit;
            assert!(evidence::verify(&damaged, &root()).is_err(), "byte {place}");
        }
    }
    assert!(evidence::verify(&file[..file.len() - 1], &root()).is_err());
    assert!(evidence::verify(&[file, vec![0]].concat(), &root()).is_err());
}

#[test]
fn a_receipt_counts_only_for_what_and_whom_it_was_signed() {
    let swapped = |change: &dyn Fn(&mut Receipt)| {
        let mut evidence = evidence();
        let mut receipt = evidence.agents[0].receipt.as_ref().unwrap().unverified().unwrap();
        change(&mut receipt);
        evidence.agents[0].receipt = Some(key(10).sign_value(&receipt).unwrap());
        evidence::verify(&file(&evidence), &root())
    };
    assert!(swapped(&|_| {}).is_ok());
    assert!(swapped(&|receipt| receipt.stage = Stage::Applied).is_err());
    assert!(swapped(&|receipt| receipt.hash = Hash([1; 32])).is_err());
    assert!(swapped(&|receipt| receipt.agent = "agent-11".parse().unwrap()).is_err());
    let mut borrowed = evidence();
    borrowed.agents[1].receipt = borrowed.agents[0].receipt.clone();
    assert!(evidence::verify(&file(&borrowed), &root()).is_err());
}

#[test]
fn it_goes_on_proving_when_a_later_statement_names_another_key_and_epoch() {
    let mut evidence = evidence();
    let mut statement = evidence.statements[0].unverified().unwrap();
    (statement.version, statement.epoch) = (2, 1);
    statement.signing_keys = [key(4).public()].into();
    evidence.statements.push(key(1).sign_value(&statement).unwrap());
    let by = |n| evidence::verify(&evidence::to_file(&key(n).sign_value(&evidence).unwrap()).unwrap(), &root());
    assert_eq!(by(4).unwrap().doors[0].state, DoorState::Closed(AT.plus_ms(3)));
    assert!(by(2).is_err(), "the key of an earlier statement vouches for no file");
}

#[test]
fn what_was_signed_under_another_epoch_than_its_own_proves_nothing() {
    let mut evidence = evidence();
    let mut removal = evidence.removal.unverified().unwrap();
    removal.position.epoch = 1;
    evidence.removal = key(2).sign_value(&removal).unwrap();
    assert!(evidence::verify(&file(&evidence), &root()).is_err());
}

#[test]
fn another_root_does_not_vouch_for_it() {
    let mut other = root();
    other.keys = [key(3).public()].into();
    assert!(evidence::verify(&file(&evidence()), &other).is_err());
}

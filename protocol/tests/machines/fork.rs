//! The proof of two histories: it names both, verifies offline, and no byte of it can change.

use crate::evidence::{AT, key, root};
use doorward_protocol::commit::{Commit, Position, Pulse};
use doorward_protocol::fork::{Finding, Fork, Form, Word, verify};
use doorward_protocol::id::Hash;
use doorward_protocol::sign::Signed;
use doorward_protocol::trust::Statement;

/// Statement 1 names key 2; statement 2, of the same epoch, key 4.
fn statements() -> Vec<Signed<Statement>> {
    let statement = |version, signer| Statement {
        version,
        epoch: 0,
        root: root(),
        signing_keys: [key(signer).public()].into(),
        certificate_authority: Hash([0; 32]),
        at: AT,
    };
    [statement(1, 2), statement(2, 4)].map(|statement| key(1).sign_value(&statement).unwrap()).into()
}

fn commit(seq: u64, previous: Hash, content: u8, signer: u8) -> Signed<Commit> {
    let position = Position { epoch: 0, seq };
    let commit = Commit { campus: root().campus, position, at: AT, previous, root: Hash([content; 32]) };
    key(signer).sign_value(&commit).unwrap()
}

fn prove(first: &Signed<Commit>, second: Word) -> Option<Fork> {
    Fork::prove(root().hash(), &statements(), first, &second)
}

fn found(first: &Signed<Commit>, second: Word) -> Finding {
    verify(&prove(first, second).unwrap().to_file().unwrap(), &root()).unwrap()
}

fn all_forms() -> [(Word, Form, Hash); 3] {
    let (same, before) = (commit(7, Hash([0; 32]), 2, 4), Hash([9; 32]));
    let next = commit(8, before, 3, 4);
    let pulse = Pulse { campus: root().campus, position: Position { epoch: 0, seq: 7 }, commit: before, at: AT };
    [
        (Word::Commit(same.clone()), Form::Itself, same.hash()),
        (Word::Commit(next.clone()), Form::Successor(next.hash()), before),
        (Word::Pulse(key(4).sign_value(&pulse).unwrap()), Form::Pulse, before),
    ]
}

#[test]
fn it_names_both_commits_and_both_keys_in_each_form() {
    let first = commit(7, Hash([0; 32]), 1, 2);
    for (second, form, other) in all_forms() {
        let finding = found(&first, second);
        assert_eq!((finding.first.commit, finding.second.commit, finding.second.form), (first.hash(), other, form));
        assert_eq!(finding.first.keys, [key(2).public()].into());
        assert_eq!(finding.second.keys, [key(4).public()].into());
        let text = finding.sentences(doorward_protocol::time::UnixMs::to_utc_text).join("\n");
        for named in [first.hash().to_string(), other.to_string(), key(2).public().to_string()] {
            assert!(text.contains(&named), "{named} is missing in {text}");
        }
    }
}

#[test]
fn changing_any_byte_of_the_file_makes_it_prove_nothing() {
    let first = commit(7, Hash([0; 32]), 1, 2);
    for (second, ..) in all_forms() {
        let file = prove(&first, second).unwrap().to_file().unwrap();
        for place in 0..file.len() {
            for bit in [1, 128] {
                let mut damaged = file.clone();
                damaged[place] ^= bit;
                assert!(verify(&damaged, &root()).is_err(), "byte {place}");
            }
        }
        assert!(verify(&file[..file.len() - 1], &root()).is_err());
        assert!(verify(&[file, vec![0]].concat(), &root()).is_err());
    }
}

#[test]
fn one_history_is_no_fork() {
    let first = commit(7, Hash([0; 32]), 1, 2);
    let next = commit(8, first.hash(), 3, 2);
    let far = commit(9, Hash([9; 32]), 3, 2);
    for (second, why) in [(first.clone(), "the same"), (next, "the one after it"), (far, "a later one")] {
        assert_eq!(prove(&first, Word::Commit(second)), None, "{why}");
    }
    assert_eq!(prove(&first, Word::Commit(commit(7, Hash([0; 32]), 2, 66))), None, "by a stranger's key");
}

#[test]
fn signatures_that_do_not_count_are_left_out_and_refused() {
    let (mut first, second) = (commit(7, Hash([0; 32]), 1, 2), commit(7, Hash([0; 32]), 2, 2));
    first.add_signature(&key(66));
    first.add_signature(&key(2));
    let mut fork = prove(&first, Word::Commit(second)).unwrap();
    assert_eq!(fork.first.signatures.len(), 1);
    fork.first = first;
    assert!(verify(&fork.to_file().unwrap(), &root()).is_err());
}

#[test]
fn another_root_does_not_vouch_for_it() {
    let (first, second) = (commit(7, Hash([0; 32]), 1, 2), commit(7, Hash([0; 32]), 2, 2));
    let file = prove(&first, Word::Commit(second)).unwrap().to_file().unwrap();
    let mut other = root();
    other.keys = [key(3).public()].into();
    assert!(verify(&file, &other).is_err());
}

//! Files of evidence and of forks: whatever is in them, nothing is proven that nobody signed.
//!
//! The first byte says how: raw bytes, an honest file with bytes altered, or a file that the campus's own key has signed
//! over parts that were exchanged. The last is the strongest liar of all, and still no agent's word can be made up.

use crate::fuzz::choices::Choices;
use crate::fuzz::history::{DOORS, HISTORY, Made, agent, door, key};
use crate::fuzz::model::altered;
use doorward_protocol::evidence::{self, AgentEvidence, DoorState, Evidence};
use doorward_protocol::fork::{self, Fork, Word};
use doorward_protocol::receipt::{About, Receipt, Stage};
use doorward_protocol::removal::Removal;
use doorward_protocol::sign::Signed;
use doorward_protocol::time::UnixMs;

/// What the agent said in truth: that the first removal is durable, and that two commits are.
struct Truth {
    removal: Signed<Removal>,
    receipts: Vec<Signed<Receipt>>,
}

/// Looks at one input.
pub fn run(input: &[u8]) {
    let mut choices = Choices::new(input);
    let Some(truth) = truth() else { return };
    let Some(root) = &HISTORY.root else { return };
    match choices.byte() % 6 {
        0 => {
            let file = [evidence::FILE_MAGIC, choices.rest()].concat();
            assert!(evidence::verify(&file, root).is_err() || honest_file(&truth).as_ref() == Some(&file));
        }
        1 => {
            let Some(file) = honest_file(&truth) else { return };
            assert!(evidence::verify(&file, root).is_ok());
            let altered = choices.alter(file.clone());
            assert!(altered == file || evidence::verify(&altered, root).is_err(), "a changed file proves nothing");
        }
        2 => {
            let Some(fork) = honest_fork(&mut choices) else { return };
            let Ok(file) = fork.to_file() else { return };
            assert!(fork::verify(&file, root).is_ok());
            let altered = choices.alter(file.clone());
            assert!(altered == file || fork::verify(&altered, root).is_err(), "a changed file proves nothing");
        }
        3 => {
            let file = [fork::FILE_MAGIC, choices.rest()].concat();
            if let Ok(finding) = fork::verify(&file, root) {
                let both = [finding.first.commit, finding.second.commit];
                assert!(both.into_iter().all(|hash| HISTORY.of_hash(hash).is_some()), "only what is signed accuses");
            }
        }
        4 => forked(choices),
        _ => lied(&truth, choices),
    }
}

fn truth() -> Option<Truth> {
    let (removal, said) = HISTORY.removals.first()?;
    let of = |about, position, hash| {
        let campus = said.campus.clone();
        let at = UnixMs(1_700_000_777_000);
        let receipt = Receipt { campus, agent: agent()?, about, position, hash, stage: Stage::Durable, at };
        key(9).sign_value(&receipt).ok()
    };
    let of_commit = |made: &Made| of(About::Commit, made.commit.position, made.hash);
    let receipts = vec![
        of(About::Removal, said.position, removal.hash())?,
        of_commit(HISTORY.commits.get(1)?)?,
        of_commit(HISTORY.commits.get(3)?)?,
    ];
    Some(Truth { removal: removal.clone(), receipts })
}

fn honest(truth: &Truth) -> Option<Evidence> {
    let made = HISTORY.commits.get(1)?;
    let doors = DOORS.iter().filter_map(|name| Some((door(name)?, Some(60_000)))).collect();
    let known = AgentEvidence {
        agent: agent()?,
        leaf: Some((made.head.leaf.clone(), made.head.path.clone())),
        doors,
        receipt: truth.receipts.first().cloned(),
        later: None,
    };
    let other = &made.foreign;
    let silent = AgentEvidence {
        agent: other.leaf.agent.clone(),
        leaf: Some((other.leaf.clone(), other.path.clone())),
        doors: vec![(door("gate")?, None)],
        receipt: None,
        later: None,
    };
    Some(Evidence {
        statements: HISTORY.statements.clone(),
        campus: made.commit.campus.clone(),
        subject: "card CARD-1".into(),
        why: "lost".into(),
        removal: truth.removal.clone(),
        commit: made.head.commit.clone(),
        agents: vec![known, silent],
        at: UnixMs(1_700_000_999_000),
    })
}

fn file_of(evidence: &Evidence) -> Option<Vec<u8>> {
    evidence::to_file(&key(3).sign_value(evidence).ok()?).ok()
}

fn honest_file(truth: &Truth) -> Option<Vec<u8>> {
    file_of(&honest(truth)?)
}

/// Whoever holds the campus's key puts together what was never together.
fn lied(truth: &Truth, mut choices: Choices<'_>) {
    let Some(mut evidence) = honest(truth) else { return };
    while !choices.is_over() {
        if lie(&mut evidence, truth, &mut choices).is_none() {
            return;
        }
    }
    let Some((file, root)) = file_of(&evidence).zip(HISTORY.root.as_ref()) else { return };
    let Ok(finding) = evidence::verify(&file, root) else { return };
    let _sentences = finding.sentences(UnixMs::to_utc_text);
    let ordered = HISTORY.removals.iter().any(|(_, removal)| *removal == finding.removal);
    assert!(ordered, "the order is one that was signed");
    for found in &finding.doors {
        let DoorState::Closed(at) = found.state else { continue };
        let spoken = truth.receipts.iter().filter_map(|receipt| receipt.unverified().ok());
        let backed = spoken.filter(|receipt| receipt.agent == found.agent && receipt.at == at).any(|receipt| {
            let contains = receipt.about == About::Commit && receipt.position >= finding.removal.position;
            contains || HISTORY.removal_of_hash(receipt.hash) == Some(&finding.removal)
        });
        assert!(backed, "door {} is said to be closed by agent {}, which never said so", found.door, found.agent);
    }
}

fn lie(evidence: &mut Evidence, truth: &Truth, choices: &mut Choices<'_>) -> Option<()> {
    let places = evidence.agents.len();
    let mut nobody = evidence.agents.first()?.clone();
    let place = choices.below(places);
    let about = evidence.agents.get_mut(place).unwrap_or(&mut nobody);
    match choices.byte() % 16 {
        0 => about.receipt = choices.pick(&truth.receipts).cloned(),
        1 => about.receipt = None,
        2 => about.later = Some(choices.pick(&HISTORY.commits)?.head.commit.clone()),
        3 => about.later = None,
        4 => {
            let head = &choices.pick(&HISTORY.commits)?.head;
            about.leaf = Some((head.leaf.clone(), head.path.clone()));
        }
        5 => {
            let head = &choices.pick(&HISTORY.commits)?.foreign;
            about.leaf = Some((head.leaf.clone(), head.path.clone()));
        }
        6 => about.leaf = None,
        7 => about.agent = choices.pick(&HISTORY.commits)?.foreign.leaf.agent.clone(),
        8 => about.agent = agent()?,
        9 => about.leaf = about.leaf.take().and_then(|leaf| altered(&leaf, choices)),
        10 => evidence.commit = choices.pick(&HISTORY.commits)?.head.commit.clone(),
        11 => evidence.removal = choices.pick(&HISTORY.removals)?.0.clone(),
        12 => {
            let count = choices.below(4);
            evidence.statements = HISTORY.statements.iter().take(count).cloned().collect();
        }
        13 => about.receipt = about.receipt.take().and_then(|receipt| altered(&receipt, choices)),
        14 => {
            // A receipt by a key that the liar has.
            let mut receipt = choices.pick(&truth.receipts)?.unverified().ok()?;
            receipt.at = UnixMs(i64::from(choices.byte()));
            about.receipt = key(*choices.pick(&[1, 2, 3, 8])?).sign_value(&receipt).ok();
        }
        _ => {
            let again = about.clone();
            evidence.agents.push(again);
        }
    }
    Some(())
}

/// Two words of the history that contradict each other.
fn honest_fork(choices: &mut Choices<'_>) -> Option<Fork> {
    let (first, second) = (HISTORY.commits.get(4)?, HISTORY.commits.get(5)?);
    let word = match choices.below(2) {
        0 => Word::Commit(second.head.commit.clone()),
        _ => Word::Pulse(HISTORY.pulse(second, second.commit.at)?),
    };
    Fork::prove(HISTORY.root.as_ref()?.hash(), &HISTORY.statements, &first.head.commit, &word)
}

/// Any two words: they make a proof only when they contradict each other.
fn forked(mut choices: Choices<'_>) {
    let (first, second) = (choices.pick(&HISTORY.commits), choices.pick(&HISTORY.commits));
    let (Some(first), Some(second), Some(root)) = (first, second, HISTORY.root.as_ref()) else { return };
    let statements: Vec<_> = HISTORY.statements.iter().take(1 + choices.below(3)).cloned().collect();
    let commit = if choices.below(2) == 0 { altered(&first.head.commit, &mut choices) } else { None };
    let commit = commit.unwrap_or_else(|| first.head.commit.clone());
    let word = match choices.below(2) {
        0 => Some(Word::Commit(second.head.commit.clone())),
        _ => HISTORY.pulse(second, second.commit.at).map(Word::Pulse),
    };
    let Some(word) = word else { return };
    if let Some(fork) = Fork::prove(root.hash(), &statements, &commit, &word) {
        let same = first.commit.position == second.commit.position && first.hash != second.hash;
        let follows = first.commit.position.epoch == second.commit.position.epoch
            && first.commit.position.seq + 1 == second.commit.position.seq
            && second.commit.previous != first.hash;
        assert!(same || follows, "one history is accused of being two");
        let file = fork.to_file();
        assert!(file.is_ok_and(|file| fork::verify(&file, root).is_ok()), "what is proven verifies");
    }
}

/// Honest files, and the first bytes of each way to lie.
pub fn seeds() -> Vec<Vec<u8>> {
    let body = |file: Vec<u8>, magic: &[u8]| file.strip_prefix(magic).map(<[u8]>::to_vec);
    let file = truth().and_then(|truth| honest_file(&truth)).and_then(|file| body(file, evidence::FILE_MAGIC));
    let fork = honest_fork(&mut Choices::new(&[])).and_then(|fork| fork.to_file().ok());
    let fork = fork.and_then(|file| body(file, fork::FILE_MAGIC));
    let raw =
        [(0_u8, file), (3, fork)].into_iter().filter_map(|(kind, body)| Some([&[kind], body?.as_slice()].concat()));
    let lies = (0..16).map(|lie| vec![5, 0, lie, 1, 1, 1, lie, 2]);
    let forks = (0..6).flat_map(|first| (0..6).map(move |second| vec![4, first, second, 2, 1, first]));
    raw.chain(lies).chain(forks).collect()
}

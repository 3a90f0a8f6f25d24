//! A number far ahead is to make everything that is honest look old for ever.
//!
//! Attacker: somebody on the way; then a thief of the signing key; then a thief of an agent.
//! Power: any number in any frame, first without a signature that counts, then with one.
//! Refused: `Unproven` without the key. With it, a new epoch under a new key leads every agent back to its authority; with
//! an agent's key, only what is said of that agent is wrong.

use crate::stage::Stage;
use crate::stage::campus::{key, north};
use doorward_protocol::commit::{Head, Position};
use doorward_protocol::decide::Reason;
use doorward_protocol::frame::{Base, Refusal, ToAgent, Update};
use doorward_protocol::merkle::Tree;
use doorward_protocol::sign::SecretKey;

const FAR: Position = Position { epoch: 0, seq: u64::MAX };

fn unproven(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Unproven(_))
}

/// The state in force under a position far ahead.
fn far_head(stage: &Stage, position: Position, signing: &SecretKey) -> Head {
    let head = stage.campus.head(&north());
    let mut commit = head.commit.unverified().unwrap();
    (commit.position, commit.previous) = (position, head.commit.hash());
    let tree = Tree::new(vec![head.leaf.hash().unwrap()]);
    commit.root = tree.root();
    Head { commit: signing.sign_value(&commit).unwrap(), leaf: head.leaf, path: tree.path(0).unwrap() }
}

fn update(head: Head) -> ToAgent {
    ToAgent::Update(Box::new(Update { head, base: Base::Present, parts: 0 }))
}

#[test]
fn without_the_key_no_number_moves_an_agent() {
    let mut stage = Stage::new();
    let stranger = key("stranger", "signing");
    let (commit, mut pulse, mut removal) =
        (far_head(&stage, FAR, &stranger), stage.campus.pulse(stage.campus.now), stage.campus.removal("ADA"));
    (pulse.position, removal.position) = (FAR, FAR);
    let frames = [
        update(commit),
        ToAgent::Pulse(stranger.sign_value(&pulse).unwrap()),
        ToAgent::Removal(stranger.sign_value(&removal).unwrap()),
        ToAgent::Statements(vec![stage.campus.statement_with(|statement| statement.version = u32::MAX, &[0, 1])]),
    ];
    for frame in frames {
        stage.refused([frame], unproven);
    }
}

#[test]
fn with_the_key_an_epoch_that_no_statement_named_is_refused() {
    let mut stage = Stage::new();
    let position = Position { epoch: 1, seq: 1 };
    let (mut pulse, mut removal) = (stage.campus.pulse(stage.campus.now), stage.campus.removal("ADA"));
    (pulse.position, removal.position) = (position, position);
    let signing = &stage.campus.signing;
    let frames = [
        update(far_head(&stage, position, signing)),
        ToAgent::Pulse(signing.sign_value(&pulse).unwrap()),
        ToAgent::Removal(signing.sign_value(&removal).unwrap()),
    ];
    for frame in frames {
        stage.refused([frame], unproven);
    }
}

#[test]
fn a_stolen_key_can_strand_an_agent_until_the_next_epoch_and_no_longer() {
    let mut stage = Stage::new();
    let mut removal = stage.campus.removal("BOB");
    removal.position = FAR;
    let removal = ToAgent::Removal(stage.campus.signing.sign_value(&removal).unwrap());
    let far = update(far_head(&stage, FAR, &stage.campus.signing));
    stage.victim.hear(&far);
    stage.victim.hear(&removal);
    assert_eq!(stage.victim.claim().unwrap().position, FAR);
    stage.campus.suspend("ADA");
    stage.meet();
    assert_eq!(stage.tap("ADA"), Reason::Granted, "the authority looks old to it, and an alarm says so");

    stage.campus.renew(true);
    stage.meet();
    stage.is_exact();
    assert_eq!(stage.tap("ADA"), Reason::Suspended);
    assert_eq!(stage.tap("BOB"), Reason::Granted, "what the thief took away is gone with the epoch");
    stage.refused([far, removal], unproven);
}

#[test]
fn a_stolen_key_cannot_move_an_agents_clock() {
    let mut stage = Stage::new();
    let head = stage.campus.head(&north());
    let mut commit =
        far_head(&stage, Position { epoch: 0, seq: stage.campus.position().seq + 1 }, &stage.campus.signing)
            .commit
            .unverified()
            .unwrap();
    commit.at = stage.campus.now.plus_ms(10 * 365 * 86_400_000);
    let tree = Tree::new(vec![head.leaf.hash().unwrap()]);
    let floor = stage.victim.disk.image.floor;
    let commit = stage.campus.signing.sign_value(&commit).unwrap();
    stage.victim.hear(&update(Head { commit, leaf: head.leaf, path: tree.path(0).unwrap() }));
    let now = stage.victim.disk.image.floor;
    assert_eq!((now.at, now.fresh_at), (floor.at, floor.fresh_at));
    assert_eq!(stage.tap("ADA"), Reason::ClockUntrusted, "until the authority agrees with its clock");
}

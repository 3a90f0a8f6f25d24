//! Everything is valid, but of another campus.
//!
//! Attacker: the operator of another campus, or one who founded a campus of the same name.
//! Power: a root and signing keys of its own, and agents of the same names.
//! Refused: `Unproven`; also when the very keys of this campus signed under the other's name.

use crate::stage::Stage;
use crate::stage::campus::{Campus, north};
use doorward_protocol::commit::Head;
use doorward_protocol::frame::{Base, Refusal, ToAgent, Update};

fn unproven(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Unproven(_))
}

/// Everything that a campus can send to its agent in the north.
fn all_of(campus: &Campus) -> Vec<ToAgent> {
    let mut frames = campus.update(&north(), None);
    frames.truncate(1);
    frames.push(ToAgent::Pulse(campus.signing.sign_value(&campus.pulse(campus.now)).unwrap()));
    frames.push(ToAgent::Removal(campus.signing.sign_value(&campus.removal("ADA")).unwrap()));
    frames.push(ToAgent::Statements(campus.statements.clone()));
    frames
}

#[test]
fn what_another_campus_signed_is_refused_also_when_it_has_the_same_name() {
    for name in ["other", "tiny/other"] {
        let mut stage = Stage::new();
        let mut other = Campus::new(name);
        other.suspend("ADA");
        other.suspend("BOB");
        other.renew(false);
        for frame in all_of(&other) {
            stage.refused([frame], unproven);
        }
    }
}

#[test]
fn what_this_campus_keys_signed_under_another_name_is_refused() {
    let mut stage = Stage::new();
    stage.campus.suspend("ADA");
    let campus = &stage.campus;
    let (mut pulse, mut removal, head) = (campus.pulse(campus.now), campus.removal("ADA"), campus.head(&north()));
    let mut commit = head.commit.unverified().unwrap();
    (pulse.campus, removal.campus, commit.campus) = ("o".parse().unwrap(), "o".parse().unwrap(), "o".parse().unwrap());
    let sign = &campus.signing;
    let head = Head { commit: sign.sign_value(&commit).unwrap(), ..head };
    let frames = [
        ToAgent::Pulse(sign.sign_value(&pulse).unwrap()),
        ToAgent::Removal(sign.sign_value(&removal).unwrap()),
        ToAgent::Update(Box::new(Update { head, base: Base::Present, parts: 0 })),
    ];
    for frame in frames {
        stage.refused([frame], unproven);
    }
}

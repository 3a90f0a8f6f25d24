//! Data that is refused is to be found on the disk all the same, and believed after the next start.
//!
//! Attacker: somebody on the way.
//! Power: changes any bit of any frame that passes.
//! Refused: it does not decode or it is refused, and neither a byte of memory nor one of the disk is different afterwards.

use crate::stage::Stage;
use crate::stage::frames::encoded;
use doorward_protocol::frame::{ToAgent, from_wire};
use doorward_protocol::sign::{PublicKey, Signable, Signed};

/// Every frame with every bit of it changed, those that do not decode left out; `lead` comes before each.
fn each_bit(stage: &mut Stage, lead: &[ToAgent], frame: &ToAgent, bits: &[u8]) -> usize {
    let before = (stage.victim.claim(), format!("{:?}", stage.victim.disk.image));
    let writes = stage.victim.writes;
    let sound = encoded(frame);
    let mut decoded = 0;
    for place in 0..sound.len() {
        for bit in bits {
            let mut bytes = sound.clone();
            bytes[place] ^= bit;
            let Ok(altered) = from_wire::<ToAgent>(&bytes) else { continue };
            decoded += 1;
            stage.victim.connect();
            lead.iter().for_each(|frame| stage.victim.hear(frame));
            stage.victim.hear(&altered);
            assert_eq!(stage.victim.writes, writes, "byte {place}, bit {bit} of {altered:?}");
            assert_eq!(stage.victim.claim(), before.0, "byte {place}, bit {bit} of {altered:?}");
        }
    }
    stage.victim.restart(&stage.campus);
    assert_eq!((stage.victim.claim(), format!("{:?}", stage.victim.disk.image)), before);
    decoded
}

const ALL_BITS: [u8; 8] = [1, 2, 4, 8, 16, 32, 64, 128];

#[test]
fn no_bit_of_what_is_signed_can_be_changed() {
    let mut stage = Stage::new();
    stage.campus.renew(false);
    let statements = ToAgent::Statements(stage.campus.statements[1..].to_vec());
    assert!(each_bit(&mut stage, &[], &statements, &ALL_BITS) > 0);
    stage.meet();
    let signing = &stage.campus.signing;
    let pulse = ToAgent::Pulse(signing.sign_value(&stage.campus.pulse(stage.campus.now)).unwrap());
    let removal = ToAgent::Removal(signing.sign_value(&stage.campus.removal("ADA")).unwrap());
    for frame in [pulse, removal] {
        assert!(each_bit(&mut stage, &[], &frame, &ALL_BITS) > 0);
    }
    stage.goes_on();
}

#[test]
fn no_bit_of_an_update_can_be_changed() {
    let mut stage = Stage::new();
    stage.campus.suspend("ADA");
    let [head, part] = stage.update().try_into().unwrap();
    assert!(each_bit(&mut stage, &[], &head, &ALL_BITS) > 0);
    assert!(each_bit(&mut stage, std::slice::from_ref(&head), &part, &ALL_BITS) > 0);
    let [head, part] = stage.snapshot().try_into().unwrap();
    assert!(each_bit(&mut stage, &[head], &part, &[1]) > 0);
    stage.goes_on();
}

/// A value that was signed with bytes that are none of its own, which is all that a signature covers.
fn signed_with<T: Signable>(stage: &Stage, value: &T, alter: impl Fn(Vec<u8>) -> Vec<u8>) -> Signed<T> {
    let signing = &stage.campus.signing;
    let mut signed = signing.sign_value(value).unwrap();
    signed.bytes = alter(signed.bytes);
    let made_by: PublicKey = signing.public();
    signed.signatures = vec![(made_by, signing.sign(T::CONTEXT, &signed.bytes))];
    signed
}

#[test]
fn not_even_the_signing_key_makes_two_spellings_of_one_value_or_bytes_behind_it() {
    let mut stage = Stage::new();
    let behind = |bytes: Vec<u8>| [bytes, vec![0]].concat();
    // The length of the campus's name in three bytes instead of one.
    let respelt = |bytes: Vec<u8>| [&[251, bytes[0], 0], &bytes[1..]].concat();
    let (pulse, removal) = (stage.campus.pulse(stage.campus.now), stage.campus.removal("ADA"));
    let frames = [
        ToAgent::Pulse(signed_with(&stage, &pulse, behind)),
        ToAgent::Pulse(signed_with(&stage, &pulse, respelt)),
        ToAgent::Removal(signed_with(&stage, &removal, behind)),
        ToAgent::Removal(signed_with(&stage, &removal, respelt)),
    ];
    for frame in frames {
        stage.refused([frame], |refusal| matches!(refusal, doorward_protocol::frame::Refusal::Unproven(_)));
    }
}

//! One frame of each kind, and every way to spell one wrong. A kind that is new does not compile until it is here.

use crate::stage::Stage;
use crate::stage::campus::{FOUNDED, credential, north};
use doorward_protocol::codec;
use doorward_protocol::commit::Position;
use doorward_protocol::decide::Reason;
use doorward_protocol::enrol::{EnrolAnswer, EnrolRequest, Enrolled, Proof};
use doorward_protocol::facts::Factors;
use doorward_protocol::frame::{ChainReport, Heard, Hello, Lane, PROTOCOL_VERSION, Refusal, ToAgent, ToAuthority};
use doorward_protocol::id::Incarnation;
use doorward_protocol::limits::FRAME_BYTES_MAX;
use doorward_protocol::receipt::{About, Receipt, Stage as Reached};
use doorward_protocol::record::{Batch, ChainHead, Record};
use std::collections::BTreeSet;

/// One frame of each kind towards an agent, each with its lane.
pub fn to_agent(stage: &Stage) -> Vec<(Lane, ToAgent)> {
    let campus = &stage.campus;
    let mut frames = vec![
        ToAgent::Statements(campus.statements.clone()),
        ToAgent::Pulse(campus.signing.sign_value(&campus.pulse(campus.now)).unwrap()),
        ToAgent::Removal(campus.signing.sign_value(&campus.removal("ADA")).unwrap()),
        ToAgent::Stored(head()),
    ];
    frames.extend(stage.snapshot().into_iter().take(2));
    let kinds: BTreeSet<usize> = frames.iter().map(kind_to_agent).collect();
    assert_eq!(kinds, (0..6).collect(), "there is one of each kind");
    frames.into_iter().map(|frame| (lane_to_agent(&frame), frame)).collect()
}

const fn kind_to_agent(frame: &ToAgent) -> usize {
    match frame {
        ToAgent::Statements(_) => 0,
        ToAgent::Update(_) => 1,
        ToAgent::Part(_) => 2,
        ToAgent::Pulse(_) => 3,
        ToAgent::Removal(_) => 4,
        ToAgent::Stored(_) => 5,
    }
}

const fn lane_to_agent(frame: &ToAgent) -> Lane {
    match frame {
        ToAgent::Statements(_) | ToAgent::Update(_) | ToAgent::Part(_) | ToAgent::Pulse(_) => Lane::Control,
        ToAgent::Removal(_) => Lane::Removal,
        ToAgent::Stored(_) => Lane::Records,
    }
}

/// One frame of each kind towards the authority, each with its lane.
pub fn to_authority(stage: &Stage) -> Vec<(Lane, ToAuthority)> {
    let campus = &stage.campus;
    let receipt = Receipt {
        campus: campus.statement.root.campus.clone(),
        agent: north(),
        about: About::Commit,
        position: campus.position(),
        hash: campus.present.published.hash,
        stage: Reached::Durable,
        at: campus.now,
    };
    let report = ChainReport { head: head(), acknowledged: 0, oldest_unsent_at: None };
    let frames = vec![
        ToAuthority::Hello(hello()),
        ToAuthority::Receipt(campus.agent_key(&north()).sign_value(&receipt).unwrap()),
        ToAuthority::Refusal(Refusal::NeedSnapshot("there is no state".into())),
        ToAuthority::Heard(Heard { pulse_at: campus.now, fresh_at: campus.now, wall: campus.now }),
        ToAuthority::ChainReport(report),
        ToAuthority::Records(Batch { after: head(), records: vec![record(1)] }),
    ];
    let kinds: BTreeSet<usize> = frames.iter().map(kind_to_authority).collect();
    assert_eq!(kinds, (0..6).collect(), "there is one of each kind");
    frames.into_iter().map(|frame| (lane_to_authority(&frame), frame)).collect()
}

const fn kind_to_authority(frame: &ToAuthority) -> usize {
    match frame {
        ToAuthority::Hello(_) => 0,
        ToAuthority::Receipt(_) => 1,
        ToAuthority::Refusal(_) => 2,
        ToAuthority::Heard(_) => 3,
        ToAuthority::ChainReport(_) => 4,
        ToAuthority::Records(_) => 5,
    }
}

/// On which lane a frame towards the authority belongs.
pub const fn lane_to_authority(frame: &ToAuthority) -> Lane {
    match frame {
        ToAuthority::Hello(_) | ToAuthority::Receipt(_) | ToAuthority::Refusal(_) | ToAuthority::Heard(_) => {
            Lane::Control
        }
        ToAuthority::ChainReport(_) | ToAuthority::Records(_) => Lane::Records,
    }
}

/// Both requests and both answers of an enrolment, encoded.
pub fn enrolment(stage: &Stage) -> (Vec<EnrolRequest>, Vec<EnrolAnswer>) {
    let key = stage.campus.agent_key(&north());
    let proof = key.sign_value(&Proof { agent: north(), key: key.public(), binding: [7; 32] }).unwrap();
    let requests = vec![EnrolRequest::Join { secret: [1; 32], proof: proof.clone() }, EnrolRequest::Renew(proof)];
    let enrolled = Enrolled {
        certificate: vec![1; 300],
        certificate_authority: vec![2; 300],
        statements: stage.campus.statements.clone(),
    };
    let answers = vec![EnrolAnswer::Enrolled(Box::new(enrolled)), EnrolAnswer::Refused("no".into())];
    let kinds: BTreeSet<usize> = requests.iter().map(kind_of_request).collect();
    assert_eq!(kinds, (0..2).collect());
    let kinds: BTreeSet<usize> = answers.iter().map(kind_of_answer).collect();
    assert_eq!(kinds, (0..2).collect());
    (requests, answers)
}

const fn kind_of_request(request: &EnrolRequest) -> usize {
    match request {
        EnrolRequest::Join { .. } => 0,
        EnrolRequest::Renew(_) => 1,
    }
}

const fn kind_of_answer(answer: &EnrolAnswer) -> usize {
    match answer {
        EnrolAnswer::Enrolled(_) => 0,
        EnrolAnswer::Refused(_) => 1,
    }
}

/// A greeting of the agent in the north without a state.
pub fn hello() -> Hello {
    Hello {
        protocol: PROTOCOL_VERSION,
        agent: north(),
        software: "rogue".into(),
        statement: 1,
        floor: Position::default(),
        state: None,
        commit: None,
        wall: FOUNDED,
    }
}

/// The beginning of a chain of the agent in the north.
pub fn head() -> ChainHead {
    ChainHead::begin(&north(), Incarnation([9; 16]))
}

/// A record of a card that was let in.
pub fn record(seq: u64) -> Record {
    Record {
        seq,
        at: FOUNDED,
        door: "north-main".parse().unwrap(),
        credential: credential("ADA"),
        factors: Factors::NONE,
        reason: Reason::Granted,
        position: Position::default(),
    }
}

/// How a frame is spelt wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slip {
    /// A byte more than the value has.
    Trailing,
    /// The number of the variant in three bytes instead of one.
    NotCanonical,
    /// A byte less than the value has.
    Truncated,
    /// A length beyond the bound.
    Oversized,
}

/// Every way.
pub const SLIPS: [Slip; 4] = [Slip::Trailing, Slip::NotCanonical, Slip::Truncated, Slip::Oversized];

/// A frame's body, spelt wrong.
pub fn misspelt(body: &[u8], slip: Slip) -> Vec<u8> {
    match slip {
        Slip::Trailing => [body, &[0]].concat(),
        Slip::NotCanonical => [&[251, body[0], 0], &body[1..]].concat(),
        Slip::Truncated => body[..body.len() - 1].to_vec(),
        Slip::Oversized => vec![0; FRAME_BYTES_MAX + 1],
    }
}

/// A body as it stands on a stream; of an oversized one only the beginning, since nobody waits for the rest.
pub fn on_stream(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    let sent = if body.len() > FRAME_BYTES_MAX { 1_024 } else { body.len() };
    [&length, &body[..sent]].concat()
}

/// The encoding of a value.
pub fn encoded<T: serde::Serialize>(value: &T) -> Vec<u8> {
    codec::encode(value).unwrap()
}

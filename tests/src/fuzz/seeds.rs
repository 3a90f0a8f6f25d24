//! The inputs that a corpus begins with: honest values, texts and stories, and a few random ones; the same in every run.
//!
//! Deliberately more than is needed: minimising throws away what reaches nothing new.

use crate::fuzz::history::{HISTORY, door, key};
use crate::fuzz::{chains, evidence, text, wire};
use crate::random::Random;
use doorward_policy::command::{Command, Scope};
use doorward_protocol::codec;
use doorward_protocol::enrol::{EnrolAnswer, EnrolRequest, Enrolled, JoinToken, Proof};
use doorward_protocol::frame::{
    ChainReport, Heard, Hello, PROTOCOL_VERSION, Refusal, StateClaim, ToAgent, ToAuthority,
};
use doorward_protocol::id::Hash;
use doorward_protocol::receipt::{About, Receipt, Stage};
use doorward_protocol::record::Batch;
use doorward_protocol::state::Change;
use doorward_protocol::time::UnixMs;
use serde::Serialize;

/// How many random stories each machine begins with.
const STORIES: u64 = 48;

/// The seeds of a target, by its name.
#[must_use]
pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "wire" => under_each(wire::first_bytes(), &values().unwrap_or_default()),
        "text" => under_each(text::first_bytes(), &texts()),
        "folder" => folders(),
        "facts" => facts(),
        "store" => random_stories(1, 40),
        "agent_machines" => [agent_stories(), random_stories(2, 160)].concat(),
        "authority_machines" => [authority_stories(), random_stories(3, 160)].concat(),
        "evidence" => [evidence::seeds(), random_stories(4, 24)].concat(),
        _ => Vec::new(),
    }
}

/// Every value behind every first byte: most do not fit, and are a first step towards one that does.
fn under_each(first_bytes: impl Iterator<Item = u8>, values: &[Vec<u8>]) -> Vec<Vec<u8>> {
    first_bytes.flat_map(|first| values.iter().map(move |value| [&[first], value.as_slice()].concat())).collect()
}

fn random_stories(seed: u64, length: u64) -> Vec<Vec<u8>> {
    let mut random = Random::new(seed);
    let mut story = || {
        let length = 8 + random.below(length);
        (0..length).map(|_| u8::try_from(random.below(256)).unwrap_or_default()).collect()
    };
    (0..STORIES).map(|_| story()).collect()
}

/// One of each kind of value that is sent, signed or stored.
fn values() -> Option<Vec<Vec<u8>>> {
    let mut values = Vec::new();
    let mut add = |value: Option<Vec<u8>>| values.extend(value);
    let (first, fourth) = (HISTORY.commits.first()?, HISTORY.commits.get(3)?);
    for frame in HISTORY.update(Some(first), fourth, 2) {
        add(bytes(&frame));
    }
    add(bytes(&ToAgent::Pulse(HISTORY.pulse(first, UnixMs(7))?)));
    add(bytes(&ToAgent::Removal(HISTORY.removals.first()?.0.clone())));
    add(bytes(&ToAgent::Statements(HISTORY.statements.clone())));
    add(bytes(&HISTORY.statements));
    add(bytes(HISTORY.statements.first()?));
    add(bytes(&HISTORY.statements.first()?.unverified().ok()?));
    add(bytes(&HISTORY.root));
    add(bytes(HISTORY.root.as_ref()?));
    add(bytes(&first.head));
    add(bytes(&first.head.commit));
    add(bytes(&first.head.leaf));
    add(bytes(&(&first.head.leaf, &first.head.path)));
    add(bytes(&first.commit));
    add(bytes(&HISTORY.removals.first()?.0));
    add(bytes(&HISTORY.removals.first()?.1));
    add(bytes(&HISTORY.pulse(first, UnixMs(7))?));
    for fact in first.state.facts() {
        add(bytes(&*fact));
        add(bytes(&fact.key()));
    }
    let change = Change { removed: first.state.facts().map(|fact| fact.key()).collect(), put: vec![] };
    add(bytes(&change));
    let chain = chains::begin(1)?;
    let records = vec![chains::record(1, 1)?, chains::record(2, 9)?];
    add(bytes(&records));
    add(bytes(records.first()?));
    let batch = Batch { after: chain, records };
    add(bytes(&batch));
    add(bytes(&ToAuthority::Records(batch)));
    add(bytes(&chain));
    add(bytes(&ToAgent::Stored(chain)));
    let report = ChainReport { head: chain, acknowledged: 3, oldest_unsent_at: Some(UnixMs(1)) };
    add(bytes(&report));
    add(bytes(&ToAuthority::ChainReport(report)));
    said_by_agents(&mut add)?;
    enrolments(&mut add)?;
    add(bytes(&7_u32));
    add(Some(vec![0, 0, 16, 0]));
    add(Some(vec![253, 255, 255, 255, 255, 255, 255, 255, 127]));
    Some(values)
}

fn said_by_agents(add: &mut impl FnMut(Option<Vec<u8>>)) -> Option<()> {
    let made = HISTORY.commits.first()?;
    let position = made.commit.position;
    let state = Some(StateClaim { position, digest: made.state.digest() });
    let (agent, software) = (made.head.leaf.agent.clone(), "doorward-agent 0.1.0".to_owned());
    let (protocol, wall) = (PROTOCOL_VERSION, UnixMs(1_700_000_000_000));
    let (floor, commit) = (position, Some(made.hash));
    let hello = Hello { protocol, agent: agent.clone(), software, statement: 1, floor, state, commit, wall };
    add(bytes(&hello));
    add(bytes(&ToAuthority::Hello(hello)));
    let campus = made.commit.campus.clone();
    let (about, stage) = (About::Commit, Stage::Durable);
    let receipt = Receipt { campus, agent, about, position, hash: made.hash, stage, at: wall };
    add(bytes(&receipt));
    add(bytes(&key(9).sign_value(&receipt).ok()?));
    add(bytes(&ToAuthority::Receipt(key(9).sign_value(&receipt).ok()?)));
    add(bytes(&ToAuthority::Heard(Heard { pulse_at: wall, fresh_at: wall, wall })));
    let refusals = [
        Refusal::Unproven("a".into()),
        Refusal::Backward { offered: position, floor: position },
        Refusal::NeedSnapshot(String::new()),
        Refusal::Fork { position, held: made.hash, offered: made.hash },
        Refusal::OutOfBounds(String::new()),
        Refusal::ClockDisagrees { wall, signed: wall },
        Refusal::StoreDamaged("a fact cannot be read".into()),
    ];
    refusals.into_iter().for_each(|refusal| add(bytes(&ToAuthority::Refusal(refusal))));
    Some(())
}

fn token() -> Option<JoinToken> {
    let made = HISTORY.commits.first()?;
    Some(JoinToken {
        campus: made.commit.campus.clone(),
        agent: made.head.leaf.agent.clone(),
        secret: [7; 32],
        expires_at: UnixMs(1_700_000_000_000),
        root: HISTORY.root.as_ref()?.hash(),
        certificate_authority: Hash([2; 32]),
        addresses: vec!["127.0.0.1:7443".into()],
    })
}

fn enrolments(add: &mut impl FnMut(Option<Vec<u8>>)) -> Option<()> {
    let agent = HISTORY.commits.first()?.head.leaf.agent.clone();
    let proof = Proof { agent, key: key(9).public(), binding: [0; 32] };
    add(bytes(&proof));
    let signed = key(9).sign_value(&proof).ok()?;
    add(bytes(&EnrolRequest::Join { secret: [7; 32], proof: signed.clone() }));
    add(bytes(&EnrolRequest::Renew(signed)));
    add(bytes(&EnrolAnswer::Refused("no".into())));
    let (certificate, statements) = (certificate(), HISTORY.statements.clone());
    let enrolled =
        Enrolled { certificate_authority: certificate.clone(), certificate: certificate.clone(), statements };
    add(bytes(&EnrolAnswer::Enrolled(Box::new(enrolled))));
    add(Some(certificate));
    add(bytes(&token()?));
    Some(())
}

/// The part of a certificate that is read, in DER: up to its validity.
fn certificate() -> Vec<u8> {
    let times = [b"\x17\x0d260101000000Z".as_slice(), b"\x18\x0f20990101000000Z"].concat();
    let element = |tag: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).unwrap_or_default();
        [&[tag, length], content].concat()
    };
    let fields = [
        element(0xa0, &element(2, &[2])),
        element(2, &[1]),
        element(0x30, &[]),
        element(0x30, &[]),
        element(0x30, &times),
    ];
    element(0x30, &element(0x30, &fields.concat()))
}

fn bytes<T: Serialize>(value: &T) -> Option<Vec<u8>> {
    codec::encode(value).ok()
}

/// One of each kind of text.
fn texts() -> Vec<Vec<u8>> {
    let mut texts: Vec<String> = [
        "eng-1_main.A",
        "04:AB:CD",
        "2026-11-22",
        "2026-11-22T08:00:00+09:00",
        "2026-11-22T08:00:00.123Z",
        "pin+fingerprint",
        "registrar",
        "a,b,c\n1,\"two \"\"2\"\"\",3\r\n\n4,,6\n",
        "\u{feff}b,a\nx,\"y\nz\"\n",
        "at,door_id,card_id,factors,expect,reason\n2026-03-02T08:00:00+01:00,north-main,C-1,pin,grant,granted\n",
        r#"{"door":"eng-1-main","card":"04AB","factors":["pin"],"id":"7"}"#,
        r#"{"status":true}"#,
        r#"{"door":"d","decision":"grant","reason":"granted","at":"2026-01-01T00:00:00Z"}"#,
        r#"{"id":"agent-1","valid_minutes":60}"#,
        r#"{"reason":"lost"}"#,
        r#"{"scope":"campus","reason":"fire"}"#,
        r#"{"scope":{"door":"d"},"reason":"fire"}"#,
        r#"{"subject":{"unit":"u"},"target":{"building":"b"},"schedule":"s","from":"2026-01-01","until":"2026-02-01"}"#,
        r#"{"on":"2026-01-01"}"#,
        r#"{"files":{"campus.toml":"x"}}"#,
        r#"{"error":"no","hint":null,"problems":[{"file":"f","line":1,"column":2,"message":"m"}]}"#,
        r#"{"progress":{"stage":"read","done":0,"total":5,"detail":"d"}}"#,
        r#"{"summary":{"seq":1,"command":"card-suspend","doors_total":1,"doors_closed":0,"agents_total":1,"agents_closed":0,"ms":null,"complete":false,"unreachable":[]}}"#,
    ]
    .map(str::to_owned)
    .into();
    texts.extend(token().and_then(|token| token.to_text()));
    texts.extend(HISTORY.root.as_ref().and_then(doorward_protocol::trust::Root::to_text));
    texts.extend(commands().iter().filter_map(|command| serde_json::to_string(command).ok()));
    let bodies = token().as_ref().and_then(bytes).into_iter().chain(HISTORY.root.as_ref().and_then(bytes));
    texts.into_iter().map(String::into_bytes).chain(bodies).collect()
}

/// Commands that the tiny campus takes.
fn commands() -> Vec<Command> {
    let id = |text: &str| text.parse().ok();
    let reason = || "lost".to_owned();
    let mut commands = Vec::new();
    commands.extend(id("CARD-1").map(|card| Command::CardSuspend { card, reason: reason() }));
    commands.extend(["north-main", "south-main"].into_iter().filter_map(door).map(|door| {
        let scope = Scope::Door(door);
        Command::LockDown { scope, reason: reason() }
    }));
    commands.push(Command::LockDown { scope: Scope::Campus, reason: reason() });
    commands.push(Command::Release { scope: Scope::Campus, reason: reason() });
    commands.push(Command::Tick { tzdb: "2026a".into() });
    commands
}

fn folders() -> Vec<Vec<u8>> {
    let mut folders: Vec<String> = [
        "",
        "e\np-99,Pat,student,,\0g\nC-99,p-99,card,active,2026-01-01,,\0@2026-03-29T00:30:00Z",
        "h\ng-1,category:student,building:south,hardly-ever,2026-01-01,\0",
        "a\n[[holiday]]\ndate = 2026-03-01\nname = \"A day\"\n",
        "a\n[schedule.night]\nweekly = [\"mon-fri 22:00-03:30\", \"sat,sun 20:00-24:00\"]\nholidays = []\n\
         [[rule]]\nid = \"x\"\neffect = \"deny\"\nwho = { everyone = true }\nwhere = { functions = [\"entry\"] }\n\
         when = \"night\"\nfrom = 2026-01-01\nuntil = 2026-12-31\nfactors = [\"pin\"]\n\0@2026-01-31T23:30:00Z",
        "a\n[card_type.check]\nname = \"c\"\nmedium = \"card\"\nfunctions = []\n\
         number_format = { prefix = \"601983\", digits = 19, check = \"luhn\", person_id_at = 8 }\n",
        "4person_id,name,category,ends_on,left_on\np-1,\"A, B\",student,2026-02-01,2026-01-15\n",
    ]
    .map(str::to_owned)
    .into();
    let jsons: Vec<String> = commands().iter().filter_map(|command| serde_json::to_string(command).ok()).collect();
    folders.extend(jsons.iter().map(|json| format!("!{json}")));
    folders.push(jsons.iter().take(4).map(|json| format!("!{json}\0")).collect());
    folders.into_iter().map(String::into_bytes).collect()
}

/// Honest changes with their lengths in front, then taps.
fn facts() -> Vec<Vec<u8>> {
    let part = |frame: &ToAgent| if let ToAgent::Part(part) = frame { bytes(part) } else { None };
    let framed = |body: Vec<u8>| {
        let length = u16::try_from(body.len()).unwrap_or(u16::MAX).to_le_bytes();
        [length.as_slice(), &body].concat()
    };
    let mut seeds = Vec::new();
    let mut story = Vec::new();
    let mut before = None;
    for made in HISTORY.commits.iter().take(4) {
        let frames = HISTORY.update(before, made, 1);
        story.extend(frames.iter().filter_map(part).flat_map(framed));
        seeds.push([story.as_slice(), &[0], &[7; 80]].concat());
        before = Some(made);
    }
    seeds
}

/// The words of a story for the agent's sync machine: see its `step` for what each says.
fn agent_stories() -> Vec<Vec<u8>> {
    let snapshot = |to: u8| vec![0, to, 0, 1, 3];
    let delta = |to: u8| vec![0, to, 2, 1, 3];
    let keep = vec![11, 3];
    let removal = |n: u8| vec![6, n, 1];
    let pulse = |of: u8| vec![5, of, 0, 1];
    let statements = |from: u8, count: u8| vec![8, from, count, 1];
    let restart = vec![17, 0];
    let join = |words: &[Vec<u8>]| [vec![vec![0]], words.to_vec()].concat().concat();
    let anew = vec![13];
    vec![
        join(&[snapshot(0), keep.clone(), pulse(0), removal(0), keep.clone(), delta(1), keep.clone(), restart.clone()]),
        join(&[snapshot(0), delta(1), delta(2), removal(1), removal(2), delta(3), keep.clone(), keep.clone()]),
        join(&[snapshot(3), keep.clone(), statements(1, 1), delta(4), keep.clone(), pulse(4), delta(5)]),
        join(&[
            snapshot(2),
            keep.clone(),
            statements(1, 2),
            snapshot(6),
            keep.clone(),
            anew,
            restart.clone(),
            delta(7),
        ]),
        join(&[
            snapshot(2),
            vec![0, 3, 2, 1, 0, 0, 0, 1],
            statements(1, 1),
            vec![0, 3, 2, 1, 0, 0, 1, 1],
            keep,
            restart,
        ]),
        // Of the recorder: taps, their records, a connection, batches and answers.
        vec![1, 0, 0, 0, 1, 1, 4, 1, 6, 8, 3, 9, 1, 2, 4, 1, 10, 1, 8, 3],
        vec![1, 6, 0, 0, 0, 4, 1, 8, 0, 1, 10, 1, 4, 1, 14, 0, 6, 10, 1, 8, 2],
    ]
}

fn authority_stories() -> Vec<Vec<u8>> {
    let told = vec![0, 1, 1];
    let moved = vec![7, 0];
    let greet = [vec![0], told.clone(), told.clone(), told.clone(), moved, told.clone(), told.clone(), vec![10], told];
    vec![
        greet.concat(),
        vec![1, 0, 0, 1, 3, 0, 1, 6, 0, 3, 1, 2, 0, 1, 6, 4, 0, 1, 0],
        vec![1, 0, 0, 1, 4, 0, 1, 6, 0, 0, 1, 2, 255, 1, 6, 6],
    ]
}

//! Every value that is decoded from bytes of the network or of a disk: no byte of it may be read in two ways.
//!
//! The first byte says which decoder; what decodes is then used the way the programs use it before they believe it.

use doorward_agent::store::seal::Seal;
use doorward_agent::validity::Validity;
use doorward_protocol::agent::stored::{Floor, StoredHead};
use doorward_protocol::codec;
use doorward_protocol::commit::{Commit, Head, Leaf, Position, Pulse};
use doorward_protocol::enrol::{EnrolAnswer, EnrolRequest, JoinToken, Proof};
use doorward_protocol::evidence::Evidence;
use doorward_protocol::facts::{Fact, FactKey};
use doorward_protocol::fork::Fork;
use doorward_protocol::frame::{self, ChainReport, Hello, ToAgent, ToAuthority};
use doorward_protocol::id::{AgentId, DoorId};
use doorward_protocol::limits::FRAME_BYTES_MAX;
use doorward_protocol::receipt::Receipt;
use doorward_protocol::record::{Batch, ChainHead, Record};
use doorward_protocol::removal::Removal;
use doorward_protocol::sign::{Signable, Signed};
use doorward_protocol::state::Change;
use doorward_protocol::trust::{Root, Statement, Trust};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The decoders: frames of both lanes' directions, enrolment, what is signed, what is stored, and the parts of each.
const DECODERS: [fn(&[u8]); 42] = [
    to_agent,
    to_authority,
    enrol_request,
    enrol_answer,
    decodes::<JoinToken>,
    signed::<Statement>,
    signed::<Commit>,
    signed::<Pulse>,
    signed::<Removal>,
    signed::<Receipt>,
    signed::<Proof>,
    signed::<Evidence>,
    decodes::<Statement>,
    decodes::<Commit>,
    decodes::<Pulse>,
    decodes::<Removal>,
    decodes::<Receipt>,
    decodes::<Proof>,
    decodes::<Evidence>,
    decodes::<Fork>,
    root,
    statements,
    head,
    decodes::<Leaf>,
    decodes::<StoredHead>,
    decodes::<Seal>,
    decodes::<Floor>,
    fact,
    decodes::<FactKey>,
    decodes::<Change>,
    decodes::<Record>,
    batch,
    decodes::<ChainHead>,
    decodes::<ChainReport>,
    decodes::<Hello>,
    // What the authority keeps of changes that are on their way to the doors.
    decodes::<Vec<Signed<Removal>>>,
    decodes::<Vec<(DoorId, Option<u64>)>>,
    decodes::<(Leaf, doorward_protocol::merkle::Path)>,
    decodes::<Option<(Position, AgentId)>>,
    // The version of a store.
    decodes::<u32>,
    length,
    certificate,
];

/// Looks at one input.
pub fn run(input: &[u8]) {
    let Some((which, bytes)) = input.split_first() else { return };
    if let Some(decoder) = DECODERS.get(usize::from(*which) % DECODERS.len()) {
        decoder(bytes);
    }
}

/// The number of a decoder that comes by its name in the list of seeds.
pub fn first_bytes() -> impl Iterator<Item = u8> {
    (0_u8..).take(DECODERS.len())
}

fn decodes<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    let _value: Option<T> = decoded(bytes);
}

fn decoded<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let value: T = codec::decode(bytes).ok()?;
    assert_eq!(codec::encode(&value).as_deref(), Ok(bytes), "a value has one spelling");
    Some(value)
}

/// A signed value is parsed and verified only by the keys that somebody trusts; here, by those that it names itself.
fn signed<T: Signable>(bytes: &[u8]) {
    let Some(signed) = decoded::<Signed<T>>(bytes) else { return };
    let named = signed.signatures.iter().map(|(key, _)| *key).collect();
    let parsed = signed.unverified();
    if let Ok(value) = &parsed {
        assert_eq!(codec::encode(value).as_ref(), Ok(&signed.bytes), "what is signed has one spelling");
    }
    let verified = signed.verify(&named, 1);
    assert!(parsed.is_ok() || verified.is_err(), "what does not parse is not believed");
    assert!(signed.verify(&std::collections::BTreeSet::new(), 0).is_err(), "nobody's signature is none");
}

fn to_agent(bytes: &[u8]) {
    match decoded::<ToAgent>(bytes) {
        Some(ToAgent::Statements(statements)) => prove(&statements),
        Some(ToAgent::Update(update)) => prove_head(&update.head),
        Some(ToAgent::Part(_) | ToAgent::Pulse(_) | ToAgent::Removal(_) | ToAgent::Stored(_)) | None => {}
    }
}

fn to_authority(bytes: &[u8]) {
    if let Some(ToAuthority::Records(batch)) = decoded::<ToAuthority>(bytes) {
        follow(&batch);
    }
}

fn enrol_request(bytes: &[u8]) {
    if let Some(request) = decoded::<EnrolRequest>(bytes) {
        let _proof = request.proof(&[0; 32]);
    }
}

fn enrol_answer(bytes: &[u8]) {
    if let Some(EnrolAnswer::Enrolled(enrolled)) = decoded::<EnrolAnswer>(bytes) {
        prove(&enrolled.statements);
        certificate(&enrolled.certificate);
    }
}

fn statements(bytes: &[u8]) {
    if let Some(statements) = decoded::<Vec<Signed<Statement>>>(bytes) {
        prove(&statements);
    }
}

/// Believes a chain under the root that it names itself: the two ways of reading it agree.
fn prove(statements: &[Signed<Statement>]) {
    let Some(Ok(first)) = statements.first().map(Signed::unverified) else { return };
    let newest = Trust::from_chain(first.root.hash(), statements);
    let each = Trust::each_of_chain(first.root.hash(), statements);
    assert_eq!(newest.is_ok(), each.is_ok());
    if let (Ok(newest), Ok(each)) = (newest, each) {
        assert_eq!(Some(&newest), each.last());
        assert!(each.iter().map(|trust| trust.statement().epoch).is_sorted(), "an epoch never falls");
    }
}

fn root(bytes: &[u8]) {
    let Some(root) = decoded::<Root>(bytes) else { return };
    if let Some(text) = root.to_text()
        && let Ok(read) = Root::parse(&text)
    {
        assert_eq!(read, root);
        assert!(root.threshold > 0);
    }
}

fn head(bytes: &[u8]) {
    if let Some(head) = decoded::<Head>(bytes) {
        prove_head(&head);
    }
}

fn prove_head(head: &Head) {
    if let Ok(leaf) = head.leaf.hash()
        && head.path.root_of(leaf).is_some()
    {
        assert!(head.path.siblings.len() <= 20, "a path is bounded by the number of agents");
    }
}

fn fact(bytes: &[u8]) {
    let Some(fact) = decoded::<Fact>(bytes) else { return };
    let _ = (fact.is_well_formed(), fact.references());
    assert!(codec::encode(&fact.key()).is_ok_and(|key| key.len() <= bytes.len().max(65)), "a key is small");
}

fn batch(bytes: &[u8]) {
    if let Some(batch) = decoded::<Batch>(bytes) {
        follow(&batch);
    }
}

fn follow(batch: &Batch) {
    if let Some(end) = batch.end() {
        let count = u64::try_from(batch.records.len()).unwrap_or(u64::MAX);
        assert_eq!(batch.after.seq.checked_add(count), Some(end.seq), "records are numbered without gaps");
    }
}

fn length(bytes: &[u8]) {
    if let Some((prefix, _)) = bytes.split_first_chunk::<4>()
        && let Ok(length) = frame::body_length(*prefix)
    {
        assert!(length <= FRAME_BYTES_MAX);
        let spelled = u32::try_from(length).map(u32::to_le_bytes);
        assert_eq!(spelled.ok(), Some(*prefix));
    }
}

fn certificate(bytes: &[u8]) {
    let _valid = Validity::of_certificate(bytes);
}

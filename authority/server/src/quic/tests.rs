//! The endpoint against clients that behave, and clients that do not, over loopback.

use super::Quic;
use super::frames::{FrameReader, FrameWriter};
use crate::authority::Authority;
use crate::certificates::CertificateAuthority;
use crate::clock;
use crate::enrolment::Enrolment;
use crate::hub::End;
use crate::init::{InitOptions, init};
use crate::paths::Layout;
use crate::start::{Running, start};
use doorward_policy::command::{Actor, Command};
use doorward_policy::folder::{CampusFiles, parse};
use doorward_policy::office::authorize::Asker;
use doorward_protocol::enrol::{BINDING_LABEL, EnrolAnswer, EnrolRequest, Enrolled, JoinToken, Proof};
use doorward_protocol::frame::{ALPN_AGENT, ALPN_ENROL, AUTHORITY_NAME, Hello, PROTOCOL_VERSION, ToAgent, ToAuthority};
use doorward_protocol::id::AgentId;
use doorward_protocol::sign::SecretKey;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, ConnectionError, Endpoint};
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

struct Site {
    _directory: tempfile::TempDir,
    authority: Arc<Authority>,
    certificates: Arc<CertificateAuthority>,
    enrolment: Arc<Enrolment>,
    address: SocketAddr,
    _quic: Arc<Quic>,
}

async fn site() -> Site {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::new(directory.path().join("data"));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/campuses/jnu");
    let read = |name: &str| Some((name.to_owned(), std::fs::read(folder.join(name)).ok()?));
    let campus = parse(&CampusFiles(CampusFiles::NAMES.into_iter().filter_map(read).collect())).unwrap();
    init(&layout, &campus, InitOptions::default()).unwrap();
    let Running { authority, .. } = tokio::task::block_in_place(|| start(layout, false)).unwrap();
    let certificates = CertificateAuthority::open(&authority.layout, authority.signer.campus()).unwrap();
    let certificates = Arc::new(certificates);
    let addresses = vec!["127.0.0.1:1".to_owned()];
    let enrolment = Arc::new(Enrolment::new(Arc::clone(&authority), Arc::clone(&certificates), addresses));
    let socket = Quic::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let quic = Quic::open(socket, Arc::clone(&authority), Arc::clone(&certificates), Arc::clone(&enrolment)).unwrap();
    let quic = Arc::new(quic);
    let accepting = Arc::clone(&quic);
    tokio::spawn(async move { accepting.run().await });
    Site { _directory: directory, authority, certificates, enrolment, address, _quic: quic }
}

impl Site {
    async fn connect(&self, protocol: &[u8], identity: Option<(&SecretKey, Vec<u8>)>) -> Connection {
        self.try_connect(&[protocol], identity).await.unwrap()
    }

    async fn try_connect(
        &self,
        protocols: &[&[u8]],
        identity: Option<(&SecretKey, Vec<u8>)>,
    ) -> Result<Connection, ConnectionError> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificates.certificate().clone()).unwrap();
        let builder = rustls::ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some((key, certificate)) => {
                let mut der = hex::decode("302e020100300506032b657004220420").unwrap();
                der.extend(key.to_seed());
                let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(der));
                builder.with_client_auth_cert(vec![CertificateDer::from(certificate)], key).unwrap()
            }
        };
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        let config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(config).unwrap()));
        let endpoint = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
        endpoint.connect_with(config, self.address, AUTHORITY_NAME).unwrap().await
    }

    async fn invite(&self, agent: &str) -> JoinToken {
        let agent = AgentId::new(agent).unwrap();
        let invited =
            self.enrolment.invite(Asker::Owner, Actor::system(), agent, Duration::from_secs(60)).await.unwrap();
        JoinToken::parse(&invited.1).unwrap()
    }

    async fn ask(&self, key: &SecretKey, agent: &AgentId, secret: Option<[u8; 32]>) -> EnrolAnswer {
        let connection = self.connect(ALPN_ENROL, None).await;
        let mut binding = [0; 32];
        connection.export_keying_material(&mut binding, BINDING_LABEL, b"").unwrap();
        let proof = key.sign_value(&Proof { agent: agent.clone(), key: key.public(), binding }).unwrap();
        let request = match secret {
            Some(secret) => EnrolRequest::Join { secret, proof },
            None => EnrolRequest::Renew(proof),
        };
        let (send, receive) = connection.open_bi().await.unwrap();
        let mut writer = FrameWriter::new(send);
        writer.push(&request).unwrap();
        writer.write_all().await.unwrap();
        FrameReader::new(receive).next().await.unwrap()
    }

    async fn join(&self, key: &SecretKey, agent: &str) -> (AgentId, Enrolled) {
        let token = self.invite(agent).await;
        match self.ask(key, &token.agent, Some(token.secret)).await {
            EnrolAnswer::Enrolled(enrolled) => (token.agent, *enrolled),
            EnrolAnswer::Refused(why) => panic!("{why}"),
        }
    }
}

fn key(n: u8) -> SecretKey {
    SecretKey::from_seed(&[n; 32])
}

fn refusal(answer: EnrolAnswer) -> String {
    match answer {
        EnrolAnswer::Enrolled(_) => panic!("it was enrolled"),
        EnrolAnswer::Refused(why) => why,
    }
}

/// The code with which the server ended a connection.
async fn end_code(connection: &Connection) -> u32 {
    let closed = tokio::time::timeout(Duration::from_secs(5), connection.closed()).await.unwrap();
    let ConnectionError::ApplicationClosed(close) = closed else { panic!("{closed}") };
    u32::try_from(close.error_code.into_inner()).unwrap()
}

async fn open_control(connection: &Connection) -> (FrameWriter, FrameReader) {
    let (mut send, receive) = connection.open_bi().await.unwrap();
    send.write_all(&[0]).await.unwrap();
    (FrameWriter::new(send), FrameReader::new(receive))
}

fn hello(agent: &AgentId) -> ToAuthority {
    ToAuthority::Hello(Hello {
        protocol: PROTOCOL_VERSION,
        agent: agent.clone(),
        software: "test".into(),
        statement: 1,
        floor: doorward_protocol::commit::Position::default(),
        state: None,
        commit: None,
        wall: clock::wall(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_joined_is_served_and_one_that_is_struck_off_is_cut_at_once() {
    let site = site().await;
    let (agent, enrolled) = site.join(&key(1), "agent-eng-1").await;
    let connection = site.connect(ALPN_AGENT, Some((&key(1), enrolled.certificate.clone()))).await;
    let (mut writer, mut reader) = open_control(&connection).await;
    writer.push(&hello(&agent)).unwrap();
    writer.write_all().await.unwrap();
    assert!(matches!(reader.next::<ToAgent>().await.unwrap(), ToAgent::Update(_)));
    assert!(site.authority.hub.is_connected(&agent));
    let second = site.connect(ALPN_AGENT, Some((&key(1), enrolled.certificate.clone()))).await;
    assert_eq!(end_code(&connection).await, End::Replaced.code());
    let removed = site.authority.execute(Actor::system(), Command::AgentRemove { agent }).await.unwrap();
    assert_eq!(end_code(&second).await, End::StruckOff.code(), "although it has opened no lane yet");
    site.authority.published_at(removed.seq).await;
    let third = site.connect(ALPN_AGENT, Some((&key(1), enrolled.certificate))).await;
    assert_eq!(end_code(&third).await, End::NotEnrolled.code());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_opens_a_lane_and_says_nothing_on_it_is_struck_off_all_the_same() {
    let site = site().await;
    let (agent, enrolled) = site.join(&key(1), "agent-eng-1").await;
    let connection = site.connect(ALPN_AGENT, Some((&key(1), enrolled.certificate))).await;
    let (mut writer, mut reader) = open_control(&connection).await;
    writer.push(&hello(&agent)).unwrap();
    writer.write_all().await.unwrap();
    reader.next::<ToAgent>().await.unwrap();
    let _silent = connection.open_bi().await.unwrap();
    // A stream opens all those before it.
    let (mut later, _receive) = connection.open_bi().await.unwrap();
    later.write_all(&[1]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    site.authority.execute(Actor::system(), Command::AgentRemove { agent }).await.unwrap();
    assert_eq!(end_code(&connection).await, End::StruckOff.code());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_whose_join_was_cut_short_may_ask_again_at_once() {
    let site = site().await;
    let token = site.invite("agent-eng-1").await;
    let (agent, binding) = (token.agent, [3; 32]);
    let ask = |key: SecretKey| {
        let proof = key.sign_value(&Proof { agent: agent.clone(), key: key.public(), binding }).unwrap();
        EnrolRequest::Join { secret: token.secret, proof }
    };
    // The second comes while the entry of the first is in the journal and in no commit yet.
    let (first, second) = (ask(key(5)), ask(key(5)));
    let (first, second) =
        tokio::join!(site.enrolment.answer(&first, &binding), site.enrolment.answer(&second, &binding));
    for answer in [first, second] {
        assert!(matches!(answer, EnrolAnswer::Enrolled(_)), "{answer:?}");
    }
    let other = refusal(site.enrolment.answer(&ask(key(6)), &binding).await);
    assert!(other.contains("it was used"), "{other}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_works_once_for_one_agent_and_a_renewal_only_with_the_known_key() {
    let site = site().await;
    let token = site.invite("agent-eng-1").await;
    let other = AgentId::new("agent-sci").unwrap();
    assert!(refusal(site.ask(&key(2), &token.agent, Some([9; 32])).await).contains("not the one"));
    assert!(refusal(site.ask(&key(2), &other, Some(token.secret)).await).contains("not the one"));
    assert!(refusal(site.ask(&key(1), &token.agent, None).await).contains("not enrolled"));
    assert!(matches!(site.ask(&key(1), &token.agent, Some(token.secret)).await, EnrolAnswer::Enrolled(_)));
    assert!(refusal(site.ask(&key(2), &token.agent, Some(token.secret)).await).contains("was used"));
    // Its first answer may have been lost on the way.
    assert!(matches!(site.ask(&key(1), &token.agent, Some(token.secret)).await, EnrolAnswer::Enrolled(_)));
    assert!(matches!(site.ask(&key(1), &token.agent, None).await, EnrolAnswer::Enrolled(_)));
    assert!(refusal(site.ask(&key(2), &token.agent, None).await).contains("another key"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_tokens_holds_up_nobody_who_has_one() {
    let site = site().await;
    let token = site.invite("agent-eng-1").await;
    let binding = [1; 32];
    let request = |n: u8, agent: &AgentId, secret| {
        let proof = key(n).sign_value(&Proof { agent: agent.clone(), key: key(n).public(), binding }).unwrap();
        EnrolRequest::Join { secret, proof }
    };
    // One after the other in the eight places, their refusals would take longer than a client waits.
    for n in 0..400_u16 {
        let (enrolment, guess) = (Arc::clone(&site.enrolment), request(2, &token.agent, [n.to_le_bytes()[0]; 32]));
        tokio::spawn(async move { enrolment.answer(&guess, &binding).await });
    }
    // By now they stand before it.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let right = request(1, &token.agent, token.secret);
    let answer = tokio::time::timeout(Duration::from_secs(10), site.enrolment.answer(&right, &binding)).await;
    assert!(matches!(answer, Ok(EnrolAnswer::Enrolled(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_to_join_that_is_larger_than_any_is_not_read() {
    let site = site().await;
    let connection = site.connect(ALPN_ENROL, None).await;
    let (mut send, mut receive) = connection.open_bi().await.unwrap();
    send.write_all(&5_000_u32.to_le_bytes()).await.unwrap();
    assert!(receive.read_to_end(1).await.is_err(), "the connection ends, although none of its bytes came");
}

#[test]
fn in_a_crowd_strangers_prove_their_address_and_beyond_the_bound_they_are_refused() {
    use super::{Admission, STRANGERS_BELIEVED_MAX, STRANGERS_MAX, admit};
    assert_eq!(admit(STRANGERS_MAX, false), Admission::Take);
    let crowded = STRANGERS_MAX - STRANGERS_BELIEVED_MAX;
    assert_eq!((admit(crowded, false), admit(crowded, true)), (Admission::Prove, Admission::Take));
    assert_eq!((admit(0, false), admit(0, true)), (Admission::Refuse, Admission::Refuse));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_to_our_protocols_gets_no_connection() {
    let site = site().await;
    let others: [&[&[u8]]; 3] = [&[], &[b"h3"], &[b"doorward-agent/0", b"doorward-agent/2"]];
    for protocols in others {
        assert!(site.try_connect(protocols, None).await.is_err(), "{protocols:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_an_agent_without_a_certificate() {
    let site = site().await;
    let connection = site.connect(ALPN_AGENT, None).await;
    assert_eq!(end_code(&connection).await, End::NotEnrolled.code());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_over_the_bound_or_out_of_order_ends_the_connection() {
    let site = site().await;
    let (agent, enrolled) = site.join(&key(1), "agent-eng-1").await;
    let secret = key(1);
    let connect = || site.connect(ALPN_AGENT, Some((&secret, enrolled.certificate.clone())));
    let oversized = [&[0_u8][..], &u32::MAX.to_le_bytes(), b"x"].concat();
    let no_frame = [&[0_u8][..], &3_u32.to_le_bytes(), &[255, 255, 255]].concat();
    let no_lane = vec![7_u8];
    for bytes in [oversized, no_frame, no_lane] {
        let connection = connect().await;
        let (mut send, _receive) = connection.open_bi().await.unwrap();
        send.write_all(&bytes).await.unwrap();
        assert_eq!(end_code(&connection).await, End::Protocol.code(), "{bytes:?}");
    }
    let connection = connect().await;
    let (mut writer, _reader) = open_control(&connection).await;
    writer.push(&hello(&AgentId::new("agent-sci").unwrap())).unwrap();
    writer.write_all().await.unwrap();
    assert_eq!(end_code(&connection).await, End::Protocol.code(), "it greets as another agent than {agent}");
}

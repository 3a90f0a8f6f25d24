//! Who this agent is: its key and what its enrolment said, as files in the data directory.
//!
//! Deliberately apart from the store, so that a damaged store costs no enrolment. The key never leaves the directory;
//! `enrolment.json` is written last when joining, so that its presence means that the join was finished.

use crate::files::write_private;
use anyhow::{Context, Result, bail};
use doorward_protocol::codec;
use doorward_protocol::enrol::{Enrolled, certificate_hash};
use doorward_protocol::id::{AgentId, CampusId, Hash, Incarnation};
use doorward_protocol::sign::{SecretKey, Signed};
use doorward_protocol::trust::{Statement, Trust};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

const KEY_FILE: &str = "agent.key";
const ENROLMENT_FILE: &str = "enrolment.json";

/// Layout of [`ENROLMENT_FILE`]; a higher number was written by a newer program.
const FORMAT: u32 = 1;

/// What stands before an Ed25519 seed in PKCS#8 (RFC 8410, 7): version 0, the algorithm, and two octet strings.
const PKCS8_BEFORE_SEED: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// An enrolled agent.
#[derive(Debug)]
pub struct Identity {
    /// Which campus.
    pub campus: CampusId,
    /// Which agent.
    pub agent: AgentId,
    /// Its key, for receipts and for TLS.
    pub key: SecretKey,
    /// Hash of the campus root that the join token pinned.
    pub pinned_root: Hash,
    /// Its TLS certificate, DER.
    pub certificate: Vec<u8>,
    /// The campus's certificate authority, DER.
    pub certificate_authority: Vec<u8>,
    /// Trust statements that came with the enrolment, from 1.
    pub statements: Vec<Signed<Statement>>,
    /// Addresses of authorities as `host:port`, in the order in which to try them.
    pub addresses: Vec<String>,
}

/// [`ENROLMENT_FILE`]: bytes are written in hexadecimal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EnrolmentFile {
    format: u32,
    campus: CampusId,
    agent: AgentId,
    pinned_root: String,
    addresses: Vec<String>,
    certificate: String,
    certificate_authority: String,
    statements: Vec<String>,
}

impl Identity {
    /// Reads who the agent is.
    ///
    /// # Errors
    /// When the directory holds no finished enrolment, or one that cannot be read.
    pub fn load(directory: &Path) -> Result<Self> {
        let path = directory.join(ENROLMENT_FILE);
        let text = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => bail!(
                "{} holds no enrolment; run `doorward-agent join TOKEN --data {}` first",
                directory.display(),
                directory.display()
            ),
            text => text.with_context(|| format!("{} cannot be read", path.display()))?,
        };
        let damaged = || format!("{} is damaged; join again with a new token in a new directory", path.display());
        let file: EnrolmentFile = serde_json::from_slice(&text).with_context(damaged)?;
        if file.format > FORMAT {
            bail!("{} was written by a newer doorward-agent; install that version", path.display());
        }
        let statements = file.statements.iter().map(|text| Ok(codec::decode(&read_hex(text)?)?));
        Ok(Self {
            campus: file.campus,
            agent: file.agent,
            key: load_key(directory)?.with_context(|| format!("{KEY_FILE} is missing; {}", damaged()))?,
            pinned_root: read_hash(&file.pinned_root).with_context(damaged)?,
            certificate: read_hex(&file.certificate).with_context(damaged)?,
            certificate_authority: read_hex(&file.certificate_authority).with_context(damaged)?,
            statements: statements.collect::<Result<_>>().with_context(damaged)?,
            addresses: file.addresses,
        })
    }

    /// Writes it down, the key excepted, which [`new_key`] has stored.
    ///
    /// # Errors
    /// When the file cannot be written; the old one is then untouched.
    pub fn store(&self, directory: &Path) -> Result<()> {
        let statements = self.statements.iter().map(|signed| Ok(hex::encode(codec::encode(signed)?)));
        let file = EnrolmentFile {
            format: FORMAT,
            campus: self.campus.clone(),
            agent: self.agent.clone(),
            pinned_root: self.pinned_root.to_string(),
            addresses: self.addresses.clone(),
            certificate: hex::encode(&self.certificate),
            certificate_authority: hex::encode(&self.certificate_authority),
            statements: statements.collect::<Result<_>>()?,
        };
        let text = format!("{}\n", serde_json::to_string_pretty(&file)?);
        write_private(directory, ENROLMENT_FILE, text.as_bytes())
    }

    /// Takes over what the authority answered, once it has proven itself under the pinned root.
    ///
    /// # Errors
    /// When it does not: then nothing of it may be used.
    pub fn take_over(&mut self, enrolled: Enrolled) -> Result<()> {
        let trust = prove(self.pinned_root, &self.campus, &enrolled)?;
        // An answer with fewer statements than we hold would take back whom we trust.
        if trust.statement().version >= u32::try_from(self.statements.len()).unwrap_or(u32::MAX) {
            self.statements = enrolled.statements;
        }
        self.certificate = enrolled.certificate;
        self.certificate_authority = enrolled.certificate_authority;
        Ok(())
    }

    /// Its private key as TLS wants it.
    #[must_use]
    pub fn private_key_der(&self) -> Vec<u8> {
        [PKCS8_BEFORE_SEED.as_slice(), &self.key.to_seed()].concat()
    }
}

/// Believes an answer to an enrolment: its statements by the pinned root, its certificate authority by the newest one.
///
/// # Errors
/// A sentence that says what does not fit.
pub fn prove(pinned_root: Hash, campus: &CampusId, enrolled: &Enrolled) -> Result<Trust> {
    let trust = Trust::from_chain(pinned_root, &enrolled.statements)
        .context("the authority's trust statements do not belong to the campus root that the join token names")?;
    if trust.campus() != campus {
        bail!("the authority belongs to campus {}, the join token to campus {campus}", trust.campus());
    }
    if certificate_hash(&enrolled.certificate_authority) != trust.statement().certificate_authority {
        bail!("the certificate authority that came is not the one that the trust statements name");
    }
    Ok(trust)
}

/// Whether a join was finished in this directory.
///
/// # Errors
/// When the directory cannot be looked at.
pub fn is_enrolled(directory: &Path) -> Result<bool> {
    let path = directory.join(ENROLMENT_FILE);
    path.try_exists().with_context(|| format!("{} cannot be looked at", path.display()))
}

/// The key for a join: the one that an unfinished join left, otherwise a new one, stored before it is used.
///
/// # Errors
/// When it cannot be made or written.
pub fn new_key(directory: &Path) -> Result<SecretKey> {
    if let Some(key) = load_key(directory)? {
        return Ok(key);
    }
    let key = SecretKey::from_seed(&random()?);
    write_private(directory, KEY_FILE, format!("{}\n", hex::encode(key.to_seed())).as_bytes())?;
    Ok(key)
}

fn load_key(directory: &Path) -> Result<Option<SecretKey>> {
    let path = directory.join(KEY_FILE);
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        text => text.with_context(|| format!("{} cannot be read", path.display()))?,
    };
    let seed = read_hash(text.trim()).with_context(|| format!("{} is not a key", path.display()))?;
    Ok(Some(SecretKey::from_seed(&seed.0)))
}

fn read_hash(text: &str) -> Result<Hash> {
    match read_hex(text)?.try_into() {
        Ok(bytes) => Ok(Hash(bytes)),
        Err(bytes) => bail!("{} bytes where 32 are expected", bytes.len()),
    }
}

fn read_hex(text: &str) -> Result<Vec<u8>> {
    hex::decode(text).map_err(|error| anyhow::anyhow!("it is not hexadecimal: {error}"))
}

/// Random bytes of the operating system.
///
/// # Errors
/// When it has none to give.
pub fn random<const LENGTH: usize>() -> Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("the system gives no random bytes: {error}"))?;
    Ok(bytes)
}

/// A new life of the record chain.
///
/// # Errors
/// When there are no random bytes.
pub fn new_incarnation() -> Result<Incarnation> {
    Ok(Incarnation(random()?))
}

#[cfg(test)]
pub(crate) mod testing {
    //! A certificate authority and an enrolled agent for this crate's tests.

    use super::*;
    use doorward_protocol::sign::PublicKey;
    use doorward_protocol::time::UnixMs;
    use doorward_protocol::trust::Root;
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ED25519, PublicKeyData};

    /// A certificate authority that was made just now.
    pub struct TestAuthority {
        pub der: Vec<u8>,
        issuer: Issuer<'static, KeyPair>,
    }

    pub fn certificate_authority() -> TestAuthority {
        let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        TestAuthority { der: certificate.der().to_vec(), issuer: Issuer::new(params, key) }
    }

    struct PublicOf(Vec<u8>);

    impl PublicKeyData for PublicOf {
        fn der_bytes(&self) -> &[u8] {
            &self.0
        }

        fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
            &PKCS_ED25519
        }
    }

    impl TestAuthority {
        /// A certificate for a key under a name.
        pub fn certificate(&self, name: &str, key: &SecretKey) -> Vec<u8> {
            let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            params.signed_by(&PublicOf(key.public().0.to_vec()), &self.issuer).unwrap().der().to_vec()
        }

        /// A certificate for an agent's public key, as an enrolment asks for it.
        pub fn certificate_of(&self, agent: &AgentId, key: PublicKey) -> Vec<u8> {
            let params = CertificateParams::new(vec![agent.to_string()]).unwrap();
            params.signed_by(&PublicOf(key.0.to_vec()), &self.issuer).unwrap().der().to_vec()
        }

        /// The same, valid only in a past year.
        pub fn expired_certificate(&self, name: &str, key: &SecretKey) -> Vec<u8> {
            let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2021, 1, 1);
            params.signed_by(&PublicOf(key.public().0.to_vec()), &self.issuer).unwrap().der().to_vec()
        }

        /// Trust statement 1 that names this authority, with one root and one signing key.
        pub fn statement(&self, campus: &CampusId, root: &SecretKey, signing: &SecretKey) -> Statement {
            Statement {
                version: 1,
                epoch: 0,
                root: Root { campus: campus.clone(), keys: [root.public()].into(), threshold: 1 },
                signing_keys: [signing.public()].into(),
                certificate_authority: certificate_hash(&self.der),
                at: UnixMs(1),
            }
        }

        /// An agent that this authority enrolled.
        pub fn identity(&self, agent: &str, addresses: Vec<String>) -> Identity {
            let (root, signing, key) = (key(1), key(2), key(3));
            let campus = CampusId::new("test").unwrap();
            let statement = self.statement(&campus, &root, &signing);
            Identity {
                agent: AgentId::new(agent).unwrap(),
                certificate: self.certificate(agent, &key),
                certificate_authority: self.der.clone(),
                pinned_root: statement.root.hash(),
                statements: vec![root.sign_value(&statement).unwrap()],
                campus,
                key,
                addresses,
            }
        }
    }

    pub fn key(seed: u8) -> SecretKey {
        SecretKey::from_seed(&[seed; 32])
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{certificate_authority, key};
    use super::*;

    #[test]
    fn an_identity_survives_its_files() {
        let directory = tempfile::tempdir().unwrap();
        let mut identity = certificate_authority().identity("agent-1", vec!["localhost:1".into()]);
        identity.key = new_key(directory.path()).unwrap();
        assert!(!is_enrolled(directory.path()).unwrap());
        identity.store(directory.path()).unwrap();
        assert!(is_enrolled(directory.path()).unwrap());
        let read = Identity::load(directory.path()).unwrap();
        assert_eq!(read.key.public(), identity.key.public());
        assert_eq!(
            (read.agent, read.campus, read.pinned_root, read.statements, read.addresses),
            (identity.agent, identity.campus, identity.pinned_root, identity.statements, identity.addresses)
        );
        assert_eq!(read.certificate_authority, identity.certificate_authority);
    }

    #[test]
    fn a_directory_without_an_enrolment_says_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        let error = Identity::load(directory.path()).unwrap_err().to_string();
        assert!(error.contains("doorward-agent join TOKEN"), "{error}");
        fs::write(directory.path().join(ENROLMENT_FILE), "{}").unwrap();
        let error = Identity::load(directory.path()).unwrap_err().to_string();
        assert!(error.contains("is damaged; join again"), "{error}");
    }

    #[test]
    fn an_unfinished_join_keeps_its_key() {
        let directory = tempfile::tempdir().unwrap();
        let first = new_key(directory.path()).unwrap().public();
        assert_eq!(new_key(directory.path()).unwrap().public(), first);
    }

    #[test]
    fn an_answer_must_prove_itself_under_the_pinned_root() {
        let (authority, stranger) = (certificate_authority(), certificate_authority());
        let mut identity = authority.identity("agent-1", vec![]);
        let answer = |statements: &[Signed<Statement>], certificate_authority: &[u8]| Enrolled {
            certificate: vec![1],
            certificate_authority: certificate_authority.to_vec(),
            statements: statements.to_vec(),
        };
        let statements = identity.statements.clone();
        let other = stranger.statement(&identity.campus, &key(9), &key(2));
        let other = vec![key(9).sign_value(&other).unwrap()];
        assert!(identity.take_over(answer(&other, &stranger.der)).is_err());
        assert!(identity.take_over(answer(&statements, &stranger.der)).is_err());
        assert!(identity.take_over(answer(&[], &authority.der)).is_err());
        assert_ne!(identity.certificate, [1]);
        identity.take_over(answer(&statements, &authority.der)).unwrap();
        assert_eq!(identity.certificate, [1]);
    }
}

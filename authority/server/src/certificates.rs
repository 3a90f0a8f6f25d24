//! Certificates: the campus's own certificate authority, the server's certificates, and those of agents.
//!
//! The only place that knows `rcgen`. An agent is struck off by a command, so there is no revocation list here.

use crate::keys::{self, KeyError};
use crate::paths::Layout;
use doorward_protocol::frame::AUTHORITY_NAME;
use doorward_protocol::id::{AgentId, CampusId};
use doorward_protocol::sign::PublicKey;
use doorward_protocol::time::UnixMs;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PublicKeyData, SanType, SignatureAlgorithm,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::ParsedCertificate;
use std::net::IpAddr;
use std::time::Duration;
use thiserror::Error;

const DAY_MS: i64 = 86_400_000;
/// The certificate authority outlives every door; it is replaced by a trust statement.
const AUTHORITY_DAYS: i64 = 3_653;
/// A server certificate is made at each start and each day, so a week is ample.
const SERVER_DAYS: i64 = 7;
/// An agent's certificate: renewed long before its end, and short enough that a forgotten agent falls silent.
const AGENT_DAYS: i64 = 30;
/// Certificates begin a day early: an agent whose clock is slow must be able to connect to learn that it is.
const EARLY_MS: i64 = DAY_MS;
/// What stands before the 32 bytes of an Ed25519 key in a certificate (RFC 8410).
const ED25519_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Why a certificate could not be made or read.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// The library refused.
    #[error("a certificate could not be made: {0}")]
    Made(#[from] rcgen::Error),
    /// A file is missing, or not what it should be.
    #[error("{0}")]
    Key(#[from] KeyError),
    /// The certificate authority's files are damaged.
    #[error("{0} is not a PEM file of the expected kind; restore it from a backup")]
    Malformed(std::path::PathBuf),
    /// An instant is outside of what a certificate can say.
    #[error("the clock shows an instant that no certificate can name")]
    Instant,
}

/// The campus's certificate authority with its private key.
pub struct CertificateAuthority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

impl core::fmt::Debug for CertificateAuthority {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("CertificateAuthority(secret)")
    }
}

/// A certificate with the private key that belongs to it.
pub struct ServerIdentity {
    /// The certificate, then that of the certificate authority.
    pub chain: Vec<CertificateDer<'static>>,
    /// The private key.
    pub key: PrivateKeyDer<'static>,
}

impl CertificateAuthority {
    /// Makes a certificate authority and writes its key and its certificate into a data directory.
    ///
    /// # Errors
    /// See [`CertificateError`].
    pub fn create(layout: &Layout, campus: &CampusId, now: UnixMs) -> Result<Self, CertificateError> {
        let key = KeyPair::generate()?;
        let mut params = authority_params(campus);
        set_validity(&mut params, now, AUTHORITY_DAYS)?;
        let certificate = params.self_signed(&key)?;
        keys::write_private(&layout.certificate_authority_key(), key.serialize_pem().trim_end())?;
        keys::write_public(&layout.certificate_authority(), certificate.pem().trim_end())?;
        Ok(Self { certificate: certificate.der().clone(), issuer: Issuer::new(params, key) })
    }

    /// Reads the certificate authority of a data directory.
    ///
    /// # Errors
    /// See [`CertificateError`].
    pub fn open(layout: &Layout, campus: &CampusId) -> Result<Self, CertificateError> {
        let (key_file, file) = (layout.certificate_authority_key(), layout.certificate_authority());
        let key =
            KeyPair::from_pem(&keys::read_private(&key_file)?).map_err(|_| CertificateError::Malformed(key_file))?;
        let certificate = CertificateDer::from_pem_file(&file).map_err(|_| CertificateError::Malformed(file))?;
        // What is issued names its issuer by the campus alone, so the parameters can be made again.
        Ok(Self { certificate, issuer: Issuer::new(authority_params(campus), key) })
    }

    /// The certificate.
    #[must_use]
    pub const fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// A certificate for the server that agents connect to.
    ///
    /// # Errors
    /// See [`CertificateError`].
    pub fn for_agents(&self, now: UnixMs) -> Result<ServerIdentity, CertificateError> {
        self.for_names(vec![SanType::DnsName(AUTHORITY_NAME.try_into()?)], now)
    }

    /// A certificate for the HTTP API at an address.
    ///
    /// # Errors
    /// See [`CertificateError`].
    pub fn for_api(&self, address: IpAddr, now: UnixMs) -> Result<ServerIdentity, CertificateError> {
        let names = ["localhost", AUTHORITY_NAME].into_iter().map(|name| Ok(SanType::DnsName(name.try_into()?)));
        let mut names = names.collect::<Result<Vec<_>, rcgen::Error>>()?;
        names.push(SanType::IpAddress(address));
        self.for_names(names, now)
    }

    fn for_names(&self, names: Vec<SanType>, now: UnixMs) -> Result<ServerIdentity, CertificateError> {
        let key = KeyPair::generate()?;
        let mut params = leaf_params(AUTHORITY_NAME, ExtendedKeyUsagePurpose::ServerAuth);
        params.subject_alt_names = names;
        set_validity(&mut params, now, SERVER_DAYS)?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(ServerIdentity {
            chain: vec![certificate.der().clone(), self.certificate.clone()],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        })
    }

    /// A certificate for an agent's key, DER.
    ///
    /// # Errors
    /// See [`CertificateError`].
    pub fn for_agent(&self, agent: &AgentId, key: PublicKey, now: UnixMs) -> Result<Vec<u8>, CertificateError> {
        let mut params = leaf_params(agent.as_str(), ExtendedKeyUsagePurpose::ClientAuth);
        // An agent's id may be no host name, so it stands as a name of our own kind.
        params.subject_alt_names = vec![SanType::URI(format!("urn:doorward:agent:{agent}").try_into()?)];
        set_validity(&mut params, now, AGENT_DAYS)?;
        Ok(params.signed_by(&AgentKey(key), &self.issuer)?.der().to_vec())
    }
}

/// The Ed25519 key that a certificate names; `None` when it names another kind of key.
#[must_use]
pub fn key_of(certificate: &CertificateDer<'_>) -> Option<PublicKey> {
    let info = ParsedCertificate::try_from(certificate).ok()?.subject_public_key_info();
    let key = info.as_ref().strip_prefix(&ED25519_PREFIX)?;
    Some(PublicKey(key.try_into().ok()?))
}

/// The public half of a key whose private half never leaves its agent.
struct AgentKey(PublicKey);

impl PublicKeyData for AgentKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ED25519
    }
}

fn authority_params(campus: &CampusId) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, format!("Doorward {campus}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    params
}

fn leaf_params(name: &str, usage: ExtendedKeyUsagePurpose) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![usage];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    params
}

fn set_validity(params: &mut CertificateParams, now: UnixMs, days: i64) -> Result<(), CertificateError> {
    let instant = |at: UnixMs| {
        let seconds = u64::try_from(at.0.div_euclid(1000)).map_err(|_| CertificateError::Instant)?;
        // Beyond the year 9999 the addition would panic, and no certificate could say it.
        let seconds = Some(seconds).filter(|seconds| *seconds < 200_000_000_000).ok_or(CertificateError::Instant)?;
        Ok::<_, CertificateError>(rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds))
    };
    params.not_before = instant(now.plus_ms(-EARLY_MS))?;
    params.not_after = instant(now.plus_ms(days.saturating_mul(DAY_MS)))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use doorward_protocol::sign::SecretKey;

    #[test]
    fn an_agents_certificate_names_its_own_key() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::new(directory.path());
        let campus = CampusId::new("test").unwrap();
        let now = UnixMs(1_800_000_000_000);
        let made = CertificateAuthority::create(&layout, &campus, now).unwrap();
        let opened = CertificateAuthority::open(&layout, &campus).unwrap();
        assert_eq!(made.certificate(), opened.certificate());
        let key = SecretKey::from_seed(&[7; 32]).public();
        let certificate = opened.for_agent(&AgentId::new("agent_1").unwrap(), key, now).unwrap();
        assert_eq!(key_of(&certificate.into()), Some(key));
        let server = opened.for_agents(now).unwrap();
        assert_eq!(server.chain.first().and_then(key_of), None, "a server's key is of another kind");
    }

    #[test]
    fn an_instant_that_no_certificate_can_name_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::new(directory.path());
        let made = CertificateAuthority::create(&layout, &CampusId::new("test").unwrap(), UnixMs(i64::MAX));
        assert!(matches!(made, Err(CertificateError::Instant)));
    }
}

//! TLS towards the authority: version 1.3 only, whom to believe, and the agent's own certificate.
//!
//! Deliberately without name look-ups and public authorities: one pinned certificate authority, one name.

use crate::identity::Identity;
use crate::validity::Validity;
use doorward_protocol::enrol::certificate_hash;
use doorward_protocol::frame::{ALPN_AGENT, ALPN_ENROL, AUTHORITY_NAME};
use doorward_protocol::id::Hash;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::sync::Arc;
use std::time::Duration;

/// For joining and renewing: the agent shows no certificate, it signs a proof instead.
///
/// # Errors
/// Never with the cryptography that is built in.
pub fn enrol_config(pinned: Hash) -> Result<ClientConfig, Error> {
    let builder = builder(Verifier::new(pinned, None))?;
    Ok(finished(builder.with_no_client_auth(), ALPN_ENROL))
}

/// For an enrolled agent.
///
/// # Errors
/// When the certificate is not one, or not of the agent's key.
pub fn agent_config(identity: &Identity) -> Result<ClientConfig, Error> {
    let authority = CertificateDer::from(identity.certificate_authority.clone());
    let pinned = certificate_hash(&authority);
    let chain = vec![CertificateDer::from(identity.certificate.clone()), authority.clone()];
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(identity.private_key_der()));
    let builder = builder(Verifier::new(pinned, Some(authority)))?;
    Ok(finished(builder.with_client_auth_cert(chain, key)?, ALPN_AGENT))
}

fn builder(verifier: Verifier) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>, Error> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(&verifier.provider));
    let builder = builder.with_protocol_versions(&[&rustls::version::TLS13])?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)))
}

fn finished(mut config: ClientConfig, protocol: &[u8]) -> ClientConfig {
    config.alpn_protocols = vec![protocol.to_vec()];
    // Each connection proves both sides anew, so that an agent which was struck off cannot come back by a ticket; and
    // without tickets there is no early data that could be replayed.
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    config
}

/// Believes a chain to the pinned certificate authority, which the other side may have to bring along.
#[derive(Debug)]
struct Verifier {
    pinned: Hash,
    known: Option<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn new(pinned: Hash, known: Option<CertificateDer<'static>>) -> Self {
        // The provider puts X25519MLKEM768 first (feature `prefer-post-quantum`).
        Self { pinned, known, provider: Arc::new(aws_lc_rs::default_provider()) }
    }

    fn rooted_in(&self, authority: CertificateDer<'static>) -> Result<Arc<WebPkiServerVerifier>, Error> {
        let mut roots = RootCertStore::empty();
        roots.add(authority)?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider))
            .build()
            .map_err(|error| Error::General(error.to_string()))
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let brought = intermediates.iter().find(|der| certificate_hash(der) == self.pinned);
        let authority = self.known.clone().or_else(|| brought.map(|der| der.clone().into_owned()));
        let authority = authority.ok_or(CertificateError::UnknownIssuer)?;
        let verifier = self.rooted_in(authority.clone())?;
        // Addresses of authorities change and may be bare numbers; the name in the certificate is always the same.
        let name = ServerName::try_from(AUTHORITY_NAME).map_err(|error| Error::General(error.to_string()))?;
        let verify = |at| verifier.verify_server_cert(end_entity, intermediates, &name, ocsp_response, at);
        match verify(now) {
            Err(Error::InvalidCertificate(error)) if is_about_time(&error) => {
                // Either that certificate or our clock is wrong. Were the connection refused, an agent with a wrong
                // clock would never be told so; and it believes nothing that comes, save what the signing key signed.
                let at = common_instant(&[end_entity, &authority]).ok_or(error)?;
                tracing::warn!("the authority's certificate is not valid at the time that our clock shows");
                verify(at)
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

const fn is_about_time(error: &CertificateError) -> bool {
    matches!(
        error,
        CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. }
    )
}

/// An instant at which all of these certificates are valid.
fn common_instant(certificates: &[&CertificateDer<'_>]) -> Option<UnixTime> {
    let validities: Option<Vec<Validity>> = certificates.iter().map(|der| Validity::of_certificate(der)).collect();
    let validities = validities?;
    let from = validities.iter().map(|validity| validity.from).max()?;
    let until = validities.iter().map(|validity| validity.until).min()?;
    let ms = u64::try_from(from.0).ok().filter(|_| from <= until)?;
    Some(UnixTime::since_unix_epoch(Duration::from_millis(ms)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::testing::{TestAuthority, certificate_authority, key};

    fn verify(verifier: &Verifier, chain: &[Vec<u8>]) -> Result<(), Error> {
        let chain: Vec<CertificateDer<'_>> = chain.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        verifier.verify_server_cert(&chain[0], &chain[1..], &name, &[], UnixTime::now()).map(|_| ())
    }

    fn chain(authority: &TestAuthority) -> Vec<Vec<u8>> {
        vec![authority.certificate(AUTHORITY_NAME, &key(5)), authority.der.clone()]
    }

    #[test]
    fn only_a_chain_to_the_pinned_authority_is_believed() {
        let (authority, stranger) = (certificate_authority(), certificate_authority());
        let pinned = Verifier::new(certificate_hash(&authority.der), None);
        assert_eq!(verify(&pinned, &chain(&authority)), Ok(()));
        assert!(verify(&pinned, &chain(&stranger)).is_err());
        // The pinned certificate beside a leaf that it has not signed proves nothing.
        let mixed = [chain(&stranger)[0].clone(), authority.der.clone()];
        assert!(verify(&pinned, &mixed).is_err());
        let agent = [authority.certificate("agent-1", &key(5)), authority.der.clone()];
        assert!(verify(&pinned, &agent).is_err(), "an agent is no authority");
        assert!(verify(&pinned, &chain(&authority)[..1]).is_err(), "the authority must bring its issuer");
        let known = Verifier::new(pinned.pinned, Some(CertificateDer::from(authority.der.clone())));
        assert_eq!(verify(&known, &chain(&authority)[..1]), Ok(()));
    }

    #[test]
    fn a_wrong_clock_does_not_keep_the_agent_from_hearing_that_it_is_wrong() {
        let authority = certificate_authority();
        let verifier = Verifier::new(certificate_hash(&authority.der), None);
        let expired = [authority.expired_certificate(AUTHORITY_NAME, &key(5)), authority.der.clone()];
        assert_eq!(verify(&verifier, &expired), Ok(()));
        let stranger = certificate_authority();
        let expired = [stranger.expired_certificate(AUTHORITY_NAME, &key(5)), authority.der];
        assert!(verify(&verifier, &expired).is_err());
    }

    #[test]
    fn the_post_quantum_key_exchange_comes_first() {
        let groups = aws_lc_rs::default_provider().kx_groups;
        assert_eq!(groups[0].name(), rustls::NamedGroup::X25519MLKEM768);
    }

    #[test]
    fn a_certificate_of_another_key_is_refused_at_once() {
        let authority = certificate_authority();
        let mut identity = authority.identity("agent-1", vec![]);
        assert!(agent_config(&identity).is_ok());
        identity.certificate = authority.certificate("agent-1", &key(8));
        assert!(agent_config(&identity).is_err());
    }
}

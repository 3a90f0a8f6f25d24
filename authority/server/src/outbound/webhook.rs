//! A webhook: one POST for each event, signed as Standard Webhooks say.
//!
//! The signature covers number, time and body, so that a receiver knows who sent it, that nothing was altered, and that it is not an
//! old one sent again.

use crate::access::Event;
use crate::clock;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use ureq::Agent;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

/// How long a receiver may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// The secret that is shared with a receiver; it does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl core::fmt::Debug for Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Secret {
    /// Reads `whsec_` and 24 to 64 bytes in Base64.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.trim().strip_prefix("whsec_")?).ok()?;
        (24..=64).contains(&bytes.len()).then_some(Self(bytes))
    }

    fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let tag = hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(tag.as_ref()))
    }
}

/// A client that believes the certificates of a file, or of no one where there is none to believe.
///
/// # Errors
/// When the file cannot be read.
pub fn client(certificates: Option<&Path>) -> Result<Agent, String> {
    let mut config =
        Agent::config_builder().timeout_global(Some(ANSWER_WITHIN)).http_status_as_error(false).max_redirects(0);
    if let Some(file) = certificates {
        let bytes = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let read = parse_pem(&bytes).filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            Ok(_) | Err(_) => None,
        });
        let roots = RootCerts::Specific(Arc::new(read.collect()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        config = config
            .tls_config(TlsConfig::builder().root_certs(roots).unversioned_rustls_crypto_provider(provider).build());
    }
    Ok(config.build().new_agent())
}

/// Sends an event, in a thread that may wait.
///
/// # Errors
/// Whatever was not a good answer.
pub fn send(client: &Agent, url: &str, secret: &Secret, event: &Event) -> Result<(), String> {
    let data: Value = serde_json::from_str(&event.data).unwrap_or_default();
    let body =
        json!({ "type": event.kind, "timestamp": event.at.to_utc_text(), "subject": event.subject, "data": data });
    let (body, id) = (body.to_string(), format!("evt_{}", event.id));
    let now = clock::wall().0.div_euclid(1000);
    let answer = client
        .post(url)
        .header("content-type", "application/json")
        .header("webhook-id", &id)
        .header("webhook-timestamp", now.to_string())
        .header("webhook-signature", secret.sign(&id, now, &body))
        .send(body);
    let status = answer.map_err(|error| error.to_string())?.status();
    if status.is_success() { Ok(()) } else { Err(format!("it answered {}", status.as_u16())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_another_program() {
        // Made with the hmac module of Python from the example of the standard.
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLjSw\n").unwrap();
        let signed = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,q6KMVIJHk4Gs770FfR5f591Ftx7uVJSGl5wHV1ri978=");
        assert!(!format!("{secret:?}").contains("MfK"));
    }

    #[test]
    fn a_secret_is_long_enough_and_says_what_it_is() {
        for wrong in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLjSw", "whsec_MfKQ", "whsec_!!!!", ""] {
            assert!(Secret::parse(wrong).is_none(), "{wrong}");
        }
    }
}

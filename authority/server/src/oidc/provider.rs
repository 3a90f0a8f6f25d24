//! The identity provider, as it is asked over HTTP: where everything is, what a code is worth, and with which keys it signs.
//!
//! Blocking, for threads that may wait. Answers are bounded in size and time, and nobody is asked whom the settings do not name.

use super::settings::{Settings, is_https, is_loopback};
use super::{SignInError, form};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::Jwk;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use ureq::http::Response;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};

/// How long one answer may take, all of it.
const WITHIN: Duration = Duration::from_secs(10);
/// Largest answer in bytes.
const ANSWER_BYTES_MAX: u64 = 512 << 10;
/// How long it is known where everything is, and with which keys the provider signs.
const PLACES_FOR: Duration = Duration::from_secs(3_600);
const KEYS_FOR: Duration = Duration::from_secs(600);
/// How often keys are asked for because one is not known.
const AGAIN_AFTER: Duration = Duration::from_secs(60);
/// How long a provider that did not answer is left alone.
const SILENT_FOR: Duration = Duration::from_secs(2);
/// Most keys that are looked at.
const KEYS_MAX: usize = 100;

/// Where everything is (OpenID Connect Discovery).
#[derive(Debug, Clone, Deserialize)]
pub struct Places {
    issuer: String,
    /// Where people sign in.
    pub authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

#[derive(Debug, Default)]
struct Known {
    places: Option<(Arc<Places>, Instant)>,
    keys: Option<(Arc<Vec<Jwk>>, Instant)>,
    asked_again: Option<Instant>,
    silent: Option<(String, Instant)>,
}

/// See the module.
#[derive(Debug)]
pub struct Provider {
    settings: Arc<Settings>,
    agent: Agent,
    known: Mutex<Known>,
}

/// The certificates of a PEM file.
pub fn certificates(pem: &[u8]) -> Vec<Certificate<'static>> {
    let certificate = |item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        Ok(_) | Err(_) => None,
    };
    parse_pem(pem).filter_map(certificate).collect()
}

impl Provider {
    /// A provider of which nothing is known yet.
    pub fn new(settings: Arc<Settings>) -> Self {
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(certificates(&settings.certificates))))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .build();
        // No proxy and no redirect: the secret and the codes go to the provider and to nobody else.
        let config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .proxy(None)
            .max_redirects(0)
            .timeout_global(Some(WITHIN))
            .build();
        Self { settings, agent: config.new_agent(), known: Mutex::default() }
    }

    /// Where everything is.
    pub fn places(&self) -> Result<Arc<Places>, SignInError> {
        self.places_by(&mut self.lock())
    }

    fn places_by(&self, known: &mut Known) -> Result<Arc<Places>, SignInError> {
        if let Some((places, since)) = &known.places
            && since.elapsed() < PLACES_FOR
        {
            return Ok(Arc::clone(places));
        }
        let url = format!("{}/.well-known/openid-configuration", self.settings.issuer.trim_end_matches('/'));
        let places: Places = self.known_answer(known, &url)?;
        if places.issuer != self.settings.issuer {
            return Err(unfit("it says that it is another issuer"));
        }
        for address in [&places.authorization_endpoint, &places.token_endpoint, &places.jwks_uri] {
            let is_near = self.settings.is_local() && is_loopback(address);
            if !is_https(address) && !is_near {
                return Err(unfit("it names an address that is not https"));
            }
        }
        let places = Arc::new(places);
        known.places = Some((Arc::clone(&places), Instant::now()));
        Ok(places)
    }

    /// The keys with which it signs.
    pub fn keys(&self) -> Result<Arc<Vec<Jwk>>, SignInError> {
        let mut known = self.lock();
        match &known.keys {
            Some((keys, since)) if since.elapsed() < KEYS_FOR => Ok(Arc::clone(keys)),
            Some(_) | None => self.ask_for_keys(&mut known),
        }
    }

    /// The keys once more, because one is not among them: it may be new. `None` when that was asked a moment ago.
    pub fn newer_keys(&self) -> Result<Option<Arc<Vec<Jwk>>>, SignInError> {
        let mut known = self.lock();
        if known.asked_again.is_some_and(|last| last.elapsed() < AGAIN_AFTER) {
            return Ok(None);
        }
        known.asked_again = Some(Instant::now());
        self.ask_for_keys(&mut known).map(Some)
    }

    fn ask_for_keys(&self, known: &mut Known) -> Result<Arc<Vec<Jwk>>, SignInError> {
        let places = self.places_by(known)?;
        let set: KeySet = self.known_answer(known, &places.jwks_uri)?;
        // Keys of kinds that are not known here are passed over.
        let keys = set.keys.into_iter().take(KEYS_MAX).filter_map(|key| serde_json::from_value(key).ok());
        let keys: Arc<Vec<Jwk>> = Arc::new(keys.collect());
        known.keys = Some((Arc::clone(&keys), Instant::now()));
        Ok(keys)
    }

    /// What a code is worth: an ID token, which nobody has looked at yet.
    pub fn redeem(&self, code: &str, redirect_uri: &str, verifier: &str) -> Result<String, SignInError> {
        let places = self.places()?;
        let Settings { client_id, client_secret, .. } = &*self.settings;
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
        ];
        let methods = places.token_endpoint_auth_methods_supported.as_deref();
        let has = |method: &str| methods.is_some_and(|methods| methods.iter().any(|known| known == method));
        let mut request = self.agent.post(&places.token_endpoint);
        match client_secret {
            // As the standard has it where the provider says nothing.
            Some(secret) if methods.is_none() || has("client_secret_basic") => {
                let pair = format!("{}:{}", form::encoded(client_id), form::encoded(secret.as_str()));
                request = request.header("authorization", format!("Basic {}", STANDARD.encode(pair)));
            }
            Some(secret) => fields.extend([("client_id", client_id.as_str()), ("client_secret", secret.as_str())]),
            None => fields.push(("client_id", client_id)),
        }
        let request = request.header("accept", "application/json");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let response = request.send(form::pairs(&fields)).map_err(|error| unfit(&error.to_string()))?;
        if response.status().is_client_error() {
            return Err(SignInError::Code);
        }
        read::<Tokens>(response).map(|tokens| tokens.id_token)
    }

    /// An answer of a provider that has not just been silent.
    fn known_answer<T: DeserializeOwned>(&self, known: &mut Known, url: &str) -> Result<T, SignInError> {
        if let Some((why, since)) = &known.silent
            && since.elapsed() < SILENT_FOR
        {
            return Err(unfit(why));
        }
        let answer = self.agent.get(url).header("accept", "application/json").call();
        let answer = answer.map_err(|error| unfit(&error.to_string())).and_then(read);
        known.silent = match &answer {
            Ok(_) => None,
            Err(error) => Some((error.why().to_owned(), Instant::now())),
        };
        answer
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Each change is complete in itself.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read<T: DeserializeOwned>(response: Response<Body>) -> Result<T, SignInError> {
    let status = response.status();
    if !status.is_success() {
        return Err(unfit(&format!("it answers {status}")));
    }
    let body = response.into_body().into_with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
    let body = body.map_err(|error| unfit(&error.to_string()))?;
    // What it said may be secret, and is not repeated.
    serde_json::from_slice(&body).map_err(|_| unfit("its answer is not understood"))
}

fn unfit(why: &str) -> SignInError {
    SignInError::Provider(why.to_owned())
}

//! Signing in by an identity provider: OpenID Connect, authorization code flow with PKCE, state and nonce.
//!
//! Says who somebody is and what the settings give to the groups of that one; what follows from it here is a command like any other.

mod form;
mod provider;
mod settings;
mod token;

pub use settings::{Settings, SettingsError};
pub use token::TokenError;

use crate::keys::{self, KeyError};
use crate::token::hash_of;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_policy::office::{OperatorId, PROVIDER_PREFIX, Power};
use doorward_protocol::id::Hash;
use doorward_protocol::time::UnixMs;
use provider::Provider;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use thiserror::Error;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How long somebody may take at the provider.
const PENDING_MS: i64 = 10 * 60_000;
/// Most sign-ins that have begun and not ended; the oldest makes room.
const PENDING_MAX: usize = 4_096;
/// Longest code and state that are taken, in bytes.
const CODE_BYTES_MAX: usize = 4 << 10;
/// Longest address to which a browser is sent back, in bytes.
const REDIRECT_BYTES_MAX: usize = 512;
/// How many talk to the provider at a time.
const TOGETHER_MAX: usize = 8;

/// Why nobody was signed in.
#[derive(Debug, Error)]
pub enum SignInError {
    /// The browser would be sent to a stranger.
    #[error("a browser is sent back to loopback (http://127.0.0.1:PORT/...) or to the redirect_uri of oidc.toml only")]
    Redirect,
    /// The state or the handle belong to no sign-in.
    #[error(
        "this sign-in is not known: it has ended, it took longer than ten minutes, or another one began it; begin again"
    )]
    Unknown,
    /// Too many talk to the provider.
    #[error("too many sign in at the moment; try again")]
    Busy,
    /// The provider does not answer as it should.
    #[error("the identity provider does not answer as it should: {0}")]
    Provider(String),
    /// The provider does not take the code.
    #[error(
        "the identity provider does not take the code, or not from this authority; begin again, or see client_id and client_secret_file in oidc.toml"
    )]
    Code,
    /// The token is not believed.
    #[error("the identity provider's token is refused: {0}")]
    Token(#[from] TokenError),
    /// There is no randomness.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl SignInError {
    fn why(&self) -> &str {
        if let Self::Provider(why) = self { why } else { "it does not answer" }
    }
}

/// A sign-in that began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Where a person signs in.
    pub url: String,
    /// What the browser brings back.
    pub state: String,
    /// What only whoever began it knows.
    pub handle: String,
    /// When it is too late.
    pub expires_at: UnixMs,
}

/// What the browser brought back, and the handle of who waits for it.
#[derive(Debug, Clone)]
pub struct Return {
    /// Of [`Begun`].
    pub handle: String,
    /// Of [`Begun`], by way of the browser.
    pub state: String,
    /// What the provider gave.
    pub code: String,
    /// Who gave it, where the provider says so (RFC 9207).
    pub issuer: Option<String>,
}

/// Who somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The operator that this one is, or would be.
    pub operator: OperatorId,
    /// The name that people know.
    pub name: String,
    /// What the groups of this one may do here; `None`: nothing.
    pub power: Option<Power>,
    /// Which card holder it is, as the provider names that one.
    pub holder: Option<String>,
}

#[derive(Debug)]
struct Pending {
    state: String,
    nonce: String,
    verifier: String,
    redirect_uri: String,
    until: UnixMs,
}

/// See the module.
#[derive(Debug)]
pub struct Oidc {
    settings: Arc<Settings>,
    provider: Arc<Provider>,
    /// By the hash of the handle.
    pending: Mutex<BTreeMap<Hash, Pending>>,
    talking: Semaphore,
}

impl Oidc {
    /// By the settings of a file; `None` where it was not asked for and is not there.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub fn open(named: Option<&Path>, usual: PathBuf) -> Result<Option<Self>, SettingsError> {
        let path = match named {
            Some(path) => path.to_owned(),
            None if usual.exists() => usual,
            None => return Ok(None),
        };
        let settings = Settings::read(&path)?;
        tracing::info!(
            issuer = settings.issuer,
            groups = settings.groups.len(),
            "people sign in by an identity provider"
        );
        Ok(Some(Self::new(settings)))
    }

    /// By these settings.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let settings = Arc::new(settings);
        let provider = Arc::new(Provider::new(Arc::clone(&settings)));
        Self { settings, provider, pending: Mutex::default(), talking: Semaphore::new(TOGETHER_MAX) }
    }

    /// Begins a sign-in: says where the browser has to go.
    ///
    /// # Errors
    /// See [`SignInError`].
    pub async fn begin(&self, redirect_uri: &str, now: UnixMs) -> Result<Begun, SignInError> {
        if !self.may_send_to(redirect_uri) {
            return Err(SignInError::Redirect);
        }
        let _place = self.place()?;
        let places = blocking(&self.provider, Provider::places).await?;
        let [state, nonce, verifier, handle] = [random()?, random()?, random()?, random()?];
        let challenge =
            URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes()));
        let query = form::pairs(&[
            ("response_type", "code"),
            ("client_id", &self.settings.client_id),
            ("redirect_uri", redirect_uri),
            ("scope", &self.settings.scope),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        let endpoint = &places.authorization_endpoint;
        let url = format!("{endpoint}{}{query}", if endpoint.contains('?') { '&' } else { '?' });
        let until = now.plus_ms(PENDING_MS);
        let pending = Pending { state: state.clone(), nonce, verifier, redirect_uri: redirect_uri.to_owned(), until };
        self.remember(&handle, pending, now);
        Ok(Begun { url, state, handle, expires_at: until })
    }

    /// Ends a sign-in: says who it is.
    ///
    /// # Errors
    /// See [`SignInError`].
    pub async fn finish(&self, back: Return, now: UnixMs) -> Result<Identity, SignInError> {
        let Return { handle, state, code, issuer } = back;
        if code.is_empty() || code.len() > CODE_BYTES_MAX {
            return Err(SignInError::Unknown);
        }
        let _place = self.place()?;
        // Whatever comes of it, nobody comes back a second time.
        let pending = self.lock().remove(&hash_of(handle.as_bytes())).filter(|pending| now < pending.until);
        let is_same = |pending: &Pending| keys::equal_in_constant_time(pending.state.as_bytes(), state.as_bytes());
        let pending = pending.filter(is_same).ok_or(SignInError::Unknown)?;
        if issuer.is_some_and(|issuer| issuer != self.settings.issuer) {
            return Err(TokenError::Claim("the browser comes from another issuer").into());
        }
        let settings = Arc::clone(&self.settings);
        let somebody = blocking(&self.provider, move |provider| {
            let token = provider.redeem(&code, &pending.redirect_uri, &pending.verifier)?;
            let verify = |keys: &[_]| token::verify(&token, keys, &settings, &pending.nonce, now);
            match verify(&provider.keys()?) {
                Err(TokenError::UnknownKey) => {
                    let newer = provider.newer_keys()?.ok_or(TokenError::UnknownKey)?;
                    Ok(verify(&newer)?)
                }
                verified => Ok(verified?),
            }
        })
        .await?;
        Ok(Identity {
            operator: self.operator_of(&somebody.subject)?,
            power: self.settings.power_of(&somebody.groups).cloned(),
            name: somebody.name,
            holder: somebody.holder,
        })
    }

    /// The operator that somebody is: a name that no other can have, here or at another provider.
    fn operator_of(&self, subject: &str) -> Result<OperatorId, SignInError> {
        let hash = hash_of(format!("{}\n{subject}", self.settings.issuer).as_bytes());
        let half = hash.0.first_chunk::<16>().copied().unwrap_or_default();
        OperatorId::new(&format!("{PROVIDER_PREFIX}{}", hex::encode(half))).map_err(|_| TokenError::Malformed.into())
    }

    /// Where browsers may be sent back, beside loopback.
    pub fn redirect_uri(&self) -> Option<&str> {
        self.settings.redirect_uri.as_deref()
    }

    fn may_send_to(&self, redirect_uri: &str) -> bool {
        let is_known = self.settings.redirect_uri.as_deref() == Some(redirect_uri);
        let is_ours = settings::is_loopback(redirect_uri) && !redirect_uri.contains('?');
        redirect_uri.len() <= REDIRECT_BYTES_MAX && (is_known || is_ours)
    }

    fn remember(&self, handle: &str, new: Pending, now: UnixMs) {
        let mut pending = self.lock();
        pending.retain(|_, pending| now < pending.until);
        if pending.len() >= PENDING_MAX {
            let oldest = pending.iter().min_by_key(|(_, pending)| pending.until).map(|(handle, _)| *handle);
            oldest.iter().for_each(|oldest| drop(pending.remove(oldest)));
        }
        pending.insert(hash_of(handle.as_bytes()), new);
    }

    fn place(&self) -> Result<SemaphorePermit<'_>, SignInError> {
        self.talking.try_acquire().map_err(|_| SignInError::Busy)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Hash, Pending>> {
        // Each change of the map is complete in itself.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn random() -> Result<String, KeyError> {
    keys::random::<32>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

/// Asks the provider on a thread that may wait.
async fn blocking<T: Send + 'static>(
    provider: &Arc<Provider>,
    ask: impl FnOnce(&Provider) -> Result<T, SignInError> + Send + 'static,
) -> Result<T, SignInError> {
    let provider = Arc::clone(provider);
    let asked = tokio::task::spawn_blocking(move || ask(&provider)).await;
    asked.map_err(|error| SignInError::Provider(error.to_string()))?
}

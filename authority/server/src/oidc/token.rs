//! The ID token: whether the provider signed it, for this authority, in this sign-in, and now.
//!
//! Deliberately no network: which keys are the provider's is known to whoever asks.

use super::settings::Settings;
use doorward_protocol::time::UnixMs;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;

/// Longest token that is looked at, in bytes: one with some thousand groups.
const BYTES_MAX: usize = 128 << 10;
/// How far the provider's clock may be from ours, in seconds.
const LEEWAY_S: i64 = 60;
/// How old a token may be that was made for a sign-in of this moment, in seconds.
const AGE_S_MAX: i64 = 600;
/// Longest name that a provider has for somebody, in bytes (OpenID Connect Core, 2).
const SUBJECT_BYTES_MAX: usize = 255;
/// Most groups that are read.
const GROUPS_MAX: usize = 10_000;
/// The only ways in which a token is signed: none of them with a secret that others know.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

/// Why a token is not believed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TokenError {
    /// It is none.
    #[error("it is no signed token of a kind that is known here")]
    Malformed,
    /// It is signed in a way that is not taken.
    #[error("it is signed by {0}; only RS256, ES256 and EdDSA are taken")]
    Algorithm(String),
    /// No key of the provider fits.
    #[error("it is signed by a key that the provider does not publish")]
    UnknownKey,
    /// The signature is wrong.
    #[error("its signature is wrong, or what it says is not understood")]
    Signature,
    /// Something that it says is not so.
    #[error("{0}")]
    Claim(&'static str),
}

/// What a token says of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Somebody {
    /// Who, as the provider names that one for ever.
    pub subject: String,
    /// The name that people know.
    pub name: String,
    /// In which groups.
    pub groups: Vec<String>,
    /// Which person, where the settings name a claim for that.
    pub holder: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    azp: Option<String>,
    nonce: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn names(&self) -> &[String] {
        match self {
            Self::One(name) => core::slice::from_ref(name),
            Self::Several(names) => names,
        }
    }
}

/// Looks at a token by the keys of its provider.
///
/// # Errors
/// See [`TokenError`]; [`TokenError::UnknownKey`] may be otherwise with newer keys.
pub fn verify(
    token: &str,
    keys: &[Jwk],
    settings: &Settings,
    nonce: &str,
    now: UnixMs,
) -> Result<Somebody, TokenError> {
    if token.len() > BYTES_MAX {
        return Err(TokenError::Malformed);
    }
    let header = decode_header(token).map_err(|_| TokenError::Malformed)?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(TokenError::Algorithm(format!("{:?}", header.alg)));
    }
    let key = key_of(keys, header.kid.as_deref(), header.alg).ok_or(TokenError::UnknownKey)?;
    let key = DecodingKey::from_jwk(key).map_err(|_| TokenError::Signature)?;
    let mut validation = Validation::new(header.alg);
    // What it says is held below against what was asked, by the clock of the authority.
    (validation.validate_exp, validation.validate_aud) = (false, false);
    validation.required_spec_claims.clear();
    let claims = decode::<Claims>(token, &key, &validation).map_err(|_| TokenError::Signature)?.claims;
    check(&claims, settings, nonce, now.0.div_euclid(1000))?;
    Ok(somebody(claims, settings))
}

/// The key that a token names, or the only one that could have signed a token that names none.
fn key_of<'k>(keys: &'k [Jwk], id: Option<&str>, algorithm: Algorithm) -> Option<&'k Jwk> {
    let fits = |key: &&Jwk| {
        let common = &key.common;
        let is_for_signatures = common.public_key_use.as_ref().is_none_or(|of| *of == PublicKeyUse::Signature);
        let is_named = id.is_none_or(|id| common.key_id.as_deref() == Some(id));
        let is_of_it = common.key_algorithm.is_none_or(|of| of == KeyAlgorithm::from(algorithm));
        is_for_signatures && is_named && is_of_it && is_kind(&key.algorithm, algorithm)
    };
    let mut fitting = keys.iter().filter(fits);
    let first = fitting.next();
    first.filter(|_| fitting.next().is_none())
}

fn is_kind(key: &AlgorithmParameters, algorithm: Algorithm) -> bool {
    if let AlgorithmParameters::RSA(_) = key {
        algorithm == Algorithm::RS256
    } else if let AlgorithmParameters::EllipticCurve(key) = key {
        algorithm == Algorithm::ES256 && key.curve == EllipticCurve::P256
    } else if let AlgorithmParameters::OctetKeyPair(key) = key {
        algorithm == Algorithm::EdDSA && key.curve == EllipticCurve::Ed25519
    } else {
        false
    }
}

fn check(claims: &Claims, settings: &Settings, nonce: &str, now_s: i64) -> Result<(), TokenError> {
    let audience = claims.aud.names();
    let is_ours = |name: &String| *name == settings.client_id;
    let checks = [
        (claims.iss == settings.issuer, "it is of another issuer"),
        (audience.iter().any(is_ours), "it is meant for another client"),
        // Of several clients, the one for which it was made is named.
        (claims.azp.as_ref().map_or(audience.len() == 1, is_ours), "it was made for another client"),
        (claims.nonce.as_deref() == Some(nonce), "it belongs to another sign-in"),
        (now_s < claims.exp.saturating_add(LEEWAY_S), "it has expired"),
        (claims.iat <= now_s.saturating_add(LEEWAY_S), "it was made in the future; compare the clocks"),
        (now_s < claims.iat.saturating_add(AGE_S_MAX), "it was made long ago; compare the clocks"),
        (
            claims.nbf.is_none_or(|from| from <= now_s.saturating_add(LEEWAY_S)),
            "it does not hold yet; compare the clocks",
        ),
        ((1..=SUBJECT_BYTES_MAX).contains(&claims.sub.len()), "it names nobody"),
    ];
    checks.into_iter().try_for_each(|(is_so, why)| if is_so { Ok(()) } else { Err(TokenError::Claim(why)) })
}

fn somebody(claims: Claims, settings: &Settings) -> Somebody {
    let text = |claim: &str| claims.others.get(claim).and_then(Value::as_str).filter(|text| !text.is_empty());
    let name = match (text("name"), text("preferred_username").or_else(|| text("email"))) {
        (Some(name), Some(login)) => format!("{name} ({login})"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => claims.sub.clone(),
    };
    let groups = match claims.others.get(&settings.groups_claim) {
        Some(Value::String(group)) => vec![group.clone()],
        Some(Value::Array(groups)) => {
            groups.iter().filter_map(Value::as_str).take(GROUPS_MAX).map(ToOwned::to_owned).collect()
        }
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => Vec::new(),
    };
    let holder = settings.holder_claim.as_deref().and_then(text).map(ToOwned::to_owned);
    Somebody { subject: claims.sub.clone(), name: one_line(&name), groups, holder }
}

/// A name as the journal keeps it.
fn one_line(name: &str) -> String {
    let mut line = String::new();
    for c in name.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        if line.len() + c.len_utf8() > 200 {
            break;
        }
        line.push(c);
    }
    if line.trim().is_empty() { "somebody without a name".to_owned() } else { line.trim().to_owned() }
}

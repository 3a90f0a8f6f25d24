//! Signing in by an identity provider, as the API takes and answers it.

use super::When;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What has to be known to begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct BeginQuery {
    /// Where the provider sends the browser back: loopback, or the address that `oidc.toml` names.
    pub redirect_uri: String,
}

/// A sign-in that began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OidcBegun {
    /// Where the browser has to go.
    pub url: String,
    /// What the browser brings back with the code; one that brings another is not of this sign-in.
    pub state: String,
    /// What is shown with them, and goes to nobody else.
    pub handle: String,
    /// When it is too late to come back.
    pub expires_at: When,
}

/// What the browser brought back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OidcReturn {
    /// The handle of this sign-in.
    pub handle: String,
    /// The state, by way of the browser.
    pub state: String,
    /// The code.
    pub code: String,
    /// The issuer, where the provider names it (RFC 9207).
    #[serde(default)]
    pub iss: Option<String>,
}

//! Signing in by the campus's identity provider: off to it, and back with what it says.
//!
//! Deliberately ends on a page of its own that leads on: a browser that comes from another site brings no cookie of a session,
//! not even to where a redirect would send it.

use super::Site;
use super::account::with_cookies;
use super::visit::{Cookie, Visitor};
use crate::http::extract::{Body, Params};
use crate::http::failure::Failure;
use crate::http::oidc;
use crate::http::shapes::oidc::{BeginQuery, OidcReturn};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;
use serde::Deserialize;
use std::sync::Arc;

/// Where the provider sends browsers back to; `redirect_uri` of `oidc.toml` ends with it.
pub const BACK: &str = "/sign-in/provider/back";

/// What the provider says: a code, or why there is none.
#[derive(Debug, Deserialize)]
pub struct Back {
    #[serde(default)]
    state: String,
    #[serde(default)]
    code: String,
    iss: Option<String>,
    error: Option<String>,
}

/// Sends a browser to the provider.
pub async fn go(State(site): State<Site>, headers: HeaderMap) -> Result<Response, Failure> {
    let named = site.api.oidc_redirect().filter(|address| address.ends_with(BACK));
    // On the machine itself it works without being named; any other name of ours would be whatever the browser claims.
    let host = || headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let redirect_uri = named.map_or_else(|| format!("http://{}{BACK}", host()), str::to_owned);
    let Json(begun) =
        oidc::begin(State(Arc::clone(&site.api)), Params(BeginQuery { redirect_uri })).await.map_err(|failure| {
            failure.with_hint(format!("let redirect_uri in oidc.toml be https://HOST{BACK}, HOST being this console"))
        })?;
    Ok(with_cookies(Redirect::to(&begun.url).into_response(), &[(Cookie::Provider, &begun.handle)], site.tls))
}

/// Signs in whom the provider sent back.
pub async fn back(
    State(site): State<Site>,
    visitor: Visitor,
    headers: HeaderMap,
    Params(said): Params<Back>,
) -> Result<Response, Failure> {
    if said.error.is_some() {
        // What it says is whatever stands in the address; the provider's own page has told the person.
        return Ok(Redirect::to("/sign-in").into_response());
    }
    let handle = Cookie::Provider.of(&headers, site.tls).unwrap_or_default().to_owned();
    let Back { state, code, iss, .. } = said;
    let Json(given) = oidc::finish(State(Arc::clone(&site.api)), Body(OidcReturn { handle, state, code, iss })).await?;
    let words = visitor.words();
    let body = html! {
        div.narrow {
            h1 { (words.signed_in) }
            p { a.button href="/" { (words.go_on) } }
        }
    };
    let mut response = visitor.page(&site, words.signed_in, &body);
    response.headers_mut().insert("refresh", HeaderValue::from_static("0;url=/"));
    let cookies = [(Cookie::Session, given.token.as_str()), (Cookie::Guest, ""), (Cookie::Provider, "")];
    Ok(with_cookies(response, &cookies, site.tls))
}

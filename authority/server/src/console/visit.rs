//! Who visits: session, language, and the key that each form must bring; and the headers that each page leaves with.
//!
//! Deliberately before all handlers: none of them can forget to ask whether a form is one of ours.

use super::words::Language;
use super::{Site, own, page, upload};
use crate::http::caller::Caller;
use crate::http::failure::{Cause, Failure};
use crate::keys;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Form, body};
use doorward_policy::office::authorize::{Asker, Denial};
use doorward_protocol::id::hash;
use serde::de::DeserializeOwned;
use std::time::Instant;

/// Largest form in bytes: a reason and a few names.
const FORM_BYTES_MAX: usize = 16 << 10;
/// The field in which a form brings its key.
pub const KEY: &str = "key";
/// How long a language is remembered, in seconds: a year.
const LANGUAGE_S: u32 = 31_536_000;
/// Digits of the secret of a visitor who has not signed in.
const GUEST_DIGITS: usize = 64;

/// What every page says to the browser: nothing comes from elsewhere, nothing stands in a frame, nothing is kept.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

/// Whoever asks for a page.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// In which language.
    pub language: Language,
    /// As whom; `None` before signing in.
    pub caller: Option<Caller>,
    /// The token of the session.
    pub session: Option<String>,
    /// What a form must bring, so that it is known to come from a page of this visitor.
    pub key: String,
    /// The page that was asked for, with its query.
    pub path: String,
}

/// The names of the cookies. Under TLS, `__Host-` binds them to this host and to TLS.
#[derive(Debug, Clone, Copy)]
pub enum Cookie {
    /// The token of a session.
    Session,
    /// The secret behind the forms of somebody who has not signed in.
    Guest,
    /// The chosen language.
    Language,
    /// What a browser that is at the identity provider has begun.
    Provider,
}

impl Cookie {
    const fn name(self, tls: bool) -> &'static str {
        match (self, tls) {
            (Self::Session, true) => "__Host-doorward-session",
            (Self::Session, false) => "doorward-session",
            (Self::Guest, true) => "__Host-doorward-guest",
            (Self::Guest, false) => "doorward-guest",
            (Self::Language, true) => "__Host-doorward-language",
            (Self::Language, false) => "doorward-language",
            (Self::Provider, true) => "__Host-doorward-provider",
            (Self::Provider, false) => "doorward-provider",
        }
    }

    /// What was sent; only what is made of letters, digits, `_` and `-` counts.
    pub fn of(self, headers: &HeaderMap, tls: bool) -> Option<&str> {
        let sent = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = sent.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let plain = |value: &str| value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        pairs.find(|(name, _)| *name == self.name(tls)).map(|(_, value)| value).filter(|value| plain(value))
    }

    /// The header that sets it; an empty value ends it.
    pub fn set(self, value: &str, tls: bool) -> Option<HeaderValue> {
        let secure = if tls { "; Secure" } else { "" };
        let lasts = match self {
            Self::Session | Self::Guest | Self::Provider if !value.is_empty() => String::new(),
            Self::Language if !value.is_empty() => format!("; Max-Age={LANGUAGE_S}"),
            Self::Session | Self::Guest | Self::Language | Self::Provider => "; Max-Age=0".to_owned(),
        };
        let name = self.name(tls);
        // It comes back from another site, and is of no use without what that one says.
        let site = if matches!(self, Self::Provider) { "Lax" } else { "Strict" };
        HeaderValue::try_from(format!("{name}={value}; Path=/; HttpOnly; SameSite={site}{secure}{lasts}")).ok()
    }
}

impl Site {
    /// The operator or card holder who has a session with this token, as the journal knows them now.
    pub fn caller_of(&self, token: &str) -> Option<Caller> {
        Caller::of_session(&self.api, &self.api.authority.office(), token.as_bytes())
    }
}

impl Visitor {
    /// Whether it is a card holder, who has pages of the own and no others.
    pub fn is_holder(&self) -> bool {
        self.caller.as_ref().is_some_and(|caller| matches!(caller.asker, Asker::Holder(_)))
    }
}

/// Finds out who asks, turns away forms that are not of ours and card holders from pages that are not theirs, and dresses the answer.
pub async fn receive(State(site): State<Site>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let session = Cookie::Session.of(headers, site.tls).map(str::to_owned);
    let caller = session.as_deref().and_then(|token| site.caller_of(token));
    let session = session.filter(|_| caller.is_some());
    let known = Cookie::Guest.of(headers, site.tls).filter(|secret| secret.len() == GUEST_DIGITS).map(str::to_owned);
    let Some(guest) = known.clone().or_else(|| keys::random::<32>().ok().map(hex::encode)) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let chosen = Cookie::Language.of(headers, site.tls).and_then(Language::of_code);
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let visitor = Visitor {
        language: chosen.or_else(|| Language::accepted(accepted.unwrap_or_default())).unwrap_or(Language::English),
        caller,
        key: key_of(session.as_deref().unwrap_or(&guest)),
        session,
        path,
    };
    let held_back = held_back(&site, &visitor);
    let is_held_back = held_back.is_some();
    let response = match held_back.or_else(|| kept_to_own(&request, &visitor)) {
        // Whatever a page forgets to ask: a card holder reaches the own pages and nothing else.
        Some(answer) => answer,
        None => answered(request, &visitor, next).await,
    };
    let mut response = match response.extensions().get::<Failure>() {
        Some(failure) => page::failed(&site, &visitor, failure),
        None => response,
    };
    if known.is_none()
        && visitor.caller.is_none()
        && let Some(cookie) = Cookie::Guest.set(&guest, site.tls)
    {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    dress(response.headers_mut(), site.tls);
    if is_held_back {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// What a session is answered that asks faster than people do; `None` where there is nothing against it.
fn held_back(site: &Site, visitor: &Visitor) -> Option<Response> {
    if site.pace.allows(visitor.session.as_deref()?, Instant::now()) {
        return None;
    }
    let failure = Failure::new(StatusCode::TOO_MANY_REQUESTS, "these are too many requests at once; wait a moment");
    Some(failure.because(Cause::TooFast).into_response())
}

/// What a card holder is answered who asks for anything but the own pages; `None` where there is nothing against it.
fn kept_to_own(request: &Request, visitor: &Visitor) -> Option<Response> {
    if !visitor.is_holder() || own::is_for_holders(request.uri().path()) {
        return None;
    }
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return Some(Redirect::to(own::HOME).into_response());
    }
    Some(Failure::from(Denial::Holder).into_response())
}

/// Has a question or a form of ours answered.
async fn answered(request: Request, visitor: &Visitor, next: Next) -> Response {
    match checked(request, visitor).await {
        Ok(mut request) => {
            let extensions = request.extensions_mut();
            visitor.caller.iter().for_each(|caller| drop(extensions.insert(caller.clone())));
            extensions.insert(visitor.clone());
            next.run(request).await
        }
        Err(failure) => failure.into_response(),
    }
}

/// Lets a form in that brings the key of its visitor, and a question as it is.
async fn checked(request: Request, visitor: &Visitor) -> Result<Request, Failure> {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(request);
    }
    let refused = || {
        Failure::new(StatusCode::FORBIDDEN, "this form is not of a page of yours, or of one from before you signed in")
            .because(Cause::ForeignForm)
    };
    // A browser says so by itself when another site sends a form; the key is asked for all the same.
    let from = request.headers().get("sec-fetch-site").map(HeaderValue::as_bytes);
    if from.is_some_and(|from| from != b"same-origin") {
        return Err(refused());
    }
    let (parts, sent) = request.into_parts();
    let boundary = upload::boundary_of(&parts.headers);
    let limit = if boundary.is_some() { upload::UPLOAD_BYTES_MAX } else { FORM_BYTES_MAX };
    let sent = body::to_bytes(sent, limit).await;
    let sent = sent.map_err(|_| Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "the form is too large"))?;
    let brings_key = match &boundary {
        Some(boundary) => upload::brings(&sent, boundary, &visitor.key),
        None => brings(&sent, &visitor.key),
    };
    if !brings_key {
        return Err(refused());
    }
    Ok(Request::from_parts(parts, Body::from(sent)))
}

fn brings(form: &Bytes, key: &str) -> bool {
    let mut fields = form.split(|byte| *byte == b'&');
    let given = fields.find_map(|field| field.strip_prefix(KEY.as_bytes())?.strip_prefix(b"="));
    given.is_some_and(|given| keys::equal_in_constant_time(given, key.as_bytes()))
}

/// The key of the forms of whoever knows a secret; nobody else can make it, and it does not tell the secret.
fn key_of(secret: &str) -> String {
    hash("doorward 1 console form", &[secret.as_bytes()]).to_string()
}

fn dress(headers: &mut HeaderMap, tls: bool) {
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

/// Sends whoever has not signed in there, and back afterwards.
pub async fn sign_in_first(visitor: Visitor, request: Request, next: Next) -> Response {
    if visitor.caller.is_some() {
        return next.run(request).await;
    }
    let is_page = *request.method() == Method::GET && !visitor.path.contains("/live");
    if !is_page {
        return Failure::new(StatusCode::UNAUTHORIZED, "your session has ended; sign in again")
            .because(Cause::SessionEnded)
            .into_response();
    }
    Redirect::to(&format!("/sign-in?then={}", percent(&visitor.path))).into_response()
}

/// A text as a value in a query.
pub fn percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match char::from(byte) {
            c if c.is_ascii_alphanumeric() || "-._~".contains(c) => encoded.push(c),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// A place of this console to go on to; anything else leads to its first page.
pub fn place(text: &str) -> &str {
    let is_ours = text.starts_with('/') && !text.starts_with("//") && !text.contains(['\\', '\n', '\r', '\t']);
    if is_ours { text } else { "/" }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        let visitor = parts.extensions.get().cloned();
        visitor.ok_or_else(|| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "nobody knows who visits"))
    }
}

/// A form that was sent.
pub struct Sent<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Sent<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let read = Form::from_request(request, state).await;
        let Form(form) = read.map_err(|error| Failure::new(error.status(), error.body_text()))?;
        Ok(Self(form))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_place_of_this_console_is_gone_on_to() {
        assert_eq!(place("/people/230001?x=1"), "/people/230001?x=1");
        for elsewhere in ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "", "people"] {
            assert_eq!(place(elsewhere), "/", "{elsewhere}");
        }
    }

    #[test]
    fn a_form_brings_its_key_whole_or_is_refused() {
        let key = key_of("secret");
        let form = |text: String| Bytes::from(text);
        assert!(brings(&form(format!("reason=lost&key={key}")), &key));
        assert!(brings(&form(format!("key={key}&reason=lost")), &key));
        for other in [String::new(), "key=".into(), format!("key={}", key_of("other")), format!("monkey={key}")] {
            assert!(!brings(&form(other.clone()), &key), "{other}");
        }
    }

    #[test]
    fn under_tls_cookies_are_bound_to_it_and_the_browser_keeps_to_it() {
        for cookie in [Cookie::Session, Cookie::Guest, Cookie::Language] {
            let set = cookie.set("value", true).unwrap();
            let set = set.to_str().unwrap();
            assert!(
                set.starts_with("__Host-doorward-") && set.contains("; Path=/; HttpOnly; SameSite=Strict; Secure"),
                "{set}"
            );
            assert!(!set.contains("Domain"), "{set}");
            assert!(cookie.set("", true).unwrap().to_str().unwrap().ends_with("Max-Age=0"));
        }
        let mut headers = HeaderMap::new();
        dress(&mut headers, true);
        assert_eq!(headers[header::STRICT_TRANSPORT_SECURITY], "max-age=31536000");
        headers.insert(
            header::COOKIE,
            HeaderValue::from_static("a=b; doorward-session=clear; __Host-doorward-session=x_1"),
        );
        assert_eq!(Cookie::Session.of(&headers, true), Some("x_1"), "one that came in the clear counts for nothing");
    }

    #[test]
    fn what_is_put_into_a_query_stays_one_value() {
        assert_eq!(percent("/taps?door=a b&c=ü"), "%2Ftaps%3Fdoor%3Da%20b%26c%3D%C3%BC");
    }
}

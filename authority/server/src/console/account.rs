//! Signing in and out, setting a password up, and choosing a language.

use super::Site;
use super::page::{failed, told};
use super::visit::{Cookie, Sent, Visitor, place};
use super::words::{Language, OwnWords};
use crate::http::extract::{Body, Params};
use crate::http::failure::Failure;
use crate::http::sessions;
use crate::http::shapes::office::{SetUpOrder, SignIn};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Debug, Default, Deserialize)]
pub struct Then {
    #[serde(default)]
    then: String,
    /// Whether a password was just set up.
    #[serde(default)]
    ready: bool,
}

#[derive(Debug, Deserialize)]
pub struct SignInForm {
    operator: String,
    password: String,
    #[serde(default)]
    then: String,
}

#[derive(Debug, Deserialize)]
pub struct SetUpForm {
    operator: String,
    secret: String,
    password: String,
    again: String,
}

#[derive(Debug, Deserialize)]
pub struct LanguageForm {
    to: String,
    #[serde(default)]
    then: String,
}

/// Asks who is there.
pub async fn show_sign_in(State(site): State<Site>, visitor: Visitor, Params(then): Params<Then>) -> Response {
    let words = visitor.words();
    let said = then.ready.then_some(words.set_up_done);
    visitor.page(&site, words.sign_in, &sign_in_page(&site, &visitor, &then.then, "", said, None))
}

/// Signs in.
pub async fn sign_in(State(site): State<Site>, visitor: Visitor, Sent(form): Sent<SignInForm>) -> Response {
    let SignInForm { operator, password, then } = form;
    let order = SignIn { operator: operator.trim().to_owned(), password };
    match sessions::sign_in(State(Arc::clone(&site.api)), Body(order)).await {
        Ok(given) => with_cookies(
            Redirect::to(place(&then)).into_response(),
            &[(Cookie::Session, &given.0.token), (Cookie::Guest, "")],
            site.tls,
        ),
        Err(failure) => {
            let body = sign_in_page(&site, &visitor, &then, operator.trim(), None, Some(&failure));
            again(&site, &visitor, visitor.words().sign_in, &failure, &body)
        }
    }
}

fn sign_in_page(
    site: &Site,
    visitor: &Visitor,
    then: &str,
    operator: &str,
    said: Option<&str>,
    failure: Option<&Failure>,
) -> Markup {
    let (words, has_provider) = (visitor.words(), site.api.has_oidc());
    html! {
        div.narrow {
            h1 { (words.sign_in) }
            @if let Some(said) = said { p.good role="status" { (said) } }
            (refusal(visitor, failure))
            form.fields method="post" action="/sign-in" {
                (visitor.key_field())
                input type="hidden" name="then" value=(place(then));
                label for="operator" { (words.operator) }
                input #operator name="operator" value=(operator) autocomplete="username" autocapitalize="none" spellcheck="false" aria-describedby="about-operator" required autofocus[operator.is_empty()];
                p.about #about-operator { (OwnWords::of(visitor.language).sign_in_about) }
                label for="password" { (words.password) }
                input #password name="password" type="password" autocomplete="current-password" required autofocus[!operator.is_empty()];
                button.main { (words.sign_in) }
            }
            @if has_provider { p { a.button href="/sign-in/provider" { (words.by_provider) } } }
            p { a href="/setup" { (words.to_set_up) } }
        }
    }
}

/// Asks for the secret of an invitation.
pub async fn show_set_up(State(site): State<Site>, visitor: Visitor) -> Response {
    visitor.page(&site, visitor.words().set_up, &set_up_page(&visitor, "", None, None))
}

/// Chooses a password with the secret of an invitation.
pub async fn set_up(State(site): State<Site>, visitor: Visitor, Sent(form): Sent<SetUpForm>) -> Response {
    let words = visitor.words();
    let SetUpForm { operator, secret, password, again: other } = form;
    let operator = operator.trim().to_owned();
    if password != other {
        let body = set_up_page(&visitor, &operator, Some(words.passwords_differ), None);
        return (StatusCode::BAD_REQUEST, visitor.page(&site, words.set_up, &body)).into_response();
    }
    let order = SetUpOrder { operator: operator.clone(), secret: secret.trim().to_owned(), password };
    match sessions::set_up(State(Arc::clone(&site.api)), Body(order)).await {
        Ok(_) => Redirect::to("/sign-in?ready=true").into_response(),
        Err(failure) => {
            again(&site, &visitor, words.set_up, &failure, &set_up_page(&visitor, &operator, None, Some(&failure)))
        }
    }
}

fn set_up_page(visitor: &Visitor, operator: &str, said: Option<&str>, failure: Option<&Failure>) -> Markup {
    let words = visitor.words();
    html! {
        div.narrow {
            h1 { (words.set_up) }
            p { (words.set_up_about) }
            @if let Some(said) = said { p.bad role="alert" { (said) } }
            (refusal(visitor, failure))
            form.fields method="post" action="/setup" {
                (visitor.key_field())
                label for="operator" { (words.operator) }
                input #operator name="operator" value=(operator) autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus;
                label for="secret" { (words.secret) }
                input #secret name="secret" autocomplete="one-time-code" spellcheck="false" required;
                label for="password" { (words.new_password) }
                input #password name="password" type="password" autocomplete="new-password" required;
                label for="again" { (words.new_password_again) }
                input #again name="again" type="password" autocomplete="new-password" required;
                button.main { (words.set_up) }
            }
            p { a href="/sign-in" { (words.sign_in) } }
        }
    }
}

/// Ends the session.
pub async fn sign_out(State(site): State<Site>, visitor: Visitor) -> Response {
    visitor.session.iter().for_each(|token| site.api.accounts.sign_out(token.as_bytes()));
    with_cookies(Redirect::to("/sign-in").into_response(), &[(Cookie::Session, "")], site.tls)
}

/// Remembers a language.
pub async fn choose_language(State(site): State<Site>, visitor: Visitor, Sent(form): Sent<LanguageForm>) -> Response {
    let Some(language) = Language::of_code(&form.to) else {
        return failed(&site, &visitor, &Failure::bad("this language is not spoken here"));
    };
    let response = Redirect::to(place(&form.then)).into_response();
    with_cookies(response, &[(Cookie::Language, language.code())], site.tls)
}

/// What the authority says against it.
pub fn refusal(visitor: &Visitor, failure: Option<&Failure>) -> Markup {
    html! {
        @if let Some(failure) = failure {
            p.bad role="alert" { (told(visitor, failure)) }
        }
    }
}

/// The same page once more, with the status of what went wrong.
fn again(site: &Site, visitor: &Visitor, title: &str, failure: &Failure, body: &Markup) -> Response {
    (failure.status, visitor.page(site, title, body)).into_response()
}

/// An answer that also sets cookies.
pub fn with_cookies(mut response: Response, cookies: &[(Cookie, &str)], tls: bool) -> Response {
    for cookie in cookies.iter().filter_map(|(cookie, value)| cookie.set(value, tls)) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

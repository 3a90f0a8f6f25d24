//! The frame that every page stands in, what pages have in common, and the page that says why there is none.

use super::Site;
use super::assets::{ASSETS, Assets};
use super::visit::{KEY, Visitor};
use super::words::{Language, OwnWords, Words, fill};
use super::{menu, own};
use crate::http::failure::Failure;
use crate::http::shapes::When;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use doorward_policy::command::Scope;
use doorward_policy::directory::Directory;
use doorward_policy::model::{CardTypeId, UnitId};
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_protocol::problem::did_you_mean;
use maud::{DOCTYPE, Markup, html};

impl Visitor {
    /// What is said to this visitor.
    pub const fn words(&self) -> &'static Words {
        self.language.words()
    }

    /// The field that says that a form is of a page of this visitor.
    pub fn key_field(&self) -> Markup {
        html! { input type="hidden" name=(KEY) value=(self.key); }
    }

    /// Whether this visitor may do something on some part of the campus.
    pub fn may_somewhere(&self, site: &Site, act: Act) -> bool {
        self.caller.as_ref().is_some_and(|caller| caller.may_somewhere(&site.api, act).is_ok())
    }

    /// Whether this visitor may do something to something.
    pub fn may(&self, site: &Site, act: Act, object: Object<'_>) -> bool {
        self.caller.as_ref().is_some_and(|caller| caller.may(&site.api, act, object).is_ok())
    }

    /// A page.
    pub fn page(&self, site: &Site, title: &str, body: &Markup) -> Response {
        Html(framed(site, self, title, body).into_string()).into_response()
    }
}

/// The page that says why there is no other one.
pub fn failed(site: &Site, visitor: &Visitor, failure: &Failure) -> Response {
    let (words, status) = (visitor.words(), failure.status);
    let title = match status {
        StatusCode::FORBIDDEN => words.error_forbidden,
        StatusCode::UNAUTHORIZED => words.error_signed_out,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => words.error_missing,
        StatusCode::CONFLICT => words.error_conflict,
        status if status.is_client_error() => words.error_wrong,
        _ => words.error_failed,
    };
    let body = html! {
        h1 { (title) }
        p.sentence { (told(visitor, failure)) }
        @if failure.cause.is_none() && let Some(hint) = &failure.fault.hint { p.sentence lang="en" { (hint) } }
        p { (words.error_nothing_changed) }
        @if visitor.is_holder() { p { a.button href=(own::HOME) { (OwnWords::of(visitor.language).to_own) } } }
        @else { p { a.button href="/" { (words.nav_find) } } }
    };
    (status, Html(framed(site, visitor, title, &body).into_string())).into_response()
}

/// Why something failed: in the visitor's language, or in the words of the authority.
pub fn told(visitor: &Visitor, failure: &Failure) -> Markup {
    html! {
        @match visitor.language.tell(failure) {
            Some(told) => { (told) }
            None => span lang="en" { (failure.fault.error) }
        }
    }
}

fn framed(site: &Site, visitor: &Visitor, title: &str, body: &Markup) -> Markup {
    let (words, Assets { style, script, sign, plan: _ }) = (visitor.words(), &*ASSETS);
    let (campus, zone) = campus_of(site);
    html! {
        (DOCTYPE)
        html lang=(visitor.language.code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " – " (campus) }
                link rel="stylesheet" href=(style.path);
                link rel="icon" type="image/svg+xml" href=(sign.path);
                script src=(script.path) defer {}
            }
            body {
                a.skip href="#content" { (words.skip) }
                (menu::top(site, visitor, &campus))
                (lockdown_bar(site, visitor))
                main #content tabindex="-1" { (body) }
                footer {
                    p { (fill(words.times_in, &[("zone", &zone)])) }
                    (languages(visitor))
                }
            }
        }
    }
}

/// Name and time zone of the campus.
fn campus_of(site: &Site) -> (String, String) {
    let present = site.api.authority.present();
    let policy = present.directory.policy();
    policy.map_or_else(|| ("Doorward".into(), "UTC".into()), |policy| (policy.name.clone(), policy.time_zone.clone()))
}

fn lockdown_bar(site: &Site, visitor: &Visitor) -> Markup {
    let present = site.api.authority.present();
    let scopes = present.directory.lockdowns();
    // Which doors are shut is for those who work here.
    if visitor.caller.is_none() || visitor.is_holder() || scopes.is_empty() {
        return html! {};
    }
    let names: Vec<String> =
        scopes.iter().map(|scope| scope_name(&present.directory, scope, visitor.words())).collect();
    html! { aside.alert aria-label=(visitor.words().lockdown) { strong { (visitor.words().locked_down_now) } " " (names.join(", ")) } }
}

/// The languages, each a button: a language is remembered, so choosing one is no mere question.
fn languages(visitor: &Visitor) -> Markup {
    html! {
        form.languages method="post" action="/language" aria-label=(visitor.words().language) {
            (visitor.key_field())
            input type="hidden" name="then" value=(visitor.path);
            @for language in Language::ALL {
                @let is_current = (language == visitor.language).then_some("true");
                button.quiet name="to" value=(language.code()) lang=(language.code()) aria-current=[is_current] { (language.name()) }
            }
        }
    }
}

/// An instant on the campus's clock: day and time as people read them, the rest small.
pub fn time(when: &When) -> Markup {
    let (day, rest) = when.text.split_once('T').unwrap_or((&when.text, ""));
    let (seconds, fraction) = rest.split_at_checked(8).unwrap_or((rest, ""));
    let (millis, offset) = fraction.split_at_checked(4).unwrap_or((fraction, ""));
    html! {
        time datetime=(when.text) { (day) " " (seconds) span.fine { (millis) " " (offset) } }
    }
}

/// The doors of a lockdown by the names that people use.
pub fn scope_name(directory: &Directory, scope: &Scope, words: &Words) -> String {
    match scope {
        Scope::Campus => words.whole_campus.to_owned(),
        Scope::Building(id) => {
            directory.tables().buildings.get(id).map_or_else(|| id.to_string(), |building| building.name.clone())
        }
        Scope::Door(id) => door_name(directory, id.as_str()),
    }
}

/// A door by the name of its building and its own.
pub fn door_name(directory: &Directory, id: &str) -> String {
    let tables = directory.tables();
    let door = doorward_protocol::id::DoorId::new(id).ok().and_then(|id| tables.doors.get(&id));
    let named = door.and_then(|door| Some(format!("{}, {}", tables.buildings.get(&door.building)?.name, door.name)));
    named.unwrap_or_else(|| id.to_owned())
}

/// A unit by its name.
pub fn unit_name(directory: &Directory, id: &str) -> String {
    let known = UnitId::new(id).ok().and_then(|id| directory.tables().units.get(&id));
    known.map_or_else(|| id.to_owned(), |unit| unit.name.clone())
}

impl Site {
    /// A unit by its name.
    pub fn unit_name(&self, id: &str) -> String {
        unit_name(&self.api.authority.present().directory, id)
    }

    /// A type of card by its name.
    pub fn type_name(&self, id: &str) -> String {
        let present = self.api.authority.present();
        let types = present.directory.policy().map(|policy| &policy.card_types);
        let known = CardTypeId::new(id).ok().and_then(|id| types?.get(&id));
        known.map_or_else(|| id.to_owned(), |known| known.name.clone())
    }
}

/// The failure of a name that nothing has.
pub fn unknown<'a>(kind: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> Failure {
    let near = did_you_mean(name, known);
    let shown = doorward_protocol::problem::shown(name);
    Failure::new(StatusCode::NOT_FOUND, format!("there is no {kind} {shown}{near}"))
}

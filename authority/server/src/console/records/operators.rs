//! Who may do what: the operators with their tokens, and the one table of acts and roles.

use super::framed;
use crate::console::Site;
use crate::console::page::time;
use crate::console::visit::Visitor;
use crate::console::words::RecordsWords;
use crate::http::caller::Caller;
use crate::http::failure::Failure;
use crate::http::operators;
use crate::http::shapes::office::{OperatorView, PowerView};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use doorward_policy::office::Role;
use doorward_policy::office::acts::Act;
use maud::{Markup, html};
use std::sync::Arc;

/// Most operators that are shown; a page stays small.
const OPERATORS_MAX: usize = 150;

/// All of them.
pub async fn show(State(site): State<Site>, visitor: Visitor, caller: Caller) -> Result<Response, Failure> {
    let Json(known) = operators::list(State(Arc::clone(&site.api)), caller).await?;
    let words = RecordsWords::of(visitor.language);
    let more = known.operators.len().saturating_sub(OPERATORS_MAX);
    let body = html! {
        h1 { (words.operators_title) }
        table.records {
            thead {
                tr {
                    th scope="col" { (words.operators) }
                    th scope="col" { (words.role) }
                    th scope="col" { (words.remit) }
                    th scope="col" { (words.tokens) }
                }
            }
            tbody { @for operator in known.operators.iter().take(OPERATORS_MAX) { (one(&visitor, operator)) } }
        }
        @if more > 0 { p { (crate::console::words::fill(words.and_more, &[("count", &more.to_string())])) } }
        section aria-labelledby="acts" {
            h2 #acts { (words.acts) }
            p.about { (words.acts_about) }
            (acts(words))
        }
    };
    Ok(framed(&site, &visitor, words.operators_title, &body))
}

fn one(visitor: &Visitor, operator: &OperatorView) -> Markup {
    let words = RecordsWords::of(visitor.language);
    html! {
        tr {
            td { strong { (operator.id) } " " span.fine { (operator.name) } }
            td data-name=(words.role) { (words.role_of(&operator.power.role)) }
            td data-name=(words.remit) { (remit(visitor, &operator.power)) }
            td {
                @for token in &operator.tokens {
                    div {
                        (token.id) ", " (words.role_of(&token.power.role)) ", "
                        (time(&token.expires_at))
                        @if token.expired { " " span.state { (words.expired) } }
                    }
                }
            }
        }
    }
}

fn remit(visitor: &Visitor, power: &PowerView) -> Markup {
    html! {
        @if power.campus { (visitor.words().whole_campus) }
        @else { (power.units.iter().chain(&power.buildings).cloned().collect::<Vec<_>>().join(", ")) }
    }
}

/// The table of acts, each with the roles that may.
fn acts(words: &RecordsWords) -> Markup {
    html! {
        table.records {
            thead { tr { th scope="col" { (words.act) } th scope="col" { (words.role) } } }
            tbody {
                @for act in Act::ALL {
                    tr {
                        th scope="row" { (words.of_act(act)) }
                        td { (act.roles().iter().map(|role| words.role_of(Role::name(*role))).collect::<Vec<_>>().join(", ")) }
                    }
                }
            }
        }
    }
}

//! Batches: cards that a company makes, from the order by way of the archive that it gets to the table of what it made.

use super::super::Site;
use super::super::account::refusal;
use super::super::page::time;
use super::super::upload::Uploaded;
use super::super::visit::{Sent, Visitor, percent};
use super::super::words::fill;
use super::{again, page, part, said, text};
use crate::http::caller::Caller;
use crate::http::extract::{Body, Named, Params};
use crate::http::failure::Failure;
use crate::http::production;
use crate::http::shapes::production::{BatchCard, BatchDelivery, BatchOrder, BatchView, CampaignView};
use crate::sheet;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use doorward_policy::office::acts::Act;
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Debug, Clone, Default, Deserialize)]
pub struct Order {
    #[serde(default)]
    batch: String,
    #[serde(default)]
    campaign: String,
    #[serde(default)]
    unit: String,
}

#[derive(Debug, Default, Deserialize)]
pub struct Which {
    #[serde(default)]
    page: usize,
}

/// All batches, and the order of another.
pub async fn list(State(site): State<Site>, visitor: Visitor, caller: Caller) -> Result<Response, Failure> {
    listed(&site, &visitor, caller, &Order::default(), None).await
}

async fn listed(
    site: &Site,
    visitor: &Visitor,
    caller: Caller,
    typed: &Order,
    failure: Option<&Failure>,
) -> Result<Response, Failure> {
    let own = said(visitor);
    let batches = production::batches(State(Arc::clone(&site.api)), caller.clone()).await?.0.batches;
    let campaigns = if visitor.may_somewhere(site, Act::PrepareRosters) {
        production::campaigns(State(Arc::clone(&site.api)), caller).await?.0.campaigns
    } else {
        Vec::new()
    };
    let body = html! {
        h1 { (own.batches) }
        (refusal(visitor, failure))
        @if batches.is_empty() { p { (own.no_batches) } }
        ul.cards.wide.rows { @for batch in &batches { (row(site, visitor, batch)) } }
        (order_form(visitor, &campaigns, batches.len(), typed))
    };
    Ok(page(site, visitor, own.batches, &body))
}

/// How many cards of a batch have come.
fn came(batch: &BatchView) -> usize {
    batch.cards.iter().filter(|card| card.card.is_some()).count()
}

fn counts(visitor: &Visitor, batch: &BatchView) -> String {
    let (count, came) = (batch.cards.len().to_string(), came(batch).to_string());
    fill(said(visitor).batch_counts, &[("count", &count), ("came", &came)])
}

fn row(site: &Site, visitor: &Visitor, batch: &BatchView) -> Markup {
    let is_whole = came(batch) == batch.cards.len();
    html! {
        li {
            a.name href={ "/batches/" (percent(&batch.batch)) } { (batch.batch) }
            span.state.active[is_whole].waiting[!is_whole] { (counts(visitor, batch)) }
            span.fine {
                (batch.campaign)
                @if let Some(unit) = &batch.unit { " · " (site.unit_name(unit)) }
                " · " (time(&batch.at)) " · " (batch.by)
            }
        }
    }
}

fn order_form(visitor: &Visitor, campaigns: &[CampaignView], batches: usize, typed: &Order) -> Markup {
    let own = said(visitor);
    let has_accepted = |campaign: &&CampaignView| campaign.rosters.iter().any(|roster| roster.state == "accepted");
    let open: Vec<&CampaignView> = campaigns.iter().filter(has_accepted).collect();
    let units: BTreeMap<&str, &str> = open
        .iter()
        .flat_map(|campaign| &campaign.rosters)
        .filter(|roster| roster.state == "accepted")
        .map(|roster| (roster.unit.as_str(), roster.unit_name.as_str()))
        .collect();
    let first = open.first().map(|campaign| format!("{}-{}", campaign.id, batches.saturating_add(1)));
    let name = text(&typed.batch).or(first).unwrap_or_default();
    html! {
        section aria-labelledby="order" {
            h2 #order { (own.order_batch) }
            @if open.is_empty() { p { (own.nothing_to_order) } }
            @else {
                form.fields method="post" action="/batches" {
                    (visitor.key_field())
                    p.about { (own.order_about) }
                    label for="campaign" { (own.campaign) }
                    select #campaign name="campaign" {
                        @for campaign in &open { option value=(campaign.id) selected[campaign.id == typed.campaign] { (campaign.name) } }
                    }
                    label for="unit" { (own.of_unit) }
                    select #unit name="unit" {
                        option value="" { (own.all_units) }
                        @for (id, name) in &units { option value=(id) selected[*id == typed.unit] { (name) } }
                    }
                    label for="batch" { (own.batch_name) }
                    input #batch name="batch" value=(name) autocomplete="off" spellcheck="false" required;
                    button.main { (own.order_batch) }
                }
            }
        }
    }
}

/// Orders the cards of accepted rosters.
pub async fn order(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Sent(typed): Sent<Order>,
) -> Result<Response, Failure> {
    let batch = typed.batch.trim().to_owned();
    let order = BatchOrder { batch: batch.clone(), campaign: typed.campaign.clone(), unit: text(&typed.unit) };
    let failure = match production::order(State(Arc::clone(&site.api)), caller.clone(), Body(order)).await {
        Ok(_) => return Ok(to_batch(&batch)),
        Err(failure) => failure,
    };
    let page = listed(&site, &visitor, caller, &typed, Some(&failure)).await;
    let Ok(page) = page else { return Err(failure) };
    again(failure, |_| page)
}

fn to_batch(id: &str) -> Response {
    Redirect::to(&format!("/batches/{}", percent(id))).into_response()
}

/// One batch.
pub async fn show(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    id: Named<String>,
    Params(Which { page: number }): Params<Which>,
) -> Result<Response, Failure> {
    let Json(batch) = production::batch(State(Arc::clone(&site.api)), caller, id).await?;
    Ok(one(&site, &visitor, &batch, number, None))
}

fn one(site: &Site, visitor: &Visitor, batch: &BatchView, number: usize, failure: Option<&Failure>) -> Response {
    let own = said(visitor);
    let address = format!("/batches/{}", percent(&batch.batch));
    let (rows, ways) = part(visitor, &batch.cards, number, &format!("{address}?page="));
    let title = format!("{} {}", own.batch, batch.batch);
    let body = html! {
        h1 { (title) }
        (refusal(visitor, failure))
        dl.facts {
            dt { (own.campaign) } dd { (batch.campaign) @if let Some(unit) = &batch.unit { " · " (site.unit_name(unit)) } }
            dt { (visitor.words().card_type) } dd { (site.type_name(&batch.card_type)) }
            dt { (own.ordered) } dd { (time(&batch.at)) " " span.fine { (batch.by) } }
            dt { (visitor.words().cards) } dd { (counts(visitor, batch)) }
        }
        p.row {
            a.button href={ (address) "/archive" } download { (own.archive) }
            span.about { (own.archive_about) }
        }
        @if came(batch) < batch.cards.len() { (deliver_form(visitor, &address)) }
        section aria-labelledby="cards" {
            h2 #cards { (visitor.words().cards) }
            ul.cards.wide.rows { @for card in rows { (card_row(visitor, card)) } }
            (ways)
        }
    };
    page(site, visitor, &title, &body)
}

fn deliver_form(visitor: &Visitor, address: &str) -> Markup {
    let own = said(visitor);
    html! {
        section aria-labelledby="deliver" {
            h2 #deliver { (own.deliver) }
            form.fields method="post" action={ (address) "/deliver" } enctype="multipart/form-data" {
                (visitor.key_field())
                label for="file" { (own.table_file) }
                input #file name="file" type="file" accept=".csv,text/csv" required aria-describedby="about-file";
                p.about #about-file { (own.table_about) }
                label for="first" { (own.first_day) }
                input #first name="issued_on" type="date" aria-describedby="about-first";
                p.about #about-first { (own.first_day_about) }
                button.main { (own.deliver) }
            }
        }
    }
}

fn card_row(visitor: &Visitor, card: &BatchCard) -> Markup {
    html! {
        li {
            a.name href={ "/people/" (percent(&card.person)) } { (card.name) }
            span.fine { (card.person) @if let Some(number) = &card.number { " · " (number) } }
            @match &card.card {
                Some(id) => { a href={ "/cards/" (percent(id)) } { (id) } }
                None => { span.state.waiting { (said(visitor).not_come) } }
            }
        }
    }
}

/// The archive that the company gets.
pub async fn archive(State(site): State<Site>, caller: Caller, id: Named<String>) -> Result<Response, Failure> {
    production::packed(State(Arc::clone(&site.api)), caller, id).await
}

/// Takes in what the company made.
pub async fn deliver(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    uploaded: Uploaded,
) -> Result<Response, Failure> {
    // Whoever may not see the batch learns nothing from what is wrong with a table.
    let Json(batch) = production::batch(State(Arc::clone(&site.api)), caller.clone(), Named(id.clone())).await?;
    let done = match table_of(&uploaded) {
        Ok(cards) => {
            let issued_on = uploaded.fields.get("issued_on").and_then(|day| text(day));
            let delivery = Body(BatchDelivery { issued_on, cards });
            production::deliver(State(Arc::clone(&site.api)), caller, Named(id.clone()), delivery).await.map(drop)
        }
        Err(failure) => Err(failure),
    };
    match done {
        Ok(()) => Ok(to_batch(&id)),
        Err(failure) => again(failure, |failure| one(&site, &visitor, &batch, 1, Some(failure))),
    }
}

/// What the company made, as its table says it.
fn table_of(uploaded: &Uploaded) -> Result<BTreeMap<String, String>, Failure> {
    let (name, bytes) =
        uploaded.files.get("file").ok_or_else(|| Failure::bad("choose the table of what was produced"))?;
    let wrong = |(line, what): (u64, String)| Failure::bad(format!("{name}:{line}: {what}; nothing was changed"));
    sheet::produced(bytes).map_err(wrong)
}

//! Campaigns: which stage is open today, and how far each unit's roster has come.

use super::super::Site;
use super::super::visit::{Visitor, percent};
use super::super::words::{CardOfficeWords, fill};
use super::{page, said};
use crate::clock;
use crate::http::caller::Caller;
use crate::http::failure::Failure;
use crate::http::production;
use crate::http::shapes::production::{CampaignView, RosterView, StageView};
use axum::extract::State;
use axum::response::Response;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use maud::{Markup, html};
use std::sync::Arc;

impl CardOfficeWords {
    /// A stage of a campaign.
    fn stage<'a>(&self, name: &'a str) -> &'a str {
        match name {
            "photos" => self.stage_photos,
            "roster" => self.stage_roster,
            "hand_over" => self.stage_hand_over,
            other => other,
        }
    }

    /// Where a roster stands.
    pub fn roster_state<'a>(&self, name: &'a str) -> &'a str {
        match name {
            "open" => self.roster_open,
            "confirmed" => self.roster_confirmed,
            "accepted" => self.roster_accepted,
            other => other,
        }
    }
}

/// Where a roster stands, as a mark.
pub fn roster_mark(visitor: &Visitor, state: &str) -> Markup {
    html! { span.state.(state) { (said(visitor).roster_state(state)) } }
}

/// All campaigns.
pub async fn show(State(site): State<Site>, visitor: Visitor, caller: Caller) -> Result<Response, Failure> {
    let own = said(&visitor);
    let found = production::campaigns(State(Arc::clone(&site.api)), caller.clone()).await?.0;
    let units = units_of(&site, &caller);
    let body = html! {
        h1 { (own.campaigns) }
        p.about { (own.campaigns_about) }
        @if found.campaigns.is_empty() { p { (own.no_campaigns) } }
        @for campaign in &found.campaigns { (one(&site, &visitor, campaign, &units)) }
    };
    Ok(page(&site, &visitor, own.campaigns, &body))
}

/// The units whose rosters somebody prepares, by name.
fn units_of(site: &Site, caller: &Caller) -> Vec<(String, String)> {
    let present = site.api.authority.present();
    let directory = &present.directory;
    let now = clock::wall();
    let units = directory.tables().units.iter();
    let own =
        units.filter(|(id, _)| directory.allow(&caller.asker, Act::PrepareRosters, Object::Unit(id), now).is_ok());
    let mut own: Vec<_> = own.map(|(id, unit)| (unit.name.clone(), id.to_string())).collect();
    own.sort();
    own
}

fn one(site: &Site, visitor: &Visitor, campaign: &CampaignView, units: &[(String, String)]) -> Markup {
    let own = said(visitor);
    let heading = format!("campaign-{}", campaign.id);
    let field = format!("unit-{}", campaign.id);
    let address = format!("/campaigns/{}/roster", percent(&campaign.id));
    html! {
        section aria-labelledby=(heading) {
            h2 id=(heading) { (campaign.name) " · " (site.type_name(&campaign.card_type)) }
            (stages(visitor, &campaign.stages))
            @if campaign.rosters.is_empty() { p { (own.no_rosters) } }
            ul.cards.wide.rows { @for roster in &campaign.rosters { (row(visitor, &address, roster)) } }
            @if !units.is_empty() {
                form.filter method="get" action=(address) {
                    label for=(field) { (own.roster_of_unit) }
                    select id=(field) name="unit" { @for (name, id) in units { option value=(id) { (name) } } }
                    button { (own.open_roster) }
                }
            }
        }
    }
}

/// The stages in their order, each with its days.
pub fn stages(visitor: &Visitor, stages: &[StageView]) -> Markup {
    let own = said(visitor);
    html! {
        ol.stages {
            @for stage in stages {
                li.open[stage.open] {
                    strong { (own.stage(&stage.stage)) }
                    span.fine {
                        @match (&stage.from, &stage.until) {
                            (Some(from), Some(until)) => { (from) " – " (until) }
                            (Some(from), None) => { (from) " –" }
                            (None, Some(until)) => { "– " (until) }
                            (None, None) => { (own.any_day) }
                        }
                    }
                    span { (if stage.open { own.open_today } else { own.closed_today }) }
                }
            }
        }
    }
}

fn row(visitor: &Visitor, address: &str, roster: &RosterView) -> Markup {
    let own = said(visitor);
    let count = |count: usize| count.to_string();
    let approved = roster.people.iter().filter(|person| person.photo == "approved").count();
    let ordered = roster.people.iter().filter(|person| person.batch.is_some()).count();
    let counts = [("people", count(roster.people.len())), ("approved", count(approved)), ("ordered", count(ordered))];
    let counts: Vec<(&str, &str)> = counts.iter().map(|(name, count)| (*name, count.as_str())).collect();
    html! {
        li {
            a.name href={ (address) "?unit=" (percent(&roster.unit)) } { (roster.unit_name) }
            (roster_mark(visitor, &roster.state))
            span.fine { (fill(own.roster_counts, &counts)) }
            @if let Some(reason) = &roster.returned { span { (fill(own.was_returned, &[("reason", reason)])) } }
        }
    }
}

//! Cards for many at once: campaigns with their rosters, batches, and the archive that a card company gets.

use super::archive::{self, Packed};
use super::caller::Caller;
use super::extract::{Body, Named};
use super::grants::day;
use super::shapes::production::{
    BatchCard, BatchDelivery, BatchOrder, BatchView, Batches, CampaignView, Campaigns, RosterPeople, RosterPerson,
    RosterStep, RosterView, StageView,
};
use super::shapes::{Change, Fault};
use super::{Api, Failure};
use crate::clock;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use doorward_policy::command::Command;
use doorward_policy::directory::{Directory, Refusal};
use doorward_policy::model::{CardId, PersonId, UnitId};
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_policy::production::{Batch, BatchId, Campaign, CampaignId, Ordered, ProductionOrder, Roster, Stage};
use doorward_protocol::id::Hash;
use doorward_protocol::problem::did_you_mean;
use doorward_protocol::time::Day;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Largest body: a batch of as many cards as one holds.
pub const BODY_BYTES_MAX: usize = 512 << 10;

/// The campaigns, with the rosters of units in the caller's remit.
#[utoipa::path(get, path = "/v1/campaigns",
    responses((status = 200, body = Campaigns), (status = 403, body = Fault)))]
pub async fn campaigns(State(api): State<Arc<Api>>, caller: Caller) -> Result<Json<Campaigns>, Failure> {
    caller.may_somewhere(&api, Act::PrepareRosters)?;
    caller.looks(&api, "rosters", "rosters of campaigns".to_owned()).await;
    let today = api.today();
    let present = api.authority.present();
    let directory = &present.directory;
    let campaigns = directory.policy().into_iter().flat_map(|policy| &policy.campaigns);
    let views = campaigns.map(|(id, campaign)| campaign_view(directory, &caller, id, campaign, today));
    Ok(Json(Campaigns { campaigns: views.collect() }))
}

fn campaign_view(
    directory: &Directory,
    caller: &Caller,
    id: &CampaignId,
    campaign: &Campaign,
    today: Option<Day>,
) -> CampaignView {
    let stages = Stage::ALL.map(|stage| {
        let days = campaign.stages.get(&stage).copied().unwrap_or_default();
        StageView {
            stage: stage.name().to_owned(),
            from: days.from.map(|day| day.to_string()),
            until: days.until.map(|day| day.to_string()),
            open: today.is_some_and(|today| days.contains(today)),
        }
    });
    let now = clock::wall();
    let is_seen = |unit: &UnitId| directory.allow(&caller.asker, Act::PrepareRosters, Object::Unit(unit), now).is_ok();
    let rosters = directory.production().rosters.get(id).into_iter().flatten();
    CampaignView {
        id: id.to_string(),
        name: campaign.name.clone(),
        card_type: campaign.card_type.to_string(),
        stages: stages.into(),
        rosters: rosters
            .filter(|(unit, _)| is_seen(unit))
            .map(|(unit, roster)| roster_view(directory, id, unit, roster))
            .collect(),
    }
}

fn roster_view(directory: &Directory, campaign: &CampaignId, unit: &UnitId, roster: &Roster) -> RosterView {
    let tables = directory.tables();
    let people = roster.people.iter().map(|person| {
        let mut batches = directory.production().batches.iter().filter(|(_, batch)| batch.campaign == *campaign);
        let ordered = batches.find_map(|(id, batch)| Some((id, batch.people.get(person)?)));
        let photo = directory.photos().get(person).map_or("missing", |photo| photo.state.name());
        RosterPerson {
            person: person.to_string(),
            name: tables.people.get(person).map(|person| person.name.clone()).unwrap_or_default(),
            photo: photo.to_owned(),
            batch: ordered.map(|(id, _)| id.to_string()),
            card: ordered.and_then(|(_, ordered)| ordered.card.as_ref()).map(ToString::to_string),
        }
    });
    RosterView {
        unit: unit.to_string(),
        unit_name: tables.units.get(unit).map(|unit| unit.name.clone()).unwrap_or_default(),
        state: roster.state().name().to_owned(),
        confirmed_by: roster.confirmed.as_ref().map(|mark| mark.by.to_string()),
        accepted_by: roster.accepted.as_ref().map(|mark| mark.by.to_string()),
        returned: roster.returned.clone(),
        people: people.collect(),
    }
}

/// Puts people on a unit's roster.
#[utoipa::path(post, path = "/v1/campaigns/{id}/enter", params(("id" = String, Path, description = "The campaign")),
    request_body = RosterPeople,
    responses((status = 200, body = Change), (status = 403, body = Fault), (status = 404, body = Fault),
        (status = 409, body = Fault)))]
pub async fn enter(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    Body(order): Body<RosterPeople>,
) -> Result<Json<Change>, Failure> {
    let (campaign, unit, people) = (campaign_id(&id)?, unit_id(&order.unit)?, people_of(&order.people)?);
    let order = ProductionOrder::Enter { campaign, unit, people };
    api.change(&caller, Command::Production(order)).await.map(Json)
}

/// Takes people off a unit's roster.
#[utoipa::path(post, path = "/v1/campaigns/{id}/strike", params(("id" = String, Path, description = "The campaign")),
    request_body = RosterPeople,
    responses((status = 200, body = Change), (status = 403, body = Fault), (status = 404, body = Fault),
        (status = 409, body = Fault)))]
pub async fn strike(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    Body(order): Body<RosterPeople>,
) -> Result<Json<Change>, Failure> {
    let (campaign, unit, people) = (campaign_id(&id)?, unit_id(&order.unit)?, people_of(&order.people)?);
    let order = ProductionOrder::Strike { campaign, unit, people };
    api.change(&caller, Command::Production(order)).await.map(Json)
}

/// Confirms that a unit's roster is complete; everyone on it has an approved photo.
#[utoipa::path(post, path = "/v1/campaigns/{id}/confirm", params(("id" = String, Path, description = "The campaign")),
    request_body = RosterStep,
    responses((status = 200, body = Change), (status = 403, body = Fault), (status = 404, body = Fault),
        (status = 409, body = Fault)))]
pub async fn confirm(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    Body(step): Body<RosterStep>,
) -> Result<Json<Change>, Failure> {
    let order = ProductionOrder::Confirm { campaign: campaign_id(&id)?, unit: unit_id(&step.unit)? };
    api.change(&caller, Command::Production(order)).await.map(Json)
}

/// Takes a confirmed roster: its cards can be ordered.
#[utoipa::path(post, path = "/v1/campaigns/{id}/accept", params(("id" = String, Path, description = "The campaign")),
    request_body = RosterStep,
    responses((status = 200, body = Change), (status = 403, body = Fault), (status = 404, body = Fault),
        (status = 409, body = Fault)))]
pub async fn accept(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    Body(step): Body<RosterStep>,
) -> Result<Json<Change>, Failure> {
    let order = ProductionOrder::Accept { campaign: campaign_id(&id)?, unit: unit_id(&step.unit)? };
    api.change(&caller, Command::Production(order)).await.map(Json)
}

/// Gives a roster back to its unit, with a reason.
#[utoipa::path(post, path = "/v1/campaigns/{id}/return", params(("id" = String, Path, description = "The campaign")),
    request_body = RosterStep,
    responses((status = 200, body = Change), (status = 403, body = Fault), (status = 404, body = Fault),
        (status = 409, body = Fault)))]
pub async fn give_back(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    Body(RosterStep { unit, reason }): Body<RosterStep>,
) -> Result<Json<Change>, Failure> {
    let (campaign, unit) = (campaign_id(&id)?, unit_id(&unit)?);
    let order = ProductionOrder::Return { campaign, unit, reason: reason.unwrap_or_default() };
    api.change(&caller, Command::Production(order)).await.map(Json)
}

/// The batches in the caller's remit, newest first.
#[utoipa::path(get, path = "/v1/batches", responses((status = 200, body = Batches), (status = 403, body = Fault)))]
pub async fn batches(State(api): State<Arc<Api>>, caller: Caller) -> Result<Json<Batches>, Failure> {
    caller.may_somewhere(&api, Act::ProduceCards)?;
    caller.looks(&api, "batches", "batches of cards".to_owned()).await;
    let (now, present) = (clock::wall(), api.authority.present());
    let directory = &present.directory;
    let is_seen =
        |id: &BatchId| directory.allow(&caller.asker, Act::ProduceCards, directory.batch_object(id), now).is_ok();
    let mut seen: Vec<_> = directory.production().batches.iter().filter(|(id, _)| is_seen(id)).collect();
    seen.sort_by_key(|(_, batch)| core::cmp::Reverse(batch.ordered.at));
    Ok(Json(Batches { batches: seen.into_iter().map(|(id, batch)| batch_view(&api, directory, id, batch)).collect() }))
}

/// Orders the cards of accepted rosters that are in no batch yet.
#[utoipa::path(post, path = "/v1/batches", request_body = BatchOrder,
    responses((status = 200, body = Change), (status = 403, body = Fault), (status = 404, body = Fault),
        (status = 409, body = Fault)))]
pub async fn order(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Body(order): Body<BatchOrder>,
) -> Result<Json<Change>, Failure> {
    let unit = order.unit.as_deref().map(unit_id).transpose()?;
    let (batch, campaign) = (batch_id(&order.batch)?, campaign_id(&order.campaign)?);
    let order = ProductionOrder::Order { batch, campaign, unit };
    api.change(&caller, Command::Production(order)).await.map(Json)
}

/// One batch.
#[utoipa::path(get, path = "/v1/batches/{id}", params(("id" = String, Path, description = "The batch")),
    responses((status = 200, body = BatchView), (status = 403, body = Fault), (status = 404, body = Fault)))]
pub async fn batch(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Json<BatchView>, Failure> {
    seen_batch(&api, &caller, &batch_id(&id)?).await.map(|(view, _)| Json(view))
}

/// A batch for the card company: an archive with a table and a photo of each holder.
#[utoipa::path(get, path = "/v1/batches/{id}/archive", params(("id" = String, Path, description = "The batch")),
    responses((status = 200, content_type = "application/zip"), (status = 403, body = Fault), (status = 404, body = Fault)))]
pub async fn packed(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Response, Failure> {
    let (view, photos) = seen_batch(&api, &caller, &batch_id(&id)?).await?;
    const HEADER: [&str; 7] = ["person_id", "name", "category", "units", "card_type", "number", "photo"];
    let rows = view.cards.into_iter().map(|card| {
        let BatchCard { person, name, category, units, number, photo, card: _ } = card;
        let (number, photo) = (number.unwrap_or_default(), photo.unwrap_or_default());
        vec![person, name, category, units, view.card_type.clone(), number, photo]
    });
    let table = crate::sheet::table(&HEADER, &rows.collect::<Vec<_>>());
    let table = table.map_err(|error| Failure::bad(format!("the batch cannot be written as a table: {error}")))?;
    let files = photos.into_iter().map(|(name, image)| (name, Packed::Photo(image)));
    let files = [("batch.csv".to_owned(), Packed::Bytes(table))].into_iter().chain(files).collect();
    Ok(archive::stream(api, &format!("{}.zip", view.batch), files))
}

/// A batch that the caller may see, with the photos that belong into its archive.
async fn seen_batch(api: &Api, caller: &Caller, id: &BatchId) -> Result<(BatchView, BTreeMap<String, Hash>), Failure> {
    caller.may_somewhere(api, Act::ProduceCards)?;
    {
        let present = api.authority.present();
        let object = present.directory.batch_object(id);
        present.directory.allow(&caller.asker, Act::ProduceCards, object, clock::wall())?;
    }
    caller.looks(api, "batch", format!("batch {id}")).await;
    let present = api.authority.present();
    let directory = &present.directory;
    let batches = &directory.production().batches;
    let Some(batch) = batches.get(id) else {
        let near = did_you_mean(id.as_str(), batches.keys().map(BatchId::as_str));
        return Err(Refusal::Unknown { kind: "batch", id: id.to_string(), near }.into());
    };
    let photos =
        batch.people.keys().filter_map(|person| Some((photo_file(person), directory.photos().get(person)?.image)));
    Ok((batch_view(api, directory, id, batch), photos.collect()))
}

/// Takes in cards that the company has made: they are issued, and come into use when they are activated.
#[utoipa::path(post, path = "/v1/batches/{id}/deliver", params(("id" = String, Path, description = "The batch")),
    request_body = BatchDelivery,
    responses((status = 200, body = Change), (status = 403, body = Fault), (status = 404, body = Fault),
        (status = 409, body = Fault)))]
pub async fn deliver(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    Body(delivery): Body<BatchDelivery>,
) -> Result<Json<Change>, Failure> {
    let issued_on = day(delivery.issued_on.as_deref())?.or(api.today());
    let issued_on = issued_on.ok_or_else(|| Failure::bad("today has no date here; say issued_on"))?;
    let card = |(person, card): (&String, &String)| {
        Ok::<_, Failure>((person_id(person)?, CardId::new(card).map_err(Failure::of_id("card", card))?))
    };
    let cards = delivery.cards.iter().map(card).collect::<Result<_, _>>()?;
    let order = ProductionOrder::Deliver { batch: batch_id(&id)?, issued_on, cards };
    api.change(&caller, Command::Production(order)).await.map(Json)
}

fn batch_view(api: &Api, directory: &Directory, id: &BatchId, batch: &Batch) -> BatchView {
    let tables = directory.tables();
    let card = |(person, ordered): (&PersonId, &Ordered)| {
        let known = tables.people.get(person);
        let units = known.into_iter().flat_map(|known| &known.affiliations);
        let units: BTreeSet<_> = units.map(|affiliation| affiliation.unit.as_str()).collect();
        BatchCard {
            person: person.to_string(),
            name: known.map(|known| known.name.clone()).unwrap_or_default(),
            category: known.map(|known| known.category.to_string()).unwrap_or_default(),
            units: units.into_iter().collect::<Vec<_>>().join(" "),
            number: ordered.number.clone(),
            photo: directory.photos().get(person).map(|_| photo_file(person)),
            card: ordered.card.as_ref().map(ToString::to_string),
        }
    };
    BatchView {
        batch: id.to_string(),
        campaign: batch.campaign.to_string(),
        unit: batch.unit.as_ref().map(ToString::to_string),
        card_type: batch.card_type.to_string(),
        by: batch.ordered.by.to_string(),
        at: api.when(batch.ordered.at),
        cards: batch.people.iter().map(card).collect(),
    }
}

fn photo_file(person: &PersonId) -> String {
    format!("photos/{person}.jpg")
}

fn people_of(names: &[String]) -> Result<BTreeSet<PersonId>, Failure> {
    if names.is_empty() {
        return Err(Failure::bad("nobody is named"));
    }
    names.iter().map(|name| person_id(name)).collect()
}

fn person_id(id: &str) -> Result<PersonId, Failure> {
    PersonId::new(id).map_err(Failure::of_id("person", id))
}

fn unit_id(id: &str) -> Result<UnitId, Failure> {
    UnitId::new(id).map_err(Failure::of_id("unit", id))
}

fn campaign_id(id: &str) -> Result<CampaignId, Failure> {
    CampaignId::new(id).map_err(Failure::of_id("campaign", id))
}

fn batch_id(id: &str) -> Result<BatchId, Failure> {
    BatchId::new(id).map_err(Failure::of_id("batch", id))
}

//! Questions about rights: who, where and why, now or at an instant in the past or the future.

use super::caller::Caller;
use super::extract::Params;
use super::shapes::{Fault, WhereAnswer, WhoAnswer, WhyAnswer};
use super::{Api, Failure};
use crate::clock;
use crate::history;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use doorward_policy::directory::Directory;
use doorward_policy::explain::{self, Phrases};
use doorward_policy::model::CardId;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_protocol::id::DoorId;
use doorward_protocol::problem::shown;
use doorward_protocol::time::UnixMs;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Debug, Deserialize)]
pub struct Question {
    pub(crate) door: Option<String>,
    pub(crate) card: Option<String>,
    pub(crate) at: Option<String>,
}

/// Who can open a door.
#[utoipa::path(get, path = "/v1/who",
    params(("door" = String, Query, description = "The door"),
        ("at" = Option<String>, Query, description = "The instant, RFC 3339; now when absent")),
    responses((status = 200, body = WhoAnswer), (status = 404, body = Fault)))]
pub async fn who(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(question): Params<Question>,
) -> Result<Json<WhoAnswer>, Failure> {
    let (door, at) = (question.door()?, question.at()?);
    caller.may(&api, Act::SeeDoors, Object::Door(&door))?;
    caller.looks(&api, "who", format!("door {door}")).await;
    let (answer, as_of_seq) = ask(&api, at, move |directory| explain::who(directory, &door, at)).await?;
    Ok(Json(WhoAnswer { at: api.when(at), as_of_seq, answer }))
}

/// Where a card opens.
#[utoipa::path(get, path = "/v1/where",
    params(("card" = String, Query, description = "The card"),
        ("at" = Option<String>, Query, description = "The instant, RFC 3339; now when absent")),
    responses((status = 200, body = WhereAnswer), (status = 404, body = Fault)))]
pub async fn where_card(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(question): Params<Question>,
) -> Result<Json<WhereAnswer>, Failure> {
    let (card, at) = (question.card()?, question.at()?);
    caller.may(&api, Act::SeeCards, Object::Card(&card))?;
    caller.looks(&api, "where", format!("card {card}")).await;
    let (answer, as_of_seq) = ask(&api, at, move |directory| explain::where_card(directory, &card, at)).await?;
    Ok(Json(WhereAnswer { at: api.when(at), as_of_seq, answer }))
}

/// Why a door answers a card as it does.
#[utoipa::path(get, path = "/v1/why",
    params(("card" = String, Query, description = "The card"), ("door" = String, Query, description = "The door"),
        ("at" = Option<String>, Query, description = "The instant, RFC 3339; now when absent")),
    responses((status = 200, body = WhyAnswer), (status = 404, body = Fault)))]
pub async fn why(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(question): Params<Question>,
) -> Result<Json<WhyAnswer>, Failure> {
    explained(api, caller, question, &Phrases::ENGLISH).await
}

/// The same, in the language of the phrases.
pub async fn explained(
    api: Arc<Api>,
    caller: Caller,
    question: Question,
    phrases: &'static Phrases,
) -> Result<Json<WhyAnswer>, Failure> {
    let (card, door, at) = (question.card()?, question.door()?, question.at()?);
    // Whose door it is may know who stands before it, and whose card it is, why it does not open.
    let by_card = caller.may(&api, Act::SeeCards, Object::Card(&card));
    by_card.or_else(|denied| caller.may(&api, Act::SeeDoors, Object::Door(&door)).map_err(|_| denied))?;
    caller.looks(&api, "why", format!("card {card}")).await;
    let (answer, as_of_seq) =
        ask(&api, at, move |directory| explain::why(directory, &card, &door, at, phrases)).await?;
    Ok(Json(WhyAnswer { at: api.when(at), as_of_seq, answer }))
}

impl Question {
    fn door(&self) -> Result<DoorId, Failure> {
        let door = self.door.as_deref().ok_or_else(|| Failure::bad("name a door: ?door=ID"))?;
        DoorId::new(door).map_err(Failure::of_id("door", door))
    }

    fn card(&self) -> Result<CardId, Failure> {
        let card = self.card.as_deref().ok_or_else(|| Failure::bad("name a card: ?card=ID"))?;
        CardId::new(card).map_err(Failure::of_id("card", card))
    }

    fn at(&self) -> Result<UnixMs, Failure> {
        self.at.as_deref().map_or_else(|| Ok(clock::wall()), parse_instant)
    }
}

/// An instant in a query.
pub fn parse_instant(text: &str) -> Result<UnixMs, Failure> {
    UnixMs::parse(text).map_err(|error| Failure::bad(format!("{} {error}", shown(text))))
}

/// Asks the directory as it was at an instant, or as it is when that is not before the newest entry.
async fn ask<T: Send + 'static, E: Into<Failure> + Send + 'static>(
    api: &Arc<Api>,
    at: UnixMs,
    question: impl FnOnce(&Directory) -> Result<T, E> + Send + 'static,
) -> Result<(T, u64), Failure> {
    let api = Arc::clone(api);
    let answered = tokio::task::spawn_blocking(move || {
        let present = api.authority.present();
        if at >= present.directory.at() {
            return Ok((question(&present.directory).map_err(Into::into)?, present.directory.head()));
        }
        drop(present);
        let past = history::directory_at(&api.authority.layout, at)?;
        if past.head() == 0 {
            let error = "the journal had no entry yet at that instant";
            return Err(Failure::new(StatusCode::NOT_FOUND, error));
        }
        Ok((question(&past).map_err(Into::into)?, past.head()))
    });
    answered.await.map_err(|error| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?
}

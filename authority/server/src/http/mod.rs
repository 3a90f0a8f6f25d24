//! The HTTP API: routes under `/v1`, each behind the bearer token, described by an OpenAPI document.
//!
//! Deliberately thin: a handler parses, asks the core, and shapes the answer.

pub(crate) mod agents;
pub(crate) mod alarms;
pub(crate) mod applications;
mod archive;
pub mod caller;
pub(crate) mod cards;
pub(crate) mod changes;
pub(crate) mod compare;
pub mod connections;
pub(crate) mod counts;
pub(crate) mod doors;
pub(crate) mod extract;
pub mod failure;
pub(crate) mod grants;
mod import;
pub(crate) mod journal;
pub(crate) mod lines;
pub mod listen;
pub(crate) mod log;
pub(crate) mod looks;
pub(crate) mod map;
pub(crate) mod me;
pub(crate) mod oidc;
pub(crate) mod operators;
pub(crate) mod people;
mod personal;
pub(crate) mod photos;
pub(crate) mod production;
pub(crate) mod questions;
mod refusals;
pub(crate) mod reports;
pub(crate) mod requests;
pub(crate) mod retention;
pub mod scim;
pub(crate) mod sessions;
pub mod shapes;
pub(crate) mod status;

use crate::accounts::Accounts;
use crate::authority::Authority;
use crate::enrolment::Enrolment;
use crate::map::CampusMap;
use crate::oidc::Oidc;
use crate::outbound::Outbound;
use crate::photos::Photos;
use crate::retention::Retention;
use crate::token::KnownToken;
use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, Uri, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use caller::Caller;
use doorward_policy::command::Command;
use doorward_policy::zone::format_local;
use doorward_protocol::commit::Position;
use doorward_protocol::id::AgentId;
use doorward_protocol::time::{Day, UnixMs};
use failure::Failure;
use refusals::Refusals;
use shapes::{AffectedAgent, At, Change, When};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::Semaphore;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, Info, OpenApi, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Largest body of a request, in bytes, an import aside: an order is a few hundred.
const BODY_BYTES_MAX: usize = 64 << 10;

/// What the handlers share.
#[derive(Debug)]
pub struct Api {
    pub(crate) authority: Arc<Authority>,
    enrolment: Arc<Enrolment>,
    token: KnownToken,
    pub(crate) accounts: Arc<Accounts>,
    retention: Arc<Retention>,
    quic: SocketAddr,
    oidc: Option<Oidc>,
    /// One import at a time: each holds a whole campus in memory.
    imports: Semaphore,
    /// One comparison at a time, likewise.
    comparisons: Semaphore,
    refusals: Refusals,
    outbound: Arc<Outbound>,
    map: CampusMap,
}

impl Api {
    /// The API of an authority.
    #[must_use]
    pub fn new(
        authority: Arc<Authority>,
        enrolment: Arc<Enrolment>,
        token: KnownToken,
        accounts: Arc<Accounts>,
        retention: Arc<Retention>,
        quic: SocketAddr,
    ) -> Self {
        Self {
            map: CampusMap::at(authority.layout.map()),
            authority,
            enrolment,
            token,
            accounts,
            retention,
            quic,
            oidc: None,
            imports: Semaphore::new(1),
            comparisons: Semaphore::new(1),
            refusals: Refusals::default(),
            outbound: Arc::default(),
        }
    }

    /// The same with an identity provider.
    #[must_use]
    pub fn with_oidc(self, oidc: Option<Oidc>) -> Self {
        Self { oidc, ..self }
    }

    /// Whether one can sign in by an identity provider.
    pub(crate) const fn has_oidc(&self) -> bool {
        self.oidc.is_some()
    }

    /// Where an identity provider may send browsers back, beside loopback.
    pub(crate) fn oidc_redirect(&self) -> Option<&str> {
        self.oidc.as_ref()?.redirect_uri()
    }

    fn photos(&self) -> &Photos {
        self.retention.photos()
    }

    /// The same, and it says how these receivers are.
    #[must_use]
    pub fn with_outbound(self, outbound: Arc<Outbound>) -> Self {
        Self { outbound, ..self }
    }

    pub(crate) fn when(&self, at: UnixMs) -> When {
        When { text: format_local(at, &self.authority.zone()), ms: at.0 }
    }

    /// Today on this campus; `None` where the year has no date.
    pub(crate) fn today(&self) -> Option<Day> {
        self.authority.zone().local(self.authority.timeline.now()).map(|local| local.day)
    }

    /// Gives a command, waits until the directory has it, and tells whom it concerns.
    async fn change(&self, caller: &Caller, command: Command) -> Result<Change, Failure> {
        let name = command.name().to_owned();
        let accepted = self.authority.execute_for(caller.asker.clone(), caller.actor.clone(), command).await?;
        self.authority.taken_at(accepted.seq).await;
        let closing = self.authority.closings.closing(accepted.seq)?;
        let agents = closing.map(|closing| closing.agents).unwrap_or_default();
        let agents = agents.into_iter().map(|(id, agent)| {
            let doors = agent.doors.into_iter().map(|(door, _)| door.to_string()).collect();
            self.affected(&id, doors)
        });
        let (seq, at) = (accepted.seq, self.when(accepted.at));
        Ok(Change { seq, at, command: name, grant: None, request: None, agents: agents.collect() })
    }

    fn affected(&self, agent: &AgentId, doors: Vec<String>) -> AffectedAgent {
        AffectedAgent { agent: agent.to_string(), doors, connected: self.authority.hub.is_connected(agent) }
    }
}

/// Runs what takes long where it may.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

const fn at(position: Position) -> At {
    At { epoch: position.epoch, seq: position.seq }
}

/// The routes and their description.
pub fn router(api: Arc<Api>) -> Router {
    let (router, mut description) = described().split_for_parts();
    let (open, open_description) = open().split_for_parts();
    description.merge(open_description);
    let description = Bytes::from(description.to_json().unwrap_or_default());
    let describe = move || {
        let json = [(header::CONTENT_TYPE, "application/json")];
        std::future::ready((json, description.clone()))
    };
    router
        .route("/v1/openapi.json", get(describe))
        .route("/v1", any(no_such_route))
        .route("/v1/{*rest}", any(no_such_route))
        .route("/scim/{*rest}", any(no_such_route))
        .method_not_allowed_fallback(|uri: Uri| {
            let error = "this route does not take that method; see /v1/openapi.json";
            std::future::ready(no_route(&uri, StatusCode::METHOD_NOT_ALLOWED, error))
        })
        .layer(middleware::from_fn_with_state(Arc::clone(&api), caller::recognise))
        .merge(open)
        .with_state(api)
}

/// What is answered where there is nothing, in the form of what is next to it.
fn no_route(uri: &Uri, status: StatusCode, error: &str) -> Response {
    if uri.path().starts_with(scim::BASE) {
        let more = "units come with the campus folder, and people are taken back by DELETE of their own address";
        scim::ScimFailure::new(status, format!("{error}; {more}")).into_response()
    } else {
        Failure::new(status, error).into_response()
    }
}

/// What is asked below `/v1` or `/scim` and is not there; all else is the console's to answer.
async fn no_such_route(uri: Uri) -> Response {
    no_route(&uri, StatusCode::NOT_FOUND, "there is no such route")
}

fn described() -> OpenApiRouter<Arc<Api>> {
    let small = OpenApiRouter::with_openapi(base())
        .routes(routes!(status::status))
        .routes(routes!(agents::list, agents::invite))
        .routes(routes!(agents::remove))
        .routes(routes!(cards::issue))
        .routes(routes!(cards::extend))
        .routes(routes!(cards::show))
        .routes(routes!(cards::suspend))
        .routes(routes!(cards::resume))
        .routes(routes!(cards::activate))
        .routes(routes!(cards::close))
        .routes(routes!(doors::lock_down))
        .routes(routes!(doors::release))
        .routes(routes!(grants::list, grants::add))
        .routes(routes!(grants::effect))
        .routes(routes!(grants::effect_of))
        .routes(routes!(grants::confirm))
        .routes(routes!(grants::end))
        .routes(routes!(requests::list, requests::ask))
        .routes(routes!(requests::show))
        .routes(routes!(requests::approve))
        .routes(routes!(requests::reject))
        .routes(routes!(requests::withdraw))
        .routes(routes!(changes::progress))
        .routes(routes!(changes::evidence))
        .routes(routes!(questions::who))
        .routes(routes!(questions::where_card))
        .routes(routes!(questions::why))
        .routes(routes!(journal::list))
        .routes(routes!(log::list))
        .routes(routes!(counts::taps))
        .routes(routes!(counts::removals))
        .routes(routes!(compare::compare))
        .routes(routes!(looks::list))
        .routes(routes!(alarms::list))
        .routes(routes!(alarms::acknowledge))
        .routes(routes!(operators::me))
        .routes(routes!(operators::list))
        .routes(routes!(operators::put, operators::remove))
        .routes(routes!(sessions::invite))
        .routes(routes!(sessions::sign_out))
        .routes(routes!(sessions::change_password))
        .routes(routes!(operators::add_token))
        .routes(routes!(operators::remove_token))
        .merge(of_people())
        .routes(routes!(map::show))
        .routes(routes!(map::place, map::unplace))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX));
    let import =
        OpenApiRouter::new().routes(routes!(import::import)).layer(DefaultBodyLimit::max(import::BODY_BYTES_MAX));
    let photos = OpenApiRouter::new()
        .routes(routes!(photos::image, photos::submit))
        .routes(routes!(me::image, me::photo))
        .routes(routes!(map::plan, map::bring_plan, map::remove_plan))
        .layer(DefaultBodyLimit::max(photos::UPLOAD_BYTES_MAX));
    let many = OpenApiRouter::new()
        .routes(routes!(production::enter))
        .routes(routes!(production::strike))
        .routes(routes!(production::deliver))
        .layer(DefaultBodyLimit::max(production::BODY_BYTES_MAX));
    small
        .merge(card_office().layer(DefaultBodyLimit::max(BODY_BYTES_MAX)))
        .merge(import)
        .merge(photos)
        .merge(many)
        .merge(scim_routes())
}

/// How cards come about.
fn card_office() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(applications::list, applications::apply))
        .routes(routes!(applications::approve))
        .routes(routes!(applications::reject))
        .routes(routes!(applications::found))
        .routes(routes!(applications::found_cards))
        .routes(routes!(applications::reissues))
        .routes(routes!(production::campaigns))
        .routes(routes!(production::confirm))
        .routes(routes!(production::accept))
        .routes(routes!(production::give_back))
        .routes(routes!(production::batches, production::order))
        .routes(routes!(production::batch))
        .routes(routes!(production::packed))
}

/// People: what is known of them, what they see themselves, and their photos and rosters.
fn of_people() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(people::find))
        .routes(routes!(people::show))
        .routes(routes!(personal::export))
        .routes(routes!(personal::erase))
        .routes(routes!(photos::list))
        .routes(routes!(photos::approve))
        .routes(routes!(photos::reject))
        .routes(routes!(photos::reopen))
        .routes(routes!(photos::remove))
        .routes(routes!(retention::show))
        .routes(routes!(me::page))
        .routes(routes!(me::lost))
        .routes(routes!(me::found))
        .routes(routes!(reports::progress))
        .routes(routes!(sessions::invite_holder))
}

fn scim_routes() -> OpenApiRouter<Arc<Api>> {
    use scim::{discovery, groups, users};
    OpenApiRouter::new()
        .routes(routes!(discovery::config))
        .routes(routes!(discovery::resource_types))
        .routes(routes!(discovery::show_resource_type))
        .routes(routes!(discovery::schemas))
        .routes(routes!(discovery::show_schema))
        .routes(routes!(discovery::search))
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::show, users::replace, users::modify, users::remove))
        .routes(routes!(groups::list))
        .routes(routes!(groups::show, groups::replace, groups::modify))
        .layer(DefaultBodyLimit::max(scim::BODY_BYTES_MAX))
}

/// What is served to whoever has no token yet.
fn open() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(sessions::set_up))
        .routes(routes!(sessions::sign_in))
        .routes(routes!(oidc::begin, oidc::finish))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

fn base() -> OpenApi {
    let mut components = Components::new();
    components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    OpenApiBuilder::new()
        .info(Info::new("Doorward", env!("CARGO_PKG_VERSION")))
        .components(Some(components))
        .security(Some([SecurityRequirement::new("token", Vec::<String>::new())]))
        .build()
}

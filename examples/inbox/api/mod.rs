//! What the pages ask for, in JSON. The hub's own types are its words: nothing is translated twice.

mod conversations;
mod customers;
mod media;
mod messages;
mod reply;

use axum::Json;
use axum::Router;
use axum::extract::multipart::MultipartError;
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use omni::core::TeamId;
use omni::core::conversation::Actor;
use omni::core::error::ErrorKind;
use omni::core::policy::book::Team;
use omni::hub::HubError;
use omni::hub::store::Refused;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::desk::Desk;
use crate::{live, pages};

/// Most bytes of one answer with its files.
const UPLOAD_LIMIT: usize = 64 << 20;

/// Everything the desk serves.
pub(crate) fn router(desk: Desk) -> Router {
    let guarded = Router::new()
        .route("/", get(pages::desk))
        .route("/customer", get(pages::customer))
        .route("/demo", get(pages::demo))
        .route("/static/{name}", get(pages::asset))
        .route("/api/desk", get(about))
        .route("/api/live", get(live::stream))
        .route("/api/conversations", get(conversations::list))
        .route("/api/conversations/{id}", get(conversations::one))
        .route("/api/conversations/{id}/messages", get(conversations::older))
        .route("/api/conversations/{id}/act", post(conversations::act))
        .route("/api/conversations/{id}/seen", post(conversations::seen))
        .route("/api/conversations/{id}/typing", post(conversations::typing))
        .route("/api/conversations/{id}/plan", post(reply::plan))
        .route("/api/conversations/{id}/reply", post(reply::reply))
        .route("/api/messages/{id}/settle", post(messages::settle))
        .route("/api/messages/{id}/edit", post(messages::edit))
        .route("/api/messages/{id}/delete", post(messages::delete))
        .route("/api/messages/{id}/react", post(messages::react))
        .route("/api/media/{message}/{index}", get(media::media))
        .route("/api/simulators", get(customers::simulators))
        .route("/api/simulators/{provider}/customers", post(customers::enter))
        .route("/api/simulators/{provider}/customers/{id}", get(customers::chat).post(customers::act))
        .route("/api/simulators/{provider}/customers/{id}/file", post(customers::send_file))
        .route("/api/simulators/{provider}/customers/{id}/media/{line}", get(customers::media))
        .fallback(async || Failure::not_found("page"))
        .layer(DefaultBodyLimit::max(UPLOAD_LIMIT))
        .layer(middleware::from_fn_with_state(desk.clone(), pages::guard));
    // Providers come from outside and prove themselves by their own signatures and secrets: no guard.
    Router::new()
        .nest("/webhook", omni::hub::axum::router(desk.hub().clone()))
        .nest("/files", omni::hub::axum::media_router(desk.hub().clone()))
        .merge(guarded.with_state(desk))
}

/// `GET /api/desk`: agents, channels with what they can do and how they are, and whether there are simulators.
async fn about(State(desk): State<Desk>) -> Json<Value> {
    let hub = desk.hub();
    let health = hub.health();
    let channels: Vec<Value> = desk
        .channels()
        .into_iter()
        .map(|shown| {
            let capabilities = hub.channel(&shown.key).map(|channel| channel.capabilities().clone());
            let health = health.iter().find(|h| h.channel == shown.key).map(|h| &h.health);
            let book = hub.book(&shown.key.tenant).unwrap_or_default();
            let name = |id: &TeamId, team: &Team| team.name.clone().unwrap_or_else(|| id.to_string());
            let teams = book.teams.iter().map(|(id, team)| json!({ "id": id, "name": name(id, team) }));
            let teams: Vec<Value> = teams.collect();
            json!({
                "teams": teams, "tenant": shown.key.tenant, "channel": shown.key.channel, "provider": shown.provider,
                "title": shown.title, "handle": shown.handle, "remarks": shown.remarks,
                "capabilities": capabilities, "health": health,
            })
        })
        .collect();
    Json(json!({ "agents": desk.agents(), "channels": channels, "simulated": !desk.simulators().is_empty() }))
}

/// The agent who asks.
///
/// This demo believes the page. A real desk has a login: replace the header by the session, and nothing else
/// changes.
pub(crate) struct Signed {
    id: String,
    name: String,
}

impl Signed {
    /// The agent as the hub knows them.
    pub(crate) fn actor(&self) -> Actor {
        Actor::Agent { agent: self.id.as_str().into() }
    }

    /// The name that customers may read.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl FromRequestParts<Desk> for Signed {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Failure> {
        let id = parts.headers.get("x-agent").and_then(|id| id.to_str().ok()).unwrap_or_default();
        match desk.agent_name(id) {
            Some(name) => Ok(Self { id: id.to_owned(), name: name.to_owned() }),
            None => Err(Failure::new(StatusCode::FORBIDDEN, "say which agent you are")),
        }
    }
}

/// What a path names; what cannot be a name fails as everything else does.
pub(crate) struct Named<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Named<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Path(named) = Path::from_request_parts(parts, state)
            .await
            .map_err(|e| Failure::new(e.status(), e.body_text()))?;
        Ok(Self(named))
    }
}

/// What a query string asks for.
pub(crate) struct Asked<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Query(asked) = Query::from_request_parts(parts, state)
            .await
            .map_err(|e| Failure::new(e.status(), e.body_text()))?;
        Ok(Self(asked))
    }
}

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let Json(body) =
            Json::from_request(request, state).await.map_err(|e| Failure::new(e.status(), e.body_text()))?;
        Ok(Self(body))
    }
}

/// What went wrong, for the page: `{"error": "..."}`.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    text: String,
}

impl Failure {
    /// A failure with the words to show.
    pub(crate) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }

    /// There is no such thing.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is no such {what}"))
    }

    /// The request makes no sense.
    pub(crate) fn bad(why: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, why)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": self.text }))).into_response()
    }
}

impl From<HubError> for Failure {
    fn from(error: HubError) -> Self {
        let status = match &error {
            HubError::NoChannel(_) | HubError::Refused(Refused::NoConversation | Refused::NoMessage) => {
                StatusCode::NOT_FOUND
            }
            HubError::Refused(_) => StatusCode::CONFLICT,
            HubError::Channel(e) => match e.kind() {
                ErrorKind::NotFound => StatusCode::NOT_FOUND,
                ErrorKind::Unsupported | ErrorKind::State => StatusCode::CONFLICT,
                _ => StatusCode::BAD_GATEWAY,
            },
            _ => {
                tracing::error!(%error, "the hub failed");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Self::new(status, error.to_string())
    }
}

impl From<MultipartError> for Failure {
    fn from(error: MultipartError) -> Self {
        Self::new(error.status(), error.body_text())
    }
}

//! A webhook route for axum hosts.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use omni_core::id::TenantId;
use omni_core::webhook::{Answer, WebhookRequest};

use crate::hub::Hub;
use crate::store::ChannelKey;

/// Routes `/{tenant}/{channel}`, and whatever follows it, to [`Hub::webhook`]. Nest it where you like.
pub fn router(hub: Hub) -> Router {
    Router::new()
        .route("/{tenant}/{channel}", any(by_path))
        .route("/{tenant}/{channel}/{*rest}", any(by_path_and_more))
        .with_state(hub)
}

/// Routes everything under it to one channel of the hub: for a host with one account.
pub fn channel_router(hub: Hub, key: ChannelKey) -> Router {
    Router::new().fallback(any(move |request| {
        let (hub, key) = (hub.clone(), key.clone());
        async move { take(&hub, &key, request).await }
    }))
}

async fn by_path(
    State(hub): State<Hub>,
    Path((tenant, channel)): Path<(String, String)>,
    request: Request<Body>,
) -> Response {
    take(&hub, &ChannelKey::new(TenantId::from(tenant), channel), request).await
}

async fn by_path_and_more(
    State(hub): State<Hub>,
    Path((tenant, channel, _)): Path<(String, String, String)>,
    request: Request<Body>,
) -> Response {
    take(&hub, &ChannelKey::new(TenantId::from(tenant), channel), request).await
}

/// Hands one request of any axum handler to the hub.
pub async fn take(hub: &Hub, key: &ChannelKey, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, hub.body_limit()).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let request = WebhookRequest {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(str::to_owned),
        headers: head.headers,
        body,
        received_at: hub.now(),
    };
    let Answer { status, headers, body } = hub.webhook(key, request).await;
    (status, headers, body).into_response()
}

//! A webhook route for axum hosts.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{Method, Request, StatusCode, Uri};
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

/// Serves files of the store at the addresses that [`Published`](crate::Published) makes. Nest it at its base.
///
/// A file is served as what its name says and is never to be run: browsers are told to download it.
pub fn media_router(hub: Hub) -> Router {
    Router::new().fallback(any(move |method: Method, uri: Uri| {
        let hub = hub.clone();
        async move { publish(&hub, &method, uri.path()).await }
    }))
}

async fn publish(hub: &Hub, method: &Method, path: &str) -> Response {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    match hub.published(path).await {
        Ok(Some(bytes)) => {
            let headers = [
                (CONTENT_TYPE, type_by_name(path)),
                (CONTENT_DISPOSITION, "attachment"),
                (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ];
            (headers, bytes).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// What providers ask for; everything else is bytes.
fn type_by_name(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, end)| end) {
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("png") => "image/png",
        Some("gif") => "image/gif",
        Some("webp") => "image/webp",
        Some("mp4") => "video/mp4",
        Some("mp3") => "audio/mpeg",
        Some("ogg") => "audio/ogg",
        Some("pdf") => "application/pdf",
        _ => "application/octet-stream",
    }
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

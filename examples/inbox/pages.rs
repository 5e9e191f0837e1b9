//! The pages: plain files, compiled in. No build step, nothing from elsewhere.

use axum::extract::{Path, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::api::Failure;
use crate::desk::Desk;

/// Only our own files run, and nobody else may show us in a frame. Pictures a person is about to send are
/// shown from `blob:`.
const POLICY: &str = "default-src 'self'; img-src 'self' blob:; media-src 'self' blob:; object-src 'none'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'self'";

/// The same for the desk, which shows the HTML of mails in frames. Such a frame obeys this policy and a narrower one of
/// its own: pictures within the mail (`data:`), and remote ones (`https:`) once a person asked for them. So both have to
/// be allowed here, and nothing else: the frame's styles are one of our files. The desk itself makes no picture of an
/// address that comes from outside.
const DESK_POLICY: &str = "default-src 'self'; img-src 'self' blob: data: https:; media-src 'self' blob:; \
                           object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'";

/// Every file of the pages: name, type, content.
const FILES: &[(&str, &str, &str)] = &[
    ("desk.html", "text/html; charset=utf-8", include_str!("web/desk.html")),
    ("customer.html", "text/html; charset=utf-8", include_str!("web/customer.html")),
    ("demo.html", "text/html; charset=utf-8", include_str!("web/demo.html")),
    ("base.css", "text/css", include_str!("web/base.css")),
    ("bubbles.css", "text/css", include_str!("web/bubbles.css")),
    ("mail.css", "text/css", include_str!("web/mail.css")),
    ("desk.css", "text/css", include_str!("web/desk.css")),
    ("customer.css", "text/css", include_str!("web/customer.css")),
    ("demo.css", "text/css", include_str!("web/demo.css")),
    ("dom.js", "text/javascript", include_str!("web/dom.js")),
    ("live.js", "text/javascript", include_str!("web/live.js")),
    ("bubbles.js", "text/javascript", include_str!("web/bubbles.js")),
    ("desk.js", "text/javascript", include_str!("web/desk.js")),
    ("list.js", "text/javascript", include_str!("web/list.js")),
    ("thread.js", "text/javascript", include_str!("web/thread.js")),
    ("mail.js", "text/javascript", include_str!("web/mail.js")),
    ("composer.js", "text/javascript", include_str!("web/composer.js")),
    ("card.js", "text/javascript", include_str!("web/card.js")),
    ("why.js", "text/javascript", include_str!("web/why.js")),
    ("customer.js", "text/javascript", include_str!("web/customer.js")),
    ("icon.svg", "image/svg+xml", include_str!("web/icon.svg")),
];

/// `GET /`: the desk.
pub(crate) async fn desk() -> Response {
    let policy = HeaderValue::from_static(DESK_POLICY);
    ([(CONTENT_SECURITY_POLICY, policy)], file("desk.html")).into_response()
}

/// `GET /customer`: the other side, in the simulators.
pub(crate) async fn customer() -> Response {
    file("customer.html")
}

/// `GET /demo`: both sides beside each other.
pub(crate) async fn demo() -> Response {
    file("demo.html")
}

/// `GET /static/{name}`.
pub(crate) async fn asset(Path(name): Path<String>) -> Response {
    file(&name)
}

fn file(name: &str) -> Response {
    match FILES.iter().find(|(known, ..)| *known == name) {
        Some((_, kind, content)) => {
            ([(CONTENT_TYPE, *kind), (CACHE_CONTROL, "no-cache")], *content).into_response()
        }
        None => Failure::not_found("page").into_response(),
    }
}

/// Guards pages and API.
///
/// - *Host*: while the desk listens on the loopback it answers to local names only. So a tunnel that brings
///   webhooks in does not show the desk to the world, and no foreign page can reach it by a name of its own.
/// - *Site*: what changes anything comes from our own pages, since there is no login whose token would prove it.
/// - *Policy*: every answer forbids scripts, frames and types that are not ours.
pub(crate) async fn guard(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    if desk.at().ip().is_loopback() && !is_local(request.headers().get(HOST)) {
        return Failure::new(StatusCode::FORBIDDEN, "this desk answers on this machine only").into_response();
    }
    let site = request.headers().get("sec-fetch-site").and_then(|site| site.to_str().ok());
    if request.method() != Method::GET && !matches!(site, None | Some("same-origin" | "none")) {
        return Failure::new(StatusCode::FORBIDDEN, "another site may not do this").into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    headers.insert("referrer-policy", HeaderValue::from_static("no-referrer"));
    response
}

fn is_local(host: Option<&HeaderValue>) -> bool {
    let Some(host) = host.and_then(|h| h.to_str().ok()) else { return false };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

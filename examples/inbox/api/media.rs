//! Files of messages, streamed. What comes from outside never runs in our page.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use omni::core::MessageId;
use omni::core::media::{MediaKind, MediaStream};

use super::{Failure, Named};
use crate::desk::Desk;

/// Most bytes of one file.
pub(super) const CAP: u64 = 512 << 20;

/// `GET /api/media/{message}/{index}`: the bytes, wherever they are.
pub(super) async fn media(
    State(desk): State<Desk>,
    Named((message, index)): Named<(MessageId, usize)>,
) -> Result<Response, Failure> {
    let record = desk.hub().message(message).await?.ok_or_else(|| Failure::not_found("message"))?;
    let file = record.content.all_media().nth(index).ok_or_else(|| Failure::not_found("file"))?;
    let stream = desk.hub().media(message, index, CAP).await?;
    Ok(answer(stream, file.mime.as_deref(), Some(file.kind), file.name.as_deref()))
}

/// A stream with headers under which a browser shows it, or keeps it for saving, but never runs it.
pub(super) fn answer(
    stream: MediaStream,
    claimed: Option<&str>,
    kind: Option<MediaKind>,
    name: Option<&str>,
) -> Response {
    let shown =
        [claimed, stream.mime.as_deref(), kind.and_then(usual_type)].into_iter().flatten().find_map(harmless);
    let place = if shown.is_some() { "inline" } else { "attachment" };
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, value(&shown.unwrap_or_else(|| "application/octet-stream".to_owned())));
    headers.insert(
        CONTENT_DISPOSITION,
        value(&format!("{place}; filename*=UTF-8''{}", encoded(name.unwrap_or("file")))),
    );
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600"));
    if let Some(size) = stream.size {
        headers.insert(CONTENT_LENGTH, size.into());
    }
    (headers, Body::from_stream(stream.bytes)).into_response()
}

/// A claimed type, when it is one that only ever shows or plays.
fn harmless(claimed: &str) -> Option<String> {
    let kind = claimed.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let harmless = match kind.split_once('/')? {
        ("image", form) => matches!(form, "jpeg" | "png" | "gif" | "webp" | "avif" | "bmp"),
        ("audio" | "video", form) => form.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b)),
        _ => false,
    };
    harmless.then_some(kind)
}

/// What a kind usually is, when nobody claims a type: browsers look into pictures themselves.
fn usual_type(kind: MediaKind) -> Option<&'static str> {
    match kind {
        MediaKind::Image => Some("image/jpeg"),
        MediaKind::Sticker => Some("image/webp"),
        MediaKind::Video | MediaKind::Animation | MediaKind::VideoNote => Some("video/mp4"),
        MediaKind::Voice => Some("audio/ogg"),
        MediaKind::Audio => Some("audio/mpeg"),
        _ => None,
    }
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream"))
}

/// A file name as RFC 8187 writes it.
fn encoded(name: &str) -> String {
    name.bytes()
        .map(|b| match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' => char::from(b).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

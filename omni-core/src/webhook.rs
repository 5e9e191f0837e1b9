//! Webhooks as standard request in, standard answer out, on any server.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use crate::crypto;
use crate::event::Event;
use crate::secret::Secret;
use crate::time::Timestamp;

/// A webhook request as it came: the body unparsed, because every signature is over the raw bytes.
///
/// Its `Debug` tells method and size only: path, query and headers may hold a secret, the body is a customer's.
#[derive(Clone)]
pub struct WebhookRequest {
    /// The method.
    pub method: Method,
    /// The path, still percent-encoded.
    pub path: String,
    /// Everything behind the `?`, still encoded. Not shown by the hub's traces: it may hold a secret.
    pub query: Option<String>,
    /// The headers.
    pub headers: HeaderMap,
    /// The raw body.
    pub body: Bytes,
    /// When it was received.
    pub received_at: Timestamp,
}

impl WebhookRequest {
    /// A POST of `body`.
    pub fn post(path: impl Into<String>, body: impl Into<Bytes>, received_at: Timestamp) -> Self {
        Self {
            method: Method::POST,
            path: path.into(),
            query: None,
            headers: HeaderMap::new(),
            body: body.into(),
            received_at,
        }
    }

    /// A header as text; `None` when it is absent or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A query parameter, decoded.
    pub fn query_param(&self, name: &str) -> Option<String> {
        let query = self.query.as_deref()?;
        form_urlencoded::parse(query.as_bytes()).find(|(n, _)| n == name).map(|(_, v)| v.into_owned())
    }
}

impl fmt::Debug for WebhookRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookRequest")
            .field("method", &self.method)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// A request whose authenticity was checked. Only this can be parsed, so parsing without checking does not
/// compile.
#[derive(Clone, Copy, Debug)]
pub struct Verified<'a> {
    request: &'a WebhookRequest,
}

impl<'a> Verified<'a> {
    /// Checks a secret sent along (header, query, body field, path), in constant time.
    ///
    /// # Errors
    /// [`Rejected`] with 401 when it is absent or not equal.
    pub fn by_secret(
        request: &'a WebhookRequest,
        given: Option<&[u8]>,
        expected: &Secret,
    ) -> Result<Self, Rejected> {
        let given = given.ok_or_else(|| Rejected::new(RejectReason::MissingSecret))?;
        if !expected.is_empty() && crypto::constant_time_eq(given, expected.expose().as_bytes()) {
            Ok(Self { request })
        } else {
            Err(Rejected::new(RejectReason::WrongSecret))
        }
    }

    /// Checks an HMAC-SHA-256 of the raw body, in constant time.
    ///
    /// # Errors
    /// [`Rejected`] with 401 when it is absent or wrong.
    pub fn by_hmac_sha256(
        request: &'a WebhookRequest,
        signature: Option<&[u8]>,
        key: &Secret,
    ) -> Result<Self, Rejected> {
        let signature = signature.ok_or_else(|| Rejected::new(RejectReason::MissingSecret))?;
        if crypto::verify_hmac_sha256(key.expose().as_bytes(), &request.body, signature) {
            Ok(Self { request })
        } else {
            Err(Rejected::new(RejectReason::WrongSecret))
        }
    }

    /// Takes the request as genuine without any check: for replays of stored payloads and for tools. Never on
    /// a request from the network.
    pub fn trusted(request: &'a WebhookRequest) -> Self {
        Self { request }
    }

    /// The request.
    pub fn request(&self) -> &'a WebhookRequest {
        self.request
    }

    /// The raw body.
    pub fn body(&self) -> &'a [u8] {
        &self.request.body
    }
}

/// What a webhook yields: the exact answer to give once the events are durable, and the events.
#[derive(Clone, Debug)]
pub struct Received {
    /// What to answer.
    pub answer: Answer,
    /// What happened, each labelled with its account where the body names one.
    pub events: Vec<Event>,
}

impl Received {
    /// An empty 200 with these events.
    pub fn ok(events: Vec<Event>) -> Self {
        Self { answer: Answer::ok(), events }
    }
}

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Answer {
    /// An empty 200.
    pub fn ok() -> Self {
        Self::status(StatusCode::OK)
    }

    /// An empty answer.
    pub fn status(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// A 200 of `text/plain`.
    pub fn text(body: impl Into<Bytes>) -> Self {
        let mut answer = Self::ok();
        answer.headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("text/plain"));
        answer.body = body.into();
        answer
    }
}

/// A webhook that leaves no trace: not genuine, or not readable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("webhook rejected: {reason}{}", detail.as_deref().map(|d| format!(" ({d})")).unwrap_or_default())]
pub struct Rejected {
    /// Why.
    pub reason: RejectReason,
    /// Where in the body or which setting, without quoting it.
    pub detail: Option<String>,
}

impl Rejected {
    /// Rejects for a reason.
    pub fn new(reason: RejectReason) -> Self {
        Self { reason, detail: None }
    }

    /// Rejects a body that cannot be read.
    pub fn malformed(error: &serde_json::Error) -> Self {
        let detail = format!("line {} column {}", error.line(), error.column());
        Self { reason: RejectReason::Malformed, detail: Some(detail) }
    }

    /// The status to answer with.
    pub fn status(&self) -> StatusCode {
        match self.reason {
            RejectReason::MissingSecret | RejectReason::WrongSecret | RejectReason::Stale => {
                StatusCode::UNAUTHORIZED
            }
            RejectReason::UnknownAccount => StatusCode::NOT_FOUND,
            RejectReason::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            RejectReason::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            RejectReason::Malformed => StatusCode::BAD_REQUEST,
            RejectReason::NoWebhook => StatusCode::NOT_FOUND,
        }
    }

    /// The answer to give: the status, and no word of why.
    pub fn answer(&self) -> Answer {
        Answer::status(self.status())
    }
}

/// Why a webhook was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RejectReason {
    /// No secret or signature came along.
    #[error("missing_secret")]
    MissingSecret,
    /// The secret or signature is wrong.
    #[error("wrong_secret")]
    WrongSecret,
    /// Signed too long ago: a replay.
    #[error("stale")]
    Stale,
    /// For an account that is not ours.
    #[error("unknown_account")]
    UnknownAccount,
    /// Another method than the provider uses.
    #[error("wrong_method")]
    WrongMethod,
    /// The body is above the cap.
    #[error("too_large")]
    TooLarge,
    /// The body cannot be read.
    #[error("malformed")]
    Malformed,
    /// The channel takes no webhooks.
    #[error("no_webhook")]
    NoWebhook,
}

/// Where a provider shall send its webhooks: an absolute `https` address (or `http` to a server of one's own).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookUrl(Url);

impl WebhookUrl {
    /// Checks an address.
    ///
    /// # Errors
    /// A text saying what is wrong with it.
    pub fn new(url: Url) -> Result<Self, String> {
        match url.scheme() {
            "https" | "http" if url.has_host() && url.fragment().is_none() => Ok(Self(url)),
            "https" | "http" => Err(format!("the webhook address {url} has no host or has a #fragment")),
            other => Err(format!("the webhook address must begin with https://, not {other}://")),
        }
    }

    /// The address.
    pub fn as_url(&self) -> &Url {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> WebhookRequest {
        WebhookRequest::post("/", "тело", Timestamp::default())
    }

    #[test]
    fn a_secret_must_be_there_and_be_whole() {
        let (request, expected) = (request(), Secret::new("s3cret"));
        assert!(Verified::by_secret(&request, Some(b"s3cret"), &expected).is_ok());
        for wrong in [&b"s3cre"[..], b"s3cret ", b""] {
            assert_eq!(Verified::by_secret(&request, Some(wrong), &expected).unwrap_err().status(), 401);
        }
        assert_eq!(Verified::by_secret(&request, None, &expected).unwrap_err().status(), 401);
    }

    #[test]
    fn an_empty_expected_secret_lets_nobody_in() {
        assert!(Verified::by_secret(&request(), Some(b""), &Secret::new("")).is_err());
    }

    #[test]
    fn debug_shows_neither_body_nor_headers_nor_address() {
        let mut request = WebhookRequest::post("/hook/pa55", "слова", Timestamp::default());
        request.query = Some("key=pa55".to_owned());
        request.headers.insert("x-secret", http::HeaderValue::from_static("pa55"));
        let shown = format!("{request:?} {:?}", Verified::trusted(&request));
        assert!(!shown.contains("pa55") && !shown.contains("слова"), "{shown}");
    }

    #[test]
    fn a_rejection_answers_without_saying_why() {
        assert!(Rejected::new(RejectReason::WrongSecret).answer().body.is_empty());
    }
}

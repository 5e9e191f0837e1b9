//! Webhooks as standard request in, standard answer out, on any server.

use std::fmt;
use std::time::Duration;

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

    /// Checks an HMAC-SHA-256 of the raw body, in constant time. An empty key fits nothing: a channel that was given
    /// none is not one that anybody may speak for.
    ///
    /// # Errors
    /// [`Rejected`] with 401 when it is absent or wrong.
    pub fn by_hmac_sha256(
        request: &'a WebhookRequest,
        signature: Option<&[u8]>,
        key: &Secret,
    ) -> Result<Self, Rejected> {
        let signature = signature.ok_or_else(|| Rejected::new(RejectReason::MissingSecret))?;
        if !key.is_empty() && crypto::verify_hmac_sha256(key.expose().as_bytes(), &request.body, signature) {
            Ok(Self { request })
        } else {
            Err(Rejected::new(RejectReason::WrongSecret))
        }
    }

    /// Checks an HMAC-SHA-256 of `<timestamp>.<raw body>` under one of several keys, in constant time, and that it was
    /// signed within `tolerance` of the receipt, before or after it.
    ///
    /// `timestamp` is in Unix seconds, as it came: its very text is what was signed. Several signatures and keys are
    /// what a change of keys needs: one of them all has to fit. Empty keys fit nothing.
    ///
    /// # Errors
    /// [`Rejected`] with 401 when a part is absent, wrong, or too old or new.
    pub fn by_timed_hmac_sha256(
        request: &'a WebhookRequest,
        timestamp: Option<&str>,
        signatures: &[Vec<u8>],
        keys: &[Secret],
        tolerance: Duration,
    ) -> Result<Self, Rejected> {
        let timestamp = timestamp.ok_or_else(|| Rejected::new(RejectReason::MissingSecret))?;
        if signatures.is_empty() {
            return Err(Rejected::new(RejectReason::MissingSecret));
        }
        let signed = [timestamp.as_bytes(), b".", &request.body].concat();
        let fits = |key: &Secret| {
            let expected = crypto::hmac_sha256(key.expose().as_bytes(), &signed);
            signatures.iter().any(|given| crypto::constant_time_eq(given, &expected))
        };
        if !keys.iter().any(|key| !key.is_empty() && fits(key)) {
            return Err(Rejected::new(RejectReason::WrongSecret));
        }
        // Genuine so far: what is no number was signed so by whoever has the key.
        let stale = || Rejected::new(RejectReason::Stale);
        let at = Timestamp::from_secs(timestamp.parse().map_err(|_| stale())?);
        let (now, second) = (request.received_at, Duration::from_secs(1));
        // A timestamp of whole seconds may be up to one second before the signing.
        if now.since(at) > tolerance + second || at.since(now) > tolerance {
            Err(stale())
        } else {
            Ok(Self { request })
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
    fn an_empty_key_signs_nothing() {
        let (request, refused) = (request(), Some(RejectReason::WrongSecret));
        let checked = |key: &str| {
            let signature = crypto::hmac_sha256(key.as_bytes(), &request.body);
            let checked = Verified::by_hmac_sha256(&request, Some(&signature), &Secret::new(key));
            checked.err().map(|rejected| rejected.reason)
        };
        assert_eq!(checked("s3cret"), None);
        assert_eq!(checked(""), refused);
    }

    const SIGNED_AT: i64 = 1_767_225_600;

    /// Checks a request of `body`, signed under `key` at [`SIGNED_AT`] and received so many milliseconds later.
    fn timed(body: &str, key: &str, later: i64, keys: &[&str]) -> Option<RejectReason> {
        let signature = crypto::hmac_sha256(key.as_bytes(), format!("{SIGNED_AT}.тело").as_bytes());
        let received_at = Timestamp::from_millis(SIGNED_AT * 1000 + later);
        let request = WebhookRequest::post("/", body.to_owned(), received_at);
        let (timestamp, signatures) = (SIGNED_AT.to_string(), [vec![0; 32], signature.to_vec()]);
        let keys: Vec<Secret> = keys.iter().map(|key| Secret::new(*key)).collect();
        let tolerance = Duration::from_secs(300);
        let checked =
            Verified::by_timed_hmac_sha256(&request, Some(&timestamp), &signatures, &keys, tolerance);
        checked.err().map(|rejected| rejected.reason)
    }

    #[test]
    fn while_keys_change_any_signature_under_any_key_will_do() {
        for keys in [&["new"][..], &["old", "new"], &["", "new"]] {
            assert_eq!(timed("тело", "new", 0, keys), None, "{keys:?}");
        }
        assert_eq!(timed("тело", "new", 0, &["old"]), Some(RejectReason::WrongSecret));
        assert_eq!(timed("иное", "new", 0, &["new"]), Some(RejectReason::WrongSecret));
        for keys in [&[][..], &[""]] {
            assert_eq!(
                timed("тело", "", 0, keys),
                Some(RejectReason::WrongSecret),
                "an empty key fits nothing"
            );
        }
    }

    #[test]
    fn what_was_signed_too_long_ago_or_ahead_is_stale() {
        for later in [0, 300_000, 300_999, -300_000] {
            assert_eq!(timed("тело", "key", later, &["key"]), None, "{later}");
        }
        for later in [301_001, 86_400_000, -300_001, -86_400_000] {
            assert_eq!(timed("тело", "key", later, &["key"]), Some(RejectReason::Stale), "{later}");
            assert_eq!(timed("тело", "no", later, &["key"]), Some(RejectReason::WrongSecret), "{later}");
        }
    }

    #[test]
    fn the_time_is_part_of_what_is_signed() {
        let (keys, now) = ([Secret::new("key")], Timestamp::from_secs(SIGNED_AT));
        let request = WebhookRequest::post("/", "тело", now);
        let check = |signed: &str, sent: Option<&str>| {
            let signature = crypto::hmac_sha256(b"key", format!("{signed}.тело").as_bytes()).to_vec();
            let tolerance = Duration::from_secs(300);
            let checked = Verified::by_timed_hmac_sha256(&request, sent, &[signature], &keys, tolerance);
            checked.err().map(|rejected| rejected.reason)
        };
        assert_eq!(check("1767225600", Some("1767225600")), None);
        assert_eq!(check("1767225600", Some("1767225601")), Some(RejectReason::WrongSecret));
        assert_eq!(check("1767225600", None), Some(RejectReason::MissingSecret));
        for odd in ["", "скоро", "1767225600.5", "99999999999999999999"] {
            assert_eq!(check(odd, Some(odd)), Some(RejectReason::Stale), "{odd}");
        }
        let nothing = Verified::by_timed_hmac_sha256(&request, Some("1"), &[], &keys, Duration::MAX);
        assert_eq!(nothing.unwrap_err().reason, RejectReason::MissingSecret);
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

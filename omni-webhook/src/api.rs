//! Requests to the program: one request, one sorted answer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};
use omni_core::error::{ErrorKind, Result};
use omni_core::media::MediaStream;
use omni_core::outbound::SendError;
use omni_core::{Error, MessageId, Timestamp};
use omni_http::{Guard, Http};
use serde::Deserialize;
use url::Url;

use crate::config::Config;
use crate::error::{classify, foreign, proves_not_done};
use crate::verify::{DELIVERY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, sign};
use crate::wire::{Refusal, Request, Str};

static DELIVERY: HeaderName = HeaderName::from_static(DELIVERY_HEADER);
static SIGNATURE: HeaderName = HeaderName::from_static(SIGNATURE_HEADER);
static TIMESTAMP: HeaderName = HeaderName::from_static(TIMESTAMP_HEADER);
/// How long the program may take.
const CALL: Duration = Duration::from_secs(30);
/// Largest answer read: it holds an id or a refusal.
const ANSWER: usize = 64 << 10;

/// A program at its endpoint.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) config: Config,
    pub(crate) http: Http,
}

impl Api {
    /// Makes a request, signed now. `delivery` is by what the program recognises a repetition.
    pub(crate) async fn call(
        &self,
        request: &Request<'_>,
        delivery: Option<MessageId>,
    ) -> Result<Answered, SendError> {
        let operation = request.name();
        let body = serde_json::to_vec(request).map_err(|e| {
            SendError::Rejected(Error::new(ErrorKind::Internal, operation).with_text(e.to_string()))
        })?;
        let unusable =
            || SendError::Rejected(Error::configuration(operation, "there is no key to sign with"));
        let key = self.config.keys.first().ok_or_else(unusable)?;
        let (timestamp, signature) = sign(key, now(), &body);
        let call = self.http.post(operation, self.config.endpoint.clone());
        let mut call = call
            .header(TIMESTAMP.clone(), text(operation, &timestamp)?)
            .header(SIGNATURE.clone(), text(operation, &signature)?)
            .timeout(CALL)
            .cap(ANSWER);
        if let Some(id) = delivery {
            call = call.header(DELIVERY.clone(), text(operation, &id.to_string())?);
        }
        self.sort(operation, call.body(HeaderValue::from_static("application/json"), body).await?)
    }

    /// Opens a file of a customer, only at the endpoint's own place and where the configuration says.
    pub(crate) async fn download(&self, at: Url, cap: u64) -> Result<MediaStream> {
        let guard = Guard::hosts(self.config.media_hosts.clone()).trusting(&self.config.endpoint);
        self.http.download("fetch", at).guard(guard).open(cap).await
    }

    fn sort(&self, operation: &'static str, answer: omni_http::Answer) -> Result<Answered, SendError> {
        if answer.status.is_success() {
            return Ok(Answered { operation, status: answer.status.as_u16(), body: answer.body });
        }
        let status = answer.status.as_u16();
        let retry_after = answer.retry_after();
        // A page is not looked into: only what says that it is JSON is the program's.
        let is_json = answer
            .headers
            .get(CONTENT_TYPE)
            .is_none_or(|kind| kind.to_str().is_ok_and(|kind| kind.to_ascii_lowercase().contains("json")));
        let refusal = serde_json::from_slice::<Refusal<'_>>(&answer.body).ok();
        if let Some(Refusal { mut error }) = refusal.filter(|_| is_json && status >= 400) {
            let said = self.redact(error.text.as_deref().unwrap_or_default());
            error.kind = Str(self.redact(&error.kind).into());
            tracing::debug!(operation, status, "refused");
            return Err(SendError::Rejected(classify(operation, &error, &said, retry_after)));
        }
        let error = foreign(operation, status, retry_after);
        Err(match proves_not_done(status) {
            true => SendError::Rejected(error),
            false => SendError::Unknown(error),
        })
    }

    /// A program that is being looked into may quote what it compared.
    fn redact(&self, text: &str) -> String {
        self.config.keys.iter().fold(text.to_owned(), |text, key| key.redact(&text))
    }
}

/// The one place where the time is asked for: a signature is only good for a while.
fn now() -> Timestamp {
    Timestamp::default() + SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn text(operation: &'static str, value: &str) -> Result<HeaderValue, SendError> {
    HeaderValue::from_str(value)
        .map_err(|e| SendError::Rejected(Error::new(ErrorKind::Internal, operation).with_text(e.to_string())))
}

/// A good answer.
#[derive(Debug)]
pub(crate) struct Answered {
    operation: &'static str,
    status: u16,
    body: Bytes,
}

impl Answered {
    /// Reads what it says; an empty body says nothing. It was carried out all the same when this fails.
    pub(crate) fn read<'a, T: Deserialize<'a> + Default>(&'a self) -> Result<T> {
        let body = self.body.trim_ascii();
        if body.is_empty() {
            return Ok(T::default());
        }
        match body.starts_with(b"{") {
            true => serde_json::from_slice(body).ok(),
            false => None,
        }
        .ok_or_else(|| foreign(self.operation, self.status, None))
    }
}

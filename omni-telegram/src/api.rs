//! Calls of methods: one request, one sorted answer.

use std::time::Duration;

use bytes::Bytes;
use omni_core::error::{ErrorKind, Result};
use omni_core::media::MediaStream;
use omni_core::outbound::SendError;
use omni_core::{Error, Secret};
use omni_http::{Guard, Http, Part, read_json};
use serde::Deserialize;

use crate::config::Config;
use crate::encode::Request;
use crate::error::{Form, classify, pause, proves_not_sent};
use crate::wire::{Answer, Parameters};

/// How long a call without files may take.
const CALL: Duration = Duration::from_secs(30);
/// How long a call with files may take.
const UPLOAD: Duration = Duration::from_secs(300);
/// How much longer than the poll itself we wait for its answer.
const POLL_GRACE: Duration = Duration::from_secs(15);
/// Largest answer read: the server cuts its own at about 4 MiB.
const ANSWER: usize = 16 << 20;

/// A bot at its server.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) config: Config,
    pub(crate) http: Http,
}

impl Api {
    /// Calls a method.
    pub(crate) async fn call(&self, request: Request) -> Result<Answered, Failed> {
        let timeout = if request.files.is_empty() { CALL } else { UPLOAD };
        self.call_within(request, timeout).await
    }

    /// Calls a method that waits at the server for something to happen.
    pub(crate) async fn poll(&self, request: Request) -> Result<Answered, Failed> {
        let wait = self.config.poll_time() + POLL_GRACE;
        self.call_within(request, wait).await
    }

    async fn call_within(&self, request: Request, timeout: Duration) -> Result<Answered, Failed> {
        let operation = request.method;
        let call = self.http.post(operation, self.config.method_url(operation)).timeout(timeout).cap(ANSWER);
        let answer = if request.files.is_empty() {
            call.json(&request.fields).await
        } else {
            call.multipart(parts(request)).await
        };
        self.sort(operation, answer.map_err(Failed::lost)?)
    }

    /// Opens a file for download; the address with the token in it goes nowhere else.
    pub(crate) async fn download(&self, path: &str, cap: u64) -> Result<MediaStream> {
        let guard = Guard::default().trusting(&self.config.base_url);
        self.http.download("getFile", self.config.file_url(path)).guard(guard).open(cap).await
    }

    fn sort(&self, operation: &'static str, answer: omni_http::Answer) -> Result<Answered, Failed> {
        let status = answer.status.as_u16();
        let header = answer.retry_after();
        let Ok(envelope) = serde_json::from_slice::<Answer<'_>>(&answer.body) else {
            return Err(foreign(operation, status, header));
        };
        if let (true, Some(result)) = (envelope.ok, envelope.result) {
            return Ok(Answered { operation, result: answer.body.slice_ref(result.get().as_bytes()) });
        }
        if envelope.ok || envelope.error_code.is_none() && status < 400 {
            return Err(foreign(operation, status, header));
        }
        let code = envelope.error_code.unwrap_or(status);
        let said = self.redact(envelope.description.as_deref().unwrap_or_default());
        let retry_after = envelope.parameters.retry_after.or(header);
        let error = classify(operation, code, &said, Parameters { retry_after, ..envelope.parameters });
        tracing::debug!(operation, code, "refused");
        let certain = proves_not_sent(code, Form::Telegram, &said);
        Err(Failed {
            outcome: if certain { SendError::Rejected(error) } else { SendError::Unknown(error) },
            said: said.to_lowercase(),
            migrate_to: envelope.parameters.migrate_to_chat_id,
        })
    }

    /// Telegram quotes back what it was sent; a proxy may quote the address.
    fn redact(&self, text: &str) -> String {
        let text = self.config.token.redact(text);
        // In an address the colon may be escaped; what stands behind it is the secret.
        let text = match self.config.token.expose().split_once(':') {
            Some((_, half)) => Secret::new(half).redact(&text),
            None => text,
        };
        match &self.config.secret_token {
            Some(secret) => secret.redact(&text),
            None => text,
        }
    }
}

fn parts(request: Request) -> Vec<Part> {
    let fields = request.fields.into_texts().map(|(name, value)| Part::text(name, value));
    let files = request.files.into_iter().map(|file| {
        let part = Part::file(file.part, &file.name, file.bytes);
        match file.mime {
            Some(mime) => part.typed(&mime),
            None => part,
        }
    });
    fields.chain(files).collect()
}

/// An answer that is not Telegram's: a proxy's page, or half of an answer.
fn foreign(operation: &'static str, status: u16, retry_after: Option<u64>) -> Failed {
    let kind = match status {
        413 => ErrorKind::TooLarge,
        429 => ErrorKind::RateLimited,
        500.. => ErrorKind::Unavailable,
        _ => ErrorKind::Protocol,
    };
    let mut error = Error::new(kind, operation)
        .with_code(status)
        .with_text("the answer is not in the form of the Bot API")
        .with_advice("check base_url, and what stands between here and Telegram");
    if kind == ErrorKind::RateLimited {
        error = error.with_retry(pause(retry_after));
    }
    let certain = proves_not_sent(status, Form::Foreign, "");
    Failed::lost(if certain { SendError::Rejected(error) } else { SendError::Unknown(error) })
}

/// A good answer.
#[derive(Debug)]
pub(crate) struct Answered {
    operation: &'static str,
    /// What the method yields, as JSON.
    pub(crate) result: Bytes,
}

impl Answered {
    /// Reads what the method yields. It was carried out all the same when this fails.
    pub(crate) fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        read_json(self.operation, &self.result)
    }
}

/// A call that brought no result.
#[derive(Debug)]
pub(crate) struct Failed {
    /// What it means, and whether it was perhaps carried out.
    pub(crate) outcome: SendError,
    /// What Telegram said, in lower case; empty when it said nothing.
    pub(crate) said: String,
    /// The id of the supergroup that the group became.
    pub(crate) migrate_to: Option<i64>,
}

impl Failed {
    fn lost(outcome: SendError) -> Self {
        Self { outcome, said: String::new(), migrate_to: None }
    }

    /// Whether Telegram refused in these words, which are in lower case.
    pub(crate) fn says(&self, words: &str) -> bool {
        matches!(self.outcome, SendError::Rejected(_)) && self.said.contains(words)
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Error {
        failed.outcome.into_error()
    }
}

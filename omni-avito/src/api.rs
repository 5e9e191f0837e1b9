//! Calls: one request, one sorted answer; a token that ran out is renewed on the way.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderValue};
use omni_core::error::{ErrorKind, Result};
use omni_core::media::MediaStream;
use omni_core::outbound::SendError;
use omni_core::tokens::TokenStore;
use omni_core::{Error, Secret};
use omni_http::{Answer, Guard, Http, Part, TokenKeeper};
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use crate::config::Config;
use crate::encode::{Body, Request};
use crate::error::{Form, classify, proves_not_sent};
use crate::oauth::{self, Renewal};
use crate::wire::Failure;

/// How long a call without files may take.
const CALL: Duration = Duration::from_secs(30);
/// How long an upload may take.
const UPLOAD: Duration = Duration::from_secs(300);
/// Largest answer read: a page of a hundred chats stays far below.
const ANSWER: usize = 8 << 20;
/// How long a 403 is believed after a new token did not help against one: it is a missing right then, and every
/// renewal would use up a refresh token.
const BELIEVED: Duration = Duration::from_secs(60);

/// Hosts that pictures and voice messages come from (*unverified*, from addresses seen in practice: none is
/// documented).
const MEDIA_HOSTS: [&str; 2] = ["*.avito.st", "*.avito.ru"];

/// An account at its server.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) config: Config,
    http: Http,
    tokens: TokenKeeper,
    /// Until when a 403 is believed.
    believed: Mutex<Option<Instant>>,
}

impl Api {
    pub(crate) fn new(config: Config, http: Http, store: Arc<dyn TokenStore>) -> Self {
        let renewal = Renewal::new(&config, http.clone());
        let tokens = TokenKeeper::new(oauth::key(&config), store, renewal);
        Self { config, http, tokens, believed: Mutex::default() }
    }

    /// Makes a call, and once more with a new token when the first one was refused: a refusal proves that nothing
    /// was carried out. A token that ran out is refused with 403, which other refusals are told by as well.
    pub(crate) async fn call(&self, request: &Request) -> Result<Answered, Failed> {
        let token = self.tokens.access().await.map_err(Failed::before)?;
        let failed = match self.once(request, &token).await {
            Err(failed) if self.may_have_run_out(&failed) => failed,
            other => return other,
        };
        let token = self.tokens.instead_of(&token).await.map_err(Failed::before)?;
        tracing::debug!(operation = request.operation, "a token was renewed");
        let again = self.once(request, &token).await;
        if failed.status == Some(403) && matches!(&again, Err(Failed { status: Some(403), .. })) {
            let until = Instant::now() + BELIEVED;
            *self.believed.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
        }
        again
    }

    fn may_have_run_out(&self, failed: &Failed) -> bool {
        match failed.status {
            Some(401) => true,
            Some(403) => {
                let believed = self.believed.lock().unwrap_or_else(PoisonError::into_inner);
                believed.is_none_or(|until| Instant::now() >= until)
            }
            _ => false,
        }
    }

    async fn once(&self, request: &Request, token: &Secret) -> Result<Answered, Failed> {
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.expose())).map_err(|_| {
            Failed::before(
                Error::new(ErrorKind::Protocol, request.operation).with_text("the token has odd signs"),
            )
        })?;
        bearer.set_sensitive(true);
        let timeout = if matches!(request.body, Body::Image(_)) { UPLOAD } else { CALL };
        let url = request.url(&self.config.base_url);
        let call = self.http.call(request.method.clone(), request.operation, url);
        let call = call.timeout(timeout).cap(ANSWER).header(AUTHORIZATION, bearer);
        let answer = match &request.body {
            Body::None => call.send().await,
            Body::Json(json) => call.body(HeaderValue::from_static("application/json"), json.clone()).await,
            Body::Image(file) => {
                let part = Part::file("uploadfile[]", &file.name, file.bytes.clone());
                call.multipart(vec![match &file.mime {
                    Some(mime) => part.typed(mime),
                    None => part,
                }])
                .await
            }
        };
        self.sort(request, token, answer.map_err(Failed::lost)?)
    }

    fn sort(&self, request: &Request, token: &Secret, answer: Answer) -> Result<Answered, Failed> {
        let operation = request.operation;
        let status = answer.status.as_u16();
        if answer.status.is_success() {
            return Ok(Answered { operation, body: answer.body });
        }
        let (form, failure) = match Failure::read(&answer.body) {
            Some(failure) => (Form::Avito, failure),
            None => (Form::Foreign, Failure::default()),
        };
        let said = self.redact(token, &failure.said);
        let mut error = classify(operation, request.call, status, &said, answer.retry_after());
        if form == Form::Foreign && error.text().is_none() {
            error = error.with_text("the answer is not in a form of Avito's");
        }
        if let Some(code) = failure.code.filter(|code| *code != status) {
            error = error.with("code", code);
        }
        tracing::debug!(operation, status, "refused");
        let certain = proves_not_sent(status, form);
        let outcome = if certain { SendError::Rejected(error) } else { SendError::Unknown(error) };
        Err(Failed { outcome, status: Some(status) })
    }

    /// An answer may quote what it was sent.
    fn redact(&self, token: &Secret, text: &str) -> String {
        let Config { client_secret, refresh_token, webhook_secret, .. } = &self.config;
        let secrets = [Some(token), Some(client_secret), refresh_token.as_ref(), webhook_secret.as_ref()];
        secrets.into_iter().flatten().fold(text.to_owned(), |text, secret| secret.redact(&text))
    }

    /// Opens a file for download; the token goes nowhere but to the API itself.
    pub(crate) async fn download(&self, operation: &'static str, url: Url, cap: u64) -> Result<MediaStream> {
        let hosts = MEDIA_HOSTS.into_iter().chain(self.config.media_hosts.iter().map(String::as_str));
        let guard = Guard::hosts(hosts).trusting(&self.config.base_url);
        self.http.download(operation, url).guard(guard).open(cap).await
    }
}

/// A good answer.
#[derive(Debug)]
pub(crate) struct Answered {
    operation: &'static str,
    pub(crate) body: Bytes,
}

impl Answered {
    /// Reads what the call yields. It was carried out all the same when this fails.
    pub(crate) fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        self.read_by(|json| serde_json::from_slice(json))
    }

    /// The same by another reader.
    pub(crate) fn read_by<'a, T>(
        &'a self,
        read: impl FnOnce(&'a [u8]) -> serde_json::Result<T>,
    ) -> Result<T> {
        read(&self.body).map_err(|e| {
            self.unreadable("the answer is not what the call yields")
                .with("line", e.line())
                .with("column", e.column())
        })
    }

    pub(crate) fn unreadable(&self, text: &str) -> Error {
        Error::new(ErrorKind::Protocol, self.operation).with_text(text)
    }
}

/// A call that brought no result.
#[derive(Debug)]
pub(crate) struct Failed {
    /// What it means, and whether it was perhaps carried out.
    pub(crate) outcome: SendError,
    /// The status of the answer, when there was one.
    pub(crate) status: Option<u16>,
}

impl Failed {
    /// Nothing was sent at all.
    fn before(error: Error) -> Self {
        Self { outcome: SendError::Rejected(error), status: None }
    }

    fn lost(outcome: SendError) -> Self {
        Self { outcome, status: None }
    }
}

impl From<Failed> for SendError {
    fn from(failed: Failed) -> SendError {
        failed.outcome
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Error {
        failed.outcome.into_error()
    }
}

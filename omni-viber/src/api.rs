//! Calls of methods: one request, one sorted answer.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use omni_core::Error;
use omni_core::error::Result;
use omni_core::media::MediaStream;
use omni_core::outbound::SendError;
use omni_http::{Guard, Http, read_json};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::config::Config;
use crate::error::{classify, foreign, proves_not_done};
use crate::wire::Envelope;

/// <https://developers.viber.com/docs/api/rest-bot-api/#authentication-token> (read 2026-11)
static TOKEN_HEADER: HeaderName = HeaderName::from_static("x-viber-auth-token");
/// Hosts of Viber's own that files of customers are at. <https://developers.viber.com/docs/api/rest-bot-api/>
/// (read 2026-11) shows `dl-media.viber.com` and `media-direct.cdn.viber.com`.
const MEDIA_HOSTS: &str = "*.viber.com";
/// How long a call may take.
const CALL: Duration = Duration::from_secs(30);
/// Largest answer read. The largest is the list of those who failed in a broadcast, with 300 entries.
const ANSWER: usize = 1 << 20;

/// A bot at its server.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) config: Config,
    pub(crate) http: Http,
}

impl Api {
    /// Calls a method.
    pub(crate) async fn call(
        &self,
        operation: &'static str,
        body: &impl Serialize,
    ) -> Result<Answered, SendError> {
        let mut token = HeaderValue::from_str(self.config.token.expose()).map_err(|_| {
            SendError::Rejected(Error::configuration(operation, "the token cannot be put into a header"))
        })?;
        token.set_sensitive(true);
        let call = self.http.post(operation, self.config.method_url(operation));
        let call = call.header(TOKEN_HEADER.clone(), token).timeout(CALL).cap(ANSWER);
        self.sort(operation, call.json(body).await?)
    }

    /// Opens a file of a customer, only where Viber and the configuration keep such files.
    pub(crate) async fn download(&self, at: Url, cap: u64) -> Result<MediaStream> {
        let stickers = self.config.sticker_pictures.host_str().map(str::to_owned);
        let hosts =
            [MEDIA_HOSTS.to_owned()].into_iter().chain(stickers).chain(self.config.media_hosts.clone());
        let guard = Guard::hosts(hosts).trusting(&self.config.base_url);
        self.http.download("fetch", at).guard(guard).open(cap).await
    }

    /// The size of a file of ours, as its server tells it. It is opened and let go: a question for the
    /// headers alone would go past the guard against private networks.
    pub(crate) async fn size(&self, at: Url, cap: u64) -> Result<Option<u64>> {
        let guard = Guard::hosts(at.host_str().map(str::to_owned)).trusting(&self.config.base_url);
        let opened = self.http.download("size", at).guard(guard).open(cap).await?;
        Ok(opened.size)
    }

    fn sort(&self, operation: &'static str, answer: omni_http::Answer) -> Result<Answered, SendError> {
        let http_status = answer.status.as_u16();
        let Ok(envelope) = serde_json::from_slice::<Envelope<'_>>(&answer.body) else {
            let error = foreign(operation, http_status, answer.retry_after());
            return Err(match proves_not_done(http_status) {
                true => SendError::Rejected(error),
                false => SendError::Unknown(error),
            });
        };
        if envelope.status == 0 {
            return match answer.status.is_success() {
                true => Ok(Answered { operation, body: answer.body }),
                // A good answer under a bad status is nobody's.
                false => Err(SendError::Unknown(foreign(operation, http_status, None))),
            };
        }
        let said = self.redact(envelope.status_message.as_deref().unwrap_or_default());
        tracing::debug!(operation, status = envelope.status, "refused");
        Err(SendError::Rejected(classify(operation, envelope.status, &said)))
    }

    /// Viber may quote back what it was sent.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.config.token.redact(text)
    }
}

/// A good answer.
#[derive(Debug)]
pub(crate) struct Answered {
    operation: &'static str,
    body: Bytes,
}

impl Answered {
    /// Reads what the method yields. It was carried out all the same when this fails.
    pub(crate) fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        read_json(self.operation, &self.body)
    }
}

//! Calls: one request, one sorted answer.

use std::time::Duration;

use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue};
use omni_core::error::{ErrorKind, Result};
use omni_core::media::{MediaRef, MediaStream};
use omni_core::outbound::SendError;
use omni_core::{Error, Secret};
use omni_http::{Guard, Http};

use crate::config::{Config, DEFAULT_MEDIA_HOSTS};
use crate::dialect::parse::link;
use crate::dialect::wire::Outgoing;
use crate::error::{Interface, classify, proves_not_sent};

/// How long a call may take.
const CALL: Duration = Duration::from_secs(30);
/// Largest answer read: a good one is empty.
const ANSWER: usize = 1 << 20;
/// How many characters of an error's body are kept.
const WORDS: usize = 200;

/// An account at Auto.ru.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) config: Config,
    pub(crate) http: Http,
    headers: HeaderMap,
}

impl Api {
    pub(crate) fn new(config: Config, http: Http) -> Result<Self> {
        let headers = config.headers()?;
        Ok(Self { config, http, headers })
    }

    /// Posts a message to a buyer. A good answer is empty: it proves that the message was taken, no more.
    pub(crate) async fn post(&self, operation: &'static str, message: &Outgoing) -> Result<(), SendError> {
        let Some(chat_id) = &self.config.chat_id else {
            let error = Error::configuration(operation, "chat_id is not set, and buyers of webhooks need it");
            return Err(SendError::Rejected(error));
        };
        let call = self.http.post(operation, self.config.post_url(chat_id)).timeout(CALL).cap(ANSWER);
        let call = call.header(ACCEPT, HeaderValue::from_static("application/json"));
        let call =
            self.headers.iter().fold(call, |call, (name, value)| call.header(name.clone(), value.clone()));
        let answer = call.json(message).await?;
        let status = answer.status.as_u16();
        if answer.status.is_success() {
            return Ok(());
        }
        // The words are the customer's business: an answer that quotes them is cut out of the error.
        let ours = Secret::new(message.message.text.as_deref().unwrap_or_default());
        let said = ours.redact(&self.config.redact(&words(&answer.body)));
        let error = classify(Interface::Hook, operation, status, &said, answer.retry_after());
        tracing::debug!(operation, status, "refused");
        Err(certainty(status, error))
    }

    /// Opens a picture for download, from the hosts where Auto.ru keeps them.
    pub(crate) async fn download(&self, media: &MediaRef, cap: u64) -> Result<MediaStream> {
        const OPERATION: &str = "fetch";
        let url = link(&media.id).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, OPERATION).with_text("the reference is not an address of the web")
        })?;
        let known = DEFAULT_MEDIA_HOSTS.into_iter().chain(self.config.media_hosts.iter().map(String::as_str));
        let guard = Guard::hosts(known).trusting(self.origin());
        let opened = self.http.download(OPERATION, url).guard(guard).open(cap).await;
        opened.map_err(|error| match error.kind() {
            ErrorKind::Forbidden => {
                error.with_advice("add the host to media_hosts when it is one of Auto.ru's")
            }
            _ => error,
        })
    }

    /// The server that the settings name: a simulator keeps its pictures there.
    fn origin(&self) -> &url::Url {
        #[cfg(feature = "rest")]
        if let (crate::config::Receive::Polling, Some(rest)) = (self.config.receive, &self.config.rest) {
            return &rest.base_url;
        }
        &self.config.base_url
    }
}

/// Whether an error answer leaves open that the call was carried out.
pub(crate) fn certainty(status: u16, error: Error) -> SendError {
    if proves_not_sent(status) { SendError::Rejected(error) } else { SendError::Unknown(error) }
}

/// What an error answer says in plain words; nothing of a proxy's page.
pub(crate) fn words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.starts_with('<') { String::new() } else { text.chars().take(WORDS).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_a_proxy_is_no_word_of_auto_ru() {
        assert_eq!(words(b"<html><body>502 Bad Gateway</body></html>"), "");
        assert_eq!(words("  нет такого чата\n".as_bytes()), "нет такого чата");
        assert_eq!(words("ё".repeat(900).as_bytes()).chars().count(), WORDS);
        assert_eq!(words(b"\xff\xfe"), "\u{fffd}\u{fffd}");
    }
}

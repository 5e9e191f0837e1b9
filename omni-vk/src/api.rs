//! Calls of methods: one request, one sorted answer.

use std::time::Duration;

use bytes::Bytes;
use omni_core::Error;
use omni_core::error::{ErrorKind, Result};
use omni_core::outbound::SendError;
use omni_http::{Answer as HttpAnswer, Guard, Http, read_json};
use serde::Deserialize;
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};
use tokio::time::{Interval, MissedTickBehavior};
use url::Url;

use crate::batch::Waiting;
use crate::config::Config;
use crate::encode::Request;
use crate::error::{Form, classify, proves_not_sent};
use crate::wire::{Answer, Group, Groups};

/// How long a call may take.
const CALL: Duration = Duration::from_secs(30);
/// Largest answer read.
const ANSWER: usize = 16 << 20;

/// Hosts of files. <https://dev.vk.com/reference/objects/photo> names none; these are where files were seen
/// (*community*). `media_hosts` adds more.
const MEDIA_HOSTS: [&str; 6] = ["vk.com", "*.vk.com", "vk.ru", "*.vk.ru", "*.userapi.com", "*.mycdn.me"];
/// Hosts that VK may name for uploads and polls.
const OWN_HOSTS: [&str; 3] = ["vk.com", "vk.ru", "userapi.com"];

/// A community at VK.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) config: Config,
    pub(crate) http: Http,
    /// VK counts calls by token, of every kind, so all of them take their turn here.
    slots: Mutex<Option<Interval>>,
    /// Messages that wait for a turn.
    pub(crate) waiting: std::sync::Mutex<Vec<Waiting>>,
}

impl Api {
    pub(crate) fn new(config: Config, http: Http) -> Self {
        Self { config, http, slots: Mutex::default(), waiting: std::sync::Mutex::default() }
    }

    /// Waits for a turn; after a pause the first one is there at once. Cancel safe.
    async fn slot(&self) {
        self.turns().await.tick().await;
    }

    /// Waits for a turn with those who wait to be sent, and gives them; nobody, when others took them along meanwhile:
    /// then no turn is spent. Cancel safe.
    pub(crate) async fn turn(&self) -> Vec<Waiting> {
        let mut turns = self.turns().await;
        if self.queue().is_empty() {
            return Vec::new();
        }
        turns.tick().await;
        self.take()
    }

    async fn turns(&self) -> MappedMutexGuard<'_, Interval> {
        let every = Duration::from_secs(1) / self.config.calls_per_second.max(1);
        MutexGuard::map(self.slots.lock().await, |slots| {
            slots.get_or_insert_with(|| {
                // Made at the first call: an interval needs the runtime, which a configuration does not.
                let mut slots = tokio::time::interval(every);
                slots.set_missed_tick_behavior(MissedTickBehavior::Delay);
                slots
            })
        })
    }

    /// Calls a method.
    pub(crate) async fn call(&self, request: Request) -> Result<Answered, SendError> {
        self.slot().await;
        self.post(&request).await
    }

    /// Calls a method in a turn that was taken already.
    pub(crate) async fn post(&self, request: &Request) -> Result<Answered, SendError> {
        let operation = request.method;
        let answer = self.posted(request).await?;
        self.sort(operation, &answer)
    }

    /// The answer as it came.
    pub(crate) async fn posted(&self, request: &Request) -> Result<HttpAnswer, SendError> {
        let Config { token, api_version, lang, .. } = &self.config;
        let common = [("access_token", token.expose()), ("v", api_version.as_str()), ("lang", lang.as_str())];
        let own = request.fields.iter().map(|(name, value)| (&**name, value.as_str()));
        let url = self.config.method_url(request.method);
        self.http.post(request.method, url).timeout(CALL).cap(ANSWER).form(own.chain(common)).await
    }

    fn sort(&self, operation: &'static str, answer: &HttpAnswer) -> Result<Answered, SendError> {
        let Ok(envelope) = serde_json::from_slice::<Answer<'_>>(&answer.body) else {
            return Err(foreign(operation, answer));
        };
        match (envelope.error, envelope.response) {
            (Some(error), _) => {
                let said = error.error_msg.as_deref().unwrap_or_default();
                Err(self.refused(operation, error.error_code, said))
            }
            (None, Some(response)) => {
                Ok(Answered { operation, result: answer.body.slice_ref(response.get().as_bytes()) })
            }
            (None, None) => Err(foreign(operation, answer)),
        }
    }

    /// What a refusal of VK means.
    pub(crate) fn refused(&self, operation: &'static str, code: i64, said: &str) -> SendError {
        let error = classify(operation, code, &self.redact(said));
        tracing::debug!(operation, code, "refused");
        if proves_not_sent(code, Form::Vk) { SendError::Rejected(error) } else { SendError::Unknown(error) }
    }

    /// VK quotes parameters back.
    fn redact(&self, text: &str) -> String {
        let text = self.config.token.redact(text);
        match &self.config.secret {
            Some(secret) => secret.redact(&text),
            None => text,
        }
    }

    /// Which hosts files may come from.
    pub(crate) fn guard(&self) -> Guard {
        let more = self.config.media_hosts.iter().map(String::as_str);
        Guard::hosts(MEDIA_HOSTS.into_iter().chain(more)).trusting(&self.config.base_url)
    }

    /// An address that VK named for an upload or a poll, when it is one of VK's: what is sent there is a customer's.
    ///
    /// # Errors
    /// [`Protocol`](ErrorKind::Protocol) for any other.
    pub(crate) fn own_address(&self, operation: &'static str, named: &str) -> Result<Url> {
        let is_own = |url: &Url| {
            let host = url.host_str().unwrap_or_default();
            let below =
                |own: &&str| host.strip_suffix(*own).is_some_and(|h| h.is_empty() || h.ends_with('.'));
            let is_vk = url.scheme() == "https" && OWN_HOSTS.iter().any(below);
            is_vk || url.origin() == self.config.base_url.origin()
        };
        Url::parse(named).ok().filter(is_own).ok_or_else(|| {
            Error::new(ErrorKind::Protocol, operation).with_text("VK named an address that is not VK's")
        })
    }
}

/// An answer that is not VK's: a proxy's page, or half of an answer. VK itself has HTML with a 5xx at times.
pub(crate) fn foreign(operation: &'static str, answer: &HttpAnswer) -> SendError {
    let status = answer.status.as_u16();
    let kind = match status {
        413 => ErrorKind::TooLarge,
        429 => ErrorKind::RateLimited,
        500.. => ErrorKind::Unavailable,
        _ => ErrorKind::Protocol,
    };
    let error = Error::new(kind, operation)
        .with_code(status)
        .with_text("the answer is not in the form of VK")
        .with_advice("check base_url, and what stands between here and VK");
    if proves_not_sent(i64::from(status), Form::Foreign) {
        SendError::Rejected(error)
    } else {
        SendError::Unknown(error)
    }
}

/// A good answer.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) operation: &'static str,
    /// What the method yields, as JSON.
    pub(crate) result: Bytes,
}

impl Answered {
    /// Reads what the method yields. It was carried out all the same when this fails.
    pub(crate) fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        read_json(self.operation, &self.result)
    }

    /// Reads communities. Before version 5.139 they were a bare list.
    pub(crate) fn read_groups(&self) -> Result<Vec<Group<'_>>> {
        self.read::<Groups<'_>>().map(|found| found.groups).or_else(|error| self.read().map_err(|_| error))
    }
}

/// The same outcome for another who waited for the same call.
pub(crate) fn again(error: &SendError) -> SendError {
    match error {
        SendError::Rejected(error) => SendError::Rejected(error.again()),
        SendError::Unknown(error) => SendError::Unknown(error.again()),
    }
}

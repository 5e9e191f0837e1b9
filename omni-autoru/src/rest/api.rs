//! Calls of the REST API: one request, one sorted answer.

use std::sync::Arc;
use std::time::Duration;

use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue, Method};
use omni_core::error::{ErrorKind, Result};
use omni_core::outbound::{Accepted, SendError};
use omni_core::tokens::MemoryTokens;
use omni_core::{AccountId, MessageId, Secret, Status};
use omni_http::{Answer, Call, Http, TokenKeeper, read_json};
use serde::{Deserialize, Serialize};
use url::Url;

use super::session::{Session, headers};
use crate::api::{certainty, words};
use crate::config::Rest;
use crate::error::{Interface, classify, refused};
use crate::wire::Str;
use crate::wire::rooms::{Dealer, Envelope, NewMessage, Payload, Posted};

/// How long a call may take.
const CALL: Duration = Duration::from_secs(30);
/// Largest answer read: a list of all the dealer's rooms.
const ANSWER: usize = 32 << 20;

/// The rooms of one dealer.
#[derive(Debug)]
pub(crate) struct Rooms {
    pub(super) rest: Rest,
    http: Http,
    /// The session. Kept in memory: every process can log in by itself.
    session: TokenKeeper,
}

/// A dealer, as told.
#[derive(Debug)]
pub(crate) struct DealerTold {
    pub(crate) id: AccountId,
    pub(crate) name: Option<String>,
}

/// One call.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) operation: &'static str,
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) query: &'a [(&'a str, &'a str)],
}

impl Rooms {
    pub(crate) fn new(rest: Rest, http: Http) -> Self {
        let renew = Session { rest: rest.clone(), http: http.clone() };
        let session = TokenKeeper::new("session", Arc::new(MemoryTokens::default()), renew);
        Self { rest, http, session }
    }

    /// Who this is. <https://yandex.ru/dev/autoru/doc/ru/reference/dealer-account> (read 2026-11)
    pub(crate) async fn dealer(&self) -> Result<DealerTold, SendError> {
        let asked = Asked { operation: "check", method: Method::GET, path: "dealer/account", query: &[] };
        let answered = self.get(&asked).await?;
        let dealer: Dealer<'_> = answered.read().map_err(SendError::Rejected)?;
        let name = format!("Auto.ru {}", &*dealer.account_id);
        Ok(DealerTold { id: AccountId::from(&*dealer.account_id), name: Some(name) })
    }

    /// Posts words to a room.
    /// <https://yandex.ru/dev/autoru/doc/ru/reference/chats/additional/post-message> (read 2026-11)
    pub(crate) async fn post(&self, room: &str, words: &str, id: MessageId) -> Result<Accepted, SendError> {
        let payload = Payload { content_type: Str("TEXT_PLAIN".into()), value: Some(Str(words.into())) };
        let body = NewMessage { room_id: room, payload, provided_id: id.to_string() };
        let asked = Asked { operation: "send", method: Method::POST, path: "chat/message", query: &[] };
        let answered = self.call(&asked, Some(&body)).await?;
        // It went out. An answer that names no message is documented, one that cannot be read is not.
        let posted: Posted<'_> = answered.read().map_err(SendError::Unknown)?;
        let named = posted.message.map(|message| message.id.to_string()).filter(|id| !id.is_empty());
        Ok(Accepted::new(named.unwrap_or_else(|| id.to_string()), Status::Accepted))
    }

    /// Marks a room as read.
    /// <https://yandex.ru/dev/autoru/doc/ru/reference/chats/additional/mark-room-messages-read> (read 2026-11)
    pub(crate) async fn mark_read(&self, room: &str) -> Result<(), SendError> {
        let query = [("room_id", room)];
        let asked = Asked {
            operation: "mark read",
            method: Method::DELETE,
            path: "chat/message/unread",
            query: &query,
        };
        self.get(&asked).await.map(drop)
    }

    /// Calls without a body.
    pub(super) async fn get(&self, asked: &Asked<'_>) -> Result<Answered, SendError> {
        self.call(asked, None::<&()>).await
    }

    /// Calls; when the session is refused, logs in once and calls again: nothing was carried out.
    async fn call<B: Serialize + Sync>(
        &self,
        asked: &Asked<'_>,
        body: Option<&B>,
    ) -> Result<Answered, SendError> {
        let session = self.session.access().await.map_err(SendError::Rejected)?;
        match self.once(asked, body, &session).await {
            Err(SendError::Rejected(error)) if error.kind() == ErrorKind::BadCredentials => {
                let fresh = self.session.instead_of(&session).await.map_err(SendError::Rejected)?;
                self.once(asked, body, &fresh).await
            }
            other => other,
        }
    }

    async fn once<B: Serialize + Sync>(
        &self,
        asked: &Asked<'_>,
        body: Option<&B>,
        session: &Secret,
    ) -> Result<Answered, SendError> {
        let Asked { operation, method, path, query } = asked;
        let url = url_of(&self.rest, path, query);
        let headers = headers(&self.rest, Some(session)).map_err(SendError::Rejected)?;
        let call = with(self.http.call(method.clone(), operation, url), headers);
        let answer = match body {
            Some(body) => call.json(body).await?,
            None => call.send().await?,
        };
        sorted(&self.rest, operation, answer)
    }
}

/// Where a method is called.
pub(super) fn url_of(rest: &Rest, path: &str, query: &[(&str, &str)]) -> Url {
    let mut url = rest.base_url.clone();
    let base = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{base}/{path}"));
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    url
}

pub(super) fn with(call: Call<'_>, headers: HeaderMap) -> Call<'_> {
    let call = call.timeout(CALL).cap(ANSWER).header(ACCEPT, HeaderValue::from_static("application/json"));
    headers.iter().fold(call, |call, (name, value)| call.header(name.clone(), value.clone()))
}

/// A good answer.
#[derive(Debug)]
pub(super) struct Answered {
    operation: &'static str,
    answer: Answer,
}

impl Answered {
    /// Reads what the method yields. It was carried out all the same when this fails.
    pub(super) fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        read_json(self.operation, &self.answer.body)
    }
}

/// Sorts an answer: by its status, then by what its envelope says.
pub(super) fn sorted(rest: &Rest, operation: &'static str, answer: Answer) -> Result<Answered, SendError> {
    let status = answer.status.as_u16();
    let envelope: Option<Envelope<'_>> = serde_json::from_slice(&answer.body).ok();
    let code = envelope.as_ref().and_then(|e| e.error.as_deref()).unwrap_or_default();
    let said = match &envelope {
        Some(envelope) => envelope.detailed_error.as_deref().unwrap_or(code).chars().take(200).collect(),
        None => words(&answer.body),
    };
    let said = redacted(rest, &said);
    if !answer.status.is_success() {
        tracing::debug!(operation, status, "refused");
        let error = classify(Interface::Rest, operation, status, &said, answer.retry_after());
        let error = if code.is_empty() { error } else { error.with("error", redacted(rest, code)) };
        return Err(certainty(status, error));
    }
    let is_refusal =
        envelope.as_ref().and_then(|e| e.status.as_deref()).is_some_and(|status| status == "ERROR");
    if is_refusal {
        return Err(SendError::Rejected(refused(operation, &redacted(rest, code), &said)));
    }
    Ok(Answered { operation, answer })
}

fn redacted(rest: &Rest, text: &str) -> String {
    Secret::new(&*rest.login).redact(&rest.password.redact(&rest.token.redact(text)))
}

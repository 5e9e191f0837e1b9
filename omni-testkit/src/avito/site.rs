//! The API's side: who calls, what, and what is refused.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use http::Method;
use omni_core::Timestamp;
use serde_json::{Value, json};

use super::calls;
use super::state::{State, seconds};
use crate::sim::{Ground, Poster, Reply, Request, Site};

/// Avito's server.
#[derive(Debug)]
pub struct AvitoSite {
    state: Mutex<State>,
    ground: Ground,
    pub(super) poster: Poster,
}

impl AvitoSite {
    pub(super) fn new(ground: &Ground, poster: Poster) -> Self {
        Self { state: Mutex::default(), ground: ground.clone(), poster }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.ground.now()
    }

    pub(super) fn base_url(&self) -> &str {
        self.ground.base_url()
    }

    pub(super) fn changed(&self) {
        self.ground.changed();
    }

    /// Whose token it is.
    fn caller(&self, request: &Request) -> Result<i64, Refused> {
        let bearer = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let Some(bearer) = bearer else { return Err(refused(401, "Unauthorized")) };
        let state = self.state();
        // A token that ran out is refused with 403, not 401.
        match state.tokens.get(bearer) {
            Some(token) if token.until > seconds(self.now()) && !state.revoked.contains(&token.account) => {
                Ok(token.account)
            }
            _ => Err(refused(403, "invalid access token")),
        }
    }

    fn token(&self, request: &Request) -> Reply {
        let kind = request.header("content-type").unwrap_or_default();
        if request.method != Method::POST || !kind.starts_with("application/x-www-form-urlencoded") {
            return oauth(400, "invalid_request", "a form is needed");
        }
        let form = request.form();
        let now = self.now();
        let mut state = self.state();
        let (id, secret) = (form.text("client_id"), form.text("client_secret"));
        let owner = state.accounts.values().find(|account| {
            Some(account.client_id.as_str()) == id && Some(account.client_secret.as_str()) == secret
        });
        let Some(owner) = owner.map(|account| account.id) else {
            return oauth(401, "invalid_client", "client is not found or its secret is wrong");
        };
        if state.revoked.contains(&owner) {
            return oauth(401, "invalid_client", "the keys were revoked");
        }
        let one_use = match form.text("grant_type") {
            Some("client_credentials") => return Reply::json(200, &state.issue(owner, now, false)),
            Some("authorization_code") => form.text("code"),
            Some("refresh_token") => form.text("refresh_token"),
            _ => return oauth(400, "unsupported_grant_type", "grant_type is unknown"),
        };
        match one_use.map(str::to_owned).and_then(|grant| state.grants.remove(&grant)) {
            Some(account) => Reply::json(200, &state.issue(account, now, true)),
            None => oauth(400, "invalid_grant", "the code or refresh token is unknown or used"),
        }
    }

    fn file(&self, path: &str) -> Reply {
        let state = self.state();
        match state.files.get(path) {
            Some((bytes, kind, until)) if until.is_none_or(|until| until > seconds(self.now())) => {
                Reply::bytes(200, kind, bytes.clone())
            }
            _ => Reply::status(404),
        }
    }
}

/// The name of a call by its method and path, the parts that differ left out.
fn named(request: &Request) -> Option<&'static str> {
    let steps = request.steps();
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    let is_post = request.method == Method::POST;
    let name = match (is_post, steps.as_slice()) {
        (_, ["token"]) => "token",
        (false, ["media", ..]) => "media",
        (false, ["core", "v1", "accounts", "self"]) => "account",
        (true, ["messenger", "v3", "webhook"]) => "subscribe",
        (true, ["messenger", "v1", "subscriptions"]) => "subscriptions",
        (true, ["messenger", "v1", "webhook", "unsubscribe"]) => "unsubscribe",
        (false, ["messenger", "v2", "accounts", _, "chats"]) => "chats",
        (false, ["messenger", "v2", "accounts", _, "chats", _]) => "chat",
        // The slash at the end is a part of this path.
        (false, ["messenger", "v3", "accounts", _, "chats", _, "messages"])
            if request.path.ends_with('/') =>
        {
            "messages"
        }
        (true, ["messenger", "v1", "accounts", _, "chats", _, "messages"]) => "sendMessage",
        (true, ["messenger", "v1", "accounts", _, "chats", _, "messages", "image"]) => "sendImage",
        (true, ["messenger", "v1", "accounts", _, "chats", _, "messages", _]) => "deleteMessage",
        (true, ["messenger", "v1", "accounts", _, "chats", _, "read"]) => "markRead",
        (true, ["messenger", "v1", "accounts", _, "uploadImages"]) => "uploadImages",
        (false, ["messenger", "v1", "accounts", _, "getVoiceFiles"]) => "getVoiceFiles",
        (true, ["messenger", "v2", "accounts", _, "blacklist"]) => "blacklist",
        _ => return None,
    };
    (is_post || request.method == Method::GET).then_some(name)
}

#[async_trait]
impl Site for AvitoSite {
    fn name(&self, request: &Request) -> String {
        named(request).unwrap_or("unknown").to_owned()
    }

    async fn answer(&self, request: &Request) -> Reply {
        let Some(name) = named(request) else { return refusal(404, "Not Found") };
        match name {
            "token" => return self.token(request),
            "media" => return self.file(&request.path),
            _ => {}
        }
        let account = match self.caller(request) {
            Ok(account) => account,
            Err(refusal) => return *refusal,
        };
        let steps = request.steps();
        let of = |place: usize| steps.get(place).cloned().unwrap_or_default();
        // A token opens its own account only.
        if of(2) == "accounts" && name != "account" && of(3) != account.to_string() {
            return refusal(403, "access denied");
        }
        let result = match name {
            "account" => calls::account(self, account),
            "subscribe" => calls::subscribe(self, account, request),
            "subscriptions" => calls::subscriptions(self, account),
            "unsubscribe" => calls::unsubscribe(self, account, request),
            "chats" => calls::chats(self, account, &request.form()),
            "chat" => calls::chat(self, account, &of(5)),
            "messages" => calls::messages(self, account, &of(5), &request.form()),
            "sendMessage" => calls::send_message(self, account, &of(5), request),
            "sendImage" => calls::send_image(self, account, &of(5), request),
            "deleteMessage" => calls::delete(self, account, &of(5), &of(7), request),
            "markRead" => calls::mark_read(self, account, &of(5), request),
            "uploadImages" => calls::upload(self, account, request),
            "getVoiceFiles" => calls::voices(self, account, &request.form()),
            _ => calls::blacklist(self, account, request),
        };
        self.changed();
        match result {
            Ok(answer) => Reply::json(200, &answer),
            Err(refusal) => *refusal,
        }
    }
}

/// A refusal in the form of the messenger.
#[must_use]
pub fn refusal(code: u16, message: &str) -> Reply {
    Reply::json(code, &json!({"error": {"code": code, "message": message}}))
}

/// A refusal on its way out of a call; boxed, because an answer is large.
pub(super) type Refused = Box<Reply>;

pub(super) fn refused(code: u16, message: &str) -> Refused {
    Box::new(refusal(code, message))
}

/// A refusal of one field.
pub(super) fn invalid(field: &str, why: &str) -> Refused {
    let fields: Value = json!({field: why});
    let error = json!({"code": 400, "message": "Bad Request", "fields": fields});
    Box::new(Reply::json(400, &json!({"error": error})))
}

fn oauth(code: u16, error: &str, description: &str) -> Reply {
    Reply::json(code, &json!({"error": error, "error_description": description}))
}

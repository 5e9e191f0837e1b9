//! The error envelope of the Bot API and the sentences the server uses.

use serde_json::{Value, json};

use super::json::set;

/// A refusal as the Bot API words it: HTTP status, sentence and optional `parameters`.
///
/// The wording follows tdlib/telegram-bot-api (`Client.cpp`, `Query.cpp`); the envelope is described in
/// <https://core.telegram.org/bots/api#making-requests>.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    /// `error_code` of the body and status of the HTTP answer.
    pub code: u16,
    /// `description` of the body.
    pub description: String,
    /// `parameters.retry_after`, repeated in the `Retry-After` header.
    pub retry_after: Option<u32>,
    /// `parameters.migrate_to_chat_id`.
    pub migrate_to_chat_id: Option<i64>,
}

impl ApiError {
    /// An error with the code and description as they go on the wire.
    #[must_use]
    pub fn new(code: u16, description: impl Into<String>) -> Self {
        Self { code, description: description.into(), retry_after: None, migrate_to_chat_id: None }
    }

    /// 400 with the prefix `Bad Request: `; like the server, it lowers the first letter of a sentence and
    /// leaves `SCREAMING_CASE` codes alone.
    #[must_use]
    pub fn bad_request(text: &str) -> Self {
        Self::new(400, format!("Bad Request: {}", lower_first(text)))
    }

    /// 403 with the prefix `Forbidden: `.
    #[must_use]
    pub fn forbidden(text: &str) -> Self {
        Self::new(403, format!("Forbidden: {text}"))
    }

    /// 429 with `retry_after` in the sentence, the parameters and the header.
    #[must_use]
    pub fn too_many_requests(retry_after: u32) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(429, format!("Too Many Requests: retry after {retry_after}"))
        }
    }

    /// 400 for a basic group that became a supergroup.
    #[must_use]
    pub fn migrated(to: i64) -> Self {
        Self {
            migrate_to_chat_id: Some(to),
            ..Self::bad_request("group chat was upgraded to a supergroup chat")
        }
    }

    /// The body of the answer.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut body = json!({"ok": false, "error_code": self.code, "description": self.description});
        if let Some(seconds) = self.retry_after {
            set(&mut body, "parameters", json!({"retry_after": seconds}));
        }
        if let Some(chat) = self.migrate_to_chat_id {
            set(&mut body, "parameters", json!({"migrate_to_chat_id": chat}));
        }
        body
    }
}

/// The server's rule: a first letter followed by a capital or an underscore is a code, not a sentence.
fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(_), Some(second)) if second == '_' || second.is_ascii_uppercase() => text.to_owned(),
        (Some(first), _) => {
            let mut out = String::with_capacity(text.len());
            out.push(first.to_ascii_lowercase());
            out.push_str(text.get(first.len_utf8()..).unwrap_or_default());
            out
        }
        (None, _) => String::new(),
    }
}

/// What a method gives: the `result` or a refusal.
pub(crate) type ApiResult<T = Value> = Result<T, ApiError>;

//! Answers to calls.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Str;

/// The envelope of every answer. <https://core.telegram.org/bots/api#making-requests>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Answer<'a> {
    pub ok: bool,
    #[serde(borrow)]
    pub result: Option<&'a RawValue>,
    pub error_code: Option<u16>,
    #[serde(borrow)]
    pub description: Option<Str<'a>>,
    #[serde(default)]
    pub parameters: Parameters,
}

/// What an error says beside its text. <https://core.telegram.org/bots/api#responseparameters>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[allow(missing_docs)]
pub struct Parameters {
    pub migrate_to_chat_id: Option<i64>,
    pub retry_after: Option<u64>,
}

/// The bot itself. <https://core.telegram.org/bots/api#getme>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Me<'a> {
    pub id: i64,
    #[serde(borrow)]
    pub first_name: Str<'a>,
    #[serde(borrow)]
    pub username: Option<Str<'a>>,
    #[serde(default)]
    pub can_join_groups: bool,
    #[serde(default)]
    pub can_read_all_group_messages: bool,
}

/// How the webhook does. <https://core.telegram.org/bots/api#webhookinfo>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct WebhookInfo<'a> {
    /// Empty when none is registered.
    #[serde(borrow)]
    pub url: Str<'a>,
    #[serde(default)]
    pub pending_update_count: u64,
    #[serde(borrow)]
    pub last_error_message: Option<Str<'a>>,
}

/// A sent message, as far as we need to know it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[allow(missing_docs)]
pub struct SentMessage {
    pub message_id: i64,
}

/// A file ready for download. <https://core.telegram.org/bots/api#file>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct File<'a> {
    pub file_size: Option<u64>,
    #[serde(borrow)]
    pub file_path: Option<Str<'a>>,
}

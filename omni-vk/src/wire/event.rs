//! What happens beside messages.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Str;

/// A pressed key of the kind `callback`.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct MessageEvent<'a> {
    pub user_id: i64,
    pub peer_id: i64,
    /// The ticket of the answer, not the event's own id.
    #[serde(borrow)]
    pub event_id: Str<'a>,
    /// JSON; a string of JSON by the schema, an object as clients see it.
    #[serde(borrow)]
    pub payload: Option<&'a RawValue>,
    pub conversation_message_id: Option<i64>,
}

/// Somebody has seen everything up to a message.
#[derive(Clone, Copy, Debug, Deserialize)]
#[allow(missing_docs)]
pub struct MessageRead {
    pub from_id: i64,
    pub peer_id: i64,
    pub conversation_message_id: i64,
}

/// Somebody is writing.
#[derive(Clone, Copy, Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Typing {
    pub from_id: i64,
}

/// A sign on a message; without one it was taken back.
#[derive(Clone, Copy, Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Reacted {
    pub reacted_id: i64,
    pub peer_id: i64,
    pub cmid: i64,
    pub reaction_id: Option<i64>,
}

/// Somebody lets us write, or no longer.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Allowed<'a> {
    pub user_id: i64,
    /// What the page that asked for it handed along.
    #[serde(borrow)]
    pub key: Option<Str<'a>>,
}

/// A comment under anything. Which of the fields of its subject are there depends on the kind.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Comment<'a> {
    pub id: i64,
    pub from_id: i64,
    #[serde(default)]
    pub date: i64,
    #[serde(borrow)]
    pub text: Option<Str<'a>>,
    #[serde(borrow, default)]
    pub attachments: Vec<&'a RawValue>,
    /// The comments it is below, the outermost first.
    #[serde(default)]
    pub parents_stack: Vec<i64>,
    pub reply_to_user: Option<i64>,
    pub reply_to_comment: Option<i64>,
    pub post_id: Option<i64>,
    pub photo_id: Option<i64>,
    pub video_id: Option<i64>,
    pub item_id: Option<i64>,
    pub topic_id: Option<i64>,
    pub post_owner_id: Option<i64>,
    pub photo_owner_id: Option<i64>,
    pub video_owner_id: Option<i64>,
    pub market_owner_id: Option<i64>,
    pub topic_owner_id: Option<i64>,
    pub owner_id: Option<i64>,
}

/// A comment that is gone.
#[derive(Clone, Copy, Debug, Deserialize)]
#[allow(missing_docs)]
pub struct CommentDeleted {
    pub id: i64,
    pub owner_id: Option<i64>,
    pub topic_owner_id: Option<i64>,
    /// Who took it away; the schema names it `user_id`.
    pub deleter_id: Option<i64>,
    pub user_id: Option<i64>,
    pub post_id: Option<i64>,
    pub photo_id: Option<i64>,
    pub video_id: Option<i64>,
    pub item_id: Option<i64>,
    pub topic_id: Option<i64>,
}

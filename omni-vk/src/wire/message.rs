//! Messages.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Str;

/// The object of `message_new` since version 5.103; before it was the message itself.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct NewMessage<'a> {
    #[serde(borrow)]
    pub message: Option<&'a RawValue>,
}

/// A message. <https://dev.vk.com/reference/objects/message>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)] // the provider's fields, described at the address above
pub struct Message<'a> {
    /// Number within the peer: always there. The `id` beside it is 0 in chats.
    #[serde(default)]
    pub conversation_message_id: i64,
    #[serde(default)]
    pub date: i64,
    pub update_time: Option<i64>,
    pub peer_id: i64,
    pub from_id: i64,
    #[serde(default)]
    pub out: i64,
    #[serde(borrow)]
    pub text: Option<Str<'a>>,
    #[serde(borrow, default)]
    pub attachments: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    pub fwd_messages: Vec<&'a RawValue>,
    #[serde(borrow)]
    pub reply_message: Option<&'a RawValue>,
    #[serde(borrow)]
    pub geo: Option<&'a RawValue>,
    #[serde(borrow)]
    pub action: Option<&'a RawValue>,
    #[serde(borrow)]
    pub payload: Option<&'a RawValue>,
    #[serde(borrow, rename = "ref")]
    pub referral: Option<Str<'a>>,
    #[serde(borrow)]
    pub ref_source: Option<Str<'a>>,
    /// VK cut the message for its size: attachments are missing.
    #[serde(default)]
    pub is_cropped: bool,
    /// The administrator who wrote it from VK itself.
    pub admin_author_id: Option<i64>,
}

/// The message that is answered, as far as its name goes.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Quoted {
    #[serde(default)]
    pub conversation_message_id: i64,
}

/// A message handed on, itself with others in it.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Forwarded<'a> {
    #[serde(default)]
    pub from_id: i64,
    #[serde(borrow)]
    pub text: Option<Str<'a>>,
    #[serde(borrow, default)]
    pub attachments: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    pub fwd_messages: Vec<&'a RawValue>,
    #[serde(borrow)]
    pub geo: Option<&'a RawValue>,
}

/// A place. <https://dev.vk.com/reference/objects/geo>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Geo<'a> {
    pub coordinates: Coordinates,
    #[serde(borrow)]
    pub place: Option<Place<'a>>,
}

/// Where it is.
#[derive(Clone, Copy, Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Coordinates {
    pub latitude: f64,
    pub longitude: f64,
}

/// What is there.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Place<'a> {
    #[serde(borrow)]
    pub title: Option<Str<'a>>,
    #[serde(borrow)]
    pub city: Option<Str<'a>>,
    #[serde(borrow)]
    pub country: Option<Str<'a>>,
}

/// What a service message of a chat reports.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Action<'a> {
    #[serde(borrow, rename = "type")]
    pub kind: Str<'a>,
    pub member_id: Option<i64>,
}

//! What Viber posts to a webhook.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Str, lenient};

/// Every callback: which fields it has depends on `event`.
/// <https://developers.viber.com/docs/api/rest-bot-api/#callbacks>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Callback<'a> {
    #[serde(borrow)]
    pub event: Str<'a>,
    /// Milliseconds since 1970.
    #[serde(default, deserialize_with = "lenient::whole")]
    pub timestamp: Option<u64>,
    /// Of the message that came, of the message of ours that it is about, or of the event itself.
    #[serde(default, deserialize_with = "lenient::whole")]
    pub message_token: Option<u64>,
    /// Who wrote a message.
    #[serde(borrow)]
    pub sender: Option<Person<'a>>,
    /// Who opened the chat, subscribed or paid.
    #[serde(borrow)]
    pub user: Option<Person<'a>>,
    /// Who got a message or unsubscribed.
    #[serde(borrow)]
    pub user_id: Option<Str<'a>>,
    /// Read by itself, so that a message nobody understands keeps its author.
    #[serde(borrow)]
    pub message: Option<&'a RawValue>,
    /// A key was pressed that shows nothing in the chat.
    pub silent: Option<bool>,
    /// What the link that opened the chat carried.
    #[serde(borrow)]
    pub context: Option<Str<'a>>,
    /// Whether who opened the chat lets us write.
    pub subscribed: Option<bool>,
    /// Why a message failed.
    #[serde(borrow)]
    pub desc: Option<Str<'a>>,
    /// Only within chat extensions.
    #[serde(borrow)]
    pub chat_id: Option<Str<'a>>,
    /// Only within chat extensions.
    #[serde(borrow)]
    pub reply_type: Option<Str<'a>>,
}

/// What can still be read of a callback when the rest is not as expected.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Essentials<'a> {
    #[serde(borrow)]
    pub event: Str<'a>,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub message_token: Option<u64>,
}

/// A subscriber.
/// <https://github.com/Viber/creators-hub/blob/main/docs/bots-api/data-models/subscriber.md>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Person<'a> {
    /// Another one for each bot.
    #[serde(borrow)]
    pub id: Str<'a>,
    /// Absent, empty or a placeholder when the person does not share it.
    #[serde(borrow)]
    pub name: Option<Str<'a>>,
    #[serde(borrow)]
    pub avatar: Option<Str<'a>>,
    /// As `ru` or `ru-BY`.
    #[serde(borrow)]
    pub language: Option<Str<'a>>,
    /// The highest `min_api_version` that the person's app understands.
    #[serde(default, deserialize_with = "lenient::whole")]
    pub api_version: Option<u64>,
}

/// What a message says: which fields it has depends on its kind.
/// <https://developers.viber.com/docs/api/rest-bot-api/#receive-message-from-user>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Message<'a> {
    #[serde(borrow, rename = "type")]
    pub kind: Str<'a>,
    /// The words, or the caption.
    #[serde(borrow)]
    pub text: Option<Str<'a>>,
    /// Where the file is, or the address that a link leads to.
    #[serde(borrow)]
    pub media: Option<Str<'a>>,
    #[serde(borrow)]
    pub file_name: Option<Str<'a>>,
    #[serde(default, deserialize_with = "lenient::whole")]
    pub size: Option<u64>,
    /// Seconds.
    #[serde(default, deserialize_with = "lenient::whole")]
    pub duration: Option<u64>,
    /// A number; text by some clients (community).
    #[serde(default, deserialize_with = "lenient::id")]
    pub sticker_id: Option<String>,
    #[serde(borrow)]
    pub contact: Option<Contact<'a>>,
    #[serde(borrow)]
    pub location: Option<Location<'a>>,
    /// What our last message that the person's app knew carried.
    #[serde(borrow)]
    pub tracking_data: Option<Str<'a>>,
}

/// A person's card.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Contact<'a> {
    #[serde(borrow)]
    pub name: Option<Str<'a>>,
    #[serde(borrow)]
    pub phone_number: Option<Str<'a>>,
}

/// A place.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Location<'a> {
    #[serde(default, deserialize_with = "lenient::degrees")]
    pub lat: Option<f64>,
    #[serde(default, deserialize_with = "lenient::degrees")]
    pub lon: Option<f64>,
    /// unverified
    #[serde(borrow)]
    pub address: Option<Str<'a>>,
}

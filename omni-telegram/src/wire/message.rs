//! Messages and what is in them.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Chat, Str, User};

/// A message. <https://core.telegram.org/bots/api#message>
///
/// Rare parts are boxed: most messages are words, and moving one should be cheap.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)] // the provider's fields, described at the address above
pub struct Message<'a> {
    pub message_id: i64,
    #[serde(default)]
    pub date: i64,
    #[serde(borrow)]
    pub chat: Chat<'a>,
    #[serde(borrow)]
    pub from: Option<User<'a>>,
    #[serde(borrow)]
    pub text: Option<Str<'a>>,
    #[serde(borrow, default)]
    pub entities: Vec<MessageEntity<'a>>,
    #[serde(borrow)]
    pub sender_chat: Option<Box<Chat<'a>>>,
    pub edit_date: Option<i64>,
    pub message_thread_id: Option<i64>,
    #[serde(default)]
    pub is_topic_message: bool,
    pub direct_messages_topic: Option<Topic>,
    #[serde(borrow)]
    pub business_connection_id: Option<Str<'a>>,
    pub sender_business_bot: Option<IgnoredAny>,
    #[serde(default)]
    pub is_from_offline: bool,
    #[serde(default)]
    pub is_automatic_forward: bool,
    #[serde(borrow)]
    pub forward_origin: Option<Box<ForwardOrigin<'a>>>,
    #[serde(borrow)]
    pub reply_to_message: Option<Box<Replied<'a>>>,
    #[serde(borrow)]
    pub quote: Option<Box<Quote<'a>>>,
    #[serde(borrow)]
    pub media_group_id: Option<Str<'a>>,
    #[serde(borrow)]
    pub author_signature: Option<Str<'a>>,
    #[serde(borrow)]
    pub caption: Option<Str<'a>>,
    #[serde(borrow, default)]
    pub caption_entities: Vec<MessageEntity<'a>>,
    #[serde(borrow, default)]
    pub photo: Vec<PhotoSize<'a>>,
    #[serde(borrow)]
    pub document: Option<Box<Document<'a>>>,
    #[serde(borrow)]
    pub video: Option<Box<Video<'a>>>,
    #[serde(borrow)]
    pub animation: Option<Box<Video<'a>>>,
    #[serde(borrow)]
    pub voice: Option<Box<Voice<'a>>>,
    #[serde(borrow)]
    pub audio: Option<Box<Audio<'a>>>,
    #[serde(borrow)]
    pub video_note: Option<Box<VideoNote<'a>>>,
    #[serde(borrow)]
    pub sticker: Option<Box<Sticker<'a>>>,
    pub location: Option<Box<Location>>,
    #[serde(borrow)]
    pub venue: Option<Box<Venue<'a>>>,
    #[serde(borrow)]
    pub contact: Option<Box<Contact<'a>>>,
    pub migrate_to_chat_id: Option<i64>,
    pub migrate_from_chat_id: Option<i64>,
}

impl Message<'_> {
    /// The forum topic it is in. Outside of forums the number beside a message only joins answers.
    pub fn thread(&self) -> Option<i64> {
        self.message_thread_id.filter(|_| self.is_topic_message)
    }
}

/// A topic of a channel's direct messages.
#[derive(Clone, Copy, Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Topic {
    pub topic_id: i64,
}

/// A range of a text, in UTF-16 code units. <https://core.telegram.org/bots/api#messageentity>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct MessageEntity<'a> {
    #[serde(borrow, rename = "type")]
    pub kind: Str<'a>,
    pub offset: u32,
    pub length: u32,
    #[serde(borrow)]
    pub url: Option<Str<'a>>,
    #[serde(borrow)]
    pub user: Option<Box<User<'a>>>,
    #[serde(borrow)]
    pub language: Option<Str<'a>>,
}

/// The message that is answered, without what it answers itself: so reading never nests deeper.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Replied<'a> {
    pub message_id: i64,
    #[serde(borrow)]
    pub text: Option<Str<'a>>,
    #[serde(borrow)]
    pub caption: Option<Str<'a>>,
    #[serde(default)]
    pub is_automatic_forward: bool,
    #[serde(borrow)]
    pub forward_origin: Option<ForwardOrigin<'a>>,
    pub forum_topic_created: Option<IgnoredAny>,
}

/// Quoted words. <https://core.telegram.org/bots/api#textquote>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Quote<'a> {
    #[serde(borrow)]
    pub text: Str<'a>,
}

/// Where a forwarded message comes from. <https://core.telegram.org/bots/api#messageorigin>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct ForwardOrigin<'a> {
    #[serde(borrow)]
    pub sender_user: Option<User<'a>>,
    #[serde(borrow)]
    pub sender_user_name: Option<Str<'a>>,
    #[serde(borrow)]
    pub sender_chat: Option<Chat<'a>>,
    #[serde(borrow)]
    pub chat: Option<Chat<'a>>,
    pub message_id: Option<i64>,
}

/// One size of a picture.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct PhotoSize<'a> {
    #[serde(borrow)]
    pub file_id: Str<'a>,
    #[serde(borrow)]
    pub file_unique_id: Option<Str<'a>>,
    #[serde(default)]
    pub width: u32,
    #[serde(default)]
    pub height: u32,
    pub file_size: Option<u64>,
}

/// A file.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Document<'a> {
    #[serde(borrow)]
    pub file_id: Str<'a>,
    #[serde(borrow)]
    pub file_unique_id: Option<Str<'a>>,
    #[serde(borrow)]
    pub file_name: Option<Str<'a>>,
    #[serde(borrow)]
    pub mime_type: Option<Str<'a>>,
    pub file_size: Option<u64>,
}

/// A film, also a silent one.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Video<'a> {
    #[serde(borrow)]
    pub file_id: Str<'a>,
    #[serde(borrow)]
    pub file_unique_id: Option<Str<'a>>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub duration: Option<u32>,
    #[serde(borrow)]
    pub file_name: Option<Str<'a>>,
    #[serde(borrow)]
    pub mime_type: Option<Str<'a>>,
    pub file_size: Option<u64>,
}

/// Recorded speech.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Voice<'a> {
    #[serde(borrow)]
    pub file_id: Str<'a>,
    #[serde(borrow)]
    pub file_unique_id: Option<Str<'a>>,
    pub duration: Option<u32>,
    #[serde(borrow)]
    pub mime_type: Option<Str<'a>>,
    pub file_size: Option<u64>,
}

/// Music.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Audio<'a> {
    #[serde(borrow)]
    pub file_id: Str<'a>,
    #[serde(borrow)]
    pub file_unique_id: Option<Str<'a>>,
    pub duration: Option<u32>,
    #[serde(borrow)]
    pub performer: Option<Str<'a>>,
    #[serde(borrow)]
    pub title: Option<Str<'a>>,
    #[serde(borrow)]
    pub file_name: Option<Str<'a>>,
    #[serde(borrow)]
    pub mime_type: Option<Str<'a>>,
    pub file_size: Option<u64>,
}

/// A round film.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct VideoNote<'a> {
    #[serde(borrow)]
    pub file_id: Str<'a>,
    #[serde(borrow)]
    pub file_unique_id: Option<Str<'a>>,
    pub length: Option<u32>,
    pub duration: Option<u32>,
    pub file_size: Option<u64>,
}

/// A sticker.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Sticker<'a> {
    #[serde(borrow)]
    pub file_id: Str<'a>,
    #[serde(borrow)]
    pub file_unique_id: Option<Str<'a>>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    #[serde(default)]
    pub is_animated: bool,
    #[serde(default)]
    pub is_video: bool,
    #[serde(borrow)]
    pub emoji: Option<Str<'a>>,
    #[serde(borrow)]
    pub set_name: Option<Str<'a>>,
    pub file_size: Option<u64>,
}

/// A place.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Location {
    pub latitude: f64,
    pub longitude: f64,
    pub live_period: Option<u32>,
}

/// A place with a name.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Venue<'a> {
    pub location: Location,
    #[serde(borrow)]
    pub title: Str<'a>,
    #[serde(borrow)]
    pub address: Option<Str<'a>>,
}

/// A person's card.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Contact<'a> {
    #[serde(borrow)]
    pub phone_number: Str<'a>,
    #[serde(borrow)]
    pub first_name: Option<Str<'a>>,
    #[serde(borrow)]
    pub last_name: Option<Str<'a>>,
    pub user_id: Option<i64>,
    #[serde(borrow)]
    pub vcard: Option<Str<'a>>,
}

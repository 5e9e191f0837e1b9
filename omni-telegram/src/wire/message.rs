//! Messages and what is in them.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::{Chat, Str, User};

/// A message. <https://core.telegram.org/bots/api#message>
///
/// What a message of plain words has stands here, everything else in [`Rest`]: most messages are words, and
/// neither reading nor moving one should pay for what it lacks.
#[derive(Debug, Default)]
#[allow(missing_docs)] // the provider's fields, described at the address above
pub struct Message<'a> {
    pub message_id: i64,
    pub date: i64,
    pub chat: Chat<'a>,
    pub from: Option<User<'a>>,
    pub text: Option<Str<'a>>,
    pub entities: Vec<MessageEntity<'a>>,
    /// Everything else; absent where there is nothing else.
    pub rest: Option<Box<Rest<'a>>>,
}

/// The rarer fields of a [`Message`]; of the large ones few are there at a time, so they are boxed.
#[derive(Debug, Default)]
#[allow(missing_docs)] // the provider's fields
pub struct Rest<'a> {
    pub sender_chat: Option<Box<Chat<'a>>>,
    pub edit_date: Option<i64>,
    pub message_thread_id: Option<i64>,
    pub is_topic_message: bool,
    pub direct_messages_topic: Option<Topic>,
    pub business_connection_id: Option<Str<'a>>,
    pub sender_business_bot: Option<IgnoredAny>,
    pub is_from_offline: bool,
    pub is_automatic_forward: bool,
    pub forward_origin: Option<Box<ForwardOrigin<'a>>>,
    pub reply_to_message: Option<Box<Replied<'a>>>,
    pub quote: Option<Box<Quote<'a>>>,
    pub media_group_id: Option<Str<'a>>,
    pub author_signature: Option<Str<'a>>,
    pub caption: Option<Str<'a>>,
    pub caption_entities: Vec<MessageEntity<'a>>,
    pub photo: Vec<PhotoSize<'a>>,
    pub document: Option<Box<Document<'a>>>,
    pub video: Option<Box<Video<'a>>>,
    pub animation: Option<Box<Video<'a>>>,
    pub voice: Option<Box<Voice<'a>>>,
    pub audio: Option<Box<Audio<'a>>>,
    pub video_note: Option<Box<VideoNote<'a>>>,
    pub sticker: Option<Box<Sticker<'a>>>,
    pub location: Option<Box<Location>>,
    pub venue: Option<Box<Venue<'a>>>,
    pub contact: Option<Box<Contact<'a>>>,
    pub migrate_to_chat_id: Option<i64>,
    pub migrate_from_chat_id: Option<i64>,
}

impl Message<'_> {
    /// The forum topic it is in. Outside of forums the number beside a message only joins answers.
    pub fn thread(&self) -> Option<i64> {
        let rest = self.rest.as_ref()?;
        rest.message_thread_id.filter(|_| rest.is_topic_message)
    }
}

/// Reads a message into the place where it stays: it is large, and a deserializer that returns it copies it
/// several times.
pub(super) struct MessageSeed<'m, 'de>(pub(super) &'m mut Message<'de>);

impl<'de> DeserializeSeed<'de> for MessageSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for MessageSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(m) = self;
        let (mut has_id, mut has_chat) = (false, false);
        while let Some(key) = map.next_key::<Str<'de>>()? {
            match &*key {
                "message_id" => {
                    m.message_id = map.next_value()?;
                    has_id = true;
                }
                "chat" => {
                    m.chat = map.next_value()?;
                    has_chat = true;
                }
                "date" => m.date = map.next_value()?,
                "from" => m.from = map.next_value()?,
                "text" => m.text = map.next_value()?,
                "entities" => m.entities = map.next_value()?,
                other => m.rest.get_or_insert_default().read(other, &mut map)?,
            }
        }
        match (has_id, has_chat) {
            (false, _) => Err(A::Error::missing_field("message_id")),
            (_, false) => Err(A::Error::missing_field("chat")),
            (true, true) => Ok(()),
        }
    }
}

impl<'de> Rest<'de> {
    /// Reads the value of one key; that of an unknown one is skipped.
    fn read<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "sender_chat" => self.sender_chat = map.next_value()?,
            "edit_date" => self.edit_date = map.next_value()?,
            "message_thread_id" => self.message_thread_id = map.next_value()?,
            "is_topic_message" => self.is_topic_message = map.next_value()?,
            "direct_messages_topic" => self.direct_messages_topic = map.next_value()?,
            "business_connection_id" => self.business_connection_id = map.next_value()?,
            "sender_business_bot" => self.sender_business_bot = map.next_value()?,
            "is_from_offline" => self.is_from_offline = map.next_value()?,
            "is_automatic_forward" => self.is_automatic_forward = map.next_value()?,
            "forward_origin" => self.forward_origin = map.next_value()?,
            "reply_to_message" => self.reply_to_message = map.next_value()?,
            "quote" => self.quote = map.next_value()?,
            "media_group_id" => self.media_group_id = map.next_value()?,
            "author_signature" => self.author_signature = map.next_value()?,
            "caption" => self.caption = map.next_value()?,
            "caption_entities" => self.caption_entities = map.next_value()?,
            "photo" => self.photo = map.next_value()?,
            "document" => self.document = map.next_value()?,
            "video" => self.video = map.next_value()?,
            "animation" => self.animation = map.next_value()?,
            "voice" => self.voice = map.next_value()?,
            "audio" => self.audio = map.next_value()?,
            "video_note" => self.video_note = map.next_value()?,
            "sticker" => self.sticker = map.next_value()?,
            "location" => self.location = map.next_value()?,
            "venue" => self.venue = map.next_value()?,
            "contact" => self.contact = map.next_value()?,
            "migrate_to_chat_id" => self.migrate_to_chat_id = map.next_value()?,
            "migrate_from_chat_id" => self.migrate_from_chat_id = map.next_value()?,
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
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

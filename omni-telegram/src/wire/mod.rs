//! The Bot API's JSON, as far as this connector reads it, exactly as on the wire.
//!
//! Everything borrows from the body where it can. Fields that are not here are skipped while reading, and read
//! again by name only when a message turns out to hold nothing known (see [`keys_of`]).
//!
//! Source: <https://core.telegram.org/bots/api#available-types>, Bot API 10.1 (read 2026-11).

mod answer;
mod keys;
mod message;
mod update;

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

pub use answer::{Answer, File, Me, Parameters, SentMessage, WebhookInfo};
pub use keys::{Envelope, keys_of};
pub use message::{
    Audio, Contact, Document, ForwardOrigin, Location, Message, MessageEntity, PhotoSize, Quote, Replied,
    Rest, Sticker, Topic, Venue, Video, VideoNote, Voice,
};
pub use update::{
    BusinessConnection, BusinessRights, CallbackMessage, CallbackQuery, Chat, ChatMember, ChatMemberUpdated,
    DeletedBusinessMessages, InlineButton, InlineKeyboard, MessageReaction, ReactionCount,
    ReactionCountUpdated, ReactionType, Update, UpdateKind, User,
};

/// Text that borrows from the body when it has no escapes.
///
/// `Option<Cow<str>>` would always copy: serde borrows into a `Cow` only where it stands by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Str<'a>(pub Cow<'a, str>);

impl Str<'_> {
    /// The text as a string of its own.
    pub fn into_string(self) -> String {
        self.0.into_owned()
    }
}

impl Deref for Str<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Str<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Borrow;
        impl<'de> Visitor<'de> for Borrow {
            type Value = Str<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: Error>(self, v: &'de str) -> Result<Str<'de>, E> {
                Ok(Str(Cow::Borrowed(v)))
            }
            fn visit_str<E: Error>(self, v: &str) -> Result<Str<'de>, E> {
                Ok(Str(Cow::Owned(v.to_owned())))
            }
            fn visit_string<E: Error>(self, v: String) -> Result<Str<'de>, E> {
                Ok(Str(Cow::Owned(v)))
            }
        }
        d.deserialize_str(Borrow)
    }
}

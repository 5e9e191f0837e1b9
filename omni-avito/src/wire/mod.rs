//! The Messenger API's JSON, as far as this connector reads it, exactly as on the wire.
//!
//! Everything borrows from the body where it can. What stands beside the point of a message is read leniently: a
//! field of another type than described counts as absent, and does not cost the message.
//!
//! Source: <https://developers.avito.ru/api-catalog/messenger/documentation>, read through the copy of its OpenAPI
//! description in <https://github.com/elchin92/avito-mcp> (`swaggers/messenger.json`; read 2026-11). What is marked
//! *community* is seen in the code of clients only.

mod answer;
mod chat;
mod message;

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde_json::value::RawValue;

pub use answer::{
    Account, Chats, Failure, Fields, Messages, Sent, Subscription, Subscriptions, Token, read_images,
    read_voices,
};
pub use chat::{Advert, Avatar, Chat, Context, Images, LastMessage, PublicProfile, User};
pub use message::{
    Call, Content, Hook, Image, Item, ItemImages, Link, Location, Message, Named, Payload, Preview, Quote,
    Sizes, Voice,
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

/// A value that may be of any type: absent when it is not the one asked for.
pub(crate) fn lenient<'de, D, T>(d: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let raw = <&'de RawValue>::deserialize(d)?;
    Ok(serde_json::from_str(raw.get()).ok())
}

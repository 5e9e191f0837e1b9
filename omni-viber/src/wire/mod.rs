//! The REST Bot API's JSON, as far as this connector reads and writes it, exactly as on the wire.
//!
//! What comes in borrows from the body where it can. What goes out is owned: it is small, and made once.
//!
//! Source: <https://developers.viber.com/docs/api/rest-bot-api/> and
//! <https://github.com/Viber/creators-hub/tree/main/docs/bots-api> (read 2026-11).

mod answer;
mod callback;
mod lenient;
mod outgoing;

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

pub use answer::{
    AccountInfo, Broadcasted, Detailed, Envelope, OnlineUser, OnlineUsers, Sent, Undelivered, User,
};
pub use callback::{Callback, Contact, Essentials, Location, Message, Person};
pub use outgoing::{
    ActionType, Body, Card, ContactOut, Face, Key, Keyboard, LocationOut, Outgoing, RichMedia, SetWebhook,
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

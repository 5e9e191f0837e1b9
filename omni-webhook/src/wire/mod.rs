//! The protocol's JSON, exactly as on the wire. It is published as a JSON Schema in `schema/protocol.json`.
//!
//! What comes in borrows from the body where it can, and is read leniently: a part of a message that cannot be read
//! fails alone. What goes out borrows from the message.

mod answer;
mod event;
mod outgoing;

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};

pub use answer::{Answer, Pong, Reason, Refusal, Scope};
pub use event::{
    Body, ButtonEvent, DeletedEvent, Delivery, EchoEvent, EditedEvent, Envelope, Event, How, MediaIn,
    MessageEvent, Person, PersonEvent, PersonKind, ReactionEvent, ReadEvent, Said, StartedEvent, StatusEvent,
    Worded,
};
pub use omni_core::wire::Str;
pub use outgoing::{
    AnswerButton, ContentOut, Delete, Edit, FaceOut, MarkRead, MediaOut, MessageOut, React, Request, Typing,
};

/// Longest id, in bytes.
pub const ID_MAX: usize = 256;

/// The whole protocol, for its schema: what the program posts, what it is posted, and how it answers.
#[derive(Debug, JsonSchema)]
#[schemars(title = "omni webhook protocol, version 1")]
pub struct Protocol {
    /// The program posts this to the channel's webhook.
    #[schemars(with = "Delivery<'static>")]
    pub events: (),
    /// The channel posts one of these to the program's endpoint.
    #[schemars(with = "Request<'static>")]
    pub request: (),
    /// The program's answer to a message, with a status of 2xx. An empty body will do.
    #[schemars(with = "Answer<'static>")]
    pub answer: (),
    /// The program's answer to a ping, with a status of 2xx. An empty body will do.
    #[schemars(with = "Pong<'static>")]
    pub pong: (),
    /// The program's answer when it refuses, with a status of 4xx or 5xx.
    #[schemars(with = "Refusal<'static>")]
    pub refusal: (),
}

/// The program's name of something: text or a whole number, never empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Id<'a>(Cow<'a, str>);

impl Id<'_> {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Id<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Id<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Id<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id: text of 1 to 256 bytes, or a whole number")
            }
            fn visit_borrowed_str<E: Error>(self, v: &'de str) -> Result<Id<'de>, E> {
                checked(Cow::Borrowed(v))
            }
            fn visit_str<E: Error>(self, v: &str) -> Result<Id<'de>, E> {
                checked(Cow::Owned(v.to_owned()))
            }
            fn visit_u64<E: Error>(self, v: u64) -> Result<Id<'de>, E> {
                checked(Cow::Owned(v.to_string()))
            }
            fn visit_i64<E: Error>(self, v: i64) -> Result<Id<'de>, E> {
                checked(Cow::Owned(v.to_string()))
            }
        }
        fn checked<E: Error>(id: Cow<'_, str>) -> Result<Id<'_>, E> {
            match id.len() {
                1..=ID_MAX => Ok(Id(id)),
                length => Err(E::invalid_length(length, &Read)),
            }
        }
        d.deserialize_any(Read)
    }
}

impl JsonSchema for Id<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Id".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"], "minLength": 1, "maxLength": ID_MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_text_or_a_whole_number_and_never_empty() {
        let read = |json: &str| serde_json::from_str::<Id<'_>>(json).ok().map(|id| id.as_str().to_owned());
        for (json, id) in [
            (r#""m-1""#, "m-1"),
            (r#""\u0438\ud83d\ude00""#, "и😀"),
            ("18446744073709551615", "18446744073709551615"),
            ("-7", "-7"),
        ] {
            assert_eq!(read(json).as_deref(), Some(id), "{json}");
        }
        for json in [r#""""#, "1.5", "null", "true", "[]", &format!("\"{}\"", "x".repeat(257))] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}

//! The JSON of chat rooms, as far as this connector reads it, exactly as on the wire. It borrows from the answer where
//! it can; what may be of any shape without harm is kept raw and looked at by itself.
//!
//! Sources: <https://yandex.ru/dev/autoru/doc/ru/reference/chats/additional/room-light>,
//! <https://yandex.ru/dev/autoru/doc/ru/reference/chats/additional/get-message>,
//! <https://yandex.ru/dev/autoru/doc/ru/reference/chats/additional/post-message>,
//! <https://yandex.ru/dev/autoru/doc/ru/reference/auth-login>,
//! <https://yandex.ru/dev/autoru/doc/ru/reference/dealer-account> (read 2026-11).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Id, Str};

/// What every answer has beside its own fields.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Envelope<'a> {
    /// `SUCCESS`, or `ERROR`.
    #[serde(borrow, default)]
    pub status: Option<Str<'a>>,
    /// A code, when it is an error; which there are is not documented.
    #[serde(borrow, default)]
    pub error: Option<Str<'a>>,
    /// Words about it.
    #[serde(borrow, default)]
    pub detailed_error: Option<Str<'a>>,
}

/// `GET /chat/room/light` and `GET /chat/room/by-id`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct RoomList<'a> {
    /// The rooms, in no certain order.
    #[serde(borrow, default)]
    pub rooms: Vec<&'a RawValue>,
}

/// `GET /chat/message`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct MessageList<'a> {
    /// The messages.
    #[serde(borrow, default)]
    pub messages: Vec<&'a RawValue>,
}

/// A room: one buyer, one advert.
#[derive(Clone, Debug, Deserialize)]
pub struct Room<'a> {
    /// Its id.
    #[serde(borrow)]
    pub id: Id<'a>,
    /// When something last happened in it, ISO 8601.
    #[serde(borrow, default)]
    pub updated: Option<Str<'a>>,
    /// Which of the users is the one of the session.
    #[serde(borrow, default)]
    pub me: Option<Id<'a>>,
    /// A list of [`User`].
    #[serde(borrow, default)]
    pub users: Option<&'a RawValue>,
    /// A [`Subject`].
    #[serde(borrow, default)]
    pub subject: Option<&'a RawValue>,
    /// A [`Message`]; absent in a room where nobody wrote.
    #[serde(borrow, default)]
    pub last_message: Option<&'a RawValue>,
}

/// A person in a room. Names are not told.
#[derive(Clone, Debug, Deserialize)]
pub struct User<'a> {
    /// Their id.
    #[serde(borrow)]
    pub id: Id<'a>,
    /// Up to when they have read, ISO 8601.
    #[serde(borrow, default)]
    pub room_last_read: Option<Str<'a>>,
}

/// What a room is about.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Subject<'a> {
    /// Title, the same for every room.
    #[serde(borrow, default)]
    pub title: Option<Str<'a>>,
    /// The car.
    #[serde(borrow, default)]
    pub title_v2: Option<Str<'a>>,
    /// The advert.
    #[serde(borrow, default)]
    pub offer: Option<Offer<'a>>,
    /// Pictures of the car by size: `1200x900`, `small`.
    #[serde(borrow, default)]
    pub image: Option<BTreeMap<Str<'a>, Str<'a>>>,
}

/// An advert.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Offer<'a> {
    /// What names it.
    #[serde(borrow, default)]
    pub source: Option<OfferName<'a>>,
}

/// What names an advert.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct OfferName<'a> {
    /// `cars`, `moto`, `trucks`.
    #[serde(borrow, default)]
    pub category: Option<Str<'a>>,
    /// Its id: `1100000001-aabbccdd`.
    #[serde(borrow, default)]
    pub id: Option<Id<'a>>,
}

/// A message in a room.
#[derive(Clone, Debug, Deserialize)]
pub struct Message<'a> {
    /// Its id.
    #[serde(borrow)]
    pub id: Id<'a>,
    /// Who wrote it.
    #[serde(borrow)]
    pub author: Id<'a>,
    /// When, ISO 8601.
    #[serde(borrow)]
    pub created: Str<'a>,
    /// What it says.
    #[serde(borrow, default)]
    pub payload: Option<Payload<'a>>,
    /// Pictures.
    #[serde(borrow, default)]
    pub attachments: Vec<Attachment<'a>>,
    /// Whether the user of the session wrote it; absent when not.
    #[serde(default)]
    pub me: Option<bool>,
    /// The id that its sender gave it.
    #[serde(borrow, default)]
    pub provided_id: Option<Str<'a>>,
}

/// Words.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Payload<'a> {
    /// `TEXT_PLAIN`, or `TEXT_HTML` for what Auto.ru writes by itself.
    #[serde(borrow)]
    pub content_type: Str<'a>,
    /// The words; absent beside a picture alone.
    #[serde(borrow, default)]
    pub value: Option<Str<'a>>,
}

/// Something beside the words.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Attachment<'a> {
    /// A picture.
    #[serde(borrow, default)]
    pub image: Option<Image<'a>>,
}

/// A picture.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Image<'a> {
    /// Its addresses by size: `1200x900`.
    #[serde(borrow, default)]
    pub sizes: BTreeMap<Str<'a>, Str<'a>>,
}

/// What a message of ours is posted as.
#[derive(Clone, Debug, Serialize)]
pub struct NewMessage<'a> {
    /// Where.
    pub room_id: &'a str,
    /// What it says.
    pub payload: Payload<'a>,
    /// Our id; a repeat with the same is ignored.
    pub provided_id: String,
}

/// `POST /chat/message`: the message may be absent.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Posted<'a> {
    /// The message as it stands in the room.
    #[serde(borrow, default)]
    pub message: Option<PostedMessage<'a>>,
}

/// A message of ours as it stands in the room.
#[derive(Clone, Debug, Deserialize)]
pub struct PostedMessage<'a> {
    /// Its id.
    #[serde(borrow)]
    pub id: Id<'a>,
}

/// `POST /auth/login`, what is asked.
#[derive(Debug, Serialize)]
pub struct Login<'a> {
    /// Phone number or e-mail.
    pub login: &'a str,
    /// Password.
    pub password: &'a str,
}

/// `POST /auth/login`, what is answered.
#[derive(Clone, Debug, Deserialize)]
pub struct LoggedIn<'a> {
    /// The session.
    #[serde(borrow)]
    pub session: Session<'a>,
}

/// A session.
#[derive(Clone, Debug, Deserialize)]
pub struct Session<'a> {
    /// What calls are made with.
    #[serde(borrow)]
    pub id: Str<'a>,
    /// How many seconds it lasts, as a number or its digits.
    #[serde(borrow, default)]
    pub ttl_sec: Option<Id<'a>>,
}

/// `GET /dealer/account`.
#[derive(Clone, Debug, Deserialize)]
pub struct Dealer<'a> {
    /// The account's number.
    #[serde(borrow)]
    pub account_id: Id<'a>,
}

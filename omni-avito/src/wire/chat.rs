//! Chats: who talks, and about what.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{ItemImages, Sizes, Str, lenient};

/// A chat.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)] // the provider's fields
pub struct Chat<'a> {
    #[serde(borrow)]
    pub id: Str<'a>,
    /// When something was last said, in seconds.
    #[serde(default, deserialize_with = "lenient")]
    pub updated: Option<i64>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub context: Option<Context<'a>>,
    /// Both sides; each is read by itself.
    #[serde(borrow, default)]
    pub users: Vec<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub last_message: Option<LastMessage<'a>>,
}

/// What a chat is about.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Context<'a> {
    #[serde(borrow, rename = "type")]
    pub kind: Str<'a>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub value: Option<Advert<'a>>,
}

/// The advert that a chat is about.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Advert<'a> {
    #[serde(default, deserialize_with = "lenient")]
    pub id: Option<i64>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub title: Option<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub price_string: Option<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub url: Option<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub images: Option<ItemImages<'a>>,
}

/// One side of a chat.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct User<'a> {
    pub id: i64,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub name: Option<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub public_user_profile: Option<PublicProfile<'a>>,
}

/// What anybody may know of a person.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct PublicProfile<'a> {
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub avatar: Option<Avatar<'a>>,
}

/// A person's picture.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Avatar<'a> {
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub default: Option<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub images: Option<Images<'a>>,
}

/// A picture by its sizes.
pub type Images<'a> = Sizes<'a>;

/// The last message of a chat, as its list tells it.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct LastMessage<'a> {
    #[serde(borrow)]
    pub id: Str<'a>,
    #[serde(default, deserialize_with = "lenient")]
    pub author_id: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    pub created: Option<i64>,
    #[serde(borrow, rename = "type")]
    pub kind: Str<'a>,
    /// When the other side read it (*unverified* in the list).
    #[serde(default, deserialize_with = "lenient")]
    pub read: Option<i64>,
}

//! Webhooks, messages and what is in them.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Str, lenient};

/// A webhook. A readiness test of Avito's posts `{}`.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)] // the provider's fields, described at the address above
pub struct Hook<'a> {
    /// Of the delivery, not of what happened.
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub id: Option<Str<'a>>,
    #[serde(borrow)]
    pub payload: Option<Payload<'a>>,
}

/// What happened. Only the type `message` is described.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Payload<'a> {
    #[serde(borrow, rename = "type")]
    pub kind: Str<'a>,
    #[serde(borrow)]
    pub value: Option<&'a RawValue>,
}

/// A message, in a webhook or in a chat's history. Chat, account and advert stand in webhooks only.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Message<'a> {
    #[serde(borrow)]
    pub id: Str<'a>,
    #[serde(borrow)]
    pub chat_id: Option<Str<'a>>,
    /// The account whose webhook it is.
    pub user_id: Option<i64>,
    /// Who wrote it; ours when it is the account.
    pub author_id: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    pub created: Option<i64>,
    #[serde(borrow, rename = "type")]
    pub kind: Str<'a>,
    /// `u2i` about an advert, `u2u` from a profile, `a2u` from Avito.
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub chat_type: Option<Str<'a>>,
    #[serde(default, deserialize_with = "lenient")]
    pub item_id: Option<i64>,
    /// `in` or `out`; in history only.
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub direction: Option<Str<'a>>,
    /// When the other side read it, in seconds.
    #[serde(default, deserialize_with = "lenient")]
    pub read: Option<i64>,
    /// By type; what it is not is read later, so that it costs nothing but itself.
    #[serde(borrow)]
    pub content: Option<&'a RawValue>,
    /// The message it answers; in history only.
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub quote: Option<Quote<'a>>,
}

/// What names a message that cannot be read otherwise.
#[derive(Debug, Default, Deserialize)]
#[allow(missing_docs)]
pub struct Named<'a> {
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub id: Option<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "lenient", rename = "type")]
    pub kind: Option<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub chat_id: Option<Str<'a>>,
    #[serde(default, deserialize_with = "lenient")]
    pub user_id: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    pub created: Option<i64>,
}

/// A message that is answered.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Quote<'a> {
    #[serde(borrow)]
    pub id: Str<'a>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub content: Option<Content<'a>>,
}

/// What a message says; which field is there depends on its type.
#[derive(Debug, Default, Deserialize)]
#[allow(missing_docs)]
pub struct Content<'a> {
    #[serde(borrow)]
    pub text: Option<Str<'a>>,
    /// Names the bot of Avito's that wrote a system message.
    #[serde(borrow)]
    pub flow_id: Option<Str<'a>>,
    #[serde(borrow)]
    pub image: Option<Image<'a>>,
    #[serde(borrow)]
    pub voice: Option<Voice<'a>>,
    #[serde(borrow)]
    pub link: Option<Link<'a>>,
    #[serde(borrow)]
    pub location: Option<Location<'a>>,
    #[serde(borrow)]
    pub item: Option<Item<'a>>,
    #[serde(borrow)]
    pub call: Option<Call<'a>>,
}

/// Addresses of one picture by its size, `WIDTHxHEIGHT`.
pub type Sizes<'a> = HashMap<Str<'a>, Option<Str<'a>>>;

/// A picture.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Image<'a> {
    #[serde(borrow)]
    pub sizes: Sizes<'a>,
}

/// A voice message: opus within mp4.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Voice<'a> {
    #[serde(borrow)]
    pub voice_id: Str<'a>,
}

/// Words with an address in them.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Link<'a> {
    #[serde(borrow)]
    pub text: Option<Str<'a>>,
    #[serde(borrow)]
    pub url: Option<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub preview: Option<Preview<'a>>,
}

/// What is at the address of a [`Link`].
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Preview<'a> {
    #[serde(borrow)]
    pub title: Option<Str<'a>>,
}

/// A place.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Location<'a> {
    pub lat: f64,
    pub lon: f64,
    #[serde(borrow)]
    pub title: Option<Str<'a>>,
    #[serde(borrow)]
    pub text: Option<Str<'a>>,
}

/// An advert sent into a chat. The names of the second kind are those of a chat's context, seen here too
/// (*community*).
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Item<'a> {
    #[serde(default, deserialize_with = "lenient")]
    pub id: Option<i64>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub title: Option<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub price_string: Option<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub item_url: Option<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub image_url: Option<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub url: Option<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "lenient")]
    pub images: Option<ItemImages<'a>>,
}

/// Pictures of an advert.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct ItemImages<'a> {
    #[serde(borrow)]
    pub main: Sizes<'a>,
}

/// A call by Avito's own telephony.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Call<'a> {
    /// `missed` is the only one described.
    #[serde(borrow)]
    pub status: Str<'a>,
    pub target_user_id: Option<i64>,
}

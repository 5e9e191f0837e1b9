//! What hangs on a message.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Str;

/// One attachment: its kind, and an object under the kind's name.
/// <https://dev.vk.com/reference/objects/attachments-message>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)] // the provider's names
pub struct Attachment<'a> {
    #[serde(borrow, rename = "type")]
    pub kind: Str<'a>,
    #[serde(borrow)]
    pub photo: Option<Photo<'a>>,
    #[serde(borrow)]
    pub doc: Option<Document<'a>>,
    #[serde(borrow)]
    pub audio_message: Option<AudioMessage<'a>>,
    #[serde(borrow)]
    pub video: Option<Video<'a>>,
    #[serde(borrow)]
    pub audio: Option<Audio<'a>>,
    #[serde(borrow)]
    pub sticker: Option<Sticker<'a>>,
    #[serde(borrow)]
    pub graffiti: Option<Graffiti<'a>>,
    #[serde(borrow)]
    pub link: Option<Link<'a>>,
    #[serde(borrow)]
    pub market: Option<Market<'a>>,
    #[serde(borrow)]
    pub wall: Option<Wall<'a>>,
    #[serde(borrow)]
    pub wall_reply: Option<WallReply<'a>>,
    #[serde(borrow)]
    pub call: Option<Call<'a>>,
}

/// A picture in several sizes. <https://dev.vk.com/reference/objects/photo>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Photo<'a> {
    #[serde(default)]
    pub id: i64,
    #[serde(default)]
    pub owner_id: i64,
    #[serde(borrow)]
    pub access_key: Option<Str<'a>>,
    #[serde(borrow)]
    pub text: Option<Str<'a>>,
    #[serde(borrow)]
    pub orig_photo: Option<PhotoSize<'a>>,
    #[serde(borrow, default)]
    pub sizes: Vec<PhotoSize<'a>>,
}

/// One size of a picture.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs)]
pub struct PhotoSize<'a> {
    #[serde(borrow)]
    pub url: Str<'a>,
    #[serde(default)]
    pub width: u32,
    #[serde(default)]
    pub height: u32,
}

/// A file. <https://dev.vk.com/reference/objects/doc>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Document<'a> {
    #[serde(default)]
    pub id: i64,
    #[serde(default)]
    pub owner_id: i64,
    #[serde(borrow)]
    pub title: Option<Str<'a>>,
    pub size: Option<u64>,
    #[serde(borrow)]
    pub ext: Option<Str<'a>>,
    /// 3 is a moving picture.
    #[serde(default, rename = "type")]
    pub class: i64,
    #[serde(borrow)]
    pub url: Option<Str<'a>>,
    #[serde(borrow)]
    pub access_key: Option<Str<'a>>,
}

/// Recorded speech.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct AudioMessage<'a> {
    #[serde(default)]
    pub id: i64,
    #[serde(default)]
    pub owner_id: i64,
    pub duration: Option<u32>,
    #[serde(borrow)]
    pub link_ogg: Option<Str<'a>>,
    #[serde(borrow)]
    pub link_mp3: Option<Str<'a>>,
    #[serde(borrow)]
    pub access_key: Option<Str<'a>>,
    /// What was said, as VK understood it; it may be missing at first. (community: negezor/vk-io)
    #[serde(borrow)]
    pub transcript: Option<Str<'a>>,
}

/// A film; its file is not told to communities. <https://dev.vk.com/reference/objects/video>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Video<'a> {
    #[serde(default)]
    pub id: i64,
    #[serde(default)]
    pub owner_id: i64,
    #[serde(borrow)]
    pub title: Option<Str<'a>>,
    #[serde(borrow)]
    pub access_key: Option<Str<'a>>,
    #[serde(borrow, default)]
    pub image: Vec<PhotoSize<'a>>,
}

/// Music; its address is empty for communities.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Audio<'a> {
    #[serde(default)]
    pub id: i64,
    #[serde(default)]
    pub owner_id: i64,
    #[serde(borrow)]
    pub artist: Option<Str<'a>>,
    #[serde(borrow)]
    pub title: Option<Str<'a>>,
    pub duration: Option<u32>,
    #[serde(borrow)]
    pub url: Option<Str<'a>>,
}

/// A sticker. <https://dev.vk.com/reference/objects/sticker>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Sticker<'a> {
    #[serde(default)]
    pub sticker_id: i64,
    #[serde(borrow, default)]
    pub images: Vec<PhotoSize<'a>>,
    #[serde(borrow)]
    pub animation_url: Option<Str<'a>>,
}

/// A drawing.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Graffiti<'a> {
    #[serde(default)]
    pub id: i64,
    #[serde(default)]
    pub owner_id: i64,
    #[serde(borrow)]
    pub url: Str<'a>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    #[serde(borrow)]
    pub access_key: Option<Str<'a>>,
}

/// A page.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Link<'a> {
    #[serde(borrow)]
    pub url: Str<'a>,
    #[serde(borrow)]
    pub title: Option<Str<'a>>,
    #[serde(borrow)]
    pub caption: Option<Str<'a>>,
    #[serde(borrow)]
    pub photo: Option<&'a RawValue>,
}

/// Goods. <https://dev.vk.com/reference/objects/market-item>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Market<'a> {
    pub id: i64,
    pub owner_id: i64,
    #[serde(borrow)]
    pub title: Option<Str<'a>>,
    #[serde(borrow)]
    pub price: Option<Price<'a>>,
    #[serde(borrow)]
    pub thumb_photo: Option<Str<'a>>,
}

/// What goods cost.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Price<'a> {
    /// With the currency, as VK shows it.
    #[serde(borrow)]
    pub text: Option<Str<'a>>,
}

/// A post. <https://dev.vk.com/reference/objects/post>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Wall<'a> {
    pub id: i64,
    /// On whose wall; the name differs between methods.
    #[serde(alias = "owner_id")]
    pub to_id: i64,
    #[serde(borrow)]
    pub text: Option<Str<'a>>,
}

/// A comment under a post.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct WallReply<'a> {
    pub id: i64,
    pub post_id: i64,
    pub owner_id: i64,
    #[serde(borrow)]
    pub text: Option<Str<'a>>,
}

/// A call.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Call<'a> {
    #[serde(default)]
    pub initiator_id: i64,
    /// `reached` when they spoke.
    #[serde(borrow)]
    pub state: Option<Str<'a>>,
    pub duration: Option<u32>,
}

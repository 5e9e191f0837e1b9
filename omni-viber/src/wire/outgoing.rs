//! Bodies of calls.

use serde::Serialize;

/// A message to one person, to many, or to whoever has just opened the chat.
/// <https://developers.viber.com/docs/api/rest-bot-api/#general-send-message-parameters>
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Outgoing {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receiver: Option<String>,
    /// At most 300, in place of a receiver.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub broadcast_list: Vec<String>,
    /// What the person's app must understand; others do not get the message.
    pub min_api_version: u8,
    pub sender: Face,
    /// Never `null`: that is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking_data: Option<String>,
    #[serde(flatten)]
    pub body: Body,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyboard: Option<Keyboard>,
}

/// In whose name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct Face {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
}

/// What a message says, by kind.
/// <https://github.com/Viber/creators-hub/blob/main/docs/bots-api/data-models/message.md>
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Body {
    Text {
        text: String,
    },
    Picture {
        /// Has to be there, and may be empty.
        text: String,
        media: String,
    },
    Video {
        /// Not in the documentation, and in Viber's own client library:
        /// <https://github.com/Viber/viber-bot-node/blob/master/lib/message/video-message.js>
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        media: String,
        size: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        duration: Option<u32>,
    },
    File {
        media: String,
        size: u64,
        file_name: String,
    },
    Contact {
        contact: ContactOut,
    },
    Location {
        location: LocationOut,
    },
    Url {
        media: String,
    },
    Sticker {
        sticker_id: u64,
    },
    RichMedia {
        /// What older apps show.
        alt_text: String,
        rich_media: RichMedia,
    },
}

/// A person's card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct ContactOut {
    pub name: String,
    pub phone_number: String,
}

/// A place.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct LocationOut {
    pub lat: f64,
    pub lon: f64,
}

/// Keys in place of the person's keyboard, gone with our next message that has none.
/// <https://developers.viber.com/docs/tools/keyboards/>
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "Type", rename = "keyboard", rename_all = "PascalCase")]
#[allow(missing_docs)]
pub struct Keyboard {
    /// Whether it is as high as the app's own keyboard.
    pub default_height: bool,
    pub buttons: Vec<Key>,
}

/// Cards to look through.
/// <https://developers.viber.com/docs/api/rest-bot-api/#rich-media-message--carousel-content-message>
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "Type", rename = "rich_media", rename_all = "PascalCase")]
#[allow(missing_docs)]
pub struct RichMedia {
    pub buttons_group_columns: u8,
    /// A new card begins when its rows are filled.
    pub buttons_group_rows: u8,
    pub bg_color: &'static str,
    pub buttons: Vec<Card>,
}

/// A key of a keyboard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs)]
pub struct Key {
    /// Of six.
    pub columns: u8,
    pub rows: u8,
    pub action_type: ActionType,
    /// What comes back as the person's message, or the page to open.
    pub action_body: String,
    pub text: String,
    /// Whether the press shows nothing in the chat.
    pub silent: bool,
}

/// A part of a card: a picture or words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs)]
pub struct Card {
    pub columns: u8,
    pub rows: u8,
    pub action_type: ActionType,
    pub action_body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    pub silent: bool,
}

/// What pressing does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum ActionType {
    Reply,
    OpenUrl,
    LocationPicker,
    SharePhone,
    None,
}

/// Registers a webhook, or takes it back with an empty address.
/// <https://developers.viber.com/docs/api/rest-bot-api/#setting-a-webhook>
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct SetWebhook<'a> {
    pub url: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub event_types: &'a [&'a str],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_name: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_photo: Option<bool>,
}

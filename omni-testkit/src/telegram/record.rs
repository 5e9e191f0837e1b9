//! What a test reads back: messages, calls, deliveries and counters.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::{error::ApiError, params::CallFile};

/// Who wrote a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Author {
    /// The bot, through the API.
    Bot,
    /// The channel itself.
    Channel,
    /// A person, named by their id. In a business chat this may be the owner, writing from their own phone.
    Person(i64),
    /// Nobody: a service message about the chat.
    Service,
}

/// One message of a transcript, with what became of it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Id within the chat.
    pub message_id: i64,
    /// Who wrote it.
    pub author: Author,
    /// The current content as a `Message` object (<https://core.telegram.org/bots/api#message>).
    pub json: Value,
    /// A reply keyboard, its removal or a forced reply that came with it; inline keyboards are in `json`.
    pub keyboard: Option<Value>,
    /// Reactions of the bot.
    pub bot_reactions: Vec<Value>,
    /// Reactions of people, by their id.
    pub reactions: BTreeMap<i64, Vec<Value>>,
    /// How often it was edited.
    pub edits: u32,
    /// It was deleted; the content stays readable here.
    pub deleted: bool,
    /// The bot marked it read (business chats only).
    pub read: bool,
    /// It was sent with `disable_notification`.
    pub silent: bool,
}

impl Entry {
    pub(crate) fn new(message_id: i64, author: Author, json: Value) -> Self {
        Self {
            message_id,
            author,
            json,
            keyboard: None,
            bot_reactions: Vec::new(),
            reactions: BTreeMap::new(),
            edits: 0,
            deleted: false,
            read: false,
            silent: false,
        }
    }

    /// The text, or the caption of media; empty when there is none.
    #[must_use]
    pub fn text(&self) -> &str {
        let text = self.json.get("text").or_else(|| self.json.get("caption"));
        text.and_then(Value::as_str).unwrap_or_default()
    }

    /// The content's key in the `Message` object: `text`, `photo`, `document`, `location`, ...
    #[must_use]
    pub fn kind(&self) -> &'static str {
        KINDS.into_iter().find(|kind| self.json.get(*kind).is_some()).unwrap_or("other")
    }

    /// Whether the bot wrote it.
    #[must_use]
    pub fn is_from_bot(&self) -> bool {
        self.author == Author::Bot
    }

    /// The message it answers, if it is a reply.
    #[must_use]
    pub fn reply_to(&self) -> Option<i64> {
        self.json.get("reply_to_message")?.get("message_id")?.as_i64()
    }

    /// Inline buttons in reading order.
    #[must_use]
    pub fn buttons(&self) -> Vec<Button> {
        let rows =
            self.json.get("reply_markup").and_then(|m| m.get("inline_keyboard")).and_then(Value::as_array);
        let cells = rows.into_iter().flatten().filter_map(Value::as_array).flatten();
        cells.map(Button::from_json).collect()
    }

    /// Emoji that people and the bot have put under it.
    #[must_use]
    pub fn emoji(&self) -> Vec<String> {
        let all = self.reactions.values().flatten().chain(&self.bot_reactions);
        all.filter_map(|reaction| reaction.get("emoji")?.as_str().map(str::to_owned)).collect()
    }
}

/// Content keys, the specific ones before those they bring along.
const KINDS: [&str; 24] = [
    "animation",
    "venue",
    "text",
    "photo",
    "document",
    "video",
    "voice",
    "audio",
    "video_note",
    "sticker",
    "location",
    "contact",
    "poll",
    "dice",
    "story",
    "paid_media",
    "invoice",
    "forum_topic_created",
    "forum_topic_closed",
    "forum_topic_reopened",
    "new_chat_members",
    "left_chat_member",
    "migrate_to_chat_id",
    "migrate_from_chat_id",
];

/// An inline button as the customer sees it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Button {
    /// The label.
    pub text: String,
    /// What a press sends back to the bot.
    pub callback_data: Option<String>,
    /// What a press opens.
    pub url: Option<String>,
}

impl Button {
    fn from_json(button: &Value) -> Self {
        let field = |name: &str| button.get(name).and_then(Value::as_str).map(str::to_owned);
        Self {
            text: field("text").unwrap_or_default(),
            callback_data: field("callback_data"),
            url: field("url"),
        }
    }
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Carried out and answered.
    Accepted,
    /// Carried out, but the answer was withheld or cut by a fault.
    AcceptedUnanswered,
    /// Refused with this error, by the rules or by a fault.
    Rejected(ApiError),
    /// Neither carried out nor answered with an API error: a fault came first.
    Faulted,
}

/// One call of the Bot API. `getUpdates` is counted but not listed.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method in lower case; methods are case-insensitive.
    pub method: String,
    /// Parameters as they came; in form encodings the values are strings.
    pub params: Value,
    /// Uploaded files.
    pub files: Vec<CallFile>,
    /// What came of it.
    pub outcome: Outcome,
}

impl Call {
    /// Whether the call took effect, answered or not.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        matches!(self.outcome, Outcome::Accepted | Outcome::AcceptedUnanswered)
    }
}

/// One request to the bot's webhook.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The update that was carried.
    pub update_id: i64,
    /// Which try this was, from 1.
    pub attempt: u32,
    /// The status answered, or nothing when there was no answer.
    pub status: Option<u16>,
    /// The fault this request carried, if any.
    pub fault: Option<super::faults::WebhookFault>,
}

/// An update that was made for the bot.
#[derive(Clone, Debug)]
pub struct UpdateRecord {
    /// Its id.
    pub update_id: i64,
    /// The `Update` object.
    pub json: Value,
    /// It waits for delivery or confirmation.
    pub is_pending: bool,
}

/// Numbers that are kept in every mode.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// Calls that arrived, by method in lower case.
    pub calls: HashMap<String, u64>,
    /// Messages that the bot sent, by text (only kept with `Record::Counters`).
    pub texts: HashMap<String, u64>,
    /// Messages that the bot sent.
    pub sent: u64,
    /// Calls refused by the rules.
    pub rejected: u64,
    /// Calls that met a fault.
    pub faulted: u64,
    /// Updates made.
    pub updates: u64,
    /// Updates confirmed by the poller or taken by the webhook.
    pub delivered: u64,
    /// Updates dropped after 24 hours.
    pub expired: u64,
    /// Webhook requests made, repeats included.
    pub webhook_requests: u64,
    /// Webhook requests that were not answered with 2xx.
    pub webhook_failures: u64,
}

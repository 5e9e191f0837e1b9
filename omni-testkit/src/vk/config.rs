//! How a simulator is set up: its settings, communities, people.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

/// Settings of a simulator. `SimConfig::default()` sets no rate limits and repeats webhooks fast.
#[derive(Clone, Debug)]
pub struct SimConfig {
    /// First pause between two tries of a webhook; it doubles with every try. VK's own pauses are not documented.
    pub retry_pause: Duration,
    /// How often a webhook is tried before VK gives up on it.
    pub tries: u32,
    /// How long one webhook may take (about 10 s: from memory).
    pub webhook_timeout: Duration,
    /// How long `wait_for` waits before it panics.
    pub wait_timeout: Duration,
    /// Answer error 6 above 20 calls a second with a community's token, and above 3 with a person's
    /// (<https://dev.vk.com/api/api-requests>, read 2026-11).
    pub rate_limits: bool,
    /// Send `secret` with `confirmation`. VK does so only when the key was set before.
    pub secret_in_confirmation: bool,
    /// When the community is told of its own sends.
    pub echo: EchoOrder,
    /// Signs in a text before error 914. VK's schema says 9000, its clients cut at 4096.
    pub text_limit: usize,
    /// How old a message may be to be edited, and to be deleted for all (24 h: from memory).
    pub change_age: Duration,
    /// How long a pressed callback key can be answered (a minute: from memory).
    pub ticket_age: Duration,
    /// Events that long polling keeps for those who come late.
    pub poll_history: usize,
    /// Calls of `groups.getLongPollServer` within a second before error 29.
    pub poll_quota: usize,
    /// Endings of names with which documents are not taken (`exe` and `mp3`: from memory).
    pub barred_documents: Vec<String>,
    /// Calls and events kept; the oldest are forgotten first.
    pub max_records: usize,
    /// Seed of everything random: keys, codes, ids of events.
    pub seed: u64,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            retry_pause: Duration::from_millis(20),
            tries: 12,
            webhook_timeout: Duration::from_secs(10),
            wait_timeout: Duration::from_secs(10),
            rate_limits: false,
            secret_in_confirmation: true,
            echo: EchoOrder::AnyTime,
            text_limit: 4096,
            change_age: Duration::from_secs(24 * 3600),
            ticket_age: Duration::from_secs(60),
            poll_history: 1000,
            poll_quota: 10,
            barred_documents: vec!["exe".to_owned(), "mp3".to_owned()],
            max_records: 100_000,
            seed: 1,
        }
    }
}

/// When `message_reply` of a message sent by API reaches the community.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum EchoOrder {
    /// Before the call is answered: the answer waits for the webhooks.
    BeforeAnswer,
    /// As it happens to come.
    #[default]
    AnyTime,
    /// This long after the message was taken.
    Late(Duration),
}

/// Rights of a token, as bits (<https://dev.vk.com/reference/access-rights>, read 2026-11).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scope {
    /// Photos.
    Photos = 4,
    /// Messages.
    Messages = 4096,
    /// Documents.
    Docs = 131_072,
    /// Management of a community; `groups` for a person's token.
    Manage = 262_144,
}

impl Scope {
    /// All of them.
    pub const ALL: [Scope; 4] = [Scope::Photos, Scope::Messages, Scope::Docs, Scope::Manage];

    pub(crate) fn bit(self) -> i64 {
        self as i64
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Photos => "photos",
            Self::Messages => "messages",
            Self::Docs => "docs",
            Self::Manage => "manage",
        }
    }
}

/// A community as its owner made it.
#[derive(Clone, Debug)]
pub struct CommunityProfile {
    /// Its id, positive.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The short name of its page.
    pub screen_name: String,
    /// Community messages are on.
    pub has_messages: bool,
    /// Bot capabilities are on; without them keyboards answer 912.
    pub has_bots: bool,
}

impl CommunityProfile {
    /// A community with messages and bot capabilities on.
    #[must_use]
    pub fn new(id: i64, name: impl Into<String>, screen_name: impl Into<String>) -> Self {
        let (name, screen_name) = (name.into(), screen_name.into());
        Self { id, name, screen_name, has_messages: true, has_bots: true }
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "id": self.id, "name": self.name, "screen_name": self.screen_name, "is_closed": 0, "type": "page",
            "photo_50": format!("https://sun1.userapi.com/c{}_50.jpg", self.id),
            "photo_100": format!("https://sun1.userapi.com/c{}_100.jpg", self.id),
            "photo_200": format!("https://sun1.userapi.com/c{}_200.jpg", self.id),
        })
    }
}

/// A person's profile.
#[derive(Clone, Debug)]
pub struct User {
    /// Id, positive.
    pub id: i64,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Short name of the page; `id<id>` when none was taken.
    pub screen_name: Option<String>,
}

impl User {
    /// A person.
    #[must_use]
    pub fn new(id: i64, first_name: impl Into<String>, last_name: impl Into<String>) -> Self {
        Self { id, first_name: first_name.into(), last_name: last_name.into(), screen_name: None }
    }

    /// Sets the short name.
    #[must_use]
    pub fn screen_name(self, name: impl Into<String>) -> Self {
        Self { screen_name: Some(name.into()), ..self }
    }

    pub(crate) fn handle(&self) -> String {
        self.screen_name.clone().unwrap_or_else(|| format!("id{}", self.id))
    }
}

/// A file that a person sends.
#[derive(Clone, Debug)]
pub struct Upload {
    /// File name.
    pub name: String,
    /// The bytes.
    pub bytes: Bytes,
}

impl Upload {
    /// A file.
    #[must_use]
    pub fn new(name: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self { name: name.into(), bytes: bytes.into() }
    }
}

/// A thing that the community sells.
#[derive(Clone, Debug)]
pub struct Item {
    /// Id of the item.
    pub id: i64,
    /// Its title.
    pub title: String,
    /// Its price in hundredths of a rouble.
    pub kopecks: i64,
}

impl Item {
    /// A thing with its price.
    #[must_use]
    pub fn new(id: i64, title: impl Into<String>, kopecks: i64) -> Self {
        Self { id, title: title.into(), kopecks }
    }

    pub(crate) fn to_json(&self, owner: i64) -> Value {
        json!({
            "id": self.id, "owner_id": owner, "title": self.title, "description": "",
            "price": {"amount": self.kopecks.to_string(), "currency": {"id": 643, "name": "RUB"},
                "text": format!("{} руб.", self.kopecks / 100)},
            "thumb_photo": format!("https://sun9-1.userapi.com/item{}.jpg", self.id), "availability": 0,
        })
    }
}

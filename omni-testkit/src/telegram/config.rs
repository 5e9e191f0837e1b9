//! How a simulator is set up.

use std::{net::SocketAddr, time::Duration};

use serde_json::{Value, json};

use super::{json::set, limits::RateLimits};

/// Settings of a simulator. `SimConfig::default()` takes webhooks over plain HTTP, sets
/// no rate limits and records everything.
///
/// ```
/// # use std::time::Duration;
/// # use omni_testkit::telegram::SimConfig;
/// let config = SimConfig { retry_base: Duration::from_millis(5), ..SimConfig::default() };
/// assert_eq!(config.port, 0);
/// ```
#[derive(Clone, Debug)]
pub struct SimConfig {
    /// Port on 127.0.0.1; 0 lets the system choose.
    pub port: u16,
    /// Take webhooks over plain HTTP and on any port, like a self-hosted server (`--local`). When `false`,
    /// `setWebhook` asks for HTTPS on 443, 80, 88 or 8443, as the cloud does.
    pub plain_webhooks: bool,
    /// Hold the cloud's file limits: 20 MB down, 10 MB a photo, 50 MB other files up. A self-hosted server
    /// has none of the first and 2000 MB for the rest.
    pub file_limits: bool,
    /// Deliver every webhook over plain HTTP to this address, whatever host its URL names (the `Host` header
    /// keeps the URL's). Lets a test register `https://…` although the simulator speaks no TLS.
    pub webhook_via: Option<SocketAddr>,
    /// How long one webhook request may take before it counts as failed.
    pub webhook_timeout: Duration,
    /// What one second of the redelivery schedule lasts: the back-off doubles from it, and a `Retry-After`
    /// of the host is multiplied by it.
    pub retry_base: Duration,
    /// How long `wait_for` waits before it panics.
    pub wait_timeout: Duration,
    /// What is kept of the traffic.
    pub record: Record,
    /// Flood control like the provider's; none by default.
    pub rate_limits: Option<RateLimits>,
    /// Refuse a second `setWebhook` within a second, and slow down a poller that asks again and again with the
    /// same offset, as the server does.
    pub throttle_hooks: bool,
    /// Refuse photos that do not begin like an image (`IMAGE_PROCESS_FAILED`).
    pub check_images: bool,
    /// Messages kept in one chat; the oldest are forgotten first.
    pub max_messages: usize,
    /// Calls, deliveries and updates kept for each bot; the oldest are forgotten first.
    pub max_records: usize,
    /// Largest request body; a larger one is answered 413.
    pub max_body: usize,
    /// Seed of everything random: faults, shuffles, first ids.
    pub seed: u64,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            port: 0,
            plain_webhooks: true,
            file_limits: true,
            webhook_via: None,
            webhook_timeout: Duration::from_secs(60),
            retry_base: Duration::from_secs(1),
            wait_timeout: Duration::from_secs(10),
            record: Record::Full,
            rate_limits: None,
            throttle_hooks: false,
            check_images: false,
            max_messages: 10_000,
            max_records: 100_000,
            max_body: 64 << 20,
            seed: 1,
        }
    }
}

/// How much a simulator remembers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Record {
    /// Transcripts, calls, deliveries and files.
    #[default]
    Full,
    /// Only numbers: for each method, and for each text sent by the bot. Messages are not stored, so edits,
    /// deletions and reactions answer `message … not found`, and a reply to any id given out is accepted.
    /// For load tests.
    Counters,
}

/// A bot as BotFather made it, in the words of `getMe` (<https://core.telegram.org/bots/api#getme>).
#[derive(Clone, Debug)]
pub struct BotProfile {
    /// Id of the bot's account; the part of the token before the colon.
    pub id: i64,
    /// Display name.
    pub first_name: String,
    /// User name without `@`.
    pub username: String,
    /// May be added to groups.
    pub can_join_groups: bool,
    /// Privacy mode is off: sees every message of its groups. When `false`, a plain member gets commands,
    /// mentions and replies to itself only.
    pub can_read_all_group_messages: bool,
    /// Business mode is on.
    pub can_connect_to_business: bool,
}

impl BotProfile {
    /// A profile with everything allowed; set the fields that matter to the test.
    #[must_use]
    pub fn new(id: i64, first_name: impl Into<String>, username: impl Into<String>) -> Self {
        Self {
            id,
            first_name: first_name.into(),
            username: username.into(),
            can_join_groups: true,
            can_read_all_group_messages: true,
            can_connect_to_business: true,
        }
    }

    /// The bot as the `from` of its messages.
    pub(crate) fn as_user(&self) -> Value {
        json!({"id": self.id, "is_bot": true, "first_name": self.first_name, "username": self.username})
    }

    /// The answer of `getMe`.
    pub(crate) fn as_me(&self) -> Value {
        json!({
            "id": self.id, "is_bot": true, "first_name": self.first_name, "username": self.username,
            "can_join_groups": self.can_join_groups,
            "can_read_all_group_messages": self.can_read_all_group_messages,
            "supports_inline_queries": false,
            "can_connect_to_business": self.can_connect_to_business,
            "has_main_web_app": false, "has_topics_enabled": false,
            "allows_users_to_create_topics": false, "can_manage_bots": false,
        })
    }
}

/// A person as the Bot API shows them (<https://core.telegram.org/bots/api#user>).
#[derive(Clone, Debug)]
pub struct User {
    /// Id of the account, and of the private chat with it.
    pub id: i64,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: Option<String>,
    /// User name without `@`.
    pub username: Option<String>,
    /// Language tag of the person's app.
    pub language_code: Option<String>,
    /// Phone number, shown only when the person shares it.
    pub phone: Option<String>,
    /// Has Telegram Premium.
    pub is_premium: bool,
}

impl User {
    /// A person with an id and a first name.
    #[must_use]
    pub fn new(id: i64, first_name: impl Into<String>) -> Self {
        Self {
            id,
            first_name: first_name.into(),
            last_name: None,
            username: None,
            language_code: None,
            phone: None,
            is_premium: false,
        }
    }

    /// Sets the last name.
    #[must_use]
    pub fn last_name(mut self, name: impl Into<String>) -> Self {
        self.last_name = Some(name.into());
        self
    }

    /// Sets the user name.
    #[must_use]
    pub fn username(mut self, name: impl Into<String>) -> Self {
        self.username = Some(name.into());
        self
    }

    /// Sets the language tag.
    #[must_use]
    pub fn language(mut self, tag: impl Into<String>) -> Self {
        self.language_code = Some(tag.into());
        self
    }

    /// Sets the phone number.
    #[must_use]
    pub fn phone(mut self, number: impl Into<String>) -> Self {
        self.phone = Some(number.into());
        self
    }

    /// The person as a `User` object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut user = json!({"id": self.id, "is_bot": false, "first_name": self.first_name});
        self.name_into(&mut user);
        if let Some(tag) = &self.language_code {
            set(&mut user, "language_code", tag.as_str());
        }
        if self.is_premium {
            set(&mut user, "is_premium", true);
        }
        user
    }

    /// The private chat with the person as a `Chat` object.
    pub(crate) fn as_chat(&self) -> Value {
        let mut chat = json!({"id": self.id, "type": "private", "first_name": self.first_name});
        self.name_into(&mut chat);
        chat
    }

    fn name_into(&self, object: &mut Value) {
        if let Some(name) = &self.last_name {
            set(object, "last_name", name.as_str());
        }
        if let Some(name) = &self.username {
            set(object, "username", name.as_str());
        }
    }
}

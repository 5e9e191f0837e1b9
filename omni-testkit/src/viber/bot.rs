//! One bot: what it has registered, who its people are, and what was said.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use omni_core::Timestamp;
use serde_json::Value;

use super::customer::{Customer, Person};
use super::hooks;
use crate::sim::{Ground, Poster};

/// Ids of messages go beyond what a float holds.
const FIRST_TOKEN: u64 = 5_901_234_567_890_124_001;

/// A bot at the simulator. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Bot {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) token: String,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) uri: String,
    pub(super) ground: Ground,
    pub(super) poster: Poster,
    pub(super) state: Arc<Mutex<State>>,
}

/// What changes.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) is_revoked: bool,
    pub(super) webhook: Option<Webhook>,
    pub(super) people: HashMap<String, Known>,
    tokens: u64,
}

/// What a bot has registered.
#[derive(Clone, Debug)]
pub(super) struct Webhook {
    pub(super) url: String,
    pub(super) events: Vec<String>,
    pub(super) send_name: bool,
    pub(super) send_photo: bool,
}

/// Somebody who has opened the chat, or may.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) person: Person,
    pub(super) is_subscribed: bool,
    /// Whether the person still uses Viber.
    pub(super) is_registered: bool,
    pub(super) transcript: Vec<Entry>,
    /// When messages came since the person last wrote.
    pub(super) unanswered: Vec<Timestamp>,
    /// When the bot asked about the person.
    pub(super) asked: Vec<Timestamp>,
}

/// Whose a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// The bot's.
    Bot,
    /// The person's.
    Customer,
}

/// One message, as the person's app shows it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its id.
    pub token: u64,
    /// Whose it is.
    pub from: From,
    /// When.
    pub at: Timestamp,
    /// What it says: the body of `send_message`, or the `message` of a callback.
    pub json: Value,
}

impl Entry {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.field("type")
    }

    /// The words or the caption; empty when there are none.
    #[must_use]
    pub fn text(&self) -> &str {
        self.field("text")
    }

    /// A field of text; empty when it is not there.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.json.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The keys below it, or the parts of its cards.
    #[must_use]
    pub fn keys(&self) -> Vec<Value> {
        let within =
            |name: &str| self.json.get(name).and_then(|grid| grid.get("Buttons")?.as_array().cloned());
        within("keyboard").into_iter().chain(within("rich_media")).flatten().collect()
    }
}

impl State {
    pub(super) fn next_token(&mut self) -> u64 {
        self.tokens += 1;
        FIRST_TOKEN + self.tokens
    }
}

impl Bot {
    pub(super) fn new(ground: &Ground, number: usize, token: &str, name: &str, uri: &str) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let poster = hooks::poster(ground, &state);
        let (token, name, uri) = (token.to_owned(), name.to_owned(), uri.to_owned());
        let id = format!("pa:{}", 5_075_331_234_567_890_000 + number);
        Self { inner: Arc::new(Inner { token, id, name, uri, ground: ground.clone(), poster, state }) }
    }

    /// Somebody who may talk with it; the same person again is the same customer.
    #[must_use]
    pub fn customer(&self, person: Person) -> Customer {
        let id = person.id.clone();
        self.lock().people.entry(id.clone()).or_insert_with(|| Known {
            person,
            is_subscribed: false,
            is_registered: true,
            transcript: Vec::new(),
            unanswered: Vec::new(),
            asked: Vec::new(),
        });
        Customer::new(self.clone(), id)
    }

    /// Makes its token worthless.
    pub fn revoke(&self) {
        self.lock().is_revoked = true;
    }

    /// What is registered now.
    #[must_use]
    pub fn webhook(&self) -> Option<String> {
        self.lock().webhook.as_ref().map(|webhook| webhook.url.clone())
    }

    /// Registers another program's address, as somebody with the same token does.
    pub fn steal_webhook(&self, url: &str) {
        let mut state = self.lock();
        if let Some(webhook) = &mut state.webhook {
            url.clone_into(&mut webhook.url);
        }
    }

    /// What posts its callbacks: to repeat, delay, reorder, spoil or hold them.
    #[must_use]
    pub fn hooks(&self) -> &Poster {
        &self.inner.poster
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

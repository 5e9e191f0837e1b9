//! One bot: its state behind a lock, and the handle that tests hold.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use serde_json::Value;
use tokio::sync::{Notify, watch};

use super::{
    TelegramSim,
    config::{BotProfile, SimConfig},
    faults::{FaultBox, Faults},
    json::set,
    record::{Call, Counters, Delivery, Entry, UpdateRecord},
    state::{BotState, ChatKind, Connection, Place},
    updates::{LANE_MESSAGES, Update},
};

/// What all bots of a simulator share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: SimConfig,
    pub(crate) runtime: tokio::runtime::Handle,
    pub(crate) client: Client<HttpConnector, Full<Bytes>>,
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) version: watch::Sender<u64>,
    pub(crate) clock_ahead: AtomicI64,
}

impl Shared {
    /// Seconds since 1970 on the provider's clock.
    pub(crate) fn now(&self) -> i64 {
        let real = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64);
        real + self.clock_ahead.load(Ordering::Relaxed)
    }

    /// Tells everybody who waits that something happened.
    pub(crate) fn changed(&self) {
        self.version.send_modify(|version| *version += 1);
    }
}

/// A bot inside the simulator.
#[derive(Debug)]
pub(crate) struct Bot {
    pub(crate) token: String,
    pub(crate) profile: BotProfile,
    /// The bot as the `from` of its messages, made once.
    pub(crate) user: Value,
    pub(crate) shared: Arc<Shared>,
    pub(crate) wake: Notify,
    pub(crate) faults: FaultBox,
    state: Mutex<BotState>,
}

impl Bot {
    pub(crate) fn new(token: &str, profile: BotProfile, shared: Arc<Shared>) -> Self {
        Self {
            token: token.to_owned(),
            state: Mutex::new(BotState::new(&shared.config, profile.id)),
            user: profile.as_user(),
            profile,
            shared,
            wake: Notify::new(),
            faults: FaultBox::default(),
        }
    }

    /// The state; never held across an await.
    pub(crate) fn lock(&self) -> MutexGuard<'_, BotState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A bot as a test sees it: the customers' side, the records, the faults. Cheap to clone; keeps the simulator
/// running.
#[derive(Clone, Debug)]
pub struct BotHandle {
    pub(crate) sim: TelegramSim,
    pub(crate) bot: Arc<Bot>,
}

/// A chat in a list of chats.
#[derive(Clone, Debug)]
pub struct ChatSummary {
    /// Id of the chat.
    pub chat_id: i64,
    /// Kind of the chat.
    pub kind: ChatKind,
    /// Title, or first name of the person.
    pub title: String,
    /// The business connection it belongs to, if it is not the bot's own chat.
    pub business_connection_id: Option<String>,
    /// What the bot was last seen doing: `typing` and the like.
    pub last_action: Option<String>,
}

impl BotHandle {
    /// The token of the bot.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.bot.token
    }

    /// The profile the bot was added with.
    #[must_use]
    pub fn profile(&self) -> &BotProfile {
        &self.bot.profile
    }

    /// The simulator the bot lives in.
    #[must_use]
    pub fn sim(&self) -> &TelegramSim {
        &self.sim
    }

    /// Where a client of the API sends its calls: the base URL of the simulator.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.sim.base_url()
    }

    /// Scripts faults.
    #[must_use]
    pub fn faults(&self) -> Faults<'_> {
        Faults { handle: self }
    }

    /// The messages of a chat in order of their ids, both ways, with their current content. Deleted messages
    /// are in it, marked.
    #[must_use]
    pub fn transcript(&self, chat_id: i64) -> Vec<Entry> {
        self.read(&Place::chat(chat_id))
    }

    /// The messages of a chat of a business connection's owner.
    #[must_use]
    pub fn business_transcript(&self, connection_id: &str, chat_id: i64) -> Vec<Entry> {
        self.read(&Place { chat_id, business: Some(connection_id.into()) })
    }

    /// One message of a chat, deleted or not.
    #[must_use]
    pub fn message(&self, chat_id: i64, message_id: i64) -> Option<Entry> {
        self.bot.lock().chats.get(&chat_id)?.messages.get(&message_id).cloned()
    }

    fn read(&self, place: &Place) -> Vec<Entry> {
        let state = self.bot.lock();
        state.chat(place).map(|chat| chat.messages.values().cloned().collect()).unwrap_or_default()
    }

    /// Chats the bot knows, its own first, by id.
    #[must_use]
    pub fn chats(&self) -> Vec<ChatSummary> {
        let state = self.bot.lock();
        let own = state.chats.iter().map(|(id, chat)| (None, *id, chat));
        let of = |c: &Connection| Some(c.id.to_string());
        let lent =
            state.connections.values().flat_map(|c| c.chats.iter().map(move |(id, x)| (of(c), *id, x)));
        let mut chats: Vec<ChatSummary> = own
            .chain(lent)
            .map(|(business_connection_id, chat_id, chat)| ChatSummary {
                chat_id,
                kind: chat.kind,
                title: ["title", "first_name"]
                    .iter()
                    .find_map(|field| chat.json.get(field)?.as_str())
                    .unwrap_or_default()
                    .to_owned(),
                business_connection_id,
                last_action: chat.last_action.clone(),
            })
            .collect();
        chats.sort_by(|a, b| {
            (&a.business_connection_id, a.chat_id).cmp(&(&b.business_connection_id, b.chat_id))
        });
        chats
    }

    /// Calls that took effect, in order. `getUpdates` is not listed.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.bot.lock().calls.iter().filter(|call| call.is_accepted()).cloned().collect()
    }

    /// All calls in order, refused and faulted ones too.
    #[must_use]
    pub fn attempts(&self) -> Vec<Call> {
        self.bot.lock().calls.iter().cloned().collect()
    }

    /// Requests made to the bot's webhook, in order of their ends.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.bot.lock().deliveries.iter().cloned().collect()
    }

    /// Updates made so far, pending or not.
    #[must_use]
    pub fn updates(&self) -> Vec<UpdateRecord> {
        let state = self.bot.lock();
        let records = state.history.iter().map(|update| UpdateRecord {
            update_id: update.id,
            json: serde_json::from_slice(&update.body).unwrap_or_default(),
            is_pending: state.queue.pending.contains_key(&update.id),
        });
        records.collect()
    }

    /// How many updates wait for the webhook or for a confirming offset.
    #[must_use]
    pub fn pending_updates(&self) -> usize {
        self.bot.lock().queue.pending.len()
    }

    /// Numbers kept in every recording mode.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.bot.lock().counters.clone()
    }

    /// The answer the bot gave to a pressed button, once it gave one.
    #[must_use]
    pub fn callback_answer(&self, callback_query_id: &str) -> Option<Value> {
        let state = self.bot.lock();
        state.callbacks.iter().find(|callback| callback.id == callback_query_id)?.answer.clone()
    }

    /// Sends any update, past `allowed_updates`: an object with one key beside `update_id`. Without
    /// `update_id` the next one is given; with it, that id is used as it is, even if it was used before.
    pub fn inject(&self, mut update: Value) -> i64 {
        let mut state = self.bot.lock();
        let id = update.get("update_id").and_then(Value::as_i64).unwrap_or_else(|| state.queue.next_id());
        set(&mut update, "update_id", id);
        let chat = find_chat(&update).unwrap_or(0);
        let body = Bytes::from(update.to_string());
        let update = Update { id, lane: (chat, LANE_MESSAGES), born: self.bot.shared.now(), body };
        self.bot.enqueue(&mut state, update);
        drop(state);
        self.bot.shared.changed();
        id
    }

    /// Delivers an update again although it was taken: at-least-once at its worst. Only a webhook sees it,
    /// since a poller's offset is past it. `false` when the update is not on record.
    pub fn redeliver(&self, update_id: i64) -> bool {
        let mut state = self.bot.lock();
        let Some(update) = state.history.iter().rev().find(|u| u.id == update_id).cloned() else {
            return false;
        };
        self.bot.queue_again(&mut state, update);
        true
    }

    /// Makes the token invalid, as `/revoke` at BotFather does: every call answers 401 from now on.
    pub fn revoke_token(&self) {
        self.bot.lock().is_revoked = true;
        self.bot.wake.notify_waiters();
        self.bot.shared.changed();
    }

    /// Makes a revoked token valid again.
    pub fn restore_token(&self) {
        self.bot.lock().is_revoked = false;
    }

    /// Waits until `look` finds something in this bot; see [`TelegramSim::wait_for`].
    ///
    /// # Panics
    ///
    /// When nothing was found within `SimConfig::wait_timeout`.
    pub async fn wait_for<T>(&self, what: &str, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        self.sim.wait_for(what, |_| look(self)).await
    }

    /// Waits for a message of the bot with this text or caption in one of its own chats.
    ///
    /// # Panics
    ///
    /// When it did not come within `SimConfig::wait_timeout`.
    pub async fn wait_for_text(&self, chat_id: i64, text: &str) -> Entry {
        let what = format!("a message of the bot in chat {chat_id} with the text {text:?}");
        self.wait_for(&what, |bot| {
            let state = bot.bot.lock();
            let messages = &state.chats.get(&chat_id)?.messages;
            messages.values().find(|m| m.is_from_bot() && !m.deleted && m.text() == text).cloned()
        })
        .await
    }

    /// Waits until every update was taken by the webhook or confirmed by the poller.
    ///
    /// # Panics
    ///
    /// When some still waited after `SimConfig::wait_timeout`.
    pub async fn wait_for_empty_queue(&self) {
        self.wait_for("an empty queue of updates", |bot| (bot.pending_updates() == 0).then_some(())).await;
    }

    /// A few lines about the bot for a panic message.
    pub(crate) fn describe(&self) -> String {
        let state = self.bot.lock();
        let hook = state.queue.webhook.as_ref();
        let mut text = format!(
            "bot {} ({}): {} updates pending, webhook {:?}, last webhook error {:?}\n",
            self.bot.profile.id,
            self.bot.profile.username,
            state.queue.pending.len(),
            hook.map(|hook| hook.url.as_str()),
            hook.and_then(|hook| hook.last_error.as_ref()).map(|(_, error)| error.as_str()),
        );
        for call in state.calls.iter().rev().take(5).rev() {
            text.push_str(&format!("  call {} {:?} {}\n", call.method, call.outcome, short(&call.params)));
        }
        for (id, chat) in state.chats.iter().take(5) {
            for entry in chat.messages.values().rev().take(3).rev() {
                let (kind, words) = (entry.kind(), entry.text());
                text.push_str(&format!(
                    "  chat {id} #{} {:?} {kind} {words:?}\n",
                    entry.message_id, entry.author
                ));
            }
        }
        text
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    text.chars().take(200).collect()
}

/// The chat an injected update is about, for its place in the order.
fn find_chat(update: &Value) -> Option<i64> {
    let bodies = update.as_object()?.values().filter_map(Value::as_object);
    bodies.into_iter().find_map(|body| {
        let chat = body.get("chat").or_else(|| body.get("message")?.get("chat"));
        chat.or_else(|| body.get("from"))?.get("id")?.as_i64()
    })
}

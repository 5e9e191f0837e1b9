//! What the simulator knows about one bot: chats, messages, connections, the queue of updates.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use serde_json::{Map, Value, json};

use crate::sim::random::Random;

use super::{
    config::{Record, SimConfig},
    files::Files,
    limits::Limiter,
    record::{Call, Counters, Delivery, Entry},
    updates::{Queue, Update},
};

/// Kinds of chat, as `chat.type` names them, with forums told apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ChatKind {
    /// With one person.
    Private,
    /// A basic group.
    Group,
    /// A supergroup without topics.
    Supergroup,
    /// A supergroup with topics.
    Forum,
    /// A channel.
    Channel,
}

impl ChatKind {
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Group => "group",
            Self::Supergroup | Self::Forum => "supergroup",
            Self::Channel => "channel",
        }
    }
}

/// Whether the bot may speak in a chat.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reach {
    /// The person blocked the bot.
    Blocked,
    /// The person's account is deleted.
    Deactivated,
    /// The group was deleted.
    Deleted,
    /// The bot was thrown out.
    Kicked,
    /// The bot left or was never in.
    Left,
    /// The group became this supergroup.
    Migrated(i64),
    /// The bot may not write here.
    Muted,
    /// The person is known from elsewhere but never pressed Start.
    NeverStarted,
    /// All is well.
    Open,
}

/// Where a message lives: a chat of the bot, or of the owner of a business connection.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Place {
    pub(crate) chat_id: i64,
    pub(crate) business: Option<Arc<str>>,
}

impl Place {
    pub(crate) fn chat(chat_id: i64) -> Self {
        Self { chat_id, business: None }
    }
}

/// A topic of a forum.
#[derive(Clone, Debug)]
pub(crate) struct Topic {
    pub(crate) name: String,
    pub(crate) closed: bool,
}

/// One chat with its messages.
#[derive(Debug)]
pub(crate) struct Chat {
    pub(crate) kind: ChatKind,
    pub(crate) json: Value,
    pub(crate) reach: Reach,
    pub(crate) bot_is_admin: bool,
    pub(crate) next_id: i64,
    pub(crate) messages: BTreeMap<i64, Entry>,
    pub(crate) topics: BTreeMap<i64, Topic>,
    pub(crate) members: BTreeMap<i64, Value>,
    pub(crate) last_incoming: i64,
    pub(crate) last_action: Option<String>,
}

impl Chat {
    pub(crate) fn new(kind: ChatKind, json: Value, reach: Reach) -> Self {
        Self {
            kind,
            json,
            reach,
            bot_is_admin: kind == ChatKind::Channel,
            next_id: 1,
            messages: BTreeMap::new(),
            topics: BTreeMap::new(),
            members: BTreeMap::new(),
            last_incoming: 0,
            last_action: None,
        }
    }

    /// Gives out the next message id; ids repeat between chats, as
    /// <https://core.telegram.org/bots/api#message> allows.
    pub(crate) fn new_message_id(&mut self) -> i64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// A message that is there and not deleted.
    pub(crate) fn message(&self, id: i64) -> Option<&Entry> {
        self.messages.get(&id).filter(|entry| !entry.deleted)
    }

    /// The same, to change it.
    pub(crate) fn message_mut(&mut self, id: i64) -> Option<&mut Entry> {
        self.messages.get_mut(&id).filter(|entry| !entry.deleted)
    }

    /// Keeps a message and forgets the oldest above the limit.
    pub(crate) fn keep(&mut self, entry: Entry, limit: usize) {
        self.messages.insert(entry.message_id, entry);
        while self.messages.len() > limit {
            self.messages.pop_first();
        }
    }

    /// The fields every message of this chat begins with.
    pub(crate) fn frame(&self, id: i64, date: i64, thread: Option<i64>) -> Map<String, Value> {
        let mut message = Map::new();
        message.insert("message_id".into(), id.into());
        message.insert("date".into(), date.into());
        message.insert("chat".into(), self.json.clone());
        if let Some(thread) = thread {
            message.insert("message_thread_id".into(), thread.into());
            message.insert("is_topic_message".into(), true.into());
        }
        message
    }
}

/// A business connection: somebody's own account that the bot may speak for.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: Arc<str>,
    pub(crate) owner: Value,
    pub(crate) owner_id: i64,
    pub(crate) since: i64,
    pub(crate) is_enabled: bool,
    pub(crate) rights: Value,
    pub(crate) chats: HashMap<i64, Chat>,
}

impl Connection {
    /// The `BusinessConnection` object (<https://core.telegram.org/bots/api#businessconnection>).
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "id": &*self.id, "user": self.owner, "user_chat_id": self.owner_id, "date": self.since,
            "is_enabled": self.is_enabled, "rights": self.rights,
        })
    }

    pub(crate) fn may(&self, right: &str) -> bool {
        self.rights.get(right).and_then(Value::as_bool).unwrap_or(false)
    }
}

/// A pressed button that waits for its answer.
#[derive(Debug)]
pub(crate) struct Callback {
    pub(crate) id: String,
    pub(crate) pressed: i64,
    pub(crate) answer: Option<Value>,
}

/// Everything about one bot, behind one lock.
#[derive(Debug)]
pub(crate) struct BotState {
    pub(crate) chats: HashMap<i64, Chat>,
    pub(crate) connections: HashMap<String, Connection>,
    pub(crate) files: Files,
    pub(crate) callbacks: VecDeque<Callback>,
    pub(crate) queue: Queue,
    pub(crate) calls: VecDeque<Call>,
    pub(crate) deliveries: VecDeque<Delivery>,
    pub(crate) history: VecDeque<Arc<Update>>,
    pub(crate) counters: Counters,
    pub(crate) limiter: Limiter,
    pub(crate) random: Random,
    pub(crate) is_revoked: bool,
    pub(crate) is_logged_out: bool,
}

impl BotState {
    pub(crate) fn new(config: &SimConfig, bot_id: i64) -> Self {
        let mut random = Random::new(config.seed ^ bot_id as u64);
        let first_update = 100_000_000 + random.below(700_000_000) as i64;
        Self {
            chats: HashMap::new(),
            connections: HashMap::new(),
            files: Files::new(bot_id, config.record),
            callbacks: VecDeque::new(),
            queue: Queue::new(first_update),
            calls: VecDeque::new(),
            deliveries: VecDeque::new(),
            history: VecDeque::new(),
            counters: Counters::default(),
            limiter: Limiter::default(),
            random,
            is_revoked: false,
            is_logged_out: false,
        }
    }

    pub(crate) fn chat(&self, place: &Place) -> Option<&Chat> {
        match &place.business {
            None => self.chats.get(&place.chat_id),
            Some(id) => self.connections.get(&**id)?.chats.get(&place.chat_id),
        }
    }

    pub(crate) fn chat_mut(&mut self, place: &Place) -> Option<&mut Chat> {
        match &place.business {
            None => self.chats.get_mut(&place.chat_id),
            Some(id) => self.connections.get_mut(&**id)?.chats.get_mut(&place.chat_id),
        }
    }

    pub(crate) fn message(&self, place: &Place, id: i64) -> Option<&Entry> {
        self.chat(place)?.message(id)
    }

    pub(crate) fn message_mut(&mut self, place: &Place, id: i64) -> Option<&mut Entry> {
        self.chat_mut(place)?.message_mut(id)
    }

    /// Counts an arriving call without building its name anew each time.
    pub(crate) fn count_call(&mut self, method: &str) {
        match self.counters.calls.get_mut(method) {
            Some(count) => *count += 1,
            None => {
                self.counters.calls.insert(method.to_owned(), 1);
            }
        }
    }

    /// Counts a text sent, for `Record::Counters`.
    pub(crate) fn count_text(&mut self, record: Record, message: &Value) {
        self.counters.sent += 1;
        if record == Record::Full {
            return;
        }
        let text = message.get("text").or_else(|| message.get("caption")).and_then(Value::as_str);
        let text = text.unwrap_or_default();
        match self.counters.texts.get_mut(text) {
            Some(count) => *count += 1,
            None => {
                self.counters.texts.insert(text.to_owned(), 1);
            }
        }
    }

    /// Stores a message written by somebody and gives its `Message` object back.
    pub(crate) fn store(&mut self, config: &SimConfig, place: &Place, entry: Entry) {
        if config.record == Record::Counters {
            return;
        }
        if let Some(chat) = self.chat_mut(place) {
            chat.keep(entry, config.max_messages);
        }
    }

    /// A message as it is shown inside a reply: without a reply of its own.
    pub(crate) fn shown_in_reply(entry: &Entry) -> Value {
        let mut shown = entry.json.clone();
        if let Value::Object(fields) = &mut shown {
            for field in ["reply_to_message", "quote", "external_reply"] {
                fields.remove(field);
            }
        }
        shown
    }
}

/// Pushes to a record and forgets the oldest above the limit.
pub(crate) fn push_bounded<T>(list: &mut VecDeque<T>, item: T, limit: usize) {
    list.push_back(item);
    while list.len() > limit {
        list.pop_front();
    }
}

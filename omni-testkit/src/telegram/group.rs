//! Groups, supergroups, forums and channels.

use serde_json::{Value, json};

use super::{
    bot::BotHandle,
    config::User,
    customer::{Customer, Said, into_map, member_change},
    json::set,
    record::{Author, Entry},
    state::{BotState, Chat, ChatKind, Place, Reach, Topic},
    updates::{LANE_MESSAGES, LANE_MY_MEMBER},
};

/// A group, supergroup, forum or channel that the bot was added to.
#[derive(Clone, Debug)]
pub struct Group {
    bot: BotHandle,
    chat_id: i64,
}

/// Who adds and removes the bot, creates topics, upgrades groups.
fn manager() -> User {
    User::new(900_000_001, "Manager")
}

impl BotHandle {
    /// Adds the bot to a chat of this kind, as a plain member (in channels as administrator), and tells it so
    /// with `my_chat_member`. Ids are negative; those of supergroups and channels begin with `-100`.
    pub fn group(&self, kind: ChatKind, chat_id: i64, title: &str) -> Group {
        let mut json = json!({"id": chat_id, "type": kind.type_name(), "title": title});
        if kind == ChatKind::Forum {
            set(&mut json, "is_forum", true);
        }
        let group = Group { bot: self.clone(), chat_id };
        self.bot.lock().chats.insert(chat_id, Chat::new(kind, json, Reach::Left));
        group.changes_bot(Reach::Open, kind == ChatKind::Channel);
        group
    }
}

impl Group {
    /// Id of the chat.
    #[must_use]
    pub fn chat_id(&self) -> i64 {
        self.chat_id
    }

    /// A member who writes here. Their private chat with the bot is not opened by it.
    pub fn member(&self, user: User) -> Customer {
        let mut state = self.bot.bot.lock();
        let fresh = || Chat::new(ChatKind::Private, user.as_chat(), Reach::NeverStarted);
        state.chats.entry(user.id).or_insert_with(fresh);
        if let Some(chat) = state.chats.get_mut(&self.chat_id) {
            chat.members.insert(user.id, user.to_json());
        }
        drop(state);
        Customer { bot: self.bot.clone(), place: Place::chat(self.chat_id), user: Some(user), thread: None }
    }

    /// The channel as author of its posts; also an anonymous administrator of a group, whose messages carry
    /// `sender_chat`.
    #[must_use]
    pub fn itself(&self) -> Customer {
        Customer { bot: self.bot.clone(), place: Place::chat(self.chat_id), user: None, thread: None }
    }

    /// The messages of the chat.
    #[must_use]
    pub fn transcript(&self) -> Vec<Entry> {
        self.bot.transcript(self.chat_id)
    }

    /// Gives the chat a public `@name`.
    pub fn set_username(&self, name: &str) {
        if let Some(chat) = self.bot.bot.lock().chats.get_mut(&self.chat_id) {
            set(&mut chat.json, "username", name);
        }
    }

    /// Makes the bot an administrator: it hears everything, may delete and manage topics.
    pub fn promotes_bot(&self) -> Option<i64> {
        self.changes_bot(Reach::Open, true)
    }

    /// Makes the bot a plain member again, or brings it back.
    pub fn adds_bot(&self) -> Option<i64> {
        self.changes_bot(Reach::Open, false)
    }

    /// Throws the bot out.
    pub fn kicks_bot(&self) -> Option<i64> {
        self.changes_bot(Reach::Kicked, false)
    }

    /// Makes the bot leave.
    pub fn removes_bot(&self) -> Option<i64> {
        self.changes_bot(Reach::Left, false)
    }

    /// Takes the right to write from the bot.
    pub fn mutes_bot(&self) -> Option<i64> {
        self.changes_bot(Reach::Muted, false)
    }

    /// Deletes the group.
    pub fn dissolves(&self) {
        if let Some(chat) = self.bot.bot.lock().chats.get_mut(&self.chat_id) {
            chat.reach = Reach::Deleted;
        }
    }

    /// Creates a topic of a forum and gives its `message_thread_id`; the bot gets the service message.
    pub fn creates_topic(&self, name: &str) -> i64 {
        let mut state = self.bot.bot.lock();
        let id = state.chats.get(&self.chat_id).map_or(0, |chat| chat.next_id);
        let event = json!({"forum_topic_created": {"name": name, "icon_color": 7_322_096}});
        self.serves(&mut state, event, Some(id));
        if let Some(chat) = state.chats.get_mut(&self.chat_id) {
            chat.topics.insert(id, Topic { name: name.to_owned(), closed: false });
        }
        drop(state);
        self.bot.bot.shared.changed();
        id
    }

    /// Closes a topic: only administrators may write there.
    pub fn closes_topic(&self, thread: i64) -> Said {
        self.serves_topic(thread, true, json!({"forum_topic_closed": {}}))
    }

    /// Opens a closed topic.
    pub fn reopens_topic(&self, thread: i64) -> Said {
        self.serves_topic(thread, false, json!({"forum_topic_reopened": {}}))
    }

    fn serves_topic(&self, thread: i64, closed: bool, event: Value) -> Said {
        let mut state = self.bot.bot.lock();
        if let Some(topic) = state.chats.get_mut(&self.chat_id).and_then(|chat| chat.topics.get_mut(&thread))
        {
            topic.closed = closed;
        }
        let said = self.serves(&mut state, event, Some(thread));
        drop(state);
        self.bot.bot.shared.changed();
        said
    }

    /// A service message: `{"new_chat_title": "..."}` and the like.
    pub fn announces(&self, event: Value) -> Said {
        let mut state = self.bot.bot.lock();
        let said = self.serves(&mut state, event, None);
        drop(state);
        self.bot.bot.shared.changed();
        said
    }

    /// Upgrades a basic group to a supergroup: service messages in both, a new id, message ids begin anew, and
    /// the old chat refuses with `migrate_to_chat_id`.
    #[must_use]
    pub fn migrates(&self, new_id: i64) -> Self {
        let bot = &self.bot.bot;
        let mut state = bot.lock();
        let former = state.chats.get(&self.chat_id);
        let mut json = former.map(|chat| chat.json.clone()).unwrap_or_default();
        set(&mut json, "id", new_id);
        set(&mut json, "type", "supergroup");
        let mut chat = Chat::new(ChatKind::Supergroup, json, Reach::Open);
        if let Some(former) = former {
            chat.bot_is_admin = former.bot_is_admin;
            chat.members = former.members.clone();
        }
        state.chats.insert(new_id, chat);
        self.serves(&mut state, json!({"migrate_to_chat_id": new_id}), None);
        let upgraded = Self { bot: self.bot.clone(), chat_id: new_id };
        upgraded.serves(&mut state, json!({"migrate_from_chat_id": self.chat_id}), None);
        if let Some(chat) = state.chats.get_mut(&self.chat_id) {
            chat.reach = Reach::Migrated(new_id);
        }
        drop(state);
        bot.shared.changed();
        upgraded
    }

    fn serves(&self, state: &mut BotState, event: Value, thread: Option<i64>) -> Said {
        let bot = &self.bot.bot;
        let Some(chat) = state.chats.get_mut(&self.chat_id) else {
            return Said { chat_id: self.chat_id, message_id: 0, update_id: None };
        };
        let id = chat.new_message_id();
        let kind = if chat.kind == ChatKind::Channel { "channel_post" } else { "message" };
        let mut message = chat.frame(id, bot.shared.now(), thread);
        message.insert("from".into(), manager().to_json());
        message.extend(into_map(event));
        let message = Value::Object(message);
        let update_id = bot.push_update(state, kind, &message, (self.chat_id, LANE_MESSAGES));
        let place = Place::chat(self.chat_id);
        state.store(&bot.shared.config, &place, Entry::new(id, Author::Service, message));
        Said { chat_id: self.chat_id, message_id: id, update_id }
    }

    fn changes_bot(&self, reach: Reach, is_admin: bool) -> Option<i64> {
        let bot = &self.bot.bot;
        let mut state = bot.lock();
        let chat = state.chats.get_mut(&self.chat_id)?;
        let old = status(chat.reach, chat.bot_is_admin);
        (chat.reach, chat.bot_is_admin) = (reach, is_admin);
        let new = status(reach, is_admin);
        let mut change =
            member_change(&chat.json, &manager().to_json(), &bot.user, bot.shared.now(), old, new);
        if let (Reach::Muted, Some(member)) = (reach, change.get_mut("new_chat_member")) {
            set(member, "can_send_messages", false);
            set(member, "is_member", true);
        }
        let update = bot.push_update(&mut state, "my_chat_member", &change, (self.chat_id, LANE_MY_MEMBER));
        drop(state);
        bot.shared.changed();
        update
    }
}

fn status(reach: Reach, is_admin: bool) -> &'static str {
    match reach {
        Reach::Kicked => "kicked",
        Reach::Left => "left",
        Reach::Muted => "restricted",
        _ if is_admin => "administrator",
        _ => "member",
    }
}

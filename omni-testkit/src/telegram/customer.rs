//! The customers' side: a person in a chat.

use serde_json::{Map, Value, json};

use super::{
    bot::BotHandle,
    config::User,
    files::{MediaKind, Upload, default_details},
    json::set,
    record::{Author, Entry},
    state::{BotState, Callback, Chat, ChatKind, Place, Reach, push_bounded},
    text,
    updates::{LANE_BUSINESS, LANE_CALLBACKS, LANE_MESSAGES, LANE_MY_MEMBER, LANE_REACTIONS, Lane},
};

/// Pressed buttons remembered for `answerCallbackQuery`.
const MAX_CALLBACKS: usize = 10_000;

/// Somebody who writes in one chat: a customer in a private chat, a member of a group, a channel's author, the
/// owner of a business account. Each verb does what the person's app would and makes the update for the bot.
#[derive(Clone, Debug)]
pub struct Customer {
    pub(crate) bot: BotHandle,
    pub(crate) place: Place,
    pub(crate) user: Option<User>,
    pub(crate) thread: Option<i64>,
}

/// What came of a message: where it stands and which update told the bot of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Said {
    /// The chat.
    pub chat_id: i64,
    /// The message's id in the chat.
    pub message_id: i64,
    /// The update; nothing when the bot does not hear of it (`allowed_updates`, privacy mode).
    pub update_id: Option<i64>,
}

/// A pressed button.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Press {
    /// The id to answer with `answerCallbackQuery`.
    pub callback_query_id: String,
    /// The update, if the bot hears of it.
    pub update_id: Option<i64>,
}

impl BotHandle {
    /// A person in the private chat with the bot. The chat begins with the first message; until then the bot
    /// cannot write to them.
    #[must_use]
    pub fn customer(&self, user: User) -> Customer {
        let place = Place::chat(user.id);
        Customer { bot: self.clone(), place, user: Some(user), thread: None }
    }
}

impl Customer {
    /// The chat the person writes in; in a private chat, the person's own id.
    #[must_use]
    pub fn chat_id(&self) -> i64 {
        self.place.chat_id
    }

    /// The person, or nothing for a channel.
    #[must_use]
    pub fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }

    /// The bot this is about.
    #[must_use]
    pub fn bot(&self) -> &BotHandle {
        &self.bot
    }

    /// The same person, writing in a topic of a forum.
    #[must_use]
    pub fn in_topic(&self, thread: i64) -> Self {
        Self { thread: Some(thread), ..self.clone() }
    }

    /// The chat as this person sees it.
    #[must_use]
    pub fn transcript(&self) -> Vec<Entry> {
        match &self.place.business {
            Some(id) => self.bot.business_transcript(id, self.place.chat_id),
            None => self.bot.transcript(self.place.chat_id),
        }
    }

    /// Presses Start, with the payload of a deep link where it is not empty
    /// (<https://core.telegram.org/bots/features#deep-linking>).
    pub fn start(&self, payload: &str) -> Said {
        self.writes(format!("/start {payload}").trim_end())
    }

    /// Writes a text; commands and links in it are marked as the server marks them.
    pub fn writes(&self, text: &str) -> Said {
        self.sends(text_fields(text, text::detect(text)))
    }

    /// Writes a text with these entities (offsets in UTF-16 units).
    pub fn writes_entities(&self, text: &str, entities: Value) -> Said {
        let entities = entities.as_array().cloned().unwrap_or_default();
        self.sends(text_fields(text, entities))
    }

    /// Sends anything: the content fields of a `Message` (`{"dice": {...}}`), also those the simulator has no
    /// verb for.
    pub fn sends(&self, content: Value) -> Said {
        let mut state = self.bot.bot.lock();
        let said = self.say(&mut state, into_map(content));
        drop(state);
        self.bot.bot.shared.changed();
        said
    }

    /// Answers a message.
    ///
    /// # Panics
    ///
    /// When the chat has no such message.
    pub fn replies_to(&self, message_id: i64, text: &str) -> Said {
        let mut content = text_fields(text, text::detect(text));
        set(&mut content, "reply_to_message", self.shown(message_id));
        self.sends(content)
    }

    /// Answers a message and quotes a part of it.
    ///
    /// # Panics
    ///
    /// When the chat has no such message, or the message does not hold the quoted text.
    pub fn quotes(&self, message_id: i64, quote: &str, text: &str) -> Said {
        let shown = self.shown(message_id);
        let whole =
            shown.get("text").or_else(|| shown.get("caption")).and_then(Value::as_str).unwrap_or_default();
        let Some(at) = whole.find(quote) else {
            panic!("message {message_id} does not hold {quote:?}: {whole:?}")
        };
        let position = text::units(whole.get(..at).unwrap_or_default());
        let mut content = text_fields(text, text::detect(text));
        set(&mut content, "quote", json!({"text": quote, "position": position, "is_manual": true}));
        set(&mut content, "reply_to_message", shown);
        self.sends(content)
    }

    /// Forwards a text of somebody else; `origin` is a `MessageOrigin`
    /// (<https://core.telegram.org/bots/api#messageorigin>).
    pub fn forwards(&self, origin: Value, text: &str) -> Said {
        let mut content = text_fields(text, text::detect(text));
        set(&mut content, "forward_origin", origin);
        self.sends(content)
    }

    /// Sends a photo.
    pub fn sends_photo(&self, photo: Upload, caption: &str) -> Said {
        self.sends_media(MediaKind::Photo, photo, caption)
    }

    /// Sends a document.
    pub fn sends_document(&self, document: Upload, caption: &str) -> Said {
        self.sends_media(MediaKind::Document, document, caption)
    }

    /// Sends a video.
    pub fn sends_video(&self, video: Upload, caption: &str) -> Said {
        self.sends_media(MediaKind::Video, video, caption)
    }

    /// Sends an animation; the message carries `document` too, as the real one does.
    pub fn sends_animation(&self, animation: Upload, caption: &str) -> Said {
        self.sends_media(MediaKind::Animation, animation, caption)
    }

    /// Sends music.
    pub fn sends_audio(&self, audio: Upload, caption: &str) -> Said {
        self.sends_media(MediaKind::Audio, audio, caption)
    }

    /// Sends a voice message.
    pub fn sends_voice(&self, voice: Upload) -> Said {
        self.sends_media(MediaKind::Voice, voice, "")
    }

    /// Sends a round video.
    pub fn sends_video_note(&self, note: Upload) -> Said {
        self.sends_media(MediaKind::VideoNote, note, "")
    }

    /// Sends a sticker that stands for an emoji.
    pub fn sends_sticker(&self, emoji: &str) -> Said {
        let sticker = Upload::new("sticker.webp", "image/webp", &b"RIFF"[..]);
        let mut details = default_details(MediaKind::Sticker);
        details.insert("emoji".into(), emoji.into());
        details.insert("set_name".into(), "HotCherry".into());
        let file = self.bot.bot.lock().files.add(MediaKind::Sticker, sticker, details);
        self.sends(Value::Object(file.content()))
    }

    fn sends_media(&self, kind: MediaKind, upload: Upload, caption: &str) -> Said {
        let content = self.media(kind, upload, caption);
        self.sends(Value::Object(content))
    }

    /// Sends an album: one message and one update an item, all with the same `media_group_id`, the caption on
    /// the first. Pictures and videos are told by their type; all else is a document.
    pub fn sends_album(&self, items: Vec<Upload>, caption: &str) -> Vec<Said> {
        let album = format!("139{:014}", self.bot.bot.lock().random.next() % 100_000_000_000_000);
        let mut said = Vec::with_capacity(items.len());
        for (at, item) in items.into_iter().enumerate() {
            let kind = match item.mime.split('/').next() {
                Some("image") => MediaKind::Photo,
                Some("video") => MediaKind::Video,
                _ => MediaKind::Document,
            };
            let mut content = self.media(kind, item, if at == 0 { caption } else { "" });
            content.insert("media_group_id".into(), album.as_str().into());
            said.push(self.sends(Value::Object(content)));
        }
        said
    }

    fn media(&self, kind: MediaKind, upload: Upload, caption: &str) -> Map<String, Value> {
        let file = self.bot.bot.lock().files.add(kind, upload, default_details(kind));
        let mut content = file.content();
        if !caption.is_empty() {
            content.insert("caption".into(), caption.into());
            let entities = text::detect(caption);
            if !entities.is_empty() {
                content.insert("caption_entities".into(), entities.into());
            }
        }
        content
    }

    /// Sends a place.
    pub fn sends_location(&self, latitude: f64, longitude: f64) -> Said {
        self.sends(json!({"location": {"latitude": latitude, "longitude": longitude}}))
    }

    /// Shares a live place for so many seconds; [`Customer::moves_to`] moves it.
    pub fn sends_live_location(&self, latitude: f64, longitude: f64, seconds: i64) -> Said {
        let location = json!({"latitude": latitude, "longitude": longitude, "live_period": seconds});
        self.sends(json!({"location": location}))
    }

    /// Moves a live place; the bot gets it as an edit.
    pub fn moves_to(&self, message_id: i64, latitude: f64, longitude: f64) -> Said {
        self.changes(message_id, |message| {
            if let Some(location) = message.get_mut("location") {
                set(location, "latitude", latitude);
                set(location, "longitude", longitude);
            }
        })
    }

    /// Sends a venue; the message carries `location` too.
    pub fn sends_venue(&self, title: &str, address: &str, latitude: f64, longitude: f64) -> Said {
        let location = json!({"latitude": latitude, "longitude": longitude});
        let venue = json!({"location": location, "title": title, "address": address});
        self.sends(json!({"venue": venue, "location": location}))
    }

    /// Sends somebody's contact.
    pub fn sends_contact(&self, phone: &str, first_name: &str) -> Said {
        self.sends(json!({"contact": {"phone_number": phone, "first_name": first_name}}))
    }

    /// Shares the person's own number, as a `request_contact` button does: `contact.user_id` is the sender.
    ///
    /// # Panics
    ///
    /// When the person has no phone number or is a channel.
    pub fn shares_own_contact(&self) -> Said {
        let Some((user, phone)) = self.user.as_ref().and_then(|u| Some((u, u.phone.as_ref()?))) else {
            panic!("this person has no phone number: set it with User::phone")
        };
        let contact = json!({"phone_number": phone, "first_name": user.first_name, "user_id": user.id});
        self.sends(json!({"contact": contact}))
    }

    /// Sends a poll.
    pub fn sends_poll(&self, question: &str, options: &[&str]) -> Said {
        let options: Vec<Value> =
            options.iter().map(|text| json!({"text": text, "voter_count": 0})).collect();
        self.sends(json!({"poll": {"id": "5300000000000000001", "question": question, "options": options,
            "total_voter_count": 0, "is_closed": false, "is_anonymous": true, "type": "regular",
            "allows_multiple_answers": false}}))
    }

    /// Throws dice.
    pub fn sends_dice(&self, emoji: &str, value: i64) -> Said {
        self.sends(json!({"dice": {"emoji": emoji, "value": value}}))
    }

    /// Replaces the text of a message, or its caption when it is media.
    ///
    /// # Panics
    ///
    /// When the chat has no such message.
    pub fn edits(&self, message_id: i64, text: &str) -> Said {
        self.changes(message_id, |message| {
            let is_text = message.get("text").is_some();
            let (field, marks) = if is_text { ("text", "entities") } else { ("caption", "caption_entities") };
            set(message, field, text);
            if let Value::Object(fields) = message {
                fields.remove(marks);
                let found = text::detect(text);
                if !found.is_empty() {
                    fields.insert(marks.into(), found.into());
                }
            }
        })
    }

    /// Makes the server report an edit that changed nothing the bot can see.
    ///
    /// # Panics
    ///
    /// When the chat has no such message.
    pub fn edits_invisibly(&self, message_id: i64) -> Said {
        self.changes(message_id, |_| {})
    }

    /// Presses the button with this `callback_data` under a message. Data that no button has is sent as well;
    /// for a message that is gone the bot gets an inaccessible one.
    pub fn presses(&self, message_id: i64, data: &str) -> Press {
        let bot = &self.bot.bot;
        let mut state = bot.lock();
        let now = bot.shared.now();
        let id = format!("{}", 430_000_000_000_000_000 + state.random.next() % 1_000_000_000_000_000);
        let message = match state.message(&self.place, message_id) {
            Some(entry) => entry.json.clone(),
            None => json!({"chat": self.chat_json(&state), "message_id": message_id, "date": 0}),
        };
        let mut query =
            json!({"id": id, "message": message, "chat_instance": "-3900000000000000000", "data": data});
        set(&mut query, "from", self.user.as_ref().map(User::to_json).unwrap_or_default());
        let callback = Callback { id: id.clone(), pressed: now, answer: None };
        push_bounded(&mut state.callbacks, callback, MAX_CALLBACKS);
        let lane = (self.user.as_ref().map_or(0, |user| user.id), LANE_CALLBACKS);
        let update_id = bot.push_update(&mut state, "callback_query", &query, lane);
        drop(state);
        bot.shared.changed();
        Press { callback_query_id: id, update_id }
    }

    /// Presses the inline button with this label under a message.
    ///
    /// # Panics
    ///
    /// When the message has no such button, or the button sends nothing to the bot.
    pub fn presses_button(&self, message_id: i64, label: &str) -> Press {
        let found = self.transcript().into_iter().find(|entry| entry.message_id == message_id);
        let buttons = found.map(|entry| entry.buttons()).unwrap_or_default();
        let data = buttons.iter().find(|button| button.text == label).and_then(|b| b.callback_data.clone());
        match data {
            Some(data) => self.presses(message_id, &data),
            None => panic!("message {message_id} has no callback button {label:?}: {buttons:?}"),
        }
    }

    /// Puts a reaction under a message; an empty emoji takes the reaction away. The bot hears of it only when
    /// `allowed_updates` names `message_reaction`, and in groups when it is an administrator.
    pub fn reacts(&self, message_id: i64, emoji: &str) -> Option<i64> {
        let user = self.user.as_ref()?;
        let bot = &self.bot.bot;
        let mut state = bot.lock();
        let new = if emoji.is_empty() { vec![] } else { vec![json!({"type": "emoji", "emoji": emoji})] };
        let mut old = Vec::new();
        if let Some(entry) = state.message_mut(&self.place, message_id) {
            old = entry.reactions.insert(user.id, new.clone()).unwrap_or_default();
        }
        let reaction = json!({
            "chat": self.chat_json(&state), "message_id": message_id, "user": user.to_json(),
            "date": bot.shared.now(), "old_reaction": old, "new_reaction": new,
        });
        let hears = state.chat(&self.place).is_some_and(|c| c.kind == ChatKind::Private || c.bot_is_admin);
        let lane = (self.place.chat_id, LANE_REACTIONS);
        let update =
            hears.then(|| bot.push_update(&mut state, "message_reaction", &reaction, lane)).flatten();
        drop(state);
        bot.shared.changed();
        update
    }

    /// Blocks the bot: it gets `my_chat_member`, and its messages are refused from now on.
    pub fn blocks(&self) -> Option<i64> {
        self.turns(Reach::Blocked)
    }

    /// Unblocks the bot. Writing to it does so by itself.
    pub fn unblocks(&self) -> Option<i64> {
        self.turns(Reach::Open)
    }

    /// Deletes the person's account: the bot's messages are refused, no update tells it.
    pub fn deactivates(&self) {
        let mut state = self.bot.bot.lock();
        self.open_chat(&mut state);
        if let Some(chat) = state.chat_mut(&self.place) {
            chat.reach = Reach::Deactivated;
        }
    }

    /// Removes a message from the person's side. The bot hears nothing of it; its own calls about the message
    /// fail from now on.
    pub fn deletes(&self, message_id: i64) {
        if let Some(entry) = self.bot.bot.lock().message_mut(&self.place, message_id) {
            entry.deleted = true;
        }
        self.bot.bot.shared.changed();
    }

    fn turns(&self, reach: Reach) -> Option<i64> {
        let mut state = self.bot.bot.lock();
        self.open_chat(&mut state);
        let update = self.turn(&mut state, reach);
        drop(state);
        self.bot.bot.shared.changed();
        update
    }

    fn turn(&self, state: &mut BotState, reach: Reach) -> Option<i64> {
        let bot = &self.bot.bot;
        let user = self.user.as_ref()?;
        let is_own = |chat: &&mut Chat| chat.kind == ChatKind::Private && self.place.business.is_none();
        let chat = state.chat_mut(&self.place).filter(is_own)?;
        if chat.reach == reach {
            return None;
        }
        let was_blocked = chat.reach == Reach::Blocked;
        chat.reach = reach;
        let (old, new) = match reach {
            Reach::Blocked => ("member", "kicked"),
            _ if was_blocked => ("kicked", "member"),
            _ => return None,
        };
        let change = member_change(&chat.json, &user.to_json(), &bot.user, bot.shared.now(), old, new);
        bot.push_update(state, "my_chat_member", &change, (self.place.chat_id, LANE_MY_MEMBER))
    }

    /// Begins the private chat where there is none.
    fn open_chat(&self, state: &mut BotState) {
        let (Some(user), None) = (&self.user, &self.place.business) else { return };
        if self.place.chat_id == user.id {
            let fresh = || Chat::new(ChatKind::Private, user.as_chat(), Reach::NeverStarted);
            state.chats.entry(user.id).or_insert_with(fresh);
        }
    }

    /// Puts the message into the chat and tells the bot.
    fn say(&self, state: &mut BotState, content: Map<String, Value>) -> Said {
        let bot = &self.bot.bot;
        let now = bot.shared.now();
        self.open_chat(state);
        self.turn(state, Reach::Open);
        let connection = self.place.business.as_ref().and_then(|id| state.connections.get(&**id));
        let owner = connection.map(|connection| connection.owner_id);
        let is_connected = connection.is_none_or(|connection| connection.is_enabled);
        let Some(chat) = state.chat_mut(&self.place) else {
            return Said { chat_id: self.place.chat_id, message_id: 0, update_id: None };
        };
        let id = chat.new_message_id();
        let author = match &self.user {
            Some(user) => Author::Person(user.id),
            None => Author::Channel,
        };
        let mut message = chat.frame(id, now, self.thread);
        match &self.user {
            Some(user) => message.insert("from".into(), user.to_json()),
            None => message.insert("sender_chat".into(), chat.json.clone()),
        };
        if self.user.is_none() && chat.kind != ChatKind::Channel {
            message.insert("from".into(), anonymous_admin());
        }
        if let Some(connection) = &self.place.business {
            message.insert("business_connection_id".into(), (**connection).into());
        }
        if let Some(root) = self.thread.and_then(|thread| chat.message(thread)) {
            message.insert("reply_to_message".into(), BotState::shown_in_reply(root));
        }
        message.extend(content);
        if self.user.as_ref().is_some_and(|user| Some(user.id) != owner) {
            chat.last_incoming = now;
        }
        let hears = is_connected && self.bot_hears(chat, &message);
        let kind = self.update_kind(chat.kind, false);
        let message = Value::Object(message);
        let update_id = hears.then(|| bot.push_update(state, kind, &message, self.lane())).flatten();
        state.store(&bot.shared.config, &self.place, Entry::new(id, author, message));
        Said { chat_id: self.place.chat_id, message_id: id, update_id }
    }

    /// Changes a stored message and reports the edit.
    fn changes(&self, message_id: i64, change: impl FnOnce(&mut Value)) -> Said {
        let bot = &self.bot.bot;
        let mut state = bot.lock();
        let now = bot.shared.now();
        let kind = state.chat(&self.place).map_or(ChatKind::Private, |chat| chat.kind);
        let Some(entry) = state.message_mut(&self.place, message_id) else {
            drop(state);
            panic!("chat {} has no message {message_id} to edit", self.place.chat_id)
        };
        change(&mut entry.json);
        set(&mut entry.json, "edit_date", now);
        entry.edits += 1;
        let message = entry.json.clone();
        let hears = message
            .as_object()
            .is_some_and(|message| state.chat(&self.place).is_some_and(|chat| self.bot_hears(chat, message)));
        let kind = self.update_kind(kind, true);
        let update_id = hears.then(|| bot.push_update(&mut state, kind, &message, self.lane())).flatten();
        drop(state);
        bot.shared.changed();
        Said { chat_id: self.place.chat_id, message_id, update_id }
    }

    /// Privacy mode (<https://core.telegram.org/bots/features#privacy-mode>): a plain member of a group gets
    /// commands, mentions and replies to itself. Nothing comes from chats the bot is not in, nor from business
    /// accounts that switched it off.
    fn bot_hears(&self, chat: &Chat, message: &Map<String, Value>) -> bool {
        let profile = &self.bot.bot.profile;
        if matches!(chat.reach, Reach::Kicked | Reach::Left | Reach::Deleted | Reach::Migrated(_)) {
            return false;
        }
        let is_group = !matches!(chat.kind, ChatKind::Private | ChatKind::Channel);
        if !is_group || chat.bot_is_admin || profile.can_read_all_group_messages {
            return true;
        }
        let text = message.get("text").and_then(Value::as_str).unwrap_or_default();
        let answers_bot = message
            .get("reply_to_message")
            .is_some_and(|reply| reply.pointer("/from/id").and_then(Value::as_i64) == Some(profile.id));
        text.starts_with('/') || text.contains(&format!("@{}", profile.username)) || answers_bot
    }

    fn update_kind(&self, kind: ChatKind, is_edit: bool) -> &'static str {
        match (self.place.business.is_some(), kind, is_edit) {
            (true, _, false) => "business_message",
            (true, _, true) => "edited_business_message",
            (false, ChatKind::Channel, false) => "channel_post",
            (false, ChatKind::Channel, true) => "edited_channel_post",
            (false, _, false) => "message",
            (false, _, true) => "edited_message",
        }
    }

    fn lane(&self) -> Lane {
        let class = if self.place.business.is_some() { LANE_BUSINESS } else { LANE_MESSAGES };
        (self.place.chat_id, class)
    }

    fn chat_json(&self, state: &BotState) -> Value {
        state.chat(&self.place).map(|chat| chat.json.clone()).unwrap_or_default()
    }

    fn shown(&self, message_id: i64) -> Value {
        let shown = self.bot.bot.lock().message(&self.place, message_id).map(BotState::shown_in_reply);
        match shown {
            Some(shown) => shown,
            None => panic!("chat {} has no message {message_id} to answer", self.place.chat_id),
        }
    }
}

fn text_fields(text: &str, entities: Vec<Value>) -> Value {
    let mut content = json!({"text": text});
    if !entities.is_empty() {
        set(&mut content, "entities", entities);
    }
    content
}

/// Who stands as the sender of an anonymous administrator's message.
fn anonymous_admin() -> Value {
    json!({"id": 1_087_968_824, "is_bot": true, "first_name": "Group", "username": "GroupAnonymousBot"})
}

pub(crate) fn into_map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// A `ChatMemberUpdated` about the bot (<https://core.telegram.org/bots/api#chatmemberupdated>).
pub(crate) fn member_change(chat: &Value, by: &Value, bot: &Value, date: i64, old: &str, new: &str) -> Value {
    let member = |status: &str| {
        let mut member = json!({"status": status, "user": bot});
        if status == "kicked" {
            set(&mut member, "until_date", 0);
        }
        member
    };
    json!({"chat": chat, "from": by, "date": date, "old_chat_member": member(old), "new_chat_member": member(new)})
}

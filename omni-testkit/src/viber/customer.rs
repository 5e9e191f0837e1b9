//! The customers' side: people who open the chat, write, press keys and go away.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::bot::{Bot, Entry, From, Known};
use super::hooks;

/// A person as they are in Viber.
#[derive(Clone, Debug)]
pub struct Person {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) avatar: Option<String>,
    pub(super) language: String,
    pub(super) country: String,
    pub(super) api_version: u64,
}

impl Person {
    /// Somebody with a Belarusian telephone and a new app.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        let (language, country) = ("ru-BY".to_owned(), "BY".to_owned());
        Self { id: id.into(), name: name.into(), avatar: None, language, country, api_version: 10 }
    }

    /// The same with a picture.
    #[must_use]
    pub fn avatar(mut self, url: impl Into<String>) -> Self {
        self.avatar = Some(url.into());
        self
    }

    /// The same with an older app.
    #[must_use]
    pub fn api_version(mut self, api_version: u64) -> Self {
        self.api_version = api_version;
        self
    }

    /// What a bot is told, as far as it asked for it.
    pub(super) fn json(&self, with_name: bool, with_photo: bool) -> Value {
        let mut told = json!({
            "id": self.id, "language": self.language, "country": self.country, "api_version": self.api_version
        });
        let Some(fields) = told.as_object_mut() else { return told };
        if with_name {
            fields.insert("name".to_owned(), json!(self.name));
        }
        if let Some(avatar) = self.avatar.as_ref().filter(|_| with_photo) {
            fields.insert("avatar".to_owned(), json!(avatar));
        }
        told
    }
}

/// A file that somebody sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub mime: String,
    /// Its bytes.
    pub bytes: Bytes,
}

impl Upload {
    /// A file.
    pub fn new(name: impl Into<String>, mime: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self { name: name.into(), mime: mime.into(), bytes: bytes.into() }
    }
}

/// A person in their chat with a bot. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Customer {
    bot: Bot,
    id: String,
}

impl Customer {
    pub(super) fn new(bot: Bot, id: String) -> Self {
        Self { bot, id }
    }

    /// Opens the chat, perhaps by a link that carries something.
    pub fn opens(&self, context: Option<&str>) {
        let is_subscribed = self.with(|known| known.is_subscribed);
        let mut body = json!({"type": "open", "subscribed": is_subscribed, "user": self.told()});
        if let (Some(context), Some(fields)) = (context, body.as_object_mut()) {
            fields.insert("context".to_owned(), json!(context));
        }
        self.tells("conversation_started", body, None);
    }

    /// Turns messages on.
    pub fn subscribes(&self) {
        self.with(|known| known.is_subscribed = true);
        self.tells("subscribed", json!({"user": self.told()}), None);
    }

    /// Turns messages off.
    pub fn unsubscribes(&self) {
        self.with(|known| known.is_subscribed = false);
        self.tells("unsubscribed", json!({"user_id": self.id}), None);
    }

    /// Leaves Viber; nobody is told.
    pub fn leaves(&self) {
        self.with(|known| known.is_registered = false);
    }

    /// Writes; gives the message's token.
    pub fn writes(&self, text: &str) -> u64 {
        self.says(json!({"type": "text", "text": text}))
    }

    /// Sends a file: a `picture`, `video` or `file`, put at `media` by the person's app.
    pub fn sends_file(&self, kind: &str, media: &str, upload: &Upload, caption: &str) -> u64 {
        let mut message = json!({
            "type": kind, "media": media, "file_name": upload.name, "size": upload.bytes.len()
        });
        if let Some(fields) = message.as_object_mut().filter(|_| kind != "file") {
            fields.insert("text".to_owned(), json!(caption));
            fields.insert("thumbnail".to_owned(), json!(media));
        }
        self.says(message)
    }

    /// Sends a sticker; some apps tell where its picture is.
    pub fn sends_sticker(&self, id: u64, picture: Option<&str>) -> u64 {
        let mut message = json!({"type": "sticker", "sticker_id": id});
        if let (Some(picture), Some(fields)) = (picture, message.as_object_mut()) {
            fields.insert("media".to_owned(), json!(picture));
        }
        self.says(message)
    }

    /// Sends a place.
    pub fn sends_location(&self, lat: f64, lon: f64) -> u64 {
        self.says(json!({"type": "location", "location": {"lat": lat, "lon": lon}}))
    }

    /// Sends a card.
    pub fn sends_contact(&self, name: &str, phone: &str) -> u64 {
        self.says(json!({"type": "contact", "contact": {"name": name, "phone_number": phone}}))
    }

    /// Sends a link.
    pub fn sends_link(&self, url: &str) -> u64 {
        self.says(json!({"type": "url", "media": url}))
    }

    /// Sends a message of any form.
    pub fn says(&self, message: Value) -> u64 {
        self.told_as_message(message, false)
    }

    /// Presses the key with these words on the newest message that has one; gives whether there is one.
    pub fn presses(&self, label: &str) -> bool {
        let keys = self.transcript().into_iter().rev().filter(|entry| entry.from == From::Bot);
        let is_it =
            |key: &Value| key.get("Text").and_then(Value::as_str).map(plain).as_deref() == Some(label);
        let Some(key) = keys.flat_map(|entry| entry.keys()).find(is_it) else { return false };
        let field = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let silent = key.get("Silent").and_then(Value::as_bool).unwrap_or_default();
        match field("ActionType").as_str() {
            "none" => return true,
            "open-url" if silent => return true,
            "open-url" => self.sends_link(&field("ActionBody")),
            "share-phone" => self.says(json!({
                "type": "contact", "contact": {"name": "", "phone_number": "375291112233"}
            })),
            "location-picker" => self.sends_location(53.9006, 27.559),
            _ => self.told_as_message(json!({"type": "text", "text": field("ActionBody")}), silent),
        };
        true
    }

    /// A device of the person got a message of the bot.
    pub fn gets(&self, token: u64) {
        self.tells("delivered", json!({"user_id": self.id}), Some(token));
    }

    /// The person saw a message of the bot.
    pub fn sees(&self, token: u64) {
        self.tells("seen", json!({"user_id": self.id}), Some(token));
    }

    /// The person's app refuses a message of the bot that Viber had taken.
    pub fn refuses(&self, token: u64, why: &str) {
        self.tells("failed", json!({"user_id": self.id, "desc": why}), Some(token));
    }

    /// The person paid, or tried to.
    pub fn pays(&self) {
        let status = json!({
            "type": "payment", "code": 0, "supported_psps": ["LiqPay"], "tracking_data": "заказ:5"
        });
        let (token, timestamp) = (self.bot.lock().next_token(), self.bot.inner.ground.now().as_millis());
        self.posts(&json!({
            "event": "client_status", "timestamp": timestamp, "message_token": token,
            "chat_hostname": "SN-CHAT-05_", "user": self.told(), "status": status
        }));
    }

    /// Posts a callback of any form, signed, behind the person's others.
    pub fn posts(&self, body: &Value) {
        hooks::post(&self.bot, &self.id, body);
    }

    /// Both sides' messages, in order.
    #[must_use]
    pub fn transcript(&self) -> Vec<Entry> {
        self.with(|known| known.transcript.clone())
    }

    /// Waits until the bot has said this.
    pub async fn wait_for(&self, text: &str) -> Entry {
        let said = || self.transcript().into_iter().find(|e| e.from == From::Bot && e.text() == text);
        self.bot.inner.ground.wait_for(&format!("the bot to say {text:?}"), said).await
    }

    /// A message subscribes its author, and no `subscribed` comes.
    fn told_as_message(&self, message: Value, silent: bool) -> u64 {
        let (token, at) = (self.bot.lock().next_token(), self.bot.inner.ground.now());
        self.with(|known| {
            known.is_subscribed = true;
            known.unanswered.clear();
            if !silent {
                known.transcript.push(Entry { token, from: From::Customer, at, json: message.clone() });
            }
        });
        self.tells(
            "message",
            json!({"sender": self.told(), "message": message, "silent": silent}),
            Some(token),
        );
        token
    }

    /// Posts a callback, when the bot has asked for such ones.
    fn tells(&self, event: &str, fields: Value, token: Option<u64>) {
        let wanted = {
            let mut state = self.bot.lock();
            let wanted = state.webhook.as_ref().is_some_and(|hook| hook.events.iter().any(|e| e == event));
            wanted.then(|| token.unwrap_or_else(|| state.next_token()))
        };
        let Some(token) = wanted else { return };
        let timestamp = self.bot.inner.ground.now().as_millis();
        let mut body: Map<String, Value> = fields.as_object().cloned().unwrap_or_default();
        body.insert("event".to_owned(), json!(event));
        body.insert("timestamp".to_owned(), json!(timestamp));
        body.insert("message_token".to_owned(), json!(token));
        body.insert("chat_hostname".to_owned(), json!("SN-CHAT-05_"));
        hooks::post(&self.bot, &self.id, &Value::Object(body));
    }

    fn told(&self) -> Value {
        let state = self.bot.lock();
        let (name, photo) = state.webhook.as_ref().map_or((false, false), |h| (h.send_name, h.send_photo));
        state.people.get(&self.id).map(|known| known.person.json(name, photo)).unwrap_or_default()
    }

    fn with<T>(&self, change: impl FnOnce(&mut Known) -> T) -> T {
        let mut state = self.bot.lock();
        match state.people.get_mut(&self.id) {
            Some(known) => change(known),
            None => panic!("a customer that the bot does not know"),
        }
    }
}

/// Words as an app shows them: blanks of no width are not seen.
fn plain(text: &str) -> String {
    text.replace('\u{200b}', "")
}

//! The customers' side, and the operator's in the program itself.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::ProgramSim;
use super::events;
use super::state::{Chat, Entry, From};

/// A file of a customer.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Its kind, as `image` or `file`.
    pub kind: String,
    /// File name.
    pub name: String,
    /// Media type.
    pub mime: String,
    /// The bytes.
    pub bytes: Bytes,
}

/// Somebody in a chat of the program. Everything they do is told at once, as one event.
#[derive(Clone, Debug)]
pub struct Customer {
    sim: ProgramSim,
    address: String,
}

impl Customer {
    pub(super) fn new(sim: ProgramSim, address: String) -> Self {
        Self { sim, address }
    }

    /// The program's id of the chat.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Writes; gives the id of the message.
    pub fn writes(&self, text: &str) -> String {
        self.says(json!({ "text": text }))
    }

    /// Answers a message.
    pub fn answers(&self, message: &str, text: &str) -> String {
        self.says(json!({ "text": text, "reply_to": { "message": message } }))
    }

    /// Sends a file, which is put at an address of the program.
    pub fn sends(&self, upload: &Upload) -> String {
        let path = {
            let mut state = self.sim.lock();
            let path = format!("/files/{}", state.next("f"));
            state.files.insert(path.clone(), upload.clone());
            path
        };
        let url = format!("{}{path}", self.sim.ground().base_url());
        self.says(json!({ "media": [{
            "kind": upload.kind, "url": url, "name": upload.name, "mime": upload.mime, "size": upload.bytes.len(),
        }] }))
    }

    /// Says something, given as the fields of a message.
    pub fn says(&self, fields: Value) -> String {
        let id = self.sim.lock().next("m");
        let mut event = self.by_person("message", fields);
        put(&mut event, "message_id", &json!(id));
        self.keep(&id, From::Customer, &event);
        self.tell(event);
        id
    }

    /// An operator answers in the program itself.
    pub fn is_answered_by(&self, author: &str, text: &str) -> String {
        let id = self.sim.lock().next("m");
        let event = self.event("echo", json!({ "message_id": id, "author": author, "text": text }));
        self.keep(&id, From::Operator, &event);
        self.tell(event);
        id
    }

    /// Changes a message of their own.
    pub fn edits(&self, message: &str, text: &str) {
        self.with_chat(|chat| {
            if let Some(entry) = chat.entry(message) {
                put(&mut entry.json, "text", &json!(text));
            }
        });
        self.tell(self.by_person("edited", json!({ "message": message, "text": text })));
    }

    /// Takes a message of their own back.
    pub fn deletes(&self, message: &str) {
        self.with_chat(|chat| chat.transcript.retain(|entry| entry.id != message));
        self.tell(self.event("deleted", json!({ "messages": [message] })));
    }

    /// Puts a sign on a message.
    pub fn reacts(&self, message: &str, sign: &str) {
        self.tell(self.by_person("reaction", json!({ "message": message, "signs": [sign] })));
    }

    /// Presses a key under a message of the channel, and waits for an answer; gives the ticket of the press.
    ///
    /// # Panics
    /// When there is no such key.
    pub fn presses(&self, message: &str, label: &str) -> String {
        let found = self.with_chat(|chat| Some(chat.entry(message)?.key(label)?.to_owned()));
        let Some(data) = found else { panic!("{message} has no key {label:?}") };
        let ticket = {
            let mut state = self.sim.lock();
            let ticket = state.next("t");
            state.tickets.insert(ticket.clone(), None);
            ticket
        };
        let fields = json!({ "message": message, "data": data, "label": label, "ticket": ticket });
        self.tell(self.by_person("button", fields));
        ticket
    }

    /// What a press was answered with; nothing while it waits.
    #[must_use]
    pub fn was_told(&self, ticket: &str) -> Option<String> {
        self.sim.lock().tickets.get(ticket).cloned().flatten()
    }

    /// Opens the chat, by a link with this token.
    pub fn starts(&self, token: Option<&str>) {
        let fields = token.map_or(json!({}), |token| json!({ "referral": { "token": token } }));
        self.tell(self.by_person("started", fields));
    }

    /// Does something that says only who and where: `typing`, `subscribed`.
    pub fn does(&self, kind: &str) {
        self.tell(self.by_person(kind, json!({})));
    }

    /// Forbids to be written to.
    pub fn blocks(&self) {
        self.with_chat(|chat| chat.is_blocked = true);
        self.does("blocked");
    }

    /// Goes away without a word.
    pub fn leaves(&self) {
        self.with_chat(|chat| chat.is_open = false);
    }

    /// Has seen everything up to a message.
    pub fn reads(&self, message: &str) {
        self.tell(self.event("read", json!({ "up_to": message })));
    }

    /// The program tells how far a message of the channel came.
    pub fn is_told(&self, message: &str, status: &str) {
        let mut fields = json!({ "message": message, "status": status });
        if status == "failed" {
            put(&mut fields, "error", &json!({ "kind": "recipient_unreachable", "text": "вкладка закрыта" }));
        }
        self.tell(self.event("status", fields));
    }

    /// Writes two texts, and between them comes something that nobody can read, all in one body.
    pub fn writes_around(&self, first: &str, broken: Value, last: &str) {
        let message = |text: &str| {
            let id = self.sim.lock().next("m");
            self.by_person("message", json!({ "text": text, "message_id": id }))
        };
        let events = [message(first), broken, message(last)];
        events::post(&self.sim, &self.address, &json!({ "events": events }));
    }

    /// The chat as the person sees it.
    #[must_use]
    pub fn transcript(&self) -> Vec<Entry> {
        self.with_chat(|chat| chat.transcript.clone())
    }

    /// Whether somebody of the channel is shown writing.
    #[must_use]
    pub fn sees_typing(&self) -> bool {
        self.with_chat(|chat| chat.is_typing)
    }

    fn with_chat<T>(&self, look: impl FnOnce(&mut Chat) -> T) -> T {
        let mut state = self.sim.lock();
        match state.chats.get_mut(&self.address) {
            Some(chat) => look(chat),
            None => panic!("the chat {} is gone", self.address),
        }
    }

    fn keep(&self, id: &str, from: From, json: &Value) {
        let entry = Entry { id: id.to_owned(), from, json: json.clone(), signs: Vec::new(), is_read: false };
        self.with_chat(|chat| chat.transcript.push(entry));
    }

    /// An event with its id, place and time.
    fn event(&self, kind: &str, mut fields: Value) -> Value {
        put(&mut fields, "type", &json!(kind));
        put(&mut fields, "id", &json!(self.sim.lock().next("e")));
        put(&mut fields, "address", &json!(self.address));
        put(&mut fields, "at", &json!(self.sim.ground().now().as_millis()));
        fields
    }

    fn by_person(&self, kind: &str, fields: Value) -> Value {
        let mut event = self.event(kind, fields);
        put(&mut event, "sender", &self.with_chat(|chat| chat.person.clone()));
        event
    }

    fn tell(&self, event: Value) {
        events::post(&self.sim, &self.address, &json!({ "events": [event] }));
    }
}

fn put(object: &mut Value, name: &str, value: &Value) {
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value.clone());
    }
}

//! What the program keeps.

use std::collections::HashMap;

use serde_json::Value;

use super::customer::Upload;

/// What changes.
#[derive(Debug)]
pub(super) struct State {
    pub(super) keys: Vec<String>,
    pub(super) webhook: Option<String>,
    /// By their addresses.
    pub(super) chats: HashMap<String, Chat>,
    /// The answers to messages, by their deliveries.
    pub(super) taken: HashMap<String, String>,
    /// Files of customers, by their paths.
    pub(super) files: HashMap<String, Upload>,
    /// Presses that wait for an answer, and the answers.
    pub(super) tickets: HashMap<String, Option<String>>,
    count: u64,
}

/// A chat with one person.
#[derive(Debug)]
pub(super) struct Chat {
    pub(super) person: Value,
    pub(super) transcript: Vec<Entry>,
    pub(super) is_typing: bool,
    pub(super) is_blocked: bool,
    /// Whether the person is still there.
    pub(super) is_open: bool,
}

/// Whose a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// The customer's.
    Customer,
    /// Of the channel.
    Channel,
    /// Of an operator in the program itself.
    Operator,
}

/// One message, as the program shows it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub from: From,
    /// The request or event that it came with, or the last change of it.
    pub json: Value,
    /// Signs of the channel on it.
    pub signs: Vec<String>,
    /// Whether the channel has seen it.
    pub is_read: bool,
}

impl Entry {
    /// The words; empty when there are none.
    #[must_use]
    pub fn text(&self) -> &str {
        self.json.get("text").and_then(Value::as_str).unwrap_or_default()
    }

    /// What a key of this label carries.
    #[must_use]
    pub fn key(&self, label: &str) -> Option<&str> {
        let rows = self.json.pointer("/keyboard/rows")?.as_array()?;
        let mut keys = rows.iter().filter_map(Value::as_array).flatten();
        keys.find(|key| key.get("label").and_then(Value::as_str) == Some(label))?.get("data")?.as_str()
    }
}

impl State {
    pub(super) fn new(key: &str) -> Self {
        Self {
            keys: vec![key.to_owned()],
            webhook: None,
            chats: HashMap::new(),
            taken: HashMap::new(),
            files: HashMap::new(),
            tickets: HashMap::new(),
            count: 0,
        }
    }

    /// A new name of something.
    pub(super) fn next(&mut self, of: &str) -> String {
        self.count += 1;
        format!("{of}-{}", self.count)
    }

    /// The address of a person's chat.
    pub(super) fn chat_of(&mut self, id: &str, name: &str) -> String {
        let address = format!("чат {id}");
        self.chats.entry(address.clone()).or_insert_with(|| Chat {
            person: serde_json::json!({"id": id, "name": name, "language": "ru"}),
            transcript: Vec::new(),
            is_typing: false,
            is_blocked: false,
            is_open: true,
        });
        address
    }
}

impl Chat {
    pub(super) fn entry(&mut self, id: &str) -> Option<&mut Entry> {
        self.transcript.iter_mut().find(|entry| entry.id == id)
    }
}

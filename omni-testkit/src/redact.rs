//! Making a fixture of a payload that was captured in production: the same shape, nobody's words.
//!
//! ```
//! use omni_testkit::redact::Redaction;
//! use serde_json::json;
//!
//! let captured = json!({"type": "text", "chat_id": 80020002, "user": {"name": "Пётр"}, "text": "Звоните 8 916 123-45-67 😀",
//!     "token": "vk1.a.secret", "at": 1760000100});
//! let fixture = Redaction::new().keep(["type", "at"]).apply(&captured);
//! assert_eq!(fixture["type"], "text");
//! assert_eq!(fixture["at"], 1760000100);
//! assert_ne!(fixture["chat_id"], 80020002);
//! assert_eq!(fixture["chat_id"].to_string().len(), 8); // as long as it was
//! let text = fixture["text"].as_str().unwrap();
//! assert!(!text.contains("916") && text.contains('😀')); // of the same letters, by kind
//! ```
//!
//! Equal values become equal values, so what refers to something else still does. Look at the outcome before you commit
//! it: what a key is called does not tell everything.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Number, Value};

use crate::sim::random::Random;

/// How to redact; by default every text and number is replaced, and flags, nulls, keys and lengths stay.
#[derive(Clone, Debug)]
pub struct Redaction {
    keep: BTreeSet<String>,
    seed: u64,
}

impl Default for Redaction {
    fn default() -> Self {
        Self::new()
    }
}

impl Redaction {
    /// Replaces every text and number.
    #[must_use]
    pub fn new() -> Self {
        Self { keep: BTreeSet::new(), seed: 1 }
    }

    /// Leaves what stands under these keys, at any depth: kinds, times, flags written as texts.
    #[must_use]
    pub fn keep<K: Into<String>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.keep.extend(keys.into_iter().map(Into::into));
        self
    }

    /// Other replacements, from a seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The payload with nobody's words in it.
    #[must_use]
    pub fn apply(&self, payload: &Value) -> Value {
        let mut work = Work { keep: &self.keep, dice: Random::new(self.seed), known: HashMap::new() };
        work.value(payload)
    }
}

struct Work<'a> {
    keep: &'a BTreeSet<String>,
    dice: Random,
    /// What became of a word, so that it becomes the same again.
    known: HashMap<String, String>,
}

impl Work<'_> {
    fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::Object(fields) => Value::Object(self.object(fields)),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.value(item)).collect()),
            Value::String(text) => Value::String(self.text(text)),
            Value::Number(number) => self.number(number),
            other => other.clone(),
        }
    }

    fn object(&mut self, fields: &Map<String, Value>) -> Map<String, Value> {
        let redacted = fields.iter().map(|(key, value)| {
            let value = if self.keep.contains(key) { value.clone() } else { self.value(value) };
            (key.clone(), value)
        });
        redacted.collect()
    }

    /// Word by word, so that a name inside a sentence becomes what it became elsewhere.
    fn text(&mut self, text: &str) -> String {
        // JSON within a text is redacted as JSON: its shape is what a parser goes by.
        if let Ok(inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text) {
            return self.value(&inner).to_string();
        }
        let mut out = String::with_capacity(text.len());
        let mut word = String::new();
        for sign in text.chars() {
            if sign.is_alphanumeric() {
                word.push(sign);
                continue;
            }
            self.end_word(&mut word, &mut out);
            out.push(sign);
        }
        self.end_word(&mut word, &mut out);
        out
    }

    fn end_word(&mut self, word: &mut String, out: &mut String) {
        if word.is_empty() {
            return;
        }
        let word = std::mem::take(word);
        if let Some(known) = self.known.get(&word) {
            out.push_str(known);
            return;
        }
        // Never the word itself, unless there is no other.
        let mut other = self.like(&word);
        for _ in 0..8 {
            if other != word {
                break;
            }
            other = self.like(&word);
        }
        out.push_str(&other);
        self.known.insert(word, other);
    }

    fn like(&mut self, word: &str) -> String {
        word.chars().enumerate().map(|(at, sign)| self.sign(sign, at)).collect()
    }

    /// Another sign of the same kind; a number keeps its first digit from becoming a zero.
    fn sign(&mut self, sign: char, at: usize) -> char {
        let (first, count) = match sign {
            '1'..='9' if at == 0 => ('1', 9),
            '0'..='9' => ('0', 10),
            'a'..='z' => ('a', 26),
            'A'..='Z' => ('A', 26),
            'а'..='я' => ('а', 32),
            'А'..='Я' => ('А', 32),
            other => return other,
        };
        let step = u32::try_from(self.dice.below(count)).unwrap_or(0);
        char::from_u32(first as u32 + step).unwrap_or(sign)
    }

    fn number(&mut self, number: &Number) -> Value {
        let text = self.text(&number.to_string());
        serde_json::from_str(&text).unwrap_or_else(|_| Value::Number(number.clone()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_equal_stays_equal_and_nothing_else_is_left() {
        let captured = json!({"from": 50112233, "peer": 50112233, "text": "Пётр, это Пётр", "name": "Пётр"});
        let fixture = Redaction::new().apply(&captured);
        assert_eq!(fixture["from"], fixture["peer"]);
        let name = fixture["name"].as_str().unwrap();
        assert_eq!(fixture["text"].as_str().unwrap().matches(name).count(), 2);
        let shown = fixture.to_string();
        assert!(!shown.contains("Пётр") && !shown.contains("50112233"), "{shown}");
    }

    #[test]
    fn shapes_survive_texts_in_texts_and_numbers_beyond_53_bits() {
        let captured = json!({"payload": "{\"cmd\":\"ask\"}", "token": 5901234567890123456_u64, "lat": 55.75, "on": true});
        let fixture = Redaction::new().apply(&captured);
        let inner: Value = serde_json::from_str(fixture["payload"].as_str().unwrap()).unwrap();
        assert!(inner.get("cmd").is_some());
        assert!(fixture["token"].is_u64() && fixture["lat"].is_f64() && fixture["on"] == true);
    }

    #[test]
    fn kept_keys_are_left_alone_at_any_depth() {
        let captured = json!({"a": [{"type": "photo", "id": 7}], "type": {"type": "text"}});
        let fixture = Redaction::new().keep(["type"]).apply(&captured);
        assert_eq!((&fixture["a"][0]["type"], &fixture["type"]["type"]), (&json!("photo"), &json!("text")));
    }
}

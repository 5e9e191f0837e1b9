//! What the simulator remembers, and the JSON it shows of it.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use omni_core::Timestamp;
use serde_json::{Value, json};

/// How long an access token is good, in seconds.
pub(super) const TOKEN_LIFE: i64 = 86_400;
/// How long a link to a voice message is good, in seconds.
pub(super) const VOICE_LIFE: i64 = 3600;

/// An account of a seller.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its number.
    pub id: i64,
    /// The seller's name.
    pub name: String,
    /// Keys of the account's own.
    pub client_id: String,
    /// The key's secret.
    pub client_secret: String,
}

/// The advert a chat is about.
#[derive(Clone, Debug)]
pub struct Advert {
    /// Its number.
    pub id: i64,
    /// Its title.
    pub title: String,
    /// Its price, as shown.
    pub price: String,
}

/// What a chat was opened from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatType {
    /// From Avito itself.
    A2u,
    /// From an advert.
    U2i,
    /// From a profile.
    U2u,
}

impl ChatType {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            ChatType::A2u => "a2u",
            ChatType::U2i => "u2i",
            ChatType::U2u => "u2u",
        }
    }
}

/// One message of a chat.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// Who wrote it.
    pub author: i64,
    /// When, in seconds.
    pub created: i64,
    /// Its type.
    pub kind: String,
    /// Its content.
    pub content: Value,
    /// When the buyer read it, in seconds.
    pub read: Option<i64>,
    /// Whether the seller read it.
    pub is_read: bool,
    /// The message it answers.
    pub quote: Option<String>,
    /// In place of all the above, where a test broke it.
    pub broken: Option<Value>,
}

/// A chat.
#[derive(Clone, Debug)]
pub struct Chat {
    /// Its id.
    pub id: String,
    /// What it was opened from.
    pub kind: ChatType,
    /// The account in it.
    pub account: i64,
    /// The other side's number.
    pub buyer: i64,
    /// The other side's name.
    pub buyer_name: String,
    /// What it is about.
    pub advert: Option<Advert>,
    /// When it was opened, in seconds.
    pub created: i64,
    /// When something last happened in it, in seconds.
    pub updated: i64,
    /// Its messages, oldest first.
    pub entries: Vec<Entry>,
}

#[derive(Debug)]
pub(super) struct Token {
    pub(super) account: i64,
    pub(super) until: i64,
}

#[derive(Debug)]
pub(super) struct Voice {
    pub(super) account: i64,
    pub(super) bytes: Bytes,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) accounts: BTreeMap<i64, Account>,
    pub(super) tokens: HashMap<String, Token>,
    /// Refresh tokens and codes that are good for one use.
    pub(super) grants: HashMap<String, i64>,
    /// Addresses of webhooks by account.
    pub(super) subscriptions: Vec<(i64, String)>,
    pub(super) chats: Vec<Chat>,
    /// Uploaded pictures by id, with their account.
    pub(super) uploads: HashMap<String, (i64, Bytes)>,
    pub(super) voices: HashMap<String, Voice>,
    /// Files by path, good until a second; for ever where there is none.
    pub(super) files: HashMap<String, (Bytes, &'static str, Option<i64>)>,
    pub(super) blacklist: Vec<Value>,
    /// Accounts whose keys and tokens are refused.
    pub(super) revoked: Vec<i64>,
    pub(super) lacks_user_read: bool,
    counter: u64,
}

impl State {
    /// A number that was not there before.
    pub(super) fn next(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    pub(super) fn chat(&self, account: i64, id: &str) -> Option<&Chat> {
        self.chats.iter().find(|chat| chat.account == account && chat.id == id)
    }

    pub(super) fn chat_mut(&mut self, account: i64, id: &str) -> Option<&mut Chat> {
        self.chats.iter_mut().find(|chat| chat.account == account && chat.id == id)
    }

    /// A new token pair; the refresh token is new as well.
    pub(super) fn issue(&mut self, account: i64, now: Timestamp, with_refresh: bool) -> Value {
        let access = format!("aT-{:024x}", self.next());
        self.tokens.insert(access.clone(), Token { account, until: seconds(now) + TOKEN_LIFE });
        let mut answer = json!({"access_token": access, "expires_in": TOKEN_LIFE, "token_type": "Bearer"});
        if with_refresh {
            let refresh = format!("rT-{:024x}", self.next());
            self.grants.insert(refresh.clone(), account);
            put(&mut answer, "refresh_token", json!(refresh));
            put(&mut answer, "scope", json!("messenger:read,messenger:write,user:read"));
        }
        answer
    }

    /// Adds a message to a chat; gives it back as it is told.
    pub(super) fn say(&mut self, account: i64, chat: &str, said: Said, now: Timestamp) -> Option<Entry> {
        let id = format!("c0ffee00c0ffee00{:016x}", self.next());
        let chat = self.chat_mut(account, chat)?;
        chat.updated = seconds(now);
        let entry = Entry {
            id,
            author: said.author,
            created: seconds(now),
            kind: said.kind.to_owned(),
            content: said.content,
            read: None,
            is_read: false,
            quote: said.quote,
            broken: None,
        };
        chat.entries.push(entry.clone());
        Some(entry)
    }
}

/// What somebody says.
pub(super) struct Said {
    pub(super) author: i64,
    pub(super) kind: &'static str,
    pub(super) content: Value,
    pub(super) quote: Option<String>,
}

/// Sets a field of an object.
pub(super) fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

pub(super) fn seconds(now: Timestamp) -> i64 {
    now.as_millis().div_euclid(1000)
}

impl Chat {
    /// As `GET .../chats/{chat_id}` shows it.
    pub(super) fn shown(&self, owner: &Account, base: &str) -> Value {
        let context = match &self.advert {
            Some(advert) => json!({"type": "item", "value": {
                "id": advert.id, "title": advert.title, "price_string": advert.price, "status_id": 10,
                "url": format!("https://avito.ru/x_{}", advert.id), "user_id": self.account,
                "images": {"count": 4, "main": {"140x105": format!("{base}/media/advert.jpg")}},
            }}),
            None => json!({"type": "user", "value": null}),
        };
        let last = self.entries.last().map(|entry| {
            json!({"id": entry.id, "author_id": entry.author, "created": entry.created,
                   "direction": self.direction(entry), "type": entry.kind, "content": entry.content})
        });
        json!({
            "id": self.id, "created": self.created, "updated": self.updated, "context": context,
            "users": [
                {"id": owner.id, "name": owner.name},
                {"id": self.buyer, "name": self.buyer_name, "public_user_profile": {
                    "user_id": self.buyer, "item_id": 0,
                    "url": format!("https://avito.ru/user/{:x}/profile", self.buyer),
                    "avatar": {"default": "https://00.img.avito.st/a.png",
                               "images": {"24x24": "https://00.img.avito.st/a24.png",
                                          "256x256": "https://00.img.avito.st/a256.png"}},
                }},
            ],
            "last_message": last,
        })
    }

    /// A message as the history shows it.
    pub(super) fn told(&self, entry: &Entry) -> Value {
        if let Some(broken) = &entry.broken {
            return broken.clone();
        }
        let mut told = json!({
            "id": entry.id, "author_id": entry.author, "created": entry.created, "type": entry.kind,
            "content": entry.content, "direction": self.direction(entry), "is_read": entry.is_read,
            "read": entry.read,
        });
        let quoted = entry.quote.as_ref().and_then(|id| self.entries.iter().find(|entry| entry.id == *id));
        if let Some(quoted) = quoted {
            let quote = json!({"id": quoted.id, "author_id": quoted.author, "created": quoted.created,
                                   "type": quoted.kind, "content": quoted.content});
            put(&mut told, "quote", quote);
        }
        told
    }

    /// A message as a webhook tells it: without quote and direction.
    pub(super) fn hooked(&self, entry: &Entry) -> Value {
        json!({
            "id": entry.id, "chat_id": self.id, "user_id": self.account, "author_id": entry.author,
            "created": entry.created, "published_at": rfc3339(entry.created), "type": entry.kind,
            "chat_type": self.kind.as_str(), "item_id": self.advert.as_ref().map(|advert| advert.id),
            "read": entry.read, "content": entry.content,
        })
    }

    fn direction(&self, entry: &Entry) -> &'static str {
        if entry.author == self.account { "out" } else { "in" }
    }
}

/// `2026-09-21T14:15:00Z`, by the civil-from-days arithmetic of the proleptic Gregorian calendar.
fn rfc3339(secs: i64) -> String {
    let (days, rest) = (secs.div_euclid(86_400), secs.rem_euclid(86_400));
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_avito_writes_them() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_790_000_100), "2026-09-21T14:15:00Z");
        assert_eq!(rfc3339(1_709_164_800), "2024-02-29T00:00:00Z");
    }
}

//! What the provider knows.

use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;
use omni_core::Timestamp;

/// The dealer's account: what is typed into the cabinet, and what its manager gives out.
#[derive(Clone, Debug)]
pub struct Dealer {
    pub(super) chat_id: String,
    pub(super) token: String,
    pub(super) login: String,
    pub(super) password: String,
    pub(super) dealer_id: Option<String>,
    pub(super) session_seconds: u64,
}

impl Dealer {
    /// A dealer with a ChatId and no REST API.
    pub fn new(chat_id: impl Into<String>) -> Self {
        Self {
            chat_id: chat_id.into(),
            token: String::new(),
            login: String::new(),
            password: String::new(),
            dealer_id: None,
            session_seconds: 7_776_000,
        }
    }

    /// The same with access to the REST API.
    #[must_use]
    pub fn rest(
        mut self,
        token: impl Into<String>,
        login: impl Into<String>,
        password: impl Into<String>,
    ) -> Self {
        (self.token, self.login, self.password) = (token.into(), login.into(), password.into());
        self
    }

    /// The same, one of several dealers of an agency: every call has to name it.
    #[must_use]
    pub fn of_agency(mut self, dealer_id: impl Into<String>) -> Self {
        self.dealer_id = Some(dealer_id.into());
        self
    }

    /// The same with sessions that last so long.
    #[must_use]
    pub fn session_seconds(mut self, seconds: u64) -> Self {
        self.session_seconds = seconds;
        self
    }
}

/// Who wrote something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The buyer.
    Buyer,
    /// An operator of the code under test, over either interface.
    Operator,
    /// A manager in Auto.ru's own app.
    Manager,
    /// Auto.ru itself.
    Service,
}

/// What was said.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// Words.
    Text(String),
    /// Words with tags, which only Auto.ru writes.
    Html(String),
    /// A picture at an address.
    Picture(String),
}

/// One message of a talk, as the buyer's app shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its id, in its room and in webhooks.
    pub id: String,
    /// The id that its sender gave it.
    pub provided_id: Option<String>,
    /// Who wrote it.
    pub side: Side,
    /// In whose name an operator wrote.
    pub operator: Option<String>,
    /// What was said.
    pub said: Said,
    /// When.
    pub at: Timestamp,
    /// Whether the other side has read it.
    pub is_read: bool,
}

/// A talk of one buyer about one advert.
#[derive(Clone, Debug, Default)]
pub(super) struct Talk {
    pub(super) name: String,
    pub(super) room: String,
    pub(super) entries: Vec<Entry>,
    /// Up to when the dealer and the buyer have read.
    pub(super) read_by_us: Option<Timestamp>,
    pub(super) read_by_buyer: Option<Timestamp>,
    /// Ids of operators that came already: a repeat is ignored.
    pub(super) taken: HashSet<String>,
    /// Something in the list of messages that nobody can read, and behind how many messages it stands.
    pub(super) oddity: Option<(usize, serde_json::Value)>,
}

/// All of it.
#[derive(Debug)]
pub(super) struct State {
    pub(super) dealer: Dealer,
    pub(super) webhook: Option<String>,
    /// By the buyer's id of webhooks.
    pub(super) talks: BTreeMap<String, Talk>,
    /// Sessions and their ends.
    pub(super) sessions: BTreeMap<String, Timestamp>,
    pub(super) logins: usize,
    pub(super) pictures: BTreeMap<String, Bytes>,
    last: u64,
}

impl State {
    pub(super) fn new(dealer: Dealer) -> Self {
        let (webhook, talks, sessions, logins, pictures) = Default::default();
        Self { dealer, webhook, talks, sessions, logins, pictures, last: 0 }
    }

    /// A number that was never given out; ids made of it rise.
    pub(super) fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// The talk of a buyer, begun when there is none.
    pub(super) fn talk(&mut self, buyer: &str, name: &str) -> &mut Talk {
        let room = format!("{:04x}room", self.talks.len() + 0x8a8a);
        let begin = || Talk { name: name.to_owned(), room, ..Talk::default() };
        self.talks.entry(buyer.to_owned()).or_insert_with(begin)
    }

    /// The talk that a room is.
    pub(super) fn room(&mut self, room: &str) -> Option<&mut Talk> {
        self.talks.values_mut().find(|talk| talk.room == room)
    }

    /// Something is said in a talk. The dealer has read what it answers.
    pub(super) fn says(&mut self, buyer: &str, side: Side, said: Said, at: Timestamp) -> Entry {
        let id = format!("m{:08}", self.number());
        let entry = Entry { id, provided_id: None, side, operator: None, said, at, is_read: false };
        if let Some(talk) = self.talks.get_mut(buyer) {
            talk.add(entry.clone());
        }
        entry
    }
}

impl Talk {
    pub(super) fn add(&mut self, entry: Entry) {
        match entry.side {
            Side::Buyer => self.is_read_by_buyer(entry.at),
            Side::Operator | Side::Manager => self.is_read_by_us(entry.at),
            Side::Service => {}
        }
        self.entries.push(entry);
    }

    pub(super) fn is_read_by_us(&mut self, at: Timestamp) {
        self.read_by_us = Some(at);
        self.entries.iter_mut().filter(|e| e.side == Side::Buyer).for_each(|e| e.is_read = true);
    }

    pub(super) fn is_read_by_buyer(&mut self, at: Timestamp) {
        self.read_by_buyer = Some(at);
        self.entries.iter_mut().filter(|e| e.side != Side::Buyer).for_each(|e| e.is_read = true);
    }

    pub(super) fn has_unread(&self) -> usize {
        self.entries.iter().filter(|e| e.side == Side::Buyer && !e.is_read).count()
    }
}

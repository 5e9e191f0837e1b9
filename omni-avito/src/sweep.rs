//! Looking for messages: chats that changed, read from the newest message back to what is known.
//!
//! Avito keeps no queue for us, so a sweep has a place of its own: the second of the newest change it has told. It
//! looks again a little before that second, because clocks and lists lag; what it has told already it knows by event
//! ids, in memory within one session, and across sessions by the hub's claims (law 3). The place moves only when every
//! chat that had changed was told.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use omni_core::channel::Sink;
use omni_core::error::{ErrorKind, Result, Retry};
use omni_core::event::{Event, EventBody, ReadReach, Told as ToldWhen};
use omni_core::outbound::SendError;
use omni_core::webhook::Rejected;
use omni_core::{Address, Cursor, Error, EventId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::api::{Answered, Api};
use crate::encode::{self, LAST_OFFSET, PAGE, Request};
use crate::parse::{self, Listed, Told};

/// How long before its place a sweep looks again, in seconds.
const OVERLAP: i64 = 120;
/// Chats that are looked at although nothing was said in them: whether our last message was read is told only there.
const WATCHED: usize = 5;
/// How long after our last message, in seconds.
const WATCH: i64 = 86_400;
/// Longest pause that a sweep keeps by itself when Avito asks for one; a longer one is the hub's to keep.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Events kept in memory as told; far more than happen within [`OVERLAP`].
const KEPT: usize = 50_000;

/// The place of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// The second of the newest change that is told.
    since: i64,
    /// While history is told: the second at which news begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    live: Option<i64>,
}

impl Mark {
    /// The first one: news begins a little before now, and history some days before that.
    pub(crate) fn first(now: Timestamp, history_days: u32) -> Self {
        let now = seconds(now);
        match i64::from(history_days) {
            0 => Self { since: now, live: None },
            days => Self { since: now - days * 86_400, live: Some(now - OVERLAP) },
        }
    }

    pub(crate) fn read(cursor: &Cursor) -> Result<Self> {
        serde_json::from_str(cursor.as_str()).map_err(|_| {
            Error::new(ErrorKind::State, "listen")
                .with_text("the stored cursor is not a place of an Avito sweep")
        })
    }

    pub(crate) fn cursor(&self) -> Result<Cursor> {
        let text = serde_json::to_string(self)
            .map_err(|e| Error::new(ErrorKind::Internal, "listen").with_text(e.to_string()))?;
        Ok(Cursor::from(text))
    }

    /// From when on messages are looked at.
    fn floor(&self) -> i64 {
        self.since.saturating_sub(OVERLAP)
    }
}

/// What time it is: where news begins is now, and nobody else can say when that is.
pub(crate) fn now() -> Timestamp {
    Timestamp::default() + SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn seconds(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(1000)
}

/// Sweeps of one session.
#[derive(Debug)]
pub(crate) struct Sweep<'a> {
    api: &'a Api,
    account: i64,
    mark: Mark,
    /// How the chats looked that were told whole.
    seen: HashMap<String, String>,
    told: Memory,
}

impl<'a> Sweep<'a> {
    pub(crate) fn new(api: &'a Api, account: i64, mark: Mark) -> Self {
        Self { api, account, mark, seen: HashMap::new(), told: Memory::default() }
    }

    /// Tells everything new. One chat that fails does not keep the others from being told; the place stays then.
    pub(crate) async fn run(&mut self, sink: &dyn Sink) -> Result<()> {
        let chats = self.chats().await?;
        sink.alive();
        // A time in the future would carry the place past what is still to come.
        let newest = chats.iter().map(|chat| chat.updated).max().map(|newest| newest.min(seconds(now())));
        let watched = watched(&chats);
        let mut failed = None;
        for chat in &chats {
            let is_new =
                chat.updated >= self.mark.floor() && self.seen.get(&chat.place.chat) != Some(&look(chat));
            if !is_new && !watched.contains(&chat.place.chat) {
                continue;
            }
            match self.tell(chat, sink).await {
                Ok(()) => drop(self.seen.insert(chat.place.chat.clone(), look(chat))),
                Err(Stop::Sweep(error)) => return Err(error),
                Err(Stop::Chat(error)) => failed = Some(error),
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        self.seen.retain(|id, _| chats.iter().any(|chat| chat.place.chat == *id));
        let since = newest.map_or(self.mark.since, |newest| newest.max(self.mark.since));
        let moved = Mark { since, live: None };
        if moved != self.mark {
            sink.commit(Vec::new(), moved.cursor()?).await?;
            self.mark = moved;
        }
        Ok(())
    }

    /// Tells what is new in one chat.
    async fn tell(&mut self, chat: &Listed, sink: &dyn Sink) -> Result<(), Stop> {
        let events = match self.news(chat).await {
            Ok(events) => events,
            Err(error) if is_of_one_chat(&error) => {
                tracing::warn!(%error, "a chat cannot be read and is passed over");
                return Ok(());
            }
            Err(error) if matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Protocol) => {
                return Err(Stop::Chat(error));
            }
            Err(error) => return Err(Stop::Sweep(error)),
        };
        if events.is_empty() {
            return Ok(());
        }
        let told: Vec<EventId> = events.iter().map(|event| event.id.clone()).collect();
        tracing::debug!(events = told.len(), "found");
        let cursor = self.mark.cursor().map_err(Stop::Sweep)?;
        sink.commit(events, cursor).await.map_err(Stop::Sweep)?;
        told.into_iter().for_each(|id| self.told.keep(id.as_str()));
        Ok(())
    }

    /// The chats in which something may be new, the longest waiting first.
    ///
    /// The list begins with the newest change (*community*). A chat that jumps to its beginning while further pages
    /// are read is missed there, so the beginning is read once more.
    async fn chats(&self) -> Result<Vec<Listed>> {
        let mut found: HashMap<String, Listed> = HashMap::new();
        let mut offset = 0;
        loop {
            let page = self.page(offset).await?;
            let is_last = page.len < PAGE || page.chats.iter().all(|chat| chat.updated < self.mark.floor());
            found.extend(page.chats.into_iter().map(|chat| (chat.place.chat.clone(), chat)));
            if is_last {
                break;
            }
            if offset + PAGE > LAST_OFFSET {
                tracing::warn!(
                    chats = found.len(),
                    "Avito lists no further chats; older ones are not looked at"
                );
                break;
            }
            offset += PAGE;
        }
        if offset > 0 {
            let page = self.page(0).await?;
            found.extend(page.chats.into_iter().map(|chat| (chat.place.chat.clone(), chat)));
        }
        let mut chats: Vec<Listed> = found.into_values().collect();
        let newest = chats.iter().map(|chat| chat.updated).max().unwrap_or_default();
        let floor = self.mark.floor();
        chats.retain(|chat| {
            chat.updated >= floor || (chat.is_unread_by_them && chat.updated >= newest - WATCH)
        });
        chats.sort_by(|a, b| a.updated.cmp(&b.updated).then_with(|| a.place.chat.cmp(&b.place.chat)));
        Ok(chats)
    }

    async fn page(&self, offset: usize) -> Result<parse::Page> {
        let answered = self.ask(&encode::chats(self.account, offset)).await?;
        parse::listed(&answered.body, self.account).map_err(|rejected| unreadable(&answered, &rejected))
    }

    /// What was said in a chat and is not told yet, oldest first.
    async fn news(&self, chat: &Listed) -> Result<Vec<Event>> {
        let address = Address::new(&chat.place.chat);
        let (mut events, mut read) = (Vec::new(), None);
        let mut offset = 0;
        loop {
            let answered = self.ask(&encode::messages(self.account, &address, offset)?).await?;
            let page = parse::history(&answered.body, &chat.place)
                .map_err(|rejected| unreadable(&answered, &rejected))?;
            let floor = Timestamp::from_secs(self.mark.floor());
            let is_old = |told: &Told| told.event.at.is_some_and(|at| at < floor);
            let is_last = page.len() < PAGE || page.iter().any(is_old) || offset + PAGE > LAST_OFFSET;
            for told in page {
                read = read.max(told.read.clone().map(|(message, at)| (at, message)));
                if self.is_new(&told, is_old(&told)) {
                    events.push(told.event);
                }
            }
            if is_last {
                break;
            }
            offset += PAGE;
        }
        let mut events = in_order(events);
        for event in &mut events {
            event.told = self.when(event);
        }
        events.extend(read.and_then(|(at, message)| {
            let id = EventId::from(format!("{}:{}:read", chat.place.chat, message.as_str()));
            let is_new = seconds(at) >= self.mark.floor() && !self.told.has(id.as_str());
            let body = EventBody::Read { messages: vec![message], reach: ReadReach::UpTo };
            let event = Event::new(id, body).at_address(address).at_time(at);
            is_new.then(|| Event { account: Some(parse::account(self.account)), ..event })
        }));
        Ok(events)
    }

    /// A deletion keeps the time of its message: it is news where the message itself was told.
    fn is_new(&self, told: &Told, is_old: bool) -> bool {
        let id = told.event.id.as_str();
        if self.told.has(id) {
            return false;
        }
        !is_old || id.strip_suffix(":deleted").is_some_and(|message| self.told.has(message))
    }

    fn when(&self, event: &Event) -> ToldWhen {
        let is_history =
            self.mark.live.is_some_and(|live| event.at.is_none_or(|at| at < Timestamp::from_secs(live)));
        if is_history { ToldWhen::History } else { ToldWhen::Live }
    }

    /// Asks, and keeps a short pause that Avito asks for, so that one 429 does not end the session.
    async fn ask(&self, request: &Request) -> Result<Answered> {
        loop {
            let error = match self.api.call(request).await {
                Ok(answered) => return Ok(answered),
                Err(failed) => SendError::from(failed).into_error(),
            };
            match error.retry() {
                Retry::After { wait, .. } if wait <= LONGEST_PAUSE => tokio::time::sleep(wait).await,
                _ => return Err(error),
            }
        }
    }
}

/// From newest first to oldest first, by their times; one without a time stays behind the one before it.
fn in_order(events: Vec<Event>) -> Vec<Event> {
    let mut last = None;
    let mut timed: Vec<(Option<Timestamp>, Event)> = Vec::with_capacity(events.len());
    for event in events.into_iter().rev() {
        last = event.at.or(last);
        timed.push((last, event));
    }
    timed.sort_by_key(|(at, _)| *at);
    timed.into_iter().map(|(_, event)| event).collect()
}

/// What a failed chat means for the others.
enum Stop {
    /// They are told all the same.
    Chat(Error),
    /// They would fail as well.
    Sweep(Error),
}

/// Refused because of the chat: it is gone, or not ours to read. It would fail for ever.
fn is_of_one_chat(error: &Error) -> bool {
    use ErrorKind::{ContentRejected, Forbidden, NotFound, RecipientBlocked, RecipientUnreachable};
    matches!(error.kind(), ContentRejected | Forbidden | NotFound | RecipientBlocked | RecipientUnreachable)
}

fn unreadable(answered: &Answered, rejected: &Rejected) -> Error {
    answered.unreadable(&rejected.to_string()).with_retry(Retry::Later)
}

/// How a chat looks when nothing happens in it.
fn look(chat: &Listed) -> String {
    format!("{} {}", chat.updated, chat.last)
}

/// The chats whose last message is ours and unread, the newest first.
fn watched(chats: &[Listed]) -> HashSet<String> {
    let unread = chats.iter().rev().filter(|chat| chat.is_unread_by_them);
    unread.take(WATCHED).map(|chat| chat.place.chat.clone()).collect()
}

/// The last events told, and the messages they were of.
#[derive(Debug, Default)]
struct Memory {
    order: VecDeque<String>,
    all: HashSet<String>,
}

impl Memory {
    fn has(&self, id: &str) -> bool {
        self.all.contains(id)
    }

    /// Keeps an event, and without its type the message it was of.
    fn keep(&mut self, id: &str) {
        let message = id.rsplit_once(':').map(|(message, _)| message);
        for name in [Some(id), message].into_iter().flatten() {
            if self.all.insert(name.to_owned()) {
                self.order.push_back(name.to_owned());
            }
        }
        while self.order.len() > 2 * KEPT {
            if let Some(oldest) = self.order.pop_front() {
                self.all.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_being_stored() {
        for mark in [Mark::first(Timestamp::from_secs(1_790_000_000), 0), Mark { since: 5, live: Some(7) }] {
            assert_eq!(Mark::read(&mark.cursor().unwrap()).unwrap(), mark);
        }
        for bad in ["", "7", "{}", r#"{"since":"x"}"#] {
            assert_eq!(Mark::read(&Cursor::from(bad)).unwrap_err().kind(), ErrorKind::State, "{bad}");
        }
    }

    #[test]
    fn history_begins_so_many_days_ago_and_news_now() {
        let now = Timestamp::from_secs(1_790_000_000);
        assert_eq!(Mark::first(now, 0), Mark { since: 1_790_000_000, live: None });
        let with = Mark::first(now, 2);
        assert_eq!(with, Mark { since: 1_790_000_000 - 172_800, live: Some(1_790_000_000 - OVERLAP) });
    }

    #[test]
    fn the_memory_is_bounded_and_forgets_the_oldest() {
        let mut memory = Memory::default();
        for n in 0..=KEPT {
            memory.keep(&format!("u2i-1:{n}:text"));
        }
        assert!(memory.all.len() <= 2 * KEPT);
        assert!(!memory.has("u2i-1:0:text"));
        assert!(memory.has(&format!("u2i-1:{KEPT}:text")) && memory.has(&format!("u2i-1:{KEPT}")));
    }
}

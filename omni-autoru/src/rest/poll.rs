//! Asking for news: which rooms changed, and what was said in them.
//!
//! All rooms are asked for, not the unread ones alone: what a manager wrote or read in Auto.ru's own app is not unread
//! any more, and is news to us all the same (law 8).

use std::collections::HashSet;
use std::time::Duration;

use http::Method;
use omni_core::channel::Sink;
use omni_core::error::{ErrorKind, Result, Retry};
use omni_core::outbound::SendError;
use omni_core::{Cursor, Error, Event, Timestamp};
use serde_json::value::RawValue;

use super::api::{Asked, Rooms};
use super::parse::{InRoom, time};
use super::place::{Place, Told};
use crate::dialect::wire::Name;
use crate::parse::{nameless, part};
use crate::wire::Id;
use crate::wire::rooms::{Message, MessageList, Room, RoomList};

/// Most messages asked for at once; <https://yandex.ru/dev/autoru/doc/ru/reference/chats/additional/get-message>
/// names no limit (read 2026-11).
const PAGE: usize = 100;
/// Most pages of one room in one look; a talk of more in a few days is no talk.
const PAGES: usize = 50;
/// How much is asked for again when the message to begin behind is gone.
const OVERLAP: Duration = Duration::from_secs(60);
/// Longest pause that a listener keeps by itself when it is asked for one; a longer one is the hub's to keep.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// From where on a room's messages are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Since {
    /// Behind this message, onward.
    Message(String),
    /// Whatever was written after this time, from the end backward.
    Time(Timestamp),
}

/// What one look brought.
#[derive(Debug)]
struct Look {
    events: Vec<Event>,
    place: Place,
}

/// A room as it was listed.
#[derive(Debug)]
struct Listed<'a> {
    raw: &'a RawValue,
    room: InRoom<'a>,
    /// Its last message, or the whole room where that cannot be read.
    last: Last,
}

/// The last thing in a room.
#[derive(Clone, Debug)]
struct Last {
    id: String,
    at: Option<Timestamp>,
    is_ours: bool,
    is_readable: bool,
}

/// A message that was asked for.
#[derive(Debug)]
struct Fetched {
    id: String,
    at: Option<Timestamp>,
    is_ours: bool,
    event: Event,
}

impl Rooms {
    /// Receives until an error.
    pub(crate) async fn listen(&self, from: Option<Cursor>, sink: &dyn Sink) -> Result<()> {
        let mut place = from.map(|cursor| Place::read(&cursor)).transpose()?;
        loop {
            let look = self.look_patiently(place.as_ref()).await?;
            sink.alive();
            let brought = !look.events.is_empty();
            if brought || place.as_ref() != Some(&look.place) {
                tracing::debug!(events = look.events.len(), "polled");
                // Only what is stored is left behind at the next look (law 1).
                sink.commit(look.events, look.place.cursor()?).await?;
                place = Some(look.place);
            }
            if !brought {
                tokio::time::sleep(Duration::from_millis(self.rest.poll_millis)).await;
            }
        }
    }

    /// Looks once; a short pause that Auto.ru asks for is kept here.
    async fn look_patiently(&self, place: Option<&Place>) -> Result<Look> {
        loop {
            let error = match self.look(place).await {
                Ok(look) => return Ok(look),
                Err(error) => error.into_error(),
            };
            match error.retry() {
                Retry::After { wait, .. } if wait <= LONGEST_PAUSE => tokio::time::sleep(wait).await,
                // A proxy's page in place of an answer passes.
                _ if error.kind() == ErrorKind::Protocol => return Err(error.with_retry(Retry::Later)),
                _ => return Err(error),
            }
        }
    }

    /// <https://yandex.ru/dev/autoru/doc/ru/reference/chats/additional/room-light> (read 2026-11)
    async fn look(&self, place: Option<&Place>) -> Result<Look, SendError> {
        let query = [("only_unread", "false")];
        let asked = Asked { operation: "rooms", method: Method::GET, path: "chat/room/light", query: &query };
        let answered = self.get(&asked).await?;
        let RoomList { rooms } = answered.read().map_err(SendError::Rejected)?;
        let rooms: Vec<Listed<'_>> = rooms.into_iter().filter_map(Listed::read).collect();
        let newest = rooms.iter().filter_map(|room| room.last.at).max();
        let mut next = place.cloned().unwrap_or_else(|| Place::first(newest.unwrap_or_default()));
        let is_first = place.is_none();
        let mut events = Vec::new();
        for listed in &rooms {
            let told = next.rooms.get(&listed.room.id);
            let fetched = match listed.since(told, next.floor, is_first) {
                Some(since) => self.fetch(listed, &since, told).await?,
                None => Vec::new(),
            };
            let Some(now_told) = listed.told(told, &fetched, next.floor, newest) else { continue };
            let read = listed.read_event(&fetched, told).filter(|_| !is_first);
            events.extend(fetched.into_iter().map(|fetched| fetched.event));
            events.extend(read);
            next.rooms.insert(listed.room.id.clone(), now_told);
        }
        // Without a message there is no time to go by, and nothing to leave behind.
        Ok(Look { events, place: newest.into_iter().fold(next, Place::after) })
    }

    /// The messages of a room, in order. A room that refuses to tell them is told of itself, and stops no other.
    async fn fetch(
        &self,
        listed: &Listed<'_>,
        since: &Since,
        told: Option<&Told>,
    ) -> Result<Vec<Fetched>, SendError> {
        if !listed.last.is_readable {
            return Ok(vec![listed.itself()]);
        }
        let found = match self.pages(&listed.room, since).await {
            // The message to begin behind may be gone.
            Err(SendError::Rejected(error)) if is_about_the_room(&error) && told.is_some() => {
                let at = told.map(|told| told.at).unwrap_or_default() - OVERLAP;
                self.pages(&listed.room, &Since::Time(at)).await
            }
            found => found,
        };
        match found {
            Ok(mut fetched) => {
                fetched.retain(|message| told.is_none_or(|told| told.message != message.id));
                Ok(in_order(fetched))
            }
            Err(SendError::Rejected(error)) if is_about_the_room(&error) => Ok(vec![listed.itself()]),
            Err(error) => Err(error),
        }
    }

    /// <https://yandex.ru/dev/autoru/doc/ru/reference/chats/additional/get-message> (read 2026-11)
    async fn pages(&self, room: &InRoom<'_>, since: &Since) -> Result<Vec<Fetched>, SendError> {
        let (mut from, asc, after) = match since {
            Since::Message(id) => (Some(id.clone()), "true", None),
            Since::Time(after) => (None, "false", Some(*after)),
        };
        // Whether the page begins with the message asked from, or behind it, is not documented.
        let mut seen: HashSet<String> = from.iter().cloned().collect();
        let mut found = Vec::new();
        let count = PAGE.to_string();
        for _ in 0..PAGES {
            let mut query = vec![("room_id", room.id.as_str()), ("count", &count), ("asc", asc)];
            query.extend(from.as_deref().map(|from| ("from", from)));
            let asked =
                Asked { operation: "messages", method: Method::GET, path: "chat/message", query: &query };
            let answered = self.get(&asked).await?;
            let MessageList { messages } = answered.read().map_err(SendError::Rejected)?;
            let is_full = messages.len() >= PAGE;
            let page: Vec<Fetched> = messages.into_iter().map(|raw| Fetched::read(room, raw)).collect();
            from = page.last().map(|message| message.id.clone());
            let is_wanted = |message: &Fetched| after.is_none() || message.at.is_none() || message.at > after;
            let reached = page.iter().any(|message| !is_wanted(message));
            let before = found.len();
            found.extend(page.into_iter().filter(|m| is_wanted(m) && seen.insert(m.id.clone())));
            if !is_full || reached || found.len() == before {
                break;
            }
        }
        if asc == "false" {
            found.reverse();
        }
        Ok(found)
    }
}

/// By time; what has none stays behind what it came behind.
fn in_order(fetched: Vec<Fetched>) -> Vec<Fetched> {
    let mut latest = Timestamp::default();
    let mut dated: Vec<(Timestamp, Fetched)> = Vec::with_capacity(fetched.len());
    for message in fetched {
        latest = message.at.unwrap_or(latest);
        dated.push((latest, message));
    }
    dated.sort_by_key(|(at, _)| *at);
    dated.into_iter().map(|(_, message)| message).collect()
}

/// Whether a refusal is of this one room.
fn is_about_the_room(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ContentRejected)
}

impl<'a> Listed<'a> {
    /// A room where something was said; nothing of one where nobody wrote.
    fn read(raw: &'a RawValue) -> Option<Self> {
        let Some(room) = part::<Room<'_>>(Some(raw)).filter(|room| !room.id.is_empty()) else {
            let id = part::<Name<'_>>(Some(raw)).and_then(|name| part::<Id<'_>>(name.id));
            let id = id.map_or_else(|| nameless(raw), |id| id.to_string());
            let last = Last { id: nameless(raw), at: None, is_ours: false, is_readable: false };
            return Some(Self { raw, room: InRoom::named(id), last });
        };
        let in_room = InRoom::from(&room);
        let updated = || room.updated.as_deref().and_then(time);
        let last = match part::<Message<'_>>(Some(room.last_message?)) {
            Some(message) => Last {
                id: message.id.to_string(),
                at: time(&message.created).or_else(updated),
                is_ours: in_room.is_ours(&message),
                is_readable: true,
            },
            // Whatever it is, it is told when it is fetched.
            None => Last { id: nameless(raw), at: updated(), is_ours: false, is_readable: true },
        };
        Some(Self { raw, room: in_room, last })
    }

    /// From where on its messages have to be asked for; nothing when all of them were told.
    fn since(&self, told: Option<&Told>, floor: Timestamp, is_first: bool) -> Option<Since> {
        if let Some(told) = told {
            return (told.message != self.last.id).then(|| Since::Message(told.message.clone()));
        }
        // At the very first look, what somebody has read in the app is no news.
        let read = self.room.read_by_us().filter(|_| is_first).unwrap_or(floor);
        let after = floor.max(read);
        self.last.at.is_none_or(|at| at > after).then_some(Since::Time(after))
    }

    /// How far the room is told now; nothing for one that fell silent before the floor.
    fn told(
        &self,
        told: Option<&Told>,
        fetched: &[Fetched],
        floor: Timestamp,
        newest: Option<Timestamp>,
    ) -> Option<Told> {
        let at = self.last.at.or(newest).unwrap_or(floor);
        if told.is_none() && at <= floor && fetched.is_empty() {
            return None;
        }
        let newer = fetched.last().filter(|message| message.at > Some(at));
        let (message, at) = match newer {
            Some(message) => (message.id.clone(), message.at.unwrap_or(at)),
            None => (self.last.id.clone(), at),
        };
        let read = self.last_read(fetched).or_else(|| told.and_then(|told| told.read.clone()));
        Some(Told { message, at, read })
    }

    /// The last message of ours that the buyer has read, as far as it is among these.
    fn last_read(&self, fetched: &[Fetched]) -> Option<String> {
        let mark = self.room.read_by_buyer()?;
        let listed = (self.last.is_ours, self.last.at, &self.last.id);
        let all = fetched.iter().map(|message| (message.is_ours, message.at, &message.id)).chain([listed]);
        let read = all.filter(|(is_ours, at, _)| *is_ours && at.is_some_and(|at| at <= mark));
        read.max_by_key(|(_, at, _)| *at).map(|(_, _, id)| id.clone())
    }

    fn read_event(&self, fetched: &[Fetched], told: Option<&Told>) -> Option<Event> {
        let read = self.last_read(fetched)?;
        let is_news = told.and_then(|told| told.read.as_ref()) != Some(&read);
        is_news.then_some(self.room.read(&read, self.room.read_by_buyer()?))
    }

    /// The room in place of its messages.
    fn itself(&self) -> Fetched {
        let event = self.room.unsupported(self.raw, "room");
        Fetched { id: self.last.id.clone(), at: self.last.at, is_ours: false, event }
    }
}

impl Fetched {
    fn read(room: &InRoom<'_>, raw: &RawValue) -> Self {
        let event = room.event(raw);
        let message = part::<Message<'_>>(Some(raw));
        let name = part::<Name<'_>>(Some(raw)).and_then(|name| part::<Id<'_>>(name.id));
        Self {
            id: name.map_or_else(|| nameless(raw), |id| id.to_string()),
            at: event.at,
            is_ours: message.is_some_and(|message| room.is_ours(&message)),
            event,
        }
    }
}

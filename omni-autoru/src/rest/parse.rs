//! From rooms and their messages to events. Pure: no input or output, no clock.

use std::collections::BTreeMap;

use omni_core::contact::{Identity, Sender, SenderKind};
use omni_core::content::{Content, Item, Part};
use omni_core::event::{Echo, Event, EventBody, Message as Said, Origin, ReadReach};
use omni_core::media::{Media, MediaKind, MediaRef};
use omni_core::{Address, MessageId, ProviderMessageId, Timestamp};
use serde_json::value::RawValue;

use crate::PROVIDER;
use crate::address::AutoruAddress;
use crate::dialect::parse::{is_incomplete, link};
use crate::dialect::wire::Name;
use crate::parse::{nameless, part};
use crate::wire::rooms::{Attachment, Message, Payload, Room, Subject, User};
use crate::wire::{Id, Str};

/// Words of a person.
const PLAIN: &str = "TEXT_PLAIN";
/// Words of Auto.ru itself, with links and styles.
const HTML: &str = "TEXT_HTML";

/// A room, with what its messages are read with.
#[derive(Clone, Debug)]
pub struct InRoom<'a> {
    pub(super) id: String,
    me: Option<String>,
    item: Option<Item>,
    users: Vec<User<'a>>,
}

impl<'a> From<&Room<'a>> for InRoom<'a> {
    fn from(room: &Room<'a>) -> Self {
        Self {
            id: room.id.to_string(),
            me: room.me.as_deref().map(str::to_owned),
            item: part::<Subject<'_>>(room.subject).and_then(|subject| item(&subject)),
            users: part(room.users).unwrap_or_default(),
        }
    }
}

impl InRoom<'_> {
    /// A room of which nothing is known but its id.
    pub(super) fn named(id: String) -> Self {
        Self { id, me: None, item: None, users: Vec::new() }
    }

    /// Its address.
    pub fn address(&self) -> Address {
        Address::from(&AutoruAddress::Room(self.id.clone()))
    }

    /// Up to when the business has read here.
    pub fn read_by_us(&self) -> Option<Timestamp> {
        self.users.iter().filter(|user| self.is_me(&user.id)).filter_map(read_at).max()
    }

    /// Up to when the buyer has read here.
    pub fn read_by_buyer(&self) -> Option<Timestamp> {
        self.users.iter().filter(|user| !self.is_me(&user.id)).filter_map(read_at).max()
    }

    /// Whether the user of the session wrote a message.
    pub fn is_ours(&self, message: &Message<'_>) -> bool {
        message.me.unwrap_or(false) || self.is_me(&message.author)
    }

    /// Reads a message of the room. What cannot be read is kept whole as unsupported.
    pub fn event(&self, raw: &RawValue) -> Event {
        match part::<Message<'_>>(Some(raw)) {
            Some(message) if !message.id.is_empty() && !message.author.is_empty() => {
                self.understood(&message, raw)
            }
            _ => self.unsupported(raw, "message"),
        }
    }

    /// The room itself, when its messages cannot be asked for.
    pub fn unsupported(&self, raw: &RawValue, what: &str) -> Event {
        let id = match part::<Name<'_>>(Some(raw)).and_then(|name| part::<Id<'_>>(name.id)) {
            Some(id) if !id.is_empty() => id.to_string(),
            _ => nameless(raw),
        };
        let body = EventBody::Unsupported { what: what.to_owned() };
        Event::new(self.event_id(&id), body).at_address(self.address()).with_raw(raw)
    }

    /// The buyer has read everything up to a message of ours.
    pub fn read(&self, message: &str, at: Timestamp) -> Event {
        let messages = vec![ProviderMessageId::from(message)];
        let body = EventBody::Read { messages, reach: ReadReach::UpTo };
        Event::new(self.event_id(&format!("read-{message}")), body).at_address(self.address()).at_time(at)
    }

    fn understood(&self, message: &Message<'_>, raw: &RawValue) -> Event {
        let content = content(message);
        let incomplete = is_incomplete(&content);
        let is_automatic = message.payload.as_ref().is_some_and(|payload| &*payload.content_type == HTML);
        let said = Said {
            item: self.item.clone(),
            origin: if is_automatic { Origin::Automatic } else { Origin::Person },
            ..Said::new(&*message.id, author(message, is_automatic), content)
        };
        let body = if self.is_ours(message) {
            let ours = message.provided_id.as_deref().and_then(|id| id.parse::<MessageId>().ok());
            EventBody::Echo(Echo { message: said, ours, author: None })
        } else {
            EventBody::Message(said)
        };
        let mut event = Event::new(self.event_id(&message.id), body).at_address(self.address());
        event.at = time(&message.created);
        if incomplete { event.with_raw(raw) } else { event }
    }

    /// Whether ids of messages are of their room or of all is not documented.
    fn event_id(&self, id: &str) -> String {
        format!("{}/{id}", self.id)
    }

    fn is_me(&self, id: &str) -> bool {
        self.me.as_deref() == Some(id)
    }
}

fn author(message: &Message<'_>, is_automatic: bool) -> Sender {
    let kind = if is_automatic { SenderKind::Provider } else { SenderKind::Person };
    Sender {
        identity: Identity::new(PROVIDER, message.author.to_string()),
        profile: Default::default(),
        kind,
    }
}

fn content(message: &Message<'_>) -> Content {
    let mut content = Content::default();
    for attachment in &message.attachments {
        content
            .parts
            .push(picture(attachment).unwrap_or(Part::Unsupported { what: "attachment".to_owned() }));
    }
    match &message.payload {
        Some(Payload { content_type, value }) if &**content_type == PLAIN => {
            content.text = value.as_deref().filter(|words| !words.is_empty()).map(Into::into);
        }
        // Words with tags in them are no words: they are kept as they are.
        Some(Payload { content_type, value: Some(_) }) => {
            content.parts.push(Part::Unsupported { what: content_type.to_string() });
        }
        _ => {}
    }
    if content.is_empty() {
        content.parts.push(Part::Unsupported { what: "message".to_owned() });
    }
    content
}

fn picture(attachment: &Attachment<'_>) -> Option<Part> {
    let url = largest(&attachment.image.as_ref()?.sizes)?;
    Some(Part::Media(Media::new(MediaKind::Image, MediaRef::new(url))))
}

/// The address of the largest size. Sizes without numbers are the smallest.
fn largest(sizes: &BTreeMap<Str<'_>, Str<'_>>) -> Option<url::Url> {
    let area = |name: &str| {
        let (width, height) = name.split_once('x')?;
        Some(u64::from(width.parse::<u32>().ok()?) * u64::from(height.parse::<u32>().ok()?))
    };
    let usable = sizes.iter().filter_map(|(name, at)| Some((area(name).unwrap_or(0), link(at)?)));
    usable.max_by_key(|(area, _)| *area).map(|(_, url)| url)
}

fn item(subject: &Subject<'_>) -> Option<Item> {
    let own = |text: &Option<Str<'_>>| text.as_deref().filter(|t| !t.trim().is_empty()).map(str::to_owned);
    let name =
        subject.offer.as_ref().and_then(|offer| offer.source.as_ref()).and_then(|source| source.id.as_ref());
    let item = Item {
        id: name.map(|id| id.to_string()),
        title: own(&subject.title_v2).or_else(|| own(&subject.title)),
        image: subject.image.as_ref().and_then(largest),
        ..Item::default()
    };
    (item != Item::default()).then_some(item)
}

fn read_at(user: &User<'_>) -> Option<Timestamp> {
    user.room_last_read.as_deref().and_then(time)
}

/// An instant of the REST API: `2026-01-02T03:04:05.678Z`.
pub fn time(text: &str) -> Option<Timestamp> {
    text.parse::<jiff::Timestamp>().ok().map(|at| Timestamp::from_millis(at.as_millisecond()))
}

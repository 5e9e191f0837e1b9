//! Messages, wherever they were told.

use omni_core::contact::{Profile, Sender, SenderKind};
use omni_core::content::Item;
use omni_core::event::{Call, CallOutcome, Echo, Event, EventBody, Message as Said, Origin, ReplyTo};
use omni_core::{Address, Identity, ProviderMessageId};
use serde_json::value::RawValue;

use super::content::{self, Taken, Whole};
use super::{Other, Place, account, message_id, time};
use crate::PROVIDER;
use crate::wire::{self, Message, Quote};

/// Reads the message of a webhook; `None` when it lacks what makes an event.
pub(super) fn read(raw: &RawValue) -> Option<Event> {
    let mut message: Message<'_> = serde_json::from_str(raw.get()).ok()?;
    let place = Place {
        account: message.user_id?,
        chat: message.chat_id.take()?.into_string(),
        item: message.item_id,
        other: Other::of_type(message.chat_type.as_deref()),
    };
    event(message, &place, raw)
}

/// The event of a message at its place.
pub(super) fn event(message: Message<'_>, place: &Place, raw: &RawValue) -> Option<Event> {
    if message.id.is_empty() || place.chat.is_empty() {
        return None;
    }
    let id = message_id(&place.chat, &message.id, &message.kind);
    let at = time(message.created);
    let (body, whole) = match &*message.kind {
        "deleted" => (EventBody::Deleted { messages: vec![named(&message)] }, Whole::Yes),
        "call" => call(&message, place)?,
        _ => said(message, place)?,
    };
    let event = Event { at, account: Some(account(place.account)), ..Event::new(id, body) };
    let event = event.at_address(Address::new(&place.chat));
    Some(if whole == Whole::Yes { event } else { event.with_raw(raw) })
}

fn named(message: &Message<'_>) -> ProviderMessageId {
    ProviderMessageId::from(&*message.id)
}

/// Words and things: of the other side, of the business itself (law 8), or of one of Avito's bots.
fn said(message: Message<'_>, place: &Place) -> Option<(EventBody, Whole)> {
    let author = message.author_id?;
    let is_system = &*message.kind == "system";
    let Taken { content, whole } = content::take(&message.kind, message.content);
    let is_ours = author == place.account && !is_system;
    let is_providers = is_system || (!is_ours && place.other == Other::Provider);
    let kind = if is_providers { SenderKind::Provider } else { SenderKind::Person };
    let mut sender = sender(place.account, author, kind);
    if is_system {
        // Its author is nobody's buyer, and the same in many chats: as a person it would join them all into one.
        sender.identity.id = format!("chat:{}", place.chat);
    }
    let said = Said {
        item: place.item.map(|id| Item { id: Some(id.to_string()), ..Item::default() }),
        reply_to: message.quote.as_ref().map(quoted),
        // A bot of Avito's is never answered by itself (law 7).
        origin: if is_providers { Origin::Automatic } else { Origin::Person },
        ..Said::new(named(&message), sender, content)
    };
    let body = if is_ours {
        EventBody::Echo(Echo { message: said, ours: None, author: None })
    } else {
        EventBody::Message(said)
    };
    Some((body, whole))
}

fn quoted(quote: &Quote<'_>) -> ReplyTo {
    let words = quote.content.as_ref().and_then(|content| content.text.as_deref());
    ReplyTo { message: ProviderMessageId::from(&*quote.id), quote: words.map(str::to_owned) }
}

/// A call is of the other side, whoever dialled.
fn call(message: &Message<'_>, place: &Place) -> Option<(EventBody, Whole)> {
    let content: wire::Content<'_> = serde_json::from_str(message.content?.get()).ok()?;
    let told = content.call?;
    let people = [message.author_id, told.target_user_id];
    let other = people.into_iter().flatten().find(|person| *person != place.account)?;
    let is_missed = &*told.status == "missed";
    let call = Call {
        sender: sender(place.account, other, SenderKind::Person),
        outcome: if is_missed { CallOutcome::Missed } else { CallOutcome::Unknown },
        seconds: None,
        url: None,
    };
    Some((EventBody::Call(call), if is_missed { Whole::Yes } else { Whole::No }))
}

/// Ids of people are hashed and may differ between accounts, so they reach no further than theirs.
pub(super) fn sender(account: i64, id: i64, kind: SenderKind) -> Sender {
    let identity = Identity { scope: account.to_string(), ..Identity::new(PROVIDER, id.to_string()) };
    Sender { identity, profile: Profile::default(), kind }
}

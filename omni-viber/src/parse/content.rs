//! What a message says.

use omni_core::Text;
use omni_core::content::{CardOwner, ContactCard, Content, Location, Part};
use omni_core::media::{Media, MediaKind, MediaRef};
use omni_core::text::{Entity, EntityKind, utf16_len};
use url::Url;

use super::people::web;
use crate::wire::{self, Message, Str};
use omni_http::settings::below;

/// Takes the words, file, place or card out of a message; nothing when it holds nothing known.
/// <https://developers.viber.com/docs/api/rest-bot-api/#receive-message-from-user> (read 2026-11)
pub(super) fn take(m: &mut Message<'_>, stickers: &Url) -> Option<Content> {
    match &*m.kind {
        "text" => m.words().map(Content::text),
        "picture" => file(m, MediaKind::Image),
        "video" => file(m, MediaKind::Video),
        // Recorded speech comes as a file too (unverified).
        "file" => file(m, MediaKind::File),
        "sticker" => sticker(m, stickers),
        "contact" => m.contact.take().and_then(card).map(|card| Content::part(Part::Contact(card))),
        "location" => m.location.take().and_then(place).map(|place| Content::part(Part::Location(place))),
        "url" => link(m),
        _ => None,
    }
}

fn file(m: &mut Message<'_>, kind: MediaKind) -> Option<Content> {
    let at = m.media.take().filter(|at| web(at).is_some())?;
    let mut media = Media::new(kind, MediaRef::new(at.into_string()));
    media.name = m.file_name.take().map(Str::into_string).filter(|name| !name.is_empty());
    media.size = m.size;
    media.seconds = m.duration.and_then(|seconds| u32::try_from(seconds).ok());
    Some(Content { text: m.words().map(Text::from), ..Content::media(media) })
}

/// A sticker is named by its number alone; where its picture is, only practice tells (community).
fn sticker(m: &mut Message<'_>, stickers: &Url) -> Option<Content> {
    let id = m.sticker_id.take().filter(|id| id.bytes().all(|b| b.is_ascii_alphanumeric()));
    let given = m.media.take().filter(|at| web(at).is_some()).map(Str::into_string);
    let picture = || id.as_ref().map(|id| below(stickers, &format!("{id}.png")).to_string());
    let mut at = MediaRef::new(given.or_else(picture)?);
    at.unique = id;
    Some(Content::media(Media::new(MediaKind::Sticker, at)))
}

/// A card that anybody may have sent: one shared by a key that asks for it looks the same.
fn card(card: wire::Contact<'_>) -> Option<ContactCard> {
    let filled = |text: Option<Str<'_>>| text.map(Str::into_string).filter(|text| !text.is_empty());
    let (name, phone) = (filled(card.name), filled(card.phone_number));
    if name.is_none() && phone.is_none() {
        return None;
    }
    Some(ContactCard {
        name: name.unwrap_or_default(),
        phones: phone.into_iter().collect(),
        emails: Vec::new(),
        vcard: None,
        belongs_to: CardOwner::Unproved,
    })
}

fn place(place: wire::Location<'_>) -> Option<Location> {
    Some(Location {
        latitude: place.lat?,
        longitude: place.lon?,
        title: None,
        address: place.address.map(Str::into_string).filter(|address| !address.is_empty()),
        live_seconds: None,
    })
}

/// A link sent as such, or the page that a key opened: its address as words that lead to it.
fn link(m: &mut Message<'_>) -> Option<Content> {
    let url = m.media.take().map(Str::into_string).filter(|url| !url.is_empty())?;
    let before = m.words().filter(|words| *words != url).map(|words| words + "\n").unwrap_or_default();
    let (offset, length) = (utf16_len(&before), utf16_len(&url));
    let entity = Entity { offset, length, kind: EntityKind::Link { url: url.clone() } };
    Some(Content::text(Text { plain: before + &url, entities: vec![entity] }))
}

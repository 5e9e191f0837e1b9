//! What a message says.

use omni_core::Text;
use omni_core::content::{CardOwner, ContactCard, Content, Location, Part};
use omni_core::media::{Media, MediaKind, MediaRef};
use omni_core::text::{Entity, EntityKind};

use super::people;
use crate::wire::{self, ForwardOrigin, Message, MessageEntity, Rest, Str};

/// Takes the words, files, places and cards out of a message. Empty when it holds nothing known.
pub(super) fn take(m: &mut Message<'_>) -> Content {
    let mut content = Content { text: text(m), ..Content::default() };
    let Some(rest) = m.rest.as_mut() else { return content };
    if let Some(media) = media(rest) {
        content.parts.push(Part::Media(media));
    }
    // A venue comes with its bare location beside it.
    if let Some(venue) = rest.venue.take() {
        content.parts.push(Part::Location(venue_of(*venue)));
    } else if let Some(location) = &rest.location {
        content.parts.push(Part::Location(location_of(location)));
    }
    if let Some(card) = rest.contact.take() {
        let sender = m.from.as_ref().map(|user| user.id);
        content.parts.push(Part::Contact(card_of(*card, sender)));
    }
    content
}

/// What was handed on, as what its first author said.
pub(super) fn forwarded(origin: ForwardOrigin<'_>, content: Content) -> Content {
    let from = match (origin.sender_user, origin.sender_user_name, origin.sender_chat.or(origin.chat)) {
        (Some(user), ..) => people::full_name(&user),
        (None, Some(name), _) => Some(name.into_string()),
        (None, None, Some(chat)) => chat.title.map(Str::into_string),
        (None, None, None) => None,
    };
    Content::part(Part::Forwarded { from, contents: vec![content] })
}

fn text(m: &mut Message<'_>) -> Option<Text> {
    if let Some(words) = m.text.take() {
        return Some(marked(words, std::mem::take(&mut m.entities)));
    }
    let rest = m.rest.as_mut()?;
    let words = rest.caption.take()?;
    Some(marked(words, std::mem::take(&mut rest.caption_entities)))
}

fn marked(words: Str<'_>, entities: Vec<MessageEntity<'_>>) -> Text {
    // Collecting would reuse the longer list of the wire and then shrink it, which costs more than a new one.
    let mut marks = Vec::with_capacity(entities.len());
    marks.extend(entities.into_iter().map(entity));
    Text { plain: words.into_string(), entities: marks }
}

/// <https://core.telegram.org/bots/api#messageentity> (read 2026-11). Offsets are UTF-16 units there and here.
fn entity(e: MessageEntity<'_>) -> Entity {
    let kind = match &*e.kind {
        "bold" => EntityKind::Bold,
        "italic" => EntityKind::Italic,
        "underline" => EntityKind::Underline,
        "strikethrough" => EntityKind::Strike,
        "spoiler" => EntityKind::Spoiler,
        "code" => EntityKind::Code,
        "pre" => EntityKind::Pre { language: e.language.map(Str::into_string) },
        "blockquote" | "expandable_blockquote" => EntityKind::Quote,
        "mention" => EntityKind::Mention { id: None },
        "text_mention" => EntityKind::Mention { id: e.user.map(|user| user.id.to_string()) },
        "bot_command" => EntityKind::Command,
        "text_link" => EntityKind::Link { url: e.url.map(Str::into_string).unwrap_or_default() },
        _ => EntityKind::Detected { what: e.kind.into_string() },
    };
    Entity { offset: e.offset, length: e.length, kind }
}

/// The file of a message. The more specific kinds come first: a silent film is told as a document too.
fn media(rest: &mut Rest<'_>) -> Option<Media> {
    if let Some(film) = rest.animation.take() {
        return Some(video(*film, MediaKind::Animation));
    }
    if let Some(film) = rest.video.take() {
        return Some(video(*film, MediaKind::Video));
    }
    if let Some(picture) = largest(std::mem::take(&mut rest.photo)) {
        return Some(picture);
    }
    if let Some(speech) = rest.voice.take() {
        return Some(voice(*speech));
    }
    if let Some(music) = rest.audio.take() {
        return Some(audio(*music));
    }
    if let Some(round) = rest.video_note.take() {
        return Some(video_note(*round));
    }
    if let Some(s) = rest.sticker.take() {
        return Some(sticker(*s));
    }
    rest.document.take().map(|file| document(*file))
}

fn file(kind: MediaKind, id: Str<'_>, unique: Option<Str<'_>>, size: Option<u64>) -> Media {
    let mut at = MediaRef::new(id.into_string());
    at.unique = unique.map(Str::into_string);
    let mut media = Media::new(kind, at);
    media.size = size;
    media
}

fn largest(sizes: Vec<wire::PhotoSize<'_>>) -> Option<Media> {
    let best = sizes.into_iter().max_by_key(|s| u64::from(s.width) * u64::from(s.height))?;
    let mut media = file(MediaKind::Image, best.file_id, best.file_unique_id, best.file_size);
    // Photos are always recompressed to JPEG; their type is not told. (unverified, from memory)
    media.mime = Some("image/jpeg".to_owned());
    (media.width, media.height) = (Some(best.width), Some(best.height));
    Some(media)
}

fn video(film: wire::Video<'_>, kind: MediaKind) -> Media {
    let mut media = file(kind, film.file_id, film.file_unique_id, film.file_size);
    media.name = film.file_name.map(Str::into_string);
    media.mime = film.mime_type.map(Str::into_string);
    (media.width, media.height, media.seconds) = (film.width, film.height, film.duration);
    media
}

fn voice(speech: wire::Voice<'_>) -> Media {
    let mut media = file(MediaKind::Voice, speech.file_id, speech.file_unique_id, speech.file_size);
    media.mime = speech.mime_type.map(Str::into_string);
    media.seconds = speech.duration;
    media
}

fn audio(music: wire::Audio<'_>) -> Media {
    let mut media = file(MediaKind::Audio, music.file_id, music.file_unique_id, music.file_size);
    media.name = music.file_name.map(Str::into_string);
    media.mime = music.mime_type.map(Str::into_string);
    media.seconds = music.duration;
    media.title = match (music.performer, music.title) {
        (Some(performer), Some(title)) => Some(format!("{} – {}", &*performer, &*title)),
        (one, other) => one.or(other).map(Str::into_string),
    };
    media
}

fn video_note(round: wire::VideoNote<'_>) -> Media {
    let mut media = file(MediaKind::VideoNote, round.file_id, round.file_unique_id, round.file_size);
    (media.width, media.height, media.seconds) = (round.length, round.length, round.duration);
    media
}

/// <https://core.telegram.org/bots/api#sticker> (read 2026-11): WEBP, gzipped Lottie or WEBM.
fn sticker(s: wire::Sticker<'_>) -> Media {
    let mime = match (s.is_animated, s.is_video) {
        (true, _) => "application/x-tgsticker",
        (false, true) => "video/webm",
        (false, false) => "image/webp",
    };
    let mut media = file(MediaKind::Sticker, s.file_id, s.file_unique_id, s.file_size).typed(mime);
    (media.width, media.height) = (s.width, s.height);
    media.emoji = s.emoji.map(Str::into_string);
    media.title = s.set_name.map(Str::into_string);
    media
}

fn document(d: wire::Document<'_>) -> Media {
    let mut media = file(MediaKind::File, d.file_id, d.file_unique_id, d.file_size);
    media.name = d.file_name.map(Str::into_string);
    media.mime = d.mime_type.map(Str::into_string);
    media
}

fn location_of(location: &wire::Location) -> Location {
    Location {
        latitude: location.latitude,
        longitude: location.longitude,
        title: None,
        address: None,
        live_seconds: location.live_period,
    }
}

fn venue_of(venue: wire::Venue<'_>) -> Location {
    Location {
        title: Some(venue.title.into_string()),
        address: venue.address.map(Str::into_string),
        ..location_of(&venue.location)
    }
}

/// A card shared by a key that asks for it names its sender; any other card is anybody's.
/// <https://core.telegram.org/bots/api#contact> (read 2026-11)
fn card_of(card: wire::Contact<'_>, sender: Option<i64>) -> ContactCard {
    let name = people::joined(card.first_name, card.last_name).unwrap_or_default();
    let own = card.user_id.is_some() && card.user_id == sender;
    ContactCard {
        name,
        phones: vec![card.phone_number.into_string()],
        emails: Vec::new(),
        vcard: card.vcard.map(Str::into_string),
        belongs_to: if own { CardOwner::Sender } else { CardOwner::Unproved },
    }
}

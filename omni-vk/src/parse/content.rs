//! What a message says.

use omni_core::Text;
use omni_core::content::{Content, Item, Location, Part};
use omni_core::media::{Media, MediaKind, MediaRef};
use omni_core::text::{Entity, EntityKind, utf16_len};
use serde_json::value::RawValue;
use url::Url;

use super::people;
use crate::markup::mentions;
use crate::wire::{
    Attachment, Audio, AudioMessage, Call, Document, Forwarded, Geo, Graffiti, Link, Market, Photo,
    PhotoSize, Sticker, Str, Video, Wall, WallReply,
};

/// How deep messages handed on within others are read. VK nests less; a hostile body may nest for ever.
const DEPTH: usize = 12;
/// How much of a post stands for its title, in characters.
const TITLE: usize = 100;

/// The signs that VK has, by number. (unverified, from memory)
const REACTIONS: [&str; 16] =
    ["❤", "🔥", "😂", "👍", "💩", "❓", "😭", "😡", "👎", "👌", "😃", "🤔", "🙏", "😘", "😍", "🎉"];

/// A reaction as events tell it: an emoji, or `reaction:<number>` for one we do not know.
pub fn emoji_of(reaction: i64) -> String {
    let known = usize::try_from(reaction).ok().and_then(|n| REACTIONS.get(n.checked_sub(1)?));
    known.map_or_else(|| format!("reaction:{reaction}"), |emoji| (*emoji).to_owned())
}

/// The number of a reaction, written as [`emoji_of`] writes it; a heart may have its variation selector.
pub fn reaction_of(sign: &str) -> Option<i64> {
    if let Some(number) = sign.strip_prefix("reaction:") {
        return number.parse().ok();
    }
    let plain = sign.trim_end_matches('\u{fe0f}');
    REACTIONS.iter().position(|emoji| *emoji == plain).and_then(|place| i64::try_from(place + 1).ok())
}

/// What was read out of a message.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) content: Content,
    /// The goods it is about.
    pub(super) item: Option<Item>,
    /// Something in it has no word of ours: the raw form is to be kept.
    pub(super) has_more: bool,
    /// A call that stands in it.
    pub(super) call: Option<(i64, bool, Option<u32>)>,
}

/// The parts of a message that say something.
#[derive(Debug)]
pub(super) struct Parts<'m, 'a> {
    pub(super) text: Option<Str<'a>>,
    pub(super) attachments: &'m [&'a RawValue],
    pub(super) geo: Option<&'a RawValue>,
    pub(super) forwarded: &'m [&'a RawValue],
}

pub(super) fn read(parts: Parts<'_, '_>) -> Said {
    read_at(parts, DEPTH)
}

fn read_at(parts: Parts<'_, '_>, depth: usize) -> Said {
    let mut said = Said::default();
    said.content.text = parts.text.filter(|text| !text.is_empty()).map(|text| marked(text.into_string()));
    for attachment in parts.attachments {
        said.attach(attachment);
    }
    if let Some(geo) = parts.geo {
        match serde_json::from_str::<Geo<'_>>(geo.get()) {
            Ok(geo) => said.content.parts.push(Part::Location(place(geo))),
            Err(_) => said.lacks("geo"),
        }
    }
    for forwarded in parts.forwarded {
        match serde_json::from_str::<Forwarded<'_>>(forwarded.get()) {
            Ok(message) if depth > 0 => said.hand_on(message, depth - 1),
            _ => said.lacks("fwd_messages"),
        }
    }
    said
}

impl Said {
    /// Something for which we have no word.
    pub(super) fn lacks(&mut self, what: &str) {
        self.content.parts.push(Part::Unsupported { what: what.to_owned() });
        self.has_more = true;
    }

    fn hand_on(&mut self, message: Forwarded<'_>, depth: usize) {
        let Forwarded { from_id, text, attachments, fwd_messages, geo } = message;
        let parts = Parts { text, attachments: &attachments, geo, forwarded: &fwd_messages };
        let inner = read_at(parts, depth);
        self.has_more |= inner.has_more;
        let from = (from_id != 0).then(|| people::page_name(from_id));
        self.content.parts.push(Part::Forwarded { from, contents: vec![inner.content] });
    }

    fn attach(&mut self, json: &RawValue) {
        let Ok(attachment) = serde_json::from_str::<Attachment<'_>>(json.get()) else {
            return self.lacks(&kind_of(json));
        };
        let kind = attachment.kind.clone();
        match self.take(attachment) {
            Some(part) => self.content.parts.push(part),
            None => self.lacks(&kind),
        }
    }

    /// The attachment as a part of ours; `None` for what has no word.
    fn take(&mut self, a: Attachment<'_>) -> Option<Part> {
        match &*a.kind {
            "photo" => photo(a.photo?).map(Part::Media),
            "doc" => document(a.doc?).map(Part::Media),
            "audio_message" => voice(a.audio_message?).map(Part::Media),
            "audio" => audio(a.audio?).map(Part::Media),
            "sticker" => sticker(a.sticker?).map(Part::Media),
            "graffiti" => Some(Part::Media(graffiti(a.graffiti?))),
            "video" => Some(Part::Item(video(a.video?))),
            "link" => Some(Part::Item(link(a.link?))),
            "wall" => Some(Part::Item(post(a.wall?))),
            "wall_reply" => Some(Part::Item(comment(a.wall_reply?))),
            "market" => {
                let goods = goods(a.market?);
                self.item.get_or_insert_with(|| goods.clone());
                Some(Part::Item(goods))
            }
            "call" => {
                let Call { initiator_id, state, duration } = a.call?;
                let reached = state.as_deref() == Some("reached");
                self.call = Some((initiator_id, reached, duration));
                None
            }
            _ => None,
        }
    }
}

/// The second look at an attachment that is not as expected.
fn kind_of(json: &RawValue) -> String {
    #[derive(serde::Deserialize)]
    struct Kind<'a> {
        #[serde(borrow, rename = "type")]
        kind: Str<'a>,
    }
    serde_json::from_str::<Kind<'_>>(json.get())
        .map_or_else(|_| "attachment".to_owned(), |k| k.kind.into_string())
}

/// The words stay as they were written; what names somebody in them is told beside them.
fn marked(plain: String) -> Text {
    let entities = mentions(&plain)
        .filter_map(|range| {
            Some(Entity {
                offset: utf16_len(plain.get(..range.start)?),
                length: utf16_len(plain.get(range)?),
                kind: EntityKind::Detected { what: "mention".to_owned() },
            })
        })
        .collect();
    Text { plain, entities }
}

/// VK's name of a file, by which it can be sent again: `photo50112233_457239018_k1`.
fn name(kind: &str, owner: i64, id: i64, access_key: Option<&Str<'_>>) -> String {
    match access_key {
        Some(key) => format!("{kind}{owner}_{id}_{}", &**key),
        None => format!("{kind}{owner}_{id}"),
    }
}

fn file(kind: MediaKind, url: Str<'_>, unique: String) -> Media {
    let mut at = MediaRef::new(url.into_string());
    at.unique = Some(unique);
    Media::new(kind, at)
}

fn largest(sizes: Vec<PhotoSize<'_>>) -> Option<PhotoSize<'_>> {
    let shown = sizes.into_iter().filter(|size| !size.url.is_empty());
    shown.max_by_key(|size| u64::from(size.width) * u64::from(size.height))
}

fn photo(photo: Photo<'_>) -> Option<Media> {
    let best = photo.orig_photo.filter(|o| !o.url.is_empty()).or_else(|| largest(photo.sizes))?;
    let unique = name("photo", photo.owner_id, photo.id, photo.access_key.as_ref());
    let mut media = file(MediaKind::Image, best.url, unique);
    // Pictures are kept as JPEG; their type is not told. (unverified, from memory)
    media.mime = Some("image/jpeg".to_owned());
    (media.width, media.height) = (known(best.width), known(best.height));
    media.title = photo.text.filter(|text| !text.is_empty()).map(Str::into_string);
    Some(media)
}

/// Older pictures have sizes of 0.
fn known(pixels: u32) -> Option<u32> {
    Some(pixels).filter(|pixels| *pixels > 0)
}

fn document(doc: Document<'_>) -> Option<Media> {
    /// <https://dev.vk.com/reference/objects/doc>, `type` (read 2026-11)
    const MOVING_PICTURE: i64 = 3;
    let url = doc.url.filter(|url| !url.is_empty())?;
    let is_film = doc.class == MOVING_PICTURE;
    let kind = if is_film { MediaKind::Animation } else { MediaKind::File };
    let mut media = file(kind, url, name("doc", doc.owner_id, doc.id, doc.access_key.as_ref()));
    media.name = doc.title.map(|title| with_end(title.into_string(), doc.ext.as_deref()));
    media.mime = is_film.then(|| "image/gif".to_owned());
    media.size = doc.size;
    Some(media)
}

/// Titles can be changed; the end of the file's name is told beside.
fn with_end(title: String, ext: Option<&str>) -> String {
    match ext.filter(|ext| !ext.is_empty()) {
        Some(ext) if !title.to_lowercase().ends_with(&format!(".{}", ext.to_lowercase())) => {
            format!("{title}.{ext}")
        }
        _ => title,
    }
}

fn voice(speech: AudioMessage<'_>) -> Option<Media> {
    let unique = name("doc", speech.owner_id, speech.id, speech.access_key.as_ref());
    let ogg = speech.link_ogg.filter(|url| !url.is_empty()).map(|url| (url, "audio/ogg"));
    let mp3 = || speech.link_mp3.filter(|url| !url.is_empty()).map(|url| (url, "audio/mpeg"));
    let (url, mime) = ogg.or_else(mp3)?;
    let mut media = file(MediaKind::Voice, url, unique).typed(mime);
    media.seconds = speech.duration;
    media.title = speech.transcript.filter(|words| !words.is_empty()).map(Str::into_string);
    Some(media)
}

/// Its address is empty for communities, as a rule.
fn audio(music: Audio<'_>) -> Option<Media> {
    let url = music.url.filter(|url| !url.is_empty())?;
    let mut media = file(MediaKind::Audio, url, name("audio", music.owner_id, music.id, None));
    media.seconds = music.duration;
    media.title = match (music.artist, music.title) {
        (Some(artist), Some(title)) => Some(format!("{} – {}", &*artist, &*title)),
        (one, other) => one.or(other).map(Str::into_string),
    };
    Some(media)
}

fn sticker(sticker: Sticker<'_>) -> Option<Media> {
    let best = largest(sticker.images)?;
    let mut media = file(MediaKind::Sticker, best.url, format!("sticker{}", sticker.sticker_id));
    (media.width, media.height) = (known(best.width), known(best.height));
    Some(media.typed("image/png"))
}

fn graffiti(drawing: Graffiti<'_>) -> Media {
    let unique = name("doc", drawing.owner_id, drawing.id, drawing.access_key.as_ref());
    let mut media = file(MediaKind::Image, drawing.url, unique).typed("image/png");
    (media.width, media.height) = (drawing.width, drawing.height);
    media
}

/// A film has no file for us: its page, with title and picture.
fn video(film: Video<'_>) -> Item {
    let id = name("video", film.owner_id, film.id, None);
    Item {
        url: page(&format!("https://vk.com/{id}")),
        id: Some(match &film.access_key {
            Some(key) => format!("{id}_{}", &**key),
            None => id,
        }),
        title: film.title.map(Str::into_string),
        image: largest(film.image).and_then(|picture| page(&picture.url)),
        ..Item::default()
    }
}

fn link(link: Link<'_>) -> Item {
    let title = link.title.filter(|title| !title.is_empty()).or(link.caption);
    let photo = link.photo.and_then(|photo| serde_json::from_str::<Photo<'_>>(photo.get()).ok());
    Item {
        title: title.map(Str::into_string),
        url: page(&link.url),
        image: photo.and_then(|photo| page(&largest(photo.sizes)?.url)),
        ..Item::default()
    }
}

fn goods(goods: Market<'_>) -> Item {
    let Market { id, owner_id, title, price, thumb_photo } = goods;
    Item {
        id: Some(format!("market{owner_id}_{id}")),
        title: title.map(Str::into_string),
        price: price.and_then(|price| price.text).map(Str::into_string),
        // The form of the page is unverified.
        url: page(&format!("https://vk.com/market{owner_id}?w=product{owner_id}_{id}")),
        image: thumb_photo.and_then(|url| page(&url)),
    }
}

fn post(post: Wall<'_>) -> Item {
    let id = format!("wall{}_{}", post.to_id, post.id);
    Item {
        title: title(post.text),
        url: page(&format!("https://vk.com/{id}")),
        id: Some(id),
        ..Item::default()
    }
}

fn comment(reply: WallReply<'_>) -> Item {
    let post = format!("wall{}_{}", reply.owner_id, reply.post_id);
    Item {
        id: Some(format!("{post}_r{}", reply.id)),
        title: title(reply.text),
        url: page(&format!("https://vk.com/{post}?reply={}", reply.id)),
        ..Item::default()
    }
}

fn title(text: Option<Str<'_>>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(|text| text.chars().take(TITLE).collect())
}

fn page(address: &str) -> Option<Url> {
    Url::parse(address).ok()
}

fn place(geo: Geo<'_>) -> Location {
    let place = geo.place;
    let address = place.as_ref().map(|place| {
        let named = [place.country.as_ref(), place.city.as_ref()];
        named.into_iter().flatten().map(|name| &**name).collect::<Vec<_>>().join(", ")
    });
    Location {
        latitude: geo.coordinates.latitude,
        longitude: geo.coordinates.longitude,
        title: place.and_then(|place| place.title).map(Str::into_string),
        address: address.filter(|address| !address.is_empty()),
        live_seconds: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reaction_has_one_number_and_one_sign() {
        for number in 1..=16 {
            assert_eq!(reaction_of(&emoji_of(number)), Some(number));
        }
        for number in [0, -1, 17, 999, i64::MAX, i64::MIN] {
            assert_eq!(emoji_of(number), format!("reaction:{number}"));
            assert_eq!(reaction_of(&emoji_of(number)), Some(number));
        }
        assert_eq!(reaction_of("❤\u{fe0f}"), Some(1));
        assert_eq!(reaction_of("🦄"), None);
        assert_eq!(reaction_of("reaction:много"), None);
    }
}

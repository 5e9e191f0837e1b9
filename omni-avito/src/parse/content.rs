//! What a message says.

use omni_core::Text;
use omni_core::content::{Content, Item, Location, Part};
use omni_core::media::{Media, MediaKind, MediaRef};
use omni_core::text::EntityKind;
use serde_json::value::RawValue;
use url::Url;

use crate::wire::{self, Sizes, Str};

/// What stands before the id of a voice message in a media reference: its address is asked for when it is fetched.
pub(crate) const VOICE: &str = "voice:";

/// What was made of a message's content.
pub(super) struct Taken {
    pub(super) content: Content,
    /// Whether all of it was taken; otherwise the raw form has to be kept.
    pub(super) whole: Whole,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whole {
    Yes,
    No,
}

/// Reads the content of a message of a type.
pub(super) fn take(kind: &str, content: Option<&RawValue>) -> Taken {
    let read = content.and_then(|raw| serde_json::from_str::<wire::Content<'_>>(raw.get()).ok());
    let taken = read.and_then(|content| of_type(kind, content));
    // Files, films and calls within the app are not handed over: their content is empty.
    taken.unwrap_or_else(|| Taken {
        content: Content::part(Part::Unsupported { what: kind.to_owned() }),
        whole: Whole::No,
    })
}

fn of_type(kind: &str, content: wire::Content<'_>) -> Option<Taken> {
    let whole = |content| Some(Taken { content, whole: Whole::Yes });
    match kind {
        "text" => whole(Content::text(content.text?.into_string())),
        // The bot's name stands in the raw form only.
        "system" => Some(Taken {
            whole: if content.flow_id.is_some() { Whole::No } else { Whole::Yes },
            content: Content::text(content.text?.into_string()),
        }),
        "image" => whole(Content::media(image(&content.image?.sizes)?)),
        "voice" => whole(Content::media(voice(&content.voice?.voice_id))),
        "link" => link(content.link?),
        "location" => whole(Content::part(Part::Location(location(content.location?)))),
        "item" => whole(Content::part(Part::Item(item(content.item?)))),
        _ => None,
    }
}

fn image(sizes: &Sizes<'_>) -> Option<Media> {
    let best = largest(sizes)?;
    let mut media = Media::new(MediaKind::Image, MediaRef::new(best.url));
    if let Some((width, height)) = best.size {
        (media.width, media.height) = (Some(width), Some(height));
    }
    Some(media)
}

/// The largest of the sizes of a picture.
pub(super) struct Best<'a> {
    pub(super) url: &'a str,
    size: Option<(u32, u32)>,
}

pub(super) fn largest<'a>(sizes: &'a Sizes<'_>) -> Option<Best<'a>> {
    let found =
        sizes.iter().filter_map(|(name, url)| Some(Best { url: url.as_deref()?, size: size_of(name) }));
    let area = |best: &Best<'_>| best.size.map(|(w, h)| u64::from(w) * u64::from(h));
    // Names stand in no order in the map; equal areas are told apart so that every process finds the same.
    found.max_by(|a, b| area(a).cmp(&area(b)).then_with(|| a.url.cmp(b.url)))
}

/// `640x480`
fn size_of(name: &str) -> Option<(u32, u32)> {
    let (width, height) = name.split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

/// Opus in an mp4 container.
fn voice(id: &str) -> Media {
    Media::new(MediaKind::Voice, MediaRef::new(format!("{VOICE}{id}"))).typed("audio/mp4")
}

/// A text with an address in it comes as a link; what is shown of the page stays in the raw form.
fn link(link: wire::Link<'_>) -> Option<Taken> {
    let whole = if link.preview.is_some() { Whole::No } else { Whole::Yes };
    let (words, url) = (link.text.filter(|words| !words.is_empty()), link.url.filter(|url| !url.is_empty()));
    let text = match (words, url) {
        (Some(words), Some(url)) => marked(words.into_string(), &url),
        (Some(one), None) | (None, Some(one)) => Text::plain(one.into_string()),
        (None, None) => return None,
    };
    Some(Taken { content: Content::text(text), whole })
}

/// Words that show another address than they lead to, or none, are marked with it.
fn marked(words: String, url: &str) -> Text {
    if words.contains(url) {
        return Text::plain(words);
    }
    let all = words.clone();
    Text::plain(words).mark(&all, EntityKind::Link { url: url.to_owned() })
}

fn location(place: wire::Location<'_>) -> Location {
    Location {
        latitude: place.lat,
        longitude: place.lon,
        title: place.title.map(Str::into_string),
        address: place.text.map(Str::into_string),
        live_seconds: None,
    }
}

fn item(item: wire::Item<'_>) -> Item {
    let picture = item.images.as_ref().and_then(|images| largest(&images.main)).map(|best| best.url);
    Item {
        id: item.id.map(|id| id.to_string()),
        image: item.image_url.as_deref().or(picture).and_then(address),
        title: item.title.map(Str::into_string),
        price: item.price_string.map(Str::into_string),
        url: item.item_url.or(item.url).as_deref().and_then(address),
    }
}

pub(super) fn address(text: &str) -> Option<Url> {
    Url::parse(text).ok()
}

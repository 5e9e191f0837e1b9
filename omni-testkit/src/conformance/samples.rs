//! Things to say: texts that are often torn, and one of every kind of content.

use bytes::Bytes;
use omni_core::Content;
use omni_core::content::{
    Button, ContactCard, ContentKind, EmailParts, Item, Keyboard, KeyboardPlace, Location, Part, Template,
};
use omni_core::media::{Media, MediaKind, MediaSource};
use omni_core::text::Unit;

/// Texts that a careless encoder or parser tears: other alphabets, signs of several units, marks of JSON.
pub(super) const TEXTS: [&str; 6] = [
    "Здравствуйте! Есть 42 размер?",
    "👟 и 👨‍👩‍👧‍👦, 🇷🇺, 👍🏽, 𝔘𝔫𝔦, e\u{301}",
    "«кавычки» \"двойные\" 'одинарные' \\ / \u{2028} конец",
    "первая строка\nвторая строка",
    "שלום مرحبا 你好 नमस्ते",
    "100% & 2 < 3 > 1 #тег +7 999 000-11-22",
];

/// Words that are markup somewhere: HTML, Markdown, templates, encodings.
pub(super) const MARKUP: [&str; 4] = [
    "<b>не жирно</b> &lt;i&gt; <script>alert(1)</script>",
    "*не жирно* _и не косо_ ~ни так~ `ни код` ||ни тайна||",
    "[не ссылка](tg://user?id=1) ![ни картинка](x) > ни цитата",
    "{{имя}} ${x} %s \\u0041 &amp; [id1|не упоминание] @[1:2]",
];

/// What the suite sends of a kind of content, where a [`Rig`](super::Rig) has no sample of its own.
///
/// # Panics
/// For a kind that was added to the core and not here.
pub fn content(kind: ContentKind) -> Content {
    use ContentKind::*;
    match kind {
        Text | Reply => Content::text("Да, есть"),
        Image => Content::media(media(MediaKind::Image)),
        Video => Content::media(media(MediaKind::Video)),
        Animation => Content::media(media(MediaKind::Animation)),
        VideoNote => Content::media(media(MediaKind::VideoNote)),
        Audio => Content::media(media(MediaKind::Audio)),
        Voice => Content::media(media(MediaKind::Voice)),
        File => Content::media(media(MediaKind::File)),
        Sticker => Content::media(media(MediaKind::Sticker)),
        Album => Content::media(media(MediaKind::Image)).and(Part::Media(media(MediaKind::Image))),
        Location => Content::part(place()),
        Contact => Content::part(card()),
        Item => Content::part(Part::Item(goods())),
        Template => Content::part(template()),
        Email => Content::part(Part::Email(EmailParts {
            subject: Some("Заказ № 7".to_owned()),
            ..EmailParts::default()
        })),
        Forwarded => Content::part(Part::Forwarded {
            from: Some("Пётр".to_owned()),
            contents: vec![Content::text("привет")],
        }),
        Buttons => keys(KeyboardPlace::Message),
        QuickReplies => keys(KeyboardPlace::QuickReplies),
        other => panic!("the suite has no sample of {other:?}: add one"),
    }
}

/// A file of this kind, in memory.
pub(super) fn media(kind: MediaKind) -> Media {
    let (name, mime, bytes): (_, _, &'static [u8]) = match kind {
        MediaKind::Image => ("фото 1.png", "image/png", PNG),
        MediaKind::Video => ("film.mp4", "video/mp4", b"\0\0\0\x18ftypmp42 film"),
        MediaKind::Animation => ("silent.mp4", "video/mp4", b"\0\0\0\x18ftypmp42 silent"),
        MediaKind::VideoNote => ("round.mp4", "video/mp4", b"\0\0\0\x18ftypmp42 round"),
        MediaKind::Audio => ("song.mp3", "audio/mpeg", b"ID3\x04 song"),
        MediaKind::Voice => ("voice.ogg", "audio/ogg", b"OggS voice"),
        MediaKind::Sticker => ("sticker.webp", "image/webp", b"RIFF\x0c\0\0\0WEBP sticker"),
        _ => ("счёт № 1; \"копия\".pdf", "application/pdf", b"%PDF-1.4 bill"),
    };
    Media::new(kind, Bytes::from_static(bytes)).named(name).typed(mime)
}

/// The bytes of a file in memory.
pub(super) fn bytes_of(media: &Media) -> Option<&Bytes> {
    match &media.source {
        MediaSource::Bytes { bytes } => Some(bytes),
        _ => None,
    }
}

/// A place.
pub(super) fn place() -> Part {
    Part::Location(Location {
        latitude: 55.7512,
        longitude: 37.6184,
        title: None,
        address: None,
        live_seconds: None,
    })
}

/// A person's card.
pub(super) fn card() -> Part {
    Part::Contact(ContactCard {
        name: "Анна".to_owned(),
        phones: vec!["+79990003344".to_owned()],
        ..ContactCard::default()
    })
}

fn goods() -> Item {
    Item { id: Some("991".to_owned()), title: Some("Кружка".to_owned()), ..Item::default() }
}

fn template() -> Part {
    Part::Template(Template {
        name: "order_ready".to_owned(),
        language: Some("ru".to_owned()),
        params: [("1".to_owned(), "№ 7".to_owned())].into(),
    })
}

fn keys(place: KeyboardPlace) -> Content {
    let rows = vec![vec![Button::press("Да", "yes")], vec![Button::press("Нет", "no")]];
    Content { keyboard: Some(Keyboard { place, rows }), ..Content::text("Верно?") }
}

/// A text of exactly `max` units, out of words that can be cut between and signs of several units.
pub(super) fn text_of(max: usize, unit: Unit) -> String {
    const WORDS: &str = "слово 😀 and ";
    let step = unit.measure(WORDS).max(1);
    let mut text = WORDS.repeat(max / step);
    // A Latin letter is one unit of every kind, and a text must not end with a blank that may be trimmed.
    text.push_str(&"x".repeat(max - unit.measure(&text)));
    if text.ends_with(' ') {
        text.pop();
        text.push('x');
    }
    text
}

/// A picture of one white pixel.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\
\0\0\0\x0bIDATx\xdac\xf8\x0f\x04\0\x09\xfb\x03\xfdh\xfa\x1c\xcc\0\0\0\0IEND\xaeB`\x82";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_exactly_the_length_asked_for() {
        for unit in [Unit::Utf16, Unit::Bytes, Unit::Characters] {
            for max in [1, 12, 13, 14, 17, 1024, 4096] {
                let text = text_of(max, unit);
                assert_eq!((unit.measure(&text), text.ends_with(' ')), (max, false), "{unit:?} {max}");
            }
        }
    }
}

//! What a message of the dialect says. Pure.

use omni_core::Content;
use omni_core::content::{Location, Part};
use omni_core::media::{Media, MediaKind, MediaRef};
use url::Url;

use super::wire::{Kind, Message};
use crate::wire::Str;

/// What a message says. What there is no word for, or what lacks the field that makes it what it is, becomes
/// [`Part::Unsupported`] under the name of its type.
pub fn content(message: &Message<'_>) -> Content {
    let words = message.text.as_deref().filter(|words| !words.is_empty());
    let part = match media_kind(&message.kind) {
        Some(kind) => media(message, kind).map(Part::Media),
        None if message.kind == Kind::Location => place(message).map(Part::Location),
        None => None,
    };
    let mut content = match (part, &message.kind, words) {
        (Some(part), _, _) => Content::part(part),
        (None, Kind::Text, Some(_)) => Content::default(),
        (None, kind, _) => Content::part(Part::Unsupported { what: named(kind) }),
    };
    content.text = words.map(Into::into);
    content
}

/// Whether something in it was not understood, so that its raw form has to be kept.
pub fn is_incomplete(content: &Content) -> bool {
    content.parts.iter().any(|part| matches!(part, Part::Unsupported { .. }))
}

/// An address of the web. One without a scheme is https: Auto.ru writes such.
pub fn link(text: &str) -> Option<Url> {
    let text = text.trim();
    let url = match text.strip_prefix("//") {
        Some(rest) => Url::parse(&format!("https://{rest}")),
        None => Url::parse(text),
    };
    url.ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn named(kind: &Kind<'_>) -> String {
    match kind.as_str() {
        "" => "message".to_owned(),
        name => name.to_owned(),
    }
}

fn media_kind(kind: &Kind<'_>) -> Option<MediaKind> {
    Some(match kind {
        Kind::Photo => MediaKind::Image,
        Kind::Document => MediaKind::File,
        Kind::Video => MediaKind::Video,
        Kind::Audio => MediaKind::Audio,
        Kind::Sticker => MediaKind::Sticker,
        _ => return None,
    })
}

/// The file itself, or its small picture where that is all there is.
fn media(message: &Message<'_>, kind: MediaKind) -> Option<Media> {
    let at = |text: &Option<Str<'_>>| text.as_deref().and_then(link);
    let url = at(&message.file).or_else(|| at(&message.thumb))?;
    let own = |text: &Option<Str<'_>>| text.as_deref().filter(|t| !t.is_empty()).map(str::to_owned);
    Some(Media {
        name: own(&message.file_name),
        mime: own(&message.mime_type),
        size: message.file_size,
        ..Media::new(kind, MediaRef::new(url))
    })
}

fn place(message: &Message<'_>) -> Option<Location> {
    let (latitude, longitude) = (message.latitude?, message.longitude?);
    let is_on_earth = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
    is_on_earth.then_some(Location { latitude, longitude, title: None, address: None, live_seconds: None })
}

#[cfg(test)]
mod tests {
    use omni_core::media::MediaSource;

    use super::*;

    fn read(json: &str) -> Content {
        content(&serde_json::from_str(json).unwrap())
    }

    fn only_media(content: &Content) -> (MediaKind, String) {
        let media = content.all_media().next().unwrap();
        let MediaSource::Provider(at) = &media.source else { panic!("{media:?}") };
        (media.kind, at.id.clone())
    }

    #[test]
    fn every_file_of_the_dialect_is_media() {
        let rows = [
            ("photo", MediaKind::Image),
            ("document", MediaKind::File),
            ("video", MediaKind::Video),
            ("audio", MediaKind::Audio),
            ("sticker", MediaKind::Sticker),
        ];
        for (name, kind) in rows {
            let content = read(&format!(
                r#"{{"type":"{name}","id":"1","file":"https://cdn.example/1","file_name":"счёт.pdf",
                    "mime_type":"application/pdf","file_size":7,"text":"вот 👇"}}"#
            ));
            assert_eq!(only_media(&content), (kind, "https://cdn.example/1".to_owned()), "{name}");
            let media = content.all_media().next().unwrap();
            assert_eq!((media.name.as_deref(), media.size), (Some("счёт.pdf"), Some(7)));
            assert_eq!(
                (media.mime.as_deref(), content.plain_text()),
                (Some("application/pdf"), Some("вот 👇"))
            );
        }
    }

    #[test]
    fn a_picture_without_its_original_is_the_small_one() {
        let content = read(r#"{"type":"photo","id":"1","file":null,"thumb":"//cdn.example/small.jpg"}"#);
        assert_eq!(only_media(&content).1, "https://cdn.example/small.jpg");
    }

    #[test]
    fn a_place_needs_both_of_its_numbers_and_has_to_be_on_earth() {
        let content = read(r#"{"type":"location","id":"1","latitude":55.75,"longitude":37.61}"#);
        assert!(matches!(content.parts.as_slice(), [Part::Location(place)] if place.longitude == 37.61));
        for odd in [r#""latitude":55.75"#, r#""latitude":91,"longitude":1"#] {
            let content = read(&format!(r#"{{"type":"location","id":"1",{odd}}}"#));
            assert!(is_incomplete(&content), "{odd}");
        }
    }

    #[test]
    fn what_has_no_word_here_keeps_the_name_of_its_type() {
        for name in ["rate", "start", "stop", "keyboard", "hologram"] {
            let content = read(&format!(r#"{{"type":"{name}","id":"1"}}"#));
            assert_eq!(content.parts, [Part::Unsupported { what: name.to_owned() }]);
        }
        assert_eq!(read(r#"{"type":"","id":"1"}"#).parts, [Part::Unsupported { what: "message".to_owned() }]);
    }

    #[test]
    fn only_addresses_of_the_web_are_links() {
        assert_eq!(link(" //img.example/a ").unwrap().as_str(), "https://img.example/a");
        assert_eq!(link("http://img.example/a").unwrap().scheme(), "http");
        for bad in ["", "//", "img.example/a", "file:///etc/passwd", "javascript:alert(1)", "data:,x"] {
            assert_eq!(link(bad), None, "{bad}");
        }
    }
}

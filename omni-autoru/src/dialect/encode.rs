//! What we say, as a message of the dialect. Pure.

use omni_core::Error;
use omni_core::content::{Content, Part};
use omni_core::error::{ErrorKind, Result};
use omni_core::media::{Media, MediaKind, MediaSource};

use super::parse::link;
use super::wire::{Kind, Said};

const OPERATION: &str = "send";

/// One message: words, a file at an address, or a place.
///
/// # Errors
/// [`Unsupported`](ErrorKind::Unsupported) for keys, several parts, words beside a part, files that are not at an
/// address, and whatever has no type; [`ContentRejected`](ErrorKind::ContentRejected) for nothing at all.
pub fn message(id: impl Into<String>, content: &Content) -> Result<Said> {
    if content.keyboard.is_some() {
        return Err(Error::unsupported(OPERATION).with_text("there are no keys"));
    }
    match (content.plain_text(), content.parts.as_slice()) {
        (Some(words), []) => Ok(Said { text: Some(words.to_owned()), ..Said::new(Kind::Text, id) }),
        (None, [Part::Media(media)]) => file(id.into(), media),
        (None, [Part::Location(place)]) => Ok(Said {
            latitude: Some(place.latitude),
            longitude: Some(place.longitude),
            ..Said::new(Kind::Location, id)
        }),
        (None, []) => {
            Err(Error::new(ErrorKind::ContentRejected, OPERATION).with_text("there is nothing to send"))
        }
        _ => Err(Error::unsupported(OPERATION).with_text("one message says one thing: words, or a file")),
    }
}

fn file(id: String, media: &Media) -> Result<Said> {
    let kind = match media.kind {
        MediaKind::Image => Kind::Photo,
        MediaKind::Video => Kind::Video,
        MediaKind::Audio => Kind::Audio,
        MediaKind::File => Kind::Document,
        MediaKind::Sticker => Kind::Sticker,
        _ => return Err(Error::unsupported(OPERATION).with_text("files of this kind have no type")),
    };
    let at = match &media.source {
        MediaSource::Url { url } => link(url.as_str()),
        // What came in is at an address too.
        MediaSource::Provider(at) => link(&at.id),
        _ => None,
    };
    let url = at.ok_or_else(|| {
        Error::unsupported(OPERATION)
            .with_text("files go out by their address only")
            .with_advice("put the file where anybody can open it, and send its http or https address")
    })?;
    Ok(Said {
        file: Some(url.into()),
        file_name: media.name.clone(),
        mime_type: media.mime.clone(),
        file_size: media.size,
        ..Said::new(kind, id)
    })
}

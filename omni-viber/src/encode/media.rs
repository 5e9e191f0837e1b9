//! Files. Viber fetches them from a public address; nothing can be uploaded.

use omni_core::error::{ErrorKind, Result};
use omni_core::media::{Media, MediaKind, MediaSource};
use omni_core::{Error, Text};
use url::Url;

use super::{caption, refused, too_large};
use crate::capabilities::{FILE, FILE_NAME, LINK, PICTURE_ENDINGS, UNIT, VIDEO, VIDEO_SECONDS};
use crate::wire::Body;

/// Endings of files that Viber does not carry:
/// <https://github.com/Viber/creators-hub/blob/main/docs/bots-api/data-models/message.md#forbidden-file-formats>
/// (read 2026-11).
const FORBIDDEN: &[&str] = &[
    "action", "apk", "app", "bat", "bin", "cmd", "com", "command", "cpl", "csh", "exe", "gadget", "inf1",
    "ins", "inx", "ipa", "isu", "job", "jse", "ksh", "lnk", "msc", "msi", "msp", "mst", "osx", "out", "paf",
    "pif", "ps1", "reg", "rgs", "run", "sct", "shb", "shs", "u3p", "vb", "vbe", "vbs", "vbscript",
    "workflow", "ws", "wsf",
];

/// Whether a file's size has to be asked for before it can be sent, and where.
pub fn needs_size(media: &Media) -> Option<Url> {
    let at = address("send_message", media).ok()?;
    let has_size = match media.kind {
        MediaKind::Video | MediaKind::File => true,
        MediaKind::Animation => !ends_with(&at, &["gif"]),
        _ => false,
    };
    (has_size && media.size.is_none()).then_some(at)
}

/// One file as a message, and the words that have no place in it.
pub(super) fn body<'a>(
    method: &'static str,
    media: &Media,
    words: Option<&'a Text>,
) -> Result<(Body, Option<&'a Text>)> {
    match media.kind {
        MediaKind::Image => Ok((picture(method, media, words)?, None)),
        MediaKind::Video => Ok((video(method, media, words)?, None)),
        MediaKind::Animation if ends_with(&address(method, media)?, &["gif"]) => {
            Ok((Body::Url { media: address(method, media)?.into() }, words))
        }
        MediaKind::Animation => Ok((video(method, media, words)?, None)),
        MediaKind::File => Ok((file(method, media)?, words)),
        MediaKind::Sticker => match sticker_id(media) {
            Some(sticker_id) => Ok((Body::Sticker { sticker_id }, words)),
            None => Ok((picture(method, media, words)?, None)),
        },
        _ => Err(Error::unsupported(method)),
    }
}

fn picture(method: &'static str, media: &Media, words: Option<&Text>) -> Result<Body> {
    let at = address(method, media)?;
    if !ends_with(&at, &PICTURE_ENDINGS) {
        return Err(refused(method, "the address of a picture must end with .jpg, .jpeg, .png or .gif")
            .with_advice("send it as a file, or put it at an address that ends so"));
    }
    let text = words.map(|words| caption(method, words)).transpose()?.unwrap_or_default();
    Ok(Body::Picture { text, media: at.into() })
}

fn video(method: &'static str, media: &Media, words: Option<&Text>) -> Result<Body> {
    let at = address(method, media)?;
    if !ends_with(&at, &["mp4"]) {
        return Err(
            refused(method, "the address of a film must end with .mp4").with_advice("send it as a file")
        );
    }
    if media.seconds.is_some_and(|seconds| seconds > VIDEO_SECONDS) {
        return Err(refused(method, "a film may play for 180 seconds").with_advice("send it as a file"));
    }
    let text = words.map(|words| caption(method, words)).transpose()?;
    let size = size(method, media, VIDEO)?;
    Ok(Body::Video { text, media: at.into(), size, duration: media.seconds })
}

fn file(method: &'static str, media: &Media) -> Result<Body> {
    let at = address(method, media)?;
    let named = media.name.clone().filter(|name| !name.trim().is_empty());
    let Some(file_name) = named.or_else(|| last_segment(&at)) else {
        return Err(refused(method, "a file needs a name"));
    };
    let Some(ending) = ending_of(&file_name) else {
        return Err(refused(method, "the name of a file needs an ending, as in akt.pdf"));
    };
    if FORBIDDEN.contains(&&*ending) {
        return Err(refused(method, "Viber does not carry files of this kind").with("ending", ending));
    }
    let length = UNIT.measure(&file_name);
    if length > FILE_NAME as usize {
        return Err(too_large(method, "the name of the file is too long", length, FILE_NAME as usize));
    }
    Ok(Body::File { media: at.into(), size: size(method, media, FILE)?, file_name })
}

/// The number of a sticker of Viber's own: as it came in, or as somebody wrote it.
fn sticker_id(media: &Media) -> Option<u64> {
    match &media.source {
        MediaSource::Provider(at) => at.unique.as_deref().unwrap_or(&at.id).parse().ok(),
        _ => None,
    }
}

fn size(method: &'static str, media: &Media, max: u64) -> Result<u64> {
    match media.size {
        Some(size) if size <= max => Ok(size),
        Some(size) => Err(Error::new(ErrorKind::TooLarge, method).with("bytes", size).with("limit", max)),
        None => Err(refused(method, "a file or film needs its size in bytes")),
    }
}

/// Where Viber is to fetch a file. One that came in is at Viber already, for as long as its address works.
fn address(method: &'static str, media: &Media) -> Result<Url> {
    let url = match &media.source {
        MediaSource::Url { url } => Some(url.clone()),
        MediaSource::Provider(at) => Url::parse(&at.id).ok(),
        _ => {
            return Err(Error::unsupported(method)
                .with_text("Viber takes files by address only")
                .with_advice("put the file at a public address, and send that"));
        }
    };
    let web = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    match web {
        Some(url) if url.as_str().len() <= LINK => Ok(url),
        Some(url) => Err(too_large(method, "the address is too long", url.as_str().len(), LINK)),
        None => Err(refused(method, "a file must be at an http or https address")),
    }
}

/// Whether the path of an address ends so; a query behind it does not count.
fn ends_with(url: &Url, endings: &[&str]) -> bool {
    ending_of(url.path()).is_some_and(|ending| endings.contains(&&*ending))
}

/// What stands behind the last point, in lower case.
fn ending_of(name: &str) -> Option<String> {
    let (before, ending) = name.rsplit_once('.')?;
    let is_ending = !before.is_empty() && !ending.is_empty() && !ending.contains('/');
    is_ending.then(|| ending.to_lowercase())
}

/// The end of an address as a name; one that is percent-encoded is left so.
fn last_segment(url: &Url) -> Option<String> {
    url.path_segments()?.next_back().filter(|name| !name.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_is_what_stands_behind_the_last_point_of_the_name() {
        for (name, ending) in [
            ("акт.PDF", Some("pdf")),
            ("a.tar.gz", Some("gz")),
            ("без", None),
            (".bashrc", None),
            ("a.", None),
            ("/v1.2/file", None),
        ] {
            assert_eq!(ending_of(name).as_deref(), ending, "{name}");
        }
    }
}

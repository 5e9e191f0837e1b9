//! Files, alone and as albums.

use omni_core::Error;
use omni_core::Text;
use omni_core::content::{Content, Part};
use omni_core::error::{ErrorKind, Result};
use omni_core::media::{Media, MediaKind, MediaSource};
use serde::Serialize;

use super::text::{WireEntity, entities, with_entities};
use super::{File, Request, refused};
use crate::address::TelegramAddress;

/// How a kind of file is sent.
struct Way {
    method: &'static str,
    field: &'static str,
    /// The type within an album, for kinds that can be in one.
    album: Option<&'static str>,
    /// The name of a file that has none.
    name: &'static str,
}

/// <https://core.telegram.org/bots/api#sendphoto> and those behind it.
fn way(kind: MediaKind) -> Way {
    let way = |method, field, album, name| Way { method, field, album, name };
    match kind {
        MediaKind::Image => way("sendPhoto", "photo", Some("photo"), "photo.jpg"),
        MediaKind::Video => way("sendVideo", "video", Some("video"), "video.mp4"),
        MediaKind::Animation => way("sendAnimation", "animation", None, "animation.mp4"),
        MediaKind::VideoNote => way("sendVideoNote", "video_note", None, "note.mp4"),
        MediaKind::Audio => way("sendAudio", "audio", Some("audio"), "audio.mp3"),
        MediaKind::Voice => way("sendVoice", "voice", None, "voice.ogg"),
        MediaKind::Sticker => way("sendSticker", "sticker", None, "sticker.webp"),
        _ => way("sendDocument", "document", Some("document"), "file"),
    }
}

/// One file with its caption.
pub(super) fn one(media: &Media, caption: Option<&Text>, address: &TelegramAddress) -> Result<Request> {
    let Way { method, field, name, .. } = way(media.kind);
    let mut request = Request::new(method).to(address);
    request = match source(method, media)? {
        Source::Named(at) => request.with(field, at),
        Source::Upload(file) => {
            request.files.push(file.into_part(field, name));
            request
        }
    };
    request = describe(request, media);
    match caption.filter(|text| !text.is_empty()) {
        None => Ok(request),
        Some(_) if matches!(media.kind, MediaKind::Sticker | MediaKind::VideoNote) => {
            Err(refused(method, "words cannot stand beside this: send them as a message of their own"))
        }
        Some(text) => with_entities(request.with("caption", &*text.plain), "caption_entities", text),
    }
}

/// Sizes and the like, which Telegram cannot always find out by itself.
fn describe(request: Request, media: &Media) -> Request {
    match media.kind {
        MediaKind::Video | MediaKind::Animation => request
            .with_some("duration", media.seconds)
            .with_some("width", media.width)
            .with_some("height", media.height),
        MediaKind::VideoNote => request.with_some("duration", media.seconds).with_some("length", media.width),
        MediaKind::Audio => {
            request.with_some("duration", media.seconds).with_some("title", media.title.as_deref())
        }
        MediaKind::Voice => request.with_some("duration", media.seconds),
        _ => request,
    }
}

/// Several files as one album, the words as caption of the first.
/// <https://core.telegram.org/bots/api#sendmediagroup>
pub(super) fn album(parts: &[Part], content: &Content, address: &TelegramAddress) -> Result<Request> {
    const METHOD: &str = "sendMediaGroup";
    let mut request = Request::new(METHOD).to(address);
    let mut inputs = Vec::with_capacity(parts.len());
    for (index, part) in parts.iter().enumerate() {
        let media = match part {
            Part::Media(media) => media,
            _ if parts.len() == 1 => return Err(Error::unsupported("send")),
            _ => return Err(refused(METHOD, "only files can stand together in one message")),
        };
        let caption = content.text.as_ref().filter(|text| index == 0 && !text.is_empty());
        inputs.push(input(&mut request.files, METHOD, media, caption)?);
    }
    request.with_json("media", &inputs)
}

/// A file within an album or an edit. <https://core.telegram.org/bots/api#inputmedia>
#[derive(Debug, Serialize)]
pub(super) struct InputMedia<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    media: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    caption: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    caption_entities: Vec<WireEntity<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
}

/// Describes a file within a list; bytes are added to `files`.
pub(super) fn input<'a>(
    files: &mut Vec<File>,
    method: &'static str,
    media: &'a Media,
    caption: Option<&'a Text>,
) -> Result<InputMedia<'a>> {
    let Way { album, name, .. } = way(media.kind);
    // A silent film can replace another file, though it cannot stand in an album.
    let kind = match (album, media.kind) {
        (Some(kind), _) => kind,
        (None, MediaKind::Animation) if method == "editMessageMedia" => "animation",
        _ => return Err(refused(method, "a file of this kind has to stand alone")),
    };
    let at = match source(method, media)? {
        Source::Named(at) => at,
        Source::Upload(upload) => {
            let part = format!("file{}", files.len());
            let at = format!("attach://{part}");
            files.push(upload.into_part(part, name));
            at
        }
    };
    let film = matches!(media.kind, MediaKind::Video | MediaKind::Animation);
    let timed = film || media.kind == MediaKind::Audio;
    Ok(InputMedia {
        kind,
        media: at,
        caption: caption.map(|text| text.plain.as_str()),
        caption_entities: caption.map(entities).unwrap_or_default(),
        duration: media.seconds.filter(|_| timed),
        width: media.width.filter(|_| film),
        height: media.height.filter(|_| film),
        title: media.title.as_deref().filter(|_| media.kind == MediaKind::Audio),
    })
}

enum Source<'a> {
    /// At Telegram, or at an address that Telegram fetches.
    Named(String),
    /// In our hands.
    Upload(Upload<'a>),
}

struct Upload<'a> {
    media: &'a Media,
    bytes: &'a bytes::Bytes,
}

impl Upload<'_> {
    fn into_part(self, part: impl Into<String>, name: &str) -> File {
        File {
            part: part.into(),
            name: self.media.name.clone().unwrap_or_else(|| name.to_owned()),
            mime: self.media.mime.clone(),
            bytes: self.bytes.clone(),
        }
    }
}

fn source<'a>(method: &'static str, media: &'a Media) -> Result<Source<'a>> {
    match &media.source {
        MediaSource::Provider(at) => Ok(Source::Named(at.id.clone())),
        // <https://core.telegram.org/bots/api#sendvideonote>
        MediaSource::Url { .. } if media.kind == MediaKind::VideoNote => {
            Err(refused(method, "Telegram takes no round films by address: send the bytes"))
        }
        MediaSource::Url { url } => Ok(Source::Named(url.as_str().to_owned())),
        MediaSource::Bytes { bytes } => Ok(Source::Upload(Upload { media, bytes })),
        _ => Err(Error::new(ErrorKind::Internal, method).with_text("the file's bytes were not resolved")),
    }
}

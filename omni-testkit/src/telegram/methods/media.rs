//! Media: single files, albums, downloads.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    super::{
        bot::Bot,
        error::{ApiError, ApiResult},
        files::{MediaKind, StoredFile, Upload, default_details},
        markup::Markup,
        params::Params,
        state::BotState,
        text,
    },
    send::Content,
};

/// Largest photo to upload, in bytes (<https://core.telegram.org/bots/api#sending-files>).
const PHOTO_LIMIT: u64 = 10 << 20;
/// Largest other file to upload.
const FILE_LIMIT: u64 = 50 << 20;
/// Largest file to download (<https://core.telegram.org/bots/api#getfile>).
const DOWNLOAD_LIMIT: u64 = 20 << 20;
/// How long a download link works, in seconds.
const LINK_LIFE: i64 = 3600;

/// The kind that a `send…` method sends.
pub(crate) fn kind_of(method: &str) -> Option<MediaKind> {
    Some(match method {
        "sendanimation" => MediaKind::Animation,
        "sendaudio" => MediaKind::Audio,
        "senddocument" => MediaKind::Document,
        "sendphoto" => MediaKind::Photo,
        "sendsticker" => MediaKind::Sticker,
        "sendvideo" => MediaKind::Video,
        "sendvideonote" => MediaKind::VideoNote,
        "sendvoice" => MediaKind::Voice,
        _ => return None,
    })
}

impl Bot {
    pub(crate) fn send_media(self: &Arc<Self>, kind: MediaKind, params: &Params) -> ApiResult<Value> {
        let caption = match kind {
            MediaKind::Sticker | MediaKind::VideoNote => Content::new(),
            _ => caption(params)?,
        };
        self.send(params, |state| {
            let named = params.text(kind.field());
            let file = self.input_file(state, params, kind, named.as_deref(), &params.fields, false)?;
            let mut content = file.content();
            content.extend(caption);
            add_flags(&mut content, &params.fields);
            Ok(content)
        })
    }

    /// `sendMediaGroup`: 2 to 10 items of kinds that go together; all or none are sent.
    pub(crate) fn send_media_group(self: &Arc<Self>, params: &Params) -> ApiResult<Value> {
        let media =
            params.json("media").map_err(|()| ApiError::bad_request("Can't parse media JSON object"))?;
        let items = media.as_deref().and_then(Value::as_array);
        let items = items.ok_or_else(|| ApiError::bad_request("Expected an Array of InputMedia"))?;
        check_album(items)?;
        let mut state = self.lock();
        let envelope = self.envelope(&state, params, Markup::Absent)?;
        let mut contents = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let content = self.input_media(&mut state, params, item, true);
            contents.push(content.map_err(|error| within_album(error, at + 1))?);
        }
        let album = format!("139{:014}", state.random.next() % 100_000_000_000_000);
        let mut sent = Vec::with_capacity(contents.len());
        for mut content in contents {
            content.insert("media_group_id".into(), album.as_str().into());
            sent.push(self.put(&mut state, params, &envelope, content));
        }
        Ok(sent.into())
    }

    /// The content of an `InputMedia` object.
    pub(crate) fn input_media(
        &self,
        state: &mut BotState,
        params: &Params,
        item: &Value,
        is_album: bool,
    ) -> ApiResult<Content> {
        let kind = item.get("type").and_then(Value::as_str).and_then(MediaKind::from_field);
        let kind =
            kind.ok_or_else(|| ApiError::bad_request("Can't parse InputMedia: invalid type specified"))?;
        let fields = item.as_object().cloned().unwrap_or_default();
        let caption = item_caption(item)?;
        let named = item.get("media").and_then(Value::as_str);
        let named = named.ok_or_else(|| ApiError::bad_request("Can't parse InputMedia: media not found"))?;
        let file = self.input_file(state, params, kind, Some(named), &fields, is_album)?;
        let mut content = file.content();
        content.extend(caption);
        add_flags(&mut content, &fields);
        Ok(content)
    }

    /// The file of a parameter: an uploaded part, `attach://`, an HTTP URL or a `file_id`.
    fn input_file(
        &self,
        state: &mut BotState,
        params: &Params,
        kind: MediaKind,
        named: Option<&str>,
        details: &Map<String, Value>,
        is_album: bool,
    ) -> ApiResult<Arc<StoredFile>> {
        let part = match named {
            None => params.file(kind.field()),
            Some(name) => name.strip_prefix("attach://").and_then(|name| params.file(name)),
        };
        if let Some(part) = part {
            let mime = part.content_type.split(';').next().unwrap_or_default().trim();
            let upload = Upload::new(part.file_name.as_str(), mime, part.bytes.clone());
            self.check_upload(kind, &upload)?;
            let kind = if is_album { kind } else { recognised(kind, &upload) };
            return Ok(state.files.add(kind, upload, merged(kind, details)));
        }
        let wrong = || ApiError::bad_request("wrong file identifier/HTTP URL specified");
        match named {
            None => Err(ApiError::bad_request(&format!("There is no {} in the request", kind.words()))),
            Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
                let parsed =
                    url::Url::parse(url).map_err(|_| ApiError::bad_request("Wrong HTTP URL specified"))?;
                if kind == MediaKind::VideoNote {
                    return Err(wrong());
                }
                let name = parsed.path_segments().and_then(|mut path| path.next_back()).unwrap_or_default();
                let upload = Upload::new(name, "", bytes::Bytes::new());
                Ok(state.files.add(kind, upload, merged(kind, details)))
            }
            Some(id) => {
                let file = state.files.get(id).or_else(|| state.files.get(id.strip_suffix('t')?));
                let file = Arc::clone(file.ok_or_else(wrong)?);
                match fits(file.kind, kind) {
                    true => Ok(file),
                    false => Err(ApiError::bad_request(&format!(
                        "Can't use file of type {:?} as {:?}",
                        file.kind, kind
                    ))),
                }
            }
        }
    }

    fn check_upload(&self, kind: MediaKind, upload: &Upload) -> ApiResult<()> {
        let (size, config) = (upload.size(), &self.shared.config);
        if size == 0 {
            return Err(ApiError::bad_request("file must be non-empty"));
        }
        if config.file_limits && kind == MediaKind::Photo && size > PHOTO_LIMIT {
            return Err(ApiError::bad_request(&format!(
                "File of size {size} bytes is too big for a photo; the maximum size is {PHOTO_LIMIT} bytes"
            )));
        }
        if config.file_limits && size > FILE_LIMIT {
            return Err(ApiError::new(413, "Request Entity Too Large"));
        }
        if config.check_images && kind == MediaKind::Photo && !looks_like_image(&upload.bytes) {
            return Err(ApiError::bad_request("IMAGE_PROCESS_FAILED"));
        }
        Ok(())
    }

    pub(crate) fn get_file(&self, params: &Params) -> ApiResult<Value> {
        let id = params.text("file_id").ok_or_else(|| ApiError::bad_request("file_id not specified"))?;
        let mut state = self.lock();
        let file = state.files.get(&id).or_else(|| state.files.get(id.strip_suffix('t')?)).cloned();
        let file = file.ok_or_else(|| ApiError::bad_request("invalid file_id"))?;
        if self.shared.config.file_limits && file.upload.size() > DOWNLOAD_LIMIT {
            return Err(ApiError::bad_request("file is too big"));
        }
        let open = state.files.open_link(&file.file_id, self.shared.now() + LINK_LIFE);
        Ok(open.map(|file| file.as_file()).unwrap_or_default())
    }
}

/// `caption` and its entities, as fields of the message.
pub(crate) fn caption(params: &Params) -> ApiResult<Content> {
    match params.text("caption") {
        Some(raw) => caption_fields(text::formatted(params, &raw, "caption_entities")?),
        None => Ok(Content::new()),
    }
}

fn item_caption(item: &Value) -> ApiResult<Content> {
    let field = |name: &str| item.get(name).and_then(Value::as_str);
    match field("caption") {
        Some(raw) => caption_fields(text::format(raw, field("parse_mode"), item.get("caption_entities"))?),
        None => Ok(Content::new()),
    }
}

fn caption_fields(done: text::Formatted) -> ApiResult<Content> {
    if text::units(&done.text) > text::CAPTION_LIMIT {
        return Err(ApiError::bad_request("message caption is too long"));
    }
    let mut content = Content::new();
    if !done.text.is_empty() {
        content.insert("caption".into(), done.text.into());
    }
    if !done.entities.is_empty() {
        content.insert("caption_entities".into(), done.entities.into());
    }
    Ok(content)
}

fn check_album(items: &[Value]) -> ApiResult<()> {
    if items.len() > 10 {
        return Err(ApiError::bad_request("Too many messages to send as an album"));
    }
    if items.is_empty() {
        return Err(ApiError::bad_request("There are no messages to send"));
    }
    if items.len() == 1 {
        // The documentation asks for 2 to 10; this sentence is ours.
        return Err(ApiError::bad_request("an album must include 2-10 items"));
    }
    let kinds: Vec<&str> = items.iter().filter_map(|item| item.get("type")?.as_str()).collect();
    let lonely = ["audio", "document"].into_iter().find(|kind| kinds.contains(kind));
    match lonely {
        Some(kind) if kinds.iter().any(|other| *other != kind) => {
            Err(ApiError::bad_request(if kind == "audio" {
                "Audio can't be mixed with other media types"
            } else {
                "Document can't be mixed with other media types"
            }))
        }
        _ if kinds.iter().any(|kind| ["animation", "sticker", "voice", "video_note"].contains(kind)) => {
            Err(ApiError::bad_request("Can't use the media of the specified type in the album"))
        }
        _ => Ok(()),
    }
}

/// The server's sentence for one bad item of an album.
fn within_album(error: ApiError, position: usize) -> ApiError {
    let reason = error.description.strip_prefix("Bad Request: ").unwrap_or(&error.description);
    ApiError::bad_request(&format!("Failed to send message #{position} with the error message \"{reason}\""))
}

/// What the server takes an upload for: a GIF sent as a document is an animation, an OGG sent as audio a voice
/// message.
fn recognised(kind: MediaKind, upload: &Upload) -> MediaKind {
    let has = |ending: &str| upload.name.to_ascii_lowercase().ends_with(ending);
    match kind {
        MediaKind::Document if upload.mime == "image/gif" || has(".gif") => MediaKind::Animation,
        MediaKind::Audio if upload.mime == "audio/ogg" || has(".ogg") || has(".oga") => MediaKind::Voice,
        other => other,
    }
}

/// Whether a file known as one kind may be sent again as another.
fn fits(is: MediaKind, wanted: MediaKind) -> bool {
    let loose =
        [MediaKind::Animation, MediaKind::Audio, MediaKind::Document, MediaKind::Video, MediaKind::Voice];
    is == wanted || (loose.contains(&is) && loose.contains(&wanted))
}

/// The details the sender gave, over those found by the server.
fn merged(kind: MediaKind, given: &Map<String, Value>) -> Map<String, Value> {
    let mut details = default_details(kind);
    for field in ["width", "height", "duration", "length"] {
        if let (true, Some(value)) =
            (details.contains_key(field), given.get(field).and_then(super::super::params::integer))
        {
            details.insert(field.into(), value.into());
        }
    }
    let words: &[&str] = match kind {
        MediaKind::Audio => &["performer", "title"],
        MediaKind::Sticker => &["emoji"],
        _ => &[],
    };
    for field in words {
        if let Some(value) = given.get(*field).and_then(Value::as_str) {
            details.insert((*field).into(), value.into());
        }
    }
    details
}

fn add_flags(content: &mut Content, given: &Map<String, Value>) {
    let is_set = |field: &str| given.get(field).is_some_and(|v| *v == true || v.as_str() == Some("true"));
    if is_set("has_spoiler") {
        content.insert("has_media_spoiler".into(), true.into());
    }
    if is_set("show_caption_above_media") {
        content.insert("show_caption_above_media".into(), true.into());
    }
}

fn looks_like_image(bytes: &[u8]) -> bool {
    let known: [&[u8]; 5] = [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF", b"BM"];
    known.iter().any(|magic| bytes.starts_with(magic))
}

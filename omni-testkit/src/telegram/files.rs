//! Files: uploads of both sides, their ids, their download paths.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{config::Record, json::set};

/// Kinds of media, each with its key in a message, its id prefix and its folder.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum MediaKind {
    Animation,
    Audio,
    Document,
    Photo,
    Sticker,
    Video,
    VideoNote,
    Voice,
}

impl MediaKind {
    /// The key in a `Message` and the parameter in a `send…` method.
    pub(crate) fn field(self) -> &'static str {
        match self {
            Self::Animation => "animation",
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Photo => "photo",
            Self::Sticker => "sticker",
            Self::Video => "video",
            Self::VideoNote => "video_note",
            Self::Voice => "voice",
        }
    }

    /// The kind named in an `InputMedia` object.
    pub(crate) fn from_field(field: &str) -> Option<Self> {
        let all = [
            Self::Animation,
            Self::Audio,
            Self::Document,
            Self::Photo,
            Self::Sticker,
            Self::Video,
            Self::VideoNote,
            Self::Voice,
        ];
        all.into_iter().find(|kind| kind.field() == field)
    }

    /// How the sentences of the server call it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::VideoNote => "video note",
            other => other.field(),
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Animation => "CgACAgIAAxk",
            Self::Audio => "CQACAgIAAxk",
            Self::Document => "BQACAgIAAxk",
            Self::Photo => "AgACAgIAAxk",
            Self::Sticker => "CAACAgIAAxk",
            Self::Video => "BAACAgIAAxk",
            Self::VideoNote => "DQACAgIAAxk",
            Self::Voice => "AwACAgIAAxk",
        }
    }

    fn folder_and_extension(self) -> (&'static str, &'static str) {
        match self {
            Self::Animation => ("animations", "mp4"),
            Self::Audio => ("music", "mp3"),
            Self::Document => ("documents", "bin"),
            Self::Photo => ("photos", "jpg"),
            Self::Sticker => ("stickers", "webp"),
            Self::Video => ("videos", "mp4"),
            Self::VideoNote => ("video_notes", "mp4"),
            Self::Voice => ("voice", "oga"),
        }
    }
}

/// A file that somebody sends: name, type and bytes.
#[derive(Clone, Debug)]
pub struct Upload {
    /// File name; empty when the sender's app gave none.
    pub name: String,
    /// MIME type; empty when the sender's app gave none.
    pub mime: String,
    /// The bytes.
    pub bytes: Bytes,
    /// Size to pretend, for files that are too big to make.
    pub claimed_size: Option<u64>,
}

impl Upload {
    /// A file with its real bytes.
    #[must_use]
    pub fn new(name: impl Into<String>, mime: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self { name: name.into(), mime: mime.into(), bytes: bytes.into(), claimed_size: None }
    }

    /// A file that claims a size it has not, to meet the download limit without the memory.
    #[must_use]
    pub fn pretending(name: impl Into<String>, mime: impl Into<String>, size: u64) -> Self {
        Self { claimed_size: Some(size), ..Self::new(name, mime, Bytes::new()) }
    }

    pub(crate) fn size(&self) -> u64 {
        self.claimed_size.unwrap_or(self.bytes.len() as u64)
    }
}

/// A file known to one bot. Kept until the simulator ends; `file_id` stays valid as long.
#[derive(Clone, Debug)]
pub(crate) struct StoredFile {
    pub(crate) file_id: String,
    pub(crate) unique_id: String,
    pub(crate) kind: MediaKind,
    pub(crate) upload: Upload,
    pub(crate) path: String,
    /// Fields beside the file's own, as they were first shown: width, duration, title and the like.
    pub(crate) details: Map<String, Value>,
    /// The link of `getFile` works until then.
    pub(crate) link_until: i64,
}

/// The files of one bot.
#[derive(Debug)]
pub(crate) struct Files {
    bot_id: i64,
    record: Record,
    count: u64,
    by_id: HashMap<String, Arc<StoredFile>>,
    by_path: HashMap<String, String>,
}

impl Files {
    pub(crate) fn new(bot_id: i64, record: Record) -> Self {
        Self { bot_id, record, count: 0, by_id: HashMap::new(), by_path: HashMap::new() }
    }

    /// Takes a file in and gives it its ids. With `Record::Counters` the ids lead nowhere.
    pub(crate) fn add(
        &mut self,
        kind: MediaKind,
        upload: Upload,
        details: Map<String, Value>,
    ) -> Arc<StoredFile> {
        self.count += 1;
        let (folder, extension) = kind.folder_and_extension();
        let extension = match upload.name.rsplit_once('.') {
            Some((_, given)) if given.len() <= 8 && given.bytes().all(|b| b.is_ascii_alphanumeric()) => given,
            _ => extension,
        };
        let file = Arc::new(StoredFile {
            file_id: format!("{}B{:x}F{:06}", kind.prefix(), self.bot_id, self.count),
            unique_id: format!("AgAD{:06}", self.count),
            kind,
            path: format!("{folder}/file_{}.{extension}", self.count),
            upload,
            details,
            link_until: 0,
        });
        if self.record == Record::Full {
            self.by_id.insert(file.file_id.clone(), Arc::clone(&file));
        }
        file
    }

    pub(crate) fn get(&self, file_id: &str) -> Option<&Arc<StoredFile>> {
        self.by_id.get(file_id)
    }

    /// Makes the download link work until the given second.
    pub(crate) fn open_link(&mut self, file_id: &str, until: i64) -> Option<Arc<StoredFile>> {
        let file = self.by_id.get_mut(file_id)?;
        let open = Arc::make_mut(file);
        open.link_until = until;
        self.by_path.insert(open.path.clone(), file_id.to_owned());
        Some(Arc::clone(file))
    }

    /// The file behind an open download link.
    pub(crate) fn download(&self, path: &str, now: i64) -> Option<Arc<StoredFile>> {
        let file = self.by_id.get(self.by_path.get(path)?)?;
        (now <= file.link_until).then(|| Arc::clone(file))
    }
}

impl StoredFile {
    /// The `File` object with its path.
    pub(crate) fn as_file(&self) -> Value {
        let mut file = self.as_file_without_path();
        set(&mut file, "file_path", self.path.as_str());
        file
    }

    /// The `File` object without a path: what every media object begins with.
    fn as_file_without_path(&self) -> Value {
        json!({"file_id": self.file_id, "file_unique_id": self.unique_id, "file_size": self.upload.size()})
    }

    /// The media fields of a message that carries the file: `photo` is a list of sizes, `animation` brings
    /// `document` along (<https://core.telegram.org/bots/api#message>).
    pub(crate) fn content(&self) -> Map<String, Value> {
        let mut object = self.as_file_without_path();
        if let Value::Object(fields) = &mut object {
            fields.extend(self.details.clone());
            if !matches!(self.kind, MediaKind::Photo | MediaKind::Sticker | MediaKind::VideoNote) {
                for (field, value) in [("file_name", &self.upload.name), ("mime_type", &self.upload.mime)] {
                    let is_shown = field != "file_name" || self.kind != MediaKind::Voice;
                    if is_shown && !value.is_empty() {
                        fields.insert(field.into(), value.as_str().into());
                    }
                }
            }
        }
        let mut content = Map::new();
        match self.kind {
            MediaKind::Photo => {
                content.insert("photo".into(), self.photo_sizes(object));
            }
            MediaKind::Animation => {
                let mut document = self.as_file_without_path();
                set(&mut document, "mime_type", self.upload.mime.as_str());
                set(&mut document, "file_name", self.upload.name.as_str());
                content.insert("document".into(), document);
                content.insert("animation".into(), object);
            }
            kind => {
                content.insert(kind.field().into(), object);
            }
        }
        content
    }

    /// A thumbnail first and the full picture last: sizes ascend.
    fn photo_sizes(&self, largest: Value) -> Value {
        let small = json!({
            "file_id": format!("{}t", self.file_id), "file_unique_id": format!("{}t", self.unique_id),
            "file_size": self.upload.size().min(1201), "width": 90, "height": 67,
        });
        Value::Array(vec![small, largest])
    }
}

/// What the server finds out about a file by itself, when the sender said nothing.
pub(crate) fn default_details(kind: MediaKind) -> Map<String, Value> {
    let details = match kind {
        MediaKind::Animation => json!({"width": 320, "height": 240, "duration": 3}),
        MediaKind::Audio => json!({"duration": 201}),
        MediaKind::Document => json!({}),
        MediaKind::Photo => json!({"width": 1280, "height": 960}),
        MediaKind::Sticker => {
            json!({"type": "regular", "width": 512, "height": 512, "is_animated": false, "is_video": false})
        }
        MediaKind::Video => json!({"width": 1280, "height": 720, "duration": 14}),
        MediaKind::VideoNote => json!({"length": 384, "duration": 9}),
        MediaKind::Voice => json!({"duration": 5}),
    };
    match details {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

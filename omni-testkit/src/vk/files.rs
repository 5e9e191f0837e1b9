//! Files: uploads on their way, what was saved, where it is downloaded.

use std::collections::HashMap;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{error::ApiError, random::Random, record::SentFile};

/// What a file is to VK.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum FileKind {
    AudioMessage,
    Doc,
    Graffiti,
    Photo,
}

impl FileKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::AudioMessage => "audio_message",
            Self::Doc => "doc",
            Self::Graffiti => "graffiti",
            Self::Photo => "photo",
        }
    }

    /// The kind as attachments are named: voice and graffiti go out as documents.
    fn prefix(self) -> &'static str {
        if self == Self::Photo { "photo" } else { "doc" }
    }
}

/// An address to upload to, and what came there.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) kind: FileKind,
    pub(super) club: i64,
    /// What stands in for the uploaded file in the answer; saving wants it back.
    pub(super) proof: Option<String>,
    pub(super) name: String,
    pub(super) bytes: Bytes,
}

/// A saved file.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) kind: FileKind,
    pub(super) owner: i64,
    pub(super) id: i64,
    pub(super) access_key: String,
    pub(super) name: String,
    pub(super) bytes: Bytes,
    pub(super) date: i64,
}

/// All files of a simulator, kept until it ends.
#[derive(Debug, Default)]
pub(super) struct Files {
    last: i64,
    pub(super) tickets: HashMap<String, Ticket>,
    stored: HashMap<String, Stored>,
}

impl Files {
    /// Opens an address to upload to.
    pub(super) fn open(&mut self, kind: FileKind, club: i64, random: &mut Random) -> String {
        let key = random.hex(24);
        let ticket = Ticket { kind, club, proof: None, name: String::new(), bytes: Bytes::new() };
        self.tickets.insert(key.clone(), ticket);
        key
    }

    /// The ticket whose upload is proved by this; it can be saved once.
    pub(super) fn take(&mut self, proof: &str, is_it: impl Fn(FileKind) -> bool) -> Option<Ticket> {
        let found = self.tickets.iter().find(|(_, t)| t.proof.as_deref() == Some(proof) && is_it(t.kind));
        let key = found?.0.clone();
        self.tickets.remove(&key)
    }

    /// Keeps a file.
    pub(super) fn keep(
        &mut self,
        kind: FileKind,
        owner: i64,
        (name, bytes): (String, Bytes),
        date: i64,
        random: &mut Random,
    ) -> Stored {
        self.last += 1;
        let id = 457_239_000 + self.last;
        let file = Stored { kind, owner, id, access_key: random.hex(18), name, bytes, date };
        self.stored.insert(file.place(), file.clone());
        file
    }

    /// The file at `photo-1_2`; a key that is given has to be right.
    pub(super) fn find(&self, place: &str, key: Option<&str>) -> Option<&Stored> {
        self.stored.get(place).filter(|file| key.is_none_or(|key| key == file.access_key))
    }
}

impl Stored {
    /// `photo-1_2`, `doc-1_2`.
    pub(super) fn place(&self) -> String {
        format!("{}{}_{}", self.kind.prefix(), self.owner, self.id)
    }

    pub(super) fn extension(&self) -> &str {
        self.name.rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    pub(super) fn content_type(&self) -> &'static str {
        match self.kind {
            FileKind::AudioMessage => "audio/ogg",
            FileKind::Doc => "application/octet-stream",
            FileKind::Graffiti => "image/png",
            FileKind::Photo => "image/jpeg",
        }
    }

    /// Where the bytes lie.
    pub(super) fn url(&self, base: &str) -> String {
        format!("{base}/files/{}?key={}", self.place(), self.access_key)
    }

    pub(super) fn as_sent(&self) -> SentFile {
        SentFile { kind: self.kind.name(), name: self.name.clone(), bytes: self.bytes.clone() }
    }

    /// The object of its kind, as events and answers show it.
    pub(super) fn to_json(&self, base: &str) -> Value {
        let (id, owner, key, url) = (self.id, self.owner, &self.access_key, self.url(base));
        match self.kind {
            FileKind::Photo => json!({
                "id": id, "owner_id": owner, "album_id": -64, "date": self.date, "access_key": key, "text": "",
                "orig_photo": {"type": "base", "url": url, "width": 1200, "height": 900},
                "sizes": [
                    {"type": "s", "url": format!("{url}&as=75x56"), "width": 75, "height": 56},
                    {"type": "w", "url": url, "width": 1200, "height": 900},
                    {"type": "x", "url": format!("{url}&as=604x453"), "width": 604, "height": 453},
                ],
            }),
            // Documents are downloaded through an address that leads on to where the bytes lie.
            FileKind::Doc => json!({
                "id": id, "owner_id": owner, "title": self.name, "size": self.bytes.len(),
                "ext": self.extension(), "date": self.date, "type": 1, "access_key": key,
                "url": format!("{base}/{}?hash={key}&dl=1&api=1&no_preview=1", self.place()),
            }),
            FileKind::AudioMessage => json!({
                "id": id, "owner_id": owner, "duration": 4, "waveform": [0, 3, 9], "access_key": key,
                "link_ogg": url, "link_mp3": format!("{url}&as=mp3"),
            }),
            FileKind::Graffiti => {
                json!({"id": id, "owner_id": owner, "url": url, "width": 700, "height": 400, "access_key": key})
            }
        }
    }

    pub(super) fn as_attachment(&self, base: &str) -> Value {
        let mut attachment = json!({"type": self.kind.name()});
        super::set(&mut attachment, self.kind.name(), self.to_json(base));
        attachment
    }
}

/// What a message or a comment carries.
#[derive(Debug, Default)]
pub(super) struct Attached {
    pub(super) json: Vec<Value>,
    pub(super) files: Vec<SentFile>,
}

/// Splits `photo-1_2_key` into its kind, its place `photo-1_2` and its key.
pub(super) fn split(reference: &str) -> Result<(&str, &str, Option<&str>), ApiError> {
    let wrong = || super::error::invalid(format!("attachment {reference} is invalid"));
    let at = reference.find(|sign: char| sign == '-' || sign.is_ascii_digit()).ok_or_else(wrong)?;
    let (kind, numbers) = reference.split_at_checked(at).ok_or_else(wrong)?;
    let mut pieces = numbers.splitn(3, '_');
    let (owner, id, key) = (pieces.next(), pieces.next(), pieces.next());
    let are_numbers = [owner, id].iter().all(|n| n.is_some_and(|n| n.parse::<i64>().is_ok()));
    if kind.is_empty() || !are_numbers {
        return Err(wrong());
    }
    let place = match key {
        Some(key) => reference.get(..reference.len() - key.len() - 1).ok_or_else(wrong)?,
        None => reference,
    };
    Ok((kind, place, key))
}

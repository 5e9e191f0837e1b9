//! Pictures, sounds and files: how they are named, fetched and handed over.

use std::fmt;
use std::pin::Pin;

use bytes::Bytes;
use futures_core::Stream;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use crate::error::Error;
use crate::id::BlobId;
use crate::time::Timestamp;

/// What kind of thing a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MediaKind {
    /// A still picture.
    Image,
    /// A film.
    Video,
    /// A short silent film that plays by itself.
    Animation,
    /// A round film message.
    VideoNote,
    /// Music or other sound with a title.
    Audio,
    /// Recorded speech.
    Voice,
    /// Any other file.
    File,
    /// A sticker.
    Sticker,
}

/// One file of a message, inbound or outbound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Media {
    /// What it is.
    pub kind: MediaKind,
    /// Where its bytes are.
    pub source: MediaSource,
    /// File name to show and to send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Media type such as `image/jpeg`, as claimed; never trust it for active content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// Bytes, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Pixels across.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Playing time in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
    /// The emoji a sticker stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emoji: Option<String>,
    /// Title or performer of music, name of a sticker set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The name by which the HTML of an e-mail shows the file in place, as in `<img src="cid:logo@shop">`, without
    /// `cid:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cid: Option<String>,
}

impl Media {
    /// A file with nothing known but its kind and its bytes' place.
    pub fn new(kind: MediaKind, source: impl Into<MediaSource>) -> Self {
        Self {
            kind,
            source: source.into(),
            name: None,
            mime: None,
            size: None,
            width: None,
            height: None,
            seconds: None,
            emoji: None,
            title: None,
            cid: None,
        }
    }

    /// The same file with a name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The same file with a media type.
    #[must_use]
    pub fn typed(mut self, mime: impl Into<String>) -> Self {
        self.mime = Some(mime.into());
        self
    }
}

/// Where the bytes of a [`Media`] are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "at", rename_all = "snake_case")]
#[non_exhaustive]
pub enum MediaSource {
    /// At the provider; fetch with [`Inbound::fetch`](crate::channel::Inbound::fetch).
    Provider(MediaRef),
    /// At a public address. Outbound: the provider or the connector fetches it.
    Url {
        /// The address.
        url: Url,
    },
    /// In memory, outbound. The hub moves them into its store before it queues the message.
    Bytes {
        /// The file.
        #[serde(with = "base64_bytes")]
        #[schemars(with = "String")]
        bytes: Bytes,
    },
    /// In the hub's store; resolved to bytes before a connector sees it.
    Stored {
        /// The key.
        blob: BlobId,
    },
}

impl From<MediaRef> for MediaSource {
    fn from(at: MediaRef) -> Self {
        MediaSource::Provider(at)
    }
}

impl From<Url> for MediaSource {
    fn from(url: Url) -> Self {
        MediaSource::Url { url }
    }
}

impl From<Bytes> for MediaSource {
    fn from(bytes: Bytes) -> Self {
        MediaSource::Bytes { bytes }
    }
}

/// How a connector finds inbound bytes again. Opaque; holds no secret, so it may be stored and shown.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct MediaRef {
    /// The provider's id of the file, or its address.
    pub id: String,
    /// The provider's id of the file that is the same for every account, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique: Option<String>,
    /// After this the bytes may be gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl MediaRef {
    /// A reference that lives as long as the provider keeps the file.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), unique: None, until: None }
    }
}

/// The bytes of a file as they arrive.
///
/// The stream yields an error and ends when the file turns out larger than the cap it was opened with.
pub struct MediaStream {
    /// Media type as claimed by the server.
    pub mime: Option<String>,
    /// Length as claimed by the server, in bytes.
    pub size: Option<u64>,
    /// The bytes.
    pub bytes: Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>,
}

impl fmt::Debug for MediaStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaStream")
            .field("mime", &self.mime)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

mod base64_bytes {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::{Bytes, Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &Bytes, s: S) -> Result<S::Ok, S::Error> {
        STANDARD.encode(bytes).serialize(s)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(d)?;
        STANDARD.decode(text).map(Bytes::from).map_err(serde::de::Error::custom)
    }
}

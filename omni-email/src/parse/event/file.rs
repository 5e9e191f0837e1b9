//! Where a file of a mail is, and how a reference tells it.

use omni_core::error::{Error, ErrorKind, Result};
use omni_core::media::{Media, MediaKind, MediaRef};
use serde::{Deserialize, Serialize};

use crate::mail::{File, Mail, PartPath, Raw};
use crate::parse::thread;

/// Where a file of a mail is. The Message-ID finds it again when the folder was made anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRef {
    /// The folder, decoded.
    #[serde(rename = "f")]
    pub folder: String,
    /// The folder's UIDVALIDITY when the mail was taken.
    #[serde(rename = "v")]
    pub uid_validity: u32,
    /// The mail's UID.
    #[serde(rename = "u")]
    pub uid: u32,
    /// The mail's Message-ID, without `<>`.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Which of its parts; `None` for the mail as a whole.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub part: Option<PartPath>,
}

impl FileRef {
    /// The mail itself, as a file.
    pub fn whole(mail: &Mail, raw: &Raw) -> Self {
        Self {
            folder: raw.folder.clone(),
            uid_validity: raw.uid_validity,
            uid: raw.uid,
            message_id: mail.message_id.as_deref().and_then(thread::normal_id),
            part: None,
        }
    }

    /// A file of the mail.
    #[must_use]
    pub fn part(mut self, part: &PartPath) -> Self {
        self.part = Some(part.clone());
        self
    }

    /// The reference that [`Self::read`] reads.
    pub fn to_ref(&self) -> MediaRef {
        MediaRef::new(serde_json::to_string(self).unwrap_or_default())
    }

    /// Reads a reference.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when this connector has not made it.
    pub fn read(media: &MediaRef) -> Result<Self> {
        serde_json::from_str(&media.id).map_err(|_| {
            Error::new(ErrorKind::NotFound, "fetch").with_text("the reference is not one of a file in a mail")
        })
    }
}

/// A file, as messages tell of it.
pub(super) fn media(file: &File, mail: &FileRef) -> Media {
    let kind = match file.mime.split('/').next() {
        Some("image") if file.mime != "image/svg+xml" => MediaKind::Image,
        Some("video") => MediaKind::Video,
        Some("audio") => MediaKind::Audio,
        _ => MediaKind::File,
    };
    let mut media = Media::new(kind, mail.clone().part(&file.part).to_ref()).typed(&*file.mime);
    media.name = Some(file.name.clone()).filter(|name| !name.is_empty());
    media.size = Some(file.size);
    media.cid.clone_from(&file.shown_as);
    media
}

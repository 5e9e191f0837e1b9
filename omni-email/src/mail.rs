//! A mail, read: what [`crate::parse`] makes of the bytes, before it becomes an event.

use bytes::Bytes;
use omni_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::parse::automatic::Automatic;
use crate::parse::report::Report;

/// A mail, read. Nothing in it is trusted: addresses may be forged, HTML is cleaned but comes from a stranger.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mail {
    /// Its headers, decoded, in order.
    pub headers: Headers,
    /// Message-ID without `<>`.
    pub message_id: Option<String>,
    /// Ids in In-Reply-To, in order.
    pub in_reply_to: Vec<String>,
    /// Ids in References, oldest first.
    pub references: Vec<String>,
    /// Authors. The first is who wrote it.
    pub from: Vec<Mailbox>,
    /// Where answers shall go, if not to the author.
    pub reply_to: Vec<Mailbox>,
    /// Recipients.
    pub to: Vec<Mailbox>,
    /// Recipients of copies.
    pub cc: Vec<Mailbox>,
    /// Subject, decoded, in one line. Empty when there is none.
    pub subject: String,
    /// The Date header, however absurd.
    pub date: Option<Timestamp>,
    /// What it says.
    pub body: Body,
    /// Its files, in the order of the mail.
    pub files: Vec<File>,
    /// A report of a delivery, a receipt or a complaint, if it is one.
    pub report: Option<Report>,
    /// Why it counts as written by a program, if it does.
    pub automatic: Option<Automatic>,
    /// What identifies the mail wherever it lies: SHA-256 over its Message-ID (without one, over the raw headers) and
    /// the raw bytes of its body. Copies in other folders, and the same mail fetched again, have the same key.
    pub key: [u8; 32],
    /// What of it was left out for its size or depth: shown to people, never silent.
    pub cut: Vec<String>,
}

/// Headers, decoded, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// Headers out of names and unfolded, decoded values, in order.
    pub fn new<N: Into<String>, V: Into<String>>(headers: impl IntoIterator<Item = (N, V)>) -> Self {
        let lower = |(name, value): (N, V)| (name.into().to_ascii_lowercase(), value.into());
        Self(headers.into_iter().map(lower).collect())
    }

    /// The first value under a name, in whatever case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v)
    }

    /// All values under a name, topmost first.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// Whether a name is there.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Names in lower case, and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }
}

/// An address with the name that stands before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mailbox {
    /// The name as it was written, decoded; see [`crate::parse::sender`] for one fit to be shown.
    pub name: Option<String>,
    /// The address, as it was written but for blanks.
    pub address: String,
}

/// What a mail says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// The words: the plain part, or the HTML as text.
    pub text: String,
    /// The HTML, cleaned: no scripts, no forms, nothing that is loaded from elsewhere.
    pub html: Option<String>,
    /// The words without the mail they answer and without the signature. Never empty when `text` is not.
    pub visible: String,
    /// The quoted mail that was cut off.
    pub quoted: Option<String>,
    /// The signature that was cut off.
    pub signature: Option<String>,
}

/// A file in a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where in the mail it is.
    pub part: PartPath,
    /// Its name, fit for a disk: no path, no control characters.
    pub name: String,
    /// Its media type, by its first bytes where the label lies.
    pub mime: String,
    /// Bytes, decoded.
    pub size: u64,
    /// Its Content-ID without `<>`, when the HTML shows it in place.
    pub shown_as: Option<String>,
    /// Whether it is likely a logo or a dot of a signature, not something the customer attached.
    pub decoration: bool,
}

/// Where in a mail a file is: the IMAP section (`2.1`), or a file within a `winmail.dat` (`2.1!0`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartPath(pub String);

/// A raw mail and where it lies.
#[derive(Clone, Debug)]
pub struct Raw {
    /// The folder, decoded.
    pub folder: String,
    /// The folder's UIDVALIDITY.
    pub uid_validity: u32,
    /// Its UID there.
    pub uid: u32,
    /// When the server took it.
    pub internal_date: Option<Timestamp>,
    /// Its flags.
    pub flags: Vec<String>,
    /// The bytes; of an oversize mail the headers and the texts.
    pub bytes: Bytes,
    /// Files of an oversize mail that were not downloaded, found by the server's description of the mail.
    pub not_loaded: Vec<File>,
}

//! Which mails belong together: ids, subjects, and what is noted for the next mail of a thread.

use omni_core::event::Thread;
use omni_core::{MessageId, Note, ProviderMessageId, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::mail::Mail;

mod subject;

pub use subject::{Base, Prefix, base};

/// Most names of former mails that are told: the hub looks at no more
/// ([`Thread::after`](omni_core::event::Thread::after)).
pub const MAX_AFTER: usize = 32;

/// Most references kept beside the first one (RFC 5322, 3.6.4, lets them be cut in the middle).
pub const MAX_REFERENCES: usize = 20;

/// Longest id that is believed, in bytes: the longest line of a mail (RFC 5322, 2.1.1).
const MAX_ID: usize = 998;

/// Most bytes of a [`Note`].
const MAX_NOTE: usize = 16 << 10;

/// Most people in copy that are noted.
const MAX_CC: usize = 50;

/// How long a subject alone joins mails, in milliseconds: this bucket and the two before it.
const BUCKET: i64 = 7 * 24 * 60 * 60 * 1000;

/// An id as it is compared: without `<>`, blanks and control characters, a needlessly quoted local part unquoted.
///
/// `None` when nothing is left, or more than a line of a mail can hold.
///
/// ```
/// use omni_email::parse::thread::normal_id;
/// assert_eq!(normal_id(" <\"abc\"@Example.com> ").as_deref(), Some("abc@Example.com"));
/// assert_eq!(normal_id("<>"), None);
/// ```
pub fn normal_id(id: &str) -> Option<String> {
    let id: String = id.chars().filter(|c| !c.is_control()).collect();
    let id = id.trim().trim_start_matches('<').trim_end_matches('>').trim();
    if id.is_empty() || id.len() > MAX_ID {
        return None;
    }
    let unquoted = id.strip_prefix('"').and_then(|rest| rest.split_once("\"@"));
    match unquoted {
        Some((local, domain)) if !local.is_empty() && local.bytes().all(is_atom) => {
            Some(format!("{local}@{domain}"))
        }
        _ => Some(id.to_owned()),
    }
}

/// What needs no quotes before an `@` (RFC 5322, 3.2.3, with the dot).
fn is_atom(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b)
}

/// The Message-ID of a mail of ours, without `<>`: the same in every attempt to send it, so it is the idempotency key.
/// The domain is that of the address it is sent from.
pub fn own_id(message: MessageId, domain: &str) -> String {
    format!("omni.{message}@{domain}")
}

/// The message of ours and the domain that a Message-ID made by [`own_id`] names; `None` for any other. Servers may
/// have changed the letters' case.
pub fn message_of(id: &str) -> Option<(MessageId, &str)> {
    let id = id.trim().trim_start_matches('<').trim_end_matches('>');
    let (local, domain) = id.split_once('@')?;
    let (mark, uuid) = (local.get(..5)?, local.get(5..)?);
    if !mark.eq_ignore_ascii_case("omni.") || uuid.len() != 36 {
        return None;
    }
    Some((uuid.parse().ok()?, domain))
}

/// The ids under which a mail may be named: its Message-ID, and the one it had before a server changed it.
///
/// Exchange keeps the former in `X-Microsoft-Original-Message-ID`.
pub fn ids(mail: &Mail) -> Vec<String> {
    let original = mail.headers.get("x-microsoft-original-message-id");
    let mut ids = Vec::new();
    for id in mail.message_id.as_deref().into_iter().chain(original).filter_map(normal_id) {
        push_new(&mut ids, id);
    }
    ids
}

/// The name of a mail: its Message-ID, or `key:` and the hex of [`Mail::key`].
pub fn name(mail: &Mail) -> String {
    mail.message_id.as_deref().and_then(normal_id).unwrap_or_else(|| format!("key:{}", hex(&mail.key)))
}

/// The ids that a mail says it continues, nearest first: In-Reply-To, then References from last to first. Its own ids
/// are left out, and nothing twice.
pub fn parents(mail: &Mail) -> Vec<String> {
    let own = ids(mail);
    let mut parents = Vec::new();
    let named = mail.in_reply_to.iter().chain(mail.references.iter().rev());
    for id in named.filter_map(|id| normal_id(id)).filter(|id| !own.contains(id)) {
        push_new(&mut parents, id);
    }
    parents
}

/// What tells the talks with one person apart: the first 16 hex of SHA-256 of the first mail's name.
pub fn root(mail: &Mail) -> String {
    let own = ids(mail);
    let first = mail.references.iter().chain(&mail.in_reply_to).filter_map(|id| normal_id(id));
    let first = first.into_iter().find(|id| !own.contains(id)).unwrap_or_else(|| name(mail));
    short_hash(&[first.as_str()])
}

/// The name that all mails of one person under one subject share for seven days. `None` for a subject that says
/// nothing ("", "Hello", "Вопрос").
///
/// `person` is the customer's address, for mails of both directions.
pub fn alias(person: &str, subject: &str, at: Timestamp) -> Option<ProviderMessageId> {
    let base = base(subject);
    (!base.is_generic()).then(|| bucket_name(person, &base, at.as_millis().div_euclid(BUCKET)))
}

fn bucket_name(person: &str, base: &Base, bucket: i64) -> ProviderMessageId {
    let hash = short_hash(&[&person.trim().to_lowercase(), &base.text.to_lowercase()]);
    ProviderMessageId::from(format!("subject:{hash}:{bucket}"))
}

/// Where a mail belongs among others, and what to remember for the answer.
///
/// `person` is the customer's address, `at` when the mail was written. A subject joins only mails that name no other
/// one, begin with a sign of an answer, and say something: two customers' "Вопрос" are two talks, and so are two of one.
pub fn thread(mail: &Mail, person: &str, at: Timestamp, note: &ThreadNote) -> Thread {
    let parents = parents(mail);
    let base = base(&mail.subject);
    let is_known = !base.is_generic();
    let by_subject = is_known && parents.is_empty() && base.prefix == Prefix::Answer;
    let now = at.as_millis().div_euclid(BUCKET);
    let buckets = by_subject.then(|| (0..3).map(|back| bucket_name(person, &base, now.saturating_sub(back))));
    let after = parents.into_iter().map(ProviderMessageId::from).chain(buckets.into_iter().flatten());
    let own = ids(mail).into_iter().skip(1).map(ProviderMessageId::from);
    let alias = is_known.then(|| bucket_name(person, &base, now));
    Thread {
        after: after.take(MAX_AFTER).collect(),
        names: own.chain(alias).collect(),
        note: Some(note.to_note()),
    }
}

/// What the next mail of a thread needs to know of the last one. Kept by the hub with the address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ThreadNote {
    /// The subject, as it was last.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// What the next mail answers: the last mail's Message-ID, without `<>`. A mail without one cannot be named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// What the next mail has as its References, oldest first: the first and the last twenty, `last` at the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// Addresses of those who read along, without ours and the customer's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cc: Vec<String>,
}

impl ThreadNote {
    /// The note after a customer's mail (RFC 5322, 3.6.4). `cc` are those who read along.
    pub fn of(mail: &Mail, cc: Vec<String>) -> Self {
        let mut references: Vec<String> = Vec::new();
        let only_parent = mail.in_reply_to.iter().take(if mail.in_reply_to.len() == 1 { 1 } else { 0 });
        let former: Vec<&String> = match mail.references.is_empty() {
            true => only_parent.collect(),
            false => mail.references.iter().collect(),
        };
        for id in former.into_iter().filter_map(|id| normal_id(id)) {
            push_new(&mut references, id);
        }
        let note = Self { subject: mail.subject.chars().take(500).collect(), last: None, references, cc };
        match mail.message_id.as_deref().and_then(normal_id) {
            Some(id) => note.followed_by(id),
            None => note.within_limits(),
        }
    }

    /// The note after one more mail, of either side, whose Message-ID is `id`.
    #[must_use]
    pub fn followed_by(mut self, id: impl Into<String>) -> Self {
        let id = id.into();
        self.references.retain(|former| *former != id);
        self.references.push(id.clone());
        self.last = Some(id);
        self.within_limits()
    }

    /// The note as text of at most 16 KiB.
    pub fn to_note(&self) -> Note {
        let mut kept = self.clone().within_limits();
        loop {
            let text = serde_json::to_string(&kept).unwrap_or_default();
            if text.len() <= MAX_NOTE {
                return Note::from(text);
            }
            kept.shrink();
        }
    }

    /// The opposite of [`Self::to_note`]; `None` for a note that is not ours.
    pub fn from_note(note: &Note) -> Option<Self> {
        serde_json::from_str(note.as_str()).ok()
    }

    fn within_limits(mut self) -> Self {
        let extra = self.references.len().saturating_sub(MAX_REFERENCES + 1);
        if extra > 0 {
            self.references.drain(1..=extra);
        }
        self.cc.truncate(MAX_CC);
        self
    }

    /// Gives up what is missed least: a reference of the middle, then people in copy, then the rest.
    fn shrink(&mut self) {
        if self.references.len() > 2 {
            self.references.remove(1);
        } else if self.cc.pop().is_none() && self.references.pop().is_none() {
            self.subject.clear();
            self.last = None;
        }
    }
}

fn push_new(ids: &mut Vec<String>, id: String) {
    if !ids.contains(&id) {
        ids.push(id);
    }
}

/// The first 16 hex of SHA-256 of texts, kept apart.
fn short_hash(texts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update(text.as_bytes());
        hash.update([0]);
    }
    hex(hash.finalize().get(..8).unwrap_or_default())
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

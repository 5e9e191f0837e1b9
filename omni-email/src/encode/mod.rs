//! From an [`OutboundItem`] to the bytes of a mail. Pure.
//!
//! The same item becomes the same bytes in every attempt: its Message-ID, its boundaries and its Date come out of
//! its [`MessageId`](omni_core::MessageId), which holds the time of its making. So a repeated mail is one that
//! receivers may fold, and the copy in the Sent folder is the very mail that went out.

use std::time::Duration;

use bytes::Bytes;
use omni_core::error::Error;
use omni_core::outbound::{OutboundItem, SendError};
use omni_core::{MessageId, Note, ProviderMessageId, Timestamp};

use crate::config::Config;

/// A mail, ready to be handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composed {
    /// The message it came from.
    pub id: MessageId,
    /// The mail: lines end in CRLF, dots are not doubled yet, no Bcc.
    pub bytes: Bytes,
    /// Its Message-ID without `<>`.
    pub message_id: ProviderMessageId,
    /// Further names by which mails may say that they continue it: for `Accepted::more`.
    pub names: Vec<ProviderMessageId>,
    /// Who hands it in, and to whom.
    pub envelope: Envelope,
    /// What to be told when something is sent to the address from now on.
    pub note: Option<Note>,
    /// Whether the server must know SMTPUTF8.
    pub utf8: Utf8,
    /// How long ago the message was made: what a server puts off is tried less and less often.
    pub age: Duration,
}

/// Who hands a mail in, and to whom. Domains are ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Where bounces go.
    pub from: String,
    /// Everybody who gets it, hidden ones too, each once.
    pub to: Vec<String>,
}

/// Whether a mail can pass servers that know ASCII addresses alone (RFC 6531).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Utf8 {
    /// Any server takes it.
    NotNeeded,
    /// An address has letters beyond ASCII before its `@`.
    Needed,
}

/// The mail that an item becomes. `now` is its Date only where the item's id tells no time.
///
/// # Errors
/// [`SendError::Rejected`], always: nothing was sent.
pub fn compose(item: &OutboundItem, config: &Config, now: Timestamp) -> Result<Composed, SendError> {
    let _ = (item, config, now);
    Err(SendError::Rejected(Error::unsupported("compose")))
}

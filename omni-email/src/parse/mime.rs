//! The tree of a mail, its charsets, its files.

use bytes::Bytes;

use crate::mail::{Mail, PartPath};

/// How much of a mail is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most parts.
    pub parts: usize,
    /// Deepest nesting.
    pub depth: usize,
    /// Most bytes of headers in all.
    pub headers: usize,
    /// Most bytes of text or HTML that become words.
    pub words: usize,
}

/// Reads a mail. Whatever the bytes are, something comes out: a mail that cannot be understood has no words, and says
/// so in [`Mail::cut`].
pub fn read(raw: &[u8], limits: &Limits) -> Mail {
    let _ = (raw, limits);
    Mail::default()
}

/// The bytes and the media type of one file of a mail.
pub fn extract(raw: &[u8], part: &PartPath) -> Option<(String, Bytes)> {
    let _ = (raw, part);
    None
}

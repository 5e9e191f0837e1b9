//! What the answers of mail servers mean: one table for SMTP, one for IMAP.

use omni_core::error::{Error, ErrorKind};

/// Where in the talk a server said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Greeting, EHLO, STARTTLS.
    Hello,
    /// AUTH.
    Login,
    /// MAIL.
    Sender,
    /// RCPT.
    Recipient,
    /// DATA, and what is said after the final dot.
    Data,
}

/// Sorts an answer of an SMTP server: its number, and its text, which may begin with an enhanced code (RFC 2034).
pub fn smtp(stage: Stage, number: u16, text: &str) -> Error {
    let _ = stage;
    Error::new(ErrorKind::Unavailable, "send").with_code(number).with_text(text)
}

/// Sorts a NO, BAD or BYE of an IMAP server by its response code (RFC 5530; without brackets, as `LIMIT`) and text.
pub fn imap(operation: &'static str, code: Option<&str>, text: &str) -> Error {
    let _ = code;
    Error::new(ErrorKind::Unavailable, operation).with_text(text)
}

//! Which mails a program wrote (RFC 3834).

use crate::mail::Mail;

/// Why a mail counts as written by a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Automatic {
    /// `Auto-Submitted` says so (RFC 3834).
    Submitted,
}

/// Why a mail counts as written by a program; `None` when a person seems to have written it.
pub fn automatic(mail: &Mail) -> Option<Automatic> {
    let submitted = mail.headers.get("auto-submitted")?;
    (!submitted.trim().eq_ignore_ascii_case("no")).then_some(Automatic::Submitted)
}

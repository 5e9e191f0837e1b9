//! Which mails a program wrote.

/// Why a mail counts as written by a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Automatic {
    /// `Auto-Submitted` says so (RFC 3834).
    Submitted,
}

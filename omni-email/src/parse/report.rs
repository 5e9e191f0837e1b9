//! Reports of deliveries (RFC 3464), receipts (RFC 8098), complaints (RFC 5965).

use crate::mail::Headers;

/// What a report says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Report {
    /// Of a delivery.
    Delivery(Vec<Recipient>),
}

/// What became of a mail on its way to one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The recipient's address.
    pub address: String,
}

/// One part of a mail, its transfer encoding undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportPart<'a> {
    /// Its media type, without parameters.
    pub mime: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// Reads a report out of the parts of a mail, in their order; `None` when the mail is none.
pub fn report(parts: &[ReportPart<'_>], headers: &Headers) -> Option<Report> {
    let _ = (parts, headers);
    None
}

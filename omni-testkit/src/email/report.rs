//! Mails that other servers and mail programs make of ours: bounces, receipts.

use bytes::Bytes;

use super::mime;
use super::submission::Submission;

/// What a delivery status notification (RFC 3464) says of a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// Given up.
    Failed,
    /// Still trying.
    Delayed,
    /// In the recipient's mailbox.
    Delivered,
    /// Passed on to a server that tells nothing more.
    Relayed,
}

impl Delivery {
    fn action(self) -> &'static str {
        match self {
            Delivery::Failed => "failed",
            Delivery::Delayed => "delayed",
            Delivery::Delivered => "delivered",
            Delivery::Relayed => "relayed",
        }
    }
}

/// A delivery status notification about a mail of ours.
///
/// `code` is an enhanced status code (`5.1.1`), `words` what the far server said (`550 5.1.1 User unknown`).
#[must_use]
pub fn delivery_report(mail: &Submission, delivery: Delivery, code: &str, words: &str) -> Bytes {
    let recipient = mail.to.first().map_or("nobody@example.org", |to| to.address.as_str());
    let envelope_id = mail.parameters.iter().find_map(|parameter| parameter.strip_prefix("ENVID="));
    let envelope_id = envelope_id.map(|id| format!("Original-Envelope-Id: {id}\r\n")).unwrap_or_default();
    let status = format!(
        "Reporting-MTA: dns; mx.customer.example\r\n{envelope_id}\r\nFinal-Recipient: rfc822; {recipient}\r\n\
         Action: {}\r\nStatus: {code}\r\nDiagnostic-Code: smtp; {words}\r\n",
        delivery.action()
    );
    let text = format!("<{recipient}>: {words}\r\n");
    let from = "Mail Delivery System <MAILER-DAEMON@mx.customer.example>";
    report(mail, from, "delivery-status", &text, &status)
}

/// A receipt (RFC 8098): the recipient was shown a mail of ours.
#[must_use]
pub fn read_receipt(mail: &Submission) -> Bytes {
    let recipient = mail.to.first().map_or("nobody@example.org", |to| to.address.as_str());
    let id = mail.message_id().unwrap_or_default();
    let status = format!(
        "Reporting-UA: customer.example; Mail\r\nFinal-Recipient: rfc822; {recipient}\r\n\
         Original-Message-ID: <{id}>\r\nDisposition: manual-action/MDN-sent-manually; displayed\r\n"
    );
    report(mail, recipient, "disposition-notification", "Прочитано\r\n", &status)
}

fn report(mail: &Submission, from: &str, kind: &str, text: &str, status: &str) -> Bytes {
    let id = mail.message_id().unwrap_or_default();
    let header = mime::read(&mail.raw).header;
    let header = String::from_utf8_lossy(mime::slice(&mail.raw, &header));
    // Two reports of one mail are two mails: their ids differ by what they say.
    let own = format!(
        "{kind}.{:x}.{id}",
        status.bytes().fold(0_u32, |sum, byte| sum.rotate_left(5) ^ u32::from(byte))
    );
    format!(
        "Return-Path: <>\r\nFrom: {from}\r\nTo: {to}\r\nSubject: Report\r\nAuto-Submitted: auto-replied\r\n\
         Message-ID: <{own}>\r\nIn-Reply-To: <{id}>\r\nReferences: <{id}>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type={kind};\r\n boundary=\"=_report\"\r\n\r\n\
         --=_report\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n\
         --=_report\r\nContent-Type: message/{kind}\r\n\r\n{status}\r\n\
         --=_report\r\nContent-Type: text/rfc822-headers\r\n\r\n{header}\r\n--=_report--\r\n",
        to = mail.from,
    )
    .into()
}

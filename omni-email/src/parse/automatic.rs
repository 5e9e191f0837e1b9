//! Which mails a program wrote (RFC 3834).
//!
//! No such mail gets an automatic text, whatever the reason: no receipt of a ticket, no word about closing hours, no
//! question how it was. Two programs that answer each other fill mailboxes within minutes. What differs is how much a
//! reason says about who wrote: see [`Automatic::is_program`].

use crate::mail::Mail;
use crate::parse::report::Report;

mod signs;

pub use signs::is_robot;

/// Why a mail gets no automatic answer. Every one of these forbids it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Automatic {
    /// It carries the mark of automatic mail of a program like this one (`X-Omni-Loop`), or `X-Loop`.
    Loop,
    /// It passed more than 50 servers: it goes in a circle.
    Circling,
    /// It is a report: of a delivery, a receipt, or a complaint.
    Report,
    /// `Auto-Submitted` says so, with whatever word but `no` (RFC 3834, 5).
    Submitted,
    /// Its envelope has no sender (`Return-Path: <>`): an answer is forbidden (RFC 3834, 2; RFC 5321, 4.5.5).
    NullSender,
    /// A header that mail robots set: `X-Autoreply` and its relatives.
    Responder,
    /// The sender's address is a program's: `mailer-daemon`, `no-reply`.
    Daemon,
    /// It went to many: `Precedence: bulk` or `junk`, `Feedback-ID`, `X-Campaign`.
    Bulk,
    /// It came through a mailing list (RFC 2369, RFC 2919): an answer would go to people who asked nothing.
    List,
    /// Its subject begins as those of absence notices do, and it names the mail it answers.
    Absence,
    /// A person may have written it, but `X-Auto-Response-Suppress` asks for no automatic answer (MS-OXCMAIL,
    /// 2.1.3.2.20).
    Suppressed,
}

impl Automatic {
    /// Whether a program wrote the mail, as far as the reason tells. A person can stand behind
    /// [`List`](Automatic::List) and [`Suppressed`](Automatic::Suppressed): such a mail is a customer's, and only gets no
    /// automatic answer.
    ///
    /// ```
    /// use omni_email::parse::automatic::Automatic;
    /// assert!(Automatic::Submitted.is_program());
    /// assert!(!Automatic::Suppressed.is_program());
    /// ```
    pub fn is_program(self) -> bool {
        !matches!(self, Automatic::List | Automatic::Suppressed)
    }

    /// The reason in a few words, for traces.
    ///
    /// ```
    /// use omni_email::parse::automatic::Automatic;
    /// assert_eq!(Automatic::NullSender.as_str(), "no envelope sender");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Automatic::Loop => "mark of automatic mail of ours",
            Automatic::Circling => "passed too many servers",
            Automatic::Report => "a report",
            Automatic::Submitted => "Auto-Submitted",
            Automatic::NullSender => "no envelope sender",
            Automatic::Responder => "a header of mail robots",
            Automatic::Daemon => "address of a program",
            Automatic::Bulk => "bulk mail",
            Automatic::List => "mailing list",
            Automatic::Absence => "subject of an absence notice",
            Automatic::Suppressed => "X-Auto-Response-Suppress",
        }
    }
}

/// Why a mail gets no automatic answer; `None` when a person seems to have written it. The surest reason counts.
///
/// ```
/// use omni_email::mail::{Headers, Mail};
/// use omni_email::parse::automatic::{Automatic, automatic};
/// let mail = Mail { headers: Headers::new([("Auto-Submitted", "auto-replied (vacation)")]), ..Mail::default() };
/// assert_eq!(automatic(&mail), Some(Automatic::Submitted));
/// ```
pub fn automatic(mail: &Mail) -> Option<Automatic> {
    let signs: [(Sign, Automatic); 11] = [
        (signs::is_loop, Automatic::Loop),
        (signs::is_circling, Automatic::Circling),
        (is_report, Automatic::Report),
        (signs::is_submitted, Automatic::Submitted),
        (signs::has_no_sender, Automatic::NullSender),
        (signs::is_responder, Automatic::Responder),
        (signs::is_daemon, Automatic::Daemon),
        (signs::is_bulk, Automatic::Bulk),
        (signs::is_list, Automatic::List),
        (signs::is_absence, Automatic::Absence),
        (signs::is_suppressed, Automatic::Suppressed),
    ];
    signs.into_iter().find(|(is, _)| is(mail)).map(|(_, reason)| reason)
}

/// Whether a mail has a sign.
type Sign = fn(&Mail) -> bool;

fn is_report(mail: &Mail) -> bool {
    let kind = mail.headers.get("content-type").unwrap_or_default().trim().to_ascii_lowercase();
    matches!(mail.report, Some(Report::Delivery(_) | Report::Receipt(_) | Report::Complaint(_)))
        || kind.starts_with("multipart/report")
        || mail.headers.has("x-failed-recipients")
}

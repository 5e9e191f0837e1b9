//! Reports of deliveries (RFC 3464), receipts (RFC 8098), complaints (RFC 5965), and the texts of servers that know none
//! of these.
//!
//! A report is believed no further than any mail: whoever knows the id of a mail of ours can make one up. It tells what
//! became of a mail, and never begins a talk.

use omni_core::MessageId;
use omni_core::error::Error;
use omni_core::status::Status;

use crate::mail::Headers;
use crate::parse::html;
use crate::parse::thread::{message_of, normal_id};

mod blocks;
mod reason;
mod text;

/// What a report says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Report {
    /// What became of a mail on its way (RFC 3464).
    Delivery(Delivery),
    /// That a mail was seen, or what else was done with it (RFC 8098).
    Receipt(Receipt),
    /// That somebody called a mail spam (RFC 5965). Such a person gets no campaigns any more, and no answer.
    Complaint(Complaint),
}

impl Report {
    /// The Message-IDs of the mails it may be about, without `<>`, best first: ones of our making before all others.
    ///
    /// ```
    /// use omni_email::parse::report::{Original, Receipt, Report};
    /// let receipt = Receipt { original: Original { ids: vec!["a@b.example".into()], ..Original::default() }, ..Receipt::default() };
    /// assert_eq!(Report::Receipt(receipt).messages(), ["a@b.example"]);
    /// ```
    pub fn messages(&self) -> Vec<&str> {
        let ids = &self.original().ids;
        let ours = ids.iter().filter(|id| message_of(id).is_some());
        let others = ids.iter().filter(|id| message_of(id).is_none());
        ours.chain(others).map(String::as_str).collect()
    }

    /// The message of ours that it is about: by the Message-ID that we gave
    /// ([`own_id`](crate::parse::thread::own_id)), else by the envelope's id. `None` when it names none: what it says may
    /// be about a mail that did not come from here.
    ///
    /// ```
    /// use omni_email::parse::report::{Original, Receipt, Report};
    /// let ids = vec!["omni.0197b1a0-0000-7000-8000-000000000001@shop.example".into()];
    /// let receipt = Receipt { original: Original { ids, ..Original::default() }, ..Receipt::default() };
    /// assert!(Report::Receipt(receipt).ours().is_some());
    /// ```
    pub fn ours(&self) -> Option<MessageId> {
        let by_id = || self.original().ids.iter().find_map(|id| message_of(id)).map(|(message, _)| message);
        let envelope = match self {
            Report::Delivery(delivery) => delivery.envelope_id.as_deref(),
            _ => None,
        };
        by_id().or_else(|| envelope?.parse().ok())
    }

    /// What is known of the mail it is about.
    pub fn original(&self) -> &Original {
        match self {
            Report::Delivery(delivery) => &delivery.original,
            Report::Receipt(receipt) => &receipt.original,
            Report::Complaint(complaint) => &complaint.original,
        }
    }
}

/// What a report tells of the mail it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Original {
    /// Message-IDs that may be its name, without `<>`, best first: those in the headers that the report quotes, those of
    /// our making in its text, then those in References and In-Reply-To of the report itself.
    pub ids: Vec<String>,
    /// Its headers, where the report quotes them.
    pub headers: Headers,
}

/// A report of a delivery (RFC 3464).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// The mail it is about.
    pub original: Original,
    /// `Original-Envelope-Id`: the ENVID that was given with the mail (RFC 3461).
    pub envelope_id: Option<String>,
    /// The server that reports.
    pub reporter: Option<String>,
    /// What became of it, recipient by recipient. May be empty: some servers tell no address.
    pub recipients: Vec<Recipient>,
    /// Whether it was told in fields, or read out of words.
    pub told: Told,
}

/// How sure a report of a delivery is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Told {
    /// In fields of RFC 3464.
    #[default]
    Fields,
    /// In words only, as qmail and old servers do: the address and the code are guesses.
    Words,
}

impl Delivery {
    /// What it says of one address; letters' case does not matter.
    ///
    /// ```
    /// use omni_email::parse::report::{Delivery, Recipient};
    /// let one = Recipient { address: "Anna@shop.example".into(), ..Recipient::default() };
    /// let delivery = Delivery { recipients: vec![one], ..Delivery::default() };
    /// assert!(delivery.of("anna@shop.example").is_some());
    /// ```
    pub fn of(&self, address: &str) -> Option<&Recipient> {
        let is = |told: &str| told.to_lowercase() == address.trim().to_lowercase();
        self.recipients.iter().find(|one| is(&one.address) || one.original_address.as_deref().is_some_and(is))
    }

    /// The worst it says: a failure, else a delay, else what else there is.
    ///
    /// ```
    /// use omni_email::parse::report::{Action, Delivery, Recipient};
    /// let one = |action| Recipient { action, ..Recipient::default() };
    /// let recipients = vec![one(Action::Delivered), one(Action::Failed), one(Action::Delayed)];
    /// let delivery = Delivery { recipients, ..Delivery::default() };
    /// assert_eq!(delivery.worst().unwrap().action, Action::Failed);
    /// ```
    pub fn worst(&self) -> Option<&Recipient> {
        self.recipients.iter().min_by_key(|one| one.action)
    }
}

/// What became of a mail on its way to one recipient (RFC 3464, 2.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipient {
    /// The address it was to be put into at last; empty when none is told.
    pub address: String,
    /// The address that the mail was sent to, where it was handed on to another one.
    pub original_address: Option<String>,
    /// What was done.
    pub action: Action,
    /// The enhanced code (RFC 3463): `5.1.1`.
    pub status: Option<String>,
    /// The number of the SMTP answer: 550.
    pub number: Option<u16>,
    /// What the server said, in one line, without the codes.
    pub text: Option<String>,
    /// The server that said so.
    pub remote: Option<String>,
}

/// What was done with a mail (RFC 3464, 2.3.3), the worst first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// It was given up, perhaps after days of trying (then the code begins with a 4).
    #[default]
    Failed,
    /// It is still being tried.
    Delayed,
    /// It was handed on to servers that report no further.
    Relayed,
    /// It was handed on to several addresses.
    Expanded,
    /// It is in the mailbox; nobody need have read it.
    Delivered,
}

impl Action {
    /// The status it means for the message; `None` where nothing changed yet.
    ///
    /// ```
    /// use omni_core::status::Status;
    /// use omni_email::parse::report::Action;
    /// assert_eq!(Action::Failed.status(), Some(Status::Failed));
    /// assert_eq!(Action::Delayed.status(), None);
    /// ```
    pub fn status(self) -> Option<Status> {
        match self {
            Action::Failed => Some(Status::Failed),
            Action::Delayed => None,
            Action::Relayed | Action::Expanded => Some(Status::Sent),
            Action::Delivered => Some(Status::Delivered),
        }
    }
}

impl Recipient {
    /// Why it failed or is late, sorted like a refusal of our own server ([`crate::error::SMTP`]): an unknown address, a
    /// full mailbox, words that are not taken. `None` when nothing is wrong.
    ///
    /// ```
    /// use omni_core::error::ErrorKind;
    /// use omni_email::parse::report::Recipient;
    /// let gone = Recipient { status: Some("5.1.1".into()), text: Some("User unknown".into()), ..Recipient::default() };
    /// let error = gone.error().unwrap();
    /// assert_eq!(error.kind(), ErrorKind::RecipientUnreachable);
    /// assert_eq!(error.advice(), Some("check the address"));
    /// ```
    pub fn error(&self) -> Option<Error> {
        reason::error(self)
    }

    /// What kind of failure it is, whichever way it was told.
    ///
    /// ```
    /// use omni_email::parse::report::{Reason, Recipient};
    /// let full = Recipient { status: Some("5.2.2".into()), ..Recipient::default() };
    /// assert_eq!(full.reason(), Some(Reason::Full));
    /// let yandex = Recipient { status: Some("5.7.1".into()), text: Some("No such user!".into()), ..Recipient::default() };
    /// assert_eq!(yandex.reason(), Some(Reason::UnknownAddress));
    /// ```
    pub fn reason(&self) -> Option<Reason> {
        matches!(self.action, Action::Failed | Action::Delayed).then(|| reason::of(self))
    }
}

/// Why a mail did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// There is no such mailbox or domain, or it was closed: mail there will fail again.
    UnknownAddress,
    /// The mailbox is full; room may be made.
    Full,
    /// The mail is too large for the recipient.
    TooLarge,
    /// It was refused for what it says or for who sent it: policy, spam, a failed check of the sender.
    Refused,
    /// Our account has sent too much.
    TooMuch,
    /// The recipient's server was not reached, or was ill.
    Unreachable,
    /// Nothing that can be told from the report.
    Other,
}

impl Reason {
    /// Whether the address shall get no mail of its own accord any more: campaigns to dead addresses ruin the name of
    /// the sender.
    ///
    /// ```
    /// use omni_email::parse::report::Reason;
    /// assert!(Reason::UnknownAddress.is_lasting());
    /// assert!(!Reason::Full.is_lasting());
    /// ```
    pub fn is_lasting(self) -> bool {
        self == Reason::UnknownAddress
    }
}

/// A receipt (RFC 8098). One is asked for with `Disposition-Notification-To`; such a wish in a customer's mail is never
/// fulfilled by a program, since it tells when somebody read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The mail it is about.
    pub original: Original,
    /// Who got the mail.
    pub recipient: Option<String>,
    /// What was done with it.
    pub disposition: Disposition,
    /// Who sent the receipt.
    pub sent_by: SentBy,
}

impl Receipt {
    /// The status it means for the message. Only [`Disposition::Displayed`] says that it was seen; anything else done
    /// with it says that it was there.
    ///
    /// ```
    /// use omni_core::status::Status;
    /// use omni_email::parse::report::{Disposition, Receipt};
    /// let seen = Receipt { disposition: Disposition::Displayed, ..Receipt::default() };
    /// assert_eq!(seen.status(), Status::Read);
    /// ```
    pub fn status(&self) -> Status {
        match self.disposition {
            Disposition::Displayed => Status::Read,
            _ => Status::Delivered,
        }
    }
}

/// What was done with a mail (RFC 8098, 3.2.6.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disposition {
    /// It was shown; whether it was understood, nobody knows.
    Displayed,
    /// It was deleted, perhaps unseen.
    Deleted,
    /// It was handed on.
    Dispatched,
    /// A program dealt with it.
    Processed,
    /// Something else, or nothing that was told.
    #[default]
    Other,
}

/// Who sent a receipt (RFC 8098, 3.2.6.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SentBy {
    /// A person agreed to it.
    Person,
    /// A program did by itself, or who did was not told.
    #[default]
    Program,
}

/// A complaint (RFC 5965).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Complaint {
    /// The mail it is about.
    pub original: Original,
    /// What for.
    pub feedback: Feedback,
    /// Who got the mail, where that was told: many hide who complained.
    pub recipients: Vec<String>,
}

/// What a complaint is for (RFC 5965, 7.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Feedback {
    /// Unwanted mail.
    #[default]
    Abuse,
    /// A lure for passwords or money.
    Fraud,
    /// It carried a virus.
    Virus,
    /// It is no spam after all (RFC 6430).
    NotSpam,
    /// Something else.
    Other(String),
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
///
/// Fields are believed before words, and words only in mail of programs that carry mail. The ids it may be about come
/// from the headers that it quotes; without any, from its words; without those, from its own References.
///
/// ```
/// use omni_email::mail::Headers;
/// use omni_email::parse::report::{Action, Report, ReportPart, report};
/// let fields = b"Reporting-MTA: dns; mx.shop.example\n\nFinal-Recipient: rfc822; anna@b.example\nAction: failed\nStatus: 5.1.1\n";
/// let parts = [ReportPart { mime: "message/delivery-status", bytes: fields }];
/// let Some(Report::Delivery(delivery)) = report(&parts, &Headers::default()) else { panic!() };
/// assert_eq!(delivery.recipients[0].address, "anna@b.example");
/// assert_eq!(delivery.recipients[0].action, Action::Failed);
/// ```
pub fn report(parts: &[ReportPart<'_>], headers: &Headers) -> Option<Report> {
    let parts = parts.get(..MAX_PARTS).unwrap_or(parts);
    let find = |kinds: &[&str]| parts.iter().find(|part| kinds.contains(&part.mime)).map(|part| part.bytes);
    let mut report = if let Some(bytes) = find(&["message/feedback-report"]) {
        Report::Complaint(blocks::complaint(bytes))
    } else if let Some(bytes) =
        find(&["message/disposition-notification", "message/global-disposition-notification"])
    {
        Report::Receipt(blocks::receipt(bytes))
    } else if let Some(bytes) = find(&["message/delivery-status", "message/global-delivery-status"]) {
        let mut delivery = blocks::delivery(bytes);
        text::complete(&mut delivery.recipients, || words(parts));
        Report::Delivery(delivery)
    } else {
        Report::Delivery(text::delivery(&words(parts), headers)?)
    };
    let quoted = find(&[
        "message/rfc822",
        "text/rfc822-headers",
        "message/rfc822-headers",
        "message/global",
        "message/global-headers",
    ]);
    let original = match &mut report {
        Report::Delivery(delivery) => &mut delivery.original,
        Report::Receipt(receipt) => &mut receipt.original,
        Report::Complaint(complaint) => &mut complaint.original,
    };
    original.find(quoted, || words(parts), headers);
    Some(report)
}

/// Most parts of a report that are looked at: a report has three.
const MAX_PARTS: usize = 50;

/// All words of the mail, plain ones before HTML.
fn words(parts: &[ReportPart<'_>]) -> String {
    let all = |mime: &str| -> String {
        let texts = parts.iter().filter(|part| part.mime == mime).map(|part| blocks::words(part.bytes));
        texts.take(5).collect::<Vec<_>>().join("\n")
    };
    let plain = all("text/plain");
    if plain.trim().is_empty() { html::text(&all("text/html")) } else { plain }
}

impl Original {
    /// Finds headers and ids, surest first; what is less sure is not looked at where something surer was found, since
    /// it may be about an earlier mail of the same talk.
    fn find(&mut self, quoted: Option<&[u8]>, words: impl Fn() -> String, headers: &Headers) {
        if let Some(quoted) = quoted.map(blocks::first_block).filter(|quoted| *quoted != Headers::default()) {
            self.headers = quoted;
        }
        // Exchange and Outlook.com change the id, and keep the one that was given.
        let told = ["message-id", "x-microsoft-original-message-id"];
        self.ids.extend(told.iter().filter_map(|name| self.headers.get(name)).filter_map(normal_id));
        if self.ids.is_empty() {
            self.ids = text::own_ids(&words());
        }
        if self.ids.is_empty() {
            let named = |name: &'static str| headers.all(name).flat_map(str::split_whitespace);
            let references: Vec<&str> = named("references").collect();
            let ids = named("in-reply-to").chain(references.into_iter().rev()).filter(|id| id.contains('@'));
            self.ids.extend(ids.filter_map(normal_id).take(MAX_IDS));
        }
        let mut seen = std::collections::HashSet::new();
        self.ids.retain(|id| seen.insert(id.clone()));
    }
}

/// Most ids that a report may be about.
const MAX_IDS: usize = 32;

#[cfg(test)]
#[path = "report/tests.rs"]
mod tests;

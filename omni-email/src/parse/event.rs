//! From a mail to events.
//!
//! A customer's mail is a [`Message`], a mail in the Sent folder an [`Echo`], a report of a delivery news of the status
//! of the message it is about. The id of an event is the mail's content key: the same mail in another folder, or fetched
//! again after the server numbered its mails anew, is the same event.

use omni_core::contact::{Profile, Sender, SenderKind};
use omni_core::content::{Content, EmailParts, Part};
use omni_core::event::{Echo, Event, EventBody, Message, Origin, ReplyTo, Told};
use omni_core::link::Referral;
use omni_core::{Address, EventId, Identity, ProviderMessageId, Text, Timestamp};
use serde_json::value::RawValue;

use crate::PROVIDER;
use crate::mail::{Mail, Mailbox, Raw};
use crate::parse::thread::{self, ThreadNote};
use crate::parse::{automatic, sender};

mod file;
mod ours;
mod reports;

pub use file::FileRef;
pub use ours::Ours;

/// What a folder is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Customers' mail.
    Inbox,
    /// What the server takes for spam.
    Junk,
    /// What was sent from the mailbox, with whatever program.
    Sent,
}

/// Where a mail was found, and when.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// What its folder is for.
    pub role: Role,
    /// The mail as the server gave it.
    pub raw: &'a Raw,
    /// Whether it lay there before the mailbox was connected.
    pub told: Told,
}

/// What a mail says, as events, in order. Never empty: what cannot be understood is told as such, with the place where
/// the mail lies.
pub fn events(mail: &Mail, place: &Place<'_>, ours: &Ours) -> Vec<Event> {
    let cx = Context { mail, place, ours };
    if place.role == Role::Sent {
        return vec![cx.sent()];
    }
    match &mail.report {
        Some(report) => cx.reports(report),
        None => vec![cx.received()],
    }
}

/// What a mail is read with.
struct Context<'a> {
    mail: &'a Mail,
    place: &'a Place<'a>,
    ours: &'a Ours,
}

impl Context<'_> {
    /// The id of the mail's only event. Mails of which nothing could be had are alike in what they hold: what tells them
    /// apart is where they lie.
    fn id(&self) -> EventId {
        let Raw { folder, uid_validity, uid, bytes, .. } = self.place.raw;
        match bytes.is_empty() {
            true => EventId::from(format!("unreadable:{uid_validity}:{uid}:{folder}")),
            false => EventId::from(thread::hex(&self.mail.key)),
        }
    }

    fn event(&self, id: EventId, body: EventBody) -> Event {
        Event { at: self.at(), told: self.place.told, ..Event::new(id, body) }
    }

    /// A mail that is no message and no news of one.
    fn unsupported(&self, what: &str) -> Event {
        let lies = serde_json::to_string(&FileRef::whole(self.mail, self.place.raw)).ok();
        let raw = lies.and_then(|json| RawValue::from_string(json).ok());
        Event { raw, ..self.event(self.id(), EventBody::Unsupported { what: what.to_owned() }) }
    }

    /// When the server took it: the writer's clock may be wrong. Of old mails the older of both, since whoever moves
    /// a mailbox to another server gives all mails one day.
    fn at(&self) -> Option<Timestamp> {
        let (taken, written) = (self.place.raw.internal_date, self.mail.date);
        match (taken, written) {
            (Some(taken), Some(written)) if self.place.told == Told::History => Some(taken.min(written)),
            (taken, written) => taken.or(written),
        }
    }

    /// A mail that somebody sent us.
    fn received(&self) -> Event {
        let own_id = self.mail.message_id.as_deref().and_then(|id| self.ours.message(id));
        if own_id.is_some() {
            // Through a list or a rule it came round. Whoever got a mail of ours knows its id: it proves nothing.
            return self.unsupported("a mail with an id of ours");
        }
        let own: Vec<&str> = self.ours.addresses().collect();
        let writer = sender::writer(self.mail, &own).filter(|writer| ours::key(writer.mailbox).is_some());
        let Some(writer) = writer else { return self.unsupported("a mail without a sender") };
        let answer = sender::answer_to(self.mail, &own);
        let Some(at) = answer.and_then(ours::key).or_else(|| ours::key(writer.mailbox)) else {
            return self.unsupported("a mail without a sender");
        };
        let mut message = self.message(writer.mailbox, &at);
        message.referral =
            sender::tag(self.mail, &own).map(|tag| Referral { token: Some(tag), ..Referral::default() });
        let may_be_answered = self.mail.automatic.is_none()
            && self.place.role == Role::Inbox
            && !sender::spam(self.mail)
            && answer.is_some();
        message.origin = if may_be_answered { Origin::Person } else { Origin::Automatic };
        self.event(self.id(), EventBody::Message(message)).at_address(self.address(&at))
    }

    /// A mail that was sent from the mailbox: by us, or by somebody with another program.
    fn sent(&self) -> Event {
        let to = self.mail.to.iter().chain(&self.mail.cc).filter(|to| !self.ours.is(to));
        let Some((customer, key)) = to.filter_map(|to| Some((to, ours::key(to)?))).next() else {
            return self.unsupported("a sent mail to nobody but ourselves");
        };
        let from = self.mail.from.first().unwrap_or(customer);
        let mut message = self.message(from, &key);
        if self.mail.automatic.is_some() {
            message.origin = Origin::Automatic;
        }
        let ours = self.mail.message_id.as_deref().and_then(|id| self.ours.message(id));
        let author = sender::shown_name(from).filter(|_| ours.is_none());
        let at = self.address(&key);
        self.event(self.id(), EventBody::Echo(Echo { message, ours, author })).at_address(at)
    }

    /// The mail as a message in a talk with the customer whose address has this key.
    fn message(&self, from: &Mailbox, customer: &str) -> Message {
        let mail = self.mail;
        let id = ProviderMessageId::from(thread::name(mail));
        let mut message = Message::new(id, person(from), self.content());
        let parent = mail.in_reply_to.iter().find_map(|id| thread::normal_id(id));
        message.reply_to = parent.map(|id| ReplyTo { message: id.into(), quote: None });
        let note = ThreadNote::of(mail, self.along(customer));
        let at = self.at().unwrap_or_default();
        message.thread = Some(Box::new(thread::thread(mail, customer, at, &note)));
        message
    }

    /// Those who read along: neither we nor the customer, nobody twice.
    fn along(&self, customer: &str) -> Vec<String> {
        let mut keys = vec![customer.to_owned()];
        let mut along = Vec::new();
        for other in self.mail.to.iter().chain(&self.mail.cc).filter(|other| !self.ours.is(other)) {
            if let Some(key) = ours::key(other).filter(|key| !keys.contains(key)) {
                along.push(key.clone());
                keys.push(key);
            }
        }
        along
    }

    fn address(&self, customer: &str) -> Address {
        Address::new(customer).with("thread", thread::root(self.mail))
    }

    /// What the mail says: the new words; the rest of what only mails have; its files, those of the signature last;
    /// what was left out of it.
    fn content(&self) -> Content {
        let Mail { body, subject, cc, .. } = self.mail;
        let whole = FileRef::whole(self.mail, self.place.raw);
        let email = EmailParts {
            subject: Some(subject.clone()).filter(|subject| !subject.is_empty()),
            html: body.html.clone(),
            cc: cc.iter().map(|cc| cc.address.clone()).collect(),
            bcc: Vec::new(),
            quoted: body.quoted.clone(),
            signature: body.signature.clone(),
        };
        let files = self.mail.files.iter().filter(|file| !file.decoration);
        let files = files.chain(self.mail.files.iter().filter(|file| file.decoration));
        let files = files.map(|file| Part::Media(file::media(file, &whole)));
        let cut = self.mail.cut.iter().map(|what| Part::Unsupported { what: what.clone() });
        Content {
            text: Some(Text::from(body.visible.as_str())).filter(|text| !text.plain.trim().is_empty()),
            parts: std::iter::once(Part::Email(email)).chain(files).chain(cut).collect(),
            keyboard: None,
        }
    }
}

/// Who a mailbox belongs to.
fn person(mailbox: &Mailbox) -> Sender {
    let id = ours::key(mailbox).unwrap_or_else(|| mailbox.address.to_lowercase());
    let profile =
        Profile { name: sender::shown_name(mailbox), email: Some(id.clone()), ..Profile::default() };
    let kind = if automatic::is_robot(&id) { SenderKind::Robot } else { SenderKind::Person };
    Sender { identity: Identity::new(PROVIDER, id), profile, kind }
}

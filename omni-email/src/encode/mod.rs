//! From an [`OutboundItem`] to the bytes of a mail. Pure.
//!
//! The same item becomes the same bytes in every attempt: its Message-ID, its boundaries, its Date and its signature
//! come out of its [`MessageId`], which holds the time of its making. So a repeated mail is one that receivers may fold,
//! and the copy in the Sent folder is the very mail that went out.

mod address;
mod dkim;
mod mime;
mod text;

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use lettre::Message;
use lettre::message::MessageBuilder;
use lettre::message::header::{HeaderName, HeaderValue, InReplyTo, MessageId as MessageIdField, References};
use omni_core::content::{EmailParts, Part};
use omni_core::error::{Error, ErrorKind, Result};
use omni_core::media::Media;
use omni_core::outbound::{Author, OutboundItem, SendError};
use omni_core::{MessageId, Note, ProviderMessageId, Text, Timestamp};

use crate::config::{AnswerTo, Config};
use crate::parse::html;
use crate::parse::thread::{MAX_REFERENCES, Prefix, ThreadNote, alias, base, own_id};
pub use address::MailAddress;
use address::one_line;
pub(crate) use dkim::check_dkim_key;
use mime::{Branch, Tree, encoded_words};
pub use text::{escaped, html as html_of, plain as plain_of};

const OPERATION: &str = "send";
/// Longest subject, in characters: longer ones are no subjects.
const SUBJECT: usize = 250;
/// Longest subject that is made out of the words.
const FIRST_LINE: usize = 70;
/// Longest id that is named, in bytes: longer lines are torn on the way (RFC 5322, 2.1.1).
const ID: usize = 900;
/// Times that the Date of a mail can be: 2000 to 9999. Ids outside hold no time of our making.
const DATES: std::ops::Range<i64> = 946_684_800_000..253_402_300_800_000;

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
    /// Everybody who gets it, hidden ones too, each once. The first is whom the talk is with.
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

/// The mail that an item becomes. `now` is its Date only where the item's id holds no time.
///
/// # Errors
/// [`SendError::Rejected`], always, since nothing was sent:
/// [`NotFound`](ErrorKind::NotFound) for an address that is none, [`TooLarge`](ErrorKind::TooLarge) above
/// [`Config::send_limit`], [`Unsupported`](ErrorKind::Unsupported) for what the capabilities do not declare,
/// [`ContentRejected`](ErrorKind::ContentRejected) when there is nothing to say, and
/// [`Configuration`](ErrorKind::Configuration) for an own address or a DKIM key that cannot be used.
pub fn compose(item: &OutboundItem, config: &Config, now: Timestamp) -> Result<Composed, SendError> {
    Draft::new(item, config, now).and_then(|draft| draft.composed()).map_err(SendError::Rejected)
}

/// A mail while it is put together.
struct Draft<'a> {
    item: &'a OutboundItem,
    config: &'a Config,
    email: EmailParts,
    files: Vec<&'a Media>,
    note: ThreadNote,
    from: MailAddress,
    people: People,
    /// Its Date.
    at: Timestamp,
    age: Duration,
}

/// Who gets a mail.
struct People {
    to: MailAddress,
    /// With the names they were given.
    cc: Vec<MailAddress>,
    bcc: Vec<MailAddress>,
}

impl People {
    fn all(&self) -> impl Iterator<Item = &MailAddress> {
        std::iter::once(&self.to).chain(&self.cc).chain(&self.bcc)
    }
}

impl<'a> Draft<'a> {
    fn new(item: &'a OutboundItem, config: &'a Config, now: Timestamp) -> Result<Self> {
        let (email, files) = parts(item)?;
        if item.content.keyboard.is_some() {
            return Err(Error::unsupported(OPERATION).with_text("a mail has no keys"));
        }
        if item.content.plain_text().is_none() && email.html.is_none() && files.is_empty() {
            return Err(
                Error::new(ErrorKind::ContentRejected, OPERATION).with_text("there is nothing to say")
            );
        }
        let from = MailAddress::read(&config.address)
            .map_err(|_| Error::configuration(OPERATION, "address is not an e-mail address"))?;
        let note = item.note.as_ref().and_then(ThreadNote::from_note).unwrap_or_default();
        let people = people(item, config, &email, &note)?;
        let made = made_at(item.id).unwrap_or(now);
        Ok(Self { item, config, email, files, note, from, people, at: made, age: now.since(made) })
    }

    fn composed(self) -> Result<Composed> {
        let message_id = own_id(self.item.id, self.from.domain());
        let subject = self.subject();
        let tree = Tree { plain: self.plain(), html: self.html(), files: self.files.clone() };
        let headers = self.headers(&message_id, &subject);
        let message = match tree.build(self.item.id)? {
            Branch::One(part) => headers.singlepart(part),
            Branch::Many(part) => headers.multipart(part),
        };
        let message = message.map_err(|e| {
            Error::new(ErrorKind::Internal, OPERATION).with_text("no mail can be made").with_source(e)
        })?;
        let bytes = self.signed(message.formatted())?;
        if let Some(limit) = self.config.send_limit().filter(|&limit| bytes.len() as u64 > limit) {
            return Err(Error::new(ErrorKind::TooLarge, OPERATION)
                .with_text("the mail with its files is too large")
                .with("bytes", bytes.len())
                .with("limit", limit));
        }
        let utf8 = match self.from.is_ascii() && self.people.all().all(MailAddress::is_ascii) {
            true => Utf8::NotNeeded,
            false => Utf8::Needed,
        };
        Ok(Composed {
            id: self.item.id,
            bytes: bytes.into(),
            names: alias(&self.people.to.to_string(), &subject, self.at).into_iter().collect(),
            note: Some(self.next_note(subject, &message_id)),
            message_id: message_id.into(),
            envelope: Envelope {
                from: self.from.to_string(),
                to: self.people.all().map(ToString::to_string).collect(),
            },
            utf8,
            age: self.age,
        })
    }

    /// What the mail is called: what was asked for, the thread's subject, the setting, the first line of its words.
    fn subject(&self) -> String {
        let given = self.email.subject.as_deref().map(one_line).filter(|subject| !subject.is_empty());
        let kept = || {
            let known = self.note.subject.trim();
            (!known.is_empty()).then(|| format!("Re: {}", without_answers(&one_line(known))))
        };
        let usual = || self.config.subject.as_deref().map(one_line).filter(|subject| !subject.is_empty());
        let words = || {
            let text = self.item.content.plain_text()?;
            text.lines().map(one_line).find(|line| !line.is_empty()).map(|line| cut(&line, FIRST_LINE))
        };
        let file = || self.files.iter().find_map(|file| file.name.as_deref()).map(one_line);
        let subject = given.or_else(kept).or_else(usual).or_else(words).or_else(file);
        cut(&subject.unwrap_or_else(|| self.from.to_string()), SUBJECT)
    }

    /// In whose name: the face's, else the mailbox's.
    fn speaker(&self) -> Option<&str> {
        let face = self.item.face.as_ref().map(|face| face.name.trim()).filter(|name| !name.is_empty());
        face.or(self.config.name.as_deref())
    }

    /// The signature, below what people write.
    fn signature(&self) -> Option<String> {
        if let Some(given) = self.email.signature.as_deref().filter(|text| !text.trim().is_empty()) {
            return Some(text::tidy(given));
        }
        let usual = self.config.signature.as_deref().filter(|text| !text.trim().is_empty())?;
        let agent = self.speaker().map(one_line).unwrap_or_default();
        (self.item.author == Author::Person).then(|| text::tidy(usual).replace("{agent}", &agent))
    }

    /// The words, the signature (RFC 3676, 4.3) and the quoted mail as plain text.
    fn plain(&self) -> String {
        let mut plain = match (&self.item.content.text, &self.email.html) {
            (Some(text), _) if !text.is_empty() => text::plain(text),
            (_, Some(html)) => text::tidy(&html::text(html)),
            _ => String::new(),
        };
        let gap = |plain: &mut String| plain.push_str(if plain.is_empty() { "" } else { "\n\n" });
        if let Some(signature) = self.signature() {
            gap(&mut plain);
            plain.push_str("-- \n");
            plain.push_str(&signature);
        }
        if let Some(quoted) = self.email.quoted.as_deref().filter(|text| !text.trim().is_empty()) {
            gap(&mut plain);
            for line in text::tidy(quoted).lines() {
                let quoted_before = line.starts_with('>');
                plain.push_str(if quoted_before { ">" } else { "> " });
                plain.push_str(line);
                plain.push('\n');
            }
        }
        plain
    }

    /// The same as HTML: what was given, or the words when they hold more than plain text shows.
    fn html(&self) -> Option<String> {
        let given = self.email.html.as_deref().filter(|html| !html.trim().is_empty()).map(text::tidy);
        let html = given.or_else(|| text::html(self.item.content.text.as_ref()?))?;
        let mut below = String::new();
        if let Some(signature) = self.signature() {
            below.push_str(&format!("<div><br>-- <br>\n{}</div>\n", text::escaped(&signature)));
        }
        if let Some(quoted) = self.email.quoted.as_deref().filter(|text| !text.trim().is_empty()) {
            below.push_str(&format!("<blockquote type=\"cite\">{}</blockquote>\n", text::escaped(quoted)));
        }
        // ASCII letters alone change, so places are the same in both.
        match html.to_ascii_lowercase().rfind("</body>") {
            Some(end) => {
                let (head, tail) = html.split_at(end);
                Some(format!("{head}{below}{tail}"))
            }
            None => Some(format!("{html}\n{below}")),
        }
    }

    /// The mail that this one answers, and those before it, oldest first.
    fn ancestors(&self) -> (Option<String>, Vec<String>) {
        // A mail without a Message-ID has a name of ours, which no other program knows.
        let answered = self.item.reply_to.as_ref().map(|reply| reply.message.as_str());
        let last = answered.filter(|id| is_id(id)).or(self.note.last.as_deref().filter(|id| is_id(id)));
        let last = last.map(str::to_owned);
        let mut references: Vec<String> =
            self.note.references.iter().filter(|id| is_id(id)).cloned().collect();
        if let Some(last) = &last {
            // An answer to an earlier mail leads to that one alone.
            match references.iter().position(|id| id == last) {
                Some(at) => references.truncate(at + 1),
                None => references.push(last.clone()),
            }
        }
        let extra = references.len().saturating_sub(MAX_REFERENCES + 1);
        if extra > 0 {
            references.drain(1..=extra);
        }
        (last, references)
    }

    fn headers(&self, message_id: &str, subject: &str) -> MessageBuilder {
        let date = SystemTime::UNIX_EPOCH + since_epoch(self.at);
        let mut headers = Message::builder()
            .header(MessageIdField::from(format!("<{message_id}>")))
            .date(date)
            .from(self.from.named(self.speaker()))
            .to(self.people.to.named(None))
            .raw_header(subject_field(subject));
        for person in &self.people.cc {
            headers = headers.cc(person.named(None));
        }
        let (last, references) = self.ancestors();
        if let Some(last) = &last {
            headers = headers.header(InReplyTo::from(format!("<{last}>")));
        }
        if !references.is_empty() {
            let ids: Vec<String> = references.iter().map(|id| format!("<{id}>")).collect();
            headers = headers.header(References::from(ids.join(" ")));
        }
        match self.item.author {
            Author::Person => headers,
            Author::Program => self.automatic(headers, last.is_some()),
        }
    }

    /// Marks by which other programs know not to answer (RFC 3834, 5; MS-OXCMAIL 2.1.3.2.20), and we ourselves know
    /// our own mail when it comes round.
    fn automatic(&self, headers: MessageBuilder, answers: bool) -> MessageBuilder {
        let raw =
            |name, value: &str| HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned());
        headers
            .raw_header(raw("Auto-Submitted", if answers { "auto-replied" } else { "auto-generated" }))
            .raw_header(raw("X-Auto-Response-Suppress", "All"))
            .raw_header(raw("X-Omni-Loop", &self.from.key()))
    }

    fn signed(&self, mail: Vec<u8>) -> Result<Vec<u8>> {
        match &self.config.dkim {
            Some(dkim) => dkim::sign(&mail, dkim, since_epoch(self.at)),
            None => Ok(mail),
        }
    }

    /// What the next mail has to know. Automatic mail leaves those in copy alone, and they stay noted.
    fn next_note(&self, subject: String, message_id: &str) -> Note {
        let mut note = self.note.clone();
        note.subject = subject;
        for person in self.people.cc.iter().map(ToString::to_string) {
            if !note.cc.contains(&person) {
                note.cc.push(person);
            }
        }
        note.references = self.ancestors().1;
        note.followed_by(message_id).to_note()
    }
}

/// The subject as a field. One that looks encoded is encoded, so that it is read as it was written.
fn subject_field(subject: &str) -> HeaderValue {
    let name = HeaderName::new_from_ascii_str("Subject");
    match subject.contains("=?") {
        true => {
            let words = encoded_words(subject).join("\r\n ");
            HeaderValue::dangerous_new_pre_encoded(name, subject.to_owned(), words)
        }
        false => HeaderValue::new(name, subject.to_owned()),
    }
}

/// What an item has beside its words.
fn parts(item: &OutboundItem) -> Result<(EmailParts, Vec<&Media>)> {
    let mut email = EmailParts::default();
    let mut files = Vec::new();
    for part in &item.content.parts {
        match part {
            Part::Media(media) => files.push(media),
            Part::Email(parts) => email = parts.clone(),
            _ => return Err(Error::unsupported(OPERATION).with_text("a mail has no form for this part")),
        }
    }
    Ok((email, files))
}

/// Whom the mail goes to: the person, those named for this mail, and those who read along, unless a program writes:
/// automatic mail goes to no more people than it was made for (RFC 3834, 4). Nobody twice, ourselves never in copy.
fn people(item: &OutboundItem, config: &Config, email: &EmailParts, note: &ThreadNote) -> Result<People> {
    let to = MailAddress::read(&item.address.main())?;
    let own = std::iter::once(&config.address).chain(&config.aliases);
    let mut seen: Vec<String> =
        own.filter_map(|own| MailAddress::read(own).ok()).map(|own| own.key()).collect();
    seen.push(to.key());
    let mut fresh = |address: &MailAddress| {
        let key = address.key();
        let is_new = !seen.contains(&key);
        if is_new {
            seen.push(key);
        }
        is_new
    };
    let read =
        |given: &[String]| given.iter().map(|text| MailAddress::read(text)).collect::<Result<Vec<_>>>();
    let mut cc: Vec<MailAddress> = read(&email.cc)?.into_iter().filter(&mut fresh).collect();
    if item.author == Author::Person && config.answer == AnswerTo::Everybody {
        // These came from outside: one that cannot be written to is no reason to answer nobody.
        let along = note.cc.iter().filter_map(|text| MailAddress::read(text).ok());
        cc.extend(along.filter(&mut fresh));
    }
    let bcc = read(&email.bcc)?.into_iter().filter(&mut fresh).collect();
    Ok(People { to, cc, bcc })
}

/// When an id was made: the first 48 bits of a UUID of version 7 (RFC 9562, 5.7).
fn made_at(id: MessageId) -> Option<Timestamp> {
    let [a, b, c, d, e, f, version, ..] = id.to_bytes();
    let millis = i64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    (version >> 4 == 7 && DATES.contains(&millis)).then(|| Timestamp::from_millis(millis))
}

fn since_epoch(at: Timestamp) -> Duration {
    let millis = at.as_millis().clamp(0, DATES.end - 1);
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// Whether an id may stand in a header: it may come from a stranger.
fn is_id(id: &str) -> bool {
    let is_safe = |b: u8| b.is_ascii_graphic() && !matches!(b, b'<' | b'>');
    id.contains('@') && id.len() <= ID && id.bytes().all(is_safe)
}

/// A subject without the signs of answers before it; marks of lists and numbers of tickets stay.
fn without_answers(subject: &str) -> &str {
    let mut rest = subject;
    while let Some((head, tail)) = rest.split_once([':', '：']) {
        let is_sign = !head.trim_start().starts_with('[') && base(&format!("{head}: x")).text == "x";
        if !is_sign || base(&format!("{head}: x")).prefix != Prefix::Answer || tail.trim().is_empty() {
            break;
        }
        rest = tail.trim_start();
    }
    rest
}

/// The beginning of a line, never tearing what a person sees as one sign.
fn cut(line: &str, max: usize) -> String {
    let pieces = Text::plain(line).split(max, omni_core::text::Unit::Characters);
    pieces.into_iter().next().unwrap_or_default().plain.trim_end().to_owned()
}

#[cfg(test)]
mod tests;

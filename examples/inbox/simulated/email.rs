//! A mailbox, simulated: a mail server, and customers with mail programs of their own.

use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use omni::core::media::MediaKind;
use omni::email::PROVIDER;
use omni::{ChannelKey, Provider, Timestamp};
use omni_testkit::email::{Attachment, Letter, MailServer, Settings, SmtpFault, Stage, Submission};
use serde_json::json;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

use super::people::{People, impossible, secret, unique};
use super::{Customer, Deed, FileAt, Line, LineFile, Simulator, Upload, demo};
use crate::config::ChannelSettings;

const TITLE: &str = "Sneakers, e-mail";
const ADDRESS: &str = "help@sneakers.example";
/// Longest subject that a customer makes of their words, in characters.
const SUBJECT: usize = 60;

/// One mailbox, and whoever writes to it.
pub(super) struct Email {
    server: MailServer,
    channel: ChannelKey,
    people: People<Arc<Writer>>,
    postman: UnboundedSender<Bytes>,
}

/// A customer's mail program.
struct Writer {
    name: String,
    address: String,
    outbox: Mutex<Outbox>,
}

#[derive(Default)]
struct Outbox {
    /// The tag of the address that the next mail goes to: `help+spring_sale@`.
    tag: Option<String>,
    written: Vec<Written>,
}

/// A mail of a customer.
struct Written {
    message_id: String,
    at: Timestamp,
    text: String,
    file: Option<Upload>,
    /// The line it answers.
    answers: Option<String>,
}

impl Writer {
    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Email {
    pub(super) async fn start() -> Result<(Self, ChannelSettings), Box<dyn Error>> {
        let password = secret();
        let server = MailServer::start(Settings::new(ADDRESS, &password)).await?;
        let at = |port: u16| json!({ "host": "127.0.0.1", "port": port, "tls": "none" });
        let settings = ChannelSettings {
            tenant: "demo".to_owned(),
            id: "mailbox".to_owned(),
            provider: PROVIDER,
            title: Some(TITLE.to_owned()),
            policy: None,
            config: json!({
                "address": ADDRESS, "name": "Sneakers", "auth": { "with": "password", "password": password },
                "imap": at(server.imap_port()), "smtp": at(server.smtp_port()), "poll_seconds": 5
            }),
        };
        let (postman, mails) = unbounded_channel();
        tokio::spawn(deliver(server.clone(), mails));
        Ok((Self { server, channel: settings.key(), people: People::new(), postman }, settings))
    }

    /// Mails that a customer got, with the ids of their lines.
    fn got(&self, who: &Writer) -> Vec<(String, Submission)> {
        let sent = self.server.sent().into_iter().enumerate();
        let theirs = sent.filter(|(_, mail)| mail.recipients().contains(&who.address.as_str()));
        theirs.map(|(number, mail)| (format!("got-{number}"), mail)).collect()
    }

    /// A new mail of a customer, with the line that it answers. Of what they got it answers the last, or the one that
    /// they chose; then it quotes it.
    fn letter(&self, who: &Writer, text: &str, chosen: Option<&str>) -> (Letter, Option<String>) {
        let got = self.got(who);
        // A further file of a mail is a line of its own: `got-3.1`.
        let chosen = chosen.and_then(|line| line.split('.').next());
        let answered = got.iter().find(|(line, _)| Some(line.as_str()) == chosen).or(got.last());
        let letter = match answered {
            Some((_, mail)) => {
                let quoted = mail.text().unwrap_or_default().replace('\n', "\n> ");
                self.server.mail(&format!("{text}\n\nВы писали:\n> {quoted}\n")).answers(mail)
            }
            None => self.server.mail(text).subject(&subject(text)),
        };
        (letter.from(&who.name, &who.address), answered.map(|(line, _)| line.clone()))
    }

    /// Sends a mail, and keeps it as the customer sees it.
    fn send(&self, who: &Writer, letter: Letter, text: &str, file: Option<Upload>, answers: Option<String>) {
        let message_id = format!("{}@customer.example", secret());
        let mut letter = letter.message_id(&message_id);
        if let Some(file) = &file {
            letter = letter.file(&file.name, mime(file), file.bytes.clone());
        }
        let mut outbox = who.outbox();
        if let (Some(tag), Some((name, domain))) = (outbox.tag.take(), ADDRESS.split_once('@')) {
            letter = letter.to(&format!("{name}+{tag}@{domain}"));
        }
        let at = self.server.now();
        outbox.written.push(Written { message_id, at, text: text.to_owned(), file, answers });
        drop(outbox);
        // It is there as long as the simulator is.
        let _ = self.postman.send(letter.raw());
        self.server.ground().changed();
    }
}

impl Simulator for Email {
    fn provider(&self) -> Provider {
        PROVIDER
    }

    fn channel(&self) -> &ChannelKey {
        &self.channel
    }

    fn title(&self) -> &str {
        TITLE
    }

    fn signs(&self) -> &[&str] {
        &[]
    }

    fn customers(&self) -> Vec<Customer> {
        self.people.list()
    }

    fn enter(&self, name: &str) -> Customer {
        let address = format!("guest-{:x}-{}@customer.example", unique(), self.people.count());
        let outbox = Mutex::default();
        let writer = Writer { name: name.to_owned(), address: address.clone(), outbox };
        self.people.add(address, name, Arc::new(writer))
    }

    fn chat(&self, customer: &str) -> Option<Vec<Line>> {
        let who = self.people.handle(customer)?;
        let outbox = who.outbox();
        let own = outbox.written.iter().enumerate().map(|(number, mail)| own_line(number, mail));
        let got = self.got(&who);
        let theirs = got.iter().flat_map(|(id, mail)| their_lines(id, mail, &outbox.written));
        let mut lines: Vec<Line> = own.chain(theirs).collect();
        lines.sort_by_key(|line| line.at);
        Some(lines)
    }

    fn act(&self, customer: &str, deed: Deed) -> Result<(), String> {
        let who = self.people.known(customer)?;
        match deed {
            Deed::Start { token } => who.outbox().tag = Some(token),
            Deed::Write { text, .. } if text.trim().is_empty() => {
                return Err("there is nothing to send".to_owned());
            }
            Deed::Write { text, reply_to } => {
                let (letter, answers) = self.letter(&who, &text, reply_to.as_deref());
                self.send(&who, letter, &text, None, answers);
            }
            Deed::LoseNextAnswer => {
                self.server.smtp().on(Stage::Dot, 1, SmtpFault::LosesAnswer);
            }
            Deed::Press { .. } => return impossible("pressing a key"),
            Deed::Edit { .. } => return impossible("editing"),
            Deed::React { .. } => return impossible("reacting"),
            Deed::ShareContact => return impossible("sharing a card"),
            Deed::Block | Deed::Unblock => return impossible("blocking"),
        }
        Ok(())
    }

    fn asks(&self, customer: &str, question: &str) -> Result<(), String> {
        let who = self.people.known(customer)?;
        let filled = |form: &str| form.replace("{question}", question);
        let letter = self
            .server
            .mail(&filled(include_str!("../demo/question.txt")))
            .html(&filled(include_str!("../demo/question.html")))
            .picture("sneakers@customer.example", "image/jpeg", Bytes::from_static(demo::SNEAKERS))
            .subject("Обмен: заказ № 1043 👟")
            .from(&who.name, &who.address);
        let bill = Upload {
            name: "Чек 1043.txt".to_owned(),
            mime: "text/plain".to_owned(),
            bytes: Bytes::from_static("Кроссовки белые, 38: 8 900 ₽\n".as_bytes()),
        };
        self.send(&who, letter, question, Some(bill), None);
        Ok(())
    }

    fn send_file(&self, customer: &str, file: Upload, caption: &str) -> Result<(), String> {
        let who = self.people.known(customer)?;
        let (letter, answers) = self.letter(&who, caption, None);
        let letter = match (&answers, caption.is_empty()) {
            (None, true) => letter.subject(&file.name),
            _ => letter,
        };
        self.send(&who, letter, caption, Some(file), answers);
        Ok(())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.server.ground().watch()
    }
}

/// Puts mails into INBOX, once the desk waits there: of a new mailbox it takes what comes from then on.
async fn deliver(server: MailServer, mut mails: UnboundedReceiver<Bytes>) {
    let mut news = server.ground().watch();
    while server.open().idling == 0 {
        if news.changed().await.is_err() {
            return;
        }
    }
    // The desk remembers how far it read: UIDs go on from run to run.
    let mut uid = u32::try_from(unique() / 1000).unwrap_or(1);
    while let Some(mail) = mails.recv().await {
        server.insert("INBOX", uid, mail);
        uid = uid.saturating_add(1);
    }
}

/// The first line, as people make subjects who think of none.
fn subject(text: &str) -> String {
    text.trim().lines().next().unwrap_or_default().chars().take(SUBJECT).collect()
}

fn mime(file: &Upload) -> &str {
    if file.mime.is_empty() { "application/octet-stream" } else { &file.mime }
}

fn own_line(number: usize, mail: &Written) -> Line {
    let file = mail.file.as_ref().map(|file| line_file(Some(&file.name), mime(file), &file.bytes));
    Line {
        own: true,
        file,
        reply_to: mail.answers.clone(),
        ..line(format!("own-{number}"), mail.text.clone(), mail.at)
    }
}

/// A mail that a customer got: a line with its words and its first file, and one for each further file.
fn their_lines(id: &str, mail: &Submission, written: &[Written]) -> Vec<Line> {
    let attached = |file: &Attachment| line_file(file.name.as_deref(), &file.mime, &file.bytes);
    let mut files = mail.attachments().iter().map(attached).collect::<Vec<_>>().into_iter();
    let answered = mail.in_reply_to();
    let answered = written.iter().rposition(|own| answered.contains(&own.message_id));
    let first = Line {
        file: files.next(),
        reply_to: answered.map(|number| format!("own-{number}")),
        ..line(id.to_owned(), mail.text().unwrap_or_default(), mail.at)
    };
    let further = files.enumerate().map(|(number, file)| Line {
        file: Some(file),
        ..line(format!("{id}.{number}"), String::new(), mail.at)
    });
    std::iter::once(first).chain(further).collect()
}

/// Words alone, of the business.
fn line(id: String, text: String, at: Timestamp) -> Line {
    Line {
        id,
        own: false,
        text,
        at: at.as_millis(),
        file: None,
        buttons: Vec::new(),
        reply_to: None,
        signs: Vec::new(),
        edited: false,
        deleted: false,
    }
}

fn line_file(name: Option<&str>, mime: &str, bytes: &Bytes) -> LineFile {
    let kind = match mime.split_once('/') {
        Some(("image", _)) => MediaKind::Image,
        Some(("video", _)) => MediaKind::Video,
        Some(("audio", _)) => MediaKind::Audio,
        _ => MediaKind::File,
    };
    let name = name.map(str::to_owned);
    LineFile { at: FileAt::App(bytes.clone()), kind, name, mime: Some(mime.to_owned()) }
}

//! A mailbox at the simulator, and Olga, who writes to it.

mod clock;
mod html;

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use omni_core::content::{Content, ContentKind, EmailParts, Part};
use omni_core::error::ErrorKind;
use omni_core::event::EventKind;
use omni_core::media::{Media, MediaKind, MediaSource};
use omni_core::tokens::MemoryTokens;
use omni_core::{Channel, ProviderMessageId, Status, Timestamp};
use omni_email::{Config, Email, Server, Tls};
use omni_http::Http;
use omni_testkit::conformance::{self, Act, ChatView, Done, Rig, Seen, Trouble};
use omni_testkit::email::{
    Ability, Attachment, Command, Delivery, Letter, MailServer, Settings, SmtpFault, Stage, Submission,
    delivery_report, read_receipt,
};

const HELP: &str = "help@shop.example";
const PASSWORD: &str = "s3cr3t-Ключ\"x";
const OLGA: &str = "olga@customer.example";

pub(crate) use clock::runs_fast;

/// A mailbox at the simulator, and Olga, who writes to it.
pub(crate) struct Shop {
    server: MailServer,
    config: Config,
    http: Http,
    /// What Olga wrote, in order.
    letters: Mutex<Vec<Written>>,
}

/// A mail of Olga's.
struct Written {
    uid: u32,
    id: String,
    text: String,
    at: Timestamp,
}

impl Shop {
    /// At a server that can all it should.
    pub(crate) async fn start() -> Self {
        Self::at(Settings::new(HELP, PASSWORD)).await
    }

    /// At one of forty years ago: no IDLE, no extensions.
    pub(crate) async fn at_a_plain_server() -> Self {
        Self::at(Ability::ALL.into_iter().fold(Settings::new(HELP, PASSWORD), Settings::without)).await
    }

    async fn at(settings: Settings) -> Self {
        let server = MailServer::start(settings).await.unwrap();
        let place = |port| Server { host: "127.0.0.1".to_owned(), port, tls: Tls::None };
        let mut config = Config::new(HELP, PASSWORD).at(place(server.imap_port()), place(server.smtp_port()));
        config.name = Some("Ромашка".to_owned());
        config.poll_seconds = 5;
        // Connections of one client serve all rigs: making one reads the system's certificates.
        static HTTP: OnceLock<Http> = OnceLock::new();
        let http = HTTP.get_or_init(|| Http::new().unwrap()).clone();
        Self { server, config, http, letters: Mutex::default() }
    }

    /// A mail of Olga's: her first one begins a talk, the others continue it, as her mail program does.
    fn letter(&self, text: &str) -> Letter {
        let letter = self.server.mail(text);
        match self.letters.lock().unwrap().first() {
            Some(first) => letter.replies_to(&first.id),
            None => letter,
        }
    }

    /// Olga's mail comes in. What lies there when a mailbox is connected is not told, so the first one waits until
    /// somebody watches.
    async fn arrives(&self, letter: Letter, text: &str) {
        if self.letters.lock().unwrap().is_empty() {
            self.is_watched().await;
        }
        let id = letter.id().expect("every letter of hers has an id").to_owned();
        let uid = letter.arrives();
        let written = Written { uid, id, text: text.to_owned(), at: self.server.now() };
        self.letters.lock().unwrap().push(written);
    }

    /// Waits until all folders were opened.
    async fn is_watched(&self) {
        let opened =
            |folder: &str| self.server.said(Command::Examine).iter().any(|line| line.contains(folder));
        let all = || (opened("INBOX") && opened("Sent")).then_some(());
        self.server.ground().wait_for("somebody to watch the mailbox", all).await;
    }

    fn file(&self, media: &Media) -> Result<Letter, Done> {
        let MediaSource::Bytes { bytes } = &media.source else { panic!("{media:?} is not in memory") };
        match media.kind {
            MediaKind::Image | MediaKind::Video | MediaKind::Audio | MediaKind::File => {}
            _ => return Err(Done::Impossible("a mail has files, and does not say what for")),
        }
        let (name, mime) = (media.name.clone().unwrap(), media.mime.clone().unwrap());
        Ok(self.letter("").file(&name, &mime, bytes.clone()))
    }

    fn sent(&self, message: &ProviderMessageId) -> Submission {
        let is_it = |sent: &Submission| sent.message_id().as_deref() == Some(message.as_str());
        self.server.sent().into_iter().find(is_it).expect("a mail of ours")
    }

    fn reports(&self, message: &ProviderMessageId, status: Status) -> Done {
        let sent = self.sent(message);
        let report = match status {
            Status::Sent => delivery_report(&sent, Delivery::Relayed, "2.0.0", "250 Ok"),
            Status::Delivered => delivery_report(&sent, Delivery::Delivered, "2.0.0", "250 Ok"),
            Status::Failed => delivery_report(&sent, Delivery::Failed, "5.1.1", "550 5.1.1 User unknown"),
            Status::Read => read_receipt(&sent),
            _ => return Done::Impossible("no report says so"),
        };
        self.server.deliver("INBOX", report);
        Done::Yes
    }

    fn causes(&self, kind: EventKind) -> Done {
        match kind {
            EventKind::Echo => {
                let elsewhere = self.server.mail("Продаём").from("Анна", HELP).to(OLGA);
                elsewhere.message_id("phone-1@shop.example").arrives_in("Sent");
            }
            EventKind::Deleted => self.server.expunge("INBOX", self.first()),
            EventKind::Read => self.server.set_flags("INBOX", self.first(), &["\\Seen"]),
            EventKind::Unsupported => self.unreadable(),
            _ => return Done::Impossible("there is no such mail"),
        }
        Done::Yes
    }

    fn first(&self) -> u32 {
        self.letters.lock().unwrap()[0].uid
    }

    /// A mail whose writer nobody can make out.
    fn unreadable(&self) {
        self.server.deliver("INBOX", "From: \u{fffd}<@>\r\nSubject: =?utf-8?B?4\r\n\r\n\0");
    }

    fn refuses(&self, stage: Stage, answer: &str) -> Done {
        self.strikes(stage, SmtpFault::Reply(answer.to_owned()))
    }

    fn strikes(&self, stage: Stage, fault: SmtpFault) -> Done {
        self.server.smtp().on(stage, 1, fault);
        Done::Yes
    }

    fn written(&self, letter: &Written) -> Seen {
        let flags =
            self.server.uids("INBOX").contains(&letter.uid).then(|| self.server.flags("INBOX", letter.uid));
        let is_read = flags.is_some_and(|flags| flags.contains(&"\\Seen".to_owned()));
        Seen { is_read, ..Seen::new(letter.id.clone(), false, Content::text(&*letter.text)) }
    }
}

/// A mail of ours as Olga's mail program shows it.
fn shown(sent: &Submission) -> Seen {
    let text = match sent.html() {
        Some(html) => Some(html::shown(&html)),
        None => sent.text().map(Into::into),
    };
    let email = EmailParts { subject: sent.subject(), ..EmailParts::default() };
    let files = sent.attachments().into_iter().map(|file| Part::Media(shown_file(file)));
    let parts = std::iter::once(Part::Email(email)).chain(files).collect();
    let text = text.filter(|text: &omni_core::Text| !text.plain.is_empty());
    let content = Content { text, parts, ..Content::default() };
    let reply_to = sent.in_reply_to().first().map(|id| ProviderMessageId::from(id.clone()));
    Seen { reply_to, ..Seen::new(sent.message_id().unwrap(), true, content) }
}

fn shown_file(file: Attachment) -> Media {
    let kind = match file.mime.as_str() {
        "image/gif" => MediaKind::Animation,
        "audio/ogg" => MediaKind::Voice,
        mime if mime.starts_with("image/") => MediaKind::Image,
        mime if mime.starts_with("video/") => MediaKind::Video,
        mime if mime.starts_with("audio/") => MediaKind::Audio,
        _ => MediaKind::File,
    };
    Media::new(kind, file.bytes)
}

#[async_trait]
impl Rig for Shop {
    fn channel(&self) -> Arc<dyn Channel> {
        let ground = self.server.ground().clone();
        let clock = Arc::new(move || ground.now());
        let tokens = Arc::new(MemoryTokens::default());
        Arc::new(Email::with_clock(self.config.clone(), &self.http, tokens, clock).unwrap())
    }

    fn shown(&self) -> String {
        format!("{:?}", self.config)
    }

    fn secrets(&self) -> Vec<String> {
        let plain = format!("\0{HELP}\0{PASSWORD}");
        vec![PASSWORD.to_owned(), STANDARD.encode(PASSWORD), STANDARD.encode(plain)]
    }

    async fn act(&self, act: Act<'_>) -> Done {
        match act {
            Act::Writes(text) => self.arrives(self.letter(text), text).await,
            Act::Sends(Part::Media(media)) => match self.file(media) {
                Ok(letter) => self.arrives(letter, "").await,
                Err(impossible) => return impossible,
            },
            Act::Answers { message, text } => {
                self.arrives(self.server.mail(text).answers(&self.sent(message)), text).await;
            }
            Act::Reports { message, status } => return self.reports(message, status),
            Act::Delivers { first, last } => {
                self.arrives(self.letter(first), first).await;
                self.unreadable();
                self.arrives(self.letter(last), last).await;
            }
            Act::Causes(kind) => return self.causes(kind),
            Act::Edits { .. } => return Done::Impossible("a mail that was sent stays as it is"),
            Act::Reacts { .. } => return Done::Impossible("a sign would be a mail of its own"),
            _ => return Done::Impossible("a mail cannot"),
        }
        Done::Yes
    }

    async fn chat(&self) -> ChatView {
        let letters = self.letters.lock().unwrap();
        let theirs = letters.iter().map(|letter| (letter.at, self.written(letter)));
        let sent = self.server.sent();
        let ours =
            sent.iter().filter(|sent| sent.recipients().contains(&OLGA)).map(|sent| (sent.at, shown(sent)));
        let mut all: Vec<(Timestamp, Seen)> = theirs.chain(ours).collect();
        all.sort_by_key(|(at, _)| *at);
        ChatView { messages: all.into_iter().map(|(_, seen)| seen).collect(), is_typing: false }
    }

    async fn trouble(&self, trouble: Trouble) -> Done {
        match trouble {
            Trouble::Refuses(ErrorKind::RecipientUnreachable) => {
                self.refuses(Stage::Rcpt, "550 5.1.1 <olga@customer.example>: User unknown")
            }
            Trouble::Refuses(ErrorKind::ContentRejected) => {
                self.refuses(Stage::Dot, "554 5.7.1 The message looks like spam")
            }
            Trouble::Refuses(ErrorKind::TooLarge) => {
                self.refuses(Stage::Mail, "552 5.3.4 Message size exceeds fixed limit")
            }
            Trouble::Refuses(ErrorKind::Forbidden) => {
                self.refuses(Stage::Mail, "553 5.7.1 Sender address rejected: not owned by user")
            }
            Trouble::Refuses(ErrorKind::RateLimited) => {
                self.refuses(Stage::Mail, "450 4.7.1 Error: too many mails from you")
            }
            Trouble::Refuses(ErrorKind::Unavailable) => {
                self.refuses(Stage::Rcpt, "451 4.3.0 Temporary lookup failure")
            }
            Trouble::Pauses(_) => Done::Impossible("a mail server does not say how long"),
            Trouble::LosesAnswer => self.strikes(Stage::Dot, SmtpFault::LosesAnswer),
            Trouble::Revokes => {
                self.server.change_password("another");
                self.server.cut();
                Done::Yes
            }
            _ => Done::Impossible("a mail server does not refuse so"),
        }
    }

    /// A mail program knows films that play by themselves as GIF; a mail with a subject says something as well.
    fn sample(&self, kind: ContentKind) -> Content {
        let mut content = conformance::sample(kind);
        if kind == ContentKind::Email {
            content.text = Some("Да, есть".into());
        }
        for media in content.all_media_mut().filter(|media| media.kind == MediaKind::Animation) {
            media.name = Some("silent.gif".to_owned());
            media.mime = Some("image/gif".to_owned());
        }
        content
    }

    /// By the quick clock.
    fn patience(&self) -> Duration {
        Duration::from_secs(120)
    }
}

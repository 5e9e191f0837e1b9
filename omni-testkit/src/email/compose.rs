//! Mails of customers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use mail_parser::DateTime;

use super::mailbox::Mailbox;
use super::structure::encoded_word;
use super::submission::Submission;

/// A mail that a customer writes, from [`Mailbox::mail`]. It is to the mailbox, from Olga Petrova, with a date, a
/// Message-ID of its own and a subject, until something else is said.
#[derive(Clone, Debug)]
#[must_use]
pub struct Letter {
    mailbox: Mailbox,
    from: (String, String),
    to: String,
    subject: String,
    text: String,
    html: Option<String>,
    message_id: Option<String>,
    headers: Vec<(String, String)>,
    pictures: Vec<(String, String, Bytes)>,
    files: Vec<(String, String, Bytes)>,
}

impl Letter {
    pub(super) fn new(mailbox: Mailbox, number: u64, text: &str) -> Self {
        Self {
            from: ("Ольга Петрова".to_owned(), "olga@customer.example".to_owned()),
            to: mailbox.address().to_owned(),
            subject: "Вопрос о заказе 🌼".to_owned(),
            text: text.to_owned(),
            html: None,
            message_id: Some(format!("letter-{number}@customer.example")),
            headers: Vec::new(),
            pictures: Vec::new(),
            files: Vec::new(),
            mailbox,
        }
    }

    /// Who writes.
    pub fn from(mut self, name: &str, address: &str) -> Self {
        self.from = (name.to_owned(), address.to_owned());
        self
    }

    /// The To header as it is written.
    pub fn to(mut self, to: &str) -> Self {
        self.to = to.to_owned();
        self
    }

    /// The subject.
    pub fn subject(mut self, subject: &str) -> Self {
        self.subject = subject.to_owned();
        self
    }

    /// The same words as HTML.
    pub fn html(mut self, html: &str) -> Self {
        self.html = Some(html.to_owned());
        self
    }

    /// Its Message-ID, without `<>`.
    pub fn message_id(mut self, id: &str) -> Self {
        self.message_id = Some(id.to_owned());
        self
    }

    /// Its Message-ID, without `<>`; `None` when it has none.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.message_id.as_deref()
    }

    /// No Message-ID.
    pub fn without_message_id(mut self) -> Self {
        self.message_id = None;
        self
    }

    /// Answers the mail of this Message-ID (without `<>`).
    pub fn replies_to(self, id: &str) -> Self {
        self.header("In-Reply-To", &format!("<{id}>")).header("References", &format!("<{id}>"))
    }

    /// Answers a mail that was handed in, as mail programs do: its id, its references, `Re:` before its subject.
    pub fn answers(self, mail: &Submission) -> Self {
        let id = mail.message_id().unwrap_or_default();
        let references: Vec<String> =
            mail.references().into_iter().chain([id.clone()]).map(|id| format!("<{id}>")).collect();
        let subject = mail.subject().unwrap_or_default();
        let subject = if subject.starts_with("Re:") { subject } else { format!("Re: {subject}") };
        self.subject(&subject)
            .header("In-Reply-To", &format!("<{id}>"))
            .header("References", &references.join("\r\n "))
    }

    /// A further header, as it is written.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A picture that the HTML shows as `cid:` with this id.
    pub fn picture(mut self, id: &str, mime: &str, bytes: impl Into<Bytes>) -> Self {
        self.pictures.push((id.to_owned(), mime.to_owned(), bytes.into()));
        self
    }

    /// A file.
    pub fn file(mut self, name: &str, mime: &str, bytes: impl Into<Bytes>) -> Self {
        self.files.push((name.to_owned(), mime.to_owned(), bytes.into()));
        self
    }

    /// Its bytes.
    #[must_use]
    pub fn raw(&self) -> Bytes {
        let now = self.mailbox.now().as_millis() / 1000;
        let (name, address) = &self.from;
        let mut head = vec![
            format!("From: {} <{address}>", words(name)),
            format!("To: {}", self.to),
            format!("Subject: {}", words(&self.subject)),
            format!("Date: {}", DateTime::from_timestamp(now).to_rfc822()),
        ];
        head.extend(self.message_id.iter().map(|id| format!("Message-ID: <{id}>")));
        head.extend(self.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        head.push("MIME-Version: 1.0".to_owned());
        format!("{}\r\n{}", head.join("\r\n"), self.body()).into()
    }

    /// The body with the headers that describe it.
    fn body(&self) -> String {
        let plain = text("plain", &self.text);
        let words = match &self.html {
            Some(html) => multipart("alternative", &[plain, self.shown(html)]),
            None => plain,
        };
        if self.files.is_empty() {
            return words;
        }
        let files = self.files.iter().map(|(name, mime, bytes)| file(name, mime, bytes));
        multipart("mixed", &[words].into_iter().chain(files).collect::<Vec<_>>())
    }

    /// The HTML, with its pictures.
    fn shown(&self, html: &str) -> String {
        let html = text("html", html);
        if self.pictures.is_empty() {
            return html;
        }
        let pictures = self.pictures.iter().map(|(id, mime, bytes)| picture(id, mime, bytes));
        multipart("related", &[html].into_iter().chain(pictures).collect::<Vec<_>>())
    }

    /// Comes into INBOX; its UID.
    pub fn arrives(self) -> u32 {
        self.arrives_in("INBOX")
    }

    /// Comes into a folder; its UID there.
    pub fn arrives_in(self, folder: &str) -> u32 {
        let raw = self.raw();
        self.mailbox.deliver(folder, raw)
    }
}

/// Words of a header, each piece of others than ASCII short enough for an encoded word (RFC 2047: 75 characters).
pub(super) fn words(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut pieces = vec![String::new()];
    for c in text.chars() {
        match pieces.last_mut() {
            Some(piece) if piece.len() + c.len_utf8() <= 42 => piece.push(c),
            _ => pieces.push(c.to_string()),
        }
    }
    let pieces: Vec<String> = pieces.iter().map(|piece| encoded_word(piece)).collect();
    pieces.join("\r\n ")
}

fn text(kind: &str, text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\n', "\r\n");
    format!(
        "Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        base64(text.as_bytes())
    )
}

fn file(name: &str, mime: &str, bytes: &[u8]) -> String {
    let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!(
        "Content-Type: {mime}\r\nContent-Disposition: attachment; filename*=utf-8''{encoded}\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}",
        base64(bytes)
    )
}

fn picture(id: &str, mime: &str, bytes: &[u8]) -> String {
    format!(
        "Content-Type: {mime}\r\nContent-ID: <{id}>\r\nContent-Disposition: inline\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}",
        base64(bytes)
    )
}

/// Lines of 76 characters.
fn base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for line in bytes.chunks(57) {
        out.push_str(&STANDARD.encode(line));
        out.push_str("\r\n");
    }
    out
}

fn multipart(kind: &str, parts: &[String]) -> String {
    let boundary = format!("=_{kind}_{}", parts.len());
    let inner: String = parts.iter().map(|part| format!("--{boundary}\r\n{part}\r\n")).collect();
    format!("Content-Type: multipart/{kind}; boundary=\"{boundary}\"\r\n\r\n{inner}--{boundary}--\r\n")
}

//! The tree of a mail, its charsets, its files.

mod address;
mod charset;
mod date;
mod encoded;
mod field;
mod files;
mod flowed;
mod names;
mod reduced;
mod rtf;
mod tnef;
mod tree;
mod words;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::mail::{Body, File, Headers, Mail, Mailbox, PartPath};
use crate::parse::automatic::automatic;
use crate::parse::report::{Report, ReportPart, report};
use crate::parse::{html, quotes};
use encoded::Hint;
use tree::Part;
use words::{Piece, Walk};

pub(crate) use field::parameter;
pub(crate) use names::clean as file_name;
pub use reduced::{LoadedText, reduced};

/// How much of a mail is read. What is beyond is told in [`Mail::cut`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most parts; one at least.
    pub parts: usize,
    /// Deepest nesting: 1 to 200.
    pub depth: usize,
    /// Most bytes of one header.
    pub header: usize,
    /// Most bytes of headers in all.
    pub headers: usize,
    /// Most bytes of text or HTML that become words.
    pub words: usize,
}

impl Default for Limits {
    /// 1000 parts, 50 deep, 64 KiB a header, 1 MiB of headers, 2 MiB of words: more than any mail that a person wrote.
    fn default() -> Self {
        Self { parts: 1_000, depth: 50, header: 64 * 1024, headers: 1024 * 1024, words: 2 * 1024 * 1024 }
    }
}

/// Reads a mail. Whatever the bytes are, something comes out: a mail that cannot be understood has no words, is a file as
/// a whole, and says so in [`Mail::cut`]. Of a mail that is not there in full (see [`reduced`]) it reads what is.
pub fn read(raw: &[u8], limits: &Limits) -> Mail {
    let limits = Limits { parts: limits.parts.max(1), depth: limits.depth.max(1), ..*limits };
    let mut cut = Vec::new();
    let root = Part::read(raw, &limits, &mut cut);
    if root.fields.is_empty() {
        return not_understood(&root, raw);
    }
    let hint = hint(&root);
    let mut mail = envelope(&root, &hint);
    mail.key = key(&root, mail.message_id.as_deref());
    let (pieces, walk) = Walk::read(&root, limits.words, &hint);
    if walk.over > 0 {
        cut.push(format!("{} bytes of its words: beyond {} they are not read", walk.over, limits.words));
    }
    let blank = |p: &Piece| p.plain.is_none() && p.html.is_none();
    let mut raw_html = pieces.iter().any(|p| p.html.is_some()).then(|| words::html_of(&pieces));
    let told = !pieces.is_empty() && !pieces.iter().all(blank);
    let (files, inside) = files::list(&walk.files, &mut raw_html, &hint);
    let text = if told { words::plain_of(&pieces) } else { inside_words(inside) };
    mail.body = body(text, raw_html.as_deref());
    mail.files = files;
    mail.cut = cut;
    mail.report = reported(&root, &mail);
    mail.automatic = automatic(&mail);
    mail
}

/// The bytes and the media type of one file of a mail.
pub fn extract(raw: &[u8], part: &PartPath) -> Option<(String, Bytes)> {
    let (path, within) = match part.0.split_once('!') {
        Some((path, number)) => (path, Some(number.parse::<usize>().ok()?)),
        None => (part.0.as_str(), None),
    };
    let found = Part::find(raw, path)?;
    let bytes = found.bytes();
    if let Some(number) = within {
        let tnef = tnef::Tnef::read(&bytes)?;
        let (mime, data) = files::within(tnef.files.get(number)?)?;
        return Some((mime, Bytes::copy_from_slice(data)));
    }
    let name = words::name(&found, &Hint::default()).unwrap_or_default();
    let mime = files::mime(&found, &bytes, &names::clean(&name));
    Some((mime, Bytes::from(bytes.into_owned())))
}

/// Bytes without a single header.
fn not_understood(root: &Part<'_>, raw: &[u8]) -> Mail {
    if raw.trim_ascii().is_empty() {
        return Mail { key: key(root, None), cut: vec!["all of it: it is empty".into()], ..Mail::default() };
    }
    let file = File {
        part: PartPath(root.path.clone()),
        name: "unreadable.eml".into(),
        mime: files::mime(root, root.raw, ""),
        size: u64::try_from(root.raw.len()).unwrap_or(u64::MAX),
        shown_as: None,
        decoration: false,
    };
    let cut = vec!["all of it: it has no headers, and cannot be understood".into()];
    Mail { key: key(root, None), files: vec![file], cut, ..Mail::default() }
}

/// What the headers say.
fn envelope(root: &Part<'_>, hint: &Hint) -> Mail {
    let first = |name: &str| root.fields.first(name);
    let mailboxes = |name: &str| first(name).map(|value| address::mailboxes(value, hint)).unwrap_or_default();
    let ids = |name: &str| first(name).map(address::ids).unwrap_or_default();
    let text = |(name, value): (&[u8], &[u8])| {
        (String::from_utf8_lossy(name).into_owned(), encoded::text(value, hint))
    };
    Mail {
        headers: Headers::new(root.fields.iter().map(text)),
        message_id: ids("message-id").into_iter().next(),
        in_reply_to: ids("in-reply-to"),
        references: ids("references"),
        from: authors(root, hint),
        reply_to: mailboxes("reply-to"),
        to: mailboxes("to"),
        cc: mailboxes("cc"),
        subject: first("subject").map(|value| encoded::text(value, hint)).unwrap_or_default(),
        date: first("date").and_then(date::date),
        ..Mail::default()
    }
}

/// Who wrote it. The first From counts when there are two: what a server adds stands above what a forger wrote.
fn authors(root: &Part<'_>, hint: &Hint) -> Vec<Mailbox> {
    let names = ["from", "sender", "return-path"];
    let all = names.iter().filter_map(|name| root.fields.first(name));
    all.map(|value| address::mailboxes(value, hint)).find(|found| !found.is_empty()).unwrap_or_default()
}

/// What helps to read bytes without a label.
fn hint(root: &Part<'_>) -> Hint {
    let mut leaves = Vec::new();
    root.leaves(&mut leaves);
    let label = leaves.iter().filter(|part| part.is("text/")).find_map(|part| part.kind.get("charset"));
    let author = authors(root, &Hint::default()).into_iter().next();
    let domain = author.and_then(|author| Some(author.address.rsplit_once('.')?.1.to_ascii_lowercase()));
    let small = |tld: &String| !tld.is_empty() && tld.bytes().all(|b| b.is_ascii_lowercase());
    Hint { label: label.map(str::to_owned), tld: domain.filter(small) }
}

/// See [`Mail::key`].
fn key(root: &Part<'_>, id: Option<&str>) -> [u8; 32] {
    let mut hash = Sha256::new();
    match id {
        Some(id) => hash.update(id.as_bytes()),
        None => plain_ends(root.fields.raw, &mut hash),
    }
    hash.update([0]);
    plain_ends(root.raw, &mut hash);
    hash.finalize().into()
}

/// Adds bytes with line ends of one kind: servers and files differ in them.
fn plain_ends(bytes: &[u8], hash: &mut Sha256) {
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(line) => {
                hash.update(line);
                hash.update(b"\n");
            }
            None => hash.update(line),
        }
    }
}

/// The words of a `winmail.dat`, where the mail has no others.
fn inside_words(inside: files::Inside) -> String {
    let html = || inside.html.as_deref().map(html::text);
    let text = inside.plain.clone().or_else(html).or(inside.rtf);
    words::trimmed(&words::tidy(&text.unwrap_or_default()))
}

fn body(text: String, raw_html: Option<&str>) -> Body {
    let cut = quotes::cut(&text, raw_html);
    let visible = if cut.visible.trim().is_empty() { text.clone() } else { cut.visible };
    Body { text, html: raw_html.map(html::clean), visible, quoted: cut.quoted, signature: cut.signature }
}

/// The report that the mail is, if it is one.
fn reported(root: &Part<'_>, mail: &Mail) -> Option<Report> {
    let mut leaves = Vec::new();
    root.leaves(&mut leaves);
    let told =
        |part: &&Part<'_>| part.is("message/") && !part.is("message/rfc822") || part.is("multipart/report");
    if !(root.is("multipart/report") || leaves.iter().any(told) || of_a_daemon(mail)) {
        return None;
    }
    let bytes: Vec<_> = leaves.iter().map(|part| part.bytes()).collect();
    let both = leaves.iter().zip(&bytes);
    let parts: Vec<_> = both.map(|(part, bytes)| ReportPart { mime: &part.kind.value, bytes }).collect();
    report(&parts, &mail.headers)
}

/// Whether it comes from a program that carries mail.
fn of_a_daemon(mail: &Mail) -> bool {
    let nobody = mail.headers.get("return-path").is_some_and(|path| path.trim() == "<>");
    let daemon = mail.from.first().is_some_and(|from| {
        let local = from.address.split('@').next().unwrap_or_default().to_ascii_lowercase();
        matches!(local.as_str(), "mailer-daemon" | "postmaster" | "mail-daemon")
    });
    nobody || daemon || mail.headers.has("x-failed-recipients")
}

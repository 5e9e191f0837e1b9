//! Which parts of a mail are its words, and which its files.

use super::charset;
use super::encoded::Hint;
use super::flowed::{self, Blank};
use super::tree::Part;

/// What a plain part says that stands only for the HTML beside it.
const NO_WORDS: [&str; 14] = [
    "does not support html",
    "doesn't support html",
    "not support html",
    "not display html",
    "cannot display html",
    "html-capable",
    "html capable",
    "html compatible",
    "html-enabled",
    "enable html",
    "не поддерживает html",
    "не поддерживает отображение html",
    "в формате html",
    "unterstützt kein html",
];
/// A plain part longer than this, in bytes, is not only such a note.
const NOTE: usize = 500;
/// How far into HTML its charset is looked for.
const META: usize = 2_048;

/// Some words: as they were written, and as HTML.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub(super) plain: Option<String>,
    pub(super) html: Option<String>,
}

/// Takes a mail apart into words and files.
#[derive(Debug)]
pub(super) struct Walk<'p, 'a> {
    hint: &'p Hint,
    /// How many bytes of words may still be read.
    left: usize,
    /// How many bytes were not.
    pub(super) over: usize,
    /// What is no words, in order.
    pub(super) files: Vec<&'p Part<'a>>,
    /// How the words are sealed, if they are.
    sealed: Option<&'static str>,
}

/// What a part is to its parent.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// What it says is words of the mail.
    Words,
    /// It belongs to words: a picture in them.
    Beside,
}

impl<'p, 'a> Walk<'p, 'a> {
    /// The words of a mail, at most so many bytes of them, and its files.
    pub(super) fn read(root: &'p Part<'a>, most: usize, hint: &'p Hint) -> (Vec<Piece>, Self) {
        let mut walk = Self { hint, left: most, over: 0, files: Vec::new(), sealed: None };
        let mut pieces = walk.part(root, Place::Words);
        if pieces.iter().all(Piece::is_blank) {
            pieces = walk.anything().map(|piece| vec![piece]).unwrap_or_default();
        }
        if pieces.is_empty()
            && let Some(sealed) = walk.sealed
        {
            pieces.push(Piece { plain: Some(sealed.to_owned()), html: None });
        }
        (pieces, walk)
    }

    fn part(&mut self, part: &'p Part<'a>, place: Place) -> Vec<Piece> {
        if part.parts.is_empty() {
            return self.leaf(part, place).into_iter().collect();
        }
        if part.is("multipart/encrypted") {
            self.sealed = Some("[encrypted]");
        }
        if place == Place::Beside {
            return part.parts.iter().flat_map(|part| self.part(part, Place::Beside)).collect();
        }
        match part.kind.value.as_str() {
            "multipart/alternative" => self.alternative(part).into_iter().collect(),
            "multipart/related" => self.related(part),
            _ => part.parts.iter().flat_map(|part| self.part(part, Place::Words)).collect(),
        }
    }

    /// The same words in several forms.
    fn alternative(&mut self, part: &'p Part<'a>) -> Option<Piece> {
        let mut forms = Vec::new();
        for form in &part.parts {
            let known =
                !form.is("text/") || ["text/plain", "text/html", "text/calendar"].iter().any(|k| form.is(k));
            // Else it is the same in a form that nobody shows: for a watch, as a program.
            if known || is_attached(form) || part.parts.len() == 1 {
                forms.push(self.part(form, Place::Words));
            }
        }
        forms.retain(|form| !form.is_empty());
        let (rich, plain): (Vec<_>, Vec<_>) =
            forms.into_iter().partition(|f| f.iter().any(|p| p.html.is_some()));
        let html = rich.into_iter().rfind(|form| !form.iter().all(Piece::is_blank));
        let plain =
            plain.into_iter().find(|form| !form.iter().all(Piece::is_blank)).map(|form| plain_of(&form));
        let Some(html) = html else { return plain.map(|plain| Piece { plain: Some(plain), html: None }) };
        let own = html.iter().all(|p| p.plain.is_some()).then(|| plain_of(&html));
        let plain = plain.filter(|plain| !only_a_note(plain)).or(own);
        Some(Piece { plain, html: Some(html_of(&html)) })
    }

    /// Words, and the pictures in them.
    fn related(&mut self, part: &'p Part<'a>) -> Vec<Piece> {
        let start = part.kind.get("start").map(|id| id.trim_matches(['<', '>', ' ']));
        let is_start = |part: &Part<'_>| start.is_some() && content_id(part).as_deref() == start;
        let named = part.parts.iter().any(is_start);
        let mut pieces = Vec::new();
        for child in &part.parts {
            let words = if named { is_start(child) } else { pieces.is_empty() };
            pieces.extend(self.part(child, if words { Place::Words } else { Place::Beside }));
        }
        pieces
    }

    fn leaf(&mut self, part: &'p Part<'a>, place: Place) -> Option<Piece> {
        match part.kind.value.as_str() {
            "text/plain" | "text/html"
                if place == Place::Words && !is_attached(part) && !is_named(part, self.hint) =>
            {
                return Some(self.words(part));
            }
            "application/pkcs7-mime" | "application/x-pkcs7-mime" => {
                let signed =
                    part.kind.get("smime-type").is_some_and(|kind| kind.eq_ignore_ascii_case("signed-data"));
                self.sealed = Some(if signed { "[signed]" } else { "[encrypted]" });
            }
            "application/pgp-encrypted" => return None, // says only that the next part is
            _ => {}
        }
        self.files.push(part);
        None
    }

    /// Where no part is words by its labels: the first that may be.
    fn anything(&mut self) -> Option<Piece> {
        let may_be = |part: &&Part<'_>| {
            let text = matches!(
                part.kind.value.as_str(),
                "text/plain" | "text/html" | "text/enriched" | "text/markdown"
            );
            let unlabelled = !part.kind.value.contains('/') || part.is("multipart/") && part.is_whole();
            (text || unlabelled) && !(is_attached(part) && is_named(part, self.hint))
        };
        let at = self.files.iter().position(|part| may_be(part) && !part.raw.trim_ascii().is_empty())?;
        let part = *self.files.get(at)?;
        if !is_named(part, self.hint) {
            self.files.remove(at);
        }
        Some(self.words(part)).filter(|piece| !piece.is_blank())
    }

    fn words(&mut self, part: &Part<'_>) -> Piece {
        let bytes = part.bytes();
        let most = bytes.len().min(self.left);
        self.over += bytes.len() - most;
        self.left -= most;
        let bytes = bytes.get(..most).unwrap_or_default();
        let rich = part.is("text/html");
        let label =
            part.kind.get("charset").map(str::to_owned).or_else(|| rich.then(|| of_meta(bytes)).flatten());
        let text = tidy(&charset::text(bytes, label.as_deref(), self.hint.tld.as_deref()));
        if rich {
            return Piece { plain: None, html: Some(text) };
        }
        let param =
            |name: &str, value: &str| part.kind.get(name).is_some_and(|v| v.eq_ignore_ascii_case(value));
        let blank = if param("delsp", "yes") { Blank::Dropped } else { Blank::Kept };
        let text = if param("format", "flowed") { flowed::joined(&text, blank) } else { text };
        Piece { plain: Some(trimmed(&text)), html: None }
    }
}

impl Piece {
    fn is_blank(&self) -> bool {
        let blank = |text: &Option<String>| text.as_ref().is_none_or(|text| text.trim().is_empty());
        blank(&self.plain) && blank(&self.html)
    }
}

/// The words of pieces as plain text.
pub(super) fn plain_of(pieces: &[Piece]) -> String {
    let of = |piece: &Piece| match (&piece.plain, &piece.html) {
        (Some(plain), _) => plain.clone(),
        (None, Some(html)) => trimmed(&tidy(&crate::parse::html::text(html))),
        (None, None) => String::new(),
    };
    let texts: Vec<String> = pieces.iter().map(of).filter(|text| !text.is_empty()).collect();
    texts.join("\n\n")
}

/// The words of pieces as HTML.
pub(super) fn html_of(pieces: &[Piece]) -> String {
    let of = |piece: &Piece| match (&piece.html, &piece.plain) {
        (Some(html), _) => html.clone(),
        (None, Some(plain)) => format!("<div>{}</div>", escaped(plain)),
        (None, None) => String::new(),
    };
    pieces.iter().map(of).collect()
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('\n', "<br>\n")
}

/// Text with one kind of line end and without the control characters that nobody sees.
pub(super) fn tidy(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|c| matches!(c, '\n' | '\t') || !(c.is_control() || *c == '\u{feff}')).collect()
}

/// Text without empty lines before it and blanks behind it.
pub(super) fn trimmed(text: &str) -> String {
    let text = text.trim_end();
    let blank = text.split_inclusive('\n').take_while(|line| line.trim().is_empty()).map(str::len).sum();
    text.get(blank..).unwrap_or_default().to_owned()
}

fn only_a_note(plain: &str) -> bool {
    let small = plain.to_lowercase();
    plain.len() < NOTE && NO_WORDS.iter().any(|note| small.contains(note))
}

fn is_attached(part: &Part<'_>) -> bool {
    part.fields.typed("content-disposition").is_some_and(|d| d.value == "attachment")
}

fn is_named(part: &Part<'_>, hint: &Hint) -> bool {
    name(part, hint).is_some()
}

/// The name that a part gives itself.
pub(super) fn name(part: &Part<'_>, hint: &Hint) -> Option<String> {
    let disposition = part.fields.typed("content-disposition");
    let named = disposition.and_then(|d| d.words("filename", hint));
    named.or_else(|| part.kind.words("name", hint)).filter(|name| !name.trim().is_empty())
}

/// The Content-ID of a part, without `<>`.
pub(super) fn content_id(part: &Part<'_>) -> Option<String> {
    let id = part.fields.first("content-id")?;
    let id = String::from_utf8_lossy(id);
    let id = id.trim().trim_start_matches('<').trim_end_matches('>').trim();
    (!id.is_empty()).then(|| id.to_owned())
}

/// The charset that HTML names in itself.
fn of_meta(html: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(html.get(..META).unwrap_or(html)).to_ascii_lowercase();
    let (_, rest) = head.split_once("<meta").and_then(|(_, rest)| rest.split_once("charset"))?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.:".contains(c))).unwrap_or(rest.len());
    rest.get(..end).filter(|label| !label.is_empty()).map(str::to_owned)
}

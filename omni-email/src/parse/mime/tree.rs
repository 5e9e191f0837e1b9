//! The tree of parts. The library that reads the fields of headers is not asked for it: it reads mails within mails
//! without end, so that 6 MiB of nested ones overflow the stack when its tree is dropped; it takes `--abc` for a boundary
//! in `--abc1` and within lines; and it loses the text of a mail whose end is missing.

use std::borrow::Cow;

use super::Limits;
use super::field::{Fields, Typed};

/// Deeper than this nobody may ask: the tree is walked by calls within calls.
const DEEPEST: usize = 200;
/// Most bytes of a boundary. RFC 2046, 5.1.1 says 70; programs write more.
const BOUNDARY: usize = 250;
/// How many lines may stand before the first boundary of a multipart that does not name it.
const PREAMBLE: usize = 50;

/// A part of a mail, with those in it.
#[derive(Debug)]
pub(super) struct Part<'a> {
    /// Its IMAP section (RFC 3501, 6.4.5); of a mail in several parts the whole is the empty one.
    pub(super) path: String,
    /// Its header fields as they stand.
    pub(super) fields: Fields<'a>,
    /// Its type and the parameters of that.
    pub(super) kind: Typed,
    /// Its bytes as they stand, without the header.
    pub(super) raw: &'a [u8],
    /// The parts in it, if it is a multipart that could be split.
    pub(super) parts: Vec<Part<'a>>,
}

impl<'a> Part<'a> {
    /// Reads a mail. What is beyond the limits is told in `cut`.
    pub(super) fn read(raw: &'a [u8], limits: &Limits, cut: &mut Vec<String>) -> Self {
        let mut left = Left { parts: limits.parts, more: 0, deep: 0, depth: limits.depth.min(DEEPEST) };
        let mut root = Self::one(start(raw), String::new(), "text/plain");
        root.fields.limit(limits, cut);
        root.split(&mut left, 0);
        if root.parts.is_empty() {
            root.path = "1".into();
        }
        if left.more > 0 {
            cut.push(format!("{} of its parts: only the first {} are read", left.more, limits.parts));
        }
        if left.deep > 0 {
            cut.push(format!("parts nested more than {} deep: kept as they are, in a file", left.depth));
        }
        root
    }

    /// The part at a path, whatever the limits of a mail are.
    pub(super) fn find(raw: &'a [u8], path: &str) -> Option<Self> {
        let mut part = Self::one(start(raw), String::new(), "text/plain");
        for (depth, number) in path.split('.').enumerate() {
            let number: usize = number.parse().ok()?;
            let (default, children) = part.children();
            if children.is_empty() && depth == 0 && number == 1 {
                continue; // the body of a mail in one part is its part 1
            }
            let child = *children.get(number.checked_sub(1)?)?;
            part = Self::one(child, String::new(), default);
        }
        part.path = path.to_owned();
        Some(part)
    }

    /// One part, not yet split.
    fn one(raw: &'a [u8], path: String, default: &str) -> Self {
        let (fields, body) = Fields::split(raw);
        let kind = fields.typed("content-type");
        let kind = kind.filter(|kind| !kind.value.is_empty()).unwrap_or_else(|| Typed::plain(default));
        Part { path, fields, kind, raw: body, parts: Vec::new() }
    }

    fn split(&mut self, left: &mut Left, depth: usize) {
        let (default, children) = self.children();
        if children.is_empty() {
            return;
        }
        if depth >= left.depth {
            left.deep += 1;
            return;
        }
        let count = children.len();
        for (at, child) in children.into_iter().enumerate() {
            if left.parts == 0 {
                left.more += count - at;
                break;
            }
            left.parts -= 1;
            let path = if self.path.is_empty() {
                format!("{}", at + 1)
            } else {
                format!("{}.{}", self.path, at + 1)
            };
            let mut part = Self::one(child, path, default);
            part.split(left, depth + 1);
            self.parts.push(part);
        }
    }

    /// The bytes of the parts in it, with the type of those that name none.
    fn children(&self) -> (&'static str, Vec<&'a [u8]>) {
        if !self.is("multipart/") {
            return ("text/plain", Vec::new());
        }
        let default = if self.is("multipart/digest") { "message/rfc822" } else { "text/plain" };
        let named = self.kind.get("boundary").unwrap_or_default().trim_end();
        let found = pieces(self.raw, named.as_bytes());
        if found.is_empty() {
            let boundary = guess(self.raw).unwrap_or_default();
            return (default, pieces(self.raw, boundary));
        }
        (default, found)
    }

    /// Whether no parts are in it, be it a multipart or not.
    pub(super) fn is_whole(&self) -> bool {
        self.children().1.is_empty()
    }

    /// Whether its type begins so.
    pub(super) fn is(&self, kind: &str) -> bool {
        self.kind.value.starts_with(kind)
    }

    /// Its bytes, decoded. A transfer encoding that is not kept to is undone as far as it goes.
    pub(super) fn bytes(&self) -> Cow<'a, [u8]> {
        match self.fields.first("content-transfer-encoding").map(encoding).as_deref() {
            Some("base64") => Cow::Owned(base64(self.raw)),
            Some("quoted-printable") => Cow::Owned(quoted_printable(self.raw)),
            _ => Cow::Borrowed(self.raw),
        }
    }

    /// All parts that hold something, in order.
    pub(super) fn leaves<'p>(&'p self, found: &mut Vec<&'p Part<'a>>) {
        if self.parts.is_empty() {
            found.push(self);
        }
        self.parts.iter().for_each(|part| part.leaves(found));
    }
}

/// What may still be read.
struct Left {
    parts: usize,
    /// Parts that were not.
    more: usize,
    /// Parts that were not split.
    deep: usize,
    depth: usize,
}

/// The name of a transfer encoding, without what does not belong to it.
fn encoding(value: &[u8]) -> String {
    let value = String::from_utf8_lossy(value.get(..BOUNDARY).unwrap_or(value)).to_ascii_lowercase();
    let mut words = value.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    words.find(|word| !word.is_empty()).unwrap_or_default().to_owned()
}

/// Where a mail begins: behind a mark of UTF-8, empty lines, and the line that parts the mails of an mbox.
fn start(raw: &[u8]) -> &[u8] {
    let raw = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw);
    let blank = raw.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    raw.get(blank..).unwrap_or_default()
}

/// The lines of bytes, each with its end, and where it begins.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    bytes.split_inclusive(|b| *b == b'\n').map(move |line| {
        let begin = at;
        at += line.len();
        (begin, line)
    })
}

/// What stands between the boundaries. The last piece reaches to the end when the closing one is missing.
fn pieces<'a>(body: &'a [u8], boundary: &[u8]) -> Vec<&'a [u8]> {
    let mut found = Vec::new();
    if boundary.is_empty() || boundary.len() > BOUNDARY {
        return found;
    }
    let mut open = None;
    for (at, line) in lines(body) {
        let Some(rest) = line.strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary)) else {
            continue;
        };
        let rest = rest.trim_ascii_end();
        if !rest.is_empty() && rest != b"--" {
            continue; // another boundary that begins like this one
        }
        if let Some(begin) = open {
            found.push(without_break(body.get(begin..at).unwrap_or_default()));
        }
        if rest == b"--" {
            return found;
        }
        open = Some(at + line.len());
    }
    let last = open.and_then(|begin| body.get(begin..));
    found.extend(last.filter(|last| !last.is_empty()));
    found
}

/// Bytes without the line break at their end: it belongs to the boundary (RFC 2046, 5.1.1).
fn without_break(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

/// The boundary of a multipart that names none, or another than it uses: the first line that looks like one and has the
/// header of a part below.
fn guess(body: &[u8]) -> Option<&[u8]> {
    let lines = lines(body).map(|(_, line)| line.trim_ascii_end()).filter(|line| !line.is_empty());
    let mut open = None;
    for line in lines.take(PREAMBLE) {
        let is_header = line.get(..8).is_some_and(|b| b.eq_ignore_ascii_case(b"content-"));
        if is_header && open.is_some() {
            return open;
        }
        open = line.strip_prefix(b"--").filter(|b| b.len() > 2);
    }
    None
}

/// Base64, whatever stands between its letters. Where it has ended and other words follow, as lists add them to the mails
/// they carry, it is over.
pub(super) fn base64(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3 + 3);
    let mut group = Group::default();
    let (mut ended, mut paused) = (false, false);
    for (_, line) in lines(bytes) {
        let line = line.trim_ascii();
        let junk = line.iter().filter(|b| sextet(**b).is_none() && **b != b'=').count();
        if ended && junk > 0 || paused && junk * 4 > line.len() {
            break;
        }
        paused = line.is_empty() && !out.is_empty();
        for byte in line {
            match sextet(*byte) {
                Some(six) => group.add(six, &mut out),
                None if *byte == b'=' => {
                    group.end(&mut out);
                    ended = true;
                }
                None => {}
            }
        }
    }
    group.end(&mut out);
    out
}

/// Letters of base64 that are no four yet.
#[derive(Default)]
struct Group {
    bits: u32,
    letters: u32,
}

impl Group {
    fn add(&mut self, six: u8, out: &mut Vec<u8>) {
        self.bits = self.bits << 6 | u32::from(six);
        self.letters += 1;
        if self.letters == 4 {
            let [_, one, two, three] = self.bits.to_be_bytes();
            out.extend([one, two, three]);
            *self = Self::default();
        }
    }

    /// Two letters are one byte, three are two (RFC 4648, 4).
    fn end(&mut self, out: &mut Vec<u8>) {
        let [_, one, two, _] = (self.bits << (6 * (4 - self.letters))).to_be_bytes();
        match self.letters {
            2 => out.push(one),
            3 => out.extend([one, two]),
            _ => {}
        }
        *self = Self::default();
    }
}

fn sextet(letter: u8) -> Option<u8> {
    match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'a'..=b'z' => Some(letter - b'a' + 26),
        b'0'..=b'9' => Some(letter - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// Quoted-printable (RFC 2045, 6.7); what is no code stays as it is.
pub(super) fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for (_, line) in lines(bytes) {
        let text = line.trim_ascii_end();
        let end = line.iter().rev().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        let end = line.get(line.len() - end..).unwrap_or_default();
        match text.strip_suffix(b"=") {
            Some(soft) => codes(soft, &mut out),
            None => {
                codes(text, &mut out);
                out.extend_from_slice(end);
            }
        }
    }
    out
}

/// Text with `=XX` for bytes.
pub(super) fn codes(text: &[u8], out: &mut Vec<u8>) {
    escapes(text, b'=', out);
}

/// Text with a sign and two hexadecimal digits for bytes.
pub(super) fn escapes(mut text: &[u8], sign: u8, out: &mut Vec<u8>) {
    let hex = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    while let Some((&first, rest)) = text.split_first() {
        let code = match rest {
            [high, low, ..] if first == sign => hex(*high).zip(hex(*low)),
            _ => None,
        };
        if let Some((high, low)) = code {
            out.push(high << 4 | low);
            text = rest.get(2..).unwrap_or_default();
        } else {
            out.push(first);
            text = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(raw: &[u8]) -> Vec<(String, String)> {
        let root = Part::read(raw, &Limits::default(), &mut Vec::new());
        let mut leaves = Vec::new();
        root.leaves(&mut leaves);
        let text = |p: &&Part<'_>| (p.path.clone(), String::from_utf8_lossy(&p.bytes()).into_owned());
        leaves.iter().map(text).collect()
    }

    #[test]
    fn a_boundary_that_begins_like_another_is_another() {
        let raw =
            b"Content-Type: multipart/mixed; boundary=abc\n\n--abc\nContent-Type: multipart/alternative; \
            boundary=abc1\n\n--abc1\n\none\n--abc1\n\ntwo--abc\n--abc1--\n--abc\n\nthree\n--abc--\nafter\n";
        let wanted = [("1.1", "one"), ("1.2", "two--abc"), ("2", "three")].map(|(p, t)| (p.into(), t.into()));
        assert_eq!(tree(raw), wanted);
    }

    #[test]
    fn a_missing_end_loses_nothing() {
        let raw = b"Content-Type: multipart/mixed; boundary=abc\r\n\r\n--abc\r\n\r\none\r\ntw";
        assert_eq!(tree(raw), [("1".to_owned(), "one\r\ntw".to_owned())]);
    }

    #[test]
    fn a_boundary_other_than_the_named_one_is_found() {
        let raw =
            b"Content-Type: multipart/mixed; boundary=\n\n--=_x\nContent-Type: text/plain\n\none\n--=_x--\n";
        assert_eq!(tree(raw), [("1".to_owned(), "one".to_owned())]);
    }

    #[test]
    fn broken_encodings_are_undone_as_far_as_they_go() {
        assert_eq!(base64(b"0J/R\r\ngNC4!0LLQ\xa0tdGC"), "Привет".as_bytes());
        assert_eq!(quoted_printable(b"a==3D=zz \t\r\n=D0=\r\n=9F=\n"), b"a===zz\r\n\xd0\x9f");
    }

    #[test]
    fn mails_within_mails_are_not_entered() {
        let raw = "Content-Type: message/rfc822\n\n".repeat(300_000);
        assert_eq!(tree(raw.as_bytes()).len(), 1);
    }
}

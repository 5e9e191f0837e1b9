//! The fields of a header as they stand: where each begins and ends, and its parameters (RFC 2045, 2231).

use super::Limits;
use super::encoded::{self, Hint};
use super::tree::{escapes, lines};

/// Most fields of a header: beyond it is only what shall fill the memory.
const FIELDS: usize = 5_000;
/// Most bytes of a value with parameters that are looked at.
const TYPED: usize = 64 * 1024;
/// Most bytes of a field's name.
const NAME: usize = 200;

/// The fields of a header as they stand, in order.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    fields: Vec<(&'a [u8], &'a [u8])>,
    /// How many more there are.
    more: usize,
    /// All of it as it stands, for a mail without an id.
    pub(super) raw: &'a [u8],
}

impl<'a> Fields<'a> {
    /// A header and what is below it. A line that is no field is passed over when the header goes on below it; else it is
    /// where the body begins.
    pub(super) fn split(raw: &'a [u8]) -> (Self, &'a [u8]) {
        let mut fields: Vec<(&[u8], &[u8])> = Vec::new();
        let mut more = 0;
        let mut open: Option<(&[u8], usize)> = None;
        let mut end = raw.len();
        let mut body = raw.len();
        let mut close = |open: &mut Option<(&'a [u8], usize)>, at: usize, fields: &mut Vec<_>| {
            let Some((name, begin)) = open.take() else { return };
            if fields.len() < FIELDS {
                fields.push((name, raw.get(begin..at).unwrap_or_default()));
            } else {
                more += 1;
            }
        };
        let mut lines = lines(raw).peekable();
        while let Some((at, line)) = lines.next() {
            if line.trim_ascii_end().is_empty()
                && !(is_fold(line) && lines.peek().is_some_and(|l| is_fold(l.1)))
            {
                close(&mut open, at, &mut fields);
                (end, body) = (at, at + line.len());
                break;
            }
            if is_fold(line) && open.is_some() {
                continue;
            }
            close(&mut open, at, &mut fields);
            if let Some(name) = name(line) {
                open = Some((name, at + line.iter().take_while(|b| **b != b':').count() + 1));
                continue;
            }
            let below = lines.peek().map(|(_, below)| *below).unwrap_or_default();
            let goes_on = name(below).is_some() || below.trim_ascii().is_empty() && !below.is_empty();
            let of_mbox = at == 0 && (line.starts_with(b"From ") || line.starts_with(b">From "));
            if !(goes_on && (of_mbox || !fields.is_empty())) {
                (end, body) = (at, at);
                break;
            }
        }
        close(&mut open, end, &mut fields);
        let header = raw.get(..end).unwrap_or_default();
        (Self { fields, more, raw: header }, raw.get(body..).unwrap_or_default())
    }

    /// Cuts what is beyond the limits, and tells.
    pub(super) fn limit(&mut self, limits: &Limits, cut: &mut Vec<String>) {
        let mut left = limits.headers;
        let mut long = 0;
        for (name, value) in &mut self.fields {
            let most = limits.header.min(left.saturating_sub(name.len()));
            if value.len() > most {
                *value = value.get(..most).unwrap_or_default();
                long += 1;
            }
            left = left.saturating_sub(name.len() + value.len());
        }
        self.fields.retain(|(_, value)| !value.is_empty());
        if long > 0 {
            cut.push(format!("{long} of its headers: too long"));
        }
        if self.more > 0 {
            cut.push(format!("{} of its headers: only the first {FIELDS} are read", self.more));
        }
    }

    /// The value of the first field of a name in lower case, as it stands.
    pub(super) fn first(&self, name: &str) -> Option<&'a [u8]> {
        self.iter().find(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    /// All fields, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.fields.iter().copied()
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The first field of a name, as a value with parameters.
    pub(super) fn typed(&self, name: &str) -> Option<Typed> {
        let value = self.first(name)?;
        Some(Typed::read(value.get(..TYPED).unwrap_or(value)))
    }
}

fn is_fold(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t'))
}

/// The name of the field that a line begins, if it begins one.
fn name(line: &[u8]) -> Option<&[u8]> {
    let end = line.iter().take(NAME).position(|b| *b == b':')?;
    let name = line.get(..end)?.trim_ascii_end();
    (!name.is_empty() && name.iter().all(|b| b.is_ascii_graphic())).then_some(name)
}

/// A value with parameters: `text/plain; charset=utf-8`.
#[derive(Debug, Default)]
pub(super) struct Typed {
    /// The value in lower case.
    pub(super) value: String,
    params: Vec<Param>,
}

/// A parameter, or a piece of one.
#[derive(Debug)]
struct Param {
    name: String,
    /// Which piece (RFC 2231, 3).
    piece: Option<u32>,
    /// Whether it names its charset and writes bytes as `%XX` (RFC 2231, 4).
    extended: bool,
    value: Vec<u8>,
}

impl Typed {
    /// A value without parameters.
    pub(super) fn plain(value: &str) -> Self {
        Self { value: value.to_owned(), params: Vec::new() }
    }

    fn read(raw: &[u8]) -> Self {
        let mut parts = semicolons(raw).into_iter();
        let first = parts.next().unwrap_or_default();
        // `text/plain charset=utf-8`: a missing semicolon.
        let text = first.trim_ascii();
        let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        let value = String::from_utf8_lossy(value).trim_matches(['"', '\'', ',']).to_ascii_lowercase();
        let value = if value == "text" { "text/plain".to_owned() } else { value };
        let params =
            std::iter::once(rest.to_vec()).chain(parts).filter_map(|part| Param::read(&part)).collect();
        Self { value, params }
    }

    /// A parameter of ASCII letters: a charset, a boundary.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let param = self.params.iter().find(|p| p.name == name && p.piece.is_none() && !p.extended)?;
        std::str::from_utf8(&param.value).ok()
    }

    /// A parameter of words: one with a charset of its own before a plain one (RFC 6266, 4.3 has the same order).
    pub(super) fn words(&self, name: &str, hint: &Hint) -> Option<String> {
        let mut of: Vec<&Param> = self.params.iter().filter(|p| p.name == name).collect();
        let starred = of.iter().any(|p| p.extended || p.piece.is_some());
        of.retain(|p| (p.extended || p.piece.is_some()) == starred);
        if of.iter().any(|p| p.piece.is_some()) {
            of.retain(|p| p.piece.is_some());
            of.sort_by_key(|p| p.piece);
            of.dedup_by_key(|p| p.piece);
        } else {
            of.truncate(1);
        }
        let first = of.first()?;
        if !of.iter().any(|p| p.extended) {
            let joined: Vec<u8> = of.iter().flat_map(|p| p.value.iter().copied()).collect();
            return Some(encoded::text(&joined, hint));
        }
        let mut charset = None;
        let mut bytes = Vec::new();
        for param in &of {
            let mut value = param.value.as_slice();
            if std::ptr::eq(*param, *first) && param.extended {
                let mut pieces = value.splitn(3, |b| *b == b'\'');
                if let (Some(label), Some(_), Some(rest)) = (pieces.next(), pieces.next(), pieces.next()) {
                    charset = std::str::from_utf8(label).ok().filter(|label| !label.is_empty());
                    value = rest;
                }
            }
            if param.extended { escapes(value, b'%', &mut bytes) } else { bytes.extend_from_slice(value) }
        }
        Some(match charset {
            Some(charset) => super::charset::text(&bytes, Some(charset), hint.tld.as_deref()),
            None => encoded::text(&bytes, hint),
        })
    }
}

/// The words of a parameter among these, as IMAP lists them: names with their stars, values without quotes.
pub(crate) fn parameter<'a>(
    params: impl IntoIterator<Item = (&'a str, &'a str)>,
    name: &str,
) -> Option<String> {
    let params = params.into_iter().filter_map(|(name, value)| Param::named(name, value.into()));
    Typed { value: String::new(), params: params.collect() }.words(name, &Hint::default())
}

impl Param {
    fn read(part: &[u8]) -> Option<Self> {
        let equals = part.iter().position(|b| *b == b'=')?;
        let (name, value) = part.split_at(equals);
        Self::named(&String::from_utf8_lossy(name), unquoted(value.get(1..)?.trim_ascii()))
    }

    fn named(name: &str, value: Vec<u8>) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase();
        let extended = name.len() > 1 && name.ends_with('*');
        let name = name.trim_end_matches('*');
        let (name, piece) = match name.split_once('*') {
            Some((name, piece)) => (name, Some(piece.parse().ok()?)),
            None => (name, None),
        };
        Some(Self { name: name.to_owned(), piece, extended, value })
    }
}

/// What stands between semicolons outside of quotes, on one line.
fn semicolons(raw: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = vec![Vec::new()];
    let (mut quoted, mut escaped) = (false, false);
    for &byte in raw.iter().filter(|b| !matches!(b, b'\r' | b'\n')) {
        match byte {
            b'"' if !escaped => quoted = !quoted,
            b';' if !quoted => {
                parts.push(Vec::new());
                continue;
            }
            _ => {}
        }
        escaped = quoted && byte == b'\\' && !escaped;
        if let Some(part) = parts.last_mut() {
            part.push(byte);
        }
    }
    parts
}

/// A value without its quotes. A backslash stays where it is part of a path, as some programs write it.
fn unquoted(value: &[u8]) -> Vec<u8> {
    let Some(inner) = value.strip_prefix(b"\"") else { return value.to_vec() };
    let mut out = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => break,
            b'\\' => out.push(bytes.next_if(|b| matches!(b, b'"' | b'\\')).unwrap_or(byte)),
            _ => out.push(byte),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(raw: &str) -> (Vec<(String, String)>, String) {
        let (fields, body) = Fields::split(raw.as_bytes());
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        (fields.iter().map(|(n, v)| (text(n), text(v))).collect(), text(body))
    }

    fn name(value: &str) -> Option<String> {
        Typed::read(value.as_bytes()).words("name", &Hint::default())
    }

    #[test]
    fn what_is_no_field_is_passed_over_or_is_the_body() {
        let f = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(fields("From x@y Mon\nA: 1\n 2\n\nb"), (vec![f("A", " 1\n 2\n")], "b".into()));
        assert_eq!(fields("A: 1\njunk\nB : 2\n\nb").0, [f("A", " 1\n"), f("B", " 2\n")]);
        assert_eq!(fields("Hello there\n\nmore"), (vec![], "Hello there\n\nmore".into()));
        assert_eq!(
            fields("A: 1\nbody without\nan empty line"),
            (vec![f("A", " 1\n")], "body without\nan empty line".into())
        );
        assert_eq!(fields("A: 1"), (vec![f("A", " 1")], String::new()));
        assert_eq!(fields("\nbody"), (vec![], "body".into()));
    }

    #[test]
    fn names_in_pieces_are_joined_before_they_are_decoded() {
        assert_eq!(name("a; name*0*=windows-1251''%D1%F7; name*1*=%E5%F2; name*2=.pdf").unwrap(), "Счет.pdf");
        assert_eq!(name("a; name*1=\"b.pdf\"; name*0=\"a;\"").unwrap(), "a;b.pdf");
        assert_eq!(name("a; name=\"plain\"; name*=utf-8'ru'%D0%9F").unwrap(), "П");
        assert_eq!(name("a; name=\"=?utf-8?B?0J8=?=\"").unwrap(), "П");
        assert_eq!(name("a; name=My file (1).pdf").unwrap(), "My file (1).pdf");
        assert_eq!(name("a; name=\"C:\\dir\\a\\\"b.txt\"").unwrap(), "C:\\dir\\a\"b.txt");
        assert_eq!(name("a"), None);
    }

    #[test]
    fn a_missing_semicolon_is_seen() {
        let typed = Typed::read(b" Text/Plain charset=\"KOI8-R\"");
        assert_eq!((typed.value.as_str(), typed.get("charset")), ("text/plain", Some("KOI8-R")));
    }
}

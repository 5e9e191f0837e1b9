//! Words of headers (RFC 2047), also where letters are split between two of them, and headers of raw bytes.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::charset;
use super::tree::{base64, codes};

/// Most bytes of a charset's name in a word.
const LABEL: usize = 60;

/// What helps to read bytes without a label.
#[derive(Clone, Debug, Default)]
pub(super) struct Hint {
    /// The charset that the body names.
    pub(super) label: Option<String>,
    /// The top-level domain of who wrote the mail, small ASCII letters only.
    pub(super) tld: Option<String>,
}

/// A header's words: on one line, decoded, without control characters.
pub(super) fn text(value: &[u8], hint: &Hint) -> String {
    let mut out = String::new();
    for piece in pieces(&unfolded(value)) {
        out.push_str(&piece.text(hint));
    }
    let out: String = out.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    out.trim().to_owned()
}

/// A header as UTF-8 in which every run of encoded words is one: so that no library joins what belongs together wrongly,
/// and nothing that was encoded becomes syntax.
pub(super) fn one_word_each(value: &[u8], hint: &Hint) -> String {
    let mut out = String::new();
    let mut run = String::new();
    for piece in pieces(&unfolded(value)) {
        if let Piece::Raw(_) = piece {
            flush(&mut run, &mut out);
            out.push_str(&piece.text(hint));
        } else {
            run.push_str(&piece.text(hint));
        }
    }
    flush(&mut run, &mut out);
    out
}

fn flush(run: &mut String, out: &mut String) {
    if !run.is_empty() {
        let clean: String = run.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        out.push_str(&format!("=?utf-8?B?{}?=", STANDARD.encode(clean)));
        run.clear();
    }
}

/// A folded header on one line.
fn unfolded(value: &[u8]) -> Cow<'_, [u8]> {
    if value.iter().any(|b| matches!(b, b'\r' | b'\n')) {
        Cow::Owned(value.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect())
    } else {
        Cow::Borrowed(value)
    }
}

#[derive(Debug)]
enum Piece<'a> {
    Raw(&'a [u8]),
    /// Words of one charset, one after another.
    Words {
        label: &'a str,
        bytes: Vec<u8>,
        /// Letters of base64 that are no group of four: the next word may complete it.
        open: Vec<u8>,
    },
}

impl Piece<'_> {
    fn text(&self, hint: &Hint) -> String {
        let tld = hint.tld.as_deref();
        match self {
            Piece::Raw(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) if !bytes.contains(&0x1b) => text.to_owned(),
                _ => charset::text(bytes, hint.label.as_deref(), tld),
            },
            Piece::Words { label, bytes, open } => {
                let all = [bytes.as_slice(), &base64(open)].concat();
                charset::text(&all, Some(label), tld)
            }
        }
    }
}

fn pieces(value: &[u8]) -> Vec<Piece<'_>> {
    let mut found: Vec<Piece<'_>> = Vec::new();
    let mut raw_from = 0;
    let mut at = 0;
    // Behind the last end no word begins: looked for once, so that a header of mere beginnings costs no more than others.
    let last = value.windows(2).rposition(|two| two == b"?=").unwrap_or(0);
    while let Some(start) = find(value, at, b"=?").filter(|start| *start < last) {
        let Some(word) = Word::read(value, start) else {
            at = start + 2;
            continue;
        };
        let between = value.get(raw_from..start).unwrap_or_default();
        let joined = between.trim_ascii().is_empty() && matches!(found.last(), Some(Piece::Words { .. }));
        if !joined && !between.is_empty() {
            found.push(Piece::Raw(between));
        }
        match found.last_mut() {
            Some(Piece::Words { label, bytes, open }) if joined && label.eq_ignore_ascii_case(word.label) => {
                word.add(bytes, open);
            }
            _ => {
                let (mut bytes, mut open) = (Vec::new(), Vec::new());
                word.add(&mut bytes, &mut open);
                found.push(Piece::Words { label: word.label, bytes, open });
            }
        }
        (at, raw_from) = (word.end, word.end);
    }
    let rest = value.get(raw_from..).unwrap_or_default();
    if !rest.is_empty() {
        found.push(Piece::Raw(rest));
    }
    found
}

fn find(value: &[u8], from: usize, wanted: &[u8; 2]) -> Option<usize> {
    value.get(from..)?.windows(2).position(|two| two == wanted).map(|at| from + at)
}

struct Word<'a> {
    label: &'a str,
    quoted: Quoted,
    text: &'a [u8],
    end: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Quoted {
    Base64,
    Codes,
}

impl<'a> Word<'a> {
    /// The word that begins here, if one does.
    fn read(value: &'a [u8], start: usize) -> Option<Self> {
        let from = start + 2;
        let length = value.get(from..)?.iter().take(LABEL).position(|b| *b == b'?')?;
        let label = std::str::from_utf8(value.get(from..from + length)?).ok()?;
        if label.is_empty() || !label.bytes().all(|b| b.is_ascii_graphic()) {
            return None;
        }
        let quoted = match value.get(from + length + 1..from + length + 3)? {
            [b'b' | b'B', b'?'] => Quoted::Base64,
            [b'q' | b'Q', b'?'] => Quoted::Codes,
            _ => return None,
        };
        let begin = from + length + 3;
        let end = find(value, begin, b"?=")?;
        Some(Self { label, quoted, text: value.get(begin..end)?, end: end + 2 })
    }

    /// Adds its bytes to those of the word before it.
    fn add(&self, bytes: &mut Vec<u8>, open: &mut Vec<u8>) {
        let waiting = std::mem::take(open);
        if self.quoted == Quoted::Codes {
            bytes.extend(base64(&waiting));
            let spaced: Vec<u8> = self.text.iter().map(|b| if *b == b'_' { b' ' } else { *b }).collect();
            codes(&spaced, bytes);
            return;
        }
        // A word that is whole by itself does not complete the one before.
        let completes = !self.text.len().is_multiple_of(4);
        if !completes {
            bytes.extend(base64(&waiting));
        }
        let text: Vec<u8> = if completes { [&waiting, self.text].concat() } else { self.text.to_vec() };
        let over = if text.contains(&b'=') { 0 } else { text.len() % 4 };
        let (whole, rest) = text.split_at(text.len() - over);
        bytes.extend(base64(whole));
        open.extend_from_slice(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> String {
        text(value.as_bytes(), &Hint::default())
    }

    #[test]
    fn letters_split_between_words_are_joined() {
        assert_eq!(read("=?utf-8?Q?=D0=9F=D1=80=D0?= =?UTF-8?Q?=B8=D0=B2=D0=B5=D1=82?="), "Привет");
        assert_eq!(read("=?utf-8?B?0J/RgNA=?=\r\n =?utf-8?Q?=B8=D0=B2?= =?utf-8?B?0LXRgg==?="), "Привет");
        assert_eq!(read("=?utf-8?B?0J/RgNC40LLQt?= =?utf-8?B?dGC?="), "Привет");
        assert_eq!(read("=?utf-8?B?8J+Y?= =?utf-8?B?gA==?="), "😀");
    }

    #[test]
    fn words_of_sloppy_programs_are_read() {
        assert_eq!(read("=?utf-8*ru?B?0J8=?="), "П");
        assert_eq!(read("Re:=?utf-8?B?0J8=?=!"), "Re:П!");
        assert_eq!(read("\"=?utf-8?B?0J8=?=\" <a@b>"), "\"П\" <a@b>");
        assert_eq!(read("=?utf-8?Q?a b_c?="), "a b c");
        assert_eq!(read("=?utf-8?B?0J8?="), "П");
        assert_eq!(read("=?utf-8?B?0J8?= =?utf-8?B?0YA=?="), "Пр");
        assert_eq!(read("=?koi8-r?Q?=F0?= =?windows-1251?Q?=F0?="), "Пр");
        assert_eq!(read("=?utf-8?Q?=D0=9F?= and =?utf-8?Q?=D1=80?="), "П and р");
    }

    #[test]
    fn what_is_no_word_stays() {
        for said in
            ["a =?b c", "=?utf-8?X?abc?=", "=?utf-8?B?0J8=", "=??Q?a?=", "2+2=?", "=?utf-8?Q?", "=?", "=?a?Q"]
        {
            assert_eq!(read(said), said);
        }
    }

    #[test]
    fn no_line_break_comes_out_of_a_word() {
        assert_eq!(read("=?utf-8?Q?a=0D=0ABcc:_x@y?="), "a  Bcc: x@y");
        assert!(!one_word_each(b"=?utf-8?Q?a=0D=0ABcc?= <x@y>", &Hint::default()).contains('\n'));
    }

    #[test]
    fn raw_bytes_are_read_by_the_charset_of_the_body() {
        let bytes = encoding_rs::KOI8_R.encode("Счет").0.into_owned();
        let hint = Hint { label: Some("koi8-r".into()), tld: None };
        assert_eq!(text(&bytes, &hint), "Счет");
        assert_eq!(text("Счет".as_bytes(), &hint), "Счет");
    }
}

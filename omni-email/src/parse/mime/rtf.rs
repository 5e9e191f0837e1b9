//! The words of rich text, where Outlook sends nothing else.

use encoding_rs::{Encoding, WINDOWS_1252};

use super::tnef::code_page;

/// Most bytes of rich text that are unpacked: seventeen come out of two at most.
const UNPACKED: usize = 8 * 1024 * 1024;
/// Deepest groups within groups.
const DEPTH: usize = 500;
/// The head of a compressed text (MS-OXRTFCP 2.1.3.1.1).
const HEAD: usize = 16;

/// The words of a compressed rich text. `None`: it cannot be unpacked, or says nothing.
pub(super) fn unpacked(packed: &[u8]) -> Option<String> {
    let number = |at: usize| Some(u32::from_le_bytes(packed.get(at..at + 4)?.try_into().ok()?));
    // The library trusts these lengths: checked here, where they cannot make it ask for memory or leave the bytes.
    let (length, raw) = (usize::try_from(number(0)?).ok()?, usize::try_from(number(4)?).ok()?);
    let stored = number(8)? == u32::from_le_bytes(*b"MELA");
    let packed = packed.get(..length.checked_add(4)?)?;
    if packed.len() < HEAD || raw > UNPACKED || packed.len() > UNPACKED || stored && raw > packed.len() - HEAD
    {
        return None;
    }
    let rtf = compressed_rtf::decompress_rtf(packed).ok()?;
    let bytes: Vec<u8> = rtf.chars().filter_map(|c| u8::try_from(u32::from(c)).ok()).collect();
    Some(words(&bytes)).filter(|words| !words.trim().is_empty())
}

/// The words of a rich text.
fn words(rtf: &[u8]) -> String {
    let mut reader =
        Reader { rest: rtf, out: String::new(), bytes: Vec::new(), page: WINDOWS_1252, groups: vec![] };
    reader.read();
    reader.out.replace(|c| waiting(c).is_some(), "\u{fffd}")
}

/// What holds within a group.
#[derive(Clone, Copy)]
struct Group {
    /// Nothing in it is text.
    hidden: bool,
    /// What stands here is for readers that know no HTML: paragraphs that the HTML has too.
    not_of_html: bool,
    /// How many letters stand for a `\u` that an old reader does not know.
    instead: usize,
}

struct Reader<'a> {
    rest: &'a [u8],
    out: String,
    /// Bytes of text that wait for their charset.
    bytes: Vec<u8>,
    page: &'static Encoding,
    groups: Vec<Group>,
}

impl Reader<'_> {
    fn read(&mut self) {
        let mut now = Group { hidden: false, not_of_html: false, instead: 1 };
        let mut skip = 0;
        while let Some((&first, rest)) = self.rest.split_first() {
            self.rest = rest;
            match first {
                b'{' if self.groups.len() < DEPTH => self.groups.push(now),
                b'{' => return,
                b'}' => {
                    let Some(before) = self.groups.pop() else { break };
                    now = before;
                    skip = 0;
                    if self.groups.is_empty() {
                        break;
                    }
                }
                b'\\' => self.control(&mut now, &mut skip),
                b'\r' | b'\n' => {}
                _ => self.letter(first, now, &mut skip),
            }
        }
        self.flush();
    }

    fn letter(&mut self, byte: u8, now: Group, skip: &mut usize) {
        if *skip > 0 {
            *skip -= 1;
        } else if !now.hidden && !now.not_of_html {
            self.bytes.push(byte);
        }
    }

    fn text(&mut self, text: &str, now: Group) {
        if !now.hidden && !now.not_of_html {
            self.flush();
            self.out.push_str(text);
        }
    }

    fn flush(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        self.out.push_str(&self.page.decode_without_bom_handling(&bytes).0);
    }

    fn control(&mut self, now: &mut Group, skip: &mut usize) {
        let Some((&sign, rest)) = self.rest.split_first() else { return };
        if !sign.is_ascii_alphabetic() {
            self.rest = rest;
            match sign {
                b'\'' => {
                    let code = self.rest.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
                    if let Some(byte) = code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
                        self.rest = self.rest.get(2..).unwrap_or_default();
                        self.letter(byte, *now, skip);
                    }
                }
                b'*' => now.hidden = true,
                b'~' => self.text("\u{a0}", *now),
                b'{' | b'}' | b'\\' => self.letter(sign, *now, skip),
                b'\r' | b'\n' => self.text("\n", *now),
                _ => {}
            }
            return;
        }
        let length = self.rest.iter().take_while(|b| b.is_ascii_alphabetic()).count();
        let (word, rest) = self.rest.split_at(length);
        let digits =
            rest.iter().enumerate().take_while(|(i, b)| b.is_ascii_digit() || *i == 0 && **b == b'-').count();
        let (number, rest) = rest.split_at(digits);
        self.rest = rest.strip_prefix(b" ").unwrap_or(rest);
        let number: Option<i32> = std::str::from_utf8(number).ok().and_then(|n| n.parse().ok());
        self.word(word, number, now, skip);
    }

    fn word(&mut self, word: &[u8], number: Option<i32>, now: &mut Group, skip: &mut usize) {
        match word {
            b"par" | b"line" | b"row" | b"page" | b"sect" => self.text("\n", *now),
            b"tab" | b"cell" => self.text("\t", *now),
            b"emdash" => self.text("—", *now),
            b"endash" => self.text("–", *now),
            b"bullet" => self.text("•", *now),
            b"lquote" => self.text("‘", *now),
            b"rquote" => self.text("’", *now),
            b"ldblquote" => self.text("“", *now),
            b"rdblquote" => self.text("”", *now),
            b"ansicpg" => {
                let page = number.and_then(|n| u32::try_from(n).ok()).and_then(code_page);
                self.page = page.and_then(|name| Encoding::for_label(name.as_bytes())).unwrap_or(self.page);
            }
            b"uc" => now.instead = number.and_then(|n| usize::try_from(n).ok()).unwrap_or(1).min(16),
            b"u" => {
                self.unit(number.unwrap_or_default(), *now);
                *skip = now.instead;
            }
            b"bin" => {
                let count = number.and_then(|n| usize::try_from(n).ok()).unwrap_or_default();
                self.rest = self.rest.get(count..).unwrap_or_default();
            }
            b"htmlrtf" => now.not_of_html = number != Some(0),
            b"fonttbl" | b"colortbl" | b"stylesheet" | b"info" | b"pict" | b"object" | b"header"
            | b"footer" | b"themedata" | b"listtable" | b"generator" => now.hidden = true,
            _ => {}
        }
    }

    /// One unit of UTF-16, written as a signed number.
    fn unit(&mut self, number: i32, now: Group) {
        let unit = u32::try_from(if number < 0 { number.saturating_add(0x1_0000) } else { number })
            .unwrap_or(0xfffd);
        // The second half of a pair: joined with the first, which waits as the mark below.
        let low = (0xdc00..0xe000).contains(&unit);
        if low
            && let Some(high) = self.out.chars().last().and_then(waiting)
            && !now.hidden
        {
            self.out.pop();
            let whole = 0x1_0000 + ((high - 0xd800) << 10) + (unit - 0xdc00);
            self.text(&char::from_u32(whole).unwrap_or('\u{fffd}').to_string(), now);
        } else if (0xd800..0xdc00).contains(&unit) {
            self.text(&char::from_u32(0xf_0000 + (unit - 0xd800)).unwrap_or('\u{fffd}').to_string(), now);
        } else {
            self.text(&char::from_u32(unit).unwrap_or('\u{fffd}').to_string(), now);
        }
    }
}

/// The first half of a pair that waits for the second, as a private letter.
fn waiting(c: char) -> Option<u32> {
    let at = u32::from(c).checked_sub(0xf_0000)?;
    (at < 0x400).then_some(0xd800 + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_out_and_tables_do_not() {
        let rtf = br"{\rtf1\ansi\ansicpg1251\deff0{\fonttbl{\f0 Arial;}}{\*\generator Riched20;}\f0\fs20 \'cf\'f0\'e8\'e2\'e5\'f2, \b Anna\b0 !\par \u1071?\u-10179?\u-8704?\{x\}\par}";
        assert_eq!(words(rtf), "Привет, Anna!\nЯ😀{x}\n");
    }

    #[test]
    fn html_within_gives_its_text_once() {
        let rtf = br"{\rtf1\ansi\fromhtml1{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 one\htmlrtf\par}\htmlrtf0 {\*\htmltag72 </p>} two}";
        assert_eq!(words(rtf), "one two");
    }

    #[test]
    fn packed_text_is_unpacked_and_lies_are_refused() {
        let packed = compressed_rtf::compress_rtf(r"{\rtf1\ansi hello hello hello\par}").unwrap();
        assert_eq!(unpacked(&packed).unwrap(), "hello hello hello\n");
        let stored = compressed_rtf::encode_rtf(r"{\rtf1 stored}").unwrap();
        assert_eq!(unpacked(&stored).unwrap(), "stored");
        for at in 0..packed.len() {
            let _ = unpacked(&packed[..at]);
            let mut other = packed.clone();
            other[at] ^= 0xff;
            let _ = unpacked(&other);
            let mut other = stored.clone();
            other[at.min(stored.len() - 1)] ^= 0xff;
            let _ = unpacked(&other);
        }
    }
}

//! Tags with attributes without end.

use std::borrow::Cow;

/// Most attributes of a tag. Real ones have twenty at most; the tokenizer compares each with all before it.
const MAX_ATTRIBUTES: usize = 200;

/// The same HTML, tags ended before they have more than [`MAX_ATTRIBUTES`]; what they had beyond becomes words.
pub(super) fn bounded(html: &str) -> Cow<'_, str> {
    let mut bounded = String::new();
    let mut copied = 0;
    for end in ends(html) {
        bounded.push_str(html.get(copied..end).unwrap_or_default());
        bounded.push('>');
        copied = end;
    }
    if copied == 0 {
        return Cow::Borrowed(html);
    }
    bounded.push_str(html.get(copied..).unwrap_or_default());
    Cow::Owned(bounded)
}

/// Where in a tag a byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    /// The name of the tag.
    Tag,
    /// The name of an attribute, or the blanks behind it: `=` may follow.
    Name,
    /// Behind `=`: a value begins.
    Value,
    /// A value without quotes: all up to a blank.
    Bare,
    /// A name may begin.
    Between,
}

/// Where tags are to be ended. Looked for as the tokenizer reads tags (WHATWG HTML, 13.2.5.6 to 13.2.5.39), but for
/// scripts and comments, where one `>` more does nothing.
fn ends(html: &str) -> Vec<usize> {
    let bytes = html.as_bytes();
    let find =
        |from: usize, sign: u8| bytes.get(from..).and_then(|rest| rest.iter().position(|b| *b == sign));
    let mut ends = Vec::new();
    let mut at = 0;
    while let Some(found) = find(at, b'<') {
        at += found + 1;
        if !bytes.get(at).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'/') {
            continue;
        }
        let mut count = 0;
        let mut within = Within::Tag;
        let mut is_parted = false;
        while let Some(byte) = bytes.get(at).filter(|b| **b != b'>') {
            let is_blank = byte.is_ascii_whitespace();
            within = match (within, byte) {
                (Within::Value, b'"' | b'\'') => {
                    // Without its end the value is all that follows.
                    let Some(length) = find(at + 1, *byte) else { return ends };
                    at += length + 1;
                    Within::Between
                }
                (Within::Name, b'=') => Within::Value,
                (Within::Value | Within::Name, _) if is_blank => within,
                (Within::Tag | Within::Bare, _) if is_blank => Within::Between,
                (Within::Tag | Within::Name | Within::Between, b'/') => Within::Between,
                (Within::Between, _) if is_blank => within,
                (Within::Value | Within::Bare, _) => Within::Bare,
                (Within::Tag, _) => Within::Tag,
                (Within::Name, _) if !is_parted => Within::Name,
                (Within::Name | Within::Between, _) => {
                    count += 1;
                    Within::Name
                }
            };
            is_parted = is_blank;
            if count > MAX_ATTRIBUTES {
                ends.push(at);
                break;
            }
            at += 1;
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_as_people_write_them_stay() {
        for html in [
            "<p class=a id='b > c' title=\"d\">Привет</p>",
            "a < b && c > d",
            "<a href=https://a.example/b/c/d>x</a>",
            &format!("<img src=data:image/png;base64,{}>", "AB/=".repeat(300)),
            &format!("<img title = \"{}\">", "a b ".repeat(300)),
            &format!("<img title= '{}' alt>", "<a b> ".repeat(300)),
            "<img alt = \"<x y>\" / >",
            "<",
            "<p title=\"",
        ] {
            assert_eq!(bounded(html), html);
        }
    }

    #[test]
    fn a_tag_ends_before_it_has_too_many_attributes() {
        let many: String = (0..1_000).map(|i| format!(" a{i}=\"1 2 3\"")).collect();
        let html = format!("<p{many}>слово</p>");
        let bounded = bounded(&html);
        let first = bounded.split('>').next().unwrap();
        assert_eq!(first.matches('=').count(), MAX_ATTRIBUTES);
        assert_eq!(bounded.replace('>', ""), html.replace('>', ""));
        assert!(bounded.ends_with(">слово</p>"));
    }

    #[test]
    fn attributes_are_counted_however_they_are_parted() {
        for sign in [" ", "/", "\n", "=x ", "='' ", "=\"\""] {
            let html = format!("<p {}>", format!("a{sign}").repeat(300));
            assert_ne!(bounded(&html), html, "{sign:?}");
        }
    }
}

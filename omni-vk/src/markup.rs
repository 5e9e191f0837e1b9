//! Words that VK would read as a link: `[id1|words]`, `[https://vk.com/wall|words]`, `@id1 (words)`, `*club1 (words)`.
//!
//! VK has no way to write such words as they are, and no mode in which it leaves them alone: `disable_mentions` only
//! keeps the named person from being told. So a sign without width is put behind the first one, which takes nothing
//! from what the person sees. That VK then leaves the words alone is unverified.
//!
//! Source: <https://dev.vk.com/method/messages.send> for the first form; the others are unverified, from
//! memory (read 2026-11).

use std::borrow::Cow;
use std::ops::Range;

/// Word joiner: no width, no break. <https://www.unicode.org/charts/PDF/U2000.pdf>
const JOINER: char = '\u{2060}';

/// The same words, none of which VK reads as markup.
pub(crate) fn neutral(text: &str) -> Cow<'_, str> {
    let places: Vec<usize> = text.char_indices().filter_map(|(at, sign)| opens(text, at, sign)).collect();
    if places.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut neutral = String::with_capacity(text.len() + places.len() * JOINER.len_utf8());
    for (at, sign) in text.char_indices() {
        neutral.push(sign);
        if places.contains(&at) {
            neutral.push(JOINER);
        }
    }
    Cow::Owned(neutral)
}

/// The words as they were before [`neutral`]: what we wrote comes back with a sign too many.
pub(crate) fn restored(text: String) -> String {
    if !text.contains(JOINER) {
        return text;
    }
    ['[', '@', '*']
        .into_iter()
        .fold(text, |text, sign| text.replace(&format!("{sign}{JOINER}"), sign.encode_utf8(&mut [0; 4])))
}

/// Where people and communities are named in a text, in bytes.
pub(crate) fn mentions(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.match_indices('[').filter_map(|(at, _)| {
        let (target, behind) = bracketed(text.get(at + 1..)?)?;
        is_name(target).then(|| at..text.len() - behind.len())
    })
}

/// The place of a sign that begins markup.
fn opens(text: &str, at: usize, sign: char) -> Option<usize> {
    let rest = text.get(at + sign.len_utf8()..)?;
    let opens = match sign {
        '[' => bracketed(rest).is_some(),
        '@' | '*' => {
            let before = text.get(..at)?.chars().next_back();
            !before.is_some_and(char::is_alphanumeric) && called(rest, sign)
        }
        _ => false,
    };
    opens.then_some(at)
}

/// `id1|words]`, behind the bracket: the target, and what follows all of it.
fn bracketed(rest: &str) -> Option<(&str, &str)> {
    let (target, words) = rest.split_once('|')?;
    let is_target = !target.is_empty() && target.bytes().all(|b| b.is_ascii_graphic() && !b"[]".contains(&b));
    let (label, behind) = words.split_once(']')?;
    (is_target && !label.is_empty() && !label.contains('[')).then_some((target, behind))
}

/// `id1 (words)`, behind the sign. A star begins other things too, so a name behind it must be a number's.
fn called(rest: &str, sign: char) -> bool {
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"_.".contains(c)).unwrap_or(rest.len());
    let (target, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let opens = behind.strip_prefix(' ').unwrap_or(behind).starts_with('(') && behind.contains(')');
    opens && !target.is_empty() && (sign == '@' || is_name(target))
}

/// Whether it names a person or a community by number.
fn is_name(target: &str) -> bool {
    let number = ["id", "club", "public", "event"].iter().find_map(|kind| target.strip_prefix(kind));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_that_would_be_links_get_a_sign_without_width() {
        for (words, expected) in [
            ("[id1|Иван]", "[\u{2060}id1|Иван]"),
            ("да [club1|мы 👍] и [id2|он]", "да [\u{2060}club1|мы 👍] и [\u{2060}id2|он]"),
            ("[https://vk.com/wall-1_2|пост]", "[\u{2060}https://vk.com/wall-1_2|пост]"),
            ("@id1 (Иван)", "@\u{2060}id1 (Иван)"),
            ("@durov(Павел)", "@\u{2060}durov(Павел)"),
            ("*club1 (мы)", "*\u{2060}club1 (мы)"),
        ] {
            assert_eq!(neutral(words), expected);
            assert_eq!(restored(expected.to_owned()), words);
        }
    }

    #[test]
    fn other_words_stay_as_they_are() {
        for words in [
            "",
            "[ссылка](https://x) ![y](z)",
            "[a] | [b]",
            "[|x] [id1|]",
            "2*id (3)",
            "почта: a@shop.ru (склад)",
            "@ivan",
            "*жирно* (нет)",
            "👨‍👩‍👧 [раз|два]",
            "@[1:2]",
        ] {
            assert!(matches!(neutral(words), Cow::Borrowed(same) if same == words), "{words}");
        }
    }

    #[test]
    fn people_named_in_a_text_are_found() {
        let text = "😀 [club123456|@romashka_shop] и [id7|Анна], не [shop|это]";
        let found: Vec<&str> = mentions(text).map(|range| &text[range]).collect();
        assert_eq!(found, ["[club123456|@romashka_shop]", "[id7|Анна]"]);
    }

    proptest! {
        #[test]
        fn whatever_is_made_neutral_comes_back(words in "[\\[\\]|@*()a-z0-9id а-я😀]{0,60}") {
            let once = neutral(&words).into_owned();
            prop_assert_eq!(restored(once.clone()), words);
            let again = neutral(&once).into_owned();
            prop_assert_eq!(again, once);
        }
    }
}

//! Text with entities, and cutting it without tearing anything a person sees as one sign.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

/// Plain text and the ranges of it that mean more.
///
/// The text never holds markup: a connector renders the entities in its provider's form, so that what a
/// customer writes cannot become markup on the way (design law 12).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Text {
    /// The words.
    pub plain: String,
    /// Ranges with a meaning, in order of their start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<Entity>,
}

/// A range of a [`Text`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entity {
    /// Where it begins, in UTF-16 code units (as in JavaScript, Java, Telegram).
    pub offset: u32,
    /// How long it is, in UTF-16 code units.
    pub length: u32,
    /// What it means.
    #[serde(flatten)]
    pub kind: EntityKind,
}

/// What a range of a text means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EntityKind {
    /// Bold.
    Bold,
    /// Italic.
    Italic,
    /// Underlined.
    Underline,
    /// Struck through.
    Strike,
    /// Hidden until touched.
    Spoiler,
    /// Code within a line.
    Code,
    /// A block of code.
    Pre {
        /// The programming language, where given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
    },
    /// A quotation.
    Quote,
    /// Words that lead to an address.
    Link {
        /// Where to.
        url: String,
    },
    /// A person named in the text.
    Mention {
        /// The provider's id of the person, when it is more than the words themselves.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// A command to a bot, such as `/start`.
    Command,
    /// Something the provider recognised by itself: an address, a phone number, a hash tag.
    Detected {
        /// The provider's name of it.
        what: String,
    },
}

impl Text {
    /// Text without entities.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { plain: text.into(), entities: Vec::new() }
    }

    /// The same text with one more entity over the first occurrence of `words`; unchanged when they are not
    /// in it.
    #[must_use]
    pub fn mark(mut self, words: &str, kind: EntityKind) -> Self {
        if let Some((before, _)) = self.plain.split_once(words) {
            let entity = Entity { offset: utf16_len(before), length: utf16_len(words), kind };
            self.entities.push(entity);
            self.entities.sort_by_key(|e| (e.offset, std::cmp::Reverse(e.length)));
        }
        self
    }

    /// Whether there are no words.
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty()
    }

    /// The words an entity covers; `None` when its range is not within the text or cuts a character.
    pub fn slice(&self, entity: &Entity) -> Option<&str> {
        let start = byte_at(&self.plain, entity.offset)?;
        let end = byte_at(&self.plain, entity.offset.checked_add(entity.length)?)?;
        self.plain.get(start..end)
    }

    /// Cuts the text into pieces of at most `max` units each, at paragraph, line, sentence or word borders
    /// when there is one in the last half of the piece, else between graphemes: an emoji with its modifiers,
    /// a flag or a letter with its accent is never torn. Entities are cut along.
    ///
    /// A single grapheme above `max` (possible only for a tiny `max`) stays whole.
    pub fn split(&self, max: usize, unit: Unit) -> Vec<Text> {
        if unit.measure(&self.plain) <= max {
            return vec![self.clone()];
        }
        let mut pieces = Vec::new();
        let mut rest = self.plain.as_str();
        let mut offset = 0;
        while !rest.is_empty() {
            let cut = cut_at(rest, max.max(1), unit);
            let (head, tail) = rest.split_at(cut);
            let kept = without_blanks_behind(head);
            if !kept.is_empty() {
                pieces.push(self.piece(kept, offset));
            }
            let next = without_blanks_before(tail);
            offset += utf16_len(head) + utf16_len(&tail[..tail.len() - next.len()]);
            rest = next;
        }
        pieces
    }

    /// The piece that begins at `offset` with the words `plain`, with its share of the entities.
    fn piece(&self, plain: &str, offset: u32) -> Text {
        let end = offset + utf16_len(plain);
        let entities = self.entities.iter().filter_map(|e| {
            let from = e.offset.max(offset);
            let to = e.offset.saturating_add(e.length).min(end);
            (from < to).then(|| Entity { offset: from - offset, length: to - from, kind: e.kind.clone() })
        });
        Text { plain: plain.to_owned(), entities: entities.collect() }
    }
}

/// A blank that carries a mark (a space with an accent) is a sign of its own and stays.
fn is_blank(sign: &str) -> bool {
    matches!(sign, " " | "\n" | "\r" | "\r\n")
}

fn without_blanks_before(mut text: &str) -> &str {
    while let Some(sign) = text.graphemes(true).next().filter(|sign| is_blank(sign)) {
        text = text.get(sign.len()..).unwrap_or_default();
    }
    text
}

fn without_blanks_behind(mut text: &str) -> &str {
    while let Some(sign) = text.graphemes(true).next_back().filter(|sign| is_blank(sign)) {
        text = text.get(..text.len() - sign.len()).unwrap_or_default();
    }
    text
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::plain(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::plain(text)
    }
}

/// What a length is counted in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unit {
    /// UTF-16 code units; an emoji is two or more.
    #[default]
    Utf16,
    /// Bytes of UTF-8.
    Bytes,
    /// Unicode scalar values.
    Characters,
}

impl Unit {
    /// The length of `text` in this unit.
    pub fn measure(self, text: &str) -> usize {
        match self {
            Unit::Utf16 if text.is_ascii() => text.len(),
            Unit::Utf16 => text.chars().map(char::len_utf16).sum(),
            Unit::Bytes => text.len(),
            Unit::Characters => text.chars().count(),
        }
    }
}

/// The length of `text` in UTF-16 code units.
pub fn utf16_len(text: &str) -> u32 {
    u32::try_from(Unit::Utf16.measure(text)).unwrap_or(u32::MAX)
}

/// The byte index of a UTF-16 offset; `None` past the end or in the middle of a character.
fn byte_at(text: &str, utf16: u32) -> Option<usize> {
    let mut seen = 0;
    for (index, c) in text.char_indices() {
        if seen >= utf16 {
            return (seen == utf16).then_some(index);
        }
        seen += c.len_utf16() as u32;
    }
    (seen == utf16).then_some(text.len())
}

/// Where to cut: the byte index after the best border within `max` units; at least one grapheme.
fn cut_at(text: &str, max: usize, unit: Unit) -> usize {
    let mut used = 0;
    let mut hard = 0;
    let mut best = (Border::Grapheme, 0);
    let mut previous = "";
    for (index, grapheme) in text.grapheme_indices(true) {
        used += unit.measure(grapheme);
        let end = index + grapheme.len();
        if used > max && hard > 0 {
            // The grapheme that no longer fits may itself be the border.
            let border = Border::of(previous, grapheme);
            if border > Border::Grapheme && border >= best.0 {
                best = (border, hard);
            }
            break;
        }
        let border = Border::of(previous, grapheme);
        if border > Border::Grapheme && used * 2 >= max && border >= best.0 {
            best = (border, end);
        }
        hard = end;
        previous = grapheme;
        if used > max {
            break;
        }
    }
    if hard == text.len() || best.1 == 0 { hard } else { best.1 }
}

/// How good a place to cut is, worst first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Border {
    Grapheme,
    Word,
    Sentence,
    Line,
    Paragraph,
}

impl Border {
    fn of(previous: &str, grapheme: &str) -> Self {
        match (previous, grapheme) {
            ("\n" | "\r\n", "\n" | "\r\n") => Border::Paragraph,
            (_, "\n" | "\r\n") => Border::Line,
            ("." | "!" | "?" | "…", " ") => Border::Sentence,
            (_, " ") => Border::Word,
            _ => Border::Grapheme,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn short_text_stays_whole() {
        assert_eq!(Text::plain("Привет").split(6, Unit::Utf16), [Text::plain("Привет")]);
    }

    #[test]
    fn a_blank_that_carries_a_mark_is_no_blank() {
        let pieces = Text::plain("абв \u{301}где").split(4, Unit::Characters);
        let words: Vec<&str> = pieces.iter().map(|piece| piece.plain.as_str()).collect();
        assert_eq!(words, ["абв", " \u{301}гд", "е"]);
    }

    #[test]
    fn long_text_is_cut_at_words() {
        let pieces = Text::plain("раз два три четыре пять").split(12, Unit::Characters);
        let words: Vec<_> = pieces.iter().map(|p| p.plain.as_str()).collect();
        assert_eq!(words, ["раз два три", "четыре пять"]);
    }

    #[test]
    fn a_family_emoji_is_never_torn() {
        let family = "👨‍👩‍👧‍👦";
        for piece in Text::plain(family.repeat(5)).split(13, Unit::Utf16) {
            assert_eq!(piece.plain, family);
        }
    }

    #[test]
    fn entities_are_cut_along_and_counted_in_utf16() {
        let text = Text::plain("😀😀 жирный текст").mark("жирный текст", EntityKind::Bold);
        let pieces = text.split(11, Unit::Utf16);
        let marked: Vec<_> = pieces.iter().map(|p| p.slice(&p.entities[0]).unwrap()).collect();
        assert_eq!(marked, ["жирный", "текст"]);
    }

    #[test]
    fn an_entity_outside_the_text_covers_nothing() {
        let text = Text::plain("😀");
        let at = |offset, length| Entity { offset, length, kind: EntityKind::Bold };
        assert_eq!(text.slice(&at(0, 2)), Some("😀"));
        assert_eq!(text.slice(&at(1, 1)), None);
        assert_eq!(text.slice(&at(0, 3)), None);
        assert_eq!(text.slice(&at(u32::MAX, 2)), None);
    }

    proptest! {
        #[test]
        fn pieces_fit_and_lose_only_blanks(words in "[а-яa-z😀👩‍🚀 .\n]{0,300}", max in 12usize..60) {
            let text = Text::plain(words.clone());
            let pieces = text.split(max, Unit::Utf16);
            for piece in &pieces {
                prop_assert!(Unit::Utf16.measure(&piece.plain) <= max);
            }
            let joined: String = pieces.iter().flat_map(|p| p.plain.chars()).filter(|c| !c.is_whitespace()).collect();
            let all: String = words.chars().filter(|c| !c.is_whitespace()).collect();
            prop_assert_eq!(joined, all);
        }
    }
}

//! The splitter of texts: nothing but blanks at a cut is lost, no piece is too long, no sign is torn.

#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use omni_core::Text;
use omni_core::text::{Entity, EntityKind, Unit};
use unicode_segmentation::UnicodeSegmentation;

const BLANKS: [char; 3] = [' ', '\n', '\r'];

fuzz_target!(|input: (u16, u8, u16, u16, &str)| {
    let (max, unit, offset, length, words) = input;
    let max = usize::from(max).max(1);
    let unit = [Unit::Utf16, Unit::Bytes, Unit::Characters][usize::from(unit) % 3];
    let mut text = Text::plain(words);
    text.entities = vec![Entity { offset: offset.into(), length: length.into(), kind: EntityKind::Bold }];
    let pieces = text.split(max, unit);
    if unit.measure(words) <= max {
        assert_eq!(pieces, [text], "a text that fits is left as it is");
        return;
    }
    let borders: HashSet<usize> =
        words.grapheme_indices(true).map(|(at, _)| at).chain([words.len()]).collect();
    let mut at = 0;
    for piece in &pieces {
        let plain = piece.plain.as_str();
        let (found, lost) = find(&words[at..], plain);
        assert!(lost.chars().all(|c| BLANKS.contains(&c)), "{lost:?} is lost in {words:?}");
        at += found;
        assert!(!plain.is_empty(), "an empty piece of {words:?}");
        let is_one_sign = plain.graphemes(true).count() == 1;
        assert!(unit.measure(plain) <= max || is_one_sign, "{plain:?} is above {max} {unit:?}");
        assert!(borders.contains(&at), "a sign is torn before {plain:?} in {words:?}");
        at += plain.len();
        assert!(borders.contains(&at), "a sign is torn behind {plain:?} in {words:?}");
        let length = Unit::Utf16.measure(plain);
        let fits = |e: &Entity| e.length > 0 && u64::from(e.offset) + u64::from(e.length) <= length as u64;
        assert!(piece.entities.iter().all(fits), "an entity reaches out of {plain:?}");
    }
    assert!(words[at..].chars().all(|c| BLANKS.contains(&c)), "the end of {words:?} is lost");
});

/// Where a piece stands in what is left, and what stands before it.
fn find<'a>(rest: &'a str, piece: &str) -> (usize, &'a str) {
    let blanks = rest.len() - rest.trim_start_matches(BLANKS).len();
    // A piece may itself begin with blanks: the first one does.
    let at = (0..=blanks).find(|at| rest.get(*at..).is_some_and(|rest| rest.starts_with(piece)));
    let at = at.unwrap_or_else(|| panic!("{piece:?} does not follow in {rest:?}"));
    (at, &rest[..at])
}

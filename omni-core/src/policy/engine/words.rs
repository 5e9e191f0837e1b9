//! The words that conditions look for, all found in one pass over a message.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// Bytes of all words together up to which they are looked for with a table.
const TABLE: usize = 16 * 1024;

/// A word or a part of one that conditions look for, by its place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WordId(usize);

/// The words of all conditions, while they are collected.
#[derive(Default)]
pub(super) struct WordList {
    words: Vec<String>,
}

/// Finds them. The time it takes depends on the message, and hardly on how many words there are.
pub(super) struct Finder {
    automaton: Option<AhoCorasick>,
    count: usize,
}

/// Which of them a message holds.
pub(super) struct Found {
    /// Two bits a word: whether it is there at all, and whether as a whole word.
    bits: Vec<u64>,
}

impl WordList {
    /// Adds a word, folded.
    pub(super) fn add(&mut self, word: &str) -> WordId {
        let word = fold(word);
        let known = self.words.iter().position(|w| *w == word);
        WordId(known.unwrap_or_else(|| {
            self.words.push(word);
            self.words.len() - 1
        }))
    }

    pub(super) fn finder(self) -> Finder {
        let count = self.words.len();
        // An automaton too large to be built finds nothing; the linter's limit on a book's size is far below that.
        // A table for each letter is the fastest, and grows with the words: only where they are few.
        let letters: usize = self.words.iter().map(String::len).sum();
        let kind = (letters <= TABLE).then_some(AhoCorasickKind::DFA);
        // A search for rare bytes first only delays it: in Cyrillic every other byte is the same.
        let automaton = AhoCorasick::builder().kind(kind).prefilter(false).build(&self.words);
        let automaton = if count == 0 { None } else { automaton.ok() };
        Finder { automaton, count }
    }
}

impl Finder {
    /// Looks for all words in a folded text.
    pub(super) fn look(&self, text: &str) -> Found {
        let mut found = Found { bits: vec![0; (self.count * 2).div_ceil(64)] };
        let Some(automaton) = &self.automaton else { return found };
        for hit in automaton.find_overlapping_iter(text) {
            let word = hit.pattern().as_usize();
            found.set(word * 2);
            if stands_alone(text, hit.start(), hit.end()) {
                found.set(word * 2 + 1);
            }
        }
        found
    }
}

impl Found {
    fn set(&mut self, bit: usize) {
        if let Some(bits) = self.bits.get_mut(bit / 64) {
            *bits |= 1 << (bit % 64);
        }
    }

    fn get(&self, bit: usize) -> bool {
        self.bits.get(bit / 64).is_some_and(|bits| bits & (1 << (bit % 64)) != 0)
    }

    /// Whether the word is there, wherever.
    pub(super) fn has(&self, word: WordId) -> bool {
        self.get(word.0 * 2)
    }

    /// Whether the word is there as a whole word.
    pub(super) fn has_whole(&self, word: WordId) -> bool {
        self.get(word.0 * 2 + 1)
    }
}

/// Whether a part of a text is a word of its own: no letter or digit of it goes on before or behind.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let (before, word, behind) = (text.get(..start), text.get(start..end), text.get(end..));
    let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let first = |t: Option<&str>| t.and_then(|t| t.chars().next());
    let last = |t: Option<&str>| t.and_then(|t| t.chars().next_back());
    let joins = |left: Option<char>, right: Option<char>| letter(left) && letter(right);
    !joins(last(before), first(word)) && !joins(last(word), first(behind))
}

/// One form for words that differ only in case.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // What nearly every message here is written in, without a look into the tables of Unicode.
            'a'..='z' | 'а'..='я' | 'ё' | '0'..='9' | ' ' | ',' | '.' => folded.push(c),
            'A'..='Z' => folded.push(c.to_ascii_lowercase()),
            'А'..='Я' => folded.push(char::from_u32(c as u32 + 0x20).unwrap_or(c)),
            other => folded.extend(other.to_lowercase()),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_is_that_of_the_tables_of_unicode() {
        for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            assert_eq!(fold(c.encode_utf8(&mut [0; 4])), c.to_lowercase().collect::<String>(), "{c:?}");
        }
    }

    #[test]
    fn words_are_found_wherever_and_whole_words_where_they_end() {
        let mut list = WordList::default();
        let ids: Vec<WordId> = ["Цена", "цен", "до свидания", "😀"].iter().map(|w| list.add(w)).collect();
        let finder = list.finder();
        let found = finder.look(&fold("Какая ЦЕНА? До свидания😀"));
        let seen: Vec<(bool, bool)> = ids.iter().map(|id| (found.has(*id), found.has_whole(*id))).collect();
        assert_eq!(seen, [(true, true), (true, false), (true, true), (true, true)]);
        assert!(!finder.look("оценка").has_whole(ids[1]));
        assert!(!finder.look("").has(ids[0]));
    }
}

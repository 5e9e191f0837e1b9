//! What the conditions of a book share once compiled: words that are looked for together, calendars that are asked once a
//! step.

use std::cell::Cell;

use super::turn::Turn;
use super::words::WordList;
use crate::hours::Hours;
use crate::policy::book::Book;

/// A calendar that conditions name, by its place in the list.
#[derive(Clone, Copy, Debug)]
pub(super) struct CalendarId(usize);

/// What conditions share, while they are compiled.
pub(super) struct Parts<'b> {
    pub(super) book: &'b Book,
    pub(super) words: WordList,
    names: Vec<String>,
    pub(super) calendars: Vec<Hours>,
}

impl<'b> Parts<'b> {
    pub(super) fn of(book: &'b Book) -> Self {
        Self { book, words: WordList::default(), names: Vec::new(), calendars: Vec::new() }
    }

    /// A calendar by name. One that the linter refused is never open.
    pub(super) fn calendar(&mut self, name: &str) -> CalendarId {
        let known = self.names.iter().position(|n| n == name);
        CalendarId(known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.calendars.push(self.book.calendar(name).cloned().unwrap_or(Hours::Never));
            self.names.len() - 1
        }))
    }
}

/// Which calendars a step has asked, and which of them are open: a bit each, for the first 64.
#[derive(Default)]
pub(super) struct Asked {
    asked: Cell<u64>,
    open: Cell<u64>,
}

impl Turn<'_> {
    /// Whether a calendar is open now. Asked once a step, however many rules want to know.
    pub(super) fn is_inside(&self, CalendarId(place): CalendarId) -> bool {
        let ask = || self.engine.shared.calendars.get(place).is_some_and(|hours| hours.is_open(self.now));
        let Some(bit) = u32::try_from(place).ok().and_then(|place| 1u64.checked_shl(place)) else {
            return ask();
        };
        let Asked { asked, open } = &self.calendars;
        if asked.get() & bit == 0 {
            asked.set(asked.get() | bit);
            open.set(if ask() { open.get() | bit } else { open.get() });
        }
        open.get() & bit != 0
    }
}

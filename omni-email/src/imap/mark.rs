//! How far each folder was read: the listener's cursor.

use std::collections::BTreeMap;
use std::time::Duration;

use omni_core::event::Told;
use omni_core::{Cursor, Timestamp};
use serde::{Deserialize, Serialize};

use super::uids::Uids;

/// How often a mail that cannot be fetched is tried, over a day, before it is told as unreadable.
pub(crate) const TRIES: u8 = 5;
/// The pauses between.
const PAUSES: [Duration; TRIES as usize] = [
    Duration::from_secs(60),
    Duration::from_secs(10 * 60),
    Duration::from_secs(3600),
    Duration::from_secs(6 * 3600),
    Duration::from_secs(17 * 3600),
];

/// How far each folder was read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Marks {
    /// By the folder's name for people.
    #[serde(default)]
    folders: BTreeMap<String, Mark>,
}

/// How far one folder was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// The version of the UIDs.
    pub(crate) validity: u32,
    /// Every mail up to this UID was taken, or stands in `todo` or `gaps`.
    pub(crate) last: u32,
    /// What was taken of the last days: a server that puts a mail among older ones is found out by it.
    #[serde(default, skip_serializing_if = "Uids::is_empty")]
    pub(crate) taken: Uids,
    /// What lies behind `last` and is still to be taken.
    #[serde(default, skip_serializing_if = "Uids::is_empty")]
    pub(crate) todo: Uids,
    /// Whether that is history or merely late.
    #[serde(default)]
    pub(crate) todo_is: Told,
    /// Mails that could not be fetched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) gaps: Vec<Gap>,
    /// Mails up to this UID are fetched one by one: one of them ended the connection.
    #[serde(default)]
    pub(crate) careful: u32,
    /// Mails that the server took earlier are not ours to tell.
    pub(crate) since: Timestamp,
    /// When the server took the newest mail that was taken here.
    pub(crate) newest: Timestamp,
    /// When the last days were last compared with `taken`.
    pub(crate) swept: Timestamp,
}

/// A mail that could not be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Gap {
    /// Its UID.
    pub(crate) uid: u32,
    /// How often it was tried.
    pub(crate) tries: u8,
    /// When it is tried again.
    pub(crate) due: Timestamp,
}

impl Marks {
    /// Reads a cursor. One that cannot be read is as good as none, and says so: what lies in the mailbox is then looked
    /// at as for the first time.
    pub(crate) fn read(cursor: Option<&Cursor>) -> Self {
        let Some(cursor) = cursor else { return Self::default() };
        serde_json::from_str(cursor.as_str()).unwrap_or_else(|error| {
            tracing::error!(%error, "the place in the mailbox cannot be read: beginning anew");
            Self::default()
        })
    }

    /// The form to be kept.
    pub(crate) fn cursor(&self) -> Cursor {
        Cursor::new(serde_json::to_string(self).unwrap_or_default())
    }

    /// The mark of a folder.
    pub(crate) fn get(&self, folder: &str) -> Option<&Mark> {
        self.folders.get(folder)
    }

    /// Replaces the mark of a folder.
    pub(crate) fn set(&mut self, folder: &str, mark: Mark) {
        self.folders.insert(folder.to_owned(), mark);
    }
}

impl Mark {
    /// A folder of which nothing was taken: `last` is the greatest UID there is.
    pub(crate) fn new(validity: u32, last: u32, since: Timestamp, now: Timestamp) -> Self {
        Self {
            validity,
            last,
            taken: Uids::default(),
            todo: Uids::default(),
            todo_is: Told::Live,
            gaps: Vec::new(),
            careful: 0,
            since,
            newest: since,
            swept: now,
        }
    }

    /// Notes that a mail was taken, or is gone.
    pub(crate) fn done(&mut self, uid: u32) {
        self.last = self.last.max(uid);
        self.todo.remove(uid);
        self.taken.add(uid);
        self.gaps.retain(|gap| gap.uid != uid);
    }

    /// Notes that a mail could not be fetched. The others go on.
    pub(crate) fn failed(&mut self, uid: u32, now: Timestamp) {
        let tries = self.gaps.iter().find(|gap| gap.uid == uid).map_or(0, |gap| gap.tries);
        self.done(uid);
        self.taken.remove(uid);
        let pause = PAUSES.get(usize::from(tries)).or(PAUSES.last()).copied().unwrap_or_default();
        self.gaps.push(Gap { uid, tries: tries + 1, due: now + pause });
    }

    /// A mail that is to be tried again now.
    pub(crate) fn due_gap(&self, now: Timestamp) -> Option<Gap> {
        self.gaps.iter().filter(|gap| gap.due <= now).min_by_key(|gap| gap.uid).copied()
    }

    /// When the next gap is due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.gaps.iter().map(|gap| gap.due).min()
    }

    /// Of what a search found, what nobody knows of: mails behind `last` that were not there before.
    pub(crate) fn unknown(&self, found: &Uids) -> Uids {
        let known = |uid: &u32| {
            *uid > self.last
                || self.taken.has(*uid)
                || self.todo.has(*uid)
                || self.gaps.iter().any(|gap| gap.uid == *uid)
        };
        found.iter().filter(|uid| !known(uid)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        let mut marks = Marks::default();
        let mut mark = Mark::new(7, 41, NOW, NOW);
        mark.done(42);
        mark.failed(43, NOW);
        mark.todo = (1..=9).collect();
        mark.todo_is = Told::History;
        marks.set("Отправленные", mark);
        assert_eq!(Marks::read(Some(&marks.cursor())), marks);
    }

    #[test]
    fn a_cursor_that_cannot_be_read_begins_anew() {
        assert_eq!(Marks::read(Some(&Cursor::new("17"))), Marks::default());
    }

    #[test]
    fn a_mail_that_fails_holds_up_nothing_and_is_tried_again() {
        let mut mark = Mark::new(7, 0, NOW, NOW);
        mark.failed(1, NOW);
        mark.done(2);
        assert_eq!(mark.last, 2);
        assert_eq!(mark.due_gap(NOW), None);
        let later = NOW + Duration::from_secs(61);
        assert_eq!(mark.due_gap(later).map(|gap| (gap.uid, gap.tries)), Some((1, 1)));
        mark.failed(1, later);
        assert_eq!(mark.gaps.iter().map(|gap| gap.tries).collect::<Vec<_>>(), [2]);
        mark.done(1);
        assert!(mark.gaps.is_empty());
    }

    #[test]
    fn what_the_server_put_among_older_mails_is_found_out() {
        let mut mark = Mark::new(7, 10, NOW, NOW);
        for uid in [8, 10, 11] {
            mark.done(uid);
        }
        mark.failed(12, NOW);
        let found: Uids = [8, 9, 10, 11, 12, 13].into_iter().collect();
        assert_eq!(mark.unknown(&found).to_set(), "9");
    }
}

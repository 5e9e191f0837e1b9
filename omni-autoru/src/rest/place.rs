//! How far the rooms were read: the cursor of the poller. Pure.
//!
//! The last message told is kept a room, but only for rooms where something happened lately: what happened in any
//! other room before [`Place::floor`] was told. So the cursor grows with the talks of some days, not with all there
//! ever were.

use std::collections::BTreeMap;
use std::time::Duration;

use omni_core::error::{ErrorKind, Result};
use omni_core::{Cursor, Error, Timestamp};
use serde::{Deserialize, Serialize};

/// For how long a room is remembered after its last message. Clocks of one provider differ by less.
const KEPT: Duration = Duration::from_secs(3 * 24 * 3600);
/// How far back the very first look goes: what waits there unread is news.
const FIRST: Duration = Duration::from_secs(24 * 3600);

/// How far the rooms were read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// In rooms that are not listed, everything before this was told.
    pub(super) floor: Timestamp,
    /// Rooms where something happened lately.
    pub(super) rooms: BTreeMap<String, Told>,
}

/// How far one room was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told {
    /// The last message told.
    #[serde(rename = "m")]
    pub(super) message: String,
    /// When it was written.
    #[serde(rename = "t")]
    pub(super) at: Timestamp,
    /// The last message of ours that was told as read.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub(super) read: Option<String>,
}

impl Place {
    /// The beginning, when the newest thing in any room is of this time.
    pub(super) fn first(newest: Timestamp) -> Self {
        Self { floor: newest - FIRST, rooms: BTreeMap::new() }
    }

    /// The place after a look in which the newest thing was of this time: rooms that fell silent are left out.
    pub(super) fn after(self, newest: Timestamp) -> Self {
        let floor = self.floor.max(newest - KEPT);
        let rooms = self.rooms.into_iter().filter(|(_, told)| told.at >= floor).collect();
        Self { floor, rooms }
    }

    pub(super) fn read(cursor: &Cursor) -> Result<Self> {
        serde_json::from_str(cursor.as_str()).map_err(|_| {
            Error::new(ErrorKind::State, "listen")
                .with_text("the stored cursor is not a place in Auto.ru's rooms")
        })
    }

    pub(super) fn cursor(&self) -> Result<Cursor> {
        let text = serde_json::to_string(self);
        text.map(Cursor::from).map_err(|e| Error::new(ErrorKind::Internal, "listen").with_text(e.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn told(message: &str, at: Timestamp) -> Told {
        Told { message: message.to_owned(), at, read: None }
    }

    #[test]
    fn a_place_survives_being_stored_and_is_short() {
        let at = Timestamp::from_secs(1_767_225_600);
        let mut place = Place::first(at);
        place.rooms.insert("8a8a".to_owned(), Told { read: Some("m1".to_owned()), ..told("m1", at) });
        let cursor = place.cursor().unwrap();
        assert_eq!(
            cursor.as_str(),
            r#"{"floor":1767139200000,"rooms":{"8a8a":{"m":"m1","t":1767225600000,"r":"m1"}}}"#
        );
        assert_eq!(Place::read(&cursor).unwrap(), place);
        assert_eq!(Place::read(&Cursor::from("42")).unwrap_err().kind(), ErrorKind::State);
    }

    #[test]
    fn rooms_that_fell_silent_are_covered_by_the_floor() {
        let now = Timestamp::from_secs(1_767_225_600);
        let mut place = Place::first(now);
        place.rooms.insert("silent".to_owned(), told("m1", now));
        place.rooms.insert("busy".to_owned(), told("m2", now + DAY * 4));
        let place = place.after(now + DAY * 4);
        assert_eq!(place.rooms.keys().collect::<Vec<_>>(), ["busy"]);
        assert_eq!(place.floor, now + DAY);
        assert!(now < place.floor, "what was told in the silent room lies before the floor");
    }

    #[test]
    fn the_floor_never_sinks() {
        let now = Timestamp::from_secs(1_767_225_600);
        let place = Place { floor: now, rooms: BTreeMap::new() };
        assert_eq!(place.after(now - DAY).floor, now);
    }
}

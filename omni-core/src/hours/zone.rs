//! Time zones: what a clock on the wall shows at an instant, and at which instant it shows something.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::BadHours;
use crate::time::Timestamp;

/// An IANA time zone such as `Europe/Moscow`, known to exist. Cheap to clone; two are equal when their names
/// are.
///
/// The rules come with the library, never from the machine, so the same hours are the same everywhere.
#[derive(Clone)]
pub struct Zone(TimeZone);

/// Hours that name no zone are in this one.
pub(super) static UTC: Zone = Zone(TimeZone::UTC);

/// What the clock and the calendar on a wall show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Local {
    /// The year.
    pub year: i16,
    /// The month, 1 to 12.
    pub month: u8,
    /// The day of the month, 1 to 31.
    pub day: u8,
    /// The day of the week.
    pub weekday: Weekday,
    /// Whole minutes since the clock showed 00:00, 0 to 1439.
    pub minute_of_day: u16,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

impl Weekday {
    /// All of them, Monday first.
    pub const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    /// The key of the day in a table of hours: `mon`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Monday => "mon",
            Self::Tuesday => "tue",
            Self::Wednesday => "wed",
            Self::Thursday => "thu",
            Self::Friday => "fri",
            Self::Saturday => "sat",
            Self::Sunday => "sun",
        }
    }

    pub(super) const fn of_day(day: i32) -> Self {
        // Day 0, 1970-01-01, was a Thursday.
        match day.rem_euclid(7) {
            0 => Self::Thursday,
            1 => Self::Friday,
            2 => Self::Saturday,
            3 => Self::Sunday,
            4 => Self::Monday,
            5 => Self::Tuesday,
            _ => Self::Wednesday,
        }
    }
}

impl fmt::Display for Weekday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl Zone {
    /// Coordinated universal time.
    pub fn utc() -> Self {
        UTC.clone()
    }

    /// The name, as IANA writes it.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// What the clock on the wall shows at an instant. Instants outside of the years -9999 to 9999 are taken
    /// for the nearest one within.
    pub fn local(&self, at: Timestamp) -> Local {
        let millis = at
            .as_millis()
            .clamp(jiff::Timestamp::MIN.as_millisecond(), jiff::Timestamp::MAX.as_millisecond());
        let shown = self.0.to_datetime(jiff::Timestamp::from_millisecond(millis).unwrap_or_default());
        Local {
            year: shown.year(),
            month: shown.month().unsigned_abs(),
            day: shown.day().unsigned_abs(),
            weekday: Weekday::of_day(self.clock(at).day),
            minute_of_day: u16::from(shown.hour().unsigned_abs()) * 60
                + u16::from(shown.minute().unsigned_abs()),
        }
    }

    /// The number of the local day and the second of it; clamped to the years that have a calendar.
    pub(super) fn clock(&self, at: Timestamp) -> Clock {
        let second = at.as_millis().div_euclid(1000);
        let second = second.clamp(jiff::Timestamp::MIN.as_second(), jiff::Timestamp::MAX.as_second());
        let instant = jiff::Timestamp::from_second(second).unwrap_or_default();
        let shown = second + i64::from(self.0.to_offset(instant).seconds());
        Clock { day: i32::try_from(shown.div_euclid(DAY)).unwrap_or_default(), second: shown.rem_euclid(DAY) }
    }

    /// Whether the clock shows this twice.
    pub(super) fn is_repeated(&self, clock: Clock) -> bool {
        matches!(self.find(clock), Some((_, AmbiguousOffset::Fold { .. })))
    }

    /// The first instant, in milliseconds, at which the clock shows this; when it is moved past it, the instant
    /// of that. `None` outside of the calendar.
    pub(super) fn first(&self, clock: Clock) -> Option<i64> {
        let (shown, offset) = self.find(clock)?;
        Some(1000 * self.instant(shown, offset, |before, _| before))
    }

    /// The last instant, in milliseconds, at which the clock shows this; when it is moved past it, the instant
    /// of that. `None` outside of the calendar.
    pub(super) fn last(&self, clock: Clock) -> Option<i64> {
        let (shown, offset) = self.find(clock)?;
        Some(1000 * self.instant(shown, offset, |_, after| after))
    }

    fn find(&self, clock: Clock) -> Option<(i64, AmbiguousOffset)> {
        let shown = i64::from(clock.day) * DAY + clock.second;
        let face = Offset::UTC.to_datetime(jiff::Timestamp::from_second(shown).ok()?);
        Some((shown, self.0.to_ambiguous_timestamp(face).offset()))
    }

    fn instant(&self, shown: i64, offset: AmbiguousOffset, fold: fn(Offset, Offset) -> Offset) -> i64 {
        let minus = |offset: Offset| shown - i64::from(offset.seconds());
        match offset {
            AmbiguousOffset::Unambiguous { offset } => minus(offset),
            AmbiguousOffset::Fold { before, after } => minus(fold(before, after)),
            AmbiguousOffset::Gap { before, after } => {
                // By the later rules it is just before the clock is moved, by the earlier ones just after.
                let moved = jiff::Timestamp::from_second(minus(after)).ok().and_then(|start| {
                    let mut moves = self.0.following(start);
                    moves.find(|m| m.offset() == after).map(|m| m.timestamp().as_second())
                });
                moved.map_or(minus(before), |moved| moved.min(minus(before)))
            }
        }
    }
}

impl FromStr for Zone {
    type Err = BadHours;

    fn from_str(name: &str) -> Result<Self, BadHours> {
        match TimeZoneDatabase::bundled().get(name) {
            Ok(zone) if zone.iana_name().is_some() => Ok(Self(zone)),
            _ => Err(BadHours::new(format!(
                "{name:?} is not a time zone: write its IANA name, such as \"Europe/Moscow\" or \"UTC\""
            ))),
        }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name())
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Zone {}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        super::form::parsed(d, "the IANA name of a time zone in quotes, such as \"Europe/Moscow\"")
    }
}

impl JsonSchema for Zone {
    fn schema_name() -> Cow<'static, str> {
        "Zone".into()
    }

    fn schema_id() -> Cow<'static, str> {
        concat!(module_path!(), "::Zone").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "An IANA time zone such as `Europe/Moscow`.",
        })
    }
}

/// What a clock shows: a day, counted from 1970-01-01, and a second of it. A second past the day's last one is
/// a time of the day after.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    pub(super) day: i32,
    pub(super) second: i64,
}

/// The seconds of a day on the wall.
pub(super) const DAY: i64 = 86_400;

//! Days of the calendar on which the week does not hold: exceptions and holidays.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::BadHours;
use super::week::Span;

/// A day of the calendar that exists, of the years 1 to 9999, in whatever zone it is looked at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(jiff::civil::Date);

impl Date {
    /// A day; `None` when there is none such.
    pub fn new(year: i16, month: u8, day: u8) -> Option<Self> {
        let date = jiff::civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
        (year >= 1).then_some(Self(date))
    }

    /// The year.
    pub fn year(self) -> i16 {
        self.0.year()
    }

    /// The month, 1 to 12.
    pub fn month(self) -> u8 {
        self.0.month().unsigned_abs()
    }

    /// The day of the month, 1 to 31.
    pub fn day(self) -> u8 {
        self.0.day().unsigned_abs()
    }

    /// The day so many days later; `None` when it has no date.
    pub fn plus_days(self, days: i32) -> Option<Self> {
        Self::of_number(self.number().checked_add(days)?)
    }

    /// How many days after `earlier` this is; below zero when it is before.
    pub fn days_since(self, earlier: Self) -> i32 {
        self.number() - earlier.number()
    }

    /// Days since 1970-01-01.
    pub(super) fn number(self) -> i32 {
        let days = self.0.duration_since(jiff::civil::Date::constant(1970, 1, 1)).as_hours() / 24;
        i32::try_from(days).unwrap_or_default()
    }

    pub(super) fn of_number(days: i32) -> Option<Self> {
        let midnight = jiff::Timestamp::from_second(i64::from(days) * super::zone::DAY).ok()?;
        let date = jiff::tz::Offset::UTC.to_datetime(midnight).date();
        (date.year() >= 1).then_some(Self(date))
    }
}

impl FromStr for Date {
    type Err = BadHours;

    fn from_str(text: &str) -> Result<Self, BadHours> {
        let read = || {
            let (year, rest) = text.split_once('-')?;
            let (month, day) = rest.split_once('-')?;
            Self::new(i16::try_from(digits(year, 4)?).ok()?, two(month)?, two(day)?)
        };
        read().ok_or_else(|| {
            BadHours::new(format!(
                "{text:?} is not a date: write year, month and day of a day that exists, such as \"2026-12-31\""
            ))
        })
    }
}

/// A number of exactly so many digits.
pub(super) fn digits(text: &str, count: usize) -> Option<u16> {
    let plain = text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

pub(super) fn two(text: &str) -> Option<u8> {
    digits(text, 2).and_then(|n| u8::try_from(n).ok())
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year(), self.month(), self.day())
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        super::form::parsed(d, "a date in quotes, such as \"2026-12-31\"")
    }
}

impl JsonSchema for Date {
    fn schema_name() -> Cow<'static, str> {
        "Date".into()
    }

    fn schema_id() -> Cow<'static, str> {
        concat!(module_path!(), "::Date").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date" })
    }
}

/// Local days, first and last included, that have hours of their own instead of those of the week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "super::form::Dated", into = "super::form::Dated")]
pub struct Exception {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// The hours of each of these days; none: closed.
    pub open: Vec<Span>,
    /// What the days are called.
    pub name: Option<String>,
}

impl Exception {
    /// One day with hours of its own.
    pub fn on(date: Date, open: impl Into<Vec<Span>>) -> Self {
        Self { from: date, to: date, open: open.into(), name: None }
    }
}

/// Exceptions, in the order in which they were written.
///
/// Where several cover a day the one over the fewest days holds, so one day can be taken out of a long leave;
/// of equally long ones the one written last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exceptions {
    written: Vec<Exception>,
    /// Which one holds on which days: ranges without overlap, in their order.
    holds: Vec<Holds>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Holds {
    from: i32,
    to: i32,
    which: usize,
}

impl Exceptions {
    /// The one that holds on a day.
    pub(super) fn on(&self, day: i32) -> Option<&Exception> {
        let next = self.holds.partition_point(|h| h.to < day);
        let found = self.holds.get(next).filter(|h| h.from <= day)?;
        self.written.get(found.which)
    }
}

impl From<Vec<Exception>> for Exceptions {
    fn from(written: Vec<Exception>) -> Self {
        let mut order: Vec<(usize, i32, i32)> =
            written.iter().enumerate().map(|(i, e)| (i, e.from.number(), e.to.number())).collect();
        order.sort_by_key(|(which, from, to)| (to - from, Reverse(*which)));
        // The strongest come first, so a later one gets only the days that are still free.
        let mut taken: BTreeMap<i32, (i32, usize)> = BTreeMap::new();
        for (which, from, to) in order {
            let mut day = from;
            while day <= to {
                let over =
                    taken.range(..=day).next_back().map(|(_, (end, _))| *end).filter(|end| *end >= day);
                let end = over.unwrap_or_else(|| {
                    let free = taken.range(day..).next().map_or(to, |(next, _)| to.min(next - 1));
                    taken.insert(day, (free, which));
                    free
                });
                day = end + 1;
            }
        }
        let holds = taken.into_iter().map(|(from, (to, which))| Holds { from, to, which }).collect();
        Self { written, holds }
    }
}

impl FromIterator<Exception> for Exceptions {
    fn from_iter<I: IntoIterator<Item = Exception>>(exceptions: I) -> Self {
        exceptions.into_iter().collect::<Vec<_>>().into()
    }
}

impl Deref for Exceptions {
    type Target = [Exception];

    fn deref(&self) -> &[Exception] {
        &self.written
    }
}

/// A day on which everything is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holiday {
    /// Which day.
    pub date: HolidayDate,
    /// What it is called.
    pub name: Option<String>,
}

/// The day of a [`Holiday`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HolidayDate {
    /// Once.
    On(Date),
    /// Every year; the 29th of February only in the years that have it.
    Yearly {
        /// The month, 1 to 12.
        month: u8,
        /// The day of the month.
        day: u8,
    },
}

impl FromStr for HolidayDate {
    type Err = BadHours;

    fn from_str(text: &str) -> Result<Self, BadHours> {
        let yearly = || {
            let (month, day) = text.split_once('-')?;
            // A leap year has every day that some year has.
            let date = Date::new(2000, two(month)?, two(day)?)?;
            Some(Self::Yearly { month: date.month(), day: date.day() })
        };
        yearly().or_else(|| text.parse().ok().map(Self::On)).ok_or_else(|| {
            BadHours::new(format!(
                "{text:?} is not the date of a holiday: write a day that exists, \"2027-01-01\" for one year or \
                 \"01-01\" for every year"
            ))
        })
    }
}

impl fmt::Display for HolidayDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::On(date) => date.fmt(f),
            Self::Yearly { month, day } => write!(f, "{month:02}-{day:02}"),
        }
    }
}

impl Serialize for HolidayDate {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HolidayDate {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        super::form::parsed(d, "a date in quotes, \"2027-01-01\" or \"01-01\" for every year")
    }
}

impl JsonSchema for HolidayDate {
    fn schema_name() -> Cow<'static, str> {
        "HolidayDate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A day, `2027-01-01`, or one of every year, `01-01`.",
            "pattern": r"^(\d{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$",
        })
    }
}

/// Holidays, in the order in which they were written. An exception for the same day is stronger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holidays {
    written: Vec<Holiday>,
    /// Days and places in `written`, in the order of the days.
    once: Vec<(i32, usize)>,
    /// The same for days of every year.
    yearly: Vec<((u8, u8), usize)>,
}

impl Holidays {
    /// The holiday of a day.
    pub(super) fn on(&self, day: i32) -> Option<&Holiday> {
        let once = || found(&self.once, &day);
        let yearly = || {
            let date = if self.yearly.is_empty() { None } else { Date::of_number(day) }?;
            found(&self.yearly, &(date.month(), date.day()))
        };
        self.written.get(once().or_else(yearly)?)
    }
}

fn found<K: Ord>(index: &[(K, usize)], key: &K) -> Option<usize> {
    let place = index.binary_search_by(|(k, _)| k.cmp(key)).ok()?;
    index.get(place).map(|(_, which)| *which)
}

impl From<Vec<Holiday>> for Holidays {
    fn from(written: Vec<Holiday>) -> Self {
        let mut holidays = Self::default();
        for (which, holiday) in written.iter().enumerate() {
            match holiday.date {
                HolidayDate::On(date) => holidays.once.push((date.number(), which)),
                HolidayDate::Yearly { month, day } => holidays.yearly.push(((month, day), which)),
            }
        }
        holidays.once.sort_unstable();
        holidays.yearly.sort_unstable();
        Self { written, ..holidays }
    }
}

impl FromIterator<Holiday> for Holidays {
    fn from_iter<I: IntoIterator<Item = Holiday>>(holidays: I) -> Self {
        holidays.into_iter().collect::<Vec<_>>().into()
    }
}

impl Deref for Holidays {
    type Target = [Holiday];

    fn deref(&self) -> &[Holiday] {
        &self.written
    }
}

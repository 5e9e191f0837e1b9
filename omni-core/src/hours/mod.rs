//! When a team or a channel is open, and how long something takes when only open time counts.
//!
//! [`Hours`] are asked with an instant and read no clock (law 9). In a file they are a word or a table:
//!
//! ```toml
//! zone = "Europe/Moscow"                  # else the zone that Hours::or_zone fills in, else UTC
//! mon = ["09:00-13:00", "14:00-18:00"]    # mon, tue, wed, thu, fri, sat, sun; a missing day is closed
//! fri = ["22:00-06:00"]                   # ends on Saturday morning
//! sat = ["00:00-24:00"]                   # 24:00 is the end of the day
//! weekdays = ["09:00-18:00"]              # mon to fri where not named themselves
//! every_day = ["10:00-16:00"]             # all days named in no other way
//! holidays = ["2027-01-07", "05-09", { date = "01-01", name = "Новый год" }]
//!
//! [[exceptions]]
//! date = "2026-12-31"                     # or from = "2026-12-28" and to = "2026-12-31", both included
//! open = ["09:00-15:00"]                  # absent or empty: closed
//! name = "Короткий день"
//! ```
//!
//! # Rules
//!
//! - A span is half-open: at 18:00 `09:00-18:00` is closed. Spans that touch or overlap are one for all
//!   arithmetic; [`Hours::problems`] lists overlaps, which are mostly slips of the pen.
//! - A span belongs to the local day on which it begins. An exception or a holiday replaces the spans that begin
//!   on its days: it does not cut the night shift of the evening before, and it takes its own night shift along
//!   into the day after.
//! - An exception is stronger than a holiday, a holiday stronger than the week. Of exceptions for one day the
//!   one over the fewest days holds, then the one written last.
//! - Where clocks are moved, what the wall says is kept. A time that the clock skips, as opening or as closing,
//!   is the instant at which the clock is moved. Of a time that it shows twice an opening takes the first, a
//!   closing the second. Spans across such a night are an hour shorter or longer in true time; a span that was
//!   skipped whole is not open at all.
//! - Outside of the years 1 to 9998 weekly hours are closed.

mod dates;
mod deadline;
mod form;
#[cfg(feature = "ical")]
pub mod ical;
mod problem;
mod week;
mod zone;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use dates::{Date, Exception, Exceptions, Holiday, HolidayDate, Holidays};
pub use problem::{Place, Problem};
pub(crate) use week::minute;
pub use week::{Span, Week};
pub use zone::{Local, Weekday, Zone};

use crate::time::Timestamp;

/// When a team or a channel is open. See the [module](self) for the form in a file and the rules.
///
/// ```
/// use std::time::Duration;
///
/// use omni_core::Timestamp;
/// use omni_core::hours::Hours;
///
/// let hours: Hours = toml::from_str("zone = 'Europe/Moscow'\nweekdays = ['09:00-18:00']").unwrap();
/// let monday_noon = Timestamp::from_secs(1_798_448_400);
/// assert!(hours.is_open(monday_noon));
///
/// let eight_hours = Duration::from_secs(8 * 3600);
/// let tuesday_at_11 = monday_noon + Duration::from_secs(23 * 3600);
/// assert_eq!(hours.after(monday_noon, eight_hours), Some(tuesday_at_11));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hours {
    /// At any time.
    Always,
    /// At no time.
    Never,
    /// By the days of the week.
    Weekly(Box<Weekly>),
}

/// Hours by the days of the week, with dates that differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "form::Table", into = "form::Table")]
pub struct Weekly {
    /// Whose clock is meant; absent: that of UTC, until [`Hours::or_zone`] fills it in.
    pub zone: Option<Zone>,
    /// The pattern.
    pub week: Week,
    /// Dated days with hours of their own.
    pub exceptions: Exceptions,
    /// Days on which everything is closed.
    pub holidays: Holidays,
}

/// Hours, or a part of them, that cannot be read; the text says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadHours(String);

impl BadHours {
    fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl Hours {
    /// How many days [`opens`](Self::opens), [`closes`](Self::closes) and [`after`](Self::after) look ahead of
    /// the last open instant they know before they say that there is none.
    pub const SEARCH_DAYS: u32 = 400;

    /// Fills in the zone where the hours name none.
    pub fn or_zone(&mut self, zone: &Zone) {
        if let Self::Weekly(weekly) = self {
            weekly.zone.get_or_insert_with(|| zone.clone());
        }
    }

    /// Whether it is open at an instant. Allocates nothing.
    pub fn is_open(&self, at: Timestamp) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Weekly(weekly) => weekly.is_open(at),
        }
    }

    /// The first instant at or after `at` that is open; `None` when there is none within
    /// [`SEARCH_DAYS`](Self::SEARCH_DAYS).
    pub fn opens(&self, at: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Always => Some(at),
            Self::Never => None,
            Self::Weekly(weekly) => weekly.opens(at),
        }
    }

    /// The first instant at or after `at` that is closed; `None` when there is none within
    /// [`SEARCH_DAYS`](Self::SEARCH_DAYS).
    pub fn closes(&self, at: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Always => None,
            Self::Never => Some(at),
            Self::Weekly(weekly) => weekly.closes(at),
        }
    }

    /// The first instant at or after `from` by which `work` of open time has passed.
    ///
    /// - No work is done at once: `from` itself, open or not.
    /// - Else the millisecond before the result is open; the result may be the very instant of closing: nine
    ///   hours of work from 09:00 are done at 18:00, not on the next morning.
    /// - A later `from` or more work never give an earlier result, and work may be added in parts.
    /// - Whole milliseconds count.
    ///
    /// `None` when it would stay closed for [`SEARCH_DAYS`](Self::SEARCH_DAYS) before the work is done, or time
    /// ends.
    pub fn after(&self, from: Timestamp, work: Duration) -> Option<Timestamp> {
        let work = i64::try_from(work.as_millis()).ok()?;
        let straight = from.as_millis().checked_add(work).map(Timestamp::from_millis)?;
        match self {
            _ if work == 0 => Some(from),
            Self::Always => Some(straight),
            Self::Never => None,
            Self::Weekly(weekly) => weekly.after(from, straight, work),
        }
    }

    /// The open time from `from` up to `to`; zero when `to` is not after `from`. For every work that can be
    /// done, `between(from, after(from, work))` is `work`.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> Duration {
        match self {
            Self::Always => to.since(from),
            Self::Never => Duration::ZERO,
            Self::Weekly(weekly) => weekly.between(from, to),
        }
    }

    /// The name of the exception or the holiday that rules the local day of an instant, where it has one: for
    /// a text to the customer, and for the trace.
    pub fn occasion(&self, at: Timestamp) -> Option<&str> {
        let Self::Weekly(weekly) = self else { return None };
        let day = weekly.clock_zone().clock(at).day;
        match weekly.exceptions.on(day) {
            Some(exception) => exception.name.as_deref(),
            None => weekly.holidays.on(day)?.name.as_deref(),
        }
    }

    /// What is allowed and yet hardly meant, for a linter to warn of.
    pub fn problems(&self) -> Vec<Problem> {
        match self {
            Self::Always | Self::Never => Vec::new(),
            Self::Weekly(weekly) => problem::of(weekly),
        }
    }
}

impl From<Weekly> for Hours {
    fn from(weekly: Weekly) -> Self {
        Self::Weekly(Box::new(weekly))
    }
}

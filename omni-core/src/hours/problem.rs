//! What a linter warns of.

use std::fmt;

use super::Weekly;
use super::dates::{Date, Exception};
use super::week::Span;
use super::zone::Weekday;

/// Something in the hours that is allowed and yet hardly meant. `Display` says where, what and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// Two exceptions over equally many days share a day: only the one written last holds on it.
    Doubled {
        /// The first shared day.
        date: Date,
    },
    /// No day of the week opens, and no exception does.
    NeverOpens,
    /// Two spans share a minute.
    Overlap {
        /// Where the first begins.
        place: Place,
        /// The first.
        first: Span,
        /// The other; it may begin on the day after.
        second: Span,
    },
    /// An exception ends before it begins and so covers no day.
    Reversed {
        /// Its first day.
        from: Date,
        /// Its last day.
        to: Date,
    },
}

/// Where a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// In the exception that begins on a day.
    Exception(Date),
    /// On a day of the week.
    Week(Weekday),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exception(date) => write!(f, "exception of {date}"),
            Self::Week(day) => day.fmt(f),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Doubled { date } => {
                write!(f, "exception of {date}: another one covers this day too; only the one written last holds")
            }
            Self::NeverOpens => f.write_str(
                "the hours never open: name a day such as mon = [\"09:00-18:00\"], or write \"never\" if that is \
                 meant",
            ),
            Self::Overlap { place, first, second } => {
                write!(f, "{place}: {first} and {second} overlap; write one span, or move one of them")
            }
            Self::Reversed { from, to } => {
                write!(f, "exception of {from}: it ends on {to}, before it begins; swap from and to")
            }
        }
    }
}

pub(super) fn of(weekly: &Weekly) -> Vec<Problem> {
    let mut problems = Vec::new();
    let opens = |e: &Exception| e.from <= e.to && !e.open.is_empty();
    if Weekday::ALL.iter().all(|day| weekly.week.day(*day).is_empty()) && !weekly.exceptions.iter().any(opens)
    {
        problems.push(Problem::NeverOpens);
    }
    for (day, next) in Weekday::ALL.into_iter().zip(Weekday::ALL.into_iter().cycle().skip(1)) {
        let place = Place::Week(day);
        overlaps(place, weekly.week.day(day), weekly.week.day(next), &mut problems);
    }
    for (place, exception) in weekly.exceptions.iter().enumerate() {
        if exception.to < exception.from {
            problems.push(Problem::Reversed { from: exception.from, to: exception.to });
            continue;
        }
        let next = if exception.from < exception.to { exception.open.as_slice() } else { &[] };
        overlaps(Place::Exception(exception.from), &exception.open, next, &mut problems);
        let doubled = weekly.exceptions.iter().skip(place + 1).filter(|other| {
            let as_long = other.to.days_since(other.from) == exception.to.days_since(exception.from);
            as_long && other.from <= exception.to && exception.from <= other.to
        });
        problems.extend(doubled.map(|other| Problem::Doubled { date: other.from.max(exception.from) }));
    }
    problems
}

/// The overlaps within a day, and those with the day after.
fn overlaps(place: Place, day: &[Span], next: &[Span], problems: &mut Vec<Problem>) {
    for (index, first) in day.iter().enumerate() {
        let same = day.iter().skip(index + 1).filter(|other| first.meets(**other, 0));
        let after = next.iter().filter(|other| first.meets(**other, super::week::MINUTES));
        problems.extend(same.chain(after).map(|second| Problem::Overlap {
            place,
            first: *first,
            second: *second,
        }));
    }
}

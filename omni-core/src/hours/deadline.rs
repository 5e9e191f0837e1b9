//! The arithmetic of open time.

use std::time::Duration;

use super::zone::{Clock, DAY, UTC, Weekday, Zone};
use super::{Hours, Span, Weekly};
use crate::time::Timestamp;

impl Weekly {
    pub(super) fn clock_zone(&self) -> &Zone {
        self.zone.as_ref().unwrap_or(&UTC)
    }

    /// The spans that begin on a local day.
    fn spans(&self, day: i32) -> &[Span] {
        match self.exceptions.on(day) {
            Some(exception) => &exception.open,
            None if self.holidays.on(day).is_some() => &[],
            None => self.week.day(Weekday::of_day(day)),
        }
    }

    pub(super) fn is_open(&self, at: Timestamp) -> bool {
        let zone = self.clock_zone();
        let clock = zone.clock(at);
        if clock.day < FIRST_DAY || clock.day > LAST_DAY {
            return false;
        }
        let covers = |day: i32, second: i64| self.spans(day).iter().any(|span| span.covers(second));
        // The clock alone knows, but for the time that it shows twice: what opened in its first pass stays open
        // while the clock repeats the minutes before, and what closes in the second is open through the first.
        covers(clock.day, clock.second)
            || covers(clock.day - 1, clock.second + DAY)
            || zone.is_repeated(clock) && self.openings(at, at).any(|o| o.covers(at))
    }

    pub(super) fn opens(&self, at: Timestamp) -> Option<Timestamp> {
        let last = ahead(at);
        let opening = self.openings(at, last).find(|o| o.to > at)?;
        (opening.from <= last).then(|| opening.from.max(at))
    }

    pub(super) fn closes(&self, at: Timestamp) -> Option<Timestamp> {
        let last = ahead(at);
        let mut closes = at;
        for opening in self.openings(at, last).filter(|o| o.to > at) {
            if opening.from > closes || closes > last {
                break;
            }
            closes = closes.max(opening.to);
        }
        (closes <= last).then_some(closes)
    }

    /// `straight` is when the work would be done were it always open.
    pub(super) fn after(&self, from: Timestamp, straight: Timestamp, work: i64) -> Option<Timestamp> {
        if self.clock_zone().clock(straight).day > LAST_DAY {
            return None;
        }
        let mut left = work;
        let mut done = from;
        let mut openings = self.openings(from, ahead(from));
        while let Some(opening) = openings.next() {
            if opening.to <= done {
                continue;
            }
            if opening.from > ahead(done) {
                return None;
            }
            let start = opening.from.max(done);
            let open = opening.to.as_millis() - start.as_millis();
            if left <= open {
                return Some(Timestamp::from_millis(start.as_millis() + left));
            }
            left -= open;
            done = opening.to;
            openings.look_until(ahead(done));
        }
        None
    }

    pub(super) fn between(&self, from: Timestamp, to: Timestamp) -> Duration {
        let mut total = Duration::ZERO;
        let mut counted = from;
        for opening in self.openings(from, to) {
            let end = opening.to.min(to);
            let start = opening.from.max(counted);
            if start < end {
                total += end.since(start);
                counted = end;
            }
        }
        total
    }

    /// The openings that may last at `from` or begin later, up to those that begin at `until`; a few more at
    /// both ends.
    fn openings(&self, from: Timestamp, until: Timestamp) -> Openings<'_> {
        // A span ends at most two days after its own began, and a clock may be moved back by a day.
        let day = (self.clock_zone().clock(from).day - 3).max(FIRST_DAY);
        let mut openings = Openings { weekly: self, day, last: day, found: Vec::new() };
        openings.look_until(until);
        openings
    }
}

/// The first day of the year 1.
const FIRST_DAY: i32 = -719_162;
/// The last day of the year 9998: every zone still knows what its clocks show on it.
const LAST_DAY: i32 = 2_932_531;

/// The far end of a search from an instant.
fn ahead(at: Timestamp) -> Timestamp {
    at + Duration::from_secs(u64::from(Hours::SEARCH_DAYS) * DAY.unsigned_abs())
}

/// From an instant up to, and without, another one.
#[derive(Clone, Copy)]
struct Opening {
    from: Timestamp,
    to: Timestamp,
}

impl Opening {
    fn covers(self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }
}

/// The openings, one a span, in the order of their beginning; they may overlap.
struct Openings<'a> {
    weekly: &'a Weekly,
    /// The next local day to look at.
    day: i32,
    /// The last one.
    last: i32,
    /// What the days before began and was not yet handed out, the latest first.
    found: Vec<Opening>,
}

impl Openings<'_> {
    fn look_until(&mut self, until: Timestamp) {
        self.last = (self.weekly.clock_zone().clock(until).day + 1).min(LAST_DAY);
    }

    /// One local day further. The day's openings begin before any of a later day: neither the first pass of a
    /// repeated time nor the end of a gap ever comes before an earlier time of the clock.
    fn look_at_day(&mut self) {
        let zone = self.weekly.clock_zone();
        let day = self.day;
        let at = |minute: u16| Clock { day, second: i64::from(minute) * 60 };
        self.found.extend(self.weekly.spans(day).iter().filter_map(|span| {
            let from = Timestamp::from_millis(zone.first(at(span.opens()))?);
            let to = Timestamp::from_millis(zone.last(at(span.closes()))?);
            (from < to).then_some(Opening { from, to })
        }));
        self.found.sort_unstable_by_key(|o| std::cmp::Reverse(o.from));
        self.day += 1;
    }
}

impl Iterator for Openings<'_> {
    type Item = Opening;

    fn next(&mut self) -> Option<Opening> {
        while self.found.is_empty() && self.day <= self.last {
            self.look_at_day();
        }
        self.found.pop()
    }
}

//! Holidays from an iCalendar feed (RFC 5545), such as those that states and calendar services publish.
//!
//! Every event stands for itself: what one says that is not understood costs this one only, and is told in
//! [`Feed::skipped`].

use std::borrow::Cow;
use std::fmt;

use icalendar::parser::Property;

use super::dates::{Date, Holiday, HolidayDate, digits, two};

/// Most bytes of a feed.
pub const MAX_BYTES: usize = 4 << 20;
/// Most events of a feed.
pub const MAX_EVENTS: usize = 10_000;
/// Most dated holidays that a feed may come to, repetitions counted.
pub const MAX_HOLIDAYS: usize = 50_000;
/// Most repetitions of an event that are written out one by one.
pub const MAX_REPEATS: usize = 100;
/// Most days of an event.
pub const MAX_DAYS: i32 = 366;

/// What a feed says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Feed {
    /// The holidays, a day each, in the order of the feed: for [`Weekly::holidays`](super::Weekly::holidays).
    pub holidays: Vec<Holiday>,
    /// What is not among them, and why.
    pub skipped: Vec<Skipped>,
}

/// An event that is not among the holidays, or not with all of its days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The line of the feed on which it begins, from 1.
    pub line: usize,
    /// What it is called.
    pub name: Option<String>,
    /// Why.
    pub reason: Reason,
}

/// Why an event is not among the holidays.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It was called off.
    Cancelled,
    /// It repeats without end, or very often: only its first [`MAX_REPEATS`] repetitions are there.
    Cut,
    /// It begins or ends at a time of the day: an appointment, no holiday.
    Timed,
    /// It says something that is not understood: the line, shortened.
    Unclear(String),
    /// The feed ends, or another event begins, before it ends.
    Unfinished,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, {:?}: ", self.line, self.name.as_deref().unwrap_or_default())?;
        match &self.reason {
            Reason::Cancelled => f.write_str("cancelled"),
            Reason::Cut => write!(f, "only the first {MAX_REPEATS} repetitions are taken"),
            Reason::Timed => f.write_str("not of whole days"),
            Reason::Unclear(what) => write!(f, "not understood: {what}"),
            Reason::Unfinished => f.write_str("it does not end"),
        }
    }
}

/// Why a feed as a whole cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IcalError {
    /// It is something else: a page of HTML, an error.
    #[error("this is not an iCalendar feed: it has no line BEGIN:VCALENDAR")]
    NotACalendar,
    /// It is longer than [`MAX_BYTES`].
    #[error("the feed is too long: at most {MAX_BYTES} bytes")]
    TooLong,
    /// It has more than [`MAX_EVENTS`] events or comes to more than [`MAX_HOLIDAYS`] days.
    #[error("the feed is too large: at most {MAX_EVENTS} events and {MAX_HOLIDAYS} days")]
    TooLarge,
}

/// Reads the holidays of a feed.
///
/// - An event of whole days is a holiday on each of them; its end is exclusive, its `SUMMARY` is the name.
/// - `RRULE` with `FREQ=YEARLY` is understood, with `INTERVAL`, `COUNT`, `UNTIL` and a `BYMONTH` and
///   `BYMONTHDAY` that say the date once more. Without an end it becomes a date of every year, also of the years
///   before its first; else, or with an `EXDATE`, its days are written out, at most [`MAX_REPEATS`] times.
/// - Cancelled events, those with times of the day and those with other rules are in [`Feed::skipped`].
///
/// # Errors
/// When it is no calendar, or above the limits of this module.
pub fn holidays(text: &str) -> Result<Feed, IcalError> {
    if text.len() > MAX_BYTES {
        return Err(IcalError::TooLong);
    }
    let mut reader = Reader::default();
    let mut is_calendar = false;
    for (number, line) in unfolded(text.trim_start_matches('\u{feff}')) {
        is_calendar = is_calendar || line.trim_end().eq_ignore_ascii_case("BEGIN:VCALENDAR");
        reader.line(number, &line)?;
    }
    reader.unfinished();
    if is_calendar { Ok(reader.feed) } else { Err(IcalError::NotACalendar) }
}

/// The logical lines with the numbers of their first real ones: a line that begins with a blank continues the
/// one before it.
fn unfolded(text: &str) -> impl Iterator<Item = (usize, Cow<'_, str>)> {
    let mut lines = text.lines().enumerate().peekable();
    std::iter::from_fn(move || {
        let (number, line) = lines.next()?;
        let mut whole = Cow::Borrowed(line);
        while let Some((_, more)) = lines.next_if(|(_, next)| next.starts_with([' ', '\t'])) {
            whole.to_mut().push_str(more.get(1..).unwrap_or_default());
        }
        Some((number + 1, whole))
    })
}

#[derive(Default)]
struct Reader {
    feed: Feed,
    events: usize,
    event: Option<Event>,
}

/// The lines of an event that matter.
#[derive(Default)]
struct Event {
    line: usize,
    /// How many components within it are open: alarms.
    within: usize,
    name: Option<String>,
    cancelled: bool,
    start: Option<String>,
    end: Option<String>,
    duration: Option<String>,
    rule: Option<String>,
    except: Vec<String>,
    /// A line whose meaning is known not to be understood.
    unclear: Option<String>,
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) -> Result<(), IcalError> {
        let name = line.split([':', ';']).next().unwrap_or_default().to_ascii_uppercase();
        let component = line.split_once(':').map_or("", |(_, component)| component.trim());
        let is_event = component.eq_ignore_ascii_case("VEVENT");
        match (name.as_str(), &mut self.event) {
            ("BEGIN", _) if is_event => {
                self.unfinished();
                self.events += 1;
                if self.events > MAX_EVENTS {
                    return Err(IcalError::TooLarge);
                }
                self.event = Some(Event { line: number, ..Event::default() });
            }
            ("END", Some(_)) if is_event => return self.finish(),
            ("BEGIN", Some(event)) => event.within += 1,
            ("END", Some(event)) => event.within = event.within.saturating_sub(1),
            (_, Some(event)) if event.within == 0 => event.read(&name, line),
            _ => {}
        }
        Ok(())
    }

    fn unfinished(&mut self) {
        if let Some(event) = self.event.take() {
            self.skip(event, Reason::Unfinished);
        }
    }

    fn finish(&mut self) -> Result<(), IcalError> {
        let Some(event) = self.event.take() else { return Ok(()) };
        match event.dates() {
            Ok((dates, whole)) => {
                if self.feed.holidays.len() + dates.len() > MAX_HOLIDAYS {
                    return Err(IcalError::TooLarge);
                }
                let named = dates.into_iter().map(|date| Holiday { date, name: event.name.clone() });
                self.feed.holidays.extend(named);
                if !whole {
                    self.skip(event, Reason::Cut);
                }
            }
            Err(reason) => self.skip(event, reason),
        }
        Ok(())
    }

    fn skip(&mut self, event: Event, reason: Reason) {
        self.feed.skipped.push(Skipped { line: event.line, name: event.name, reason });
    }
}

impl Event {
    fn read(&mut self, name: &str, line: &str) {
        if !READ.contains(&name) {
            return;
        }
        let Ok(property) = Property::try_from(line) else {
            return self.not_understood(line);
        };
        let value = property.val.as_str().trim();
        let slot = match name {
            "SUMMARY" => return self.name = (!value.is_empty()).then(|| value.to_owned()),
            "STATUS" => return self.cancelled = value.eq_ignore_ascii_case("CANCELLED"),
            "EXDATE" => return self.except.extend(value.split(',').map(str::to_owned)),
            "DTSTART" => &mut self.start,
            "DTEND" => &mut self.end,
            "DURATION" => &mut self.duration,
            "RRULE" => &mut self.rule,
            _ => return self.not_understood(line),
        };
        if slot.replace(value.to_owned()).is_some() {
            self.not_understood(line);
        }
    }

    fn not_understood(&mut self, line: &str) {
        self.unclear.get_or_insert_with(|| line.to_owned());
    }

    /// The days, and whether they are all of them.
    fn dates(&self) -> Result<(Vec<HolidayDate>, bool), Reason> {
        if self.cancelled {
            return Err(Reason::Cancelled);
        }
        if let Some(line) = &self.unclear {
            return Err(unclear("", line));
        }
        let start = day("DTSTART", self.start.as_deref().unwrap_or_default())?;
        let last = self.days(start)? - 1;
        let days = |first: Date| (0..=last).filter_map(move |n| first.plus_days(n));
        let Some(text) = &self.rule else {
            return Ok((days(start).map(HolidayDate::On).collect(), true));
        };
        let rule = Rule::read(text, start).ok_or_else(|| unclear("RRULE:", text))?;
        let except = self.except.iter().map(|text| {
            let date = text.trim().get(..8).and_then(compact);
            date.ok_or_else(|| unclear("EXDATE:", text))
        });
        let except: Vec<Date> = except.collect::<Result<_, _>>()?;
        // From February into March an event of several days is not on the same dates of every year.
        let moves = last > 0 && days(start).any(|d| (d.month(), d.day()) == (3, 1)) && start.month() != 3;
        if rule.is_plain() && except.is_empty() && !moves {
            let yearly = days(start).map(|d| HolidayDate::Yearly { month: d.month(), day: d.day() });
            return Ok((yearly.collect(), true));
        }
        let mut firsts = rule.firsts(start);
        let kept = firsts.by_ref().take(MAX_REPEATS).filter(|first| !except.contains(first));
        let dates: Vec<_> = kept.flat_map(days).map(HolidayDate::On).collect();
        match firsts.next() {
            None if dates.is_empty() => Err(unclear("never happens by RRULE:", text)),
            next => Ok((dates, next.is_none())),
        }
    }

    /// How many days it lasts.
    fn days(&self, start: Date) -> Result<i32, Reason> {
        let (line, days) = match (&self.end, &self.duration) {
            (Some(end), _) => (format!("DTEND:{end}"), Some(day("DTEND", end)?.days_since(start))),
            (None, Some(duration)) => (format!("DURATION:{duration}"), whole_days(duration)),
            (None, None) => return Ok(1),
        };
        // Some feeds end an event of one day on that very day.
        let days = days.filter(|days| (0..=MAX_DAYS).contains(days));
        days.map(|days| days.max(1)).ok_or_else(|| unclear("", &line))
    }
}

/// The properties of an event that say which days it is about. Of the last three all that is known is that they
/// change the days.
const READ: [&str; 10] = [
    "DTSTART",
    "DTEND",
    "DURATION",
    "EXDATE",
    "RRULE",
    "STATUS",
    "SUMMARY",
    "EXRULE",
    "RDATE",
    "RECURRENCE-ID",
];

/// A rule of every year, or every few.
struct Rule {
    interval: u16,
    count: Option<usize>,
    until: Option<Date>,
}

impl Rule {
    fn read(text: &str, start: Date) -> Option<Self> {
        let mut rule = Self { interval: 1, count: None, until: None };
        let mut yearly = false;
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=')?;
            match key.to_ascii_uppercase().as_str() {
                "FREQ" => yearly = value.eq_ignore_ascii_case("YEARLY"),
                "INTERVAL" => rule.interval = value.parse().ok().filter(|n| *n > 0)?,
                "COUNT" => rule.count = Some(value.parse().ok()?),
                "UNTIL" => rule.until = Some(compact(value.get(..8)?)?),
                "BYMONTH" if value.parse() == Ok(start.month()) => {}
                "BYMONTHDAY" if value.parse() == Ok(start.day()) => {}
                "WKST" => {}
                _ => return None,
            }
        }
        yearly.then_some(rule)
    }

    /// Whether it is every year, without end.
    fn is_plain(&self) -> bool {
        self.interval == 1 && self.count.is_none() && self.until.is_none()
    }

    /// The first days of the repetitions: a year without the date has none.
    fn firsts(&self, start: Date) -> impl Iterator<Item = Date> {
        let until = self.until;
        (start.year()..=9999)
            .step_by(usize::from(self.interval))
            .filter_map(move |year| Date::new(year, start.month(), start.day()))
            .take_while(move |first| until.is_none_or(|until| *first <= until))
            .take(self.count.unwrap_or(usize::MAX))
    }
}

/// A day as `20270101`.
fn day(property: &str, value: &str) -> Result<Date, Reason> {
    match compact(value) {
        Some(date) => Ok(date),
        None if value.get(..8).and_then(compact).is_some() && value.get(8..9) == Some("T") => {
            Err(Reason::Timed)
        }
        None => Err(unclear(&format!("{property}:"), value)),
    }
}

fn compact(text: &str) -> Option<Date> {
    let (year, rest) = text.split_at_checked(4)?;
    let (month, day) = rest.split_at_checked(2)?;
    Date::new(i16::try_from(digits(year, 4)?).ok()?, two(month)?, two(day)?)
}

/// The days of a duration such as `P1D`, `P2W`, `P1DT0S`; `None` for part of a day.
fn whole_days(text: &str) -> Option<i32> {
    let length = text.strip_prefix('+').unwrap_or(text).strip_prefix('P')?;
    let (days, time) = length.split_once('T').unwrap_or((length, ""));
    let no_time = time.chars().all(|c| matches!(c, '0' | 'H' | 'M' | 'S'));
    let days = match days.strip_suffix('W') {
        Some(weeks) => weeks.parse::<i32>().ok()?.checked_mul(7)?,
        None => days.strip_suffix('D')?.parse().ok()?,
    };
    no_time.then_some(days)
}

fn unclear(property: &str, text: &str) -> Reason {
    Reason::Unclear(property.chars().chain(text.chars()).take(120).collect())
}

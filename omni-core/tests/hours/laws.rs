//! What holds for all hours, in several zones and around the nights in which clocks are moved.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use omni_core::Timestamp;
use omni_core::hours::{Date, Exception, Holiday, HolidayDate, Hours, Span, Week, Weekly};
use proptest::prelude::*;

const MINUTE: i64 = 60_000;
const DAY: i64 = 1440 * MINUTE;

/// Zones, and local nights in which their clocks are moved.
const NIGHTS: [(&str, [&str; 2]); 6] = [
    ("America/New_York", ["2026-03-08T02:00", "2026-11-01T02:00"]),
    ("America/Santiago", ["2026-04-04T23:00", "2026-09-06T00:00"]),
    ("Australia/Lord_Howe", ["2026-04-05T02:00", "2026-10-04T02:00"]),
    ("Europe/Berlin", ["2026-03-29T02:00", "2026-10-25T03:00"]),
    ("Europe/Moscow", ["2011-03-27T02:00", "2014-10-26T02:00"]),
    ("UTC", ["2027-01-01T00:00", "2028-02-29T00:00"]),
];

/// A zone and an instant near one of its nights, to the minute.
fn night() -> impl Strategy<Value = (&'static str, i64)> {
    (0..NIGHTS.len(), 0..2usize, -2 * 1440..2 * 1440i64).prop_map(|(zone, night, minutes)| {
        let (zone, nights) = NIGHTS[zone];
        let middle: DateTime = nights[night].parse().unwrap();
        let middle = TimeZone::get(zone).unwrap().to_timestamp(middle).unwrap().as_millisecond();
        (zone, middle + minutes * MINUTE)
    })
}

/// A span, often with an end in the hours in which clocks are moved.
fn span() -> impl Strategy<Value = Span> {
    let minute = || prop_oneof![0..1440u16, 60..240u16, 60..240u16];
    (minute(), minute()).prop_filter_map("empty", |(opens, closes)| Span::new(opens, closes).ok())
}

fn spans() -> impl Strategy<Value = Vec<Span>> {
    prop::collection::vec(span(), 0..3)
}

fn week() -> impl Strategy<Value = Week> {
    prop::array::uniform7(spans()).prop_map(
        |[monday, tuesday, wednesday, thursday, friday, saturday, sunday]| Week {
            monday,
            tuesday,
            wednesday,
            thursday,
            friday,
            saturday,
            sunday,
        },
    )
}

/// A week with exceptions and holidays about a day.
fn weekly(zone: &'static str, about: i64) -> impl Strategy<Value = Weekly> {
    let date = move || {
        let day = jiff::Timestamp::from_millisecond(about).unwrap().to_zoned(TimeZone::UTC).date();
        let day = Date::new(day.year(), day.month() as u8, day.day() as u8).unwrap();
        (-4..4i32).prop_map(move |days| day.plus_days(days).unwrap())
    };
    let name = || prop::option::of("[а-яА-Я ]{1,9}".prop_map(String::from));
    let exception = (date(), -1..4i32, spans(), name()).prop_map(|(from, days, open, name)| Exception {
        from,
        to: from.plus_days(days).unwrap(),
        open,
        name,
    });
    let holiday = (date(), any::<bool>(), name()).prop_map(|(date, yearly, name)| {
        let yearly = yearly.then(|| HolidayDate::Yearly { month: date.month(), day: date.day() });
        Holiday { date: yearly.unwrap_or(HolidayDate::On(date)), name }
    });
    let exceptions = prop::collection::vec(exception, 0..4);
    let holidays = prop::collection::vec(holiday, 0..3);
    (week(), exceptions, holidays).prop_map(move |(week, exceptions, holidays)| Weekly {
        zone: Some(zone.parse().unwrap()),
        week,
        exceptions: exceptions.into(),
        holidays: holidays.into(),
    })
}

prop_compose! {
    /// Hours and an instant near a night in which their clocks are moved.
    fn situation()(night in night())(weekly in weekly(night.0, night.1), at in Just(night.1)) -> (Weekly, i64) {
        (weekly, at)
    }
}

/// The spans of a local day, by the rules as they are told.
fn told(weekly: &Weekly, day: Date) -> Vec<Span> {
    let covers = |e: &&Exception| e.from <= day && day <= e.to;
    // `min_by_key` keeps the first of equals, hence the turn.
    let exception = weekly.exceptions.iter().rev().filter(covers).min_by_key(|e| e.to.days_since(e.from));
    let is_holiday = weekly.holidays.iter().any(|h| match h.date {
        HolidayDate::On(date) => date == day,
        HolidayDate::Yearly { month, day: of_month } => (day.month(), day.day()) == (month, of_month),
    });
    match exception {
        Some(exception) => exception.open.clone(),
        None if is_holiday => Vec::new(),
        None => {
            let first = Date::new(2026, 12, 28).unwrap();
            let weekday = day.days_since(first).rem_euclid(7);
            let Week { monday, tuesday, wednesday, thursday, friday, saturday, sunday } = &weekly.week;
            [monday, tuesday, wednesday, thursday, friday, saturday, sunday][weekday as usize].clone()
        }
    }
}

/// The instants at which hours open and close about an instant, found by looking at the clock of every minute.
fn openings(weekly: &Weekly, about: i64) -> Vec<(i64, i64)> {
    let zone = TimeZone::get(weekly.zone.as_ref().unwrap().name()).unwrap();
    let shown = |at: i64| zone.to_datetime(jiff::Timestamp::from_millisecond(at).unwrap());
    let today = shown(about).date();
    let mut openings = Vec::new();
    for days in -3..=3i64 {
        let date = today.checked_add(jiff::Span::new().days(days)).unwrap();
        let face = |minute: u16| {
            date.at(0, 0, 0, 0).checked_add(jiff::Span::new().minutes(i64::from(minute))).unwrap()
        };
        for span in told(weekly, Date::new(date.year(), date.month() as u8, date.day() as u8).unwrap()) {
            let near = |minute: u16| {
                let at = face(minute).to_zoned(zone.clone()).unwrap().timestamp().as_millisecond();
                (-180..180).map(move |minutes| at + minutes * MINUTE)
            };
            let (opens, closes) = (face(span.opens()), face(span.closes()));
            let opening = near(span.opens()).find(|at| shown(*at) >= opens).unwrap();
            let closing = near(span.closes()).rfind(|at| shown(*at) == closes);
            let skipped = near(span.closes()).find(|at| shown(*at) > closes).unwrap();
            openings.push((opening, closing.unwrap_or(skipped)));
        }
    }
    openings
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn before(at: Timestamp) -> Timestamp {
    at - Duration::from_millis(1)
}

proptest! {
    #[test]
    fn open_is_what_the_clocks_of_the_shifts_say((weekly, about) in situation(), seconds in 0..60_000i64) {
        let openings = openings(&weekly, about);
        let hours = Hours::from(weekly);
        for millis in (about - DAY..about + DAY).step_by(7 * MINUTE as usize).map(|t| t + seconds) {
            let open = openings.iter().any(|(from, to)| *from <= millis && millis < *to);
            prop_assert_eq!(hours.is_open(at(millis)), open, "at {}", millis);
        }
        for millis in openings.iter().flat_map(|(from, to)| [*from, *from - 1, *to, *to - 1]) {
            if (millis - about).abs() < DAY {
                let open = openings.iter().any(|(from, to)| *from <= millis && millis < *to);
                prop_assert_eq!(hours.is_open(at(millis)), open, "at {}", millis);
            }
        }
    }

    #[test]
    fn opening_and_closing_are_the_first_of_their_kind((weekly, now) in situation(), millis in 0..MINUTE) {
        let hours = Hours::from(weekly);
        let now = at(now + millis);
        if let Some(opens) = hours.opens(now) {
            prop_assert!(opens >= now);
            prop_assert!(hours.is_open(opens));
            prop_assert_eq!(hours.between(now, opens), Duration::ZERO);
        }
        if let Some(closes) = hours.closes(now) {
            prop_assert!(closes >= now);
            prop_assert!(!hours.is_open(closes));
            prop_assert_eq!(hours.between(now, closes), closes.since(now));
        }
        prop_assert_eq!(hours.is_open(now), hours.opens(now) == Some(now));
        prop_assert_eq!(hours.is_open(now), hours.closes(now) != Some(now));
    }

    #[test]
    fn no_work_is_done_at_once((weekly, from) in situation()) {
        prop_assert_eq!(Hours::from(weekly).after(at(from), Duration::ZERO), Some(at(from)));
    }

    #[test]
    fn work_is_done_in_open_time_and_at_the_first_instant(
        (weekly, from) in situation(), work in 1..5 * DAY as u64,
    ) {
        let hours = Hours::from(weekly);
        let (from, work) = (at(from), Duration::from_millis(work));
        match hours.after(from, work) {
            Some(done) => {
                prop_assert!(hours.is_open(before(done)));
                prop_assert_eq!(hours.between(from, done), work);
                prop_assert_eq!(hours.between(from, before(done)), work - Duration::from_millis(1));
            }
            None => prop_assert!(hours.between(from, from + Duration::from_millis(400 * DAY as u64)) < work),
        }
    }

    #[test]
    fn more_work_and_a_later_start_are_never_done_earlier(
        (weekly, from) in situation(), work in 0..3 * DAY as u64, more in 0..DAY as u64, later in 0..DAY as u64,
    ) {
        let hours = Hours::from(weekly);
        let (work, more) = (Duration::from_millis(work), Duration::from_millis(more));
        let done = hours.after(at(from), work);
        let harder = hours.after(at(from), work + more);
        if let (Some(done), Some(harder)) = (done, harder) {
            prop_assert!(done <= harder);
        }
        prop_assert!(done.is_some() || harder.is_none());
        if let (Some(done), Some(late)) = (done, hours.after(at(from) + Duration::from_millis(later), work)) {
            prop_assert!(done <= late);
        }
    }

    #[test]
    fn work_may_be_added_in_parts(
        (weekly, from) in situation(), first in 0..3 * DAY as u64, second in 0..3 * DAY as u64,
    ) {
        let hours = Hours::from(weekly);
        let (first, second) = (Duration::from_millis(first), Duration::from_millis(second));
        let parts = hours.after(at(from), first).and_then(|then| hours.after(then, second));
        prop_assert_eq!(parts, hours.after(at(from), first + second));
    }

    #[test]
    fn open_time_is_the_sum_of_the_open_minutes((weekly, from) in situation(), length in 1..2000i64, cut in 0..2000i64) {
        let hours = Hours::from(weekly);
        let minutes = (0..length).filter(|m| hours.is_open(at(from + m * MINUTE))).count() as u64;
        let (start, end) = (at(from), at(from + length * MINUTE));
        prop_assert_eq!(hours.between(start, end), Duration::from_secs(60 * minutes));
        let middle = at(from + cut.min(length) * MINUTE);
        prop_assert_eq!(hours.between(start, middle) + hours.between(middle, end), hours.between(start, end));
        prop_assert_eq!(hours.between(end, start), Duration::ZERO);
    }

    #[test]
    fn hours_survive_being_written((weekly, _) in situation()) {
        let hours = Hours::from(weekly);
        let json = serde_json::to_string(&hours).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Hours>(&json).unwrap(), &hours);
        let toml = toml::to_string(&hours).unwrap();
        prop_assert_eq!(&toml::from_str::<Hours>(&toml).unwrap(), &hours);
    }

    #[test]
    fn any_text_is_read_or_refused_and_never_a_trap(text in "\\PC{0,20}", times in "[0-9:-]{0,12}") {
        for text in [text, times] {
            let _ = (text.parse::<Span>(), text.parse::<Date>(), text.parse::<HolidayDate>());
            let _ = text.parse::<omni_core::hours::Zone>();
        }
    }
}

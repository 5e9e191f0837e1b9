//! Holidays from iCalendar feeds.

use std::fmt::Write;

use omni_core::hours::ical::{Feed, IcalError, MAX_BYTES, MAX_EVENTS, MAX_REPEATS, Reason, holidays};
use omni_core::hours::{Hours, Week, Weekly};
use proptest::prelude::*;

use crate::at;

/// A feed of events, each given by its lines.
fn feed(events: &[&str]) -> String {
    let mut text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nX-WR-CALNAME:Праздники России\r\n".to_owned();
    for event in events {
        let lines = event.replace('\n', "\r\n");
        write!(text, "BEGIN:VEVENT\r\n{lines}\r\nEND:VEVENT\r\n").unwrap();
    }
    text + "END:VCALENDAR\r\n"
}

fn read(event: &str) -> Feed {
    holidays(&feed(&[event])).unwrap()
}

/// The days of an event, as they are written in a file.
fn days(event: &str) -> Vec<String> {
    let feed = read(event);
    assert_eq!(feed.skipped, [], "{event}");
    feed.holidays.iter().map(|h| h.date.to_string()).collect()
}

/// Why an event gave no day.
fn reason(event: &str) -> Reason {
    let feed = read(event);
    assert_eq!(feed.holidays, [], "{event}");
    feed.skipped[0].reason.clone()
}

#[test]
fn a_whole_day_is_a_holiday_with_its_name() {
    let feed =
        read("DTSTART;VALUE=DATE:20270223\nDTEND;VALUE=DATE:20270224\nSUMMARY:День защитника\\, выходной");
    assert_eq!(feed.skipped, []);
    assert_eq!(feed.holidays.len(), 1);
    assert_eq!(feed.holidays[0].date.to_string(), "2027-02-23");
    assert_eq!(feed.holidays[0].name.as_deref(), Some("День защитника, выходной"));
}

#[test]
fn the_end_is_exclusive_and_may_be_a_length() {
    let new_year = ["2026-12-31", "2027-01-01", "2027-01-02"];
    assert_eq!(days("DTSTART;VALUE=DATE:20261231\nDTEND;VALUE=DATE:20270103"), new_year);
    assert_eq!(days("DTSTART;VALUE=DATE:20261231\nDURATION:P3D"), new_year);
    assert_eq!(days("DTSTART:20261231\nDURATION:P3DT0H0M0S"), new_year);
    assert_eq!(days("DTSTART;VALUE=DATE:20261231\nDURATION:P2W").len(), 14);
    assert_eq!(days("DTSTART;VALUE=DATE:20261231"), ["2026-12-31"]);
    assert_eq!(days("DTSTART;VALUE=DATE:20261231\nDTEND;VALUE=DATE:20261231"), ["2026-12-31"]);
}

#[test]
fn folded_lines_of_either_ending_are_one() {
    let text = feed(&["DTSTART;VAL\n UE=DATE:2027\n\t0101\nSUMMARY:Новый\n  год и ка\n никулы"]);
    for text in [text.clone(), text.replace("\r\n", "\n"), format!("\u{feff}{text}")] {
        let feed = holidays(&text).unwrap();
        assert_eq!(feed.holidays[0].date.to_string(), "2027-01-01");
        assert_eq!(feed.holidays[0].name.as_deref(), Some("Новый год и каникулы"));
    }
}

#[test]
fn a_yearly_event_is_a_date_of_every_year() {
    assert_eq!(days("DTSTART;VALUE=DATE:20200509\nRRULE:FREQ=YEARLY"), ["05-09"]);
    assert_eq!(
        days("DTSTART;VALUE=DATE:20200509\nRRULE:FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=9;WKST=MO"),
        ["05-09"]
    );
    assert_eq!(
        days("DTSTART;VALUE=DATE:20200101\nDURATION:P2D\nRRULE:FREQ=YEARLY;INTERVAL=1"),
        ["01-01", "01-02"]
    );
    assert_eq!(days("DTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY"), ["02-29"]);
}

#[test]
fn a_yearly_event_with_an_end_is_written_out() {
    let of = |rule: &str| days(&format!("DTSTART;VALUE=DATE:20250509\nRRULE:FREQ=YEARLY;{rule}"));
    assert_eq!(of("COUNT=2"), ["2025-05-09", "2026-05-09"]);
    assert_eq!(of("UNTIL=20270509"), ["2025-05-09", "2026-05-09", "2027-05-09"]);
    assert_eq!(of("UNTIL=20270508T210000Z"), ["2025-05-09", "2026-05-09"]);
    assert_eq!(of("INTERVAL=2;COUNT=3"), ["2025-05-09", "2027-05-09", "2029-05-09"]);
    let leap = "DTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY;COUNT=2";
    assert_eq!(days(leap), ["2024-02-29", "2028-02-29"]);
    let except =
        "DTSTART;VALUE=DATE:20250509\nRRULE:FREQ=YEARLY;COUNT=3\nEXDATE;VALUE=DATE:20260509,20300101";
    assert_eq!(days(except), ["2025-05-09", "2027-05-09"]);
}

#[test]
fn what_repeats_without_end_and_has_no_date_of_every_year_is_cut_and_told() {
    for event in [
        "DTSTART;VALUE=DATE:20250509\nRRULE:FREQ=YEARLY;INTERVAL=2",
        "DTSTART;VALUE=DATE:20250509\nRRULE:FREQ=YEARLY;COUNT=101",
        "DTSTART;VALUE=DATE:20250509\nDURATION:P1D\nRRULE:FREQ=YEARLY\nEXDATE:20240509",
    ] {
        let feed = read(event);
        assert_eq!(feed.holidays.len(), MAX_REPEATS, "{event}");
        assert_eq!(feed.skipped[0].reason, Reason::Cut, "{event}");
    }
    // From the 28th of February, three days: to the 1st of March or to the 2nd.
    let february = read("DTSTART;VALUE=DATE:20270228\nDURATION:P3D\nRRULE:FREQ=YEARLY");
    assert_eq!(february.holidays.len(), 3 * MAX_REPEATS);
    assert_eq!(february.holidays[5].date.to_string(), "2028-03-01");
}

#[test]
fn what_is_no_holiday_is_told() {
    let day = "DTSTART;VALUE=DATE:20270101\n";
    assert_eq!(reason(&format!("{day}STATUS:CANCELLED")), Reason::Cancelled);
    assert_eq!(reason("DTSTART;TZID=Europe/Moscow:20270101T090000\nDTEND:20270101T100000"), Reason::Timed);
    assert_eq!(reason("DTSTART:20270101T000000Z"), Reason::Timed);
    for line in [
        "RRULE:FREQ=MONTHLY",
        "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
        "RRULE:FREQ=YEARLY;BYMONTHDAY=2",
        "RRULE:FREQ=YEARLY;INTERVAL=0",
        "RRULE:ежегодно",
        "RDATE;VALUE=DATE:20280101",
        "RECURRENCE-ID;VALUE=DATE:20270101",
        "DTEND:20260101",
        "DTEND:20290101",
        "DURATION:PT8H",
        "DURATION:P-1D",
        "DURATION:P99999999999D",
    ] {
        assert_eq!(reason(&format!("{day}{line}")), Reason::Unclear(line.to_owned()), "{line}");
    }
    assert_eq!(reason("SUMMARY:Когда-нибудь"), Reason::Unclear("DTSTART:".into()));
    assert_eq!(reason("DTSTART:завтра"), Reason::Unclear("DTSTART:завтра".into()));
    assert!(matches!(reason(&format!("{day}DTSTART:20270102")), Reason::Unclear(_)));
    assert!(matches!(reason(&format!("{day}RRULE:FREQ=YEARLY;COUNT=0")), Reason::Unclear(_)));
    assert!(matches!(reason(&format!("{day}RRULE:FREQ=YEARLY;COUNT=2\nEXDATE:скоро")), Reason::Unclear(_)));
}

#[test]
fn one_bad_event_costs_only_itself() {
    let text = feed(&["DTSTART:20270101", "SUMMARY:Встреча\nDTSTART:20270102T090000Z", "DTSTART:20270103"]);
    let feed = holidays(&text).unwrap();
    assert_eq!(
        feed.holidays.iter().map(|h| h.date.to_string()).collect::<Vec<_>>(),
        ["2027-01-01", "2027-01-03"]
    );
    assert_eq!(
        feed.skipped.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["line 7, \"Встреча\": not of whole days"]
    );
}

#[test]
fn an_event_that_does_not_end_is_told() {
    let text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20270101\nBEGIN:VEVENT\nDTSTART:20270102\nEND:VEVENT\n\
                BEGIN:VEVENT\nSUMMARY:Обрыв";
    let feed = holidays(text).unwrap();
    assert_eq!(feed.holidays.len(), 1);
    let lines: Vec<_> = feed.skipped.iter().map(|s| (s.line, s.reason.clone())).collect();
    assert_eq!(lines, [(2, Reason::Unfinished), (7, Reason::Unfinished)]);
}

#[test]
fn what_stands_in_an_alarm_or_beside_the_events_is_not_read() {
    let event =
        "DTSTART:20270101\nBEGIN:VALARM\nDURATION:PT5M\nSUMMARY:Напоминание\nEND:VALARM\nSUMMARY:Новый год";
    let text = feed(&[event]).replace(
        "BEGIN:VEVENT",
        "BEGIN:VTIMEZONE\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nRRULE:FREQ=YEARLY\r\nEND:STANDARD\r\n\
         END:VTIMEZONE\r\nBEGIN:VEVENT",
    );
    let feed = holidays(&text).unwrap();
    assert_eq!((feed.holidays.len(), feed.skipped.len()), (1, 0));
    assert_eq!(feed.holidays[0].name.as_deref(), Some("Новый год"));
}

#[test]
fn what_is_no_calendar_or_too_large_is_refused() {
    assert_eq!(holidays("<!doctype html><title>Вход</title>"), Err(IcalError::NotACalendar));
    assert_eq!(holidays(""), Err(IcalError::NotACalendar));
    assert_eq!(holidays(&"x".repeat(MAX_BYTES + 1)), Err(IcalError::TooLong));
    let event = ["DTSTART:20270101"];
    assert_eq!(holidays(&feed(&event.repeat(MAX_EVENTS))).unwrap().holidays.len(), MAX_EVENTS);
    assert_eq!(holidays(&feed(&event.repeat(MAX_EVENTS + 1))), Err(IcalError::TooLarge));
    let long = ["DTSTART:20270101\nDURATION:P366D\nRRULE:FREQ=YEARLY;COUNT=100"];
    assert_eq!(holidays(&feed(&long.repeat(2))), Err(IcalError::TooLarge));
}

#[test]
fn nesting_without_end_and_one_endless_line_are_no_trap() {
    let deep = format!("BEGIN:VCALENDAR\n{}", "BEGIN:A\n".repeat(400_000));
    assert_eq!(holidays(&deep), Ok(Feed::default()));
    let within = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{}", "BEGIN:A\n".repeat(400_000));
    assert_eq!(holidays(&within).unwrap().skipped.len(), 1);
    let long = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;X={}", "\"a\",".repeat(900_000));
    assert_eq!(holidays(&long).unwrap().skipped.len(), 1);
}

#[test]
fn a_feed_closes_a_week() {
    let weekly = Weekly {
        zone: Some("Europe/Moscow".parse().unwrap()),
        week: Week::every_day(["09:00-18:00".parse().unwrap()]),
        holidays: read("DTSTART:20260101\nDURATION:P8D\nRRULE:FREQ=YEARLY").holidays.into(),
        ..Weekly::default()
    };
    let opens = Hours::from(weekly).opens(at("2027-12-31T18:00:00+03:00"));
    assert_eq!(opens, Some(at("2028-01-09T09:00:00+03:00")));
}

const WHOLE: &str = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20270101\r\nDTEND;VALUE=DATE:20270109\r\n\
                     SUMMARY;LANGUAGE=\"ru\":Новогодние\r\n  каникулы\r\nRRULE:FREQ=YEARLY;UNTIL=20300101;INTERVAL=1\r\n\
                     EXDATE:20280101\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}", lines in "(BEGIN|END|DTSTART|RRULE|[:;=,\"T0-9PDW\\\\ \r\n]){0,80}") {
        let _ = holidays(&text);
        let _ = holidays(&format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{lines}\nEND:VEVENT"));
        let _ = holidays(&format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20270101\nRRULE:{lines}\nEND:VEVENT"));
    }

    #[test]
    fn a_damaged_feed_gives_days_or_says_why(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), "[:;=,A-ZТ0-9\r\n]{0,3}"), 1..6),
    ) {
        let mut text: Vec<char> = WHOLE.chars().collect();
        for (place, instead) in cuts {
            let place = place.index(text.len());
            text.splice(place..=place, instead.chars());
        }
        let text: String = text.into_iter().collect();
        let events = text.lines().filter(|line| *line == "BEGIN:VEVENT").count();
        if let Ok(feed) = holidays(&text) {
            prop_assert!(feed.holidays.len() + feed.skipped.len() >= events);
        }
    }
}

//! What a wall clock promises is kept where clocks are moved.

use omni_core::hours::{Local, Weekday, Zone};

use crate::{assert_open, at, hours, minutes};

#[test]
fn moscow_has_no_summer_time() {
    let hours = hours("zone = \"Europe/Moscow\"\nevery_day = [\"09:00-18:00\"]");
    for day in ["2026-01-15", "2026-03-29", "2026-07-15", "2026-10-25"] {
        assert_open(&hours, &[(&format!("{day}T09:00:00+03:00"), &format!("{day}T18:00:00+03:00"))]);
    }
}

#[test]
fn a_shift_keeps_its_local_times_on_both_sides_of_the_change() {
    let hours = hours("zone = \"Europe/Berlin\"\nevery_day = [\"09:00-18:00\"]");
    assert_open(
        &hours,
        &[
            ("2026-03-28T09:00:00+01:00", "2026-03-28T18:00:00+01:00"),
            ("2026-03-29T09:00:00+02:00", "2026-03-29T18:00:00+02:00"),
        ],
    );
    assert_open(
        &hours,
        &[
            ("2026-10-24T09:00:00+02:00", "2026-10-24T18:00:00+02:00"),
            ("2026-10-25T09:00:00+01:00", "2026-10-25T18:00:00+01:00"),
        ],
    );
}

#[test]
fn a_night_shift_is_an_hour_shorter_in_spring_and_longer_in_autumn() {
    let hours = hours("zone = \"Europe/Berlin\"\nevery_day = [\"22:00-06:00\"]");
    let night = |from, to| hours.between(at(from), at(to));
    assert_eq!(night("2026-03-28T12:00:00+01:00", "2026-03-29T12:00:00+02:00"), minutes(7 * 60));
    assert_eq!(night("2026-10-24T12:00:00+02:00", "2026-10-25T12:00:00+01:00"), minutes(9 * 60));
    assert_open(&hours, &[("2026-03-28T22:00:00+01:00", "2026-03-29T06:00:00+02:00")]);
    assert_open(&hours, &[("2026-10-24T22:00:00+02:00", "2026-10-25T06:00:00+01:00")]);
}

#[test]
fn an_opening_that_the_clock_skips_is_when_the_clock_is_moved() {
    // 02:00 to 03:00 is not on the clock.
    let berlin = hours("zone = \"Europe/Berlin\"\nsun = [\"02:30-05:00\"]");
    assert_open(&berlin, &[("2026-03-29T03:00:00+02:00", "2026-03-29T05:00:00+02:00")]);
    let new_york = hours("zone = \"America/New_York\"\nsun = [\"02:01-05:00\"]");
    assert_open(&new_york, &[("2026-03-08T03:00:00-04:00", "2026-03-08T05:00:00-04:00")]);
}

#[test]
fn a_closing_that_the_clock_skips_is_when_the_clock_is_moved() {
    let berlin = hours("zone = \"Europe/Berlin\"\nsat = [\"22:00-02:30\"]");
    assert_open(&berlin, &[("2026-03-28T22:00:00+01:00", "2026-03-29T03:00:00+02:00")]);
    let new_york = hours("zone = \"America/New_York\"\nsun = [\"00:00-02:59\"]");
    assert_open(&new_york, &[("2026-03-08T00:00:00-05:00", "2026-03-08T03:00:00-04:00")]);
}

#[test]
fn a_span_that_the_clock_skips_whole_is_not_open() {
    let hours = hours("zone = \"Europe/Berlin\"\nsun = [\"02:10-02:50\"]");
    let week = (at("2026-03-26T00:00:00Z"), at("2026-04-02T00:00:00Z"));
    assert_eq!(hours.between(week.0, week.1), minutes(0));
    assert_eq!(hours.opens(week.0), Some(at("2026-04-05T02:10:00+02:00")));
}

#[test]
fn an_opening_that_the_clock_shows_twice_is_the_first() {
    // 02:00 to 03:00 comes twice; the shift stays open while the clock shows 02:00 once more.
    let berlin = hours("zone = \"Europe/Berlin\"\nsun = [\"02:30-05:00\"]");
    assert_open(&berlin, &[("2026-10-25T02:30:00+02:00", "2026-10-25T05:00:00+01:00")]);
    assert!(berlin.is_open(at("2026-10-25T02:10:00+01:00")));
    assert!(!berlin.is_open(at("2026-10-25T02:10:00+02:00")));
}

#[test]
fn a_closing_that_the_clock_shows_twice_is_the_second() {
    let berlin = hours("zone = \"Europe/Berlin\"\nsat = [\"22:00-02:30\"]");
    assert_open(&berlin, &[("2026-10-24T22:00:00+02:00", "2026-10-25T02:30:00+01:00")]);
    assert!(berlin.is_open(at("2026-10-25T02:45:00+02:00")));
    assert!(!berlin.is_open(at("2026-10-25T02:45:00+01:00")));
    // 02:00 itself comes twice, 03:00 once.
    let two = hours("zone = \"Europe/Berlin\"\nsat = [\"22:00-02:00\"]");
    assert_open(&two, &[("2026-10-24T22:00:00+02:00", "2026-10-25T02:00:00+01:00")]);
    let three = hours("zone = \"Europe/Berlin\"\nsat = [\"22:00-03:00\"]");
    assert_open(&three, &[("2026-10-24T22:00:00+02:00", "2026-10-25T03:00:00+01:00")]);
    let new_york = hours("zone = \"America/New_York\"\nsun = [\"00:00-01:15\"]");
    assert_open(&new_york, &[("2026-11-01T00:00:00-04:00", "2026-11-01T01:15:00-05:00")]);
}

#[test]
fn a_span_within_the_repeated_hour_is_open_from_its_first_opening_to_its_second_closing() {
    let hours = hours("zone = \"Europe/Berlin\"\nsun = [\"02:10-02:20\"]");
    assert_open(&hours, &[("2026-10-25T02:10:00+02:00", "2026-10-25T02:20:00+01:00")]);
}

#[test]
fn lord_howe_moves_its_clocks_by_half_an_hour() {
    let hours = hours("zone = \"Australia/Lord_Howe\"\nsun = [\"01:45-02:15\"]");
    // In autumn 02:00 becomes 01:30, in spring 02:00 becomes 02:30.
    assert_open(&hours, &[("2026-04-05T01:45:00+11:00", "2026-04-05T02:15:00+10:30")]);
    assert_open(&hours, &[("2026-10-04T01:45:00+10:30", "2026-10-04T02:30:00+11:00")]);
}

#[test]
fn a_day_that_the_calendar_skips_opens_nothing() {
    // Samoa went from Thursday, 2011-12-29, to Saturday, 2011-12-31.
    let hours = hours("zone = \"Pacific/Apia\"\nevery_day = [\"09:00-18:00\"]");
    assert_open(
        &hours,
        &[
            ("2011-12-29T09:00:00-10:00", "2011-12-29T18:00:00-10:00"),
            ("2011-12-31T09:00:00+14:00", "2011-12-31T18:00:00+14:00"),
        ],
    );
}

#[test]
fn a_night_shift_into_a_skipped_day_ends_when_the_calendar_goes_on() {
    let thursday = hours("zone = \"Pacific/Apia\"\nthu = [\"22:00-06:00\"]");
    assert_open(&thursday, &[("2011-12-29T22:00:00-10:00", "2011-12-31T00:00:00+14:00")]);
    // The one of the skipped Friday keeps its part on Saturday: the wall promised it.
    let friday = hours("zone = \"Pacific/Apia\"\nfri = [\"22:00-06:00\"]");
    assert_open(&friday, &[("2011-12-31T00:00:00+14:00", "2011-12-31T06:00:00+14:00")]);
}

#[test]
fn a_day_that_the_calendar_repeats_is_open_through() {
    // Kwajalein lived through 1969-09-30 from 01:00 twice.
    let hours = hours("zone = \"Pacific/Kwajalein\"\ntue = [\"09:00-18:00\"]");
    let Some(opens) = hours.opens(at("1969-09-29T12:00:00Z")) else { panic!("never opens") };
    let closes = hours.closes(opens).unwrap();
    assert_eq!(closes.since(opens), minutes((9 + 23) * 60));
    let mut t = opens;
    while t < closes {
        assert!(hours.is_open(t), "{t:?}");
        t = t + minutes(10);
    }
}

#[test]
fn midnight_that_does_not_exist_opens_an_hour_later() {
    // In Santiago the clock goes from 23:59 to 01:00.
    let hours = hours("zone = \"America/Santiago\"\nsun = [\"00:00-24:00\"]");
    assert_open(&hours, &[("2026-09-06T01:00:00-03:00", "2026-09-07T00:00:00-03:00")]);
}

#[test]
fn a_zone_says_what_its_clock_shows() {
    let zone: Zone = "Europe/Moscow".parse().unwrap();
    let shown = zone.local(at("2026-12-31T21:05:59Z"));
    let expected = Local { year: 2027, month: 1, day: 1, weekday: Weekday::Friday, minute_of_day: 5 };
    assert_eq!(shown, expected);
    assert_eq!(Zone::utc().local(at("1969-12-31T23:59:59Z")).weekday, Weekday::Wednesday);
    for far in [i64::MIN, i64::MAX] {
        zone.local(omni_core::Timestamp::from_millis(far));
    }
}

#[test]
fn a_zone_is_its_name() {
    let zone: Zone = "europe/moscow".parse().unwrap();
    assert_eq!(zone.to_string(), "Europe/Moscow");
    assert_eq!(zone, "Europe/Moscow".parse().unwrap());
    assert_eq!("UTC".parse(), Ok(Zone::utc()));
    for bad in ["Europe/Moskva", "", "MSK-3", "Etc/Unknown", "+03:00", "../etc/passwd"] {
        let message = bad.parse::<Zone>().unwrap_err().to_string();
        assert!(message.contains(&format!("{bad:?}")) && message.contains("\"Europe/Moscow\""), "{message}");
    }
}

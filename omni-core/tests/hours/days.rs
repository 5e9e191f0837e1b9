//! Weeks, exceptions, holidays, deadlines: what they mean where no clock is moved.

use std::time::Duration;

use omni_core::Timestamp;
use omni_core::hours::{Date, Exception, Hours, Span, Week, Weekly, Zone};

use crate::{assert_open, at, hours, minutes};

#[test]
fn always_and_never_are_what_they_say() {
    let (now, hour) = (at("2026-12-31T12:00:00Z"), minutes(60));
    assert!(Hours::Always.is_open(now) && !Hours::Never.is_open(now));
    assert_eq!((Hours::Always.opens(now), Hours::Always.closes(now)), (Some(now), None));
    assert_eq!((Hours::Never.opens(now), Hours::Never.closes(now)), (None, Some(now)));
    assert_eq!((Hours::Always.after(now, hour), Hours::Never.after(now, hour)), (Some(now + hour), None));
    assert_eq!(Hours::Always.between(now, now + hour), hour);
    assert_eq!(Hours::Never.between(now, now + hour), minutes(0));
    assert_eq!(Hours::Never.after(now, minutes(0)), Some(now));
    assert_eq!(Hours::Always.after(Timestamp::MAX, hour), None);
}

#[test]
fn a_span_is_half_open_and_a_split_shift_has_a_pause() {
    let hours = hours("mon = [\"14:00-18:00\", \"09:00-13:00\"]");
    assert_open(
        &hours,
        &[("2026-12-28T09:00:00Z", "2026-12-28T13:00:00Z"), ("2026-12-28T14:00:00Z", "2026-12-28T18:00:00Z")],
    );
}

#[test]
fn spans_that_touch_or_overlap_are_one() {
    let hours = hours("mon = [\"09:00-13:00\", \"13:00-18:00\", \"12:00-14:00\"]\ntue = [\"00:00-08:00\"]");
    assert_open(&hours, &[("2026-12-28T09:00:00Z", "2026-12-28T18:00:00Z")]);
    let done = hours.after(at("2026-12-28T11:00:00Z"), minutes(4 * 60));
    assert_eq!(done, Some(at("2026-12-28T15:00:00Z")));
}

#[test]
fn twenty_four_hours_joins_with_the_day_after() {
    let hours = hours("zone = \"Europe/Moscow\"\nsat = [\"00:00-24:00\"]\nsun = [\"00:00-10:00\"]");
    assert_open(&hours, &[("2026-12-26T00:00:00+03:00", "2026-12-27T10:00:00+03:00")]);
}

#[test]
fn a_night_shift_of_sunday_ends_on_monday() {
    assert_open(&hours("sun = [\"22:00-06:00\"]"), &[("2026-12-27T22:00:00Z", "2026-12-28T06:00:00Z")]);
}

#[test]
fn a_week_with_one_open_minute_is_found_and_worked_in() {
    let hours = hours("zone = \"Asia/Tokyo\"\nwed = [\"11:59-12:00\"]");
    assert_open(&hours, &[("2026-12-30T11:59:00+09:00", "2026-12-30T12:00:00+09:00")]);
    let third = hours.after(at("2026-12-30T11:59:30+09:00"), Duration::from_secs(120));
    assert_eq!(third, Some(at("2027-01-13T11:59:30+09:00")));
}

#[test]
fn hours_all_around_the_clock_never_close() {
    let hours = hours("every_day = [\"00:00-24:00\"]");
    let now = at("2026-12-30T12:34:56Z");
    assert_eq!(hours.closes(now), None);
    assert_eq!(hours.after(now, minutes(60 * 24 * 3)), Some(at("2027-01-02T12:34:56Z")));
}

#[test]
fn an_exception_replaces_the_hours_of_its_days() {
    let hours = hours(
        "weekdays = [\"09:00-18:00\"]\nexceptions = [{ date = \"2026-12-31\", open = [\"09:00-15:00\"] }, \
         { from = \"2027-01-01\", to = \"2027-01-08\", name = \"Каникулы\" }]",
    );
    assert_open(
        &hours,
        &[
            ("2026-12-30T09:00:00Z", "2026-12-30T18:00:00Z"),
            ("2026-12-31T09:00:00Z", "2026-12-31T15:00:00Z"),
            ("2027-01-11T09:00:00Z", "2027-01-11T18:00:00Z"),
        ],
    );
    assert_eq!(hours.occasion(at("2027-01-05T12:00:00Z")), Some("Каникулы"));
    assert_eq!(hours.occasion(at("2026-12-31T12:00:00Z")), None);
}

#[test]
fn an_exception_does_not_cut_the_night_shift_of_the_evening_before() {
    let hours =
        hours("fri = [\"22:00-06:00\"]\nsat = [\"10:00-12:00\"]\nexceptions = [{ date = \"2026-12-26\" }]");
    assert_open(&hours, &[("2026-12-25T22:00:00Z", "2026-12-26T06:00:00Z")]);
    assert_eq!(hours.opens(at("2026-12-26T06:00:00Z")), Some(at("2027-01-01T22:00:00Z")));
}

#[test]
fn a_night_shift_of_an_exception_reaches_into_the_day_after() {
    let hours = hours("exceptions = [{ date = \"2026-12-31\", open = [\"20:00-04:00\"] }]");
    assert_open(&hours, &[("2026-12-31T20:00:00Z", "2027-01-01T04:00:00Z")]);
}

#[test]
fn one_day_is_taken_out_of_a_long_leave_in_whatever_order_they_are_written() {
    let leave = "{ from = \"2027-01-01\", to = \"2027-01-10\" }";
    let duty = "{ date = \"2027-01-05\", open = [\"10:00-12:00\"] }";
    for (first, second) in [(leave, duty), (duty, leave)] {
        let hours = hours(&format!("every_day = [\"09:00-18:00\"]\nexceptions = [{first}, {second}]"));
        assert_open(
            &hours,
            &[
                ("2026-12-31T09:00:00Z", "2026-12-31T18:00:00Z"),
                ("2027-01-05T10:00:00Z", "2027-01-05T12:00:00Z"),
                ("2027-01-11T09:00:00Z", "2027-01-11T18:00:00Z"),
            ],
        );
    }
}

#[test]
fn of_equal_exceptions_the_one_written_last_holds() {
    let hours = hours(
        "exceptions = [{ date = \"2027-01-05\", open = [\"08:00-09:00\"] }, \
         { date = \"2027-01-05\", open = [\"10:00-12:00\"] }]",
    );
    assert_open(&hours, &[("2027-01-05T10:00:00Z", "2027-01-05T12:00:00Z")]);
}

#[test]
fn a_holiday_is_closed_and_an_exception_opens_it() {
    let hours = hours(
        "every_day = [\"09:00-18:00\"]\nholidays = [\"2027-01-04\", { date = \"01-05\", name = \"Отдых\" }, \
         \"01-06\"]\nexceptions = [{ date = \"2027-01-06\", open = [\"10:00-12:00\"] }]",
    );
    assert_open(
        &hours,
        &[("2027-01-03T09:00:00Z", "2027-01-03T18:00:00Z"), ("2027-01-06T10:00:00Z", "2027-01-06T12:00:00Z")],
    );
    assert_eq!(hours.occasion(at("2031-01-05T12:00:00Z")), Some("Отдых"));
    assert!(hours.is_open(at("2028-01-04T12:00:00Z")), "a date of one year is not one of every year");
    assert!(!hours.is_open(at("2028-01-06T12:00:00Z")), "a date of every year is one of this year too");
}

#[test]
fn the_29th_of_february_is_a_holiday_where_it_is() {
    let hours = hours("every_day = [\"09:00-18:00\"]\nholidays = [\"02-29\"]");
    assert!(!hours.is_open(at("2028-02-29T12:00:00Z")));
    assert!(hours.is_open(at("2027-02-28T12:00:00Z")) && hours.is_open(at("2027-03-01T12:00:00Z")));
}

#[test]
fn a_holiday_is_one_in_the_zone_of_the_team() {
    let zone = |zone: &str| {
        hours(&format!("zone = {zone:?}\nevery_day = [\"00:00-24:00\"]\nholidays = [\"2027-01-01\"]"))
    };
    let now = at("2026-12-31T13:00:00Z");
    assert!(!zone("Asia/Kamchatka").is_open(now), "the year is new in the east");
    assert!(zone("Europe/Moscow").is_open(now), "and still old in the west");
    assert_eq!(zone("Asia/Kamchatka").opens(now), Some(at("2027-01-02T00:00:00+12:00")));
    assert_eq!(zone("Europe/Moscow").closes(now), Some(at("2027-01-01T00:00:00+03:00")));
}

#[test]
fn a_missing_zone_is_utc_until_it_is_filled_in() {
    let (moscow, tokyo): (Zone, Zone) = ("Europe/Moscow".parse().unwrap(), "Asia/Tokyo".parse().unwrap());
    let mut hours = hours("mon = [\"09:00-18:00\"]");
    assert_open(&hours, &[("2026-12-28T09:00:00Z", "2026-12-28T18:00:00Z")]);
    hours.or_zone(&moscow);
    assert_open(&hours, &[("2026-12-28T09:00:00+03:00", "2026-12-28T18:00:00+03:00")]);
    hours.or_zone(&tokyo);
    assert_open(&hours, &[("2026-12-28T09:00:00+03:00", "2026-12-28T18:00:00+03:00")]);
}

#[test]
fn a_deadline_counts_open_time_only() {
    let hours =
        hours("zone = \"Europe/Moscow\"\nweekdays = [\"09:00-18:00\"]\nholidays = [\"12-31\", \"01-01\"]");
    for (from, work, done) in [
        // Within the day; exactly until it closes; over the night; over the weekend and before the opening.
        ("2026-12-28T10:00:00+03:00", 60, "2026-12-28T11:00:00+03:00"),
        ("2026-12-28T09:00:00+03:00", 9 * 60, "2026-12-28T18:00:00+03:00"),
        ("2026-12-28T17:30:00+03:00", 60, "2026-12-29T09:30:00+03:00"),
        ("2026-12-26T03:00:00+03:00", 1, "2026-12-28T09:01:00+03:00"),
        ("2026-12-30T17:00:00+03:00", 120, "2027-01-04T10:00:00+03:00"),
    ] {
        assert_eq!(hours.after(at(from), minutes(work)), Some(at(done)), "{from} {work}");
        assert_eq!(hours.between(at(from), at(done)), minutes(work), "{from} {work}");
    }
    let closed = at("2026-12-27T03:00:00+03:00");
    assert_eq!(hours.after(closed, Duration::ZERO), Some(closed));
    assert_eq!(hours.between(at("2026-12-29T12:00:00Z"), at("2026-12-28T12:00:00Z")), Duration::ZERO);
}

#[test]
fn a_search_ends_after_its_days() {
    let hours = hours("exceptions = [{ date = \"2028-06-01\", open = [\"09:00-18:00\"] }]");
    let opens = at("2028-06-01T09:00:00Z");
    let days = |n: u32| Duration::from_secs(u64::from(n) * 86_400);
    let nearest = opens - days(Hours::SEARCH_DAYS);
    assert_eq!(hours.opens(nearest), Some(opens));
    assert_eq!(hours.opens(nearest - minutes(1)), None);
    assert_eq!(hours.after(nearest, minutes(1)), Some(opens + minutes(1)));
    assert_eq!(hours.after(nearest - minutes(1), minutes(1)), None);
    assert_eq!(hours.after(nearest, minutes(9 * 60 + 1)), None, "the only day is too short");
    assert_eq!(hours.between(nearest - days(999), opens + days(999)), minutes(9 * 60));
}

#[test]
fn the_ends_of_time_are_closed_and_no_trap() {
    let hours = hours("zone = \"Europe/Berlin\"\nevery_day = [\"00:00-24:00\"]\nholidays = [\"01-01\"]");
    for far in [Timestamp::from_millis(i64::MIN), Timestamp::MAX] {
        assert!(!hours.is_open(far));
        assert_eq!(hours.closes(far), Some(far));
        assert_eq!((hours.opens(far), hours.after(far, minutes(1))), (None, None));
    }
    assert_eq!(hours.after(at("2026-12-28T12:00:00Z"), Duration::MAX), None);
    assert_eq!(hours.after(at("2026-12-28T12:00:00Z"), Duration::from_millis(i64::MAX as u64 / 2)), None);
}

#[test]
fn hours_are_built_in_code_as_well() {
    let day = Date::new(2026, 12, 31).unwrap();
    let weekly = Weekly {
        zone: Some("Europe/Moscow".parse().unwrap()),
        week: Week::weekdays([Span::new(9 * 60, 18 * 60).unwrap()]),
        exceptions: vec![Exception::on(day, [Span::WHOLE_DAY])].into(),
        ..Weekly::default()
    };
    let written = hours(
        "zone = \"Europe/Moscow\"\nweekdays = [\"09:00-18:00\"]\n\
         exceptions = [{ date = \"2026-12-31\", open = [\"00:00-24:00\"] }]",
    );
    assert_eq!(Hours::from(weekly), written);
    assert_eq!(Date::new(2027, 2, 29), None);
}

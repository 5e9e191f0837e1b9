//! How hours are written, and what is said when they are written wrongly.

use omni_core::hours::{Hours, Problem, Span, Week, Weekday};

use crate::hours;

fn refusal(toml: &str) -> String {
    toml::from_str::<Hours>(toml).unwrap_err().to_string()
}

fn problems(toml: &str) -> Vec<String> {
    hours(toml).problems().iter().map(ToString::to_string).collect()
}

#[test]
fn hours_are_a_word_or_a_table() {
    let read = |json: &str| serde_json::from_str::<Hours>(json);
    assert_eq!(read("\"always\"").unwrap(), Hours::Always);
    assert_eq!(read("\"never\"").unwrap(), Hours::Never);
    assert!(matches!(read("{}").unwrap(), Hours::Weekly(_)));
    for bad in ["\"круглосуточно\"", "24", "null", "[]"] {
        let message = read(bad).unwrap_err().to_string();
        assert!(message.contains("\"always\", \"never\" or a table such as"), "{message}");
    }
}

#[test]
fn a_day_of_its_own_is_stronger_than_weekdays_and_they_than_every_day() {
    let hours = hours(
        "mon = []\nweekdays = [\"09:00-18:00\"]\nevery_day = [\"10:00-16:00\"]\nsun = [\"12:00-13:00\"]",
    );
    let Hours::Weekly(weekly) = hours else { panic!("not weekly") };
    let day = |day| weekly.week.day(day).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert!(day(Weekday::Monday).is_empty());
    assert_eq!(day(Weekday::Friday), ["09:00-18:00"]);
    assert_eq!(day(Weekday::Saturday), ["10:00-16:00"]);
    assert_eq!(day(Weekday::Sunday), ["12:00-13:00"]);
}

#[test]
fn every_form_survives_being_written() {
    for toml in [
        "mon = [\"09:00-13:00\", \"14:00-18:00\"]\nfri = [\"22:00-06:00\"]\nsat = [\"00:00-24:00\"]",
        "zone = \"Europe/Moscow\"\nevery_day = [\"10:00-16:00\"]\n\
         holidays = [\"2027-01-07\", \"05-09\", { date = \"01-01\", name = \"Новый год\" }]",
        "exceptions = [{ date = \"2026-12-31\", open = [\"09:00-15:00\"], name = \"Короткий день\" }, \
         { from = \"2027-01-01\", to = \"2027-01-08\" }]",
        "",
    ] {
        let hours = hours(toml);
        assert_eq!(toml::from_str::<Hours>(&toml::to_string(&hours).unwrap()).unwrap(), hours);
        assert_eq!(serde_json::from_str::<Hours>(&serde_json::to_string(&hours).unwrap()).unwrap(), hours);
    }
    for word in [Hours::Always, Hours::Never] {
        assert_eq!(serde_json::from_value::<Hours>(serde_json::to_value(&word).unwrap()).unwrap(), word);
    }
}

#[test]
fn a_date_of_toml_needs_no_quotes() {
    assert_eq!(
        hours("holidays = [2027-01-01, { date = 2027-01-07 }]\nexceptions = [{ date = 2026-12-31 }]"),
        hours("holidays = [\"2027-01-01\", \"2027-01-07\"]\nexceptions = [{ date = \"2026-12-31\" }]")
    );
}

#[test]
fn spans_are_read_and_written() {
    for (text, opens, closes, written) in [
        ("09:00-18:00", 540, 1080, "09:00-18:00"),
        ("09:00 - 18:00", 540, 1080, "09:00-18:00"),
        ("00:00-24:00", 0, 1440, "00:00-24:00"),
        ("22:00-06:00", 1320, 1800, "22:00-06:00"),
        ("22:00-00:00", 1320, 1440, "22:00-24:00"),
        ("23:59-23:58", 1439, 2878, "23:59-23:58"),
    ] {
        let span: Span = text.parse().unwrap();
        assert_eq!(
            (span.opens(), span.closes(), span.to_string()),
            (opens, closes, written.to_owned()),
            "{text}"
        );
    }
}

#[test]
fn a_wrong_span_is_told_what_to_write() {
    let message = "\"25:00-26:00\" is not a span of the day: write \"09:00-18:00\", hours 00 to 24, the end may be on \
                   the next day";
    assert_eq!("25:00-26:00".parse::<Span>().unwrap_err().to_string(), message);
    for bad in
        ["", "9-18", "09:00", "09:60-18:00", "24:00-06:00", "09:00-24:01", "+9:00-18:00", "с девяти до шести"]
    {
        let message = bad.parse::<Span>().unwrap_err().to_string();
        assert!(message.starts_with(&format!("{bad:?} is not a span of the day: write")), "{message}");
    }
    for empty in ["09:00-09:00", "00:00-00:00"] {
        let message = empty.parse::<Span>().unwrap_err().to_string();
        assert!(message.contains("ends where it begins") && message.contains("\"00:00-24:00\""), "{message}");
    }
    assert!(Span::new(1440, 10).is_err() && Span::new(0, 1441).is_err() && Span::new(5, 5).is_err());
}

#[test]
fn a_wrong_key_is_told_the_right_ones() {
    let message = refusal("mod = [\"09:00-18:00\"]");
    assert!(message.contains("unknown field `mod`"), "{message}");
    assert!(message.contains("`mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`"), "{message}");
    let message = refusal("exceptions = [{ date = \"2026-12-31\", opne = [] }]");
    assert!(message.contains("unknown field `opne`") && message.contains("`open`"), "{message}");
    let message = refusal("holidays = [{ date = \"2026-12-31\", title = \"Новый год\" }]");
    assert!(message.contains("unknown field `title`") && message.contains("`name`"), "{message}");
}

#[test]
fn a_wrong_value_is_told_an_example() {
    for (toml, told) in [
        (
            "zone = \"Москва\"",
            "\"Москва\" is not a time zone: write its IANA name, such as \"Europe/Moscow\"",
        ),
        ("zone = 3", "such as \"Europe/Moscow\""),
        ("mon = [9]", "a span of the day in quotes, such as \"09:00-18:00\""),
        (
            "holidays = [\"2027-02-29\"]",
            "\"2027-02-29\" is not the date of a holiday: write a day that exists",
        ),
        ("holidays = [\"1-1\"]", "\"01-01\" for every year"),
        ("holidays = [2027-01-01T10:00:00]", "is not the date of a holiday"),
        ("holidays = [20270101]", "a date in quotes"),
        ("holidays = [{ name = \"Новый год\" }]", "missing field `date`"),
        (
            "exceptions = [{ date = \"31.12.2026\" }]",
            "\"31.12.2026\" is not a date: write year, month and day",
        ),
        ("exceptions = [{ date = 20261231 }]", "a date in quotes, such as \"2026-12-31\""),
        ("exceptions = [{ date = {} }]", "a date in quotes, such as \"2026-12-31\""),
        ("exceptions = [{ open = [] }]", "an exception needs its days"),
        ("exceptions = [{ from = \"2026-12-31\" }]", "an exception needs its days"),
        ("exceptions = [{ date = \"2026-12-31\", to = \"2027-01-01\" }]", "an exception needs its days"),
    ] {
        let message = refusal(toml);
        assert!(message.contains(told), "{toml}: {message}");
    }
}

#[test]
fn overlaps_are_told_with_their_day() {
    assert_eq!(
        problems("mon = [\"09:00-13:00\", \"12:00-18:00\"]"),
        ["mon: 09:00-13:00 and 12:00-18:00 overlap; write one span, or move one of them"]
    );
    assert_eq!(
        problems("sun = [\"22:00-10:00\"]\nmon = [\"09:00-18:00\"]"),
        ["sun: 22:00-10:00 and 09:00-18:00 overlap; write one span, or move one of them"]
    );
    assert_eq!(
        problems("exceptions = [{ date = \"2026-12-31\", open = [\"09:00-13:00\", \"09:00-10:00\"] }]"),
        ["exception of 2026-12-31: 09:00-13:00 and 09:00-10:00 overlap; write one span, or move one of them"]
    );
    assert!(problems("mon = [\"18:00-09:00\"]\ntue = [\"09:00-18:00\"]").is_empty(), "to touch is fine");
}

#[test]
fn hours_that_never_open_are_told() {
    for never in ["", "mon = []", "exceptions = [{ date = \"2026-12-31\" }]", "holidays = [\"01-01\"]"] {
        assert!(hours(never).problems().contains(&Problem::NeverOpens), "{never}");
    }
    assert!(
        hours("exceptions = [{ date = \"2026-12-31\", open = [\"09:00-15:00\"] }]").problems().is_empty()
    );
    assert!(Hours::Never.problems().is_empty(), "that is meant");
}

#[test]
fn reversed_and_doubled_exceptions_are_told() {
    let week = "weekdays = [\"09:00-18:00\"]\n";
    assert_eq!(
        problems(&format!("{week}exceptions = [{{ from = \"2027-01-08\", to = \"2027-01-01\" }}]")),
        ["exception of 2027-01-08: it ends on 2027-01-01, before it begins; swap from and to"]
    );
    assert_eq!(
        problems(&format!(
            "{week}exceptions = [{{ from = \"2027-01-01\", to = \"2027-01-03\" }}, {{ from = \"2027-01-03\", \
             to = \"2027-01-05\" }}, {{ date = \"2027-01-02\" }}]"
        )),
        ["exception of 2027-01-03: another one covers this day too; only the one written last holds"]
    );
}

#[test]
fn the_schema_knows_both_forms() {
    let schema = serde_json::to_string(&schemars::schema_for!(Hours)).unwrap();
    for word in ["always", "never", "exceptions", "holidays", "every_day", "additionalProperties"] {
        assert!(schema.contains(&format!("\"{word}\"")), "{word}: {schema}");
    }
}

#[test]
fn a_week_is_made_of_the_same_day() {
    let span: Span = "09:00-18:00".parse().unwrap();
    let open = |week: &Week| Weekday::ALL.iter().filter(|day| week.day(**day) == [span]).count();
    assert_eq!((open(&Week::every_day([span])), open(&Week::weekdays([span]))), (7, 5));
}

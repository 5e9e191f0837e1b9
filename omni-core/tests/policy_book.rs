//! Books: what is read, what is refused, and with which words.
//!
//! `tests/policy/bad` holds a file for every rule of the linter, named by it, and beside it what is found.
//! `UPDATE_GOLDEN=1 cargo test -p omni-core --test policy_book` writes that and the schema anew; the difference is then
//! reviewed. A file that begins with `# known` is looked at with a few connected channels.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use omni_core::capability::{ButtonLimit, Support};
use omni_core::content::ContentKind;
use omni_core::hours::Hours;
use omni_core::policy::Book;
use omni_core::policy::book::{FindingKind, Known, Severity};
use omni_core::{Capabilities, Provider};
use proptest::prelude::*;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Compares with a file, or writes it when asked to.
fn golden(file: &Path, text: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(file, text).expect("the golden file is written");
    }
    let wanted = std::fs::read_to_string(file).unwrap_or_default();
    assert_eq!(text, wanted, "{} differs; review, then write it anew with UPDATE_GOLDEN=1", file.display());
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join("tests/policy").join(folder)).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|file| file.extension().is_some_and(|e| e == "toml"));
    files.sort();
    files
}

/// A chat with few keys and a window of a day, a channel without keys, and one that only receives.
fn connected() -> Known {
    let mut chat = Capabilities::default();
    chat.content.extend([(ContentKind::Text, Support::Full), (ContentKind::Buttons, Support::Full)]);
    chat.buttons = ButtonLimit { total: Some(3), ..ButtonLimit::default() };
    chat.reply_window = Some(Duration::from_secs(24 * 3600));
    let mut words = Capabilities::default();
    words.content.insert(ContentKind::Text, Support::Full);
    Known::default()
        .channel("tg", Provider::from_static("telegram"), chat)
        .channel("sms", Provider::from_static("sms"), words)
        .channel("forms", Provider::from_static("forms"), Capabilities::default())
}

fn example() -> String {
    std::fs::read_to_string(root().join("../examples/policy.toml")).expect("the example is there")
}

#[test]
fn every_rule_of_the_linter_has_a_file_and_says_what_is_expected() {
    // A book that is too large is no file to keep; it has a test of its own.
    let mut seen = BTreeSet::from([FindingKind::TooLarge]);
    for file in files("bad") {
        let text = std::fs::read_to_string(&file).expect("the file is read");
        let known = if text.starts_with("# known") { connected() } else { Known::default() };
        let findings = Book::check_toml(&text, &known);
        let kind = file.file_name().and_then(|name| name.to_str()).and_then(|name| name.split('.').next());
        let named: Vec<_> = findings.iter().filter(|f| Some(f.kind.as_str()) == kind).collect();
        assert!(!named.is_empty(), "{}: nothing of its kind is found: {findings:#?}", file.display());
        assert!(
            findings.iter().all(|f| f.place.is_some()),
            "{}: a place is missing: {findings:#?}",
            file.display()
        );
        seen.extend(named.iter().map(|f| f.kind));
        let lines: String = findings.iter().map(|f| format!("{f} [{}]\n", f.kind)).collect();
        golden(&file.with_extension("expected"), &lines);
        let has_error = findings.iter().any(|f| f.severity == Severity::Error);
        if !text.starts_with("# known") {
            assert_eq!(Book::from_toml(&text).is_err(), has_error, "{}", file.display());
        }
    }
    let all: BTreeSet<_> = FindingKind::ALL.iter().copied().collect();
    assert_eq!(seen, all, "every rule of the linter needs a file in tests/policy/bad");
}

#[test]
fn good_books_have_no_findings() {
    let with_example = files("good").into_iter().chain([root().join("../examples/policy.toml")]);
    for file in with_example {
        let text = std::fs::read_to_string(&file).expect("the file is read");
        let findings = Book::check_toml(&text, &Known::default());
        assert!(findings.is_empty(), "{}: {findings:#?}", file.display());
    }
}

#[test]
fn a_book_survives_being_written() {
    let book = Book::from_toml(&example()).unwrap();
    assert_eq!(Book::from_json(book.to_json()).unwrap(), book);
    assert_eq!(Book::from_toml(&book.to_toml().unwrap()).unwrap(), book);
    assert_eq!(serde_json::from_str::<Book>(&book.to_json()).unwrap(), book);
    assert_eq!(toml::from_str::<Book>(&book.to_toml().unwrap()).unwrap(), book);
}

#[test]
fn eight_mistakes_are_told_at_once_each_with_its_line() {
    let text = r#"zone = "Mars/Olympus"

[channels.shop]
scenario = "sale"
auto_close = { after = "0s" }
hourss = "office"

[channels.market]
pinned = "anna"
receiver = { agent = "boris" }

[teams.support]

[[scenarios.sales.rules]]
name = "one"
on = "message"
if = { regex = "(" }
do = [{ reply = "{{contact.nam}}" }, { assign = { team = "sales" } }, "halt"]

[[scenarios.sales.rules]]
name = "two"
on = "message"
do = []
"#;
    let bad = Book::from_toml(text).unwrap_err().in_file("policy.toml").to_string();
    let lines: Vec<&str> = bad.lines().collect();
    let starts = [
        "policy.toml:1:1: error: zone: ",
        "policy.toml:6:1: error: channels.shop.hourss: `hourss` is no key here; did you mean `hours`?",
        "policy.toml:10:1: error: channels.market.receiver: the channel is pinned to `anna`",
        "policy.toml:12:8: error: teams.support.members: nobody is in this team",
        "policy.toml:18:71: error: scenarios.sales.rules[0].do[2]: `halt` is not known here; ",
        "policy.toml:23:1: error: scenarios.sales.rules[1].do: the rule does nothing",
    ];
    assert_eq!(lines.len(), starts.len(), "{bad}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{line:?} does not start with {start:?}");
    }
    // What cannot be read is not looked at any further: once it can be, the rest is told.
    let text =
        text.replace("Mars/Olympus", "Europe/Moscow").replace("hourss", "hours").replace(", \"halt\"", "");
    let bad = Book::from_toml(&text).unwrap_err();
    let kinds: Vec<_> = bad.findings().iter().map(|f| f.kind.as_str()).collect();
    let wanted = [
        "unknown_scenario",
        "zero_period",
        "unknown_calendar",
        "pinned_receiver",
        "empty_team",
        "unused_scenario",
        "bad_pattern",
        "unknown_variable",
        "unknown_team",
        "empty_steps",
    ];
    assert_eq!(kinds, wanted, "{bad}");
}

#[test]
fn json_is_read_with_paths_and_refused_where_it_says_two_things() {
    let book = r#"{ "channels": { "shop": { "auto_close": { "after": "0s" } } }, "version": 1 }"#;
    let bad = Book::from_json(book).unwrap_err();
    assert!(bad.to_string().starts_with("error: channels.shop.auto_close.after: "), "{bad}");
    let twice = Book::from_json("{\n \"version\": 1,\n \"version\": 2 }").unwrap_err();
    assert!(twice.to_string().starts_with("3:10: error: the key \"version\" stands twice"), "{twice}");
    let cut = Book::from_json(r#"{ "channels": "#).unwrap_err();
    assert_eq!(cut.findings()[0].kind, FindingKind::Syntax);
    assert_eq!(Book::from_json("[]").unwrap_err().to_string(), "error: a book is an object");
    assert_eq!(Book::from_json([0xff, 0xfe]).unwrap_err().findings()[0].kind, FindingKind::Syntax);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(Book::from_json(deep).is_err());
}

#[test]
fn a_book_that_is_too_large_is_not_read() {
    let text = format!("# {}", "х".repeat(Book::MAX_BYTES / 2));
    for bad in [Book::from_toml(&text).unwrap_err(), Book::from_json(&text).unwrap_err()] {
        assert_eq!(bad.findings()[0].kind, FindingKind::TooLarge);
    }
}

#[test]
fn an_empty_text_is_a_book() {
    assert_eq!(Book::from_toml("").unwrap(), Book::default());
    assert_eq!(Book::from_json("{}").unwrap(), Book::default());
    assert_eq!(Book::default().lint(&connected()), []);
}

#[test]
fn calendars_without_a_zone_take_that_of_the_book() {
    let text = "zone = \"Asia/Omsk\"\n[hours.a]\nmon = [\"09:00-18:00\"]\n[hours.b]\nzone = \"UTC\"\nmon = [\"09:00-18:00\"]";
    let book = Book::from_toml(text).unwrap();
    let zone = |name: &str| match &book.hours[name] {
        Hours::Weekly(weekly) => weekly.zone.as_ref().map(ToString::to_string),
        _ => None,
    };
    assert_eq!((zone("a").as_deref(), zone("b").as_deref()), (Some("Asia/Omsk"), Some("UTC")));
}

#[test]
fn a_bad_entry_hides_no_other_and_its_name_stays_known() {
    let text = "[teams.sales]\nmembers = 5\n[channels.shop]\nreceiver = { team = \"sales\" }\n[channels.b]\nhours = \"x\"";
    let kinds: Vec<_> =
        Book::check_toml(text, &Known::default()).into_iter().map(|f| (f.kind, f.path)).collect();
    let wanted = [
        (FindingKind::Shape, "teams.sales.members".to_owned()),
        (FindingKind::UnknownCalendar, "channels.b.hours".to_owned()),
    ];
    assert_eq!(kinds, wanted);
}

#[test]
fn names_that_are_no_bare_keys_are_quoted_in_paths() {
    let found = Book::check_toml(
        "[channels.\"лавка.рф\"]\nhours = \"x\"\n[channels.\"a b\"]\nhours = \"x\"",
        &Known::default(),
    );
    let paths: Vec<_> = found.iter().map(|f| f.path.as_str()).collect();
    assert_eq!(paths, ["channels.\"лавка.рф\".hours", "channels.\"a b\".hours"]);
}

#[test]
fn columns_count_characters() {
    let found = Book::check_toml("variables = { \"имя 🙂\" = \"x\", y = 5 }", &Known::default());
    let places: Vec<_> = found.iter().map(|f| f.place.unwrap().to_string()).collect();
    assert_eq!(places, ["1:15", "1:30"]);
}

#[test]
fn short_and_long_forms_mean_the_same() {
    let read = |steps: &str| {
        let text = format!(
            "[channels.shop]\nscenario = \"s\"\nauto_replies = [{}]\n[[scenarios.s.rules]]\nname = \"r\"\non = \"message\"\ndo = {steps}",
            if steps.contains("text") { "{ text = \"Да\" }" } else { "\"Да\"" }
        );
        Book::from_toml(&text).unwrap()
    };
    let short = read("[{ wait = \"5m\" }, { reply = \"Да\" }, { tag = \"a\" }]");
    let long = read(
        "[{ wait = { for = \"5m\", unless = \"answer\" } }, { reply = { text = \"Да\" } }, { tag = [\"a\"] }]",
    );
    assert_eq!(short, long);
}

#[test]
fn long_chains_and_many_slips_are_looked_through_without_deep_recursion() {
    let team = |i: usize| {
        format!(
            "[teams.t{i:05}]\nmembers = [\"a\"]\noverflow = {{ to = \"t{:05}\", after = \"1m\" }}\n",
            i + 1
        )
    };
    let chain: String = (0..10_000).map(team).collect();
    let findings = Book::check_toml(&chain, &Known::default());
    assert_eq!(findings.len(), 1, "only the last one leads nowhere");
    let calls = |i: usize| {
        format!("[[scenarios.s{i}.rules]]\nname = \"r\"\ndo = [{{ call = \"s{}\" }}]\n", (i + 1) % 9_000)
    };
    let circle: String = (0..9_000).map(calls).collect();
    let findings = Book::check_toml(&circle, &Known::default());
    assert_eq!(findings.iter().filter(|f| f.kind == FindingKind::CallCycle).count(), 1);
    let unknown: String =
        (0..9_000).map(|i| format!("[channels.c{i}]\nhours = \"h{i}\"\npined = 1\n")).collect();
    let findings = Book::check_toml(&unknown, &Known::default());
    assert_eq!(findings.len(), 9_000);
}

#[test]
fn the_schema_is_the_published_one() {
    let schema = schemars::schema_for!(Book);
    golden(&root().join("schema/policy.json"), &(serde_json::to_string_pretty(&schema).unwrap() + "\n"));
}

proptest! {
    #[test]
    fn any_text_is_read_without_panics(text in ".{0,200}") {
        let _ = Book::check_toml(&text, &connected());
        let _ = Book::check_json(&text, &connected());
    }

    #[test]
    fn a_good_book_with_something_cut_out_or_put_in_is_read_without_panics(
        at in 0.0..1.0f64,
        cut in 0usize..40,
        put in "(\\{|\\}|\\[|\\]|\"|=|\n|0|x|\\.|ё){0,6}",
    ) {
        let text: Vec<char> = example().chars().collect();
        let at = (at * text.len() as f64) as usize;
        let kept: String = text[..at].iter().collect();
        let rest: String = text[at..].iter().skip(cut).collect();
        for finding in Book::check_toml(&format!("{kept}{put}{rest}"), &connected()) {
            prop_assert!(!finding.message.is_empty());
            prop_assert!(finding.place.is_some(), "{}", finding);
        }
    }

    #[test]
    fn a_good_book_with_values_exchanged_is_read_without_panics(from in 0usize..400, to in 0usize..400) {
        let mut values: serde_json::Value = serde_json::from_str(&Book::from_toml(&example()).unwrap().to_json()).unwrap();
        let mut pointers = Vec::new();
        collect(&values, String::new(), &mut pointers);
        let (from, to) = (&pointers[from % pointers.len()], &pointers[to % pointers.len()]);
        let value = values.pointer(from).unwrap().clone();
        *values.pointer_mut(to).unwrap() = value;
        for finding in Book::check_json(values.to_string(), &connected()) {
            prop_assert!(!finding.message.is_empty());
        }
    }
}

/// The pointers of all values in a value.
fn collect(value: &serde_json::Value, at: String, into: &mut Vec<String>) {
    match value {
        serde_json::Value::Array(list) => {
            list.iter().enumerate().for_each(|(i, v)| collect(v, format!("{at}/{i}"), into));
        }
        serde_json::Value::Object(table) => {
            table.iter().for_each(|(k, v)| {
                collect(v, format!("{at}/{}", k.replace('~', "~0").replace('/', "~1")), into)
            });
        }
        _ => {}
    }
    into.push(at);
}

#[test]
fn a_time_of_day_that_no_clock_shows_is_refused() {
    for bad in ["2000:00", "24:01", "9:5", "+9:05", "65535:59", "полдень"] {
        let text = format!(
            "[channels.a]\nscenario = \"s\"\n[[scenarios.s.rules]]\nname = \"r\"\non = \"message\"\n\
             if = {{ time = {{ from = \"{bad}\", to = \"18:00\" }} }}\ndo = [{{ tag = \"t\" }}]"
        );
        let refused = Book::from_toml(&text).unwrap_err().to_string();
        assert!(refused.contains("is not a time of day"), "{bad}: {refused}");
    }
}

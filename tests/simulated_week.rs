//! The `simulated_week` example, run as a person runs it.

#![allow(clippy::unwrap_used)] // here a failed unwrap is the failure

mod support {
    pub(crate) mod built;
}

use std::process::{Command, Output};

fn week(arguments: &[&str]) -> Output {
    Command::new(support::built::example("simulated_week")).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_week_with_one_seed_is_one_week_and_nothing_is_broken_in_it() {
    let (first, second) = (week(&["--seed", "1"]), week(&["--seed", "1"]));
    let report = said(&first);
    assert!(first.status.success(), "{}\n{report}", String::from_utf8_lossy(&first.stderr));
    assert_eq!(report, said(&second));
    for section in [
        "CHANNELS",
        "CLOSED, WHY AND BY WHOM",
        "PROMISES",
        "TEAMS",
        "AGENTS",
        "BOTS",
        "SENDS AND NOTICES",
        "NOT DONE BY THEMSELVES, AND WHY",
        "AVERAGE WAIT FOR A PERSON, BY THE HOUR OF THE FIRST MESSAGE",
        "CHECKS",
    ] {
        assert!(report.lines().any(|line| line == section), "there is no section {section:?} in\n{report}");
    }
    // Not a quiet week in which nothing could go wrong.
    for happened in
        ["reopened", "a person answered", "unknown for a while", "handed over", "too slow", "no_answer"]
    {
        assert!(report.contains(happened), "{happened:?} did not happen in\n{report}");
    }
    assert!(!report.contains("BROKEN"), "{report}");
}

#[test]
fn another_seed_is_another_week() {
    assert_ne!(said(&week(&["--seed", "2"])), said(&week(&["--seed", "3"])));
}

#[test]
fn a_book_that_cannot_be_used_is_refused_with_its_lines() {
    let folder = tempfile::tempdir().unwrap();
    let book = folder.path().join("mine.toml");
    std::fs::write(&book, "[channels.vk]\npined = \"anna\"\n").unwrap();
    let refused = week(&["--book", book.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(2));
    let words = String::from_utf8(refused.stderr).unwrap();
    assert!(words.contains("mine.toml:2:1: error: channels.vk.pined"), "{words}");
}

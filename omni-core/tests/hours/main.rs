//! Business hours: how they are written, what they mean, what holds for all of them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure

mod clocks;
mod days;
mod form;
#[cfg(feature = "ical")]
mod ical;
mod laws;

use std::time::Duration;

use omni_core::Timestamp;
use omni_core::hours::Hours;

/// Hours as they stand in a file.
fn hours(toml: &str) -> Hours {
    toml::from_str(toml).unwrap()
}

/// An instant, with its offset: `2026-03-29T01:30:00+01:00`.
fn at(text: &str) -> Timestamp {
    Timestamp::from_millis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

/// Checks when hours are open: up to, and without, the second instant of each pair, and at no other time between
/// the first and the last.
fn assert_open(hours: &Hours, openings: &[(&str, &str)]) {
    for (opens, closes) in openings {
        let (opens, closes) = (at(opens), at(closes));
        let before = Timestamp::from_millis(opens.as_millis() - 1);
        let last = Timestamp::from_millis(closes.as_millis() - 1);
        assert!(!hours.is_open(before), "open before {opens:?}");
        assert!(hours.is_open(opens), "closed at {opens:?}");
        assert!(hours.is_open(last), "closed before {closes:?}");
        assert!(!hours.is_open(closes), "open at {closes:?}");
        assert_eq!(hours.opens(before), Some(opens));
        assert_eq!(hours.closes(opens), Some(closes));
        assert_eq!(hours.between(before, closes), closes.since(opens));
    }
    let (first, last) = (at(openings[0].0), at(openings[openings.len() - 1].1));
    let total: Duration = openings.iter().map(|(opens, closes)| at(closes).since(at(opens))).sum();
    assert_eq!(hours.between(first, last), total);
}

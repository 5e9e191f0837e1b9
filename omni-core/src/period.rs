//! Lengths of time as people write them in a configuration: `10s`, `5m`, `1h 30m`, `3d`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::fmt::friendly::{Designator, Spacing, SpanPrinter};
use jiff::{SpanRelativeTo, Unit};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time, to the millisecond. In TOML and JSON it is a text: `10s`, `1h 30m`, `3d`; a day is 24 hours.
///
/// ```
/// use omni_core::Period;
/// let period: Period = "1h 30m".parse().unwrap();
/// assert_eq!(period.get().as_secs(), 5400);
/// assert_eq!(period.to_string(), "1h 30m");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period(Duration);

impl Period {
    /// So many seconds.
    pub const fn secs(secs: u64) -> Self {
        Self(Duration::from_secs(secs))
    }

    /// So many minutes.
    pub const fn mins(mins: u64) -> Self {
        Self::secs(mins.saturating_mul(60))
    }

    /// So many hours.
    pub const fn hours(hours: u64) -> Self {
        Self::mins(hours.saturating_mul(60))
    }

    /// So many days of 24 hours.
    pub const fn days(days: u64) -> Self {
        Self::hours(days.saturating_mul(24))
    }

    /// As a duration.
    pub const fn get(self) -> Duration {
        self.0
    }

    /// Whether it is no time at all.
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

impl From<Duration> for Period {
    /// Rounds down to the millisecond.
    fn from(duration: Duration) -> Self {
        Self(Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl std::ops::Add<Period> for crate::Timestamp {
    type Output = Self;
    fn add(self, period: Period) -> Self {
        self + period.0
    }
}

/// The text is not a length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a length of time: write \"10s\", \"5m\", \"1h 30m\" or \"3d\"")]
pub struct NotAPeriod(String);

impl FromStr for Period {
    type Err = NotAPeriod;

    fn from_str(text: &str) -> Result<Self, NotAPeriod> {
        let bad = || NotAPeriod(text.to_owned());
        let span: jiff::Span = text.trim().parse().map_err(|_| bad())?;
        // Months and years have no length of their own; jiff refuses them here.
        let total = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| bad())?;
        Duration::try_from(total).map(Self::from).map_err(|_| bad())
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = i64::try_from(self.0.as_millis()).unwrap_or(i64::MAX);
        let balanced = jiff::Span::new()
            .try_milliseconds(millis)
            .and_then(|span| span.round(jiff::SpanRound::new().largest(Unit::Day).days_are_24_hours()));
        let printer = SpanPrinter::new().designator(Designator::Compact).spacing(Spacing::BetweenUnits);
        match balanced {
            Ok(span) => f.write_str(&printer.span_to_string(&span)),
            Err(_) => write!(f, "{}s", self.0.as_secs()),
        }
    }
}

impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Period {
    fn schema_name() -> Cow<'static, str> {
        "Period".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A length of time: 10s, 5m, 1h 30m, 3d. A day is 24 hours.",
            "examples": ["10s", "1h 30m", "3d"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_read_as_people_write_it() {
        for (text, secs) in [("10s", 10), ("5m", 300), ("1h 30m", 5400), ("3d", 259_200), ("2 hours", 7200)] {
            assert_eq!(text.parse::<Period>().unwrap().get().as_secs(), secs, "{text}");
        }
        for bad in ["", "5", "скоро", "1 month", "-5m"] {
            let error = bad.parse::<Period>().unwrap_err().to_string();
            assert!(error.contains("write \"10s\""), "{bad}: {error}");
        }
    }

    #[test]
    fn a_period_survives_being_written() {
        for millis in [0, 1, 999, 1000, 61_001, 86_400_000, 90_061_001, 31_536_000_000] {
            let period = Period::from(Duration::from_millis(millis));
            assert_eq!(period.to_string().parse(), Ok(period), "{period}");
        }
    }
}

//! Spans of the day, and the week they make.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::BadHours;
use super::zone::Weekday;

/// From one time of a day up to, and without, another one of that day or of the day after: `09:00-18:00`,
/// `22:00-06:00`, `00:00-24:00`. Never empty, never longer than a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    opens: u16,
    closes: u16,
}

impl Span {
    /// The whole day.
    pub const WHOLE_DAY: Self = Self { opens: 0, closes: MINUTES };

    /// From minute `opens` of the day (0 to 1439) to minute `closes` (1 to 1440); a `closes` that is before
    /// `opens` is on the day after.
    ///
    /// # Errors
    /// A span of no length, a minute that no day has.
    pub fn new(opens: u16, closes: u16) -> Result<Self, BadHours> {
        if opens >= MINUTES || closes > MINUTES {
            return Err(BadHours::new(format!("{opens}-{closes}: a day has the minutes 0 to {MINUTES}")));
        }
        if opens == closes {
            return Err(BadHours::new(format!(
                "\"{}-{}\" ends where it begins: leave it out to be closed, write \"00:00-24:00\" for the \
                 whole day",
                Face(opens),
                Face(closes)
            )));
        }
        Ok(Self { opens, closes: if closes < opens { closes + MINUTES } else { closes } })
    }

    /// The minute of the day at which it opens, 0 to 1439.
    pub const fn opens(self) -> u16 {
        self.opens
    }

    /// The minute, counted from the start of the day on which it opens, at which it closes: above 1440 on the
    /// day after.
    pub const fn closes(self) -> u16 {
        self.closes
    }

    /// Whether a second, counted from the start of its day, is in it.
    pub(super) fn covers(self, second: i64) -> bool {
        i64::from(self.opens) * 60 <= second && second < i64::from(self.closes) * 60
    }

    /// Whether some minute is in both; the day of `other` begins `later` minutes after the day of this one.
    pub(super) fn meets(self, other: Self, later: u16) -> bool {
        self.opens < other.closes + later && other.opens + later < self.closes
    }
}

impl FromStr for Span {
    type Err = BadHours;

    fn from_str(text: &str) -> Result<Self, BadHours> {
        let times = text.split_once('-').and_then(|(opens, closes)| Some((minute(opens)?, minute(closes)?)));
        match times {
            Some((opens, closes)) if opens < MINUTES => Self::new(opens, closes),
            _ => Err(BadHours::new(format!(
                "{text:?} is not a span of the day: write \"09:00-18:00\", hours 00 to 24, the end may be on the \
                 next day"
            ))),
        }
    }
}

/// `HH:MM`, up to `24:00`.
pub(crate) fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let number = |digits: &str, most: u16| {
        let plain = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
        digits.parse::<u16>().ok().filter(|n| plain && *n <= most)
    };
    let minutes = number(hour, 24)? * 60 + number(minute, 59)?;
    (minutes <= MINUTES).then_some(minutes)
}

/// A minute of the day as a clock shows it.
struct Face(u16);

impl fmt::Display for Face {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let closes = if self.closes > MINUTES { self.closes - MINUTES } else { self.closes };
        write!(f, "{}-{}", Face(self.opens), Face(closes))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        super::form::parsed(d, "a span of the day in quotes, such as \"09:00-18:00\"")
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn schema_id() -> Cow<'static, str> {
        concat!(module_path!(), "::Span").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A span of the day, `09:00-18:00`; the end may be `24:00` or on the day after.",
            "pattern": r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$",
        })
    }
}

/// The pattern of a week. A day without spans is closed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Week {
    /// What begins on Monday.
    pub monday: Vec<Span>,
    /// What begins on Tuesday.
    pub tuesday: Vec<Span>,
    /// What begins on Wednesday.
    pub wednesday: Vec<Span>,
    /// What begins on Thursday.
    pub thursday: Vec<Span>,
    /// What begins on Friday.
    pub friday: Vec<Span>,
    /// What begins on Saturday.
    pub saturday: Vec<Span>,
    /// What begins on Sunday.
    pub sunday: Vec<Span>,
}

impl Week {
    /// The same spans from Monday to Friday, none at the weekend.
    pub fn weekdays(spans: impl Into<Vec<Span>>) -> Self {
        Self { saturday: Vec::new(), sunday: Vec::new(), ..Self::every_day(spans) }
    }

    /// The same spans on every day.
    pub fn every_day(spans: impl Into<Vec<Span>>) -> Self {
        let spans = spans.into();
        Self {
            monday: spans.clone(),
            tuesday: spans.clone(),
            wednesday: spans.clone(),
            thursday: spans.clone(),
            friday: spans.clone(),
            saturday: spans.clone(),
            sunday: spans,
        }
    }

    /// The spans that begin on a day.
    pub fn day(&self, day: Weekday) -> &[Span] {
        match day {
            Weekday::Monday => &self.monday,
            Weekday::Tuesday => &self.tuesday,
            Weekday::Wednesday => &self.wednesday,
            Weekday::Thursday => &self.thursday,
            Weekday::Friday => &self.friday,
            Weekday::Saturday => &self.saturday,
            Weekday::Sunday => &self.sunday,
        }
    }
}

/// The minutes of a day on the wall.
pub(super) const MINUTES: u16 = 1440;

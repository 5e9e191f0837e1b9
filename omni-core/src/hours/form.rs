//! How hours are written in TOML and JSON.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::value::Datetime;

use super::dates::{Date, Exception, Holiday, HolidayDate};
use super::week::{Span, Week};
use super::zone::Zone;
use super::{BadHours, Hours, Weekly};

/// Reads something that is written as a text; `expected` is said when it is something else. TOML's own dates are
/// taken as well.
pub(super) fn parsed<'de, T, D>(d: D, expected: &'static str) -> Result<T, D::Error>
where
    T: FromStr<Err = BadHours>,
    D: Deserializer<'de>,
{
    struct Words<T>(&'static str, PhantomData<T>);

    impl<'de, T: FromStr<Err = BadHours>> Visitor<'de> for Words<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }

        /// A date without quotes is a value of its own in TOML, and comes as a map.
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            match Datetime::deserialize(MapAccessDeserializer::new(map)) {
                Ok(date) => self.visit_str(&date.to_string()),
                Err(_) => Err(Error::invalid_type(Unexpected::Map, &self)),
            }
        }
    }

    d.deserialize_str(Words(expected, PhantomData))
}

/// When a team or a channel is open: a word or a table.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum Form {
    Word(Word),
    Table(Box<Table>),
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Word {
    Always,
    Never,
}

impl Serialize for Hours {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let form = match self {
            Self::Always => Form::Word(Word::Always),
            Self::Never => Form::Word(Word::Never),
            Self::Weekly(weekly) => Form::Table(Box::new((**weekly).clone().into())),
        };
        form.serialize(s)
    }
}

impl<'de> Deserialize<'de> for Hours {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Hours;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("hours: \"always\", \"never\" or a table such as { mon = [\"09:00-18:00\"] }")
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<Hours, E> {
                match word {
                    "always" => Ok(Hours::Always),
                    "never" => Ok(Hours::Never),
                    _ => Err(E::custom(format_args!(
                        "{word:?} are no hours: write \"always\", \"never\" or a table such as \
                         {{ mon = [\"09:00-18:00\"] }}"
                    ))),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Hours, A::Error> {
                Weekly::deserialize(MapAccessDeserializer::new(map)).map(|w| Hours::Weekly(Box::new(w)))
            }
        }

        d.deserialize_any(Either)
    }
}

impl JsonSchema for Hours {
    fn schema_name() -> Cow<'static, str> {
        "Hours".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Form::json_schema(generator)
    }
}

/// Hours by the days of the week. A day that is not named is closed.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Weekly")]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    /// The time zone; that of the policy when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    zone: Option<Zone>,
    /// Monday.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mon: Option<Vec<Span>>,
    /// Tuesday.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tue: Option<Vec<Span>>,
    /// Wednesday.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wed: Option<Vec<Span>>,
    /// Thursday.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    thu: Option<Vec<Span>>,
    /// Friday.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fri: Option<Vec<Span>>,
    /// Saturday.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sat: Option<Vec<Span>>,
    /// Sunday.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sun: Option<Vec<Span>>,
    /// The days from Monday to Friday that are not named themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weekdays: Option<Vec<Span>>,
    /// All days that are named in no other way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    every_day: Option<Vec<Span>>,
    /// Dated days with hours of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    exceptions: Vec<Exception>,
    /// Days on which everything is closed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    holidays: Vec<Holiday>,
}

impl From<Table> for Weekly {
    fn from(table: Table) -> Self {
        let other = table.every_day.unwrap_or_default();
        let weekday = table.weekdays.unwrap_or_else(|| other.clone());
        let work = |own: Option<Vec<Span>>| own.unwrap_or_else(|| weekday.clone());
        let rest = |own: Option<Vec<Span>>| own.unwrap_or_else(|| other.clone());
        Self {
            zone: table.zone,
            week: Week {
                monday: work(table.mon),
                tuesday: work(table.tue),
                wednesday: work(table.wed),
                thursday: work(table.thu),
                friday: work(table.fri),
                saturday: rest(table.sat),
                sunday: rest(table.sun),
            },
            exceptions: table.exceptions.into(),
            holidays: table.holidays.into(),
        }
    }
}

impl From<Weekly> for Table {
    fn from(weekly: Weekly) -> Self {
        let own = |spans: Vec<Span>| (!spans.is_empty()).then_some(spans);
        Self {
            zone: weekly.zone,
            mon: own(weekly.week.monday),
            tue: own(weekly.week.tuesday),
            wed: own(weekly.week.wednesday),
            thu: own(weekly.week.thursday),
            fri: own(weekly.week.friday),
            sat: own(weekly.week.saturday),
            sun: own(weekly.week.sunday),
            weekdays: None,
            every_day: None,
            exceptions: weekly.exceptions.to_vec(),
            holidays: weekly.holidays.to_vec(),
        }
    }
}

/// Dated days with hours of their own: one `date`, or `from` and `to`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Exception")]
#[serde(deny_unknown_fields)]
pub(super) struct Dated {
    /// The day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    date: Option<Date>,
    /// The first day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Date>,
    /// The last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<Date>,
    /// The hours of each of these days; absent or empty: closed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    open: Vec<Span>,
    /// What the days are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

impl TryFrom<Dated> for Exception {
    type Error = BadHours;

    fn try_from(dated: Dated) -> Result<Self, BadHours> {
        let (from, to) = match (dated.date, dated.from, dated.to) {
            (Some(date), None, None) => (date, date),
            (None, Some(from), Some(to)) => (from, to),
            _ => {
                return Err(BadHours::new(
                    "an exception needs its days: write date = \"2026-12-31\", or from = \"2026-12-30\" and to \
                     = \"2027-01-08\" (both included)",
                ));
            }
        };
        Ok(Self { from, to, open: dated.open, name: dated.name })
    }
}

impl From<Exception> for Dated {
    fn from(exception: Exception) -> Self {
        let Exception { from, to, open, name } = exception;
        let one = from == to;
        Self { date: one.then_some(from), from: (!one).then_some(from), to: (!one).then_some(to), open, name }
    }
}

/// A day on which everything is closed: its date, or a table with its name.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum Closed<'a> {
    Date(HolidayDate),
    Named { date: HolidayDate, name: Cow<'a, str> },
}

impl Serialize for Holiday {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let date = self.date;
        let form = match &self.name {
            Some(name) => Closed::Named { date, name: Cow::Borrowed(name) },
            None => Closed::Date(date),
        };
        form.serialize(s)
    }
}

impl<'de> Deserialize<'de> for Holiday {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Named {
            date: HolidayDate,
            name: Option<String>,
        }

        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Holiday;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a holiday: a date in quotes, \"2027-01-01\" or \"01-01\" for every year, or a table such \
                     as { date = \"01-01\", name = \"New Year\" }",
                )
            }

            fn visit_str<E: Error>(self, date: &str) -> Result<Holiday, E> {
                Ok(Holiday { date: date.parse().map_err(E::custom)?, name: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Holiday, A::Error> {
                match toml::Value::deserialize(MapAccessDeserializer::new(map))? {
                    toml::Value::Datetime(date) => self.visit_str(&date.to_string()),
                    table => {
                        let Named { date, name } = table.try_into().map_err(Error::custom)?;
                        Ok(Holiday { date, name })
                    }
                }
            }
        }

        d.deserialize_any(Either)
    }
}

impl JsonSchema for Holiday {
    fn schema_name() -> Cow<'static, str> {
        "Holiday".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Closed::json_schema(generator)
    }
}

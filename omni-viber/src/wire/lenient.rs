//! Values that come as a number here and as text there. What is neither is not there.

use std::fmt;

use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A whole number from 0 on. `message_token` goes beyond 2^53, so it is never read by way of a float.
pub(super) fn whole<'de, D: Deserializer<'de>>(d: D) -> Result<Option<u64>, D::Error> {
    Ok(match d.deserialize_any(Scalar)? {
        Some(Value::Whole(n)) => Some(n),
        Some(Value::Text(text)) => text.parse().ok(),
        _ => None,
    })
}

/// Degrees of a place.
pub(super) fn degrees<'de, D: Deserializer<'de>>(d: D) -> Result<Option<f64>, D::Error> {
    let found = match d.deserialize_any(Scalar)? {
        // Degrees are small: nothing is lost.
        Some(Value::Whole(n)) => Some(n as f64),
        Some(Value::Float(n)) => Some(n),
        Some(Value::Text(text)) => text.parse().ok(),
        None => None,
    };
    Ok(found.filter(|degrees: &f64| degrees.is_finite()))
}

/// An id.
pub(super) fn id<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    Ok(match d.deserialize_any(Scalar)? {
        Some(Value::Whole(n)) => Some(n.to_string()),
        Some(Value::Text(text)) if !text.is_empty() => Some(text),
        _ => None,
    })
}

enum Value {
    Whole(u64),
    Float(f64),
    Text(String),
}

struct Scalar;

impl<'de> Visitor<'de> for Scalar {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<Option<Value>, E> {
        Ok(Some(Value::Whole(v)))
    }

    fn visit_i64<E: Error>(self, v: i64) -> Result<Option<Value>, E> {
        Ok(Some(u64::try_from(v).map_or(Value::Float(v as f64), Value::Whole)))
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<Option<Value>, E> {
        Ok(Some(Value::Float(v)))
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Option<Value>, E> {
        Ok(Some(Value::Text(v.to_owned())))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<Value>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Value>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Read {
        #[serde(default, deserialize_with = "whole")]
        n: Option<u64>,
        #[serde(default, deserialize_with = "degrees")]
        d: Option<f64>,
        #[serde(default, deserialize_with = "id")]
        i: Option<String>,
    }

    fn read(json: &str) -> Read {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_number_is_read_to_its_last_digit_in_both_forms() {
        for json in [r#"{"n": 18446744073709551615}"#, r#"{"n": "18446744073709551615"}"#] {
            assert_eq!(read(json).n, Some(u64::MAX), "{json}");
        }
        for json in [r#"{"n": -1}"#, r#"{"n": 1.5}"#, r#"{"n": "сорок"}"#, r#"{"n": null}"#, "{}"] {
            assert_eq!(read(json).n, None, "{json}");
        }
    }

    #[test]
    fn degrees_come_as_numbers_and_as_text() {
        for (json, degrees) in [
            (r#"{"d": 53.9006}"#, Some(53.9006)),
            (r#"{"d": "53.9006"}"#, Some(53.9006)),
            (r#"{"d": -27}"#, Some(-27.0)),
            (r#"{"d": "NaN"}"#, None),
            (r#"{"d": true}"#, None),
        ] {
            assert_eq!(read(json).d, degrees, "{json}");
        }
    }

    #[test]
    fn what_is_neither_number_nor_text_is_not_there() {
        for json in [r#"{"i": [1, [2]]}"#, r#"{"i": {"a": {}}}"#, r#"{"i": ""}"#, r#"{"i": false}"#] {
            assert_eq!(read(json).i, None, "{json}");
        }
        assert_eq!(read(r#"{"i": 40133}"#).i.as_deref(), Some("40133"));
        assert_eq!(read(r#"{"i": "40133"}"#).i.as_deref(), Some("40133"));
    }
}

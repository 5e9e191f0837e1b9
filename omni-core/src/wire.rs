//! Reading providers' JSON once, from bytes: text that borrows from the body, and fields that may be of any type.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// Text that borrows from the body when it has no escapes.
///
/// `Option<Cow<str>>` would always copy: serde borrows into a `Cow` only where it stands by itself.
///
/// ```
/// use std::borrow::Cow;
/// use omni_core::wire::Str;
/// let read: Vec<Option<Str<'_>>> = serde_json::from_str(r#"["Привет 👋", "a\nb", null]"#)?;
/// assert!(matches!(&read[0], Some(Str(Cow::Borrowed("Привет 👋")))));
/// assert!(matches!(&read[1], Some(Str(Cow::Owned(escaped))) if escaped == "a\nb"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Str<'a>(pub Cow<'a, str>);

impl Str<'_> {
    /// The text as a string of its own.
    pub fn into_string(self) -> String {
        self.0.into_owned()
    }
}

impl Deref for Str<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Str<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_str(Borrow)
    }
}

impl JsonSchema for Str<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Str".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

struct Borrow;

impl<'de> Visitor<'de> for Borrow {
    type Value = Str<'de>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }
    fn visit_borrowed_str<E: Error>(self, v: &'de str) -> Result<Str<'de>, E> {
        Ok(Str(Cow::Borrowed(v)))
    }
    fn visit_str<E: Error>(self, v: &str) -> Result<Str<'de>, E> {
        Ok(Str(Cow::Owned(v.to_owned())))
    }
    fn visit_string<E: Error>(self, v: String) -> Result<Str<'de>, E> {
        Ok(Str(Cow::Owned(v)))
    }
}

/// For `deserialize_with`: a field of another type than described counts as absent, and does not cost the message.
/// Works on JSON text alone.
///
/// # Errors
/// When the text is not JSON.
pub fn lenient<'de, D, T>(d: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let raw = <&'de RawValue>::deserialize(d)?;
    Ok(serde_json::from_str(raw.get()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Place<'a> {
        #[serde(borrow, default, deserialize_with = "lenient")]
        title: Option<Str<'a>>,
        id: u32,
    }

    #[test]
    fn a_field_of_another_type_is_absent_and_the_rest_is_read() {
        for json in [r#"{"title": 7, "id": 1}"#, r#"{"title": {"a": [1]}, "id": 1}"#, r#"{"id": 1}"#] {
            let place: Place<'_> = serde_json::from_str(json).unwrap();
            assert_eq!((place.title, place.id), (None, 1), "{json}");
        }
        let place: Place<'_> = serde_json::from_str(r#"{"title": "Кафе", "id": 1}"#).unwrap();
        assert_eq!(place.title.as_deref(), Some("Кафе"));
    }
}

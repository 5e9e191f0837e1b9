//! The second look at an update that was not understood: names of keys only, values skipped.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Str;

/// An update by its id and kind alone: what can still be read when the rest is not as expected.
#[derive(Debug)]
pub struct Envelope<'a> {
    /// Unique for the bot.
    pub update_id: i64,
    /// The provider's name of what happened.
    pub kind: Option<Str<'a>>,
    /// What happened, unread.
    pub value: Option<&'a RawValue>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Envelope<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_map(EnvelopeVisitor)
    }
}

struct EnvelopeVisitor;

impl<'de> Visitor<'de> for EnvelopeVisitor {
    type Value = Envelope<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an update")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope<'de>, A::Error> {
        let (mut update_id, mut kind, mut value) = (None, None, None);
        while let Some(key) = map.next_key::<Str<'de>>()? {
            if &*key == "update_id" {
                update_id = Some(map.next_value()?);
            } else if kind.is_none() {
                kind = Some(key);
                value = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        let update_id = update_id.ok_or_else(|| A::Error::missing_field("update_id"))?;
        Ok(Envelope { update_id, kind, value })
    }
}

/// The names of an object's keys, in order; none for anything that is not an object.
pub fn keys_of(json: &RawValue) -> Vec<Str<'_>> {
    serde_json::from_str::<Keys<'_>>(json.get()).map(|keys| keys.0).unwrap_or_default()
}

struct Keys<'a>(Vec<Str<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Keys<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct KeysVisitor;
        impl<'de> Visitor<'de> for KeysVisitor {
            type Value = Keys<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys<'de>, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, _)) = map.next_entry::<Str<'de>, IgnoredAny>()? {
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }
        d.deserialize_map(KeysVisitor)
    }
}

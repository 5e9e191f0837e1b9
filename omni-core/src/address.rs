//! Where to speak on a channel.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where to speak on a channel: opaque, serialisable, enough to speak later from another process.
///
/// Only its connector looks inside. The form is one main part, and named parts behind a `?` encoded as an
/// URL query in alphabetical order, so equal addresses are equal text and a person can type the simple ones:
///
/// ```
/// use omni_core::Address;
/// let plain = Address::new("100200300");
/// assert_eq!(plain.to_string(), "100200300");
/// let topic = Address::new("-1001234567890").with("thread", "12").with("business", "a&b");
/// assert_eq!(topic.to_string(), "-1001234567890?business=a%26b&thread=12");
/// assert_eq!(topic.main(), "-1001234567890");
/// assert_eq!(topic.part("business").as_deref(), Some("a&b"));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(transparent)]
pub struct Address(#[schemars(with = "String")] Arc<str>);

impl Address {
    /// An address of one part. A `?` or `%` in it is escaped.
    pub fn new(main: impl AsRef<str>) -> Self {
        let main = main.as_ref();
        if main.bytes().any(|b| matches!(b, b'?' | b'%')) {
            return Self(main.replace('%', "%25").replace('?', "%3F").into());
        }
        Self(main.into())
    }

    /// The same address with one more named part; a part of that name is replaced.
    #[must_use]
    pub fn with(&self, name: &str, value: impl AsRef<str>) -> Self {
        let (main, query) = self.split();
        let mut parts: Vec<(String, String)> =
            form_urlencoded::parse(query.as_bytes()).into_owned().filter(|(n, _)| n != name).collect();
        parts.push((name.to_owned(), value.as_ref().to_owned()));
        parts.sort();
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parts).finish();
        Self(format!("{main}?{query}").into())
    }

    /// The main part, unescaped.
    pub fn main(&self) -> std::borrow::Cow<'_, str> {
        let (main, _) = self.split();
        if main.contains('%') { main.replace("%3F", "?").replace("%25", "%").into() } else { main.into() }
    }

    /// A named part, unescaped.
    pub fn part(&self, name: &str) -> Option<String> {
        let (_, query) = self.split();
        form_urlencoded::parse(query.as_bytes()).find(|(n, _)| n == name).map(|(_, v)| v.into_owned())
    }

    /// The whole address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn split(&self) -> (&str, &str) {
        self.0.split_once('?').unwrap_or((&self.0, ""))
    }
}

impl FromStr for Address {
    type Err = std::convert::Infallible;

    /// Reads the text form that [`fmt::Display`] writes.
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Ok(Self(s.into()))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        crate::id::arc_str(d).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_parts_does_not_matter() {
        let a = Address::new("1").with("b", "2").with("a", "Привет 👋");
        let b = Address::new("1").with("a", "Привет 👋").with("b", "2");
        assert_eq!(a, b);
        assert_eq!(a.part("a").as_deref(), Some("Привет 👋"));
        assert_eq!(a.to_string().parse::<Address>(), Ok(a));
    }

    #[test]
    fn a_main_part_with_marks_is_kept_whole() {
        let a = Address::new("who?100%").with("x", "1");
        assert_eq!(a.main(), "who?100%");
        assert_eq!(a.part("x").as_deref(), Some("1"));
        assert_eq!(a.part("y"), None);
    }
}

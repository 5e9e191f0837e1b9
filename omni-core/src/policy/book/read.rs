//! Books from TOML and JSON: all that is wrong with one is found at once, each with its place.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use serde_path_to_error::Segment;
use toml::de::{DeTable, DeValue};

use super::lint::{self, At, FindingKind, Found, Step, nearest};
use super::{BadBook, Book, Condition, Finding, Known, Limit, Place, Rule, Scenario, Trigger};
use crate::id::ChannelId;

impl Book {
    /// Most bytes of a book that is read.
    pub const MAX_BYTES: usize = 1 << 20;

    /// Reads a book and looks it over, as far as that goes without knowing the connected channels.
    ///
    /// ```
    /// use omni_core::policy::Book;
    ///
    /// let book = Book::from_toml(r#"
    ///     [channels.shop]
    ///     pinned = "anna"
    ///     auto_close = { after = "3d" }
    ///
    ///     [agents.anna]
    /// "#).unwrap();
    /// assert!(book.channels.contains_key("shop"));
    ///
    /// let bad = Book::from_toml("[channels.shop]\npined = \"anna\"").unwrap_err();
    /// assert!(bad.in_file("policy.toml").to_string().starts_with(
    ///     "policy.toml:2:1: error: channels.shop.pined: `pined` is no key here; did you mean `pinned`?"
    /// ));
    /// ```
    ///
    /// # Errors
    /// All that was found, warnings too, if there is an error among it.
    pub fn from_toml(text: &str) -> Result<Self, BadBook> {
        accept(toml(text, &Known::default()))
    }

    /// As [`Book::from_toml`], of JSON.
    ///
    /// # Errors
    /// As there.
    pub fn from_json(json: impl AsRef<[u8]>) -> Result<Self, BadBook> {
        accept(self::json(json.as_ref(), &Known::default()))
    }

    /// All that can be found in a text, warnings too, in the order of the text.
    pub fn check_toml(text: &str, known: &Known) -> Vec<Finding> {
        toml(text, known).1
    }

    /// As [`Book::check_toml`], of JSON.
    pub fn check_json(json: impl AsRef<[u8]>, known: &Known) -> Vec<Finding> {
        self::json(json.as_ref(), known).1
    }

    /// The book as TOML that reads back to the same.
    ///
    /// # Errors
    /// Only for a number above what TOML can write.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }

    /// The book as JSON that reads back to the same.
    pub fn to_json(&self) -> String {
        // A book holds nothing that JSON cannot write: its keys are texts, its numbers whole.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Gives calendars that name no zone the one of the book. Reading does it; a book built in code may.
    pub fn settle_zones(&mut self) {
        if let Some(zone) = &self.zone {
            self.hours.values_mut().for_each(|hours| hours.or_zone(zone));
        }
    }
}

fn accept((book, findings): (Book, Vec<Finding>)) -> Result<Book, BadBook> {
    BadBook::unless_fine(findings).map(|()| book)
}

type Outcome = (Book, Vec<Finding>);

fn toml(text: &str, known: &Known) -> Outcome {
    if let Some(found) = too_large(text.len()) {
        return refused(vec![found.at_place(None)]);
    }
    let lines = Lines::of(text);
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // One slip makes others behind it look wrong; the first ones are worth reading.
        let found = errors.iter().take(10).map(|error| {
            let place = error.span().map(|span| lines.place(span.start));
            Found::new(FindingKind::Syntax, At::default(), error.message().trim()).at_place(place)
        });
        return refused(found.collect());
    }
    let value = table(root.get_ref());
    judge(value, known, |at| span(root.get_ref(), at).map(|span| lines.place(span.start)))
}

fn json(json: &[u8], known: &Known) -> Outcome {
    if let Some(found) = too_large(json.len()) {
        return refused(vec![found.at_place(None)]);
    }
    match serde_json::from_slice::<Unrepeated>(json) {
        Ok(Unrepeated(Value::Object(root))) => judge(root, known, |_| None),
        Ok(_) => {
            refused(vec![Found::new(FindingKind::Shape, At::default(), "a book is an object").at_place(None)])
        }
        Err(error) => {
            let message = error.to_string();
            let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(what, _)| what);
            let whole = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            let place = Place { line: whole(error.line()), column: whole(error.column().max(1)) };
            let place = (place.line > 0).then_some(place);
            refused(vec![Found::new(FindingKind::Syntax, At::default(), message).at_place(place)])
        }
    }
}

fn too_large(bytes: usize) -> Option<Found> {
    let max = Book::MAX_BYTES;
    (bytes > max).then(|| {
        let message = format!("{bytes} bytes are above the limit of {max}: split the book, one a tenant");
        Found::new(FindingKind::TooLarge, At::default(), message)
    })
}

fn refused(findings: Vec<Finding>) -> Outcome {
    (Book::default(), findings)
}

/// Reads what can be read, looks it over, and tells the places of what was found.
fn judge(root: Map<String, Value>, known: &Known, locate: impl Fn(&At) -> Option<Place>) -> Outcome {
    let mut reader = Reader::default();
    let mut book = reader.book(root);
    book.settle_zones();
    let mut found = reader.found;
    found.extend(lint::of(&book, known, &reader.broken));
    let mut findings: Vec<Finding> =
        found.into_iter().map(|f| (locate(&f.at), f)).map(|(p, f)| f.at_place(p)).collect();
    findings.sort_by_key(|finding| finding.place);
    (book, findings)
}

/// How often one entry is read again without what was wrong, to find what else is.
const ROUNDS: usize = 50;

/// Takes a book apart, so that a bad entry hides no other one.
#[derive(Default)]
struct Reader {
    found: Vec<Found>,
    /// What could not be read: nothing is said of it any further, and its name counts as known.
    broken: BTreeSet<At>,
}

impl Reader {
    fn book(&mut self, mut root: Map<String, Value>) -> Book {
        let at = At::default();
        let mut book = Book::default();
        if let Some(hours) = root.remove("hours") {
            book.hours = self.entries(&at.key("hours"), hours, Self::whole);
        }
        if let Some(agents) = root.remove("agents") {
            book.agents = self.entries(&at.key("agents"), agents, Self::whole);
        }
        if let Some(teams) = root.remove("teams") {
            book.teams = self.entries(&at.key("teams"), teams, Self::whole);
        }
        if let Some(bots) = root.remove("bots") {
            book.bots = self.entries(&at.key("bots"), bots, Self::whole);
        }
        if let Some(scenarios) = root.remove("scenarios") {
            book.scenarios = self.entries(&at.key("scenarios"), scenarios, Self::scenario);
        }
        if let Some(variables) = root.remove("variables") {
            book.variables = self.entries(&at.key("variables"), variables, Self::whole);
        }
        if let Some(channels) = root.remove("channels") {
            book.channels = self.entries::<ChannelId, _>(&at.key("channels"), channels, Self::whole);
        }
        if let Some(other) = root.remove("other_channels") {
            book.other_channels = self.whole(&at.key("other_channels"), other).unwrap_or_default();
        }
        // What is left: plain settings, and keys that are none.
        let rest: Book = self.whole(&at, Value::Object(root)).unwrap_or_default();
        Book { version: rest.version, zone: rest.zone, ..book }
    }

    /// Entries by name, each on its own.
    fn entries<K, T>(
        &mut self,
        at: &At,
        value: Value,
        mut read: impl FnMut(&mut Self, &At, Value) -> Option<T>,
    ) -> BTreeMap<K, T>
    where
        K: From<String> + Ord,
    {
        let Value::Object(entries) = value else {
            let message = format!("a table is meant here, with a name for each: [{at}.name]");
            self.bad(FindingKind::Shape, at.clone(), message);
            return BTreeMap::new();
        };
        let read = entries.into_iter().filter_map(|(name, value)| {
            let entry = read(self, &at.key(&name), value)?;
            Some((K::from(name), entry))
        });
        read.collect()
    }

    /// A scenario; a bad rule leaves its place in the order, and the other rules.
    fn scenario(&mut self, at: &At, mut value: Value) -> Option<Scenario> {
        let rules = match &mut value {
            Value::Object(table) => match table.get("rules") {
                Some(Value::Array(_)) => table.remove("rules"),
                _ => None,
            },
            _ => None,
        };
        let mut scenario: Scenario = self.whole(at, value)?;
        let Some(Value::Array(rules)) = rules else { return Some(scenario) };
        for (index, value) in rules.into_iter().enumerate() {
            let told: Option<(String, Option<Trigger>)> = value
                .get("name")
                .and_then(Value::as_str)
                .map(|name| (name.to_owned(), value.get("on").and_then(|on| Trigger::deserialize(on).ok())));
            let rule = self.whole(&at.key("rules").index(index), value);
            scenario.rules.push(rule.unwrap_or_else(|| {
                let (name, on) = told.unwrap_or_else(|| (format!("\0{index}"), Some(Trigger::Opened)));
                Rule {
                    name,
                    on,
                    when: Some(Condition::All(Vec::new())),
                    steps: Vec::new(),
                    limit: Limit::default(),
                }
            }));
        }
        Some(scenario)
    }

    /// One entry. What is wrong is noted and taken out, and the rest read again, until nothing is wrong.
    fn whole<T: DeserializeOwned>(&mut self, at: &At, mut value: Value) -> Option<T> {
        let mut removed = Removed::default();
        for _ in 0..ROUNDS {
            let error = match serde_path_to_error::deserialize::<_, T>(&value) {
                Ok(read) if removed.0.is_empty() => return Some(read),
                Ok(_) => return None,
                Err(error) => error,
            };
            let path: Vec<Step> = error.path().iter().map_while(step).collect();
            let original = removed.original(&path);
            let place = original.iter().fold(at.clone(), |at, step| at.then(step.clone()));
            if removed.0.is_empty() && !at.steps().is_empty() {
                self.broken.insert(at.clone());
            }
            if !removed.explains(&original, error.inner()) {
                let (kind, message) = in_words(error.inner(), &value, &path);
                self.bad(kind, place, message);
            }
            if !remove(&mut value, &path) {
                return None;
            }
            removed.0.push(original);
        }
        None
    }

    fn bad(&mut self, kind: FindingKind, at: At, message: impl Into<String>) {
        if !at.is_in(&self.broken) {
            self.broken.insert(at.clone());
        }
        self.found.push(Found::new(kind, at, message));
    }
}

fn step(segment: &Segment) -> Option<Step> {
    match segment {
        Segment::Seq { index } => Some(Step::Index(*index)),
        Segment::Map { key } | Segment::Enum { variant: key } => Some(Step::Key(key.clone())),
        Segment::Unknown => None,
    }
}

/// Paths that were taken out of an entry, as they were before.
#[derive(Default)]
struct Removed(Vec<Vec<Step>>);

impl Removed {
    /// A path as it was before elements in front of it were taken out of their lists.
    fn original(&self, path: &[Step]) -> Vec<Step> {
        let mut original: Vec<Step> = Vec::with_capacity(path.len());
        for step in path {
            let step = match step {
                Step::Key(_) => step.clone(),
                Step::Index(index) => {
                    let mut gone: Vec<usize> =
                        self.0.iter().filter_map(|gone| gone_from(gone, &original)).collect();
                    gone.sort_unstable();
                    Step::Index(
                        gone.into_iter().fold(*index, |index, gone| index + usize::from(gone <= index)),
                    )
                }
            };
            original.push(step);
        }
        original
    }

    /// Whether something is wrong only because a part of it was taken out a round ago.
    fn explains(&self, path: &[Step], error: &serde_json::Error) -> bool {
        let message = error.to_string();
        let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
        self.0.iter().filter_map(|gone| gone.strip_prefix(path)?.first()).any(|first| match missing {
            None => true,
            Some(missing) => matches!(first, Step::Key(key) if key == missing),
        })
    }
}

/// Which element of the list at `list` a removed path is.
fn gone_from(gone: &[Step], list: &[Step]) -> Option<usize> {
    match gone.strip_prefix(list)? {
        [Step::Index(index)] => Some(*index),
        _ => None,
    }
}

/// Takes a value out; false when it is not there, or is all there is.
fn remove(value: &mut Value, path: &[Step]) -> bool {
    let Some((last, parents)) = path.split_last() else { return false };
    let parent = parents.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get_mut(key),
        Step::Index(index) => value.get_mut(index),
    });
    match (parent, last) {
        (Some(Value::Object(table)), Step::Key(key)) => table.remove(key).is_some(),
        (Some(Value::Array(list)), Step::Index(index)) if *index < list.len() => {
            list.remove(*index);
            true
        }
        _ => false,
    }
}

/// What serde says, in words for people who write books.
fn in_words(error: &serde_json::Error, root: &Value, path: &[Step]) -> (FindingKind, String) {
    let message = error.to_string();
    let named = |rest: &str| {
        let mut names = rest.split('`').skip(1).step_by(2).map(str::to_owned);
        (names.next().unwrap_or_default(), names.collect::<Vec<_>>())
    };
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let (name, known) = named(rest);
        return (FindingKind::UnknownKey, not_there(&name, "no key here", &known));
    }
    let words = if let Some(rest) = message.strip_prefix("unknown variant ") {
        let (name, known) = named(rest);
        not_there(&name, "not known here", &known)
    } else if let Some(rest) = message.strip_prefix("missing field ") {
        format!("the key {rest} is missing")
    } else if message.contains("map with a single key") {
        let value = path.iter().try_fold(root, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => value.get(index),
        });
        let keys: Vec<_> =
            value.and_then(Value::as_object).into_iter().flat_map(Map::keys).cloned().collect();
        let count = if keys.is_empty() { "none".to_owned() } else { keys.join(", ") };
        format!(
            "one key is meant here, and there are {}: {count}; put several conditions into all = [..] or any = [..], \
             and several steps one by one into the list",
            keys.len()
        )
    } else {
        plainly(&message)
    };
    (FindingKind::Shape, words)
}

/// The types of serde and Rust, as those of TOML and JSON.
fn plainly(message: &str) -> String {
    let Some((got, expected)) = message
        .strip_prefix("invalid type: ")
        .or(message.strip_prefix("invalid value: "))
        .and_then(|m| m.split_once(", expected "))
    else {
        return message.to_owned();
    };
    let got = match got {
        "map" => "a table".to_owned(),
        "sequence" => "a list".to_owned(),
        "null" => "null".to_owned(),
        got => match got.split_once(' ') {
            Some(("string", text)) => format!("the text {text}"),
            Some(("integer" | "floating", number)) => {
                format!("the number {}", number.trim_start_matches("point ").trim_matches('`'))
            }
            Some(("boolean", value)) => value.trim_matches('`').to_owned(),
            _ => got.to_owned(),
        },
    };
    let expected = match expected {
        "u8" | "u16" | "u32" | "u64" => "a whole number, zero or above",
        "a string" => "a text in quotes",
        "a sequence" => "a list, in [ ]",
        "a boolean" => "true or false",
        "a map" => "a table",
        expected if expected.starts_with("struct ") => "a table",
        expected => expected,
    };
    format!("this is {got}, and meant is {expected}")
}

fn not_there(name: &str, what: &str, known: &[String]) -> String {
    let near = nearest(name, known.iter().map(String::as_str));
    let near = near.map(|near| format!(" did you mean `{near}`?")).unwrap_or_default();
    let known = if known.is_empty() {
        "there are none".to_owned()
    } else {
        format!("known are {}", known.join(", "))
    };
    match near.is_empty() {
        true => format!("`{name}` is {what}; {known}"),
        false => format!("`{name}` is {what};{near} {known}", known = known.replacen("known", "Known", 1)),
    }
}

/// JSON in which no key stands twice: which of the two is meant is not for us to choose.
struct Unrepeated(Value);

impl<'de> Deserialize<'de> for Unrepeated {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(Tree).map(Self)
    }
}

struct Tree;

impl<'de> DeserializeSeed<'de> for Tree {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Value, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = seq.next_element_seed(Tree)? {
            list.push(value);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut table = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if table.contains_key(&key) {
                return Err(A::Error::custom(format_args!("the key {key:?} stands twice in one object")));
            }
            let value = map.next_value_seed(Tree)?;
            table.insert(key, value);
        }
        Ok(table.into())
    }
}

/// TOML as JSON has it. Dates and times become texts, so that they may be written with and without quotes.
fn table(table: &DeTable<'_>) -> Map<String, Value> {
    table.iter().map(|(key, value)| (key.get_ref().to_string(), plain(value.get_ref()))).collect()
}

fn plain(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Integer(number) => {
            let (digits, radix) = (number.as_str(), number.radix());
            match (i64::from_str_radix(digits, radix), u64::from_str_radix(digits, radix)) {
                (Ok(number), _) => number.into(),
                (_, Ok(number)) => number.into(),
                _ => digits.into(),
            }
        }
        DeValue::Float(number) => {
            let parsed = number.as_str().parse().ok().and_then(serde_json::Number::from_f64);
            parsed.map_or_else(|| number.as_str().into(), Value::Number)
        }
        DeValue::Boolean(is) => (*is).into(),
        DeValue::Datetime(at) => at.to_string().into(),
        DeValue::Array(list) => list.iter().map(|value| plain(value.get_ref())).collect(),
        DeValue::Table(inner) => Value::Object(table(inner)),
    }
}

/// Where a path is written: its key, or the nearest one around it that is there.
fn span(root: &DeTable<'_>, at: &At) -> Option<Range<usize>> {
    let mut span = None;
    let mut steps = at.steps().iter();
    let Step::Key(first) = steps.next()? else { return None };
    let (key, mut value) = root.get_key_value(first.as_str())?;
    span.replace(key.span());
    for step in steps {
        value = match (step, value.get_ref()) {
            (Step::Key(key), DeValue::Table(table)) => match table.get_key_value(key.as_str()) {
                Some((key, value)) => {
                    span.replace(key.span());
                    value
                }
                None => break,
            },
            (Step::Index(index), DeValue::Array(list)) => match list.get(*index) {
                Some(value) => {
                    span.replace(value.span());
                    value
                }
                None => break,
            },
            _ => break,
        };
    }
    span
}

/// Turns bytes into lines and columns.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    fn place(&self, at: usize) -> Place {
        let line = self.starts.partition_point(|start| *start <= at);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let before = self.text.get(start..at).map_or(0, |text| text.chars().count());
        let whole = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Place { line: whole(line), column: whole(before + 1) }
    }
}

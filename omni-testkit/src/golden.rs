//! Recorded payloads, what becomes of them, and the many ways to spoil them.
//!
//! ```no_run
//! use omni_testkit::golden::{self, spoil};
//!
//! # fn parse(body: &[u8]) -> Vec<String> { Vec::new() }
//! const CRATE: &str = env!("CARGO_MANIFEST_DIR");
//! // What each payload of tests/fixtures becomes is in tests/golden; UPDATE_GOLDEN=1 writes it anew.
//! golden::replay(CRATE, |fixture| parse(&fixture.body));
//! // No cut, other byte or other value makes the parser panic.
//! for fixture in golden::fixtures(CRATE) {
//!     spoil::cuts(&fixture.body, |body| drop(parse(body)));
//!     spoil::other_bytes(&fixture.body, |body| drop(parse(body)));
//!     spoil::other_values(&fixture.body, |_what, body| drop(parse(body)));
//! }
//! ```
//!
//! A payload that was captured in production goes through [`redact`](crate::redact) first.

use std::fs;
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

/// Compares a text with a committed file; with `UPDATE_GOLDEN` in the environment the file is written anew.
///
/// # Panics
/// When they differ, or the file cannot be written.
#[track_caller]
pub fn check(path: impl AsRef<Path>, found: &str) {
    let path = path.as_ref();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        if let Some(parent) = path.parent() {
            let _ = fs::create_dir_all(parent);
        }
        if let Err(error) = fs::write(path, found) {
            panic!("{}: {error}", path.display());
        }
        return;
    }
    let wanted = fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == wanted,
        "{} differs: UPDATE_GOLDEN=1 writes it anew when the change is meant\nfound: {found}\nwanted: {wanted}",
        path.display()
    );
}

/// One recorded payload.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// Its file's name without the end.
    pub name: String,
    /// The payload.
    pub body: Vec<u8>,
}

/// The recorded payloads of a connector, `tests/fixtures/*.json` in its crate, by name.
///
/// # Panics
/// When there are none.
#[must_use]
pub fn fixtures(crate_dir: &str) -> Vec<Fixture> {
    let directory = Path::new(crate_dir).join("tests/fixtures");
    let files = fs::read_dir(&directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<Fixture> = files
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .filter_map(|path| {
            let name = path.file_stem()?.to_str()?.to_owned();
            Some(Fixture { name, body: fs::read(&path).ok()? })
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(!found.is_empty(), "no fixtures in {}", directory.display());
    found
}

/// Compares what every fixture becomes with `tests/golden`, and that no golden file stands alone. Raw forms are left
/// out: they are the fixtures themselves.
///
/// # Panics
/// When something differs.
#[track_caller]
pub fn replay<T: Serialize>(crate_dir: &str, becomes: impl Fn(&Fixture) -> T) {
    let directory = Path::new(crate_dir).join("tests/golden");
    let fixtures = fixtures(crate_dir);
    for fixture in &fixtures {
        let mut found = match serde_json::to_value(becomes(fixture)) {
            Ok(found) => found,
            Err(error) => panic!("{}: {error}", fixture.name),
        };
        without_raw(&mut found);
        let text = serde_json::to_string_pretty(&found).unwrap_or_default() + "\n";
        check(directory.join(format!("{}.json", fixture.name)), &text);
    }
    for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        assert!(fixtures.iter().any(|f| f.name == name), "{} has no fixture", path.display());
    }
}

fn without_raw(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == "raw" { *value = json!("the fixture") } else { without_raw(value) }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(without_raw),
        _ => {}
    }
}

/// Spoiling a payload in every place: what is not understood must be refused or kept, never lost, and never panic.
pub mod spoil {
    use serde_json::{Value, json};

    /// Every beginning of it, down to nothing.
    pub fn cuts(body: &[u8], mut check: impl FnMut(&[u8])) {
        let whole = body.trim_ascii_end();
        for end in 0..whole.len() {
            check(whole.get(..end).unwrap_or_default());
        }
    }

    /// Every byte of it as another one, three ways. It is written without blanks first.
    ///
    /// # Panics
    /// When it is no JSON.
    pub fn other_bytes(body: &[u8], mut check: impl FnMut(&[u8])) {
        let mut compact = read(body).to_string().into_bytes();
        for at in 0..compact.len() {
            let Some(&original) = compact.get(at) else { continue };
            for other in [original ^ 0x01, original ^ 0x80, b'"'] {
                if let Some(byte) = compact.get_mut(at) {
                    *byte = other;
                }
                check(&compact);
            }
            if let Some(byte) = compact.get_mut(at) {
                *byte = original;
            }
        }
    }

    /// Every value of it as something else. The text says which place became what.
    ///
    /// # Panics
    /// When it is no JSON.
    pub fn other_values(body: &[u8], mut check: impl FnMut(&str, &[u8])) {
        let others =
            [json!(null), json!(-1), json!(1.5e300), json!(""), json!([]), json!({}), json!([[{"a": {}}]])];
        let whole = read(body);
        let mut places = Vec::new();
        pointers(&whole, String::new(), &mut places);
        for place in places.iter().filter(|place| !place.is_empty()) {
            for other in &others {
                let mut changed = whole.clone();
                if let Some(value) = changed.pointer_mut(place) {
                    *value = other.clone();
                }
                check(&format!("{place} = {other}"), changed.to_string().as_bytes());
            }
        }
    }

    fn read(body: &[u8]) -> Value {
        match serde_json::from_slice(body) {
            Ok(value) => value,
            Err(error) => panic!("the payload is no JSON: {error}"),
        }
    }

    /// The JSON pointers of all values within a value.
    fn pointers(value: &Value, at: String, found: &mut Vec<String>) {
        let step = |key: &str| format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
        match value {
            Value::Object(fields) => {
                fields.iter().for_each(|(key, value)| pointers(value, step(key), found));
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(i, value)| pointers(value, step(&i.to_string()), found));
            }
            _ => {}
        }
        found.push(at);
    }
}

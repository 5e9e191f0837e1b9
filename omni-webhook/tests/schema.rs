//! The published schema of the protocol, and that the examples keep to it. `UPDATE_GOLDEN=1` writes it anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use omni_testkit::golden;
use omni_webhook::wire::Protocol;
use serde_json::Value;

const HERE: &str = env!("CARGO_MANIFEST_DIR");

fn schema() -> Value {
    serde_json::to_value(schemars::schema_for!(Protocol)).unwrap()
}

#[test]
fn the_schema_is_published() {
    let text = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    golden::check(Path::new(HERE).join("schema/protocol.json"), &text);
}

/// Examples that keep to the schema: those that are made to break it are named so.
fn events() -> Vec<(String, Value)> {
    const BROKEN: [&str; 10] = [
        "malformed",
        "unsupported",
        "message_unreadable",
        "message_text_of",
        "message_entities_of_the_future",
        "message_from_somebody_new",
        "message_sender_with_odd",
        "message_content_of_the_future",
        "message_of_nothing",
        "message_off",
    ];
    let all = golden::fixtures(HERE).into_iter().filter(|f| !BROKEN.iter().any(|b| f.name.starts_with(b)));
    all.map(|f| (f.name, serde_json::from_slice(&f.body).unwrap())).collect()
}

fn requests() -> Vec<(String, Value)> {
    let files = fs::read_dir(Path::new(HERE).join("tests/requests")).unwrap().flatten();
    files
        .map(|file| {
            let json = serde_json::from_str(&fs::read_to_string(file.path()).unwrap()).unwrap();
            (file.file_name().into_string().unwrap(), json)
        })
        .collect()
}

/// Checks a value; notes which fields of which objects were seen.
struct Checker {
    schema: Value,
    seen: BTreeSet<String>,
}

impl Checker {
    /// What is wrong, or nothing. As much of JSON Schema as the protocol's schema uses.
    fn check(&mut self, at: &str, rule: &Value, value: &Value) -> Result<(), String> {
        if let Some(name) = rule["$ref"].as_str() {
            let pointer = name.strip_prefix('#').unwrap();
            let rule = self.schema.pointer(pointer).unwrap_or_else(|| panic!("{name}")).clone();
            self.check(name.rsplit('/').next().unwrap(), &rule, value)?;
        }
        for choice in ["oneOf", "anyOf"] {
            if let Some(rules) = rule[choice].as_array().cloned() {
                let mut why = Vec::new();
                let fits =
                    rules.iter().any(|rule| self.check(at, rule, value).map_err(|e| why.push(e)).is_ok());
                if !fits {
                    return Err(format!("{at}: nothing fits: {why:?}"));
                }
            }
        }
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(n) if n.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let is_kind = |name: &Value| name == kind || (name == "number" && kind == "integer");
        let fits = match &rule["type"] {
            Value::Null => true,
            Value::Array(kinds) => kinds.iter().any(is_kind),
            name => is_kind(name),
        };
        if !fits {
            return Err(format!("{at}: {kind}, not {}", rule["type"]));
        }
        if !rule["const"].is_null() && rule["const"] != *value {
            return Err(format!("{at}: not {}", rule["const"]));
        }
        if let Some(words) = rule["enum"].as_array()
            && !words.contains(value)
        {
            return Err(format!("{at}: {value} is none of {words:?}"));
        }
        for name in rule["required"].as_array().into_iter().flatten() {
            if value.get(name.as_str().unwrap()).is_none() {
                return Err(format!("{at}: without {name}"));
            }
        }
        for (name, rule) in rule["properties"].as_object().into_iter().flatten() {
            if let Some(value) = value.get(name) {
                self.check(&format!("{at}.{name}"), rule, value)?;
                self.seen.insert(format!("{at}.{name}"));
            }
        }
        for (number, value) in value.as_array().into_iter().flatten().enumerate() {
            self.check(&format!("{at}[{number}]"), &rule["items"], value)?;
        }
        Ok(())
    }
}

#[test]
fn every_example_keeps_to_the_schema() {
    let mut checker = Checker { schema: schema(), seen: BTreeSet::new() };
    for (def, examples) in [("Event", events()), ("Request", requests())] {
        let rule = checker.schema["$defs"][def].clone();
        for (name, value) in examples {
            checker.check(def, &rule, &value).unwrap_or_else(|why| panic!("{name}: {why}"));
        }
    }
}

#[test]
fn every_field_of_an_event_and_a_request_has_an_example() {
    let mut checker = Checker { schema: schema(), seen: BTreeSet::new() };
    for (def, examples) in [("Event", events()), ("Request", requests())] {
        let rule = checker.schema["$defs"][def].clone();
        for (_, value) in examples {
            checker.check(def, &rule, &value).unwrap();
        }
    }
    // What the program answers is shown by its simulator, and changed messages say what messages say.
    const ELSEWHERE: [&str; 4] = ["Answer", "Delivery", "Pong", "Refusal"];
    const SAYS: [&str; 7] = ["entities", "media", "location", "contact", "items", "keyboard", "text"];
    for (def, rule) in checker.schema["$defs"].as_object().unwrap() {
        for (field, _) in rule["properties"].as_object().into_iter().flatten() {
            let is_common =
                matches!(&**def, "Edit" | "EchoEvent" | "EditedEvent") && SAYS.contains(&&**field);
            let is_reason = def == "Reason" && ["retry_after", "scope"].contains(&&**field);
            let seen = checker.seen.contains(&format!("{def}.{field}"));
            assert!(
                seen || is_common || is_reason || ELSEWHERE.contains(&&**def),
                "no example has {def}.{field}"
            );
        }
    }
}

#[test]
fn what_breaks_the_schema_is_found() {
    let mut checker = Checker { schema: schema(), seen: BTreeSet::new() };
    let rule = checker.schema["$defs"]["Event"].clone();
    let broken = golden::fixtures(HERE).into_iter().filter(|f| f.name.starts_with("malformed"));
    for fixture in broken {
        // An empty list, an unnamed message and one named wrongly are more than a schema can say.
        if ["_nothing", "_of_nothing", "echo_of_ours"].iter().any(|end| fixture.name.ends_with(end)) {
            continue;
        }
        // Lengths are not looked at here.
        if fixture.name == "malformed_id" {
            continue;
        }
        let value = serde_json::from_slice(&fixture.body).unwrap();
        assert!(checker.check("Event", &rule, &value).is_err(), "{}", fixture.name);
    }
}

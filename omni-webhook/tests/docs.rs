//! The tables in `docs.md` are those of the data and of the schema. `UPDATE_GOLDEN=1` writes them anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use omni_testkit::docs;
use omni_webhook::wire::Protocol;
use omni_webhook::{Abilities, Config, capabilities, error};
use serde_json::Value;

/// One test for all of them: each writes the same file anew.
#[test]
fn the_tables_of_the_documentation_are_the_data() {
    let plain = capabilities::capabilities(&Abilities::default(), None);
    let all = capabilities::capabilities(&Abilities::all(), None);
    let programs = [("With nothing set", &plain), ("With everything set", &all)];
    let schema = Schema(serde_json::to_value(schemars::schema_for!(Protocol)).unwrap());
    let here = env!("CARGO_MANIFEST_DIR");
    docs::is_in_docs(here, "settings", &docs::settings::<Config>());
    docs::is_in_docs(here, "abilities", &docs::settings::<Abilities>());
    docs::is_in_docs(here, "capabilities", &docs::capabilities(here, &programs));
    docs::is_in_docs(here, "errors", &errors());
    docs::is_in_docs(here, "events", &schema.kinds("Event"));
    docs::is_in_docs(here, "fields of events", &schema.fields("Event"));
    docs::is_in_docs(here, "requests", &schema.kinds("Request"));
    docs::is_in_docs(here, "fields of requests", &schema.fields("Request"));
    docs::is_in_docs(here, "objects", &schema.objects());
}

fn errors() -> String {
    let rows = error::TABLE.iter().map(|row| {
        let advice = row.advice.unwrap_or_default().to_owned();
        vec![format!("`{}`", row.name), format!("{:?}", row.kind), advice]
    });
    docs::table(&["Kind", "Means", "What to do"], rows)
}

/// The schema of the protocol.
struct Schema(Value);

/// A field of an object.
struct Field<'a> {
    name: &'a str,
    rule: &'a Value,
    is_needed: bool,
}

impl Field<'_> {
    fn words(&self) -> String {
        let words =
            self.rule["description"].as_str().unwrap_or_default().replace('\n', " ").replace('|', "\\|");
        // Links of the core's own documentation lead nowhere from here.
        words.replace("[`", "`").replace("`]", "`")
    }
}

impl Schema {
    fn def(&self, name: &str) -> &Value {
        &self.0["$defs"][name]
    }

    /// The variants of a tagged object: name, meaning, fields.
    fn variants(&self, def: &str) -> Vec<(&str, &str, Vec<Field<'_>>)> {
        let common = self.def(def);
        let variants = common["oneOf"].as_array().unwrap().iter();
        variants
            .map(|variant| {
                let mut fields = of(common);
                let own = variant["$ref"].as_str().map(|name| self.def(name.rsplit('/').next().unwrap()));
                fields.extend(own.into_iter().flat_map(of));
                fields.extend(of(variant).into_iter().filter(|field| field.rule["const"].is_null()));
                let name = variant.pointer("/properties/type/const").unwrap().as_str().unwrap();
                (name, variant["description"].as_str().unwrap(), fields)
            })
            .collect()
    }

    fn kinds(&self, def: &str) -> String {
        let names = |fields: &[Field<'_>], is_needed: bool| {
            let of_these = fields.iter().filter(|field| field.is_needed == is_needed);
            of_these.map(|field| format!("`{}`", field.name)).collect::<Vec<_>>().join(", ")
        };
        let rows = self.variants(def).into_iter().map(|(name, words, fields)| {
            vec![format!("`{name}`"), words.to_owned(), names(&fields, true), names(&fields, false)]
        });
        docs::table(&["`type`", "What it is", "Always has", "May have"], rows)
    }

    /// The fields of all variants; those that mean the same stand once.
    fn fields(&self, def: &str) -> String {
        let mut rows: Vec<(Vec<String>, Vec<String>)> = Vec::new();
        for (kind, _, fields) in self.variants(def) {
            for field in fields {
                let row = vec![format!("`{}`", field.name), self.form(field.rule), field.words()];
                match rows.iter_mut().find(|(known, _)| *known == row) {
                    Some((_, kinds)) => kinds.push(kind.to_owned()),
                    None => rows.push((row, vec![kind.to_owned()])),
                }
            }
        }
        rows.sort_by(|(a, _), (b, _)| a.cmp(b));
        let all = self.variants(def).len();
        let rows = rows.into_iter().map(|(mut row, kinds)| {
            row.push(if kinds.len() == all { "all".to_owned() } else { kinds.join(", ") });
            row
        });
        docs::table(&["Field", "Form", "What it is", "Of"], rows)
    }

    /// The objects that stand in fields.
    fn objects(&self) -> String {
        const OBJECTS: [&str; 14] = [
            "Person",
            "MediaIn",
            "MediaOut",
            "Entity",
            "Location",
            "ContactCard",
            "Item",
            "ReplyTo",
            "Referral",
            "Chat",
            "FaceOut",
            "Keyboard",
            "Button",
            "Reason",
        ];
        let rows = OBJECTS.into_iter().flat_map(|name| {
            let def = self.def(name);
            let mut rows: Vec<Vec<String>> = of(def).iter().map(|field| self.row(name, field)).collect();
            // What a key does and what a range means: each with fields of its own.
            for variant in def["oneOf"].as_array().into_iter().flatten() {
                let fields = of(variant);
                let tag = fields.iter().find(|field| !field.rule["const"].is_null()).unwrap();
                let value = format!("`\"{}\"`", tag.rule["const"].as_str().unwrap());
                let words = variant["description"].as_str().unwrap_or_default();
                rows.push(vec![
                    name.to_owned(),
                    format!("`{}`", tag.name),
                    value,
                    "yes".to_owned(),
                    words.to_owned(),
                ]);
                let own = fields.iter().filter(|field| field.rule["const"].is_null());
                rows.extend(own.map(|field| self.row(name, field)));
            }
            rows
        });
        docs::table(&["Object", "Field", "Form", "Needed", "What it is"], rows)
    }

    fn row(&self, object: &str, field: &Field<'_>) -> Vec<String> {
        let needed = if field.is_needed { "yes" } else { "" };
        let name = format!("`{}`", field.name);
        vec![object.to_owned(), name, self.form(field.rule), needed.to_owned(), field.words()]
    }

    /// What form a value has, in a few words.
    fn form(&self, rule: &Value) -> String {
        if let Some(name) = rule["$ref"].as_str().map(|name| name.rsplit('/').next().unwrap()) {
            let def = self.def(name);
            let known = words(def);
            return match known.is_empty() {
                true if def["type"] == "string" => "text".to_owned(),
                true => name.to_owned(),
                false => known.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
            };
        }
        let choices = rule["anyOf"].as_array().into_iter().flatten();
        if let Some(choice) = choices.into_iter().find(|choice| choice["type"] != "null") {
            return self.form(choice);
        }
        let mut kinds: Vec<&str> = match &rule["type"] {
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            kind => kind.as_str().into_iter().collect(),
        };
        kinds.retain(|kind| *kind != "null");
        match (&kinds[..], rule["format"].as_str()) {
            (["string", "integer"], _) => "id".to_owned(),
            (["string"], Some("uri")) => "address".to_owned(),
            (["string"], _) => "text".to_owned(),
            (["integer"], _) => "whole number".to_owned(),
            (["number"], _) => "number".to_owned(),
            (["array"], _) => format!("list of {}", self.form(&rule["items"])),
            other => panic!("no words for {other:?} of {rule}"),
        }
    }
}

/// The words that a value has to be one of.
fn words(def: &Value) -> Vec<&str> {
    let variants = def["oneOf"].as_array().into_iter().flatten();
    let all = std::iter::once(def).chain(variants);
    all.flat_map(|one| one["const"].as_str().into_iter().chain(listed(&one["enum"]))).collect()
}

fn listed(words: &Value) -> impl Iterator<Item = &str> {
    words.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// The fields of an object, in the order of the alphabet.
fn of(rule: &Value) -> Vec<Field<'_>> {
    let needed: Vec<&str> = listed(&rule["required"]).collect();
    let mut fields: Vec<Field<'_>> = rule["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, rule)| Field { name, rule, is_needed: needed.contains(&name.as_str()) })
        .collect();
    fields.sort_by(|a, b| a.name.cmp(b.name));
    fields
}

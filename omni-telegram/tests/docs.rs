//! The tables in `docs.md` are those of the data. `UPDATE_GOLDEN=1` writes them anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use omni_telegram::{Config, capabilities, error};

/// A table of the crate's documentation, between two comments that name it.
fn is_in_docs(name: &str, table: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs.md");
    let docs = fs::read_to_string(&file).unwrap();
    let (begin, end) =
        (format!("<!-- {name}: made from the data -->\n\n"), format!("\n\n<!-- end of {name} -->"));
    let (before, rest) = docs.split_once(&begin).unwrap_or_else(|| panic!("no {name} in docs.md"));
    let (found, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no end of {name} in docs.md"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&file, format!("{before}{begin}{table}{end}{after}")).unwrap();
        return;
    }
    assert_eq!(found, table, "{name} in docs.md differs: write it anew with UPDATE_GOLDEN=1");
}

/// One test for all of them: each writes the same file anew.
#[test]
fn the_tables_of_the_documentation_are_the_data() {
    is_in_docs("settings", &settings());
    is_in_docs("capabilities", &capabilities::table());
    is_in_docs("errors", &errors());
}

fn settings() -> String {
    let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
    let required = schema["required"].as_array().unwrap();
    let mut lines = vec!["| Setting | Left out | What it is |".to_owned(), "|---|---|---|".to_owned()];
    // In one order, whatever other crates make of the order of objects.
    let sorted: BTreeMap<_, _> = schema["properties"].as_object().unwrap().iter().collect();
    for (name, setting) in sorted {
        let default = match &setting["default"] {
            _ if required.iter().any(|r| r == name.as_str()) => "needed".to_owned(),
            serde_json::Value::Null => String::new(),
            default => format!("`{}`", default.to_string().trim_matches('"')),
        };
        let words = setting["description"].as_str().unwrap_or_default().replace('\n', " ");
        lines.push(format!("| `{name}` | {default} | {words} |"));
    }
    lines.join("\n")
}

fn errors() -> String {
    let mut lines =
        vec!["| Code | Contains | Means | What to do |".to_owned(), "|---|---|---|---|".to_owned()];
    for row in error::TABLE {
        let text = if row.text.is_empty() { "anything else".to_owned() } else { format!("`{}`", row.text) };
        let advice = row.advice.unwrap_or_default();
        lines.push(format!("| {} | {text} | {:?} | {advice} |", row.code, row.kind));
    }
    lines.join("\n")
}

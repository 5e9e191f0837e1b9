//! The guide of the policy: every snippet is a book, and every trigger, condition and step has its line.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure

use std::fs;
use std::path::Path;

use omni::Book;
use serde_json::Value;

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

#[test]
fn every_toml_snippet_of_the_guide_is_a_book() {
    let guide = file("docs/policy.md");
    let snippets: Vec<&str> =
        guide.split("```toml\n").skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect();
    assert!(snippets.len() >= 8, "only {} snippets were found", snippets.len());
    for snippet in snippets {
        Book::from_toml(snippet).unwrap_or_else(|bad| panic!("{bad}\nin this snippet:\n{snippet}"));
    }
}

#[test]
fn the_book_in_the_readme_is_a_book() {
    let readme = file("README.md");
    let books = readme.split("```toml\n").skip(1).map(|rest| rest.split("\n```").next().unwrap());
    let books: Vec<&str> = books.filter(|text| text.contains("[channels.")).collect();
    assert_eq!(books.len(), 1);
    Book::from_toml(books[0]).unwrap_or_else(|bad| panic!("{bad}"));
}

#[test]
fn the_guide_has_a_line_for_every_trigger_condition_and_step() {
    let guide = file("docs/policy.md");
    let schema: Value = serde_json::from_str(&file("omni-core/schema/policy.json")).unwrap();
    for (what, section) in [("Trigger", "### Triggers"), ("Condition", "### Conditions"), ("Do", "### Steps")]
    {
        let table = guide.split(section).nth(1).unwrap().split("\n#").next().unwrap();
        let names = names(&schema["$defs"][what]);
        assert!(names.len() > 5, "the schema of {what} is read wrong: {names:?}");
        for name in names {
            assert!(table.contains(&format!("| `{name}` |")), "{section} has no line for `{name}`");
        }
    }
}

/// The names of an enum's variants: a text, or the only key of a table.
fn names(schema: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let variants = schema["oneOf"].as_array().into_iter().flatten();
    variants
        .flat_map(|variant| {
            let listed = variant["enum"].as_array().into_iter().flatten().filter_map(text);
            let key = variant["required"].as_array().into_iter().flatten().filter_map(text);
            listed.chain(text(&variant["const"])).chain(key).collect::<Vec<_>>()
        })
        .collect()
}

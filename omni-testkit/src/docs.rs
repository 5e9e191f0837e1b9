//! Tables of a connector's documentation, made from its data.
//!
//! `docs.md` of a crate marks where each table stands:
//!
//! ```text
//! <!-- settings: made from the data -->
//! <!-- end of settings -->
//! ```
//!
//! One test of the crate fills them with `UPDATE_GOLDEN` in the environment, and compares without it:
//!
//! ```no_run
//! use omni_core::Capabilities;
//! use omni_testkit::docs::{capabilities, is_in_docs, settings, table};
//!
//! const CRATE: &str = env!("CARGO_MANIFEST_DIR");
//! # #[derive(schemars::JsonSchema)]
//! # struct Config { token: String }
//! # let declared = Capabilities::default();
//! is_in_docs(CRATE, "settings", &settings::<Config>());
//! is_in_docs(CRATE, "capabilities", &capabilities(CRATE, &[("To a person", &declared)]));
//! let errors = [vec!["401".to_owned(), "the token is wrong".to_owned()]];
//! is_in_docs(CRATE, "errors", &table(&["Status", "Means"], errors));
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use omni_core::Capabilities;
use omni_core::capability::{Action, Rate, RateChats, TextLimit};
use omni_core::error::RateScope;
use omni_core::text::Unit;
use schemars::{JsonSchema, schema_for};
use serde_json::Value;

use crate::conformance::Committed;

/// Compares a table with the one in a crate's `docs.md`, between `<!-- NAME: made from the data -->` and
/// `<!-- end of NAME -->`; with `UPDATE_GOLDEN` in the environment it is written anew.
///
/// Tests of one file that write it must not run at the same time: put them into one.
///
/// # Panics
/// When they differ, or there is no such place.
#[track_caller]
pub fn is_in_docs(crate_dir: &str, name: &str, table: &str) {
    let file = Path::new(crate_dir).join("docs.md");
    let docs = fs::read_to_string(&file).unwrap_or_default();
    let begin = format!("<!-- {name}: made from the data -->\n\n");
    let end = format!("\n\n<!-- end of {name} -->");
    let place = docs.split_once(&begin).and_then(|(before, rest)| {
        let (found, after) = rest.split_once(&end)?;
        Some((before, found, after))
    });
    let Some((before, found, after)) = place else { panic!("{} has no place for {name}", file.display()) };
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        if let Err(error) = fs::write(&file, format!("{before}{begin}{table}{end}{after}")) {
            panic!("{}: {error}", file.display());
        }
        return;
    }
    assert!(found == table, "{name} in docs.md differs: write it anew with UPDATE_GOLDEN=1\nfound: {table}");
}

/// A Markdown table.
#[must_use]
pub fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let rule = "|---".repeat(head.len()) + "|";
    let rows = rows.into_iter().map(|row| line(&row));
    [line(&head), rule].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

/// The settings of a connector, from its schema.
#[must_use]
pub fn settings<C: JsonSchema>() -> String {
    let schema = serde_json::to_value(schema_for!(C)).unwrap_or_default();
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    // In one order, whatever other crates make of the order of objects.
    let sorted: BTreeMap<&String, &Value> =
        schema.get("properties").and_then(Value::as_object).into_iter().flatten().collect();
    let rows = sorted.into_iter().map(|(name, setting)| {
        let default = match setting.get("default") {
            _ if required.contains(&name.as_str()) => "needed".to_owned(),
            None | Some(Value::Null) => String::new(),
            Some(default) => format!("`{}`", default.to_string().trim_matches('"')),
        };
        let words = setting.get("description").and_then(Value::as_str).unwrap_or_default().replace('\n', " ");
        vec![format!("`{name}`"), default, words]
    });
    table(&["Setting", "Left out", "What it is"], rows)
}

/// What an account can do: what the suite found, from the crate's `conformance.json`; then content, actions, limits and
/// rates, each as a table, with a further column for each further place where it can do other things. The first place is
/// the usual one.
///
/// # Panics
/// When there is no `conformance.json`, or it has other capabilities for the usual place.
#[must_use]
#[track_caller]
pub fn capabilities(crate_dir: &str, places: &[(&str, &Capabilities)]) -> String {
    let committed = Committed::of(crate_dir);
    let usual = places.first().map(|(_, capabilities)| *capabilities);
    assert!(
        usual == Some(&committed.capabilities),
        "conformance.json of {} has other capabilities: the suite writes it with UPDATE_GOLDEN=1\nfound: {usual:?}",
        committed.name
    );
    let mut tables = vec![committed.summary(), contents(places), actions(places), limits(places)];
    let with_rates = places.iter().find(|(_, caps)| !caps.rates.is_empty());
    tables.extend(with_rates.map(|(_, caps)| rates(&caps.rates)));
    tables.join("\n\n")
}

fn columns(first: &str, places: &[(&str, &Capabilities)]) -> Vec<String> {
    let names = places.iter().map(|(name, _)| (*name).to_owned());
    std::iter::once(first.to_owned()).chain(names).collect()
}

fn with_columns(
    first: &str,
    places: &[(&str, &Capabilities)],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> String {
    let head = columns(first, places);
    table(&head.iter().map(String::as_str).collect::<Vec<_>>(), rows)
}

fn contents(places: &[(&str, &Capabilities)]) -> String {
    let mut kinds: Vec<_> = places.iter().flat_map(|(_, caps)| caps.content.keys().copied()).collect();
    kinds.sort();
    kinds.dedup();
    let limited = places.first().map(|(_, caps)| &caps.media);
    let rows = kinds.into_iter().map(|kind| {
        let supports = places.iter().map(|(_, caps)| format!("{:?}", caps.supports(kind)));
        let limit = limited.and_then(|media| media.get(&kind));
        let (upload, url) = (limit.and_then(|l| l.bytes), limit.and_then(|l| l.url_bytes));
        let types = limit.map(|l| l.mime.join(", ")).unwrap_or_default();
        let named = std::iter::once(format!("{kind:?}")).chain(supports);
        named.chain([size(upload), size(url), types]).collect()
    });
    let mut head = columns("Content", places);
    head.extend(["Largest upload", "Largest by URL", "Types"].map(str::to_owned));
    table(&head.iter().map(String::as_str).collect::<Vec<_>>(), rows)
}

fn size(bytes: Option<u64>) -> String {
    const KB: u64 = 1 << 10;
    const MB: u64 = 1 << 20;
    match bytes {
        None => String::new(),
        Some(bytes) if bytes >= MB => format!("{} MB", bytes / MB),
        Some(bytes) if bytes >= KB => format!("{} KB", bytes / KB),
        Some(bytes) => format!("{bytes} B"),
    }
}

fn actions(places: &[(&str, &Capabilities)]) -> String {
    let shown = |action: Action| match action {
        Action::No => "no".to_owned(),
        Action::Until { age } => format!("for {}", period(age)),
        _ => "yes".to_owned(),
    };
    let row = |name: &str, of: fn(&Capabilities) -> Action| {
        std::iter::once(name.to_owned()).chain(places.iter().map(|(_, caps)| shown(of(caps)))).collect()
    };
    let rows: [Vec<String>; 5] = [
        row("edit", |caps| caps.edit),
        row("delete", |caps| caps.delete),
        row("react", |caps| caps.react),
        row("mark read", |caps| caps.mark_read),
        row("show typing", |caps| caps.typing),
    ];
    with_columns("Action", places, rows)
}

fn limits(places: &[(&str, &Capabilities)]) -> String {
    let row = |name: &str, of: &dyn Fn(&Capabilities) -> String| {
        std::iter::once(name.to_owned()).chain(places.iter().map(|(_, caps)| of(caps))).collect()
    };
    let number = |max: Option<u32>| max.map(|max| max.to_string()).unwrap_or_default();
    let text = |limit: Option<TextLimit>| {
        limit.and_then(|l| Some(format!("{} {}", l.max?, unit(l.unit)))).unwrap_or_default()
    };
    let rows: [Vec<String>; 13] = [
        row("text; longer is split", &|caps| text(Some(caps.text))),
        row("caption", &|caps| text(caps.caption)),
        row("files in an album", &|caps| number(caps.album_max)),
        row("goods in a carousel", &|caps| number(caps.carousel_max)),
        row("keys in all", &|caps| number(caps.buttons.total)),
        row("keys in a row", &|caps| number(caps.buttons.per_row)),
        row("label of a key", &|caps| text(caps.buttons.label)),
        row("data of a key, in bytes", &|caps| number(caps.buttons.data_bytes)),
        row("file to fetch", &|caps| size(caps.fetch_bytes)),
        row("time to answer", &|caps| caps.reply_window.map_or("any time".to_owned(), period)),
        row("who writes first", &|caps| format!("{:?}", caps.first_contact)),
        row("a repeated send", &|caps| format!("{:?}", caps.idempotency)),
        row("statuses told", &|caps| {
            caps.statuses.iter().map(|status| format!("{status:?}")).collect::<Vec<_>>().join(", ")
        }),
    ];
    with_columns(
        "Limit",
        places,
        rows.into_iter().filter(|row| row.iter().skip(1).any(|cell| !cell.is_empty())),
    )
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Utf16 => "UTF-16 units",
        Unit::Bytes => "bytes",
        Unit::Characters => "characters",
        _ => "units",
    }
}

fn period(length: Duration) -> String {
    match length.as_secs() {
        secs if secs > 0 && secs.is_multiple_of(3600) => format!("{} h", secs / 3600),
        secs if secs > 0 && secs.is_multiple_of(60) => format!("{} min", secs / 60),
        secs => format!("{secs} s"),
    }
}

fn rates(rates: &[Rate]) -> String {
    let rows = rates.iter().map(|rate| {
        let counts = match (rate.scope, rate.chats) {
            (RateScope::Chat, RateChats::Private) => "each private chat",
            (RateScope::Chat, RateChats::Groups) => "each group",
            (RateScope::Chat, _) => "each chat",
            _ => "the whole account",
        };
        vec![counts.to_owned(), rate.burst.to_string(), format!("{} ms", rate.every.as_millis())]
    });
    table(&["Rate", "At once", "One more every"], rows)
}

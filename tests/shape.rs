//! Every connector crate has the same shape: what is missing in one is named here, before anybody looks for it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure

use std::fs;
use std::path::{Path, PathBuf};

use omni::Provider;
use omni_testkit::conformance::{Committed, Outcome, Rules};

/// What every connector crate has; a name without an end may be a file or a folder of that name.
const FILES: [&str; 12] = [
    "Cargo.toml",
    "CONFORMANCE.md",
    "conformance.json",
    "docs.md",
    "src/lib.rs",
    "src/capabilities",
    "src/config",
    "src/connector",
    "src/encode",
    "src/error",
    "src/parse",
    "tests/docs.rs",
];
/// What one has beside that calls an HTTP interface and takes webhooks.
const OVER_HTTP: [&str; 9] = [
    "src/api",
    "src/verify",
    "src/wire",
    "tests/conformance.rs",
    "tests/connector",
    "tests/encode.rs",
    "tests/replay.rs",
    "tests/fixtures/README.md",
    "tests/golden",
];
/// What the one has beside that speaks the protocols of mail.
const OVER_MAIL: [&str; 6] = [
    "src/imap",
    "src/smtp",
    "tests/conformance.rs",
    "tests/mime.rs",
    "tests/corpus",
    "tests/fixtures/README.md",
];
/// Tables that are made from data, or the ends of their names.
const TABLES: [&str; 3] = ["settings", "capabilities", "errors"];
/// Beyond this nobody finds the room for a change in a minute.
const LINES: usize = 620;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(&path)).unwrap_or_default()
}

/// The crates with a connector, by the provider's name.
fn connectors() -> Vec<String> {
    let folders = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<String> = folders
        .filter(|folder| folder.join("src/connector.rs").exists() || folder.join("src/connector").exists())
        .filter_map(|folder| Some(folder.file_name()?.to_str()?.strip_prefix("omni-")?.to_owned()))
        .collect();
    found.sort();
    assert!(found.len() >= 5, "{found:?}");
    found
}

fn exists(path: &Path) -> bool {
    path.exists() || path.with_extension("rs").exists()
}

#[test]
fn every_connector_has_the_same_files_and_tables() {
    let mut missing = Vec::new();
    for name in connectors() {
        let folder = root().join(format!("omni-{name}"));
        let further: &[&str] = if name == "email" { &OVER_MAIL } else { &OVER_HTTP };
        let files = FILES.iter().chain(further).filter(|file| !exists(&folder.join(file)));
        missing.extend(files.map(|file| format!("omni-{name}/{file}")));
        let docs = text(format!("omni-{name}/docs.md"));
        let tables =
            TABLES.iter().filter(|table| !docs.contains(&format!("{table}: made from the data -->")));
        missing.extend(tables.map(|table| format!("omni-{name}/docs.md: the table of {table}")));
        let files = |at: &str| fs::read_dir(folder.join(at)).into_iter().flatten().count();
        let fixtures = files("tests/fixtures") + files("tests/corpus");
        if fixtures < 5 {
            missing.push(format!("omni-{name}/tests/fixtures: one payload of every kind"));
        }
        if !text(format!("omni-{name}/src/lib.rs")).contains("include_str!(\"../docs.md\")") {
            missing.push(format!("omni-{name}/src/lib.rs: its documentation is docs.md"));
        }
    }
    assert!(missing.is_empty(), "missing:\n- {}", missing.join("\n- "));
}

#[test]
fn every_connector_is_within_reach() {
    let (manifest, facade) = (text("Cargo.toml"), text("src/lib.rs"));
    let (ci, changelog, readme) = (text(".ci/run"), text("CHANGELOG.md"), text("README.md"));
    let full = manifest.lines().find(|line| line.starts_with("full = ")).unwrap();
    let features = ci.lines().find(|line| line.contains("for feature in ")).unwrap();
    let registry = omni::registry().unwrap();
    let mut missing = Vec::new();
    for name in connectors() {
        let mut needs = |holds: bool, what: &str| {
            if !holds {
                missing.push(format!("{name}: {what}"));
            }
        };
        needs(manifest.contains(&format!("\n{name} = [\"dep:omni-{name}\"")), "a feature of the facade");
        needs(full.contains(&format!("\"{name}\"")), "a place in the feature `full`");
        needs(facade.contains(&format!("pub use omni_{name} as {name};")), "its re-export");
        needs(registry.get(&Provider::new(name.clone())).is_some(), "its entry in the registry");
        needs(features.contains(&format!(" {name}")), "its feature alone in .ci/run");
        needs(changelog.contains(&format!("**omni-{name}**")), "a line in CHANGELOG.md");
        needs(readme.contains(&format!("](omni-{name}/docs.md)")), "its row in README.md");
        needs(readme.contains(&format!("`{name}`")), "its feature in README.md");
        let target = root().join(format!("fuzz/fuzz_targets/{name}.rs"));
        needs(target.exists(), "a fuzz target of its parser");
        let corpora = [format!("fuzz/corpus/{name}"), format!("omni-{name}/tests/corpus")];
        needs(corpora.iter().any(|corpus| root().join(corpus).exists()), "a small corpus for it");
    }
    assert!(missing.is_empty(), "missing:\n- {}", missing.join("\n- "));
}

#[test]
fn every_report_is_of_the_connector_and_the_suite_of_today() {
    let registry = omni::registry().unwrap();
    let mut wrong = Vec::new();
    for name in connectors() {
        let crate_name = format!("omni-{name}");
        let report = Committed::of(root().join(&crate_name));
        let connector = registry.get(&Provider::new(name.clone())).unwrap();
        let facts = connector.facts().unwrap();
        let mut needs = |holds: bool, what: &str| {
            if !holds {
                wrong.push(format!("{crate_name}: {what}"));
            }
        };
        let file = format!("{crate_name}/conformance.json");
        needs(text(file) == report.json(), "conformance.json has a field that nobody reads");
        needs(report.name == crate_name, "another crate in conformance.json");
        needs(report.provider == *connector.provider(), "another provider in conformance.json");
        needs(report.title == connector.title(), "another title in conformance.json");
        needs(report.version.as_deref() == facts.version, "another version in conformance.json");
        needs(report.as_of == facts.as_of, "another date of the facts in conformance.json");
        needs(report.capabilities == *connector.capabilities(), "other capabilities in conformance.json");
        needs(report.runs.iter().any(|run| run.report.rules == Rules::All), "a run of the whole suite");
        needs(report.count(Outcome::Failed) == 0, "rules that hold");
        let command = format!("cargo test -p {crate_name} --test conformance");
        let for_people = text(format!("{crate_name}/CONFORMANCE.md"));
        needs(for_people == report.markdown(&command), "CONFORMANCE.md says what conformance.json says");
        needs(text(format!("{crate_name}/docs.md")).contains(&report.summary()), "its runs in docs.md");
        wrong.extend(report.outdated().into_iter().map(|rule| format!("{crate_name}: {rule}")));
    }
    assert!(
        wrong.is_empty(),
        "the suite writes reports with UPDATE_GOLDEN=1; wrong:\n- {}",
        wrong.join("\n- ")
    );
}

#[test]
fn no_file_is_too_long_to_find_ones_way_in() {
    let mut long = Vec::new();
    let mut folders: Vec<PathBuf> =
        connectors().iter().map(|name| root().join(format!("omni-{name}"))).collect();
    folders.extend(
        ["omni-core", "omni-hub", "omni-http", "omni-sqlite", "omni-testkit"].map(|name| root().join(name)),
    );
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let lines = fs::read_to_string(&path).unwrap().lines().count();
                if lines > LINES {
                    long.push(format!("{}: {lines}", path.strip_prefix(root()).unwrap().display()));
                }
            }
        }
    }
    assert!(long.is_empty(), "more than {LINES} lines:\n- {}", long.join("\n- "));
}

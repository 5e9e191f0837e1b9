//! The README's table of providers is made from the committed reports of the connectors: `UPDATE_GOLDEN=1` rewrites it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure

use std::fs;
use std::path::Path;

use omni::core::capability::{Action, FirstContact, Idempotency, Support};
use omni::core::content::ContentKind;
use omni_testkit::conformance::{Committed, Outcome};

const BEGIN: &str = "<!-- providers: begin; made by tests/readme.rs -->\n";
const END: &str = "<!-- providers: end -->";

#[test]
fn the_providers_table_says_what_the_reports_say() {
    let mut table = String::from(
        "| Provider | Sends | Text | Keys | Beside sending | Who writes first | Repeats of a send | Speaks (facts of) | Rules of the suite |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for connector in omni::registry().unwrap().iter() {
        table += &row(&Committed::of(root.join(format!("omni-{}", connector.provider()))));
    }
    let path = root.join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(found, table, "run it with UPDATE_GOLDEN=1 and look at the difference");
}

fn row(report: &Committed) -> String {
    let (provider, c) = (&report.provider, &report.capabilities);
    let kinds = |level: Support| {
        let of_level = c.content.iter().filter(|(_, support)| **support == level);
        of_level.map(|(kind, _)| words(*kind)).collect::<Vec<_>>().join(", ")
    };
    let mut sends = kinds(Support::Full);
    for (level, how) in [(Support::Partial, "in part"), (Support::Fallback, "in another form")] {
        let those = kinds(level);
        if !those.is_empty() {
            sends += &format!("; {how}: {those}");
        }
    }
    let actions = [
        ("edit", c.edit),
        ("delete", c.delete),
        ("react", c.react),
        ("mark read", c.mark_read),
        ("typing", c.typing),
    ];
    let actions: Vec<String> = actions.iter().filter_map(|(name, action)| deed(name, *action)).collect();
    format!(
        "| [{}](omni-{provider}/docs.md) | {sends} | {} | {} | {} | {} | {} | {} | [{}](omni-{provider}/CONFORMANCE.md) |\n",
        report.title,
        c.text.max.map_or("no limit known".to_owned(), |max| format!("{max}, split above")),
        c.buttons.total.map_or("as declared".to_owned(), |total| format!("up to {total}")),
        actions.join(", "),
        match c.first_contact {
            FirstContact::CustomerOnly => "the customer",
            FirstContact::TemplateOnly => "the business by template",
            _ => "anyone",
        },
        match c.idempotency {
            Idempotency::None => "double: unknown is held",
            _ => "recognised",
        },
        report.speaks(),
        rules(report),
    )
}

fn rules(report: &Committed) -> String {
    let [passed, not_declared, not_applicable] =
        [Outcome::Passed, Outcome::NotDeclared, Outcome::NotApplicable].map(|outcome| report.count(outcome));
    let runs = match report.runs.len() {
        1 => "one run".to_owned(),
        runs => format!("{runs} runs"),
    };
    format!("{passed} passed, {not_declared} not declared, {not_applicable} not applicable in {runs}")
}

fn words(kind: ContentKind) -> String {
    let json = serde_json::to_string(&kind).unwrap();
    json.trim_matches('"').replace('_', " ")
}

fn deed(name: &str, action: Action) -> Option<String> {
    match action {
        Action::No => None,
        Action::Until { age } => Some(format!("{name} (within {} h)", age.as_secs() / 3600)),
        _ => Some(name.to_owned()),
    }
}

//! The report as data: what is committed beside a connector, and what documentation is made of.

use std::fs;
use std::path::Path;

use omni_core::registry::Connector;
use omni_core::{Capabilities, Provider};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Outcome, Report, Row};
use crate::{docs, golden};

/// The name of the file in a connector's crate.
const FILE: &str = "conformance.json";

/// What the suite found about a connector: its `conformance.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Conformance of a connector")]
pub struct Committed {
    /// The connector's crate.
    pub name: String,
    /// The kind of channel.
    pub provider: Provider,
    /// The connector's name for people.
    pub title: String,
    /// Version of the provider's interface that is spoken, in the provider's words; null where the provider names none.
    pub version: Option<String>,
    /// When the provider's documentation was last read: a month as `2026-11`, or a day of it.
    pub as_of: String,
    /// What an account usually can do.
    pub capabilities: Capabilities,
    /// The suite, once for each way to receive and each place to speak.
    pub runs: Vec<Run>,
}

/// One run of the suite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// What it was run with.
    pub title: String,
    /// What was found.
    #[serde(flatten)]
    pub report: Report,
}

impl Committed {
    /// What is to be committed about a connector; each report has a title.
    ///
    /// # Panics
    /// When the connector does not say which interface it speaks.
    #[must_use]
    #[track_caller]
    pub fn new(name: &str, connector: &Connector, reports: &[(&str, Report)]) -> Self {
        let Some(facts) = connector.facts() else {
            panic!("{name} does not say which interface it speaks: Connector::with_facts")
        };
        let run =
            |(title, report): &(&str, Report)| Run { title: (*title).to_owned(), report: report.clone() };
        Self {
            name: name.to_owned(),
            provider: connector.provider().clone(),
            title: connector.title().to_owned(),
            version: facts.version.map(str::to_owned),
            as_of: facts.as_of.to_owned(),
            capabilities: connector.capabilities().clone(),
            runs: reports.iter().map(run).collect(),
        }
    }

    /// Reads `conformance.json` of a crate.
    ///
    /// # Panics
    /// When it is not there, or not of this form.
    #[must_use]
    #[track_caller]
    pub fn of(crate_dir: impl AsRef<Path>) -> Self {
        let path = crate_dir.as_ref().join(FILE);
        let text = fs::read_to_string(&path).map_err(|error| error.to_string());
        match text.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string())) {
            Ok(committed) => committed,
            Err(error) => panic!("{}: {error}; the suite writes it with UPDATE_GOLDEN=1", path.display()),
        }
    }

    /// Its JSON, the same for the same findings.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// The report for people. `command` is what runs the suite.
    #[must_use]
    pub fn markdown(&self, command: &str) -> String {
        let mut text = format!(
            "# Conformance of {}\n\n\
             Made by the suite `omni_testkit::conformance` against the provider's simulator:\n\
             `UPDATE_GOLDEN=1 {command}` writes it anew.\n\n{}\n",
            self.name,
            self.summary()
        );
        for Run { title, report } in &self.runs {
            text.push_str(&format!("\n## {title}\n\n{}", report.markdown()));
        }
        text
    }

    /// Which interface is spoken, and how old the knowledge of it is.
    #[must_use]
    pub fn speaks(&self) -> String {
        let version = self.version.as_deref().unwrap_or("no version named");
        format!("{version} ({})", self.as_of)
    }

    /// In short: which interface is spoken, and how many rules of the suite came to what.
    #[must_use]
    pub fn summary(&self) -> String {
        let row = |run: &Run| {
            let count = |outcome| run.report.count(outcome).to_string();
            vec![
                run.title.clone(),
                count(Outcome::Passed),
                count(Outcome::NotDeclared),
                count(Outcome::NotApplicable),
            ]
        };
        let head = ["Run of the suite", "Rules passed", "Not declared", "Not applicable"];
        let runs = docs::table(&head, self.runs.iter().map(row));
        format!("Interface of the provider, and date of the facts: {}.\n\n{runs}", self.speaks())
    }

    /// How many rules of all runs came to this.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> usize {
        self.runs.iter().map(|run| run.report.count(outcome)).sum()
    }

    /// Where the runs differ from the suite of today: rules that are no more, that are missing, or in another order.
    #[must_use]
    pub fn outdated(&self) -> Vec<String> {
        let mut found = Vec::new();
        for Run { title, report } in &self.runs {
            let today = report.rules.names();
            let ran: Vec<(&str, &str)> = report.rows.iter().map(Row::name).collect();
            let is_there = |(section, rule): &(&str, String)| ran.contains(&(*section, &**rule));
            let is_known = |name: &&(&str, &str)| today.iter().any(|(s, rule)| **name == (*s, &**rule));
            let missing = today.iter().filter(|name| !is_there(name));
            found.extend(missing.map(|(section, rule)| format!("{title}: {section}: {rule} is missing")));
            let unknown = ran.iter().filter(|name| !is_known(name));
            found.extend(unknown.map(|(section, rule)| format!("{title}: {section}: {rule} is no rule")));
            if found.is_empty() && !today.iter().map(|(s, rule)| (*s, &**rule)).eq(ran.iter().copied()) {
                found.push(format!("{title}: rules are doubled or in another order"));
            }
        }
        found
    }
}

/// Ends the test when a rule does not hold, and compares `conformance.json` and `CONFORMANCE.md` of the crate with what
/// was found; each report has a title. With `UPDATE_GOLDEN` in the environment the files are written anew.
///
/// # Panics
/// When a rule does not hold, a file differs, or the connector does not say which interface it speaks.
#[track_caller]
pub fn commit_report(crate_dir: &str, crate_name: &str, connector: &Connector, reports: &[(&str, Report)]) {
    for (_, report) in reports {
        report.assert_passed();
    }
    let committed = Committed::new(crate_name, connector, reports);
    let folder = Path::new(crate_dir);
    golden::check(folder.join(FILE), &committed.json());
    let command = format!("cargo test -p {crate_name} --test conformance");
    golden::check(folder.join("CONFORMANCE.md"), &committed.markdown(&command));
}

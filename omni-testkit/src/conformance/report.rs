//! What the suite found.

use std::fmt;

use super::laws;

/// What became of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Passed,
    /// The ability is not declared, and is not there: asking for it is answered `Unsupported`.
    NotDeclared,
    /// It cannot be shown with this provider.
    NotApplicable,
    /// It does not hold.
    Failed,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::Passed => "passed",
            Outcome::NotDeclared => "not declared",
            Outcome::NotApplicable => "not applicable",
            Outcome::Failed => "FAILED",
        })
    }
}

/// One rule and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What the rule is about.
    pub section: &'static str,
    /// The rule, in words.
    pub rule: String,
    /// What was shown, why it is not applicable, or what is wrong.
    pub shown: String,
    /// What became of it.
    pub outcome: Outcome,
}

impl Row {
    /// Where the rule is explained: the law it follows from, where it is one, and the place in the guide to connectors.
    #[must_use]
    pub fn read_on(&self) -> String {
        laws::read_on(self.section, &self.rule)
    }
}

/// What the suite found about one connector.
#[derive(Clone, Debug)]
#[must_use]
pub struct Report {
    /// The rules, in the order of the suite.
    pub rows: Vec<Row>,
}

impl Report {
    /// Rules that do not hold.
    pub fn failures(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.outcome == Outcome::Failed)
    }

    /// The report as tables, one a section, to be committed beside the connector.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        let mut section = "";
        for row in &self.rows {
            if row.section != section {
                section = row.section;
                let gap = if text.is_empty() { "" } else { "\n" };
                text.push_str(&format!("{gap}### {section}\n\n| Rule | Shown | Outcome |\n|---|---|---|\n"));
            }
            text.push_str(&format!("| {} | {} | {} |\n", cell(&row.rule), cell(&row.shown), row.outcome));
        }
        text
    }

    /// Ends the test when a rule does not hold.
    ///
    /// # Panics
    /// With every failure at once, and where to read on.
    pub fn assert_passed(&self) {
        let told = |row: &Row| {
            format!("{}: {}\n    {}\n    read on: {}", row.section, row.rule, row.shown, row.read_on())
        };
        let failed: Vec<String> = self.failures().map(told).collect();
        assert!(
            failed.is_empty(),
            "{} of {} rules do not hold:\n- {}",
            failed.len(),
            self.rows.len(),
            failed.join("\n- ")
        );
    }
}

/// Ends the test when a rule does not hold, and compares `CONFORMANCE.md` of the crate with what was found; each report has
/// a title. With `UPDATE_GOLDEN` in the environment the file is written anew.
///
/// # Panics
/// When a rule does not hold, or the file differs.
#[track_caller]
pub fn commit_report(crate_dir: &str, crate_name: &str, reports: &[(&str, Report)]) {
    for (_, report) in reports {
        report.assert_passed();
    }
    let mut text = format!(
        "# Conformance of {crate_name}\n\n\
         Made by the suite `omni_testkit::conformance` against the provider's simulator:\n\
         `UPDATE_GOLDEN=1 cargo test -p {crate_name} --test conformance` writes it anew.\n"
    );
    for (title, report) in reports {
        text.push_str(&format!("\n## {title}\n\n{}", report.markdown()));
    }
    crate::golden::check(std::path::Path::new(crate_dir).join("CONFORMANCE.md"), &text);
}

/// Text that stays within its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

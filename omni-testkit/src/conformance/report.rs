//! What the suite found.

use std::fmt;

use omni_core::Capabilities;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Rules, laws};

/// What became of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// What the rule is about.
    pub section: String,
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
        laws::read_on(&self.section, &self.rule)
    }

    /// Its section and its words.
    pub(super) fn name(&self) -> (&str, &str) {
        (&self.section, &self.rule)
    }
}

/// What the suite found about one connector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[must_use]
pub struct Report {
    /// Which rules ran.
    pub rules: Rules,
    /// What was declared where the customer was spoken to.
    pub capabilities: Capabilities,
    /// The rules, in the order of the suite.
    pub rows: Vec<Row>,
}

impl Report {
    /// Rules that do not hold.
    pub fn failures(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.outcome == Outcome::Failed)
    }

    /// How many rules came to this.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> usize {
        self.rows.iter().filter(|row| row.outcome == outcome).count()
    }

    /// The report as tables, one a section, to be committed beside the connector.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        let mut section = "";
        for row in &self.rows {
            if row.section != section {
                section = &row.section;
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

/// Text that stays within its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

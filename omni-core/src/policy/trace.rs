use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a step did what it did: which rules were looked at and what decided (law 13).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Trace {
    /// The rules looked at, in order.
    pub steps: Vec<TraceStep>,
}

/// One rule that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TraceStep {
    /// Its name.
    pub rule: Cow<'static, str>,
    /// What came of it.
    pub verdict: Verdict,
    /// The condition that decided, in words.
    pub because: Cow<'static, str>,
}

/// What came of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// It did something.
    Applied,
    /// It had nothing to do.
    Skipped,
    /// It would have done something, and that was dropped.
    Dropped,
}

impl Trace {
    /// Adds a rule.
    pub fn note(
        &mut self,
        rule: impl Into<Cow<'static, str>>,
        verdict: Verdict,
        because: impl Into<Cow<'static, str>>,
    ) {
        self.steps.push(TraceStep { rule: rule.into(), verdict, because: because.into() });
    }

    /// Whether any rule did or would have done something.
    pub fn decided(&self) -> bool {
        self.steps.iter().any(|s| s.verdict != Verdict::Skipped)
    }
}

impl fmt::Display for Trace {
    /// One readable line a rule.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            let verdict = match step.verdict {
                Verdict::Applied => "applied",
                Verdict::Skipped => "skipped",
                Verdict::Dropped => "dropped",
            };
            writeln!(f, "{}: {verdict}, {}", step.rule, step.because)?;
        }
        Ok(())
    }
}

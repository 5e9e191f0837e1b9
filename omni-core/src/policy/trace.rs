use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::RuleId;

/// Why a step did what it did: which rules were looked at and what decided (law 13).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Trace {
    /// The rules looked at, in order. Lines that say the same whenever they are said are shared with the policy.
    pub steps: Vec<Arc<TraceStep>>,
}

/// One rule that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TraceStep {
    /// Its name.
    pub rule: RuleId,
    /// What came of it.
    pub verdict: Verdict,
    /// The condition that decided, in words.
    pub because: Words,
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

/// Words of a trace: written down when compiling, when the policy is read, or in the step. Cloning allocates nothing for
/// the first two.
#[derive(Clone, JsonSchema)]
#[schemars(with = "String")]
pub enum Words {
    /// Known when compiling.
    Static(&'static str),
    /// Written once and shared.
    Shared(Arc<str>),
}

impl Words {
    /// The words.
    pub fn as_str(&self) -> &str {
        match self {
            Words::Static(words) => words,
            Words::Shared(words) => words,
        }
    }
}

impl From<&'static str> for Words {
    fn from(words: &'static str) -> Self {
        Words::Static(words)
    }
}

impl From<String> for Words {
    fn from(words: String) -> Self {
        Words::Shared(words.into())
    }
}

impl From<Arc<str>> for Words {
    fn from(words: Arc<str>) -> Self {
        Words::Shared(words)
    }
}

impl PartialEq for Words {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Words {}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Words {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(d).map(|words| Words::Shared(words.as_ref().into()))
    }
}

impl Trace {
    /// Adds a rule.
    pub fn note(&mut self, rule: impl Into<RuleId>, verdict: Verdict, because: impl Into<Words>) {
        self.steps.push(Arc::new(TraceStep { rule: rule.into(), verdict, because: because.into() }));
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

//! What can be wrong with a book, and where.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something that is wrong or odd in a book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Whether the book is refused for it.
    pub severity: Severity,
    /// By which rule of the linter.
    pub kind: FindingKind,
    /// Where in the book: `scenarios.sales.rules[2].do[0].reply`; empty for the whole of it.
    pub path: String,
    /// Where in the file; absent when there is none, or it is JSON that could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = self.place {
            write!(f, "{place}: ")?;
        }
        write!(f, "{}: ", self.severity)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It cannot be meant: what the book says would not or could not happen. The book is refused.
    Error,
    /// It works, and is hardly meant.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

/// A place in a file, both from 1; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// The line.
    pub line: u32,
    /// The character in the line.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A book that cannot be used, with all that was found: errors and warnings. `Display` is a line for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadBook {
    findings: Vec<Finding>,
    file: Option<String>,
}

impl std::error::Error for BadBook {}

impl BadBook {
    /// Refuses when one of the findings is an error.
    pub(in super::super) fn unless_fine(findings: Vec<Finding>) -> Result<(), Self> {
        match findings.iter().any(|f| f.severity == Severity::Error) {
            true => Err(Self { findings, file: None }),
            false => Ok(()),
        }
    }

    /// The same with the name of the file, which is then said in every line.
    #[must_use]
    pub fn in_file(mut self, name: impl Into<String>) -> Self {
        self.file = Some(name.into());
        self
    }

    /// All that was found, in the order of the file.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The same, to keep.
    pub fn into_findings(self) -> Vec<Finding> {
        self.findings
    }
}

impl fmt::Display for BadBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, finding) in self.findings.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            match &self.file {
                Some(file) if finding.place.is_some() => write!(f, "{file}:{finding}")?,
                Some(file) => write!(f, "{file}: {finding}")?,
                None => write!(f, "{finding}")?,
            }
        }
        Ok(())
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $severity:ident $name:ident $text:literal;)*) => {
        /// A rule of the linter.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[non_exhaustive]
        pub enum FindingKind {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl FindingKind {
            /// All of them.
            pub const ALL: &[FindingKind] = &[$(FindingKind::$name,)*];

            /// The name, as in JSON.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(FindingKind::$name => $text,)*
                }
            }

            /// How bad it is.
            pub fn severity(self) -> Severity {
                match self {
                    $(FindingKind::$name => Severity::$severity,)*
                }
            }
        }
    };
}

kinds! {
    // Reading.

    /// The text is longer than a book may be.
    Error TooLarge "too_large";
    /// It is no TOML or no JSON.
    Error Syntax "syntax";
    /// A value of the wrong type or form, or one that is missing.
    Error Shape "shape";
    /// A key that has no meaning there.
    Error UnknownKey "unknown_key";

    // Names.

    /// A calendar that is not in the book.
    Error UnknownCalendar "unknown_calendar";
    /// An agent who is not in the book.
    Error UnknownAgent "unknown_agent";
    /// A team that is not in the book.
    Error UnknownTeam "unknown_team";
    /// A bot that is not in the book.
    Error UnknownBot "unknown_bot";
    /// A scenario that is not in the book.
    Error UnknownScenario "unknown_scenario";
    /// A channel that is neither in the book nor connected.
    Warning UnknownChannel "unknown_channel";
    /// A channel in the book that is not connected.
    Warning NotConnected "not_connected";
    /// A calendar with the name of one that is always there.
    Error ReservedName "reserved_name";

    // Values.

    /// A length of time of zero where it has to pass.
    Error ZeroPeriod "zero_period";
    /// A limit of zero: the rule could never act.
    Error ZeroLimit "zero_limit";
    /// A list with nothing in it that something has to be in.
    Error EmptyList "empty_list";
    /// An empty text where words are needed.
    Error EmptyText "empty_text";
    /// A name that a field cannot have.
    Error BadField "bad_field";
    /// Conditions or calls in one another, deeper than [`MAX_DEPTH`](super::super::MAX_DEPTH).
    Error TooDeep "too_deep";

    // Calendars.

    /// A calendar that never opens.
    Error NeverOpens "never_opens";
    /// Hours that are hardly meant: spans that overlap, exceptions for the same day.
    Warning OddHours "odd_hours";

    // Agents, teams, bots.

    /// A team with nobody.
    Error EmptyTeam "empty_team";
    /// Somebody who is in a team twice.
    Warning RepeatedMember "repeated_member";
    /// An agent who is in no team and named nowhere.
    Warning IdleAgent "idle_agent";
    /// Teams that overflow into one another in a circle.
    Error OverflowCycle "overflow_cycle";
    /// An agent who is never given anything: a capacity of zero.
    Warning NoCapacity "no_capacity";
    /// A conversation is to be taken away from an agent who does not answer, and nobody else could get it.
    Warning LoneMember "lone_member";
    /// A setting of handing out in a team where nothing is handed out.
    Warning NotHandedOut "not_handed_out";
    /// Skills that nobody of the team has.
    Warning MissingSkill "missing_skill";

    // Channels.

    /// Something for after hours on a channel that is always open.
    Warning UnusedAfterHours "unused_after_hours";
    /// Texts for within the hours on a channel that never opens.
    Warning UnusedAutoReplies "unused_auto_replies";
    /// A time for words of thanks without the words.
    Error GraceWithoutWords "grace_without_words";
    /// A pinned agent, and a receiver who is somebody else.
    Error PinnedReceiver "pinned_receiver";
    /// A pinned agent, and a scenario that hands conversations to others, who would not see them.
    Warning PinnedRouting "pinned_routing";
    /// A loop guard that lets no automatic text pass.
    Error GuardStopsAll "guard_stops_all";

    // Scenarios.

    /// A scenario without rules.
    Warning EmptyScenario "empty_scenario";
    /// A scenario that no channel uses and no scenario calls.
    Warning UnusedScenario "unused_scenario";
    /// A rule without a name, or with that of another one in the scenario.
    Error RuleName "rule_name";
    /// A rule that an earlier one always leaves nothing for.
    Error UnreachableRule "unreachable_rule";
    /// A rule without a trigger in a scenario that nobody calls.
    Error UncalledRule "uncalled_rule";
    /// Scenarios that call one another in a circle.
    Error CallCycle "call_cycle";

    // Timers.

    /// Timers that start one another in a circle without any time passing.
    Error TimerSpin "timer_spin";
    /// Timers that start one another in a circle with nothing that ends it.
    Warning TimerRepeats "timer_repeats";
    /// A rule on a timer that nothing starts.
    Warning TimerNeverStarts "timer_never_starts";
    /// A timer that no rule listens to.
    Warning TimerUnheard "timer_unheard";

    // Conditions.

    /// A condition that can never hold.
    Error NeverHolds "never_holds";
    /// A condition that always holds: a pattern that fits any text.
    Warning AlwaysHolds "always_holds";
    /// A pattern that cannot be read, or is too large.
    Error BadPattern "bad_pattern";

    // Steps.

    /// A rule that does nothing.
    Error EmptySteps "empty_steps";
    /// A step behind one that ends the rule.
    Error UnreachableStep "unreachable_step";
    /// A step that a closed conversation cannot do.
    Error NotWhenClosed "not_when_closed";

    // Texts.

    /// A reply that says nothing.
    Error EmptyReply "empty_reply";
    /// Words and a template in one message.
    Error TextAndTemplate "text_and_template";
    /// A variable that cannot be read.
    Error BadTemplate "bad_template";
    /// A variable that there is not.
    Error UnknownVariable "unknown_variable";
    /// A variable that nothing in the book sets.
    Warning UnsetVariable "unset_variable";
    /// A variable that may have no value, and no fallback: then the text is not sent.
    Warning NoFallback "no_fallback";
    /// A text that can never be sent on a channel.
    Error Unsendable "unsendable";
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

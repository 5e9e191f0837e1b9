//! What can be seen to be wrong with a book before it is used.
//!
//! One file a subject; each finding is made in one place.

mod at;
mod channel;
mod condition;
mod finding;
mod graph;
mod people;
mod say;
mod scenario;
mod send;
mod step;
mod timer;
mod uses;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Display;

pub(super) use at::{At, Step};
use condition::Pattern;
pub use finding::{BadBook, Finding, FindingKind, Place, Severity};
use uses::Uses;

use super::{Book, ChannelPolicy};
use crate::capability::Capabilities;
use crate::hours::{Hours, Problem};
use crate::id::{AgentId, BotId, ChannelId, TeamId};
use crate::period::Period;
use crate::provider::Provider;

/// What the one who asks knows of the connected channels. Nothing by default: then what depends on it is not looked at.
#[derive(Clone, Debug, Default)]
pub struct Known {
    channels: Option<BTreeMap<ChannelId, KnownChannel>>,
}

/// What is known of a connected channel.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct KnownChannel {
    /// Its kind.
    pub provider: Option<Provider>,
    /// What it can do.
    pub capabilities: Option<Capabilities>,
}

impl Known {
    /// Knows which channels are connected: those that are added, and no others.
    pub fn connected(channels: impl IntoIterator<Item = ChannelId>) -> Self {
        Self { channels: Some(channels.into_iter().map(|id| (id, KnownChannel::default())).collect()) }
    }

    /// The same with a connected channel and what it can do.
    #[must_use]
    pub fn channel(
        mut self,
        id: impl Into<ChannelId>,
        provider: Provider,
        capabilities: Capabilities,
    ) -> Self {
        let channel = KnownChannel { provider: Some(provider), capabilities: Some(capabilities) };
        self.channels.get_or_insert_default().insert(id.into(), channel);
        self
    }
}

impl Book {
    /// All that is wrong or odd with the book. One that was read with [`Book::from_toml`] or [`Book::from_json`] has no
    /// errors left, as far as they can be seen without knowing the connected channels.
    ///
    /// ```
    /// use omni_core::policy::Book;
    /// use omni_core::policy::book::{FindingKind, Known, Team};
    ///
    /// let mut book = Book::default();
    /// book.teams.insert("sales".into(), Team::default());
    /// let findings = book.lint(&Known::default());
    /// assert_eq!(findings[0].kind, FindingKind::EmptyTeam);
    /// assert_eq!(findings[0].path, "teams.sales.members");
    /// ```
    pub fn lint(&self, known: &Known) -> Vec<Finding> {
        of(self, known, &BTreeSet::new()).into_iter().map(|found| found.at_place(None)).collect()
    }

    /// Refuses a book that has errors.
    ///
    /// # Errors
    /// All that was found, warnings too.
    pub fn check(&self) -> Result<(), BadBook> {
        BadBook::unless_fine(self.lint(&Known::default()))
    }
}

/// A finding on its way to its place in a file.
pub(super) struct Found {
    pub(super) at: At,
    kind: FindingKind,
    message: String,
}

impl Found {
    pub(super) fn new(kind: FindingKind, at: At, message: impl Into<String>) -> Self {
        Self { at, kind, message: message.into() }
    }

    pub(super) fn at_place(self, place: Option<Place>) -> Finding {
        let Self { at, kind, message } = self;
        Finding { severity: kind.severity(), kind, path: at.to_string(), place, message }
    }
}

/// What is wrong with a book of which some parts could not be read: nothing is said of those.
pub(super) fn of(book: &Book, known: &Known, broken: &BTreeSet<At>) -> Vec<Found> {
    let root = At::default();
    let mut lint = Lint {
        book,
        known,
        broken,
        uses: Uses::of(book),
        named: BTreeSet::new(),
        patterns: RefCell::default(),
        found: Vec::new(),
    };
    lint.calendars(&root.key("hours"));
    lint.teams(&root.key("teams"));
    lint.bots(&root.key("bots"));
    lint.variables(&root.key("variables"));
    lint.channels();
    lint.scenarios(&root.key("scenarios"));
    lint.calls(&root.key("scenarios"));
    lint.timers();
    lint.sendable();
    // Last: it looks at who was named.
    lint.agents(&root.key("agents"));
    lint.found.retain(|found| !found.at.is_in(broken));
    lint.found
}

struct Lint<'a> {
    book: &'a Book,
    known: &'a Known,
    broken: &'a BTreeSet<At>,
    uses: Uses<'a>,
    /// Agents who are named anywhere.
    named: BTreeSet<&'a AgentId>,
    /// What is known of patterns: building one costs more than all else here.
    patterns: RefCell<HashMap<String, Pattern>>,
    found: Vec<Found>,
}

impl<'a> Lint<'a> {
    fn add(&mut self, kind: FindingKind, at: &At, message: impl Into<String>) {
        self.found.push(Found::new(kind, at.clone(), message));
    }

    /// Whether all of the book could be read: else nothing can be said of what is missing from it.
    fn is_whole(&self) -> bool {
        self.broken.is_empty()
    }

    /// Whether there is an entry of this name that could not be read.
    fn is_broken(&self, table: &str, name: &str) -> bool {
        let at = At::default().keys([table, name]);
        at.is_in(self.broken)
    }

    fn unknown<'n>(
        &mut self,
        kind: FindingKind,
        at: &At,
        what: (&str, &str, &str),
        names: impl Iterator<Item = &'n str>,
    ) {
        let (table, noun, name) = what;
        if self.is_broken(table, name) {
            return;
        }
        let near = nearest(name, names).map(|near| format!("did you mean `{near}`?"));
        let advice = near
            .unwrap_or_else(|| format!("add [{}], or name another one", At::default().keys([table, name])));
        self.add(kind, at, format!("there is no {noun} `{name}`: {advice}"));
    }

    fn calendar(&mut self, at: &At, name: &str) {
        let book = self.book;
        if book.calendar(name).is_none() {
            let names = book.hours.keys().map(String::as_str).chain(["always", "never"]);
            self.unknown(FindingKind::UnknownCalendar, at, ("hours", "calendar", name), names);
        }
    }

    /// A book without agents knows them all.
    fn agent(&mut self, at: &At, agent: &'a AgentId) {
        let book = self.book;
        self.named.insert(agent);
        if !book.agents.is_empty() && !book.agents.contains_key(agent) {
            let names = book.agents.keys().map(AgentId::as_str);
            self.unknown(FindingKind::UnknownAgent, at, ("agents", "agent", agent.as_str()), names);
        }
    }

    fn team(&mut self, at: &At, team: &TeamId) {
        let book = self.book;
        if !book.teams.contains_key(team) {
            let names = book.teams.keys().map(TeamId::as_str);
            self.unknown(FindingKind::UnknownTeam, at, ("teams", "team", team.as_str()), names);
        }
    }

    fn bot(&mut self, at: &At, bot: &BotId) {
        let book = self.book;
        if !book.bots.contains_key(bot) {
            let names = book.bots.keys().map(BotId::as_str);
            self.unknown(FindingKind::UnknownBot, at, ("bots", "bot", bot.as_str()), names);
        }
    }

    fn scenario_name(&mut self, at: &At, name: &str) {
        let book = self.book;
        if !book.scenarios.contains_key(name) {
            let names = book.scenarios.keys().map(String::as_str);
            self.unknown(FindingKind::UnknownScenario, at, ("scenarios", "scenario", name), names);
        }
    }

    /// Whether a channel may be there, as far as is known.
    fn is_channel(&self, channel: &ChannelId) -> bool {
        let connected = match &self.known.channels {
            Some(known) => known.contains_key(channel),
            None => self.book.other_channels != ChannelPolicy::default(),
        };
        connected || self.book.channels.contains_key(channel) || self.is_broken("channels", channel.as_str())
    }

    fn channel_name(&mut self, at: &At, channel: &ChannelId) {
        if !self.is_channel(channel) {
            let near = nearest(channel.as_str(), self.book.channels.keys().map(ChannelId::as_str));
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            self.add(FindingKind::UnknownChannel, at, format!("there is no channel `{channel}`{near}"));
        }
    }

    /// A time that has to pass.
    fn period(&mut self, at: &At, period: Period, what: impl Display) {
        if period.is_zero() {
            self.add(FindingKind::ZeroPeriod, at, format!("{what}: write a time above zero, such as \"5m\""));
        }
    }

    fn words(&mut self, at: &At, text: &str, what: impl Display) {
        if text.trim().is_empty() {
            self.add(FindingKind::EmptyText, at, format!("{what} is empty: write it, or take it out"));
        }
    }

    fn calendars(&mut self, at: &At) {
        for (name, hours) in &self.book.hours {
            let at = at.key(name);
            if matches!(name.as_str(), "always" | "never") {
                let message = format!(
                    "`{name}` is always there and means what it says: give this calendar another name"
                );
                self.add(FindingKind::ReservedName, &at, message);
            }
            for problem in Hours::problems(hours) {
                let kind = match problem {
                    Problem::NeverOpens => FindingKind::NeverOpens,
                    _ => FindingKind::OddHours,
                };
                self.add(kind, &at, problem.to_string());
            }
        }
    }
}

/// The name that is most like one, if any is much like it.
pub(super) fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let most = (name.chars().count() / 3).min(3);
    names
        .map(|known| (distance(name, known), known))
        .filter(|(d, _)| *d <= most)
        .min()
        .map(|(_, known)| known)
}

/// How many characters differ (Levenshtein); names are short.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut next = vec![i + 1];
        for ((y, pair), left) in b.iter().zip(row.windows(2)).zip(1..) {
            let (corner, above) =
                (pair.first().copied().unwrap_or(left), pair.last().copied().unwrap_or(left));
            let before = next.last().copied().unwrap_or(left);
            next.push((corner + usize::from(x != *y)).min(above + 1).min(before + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_one_slip_away() {
        assert_eq!(distance("", "абв"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(nearest("sale", ["sales", "support"].into_iter()), Some("sales"));
        assert_eq!(nearest("продожи", ["продажи"].into_iter()), Some("продажи"));
        assert_eq!(nearest("x", ["sales"].into_iter()), None);
    }
}

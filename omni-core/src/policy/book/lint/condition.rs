//! Conditions: what never holds, and what always does.

use unicode_segmentation::UnicodeSegmentation;

use super::uses::User;
use super::{At, FindingKind, Lint};
use crate::policy::book::{self, Condition, FieldIs, MAX_DEPTH, OneOrMore, Rule, Trigger};

/// What can be said of a condition beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    Never,
    Maybe,
    Always,
}

impl Truth {
    fn not(self) -> Self {
        match self {
            Truth::Never => Truth::Always,
            Truth::Maybe => Truth::Maybe,
            Truth::Always => Truth::Never,
        }
    }

    fn if_not(self, cannot: bool) -> Self {
        if cannot { Truth::Never } else { self }
    }
}

/// Where a condition is looked at, as far as that is known.
#[derive(Clone, Copy)]
pub(super) struct Where<'w, 'a> {
    /// What sets its rule off; absent in rules that are called.
    pub(super) trigger: Option<&'w Trigger>,
    /// Over which channel.
    pub(super) user: Option<&'w User<'a>>,
}

impl<'a> Lint<'a> {
    /// What can be said of a condition beforehand. Deeper than allowed nothing is said.
    pub(super) fn truth(&self, condition: &Condition, place: &Where<'_, 'a>) -> Truth {
        self.truth_at(condition, place, 0)
    }

    fn truth_at(&self, condition: &Condition, place: &Where<'_, 'a>, depth: u8) -> Truth {
        if depth > MAX_DEPTH {
            return Truth::Maybe;
        }
        let of = |c: &Condition| self.truth_at(c, place, depth + 1);
        let (without_words, without_key, without_content) = missing(place.trigger);
        match condition {
            Condition::All(all) if contradiction(all).is_some() => Truth::Never,
            Condition::All(all) => {
                let each: Vec<Truth> = all.iter().map(of).collect();
                match () {
                    () if each.contains(&Truth::Never) => Truth::Never,
                    () if !each.is_empty() && each.iter().all(|t| *t == Truth::Always) => Truth::Always,
                    () => Truth::Maybe,
                }
            }
            Condition::Any(any) => {
                let each: Vec<Truth> = any.iter().map(of).collect();
                match () {
                    () if each.contains(&Truth::Always) => Truth::Always,
                    () if !each.is_empty() && each.iter().all(|t| *t == Truth::Never) => Truth::Never,
                    () => Truth::Maybe,
                }
            }
            Condition::Not(not) => of(not).not(),
            Condition::Channel(channels) => match place.user.map(|user| user.id) {
                None => Truth::Maybe,
                Some(Some(id)) if channels.0.contains(id) => Truth::Always,
                Some(Some(_)) => Truth::Never,
                // One that is not named may be any that the book has no settings for.
                Some(None) => Truth::Maybe
                    .if_not(channels.0.iter().all(|channel| self.book.channels.contains_key(channel))),
            },
            Condition::Provider(providers) => {
                let known = self.known.channels.as_ref().zip(place.user.and_then(|user| user.id));
                match known.and_then(|(known, id)| known.get(id)?.provider.as_ref()) {
                    None => Truth::Maybe,
                    Some(provider) if providers.0.contains(provider) => Truth::Always,
                    Some(_) => Truth::Never,
                }
            }
            Condition::Contains(_) | Condition::Word(_) | Condition::Equals(_) => {
                Truth::Maybe.if_not(without_words)
            }
            Condition::Regex(pattern) => match self.pattern(pattern) {
                Pattern::Bad(_) => Truth::Maybe,
                Pattern::Fits { nothing, .. } if without_words => Truth::Maybe.if_not(!nothing),
                Pattern::Fits { anything: true, .. } => Truth::Always,
                Pattern::Fits { .. } => Truth::Maybe,
            },
            Condition::Button(_) => Truth::Maybe.if_not(without_key),
            Condition::Kind(_) => Truth::Maybe.if_not(without_content),
            Condition::Inside(name) => open(name),
            Condition::Outside(name) => open(name).not(),
            Condition::Queue(queue) if queue.at_least == 0 => Truth::Always,
            Condition::Time(time) => Truth::Maybe.if_not(time.from == time.to),
            _ => Truth::Maybe,
        }
    }

    pub(super) fn condition(&mut self, at: &At, scenario: &'a str, rule: &'a Rule, condition: &'a Condition) {
        if self.is_too_deep(at, condition) {
            return;
        }
        self.parts(at, condition);
        self.holds(at, scenario, rule, condition);
    }

    /// Whether it is nested too deep: said, and then nothing else is.
    fn is_too_deep(&mut self, at: &At, condition: &Condition) -> bool {
        let mut level = vec![condition];
        for _ in 0..=MAX_DEPTH {
            level = level.into_iter().flat_map(children).collect();
        }
        if !level.is_empty() {
            let message =
                format!("conditions stand in one another deeper than {MAX_DEPTH}: write several rules");
            self.add(FindingKind::TooDeep, at, message);
        }
        !level.is_empty()
    }

    /// What is wrong with each part by itself.
    fn parts(&mut self, at: &At, condition: &'a Condition) {
        match condition {
            Condition::All(all) => self.several(&at.key("all"), all),
            Condition::Any(any) => self.several(&at.key("any"), any),
            Condition::Not(not) => self.parts(&at.key("not"), not),
            Condition::Channel(channels) => {
                let at = at.key("channel");
                self.listed(&at, channels);
                for (i, channel) in channels.0.iter().enumerate() {
                    let at = if channels.0.len() == 1 { at.clone() } else { at.index(i) };
                    self.channel_name(&at, channel);
                }
            }
            Condition::Provider(providers) => self.listed(&at.key("provider"), providers),
            Condition::Kind(kinds) => self.listed(&at.key("kind"), kinds),
            Condition::Contains(words) => self.texts(&at.key("contains"), &words.0, "text"),
            Condition::Equals(words) => self.texts(&at.key("equals"), &words.0, "text"),
            Condition::Word(words) => {
                let at = at.key("word");
                self.texts(&at, &words.0, "word");
                for (i, word) in words.0.iter().enumerate() {
                    let at = if words.0.len() == 1 { at.clone() } else { at.index(i) };
                    self.word(&at, word);
                }
            }
            Condition::Regex(pattern) => self.regex(&at.key("regex"), pattern),
            Condition::Button(data) => self.texts(&at.key("button"), &data.0, "key"),
            Condition::Language(tags) => self.texts(&at.key("language"), &tags.0, "language"),
            Condition::Tag(tags) => self.texts(&at.key("tag"), &tags.0, "label"),
            Condition::ContactTag(tags) => self.texts(&at.key("contact_tag"), &tags.0, "label"),
            Condition::Source(sources) => self.texts(&at.key("source"), &sources.0, "source"),
            Condition::Item(items) => self.texts(&at.key("item"), &items.0, "title or number"),
            Condition::Field(FieldIs { name, is }) => {
                let at = at.key("field");
                self.known_variable(&at.key("name"), name);
                if let Some(is) = is {
                    self.texts(&at.key("is"), &is.0, "value");
                }
            }
            Condition::Inside(name) => self.calendar_part(&at.key("inside"), name),
            Condition::Outside(name) => self.calendar_part(&at.key("outside"), name),
            Condition::Online(team) => self.team(&at.key("online"), team),
            Condition::Queue(queue) => {
                let at = at.key("queue");
                self.team(&at.key("team"), &queue.team);
                if queue.at_least == 0 {
                    let message = "0 or more always wait: write at_least = 1 or more";
                    self.add(FindingKind::AlwaysHolds, &at.key("at_least"), message);
                }
            }
            Condition::Time(_) | Condition::Visit(_) | Condition::Window(_) | Condition::Owner(_) => {}
        }
    }

    fn several(&mut self, at: &At, conditions: &'a [Condition]) {
        if conditions.is_empty() {
            self.add(FindingKind::EmptyList, at, "no conditions: add one, or take it out");
        }
        for (i, condition) in conditions.iter().enumerate() {
            self.parts(&at.index(i), condition);
        }
    }

    fn listed<T>(&mut self, at: &At, list: &OneOrMore<T>) {
        if list.0.is_empty() {
            self.add(FindingKind::EmptyList, at, "nothing is named: name one, or take it out");
        }
    }

    /// A word has to be one, or no word of a message is ever the same.
    pub(super) fn word(&mut self, at: &At, word: &str) {
        let mut words = word.unicode_words();
        let is_one = words.next() == Some(word) && words.next().is_none();
        if !is_one && !word.trim().is_empty() {
            let message = format!(
                "{word:?} is not a single word, so no word of a message is ever the same: write one word \
                                   (or `contains` in a condition)"
            );
            self.add(FindingKind::NeverHolds, at, message);
        }
    }

    fn regex(&mut self, at: &At, pattern: &str) {
        match self.pattern(pattern) {
            Pattern::Fits { anything: true, .. } => {
                let message = "this pattern fits any text: say what has to be there, or take it out";
                self.add(FindingKind::AlwaysHolds, at, message);
            }
            Pattern::Fits { .. } => {}
            Pattern::Bad(why) => {
                self.add(FindingKind::BadPattern, at, format!("{pattern:?} is no pattern: {why}"))
            }
        }
    }

    fn pattern(&self, pattern: &str) -> Pattern {
        let mut known = self.patterns.borrow_mut();
        known.entry(pattern.to_owned()).or_insert_with(|| Pattern::of(pattern)).clone()
    }

    fn calendar_part(&mut self, at: &At, name: &str) {
        self.calendar(at, name);
        if open(name) != Truth::Maybe {
            let is_inside = at.steps().last() == Some(&super::Step::Key("inside".to_owned()));
            if is_inside == (name == "always") {
                let message = "this always holds: name another calendar, or take it out";
                self.add(FindingKind::AlwaysHolds, at, message);
            }
        }
    }

    /// What can never hold, as small a part as does not; nothing is said of what stands in a `not`.
    fn holds(&mut self, at: &At, scenario: &'a str, rule: &'a Rule, condition: &'a Condition) {
        let is_never = {
            let mut users = self.uses.users(scenario).peekable();
            let never = |user: Option<&User<'a>>| {
                self.truth(condition, &Where { trigger: rule.on.as_ref(), user }) == Truth::Never
            };
            match users.peek() {
                None => never(None),
                Some(_) => users.all(|user| never(Some(user))),
            }
        };
        let parts: &[Condition] = match condition {
            Condition::All(parts) | Condition::Any(parts) => parts,
            _ => &[],
        };
        let word = if matches!(condition, Condition::All(_)) { "all" } else { "any" };
        let before = self.found.len();
        for (i, part) in parts.iter().enumerate() {
            self.holds(&at.key(word).index(i), scenario, rule, part);
        }
        if !is_never || self.found.len() > before {
            return;
        }
        let message = match condition {
            Condition::Channel(channels) => {
                if channels.0.is_empty() || !channels.0.iter().all(|channel| self.is_channel(channel)) {
                    return;
                }
                format!("no channel named here uses the scenario `{scenario}`, so this never holds")
            }
            Condition::Provider(_) => {
                format!("no channel of such a kind uses the scenario `{scenario}`, so this never holds")
            }
            Condition::All(all) => match contradiction(all) {
                Some((a, b)) => {
                    format!("all[{a}] and all[{b}] never hold together: take one out, or write `any`")
                }
                None => "not all of these can hold for one channel: split the rule".to_owned(),
            },
            Condition::Any(_) => "none of these can hold for a channel that uses the scenario".to_owned(),
            Condition::Inside(_) | Condition::Outside(_) => {
                "this never holds: name another calendar, or take the rule out".to_owned()
            }
            Condition::Time(_) => {
                "no time lies between two equal ones: write 00:00 and 24:00 for all day".to_owned()
            }
            Condition::Not(_) => "what stands in this `not` always holds, so this never does".to_owned(),
            Condition::Button(_) => {
                "no key is pressed when this rule is set off: set it off by on = \"button\"".to_owned()
            }
            _ => "nothing is written when this rule is set off: set it off by on = \"message\"".to_owned(),
        };
        self.add(FindingKind::NeverHolds, at, message);
    }
}

fn children(condition: &Condition) -> &[Condition] {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts,
        Condition::Not(part) => std::slice::from_ref(part),
        _ => &[],
    }
}

/// Whether there are no words, no pressed key, no content when a rule is set off.
fn missing(trigger: Option<&Trigger>) -> (bool, bool, bool) {
    match trigger {
        // Called rules may be set off by anything; a conversation is opened by a message or by a key.
        None | Some(Trigger::Opened | Trigger::Reopened) => (false, false, false),
        Some(Trigger::Message | Trigger::Comment) => (false, true, false),
        Some(Trigger::Button) => (false, false, true),
        Some(Trigger::Silent(_) | Trigger::Failed | Trigger::Call | Trigger::Closed | Trigger::Timer(_)) => {
            (true, true, true)
        }
    }
}

/// Whether a calendar that is always there is open.
fn open(name: &str) -> Truth {
    match name {
        "always" => Truth::Always,
        "never" => Truth::Never,
        _ => Truth::Maybe,
    }
}

/// What is known of a pattern.
#[derive(Clone)]
pub(super) enum Pattern {
    /// Why it is none.
    Bad(String),
    Fits {
        /// Whether it fits a text without words.
        nothing: bool,
        /// Whether it fits whatever is written.
        anything: bool,
    },
}

impl Pattern {
    fn of(pattern: &str) -> Self {
        match book::pattern(pattern) {
            Ok(built) => {
                // It is tried: what fits nothing at all and all of these fits the rest.
                let texts = ["x", "Привет, мир!", "42", " ", "a\nb", "👋"];
                let nothing = built.is_match("");
                Pattern::Fits { nothing, anything: nothing && texts.iter().all(|text| built.is_match(text)) }
            }
            Err(error) => {
                // The crate draws the pattern with a mark over several lines; the last one says what is wrong.
                let words = error.to_string();
                let last = words.lines().last().unwrap_or_default();
                Pattern::Bad(last.trim_start_matches("error: ").trim_end_matches('.').to_owned())
            }
        }
    }
}

/// Two of these conditions that never hold together.
fn contradiction(all: &[Condition]) -> Option<(usize, usize)> {
    // Each is compared with each; nobody writes so many.
    let all = all.get(..50).unwrap_or(all);
    let pairs = all
        .iter()
        .enumerate()
        .flat_map(|(i, a)| all.iter().enumerate().skip(i + 1).map(move |(j, b)| (i, a, j, b)));
    pairs.into_iter().find(|(_, a, _, b)| exclude(a, b) || exclude(b, a)).map(|(i, _, j, _)| (i, j))
}

fn exclude(a: &Condition, b: &Condition) -> bool {
    fn apart<T: PartialEq>(a: &OneOrMore<T>, b: &OneOrMore<T>) -> bool {
        !a.0.is_empty() && !b.0.is_empty() && !a.0.iter().any(|x| b.0.contains(x))
    }
    match (a, b) {
        (Condition::Not(not), other) => **not == *other,
        (Condition::Inside(a), Condition::Outside(b)) => a == b,
        (Condition::Visit(a), Condition::Visit(b)) => a != b,
        (Condition::Window(a), Condition::Window(b)) => a != b,
        (Condition::Owner(a), Condition::Owner(b)) => a != b,
        (Condition::Channel(a), Condition::Channel(b)) => apart(a, b),
        (Condition::Provider(a), Condition::Provider(b)) => apart(a, b),
        _ => false,
    }
}

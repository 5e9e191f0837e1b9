//! Conditions, compiled: words folded, patterns built, and the sentence of each ready for the trace.

use std::cell::OnceCell;
use std::sync::Arc;

use regex::Regex;

use super::parts::{CalendarId, Parts};
use super::turn::Turn;
use super::words::{Finder, Found, WordId, fold};
use crate::content::{Content, ContentKind, Part};
use crate::conversation::Owner;
use crate::event::{EventBody, Message};
use crate::hours::Zone;
use crate::id::{ChannelId, RuleId, TeamId};
use crate::policy::book::{self, Condition, OneOrMore, OwnerKind, Visit, Window};
use crate::policy::{Input, TraceStep, Verdict};
use crate::provider::Provider;

/// What an input is about, read once.
pub(super) struct Subject<'a> {
    pub(super) content: Option<&'a Content>,
    pub(super) pressed: Option<&'a str>,
    words: &'a str,
    folded: OnceCell<String>,
    found: OnceCell<Found>,
}

impl<'a> Subject<'a> {
    pub(super) fn of(input: &Input<'a>) -> Self {
        let body = match input {
            Input::Event(event) | Input::Opened(Some(event)) | Input::Reopened(Some(event)) => {
                Some(&event.body)
            }
            _ => None,
        };
        let content = body.and_then(message).map(|m| &m.content);
        let (pressed, label) = match body {
            Some(EventBody::Button(button)) => (Some(button.data.as_str()), button.label.as_deref()),
            _ => (None, None),
        };
        let words = content.and_then(Content::plain_text).or(label).unwrap_or_default();
        Self { content, pressed, words, folded: OnceCell::new(), found: OnceCell::new() }
    }

    /// The words in lower case, made when first asked for.
    fn folded(&self) -> &str {
        self.folded.get_or_init(|| fold(self.words))
    }

    /// Which of the words that conditions look for are there, looked for when first asked.
    fn found(&self, finder: &Finder) -> &Found {
        self.found.get_or_init(|| finder.look(self.folded()))
    }
}

/// The message of an event that is one.
pub(super) fn message(body: &EventBody) -> Option<&Message> {
    match body {
        EventBody::Message(message) => Some(message),
        EventBody::Comment(comment) => Some(&comment.message),
        _ => None,
    }
}

/// A condition, compiled.
pub(super) struct Check {
    test: Test,
    /// What the trace says when it does not hold.
    no: Arc<TraceStep>,
}

enum Test {
    All(Vec<Check>),
    Any(Vec<Check>),
    Not(Box<Check>),
    Channel(Vec<ChannelId>),
    Provider(Vec<Provider>),
    Contains(Vec<WordId>),
    Equals(Vec<String>),
    Word(Vec<WordId>),
    /// `None` is a pattern that the linter refused: it never matches.
    Regex(Option<Regex>),
    Button(Vec<String>),
    Kind(Vec<ContentKind>),
    Language(Vec<String>),
    Field {
        name: String,
        is: Option<Vec<String>>,
    },
    Tag(Vec<String>),
    ContactTag(Vec<String>),
    Visit(Visit),
    Source(Vec<String>),
    Item(Vec<String>),
    Inside(CalendarId),
    Outside(CalendarId),
    Online(TeamId),
    Queue(TeamId, u32),
    Time {
        from: u16,
        to: u16,
        zone: Zone,
    },
    Window(Window),
    Owner(OwnerKind),
}

impl Check {
    pub(super) fn compile(parts: &mut Parts<'_>, rule: &RuleId, condition: &Condition) -> Self {
        let because = format!("not so: {}", sentence(condition)).into();
        Self {
            test: Test::compile(parts, rule, condition),
            no: Arc::new(TraceStep { rule: rule.clone(), verdict: Verdict::Skipped, because }),
        }
    }

    /// Whether it holds; else what the trace says: of several that all must hold, the one that does not.
    pub(super) fn decide(&self, turn: &Turn<'_>) -> Result<(), Arc<TraceStep>> {
        self.failing(turn).map_or(Ok(()), |check| Err(check.no.clone()))
    }

    /// The check that does not hold.
    fn failing(&self, turn: &Turn<'_>) -> Option<&Self> {
        match &self.test {
            Test::All(all) => all.iter().find_map(|c| c.failing(turn)),
            _ if self.holds(turn) => None,
            _ => Some(self),
        }
    }

    fn holds(&self, turn: &Turn<'_>) -> bool {
        match &self.test {
            Test::All(all) => all.iter().all(|c| c.holds(turn)),
            Test::Any(any) => any.iter().any(|c| c.holds(turn)),
            Test::Not(not) => !not.holds(turn),
            test => test.holds(turn),
        }
    }
}

/// A condition as people read it: its own form in a configuration.
pub(super) fn sentence(condition: &Condition) -> String {
    serde_json::to_string(condition).unwrap_or_default()
}

impl Test {
    fn compile(parts: &mut Parts<'_>, rule: &RuleId, condition: &Condition) -> Self {
        let folded = |words: &OneOrMore<String>| words.0.iter().map(|w| fold(w)).collect();
        match condition {
            Condition::All(all) => Test::All(several(parts, rule, all)),
            Condition::Any(any) => Test::Any(several(parts, rule, any)),
            Condition::Not(not) => Test::Not(Box::new(Check::compile(parts, rule, not))),
            Condition::Channel(channels) => Test::Channel(channels.0.clone()),
            Condition::Provider(providers) => Test::Provider(providers.0.clone()),
            Condition::Contains(words) => {
                Test::Contains(words.0.iter().map(|w| parts.words.add(w)).collect())
            }
            Condition::Equals(words) => Test::Equals(words.0.iter().map(|w| fold(w.trim())).collect()),
            Condition::Word(words) => Test::Word(words.0.iter().map(|w| parts.words.add(w.trim())).collect()),
            Condition::Regex(pattern) => Test::Regex(book::pattern(pattern).ok()),
            Condition::Button(data) => Test::Button(data.0.clone()),
            Condition::Kind(kinds) => Test::Kind(kinds.0.clone()),
            Condition::Language(tags) => Test::Language(folded(tags)),
            Condition::Field(field) => {
                Test::Field { name: field.name.clone(), is: field.is.as_ref().map(folded) }
            }
            Condition::Tag(tags) => Test::Tag(tags.0.clone()),
            Condition::ContactTag(tags) => Test::ContactTag(tags.0.clone()),
            Condition::Visit(visit) => Test::Visit(*visit),
            Condition::Source(sources) => Test::Source(sources.0.clone()),
            Condition::Item(items) => Test::Item(folded(items)),
            Condition::Inside(name) => Test::Inside(parts.calendar(name)),
            Condition::Outside(name) => Test::Outside(parts.calendar(name)),
            Condition::Online(team) => Test::Online(team.clone()),
            Condition::Queue(queue) => Test::Queue(queue.team.clone(), queue.at_least),
            Condition::Time(time) => Test::Time {
                from: time.from.minutes(),
                to: time.to.minutes(),
                zone: time.zone.clone().or_else(|| parts.book.zone.clone()).unwrap_or_else(Zone::utc),
            },
            Condition::Window(window) => Test::Window(*window),
            Condition::Owner(owner) => Test::Owner(*owner),
        }
    }

    fn holds(&self, turn: &Turn<'_>) -> bool {
        match self {
            Test::Channel(channels) => channels.contains(&turn.c.channel),
            Test::Provider(providers) => turn.cx.provider.is_some_and(|p| providers.contains(p)),
            Test::Visit(visit) => turn.flow().returning == (*visit == Visit::Returning),
            Test::Inside(calendar) => turn.is_inside(*calendar),
            Test::Outside(calendar) => !turn.is_inside(*calendar),
            Test::Online(team) => turn.is_staffed(team),
            Test::Queue(team, least) => turn.cx.desk.waiting.get(team).copied().unwrap_or(0) >= *least,
            Test::Time { from, to, zone } => {
                let minute = zone.local(turn.now).minute_of_day;
                if from <= to { (*from..*to).contains(&minute) } else { minute >= *from || minute < *to }
            }
            Test::Window(window) => turn.cx.window == *window,
            Test::Owner(kind) => owner_kind(&turn.owner) == *kind,
            Test::Tag(tags) => tags.iter().any(|tag| turn.has_tag(tag)),
            Test::ContactTag(tags) => {
                turn.cx.contact.is_some_and(|contact| tags.iter().any(|tag| contact.tags.contains(tag)))
            }
            Test::Language(tags) => turn.language().is_some_and(|language| speaks(&fold(language), tags)),
            Test::Field { name, is } => match (turn.value(name), is) {
                (None, _) => false,
                (Some(_), None) => true,
                (Some(value), Some(is)) => is.contains(&fold(&value)),
            },
            Test::Source(sources) => turn.c.referral.as_ref().is_some_and(|r| {
                [&r.token, &r.source, &r.ad].into_iter().flatten().any(|told| sources.contains(told))
            }),
            Test::Item(items) => turn.c.item.as_ref().is_some_and(|item| {
                let id = item.id.as_deref().map(fold).unwrap_or_default();
                let title = item.title.as_deref().map(fold).unwrap_or_default();
                items.iter().any(|wanted| *wanted == id || title.contains(wanted))
            }),
            words => words.of_words(turn.subject, &turn.engine.shared.finder),
        }
    }

    /// Conditions on what was said.
    fn of_words(&self, subject: &Subject<'_>, finder: &Finder) -> bool {
        match self {
            Test::Contains(words) => words.iter().any(|w| subject.found(finder).has(*w)),
            Test::Equals(texts) => texts.iter().any(|t| subject.folded().trim() == t),
            Test::Word(words) => words.iter().any(|w| subject.found(finder).has_whole(*w)),
            Test::Regex(pattern) => pattern.as_ref().is_some_and(|p| p.is_match(subject.words)),
            Test::Button(data) => subject.pressed.is_some_and(|pressed| data.iter().any(|d| d == pressed)),
            Test::Kind(kinds) => {
                subject.content.is_some_and(|c| kinds.iter().any(|kind| holds_kind(c, *kind)))
            }
            _ => false,
        }
    }
}

fn several(parts: &mut Parts<'_>, rule: &RuleId, conditions: &[Condition]) -> Vec<Check> {
    conditions.iter().map(|c| Check::compile(parts, rule, c)).collect()
}

/// `ru` also means `ru-RU`.
fn speaks(language: &str, tags: &[String]) -> bool {
    tags.iter()
        .any(|tag| language.strip_prefix(tag).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')))
}

fn owner_kind(owner: &Owner) -> OwnerKind {
    match owner {
        Owner::Nobody => OwnerKind::Nobody,
        Owner::Agent { .. } => OwnerKind::Agent,
        Owner::Team { .. } => OwnerKind::Team,
        Owner::Bot { .. } => OwnerKind::Bot,
    }
}

fn holds_kind(content: &Content, kind: ContentKind) -> bool {
    let part = |part: &Part| match part {
        Part::Media(media) => ContentKind::from(media.kind) == kind,
        Part::Location(_) => kind == ContentKind::Location,
        Part::Contact(_) => kind == ContentKind::Contact,
        Part::Item(_) => kind == ContentKind::Item,
        Part::Template(_) => kind == ContentKind::Template,
        Part::Email(_) => kind == ContentKind::Email,
        Part::Forwarded { .. } => kind == ContentKind::Forwarded,
        _ => false,
    };
    match kind {
        ContentKind::Text => content.plain_text().is_some(),
        ContentKind::Album => content.all_media().count() > 1,
        _ => content.parts.iter().any(part),
    }
}

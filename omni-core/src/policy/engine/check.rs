//! Conditions, compiled: words folded, patterns built, and the sentence of each ready for the trace.

use std::cell::OnceCell;
use std::sync::Arc;

use regex::Regex;

use super::turn::Turn;
use crate::content::{Content, ContentKind, Part};
use crate::conversation::Owner;
use crate::event::{EventBody, Message};
use crate::hours::{Hours, Zone};
use crate::id::{ChannelId, TeamId};
use crate::policy::book::{self, Book, Condition, OneOrMore, OwnerKind, Visit, Window};
use crate::policy::{Input, Words};
use crate::provider::Provider;

/// What an input is about, read once.
pub(super) struct Subject<'a> {
    pub(super) content: Option<&'a Content>,
    pub(super) pressed: Option<&'a str>,
    words: &'a str,
    folded: OnceCell<String>,
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
        Self { content, pressed, words, folded: OnceCell::new() }
    }

    /// The words in lower case, made when first asked for.
    fn folded(&self) -> &str {
        self.folded.get_or_init(|| fold(self.words))
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

/// One form for words that differ only in case.
pub(super) fn fold(words: &str) -> String {
    words.to_lowercase()
}

/// A condition, compiled.
pub(super) struct Check {
    test: Test,
    /// What the trace says when it holds, and when it does not.
    yes: Arc<str>,
    no: Arc<str>,
}

enum Test {
    All(Vec<Check>),
    Any(Vec<Check>),
    Not(Box<Check>),
    Channel(Vec<ChannelId>),
    Provider(Vec<Provider>),
    Contains(Vec<String>),
    Equals(Vec<String>),
    Word(Vec<String>),
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
    Inside(Hours),
    Outside(Hours),
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
    pub(super) fn compile(book: &Book, condition: &Condition) -> Self {
        let sentence = sentence(condition);
        Self {
            test: Test::compile(book, condition),
            yes: format!("it fits: {sentence}").into(),
            no: format!("not so: {sentence}").into(),
        }
    }

    /// Whether it holds, with what decided: of several, the one that failed.
    pub(super) fn holds(&self, turn: &Turn<'_>) -> Result<Words, Words> {
        let held = match &self.test {
            Test::All(all) => {
                return all.iter().try_for_each(|c| c.holds(turn).map(drop)).map(|()| self.yes());
            }
            Test::Any(any) => any.iter().any(|c| c.holds(turn).is_ok()),
            Test::Not(not) => not.holds(turn).is_err(),
            test => test.holds(turn),
        };
        if held { Ok(self.yes()) } else { Err(Words::Shared(self.no.clone())) }
    }

    fn yes(&self) -> Words {
        Words::Shared(self.yes.clone())
    }
}

/// A condition as people read it: its own form in a configuration.
fn sentence(condition: &Condition) -> String {
    serde_json::to_string(condition).unwrap_or_default()
}

impl Test {
    fn compile(book: &Book, condition: &Condition) -> Self {
        let several = |conditions: &[Condition]| conditions.iter().map(|c| Check::compile(book, c)).collect();
        let folded = |words: &OneOrMore<String>| words.0.iter().map(|w| fold(w)).collect();
        let calendar = |name: &str| book.calendar(name).cloned();
        match condition {
            Condition::All(all) => Test::All(several(all)),
            Condition::Any(any) => Test::Any(several(any)),
            Condition::Not(not) => Test::Not(Box::new(Check::compile(book, not))),
            Condition::Channel(channels) => Test::Channel(channels.0.clone()),
            Condition::Provider(providers) => Test::Provider(providers.0.clone()),
            Condition::Contains(words) => Test::Contains(folded(words)),
            Condition::Equals(words) => Test::Equals(words.0.iter().map(|w| fold(w.trim())).collect()),
            Condition::Word(words) => Test::Word(folded(words)),
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
            Condition::Inside(name) => Test::Inside(calendar(name).unwrap_or(Hours::Never)),
            Condition::Outside(name) => Test::Outside(calendar(name).unwrap_or(Hours::Always)),
            Condition::Online(team) => Test::Online(team.clone()),
            Condition::Queue(queue) => Test::Queue(queue.team.clone(), queue.at_least),
            Condition::Time(time) => Test::Time {
                from: time.from.minutes(),
                to: time.to.minutes(),
                zone: time.zone.clone().or_else(|| book.zone.clone()).unwrap_or_else(Zone::utc),
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
            Test::Inside(hours) => hours.is_open(turn.now),
            Test::Outside(hours) => !hours.is_open(turn.now),
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
            words => words.of_words(turn.subject),
        }
    }

    /// Conditions on what was said.
    fn of_words(&self, subject: &Subject<'_>) -> bool {
        match self {
            Test::Contains(needles) => needles.iter().any(|n| subject.folded().contains(n)),
            Test::Equals(texts) => texts.iter().any(|t| subject.folded().trim() == t),
            Test::Word(words) => words.iter().any(|word| holds_word(subject.folded(), word)),
            Test::Regex(pattern) => pattern.as_ref().is_some_and(|p| p.is_match(subject.words)),
            Test::Button(data) => subject.pressed.is_some_and(|pressed| data.iter().any(|d| d == pressed)),
            Test::Kind(kinds) => {
                subject.content.is_some_and(|c| kinds.iter().any(|kind| holds_kind(c, *kind)))
            }
            _ => false,
        }
    }
}

/// Whether a text holds a word or a phrase that no letter or digit goes on before or behind.
fn holds_word(text: &str, word: &str) -> bool {
    let goes_on = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let behind = text.get(at + word.len()..).and_then(|t| t.chars().next());
        !goes_on(before) && !goes_on(behind)
    })
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

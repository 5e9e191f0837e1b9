//! The engine: a channel's part of a [`Book`], compiled, as a [`Policy`].

mod bot;
mod check;
mod clocks;
mod closing;
mod inbound;
mod limits;
mod parts;
mod route;
mod say;
mod steps;
mod turn;
mod wake;
mod words;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use check::{Check, Subject};
use parts::Parts;
use turn::Turn;
use words::Finder;

use super::book::{BadBook, Book, ChannelPolicy, Do, Limit, Mode, Silence, Trigger};
use super::{Comeback, Context, Input, Policy, Step, TraceStep, Verdict, Words};
use crate::conversation::{Conversation, TimerKind};
use crate::event::Event;
use crate::hours::Hours;
use crate::id::{ChannelId, RuleId};

/// The policy of one channel: its part of a [`Book`], compiled. Cheap to clone.
///
/// ```
/// use omni_core::Period;
/// use omni_core::policy::{ChannelPolicy, Engine};
/// // Everyone sees everything, and three days of silence close a conversation.
/// let engine = Engine::of(ChannelPolicy::new().auto_close(Period::days(3))).unwrap();
/// # let _ = engine;
/// ```
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Compiled>,
}

/// A book that was checked and compiled: it gives any number of channels their [`Engine`], and they share what is large.
/// Cheap to clone.
#[derive(Clone)]
pub struct Engines {
    shared: Arc<Shared>,
}

/// What is the same for all channels of a book.
struct Shared {
    book: Arc<Book>,
    /// A fingerprint of the whole book: another one is another edition, whatever its version says.
    edition: u64,
    scenarios: HashMap<String, Arc<Scenario>>,
    finder: Finder,
    calendars: Vec<Hours>,
}

/// What a book says of one channel, ready to be asked.
struct Compiled {
    shared: Arc<Shared>,
    book: Arc<Book>,
    channel: ChannelId,
    policy: ChannelPolicy,
    hours: Hours,
    main: Option<Arc<Scenario>>,
    silences: Vec<Silence>,
    /// What the keys carry that are shown on closing.
    closing_keys: HashSet<String>,
    names: Names,
}

/// A scenario, ready to be asked.
struct Scenario {
    mode: Mode,
    rules: Vec<Rule>,
}

struct Rule {
    id: RuleId,
    on: Option<Trigger>,
    when: Option<Check>,
    /// What the trace says when it acts.
    acts: Arc<TraceStep>,
    steps: Arc<[Do]>,
    limit: Limit,
}

/// Names under which settings that are not rules appear in traces.
struct Names {
    auto_close: RuleId,
    auto_replies: Vec<RuleId>,
    after_hours: Vec<RuleId>,
    after_hours_bot: RuleId,
    bot: RuleId,
    clocks: RuleId,
    closing: RuleId,
    pinned: RuleId,
    policy: RuleId,
    routing: RuleId,
    snooze: RuleId,
}

impl Engines {
    /// Checks and compiles a book.
    ///
    /// # Errors
    /// All that the linter finds wrong with it; warnings alone are no error.
    pub fn new(book: Book) -> Result<Self, BadBook> {
        book.check()?;
        Ok(Self::compile(book))
    }

    /// The book.
    pub fn book(&self) -> &Arc<Book> {
        &self.shared.book
    }

    /// The policy of a channel.
    pub fn channel(&self, channel: &ChannelId) -> Engine {
        let shared = self.shared.clone();
        let book = shared.book.clone();
        let policy = book.channel(channel).clone();
        let main = policy.scenario.as_ref().and_then(|name| shared.scenarios.get(name)).cloned();
        let silence = |rule: &Rule| match &rule.on {
            Some(Trigger::Silent(silence)) => Some(*silence),
            _ => None,
        };
        let silences = main.iter().flat_map(|s| s.rules.iter().filter_map(silence)).collect();
        let hours = policy.hours.as_ref().and_then(|name| book.calendar(name)).cloned();
        let hours = hours.unwrap_or(Hours::Always);
        let names = Names::of(&policy);
        let closing_keys = closing::closing_keys(&policy, &book.scenarios);
        let channel = channel.clone();
        let compiled = Compiled { shared, book, channel, policy, hours, main, silences, closing_keys, names };
        Engine { inner: Arc::new(compiled) }
    }

    /// Compiles a book that was checked: what is wrong in it nevertheless never fits.
    fn compile(book: Book) -> Self {
        let mut parts = Parts::of(&book);
        let scenarios = book.scenarios.iter();
        let scenarios =
            scenarios.map(|(name, s)| (name.clone(), Arc::new(Scenario::compile(&mut parts, name, s))));
        let scenarios = scenarios.collect();
        let Parts { words, calendars, .. } = parts;
        let (finder, edition) = (words.finder(), fingerprint(&book));
        Self { shared: Arc::new(Shared { book: Arc::new(book), edition, scenarios, finder, calendars }) }
    }
}

impl fmt::Debug for Engines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engines").field("version", &self.shared.book.version).finish_non_exhaustive()
    }
}

impl Engine {
    /// What a book says of one channel. For several channels of a book, see [`Engines`].
    ///
    /// # Errors
    /// As [`Engines::new`].
    pub fn new(book: Book, channel: &ChannelId) -> Result<Self, BadBook> {
        Ok(Engines::new(book)?.channel(channel))
    }

    /// The policy of a channel that needs no book: no scenario, no teams.
    ///
    /// # Errors
    /// As [`Engines::new`].
    pub fn of(policy: ChannelPolicy) -> Result<Self, BadBook> {
        Self::new(Book { other_channels: policy, ..Book::default() }, &ChannelId::from("channel"))
    }

    /// The book it was made of.
    pub fn book(&self) -> &Arc<Book> {
        &self.inner.book
    }

    /// What is set for the channel.
    pub fn policy(&self) -> &ChannelPolicy {
        &self.inner.policy
    }
}

impl Default for Engine {
    /// Everyone sees everything; only people close.
    fn default() -> Self {
        Engines::compile(Book::default()).channel(&ChannelId::from("channel"))
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("channel", &self.inner.channel)
            .field("version", &self.inner.book.version)
            .field("policy", &self.inner.policy)
            .finish_non_exhaustive()
    }
}

impl Scenario {
    fn compile(parts: &mut Parts<'_>, name: &str, scenario: &super::book::Scenario) -> Self {
        let rules = scenario.rules.iter().map(|rule| Rule::compile(parts, name, rule));
        Self { mode: scenario.mode, rules: rules.collect() }
    }
}

impl Rule {
    fn compile(parts: &mut Parts<'_>, scenario: &str, rule: &super::book::Rule) -> Self {
        let id = RuleId::from(format!("{scenario}/{}", rule.name));
        let because = match &rule.when {
            Some(condition) => format!("it fits: {}", check::sentence(condition)).into(),
            None => Words::Static("it has no condition"),
        };
        Self {
            on: rule.on.clone(),
            when: rule.when.as_ref().map(|condition| Check::compile(parts, &id, condition)),
            acts: Arc::new(TraceStep { rule: id.clone(), verdict: Verdict::Applied, because }),
            steps: rule.steps.as_slice().into(),
            limit: rule.limit,
            id,
        }
    }
}

impl Names {
    fn of(policy: &ChannelPolicy) -> Self {
        let numbered =
            |name: &str, count: usize| (0..count).map(|i| RuleId::from(format!("{name}[{i}]"))).collect();
        let after_hours = match &policy.after_hours {
            Some(super::book::AfterHours::Replies(replies)) => replies.len(),
            _ => 0,
        };
        Self {
            auto_close: "auto_close".into(),
            auto_replies: numbered("auto_replies", policy.auto_replies.len()),
            after_hours: numbered("after_hours.replies", after_hours),
            after_hours_bot: "after_hours.bot".into(),
            bot: "bot".into(),
            clocks: "clocks".into(),
            closing: "closing".into(),
            pinned: "pinned".into(),
            policy: "policy".into(),
            routing: "routing".into(),
            snooze: "snooze".into(),
        }
    }
}

/// Equal for equal books, on every machine of one version of this crate.
fn fingerprint(book: &Book) -> u64 {
    let mut hasher = DefaultHasher::new();
    serde_json::to_string(book).unwrap_or_default().hash(&mut hasher);
    hasher.finish()
}

impl Compiled {
    /// Whether a rule that waits is still in the policy.
    fn has(&self, rule: &RuleId) -> bool {
        let names = &self.names;
        let built_in = [&names.auto_close, &names.after_hours_bot, &names.bot, &names.closing];
        built_in.contains(&rule)
            || names.auto_replies.contains(rule)
            || names.after_hours.contains(rule)
            || self.shared.scenarios.values().any(|s| s.rules.iter().any(|r| r.id == *rule))
    }
}

impl Policy for Engine {
    fn returning(&self, closed: &Conversation, event: &Event, context: &Context<'_>) -> Comeback {
        closing::comeback(&self.inner, closed, event, context)
    }

    fn step(&self, conversation: &Conversation, input: &Input<'_>, context: &Context<'_>) -> Step {
        let subject = Subject::of(input);
        let mut turn = Turn::new(&self.inner, conversation, context, &subject);
        if !self.inner.policy.enabled {
            turn.rest(input);
            return turn.finish();
        }
        turn.reckon_clocks();
        match input {
            Input::Opened(event) => turn.opened(*event),
            Input::Reopened(event) => turn.reopened(*event),
            Input::Event(event) => turn.event(event),
            Input::Action(action) => turn.action(action),
            Input::Failed(failure) => turn.failed(failure),
            Input::Bot(answer) => turn.bot_answered(answer),
            Input::Closed => turn.closed(),
            Input::Timer(TimerKind::Wake) => turn.woken(),
            Input::Timer(_) => {
                turn.skipped(&self.inner.names.policy, Words::Static("this timer is not of this policy"))
            }
        }
        turn.settle(input);
        turn.finish()
    }
}

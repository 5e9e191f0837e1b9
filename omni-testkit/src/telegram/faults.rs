//! Faults: scripted ones, rule by rule, and random ones from a seed.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{bot::BotHandle, error::ApiError};
use crate::sim::random::Random;

/// What happens to a call of the Bot API instead of, or after, its proper answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// 502 with an HTML page, as a proxy before the server answers; nothing is carried out.
    BadGateway,
    /// The call is carried out; half of the answer is sent and the connection is closed.
    CutBody,
    /// The call waits this long and is then carried out and answered as usual.
    Delay(Duration),
    /// The call is carried out at once; its answer waits this long.
    DelayAnswer(Duration),
    /// The call is carried out; the connection is closed without an answer.
    DropAfterAccept,
    /// The connection is closed; nothing is carried out.
    DropBeforeAccept,
    /// This error is answered; nothing is carried out.
    Error(ApiError),
    /// The call is carried out; the answer is 200 with something that is not JSON.
    Garbage,
    /// 302 to this location; nothing is carried out.
    Redirect(String),
    /// 500 with the server's sentence about a restart; nothing is carried out.
    ServerError,
    /// The call is carried out; the answer is sent in so many pieces with this pause between them.
    SlowBody {
        /// Number of pieces.
        pieces: usize,
        /// Pause before each piece.
        pause: Duration,
    },
    /// 429 with this many seconds; nothing is carried out.
    TooManyRequests {
        /// Seconds to wait.
        retry_after: u32,
    },
}

impl Fault {
    /// Whether the call is still carried out.
    pub(crate) fn lets_through(&self) -> bool {
        use Fault::{CutBody, Delay, DelayAnswer, DropAfterAccept, Garbage, SlowBody};
        matches!(self, CutBody | Delay(_) | DelayAnswer(_) | DropAfterAccept | Garbage | SlowBody { .. })
    }

    /// Whether the caller is kept from learning the outcome.
    pub(crate) fn hides_answer(&self) -> bool {
        matches!(self, Self::CutBody | Self::DropAfterAccept | Self::Garbage)
    }
}

/// When a fault strikes: which method, which chat, after how many calls and how often.
#[derive(Clone, Debug)]
pub struct Rule {
    fault: Fault,
    method: Option<String>,
    chat: Option<i64>,
    skip: u32,
    left: u32,
}

impl Rule {
    /// Strikes the next call of any method in any chat, once; polls and downloads are meant only when
    /// [`Rule::method`] names them.
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        Self { fault, method: None, chat: None, skip: 0, left: 1 }
    }

    /// Only calls of this method; `download` names the file download.
    #[must_use]
    pub fn method(mut self, name: &str) -> Self {
        self.method = Some(name.to_ascii_lowercase());
        self
    }

    /// Only calls with this `chat_id`.
    #[must_use]
    pub fn chat(mut self, chat_id: i64) -> Self {
        self.chat = Some(chat_id);
        self
    }

    /// Lets so many matching calls pass first.
    #[must_use]
    pub fn after(mut self, calls: u32) -> Self {
        self.skip = calls;
        self
    }

    /// Strikes so many times.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.left = times;
        self
    }

    /// Strikes until `Faults::clear`.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(u32::MAX)
    }

    fn matches(&self, method: &str, chat: Option<i64>) -> bool {
        self.left > 0
            && self.method.as_deref().map_or(!UNNAMED.contains(&method), |wanted| wanted == method)
            && self.chat.is_none_or(|wanted| Some(wanted) == chat)
    }
}

/// Calls that a rule without a method leaves alone: they come by themselves.
const UNNAMED: [&str; 2] = ["getupdates", "download"];

/// Random trouble. Each probability is between 0 and 1 and is thrown for every call, or every webhook request.
#[derive(Clone, Debug)]
pub struct Chaos {
    /// Seed of the dice.
    pub seed: u64,
    /// 429 with `retry_after` 1.
    pub too_many_requests: f64,
    /// 500.
    pub server_error: f64,
    /// 502 with HTML.
    pub bad_gateway: f64,
    /// Connection closed before the call is carried out.
    pub drop_before: f64,
    /// Connection closed after the call is carried out.
    pub drop_after: f64,
    /// A delay of up to `max_delay`.
    pub delay: f64,
    /// Longest delay.
    pub max_delay: Duration,
    /// A webhook request is made twice at once.
    pub repeat_webhook: f64,
    /// A webhook request is delayed by up to `max_delay`.
    pub delay_webhook: f64,
    /// Methods that are spared, so that a test can set itself up.
    pub spared: Vec<String>,
}

impl Default for Chaos {
    fn default() -> Self {
        let spared = ["getMe", "setWebhook", "deleteWebhook", "getWebhookInfo"];
        Self {
            seed: 1,
            too_many_requests: 0.0,
            server_error: 0.0,
            bad_gateway: 0.0,
            drop_before: 0.0,
            drop_after: 0.0,
            delay: 0.0,
            max_delay: Duration::from_millis(20),
            repeat_webhook: 0.0,
            delay_webhook: 0.0,
            spared: spared.map(str::to_owned).to_vec(),
        }
    }
}

/// What is wrong with a webhook request. An attempt counts as delivered when the host answers 2xx, however
/// spoilt it was; otherwise the update is tried again as usual.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum WebhookFault {
    /// The body is these bytes instead of the update.
    Body(Bytes),
    /// The secret header is left out.
    MissingSecret,
    /// The body is blown up to at least this many bytes by a junk field; it stays valid JSON.
    OversizedBody(usize),
    /// The body ends in the middle.
    TruncatedBody,
    /// The secret header holds another value.
    WrongSecret,
}

/// In which ways deliveries leave their order.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shuffle {
    pub(crate) chats: bool,
    pub(crate) within_chat: bool,
}

/// How one delivery is to be made.
#[derive(Debug, Default)]
pub(crate) struct DeliveryPlan {
    pub(crate) copies: u32,
    pub(crate) in_parallel: bool,
    pub(crate) delay: Duration,
    pub(crate) fault: Option<WebhookFault>,
}

#[derive(Debug, Default)]
struct Script {
    rules: Vec<Rule>,
    floods: Vec<(Option<i64>, Instant)>,
    chaos: Option<(Chaos, Random)>,
    webhook: Vec<(WebhookFault, u32)>,
    copies: u32,
    in_parallel: bool,
    delay: Duration,
    shuffle: Shuffle,
}

/// The faults of one bot. When nothing is scripted, a call costs one atomic read.
#[derive(Debug, Default)]
pub(crate) struct FaultBox {
    armed: AtomicBool,
    held: AtomicBool,
    script: Mutex<Script>,
}

impl FaultBox {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn arm(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.script());
        self.armed.store(true, Ordering::Release);
    }

    /// The fault that strikes this call, if any.
    pub(crate) fn strike(&self, method: &str, chat: Option<i64>) -> Option<Fault> {
        if !self.armed.load(Ordering::Acquire) {
            return None;
        }
        let mut script = self.script();
        if let Some(retry_after) = script.flooded(chat) {
            return Some(Fault::TooManyRequests { retry_after });
        }
        if let Some(rule) = script.rules.iter_mut().find(|rule| rule.matches(method, chat)) {
            if rule.skip > 0 {
                rule.skip -= 1;
            } else {
                if rule.left != u32::MAX {
                    rule.left -= 1;
                }
                let fault = rule.fault.clone();
                script.rules.retain(|rule| rule.left > 0);
                return Some(fault);
            }
        }
        script.throw(method)
    }

    pub(crate) fn plan_delivery(&self) -> DeliveryPlan {
        if !self.armed.load(Ordering::Acquire) {
            return DeliveryPlan { copies: 1, ..DeliveryPlan::default() };
        }
        let mut script = self.script();
        let fault = script.webhook.first_mut().map(|(fault, left)| {
            *left -= 1;
            fault.clone()
        });
        script.webhook.retain(|(_, left)| *left > 0);
        let mut plan = DeliveryPlan {
            copies: script.copies,
            in_parallel: script.in_parallel,
            delay: script.delay,
            fault,
        };
        if let Some((chaos, dice)) = &mut script.chaos {
            if dice.unit() < chaos.repeat_webhook {
                (plan.copies, plan.in_parallel) = (2, true);
            }
            if dice.unit() < chaos.delay_webhook {
                plan.delay += chaos.max_delay.mul_f64(dice.unit());
            }
        }
        plan
    }

    pub(crate) fn shuffle(&self) -> Shuffle {
        match self.armed.load(Ordering::Acquire) {
            true => self.script().shuffle,
            false => Shuffle::default(),
        }
    }

    pub(crate) fn webhook_is_held(&self) -> bool {
        self.held.load(Ordering::Acquire)
    }
}

impl Script {
    /// Seconds left of a flood wait that covers the chat.
    fn flooded(&mut self, chat: Option<i64>) -> Option<u32> {
        let now = Instant::now();
        self.floods.retain(|(_, until)| *until > now);
        let covering = self.floods.iter().filter(|(scope, _)| scope.is_none() || *scope == chat);
        let left = covering.map(|(_, until)| until.saturating_duration_since(now)).max()?;
        Some(left.as_secs_f64().ceil().max(1.0) as u32)
    }

    fn throw(&mut self, method: &str) -> Option<Fault> {
        let (chaos, dice) = self.chaos.as_mut()?;
        if chaos.spared.iter().any(|name| name.eq_ignore_ascii_case(method)) {
            return None;
        }
        let faces = [
            (chaos.too_many_requests, Fault::TooManyRequests { retry_after: 1 }),
            (chaos.server_error, Fault::ServerError),
            (chaos.bad_gateway, Fault::BadGateway),
            (chaos.drop_before, Fault::DropBeforeAccept),
            (chaos.drop_after, Fault::DropAfterAccept),
        ];
        let mut throw = dice.unit();
        for (chance, fault) in faces {
            if throw < chance {
                return Some(fault);
            }
            throw -= chance;
        }
        (dice.unit() < chaos.delay).then(|| Fault::Delay(chaos.max_delay.mul_f64(dice.unit())))
    }
}

/// Scripts the faults of one bot; got from [`BotHandle::faults`].
#[derive(Debug)]
pub struct Faults<'a> {
    pub(crate) handle: &'a BotHandle,
}

impl Faults<'_> {
    fn arm(&self, change: impl FnOnce(&mut Script)) -> &Self {
        self.handle.bot.faults.arm(change);
        self
    }

    /// Adds a rule; earlier rules are looked at first.
    pub fn add(&self, rule: Rule) -> &Self {
        self.arm(|script| script.rules.push(rule))
    }

    /// Strikes the next `times` calls of a method.
    pub fn on(&self, method: &str, times: u32, fault: Fault) -> &Self {
        self.add(Rule::new(fault).method(method).times(times))
    }

    /// Answers 429 with the seconds left to every call for so long: of the whole bot, or only those with this
    /// `chat_id`.
    pub fn flood(&self, chat: Option<i64>, lasting: Duration) -> &Self {
        self.arm(|script| script.floods.push((chat, Instant::now() + lasting)))
    }

    /// Turns random trouble on.
    pub fn chaos(&self, chaos: Chaos) -> &Self {
        let dice = Random::new(chaos.seed);
        self.arm(|script| script.chaos = Some((chaos, dice)))
    }

    /// Spoils the next `times` webhook requests.
    pub fn on_webhook(&self, times: u32, fault: WebhookFault) -> &Self {
        self.arm(|script| {
            if times > 0 {
                script.webhook.push((fault, times));
            }
        })
    }

    /// Delivers every update so many times, one after the other.
    pub fn repeat_webhook(&self, copies: u32) -> &Self {
        self.arm(|script| (script.copies, script.in_parallel) = (copies, false))
    }

    /// Delivers every update so many times at once.
    pub fn repeat_webhook_in_parallel(&self, copies: u32) -> &Self {
        self.arm(|script| (script.copies, script.in_parallel) = (copies, true))
    }

    /// Waits before every webhook request.
    pub fn delay_webhook(&self, delay: Duration) -> &Self {
        self.arm(|script| script.delay = delay)
    }

    /// Takes waiting chats in a random order instead of first come, first served.
    pub fn shuffle_chats(&self) -> &Self {
        self.arm(|script| script.shuffle.chats = true)
    }

    /// Takes the waiting updates of one chat in a random order. The real server never does; a host that relies
    /// on order alone fails here.
    pub fn shuffle_within_chats(&self) -> &Self {
        self.arm(|script| script.shuffle.within_chat = true)
    }

    /// Starts no further webhook request until [`Faults::release_webhook`]; updates pile up.
    pub fn hold_webhook(&self) -> &Self {
        self.handle.bot.faults.held.store(true, Ordering::Release);
        self
    }

    /// Lets webhook requests go on.
    pub fn release_webhook(&self) -> &Self {
        let bot = &self.handle.bot;
        bot.faults.held.store(false, Ordering::Release);
        bot.start_workers(&mut bot.lock());
        self
    }

    /// Rules and spoilt webhook requests that have not struck yet.
    #[must_use]
    pub fn unspent(&self) -> usize {
        let script = self.handle.bot.faults.script();
        script.rules.len() + script.webhook.len()
    }

    /// Ends all faults, and holds no webhook request back.
    pub fn clear(&self) -> &Self {
        *self.handle.bot.faults.script() = Script::default();
        self.handle.bot.faults.armed.store(false, Ordering::Release);
        self.release_webhook()
    }
}

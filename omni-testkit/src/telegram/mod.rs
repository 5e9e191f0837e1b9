//! A Telegram Bot API simulator: real HTTP on loopback, both ways.
//!
//! The bot's side is the wire protocol of <https://core.telegram.org/bots/api>: calls over GET and POST in all
//! four encodings, long polling, webhook delivery with retries, file downloads, the server's own error
//! sentences (taken from tdlib/telegram-bot-api and tdlib/td). The customers' side is typed Rust: a person
//! writes, sends media, presses buttons, reacts, blocks the bot. What both did can be read back, and faults can
//! be scripted or thrown from a seed.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use omni_testkit::telegram::{BotProfile, SimConfig, TelegramSim, User};
//!
//! let sim = TelegramSim::start(SimConfig::default()).await?;
//! let bot = sim.add_bot("7000000001:secret", BotProfile::new(7_000_000_001, "Help", "help_bot"));
//! let ivan = bot.customer(User::new(100_200_300, "Ivan"));
//! ivan.start("from_site");
//! ivan.writes("Есть 42 размер?");
//! // ... the code under test polls `sim.base_url()` and answers ...
//! let answer = bot.wait_for_text(ivan.chat_id(), "Да, есть").await;
//! assert!(answer.is_from_bot());
//! # Ok(())
//! # }
//! ```
//!
//! # What it does not do
//!
//! - Each bot has a world of its own: two bots do not meet in one group.
//! - `MarkdownV2` and `Markdown` are taken as plain text; HTML is parsed strictly.
//! - Files given by URL are not fetched: a file without bytes is made up. Sizes are checked, pictures are not
//!   decoded.
//! - Inline mode, payments, games, passports, stories and sticker sets are answered `method not found`.
//! - Webhooks are delivered over plain HTTP only; see [`SimConfig::webhook_via`].
//!
//! # What it keeps
//!
//! Transcripts, calls, deliveries and updates are bounded by [`SimConfig`]; files and chats are kept until the
//! simulator ends. [`Record::Counters`] keeps numbers only.

mod bot;
mod business;
mod config;
mod customer;
mod error;
mod faults;
mod files;
mod group;
mod html;
mod json;
mod limits;
mod markup;
mod methods;
mod params;
mod record;
mod server;
mod state;
mod text;
mod updates;
mod webhook;

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    io,
    net::Ipv4Addr,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tokio::{net::TcpListener, sync::watch};

use crate::sim::wire::accept;

use self::bot::{Bot, Shared};
pub use self::{
    bot::{BotHandle, ChatSummary},
    business::Business,
    config::{BotProfile, Record, SimConfig, User},
    customer::{Customer, Press, Said},
    error::ApiError,
    faults::{Chaos, Fault, Faults, Rule, WebhookFault},
    files::Upload,
    group::Group,
    limits::RateLimits,
    params::CallFile,
    record::{Author, Button, Call, Counters, Delivery, Entry, Outcome, UpdateRecord},
    state::ChatKind,
};

/// A running simulator. Clones are handles to the same one; when the last handle (and the last [`BotHandle`],
/// customer or group) is gone, it stops: listening ends, connections close, deliveries cease.
#[derive(Clone, Debug)]
pub struct TelegramSim {
    core: Arc<Core>,
    _guard: Arc<Guard>,
}

/// What the server task and the handles share.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) shared: Arc<Shared>,
    pub(crate) bots: RwLock<HashMap<String, Arc<Bot>>>,
    base_url: String,
}

/// Stops the tasks when the last handle is dropped.
#[derive(Debug)]
struct Guard(watch::Sender<bool>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

impl TelegramSim {
    /// Starts a simulator on 127.0.0.1. Its tasks run on the current runtime; the typed side may be used from
    /// any thread.
    ///
    /// # Errors
    ///
    /// When the port cannot be bound.
    pub async fn start(config: SimConfig) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, config.port)).await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let (stopper, stop) = watch::channel(false);
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        let shared = Shared {
            config,
            runtime: tokio::runtime::Handle::current(),
            client,
            stop: stop.clone(),
            version: watch::Sender::new(0),
            clock_ahead: AtomicI64::new(0),
        };
        let core = Arc::new(Core { shared: Arc::new(shared), bots: RwLock::default(), base_url });
        tokio::spawn(accept(Arc::clone(&core), listener, stop, Core::answer));
        Ok(Self { core, _guard: Arc::new(Guard(stopper)) })
    }

    /// `http://127.0.0.1:<port>`, to be used in place of `https://api.telegram.org`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.core.base_url
    }

    /// Adds a bot under its token; an existing bot of that token is replaced.
    pub fn add_bot(&self, token: &str, profile: BotProfile) -> BotHandle {
        let bot = Arc::new(Bot::new(token, profile, Arc::clone(&self.core.shared)));
        let mut bots = self.core.bots.write().unwrap_or_else(PoisonError::into_inner);
        bots.insert(token.to_owned(), Arc::clone(&bot));
        BotHandle { sim: self.clone(), bot }
    }

    /// The bot of a token.
    ///
    /// # Panics
    ///
    /// When no bot was added with it; [`TelegramSim::find_bot`] asks without panic.
    #[must_use]
    pub fn bot(&self, token: &str) -> BotHandle {
        match self.find_bot(token) {
            Some(bot) => bot,
            None => panic!("no bot was added with this token: call add_bot first"),
        }
    }

    /// The bot of a token, if one was added.
    #[must_use]
    pub fn find_bot(&self, token: &str) -> Option<BotHandle> {
        let bots = self.core.bots.read().unwrap_or_else(PoisonError::into_inner);
        let bot = Arc::clone(bots.get(token)?);
        Some(BotHandle { sim: self.clone(), bot })
    }

    /// Tokens of the bots.
    #[must_use]
    pub fn tokens(&self) -> Vec<String> {
        let bots = self.core.bots.read().unwrap_or_else(PoisonError::into_inner);
        bots.keys().cloned().collect()
    }

    /// Scripts the faults of a bot; short for `sim.bot(token).faults()` where the handle is not at hand.
    pub fn script_faults(&self, token: &str, script: impl FnOnce(Faults<'_>)) {
        script(self.bot(token).faults());
    }

    /// The messages of a chat; short for [`BotHandle::transcript`].
    #[must_use]
    pub fn transcript(&self, token: &str, chat_id: i64) -> Vec<Entry> {
        self.bot(token).transcript(chat_id)
    }

    /// The calls of a bot that took effect; short for [`BotHandle::calls`].
    #[must_use]
    pub fn calls(&self, token: &str) -> Vec<Call> {
        self.bot(token).calls()
    }

    /// Puts the provider's clock forward: messages grow old, links and updates expire. Pauses between webhook
    /// tries are not shortened by it.
    pub fn advance(&self, by: Duration) {
        let seconds = i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
        self.core.shared.clock_ahead.fetch_add(seconds, Ordering::Relaxed);
        self.core.shared.changed();
    }

    /// Seconds since 1970 on the provider's clock.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.core.shared.now()
    }

    /// A counter that moves whenever anything happened: a call, an update, a delivery.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.core.shared.version.subscribe()
    }

    /// Waits until `look` finds something, looking again after every change. `what` names it for the panic.
    ///
    /// # Panics
    ///
    /// When nothing was found within [`SimConfig::wait_timeout`]; the message tells what each bot last did.
    pub async fn wait_for<T>(&self, what: &str, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let mut changes = self.watch();
        let limit = self.core.shared.config.wait_timeout;
        let search = async {
            loop {
                changes.mark_unchanged();
                if let Some(found) = look(self) {
                    return found;
                }
                // The sender lives in `self`, so this cannot fail while we wait.
                let _ = changes.changed().await;
            }
        };
        match tokio::time::timeout(limit, search).await {
            Ok(found) => found,
            Err(_) => {
                let bots: String = self.tokens().iter().map(|token| self.bot(token).describe()).collect();
                panic!("waited {limit:?} in vain for {what}\n{bots}");
            }
        }
    }
}

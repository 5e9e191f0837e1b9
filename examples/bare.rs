//! A connector and the policy engine without the hub: the host's own loop and its own store, a `HashMap`.
//!
//! Nothing forces the hub on anyone: what comes in is plain data, what is to be done is plain data. What the
//! hub would add is named where it is missing.
//!
//! ```text
//! TELEGRAM_TOKEN=7000000001:AA... cargo run --example bare --features full
//! ```

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use omni::core::channel::Sink;
use omni::core::conversation::{Closed, Timer};
use omni::core::id::{ConversationId, Cursor, IdSource, MessageId, TimerToken};
use omni::core::outbound::{Author, OutboundItem};
use omni::core::plan::{PlanContext, plan};
use omni::core::policy::{ChannelPolicy, Context, Effect, Engine, Input, Policy};
use omni::telegram::{Config, Telegram};
use omni::{Address, Channel, Content, Conversation, Event, EventBody, Period, Result, Timestamp};
use tokio::sync::mpsc;

/// The host's own store.
#[derive(Debug, Default)]
struct Desk {
    conversations: HashMap<Address, Conversation>,
    seen: HashSet<String>,
}

/// Where the listener puts events. A durable host would commit them here, with the cursor, before returning.
struct Inbox {
    events: mpsc::UnboundedSender<Event>,
    cursor: Mutex<Option<Cursor>>,
}

#[async_trait]
impl Sink for Inbox {
    async fn commit(&self, events: Vec<Event>, cursor: Cursor) -> Result<()> {
        for event in events {
            // The receiver lives as long as `main`.
            let _ = self.events.send(event);
        }
        if let Ok(mut place) = self.cursor.lock() {
            *place = Some(cursor);
        }
        Ok(())
    }

    fn alive(&self) {}
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(0))
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn Error>> {
    let mut config =
        Config::new(std::env::var("TELEGRAM_TOKEN").map_err(|_| "set TELEGRAM_TOKEN")?).polling();
    if let Ok(api) = std::env::var("TELEGRAM_API") {
        config = config.at(api.parse()?);
    }
    let telegram = Telegram::new(config, omni::http::Http::new()?)?;
    let account = telegram.check().await?;
    println!("connected as {}", account.name);

    let policy = Engine::of(ChannelPolicy::new().auto_close(Period::mins(10)))?;
    let (events, mut inbox) = mpsc::unbounded_channel();
    let sink = Inbox { events, cursor: Mutex::default() };
    let inbound = telegram.inbound().ok_or("Telegram receives")?;
    let (mut desk, ids) = (Desk::default(), IdSource::new(now().as_millis().unsigned_abs()));
    let mut tick = tokio::time::interval(std::time::Duration::from_secs(1));
    let listening = inbound.listen(None, &sink);
    tokio::pin!(listening);
    loop {
        tokio::select! {
            ended = &mut listening => return Ok(ended?),
            Some(event) = inbox.recv() => desk.handle(&telegram, &policy, &ids, &event).await,
            _ = tick.tick() => desk.fire_timers(&policy, &ids),
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
    }
}

impl Desk {
    /// One event: recognised if repeated, noted, put before the policy, answered.
    async fn handle(&mut self, telegram: &Telegram, policy: &Engine, ids: &IdSource, event: &Event) {
        let (Some(address), EventBody::Message(message)) = (&event.address, &event.body) else { return };
        // The hub does this in the transaction that applies the event, so it also holds after a crash.
        if !self.seen.insert(format!("{}/{}", event.id, event.kind().as_str())) {
            return;
        }
        let at = now();
        let known = self.conversations.get(address).is_some_and(Conversation::is_open);
        if !known {
            let id = ConversationId::next(ids, at);
            let opened = Conversation::open(id, "demo".into(), "bot".into(), address.clone(), at);
            self.conversations.insert(address.clone(), opened);
            self.step(address, policy, ids, &Input::Opened(Some(event)));
        }
        if let Some(conversation) = self.conversations.get_mut(address) {
            conversation.heard(at, message.content.preview());
        }
        self.step(address, policy, ids, &Input::Event(event));
        println!("{address}: {}", message.content.preview());
        if let Some(text) = message.content.plain_text() {
            self.answer(telegram, ids, address, Content::text(format!("You wrote: {text}"))).await;
        }
    }

    /// Asks the policy, and does what it wants: effects are data.
    fn step(&mut self, address: &Address, policy: &Engine, ids: &IdSource, input: &Input<'_>) {
        let Some(conversation) = self.conversations.get_mut(address) else { return };
        let step = policy.step(conversation, input, &Context::at(now()));
        if let Some(flow) = step.flow {
            conversation.flow = flow;
        }
        for effect in step.effects {
            match effect {
                Effect::SetTimer { kind, due } => {
                    conversation.timers.retain(|t| t.kind != kind);
                    conversation.timers.push(Timer { kind, due, token: TimerToken::next(ids, now()) });
                }
                Effect::Close { reason, by } => {
                    println!("{address}: closed, {reason:?}");
                    conversation.closed = Some(Closed { at: now(), reason, by });
                    conversation.timers.clear();
                }
                other => println!("{address}: {other:?}"),
            }
        }
    }

    fn fire_timers(&mut self, policy: &Engine, ids: &IdSource) {
        let at = now();
        let due =
            |c: &Conversation| c.timers.iter().find(|t| t.due <= at).map(|t| (c.address.clone(), t.kind));
        let due: Vec<_> = self.conversations.values().filter_map(due).collect();
        for (address, kind) in due {
            if let Some(conversation) = self.conversations.get_mut(&address) {
                conversation.timers.retain(|t| t.kind != kind);
            }
            self.step(&address, policy, ids, &Input::Timer(kind));
        }
    }

    /// Plans and sends. The hub would queue it durably, pace it, and settle an unknown outcome.
    async fn answer(&mut self, telegram: &Telegram, ids: &IdSource, address: &Address, content: Content) {
        let Some(outbound) = telegram.outbound() else { return };
        let last_inbound = self.conversations.get(address).and_then(|c| c.last_inbound_at);
        let context = PlanContext { now: now(), last_inbound, ..PlanContext::default() };
        for content in plan(&telegram.capabilities_at(address), &content, &context).parts {
            let id = MessageId::next(ids, now());
            let item = OutboundItem {
                id,
                address: address.clone(),
                content,
                reply_to: None,
                face: None,
                author: Author::Program,
                note: None,
            };
            match outbound.send(&item).await {
                Ok(accepted) => println!("{address}: answered as {}", accepted.id),
                Err(error) => println!("{address}: {error}"),
            }
        }
    }
}

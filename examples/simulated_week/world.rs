//! The world around the hub: a clock that jumps from one thing that happens to the next, and those who make it happen.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use omni::core::conversation::Owner;
use omni::core::policy::{Presence, Verb};
use omni::core::webhook::WebhookRequest;
use omni::core::{AgentId, ConversationId, MessageId, TenantId};
use omni::hub::store::{ConversationQuery, MemoryLimits, Refused, StateFilter};
use omni::hub::{Clock as _, Entry, HubError, ManualClock, Settle, Store};
use omni::{Book, ChannelKey, ChannelSetup, Draft, Event, EventBody, Hub, MemoryStore, Timestamp};

use crate::agenda::{Agenda, Deed};
use crate::chance::Chance;
use crate::night::Night;
use crate::people::People;
use crate::providers::{CHANNELS, Providers, SECRET, Simulated};
use crate::team::{Team, actor};
use crate::words;

/// Whose channels these are.
pub(crate) const TENANT: &str = "shop";

/// How often the clock stops at least: the hub looks now and then for what only time changes.
const TICK: Duration = Duration::from_secs(60);

/// The hub, and everybody around it.
pub(crate) struct World {
    pub(crate) hub: Hub,
    store: Arc<dyn Store>,
    clock: ManualClock,
    seed: u64,
    agenda: Agenda,
    providers: Arc<Providers>,
    people: People,
    team: Team,
    /// The whole host event log: all that the report is made of.
    pub(crate) log: Vec<Entry>,
    /// The customers' messages and presses, as their providers know them.
    pub(crate) told: Vec<(&'static str, String)>,
}

impl World {
    /// A hub with three channels, a book and a bot, at the beginning of the week.
    pub(crate) fn new(seed: u64, book: Book, from: Timestamp, days: u64) -> Result<Self, Box<dyn Error>> {
        let clock = ManualClock::at(from);
        let limits = MemoryLimits { entries: 1_000_000, messages: 1_000_000, ..MemoryLimits::default() };
        let store: Arc<dyn Store> = Arc::new(MemoryStore::with_limits(limits));
        // One node: its lease need not be renewed often, and the clock may take longer steps.
        let hub = Hub::builder()
            .shared_store(store.clone())
            .clock(clock.clone())
            .id_seed(seed)
            .lease(TICK * 3)
            .build();
        let agenda = Agenda::default();
        let providers = Providers::new(seed, clock.clone(), agenda.clone());
        for channel in CHANNELS {
            let simulated = Simulated::new(channel, &providers);
            hub.add_channel(ChannelSetup::new(ChannelKey::new(TENANT, channel), Arc::new(simulated)));
        }
        let night = |seed| Night { seed, clock: clock.clone(), agenda: agenda.clone() };
        for bot in book.bots.keys() {
            hub.add_bot(bot.clone(), night(seed));
        }
        let zone = book.zone.clone().unwrap_or_else(omni::core::hours::Zone::utc);
        let people = People::plan(seed, &agenda, &zone, from, from + Duration::from_secs(86_400 * days));
        let office = crate::office(&book);
        let team = Team::plan(seed, &agenda, &book, &office, from, days);
        hub.set_book(TENANT, book)?;
        let (log, told) = Default::default();
        Ok(Self { hub, store, clock, seed, agenda, providers, people, team, log, told })
    }

    /// Lets time pass: from one thing that happens to the next.
    pub(crate) async fn run_until(&mut self, end: Timestamp) -> Result<(), Box<dyn Error>> {
        let channels = CHANNELS.map(|channel| ChannelKey::new(TENANT, channel));
        self.settle().await?;
        loop {
            let now = self.clock.now();
            let timer = self.store.next_timer(&channels).await?;
            let next = [self.agenda.next(), timer].into_iter().flatten().filter(|at| *at > now).min();
            let next = next.map_or(now + TICK, |at| at.min(now + TICK));
            if next >= end {
                return Ok(());
            }
            self.clock.set(next);
            self.settle().await?;
            while let Some(deed) = self.agenda.take(next) {
                self.perform(deed, next).await?;
                self.settle().await?;
            }
        }
    }

    /// Returns when all has happened that can happen without the clock, and everybody has seen it.
    async fn settle(&mut self) -> Result<(), HubError> {
        loop {
            // More than any chain of tasks in the hub is long; nothing here waits for anything but the clock.
            for _ in 0..16 {
                tokio::task::yield_now().await;
            }
            let now = self.clock.now();
            let delivered = self.providers.delivered();
            let after = self.log.last().map_or(0, |entry| entry.seq);
            let entries = self.hub.entries(after, 1000).await?;
            if delivered.is_empty() && entries.is_empty() {
                return Ok(());
            }
            for entry in entries {
                self.team.hear(&entry, now);
                if let omni::hub::HostEvent::Status { message, status: omni::Status::Unknown, .. } =
                    &entry.event
                {
                    let at = now + Duration::from_secs(1200);
                    self.agenda.plan(at, "whoever looks into the chats", Deed::Settle(*message));
                }
                self.log.push(entry);
            }
            for delivery in delivered {
                self.people.got(&delivery, now);
                if delivery.answer_lost {
                    self.lost_answer_comes_back(&delivery, now);
                }
            }
        }
    }

    /// Half of the providers whose answer was lost show the message later, as one that left the account.
    fn lost_answer_comes_back(&self, delivery: &crate::providers::Delivery, now: Timestamp) {
        let address = delivery.item.address.to_string();
        if !Chance::of(self.seed, &delivery.id, 1).permille(500) {
            return;
        }
        if let Some((channel, mut event)) = self.people.by_phone(&address, 0, now) {
            let EventBody::Echo(echo) = &mut event.body else { return };
            echo.ours = Some(delivery.item.id);
            echo.message.id = delivery.id.as_str().into();
            echo.message.content = delivery.item.content.clone();
            event.id = format!("echo-{}", delivery.id).into();
            let deed = Deed::Deliver(channel.to_owned(), Box::new(event));
            self.agenda.plan(now + Duration::from_secs(120), &address, deed);
        }
    }

    async fn perform(&mut self, deed: Deed, now: Timestamp) -> Result<(), Box<dyn Error>> {
        match deed {
            Deed::Arrive(who) => self.people.arrive(who, now),
            Deed::Write(who, text) => {
                if let Some((channel, event)) = self.people.write(who, &text, now) {
                    self.told.push((channel, event.id.to_string()));
                    self.deliver(channel, &event).await?;
                }
            }
            Deed::Press(who, label, data) => {
                if let Some((channel, event)) = self.people.press(who, label, data, now) {
                    self.told.push((channel, format!("button:{}", event.id)));
                    self.deliver(channel, &event).await?;
                }
            }
            Deed::Deliver(channel, event) => self.deliver(&channel, &event).await?,
            Deed::Come(agent) => self.presence(&agent, Presence::Online, now).await?,
            Deed::Rest(agent) => self.presence(&agent, Presence::Away, now).await?,
            Deed::Leave(agent) => self.presence(&agent, Presence::Offline, now).await?,
            Deed::Look(agent) => self.look(&agent, now).await?,
            Deed::Answer(agent, id) => self.answer(&agent, id, now).await?,
            Deed::Close(agent, id) => {
                if self.team.mine(&agent, id).is_some() {
                    self.hub.close(id, actor(&agent)).await?;
                }
            }
            Deed::Settle(message) => self.look_into_chat(message).await?,
        }
        Ok(())
    }

    /// A webhook, as the provider sends it.
    async fn deliver(&self, channel: &str, event: &Event) -> Result<(), Box<dyn Error>> {
        let body = Bytes::from(serde_json::to_vec(&[event])?);
        let mut request = WebhookRequest::post("/", body, self.clock.now());
        request.headers.insert("x-secret", SECRET.parse()?);
        let answer = self.hub.webhook(&ChannelKey::new(TENANT, channel), request).await;
        if answer.status.is_success() { Ok(()) } else { Err(format!("{channel}: {}", answer.status).into()) }
    }

    async fn presence(
        &mut self,
        agent: &AgentId,
        presence: Presence,
        now: Timestamp,
    ) -> Result<(), HubError> {
        self.team.is_there(agent, presence == Presence::Online, now);
        self.hub.set_presence(TENANT, agent.clone(), presence).await
    }

    /// An agent with time takes the conversation that waits longest of those that nobody has.
    async fn look(&mut self, agent: &AgentId, now: Timestamp) -> Result<(), HubError> {
        if !self.team.look(agent, now) {
            return Ok(());
        }
        let tenant = TenantId::from(TENANT);
        let book = self.hub.book(&tenant).unwrap_or_default();
        let mine = |team: &omni::core::policy::book::Team| team.members.contains(agent);
        let query = ConversationQuery {
            tenant: Some(tenant),
            state: StateFilter::Open,
            visible_to: Some(agent.clone()),
            teams: book.teams.iter().filter(|(_, team)| mine(team)).map(|(id, _)| id.clone()).collect(),
            limit: 1000,
            ..ConversationQuery::default()
        };
        let seen = self.hub.conversations(&query).await?;
        let free = seen.iter().filter(|c| self.team.is_free(c.id));
        let Some(oldest) = free.min_by_key(|c| (c.last_inbound_at, c.address.clone())) else { return Ok(()) };
        match self.hub.take(oldest.id, agent.clone()).await {
            // A lost claim is normal: whoever was faster has it.
            Err(HubError::Refused(Refused::Taken | Refused::Closed)) => Ok(()),
            taken => taken,
        }
    }

    /// An agent answers; now and then they also put it aside, pass it on, or the owner is faster on her phone.
    async fn answer(
        &mut self,
        agent: &AgentId,
        id: ConversationId,
        now: Timestamp,
    ) -> Result<(), Box<dyn Error>> {
        let (seed, by) = (self.seed, actor(agent));
        let Some(thread) = self.team.mine(agent, id) else { return Ok(()) };
        if !thread.waits {
            return Ok(());
        }
        let (mut chance, address, answers) = (thread.chance(seed), thread.address.clone(), thread.answers);
        if chance.permille(30)
            && let Some((channel, event)) = self.people.by_phone(&address, 1 + answers, now)
        {
            return self.deliver(channel, &event).await;
        }
        let text = chance.pick(words::ANSWERS).unwrap_or_default();
        match self.hub.reply(id, Draft::text(text).by(by.clone())).await {
            Err(HubError::Refused(Refused::Unsendable(_))) => {
                // The reply window is over, or the person has blocked us: nothing more can be done here.
                return Ok(self.hub.close(id, by).await?);
            }
            replied => drop(replied?),
        }
        match chance.below(100) {
            0..4 => {
                let until = now + Duration::from_secs(3 * 3600);
                self.hub.act(id, omni::core::policy::Action { by, verb: Verb::Snooze { until } }).await?;
            }
            4..7 => {
                let book = self.hub.book(&TenantId::from(TENANT)).unwrap_or_default();
                let other = book.teams.iter().find(|(_, team)| !team.members.contains(agent));
                if let Some((team, _)) = other {
                    self.hub.assign(id, Owner::Team { team: team.clone() }, by).await?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Law 5: a message of which nobody knows is looked up by a person, unless an echo was faster.
    async fn look_into_chat(&mut self, message: MessageId) -> Result<(), HubError> {
        let went_out = Chance::of(self.seed, "looked up", self.told.len() as u64).permille(600);
        match self.hub.settle(message, if went_out { Settle::Sent } else { Settle::NotSent }).await {
            Err(HubError::Refused(Refused::Settled)) => Ok(()),
            settled => settled,
        }
    }
}

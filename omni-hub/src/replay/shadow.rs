//! The hub's decisions, made in memory and in the time of a log.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use omni_core::channel::Channel;
use omni_core::conversation::{Actor, Owner};
use omni_core::event::{Event, EventKind};
use omni_core::id::{ChannelId, ConversationId, IdSource, MessageId, NodeId, ProviderMessageId, TenantId};
use omni_core::outbound::Accepted;
use omni_core::plan::Publishing;
use omni_core::policy::{Action, Book, BotAnswer, Engines, Presence, Verb, distribute};
use omni_core::{Status, Timestamp};

use super::{Deed, What};
use crate::decide::{self, Backlog, Draft, Env, Outcome};
use crate::store::{
    Applied, Batch, Changes, ChannelKey, Entry, HostEvent, Lookup, MemoryStore, MessageRecord, OutboxRecord,
    OutboxState, PeerKey, Store, StoreError, StoreResult, Target, Unit,
};
use crate::tenant::Tenant;

/// Timers fired in one go.
const GULP: usize = 1000;

/// A tenant's hub in memory, in the time of a log.
pub(super) struct Shadow {
    id: TenantId,
    book: Arc<Book>,
    tenant: Arc<Tenant>,
    store: MemoryStore,
    lines: BTreeMap<ChannelId, Arc<Env>>,
    now: Timestamp,
    /// Where the conversations of the log are held: by their number there.
    places: HashMap<ConversationId, PeerKey>,
    /// Messages that the log's own hub sent.
    ours: HashSet<MessageId>,
    sent: u64,
    pub(super) deeds: Vec<Deed>,
}

impl Shadow {
    pub(super) fn new(
        id: &TenantId,
        engines: &Engines,
        channels: &BTreeMap<ChannelId, Arc<dyn Channel>>,
    ) -> Self {
        let tenant = Arc::new(Tenant::default());
        let (ids, node) = (Arc::new(IdSource::new(0)), NodeId::from("replay"));
        let mut lines = BTreeMap::new();
        for (name, channel) in channels {
            let env = Env {
                key: ChannelKey { tenant: id.clone(), channel: name.clone() },
                channel: channel.clone(),
                policy: Arc::new(engines.channel(name)),
                own_policy: false,
                tenant: tenant.clone(),
                provider: channel.provider(),
                account: None,
                ids: ids.clone(),
                node: node.clone(),
                backlog: Arc::new(Backlog {
                    waiting: AtomicUsize::new(0),
                    room: 0,
                    open: AtomicBool::new(false),
                }),
                // Whether the host publishes files now says nothing of what the log's did: what went out then goes.
                publishing: Publishing::Yes,
            };
            lines.insert(name.clone(), Arc::new(env));
        }
        let (store, now) = (MemoryStore::new(), Timestamp::from_millis(i64::MIN));
        let (places, ours, deeds) = Default::default();
        let (id, book) = (id.clone(), engines.book().clone());
        Self { id, book, tenant, store, lines, now, places, ours, sent: 0, deeds }
    }

    /// Lets everything happen that falls due before a time, each at its own.
    pub(super) async fn go_on_to(&mut self, until: Timestamp) -> StoreResult<()> {
        let keys: Vec<ChannelKey> = self.lines.values().map(|env| env.key.clone()).collect();
        while let Some(due) = self.store.next_timer(&keys).await?.filter(|due| *due <= until) {
            self.now = self.now.max(due);
            let timers = self.store.timers_due(&keys, self.now, GULP).await?;
            for timer in timers {
                let Some(env) = self.lines.get(&timer.channel.channel).cloned() else { continue };
                let (now, token, kind) = (self.now, timer.token, timer.kind);
                let unit = Unit::new(Target::Conversation(timer.conversation), move |snapshot| {
                    decide::timer(&env, now, token, kind, snapshot)
                });
                self.apply(unit).await?;
            }
            self.share_out().await?;
        }
        self.now = self.now.max(until);
        Ok(())
    }

    /// Takes what people, customers and providers did; what rules did is decided anew.
    pub(super) async fn take(&mut self, entry: &Entry) -> StoreResult<()> {
        if let HostEvent::Presence { agent, presence } = &entry.event {
            let (tenant, agent, presence, now) = (self.id.clone(), agent.clone(), *presence, self.now);
            self.be_there(tenant, agent, presence, now).await?;
            return self.share_out().await;
        }
        let Some(env) = entry.channel.as_ref().and_then(|c| self.lines.get(c)).cloned() else {
            return Ok(());
        };
        match &entry.event {
            HostEvent::Opened { snapshot } | HostEvent::Closed { snapshot, .. } => {
                self.places.insert(snapshot.id, env.key.peer(snapshot.address.clone()));
            }
            // An echo of what went out by itself in the log: here it may not have gone out.
            HostEvent::Received { event, message: Some(id) }
                if event.kind() == EventKind::Echo && self.ours.contains(id) =>
            {
                return Ok(());
            }
            HostEvent::Received { event, .. } => {
                if let (Some(id), Some(address)) = (entry.conversation, &event.address) {
                    self.places.insert(id, env.key.peer(address.clone()));
                }
                self.receive(env.clone(), event).await?;
            }
            HostEvent::Queued { message } => {
                self.ours.insert(message.id);
            }
            _ => {}
        }
        if let Some(peer) = entry.conversation.and_then(|id| self.places.get(&id)).cloned() {
            self.act(&env, &peer, &entry.event).await?;
        }
        self.share_out().await
    }

    async fn be_there(
        &mut self,
        tenant: TenantId,
        agent: omni_core::AgentId,
        presence: Presence,
        now: Timestamp,
    ) -> StoreResult<()> {
        let known = vec![Lookup::Agent(tenant.clone(), agent.clone())];
        let unit = Unit::new(Target::Nothing, move |snapshot| {
            decide::set_presence(&tenant, &agent, presence, now, snapshot)
        });
        self.apply(unit.with_lookups(known)).await
    }

    async fn receive(&mut self, env: Arc<Env>, event: &Arc<Event>) -> StoreResult<()> {
        self.apply(decide::event_unit(env, event.clone(), self.now)).await
    }

    /// What a person, the host or a bot did.
    async fn act(&mut self, env: &Arc<Env>, peer: &PeerKey, event: &HostEvent) -> StoreResult<()> {
        let done = match event {
            HostEvent::Queued { message } if acts(&message.author) => {
                return self.say(env, peer, message).await;
            }
            HostEvent::BotAnswered { answer } => return self.bot_says(env, peer, answer).await,
            HostEvent::Closed { snapshot, .. } => {
                snapshot.closed.as_ref().map(|c| (c.by.clone(), Verb::Close { reason: c.reason.clone() }))
            }
            HostEvent::Assigned { to, by } => Some((by.clone(), Verb::Assign { to: to.clone() })),
            HostEvent::Reopened { by } => Some((by.clone(), Verb::Reopen)),
            HostEvent::Seen { by } => Some((by.clone(), Verb::Seen)),
            HostEvent::Tagged { tag, by } => Some((by.clone(), Verb::Tag { tag: tag.clone() })),
            HostEvent::Untagged { tag, by } => Some((by.clone(), Verb::Untag { tag: tag.clone() })),
            HostEvent::FieldSet { field, value, by } => {
                Some((by.clone(), Verb::Set { field: field.clone(), value: value.clone() }))
            }
            HostEvent::Noted { text, by } => Some((by.clone(), Verb::Note { text: text.clone() })),
            HostEvent::Snoozed { until, by } => Some((by.clone(), Verb::Snooze { until: *until })),
            HostEvent::Held { by } => Some((by.clone(), Verb::Hold)),
            HostEvent::Resumed { by } => Some((by.clone(), Verb::Resume)),
            _ => None,
        };
        let Some((by, verb)) = done.filter(|(by, _)| acts(by)) else { return Ok(()) };
        let (now, env, action) = (self.now, env.clone(), Action { by, verb });
        let unit = Unit::new(Target::Peer(peer.clone()), move |snapshot| {
            decide::do_action(&env, now, &action, snapshot)
        });
        self.apply(unit).await
    }

    async fn say(&mut self, env: &Arc<Env>, peer: &PeerKey, message: &MessageRecord) -> StoreResult<()> {
        let mut draft = Draft::new(message.content.clone(), message.author.clone());
        draft.face.clone_from(&message.face);
        let (now, env, to) = (self.now, env.clone(), peer.clone());
        let unit = Unit::new(Target::Peer(peer.clone()), move |snapshot| {
            decide::begin(&env, now, &to, &draft, snapshot)
        });
        self.apply(unit).await
    }

    /// A bot's words answer the question that is open here, whatever number it has.
    async fn bot_says(&mut self, env: &Arc<Env>, peer: &PeerKey, answer: &BotAnswer) -> StoreResult<()> {
        let (now, env, answer) = (self.now, env.clone(), answer.clone());
        let unit = Unit::new(Target::Peer(peer.clone()), move |snapshot| {
            let ask = snapshot.conversation.as_ref().and_then(|c| c.flow.ask.as_ref());
            let asked = ask.filter(|ask| ask.bot == answer.bot);
            let Some(ask) = asked else { return Changes::default() };
            decide::bot_answered(&env, now, &BotAnswer { ask: ask.id, ..answer.clone() }, snapshot)
        });
        self.apply(unit).await
    }

    async fn share_out(&mut self) -> StoreResult<()> {
        loop {
            let desk = self.store.desk(&self.id).await?;
            let mut waiting = Vec::new();
            for team in self.book.teams.iter().filter(|(_, t)| t.distribution.pushes()).map(|(id, _)| id) {
                waiting.extend(self.store.waiting(&self.id, team, GULP).await?);
            }
            let placements = distribute(&self.book, &desk, &waiting, self.now);
            self.tenant.set_desk(desk);
            let mut given = 0;
            for placement in placements {
                let place = waiting.iter().find(|w| w.conversation == placement.conversation);
                let Some(env) = place.and_then(|w| self.lines.get(&w.channel)).cloned() else { continue };
                let (now, book, by) =
                    (self.now, self.book.clone(), Actor::Rule { rule: "routing".to_owned() });
                let agent = Lookup::Agent(self.id.clone(), placement.agent.clone());
                let unit = Unit::new(Target::Conversation(placement.conversation), move |snapshot| {
                    decide::place(&env, now, &book, &placement, &by, snapshot)
                });
                let before = self.deeds.len();
                self.apply(unit.with_lookups(vec![agent])).await?;
                given += self.deeds.len() - before;
            }
            if given == 0 {
                return Ok(());
            }
        }
    }

    /// Applies a unit, and sends at once what it wants sent: every message arrives.
    async fn apply(&mut self, unit: Unit) -> StoreResult<()> {
        let mut units = VecDeque::from([unit]);
        while let Some(unit) = units.pop_front() {
            let Some(Applied::Done(changes)) = self.store.apply(Batch::from(unit)).await?.into_iter().next()
            else {
                continue;
            };
            self.note(&changes).await?;
            for row in &changes.outbox {
                units.push_back(match row.state {
                    OutboxState::Queued => self.hand_over(row),
                    OutboxState::Sending => self.accept(row),
                }?);
            }
        }
        Ok(())
    }

    fn env_of(&self, row: &OutboxRecord) -> StoreResult<Arc<Env>> {
        self.lines.get(&row.peer.channel).cloned().ok_or(StoreError::Closed)
    }

    fn hand_over(&self, row: &OutboxRecord) -> StoreResult<Unit> {
        let (env, now, row) = (self.env_of(row)?, self.now, row.clone());
        let looked_at = vec![Lookup::Message(row.peer.channel_key(), row.message)];
        let unit = Unit::new(Target::Conversation(row.conversation), move |snapshot| {
            decide::before_send(&env, now, &row, snapshot)
        });
        Ok(unit.with_lookups(looked_at))
    }

    fn accept(&mut self, row: &OutboxRecord) -> StoreResult<Unit> {
        self.sent += 1;
        let id = ProviderMessageId::from(format!("replay:{}", self.sent));
        let accepted = Accepted::new(id, Status::Sent);
        let (env, now, row) = (self.env_of(row)?, self.now, row.clone());
        let outcome = Outcome::Accepted(accepted);
        Ok(Unit::new(Target::Nothing, move |snapshot| decide::outcome(&env, now, &row, &outcome, snapshot)))
    }

    /// Keeps what rules did.
    async fn note(&mut self, changes: &Changes) -> StoreResult<()> {
        for entry in &changes.entries {
            let Some(what) = deed(&entry.event) else { continue };
            let (Some(channel), Some(id)) = (entry.channel.clone(), entry.conversation) else { continue };
            let Some(conversation) = self.store.conversation(id).await? else { continue };
            let (address, why) = (conversation.address, entry.why.clone());
            self.deeds.push(Deed { at: entry.at, channel, address, what, why });
        }
        Ok(())
    }
}

/// Whether somebody did it, and not a rule.
fn acts(by: &Actor) -> bool {
    matches!(by, Actor::Agent { .. } | Actor::Host)
}

/// What a rule did, where an entry tells of that.
fn deed(event: &HostEvent) -> Option<What> {
    let ruled = |by: &Actor| !acts(by) && *by != Actor::Customer && *by != Actor::Elsewhere;
    Some(match event {
        HostEvent::Queued { message } if ruled(&message.author) => {
            What::Said { content: message.content.clone(), by: message.author.clone() }
        }
        HostEvent::Dropped { .. } => What::Dropped,
        HostEvent::Assigned {
            to: to @ (Owner::Agent { .. } | Owner::Team { .. } | Owner::Bot { .. }),
            by,
        } if ruled(by) => What::Assigned { to: to.clone() },
        HostEvent::Closed { snapshot, .. } => {
            let closed = snapshot.closed.as_ref().filter(|c| ruled(&c.by))?;
            What::Closed { reason: closed.reason.clone() }
        }
        HostEvent::Tagged { tag, by } if ruled(by) => What::Tagged { tag: tag.clone() },
        HostEvent::Noted { text, by } if ruled(by) => What::Noted { text: text.clone() },
        HostEvent::Notice { topic, text } => What::Notified { topic: topic.clone(), text: text.clone() },
        HostEvent::Clock { clock, news, .. } => What::Clock { clock: *clock, news: *news },
        _ => return None,
    })
}

//! Random operations, ten thousand a run: whatever people, programs, providers and clocks do, what must hold holds.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};

use omni_core::content::Content;
use omni_core::conversation::{Actor, CloseReason, Owner, TimerKind};
use omni_core::event::{Edited, EventBody, Origin, Reaction, ReadReach};
use omni_core::id::{AgentId, ConversationId, TimerToken};
use omni_core::policy::{Action, Presence, Trace, Verb, Verdict};
use omni_core::{Conversation, Event, Status, Timestamp};
use omni_hub::store::{ConversationQuery, Refused, StateFilter};
use omni_hub::{ChannelKey, ChannelSetup, Draft, HostEvent, Hub, HubError};
use tokio::task::{JoinHandle, yield_now};

use crate::any::{AGENTS, Any, CAPACITY, Dice, GREETING, books};
use crate::world::*;

/// What the log has told so far.
#[derive(Default)]
struct Told {
    seq: u64,
    owners: HashMap<ConversationId, Owner>,
    open: HashSet<ConversationId>,
    causes: HashSet<(ConversationId, String)>,
    greetings: HashMap<ConversationId, u32>,
    kinds: BTreeMap<&'static str, u32>,
}

struct Run {
    seed: u64,
    dice: Dice,
    world: World,
    hub: Hub,
    running: JoinHandle<Result<(), HubError>>,
    hubs: u64,
    book: String,
    sent: Vec<(ChannelKey, Event)>,
    told: Told,
    ops: u64,
}

async fn settle() {
    for _ in 0..40 {
        yield_now().await;
    }
}

impl Run {
    async fn new(seed: u64) -> Self {
        let world = World::new();
        let book = books().remove(0);
        let (hub, running) = start(&world, seed, 0, &book);
        settle().await;
        let (dice, sent, told) = (Dice(seed), Vec::new(), Told::default());
        Self { seed, dice, world, hub, running, hubs: 0, book, sent, told, ops: 0 }
    }

    /// A conversation, open or closed, of the latest.
    async fn some(&mut self, state: StateFilter) -> Option<Conversation> {
        let query = ConversationQuery { state, limit: 30, ..ConversationQuery::default() };
        let all = self.world.store.conversations(&query).await.unwrap();
        (!all.is_empty()).then(|| self.dice.of(&all).clone())
    }

    fn someone(&mut self) -> &'static str {
        self.dice.of::<&str>(&AGENTS)
    }

    fn channel(&mut self) -> ChannelKey {
        if self.dice.below(3) == 0 { site() } else { shop() }
    }

    async fn op(&mut self) {
        self.ops += 1;
        if std::env::var_os("OMNI_SHOW").is_some() {
            eprintln!("op {} at {:?}: {}", self.ops, self.world.now(), self.dice.clone().below(100));
        }
        match self.dice.below(100) {
            0..=24 => self.message().await,
            25..=31 => self.odd_event().await,
            32..=34 => self.repeat().await,
            35..=46 => self.reply().await,
            47..=58 => self.act().await,
            59..=64 => self.presence().await,
            65 => self.replace_book(),
            66..=67 => self.channels(),
            68 => self.restart().await,
            69 => self.merge().await,
            70..=71 => {
                let who = self.someone();
                self.hub.pull("acme", who).await.unwrap();
            }
            _ => self.time().await,
        }
        settle().await;
        if self.ops.is_multiple_of(20) {
            self.check().await;
        }
    }

    async fn bring(&mut self, channel: ChannelKey, event: Event) {
        let answer = self.hub.webhook(&channel, request(&self.hub, std::slice::from_ref(&event))).await;
        if answer.status == 200 {
            self.sent.push((channel, event));
        }
    }

    async fn message(&mut self) {
        let who = self.dice.below(12).to_string();
        let id = format!("e{}", self.ops);
        let words = self.dice.of(&["Добрый день", "спасибо", "бот, помоги", "hello", "цена?", "🙂"]);
        let mut event = says(&who, &id, words);
        let now = self.world.now();
        match self.dice.below(20) {
            0 => event = said_long_ago(&who, &id, words),
            1 => event.at = Some(now - hours(2)),
            2 => event = presses(&who, &id, "good"),
            3 => {
                let EventBody::Message(message) = &mut event.body else { return };
                message.origin = Origin::Automatic;
            }
            _ => {}
        }
        let channel = self.channel();
        self.bring(channel, event).await;
    }

    async fn odd_event(&mut self) {
        let (channel, former) = match self.sent.len() as u64 {
            0 => return,
            n => self.sent[usize::try_from(n - 1 - self.dice.below(n.min(20))).unwrap()].clone(),
        };
        let Some(who) = former.address.as_ref().map(|a| a.as_str().to_owned()) else { return };
        let id = format!("o{}", self.ops);
        let named: Vec<omni_core::id::ProviderMessageId> = vec![former.id.as_str().into()];
        let outs = self.world.provided.begun().max(1) as u64;
        let out = format!("out-{}", outs - self.dice.below(outs.min(10)));
        let event = match self.dice.below(7) {
            0 => {
                let content = Content::text("исправлено");
                event_of(
                    &who,
                    &id,
                    EventBody::Edited(Edited { message: named[0].clone(), sender: sender(&who), content }),
                )
            }
            1 => event_of(&who, &id, EventBody::Deleted { messages: named }),
            2 => {
                let signs = vec!["❤️".to_owned()];
                let reaction = Reaction { message: named[0].clone(), sender: Some(sender(&who)), signs };
                event_of(&who, &id, EventBody::Reaction(reaction))
            }
            3 => event_of(&who, &id, EventBody::Read { messages: Vec::new(), reach: ReadReach::UpTo }),
            4 => status(&id, &out, *self.dice.of(&[Status::Delivered, Status::Read, Status::Failed])),
            5 => echo(&who, &out, GREETING),
            _ => echo(&who, &id, "С телефона"),
        };
        self.bring(channel, event).await;
    }

    /// The provider repeats itself.
    async fn repeat(&mut self) {
        if self.sent.is_empty() {
            return;
        }
        // Of the latest: claims are kept for two weeks.
        let (channel, event) = self.dice.of(&self.sent[self.sent.len().saturating_sub(10)..]).clone();
        let log = async || self.world.store.entries(self.told.seq, 10_000).await.unwrap().len();
        let before = log().await;
        self.hub.webhook(&channel, request(&self.hub, &[event])).await;
        assert_eq!(log().await, before, "seed {}, op {}: a repeat did something", self.seed, self.ops);
    }

    async fn reply(&mut self) {
        let Some(c) = self.some(StateFilter::Open).await else { return };
        let draft = Draft::text("Отвечаю").by(agent(self.someone()));
        fine(self.seed, self.hub.reply(c.id, draft).await.map(drop));
    }

    async fn act(&mut self) {
        let state = if self.dice.below(8) == 0 { StateFilter::Closed } else { StateFilter::Open };
        let Some(c) = self.some(state).await else { return };
        let who = self.someone();
        let until = self.world.now() + mins(self.dice.below(600));
        let verb = match self.dice.below(16) {
            0..=3 => return fine(self.seed, self.hub.take(c.id, who).await),
            4..=5 => Verb::Assign { to: to_agent(self.someone()) },
            6 => Verb::Assign { to: to_team(self.dice.of::<&str>(&["sales", "backup", "nowhere"])) },
            7 => Verb::Assign { to: Owner::Nobody },
            8..=9 => Verb::Close { reason: CloseReason::Done },
            10 => Verb::Snooze { until },
            11 => Verb::Hold,
            12 => Verb::Resume,
            13 => Verb::Tag { tag: "метка".to_owned() },
            14 => Verb::Set { field: "order".to_owned(), value: "5".to_owned() },
            _ => Verb::Reopen,
        };
        fine(self.seed, self.hub.act(c.id, Action { by: agent(who), verb }).await);
    }

    async fn presence(&mut self) {
        let presence = *self.dice.of(&[
            Presence::Online,
            Presence::Online,
            Presence::Online,
            Presence::Away,
            Presence::Offline,
        ]);
        let who = self.someone();
        self.hub.set_presence("acme", who, presence).await.unwrap();
    }

    fn replace_book(&mut self) {
        let books = books();
        self.book.clone_from(self.dice.of(&books));
        set_book(&self.hub, &self.book);
    }

    fn channels(&mut self) {
        let key = self.channel();
        if self.dice.below(4) == 0 {
            self.hub.remove_channel(&key);
        } else if self.hub.channel(&key).is_none() {
            self.hub.add_channel(ChannelSetup::new(key, self.world.fake(|_| ())));
        }
    }

    async fn restart(&mut self) {
        if self.dice.below(2) == 0 {
            self.hub.shutdown();
            settle().await;
        }
        self.running.abort();
        settle().await;
        self.hubs += 1;
        (self.hub, self.running) = start(&self.world, self.seed, self.hubs, &self.book);
    }

    async fn merge(&mut self) {
        let (Some(a), Some(b)) = (self.some(StateFilter::Open).await, self.some(StateFilter::Open).await)
        else {
            return;
        };
        if self.dice.below(4) == 0 {
            if let (Some(from), Some(into)) = (a.contact, b.contact) {
                fine(self.seed, self.hub.merge_contacts("acme", from, into).await);
            }
        } else {
            fine(self.seed, self.hub.merge(a.id, b.id, agent("clara")).await);
        }
    }

    async fn time(&mut self) {
        let n = 1 + self.dice.below(50);
        match self.dice.below(40) {
            0 => self.world.jump(self.world.now() + hours(n)).await,
            1 => self.world.clock.set(self.world.now() - secs(n)),
            2 => self.pass(hours(n / 2)).await,
            3..=9 => self.pass(mins(n)).await,
            10..=24 => self.pass(secs(n)).await,
            _ => self.pass(std::time::Duration::from_millis(n)).await,
        }
    }

    /// Everything at its moment.
    async fn pass(&self, time: std::time::Duration) {
        let end = self.world.now() + time;
        for _ in 0..200 {
            let next = self.world.store.next_timer(&[shop(), site()]).await.unwrap();
            let Some(next) = next.filter(|at| *at <= end && *at > self.world.now()) else { break };
            self.world.clock.set(next);
            settle().await;
        }
        self.world.clock.set(end);
    }

    async fn check(&mut self) {
        self.read_log().await;
        let seed = self.seed;
        let timers = self.world.store.timers_due(&[shop(), site()], Timestamp::MAX, 100_000).await.unwrap();
        let tokens: HashMap<TimerToken, ConversationId> =
            timers.iter().map(|t| (t.token, t.conversation)).collect();
        let query = |state| ConversationQuery { state, limit: 1000, ..ConversationQuery::default() };
        let open = self.world.store.conversations(&query(StateFilter::Open)).await.unwrap();
        let known: HashSet<ConversationId> = open.iter().map(|c| c.id).collect();
        for (token, conversation) in &tokens {
            let running = open
                .iter()
                .find(|c| c.id == *conversation)
                .is_some_and(|c| c.timers.iter().any(|t| t.token == *token));
            assert!(
                running,
                "seed {seed}, op {}: a timer runs for {conversation}, which does not know it",
                self.ops
            );
        }
        let mut addresses = HashSet::new();
        for c in &open {
            self.check_open(c, &tokens);
            assert!(
                addresses.insert((&c.channel, &c.address)),
                "seed {seed}, op {}: two are open: {c:#?}",
                self.ops
            );
        }
        let closed = ConversationQuery { limit: 20, ..query(StateFilter::Closed) };
        for c in &self.world.store.conversations(&closed).await.unwrap() {
            let flow = &c.flow;
            let waits =
                flow.queue.is_some() || flow.ask.is_some() || flow.snoozed.is_some() || flow.held.is_some();
            let runs = !flow.runs.is_empty()
                || !flow.timers.is_empty()
                || !flow.clocks.is_empty()
                || !c.timers.is_empty();
            assert!(!waits && !runs, "seed {seed}, op {}: something waits in a closed one: {c:#?}", self.ops);
        }
        assert_eq!(known, self.told.open, "seed {seed}, op {}: the log tells what is open", self.ops);
    }

    fn check_open(&self, c: &Conversation, tokens: &HashMap<TimerToken, ConversationId>) {
        let at = || format!("seed {}, op {}: {c:#?}", self.seed, self.ops);
        let told = self.told.owners.get(&c.id).unwrap_or(&Owner::Nobody);
        assert_eq!(told, &c.owner, "the log tells who has it; {}", at());
        if let Some(queue) = &c.flow.queue {
            assert_eq!(
                c.owner,
                Owner::Team { team: queue.team.clone() },
                "who waits for a team is the team's; {}",
                at()
            );
        }
        assert!(
            c.timers.len() <= 1 && c.timers.iter().all(|t| tokens.get(&t.token) == Some(&c.id)),
            "timers; {}",
            at()
        );
        let flow = &c.flow;
        let dues = flow
            .runs
            .iter()
            .map(|r| r.due)
            .chain(flow.timers.iter().map(|t| t.due))
            .chain(flow.ask.as_ref().map(|a| a.due));
        if let Some(first) = dues.min() {
            let wake = c.timer(TimerKind::Wake).map(|t| t.due);
            assert!(wake.is_some_and(|wake| wake <= first), "nothing wakes it at {first:?}; {}", at());
        }
    }

    async fn read_log(&mut self) {
        loop {
            let entries = self.world.store.entries(self.told.seq, 1000).await.unwrap();
            let Some(last) = entries.last() else { return };
            let newest = last.seq;
            for entry in &entries {
                self.told.seq = entry.seq;
                let Some(c) = entry.conversation else { continue };
                self.read(c, &entry.event, &entry.why);
            }
            self.told.seq = newest;
        }
    }

    fn read(&mut self, c: ConversationId, event: &HostEvent, why: &Trace) {
        let (seed, ops) = (self.seed, self.ops);
        let told = &mut self.told;
        for step in why.steps.iter().filter(|s| s.verdict == Verdict::Applied) {
            told.causes.insert((c, step.rule.to_string()));
        }
        let kind = match event {
            HostEvent::Opened { .. } => {
                assert!(told.open.insert(c));
                "opened"
            }
            HostEvent::Closed { .. } => {
                told.open.remove(&c);
                "closed"
            }
            HostEvent::Reopened { .. } => {
                assert!(told.open.insert(c), "seed {seed}, op {ops}: opened twice");
                "reopened"
            }
            HostEvent::Assigned { to, by } => {
                told.owners.insert(c, to.clone());
                self.check_load(c, to, by);
                "assigned"
            }
            HostEvent::Queued { message } => {
                let cause = match &message.author {
                    Actor::Rule { rule } => Some(rule.clone()),
                    Actor::Bot { .. } => Some("bot".to_owned()),
                    _ => None,
                };
                if let Some(rule) = cause {
                    assert!(
                        told.causes.contains(&(c, rule.clone())),
                        "seed {seed}, op {ops}: {rule} spoke without a cause"
                    );
                }
                if message.content.plain_text() == Some(GREETING) {
                    let greetings = told.greetings.entry(c).or_default();
                    *greetings += 1;
                    assert_eq!(*greetings, 1, "seed {seed}, op {ops}: greeted twice");
                }
                "queued"
            }
            HostEvent::Parked { error, .. } => panic!("seed {seed}, op {ops}: {error}"),
            HostEvent::BotAnswered { .. } => "bot",
            HostEvent::Clock { .. } => "clock",
            HostEvent::Dropped { .. } => "dropped",
            _ => "other",
        };
        *self.told.kinds.entry(kind).or_default() += 1;
    }

    /// Nobody is handed more than they may have.
    fn check_load(&self, c: ConversationId, to: &Owner, by: &Actor) {
        let handed = matches!(by, Actor::Rule { rule } if rule == "routing");
        let Owner::Agent { agent } = to else { return };
        let Some((_, most)) =
            CAPACITY.iter().find(|(name, _)| agent == &AgentId::from(*name)).filter(|_| handed)
        else {
            return;
        };
        let told = &self.told;
        let has = told.open.iter().filter(|open| **open != c && told.owners.get(open) == Some(to)).count();
        assert!(
            has < *most as usize,
            "seed {}, op {}: {agent} has {has} and was handed one more",
            self.seed,
            self.ops
        );
    }
}

fn start(world: &World, seed: u64, n: u64, book: &str) -> (Hub, JoinHandle<Result<(), HubError>>) {
    let hub = world.builder().node("desk").id_seed(seed * 1_000_000 + n).build();
    hub.add_bot("luna", Any(Arc::new(Mutex::new(Dice(seed ^ n)))));
    set_book(&hub, book);
    for key in [shop(), site()] {
        hub.add_channel(ChannelSetup::new(key, world.fake(|_| ())));
    }
    let running = run(&hub);
    (hub, running)
}

/// A refusal is normal, a failure is not.
fn fine(seed: u64, result: Result<(), HubError>) {
    match result {
        Ok(()) | Err(HubError::NoChannel(_)) => {}
        Err(HubError::Refused(refused)) => assert_ne!(refused, Refused::Unknown),
        Err(other) => panic!("seed {seed}: {other}"),
    }
}

async fn run_of(seed: u64, ops: u64) -> Run {
    let mut run = Run::new(seed).await;
    for _ in 0..ops {
        run.op().await;
    }
    run.check().await;
    run
}

#[tokio::test]
async fn what_must_hold_holds_whatever_happens() {
    let seeds = match std::env::var("OMNI_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => vec![1, 2, 3],
    };
    for seed in seeds {
        println!("seed {seed}: OMNI_SEED={seed} runs it alone");
        let run = run_of(seed, 10_000).await;
        println!("{:?}", run.told.kinds);
        for kind in ["opened", "closed", "reopened", "assigned", "queued", "bot", "clock", "dropped"] {
            assert!(run.told.kinds.get(kind).is_some_and(|n| *n > 20), "{kind}: {:?}", run.told.kinds);
        }
    }
}

#[tokio::test]
async fn the_same_seed_gives_the_same_log() {
    let mut logs = Vec::new();
    for _ in 0..2 {
        let run = run_of(42, 1500).await;
        let log = run.world.log().await;
        logs.push(log.iter().map(|e| serde_json::to_string(e).unwrap()).collect::<Vec<_>>());
    }
    let (first, second) = (&logs[0], &logs[1]);
    for (n, (a, b)) in first.iter().zip(second).enumerate() {
        assert_eq!(a, b, "entry {n}");
    }
    assert_eq!(first.len(), second.len());
}

//! Agents, what they have, and who waits for whom.

use std::collections::BTreeMap;

use omni_core::conversation::Owner;
use omni_core::id::{AgentId, ConversationId};
use omni_core::policy::{AgentState, Desk, Presence, Waiting};
use omni_core::{Address, Conversation};
use omni_hub::Store;
use omni_hub::store::{AgentPatch, Applied, Batch, Changes, ChannelKey, Lookup, Target, Unit};

use super::Fresh;
use super::fixture::*;

fn patch(name: &str) -> AgentPatch {
    AgentPatch::new(shop().tenant, name.into())
}

fn is(presence: Presence, since: i64) -> AgentPatch {
    AgentPatch { presence: Some((presence, at(since))), ..patch("anna") }
}

async fn tell(store: &dyn Store, patches: &[AgentPatch]) {
    let agents = patches.to_vec();
    write(store, move || Changes { agents: agents.clone(), ..Changes::default() }).await;
}

async fn desk(store: &dyn Store) -> Desk {
    ok(store.desk(&shop().tenant).await)
}

/// What a unit and the desk say of an agent; they must say the same.
async fn state(store: &dyn Store, name: &str) -> AgentState {
    let agent = AgentId::from(name);
    let seen = look(store, Target::Nothing, vec![Lookup::Agent(shop().tenant, agent.clone())]).await;
    let state = match seen.agents.as_slice() {
        [(of, state)] if *of == agent => state.clone(),
        other => panic!("one agent was asked for: {other:?}"),
    };
    assert_eq!(desk(store).await.agents.get(&agent).cloned().unwrap_or_default(), state, "{name}");
    state
}

async fn load(store: &dyn Store, name: &str) -> BTreeMap<String, u32> {
    let load = state(store, name).await.load;
    load.into_iter().map(|(channel, count)| (channel.to_string(), count)).collect()
}

fn counts<const N: usize>(of: [(&str, u32); N]) -> BTreeMap<String, u32> {
    of.into_iter().map(|(channel, count)| (channel.to_owned(), count)).collect()
}

async fn waiting(store: &dyn Store, team: &str, limit: usize) -> Vec<ConversationId> {
    let waiting = ok(store.waiting(&shop().tenant, &team.into(), limit).await);
    waiting.into_iter().map(|w| w.conversation).collect()
}

async fn queued(store: &dyn Store, make: &Maker, team: &str, since: i64) -> Conversation {
    let mut conversation = make.conversation(&peer(&make.contact_id().to_string()));
    conversation.flow.queue = queue_of(team, since);
    put(store, &conversation).await;
    conversation
}

/// Also when others have one.
pub async fn an_unknown_tenant_has_an_empty_desk(fresh: Fresh) {
    let make = Maker::new();
    tell(&*fresh.store, &[is(Presence::Online, 1)]).await;
    owned(&*fresh.store, &make, &peer("1"), "anna").await;
    queued(&*fresh.store, &make, "sales", 1).await;
    assert_eq!(ok(fresh.store.desk(&"nobody".into()).await), Desk::default());
    assert!(ok(fresh.store.waiting(&"nobody".into(), &"sales".into(), 10).await).is_empty());
}

/// Nothing is known but that they have nothing, and asking makes nobody known.
pub async fn an_agent_never_heard_of_is_offline(fresh: Fresh) {
    assert_eq!(state(&*fresh.store, "anna").await, AgentState::default());
    assert_eq!(desk(&*fresh.store).await, Desk::default());
    owned(&*fresh.store, &Maker::new(), &peer("1"), "anna").await;
    let expected = AgentState { load: [("shop".into(), 1)].into(), ..AgentState::default() };
    assert_eq!(state(&*fresh.store, "anna").await, expected, "they have it all the same");
}

/// Every field, of every agent of the tenant and of no other.
pub async fn an_agent_comes_back_whole(fresh: Fresh) {
    let mut all = Desk::default();
    for (name, presence) in [("а", Presence::Online), ("б", Presence::Away), ("в", Presence::Offline)] {
        let patch = AgentPatch {
            presence: Some((presence, at(3))),
            assigned_at: Some(at(4)),
            freed_at: Some(at(5)),
            ..patch(name)
        };
        let state = AgentState {
            presence,
            since: at(3),
            assigned_at: Some(at(4)),
            freed_at: Some(at(5)),
            load: BTreeMap::new(),
        };
        tell(&*fresh.store, &[patch]).await;
        all.agents.insert(name.into(), state);
    }
    let other = AgentPatch { tenant: "other".into(), ..is(Presence::Away, 1) };
    tell(&*fresh.store, &[other]).await;
    assert_eq!(desk(&*fresh.store).await, all);
    for (name, expected) in &all.agents {
        assert_eq!(state(&*fresh.store, name.as_str()).await, *expected);
    }
    let elsewhere = ok(fresh.store.desk(&"other".into()).await);
    assert_eq!(elsewhere.agents.keys().map(AgentId::as_str).collect::<Vec<_>>(), ["anna"]);
}

/// What comes late changes nothing; what is not told stays.
pub async fn times_of_an_agent_never_move_back(fresh: Fresh) {
    let given = |millis| AgentPatch { assigned_at: Some(at(millis)), ..patch("anna") };
    let freed = |millis| AgentPatch { freed_at: Some(at(millis)), ..patch("anna") };
    let steps = [
        (given(20), (Presence::Offline, None, Some(20), None)),
        (is(Presence::Online, 10), (Presence::Online, Some(10), Some(20), None)),
        (is(Presence::Away, 9), (Presence::Online, Some(10), Some(20), None)),
        (is(Presence::Away, 10), (Presence::Away, Some(10), Some(20), None)),
        (given(19), (Presence::Away, Some(10), Some(20), None)),
        (freed(5), (Presence::Away, Some(10), Some(20), Some(5))),
        (patch("anna"), (Presence::Away, Some(10), Some(20), Some(5))),
        (freed(4), (Presence::Away, Some(10), Some(20), Some(5))),
        (given(21), (Presence::Away, Some(10), Some(21), Some(5))),
        (freed(6), (Presence::Away, Some(10), Some(21), Some(6))),
        (is(Presence::Offline, 30), (Presence::Offline, Some(30), Some(21), Some(6))),
    ];
    for (patch, (presence, since, assigned, freed)) in steps {
        tell(&*fresh.store, std::slice::from_ref(&patch)).await;
        let expected = AgentState {
            presence,
            since: since.map(at).unwrap_or_default(),
            assigned_at: assigned.map(at),
            freed_at: freed.map(at),
            load: BTreeMap::new(),
        };
        assert_eq!(state(&*fresh.store, "anna").await, expected, "after {patch:?}");
    }
    tell(&*fresh.store, &[is(Presence::Online, 50), is(Presence::Away, 40), given(60), given(55)]).await;
    let last = state(&*fresh.store, "anna").await;
    assert_eq!((last.presence, last.since, last.assigned_at), (Presence::Online, at(50), Some(at(60))));
}

/// Of the agent, by channel; of bots and teams there is none.
pub async fn a_load_counts_open_conversations_of_the_tenant_by_channel(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    let mail = ChannelKey::new("acme", "mail").peer(Address::new("1"));
    let elsewhere = ChannelKey::new("other", "shop").peer(Address::new("1"));
    for key in [peer("1"), peer("2"), mail, elsewhere] {
        owned(store, &make, &key, "anna").await;
    }
    owned(store, &make, &peer("3"), "boris").await;
    let ended = Conversation { owner: agent("anna"), closed: closed(), ..make.conversation(&peer("4")) };
    put(store, &ended).await;
    for owner in [Owner::Nobody, Owner::Team { team: "anna".into() }, Owner::Bot { bot: "anna".into() }] {
        put(store, &Conversation { owner, ..make.conversation(&peer("5")) }).await;
    }
    assert_eq!(load(store, "anna").await, counts([("mail", 1), ("shop", 2)]));
    assert_eq!(load(store, "boris").await, counts([("shop", 1)]));
    let known: Vec<AgentId> = desk(store).await.agents.into_keys().collect();
    assert_eq!(known, ["anna".into(), "boris".into()]);
    let other = ok(fresh.store.desk(&"other".into()).await);
    assert_eq!(other.agents.values().map(AgentState::total).collect::<Vec<_>>(), [1]);
}

/// To whoever has it, off with the closing, on with the reopening.
pub async fn a_load_follows_owner_closing_and_reopening(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    let id = open(store, &make, &peer("1")).await.id;
    owned(store, &make, &peer("2"), "boris").await;
    let loads = async || (state(store, "anna").await.total(), state(store, "boris").await.total());
    assert_eq!(loads().await, (0, 1));
    change(store, id, |c| c.owner = agent("anna")).await;
    assert_eq!(loads().await, (1, 1), "taken");
    change(store, id, |c| c.unread = 7).await;
    assert_eq!(loads().await, (1, 1), "nothing new");
    change(store, id, |c| c.owner = agent("boris")).await;
    assert_eq!(loads().await, (0, 2), "given on");
    change(store, id, |c| c.closed = closed()).await;
    assert_eq!(loads().await, (0, 1), "closed");
    change(store, id, |c| c.owner = agent("anna")).await;
    assert_eq!(loads().await, (0, 1), "given on while closed");
    change(store, id, |c| c.closed = None).await;
    assert_eq!(loads().await, (1, 1), "reopened");
    change(store, id, |c| c.owner = Owner::Nobody).await;
    assert_eq!(loads().await, (0, 1), "given back");
}

/// So two placements never fill one place.
pub async fn units_of_one_batch_see_each_others_loads(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    let mut units = Vec::new();
    for name in ["1", "2", "3", "4"] {
        let id = open(store, &make, &peer(name)).await.id;
        let take = |seen: &omni_hub::store::Snapshot| {
            let room = seen.agents.first().is_some_and(|(_, anna)| anna.total() < 2);
            let conversation = seen.conversation.clone().filter(|_| room);
            let conversation = conversation.map(|c| Conversation { owner: agent("anna"), ..c });
            let patch = AgentPatch { assigned_at: Some(at(1)), ..patch("anna") };
            Changes { conversation, agents: vec![patch], ..Changes::default() }
        };
        let lookups = vec![Lookup::Agent(shop().tenant, "anna".into())];
        units.push(Unit::new(Target::Conversation(id), take).with_lookups(lookups));
    }
    let applied = ok(store.apply(Batch { units, cursor: None }).await);
    let taken = applied.iter().map(|a| matches!(a, Applied::Done(c) if c.conversation.is_some()));
    assert_eq!(taken.collect::<Vec<_>>(), [true, true, false, false]);
    assert_eq!(load(store, "anna").await, counts([("shop", 2)]));
}

/// However many ask at once: who is given one is looked at in the transaction that gives it.
pub async fn parallel_placements_never_exceed_a_capacity(fresh: Fresh) {
    let make = Maker::new();
    let mut tasks = Vec::new();
    for i in 0..20 {
        let id = open(&*fresh.store, &make, &peer(&i.to_string())).await.id;
        let store = fresh.store.clone();
        tasks.push(tokio::spawn(async move {
            let take = |seen: &omni_hub::store::Snapshot| {
                let room = seen.agents.first().is_some_and(|(_, anna)| anna.total() < 3);
                let conversation = seen.conversation.clone().filter(|_| room);
                let conversation = conversation.map(|c| Conversation { owner: agent("anna"), ..c });
                Changes { conversation, ..Changes::default() }
            };
            let lookups = vec![Lookup::Agent(shop().tenant, "anna".into())];
            done(&*store, Unit::new(Target::Conversation(id), take).with_lookups(lookups)).await;
        }));
    }
    for task in futures_util::future::join_all(tasks).await {
        assert!(task.is_ok());
    }
    assert_eq!(load(&*fresh.store, "anna").await, counts([("shop", 3)]));
}

/// A decision that fails takes back what it would have given.
pub async fn a_unit_that_fails_changes_no_load(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    let id = open(store, &make, &peer("1")).await.id;
    let unit = Unit::new(Target::Conversation(id), |_| panic!("a policy that fails"));
    assert!(matches!(apply(store, unit).await, Applied::Failed(_)));
    assert_eq!(desk(store).await, Desk::default());
}

/// By the time since which they wait, of one moment the older conversation; whatever else is written of them.
pub async fn the_longest_waiting_comes_first(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    let mut all = Vec::new();
    for since in [30, 10, 20, 10, -5] {
        all.push(queued(store, &make, "sales", since).await);
    }
    queued(store, &make, "support", 1).await;
    let elsewhere = ChannelKey::new("other", "shop").peer(Address::new("1"));
    let mut foreign = make.conversation(&elsewhere);
    foreign.flow.queue = queue_of("sales", 0);
    put(store, &foreign).await;
    let order = |numbers: &[usize]| -> Vec<ConversationId> {
        numbers.iter().filter_map(|n| all.get(*n)).map(|c| c.id).collect()
    };
    assert_eq!(waiting(store, "sales", 10).await, order(&[4, 1, 3, 2, 0]));
    assert_eq!(waiting(store, "sales", 2).await, order(&[4, 1]));
    assert!(waiting(store, "sales", 0).await.is_empty());
    assert!(waiting(store, "nobody", 10).await.is_empty());
    let [first, ..] = all.as_slice() else { panic!("five wait") };
    change(store, first.id, |c| (c.unread, c.last_message_at) = (9, at(99))).await;
    assert_eq!(waiting(store, "sales", 10).await, order(&[4, 1, 3, 2, 0]), "what is said moves nobody");
    let counted: Vec<(String, u32)> =
        desk(store).await.waiting.into_iter().map(|(team, n)| (team.to_string(), n)).collect();
    assert_eq!(counted, [("sales".to_owned(), 5), ("support".to_owned(), 1)]);
}

/// Into it, to another team with the time kept, and out of it by an owner's taking it, by the closing.
pub async fn a_queue_follows_its_conversations(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    let early = queued(store, &make, "sales", 10).await.id;
    let id = open(store, &make, &peer("1")).await.id;
    let lines = async || (waiting(store, "sales", 10).await, waiting(store, "support", 10).await);
    assert_eq!(lines().await, (vec![early], vec![]));
    change(store, id, |c| c.flow.queue = queue_of("sales", 5)).await;
    assert_eq!(lines().await, (vec![id, early], vec![]), "joined");
    change(store, id, |c| c.flow.queue = queue_of("sales", 15)).await;
    assert_eq!(lines().await, (vec![early, id], vec![]), "since another time");
    change(store, id, |c| c.flow.queue = queue_of("support", 5)).await;
    assert_eq!(lines().await, (vec![early], vec![id]), "another team");
    change(store, id, |c| c.closed = closed()).await;
    assert_eq!(lines().await, (vec![early], vec![]), "closed");
    change(store, id, |c| c.closed = None).await;
    assert_eq!(lines().await, (vec![early], vec![id]), "reopened");
    change(store, id, |c| (c.owner, c.flow.queue) = (agent("anna"), None)).await;
    assert_eq!(lines().await, (vec![early], vec![]), "taken");
    change(store, early, |c| c.flow.queue = None).await;
    assert_eq!(lines().await, (vec![], vec![]));
    assert!(desk(store).await.waiting.is_empty(), "a team that nobody waits for is not counted");
}

/// All that a distribution goes by.
pub async fn a_place_in_a_queue_comes_back_whole(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    let mut conversation = make.conversation(&ChannelKey::new("acme", "почта").peer(Address::new("1")));
    let queue = queue_of("продажи", 3).map(|mut queue| {
        queue.joined = at(7);
        queue.skills = vec!["english".to_owned(), "возвраты".to_owned()];
        queue.prefer = Some("анна".into());
        queue.excluded = vec!["б".into(), "в".into()];
        queue.passed = vec!["первая".into()];
        queue
    });
    conversation.flow.queue = queue.clone();
    put(store, &conversation).await;
    let found = ok(store.waiting(&shop().tenant, &"продажи".into(), 10).await);
    let expected = Waiting::of(&conversation);
    assert_eq!(expected.as_ref().map(|w| &w.queue), queue.as_ref());
    assert_eq!(found.first(), expected.as_ref());
}

/// A conversation that was joined to another name goes on waiting, and stays with who has it.
pub async fn a_moved_address_changes_no_load_and_no_queue(fresh: Fresh) {
    let (make, store) = (Maker::new(), &*fresh.store);
    let conversation = open(store, &make, &peer("old")).await;
    change(store, conversation.id, |c| (c.owner, c.flow.queue) = (agent("anna"), queue_of("sales", 1))).await;
    let to = Address::new("new");
    write(store, move || Changes { moved: Some((peer("old"), to.clone())), ..Changes::default() }).await;
    assert_eq!(load(store, "anna").await, counts([("shop", 1)]));
    assert_eq!(waiting(store, "sales", 10).await, [conversation.id]);
}

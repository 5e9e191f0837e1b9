//! Lists for desks.

use omni_core::conversation::{Conversation, Visibility};
use omni_core::id::ConversationId;
use omni_hub::store::{ChannelKey, ConversationQuery, StateFilter};

use super::Fresh;
use super::fixture::*;

async fn list(fresh: &Fresh, query: ConversationQuery) -> Vec<ConversationId> {
    ok(fresh.store.conversations(&query).await).into_iter().map(|c| c.id).collect()
}

/// And a new message moves its conversation up.
pub async fn conversations_are_listed_newest_message_first(fresh: Fresh) {
    let make = Maker::new();
    let mut all: Vec<Conversation> = (0..3).map(|i| make.conversation(&peer(&i.to_string()))).collect();
    for (conversation, millis) in all.iter_mut().zip([20, 30, 10]) {
        conversation.last_message_at = at(millis);
        put(&*fresh.store, conversation).await;
    }
    let [a, b, c] = [0, 1, 2].map(|i| all.get(i).cloned().unwrap_or_else(|| make.conversation(&peer("x"))));
    assert_eq!(list(&fresh, ConversationQuery::default()).await, [b.id, a.id, c.id]);
    put(&*fresh.store, &Conversation { last_message_at: at(40), ..c.clone() }).await;
    let tenant = Some(shop().tenant);
    assert_eq!(list(&fresh, ConversationQuery { tenant, ..Default::default() }).await, [c.id, b.id, a.id]);
}

/// By tenant, channel, state, reader.
pub async fn conversations_are_filtered(fresh: Fresh) {
    let make = Maker::new();
    let mine = make.conversation(&peer("1"));
    let mut closed = make.conversation(&peer("2"));
    closed.closed = super::fixture::closed();
    let mut pinned = make.conversation(&peer("3"));
    pinned.visible = Visibility::Agent { agent: "anna".into() };
    let other_channel = make.conversation(&ChannelKey::new("acme", "other").peer(peer("1").address));
    let other_tenant = make.conversation(&ChannelKey::new("other", "shop").peer(peer("1").address));
    for conversation in [&mine, &closed, &pinned, &other_channel, &other_tenant] {
        put(&*fresh.store, conversation).await;
    }
    let query = || ConversationQuery { tenant: Some(shop().tenant), ..Default::default() };
    assert_eq!(list(&fresh, query()).await, [other_channel.id, pinned.id, closed.id, mine.id]);
    let of_shop = ConversationQuery { channel: Some(shop().channel), ..query() };
    assert_eq!(list(&fresh, of_shop.clone()).await, [pinned.id, closed.id, mine.id]);
    let state = |state| ConversationQuery { state, ..of_shop.clone() };
    assert_eq!(list(&fresh, state(StateFilter::Open)).await, [pinned.id, mine.id]);
    assert_eq!(list(&fresh, state(StateFilter::Closed)).await, [closed.id]);
    let visible = |agent: &str| ConversationQuery { visible_to: Some(agent.into()), ..of_shop.clone() };
    assert_eq!(list(&fresh, visible("anna")).await, [pinned.id, closed.id, mine.id]);
    assert_eq!(list(&fresh, visible("boris")).await, [closed.id, mine.id]);
    put(&*fresh.store, &Conversation { closed: None, ..closed.clone() }).await;
    assert!(list(&fresh, state(StateFilter::Closed)).await.is_empty(), "reopened");
    assert_eq!(list(&fresh, ConversationQuery::default()).await.len(), 5);
}

/// Of their teams, and what they have, whoever else may see it.
pub async fn an_agent_sees_what_their_teams_see_and_what_they_have(fresh: Fresh) {
    let make = Maker::new();
    let mut all: Vec<Conversation> = (0..5).map(|i| make.conversation(&peer(&i.to_string()))).collect();
    let to_team = |team: &str| Visibility::Team { team: team.into() };
    let shown = [
        to_team("sales"),
        to_team("support"),
        Visibility::Owner,
        Visibility::Agent { agent: "boris".into() },
        Visibility::Everyone,
    ];
    for (conversation, visible) in all.iter_mut().zip(shown) {
        conversation.visible = visible;
        put(&*fresh.store, conversation).await;
    }
    let ids: Vec<ConversationId> = all.iter().map(|c| c.id).collect();
    let seen = async |teams: &[&str]| {
        let query = ConversationQuery {
            visible_to: Some("anna".into()),
            teams: teams.iter().map(|&t| t.into()).collect(),
            ..Default::default()
        };
        let seen = list(&fresh, query).await;
        ids.iter().map(|id| if seen.contains(id) { '+' } else { '-' }).collect::<String>()
    };
    assert_eq!(seen(&[]).await, "----+");
    assert_eq!(seen(&["sales"]).await, "+---+");
    assert_eq!(seen(&["sales", "support"]).await, "++--+");
    for id in &ids {
        change(&*fresh.store, *id, |c| c.owner = agent("anna")).await;
    }
    assert_eq!(seen(&[]).await, "+++++", "an agent always sees what they have");
    change(&*fresh.store, ids.first().copied().unwrap_or_else(|| make.conversation(&peer("x")).id), |c| {
        c.closed = super::fixture::closed();
    })
    .await;
    assert_eq!(seen(&[]).await, "+++++", "also when it is closed");
}

/// By who has them, for whom they wait, whose they are; alone and together.
pub async fn conversations_are_found_by_owner_queue_and_person(fresh: Fresh) {
    let make = Maker::new();
    let (anna, boris) = (make.contact_id(), make.contact_id());
    let mut all = Vec::new();
    for (owner, queue, contact, closes) in [
        (Some("a"), None, anna, false),
        (Some("a"), None, boris, true),
        (Some("b"), None, anna, false),
        (None, Some("sales"), anna, false),
        (None, Some("sales"), boris, true),
        (Some("a"), Some("sales"), boris, false),
        (None, Some("support"), boris, false),
    ] {
        let mut c = make.conversation(&peer(&all.len().to_string()));
        c.owner = owner.map(agent).unwrap_or_default();
        c.flow.queue = queue.and_then(|team| queue_of(team, 0));
        c.contact = Some(contact);
        c.closed = super::fixture::closed().filter(|_| closes);
        put(&*fresh.store, &c).await;
        all.push(c.id);
    }
    let elsewhere = ChannelKey::new("other", "shop").peer(peer("1").address);
    let mut other = Conversation { contact: Some(anna), owner: agent("a"), ..make.conversation(&elsewhere) };
    other.flow.queue = queue_of("sales", 0);
    put(&*fresh.store, &other).await;

    let found = async |query: ConversationQuery| {
        let seen = list(&fresh, query).await;
        assert!(seen.iter().map(|id| std::cmp::Reverse(*id)).is_sorted(), "newest first");
        assert!(!seen.contains(&other.id), "of one tenant alone");
        let numbers = all.iter().zip(1..).filter(|(id, _)| seen.contains(id));
        numbers.map(|(_, n)| char::from_digit(n, 10).unwrap_or('?')).collect::<String>()
    };
    let query = || ConversationQuery { tenant: Some(shop().tenant), ..Default::default() };
    let owner = |owner: &str| ConversationQuery { owner: Some(owner.into()), ..query() };
    let waiting = |team: &str| ConversationQuery { waiting_for: Some(team.into()), ..query() };
    let contact = |contact| ConversationQuery { contact: Some(contact), ..query() };
    assert_eq!(found(owner("a")).await, "126");
    assert_eq!(found(ConversationQuery { state: StateFilter::Open, ..owner("a") }).await, "16");
    assert_eq!(found(ConversationQuery { state: StateFilter::Closed, ..owner("a") }).await, "2");
    assert_eq!(found(owner("c")).await, "");
    assert_eq!(found(waiting("sales")).await, "46", "closed ones do not wait");
    assert_eq!(found(ConversationQuery { state: StateFilter::Closed, ..waiting("sales") }).await, "");
    assert_eq!(found(contact(anna)).await, "134");
    assert_eq!(found(contact(make.contact_id())).await, "");
    let all_of = ConversationQuery { owner: Some("a".into()), contact: Some(boris), ..waiting("sales") };
    assert_eq!(found(ConversationQuery { state: StateFilter::Open, ..all_of }).await, "6");
    let everywhere = ConversationQuery { tenant: None, ..contact(anna) };
    assert_eq!(list(&fresh, everywhere).await.len(), 4);
    let everywhere = ConversationQuery { tenant: None, state: StateFilter::Open, ..owner("a") };
    assert_eq!(list(&fresh, everywhere).await.len(), 3);
    let everywhere = ConversationQuery { tenant: None, ..waiting("sales") };
    assert_eq!(list(&fresh, everywhere).await.len(), 3);
}

/// Also where an index of its own finds them.
pub async fn pages_meet_whatever_is_asked_for(fresh: Fresh) {
    let make = Maker::new();
    let contact = make.contact_id();
    let mut expected = Vec::new();
    for i in 0..13 {
        let mut c = make.conversation(&peer(&i.to_string()));
        // In another order than that of their making.
        c.last_message_at = at(i * 5 % 13);
        (c.owner, c.contact, c.flow.queue) = (agent("anna"), Some(contact), queue_of("sales", -i));
        put(&*fresh.store, &c).await;
        expected.push((std::cmp::Reverse(c.last_message_at), c.id));
    }
    expected.sort();
    let tenant = || ConversationQuery { tenant: Some(shop().tenant), limit: 4, ..Default::default() };
    for first in [
        tenant(),
        ConversationQuery { owner: Some("anna".into()), ..tenant() },
        ConversationQuery { owner: Some("anna".into()), state: StateFilter::Open, ..tenant() },
        ConversationQuery { waiting_for: Some("sales".into()), ..tenant() },
        ConversationQuery { contact: Some(contact), ..tenant() },
    ] {
        let (mut query, mut read) = (first.clone(), Vec::new());
        loop {
            let page = ok(fresh.store.conversations(&query).await);
            let Some(last) = page.last() else { break };
            assert!(page.len() <= 4);
            query.before = Some(last.last_message_at);
            read.extend(page.iter().map(|c| c.id));
        }
        assert_eq!(read, expected.iter().map(|(_, id)| *id).collect::<Vec<_>>(), "{first:?}");
    }
}

/// The filter does not shorten a page, and no conversation falls between two.
pub async fn pages_of_conversations_meet(fresh: Fresh) {
    let make = Maker::new();
    let mut expected = Vec::new();
    for i in 0..25 {
        let mut conversation = make.conversation(&peer(&i.to_string()));
        conversation.last_message_at = at(i);
        if i % 2 == 0 {
            conversation.visible = Visibility::Agent { agent: "boris".into() };
        } else {
            expected.insert(0, conversation.id);
        }
        put(&*fresh.store, &conversation).await;
    }
    let mut query = ConversationQuery { visible_to: Some("anna".into()), limit: 5, ..Default::default() };
    let mut pages = Vec::new();
    loop {
        let page = ok(fresh.store.conversations(&query).await);
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 5);
        query.before = Some(last.last_message_at);
        pages.push(page.into_iter().map(|c| c.id).collect::<Vec<_>>());
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [5, 5, 2]);
    assert_eq!(pages.concat(), expected);
}

/// Of one conversation alone.
pub async fn messages_are_listed_newest_first_in_pages(fresh: Fresh) {
    let make = Maker::new();
    let conversation = open(&*fresh.store, &make, &peer("1")).await;
    let other = open(&*fresh.store, &make, &peer("2")).await;
    let all: Vec<_> = (0..7).map(|i| make.inbound(&conversation, &i.to_string())).collect();
    say(&*fresh.store, &all).await;
    say(&*fresh.store, &[make.inbound(&other, "1")]).await;
    let (mut read, mut before) = (Vec::new(), None);
    loop {
        let page = ok(fresh.store.messages(conversation.id, before, 3).await);
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        read.extend(page);
    }
    read.reverse();
    assert_eq!(read, all);
    assert!(ok(fresh.store.messages(conversation.id, None, 0).await).is_empty());
}

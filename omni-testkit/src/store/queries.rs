//! Lists for desks.

use omni_core::conversation::{Actor, CloseReason, Closed, Conversation, Visibility};
use omni_core::id::ConversationId;
use omni_hub::store::{Changes, ChannelKey, ConversationQuery, StateFilter};

use super::Fresh;
use super::fixture::*;

async fn put(fresh: &Fresh, conversation: &Conversation) {
    let stored = conversation.clone();
    write(&*fresh.store, move || Changes { conversation: Some(stored.clone()), ..Changes::default() }).await;
}

async fn list(fresh: &Fresh, query: ConversationQuery) -> Vec<ConversationId> {
    ok(fresh.store.conversations(&query).await).into_iter().map(|c| c.id).collect()
}

/// And a new message moves its conversation up.
pub async fn conversations_are_listed_newest_message_first(fresh: Fresh) {
    let make = Maker::new();
    let mut all: Vec<Conversation> = (0..3).map(|i| make.conversation(&peer(&i.to_string()))).collect();
    for (conversation, millis) in all.iter_mut().zip([20, 30, 10]) {
        conversation.last_message_at = at(millis);
        put(&fresh, conversation).await;
    }
    let [a, b, c] = [0, 1, 2].map(|i| all.get(i).cloned().unwrap_or_else(|| make.conversation(&peer("x"))));
    assert_eq!(list(&fresh, ConversationQuery::default()).await, [b.id, a.id, c.id]);
    put(&fresh, &Conversation { last_message_at: at(40), ..c.clone() }).await;
    let tenant = Some(shop().tenant);
    assert_eq!(list(&fresh, ConversationQuery { tenant, ..Default::default() }).await, [c.id, b.id, a.id]);
}

/// By tenant, channel, state, reader.
pub async fn conversations_are_filtered(fresh: Fresh) {
    let make = Maker::new();
    let mine = make.conversation(&peer("1"));
    let mut closed = make.conversation(&peer("2"));
    closed.closed = Some(Closed { at: at(1), reason: CloseReason::Done, by: Actor::Host });
    let mut pinned = make.conversation(&peer("3"));
    pinned.visible = Visibility::Agent { agent: "anna".into() };
    let other_channel = make.conversation(&ChannelKey::new("acme", "other").peer(peer("1").address));
    let other_tenant = make.conversation(&ChannelKey::new("other", "shop").peer(peer("1").address));
    for conversation in [&mine, &closed, &pinned, &other_channel, &other_tenant] {
        put(&fresh, conversation).await;
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
    put(&fresh, &Conversation { closed: None, ..closed.clone() }).await;
    assert!(list(&fresh, state(StateFilter::Closed)).await.is_empty(), "reopened");
    assert_eq!(list(&fresh, ConversationQuery::default()).await.len(), 5);
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
        put(&fresh, &conversation).await;
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

//! One person under two names, two conversations of one matter.

use omni_core::conversation::CloseReason;
use omni_core::event::{ChatKind, EventBody};
use omni_core::id::ContactId;
use omni_core::policy::{Action, Verb};
use omni_hub::store::Refused;
use omni_hub::{HostEvent, HubError};

use crate::world::*;

const BUSY: &str = r#"
    agents.anna = {}
    agents.boris = {}
    teams.sales = { members = ["anna", "boris"], distribution = "round_robin" }
    [channels.shop]
    receiver = { team = "sales" }
    scenario = "main"
    auto_close = { after = "1d" }
    [scenarios.main]
    rules = [
        { name = "later", on = "opened", do = [{ wait = "10m" }, { reply = "Уже скоро" }] },
        { name = "thrice", on = "message", limit = { per_contact = 3 }, do = [{ note = "раз" }] },
    ]
"#;

#[tokio::test]
async fn contacts_merge_and_both_conversations_keep_owners_and_timers() {
    let world = World::new();
    let hub = world.hub(BUSY).await;
    online(&hub, &["anna", "boris"]).await;
    deliver(&hub, &[says("1", "a", "Это я"), says("2", "b", "И это я"), says("2", "c", "Да")]).await;
    let (first, second) = (world.with("1").await, world.with("2").await);
    let (from, into) = (second.contact.unwrap(), first.contact.unwrap());
    hub.merge_contacts("acme", from, into).await.unwrap();
    idle().await;
    let (one, other) = (world.with("1").await, world.with("2").await);
    assert_eq!((one.contact, other.contact), (Some(into), Some(into)));
    assert_eq!((&one.owner, &other.owner), (&first.owner, &second.owner));
    assert_eq!((&one.timers, &other.timers), (&first.timers, &second.timers));
    assert!(hub.contact(from).await.unwrap().is_none());
    let contact = world.contact("2").await;
    assert_eq!((contact.identities.len(), contact.memory.conversations), (2, 2));
    let told = world.told(|e| match e {
        HostEvent::ContactMerged { from, into } => Some((*from, *into)),
        _ => None,
    });
    assert_eq!(told.await, [(from, into)]);
    world.pass(mins(10)).await;
    assert_eq!(world.texts().len(), 2, "timers of both go on");
    world.pass(days(1)).await;
    assert_eq!(world.closings().await.len(), 2);
}

#[tokio::test]
async fn limits_count_what_both_had() {
    let world = World::new();
    let hub = world.hub(BUSY).await;
    deliver(&hub, &[says("1", "a", "Это я"), says("2", "b", "И это я"), says("2", "c", "Да")]).await;
    let (from, into) = (world.with("2").await.contact.unwrap(), world.with("1").await.contact.unwrap());
    hub.merge_contacts("acme", from, into).await.unwrap();
    deliver(&hub, &[says("1", "d", "Ещё"), says("2", "e", "Ещё")]).await;
    let notes = world.told(|e| matches!(e, HostEvent::Noted { .. }).then_some(())).await;
    assert_eq!(notes.len(), 3);
}

#[tokio::test]
async fn merging_with_oneself_or_with_nobody_changes_nothing() {
    let world = World::new();
    let hub = world.hub(BUSY).await;
    deliver(&hub, &[says("1", "a", "Это я")]).await;
    let before = world.contact("1").await;
    hub.merge_contacts("acme", before.id, before.id).await.unwrap();
    assert_eq!(world.contact("1").await, before);
    let nobody = hub.merge_contacts("acme", ContactId::from_bytes([9; 16]), before.id).await;
    assert!(matches!(nobody, Err(HubError::Refused(Refused::NoContact))));
}

#[tokio::test]
async fn a_conversation_joined_to_another_ends_without_a_word_and_brings_its_labels() {
    let world = World::new();
    let book = BUSY.replace(
        "rules = [",
        "rules = [\n { name = 'bye', on = 'closed', do = [{ reply = 'Оцените нас' }] },",
    );
    let hub = world.hub(&book).await;
    deliver(&hub, &[says("1", "a", "Это я"), says("2", "b", "И это я")]).await;
    let (gone, on) = (world.with("1").await, world.with("2").await);
    let tag = |tag: &str| Action { by: agent("anna"), verb: Verb::Tag { tag: tag.to_owned() } };
    hub.act(gone.id, tag("срочно")).await.unwrap();
    hub.act(on.id, tag("опт")).await.unwrap();
    let set = Verb::Set { field: "order".to_owned(), value: "№ 5".to_owned() };
    hub.act(gone.id, Action { by: agent("anna"), verb: set }).await.unwrap();
    hub.merge(gone.id, on.id, agent("anna")).await.unwrap();
    idle().await;
    let (gone, on) = (world.with("1").await, world.with("2").await);
    assert_eq!(gone.closed.unwrap().reason, CloseReason::Merged(on.id));
    assert_eq!(on.tags, ["опт", "срочно"]);
    assert_eq!(on.flow.fields["order"], "№ 5");
    assert!(gone.timers.is_empty() && gone.flow.queue.is_none() && gone.flow.runs.is_empty());
    world.pass(mins(30)).await;
    assert_eq!(world.texts_to("1"), Vec::<String>::new());
    assert_eq!(world.texts_to("2"), ["Уже скоро"]);
    assert!(hub.merge(on.id, on.id, agent("anna")).await.is_err());
    assert!(hub.merge(on.id, gone.id, agent("anna")).await.is_err(), "nothing is joined to what has ended");
}

#[tokio::test]
async fn a_person_writes_after_the_joining_and_begins_anew() {
    let world = World::new();
    let hub = world.hub(BUSY).await;
    deliver(&hub, &[says("1", "a", "Это я"), says("2", "b", "И это я")]).await;
    hub.merge(world.with("1").await.id, world.with("2").await.id, agent("anna")).await.unwrap();
    deliver(&hub, &[says("1", "c", "Ау")]).await;
    assert_eq!(world.all().await.len(), 3);
    assert!(world.with("1").await.is_open());
}

#[tokio::test]
async fn two_tenants_never_share_a_contact() {
    let world = World::new();
    let hub = world.hub("channels.shop = {}").await;
    let other = omni_hub::ChannelKey::new("globex", "shop");
    hub.add_channel(omni_hub::ChannelSetup::new(other.clone(), world.fake(|_| ())));
    deliver(&hub, &[says("1", "a", "Привет, магазин")]).await;
    let ours = world.contact("1").await;
    let set = Verb::Set { field: "contact.fields.secret".into(), value: "скидка 50 %".into() };
    hub.act(world.only().await.id, Action { by: agent("anna"), verb: set }).await.unwrap();
    assert_eq!(hand_in(&hub, &other, &[says("1", "a", "Привет, соседи")]).await.status, 200);
    idle().await;
    let theirs = world.all().await.into_iter().find(|c| c.tenant.as_str() == "globex").unwrap();
    let theirs = world.store.contact(theirs.contact.unwrap()).await.unwrap().unwrap();
    assert_ne!(theirs.id, ours.id);
    assert!(theirs.fields.is_empty(), "{theirs:?}");
    let merged = hub.merge_contacts("globex", ours.id, theirs.id).await.unwrap_err();
    assert!(matches!(merged, HubError::Refused(Refused::NoContact)), "{merged:?}");
}

#[tokio::test]
async fn the_loop_guard_counts_what_both_were_told() {
    let world = World::new();
    let hub = world
        .hub(
            r#"
            [channels.shop]
            auto_replies = [{ text = "Спасибо за сообщение", per = "message" }]
            loop_guard = { texts = 3, within = "10m" }
            "#,
        )
        .await;
    for (who, id) in [("1", "a"), ("1", "b"), ("2", "c"), ("2", "d")] {
        deliver(&hub, &[says(who, id, "Алло")]).await;
    }
    assert_eq!(world.texts().len(), 4);
    let (from, into) = (world.with("2").await.contact.unwrap(), world.with("1").await.contact.unwrap());
    hub.merge_contacts("acme", from, into).await.unwrap();
    deliver(&hub, &[says("1", "e", "Алло"), says("2", "f", "Алло")]).await;
    assert_eq!(world.texts().len(), 4, "four are more than three");
    assert!(world.dropped("too many automatic texts").await);
}

#[tokio::test]
async fn who_answered_last_under_either_name_knows_the_person() {
    for (first, last) in [("1", "2"), ("2", "1")] {
        let world = World::new();
        let hub = world.hub(BUSY).await;
        deliver(&hub, &[says("1", "a", "Это я"), says("2", "b", "И это я")]).await;
        answers(&hub, &world.with(first).await, "anna", "Здравствуйте!").await;
        world.pass(mins(1)).await;
        answers(&hub, &world.with(last).await, "boris", "Добрый день!").await;
        let (from, into) = (world.with("1").await.contact.unwrap(), world.with("2").await.contact.unwrap());
        hub.merge_contacts("acme", from, into).await.unwrap();
        let known = world.contact("2").await.memory.agent;
        assert_eq!(known, Some(("boris".into(), world.now())), "{first} and then {last}");
    }
}

#[tokio::test]
async fn what_a_group_was_told_is_remembered_in_its_next_conversation() {
    let world = World::new();
    let hub = world.hub(BUSY).await;
    let in_group = |id: &str| {
        let mut event = says("g", id, "Всем привет 👋");
        let EventBody::Message(message) = &mut event.body else { unreachable!() };
        message.chat.kind = ChatKind::Group;
        event
    };
    deliver(&hub, &[in_group("a"), in_group("b")]).await;
    assert_eq!(world.only().await.contact, None);
    hub.close(world.only().await.id, agent("anna")).await.unwrap();
    deliver(&hub, &[in_group("c"), in_group("d")]).await;
    assert_eq!(world.all().await.len(), 2);
    let notes = world.told(|e| matches!(e, HostEvent::Noted { .. }).then_some(())).await;
    assert_eq!(notes.len(), 3, "thrice in all");
}

#[test]
fn what_one_of_two_was_told_on_another_day_is_no_matter_of_today() {
    use omni_core::Timestamp;
    use omni_core::policy::{Fired, Memory, Sent};
    let at = |hours: i64| Timestamp::from_secs(1_768_176_000 + hours * 3600);
    let told = |day: i64, today| Memory {
        fired: vec![Fired { rule: "main/hello".into(), count: today, today, last: at(day * 24 + 9) }],
        texts: vec![Sent { by_bot: false, since: at(day * 24 + 9), until: at(day * 24 + 10), count: today }],
        ..Memory::default()
    };
    let mut merged = told(0, 2);
    merged.absorb(told(1, 1));
    assert_eq!((merged.fired[0].count, merged.fired[0].today, merged.fired[0].last), (3, 1, at(33)));
    assert_eq!((merged.texts[0].count, merged.texts[0].since), (1, at(33)));
    let mut merged = told(1, 2);
    merged.absorb(told(1, 1));
    assert_eq!((merged.fired[0].today, merged.texts[0].count), (3, 3), "of one day both count");
}

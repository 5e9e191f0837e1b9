//! What is late or read out of the history is shown and routed, and nothing else; edits and deletes start nothing.

use omni_core::content::Content;
use omni_core::event::{Edited, EventBody};

use crate::world::*;

const EAGER: &str = r#"
    agents.anna = {}
    [teams.sales]
    members = ["anna"]
    distribution = "round_robin"
    [scenarios.main]
    rules = [
        { name = "greet", on = "opened", do = [{ reply = "Здравствуйте! 👋" }] },
        { name = "soon", on = "message", do = [{ wait = "5m" }, { reply = "Мы помним о вас" }] },
        { name = "silent", on = { silent = { of = "agent", for = "10m" } }, do = [{ reply = "Ещё минуту" }] },
    ]
    [channels.shop]
    scenario = "main"
    receiver = { team = "sales" }
    auto_replies = ["Скоро ответим"]
    clocks = { first_response = { within = "1h" }, resolution = { within = "1d" } }
    late_after = "30m"
"#;

#[tokio::test]
async fn history_is_shown_and_routed_and_answered_by_nothing() {
    let world = World::new();
    let hub = world.hub(EAGER).await;
    online(&hub, &["anna"]).await;
    let page: Vec<_> = (0..10).map(|n| said_long_ago("1", &format!("h{n}"), "Давнее письмо ✉️")).collect();
    deliver(&hub, &page).await;
    world.pass(days(1)).await;
    assert!(world.texts().is_empty(), "{:?}", world.texts());
    assert!(world.clocks().await.is_empty());
    let conversation = world.only().await;
    assert_eq!(conversation.counts.inbound, 10);
    assert_eq!(named(&conversation.owner), "anna");
    assert_eq!(conversation.flow.waits_since, None);
}

#[tokio::test]
async fn a_message_that_reached_us_late_is_answered_by_nothing() {
    let world = World::new();
    let hub = world.hub(EAGER).await;
    let now = world.now();
    deliver(&hub, &[says("1", "a", "Это я писал час назад").at_time(now - hours(1))]).await;
    world.pass(hours(2)).await;
    assert!(world.texts().is_empty());
    assert!(world.clocks().await.is_empty());
    assert!(world.dropped("it reached us too late").await);
}

#[tokio::test]
async fn a_message_that_is_a_little_late_is_as_good_as_any() {
    let world = World::new();
    let hub = world.hub(EAGER).await;
    let now = world.now();
    deliver(&hub, &[says("1", "a", "Интернет моргнул").at_time(now - mins(29))]).await;
    assert_eq!(world.texts(), ["Здравствуйте! 👋", "Скоро ответим"]);
}

#[tokio::test]
async fn a_live_message_behind_the_history_is_answered() {
    let world = World::new();
    let hub = world.hub(EAGER).await;
    deliver(&hub, &[said_long_ago("1", "h", "Давнее письмо")]).await;
    deliver(&hub, &[says("1", "a", "А теперь я снова тут")]).await;
    assert_eq!(world.texts(), ["Скоро ответим"]);
    assert_eq!(world.clocks().await, ["first_response started"]);
    world.pass(mins(10)).await;
    assert_eq!(world.texts(), ["Скоро ответим", "Мы помним о вас", "Ещё минуту"]);
}

#[tokio::test]
async fn what_was_said_before_the_closing_and_comes_behind_it_opens_nothing() {
    let world = World::new();
    let hub = world.hub(EAGER).await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    let before = world.now();
    world.pass(mins(3)).await;
    hub.close(world.only().await.id, agent("anna")).await.unwrap();
    world.pass(hours(1)).await;
    let closed = world.only().await.closed;
    deliver(&hub, &[says("1", "b", "Не дошло вовремя").at_time(before + secs(1))]).await;
    let mut old = said_long_ago("1", "c", "Из истории");
    old.at = Some(before + secs(2));
    deliver(&hub, &[old]).await;
    let conversation = world.only().await;
    assert_eq!(conversation.closed, closed);
    assert_eq!(world.thread(&conversation).await.iter().filter(|m| m.status.is_none()).count(), 3);
}

#[tokio::test]
async fn edits_and_deletes_start_no_clock_and_no_rule() {
    let world = World::new();
    let hub = world.hub(EAGER).await;
    deliver(&hub, &[says("1", "a", "Добрый дент")]).await;
    answers(&hub, &world.only().await, "anna", "Здравствуйте").await;
    idle().await;
    let before = (world.texts(), world.clocks().await, world.only().await);
    world.pass(mins(1)).await;
    let content = Content::text("Добрый день");
    let edited = Edited { message: "a".into(), sender: sender("1"), content };
    deliver(&hub, &[event_of("1", "e", EventBody::Edited(edited))]).await;
    deliver(&hub, &[event_of("1", "d", EventBody::Deleted { messages: vec!["a".into()] })]).await;
    world.pass(days(2)).await;
    let after = world.only().await;
    assert_eq!((world.texts(), world.clocks().await), {
        let mut clocks = before.1;
        clocks.push("resolution breached".to_owned());
        (before.0, clocks)
    });
    assert_eq!(after.last_message_at, before.2.last_message_at);
    assert_eq!(after.flow.waits_since, None);
}

#[tokio::test]
async fn an_edit_does_not_put_auto_close_off() {
    let world = World::new();
    let hub = world.hub("channels.shop.auto_close = { after = '1h' }").await;
    deliver(&hub, &[says("1", "a", "Добрый дент")]).await;
    world.pass(mins(59)).await;
    let edited =
        Edited { message: "a".into(), sender: sender("1"), content: Content::text("Добрый день") };
    deliver(&hub, &[event_of("1", "e", EventBody::Edited(edited))]).await;
    world.pass(mins(1)).await;
    assert_eq!(world.closings().await.len(), 1);
}

#[tokio::test]
async fn a_greeting_that_history_drops_is_not_used_up() {
    let world = World::new();
    let book = r#"
        [channels.shop]
        scenario = "shop"
        [[scenarios.shop.rules]]
        name = "hello"
        on = "message"
        limit = { per_contact = 1 }
        do = [{ reply = "Здравствуйте! 😀" }]
    "#;
    let hub = world.hub(book).await;
    deliver(&hub, &[said_long_ago("1", "a", "Год назад")]).await;
    assert!(world.texts().is_empty());
    deliver(&hub, &[says("1", "b", "Добрый день")]).await;
    deliver(&hub, &[says("1", "c", "Ещё вопрос")]).await;
    assert_eq!(world.texts(), ["Здравствуйте! 😀"]);
}

#[tokio::test]
async fn a_message_is_late_from_the_very_moment_that_is_set() {
    for (age, late) in [(mins(30) - secs(1), false), (mins(30), true)] {
        let world = World::new();
        let hub = world.hub(EAGER).await;
        let now = world.now();
        deliver(&hub, &[says("1", "a", "Письмо с полдороги").at_time(now - age)]).await;
        assert_eq!(world.texts().is_empty(), late, "{age:?}: {:?}", world.texts());
        assert_eq!(world.clocks().await.is_empty(), late, "{age:?}");
    }
}

#[tokio::test]
async fn a_timer_that_a_late_message_started_says_nothing() {
    let world = World::new();
    let hub = world
        .hub(
            r#"
            [channels.shop]
            scenario = "main"
            late_after = "30m"
            [scenarios.main]
            rules = [
                { name = "start", on = "message", do = [{ timer = { name = "later", after = "5m" } }] },
                { name = "later", on = { timer = "later" }, do = [{ tag = "прошло" }, { reply = "Мы помним о вас" }] },
            ]
            "#,
        )
        .await;
    let before = world.now() - hours(1);
    deliver(&hub, &[says("1", "a", "Письмо с полдороги").at_time(before), says("2", "b", "Добрый день")])
        .await;
    world.pass(mins(5)).await;
    assert_eq!((world.with("1").await.tags.len(), world.with("2").await.tags.len()), (1, 1));
    assert_eq!((world.texts_to("1").len(), world.texts_to("2").len()), (0, 1));
    assert!(world.dropped("what it began with was late").await);
}

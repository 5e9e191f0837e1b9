//! Ends of conversations: by silence, by people, with words that never open them again.

use omni_core::capability::{Rate, RateChats};
use omni_core::conversation::{CloseReason, TimerKind};
use omni_core::error::RateScope;
use omni_core::event::{EventBody, Origin};
use omni_core::policy::{Action, Verb};

use crate::world::*;

const CLOSES: &str = r#"
    [channels.shop]
    returning = "new"
    auto_close = { after = "1h", text = "Закрываем обращение. Пишите ещё! 🙏" }
"#;

const BYE: &str = "Закрываем обращение. Пишите ещё! 🙏";

#[tokio::test]
async fn silence_closes_with_a_text_that_opens_nothing() {
    let world = World::new();
    let hub = world.hub(CLOSES).await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    world.pass(hours(1) - secs(1)).await;
    assert!(world.only().await.is_open());
    world.pass(secs(1)).await;
    assert_eq!(world.texts(), [BYE]);
    world.pass(days(3)).await;
    assert_eq!(world.closings().await, [CloseReason::Inactive]);
    assert!(world.only().await.timers.is_empty());
    assert_eq!(world.store.next_timer(&[shop()]).await.unwrap(), None);
}

#[tokio::test]
async fn an_echo_of_the_closing_text_opens_nothing() {
    let world = World::new();
    let hub = world.hub(CLOSES).await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    world.pass(hours(1)).await;
    // By the provider's id of our send, and once more with nothing but the words while the send is on its way.
    deliver(&hub, &[echo("1", "out-1", BYE)]).await;
    assert_eq!(world.only().await.closed.unwrap().reason, CloseReason::Inactive);

    world.provided.hold();
    deliver(&hub, &[says("2", "b", "Добрый день")]).await;
    world.pass(hours(1)).await;
    deliver(&hub, &[echo("2", "strange-id", BYE)]).await;
    world.provided.let_go();
    idle().await;
    assert!(!world.with("2").await.is_open());
    assert_eq!(world.all().await.len(), 2);
}

#[tokio::test]
async fn an_automatic_text_of_the_providers_own_opens_nothing() {
    let world = World::new();
    let hub = world.hub(CLOSES).await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    world.pass(hours(1)).await;
    let mut away = echo("1", "e", "Вас приветствует магазин (автоответ)");
    let EventBody::Echo(echo) = &mut away.body else { unreachable!() };
    echo.message.origin = Origin::Automatic;
    deliver(&hub, &[away]).await;
    let conversation = world.only().await;
    assert!(!conversation.is_open());
    assert_eq!(world.thread(&conversation).await.len(), 3, "and yet it is shown");
}

#[tokio::test]
async fn a_closing_text_is_dropped_when_the_person_writes_before_it_goes() {
    let world = World::new();
    let hub = world.hub(CLOSES).await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    // The timer has fired, and the text has not been handed over: the message is in the same tick of the clock.
    let now = world.now();
    world.clock.set(now + hours(1));
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
    deliver(&hub, &[says("1", "b", "Я ещё тут!")]).await;
    let open = world.with("1").await;
    assert!(open.is_open());
    let everything: usize = futures_util::future::join_all(world.all().await.iter().map(|c| world.thread(c)))
        .await
        .iter()
        .flatten()
        .filter(|m| m.status.is_none())
        .count();
    assert_eq!(everything, 2, "no message is lost");
}

#[tokio::test]
async fn a_message_while_closing_is_never_lost() {
    for returning in ["new", "reopen"] {
        let world = World::new();
        let hub = world.hub(&CLOSES.replace("\"new\"", &format!("\"{returning}\""))).await;
        deliver(&hub, &[says("1", "a", "Добрый день")]).await;
        let conversation = world.only().await;
        let channel = shop();
        let message = [says("1", "b", "И ещё вопрос ❓")];
        let close = hub.close(conversation.id, agent("anna"));
        let (closed, answer) = tokio::join!(close, hand_in(&hub, &channel, &message));
        closed.unwrap();
        assert_eq!(answer.status, 200);
        idle().await;
        let latest = world.with("1").await;
        assert!(latest.is_open(), "{returning}");
        let words: Vec<_> = world.thread(&latest).await.iter().map(|m| m.content.preview()).collect();
        assert!(words.contains(&"И ещё вопрос ❓".to_owned()), "{returning}: {words:?}");
    }
}

#[tokio::test]
async fn a_message_in_the_millisecond_of_the_auto_close_is_never_lost() {
    for first in [true, false] {
        let world = World::new();
        let hub = world.hub(CLOSES).await;
        deliver(&hub, &[says("1", "a", "Добрый день")]).await;
        world.clock.set(world.now() + hours(1));
        if !first {
            idle().await;
        }
        deliver(&hub, &[says("1", "b", "Подождите!")]).await;
        let latest = world.with("1").await;
        assert!(latest.is_open());
        assert_eq!(world.all().await.len(), if first { 1 } else { 2 });
    }
}

#[tokio::test]
async fn a_person_who_waits_for_us_is_never_closed_away_where_that_is_set() {
    let world = World::new();
    let book = CLOSES.replace("after = \"1h\"", "after = \"1h\", scope = \"waiting_for_customer\"");
    let hub = world.hub(&book).await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    world.pass(days(2)).await;
    let conversation = world.only().await;
    assert!(conversation.is_open());
    answers(&hub, &conversation, "anna", "Здравствуйте! Чем помочь?").await;
    idle().await;
    world.pass(hours(1)).await;
    assert!(!world.only().await.is_open());
    assert_eq!(world.texts(), ["Здравствуйте! Чем помочь?", BYE]);
}

#[tokio::test]
async fn a_snoozed_conversation_is_not_closed_by_silence() {
    let world = World::new();
    let hub = world.hub(CLOSES).await;
    deliver(&hub, &[says("1", "a", "Позвоните завтра")]).await;
    let conversation = world.only().await;
    hub.snooze(conversation.id, world.now() + hours(20), agent("anna")).await.unwrap();
    world.pass(hours(20) - secs(1)).await;
    assert!(world.only().await.is_open());
    world.pass(secs(1)).await;
    assert_eq!(world.notices().await[0].0, "awake");
    assert!(world.only().await.is_open(), "the silence begins when it is awake again");
    world.pass(hours(1)).await;
    assert_eq!(world.closings().await, [CloseReason::Inactive]);
}

#[tokio::test]
async fn a_message_ends_a_snooze() {
    let world = World::new();
    let hub = world.hub(CLOSES).await;
    deliver(&hub, &[says("1", "a", "Позвоните завтра")]).await;
    hub.snooze(world.only().await.id, world.now() + days(2), agent("anna")).await.unwrap();
    world.pass(hours(3)).await;
    deliver(&hub, &[says("1", "b", "Я передумал")]).await;
    assert_eq!(world.only().await.flow.snoozed, None);
    world.pass(hours(1)).await;
    assert_eq!(world.closings().await, [CloseReason::Inactive]);
}

#[tokio::test]
async fn a_snooze_that_is_over_before_it_began_is_none() {
    let world = World::new();
    let hub = world.hub(CLOSES).await;
    deliver(&hub, &[says("1", "a", "Позвоните вчера")]).await;
    hub.snooze(world.only().await.id, world.now() - hours(1), agent("anna")).await.unwrap();
    idle().await;
    assert_eq!(world.only().await.flow.snoozed, None);
    world.pass(hours(1)).await;
    assert_eq!(world.closings().await.len(), 1);
}

#[tokio::test]
async fn a_resumed_conversation_is_watched_again() {
    let world = World::new();
    let hub = world.hub(CLOSES).await;
    deliver(&hub, &[says("1", "a", "Жду деталь со склада")]).await;
    let id = world.only().await.id;
    hub.act(id, Action { by: agent("anna"), verb: Verb::Hold }).await.unwrap();
    world.pass(days(7)).await;
    assert!(world.only().await.is_open());
    hub.act(id, Action { by: agent("anna"), verb: Verb::Resume }).await.unwrap();
    idle().await;
    world.pass(hours(1)).await;
    assert_eq!(world.closings().await, [CloseReason::Inactive]);
    assert!(world.only().await.timer(TimerKind::Wake).is_none());
}

const SURVEY: &str = r#"
    [channels.shop]
    scenario = "main"
    returning = "new"
    grace = { within = "1d" }
    auto_close = { after = "1h", text = "До свидания!" }

    [scenarios.main]
    rules = [
        { name = "ask", on = "closed", do = [
            { reply = { text = "Оцените нас", buttons = [[
                { label = "👍", action = "press", data = "good" },
                { label = "👎", action = "press", data = "bad" },
            ]] } },
        ] },
        { name = "rated", on = "button", if = { button = ["good", "bad"] }, do = [
            { tag = "оценили" },
            { notify = { topic = "rated", text = "{{contact.name|?}}" } },
        ] },
    ]
"#;

#[tokio::test]
async fn a_survey_is_asked_once_a_closing_and_its_answer_opens_nothing() {
    let world = World::new();
    let hub = world.hub(SURVEY).await;
    deliver(&hub, &[says("1", "a", "Спасибо, всё")]).await;
    world.pass(hours(1)).await;
    assert_eq!(world.texts(), ["До свидания!", "Оцените нас"]);
    world.pass(hours(1)).await;
    deliver(&hub, &[presses("1", "p", "good")]).await;
    let conversation = world.only().await;
    assert!(!conversation.is_open());
    assert_eq!(conversation.tags, ["оценили"]);
    assert_eq!(world.notices().await, [("rated".to_owned(), "Клиент 1".to_owned())]);
    assert_eq!(world.thread(&conversation).await.last().unwrap().content.preview(), "⭐ good");
    world.pass(days(2)).await;
    assert_eq!(world.texts().len(), 2, "and nothing more is said");
    assert!(world.only().await.timers.is_empty());
}

#[tokio::test]
async fn a_key_of_the_survey_stays_with_it_whenever_it_is_pressed() {
    let world = World::new();
    let hub = world.hub(SURVEY).await;
    deliver(&hub, &[says("1", "a", "Спасибо, всё")]).await;
    hub.close(world.only().await.id, agent("anna")).await.unwrap();
    idle().await;
    assert_eq!(world.texts(), ["Оцените нас"]);
    world.pass(days(2)).await;
    deliver(&hub, &[presses("1", "p", "good")]).await;
    assert!(!world.only().await.is_open());
    deliver(&hub, &[presses("1", "q", "menu")]).await;
    assert_eq!(world.all().await.len(), 2, "another key asks for something new");
    assert!(world.with("1").await.is_open());
}

#[tokio::test]
async fn each_closing_asks_its_own_survey() {
    let world = World::new();
    let hub = world.hub(SURVEY).await;
    deliver(&hub, &[says("1", "a", "Раз")]).await;
    let id = world.only().await.id;
    hub.close(id, agent("anna")).await.unwrap();
    assert!(hub.close(id, agent("boris")).await.is_err(), "one closing is one");
    idle().await;
    hub.reopen(id, agent("anna")).await.unwrap();
    hub.close(id, agent("anna")).await.unwrap();
    idle().await;
    assert_eq!(world.texts(), ["Оцените нас", "Оцените нас"]);
}

#[tokio::test]
async fn a_rule_closes_with_its_own_status_and_text() {
    let world = World::new();
    let hub = world
        .hub(
            r#"
            [channels.shop]
            scenario = "main"
            [scenarios.main]
            rules = [{ name = "spam", on = "message", if = { word = "казино" }, do = [
                { close = { status = "spam", text = "Всего доброго" } },
            ] }]
            "#,
        )
        .await;
    deliver(&hub, &[says("1", "a", "Лучшее КАЗИНО! 🎰")]).await;
    assert_eq!(world.closings().await, [CloseReason::Other("spam".to_owned())]);
    assert_eq!(world.texts(), ["Всего доброго"]);
    assert!(!world.only().await.is_open());
}

#[tokio::test]
async fn a_message_moves_no_timer_and_silence_closes_in_time_all_the_same() {
    let world = World::new();
    let hub = world.hub(CLOSES).await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    let before = world.only().await.timers;
    world.pass(mins(30)).await;
    deliver(&hub, &[says("1", "b", "И вот ещё что")]).await;
    assert_eq!(world.only().await.timers, before, "it looks again when it fires");
    world.pass(hours(1) - secs(1)).await;
    assert!(world.only().await.is_open());
    world.pass(secs(1)).await;
    assert_eq!(world.closings().await, [CloseReason::Inactive]);
}

#[tokio::test]
async fn the_silence_begins_when_it_is_taken_up_again() {
    let world = World::new();
    let hub = world.hub(CLOSES).await;
    deliver(&hub, &[says("1", "a", "Жду деталь со склада")]).await;
    let id = world.only().await.id;
    hub.act(id, Action { by: agent("anna"), verb: Verb::Hold }).await.unwrap();
    world.pass(days(7)).await;
    hub.act(id, Action { by: agent("anna"), verb: Verb::Resume }).await.unwrap();
    idle().await;
    world.pass(hours(1) - secs(1)).await;
    assert!(world.only().await.is_open());
    world.pass(secs(1)).await;
    assert_eq!(world.closings().await, [CloseReason::Inactive]);
}

/// A closing text that waits for its turn in the chat: it is queued after an hour and goes after two.
async fn closing_text_waits(returning: &str) -> (World, omni_hub::Hub) {
    let world = World::new();
    let book = CLOSES.replace("\"new\"", &format!("\"{returning}\"\nauto_replies = ['Здравствуйте!']"));
    let hub = world
        .hub_with(&book, |c| {
            let (scope, chats) = (RateScope::Chat, RateChats::All);
            c.rates = vec![Rate { scope, chats, burst: 1, every: hours(2) }];
        })
        .await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    world.pass(hours(1) + mins(10)).await;
    assert!(!world.only().await.is_open());
    assert_eq!(world.texts(), ["Здравствуйте!"]);
    (world, hub)
}

#[tokio::test]
async fn a_closing_text_is_dropped_when_something_new_has_begun_meanwhile() {
    let (world, hub) = closing_text_waits("new").await;
    deliver(&hub, &[says("1", "b", "Ещё вопрос")]).await;
    assert_eq!(world.all().await.len(), 2);
    world.pass(mins(50)).await;
    world.slowly(mins(1)).await;
    assert!(!world.texts().contains(&BYE.to_owned()), "{:?}", world.texts());
    assert!(world.dropped("the talk went on after the closing").await);
}

#[tokio::test]
async fn a_closing_text_is_dropped_when_the_talk_went_on_and_ended_again() {
    let (world, hub) = closing_text_waits("reopen").await;
    deliver(&hub, &[says("1", "b", "Ещё вопрос")]).await;
    hub.close(world.only().await.id, agent("anna")).await.unwrap();
    world.pass(mins(50)).await;
    world.slowly(mins(1)).await;
    assert!(!world.texts().contains(&BYE.to_owned()), "{:?}", world.texts());
    assert!(world.dropped("the talk went on after the closing").await);
}

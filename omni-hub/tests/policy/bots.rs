//! Bots: asked with the talk so far; a person goes before them, and whatever goes wrong hands over to people.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use omni_core::conversation::{Actor, CloseReason};
use omni_core::error::{Error, ErrorKind};
use omni_core::period::Period;
use omni_core::policy::book::{Cancel, Do, Handover, Say, Wait};
use omni_core::policy::{BotReply, Verdict};
use omni_hub::{Bot, HostEvent, Hub, Question};
use tokio::sync::oneshot;

use crate::world::*;

/// What a bot in a test does with a question.
enum Will {
    Say(&'static str),
    HandOver(&'static str),
    Fail,
    Panic,
    /// Answers when it is let.
    Wait(oneshot::Receiver<BotReply>),
}

/// A bot that does one thing after the other, and keeps what it was asked.
#[derive(Clone, Default)]
struct Scripted(Arc<Mutex<(VecDeque<Will>, Vec<Question>)>>);

impl std::fmt::Debug for Scripted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scripted")
    }
}

impl Scripted {
    fn asked(&self) -> Vec<Question> {
        self.0.lock().unwrap().1.clone()
    }
}

fn say(text: &str) -> Do {
    Do::Reply(Say::text(text))
}

#[async_trait]
impl Bot for Scripted {
    async fn answer(&self, question: &Question) -> Result<BotReply, Error> {
        let will = {
            let mut state = self.0.lock().unwrap();
            state.1.push(question.clone());
            state.0.pop_front().unwrap()
        };
        match will {
            Will::Say(text) => Ok(BotReply::Steps(vec![say(text)])),
            Will::HandOver(text) => Ok(BotReply::HandOver(vec![say(text)])),
            Will::Fail => Err(Error::new(ErrorKind::Unavailable, "bot").with_text("модель не отвечает")),
            Will::Panic => panic!("the bot panics, as told"),
            Will::Wait(reply) => Ok(reply.await.unwrap()),
        }
    }
}

const WITH_BOT: &str = r#"
    agents.anna = {}
    [teams.people]
    members = ["anna"]
    [bots.luna]
    timeout = "20s"
    hand_over = "people"
    memory = 3
    [channels.shop]
    receiver = { bot = "luna" }
    clocks = { first_response = { within = "1h" } }
"#;

async fn asked(will: impl IntoIterator<Item = Will>) -> (World, Hub, Scripted) {
    let world = World::new();
    let hub = world.hub(WITH_BOT).await;
    let bot = Scripted(Arc::new(Mutex::new((will.into_iter().collect(), Vec::new()))));
    hub.add_bot("luna", bot.clone());
    (world, hub, bot)
}

#[tokio::test]
async fn a_bot_holds_a_talk_with_what_was_said_before_it() {
    let (world, hub, bot) = asked([Will::Say("Здравствуйте! Я Луна 🌙"), Will::Say("Сейчас посмотрю")]).await;
    deliver(&hub, &[says("1", "a", "Привет")]).await;
    deliver(&hub, &[says("1", "b", "Где заказ?")]).await;
    assert_eq!(world.texts(), ["Здравствуйте! Я Луна 🌙", "Сейчас посмотрю"]);
    let second = &bot.asked()[1];
    let words: Vec<_> = second.messages.iter().map(|m| m.content.preview()).collect();
    assert_eq!(words, ["Привет", "Здравствуйте! Я Луна 🌙", "Где заказ?"]);
    assert_eq!(second.contact.as_ref().unwrap().profile.name.as_deref(), Some("Клиент 1"));
    assert_eq!(world.owner().await, "bot luna");
    assert_eq!(world.only().await.first_response_at, None, "a bot is no person");
}

#[tokio::test]
async fn a_person_who_takes_over_while_the_bot_thinks_is_not_talked_over() {
    for answers_first in [true, false] {
        let (let_go, waits) = oneshot::channel();
        let (world, hub, _bot) = asked([Will::Wait(waits)]).await;
        deliver(&hub, &[says("1", "a", "Привет")]).await;
        let conversation = world.only().await;
        if answers_first {
            answers(&hub, &conversation, "anna", "Это я, Анна").await;
        } else {
            hub.take(conversation.id, "anna").await.unwrap();
        }
        let _ = let_go.send(BotReply::HandOver(vec![say("Я Луна")]));
        idle().await;
        world.pass(mins(5)).await;
        assert!(!world.texts().contains(&"Я Луна".to_owned()));
        assert_eq!(world.owner().await, "anna");
        assert!(world.only().await.flow.ask.is_none());
        assert!(world.dropped("late").await, "{}", world.traces().await);
    }
}

#[tokio::test]
async fn a_bot_that_fails_panics_or_is_not_there_hands_over_at_once() {
    for (will, why) in
        [(Some(Will::Fail), "модель не отвечает"), (Some(Will::Panic), "panicked"), (None, "no program")]
    {
        let world = World::new();
        let hub = world.hub(WITH_BOT).await;
        if let Some(will) = will {
            hub.add_bot("luna", Scripted(Arc::new(Mutex::new(([will].into(), Vec::new())))));
        }
        deliver(&hub, &[says("1", "a", "Привет")]).await;
        assert_eq!(world.owner().await, "team people", "{why}");
        assert!(world.why(Verdict::Applied, why).await, "{}", world.traces().await);
        deliver(&hub, &[says("1", "b", "Алло?")]).await;
        assert_eq!(world.owner().await, "team people", "the bot is not asked again");
    }
}

#[tokio::test]
async fn a_slow_bot_hands_over_and_its_late_answer_is_dropped() {
    let (let_go, waits) = oneshot::channel();
    let (world, hub, _bot) = asked([Will::Wait(waits)]).await;
    deliver(&hub, &[says("1", "a", "Привет")]).await;
    world.pass(secs(19)).await;
    assert_eq!(world.owner().await, "bot luna");
    world.pass(secs(1)).await;
    assert_eq!(world.owner().await, "team people");
    assert!(world.why(Verdict::Applied, "did not answer in time").await);
    let _ = let_go.send(BotReply::Steps(vec![say("А вот и я")]));
    world.pass(mins(1)).await;
    assert!(world.texts().is_empty());
}

#[tokio::test]
async fn a_bot_hands_over_after_its_last_words() {
    let (world, hub, _bot) = asked([Will::HandOver("Зову человека 🧑")]).await;
    deliver(&hub, &[says("1", "a", "Дайте человека!")]).await;
    assert_eq!(world.texts(), ["Зову человека 🧑"]);
    assert_eq!(world.owner().await, "team people");
    assert!(world.only().await.flow.queue.is_some());
}

#[tokio::test]
async fn a_message_while_the_bot_thinks_asks_it_anew_and_the_older_answer_is_dropped() {
    let (let_go, waits) = oneshot::channel();
    let (world, hub, bot) = asked([Will::Wait(waits), Will::Say("Отвечаю на всё")]).await;
    deliver(&hub, &[says("1", "a", "Привет")]).await;
    deliver(&hub, &[says("1", "b", "И ещё")]).await;
    let _ = let_go.send(BotReply::Steps(vec![say("Отвечаю на первое")]));
    idle().await;
    assert_eq!(world.texts(), ["Отвечаю на всё"]);
    assert_eq!(bot.asked().len(), 2);
}

#[tokio::test]
async fn an_answer_after_the_closing_is_dropped() {
    let (let_go, waits) = oneshot::channel();
    let (world, hub, _bot) = asked([Will::Wait(waits)]).await;
    deliver(&hub, &[says("1", "a", "Привет")]).await;
    hub.close(world.only().await.id, agent("anna")).await.unwrap();
    let _ = let_go.send(BotReply::Steps(vec![say("Привет!")]));
    idle().await;
    assert!(world.texts().is_empty() && !world.only().await.is_open());
    assert!(world.only().await.flow.ask.is_none());
}

#[tokio::test]
async fn a_bot_of_after_hours_answers_then_and_not_by_day() {
    let world = World::at("2026-01-12T14:00:00Z");
    let hub = world
        .hub(
            r#"
            zone = "Europe/Moscow"
            hours.desk = { weekdays = ["09:00-18:00"] }
            bots.owl = {}
            [channels.shop]
            hours = "desk"
            after_hours = { bot = "owl" }
            "#,
        )
        .await;
    let bot = Scripted(Arc::new(Mutex::new(([Will::Say("Угу 🦉")].into(), Vec::new()))));
    hub.add_bot("owl", bot.clone());
    deliver(&hub, &[says("1", "a", "Привет")]).await;
    assert!(bot.asked().is_empty());
    world.pass(hours(2)).await;
    deliver(&hub, &[says("1", "b", "Кто тут?")]).await;
    assert_eq!(world.texts(), ["Угу 🦉"]);
}

#[tokio::test]
async fn two_bots_that_talk_to_each_other_end_with_a_person() {
    let world = World::new();
    let hub = world.hub(&format!("{WITH_BOT}\nloop_guard = {{ bot_texts = 4, within = '10m' }}")).await;
    let will = (0..50).map(|_| Will::Say("Чем ещё помочь?")).collect();
    hub.add_bot("luna", Scripted(Arc::new(Mutex::new((will, Vec::new())))));
    for n in 0..10 {
        deliver(&hub, &[says("1", &format!("m{n}"), "Выберите пункт меню")]).await;
    }
    assert_eq!(world.texts().len(), 4);
    assert_eq!(world.owner().await, "team people");
}

#[tokio::test]
async fn what_a_bot_wants_is_done_in_its_name() {
    let (let_go, waits) = oneshot::channel();
    let (world, hub, _bot) = asked([Will::Wait(waits)]).await;
    deliver(&hub, &[says("1", "a", "Возврат!")]).await;
    let steps = vec![Do::Tag("возврат".to_owned().into()), Do::Assign(Handover::Agent("anna".into()))];
    let _ = let_go.send(BotReply::Steps(steps));
    idle().await;
    assert_eq!(world.owner().await, "anna");
    let by = world.told(|e| match e {
        HostEvent::Tagged { by, .. } => Some(format!("{by:?}")),
        _ => None,
    });
    assert!(by.await[0].contains("luna"));
}

#[tokio::test]
async fn a_question_of_a_node_that_died_is_taken_over_by_people() {
    let (_let_go, waits) = oneshot::channel();
    let (world, hub, _bot) = asked([Will::Wait(waits)]).await;
    deliver(&hub, &[says("1", "a", "Привет")]).await;
    hub.shutdown();
    idle().await;
    let second = world.hub(WITH_BOT).await;
    world.pass(mins(1)).await;
    assert_eq!(world.owner().await, "team people");
    drop(second);
}

#[tokio::test]
async fn an_older_answer_is_dropped_while_the_newer_question_is_open() {
    let (first, waits) = oneshot::channel();
    let (second, waits_too) = oneshot::channel();
    let (world, hub, _bot) = asked([Will::Wait(waits), Will::Wait(waits_too)]).await;
    deliver(&hub, &[says("1", "a", "Привет")]).await;
    deliver(&hub, &[says("1", "b", "И ещё")]).await;
    let _ = first.send(BotReply::Steps(vec![say("Отвечаю на первое")]));
    idle().await;
    assert!(world.texts().is_empty(), "{:?}", world.texts());
    assert_eq!(world.only().await.flow.ask.map(|ask| ask.id), Some(2), "the newer question stays open");
    let _ = second.send(BotReply::Steps(vec![say("Отвечаю на всё")]));
    idle().await;
    assert_eq!(world.texts(), ["Отвечаю на всё"]);
}

#[tokio::test]
async fn texts_of_rules_and_of_bots_are_counted_apart() {
    let world = World::new();
    let hub = world
        .hub(&format!(
            r#"{WITH_BOT}
            scenario = "main"
            loop_guard = {{ texts = 3, bot_texts = 3, within = "10m" }}
            [scenarios.main]
            rules = [{{ name = "hint", on = "message", do = [{{ reply = "Меню внизу 👇" }}] }}]
            "#
        ))
        .await;
    let will = (0..3).map(|_| Will::Say("Слушаю")).collect();
    hub.add_bot("luna", Scripted(Arc::new(Mutex::new((will, Vec::new())))));
    for n in 0..3 {
        deliver(&hub, &[says("1", &format!("m{n}"), "Алло")]).await;
    }
    assert_eq!(
        world.texts(),
        ["Меню внизу 👇", "Слушаю", "Меню внизу 👇", "Слушаю", "Меню внизу 👇", "Слушаю"]
    );
    assert_eq!(world.owner().await, "bot luna");
}

#[tokio::test]
async fn a_person_who_owes_a_bot_an_answer_is_silent() {
    let world = World::new();
    let hub = world
        .hub(&format!(
            r#"{WITH_BOT}
            scenario = "main"
            auto_close = {{ after = "2h", scope = "waiting_for_customer" }}
            [scenarios.main]
            rules = [{{ name = "lost", on = {{ silent = {{ of = "customer", for = "1h" }} }}, do = [{{ tag = "молчит" }}] }}]
            "#
        ))
        .await;
    let (let_go, waits) = oneshot::channel();
    hub.add_bot("luna", Scripted(Arc::new(Mutex::new(([Will::Wait(waits)].into(), Vec::new())))));
    deliver(&hub, &[says("1", "a", "Есть футболки? 👕")]).await;
    world.pass(secs(1)).await;
    let _ = let_go.send(BotReply::Steps(vec![say("Какой размер?")]));
    idle().await;
    world.pass(hours(1) - secs(1)).await;
    assert!(world.only().await.tags.is_empty());
    world.pass(secs(1)).await;
    assert_eq!(world.only().await.tags, ["молчит"]);
    world.pass(hours(1)).await;
    assert_eq!(world.closings().await, [CloseReason::Inactive]);
}

#[tokio::test]
async fn a_bot_that_hands_over_what_waits_already_leaves_it_in_its_queue() {
    let world = World::at("2026-01-12T19:00:00Z");
    let hub = world
        .hub(
            r#"
            zone = "Europe/Moscow"
            hours.desk = { weekdays = ["09:00-18:00"] }
            agents.anna = {}
            teams.sales = { members = ["anna"] }
            teams.people = { members = ["anna"] }
            bots.owl = { hand_over = "people" }
            [channels.shop]
            receiver = { team = "sales" }
            hours = "desk"
            after_hours = { bot = "owl" }
            "#,
        )
        .await;
    let bot = Scripted(Arc::new(Mutex::new(([Will::HandOver("Утром ответят 🌅")].into(), Vec::new()))));
    hub.add_bot("owl", bot);
    deliver(&hub, &[says("1", "a", "Кто тут?")]).await;
    assert_eq!(world.texts(), ["Утром ответят 🌅"]);
    assert_eq!(world.owner().await, "team sales");
    assert!(world.only().await.flow.queue.unwrap().passed.is_empty());
}

#[tokio::test]
async fn what_a_bot_puts_off_is_said_in_its_name() {
    let (let_go, waits) = oneshot::channel();
    let (world, hub, _bot) = asked([Will::Wait(waits)]).await;
    deliver(&hub, &[says("1", "a", "Напомните мне")]).await;
    let wait = Wait { lasting: Period::mins(10), unless: Cancel::Never };
    let _ = let_go.send(BotReply::Steps(vec![Do::Wait(wait), say("Напоминаю ⏰")]));
    idle().await;
    world.pass(mins(10)).await;
    let thread = world.thread(&world.only().await).await;
    assert_eq!(thread[1].content.preview(), "Напоминаю ⏰");
    assert_eq!(thread[1].author, Actor::Bot { bot: "luna".into() });
}

#[tokio::test]
async fn a_bot_that_handed_over_is_asked_again_after_the_closing() {
    let world = World::new();
    let book = WITH_BOT.replace("hand_over = \"people\"", "") + "returning = 'reopen'";
    let hub = world.hub(&book).await;
    let will = [Will::HandOver("Зову человека"), Will::Say("Снова здравствуйте!")].into();
    let bot = Scripted(Arc::new(Mutex::new((will, Vec::new()))));
    hub.add_bot("luna", bot.clone());
    deliver(&hub, &[says("1", "a", "Дайте человека!")]).await;
    deliver(&hub, &[says("1", "b", "Ау")]).await;
    assert_eq!((world.owner().await.as_str(), bot.asked().len()), ("nobody", 1));
    hub.close(world.only().await.id, agent("anna")).await.unwrap();
    deliver(&hub, &[says("1", "c", "Новый вопрос")]).await;
    assert_eq!(world.owner().await, "bot luna");
    assert_eq!(world.texts(), ["Зову человека", "Снова здравствуйте!"]);
}

//! Texts that are sent by themselves: against a person's answer, against other programs, against a burst.

use omni_core::capability::{Capabilities, Rate, RateChats};
use omni_core::content::Content;
use omni_core::error::RateScope;
use omni_core::event::{EventBody, Message};
use omni_core::id::AlbumId;
use omni_core::policy::Verdict;

use crate::world::*;

const DELAYED: &str = r#"
    [channels.shop]
    auto_replies = [{ text = "Скоро ответим, {{contact.name|друг}} 🙌", delay = "5m" }]
    clocks = { first_response = { within = "1h" } }
"#;

const SOON: &str = "Скоро ответим, Клиент 1 🙌";

fn slow(capabilities: &mut Capabilities) {
    let chat = Rate { scope: RateScope::Chat, chats: RateChats::All, burst: 1, every: secs(10) };
    capabilities.rates = vec![chat];
}

fn millis(n: u64) -> std::time::Duration {
    std::time::Duration::from_millis(n)
}

#[tokio::test]
async fn a_delayed_reply_goes_at_its_moment_and_once() {
    let world = World::new();
    let hub = world.hub(DELAYED).await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    world.pass(mins(5) - millis(1)).await;
    assert!(world.texts().is_empty());
    world.pass(millis(1)).await;
    assert_eq!(world.texts(), [SOON]);
    deliver(&hub, &[says("1", "b", "Вы тут?")]).await;
    world.pass(hours(2)).await;
    assert_eq!(world.texts(), [SOON]);
}

#[tokio::test]
async fn an_answer_a_millisecond_before_the_delayed_reply_is_the_only_one() {
    let world = World::new();
    let hub = world.hub(DELAYED).await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    world.pass(mins(5) - millis(1)).await;
    answers(&hub, &world.only().await, "anna", "Здравствуйте!").await;
    world.pass(mins(30)).await;
    assert_eq!(world.texts(), ["Здравствуйте!"]);
    assert!(world.dropped("a person answered").await, "{}", world.traces().await);
}

#[tokio::test]
async fn an_answer_in_the_same_millisecond_before_the_timer_is_the_only_one() {
    let world = World::new();
    let hub = world.hub(DELAYED).await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    let conversation = world.only().await;
    world.clock.set(world.now() + mins(5));
    // The timer is due, and has not fired yet.
    answers(&hub, &conversation, "anna", "Здравствуйте!").await;
    idle().await;
    world.pass(mins(30)).await;
    assert_eq!(world.texts(), ["Здравствуйте!"]);
}

#[tokio::test]
async fn an_answer_in_the_same_millisecond_behind_the_timer_is_the_only_one() {
    let world = World::new();
    let with_first = DELAYED.replace("auto_replies = [", "auto_replies = [\"Привет! 👋\", ");
    let hub = world
        .hub_with(&with_first, |c| {
            slow(c);
            // The chat is busy until long after the delayed text is due.
            c.rates[0].every = mins(10);
        })
        .await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    world.pass(mins(5)).await;
    assert_eq!(world.texts(), ["Привет! 👋"], "the delayed text is queued and waits for its turn");
    answers(&hub, &world.only().await, "anna", "Здравствуйте!").await;
    world.pass(mins(5)).await;
    world.slowly(mins(11)).await;
    assert_eq!(world.texts(), ["Привет! 👋", "Здравствуйте!"]);
    assert!(world.dropped("a person answered meanwhile").await);
}

#[tokio::test]
async fn an_automatic_text_is_no_first_response_and_stops_no_clock() {
    let world = World::new();
    let hub = world.hub(DELAYED).await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    world.pass(mins(10)).await;
    assert_eq!(world.texts(), [SOON]);
    let conversation = world.only().await;
    assert_eq!(conversation.first_response_at, None);
    assert!(conversation.waits());
    assert_eq!(conversation.flow.waits_since, conversation.last_inbound_at);
    assert_eq!(world.clocks().await, ["first_response started"]);
    world.pass(mins(50)).await;
    assert_eq!(world.clocks().await, ["first_response started", "first_response breached"]);
    answers(&hub, &conversation, "anna", "Простите за ожидание").await;
    let conversation = world.only().await;
    assert_eq!(conversation.first_response_at, Some(world.now()));
    assert_eq!(world.clocks().await.last().unwrap(), "first_response met");
}

const PER_MESSAGE: &str = r#"
    [channels.shop]
    auto_replies = [{ text = "Спасибо за сообщение", per = "message" }]
    loop_guard = { texts = 5, within = "10m" }
"#;

#[tokio::test]
async fn two_programs_that_answer_each_other_stop() {
    let world = World::new();
    let hub = world.hub(PER_MESSAGE).await;
    // The other side answers each of our texts and does not say that it is a program.
    let mut heard = 0;
    deliver(&hub, &[says("1", "m0", "Я сейчас за рулём 🚗")]).await;
    for n in 1..100 {
        let said = world.texts().len();
        if said == heard {
            break;
        }
        heard = said;
        world.pass(secs(1)).await;
        deliver(&hub, &[says("1", &format!("m{n}"), "Я сейчас за рулём 🚗")]).await;
    }
    assert_eq!(world.texts().len(), 5);
    assert!(world.dropped("too many automatic texts").await);
    assert_eq!(world.notices().await.len(), 1, "a person is told: {:?}", world.notices().await);
    assert_eq!(world.all().await.len(), 1);
}

#[tokio::test]
async fn a_program_that_says_so_is_not_answered_at_all() {
    let world = World::new();
    let hub = world.hub(PER_MESSAGE).await;
    let mut event = says("1", "a", "Автоответ: я в отпуске 🏖");
    let EventBody::Message(message) = &mut event.body else { unreachable!() };
    message.origin = omni_core::event::Origin::Automatic;
    deliver(&hub, &[event]).await;
    assert!(world.texts().is_empty());
    assert!(world.dropped("a program wrote it").await);
    deliver(&hub, &[says("1", "b", "А теперь я сам")]).await;
    assert_eq!(world.texts().len(), 1, "a person is");
}

#[tokio::test]
async fn a_delayed_text_is_not_said_to_a_program_that_wrote_meanwhile() {
    let world = World::new();
    let hub = world.hub(DELAYED).await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    let mut event = says("1", "b", "Автоответ");
    let EventBody::Message(message) = &mut event.body else { unreachable!() };
    message.origin = omni_core::event::Origin::Automatic;
    deliver(&hub, &[event]).await;
    world.pass(mins(6)).await;
    assert!(world.texts().is_empty());
    assert!(world.dropped("programs are not answered").await);
}

const GREETS: &str = r#"
    [agents.anna]
    [agents.boris]

    [teams.sales]
    members = ["anna", "boris"]
    distribution = "round_robin"

    [scenarios.main]
    rules = [
        { name = "greet", on = "opened", do = [{ reply = "Здравствуйте! 👋" }, { assign = { team = "sales" } }] },
    ]

    [channels.shop]
    scenario = "main"
"#;

#[tokio::test]
async fn a_burst_of_first_messages_is_one_conversation_one_greeting_one_assignment() {
    let world = World::new();
    let hub = world.hub(GREETS).await;
    online(&hub, &["anna", "boris"]).await;
    let channel = shop();
    let bursts: Vec<_> = (0..20).map(|n| vec![says("1", &format!("m{n}"), "Алло? 📞")]).collect();
    let answers =
        futures_util::future::join_all(bursts.iter().map(|events| hand_in(&hub, &channel, events))).await;
    assert!(answers.iter().all(|a| a.status == 200));
    idle().await;
    assert_eq!(world.only().await.counts.inbound, 20);
    assert_eq!(world.texts(), ["Здравствуйте! 👋"]);
    assert_eq!(world.assigned().await, ["team sales", "anna"]);
}

#[tokio::test]
async fn an_album_is_one_message_one_greeting_one_assignment() {
    let world = World::new();
    let hub = world.hub(&GREETS.replace("on = \"opened\"", "on = \"message\"")).await;
    online(&hub, &["anna", "boris"]).await;
    let part = |n: usize| {
        let mut message = Message::new(format!("p{n}"), sender("1"), Content::text(format!("фото {n} 📷")));
        message.album = Some(AlbumId::from("album"));
        event_of("1", &format!("p{n}"), EventBody::Message(message))
    };
    deliver(&hub, &(0..6).map(part).collect::<Vec<_>>()).await;
    assert_eq!(world.only().await.counts.inbound, 1);
    assert_eq!(world.texts(), ["Здравствуйте! 👋"]);
    assert_eq!(world.assigned().await, ["team sales", "anna"]);
}

#[tokio::test]
async fn after_hours_texts_follow_the_hours_and_the_scenario_may_too() {
    let world = World::at("2026-01-12T16:00:00Z");
    let hub = world
        .hub(
            r#"
            zone = "Europe/Moscow"
            hours.desk = { weekdays = ["09:00-18:00"] }
            scenarios.main.rules = [
                { name = "late", on = "message", if = { outside = "desk" }, do = [{ tag = "ночь 🌙" }] },
                { name = "day", on = "message", if = { inside = "desk" }, do = [{ tag = "день ☀️" }] },
            ]
            [channels.shop]
            scenario = "main"
            hours = "desk"
            auto_replies = ["Отвечаем за пять минут"]
            after_hours = { replies = ["Откроемся в девять"] }
            "#,
        )
        .await;
    deliver(&hub, &[says("1", "a", "Есть кто?")]).await;
    assert_eq!(world.texts(), ["Откроемся в девять"]);
    assert_eq!(world.only().await.tags, ["ночь 🌙"]);
    world.until("2026-01-13T06:00:00Z").await;
    deliver(&hub, &[says("1", "b", "А сейчас?")]).await;
    assert_eq!(world.texts(), ["Откроемся в девять", "Отвечаем за пять минут"]);
    assert_eq!(world.only().await.tags, ["ночь 🌙", "день ☀️"]);
}

#[tokio::test]
async fn a_text_with_an_unknown_variable_is_not_sent_and_says_so() {
    let world = World::new();
    let hub = world
        .hub(
            r#"
            [channels.shop]
            auto_replies = ["Ваш город: {{contact.fields.city}}", "Привет, {{contact.name|друг}}!"]
            "#,
        )
        .await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    assert_eq!(world.texts(), ["Привет, Клиент 1!"]);
    assert!(world.why(Verdict::Dropped, "has no value here and no fallback").await);
}

#[tokio::test]
async fn the_loop_guards_time_runs_from_the_first_text_and_then_begins_anew() {
    let world = World::new();
    let hub = world.hub(&PER_MESSAGE.replace("texts = 5", "texts = 2")).await;
    let mut said = Vec::new();
    for n in 0..5 {
        deliver(&hub, &[says("1", &format!("m{n}"), "Алло")]).await;
        said.push(world.texts().len());
        world.pass(mins(3)).await;
    }
    // At 0, 3, 6, 9 and 12 minutes: two, none, none, and a new ten minutes.
    assert_eq!(said, [1, 2, 2, 2, 3]);
}

#[tokio::test]
async fn messages_while_a_delayed_text_is_on_its_way_get_that_one() {
    let world = World::new();
    let hub = world.hub(&DELAYED.replace("delay =", "per = \"message\", delay =")).await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    world.pass(mins(1)).await;
    deliver(&hub, &[says("1", "b", "Вы тут?")]).await;
    world.pass(hours(1)).await;
    assert_eq!(world.texts(), [SOON]);
    deliver(&hub, &[says("1", "c", "Ау")]).await;
    world.pass(mins(5)).await;
    assert_eq!(world.texts(), [SOON, SOON]);
}

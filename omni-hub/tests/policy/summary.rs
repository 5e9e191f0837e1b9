//! What a host reads in the log: the summary of a closing, the cause of everything, the same in every run.

use omni_core::content::Content;
use omni_core::conversation::{Actor, CloseReason, Owner, Summary};
use omni_core::event::{EventBody, Message};
use omni_core::link::Referral;
use omni_core::policy::{Action, BotAnswer, Verb, Verdict};
use omni_hub::{Entry, HostEvent};

use crate::world::*;

const FULL: &str = r#"
    agents.anna = {}
    teams.sales = { members = ["anna"], distribution = "round_robin" }
    [channels.shop]
    receiver = { team = "sales" }
    scenario = "main"
    auto_replies = ["Скоро ответим"]
    auto_close = { after = "1d", text = "Закрываем" }
    clocks = { first_response = { within = "1m" } }
    [scenarios.main]
    rules = [
        { name = "greet", on = "opened", do = [{ reply = "Здравствуйте" }, { set = { order = "№ 5" } }, { tag = "новый" }] },
        { name = "later", on = "message", do = [{ wait = "2m" }, { note = "два раза по минуте" }, { notify = { topic = "t" } }] },
        { name = "bye", on = "closed", do = [{ reply = "Оцените нас" }] },
    ]
"#;

async fn summary(world: &World) -> Summary {
    let closed = world.told(|e| match e {
        HostEvent::Closed { summary, .. } => Some((**summary).clone()),
        _ => None,
    });
    closed.await.pop().unwrap()
}

#[tokio::test]
async fn a_closing_says_all_that_a_report_wants_to_know() {
    let world = World::new();
    let hub = world.hub(FULL).await;
    online(&hub, &["anna"]).await;
    let mut message = Message::new("a", sender("1"), Content::text("Увидел рекламу 📺"));
    message.referral = Some(Referral { ad: Some("ad-42".to_owned()), ..Referral::default() });
    deliver(&hub, &[event_of("1", "a", EventBody::Message(message))]).await;
    world.pass(secs(90)).await;
    answers(&hub, &world.only().await, "anna", "Чем помочь?").await;
    world.pass(mins(5)).await;
    let verb = Verb::Close { reason: CloseReason::Other("продажа".to_owned()) };
    hub.act(world.only().await.id, Action { by: agent("anna"), verb }).await.unwrap();
    let summary = summary(&world).await;
    assert_eq!(summary.reason, CloseReason::Other("продажа".to_owned()));
    assert_eq!((summary.duration_ms, summary.first_response_ms), (390_000, Some(90_000)));
    assert_eq!((summary.counts.inbound, summary.counts.by_people, summary.counts.automatic), (1, 1, 2));
    assert_eq!(summary.referral.unwrap().ad.as_deref(), Some("ad-42"));
    assert_eq!(summary.owner, Owner::Agent { agent: "anna".into() });
    assert_eq!(summary.tags, ["новый"]);
    assert_eq!(summary.fields["order"], "№ 5");
}

#[tokio::test]
async fn a_closing_without_an_answer_says_that_there_was_none() {
    let world = World::new();
    let hub = world.hub(FULL).await;
    deliver(&hub, &[says("1", "a", "Раз")]).await;
    world.pass(days(2)).await;
    let summary = summary(&world).await;
    assert_eq!((summary.reason, summary.first_response_ms), (CloseReason::Inactive, None));
    assert_eq!(summary.duration_ms, 86_400_000);
}

/// What rules have done, without a rule that says so in the traces up to it.
fn without_cause(log: &[Entry]) -> Vec<String> {
    let mut applied: Vec<(Option<omni_core::id::ConversationId>, String)> = Vec::new();
    let mut missing = Vec::new();
    for entry in log {
        for step in entry.why.steps.iter().filter(|s| s.verdict == Verdict::Applied) {
            applied.push((entry.conversation, step.rule.to_string()));
        }
        let by = match &entry.event {
            HostEvent::Queued { message } => Some(&message.author),
            HostEvent::Assigned { by, .. } | HostEvent::Tagged { by, .. } | HostEvent::Noted { by, .. } => {
                Some(by)
            }
            HostEvent::Closed { snapshot, .. } => snapshot.closed.as_ref().map(|c| &c.by),
            _ => None,
        };
        let Some(Actor::Rule { rule }) = by else { continue };
        if !applied.contains(&(entry.conversation, rule.clone())) {
            missing.push(format!("{:?} by {rule}", entry.event));
        }
    }
    missing
}

#[tokio::test]
async fn everything_a_rule_does_has_a_cause_in_a_trace() {
    let world = World::new();
    let hub = world.hub(FULL).await;
    online(&hub, &["anna"]).await;
    deliver(&hub, &[says("1", "a", "Раз")]).await;
    world.pass(mins(3)).await;
    world.pass(days(2)).await;
    let log = world.log().await;
    assert_eq!(without_cause(&log), Vec::<String>::new());
    assert_eq!(world.texts(), ["Здравствуйте", "Скоро ответим", "Закрываем", "Оцените нас"]);
}

/// A day in the shop, with the log as it stands afterwards.
async fn a_day(seed: u64) -> String {
    let world = World::new();
    let hub = world.builder().id_seed(seed).build();
    set_book(&hub, FULL);
    hub.add_channel(omni_hub::ChannelSetup::new(shop(), world.fake(|_| ())));
    run(&hub);
    online(&hub, &["anna"]).await;
    for n in 0..10 {
        deliver(&hub, &[says(&(n % 4).to_string(), &format!("m{n}"), "Добрый день")]).await;
        world.pass(mins(n * 7)).await;
        answers(&hub, &world.with(&(n % 3).to_string()).await, "anna", "Да?").await;
    }
    world.pass(days(3)).await;
    world.log().await.iter().map(|e| serde_json::to_string(e).unwrap() + "\n").collect()
}

#[tokio::test]
async fn the_same_happens_in_every_run() {
    let (first, second) = (a_day(7).await, a_day(7).await);
    for (a, b) in first.lines().zip(second.lines()) {
        assert_eq!(a, b);
    }
    assert_eq!(first.len(), second.len());
}

#[tokio::test]
async fn what_comes_twice_changes_nothing() {
    let world = World::new();
    let hub = world.hub(FULL).await;
    online(&hub, &["anna"]).await;
    let events =
        [says("1", "a", "Раз"), says("1", "b", "Два"), echo("1", "e", "С телефона"), presses("1", "p", "x")];
    deliver(&hub, &events).await;
    world.pass(mins(3)).await;
    let before = (world.only().await, world.log().await.len(), world.texts(), world.contact("1").await);
    deliver(&hub, &events).await;
    for event in events {
        deliver(&hub, &[event]).await;
    }
    assert_eq!(
        (world.only().await, world.log().await.len(), world.texts(), world.contact("1").await),
        before
    );
}

#[tokio::test]
async fn a_timer_that_fires_twice_does_its_work_once() {
    let world = World::new();
    let first = world.hub(FULL).await;
    let _second = world.hub(FULL).await;
    let _third = world.hub(FULL).await;
    deliver(&first, &[says("1", "a", "Раз")]).await;
    world.pass(mins(2)).await;
    let notes = world.told(|e| matches!(e, HostEvent::Noted { .. }).then_some(())).await;
    assert_eq!(notes.len(), 1);
}

#[tokio::test]
async fn an_answer_of_a_bot_that_comes_twice_is_one_answer() {
    use omni_core::policy::{Context, Engine, Input, Policy};
    let engine =
        Engine::new(book("channels.shop.receiver = { bot = 'luna' }\nbots.luna = {}"), &"shop".into())
            .unwrap();
    let world = World::new();
    let hub = world.builder().build();
    hub.add_channel(omni_hub::ChannelSetup::new(shop(), world.fake(|_| ())).policy(engine.clone()));
    // It does not run: the question stays open.
    hand_in(&hub, &shop(), &[says("1", "a", "Раз")]).await;
    let mut conversation = world.only().await;
    conversation.flow.ask = Some(omni_core::policy::Ask {
        id: 1,
        bot: "luna".into(),
        at: world.now(),
        due: world.now() + secs(30),
    });
    let reply =
        omni_core::policy::BotReply::Steps(vec![omni_core::policy::book::Do::Tag("раз".to_owned().into())]);
    let answer = BotAnswer { bot: "luna".into(), ask: 1, reply };
    let context = Context::at(world.now());
    let step = engine.step(&conversation, &Input::Bot(&answer), &context);
    assert_eq!(step.effects.len(), 1);
    conversation.flow = step.flow.unwrap();
    let again = engine.step(&conversation, &Input::Bot(&answer), &context);
    assert!(again.effects.is_empty() && again.flow.is_none() && again.memory.is_none());
    assert_eq!(again.trace.steps[0].verdict, Verdict::Dropped);
}

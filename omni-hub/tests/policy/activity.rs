//! Reactions, read marks and typing: whether they count is a matter of policy.

use omni_core::event::{EventBody, Reaction, ReadReach};

use crate::world::*;

fn sign(id: &str) -> omni_core::Event {
    let reaction =
        Reaction { message: "a".into(), sender: Some(sender("1")), signs: vec!["❤️".to_owned()] };
    event_of("1", id, EventBody::Reaction(reaction))
}

fn read(id: &str) -> omni_core::Event {
    event_of("1", id, EventBody::Read { messages: Vec::new(), reach: ReadReach::UpTo })
}

fn typing(id: &str) -> omni_core::Event {
    event_of("1", id, EventBody::Typing { sender: sender("1") })
}

#[tokio::test]
async fn what_is_not_words_counts_when_the_policy_says_so_and_else_not() {
    let events = [("reactions", sign("x")), ("reads", read("x")), ("typing", typing("x"))];
    for (name, event) in events {
        for counts in [true, false] {
            let world = World::new();
            let set = if counts { format!("activity = {{ {name} = true }}") } else { String::new() };
            let hub = world.hub(&format!("[channels.shop]\nauto_close = {{ after = '1h' }}\n{set}")).await;
            deliver(&hub, &[says("1", "a", "Спасибо!")]).await;
            world.pass(mins(40)).await;
            deliver(&hub, std::slice::from_ref(&event)).await;
            world.pass(mins(20)).await;
            assert_eq!(world.only().await.is_open(), counts, "{name}");
            world.pass(mins(40)).await;
            assert!(!world.only().await.is_open(), "{name}");
        }
    }
}

#[tokio::test]
async fn none_of_them_opens_greets_or_starts_a_clock() {
    let world = World::new();
    let hub = world
        .hub(
            r#"
            [channels.shop]
            returning = "reopen"
            auto_replies = [{ text = "Скоро ответим", per = "message" }]
            activity = { reactions = true, reads = true, typing = true }
            clocks = { first_response = { within = "1h" }, next_response = { within = "1h" } }
            "#,
        )
        .await;
    deliver(&hub, &[says("1", "a", "Спасибо!")]).await;
    answers(&hub, &world.only().await, "anna", "Пожалуйста").await;
    hub.close(world.only().await.id, agent("anna")).await.unwrap();
    idle().await;
    let (texts, clocks) = (world.texts(), world.clocks().await);
    deliver(&hub, &[sign("x"), read("y"), typing("z")]).await;
    world.pass(days(1)).await;
    assert!(!world.only().await.is_open());
    assert_eq!((world.texts(), world.clocks().await), (texts, clocks));
}

//! Scripted and random trouble on the API side, and flood control.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{
    super::{ApiError, Chaos, Fault, Outcome, RateLimits, Rule, SimConfig},
    quick, scene, scene_with,
};

fn hello() -> serde_json::Value {
    json!({"chat_id": 100_200_300, "text": "привет"})
}

#[tokio::test]
async fn refusals_come_in_the_order_of_the_script() {
    let s = scene().await;
    s.bot
        .faults()
        .on("sendMessage", 1, Fault::TooManyRequests { retry_after: 7 })
        .on("sendMessage", 1, Fault::ServerError)
        .on("sendMessage", 1, Fault::BadGateway)
        .on("sendMessage", 1, Fault::Error(ApiError::forbidden("bot was blocked by the user")))
        .on("sendMessage", 1, Fault::Redirect("https://evil.example/".into()));
    s.api.call("getMe", json!({})).await.result();
    let flood = s.api.call("sendMessage", hello()).await;
    flood.refused(429, "Too Many Requests: retry after 7");
    assert_eq!(flood.retry_after.as_deref(), Some("7"));
    assert_eq!(flood.json()["parameters"], json!({"retry_after": 7}));
    s.api.call("sendMessage", hello()).await.refused(500, "Internal Server Error: restart");
    let gateway = s.api.call("sendMessage", hello()).await;
    assert_eq!(gateway.status, 502);
    assert!(gateway.body.starts_with(b"<html>"));
    s.api.call("sendMessage", hello()).await.refused(403, "Forbidden: bot was blocked by the user");
    assert_eq!(s.api.call("sendMessage", hello()).await.status, 302);
    assert_eq!(s.bot.faults().unspent(), 0);
    s.api.call("sendMessage", hello()).await.result();
    assert_eq!(s.bot.calls().len(), 2, "getMe and the last sendMessage");
}

#[tokio::test]
async fn a_cut_connection_leaves_the_message_sent_or_not() {
    let s = scene().await;
    let sent = || s.ivan.transcript().iter().filter(|entry| entry.is_from_bot()).count();
    s.bot.faults().add(Rule::new(Fault::DropBeforeAccept)).add(Rule::new(Fault::DropAfterAccept));
    assert!(s.api.try_call("sendMessage", hello()).await.is_err());
    assert_eq!(sent(), 0);
    assert!(s.api.try_call("sendMessage", hello()).await.is_err());
    assert_eq!(sent(), 1);
    s.bot.faults().add(Rule::new(Fault::CutBody));
    assert!(s.api.try_call("sendMessage", hello()).await.is_err());
    assert_eq!(sent(), 2);
    s.bot.faults().add(Rule::new(Fault::Garbage));
    assert_eq!(s.api.call("sendMessage", hello()).await.body, "<html>it works</html>");
    assert_eq!(sent(), 3);
    let outcomes: Vec<Outcome> = s.bot.attempts().into_iter().map(|call| call.outcome).collect();
    assert_eq!(outcomes[0], Outcome::Faulted);
    assert!(outcomes[1..].iter().all(|outcome| *outcome == Outcome::AcceptedUnanswered));
}

#[tokio::test]
async fn slow_answers_are_whole_in_the_end() {
    let s = scene().await;
    let pause = Duration::from_millis(5);
    s.bot.faults().add(Rule::new(Fault::SlowBody { pieces: 4, pause })).add(Rule::new(Fault::Delay(pause)));
    let begun = Instant::now();
    s.api.call("sendMessage", hello()).await.result();
    assert!(begun.elapsed() >= pause * 4);
    s.api.call("sendMessage", hello()).await.result();
}

#[tokio::test]
async fn rules_are_about_a_method_a_chat_and_a_time() {
    let s = scene().await;
    let olga = s.bot.customer(super::User::new(42, "Ольга"));
    olga.start("");
    s.bot.faults().add(Rule::new(Fault::ServerError).method("sendMessage").chat(42).after(1).times(2));
    let to = async |chat: i64| s.api.call("sendMessage", json!({"chat_id": chat, "text": "x"})).await.status;
    assert_eq!(to(42).await, 200);
    assert_eq!(to(100_200_300).await, 200);
    assert_eq!([to(42).await, to(42).await, to(42).await], [500, 500, 200]);
    s.bot.faults().flood(Some(42), Duration::from_secs(60));
    assert_eq!([to(42).await, to(100_200_300).await], [429, 200]);
    s.bot.faults().flood(None, Duration::from_secs(60));
    assert_eq!(to(100_200_300).await, 429);
    s.bot.faults().clear();
    assert_eq!([to(42).await, to(100_200_300).await], [200, 200]);
}

#[tokio::test]
async fn chaos_repeats_itself_from_its_seed() {
    let run = async |seed: u64| {
        let s = scene().await;
        s.bot.faults().chaos(Chaos { seed, server_error: 0.3, bad_gateway: 0.2, ..Chaos::default() });
        let mut statuses = Vec::new();
        for _ in 0..40 {
            statuses.push(s.api.call("sendMessage", hello()).await.status);
        }
        s.api.call("getMe", json!({})).await.result();
        statuses
    };
    let (first, second, other) = (run(5).await, run(5).await, run(6).await);
    assert_eq!(first, second);
    assert_ne!(first, other);
    assert!([200, 500, 502].iter().all(|status| first.contains(status)));
}

#[tokio::test]
async fn flood_control_answers_429() {
    let config = SimConfig { rate_limits: Some(RateLimits::default()), ..quick() };
    let s = scene_with(config).await;
    for _ in 0..3 {
        s.api.call("sendMessage", hello()).await.result();
    }
    let flood = s.api.call("sendMessage", hello()).await;
    flood.refused(429, "Too Many Requests: retry after 1");
    s.api.call("sendChatAction", json!({"chat_id": 100_200_300, "action": "typing"})).await.result();
}

#[tokio::test]
#[should_panic(expected = "waited 20ms in vain for a miracle")]
async fn a_vain_wait_says_what_it_waited_for() {
    let s = scene_with(SimConfig { wait_timeout: Duration::from_millis(20), ..quick() }).await;
    s.bot.wait_for("a miracle", |_| None::<()>).await;
}

//! Connections that are kept for the next mail.

use std::sync::Arc;

use omni_core::outbound::SendError;
use tokio::sync::Notify;

use super::super::{CONNECTIONS, IDLE, MAILS};
use super::*;

#[tokio::test]
async fn mails_one_after_the_other_share_a_login_and_the_last_of_twenty_says_goodbye() {
    let serve = |number, mut peer: Peer| async move {
        peer.open().await;
        assert_eq!(peer.serve().await, if number == 0 { 20 } else { 1 });
    };
    let script = Script::new(Tls::None, 2, serve).await;
    let sender = sender(&script);
    for _ in 0..=MAILS {
        sender.send(&password(), &to_anna()).await.unwrap();
    }
    end(sender, script).await;
}

#[tokio::test]
async fn a_login_that_was_checked_is_used_for_the_first_mail() {
    let script = scripted(|mut peer| async move { assert_eq!(peer.serve().await, 1) }).await;
    let sender = sender(&script);
    sender.check(&password()).await.unwrap();
    sender.send(&password(), &to_anna()).await.unwrap();
    end(sender, script).await;
}

#[tokio::test]
async fn an_idle_connection_says_goodbye_and_the_next_mail_opens_another() {
    let left = Arc::new(Notify::new());
    let of_server = left.clone();
    let serve = move |number, mut peer: Peer| {
        let left = of_server.clone();
        async move {
            peer.open().await;
            peer.deliver().await;
            if number == 0 {
                peer.expect("QUIT").await;
                peer.say("221 2.0.0 bye").await;
                left.notify_one();
            }
        }
    };
    let script = Script::new(Tls::None, 2, serve).await;
    let sender = sender(&script);
    sender.send(&password(), &to_anna()).await.unwrap();
    pass(IDLE).await;
    left.notified().await;
    sender.send(&password(), &to_anna()).await.unwrap();
    end(sender, script).await;
}

#[tokio::test]
async fn a_connection_that_died_meanwhile_costs_no_mail() {
    let dead = Arc::new(Notify::new());
    let of_server = dead.clone();
    let serve = move |number, mut peer: Peer| {
        let dead = of_server.clone();
        async move {
            peer.open().await;
            peer.deliver().await;
            match number {
                0 => {}
                1 => peer.say("421 4.4.2 idle for too long").await,
                2 => {
                    peer.expect("MAIL").await;
                    peer.say("421 4.7.0 enough").await;
                }
                _ => return assert_eq!(peer.serve().await, 0),
            }
            drop(peer);
            dead.notify_one();
        }
    };
    let script = Script::new(Tls::None, 4, serve).await;
    let sender = sender(&script);
    for number in 0..4 {
        sender.send(&password(), &to_anna()).await.unwrap();
        if number < 2 {
            dead.notified().await;
        }
    }
    end(sender, script).await;
}

#[tokio::test]
async fn another_login_gets_a_connection_of_its_own() {
    let serve = |_, mut peer: Peer| async move {
        peer.open().await;
        assert_eq!(peer.serve().await, 1);
    };
    let script = Script::new(Tls::None, 2, serve).await;
    let sender = sender(&script);
    sender.send(&password(), &to_anna()).await.unwrap();
    let renewed = Login::Password { user: "help@shop.example".to_owned(), password: "другой".into() };
    sender.send(&renewed, &to_anna()).await.unwrap();
    end(sender, script).await;
}

#[tokio::test]
async fn a_dropped_call_leaves_no_half_used_connection() {
    let heard = Arc::new(Notify::new());
    let of_server = heard.clone();
    let serve = move |number, mut peer: Peer| {
        let heard = of_server.clone();
        async move {
            peer.open().await;
            match number {
                // Dropped before an answer, and after the whole mail.
                0 => drop(peer.expect("MAIL").await),
                1 => {
                    peer.envelope().await;
                    peer.mail().await;
                }
                _ => return assert_eq!(peer.serve().await, 1),
            }
            heard.notify_one();
            assert_eq!(peer.rest().await, "");
        }
    };
    let script = Script::new(Tls::None, 3, serve).await;
    let sender = sender(&script);
    for _ in 0..2 {
        tokio::select! {
            result = async { sender.send(&password(), &to_anna()).await } => panic!("{result:?}"),
            () = heard.notified() => {}
        }
    }
    sender.send(&password(), &to_anna()).await.unwrap();
    end(sender, script).await;
}

#[tokio::test]
async fn two_mails_at_once_go_over_two_connections() {
    let serve = |_, mut peer: Peer| async move {
        peer.open().await;
        assert!(peer.serve().await > 0);
    };
    let script = Script::new(Tls::None, CONNECTIONS, serve).await;
    let sender = sender(&script);
    let (login, mail) = (password(), to_anna());
    let all = (0..2).map(|_| sender.send(&login, &mail));
    let done: Result<Vec<Receipt>, SendError> = futures_util::future::try_join_all(all).await;
    assert_eq!(done.unwrap().len(), 2);
    end(sender, script).await;
}

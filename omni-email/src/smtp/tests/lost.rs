//! Answers that are lost, late, or one too many.

use std::sync::Arc;

use tokio::sync::Notify;

use super::*;

/// Larger than what lies in the buffers between both sides.
fn large() -> Composed {
    of_bytes(&["anna@example.com"], format!("{}\r\n", "x".repeat(70)).repeat(350_000))
}

#[tokio::test]
async fn a_connection_lost_within_the_mail_is_certainly_no_mail() {
    let script = scripted(|mut peer| async move {
        peer.envelope().await;
        peer.hear().await;
    })
    .await;
    let sender = sender(&script);
    let error = rejected(sender.send(&password(), &large()).await);
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Network, Retry::Later));
    end(sender, script).await;
}

#[tokio::test]
async fn an_answer_lost_after_the_mail_leaves_it_unknown() {
    let script = scripted(|mut peer| async move {
        peer.envelope().await;
        peer.mail().await;
    })
    .await;
    let sender = sender(&script);
    let error = unknown(sender.send(&password(), &to_anna()).await);
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Network, "smtp data"));
    end(sender, script).await;
}

#[tokio::test]
async fn a_torn_answer_after_the_mail_leaves_it_unknown() {
    for answer in ["250-2.0.0 qu", "250-first\r\n", "25", "2xx odd\r\n", "354 go on\r\n", "999 odd\r\n"] {
        let script = scripted(move |mut peer| async move {
            peer.envelope().await;
            peer.mail().await;
            peer.say_raw(answer.as_bytes()).await;
        })
        .await;
        let sender = sender(&script);
        unknown(sender.send(&password(), &to_anna()).await);
        end(sender, script).await;
    }
}

#[tokio::test]
async fn a_refusal_in_the_middle_of_the_mail_is_that_refusal() {
    for (answer, kind) in [
        ("552 5.3.4 message too large", ErrorKind::TooLarge),
        ("421 4.3.2 shutting down", ErrorKind::Unavailable),
        ("250 2.0.0 taken already", ErrorKind::Network),
    ] {
        let script = scripted(move |mut peer| async move {
            peer.envelope().await;
            peer.hear().await;
            peer.say(answer).await;
            let _ = peer.rest().await;
        })
        .await;
        let sender = sender(&script);
        let error = rejected(sender.send(&password(), &large()).await);
        assert_eq!(error.kind(), kind, "{error}");
        end(sender, script).await;
    }
}

#[tokio::test]
async fn a_goodbye_at_any_moment_puts_the_mail_off_and_ends_the_connection() {
    const STEPS: [&str; 6] = ["EHLO", "AUTH", "MAIL", "RCPT", "DATA", "dot"];
    let serve = |number, mut peer: Peer| async move {
        let goodbye = "421 4.3.2 shutting down";
        peer.say("220 mx.example").await;
        for (position, step) in STEPS.into_iter().enumerate() {
            if step == "dot" {
                peer.mail().await;
            } else {
                peer.expect(step).await;
            }
            if number == position {
                peer.say(goodbye).await;
                let heard = peer.hear().await;
                return assert!(heard.is_empty() || heard == "QUIT", "{heard}");
            }
            match step {
                "EHLO" => peer.say("250-mx.example\n250 AUTH PLAIN").await,
                "AUTH" => peer.say("235 ok").await,
                "DATA" => peer.say("354 go on").await,
                _ => peer.say("250 ok").await,
            }
        }
    };
    let script = Script::new(Tls::None, STEPS.len(), serve).await;
    let sender = sender(&script);
    for step in STEPS {
        let error = rejected(sender.send(&password(), &to_anna()).await);
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Later), "{step}: {error}");
    }
    end(sender, script).await;
}

#[tokio::test]
async fn one_answer_too_many_is_never_read_as_the_answer_to_the_next_mail() {
    let serve = |number, mut peer: Peer| async move {
        peer.open().await;
        match number {
            0 => {
                peer.envelope().await;
                peer.mail().await;
                peer.say("250 2.0.0 queued\n250 2.0.0 and this one too").await;
                assert_eq!(peer.rest().await, "");
            }
            _ => {
                peer.envelope().await;
                peer.mail().await;
                peer.say("552 5.2.2 full").await;
            }
        }
    };
    let script = Script::new(Tls::None, 2, serve).await;
    let sender = sender(&script);
    sender.send(&password(), &to_anna()).await.unwrap();
    let error = rejected(sender.send(&password(), &to_anna()).await);
    assert_eq!(error.code(), Some("552 5.2.2"));
    end(sender, script).await;
}

#[tokio::test]
async fn answers_sent_ahead_are_not_taken_for_what_is_asked_later() {
    let script = scripted(|mut peer| async move {
        peer.expect("MAIL").await;
        peer.say("250 ok\n250 ok\n354 go on\n250 queued").await;
        assert_eq!(peer.rest().await, "");
    })
    .await;
    let sender = sender(&script);
    let error = rejected(sender.send(&password(), &to_anna()).await);
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Network, Retry::Later));
    assert!(error.to_string().contains("out of turn"), "{error}");
    end(sender, script).await;
}

#[tokio::test]
async fn a_mail_that_is_taken_before_it_is_said_counts_as_nothing() {
    let script = scripted(|mut peer| async move {
        peer.take("MAIL").await;
        peer.take("RCPT").await;
        peer.expect("DATA").await;
        peer.say("250 queued").await;
        assert_eq!(peer.rest().await, "");
    })
    .await;
    let sender = sender(&script);
    assert_eq!(rejected(sender.send(&password(), &to_anna()).await).kind(), ErrorKind::Protocol);
    end(sender, script).await;
}

#[tokio::test]
async fn a_silent_server_is_waited_for_a_minute_and_after_the_mail_ten() {
    let heard = Arc::new(Notify::new());
    let of_server = heard.clone();
    let serve = move |number, mut peer: Peer| {
        let heard = of_server.clone();
        async move {
            peer.open().await;
            if number == 0 {
                peer.expect("MAIL").await;
            } else {
                peer.envelope().await;
                peer.mail().await;
            }
            heard.notify_one();
            assert_eq!(peer.rest().await, "");
        }
    };
    let script = Script::new(Tls::None, 2, serve).await;
    let sender = sender(&script);
    let (login, mail) = (password(), to_anna());
    let waits = async {
        heard.notified().await;
        pass(Duration::from_secs(61)).await;
    };
    let (result, ()) = tokio::join!(sender.send(&login, &mail), waits);
    assert_eq!(rejected(result).kind(), ErrorKind::Timeout);

    let mut sending = Box::pin(sender.send(&login, &mail));
    tokio::select! {
        result = &mut sending => panic!("{result:?}"),
        () = heard.notified() => {}
    }
    let long = async {
        pass(Duration::from_secs(599)).await;
        for _ in 0..10 {
            yield_now().await;
        }
    };
    tokio::select! {
        biased;
        result = &mut sending => panic!("{result:?}"),
        () = long => {}
    }
    let (result, ()) = tokio::join!(sending, pass(Duration::from_secs(2)));
    assert_eq!(unknown(result).kind(), ErrorKind::Timeout);
    end(sender, script).await;
}

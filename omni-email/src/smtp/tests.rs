//! Talks with a server that is a script on loopback.

mod login;
mod lost;
mod peer;
mod pool;

use std::time::Duration;

use bytes::Bytes;
use omni_core::error::{Error, ErrorKind, RateScope, Retry};
use omni_core::outbound::SendError;
use omni_core::{MessageId, ProviderMessageId};
use tokio::task::yield_now;
use tokio::time::{advance, pause, resume};

use super::{Receipt, Sender};
use crate::config::Tls;
use crate::encode::{Composed, Envelope, Utf8};
use crate::login::Login;
use crate::net::Dialer;
use peer::{Peer, Script};

const PASSWORD: &str = "пароль-Ы7";

fn password() -> Login {
    Login::Password { user: "help@shop.example".to_owned(), password: PASSWORD.into() }
}

fn mail(to: &[&str]) -> Composed {
    of_bytes(to, "Subject: hi\r\n\r\nhello\r\n")
}

fn of_bytes(to: &[&str], bytes: impl Into<Bytes>) -> Composed {
    Composed {
        id: MessageId::from_bytes([7; 16]),
        bytes: bytes.into(),
        message_id: ProviderMessageId::from("a@shop.example".to_owned()),
        names: Vec::new(),
        envelope: Envelope {
            from: "help@shop.example".to_owned(),
            to: to.iter().map(ToString::to_string).collect(),
        },
        note: None,
        utf8: Utf8::NotNeeded,
        age: Duration::ZERO,
    }
}

fn to_anna() -> Composed {
    mail(&["anna@example.com"])
}

fn sender(script: &Script) -> Sender {
    let dialer = Dialer::new(Some(&script.authority.pem)).unwrap();
    Sender::new(script.server.clone(), dialer, None)
}

/// A server in clear that greets, takes the login and goes on as told, once.
async fn scripted<F>(talk: impl Fn(Peer) -> F + Send + Sync + Clone + 'static) -> Script
where
    F: Future<Output = ()> + Send + 'static,
{
    let open = move |_, mut peer: Peer| {
        let talk = talk.clone();
        async move {
            peer.open().await;
            talk(peer).await;
        }
    };
    Script::new(Tls::None, 1, open).await
}

fn rejected(result: Result<Receipt, SendError>) -> Error {
    match result {
        Err(SendError::Rejected(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn unknown(result: Result<Receipt, SendError>) -> Error {
    match result {
        Err(SendError::Unknown(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// Time passes for what waits for it; the network keeps its own.
async fn pass(time: Duration) {
    for _ in 0..10 {
        yield_now().await;
    }
    pause();
    advance(time).await;
    resume();
}

/// Ends a test: the client goes, and the server's script has to be at its end.
async fn end(sender: Sender, script: Script) {
    drop(sender);
    script.done().await;
}

#[tokio::test]
async fn dots_are_doubled_and_lines_end_in_crlf() {
    let script = scripted(|mut peer| async move {
        peer.envelope().await;
        let mut heard = Vec::new();
        while heard.last().map(String::as_str) != Some(".\r\n") {
            heard.push(peer.hear_raw().await);
        }
        assert_eq!(heard, ["a: b\r\n", "\r\n", "..\r\n", "...Привет\r\n", "x.\r\n", "..end\r\n", ".\r\n"]);
        peer.say("250 2.0.0 queued").await;
    })
    .await;
    let sender = sender(&script);
    let mail = of_bytes(&["anna@example.com"], "a: b\r\n\r\n.\r\n..Привет\r\nx.\r\n.end\r\n");
    assert!(sender.send(&password(), &mail).await.unwrap().refused.is_empty());
    end(sender, script).await;
}

#[tokio::test]
async fn a_mail_with_a_bare_line_end_is_never_handed_in() {
    let script = scripted(|mut peer| async move { assert_eq!(peer.rest().await, "") }).await;
    let sender = sender(&script);
    let smuggled = ["x\n.\nMAIL FROM:<evil@example.com>\r\n", "x\r.\r", "x\r\r\n", "\n", "x\r\n.\n"];
    for text in smuggled {
        let mail = of_bytes(&["anna@example.com"], text);
        assert_eq!(rejected(sender.send(&password(), &mail).await).kind(), ErrorKind::Internal, "{text:?}");
    }
    end(sender, script).await;
}

#[tokio::test]
async fn whom_the_server_refuses_is_told_and_all_others_get_the_mail() {
    let script = scripted(|mut peer| async move {
        peer.take("MAIL FROM:<help@shop.example> SIZE=22").await;
        peer.take("RCPT TO:<anna@example.com>").await;
        peer.expect("RCPT TO:<nobody@example.com>").await;
        peer.say("550 5.1.1 <nobody@example.com>: no such user").await;
        peer.expect("RCPT TO:<full@example.com>").await;
        peer.say("452 4.2.2 mailbox full").await;
        peer.take("RCPT TO:<boris@example.com>").await;
        peer.expect("DATA").await;
        peer.say("354 go on").await;
        assert_eq!(peer.mail().await, b"Subject: hi\r\n\r\nhello\r\n");
        peer.say("250 2.0.0 queued").await;
    })
    .await;
    let sender = sender(&script);
    let mail = mail(&["anna@example.com", "nobody@example.com", "full@example.com", "boris@example.com"]);
    let receipt = sender.send(&password(), &mail).await.unwrap();
    let kinds: Vec<_> = receipt.refused.iter().map(|refused| refused.error.kind()).collect();
    assert_eq!(kinds, [ErrorKind::RecipientUnreachable, ErrorKind::Unavailable]);
    assert!(receipt.refused[0].error.to_string().contains("domain example.com"));
    end(sender, script).await;
}

#[tokio::test]
async fn without_whom_it_is_to_no_mail_goes_and_the_connection_serves_the_next_one() {
    let script = scripted(|mut peer| async move {
        peer.take("MAIL FROM:").await;
        peer.expect("RCPT TO:<gone@example.com>").await;
        peer.say("550 5.1.1 gone").await;
        peer.take("RSET").await;
        peer.deliver().await;
    })
    .await;
    let sender = sender(&script);
    let error = rejected(sender.send(&password(), &mail(&["gone@example.com", "boss@example.com"])).await);
    assert_eq!((error.kind(), error.code()), (ErrorKind::RecipientUnreachable, Some("550 5.1.1")));
    sender.send(&password(), &to_anna()).await.unwrap();
    end(sender, script).await;
}

#[tokio::test]
async fn a_mail_above_the_servers_size_is_refused_before_a_word_of_it_is_said() {
    let serve = |_, mut peer: Peer| async move {
        peer.greet(&["auth plain", "size 1000"]).await;
        peer.expect("AUTH PLAIN ").await;
        peer.say("235 2.7.0 ok").await;
        assert_eq!(peer.rest().await, "");
    };
    let script = Script::new(Tls::None, 1, serve).await;
    let sender = sender(&script);
    let large = of_bytes(&["anna@example.com"], "x".repeat(1001));
    for _ in 0..2 {
        let error = rejected(sender.send(&password(), &large).await);
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert!(error.to_string().contains("bytes 1001, limit 1000"), "{error}");
    }
    assert_eq!(sender.limits().unwrap().size, Some(1000));
    end(sender, script).await;
}

#[tokio::test]
async fn what_the_server_knows_is_asked_for_and_nothing_else() {
    let serve = |_, mut peer: Peer| async move {
        peer.greet(&["AUTH PLAIN", "8BITMIME", "SMTPUTF8", "DSN", "PIPELINING", "X-ODD"]).await;
        peer.expect("AUTH PLAIN ").await;
        peer.say("235 2.7.0 ok").await;
        let from = peer.take("MAIL FROM:<help@shop.example> ").await;
        for word in ["SMTPUTF8", "BODY=8BITMIME", "RET=HDRS", "ENVID=07070707-0707-0707-0707-070707070707"] {
            assert!(from.contains(word), "{from}");
        }
        assert!(!from.contains("SIZE"), "{from}");
        assert_eq!(peer.take("RCPT").await, "RCPT TO:<анна@example.com> NOTIFY=FAILURE,DELAY");
        peer.expect("DATA").await;
        peer.say("354 go on").await;
        peer.mail().await;
        peer.say("250 2.0.0 queued").await;
    };
    let script = Script::new(Tls::None, 1, serve).await;
    let sender = sender(&script);
    let mail = Composed {
        utf8: Utf8::Needed,
        ..of_bytes(&["анна@example.com"], "To: анна@example.com\r\n\r\nпривет\r\n")
    };
    sender.send(&password(), &mail).await.unwrap();
    end(sender, script).await;
}

#[tokio::test]
async fn an_address_with_letters_beyond_ascii_goes_only_to_servers_that_know_them() {
    let script = scripted(|mut peer| async move { assert_eq!(peer.rest().await, "") }).await;
    let sender = sender(&script);
    let mail = Composed { utf8: Utf8::Needed, ..mail(&["анна@example.com"]) };
    assert_eq!(rejected(sender.send(&password(), &mail).await).kind(), ErrorKind::Unsupported);
    end(sender, script).await;
}

#[tokio::test]
async fn an_envelope_cannot_end_its_command() {
    let script = scripted(|mut peer| async move {
        peer.take("RSET").await;
        assert_eq!(peer.rest().await, "");
    })
    .await;
    let sender = sender(&script);
    let mut mail = to_anna();
    mail.envelope.from = "help@shop.example>\r\nRCPT TO:<evil@example.com".to_owned();
    assert_eq!(rejected(sender.send(&password(), &mail).await).kind(), ErrorKind::NotFound);
    end(sender, script).await;
}

/// Where a server refuses, what it says, and what that means.
const REFUSALS: [(&str, &str, ErrorKind, Retry); 10] = {
    use ErrorKind::*;
    const fn after(seconds: u64, scope: RateScope) -> Retry {
        Retry::After { wait: Duration::from_secs(seconds), scope }
    }
    [
        ("MAIL", "451 4.3.0 try later", Unavailable, after(60, RateScope::Chat)),
        ("MAIL", "550 5.7.60 not allowed to send as this sender", Forbidden, Retry::Never),
        ("MAIL", "550 5.4.5 daily sending quota exceeded", RateLimited, after(3600, RateScope::Account)),
        ("RCPT", "450 4.2.0 Greylisted, try again in 300 seconds", Unavailable, after(300, RateScope::Chat)),
        ("RCPT", "550 no such user here", RecipientUnreachable, Retry::Never),
        ("RCPT", "552 5.2.2 mailbox full", RecipientUnreachable, Retry::Never),
        ("DATA", "451 4.7.1 too many mails", RateLimited, after(300, RateScope::Account)),
        ("dot", "452 4.3.1 no space", Unavailable, after(60, RateScope::Chat)),
        ("dot", "552 5.3.4 too large", TooLarge, Retry::Never),
        ("dot", "554 5.7.1 spam", ContentRejected, Retry::Never),
    ]
};

/// Answers well up to a stage, and there with this.
async fn refuse(peer: &mut Peer, stage: &str, answer: &str) {
    for (step, good) in [("MAIL", "250 ok"), ("RCPT", "250 ok"), ("DATA", "354 go on")] {
        peer.expect(step).await;
        if step == stage {
            peer.say(answer).await;
            peer.take("RSET").await;
            return;
        }
        peer.say(good).await;
    }
    peer.mail().await;
    peer.say(answer).await;
}

#[tokio::test]
async fn refusals_are_sorted_and_the_connection_serves_the_next_mail() {
    let script = scripted(|mut peer| async move {
        for (stage, answer, ..) in REFUSALS {
            refuse(&mut peer, stage, answer).await;
        }
        peer.deliver().await;
    })
    .await;
    let sender = sender(&script);
    for (stage, answer, kind, retry) in REFUSALS {
        let error = rejected(sender.send(&password(), &to_anna()).await);
        assert_eq!((error.kind(), error.retry()), (kind, retry), "{stage}: {answer}");
        assert!(error.to_string().contains("host 127.0.0.1"), "{error}");
    }
    sender.send(&password(), &to_anna()).await.unwrap();
    end(sender, script).await;
}

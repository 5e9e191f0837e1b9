//! Greeting, encryption and login.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;

fn token() -> Login {
    Login::Bearer { user: "help@shop.example".to_owned(), token: "ya29.Secret".into() }
}

/// A server in clear that offers this and goes on as told, once.
async fn offering<F>(
    offers: &'static [&str],
    talk: impl Fn(Peer) -> F + Send + Sync + Clone + 'static,
) -> Script
where
    F: Future<Output = ()> + Send + 'static,
{
    let serve = move |_, mut peer: Peer| {
        let talk = talk.clone();
        async move {
            peer.greet(offers).await;
            talk(peer).await;
        }
    };
    Script::new(Tls::None, 1, serve).await
}

fn decoded(base64: &str) -> String {
    String::from_utf8(STANDARD.decode(base64).unwrap()).unwrap()
}

/// Neither way of showing an error shows a secret, plain or in base64.
fn assert_secret(error: &Error, secrets: &[&str]) {
    for shown in [format!("{error}"), format!("{error:?}")] {
        for secret in secrets {
            assert!(!shown.contains(secret) && !shown.contains(&STANDARD.encode(secret)), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_password_goes_by_plain_where_it_can() {
    let script = offering(&["AUTH LOGIN PLAIN XOAUTH2", "SIZE 35882577"], |mut peer| async move {
        let line = peer.expect("AUTH PLAIN ").await;
        assert_eq!(decoded(&line[11..]), format!("\0help@shop.example\0{PASSWORD}"));
        peer.say("235 2.7.0 ok").await;
    })
    .await;
    let sender = sender(&script);
    let limits = sender.check(&password()).await.unwrap();
    assert_eq!((limits.size, limits.utf8, limits.reports), (Some(35_882_577), false, false));
    end(sender, script).await;
}

#[tokio::test]
async fn a_password_goes_by_login_to_servers_that_know_nothing_else() {
    let script = offering(&["AUTH=LOGIN"], |mut peer| async move {
        peer.expect("AUTH LOGIN").await;
        peer.say("334 VXNlcm5hbWU6").await;
        assert_eq!(decoded(&peer.hear().await), "help@shop.example");
        peer.say("334 UGFzc3dvcmQ6").await;
        assert_eq!(decoded(&peer.hear().await), PASSWORD);
        peer.say("235 2.7.0 ok").await;
    })
    .await;
    let sender = sender(&script);
    sender.check(&password()).await.unwrap();
    end(sender, script).await;
}

#[tokio::test]
async fn a_token_goes_by_xoauth2_and_again_when_it_is_asked_for() {
    let script = offering(&["AUTH PLAIN XOAUTH2 OAUTHBEARER"], |mut peer| async move {
        let line = peer.expect("AUTH XOAUTH2 ").await;
        peer.say("334 ").await;
        let again = peer.hear().await;
        assert_eq!(line[13..], again);
        assert_eq!(decoded(&again), "user=help@shop.example\u{1}auth=Bearer ya29.Secret\u{1}\u{1}");
        peer.say("235 2.7.0 ok").await;
    })
    .await;
    let sender = sender(&script);
    sender.check(&token()).await.unwrap();
    end(sender, script).await;
}

#[tokio::test]
async fn a_token_goes_by_oauthbearer_where_that_is_all_there_is() {
    let script = offering(&["AUTH OAUTHBEARER"], |mut peer| async move {
        let line = peer.expect("AUTH OAUTHBEARER ").await;
        assert!(decoded(&line[17..]).starts_with("n,a=help@shop.example,\u{1}host=127.0.0.1\u{1}port="));
        peer.say("235 2.7.0 ok").await;
    })
    .await;
    let sender = sender(&script);
    sender.check(&token()).await.unwrap();
    end(sender, script).await;
}

#[tokio::test]
async fn a_token_that_ran_out_is_a_credential_to_renew() {
    let script = offering(&["AUTH XOAUTH2"], |mut peer| async move {
        peer.expect("AUTH XOAUTH2 ").await;
        peer.say("334 eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIiwic2NvcGUiOiJtYWlsIn0=").await;
        assert_eq!(peer.hear_raw().await, "\r\n");
        peer.say("535 5.7.8 Username and Password not accepted").await;
    })
    .await;
    let sender = sender(&script);
    let error = sender.check(&token()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::BadCredentials, Some("401")));
    assert!(error.to_string().contains("535"), "{error}");
    assert_secret(&error, &["ya29.Secret"]);
    end(sender, script).await;
}

#[tokio::test]
async fn a_server_that_repeats_the_password_does_not_bring_it_into_the_error() {
    let script = offering(&["AUTH PLAIN"], |mut peer| async move {
        let line = peer.expect("AUTH PLAIN ").await;
        peer.say(&format!("535 5.7.8 not accepted: {PASSWORD} {}", &line[11..])).await;
    })
    .await;
    let sender = sender(&script);
    let error = rejected(sender.send(&password(), &to_anna()).await);
    assert_eq!(error.kind(), ErrorKind::BadCredentials);
    assert!(error.advice().unwrap().contains("app password"));
    assert_secret(&error, &[PASSWORD, &format!("\0help@shop.example\0{PASSWORD}")]);
    end(sender, script).await;
}

#[tokio::test]
async fn refused_logins_say_what_to_do() {
    for (answer, kind, word) in [
        ("534 5.7.9 Application-specific password required", ErrorKind::BadCredentials, "app password"),
        ("534 5.7.14 Please log in via your web browser", ErrorKind::BadCredentials, "web page"),
        ("535 5.7.139 SmtpClientAuthentication is disabled", ErrorKind::BadCredentials, "OAuth2"),
        ("530 5.7.0 Must issue a STARTTLS command first", ErrorKind::Configuration, "starttls"),
        ("504 5.5.4 Unrecognized authentication type", ErrorKind::Configuration, "host, port"),
        ("454 4.7.0 Temporary authentication failure", ErrorKind::Unavailable, ""),
        ("421 4.7.0 Too many login attempts", ErrorKind::RateLimited, ""),
    ] {
        let script = offering(&["AUTH PLAIN"], move |mut peer| async move {
            peer.expect("AUTH PLAIN ").await;
            peer.say(answer).await;
        })
        .await;
        let sender = sender(&script);
        let error = sender.check(&password()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{answer}");
        assert!(error.advice().unwrap_or_default().contains(word), "{error}");
        end(sender, script).await;
    }
}

#[tokio::test]
async fn a_login_that_the_server_does_not_offer_is_a_setting_to_change() {
    for (offers, login, word) in [
        (&["AUTH XOAUTH2"][..], password(), "OAuth2"),
        (&["AUTH CRAM-MD5"], password(), "587"),
        (&["AUTH PLAIN"], token(), "587"),
        (&["SIZE 10"], password(), "587"),
    ] {
        let script = offering(offers, |mut peer| async move { assert_eq!(peer.rest().await, "") }).await;
        let mut server = script.server.clone();
        server.tls = Tls::None;
        let sender = sender(&script);
        let error = sender.check(&login).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        let advice = error.advice().unwrap();
        assert!(advice.contains(word) || advice.contains("starttls"), "{advice}");
        end(sender, script).await;
    }
}

#[tokio::test]
async fn a_relay_without_logins_is_used_without_one() {
    let script = offering(&["SIZE 0"], |mut peer| async move {
        peer.deliver().await;
    })
    .await;
    let sender = sender(&script);
    let nobody = Login::Password { user: "help@shop.example".to_owned(), password: "".into() };
    sender.send(&nobody, &to_anna()).await.unwrap();
    assert_eq!(sender.limits().unwrap().size, None);
    end(sender, script).await;
}

#[tokio::test]
async fn we_greet_by_the_name_that_is_set_and_never_by_the_machines() {
    for (set, said) in [
        (None, "EHLO [127.0.0.1]"),
        (Some("mail.shop.example"), "EHLO mail.shop.example"),
        (Some("a b\r\nMAIL"), "EHLO [127.0.0.1]"),
    ] {
        let serve = move |_, mut peer: Peer| async move {
            peer.say("220-mx.example ESMTP\n220-no spam\n220 здесь почта").await;
            assert_eq!(peer.hear().await, said);
            peer.say("250-mx.example\n250-auth plain\n250 Size").await;
            peer.expect("AUTH PLAIN").await;
            peer.say("235 2.7.0 ok").await;
        };
        let script = Script::new(Tls::None, 1, serve).await;
        let dialer = Dialer::new(None).unwrap();
        let sender = Sender::new(script.server.clone(), dialer, set);
        assert_eq!(sender.check(&password()).await.unwrap().size, None);
        end(sender, script).await;
    }
}

#[tokio::test]
async fn who_does_not_speak_smtp_is_told_apart() {
    let endless = format!("220 {}", "x".repeat(100_000));
    let many = "220-x\r\n".repeat(100_000);
    for (said, kind) in [
        ("HTTP/1.1 400 Bad Request\r\n\r\n".to_owned(), ErrorKind::Protocol),
        (endless, ErrorKind::Network),
        (many, ErrorKind::Network),
        (String::new(), ErrorKind::Network),
        ("554 5.7.1 no service for you\r\n".to_owned(), ErrorKind::Configuration),
        ("421 4.3.2 try later\r\n".to_owned(), ErrorKind::Unavailable),
    ] {
        let what: String = said.chars().take(20).collect();
        let serve = move |_, mut peer: Peer| {
            let said = said.clone();
            async move {
                peer.say_raw(said.as_bytes()).await;
                if !said.is_empty() {
                    let heard = peer.rest().await;
                    assert!(!heard.contains("AUTH"), "{heard}");
                }
            }
        };
        let script = Script::new(Tls::None, 1, serve).await;
        let sender = sender(&script);
        let error = sender.check(&password()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{what}: {error}");
        end(sender, script).await;
    }
}

#[tokio::test]
async fn starttls_encrypts_and_only_what_is_offered_inside_counts() {
    let serve = |_, mut peer: Peer| async move {
        peer.greet(&["STARTTLS", "AUTH LOGIN", "SIZE 1"]).await;
        peer.expect("STARTTLS").await;
        peer.say("220 2.0.0 go ahead").await;
        let mut peer = peer.secure().await.unwrap();
        peer.answer_ehlo(&["AUTH PLAIN"]).await;
        peer.expect("AUTH PLAIN ").await;
        peer.say("235 2.7.0 ok").await;
        peer.deliver().await;
    };
    let script = Script::new(Tls::Starttls, 1, serve).await;
    let sender = sender(&script);
    sender.send(&password(), &to_anna()).await.unwrap();
    assert_eq!(sender.limits().unwrap().size, None);
    end(sender, script).await;
}

#[tokio::test]
async fn tls_from_the_first_byte_carries_a_mail() {
    let serve = |_, peer: Peer| async move {
        let mut peer = peer.secure().await.unwrap();
        peer.open().await;
        peer.deliver().await;
    };
    let script = Script::new(Tls::Implicit, 1, serve).await;
    let sender = sender(&script);
    sender.send(&password(), &to_anna()).await.unwrap();
    end(sender, script).await;
}

#[tokio::test]
async fn without_starttls_not_a_word_more_is_said_in_clear() {
    let serve = |_, mut peer: Peer| async move {
        peer.greet(&["AUTH PLAIN LOGIN"]).await;
        assert_eq!(peer.rest().await, "");
    };
    let script = Script::new(Tls::Starttls, 1, serve).await;
    let sender = sender(&script);
    let error = rejected(sender.send(&password(), &to_anna()).await);
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("no STARTTLS"), "{error}");
    end(sender, script).await;
}

#[tokio::test]
async fn a_refused_starttls_is_no_reason_to_go_on_in_clear() {
    let serve = |_, mut peer: Peer| async move {
        peer.greet(&["STARTTLS", "AUTH PLAIN LOGIN"]).await;
        peer.expect("STARTTLS").await;
        peer.say("454 4.7.0 TLS not available").await;
        assert_eq!(peer.rest().await, "");
    };
    let script = Script::new(Tls::Starttls, 1, serve).await;
    let sender = sender(&script);
    let error = rejected(sender.send(&password(), &to_anna()).await);
    assert_ne!(error.retry(), Retry::Never, "{error}");
    end(sender, script).await;
}

#[tokio::test]
async fn words_put_behind_the_answer_to_starttls_are_refused() {
    let serve = |_, mut peer: Peer| async move {
        peer.greet(&["STARTTLS"]).await;
        peer.expect("STARTTLS").await;
        peer.say_raw(b"220 go ahead\r\n250-evil\r\n250 AUTH PLAIN\r\n").await;
        assert_eq!(peer.rest().await, "");
    };
    let script = Script::new(Tls::Starttls, 1, serve).await;
    let sender = sender(&script);
    let error = rejected(sender.send(&password(), &to_anna()).await);
    assert_eq!(error.kind(), ErrorKind::Protocol);
    end(sender, script).await;
}

#[tokio::test]
async fn nothing_that_is_shown_holds_the_password() {
    let script = scripted(|mut peer| async move { assert_eq!(peer.serve().await, 1) }).await;
    let sender = sender(&script);
    sender.send(&password(), &to_anna()).await.unwrap();
    let shown = format!("{sender:?}");
    assert!(shown.contains("Kept"), "{shown}");
    assert!(!shown.contains(PASSWORD) && !shown.contains(&STANDARD.encode(PASSWORD)), "{shown}");
    end(sender, script).await;
}

//! Logging in, and losing the connection.

use std::time::Duration;

use omni::Channel;
use omni::core::error::ErrorKind;
use omni::email::{Auth, Server, Tls};

use crate::desk::{Desk, email};
use crate::servers::{Servers, mail};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_names_the_account_and_says_which_server_refuses() {
    let servers = Servers::shared();
    let support = servers.mailbox("support");
    let good = servers.config(&support);
    let account = email(good.clone()).check().await.unwrap();
    assert_eq!(account.id.as_str(), support);

    let mut wrong = good.clone();
    wrong.auth = Auth::Password { password: "не тот".into() };
    let error = email(wrong).check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadCredentials);
    assert!(error.to_string().contains("imap"), "{error}");
    assert!(error.advice().is_some(), "{error}");

    let mut strange = good.clone();
    strange.ca_pem = None;
    let error = email(strange).check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("certificate"), "{error}");

    let mut nowhere = good;
    nowhere.smtp = Some(Server { host: "localhost".into(), port: 1, tls: Tls::Implicit });
    let error = email(nowhere).check().await.unwrap_err();
    assert!(error.to_string().contains("smtp"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_goes_on_after_the_server_ended_the_session() {
    let servers = Servers::shared();
    let support = servers.mailbox("support");
    let desk = Desk::open(servers.config(&support)).await;
    for number in 0..3 {
        servers.kick(&support);
        let text = format!("письмо {number}");
        servers
            .deliver(
                "a@a.example",
                &support,
                &mail("a@a.example", &support, &format!("k{number}@a"), "Тест", &text),
            )
            .await;
        desk.received(&text).await;
    }
    let mut words = desk.words().await;
    words.sort();
    assert_eq!(words, ["письмо 0", "письмо 1", "письмо 2"]);
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_goes_on_after_the_servers_were_away() {
    let servers = Servers::start();
    let support = servers.mailbox("support");
    let desk = Desk::open(servers.config(&support)).await;
    servers.deliver("a@a.example", &support, &mail("a@a.example", &support, "r0@a", "Тест", "до")).await;
    desk.received("до").await;
    servers.stop();
    // The connection is refused for a while.
    tokio::time::sleep(Duration::from_millis(500)).await;
    servers.resume();
    servers.deliver("a@a.example", &support, &mail("a@a.example", &support, "r1@a", "Тест", "после")).await;
    desk.received("после").await;
    assert_eq!(desk.words().await, ["до", "после"]);
    desk.stop().await;
}

use std::time::Duration;

use super::*;

const BRIEF: Duration = Duration::from_millis(1);

/// INBOX with three mails, opened.
async fn with_three() -> (MailServer, Talk) {
    let server = server().await;
    for text in ["раз", "два", "три"] {
        server.mail(text).arrives();
    }
    let talk = Talk::in_inbox(&server).await;
    (server, talk)
}

#[tokio::test]
async fn a_refusal_strikes_its_command_so_often_and_carries_nothing_out() {
    let (server, mut talk) = with_three().await;
    server.imap().on(Command::Store, 2, ImapFault::No("[LIMIT] Later".to_owned()));
    assert_eq!(talk.ends("NOOP").await, "OK NOOP completed.");
    for _ in 0..2 {
        assert_eq!(talk.command("UID STORE 1 FLAGS (\\Seen)").await, ["NO [LIMIT] Later"]);
    }
    assert!(server.flags("INBOX", 1).is_empty());
    assert_eq!(talk.ends("STORE 1 FLAGS (\\Seen)").await, "OK Store completed");
    assert_eq!((server.imap().struck(), server.imap().unspent()), (2, 0));
}

#[tokio::test]
async fn a_rule_may_wait_and_look_at_the_line() {
    let (server, mut talk) = with_three().await;
    let rule = Rule::new(ImapFault::Bad("No".to_owned())).at(Command::Fetch).after(1);
    server.imap().add(rule.matching(|line| line.contains("UID FETCH")).times(1));
    assert_eq!(talk.ends("FETCH 1 FLAGS").await, "OK Fetch completed");
    assert_eq!(talk.ends("UID FETCH 1 FLAGS").await, "OK Fetch completed");
    assert_eq!(talk.ends("UID FETCH 1 FLAGS").await, "BAD No");
    server.imap().add(Rule::new(ImapFault::No("always".to_owned())).always());
    assert_eq!(talk.ends("NOOP").await, "NO always");
    server.imap().clear();
    assert_eq!(talk.ends("NOOP").await, "OK NOOP completed.");
}

#[tokio::test]
async fn the_same_seed_throws_the_same_trouble() {
    let thrown = async |seed| {
        let (server, mut talk) = with_three().await;
        server.imap().chaos(seed, vec![(0.5, Command::Noop, ImapFault::No("thrown".to_owned()))]);
        let mut ends = Vec::new();
        for _ in 0..20 {
            ends.push(talk.ends("NOOP").await);
        }
        ends
    };
    let (one, again, other) = (thrown(7).await, thrown(7).await, thrown(8).await);
    assert_eq!(one, again);
    assert_ne!(one, other);
    assert!(one.contains(&"NO thrown".to_owned()) && one.contains(&"OK NOOP completed.".to_owned()));
}

#[tokio::test]
async fn a_bye_ends_the_session() {
    let (server, mut talk) = with_three().await;
    server.imap().on(Command::Fetch, 1, ImapFault::Bye("Server shutting down.".to_owned()));
    talk.says("a0 FETCH 1 FLAGS").await;
    assert_eq!(talk.hears_the_rest().await, "* BYE Server shutting down.\r\n");
    server.imap().on(Command::Greeting, 1, ImapFault::Bye("Too busy".to_owned()));
    assert_eq!(Talk::at(server.imap_port()).await.hears_the_rest().await, "* BYE Too busy\r\n");
}

#[tokio::test]
async fn everybody_can_be_sent_away_at_once() {
    let (server, mut talk) = with_three().await;
    let mut other = Talk::submitting(&server).await;
    server.kick("Maintenance");
    assert_eq!(talk.hears_the_rest().await, "* BYE Maintenance\r\n");
    assert_eq!(other.hears_the_rest().await, "");
    let mut talk = Talk::in_inbox(&server).await;
    server.cut();
    assert_eq!(talk.hears_the_rest().await, "");
}

#[tokio::test]
async fn a_server_that_is_down_takes_nobody_until_it_comes_back() {
    let (server, mut talk) = with_three().await;
    server.goes_down();
    assert_eq!(talk.hears_the_rest().await, "");
    for port in [server.imap_port(), server.smtp_port()] {
        assert_eq!(Talk::at(port).await.hears_the_rest().await, "");
    }
    server.comes_back();
    Talk::in_inbox(&server).await;
}

#[tokio::test]
async fn a_connection_can_die_with_its_socket_open() {
    let (server, mut talk) = with_three().await;
    server.imap().on(Command::Noop, 1, ImapFault::Silence);
    talk.says("a0 NOOP").await;
    talk.says("a1 LOGOUT").await;
    // Another one is served all the same: by then the first would have been answered.
    Talk::in_inbox(&server).await;
    assert!(tokio::time::timeout(BRIEF, talk.hears()).await.is_err());
    assert_eq!(server.open().imap, 1);
    drop(talk);
}

#[tokio::test]
async fn a_wait_can_go_deaf_end_or_be_refused() {
    let (server, mut talk) = with_three().await;
    server.imap().on(Command::Idle, 1, ImapFault::Deaf).on(Command::Idle, 1, ImapFault::Close);
    server.imap().on(Command::Idle, 1, ImapFault::Bye("Idle too long".to_owned()));
    talk.begins("IDLE").await;
    assert_eq!(talk.hears().await, "+ idling");
    server.idles(1).await;
    server.mail("четыре").arrives();
    let mut ended = Talk::in_inbox(&server).await;
    ended.begins("IDLE").await;
    assert_eq!(ended.hears_the_rest().await, "+ idling\r\n");
    let mut sent_away = Talk::in_inbox(&server).await;
    sent_away.begins("IDLE").await;
    assert_eq!(sent_away.hears_the_rest().await, "+ idling\r\n* BYE Idle too long\r\n");
    assert!(tokio::time::timeout(BRIEF, talk.hears()).await.is_err(), "who is deaf tells nothing");
}

#[tokio::test]
async fn an_answer_can_be_lost_when_all_was_done() {
    let (server, mut talk) = with_three().await;
    server.imap().on(Command::Store, 1, ImapFault::LosesAnswer);
    talk.says("a0 UID STORE 1 FLAGS (\\Seen)").await;
    assert_eq!(talk.hears_the_rest().await, "");
    assert_eq!(server.flags("INBOX", 1), ["\\Seen"]);
}

#[tokio::test]
async fn an_answer_can_end_in_every_place() {
    let (server, mut talk) = with_three().await;
    let size = server.raw("INBOX", 1).len();
    server.imap().on(Command::Fetch, 1, ImapFault::CutInLiteral);
    talk.says("a0 UID FETCH 1:3 BODY.PEEK[]").await;
    let head = format!("* 1 FETCH (UID 1 BODY[] {{{size}}}\r\n");
    assert_eq!(talk.hears_the_rest().await.len(), head.len() + size / 2);

    let mut talk = Talk::in_inbox(&server).await;
    server.imap().on(Command::Fetch, 1, ImapFault::CutAfterResponses(2));
    talk.says("a0 UID FETCH 1:3 (UID)").await;
    assert_eq!(talk.hears_the_rest().await, "* 1 FETCH (UID 1)\r\n* 2 FETCH (UID 2)\r\n");

    let mut talk = Talk::in_inbox(&server).await;
    server.imap().on(Command::Fetch, 1, ImapFault::CutAfter(5));
    talk.says("a0 UID FETCH 1:3 (UID)").await;
    assert_eq!(talk.hears_the_rest().await, "* 1 F");
}

#[tokio::test]
async fn an_answer_can_lie() {
    let (server, mut talk) = with_three().await;
    server.imap().on(Command::Fetch, 1, ImapFault::NilBody).on(Command::Fetch, 1, ImapFault::Announces(7));
    assert_eq!(talk.command("UID FETCH 1 BODY.PEEK[]").await[0], "* 1 FETCH (UID 1 BODY[] NIL)");
    assert_eq!(talk.command("UID FETCH 1 BODY.PEEK[1]").await[0], "* 1 FETCH (UID 1 BODY[1] {7}");
    server.imap().on(Command::Select, 1, ImapFault::Without("UIDVALIDITY".to_owned()));
    let told = talk.command("SELECT INBOX").await;
    assert!(!told.iter().any(|line| line.contains("UIDVALIDITY")), "{told:?}");
    server.imap().on(Command::Search, 1, ImapFault::Replaces("SEARCH".to_owned(), "search".to_owned()));
    assert_eq!(talk.command("UID SEARCH ALL").await[0], "* search 1 2 3");
    server.imap().on(Command::Greeting, 1, ImapFault::Replaces("OK".to_owned(), "PREAUTH".to_owned()));
    assert!(Talk::at(server.imap_port()).await.hears().await.starts_with("* PREAUTH "));
}

#[tokio::test]
async fn lines_nobody_asked_for_come_before_and_amid_an_answer() {
    let (server, mut talk) = with_three().await;
    server.imap().on(Command::Fetch, 1, ImapFault::Amid(vec!["* OK [ALERT] Read me".to_owned()]));
    server.imap().on(Command::Noop, 1, ImapFault::Before(vec!["* OK Still here".to_owned()]));
    let told = talk.command("FETCH 1:2 (UID)").await;
    assert_eq!(told[..3], ["* 1 FETCH (UID 1)", "* OK [ALERT] Read me", "* 2 FETCH (UID 2)"]);
    assert_eq!(talk.command("NOOP").await, ["* OK Still here", "OK NOOP completed."]);
}

#[tokio::test]
async fn mail_comes_and_goes_while_a_command_is_under_way() {
    let (server, mut talk) = with_three().await;
    server.imap().on(Command::Fetch, 1, ImapFault::Expunges(2));
    let told = talk.command("UID FETCH 1:3 (UID)").await;
    assert_eq!(told, ["* 2 EXPUNGE", "* 1 FETCH (UID 1)", "* 2 FETCH (UID 3)", "OK Fetch completed"]);
    server.imap().on(Command::Idle, 1, ImapFault::Delivers(Bytes::from_static(b"Subject: new\r\n\r\n")));
    talk.begins("IDLE").await;
    assert_eq!(talk.hears().await, "* 3 EXISTS");
    talk.hears().await;
    assert_eq!(talk.hears().await, "+ idling");
}

#[tokio::test]
async fn a_slow_server_says_the_same() {
    let (server, mut talk) = with_three().await;
    let at_once = talk.command("UID FETCH 1:3 BODY.PEEK[]").await;
    server.imap().on(Command::Fetch, 1, ImapFault::Slow { pieces: 5, pause: BRIEF });
    server.imap().on(Command::Fetch, 1, ImapFault::Delay(BRIEF));
    assert_eq!(talk.command("UID FETCH 1:3 BODY.PEEK[]").await, at_once);
    assert_eq!(talk.command("UID FETCH 1:3 BODY.PEEK[]").await, at_once);
    let mut talk = Talk::submitting(&server).await;
    server.smtp().on(Stage::Noop, 1, SmtpFault::Slow(BRIEF)).on(Stage::Noop, 1, SmtpFault::Delay(BRIEF));
    server.smtp().on(Stage::Noop, 1, SmtpFault::DelayAnswer(BRIEF));
    for _ in 0..3 {
        assert_eq!(talk.answer("NOOP").await, "250 2.0.0 Ok");
    }
}

#[tokio::test]
async fn connections_over_the_limit_are_refused_until_one_ends() {
    let server = MailServer::start(settings().connections(2)).await.unwrap();
    let (_one, other) = (Talk::logged_in(&server).await, Talk::logged_in(&server).await);
    let refused = Talk::imap(&server).await.ends(LOGIN).await;
    assert_eq!(refused, "NO [LIMIT] Maximum number of connections from user+IP exceeded");
    drop(other);
    server.ground().wait_for("a place", || (server.open().logged_in == 1).then_some(())).await;
    Talk::logged_in(&server).await;
}

#[tokio::test]
async fn words_put_behind_starttls_come_in_clear() {
    let server = server().await;
    let injected = "* OK injected\r\n".to_owned();
    server.imap().on(Command::Starttls, 1, ImapFault::Injects(injected));
    let mut talk = Talk::imap(&server).await;
    talk.begins("STARTTLS").await;
    assert_eq!(talk.hears().await, "a1 OK Begin TLS negotiation now.");
    assert_eq!(talk.hears().await, "* OK injected");
    server.smtp().on(Stage::Starttls, 1, SmtpFault::Injects("250 injected\r\n".to_owned()));
    let mut talk = Talk::smtp(&server).await;
    assert_eq!(talk.answer("STARTTLS").await, "220 2.0.0 Ready to start TLS");
    assert_eq!(talk.hears().await, "250 injected");
}

#[tokio::test]
async fn starttls_can_be_refused() {
    let server = server().await;
    server.imap().on(Command::Starttls, 1, ImapFault::No("TLS is ill".to_owned()));
    assert_eq!(Talk::imap(&server).await.ends("STARTTLS").await, "NO TLS is ill");
    server.smtp().on(Stage::Starttls, 1, SmtpFault::Reply("454 4.7.0 TLS is ill".to_owned()));
    assert_eq!(Talk::smtp(&server).await.answer("STARTTLS").await, "454 4.7.0 TLS is ill");
}

#[tokio::test]
async fn an_answer_of_smtp_is_replaced_at_its_stage_and_nothing_is_done() {
    let server = server().await;
    server.smtp().on(
        Stage::Rcpt,
        1,
        SmtpFault::Reply("451 4.7.1 Greylisted, try again in 300 seconds".to_owned()),
    );
    server.smtp().on(Stage::Dot, 1, SmtpFault::Reply("452 4.2.2 Over quota\nTry later".to_owned()));
    let mut talk = Talk::submitting(&server).await;
    talk.answer("MAIL FROM:<help@shop.example>").await;
    assert!(talk.answer("RCPT TO:<olga@customer.example>").await.starts_with("451 4.7.1 Greylisted"));
    assert_eq!(talk.answer("DATA").await, "503 5.5.1 Error: need RCPT command");
    talk.answer("RCPT TO:<olga@customer.example>").await;
    talk.answer("DATA").await;
    assert_eq!(talk.answers("Subject: x\r\n\r\n.").await, ["452-4.2.2 Over quota", "452 Try later"]);
    assert!(server.sent().is_empty());
}

#[tokio::test]
async fn a_refused_data_is_no_invitation() {
    let server = server().await;
    server.smtp().on(Stage::Data, 1, SmtpFault::Reply("554 5.7.1 No".to_owned()));
    let mut talk = Talk::submitting(&server).await;
    talk.answer("MAIL FROM:<help@shop.example>").await;
    talk.answer("RCPT TO:<olga@customer.example>").await;
    assert_eq!(talk.answer("DATA").await, "554 5.7.1 No");
    assert_eq!(talk.answer("NOOP").await, "250 2.0.0 Ok");
}

#[tokio::test]
async fn the_answer_to_a_mail_can_be_lost_when_it_was_taken_and_before() {
    for (stage, fault, taken) in [
        (Stage::Dot, SmtpFault::LosesAnswer, 1),
        (Stage::Dot, SmtpFault::Close, 0),
        (Stage::Content, SmtpFault::Close, 0),
        (Stage::Content, SmtpFault::ReplyAndClose("421 4.3.2 Going down".to_owned()), 0),
        (Stage::Dot, SmtpFault::ReplyAndClose("421 4.3.2 Going down".to_owned()), 0),
    ] {
        let server = server().await;
        let says = if matches!(fault, SmtpFault::ReplyAndClose(_)) { "421 4.3.2 Going down\r\n" } else { "" };
        server.smtp().on(stage, 1, fault.clone());
        let mut talk = Talk::submitting(&server).await;
        talk.answer("MAIL FROM:<help@shop.example>").await;
        talk.answer("RCPT TO:<olga@customer.example>").await;
        talk.answer("DATA").await;
        talk.says("Subject: x\r\n\r\nДа\r\n.").await;
        assert_eq!(talk.hears_the_rest().await, says, "{stage:?} {fault:?}");
        assert_eq!(server.sent().len(), taken, "{stage:?} {fault:?}");
    }
}

#[tokio::test]
async fn smtp_can_fall_silent() {
    let server = server().await;
    server.smtp().on(Stage::Connect, 1, SmtpFault::Silence).on(Stage::Connect, 1, SmtpFault::Close);
    let mut silent = Talk::at(server.smtp_port()).await;
    assert_eq!(Talk::at(server.smtp_port()).await.hears_the_rest().await, "");
    assert!(tokio::time::timeout(BRIEF, silent.hears()).await.is_err());
}

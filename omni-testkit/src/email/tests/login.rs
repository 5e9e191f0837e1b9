use super::*;

const XOAUTH2: &str = "user=help@shop.example\u{1}auth=Bearer t0ken\u{1}\u{1}";
const OAUTHBEARER: &str =
    "n,a=help@shop.example,\u{1}host=mail.test.example\u{1}port=143\u{1}auth=Bearer t0ken\u{1}\u{1}";

#[tokio::test]
async fn nothing_is_done_for_a_stranger() {
    let server = server().await;
    let mut talk = Talk::imap(&server).await;
    for command in ["SELECT INBOX", "LIST \"\" *", "UID FETCH 1 FLAGS", "APPEND INBOX {1}"] {
        assert_eq!(talk.ends(command).await, "BAD Please login first.", "{command}");
    }
    assert_eq!(talk.ends("NOOP").await, "OK NOOP completed.");
    assert_eq!(talk.ends("TELEPATHY").await, "BAD Unknown command");
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_counted() {
    let server = server().await;
    let mut talk = Talk::imap(&server).await;
    for login in ["LOGIN help@shop.example wrong", "LOGIN nobody@shop.example s3cret"] {
        assert_eq!(talk.ends(login).await, "NO [AUTHENTICATIONFAILED] Authentication failed.");
    }
    assert_eq!(talk.ends(LOGIN).await, "OK Logged in");
    let counts = server.counts();
    assert_eq!((counts.imap_logins, counts.imap_refusals), (1, 2));
    assert_eq!(server.said(Command::Login), ["LOGIN"; 3], "what is secret is not kept");
}

#[tokio::test]
async fn a_changed_password_keeps_those_out_who_come_later() {
    let server = server().await;
    let mut inside = Talk::logged_in(&server).await;
    server.change_password("another");
    assert_eq!(inside.ends("NOOP").await, "OK NOOP completed.");
    assert!(Talk::imap(&server).await.ends(LOGIN).await.starts_with("NO [AUTHENTICATIONFAILED]"));
}

#[tokio::test]
async fn what_can_be_done_is_told_anew_after_the_login() {
    let server = server().await;
    let mut talk = Talk::imap(&server).await;
    let before = talk.command("CAPABILITY").await.remove(0);
    assert!(before.contains(" STARTTLS AUTH=LOGIN AUTH=OAUTHBEARER AUTH=PLAIN AUTH=XOAUTH2"), "{before}");
    assert!(!before.contains("UIDPLUS"), "{before}");
    let after = talk.command(LOGIN).await.remove(0);
    for word in ["CONDSTORE", "IDLE", "LITERAL+", "MOVE", "SPECIAL-USE", "UIDPLUS", "UNSELECT"] {
        assert!(after.contains(word), "{after}");
    }
    assert!(!after.contains("AUTH="), "{after}");
}

#[tokio::test]
async fn an_ability_that_is_taken_away_is_not_told_and_not_there() {
    let all = Ability::ALL.into_iter().fold(settings(), Settings::without);
    let server = MailServer::start(all).await.unwrap();
    server.mail("раз").arrives();
    let mut talk = Talk::in_inbox(&server).await;
    assert_eq!(talk.command("CAPABILITY").await[0], "* CAPABILITY IMAP4rev1");
    for command in ["IDLE", "ID NIL", "ENABLE CONDSTORE", "UNSELECT", "UID MOVE 1 Trash", "UID EXPUNGE 1"] {
        assert_eq!(talk.ends(command).await, "BAD Unknown command", "{command}");
    }
    assert_eq!(talk.ends("UID COPY 1 Trash").await, "OK Copy completed");
    let begun = Talk::logged_in(&server).await.ends("APPEND INBOX {3+}\r\nabc").await;
    assert_eq!(begun, "BAD Literals wait for a continuation here");
}

#[tokio::test]
async fn every_mechanism_lets_in_with_what_is_right_alone() {
    let server = server().await;
    server.accept_token("t0ken");
    for (mechanism, right) in [
        ("PLAIN", format!("\0{HELP}\0{PASSWORD}")),
        ("XOAUTH2", XOAUTH2.to_owned()),
        ("OAUTHBEARER", OAUTHBEARER.to_owned()),
    ] {
        let mut talk = Talk::imap(&server).await;
        let at_once = format!("AUTHENTICATE {mechanism} {}", STANDARD.encode(&right));
        assert_eq!(talk.ends(&at_once).await, "OK Logged in", "{mechanism}");
        let mut talk = Talk::imap(&server).await;
        let tag = talk.begins(&format!("AUTHENTICATE {mechanism}")).await;
        assert_eq!(talk.hears().await, "+ ");
        talk.says(&STANDARD.encode(&right)).await;
        assert_eq!(talk.until(&tag).await.pop().unwrap(), "OK Logged in", "{mechanism}, when asked");
    }
    let wrong = format!("AUTHENTICATE PLAIN {}", plain(HELP, "wrong"));
    assert!(Talk::imap(&server).await.ends(&wrong).await.starts_with("NO [AUTHENTICATIONFAILED]"));
    assert_eq!(server.said(Command::Authenticate)[0], "AUTHENTICATE PLAIN", "what is secret is not kept");
}

#[tokio::test]
async fn login_as_a_mechanism_asks_for_name_and_password() {
    let server = server().await;
    let mut talk = Talk::imap(&server).await;
    let tag = talk.begins("AUTHENTICATE LOGIN").await;
    for (question, answer) in [("Username:", HELP), ("Password:", PASSWORD)] {
        assert_eq!(talk.hears().await, format!("+ {}", STANDARD.encode(question)));
        talk.says(&STANDARD.encode(answer)).await;
    }
    assert_eq!(talk.until(&tag).await.pop().unwrap(), "OK Logged in");
}

#[tokio::test]
async fn an_expired_token_is_refused_with_a_reason_that_has_to_be_heard_out() {
    let server = server().await;
    server.accept_token("t0ken");
    server.expire_token("t0ken");
    for (login, last) in [(XOAUTH2, ""), (OAUTHBEARER, "\u{1}")] {
        let mechanism = if last.is_empty() { "XOAUTH2" } else { "OAUTHBEARER" };
        let mut talk = Talk::imap(&server).await;
        let tag = talk.begins(&format!("AUTHENTICATE {mechanism} {}", STANDARD.encode(login))).await;
        let reason = talk.hears().await;
        let reason = STANDARD.decode(reason.strip_prefix("+ ").unwrap()).unwrap();
        let reason: serde_json::Value = serde_json::from_slice(&reason).unwrap();
        assert!(["401", "invalid_token"].contains(&reason["status"].as_str().unwrap()));
        talk.says(&STANDARD.encode(last)).await;
        assert!(talk.until(&tag).await.pop().unwrap().starts_with("NO [AUTHENTICATIONFAILED]"));
    }
}

#[tokio::test]
async fn a_login_may_be_given_up() {
    let server = server().await;
    let mut talk = Talk::imap(&server).await;
    let tag = talk.begins("AUTHENTICATE PLAIN").await;
    talk.hears().await;
    talk.says("*").await;
    assert_eq!(talk.until(&tag).await, ["BAD Authentication aborted by client."]);
    assert_eq!(talk.ends(LOGIN).await, "OK Logged in");
}

#[tokio::test]
async fn where_tls_is_demanded_nobody_logs_in_in_clear() {
    let server = MailServer::start(settings().starttls(Starttls::Demanded)).await.unwrap();
    let mut talk = Talk::imap(&server).await;
    let told = talk.command("CAPABILITY").await.remove(0);
    assert!(told.ends_with("STARTTLS LOGINDISABLED"), "{told}");
    assert!(talk.ends(LOGIN).await.starts_with("NO [PRIVACYREQUIRED]"));
    assert_eq!(talk.ends("STARTTLS").await, "OK Begin TLS negotiation now.");
    let mut talk = talk.secured(&server, "localhost").await.unwrap();
    assert_eq!(talk.ends(LOGIN).await, "OK Logged in");
}

#[tokio::test]
async fn tls_from_the_first_byte_shows_a_certificate_for_its_names_alone() {
    let server = server().await;
    let talk = Talk::at(server.imaps_port()).await;
    let mut talk = talk.secured(&server, "mail.test.example").await.unwrap();
    assert!(talk.hears().await.starts_with("* OK [CAPABILITY IMAP4rev1 "));
    assert_eq!(talk.ends("STARTTLS").await, "BAD Unknown command");
    assert_eq!(talk.ends(LOGIN).await, "OK Logged in");
    let talk = Talk::at(server.imaps_port()).await;
    assert!(talk.secured(&server, "mail.other.example").await.is_err());
    let mut talk = Talk::at(server.smtps_port()).await.secured(&server, "localhost").await.unwrap();
    assert!(talk.hears().await.starts_with("220 "));
}

#[tokio::test]
async fn further_mailboxes_are_of_their_owners_alone() {
    let server = server().await;
    let olga = server.mailbox("olga@shop.example", "другой");
    olga.deliver("INBOX", "Subject: one\r\n\r\n");
    let mut talk = Talk::imap(&server).await;
    // A password beyond ASCII goes as a literal.
    let tag = talk.begins("LOGIN olga@shop.example {12}").await;
    assert_eq!(talk.hears().await, "+ OK");
    talk.says("другой").await;
    assert_eq!(talk.until(&tag).await.pop().unwrap(), "OK Logged in");
    assert!(talk.command("EXAMINE inbox").await.contains(&"* 1 EXISTS".to_owned()));
    assert!(Talk::logged_in(&server).await.command("EXAMINE INBOX").await.contains(&"* 0 EXISTS".to_owned()));
}

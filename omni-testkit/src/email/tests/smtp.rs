use super::*;

const MAIL: &str = "From: help@shop.example\nTo: olga@customer.example\nSubject: Hi\n\nДа 👟\n";

#[tokio::test]
async fn the_answer_to_ehlo_names_what_it_can() {
    let server =
        MailServer::start(settings().size_limit(1000).without_extension(Extension::Dsn)).await.unwrap();
    let mut talk = Talk::at(server.smtp_port()).await;
    talk.hears().await;
    let told = talk.answers("EHLO client.example").await;
    let wanted = [
        "250-mail.test.example",
        "250-8BITMIME",
        "250-ENHANCEDSTATUSCODES",
        "250-PIPELINING",
        "250-SIZE 1000",
        "250-SMTPUTF8",
        "250-STARTTLS",
        "250 AUTH LOGIN OAUTHBEARER PLAIN XOAUTH2",
    ];
    assert_eq!(told, wanted);
    assert_eq!(talk.answer("HELO client.example").await, "250 mail.test.example");
    assert!(talk.answer("EHLO ").await.starts_with("501 "));
}

#[tokio::test]
async fn a_mail_is_kept_with_its_envelope() {
    let server = server().await;
    let mut talk = Talk::submitting(&server).await;
    assert_eq!(talk.answer("MAIL FROM:<help@shop.example> SIZE=100 RET=HDRS ENVID=q1").await, "250 2.1.0 Ok");
    assert_eq!(talk.answer("rcpt to:<olga@customer.example> NOTIFY=FAILURE,DELAY").await, "250 2.1.5 Ok");
    talk.answer("RCPT TO:<boss@customer.example>").await;
    talk.answer("DATA").await;
    let answer = talk.answer(&format!("{}.", MAIL.replace('\n', "\r\n"))).await;
    assert!(answer.starts_with("250 2.0.0 Ok: queued as 4B"), "{answer}");
    let sent = server.sends(1).await.remove(0);
    assert_eq!(sent.user.as_deref(), Some(HELP));
    assert_eq!(
        (sent.from.as_str(), sent.parameters),
        (HELP, vec!["SIZE=100".into(), "RET=HDRS".into(), "ENVID=q1".into()])
    );
    assert_eq!(sent.to[0].parameters, ["NOTIFY=FAILURE,DELAY"]);
    assert_eq!(sent.raw, MAIL.replace('\n', "\r\n"));
    assert_eq!(talk.answer("QUIT").await, "221 2.0.0 Bye");
    assert_eq!(talk.hears().await, "");
}

#[tokio::test]
async fn nobody_hands_in_without_a_login() {
    let server = server().await;
    let mut talk = Talk::at(server.smtp_port()).await;
    talk.hears().await;
    assert_eq!(talk.answer("MAIL FROM:<a@b.example>").await, "503 5.5.1 Error: send HELO/EHLO first");
    talk.answers("EHLO x").await;
    assert_eq!(talk.answer("MAIL FROM:<a@b.example>").await, "530 5.7.0 Authentication required");
    assert_eq!(
        talk.answer(&format!("AUTH PLAIN {}", plain(HELP, "wrong"))).await,
        "535 5.7.8 Error: authentication failed"
    );
    assert_eq!(
        talk.answer("AUTH PLAIN ?").await,
        "535 5.7.8 Error: authentication failed: Invalid base64 data"
    );
    assert_eq!((server.counts().smtp_logins, server.counts().smtp_refusals), (0, 1));
}

#[tokio::test]
async fn a_login_may_go_step_by_step() {
    let server = server().await;
    server.accept_token("t0ken");
    let mut talk = Talk::smtp(&server).await;
    assert_eq!(talk.answer("AUTH LOGIN").await, format!("334 {}", STANDARD.encode("Username:")));
    assert_eq!(talk.answer(&STANDARD.encode(HELP)).await, format!("334 {}", STANDARD.encode("Password:")));
    assert!(talk.answer(&STANDARD.encode(PASSWORD)).await.starts_with("235 "));
    assert_eq!(talk.answer("AUTH PLAIN").await, "503 5.5.1 Error: already authenticated");
    let mut talk = Talk::smtp(&server).await;
    let token = STANDARD.encode(format!("user={HELP}\u{1}auth=Bearer wrong\u{1}\u{1}"));
    assert!(talk.answer(&format!("AUTH XOAUTH2 {token}")).await.starts_with("334 "));
    assert_eq!(talk.answer("").await, "535 5.7.8 Error: authentication failed");
}

#[tokio::test]
async fn what_was_said_in_clear_does_not_count_after_starttls() {
    let server = MailServer::start(settings().starttls(Starttls::Demanded)).await.unwrap();
    let mut talk = Talk::at(server.smtp_port()).await;
    talk.hears().await;
    let offers = talk.answers("EHLO x").await;
    assert!(!offers.iter().any(|line| line.contains("AUTH")), "{offers:?}");
    assert_eq!(talk.answer("STARTTLS").await, "220 2.0.0 Ready to start TLS");
    let mut talk = talk.secured(&server, "localhost").await.unwrap();
    assert!(talk.answer("MAIL FROM:<a@b.example>").await.starts_with("503 "));
    assert!(talk.answers("EHLO x").await.contains(&"250 AUTH LOGIN OAUTHBEARER PLAIN XOAUTH2".to_owned()));
}

#[tokio::test]
async fn commands_out_of_turn_are_refused() {
    let server = server().await;
    let mut talk = Talk::submitting(&server).await;
    assert_eq!(talk.answer("RCPT TO:<a@b.example>").await, "503 5.5.1 Error: need MAIL command");
    assert_eq!(talk.answer("DATA").await, "503 5.5.1 Error: need MAIL command");
    talk.answer("MAIL FROM:<help@shop.example>").await;
    assert_eq!(talk.answer("MAIL FROM:<help@shop.example>").await, "503 5.5.1 Error: nested MAIL command");
    assert_eq!(talk.answer("DATA").await, "503 5.5.1 Error: need RCPT command");
    assert_eq!(talk.answer("RSET").await, "250 2.0.0 Ok");
    for (line, code) in
        [("MAIL FROM: help@shop.example", "501"), ("MAIL FROM:<a b>", "501"), ("TELEPATHY", "500")]
    {
        assert!(talk.answer(line).await.starts_with(code), "{line}");
    }
}

#[tokio::test]
async fn what_was_not_offered_is_not_taken() {
    let all = Extension::ALL.into_iter().fold(settings(), Settings::without_extension);
    let server = MailServer::start(all).await.unwrap();
    let mut talk = Talk::submitting(&server).await;
    for parameter in ["SIZE=10", "BODY=8BITMIME", "SMTPUTF8", "RET=HDRS"] {
        let answer = talk.answer(&format!("MAIL FROM:<help@shop.example> {parameter}")).await;
        assert!(answer.starts_with("555 "), "{parameter}: {answer}");
    }
    talk.answer("MAIL FROM:<help@shop.example>").await;
    assert!(talk.answer("RCPT TO:<a@b.example> NOTIFY=NEVER").await.starts_with("555 "));
    assert!(talk.answer("RCPT TO:<почта@b.example>").await.starts_with("553 5.6.7 "));
}

#[tokio::test]
async fn a_mail_over_the_limit_is_refused_by_its_word_and_by_its_bytes() {
    let server = MailServer::start(settings().size_limit(1000)).await.unwrap();
    let mut talk = Talk::submitting(&server).await;
    assert!(talk.answer("MAIL FROM:<help@shop.example> SIZE=1001").await.starts_with("552 5.3.4 "));
    let answer = talk.hands_in(HELP, "olga@customer.example", &"x".repeat(1001)).await;
    assert_eq!(answer, "552 5.3.4 Error: message file too big");
    assert!(server.sent().is_empty());
}

#[tokio::test]
async fn a_dot_at_the_start_of_a_line_comes_through() {
    let server = server().await;
    let mut talk = Talk::submitting(&server).await;
    talk.hands_in(HELP, "olga@customer.example", "Subject: dots\n\n..\n...hidden\nend").await;
    assert_eq!(server.sent()[0].raw, "Subject: dots\r\n\r\n.\r\n..hidden\r\nend\r\n");
}

#[tokio::test]
async fn bare_line_ends_within_a_mail_are_refused() {
    let server = server().await;
    let mut talk = Talk::submitting(&server).await;
    for mail in ["a\nb\r\n.", "a\rb\r\n."] {
        talk.answer("MAIL FROM:<help@shop.example>").await;
        talk.answer("RCPT TO:<olga@customer.example>").await;
        talk.answer("DATA").await;
        assert!(talk.answer(mail).await.starts_with("550 5.5.2 "), "{mail:?}");
        talk.answer("RSET").await;
    }
    assert!(server.sent().is_empty());
}

#[tokio::test]
async fn a_refused_mail_ends_its_transaction() {
    let server = server().await;
    let mut talk = Talk::submitting(&server).await;
    server.smtp().on(Stage::Dot, 1, SmtpFault::Reply("451 4.3.0 Later".to_owned()));
    assert_eq!(talk.hands_in(HELP, "olga@customer.example", MAIL).await, "451 4.3.0 Later");
    assert!(talk.hands_in(HELP, "olga@customer.example", MAIL).await.starts_with("250 2.0.0 "));
    assert_eq!(server.forget().len(), 1);
    assert!(server.sent().is_empty(), "what is forgotten is not told again");
}

#[tokio::test]
async fn a_mail_to_a_mailbox_of_the_server_arrives_there() {
    let server = server().await;
    let olga = server.mailbox("Olga@shop.example", "x");
    let mut talk = Talk::submitting(&server).await;
    talk.hands_in(HELP, "OLGA+shoes@shop.example", MAIL).await;
    let raw = olga.raw("INBOX", 1);
    let text = String::from_utf8_lossy(&raw);
    assert!(
        text.starts_with("Return-Path: <help@shop.example>\r\nDelivered-To: OLGA+shoes@shop.example\r\n"),
        "{text}"
    );
    assert!(text.ends_with("Да 👟\r\n"), "{text}");
    assert!(server.uids("Sent").is_empty(), "copies are the client's business here");
}

#[tokio::test]
async fn a_server_may_keep_copies_by_itself() {
    let server = MailServer::start(settings().sent_copies(SentCopies::ByServer)).await.unwrap();
    Talk::submitting(&server).await.hands_in(HELP, "olga@customer.example", MAIL).await;
    assert_eq!(server.flags("Sent", 1), ["\\Seen"]);
    assert_eq!(server.raw("Sent", 1), server.sent()[0].raw);
}

#[tokio::test]
async fn a_recipient_may_be_refused_for_good() {
    let server = server().await;
    server.refuse_recipient("gone@customer.example", "550 5.1.1 User unknown");
    let mut talk = Talk::submitting(&server).await;
    talk.answer("MAIL FROM:<help@shop.example>").await;
    assert_eq!(talk.answer("RCPT TO:<Gone@customer.example>").await, "550 5.1.1 User unknown");
    assert_eq!(talk.answer("RCPT TO:<olga@customer.example>").await, "250 2.1.5 Ok");
}

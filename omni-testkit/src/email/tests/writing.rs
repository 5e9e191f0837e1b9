use super::*;

async fn with_three() -> (MailServer, Talk) {
    let server = server().await;
    for text in ["раз", "два", "три"] {
        server.mail(text).arrives();
    }
    let talk = Talk::in_inbox(&server).await;
    (server, talk)
}

#[tokio::test]
async fn flags_are_set_added_and_taken_away() {
    let (server, mut talk) = with_three().await;
    let told = talk.command("UID STORE 2 +FLAGS (\\seen $Done)").await;
    assert_eq!(told, ["* 2 FETCH (UID 2 FLAGS ($Done \\Seen \\Recent))", "OK Store completed"]);
    assert_eq!(talk.command("UID STORE 2 -FLAGS.SILENT ($Done)").await, ["OK Store completed"]);
    assert_eq!(server.flags("INBOX", 2), ["\\Seen"]);
    talk.command("STORE 2 FLAGS (\\Flagged)").await;
    assert_eq!(server.flags("INBOX", 2), ["\\Flagged"]);
    assert_eq!(talk.ends("STORE 2 FLAGS (\\Telepathic)").await, "BAD Invalid flags");
    talk.command("EXAMINE INBOX").await;
    assert!(talk.ends("STORE 2 FLAGS (\\Seen)").await.starts_with("NO [READ-ONLY]"));
}

#[tokio::test]
async fn an_expunge_takes_what_is_marked_and_within_its_uids() {
    let (server, mut talk) = with_three().await;
    talk.command("UID STORE 1,3 +FLAGS.SILENT (\\Deleted)").await;
    assert_eq!(talk.command("UID EXPUNGE 1:2").await, ["* 1 EXPUNGE", "OK Expunge completed"]);
    assert_eq!(server.uids("INBOX"), [2, 3]);
    assert_eq!(talk.command("EXPUNGE").await, ["* 2 EXPUNGE", "OK Expunge completed"]);
    assert_eq!(server.uids("INBOX"), [2]);
}

#[tokio::test]
async fn closing_takes_what_is_marked_and_unselecting_does_not() {
    let (server, mut talk) = with_three().await;
    talk.command("UID STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    assert_eq!(talk.command("UNSELECT").await, ["OK Unselect completed"]);
    assert_eq!(server.uids("INBOX"), [1, 2, 3]);
    talk.command("SELECT INBOX").await;
    assert_eq!(talk.command("CLOSE").await, ["OK Close completed"]);
    assert_eq!(server.uids("INBOX"), [2, 3]);
}

#[tokio::test]
async fn copies_and_moves_tell_the_new_uids() {
    let (server, mut talk) = with_three().await;
    server.deliver("Trash", "\r\n");
    let copied = talk.ends("UID COPY 1,3 Trash").await;
    assert!(copied.ends_with(" 1,3 2,3] Copy completed"), "{copied}");
    let moved = talk.command("UID MOVE 2 Trash").await;
    assert!(moved[0].ends_with(" 2 4] Moved UIDs."), "{moved:?}");
    assert_eq!(moved[1..], ["* 2 EXPUNGE", "OK Move completed"]);
    assert_eq!((server.uids("INBOX"), server.uids("Trash")), (vec![1, 3], vec![1, 2, 3, 4]));
    assert!(talk.ends("UID COPY 1 Nowhere").await.starts_with("NO [TRYCREATE]"));
    assert_eq!(talk.command("UID COPY 77 Trash").await, ["OK No messages found"]);
}

#[tokio::test]
async fn an_appended_mail_has_its_flags_and_its_date() {
    let server = server().await;
    let mut talk = Talk::logged_in(&server).await;
    let tag = talk.begins("APPEND Sent (\\Seen) \"15-Nov-2023 01:13:20 +0300\" {9}").await;
    assert_eq!(talk.hears().await, "+ OK");
    talk.says("\r\nПока\r").await;
    let end = talk.until(&tag).await.pop().unwrap();
    assert!(end.starts_with("BAD "), "nine bytes end within a letter, and the line goes on: {end}");
    let end = talk.ends("APPEND Sent (\\Seen) \"15-Nov-2023 01:13:20 +0300\" {10+}\r\n\r\nПока").await;
    assert!(end.starts_with("OK [APPENDUID 17") && end.ends_with(" 1] Append completed"), "{end}");
    assert_eq!(
        (server.flags("Sent", 1), server.raw("Sent", 1)),
        (vec!["\\Seen".to_owned()], "\r\nПока".into())
    );
    talk.command("EXAMINE Sent").await;
    assert!(talk.command("FETCH 1 INTERNALDATE").await[0].contains("15-Nov-2023 01:13:20 +0300"));
}

#[tokio::test]
async fn a_mail_that_may_not_be_appended_is_refused_before_it_is_sent() {
    let server = MailServer::start(settings().size_limit(1000)).await.unwrap();
    let mut talk = Talk::logged_in(&server).await;
    assert!(talk.ends("APPEND Nowhere {5}").await.starts_with("NO [TRYCREATE]"));
    assert!(talk.ends("APPEND Sent {1001}").await.starts_with("NO [TOOBIG]"));
    // What comes unasked is passed over.
    let unasked = format!("APPEND Sent {{1001+}}\r\n{}", "x".repeat(1001));
    assert!(talk.ends(&unasked).await.starts_with("NO [TOOBIG]"));
    assert_eq!(talk.ends("NOOP").await, "OK NOOP completed.");
}

#[tokio::test]
async fn what_another_program_does_is_told_with_the_next_command() {
    let (server, mut talk) = with_three().await;
    server.expunge("INBOX", 1);
    server.set_flags("INBOX", 3, &["\\Answered"]);
    server.mail("четыре").arrives();
    let told = talk.command("FETCH 1:3 (UID)").await;
    assert_eq!(told[..2], ["* 2 FETCH (UID 2)", "* 3 FETCH (UID 3)"], "what is gone is not told of");
    assert!(!told.iter().any(|line| line.ends_with("EXPUNGE")), "places stay while they are spoken of");
    assert!(told.contains(&"* 4 EXISTS".to_owned()));
    assert!(told.contains(&"* 3 FETCH (FLAGS (\\Answered))".to_owned()), "{told:?}");
    assert_eq!(talk.command("NOOP").await, ["* 1 EXPUNGE", "OK NOOP completed."]);
    let moved = server.move_to("INBOX", 2, "Trash");
    assert_eq!((moved, talk.command("NOOP").await.remove(0)), (1, "* 1 EXPUNGE".to_owned()));
}

#[tokio::test]
async fn lines_that_no_client_may_send_are_refused() {
    let server = server().await;
    let mut talk = Talk::logged_in(&server).await;
    talk.sends("a0 NOOP\n").await;
    assert_eq!(talk.hears().await, "a0 BAD A line ends with CRLF");
    talk.says("((").await;
    assert_eq!(talk.hears().await, "* BAD Error in IMAP command received by server.");
    for (line, end) in [
        ("LIST (", "BAD a bracket is not closed"),
        ("LIST \"\" \"", "BAD a quote is not closed"),
        ("EXAMINE \"Ящик\"", "BAD 8-bit characters in a quoted string"),
        ("EXAMINE a{3}b", "BAD a brace in a word"),
    ] {
        assert_eq!(talk.ends(line).await, end, "{line}");
    }
    talk.says(&format!("a0 NOOP {}", "x".repeat(9000))).await;
    assert_eq!(talk.hears_the_rest().await, "* BYE Too long a line\r\n");
}

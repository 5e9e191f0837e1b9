use super::*;

/// A session that waits at INBOX, and the tag of its IDLE.
async fn waiting(server: &MailServer) -> (Talk, String) {
    let mut talk = Talk::in_inbox(server).await;
    let tag = talk.begins("IDLE").await;
    assert_eq!(talk.hears().await, "+ idling");
    server.idles(1).await;
    (talk, tag)
}

#[tokio::test]
async fn what_happens_is_told_at_once_to_who_waits() {
    let server = server().await;
    server.mail("раз").arrives();
    let (mut talk, tag) = waiting(&server).await;
    server.mail("два").arrives();
    assert_eq!(talk.hears().await, "* 2 EXISTS");
    assert_eq!(talk.hears().await, "* 2 RECENT");
    server.set_flags("INBOX", 1, &["\\Seen"]);
    assert_eq!(talk.hears().await, "* 1 FETCH (FLAGS (\\Seen))");
    server.expunge("INBOX", 1);
    assert_eq!(talk.hears().await, "* 1 EXPUNGE");
    talk.says("done").await;
    assert_eq!(talk.until(&tag).await, ["OK Idle completed"]);
    assert_eq!(server.open().idling, 0);
}

#[tokio::test]
async fn nothing_but_done_ends_the_wait() {
    let server = server().await;
    let (mut talk, tag) = waiting(&server).await;
    talk.says("a9 NOOP").await;
    assert_eq!(talk.hears().await, "* BAD Expected DONE.");
    talk.says("DONE").await;
    assert_eq!(talk.until(&tag).await, ["OK Idle completed"]);
}

#[tokio::test]
async fn several_wait_and_each_is_told() {
    let server = server().await;
    let (mut one, _) = waiting(&server).await;
    let mut other = Talk::in_inbox(&server).await;
    other.begins("IDLE").await;
    other.hears().await;
    server.idles(2).await;
    server.mail("раз").arrives();
    assert_eq!((one.hears().await, other.hears().await), ("* 1 EXISTS".to_owned(), "* 1 EXISTS".to_owned()));
    // Recent is a mail to who was told first.
    let mut recents = [one.hears().await, other.hears().await];
    recents.sort();
    assert_eq!(recents, ["* 0 RECENT", "* 1 RECENT"]);
}

#[tokio::test]
async fn a_client_that_leaves_waits_no_more() {
    let server = server().await;
    let (talk, _) = waiting(&server).await;
    drop(talk);
    server.idles(0).await;
    assert_eq!((server.open().imap, server.open().logged_in), (0, 0));
}

#[tokio::test]
async fn who_waits_at_a_folder_with_other_numbers_is_sent_away() {
    let server = server().await;
    let (mut talk, _) = waiting(&server).await;
    server.change_uid_validity("INBOX");
    assert_eq!(talk.hears_the_rest().await, "* BYE IMAP session state is inconsistent, please relogin.\r\n");
}

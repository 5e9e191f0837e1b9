use super::*;

#[tokio::test]
async fn folders_are_listed_with_what_they_are_for() {
    let server = server().await;
    let mut talk = Talk::logged_in(&server).await;
    let listed = talk.command("LIST \"\" *").await;
    assert_eq!(listed[0], "* LIST (\\HasNoChildren) \"/\" INBOX");
    assert!(listed.contains(&"* LIST (\\HasNoChildren \\Sent) \"/\" Sent".to_owned()), "{listed:?}");
    assert_eq!(talk.command("LIST \"\" \"\"").await[0], "* LIST (\\Noselect) \"/\" \"\"");
    let special = talk.command("LIST (SPECIAL-USE) \"\" *").await;
    assert_eq!(special.len(), 5, "{special:?}");
}

#[tokio::test]
async fn names_travel_in_modified_utf_7_and_in_no_other_form() {
    let folders = [("INBOX", None), ("Отправленные", Some("\\Sent")), ("Отдел/Продажи & услуги", None)];
    let server = MailServer::start(settings().folders(&folders)).await.unwrap();
    let mut talk = Talk::logged_in(&server).await;
    let listed = talk.command("LIST \"\" *").await;
    assert_eq!(listed[1], "* LIST (\\HasNoChildren \\Sent) \"/\" &BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-");
    assert!(
        listed[2].ends_with(" \"/\" \"&BB4EQgQ0BDUEOw-/&BB8EQAQ+BDQEMAQ2BDg- &- &BEMEQQQ7BEMEMwQ4-\""),
        "{listed:?}"
    );
    let open = "EXAMINE \"&BB4EQgQ0BDUEOw-/&BB8EQAQ+BDQEMAQ2BDg- &- &BEMEQQQ7BEMEMwQ4-\"";
    assert_eq!(talk.ends(open).await, "OK [READ-ONLY] Examine completed");
    assert_eq!(talk.ends("EXAMINE Drafts&").await, "BAD Invalid mailbox name");
    // "A" has a shorter form, so this is no name of it.
    assert_eq!(talk.ends("EXAMINE &AEE-").await, "BAD Invalid mailbox name");
}

#[tokio::test]
async fn a_percent_stays_within_one_step() {
    let folders = [("INBOX", None), ("INBOX.Sent", None), ("INBOX.Sent.2025", None), ("Team", None)];
    let server = MailServer::start(settings().folders(&folders).separator('.')).await.unwrap();
    let mut talk = Talk::logged_in(&server).await;
    let count = |lines: Vec<String>| lines.len() - 1;
    assert_eq!(count(talk.command("LIST \"\" %").await), 2);
    assert_eq!(count(talk.command("LIST INBOX. %").await), 1);
    assert_eq!(count(talk.command("LIST INBOX. *").await), 2);
    assert!(talk.command("LIST \"\" INBOX").await[0].contains("\\HasChildren"));
}

#[tokio::test]
async fn an_opened_folder_tells_its_numbers() {
    let server = server().await;
    server.mail("раз").arrives();
    server.mail("два").arrives();
    let mut talk = Talk::logged_in(&server).await;
    let told = talk.command("EXAMINE inbox").await;
    for line in
        ["* 2 EXISTS", "* 2 RECENT", "* OK [UIDNEXT 3] Predicted next UID", "* OK [HIGHESTMODSEQ 3] Highest"]
    {
        assert!(told.contains(&line.to_owned()), "{told:?}");
    }
    assert!(told.iter().any(|line| line.starts_with("* OK [UIDVALIDITY 17")), "{told:?}");
    assert_eq!(talk.ends("SELECT Nowhere").await, "NO [NONEXISTENT] Mailbox doesn't exist: Nowhere");
    assert_eq!(
        talk.ends("FETCH 1 FLAGS").await,
        "BAD No mailbox selected",
        "a failed SELECT leaves none open"
    );
}

#[tokio::test]
async fn status_tells_what_is_asked() {
    let server = server().await;
    let uid = server.mail("раз").arrives();
    server.mail("два").arrives();
    server.set_flags("INBOX", uid, &["\\Seen"]);
    let mut talk = Talk::logged_in(&server).await;
    let told = talk.command("STATUS INBOX (MESSAGES UNSEEN UIDNEXT)").await;
    assert_eq!(told, ["* STATUS INBOX (MESSAGES 2 UNSEEN 1 UIDNEXT 3)", "OK Status completed"]);
    assert_eq!(talk.ends("STATUS INBOX (WEATHER)").await, "BAD Invalid status item WEATHER");
}

#[tokio::test]
async fn folders_are_made_and_removed() {
    let server = server().await;
    let mut talk = Talk::logged_in(&server).await;
    assert_eq!(talk.ends("CREATE Archive").await, "OK Create completed");
    assert!(talk.ends("CREATE Archive").await.starts_with("NO [ALREADYEXISTS]"));
    assert_eq!(server.deliver("Archive", "\r\n"), 1);
    assert_eq!(talk.ends("DELETE Archive").await, "OK Delete completed");
    assert!(talk.ends("DELETE INBOX").await.starts_with("NO "));
    server.create_folder("Архив");
    assert_eq!(talk.ends("EXAMINE &BBAEQARFBDgEMg-").await, "OK [READ-ONLY] Examine completed");
    server.remove_folder("Архив");
    talk.says("a0 NOOP").await;
    assert!(talk.hears().await.starts_with("* BYE "), "the folder that was open is gone");
}

#[tokio::test]
async fn other_numbers_under_another_uidvalidity_end_the_session() {
    let server = server().await;
    for text in ["раз", "два", "три"] {
        server.mail(text).arrives();
    }
    server.expunge("INBOX", 1);
    let mut talk = Talk::in_inbox(&server).await;
    let fresh = server.change_uid_validity("INBOX");
    assert_eq!(server.uids("INBOX"), [1, 2]);
    talk.says("a0 NOOP").await;
    assert!(talk.hears().await.starts_with("* BYE "));
    assert_eq!(talk.hears().await, "");
    let told = Talk::logged_in(&server).await.command("EXAMINE INBOX").await;
    assert!(told.contains(&format!("* OK [UIDVALIDITY {fresh}] UIDs valid")), "{told:?}");
}

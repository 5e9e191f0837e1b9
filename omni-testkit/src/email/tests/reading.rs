use super::*;

const TWO_PARTS: &str = "From: =?utf-8?B?0J7Qu9GM0LPQsA==?= <olga@customer.example>\r\n\
    To: help@shop.example\r\nSubject: Two parts\r\nDate: Sat, 21 Nov 2026 10:00:00 +0300\r\n\
    Message-ID: <two@customer.example>\r\nContent-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n\
    --=_b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nДа 👟\r\n\
    --=_b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nInner\r\n\r\n\
    --=_b\r\nContent-Type: application/pdf; name=\"a;b.pdf\"\r\nContent-ID: <c1@x>\r\n\
    Content-Disposition: attachment; filename=\"a;b.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n\
    --=_b--\r\n";

async fn with_two_parts() -> (MailServer, Talk) {
    let server = server().await;
    assert_eq!(server.deliver("INBOX", TWO_PARTS), 1);
    let talk = Talk::in_inbox(&server).await;
    (server, talk)
}

/// The literal of an answer with one.
fn literal(answer: &[String]) -> String {
    let lines = &answer[1..answer.len() - 1];
    let text = lines.join("\r\n");
    let size: usize = answer[0].rsplit_once('{').unwrap().1.trim_end_matches('}').parse().unwrap();
    text[..size].to_owned()
}

#[tokio::test]
async fn a_mail_is_told_with_the_bytes_that_came() {
    let (server, mut talk) = with_two_parts().await;
    let told = talk.command("UID FETCH 1 (FLAGS RFC822.SIZE BODY.PEEK[])").await;
    let head = format!("* 1 FETCH (UID 1 FLAGS (\\Recent) RFC822.SIZE {0} BODY[] {{{0}}}", TWO_PARTS.len());
    assert_eq!(told[0], head);
    assert_eq!(literal(&told), TWO_PARTS);
    assert_eq!(server.raw("INBOX", 1), TWO_PARTS);
}

#[tokio::test]
async fn only_a_peek_leaves_a_mail_unseen() {
    let (server, mut talk) = with_two_parts().await;
    talk.command("FETCH 1 (BODY.PEEK[] RFC822.HEADER)").await;
    assert!(server.flags("INBOX", 1).is_empty());
    let told = talk.command("FETCH 1 BODY[TEXT]").await;
    assert_eq!(server.flags("INBOX", 1), ["\\Seen"]);
    assert!(told.iter().any(|line| line.contains("FLAGS (\\Seen \\Recent)")), "{told:?}");
    server.set_flags("INBOX", 1, &[]);
    talk.command("EXAMINE INBOX").await;
    talk.command("FETCH 1 BODY[]").await;
    assert!(server.flags("INBOX", 1).is_empty(), "a folder that is examined stays as it is");
}

#[tokio::test]
async fn a_section_is_a_part_of_the_mail() {
    let (_server, mut talk) = with_two_parts().await;
    for (section, wanted) in [
        ("1", "Да 👟"),
        ("1.MIME", "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"),
        ("2", "Subject: inner\r\n\r\nInner\r\n"),
        ("2.HEADER", "Subject: inner\r\n\r\n"),
        ("2.TEXT", "Inner\r\n"),
        ("2.1", "Inner\r\n"),
        ("3", "JVBERg=="),
        ("HEADER.FIELDS (SUBJECT X-NONE)", "Subject: Two parts\r\n\r\n"),
    ] {
        let told = talk.command(&format!("FETCH 1 BODY.PEEK[{section}]")).await;
        assert_eq!(literal(&told), wanted, "{section}");
    }
    assert_eq!(literal(&talk.command("FETCH 1 BODY.PEEK[9]").await), "");
    for wrong in ["BODY[MIME]", "BODY[1.]", "BODY[TELEPATHY]", "BODY[1]<5>", "WEATHER"] {
        assert_eq!(talk.ends(&format!("FETCH 1 {wrong}")).await, "BAD Invalid items", "{wrong}");
    }
}

#[tokio::test]
async fn a_stretch_begins_and_ends_where_it_is_asked_to() {
    let (_server, mut talk) = with_two_parts().await;
    let told = talk.command("FETCH 1 BODY.PEEK[3]<2.4>").await;
    assert_eq!(told[..2], ["* 1 FETCH (BODY[3]<2> {4}", "BERg)"]);
    let told = talk.command("FETCH 1 BODY.PEEK[3]<100.4>").await;
    assert_eq!(told[0], "* 1 FETCH (BODY[3]<100> {0}");
}

#[tokio::test]
async fn the_parts_are_described() {
    let (_server, mut talk) = with_two_parts().await;
    let told = talk.command("FETCH 1 BODYSTRUCTURE").await.remove(0);
    for part in [
        r#"("text" "plain" ("charset" "utf-8") NIL NIL "8bit" 9 0 NIL NIL NIL NIL)"#,
        r#"("message" "rfc822" NIL NIL NIL "7bit" 25 (NIL "inner" NIL NIL NIL NIL NIL NIL NIL NIL)"#,
        r#"("application" "pdf" ("name" "a;b.pdf") "<c1@x>" NIL "base64" 8 NIL ("attachment" ("filename" "a;b.pdf")) NIL NIL)"#,
        r#" "mixed" ("boundary" "=_b") NIL NIL NIL)"#,
    ] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
}

#[tokio::test]
async fn the_envelope_tells_who_writes_to_whom() {
    let (_server, mut talk) = with_two_parts().await;
    let told = talk.command("FETCH 1 ENVELOPE").await.remove(0);
    let olga = r#"(("=?utf-8?B?0J7Qu9GM0LPQsA==?=" NIL "olga" "customer.example"))"#;
    assert!(
        told.contains(&format!(r#""Two parts" {olga} {olga} {olga} ((NIL NIL "help" "shop.example"))"#)),
        "{told}"
    );
    assert!(told.ends_with(r#"NIL NIL NIL "<two@customer.example>"))"#), "{told}");
}

#[tokio::test]
async fn uids_that_nobody_has_are_passed_over_and_places_that_nobody_has_are_wrong() {
    let (server, mut talk) = with_two_parts().await;
    server.insert("INBOX", 9, "\r\n");
    server.insert("INBOX", 5, "\r\n");
    talk.command("NOOP").await;
    assert_eq!(server.uids("INBOX"), [1, 5, 9]);
    assert_eq!(talk.command("UID FETCH 2:4,6 (UID)").await, ["OK Fetch completed"]);
    assert_eq!(talk.command("UID FETCH 100:* (UID)").await[0], "* 3 FETCH (UID 9)", "n:* holds the last");
    assert_eq!(talk.command("FETCH 2 (UID)").await[0], "* 2 FETCH (UID 5)");
    assert_eq!(talk.ends("FETCH 4 (UID)").await, "BAD Invalid messageset");
    assert_eq!(talk.ends("FETCH 0 (UID)").await, "BAD Invalid messageset");
}

#[tokio::test]
async fn what_changed_since_is_told_alone() {
    let server = server().await;
    for text in ["раз", "два", "три"] {
        server.mail(text).arrives();
    }
    server.set_flags("INBOX", 2, &["\\Flagged"]);
    let mut talk = Talk::in_inbox(&server).await;
    let told = talk.command("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 4)").await;
    assert_eq!(told, ["* 2 FETCH (UID 2 FLAGS (\\Flagged \\Recent) MODSEQ (5))", "OK Fetch completed"]);
}

#[tokio::test]
async fn a_search_finds_what_holds_for_all_its_keys() {
    let server = server().await;
    server.mail("раз").subject("Заказ").message_id("one@x").arrives();
    server.mail("два").from("Иван", "ivan@x.example").file("a.txt", "text/plain", vec![b'x'; 4000]).arrives();
    server.deliver_at("INBOX", "Subject: old\r\n\r\nold", omni_core::Timestamp::from_secs(1_700_000_000));
    server.set_flags("INBOX", 3, &["\\Seen", "$Forwarded"]);
    let mut talk = Talk::in_inbox(&server).await;
    for (keys, found) in [
        ("ALL", " 1 2 3"),
        ("UNSEEN LARGER 3000", " 2"),
        ("HEADER Message-ID \"<one@x>\"", " 1"),
        ("HEADER message-id <ONE@x>", " 1"),
        ("FROM ivan", " 2"),
        ("KEYWORD $Forwarded", " 3"),
        ("NOT (UID 2:3)", " 1"),
        ("OR FROM ivan SEEN", " 2 3"),
        ("SINCE 15-Nov-2023 BEFORE 16-Nov-2023", " 3"),
        ("ON 14-Nov-2023", ""),
        ("BODY OLD", " 3"),
    ] {
        assert_eq!(
            talk.command(&format!("UID SEARCH {keys}")).await[0],
            format!("* SEARCH{found}"),
            "{keys}"
        );
    }
    assert_eq!(talk.ends("UID SEARCH WEATHER").await, "BAD Unknown argument WEATHER");
    assert!(talk.ends("UID SEARCH CHARSET KOI8-R ALL").await.starts_with("NO [BADCHARSET"));
}

#[tokio::test]
async fn days_are_those_of_the_server_which_lives_to_the_east() {
    let server = server().await;
    // 22:13:20 UTC on the 14th is the 15th where the server is.
    server.deliver_at("INBOX", "\r\n", omni_core::Timestamp::from_secs(1_700_000_000));
    let mut talk = Talk::in_inbox(&server).await;
    let told = talk.command("UID FETCH 1 INTERNALDATE").await.remove(0);
    assert_eq!(told, "* 1 FETCH (UID 1 INTERNALDATE \"15-Nov-2023 01:13:20 +0300\")");
    assert_eq!(talk.command("UID SEARCH ON 15-Nov-2023").await[0], "* SEARCH 1");
}

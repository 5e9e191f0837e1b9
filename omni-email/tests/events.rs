//! What mails become for a desk: messages, echoes, news of statuses.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure

use omni_core::content::Part;
use omni_core::error::ErrorKind;
use omni_core::event::{Event, EventBody, Message, MessageName, Origin, Told};
use omni_core::media::{MediaRef, MediaSource};
use omni_core::{Status, Timestamp};
use omni_email::Config;
use omni_email::mail::Raw;
use omni_email::parse::event::{FileRef, Ours, Place, Role, events};
use omni_email::parse::{Limits, read};

const OURS: &str = "omni.0197b1a0-0000-7000-8000-000000000001@shop.example";

fn config() -> Config {
    let mut config = Config::new("Help@shop.example", "secret");
    config.aliases = vec!["sales@shop.example".into()];
    config
}

fn raw(mail: &str) -> Raw {
    Raw {
        folder: "INBOX".into(),
        uid_validity: 7,
        uid: 42,
        internal_date: Some(Timestamp::from_secs(1_795_000_000)),
        flags: Vec::new(),
        bytes: mail.replace('\n', "\r\n").into(),
        not_loaded: Vec::new(),
    }
}

fn told(mail: &str, role: Role, told: Told) -> Event {
    let raw = raw(mail);
    let place = Place { role, raw: &raw, told };
    let mut events = events(&read(&raw.bytes, &Limits::default()), &place, &Ours::of(&config()));
    assert_eq!(events.len(), 1);
    events.remove(0)
}

fn received(mail: &str) -> Event {
    told(mail, Role::Inbox, Told::Live)
}

fn message(event: &Event) -> &Message {
    match &event.body {
        EventBody::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

/// A mail with these headers beside the usual ones.
fn with(headers: &str, text: &str) -> String {
    format!("Message-ID: <one@mail.example>\nDate: Sat, 21 Nov 2026 10:00:00 +0300\n{headers}\n\n{text}\n")
}

const ANNA: &str = "From: =?utf-8?B?0JDQvdC90LA=?= <Anna@Mail.example>\nTo: help@shop.example";

#[test]
fn a_customers_mail_is_a_message_of_its_writer() {
    let event =
        received(&with(&format!("{ANNA}\nSubject: =?utf-8?B?0JfQsNC60LDQtw==?= 17"), "Где заказ? 📦"));
    let message = message(&event);
    assert_eq!(message.id.as_str(), "one@mail.example");
    assert_eq!(message.sender.identity.id, "anna@mail.example");
    assert_eq!(message.sender.profile.name.as_deref(), Some("Анна"));
    assert_eq!(message.content.plain_text(), Some("Где заказ? 📦"));
    assert!(
        matches!(&message.content.parts[0], Part::Email(email) if email.subject.as_deref() == Some("Заказ 17"))
    );
    assert_eq!(message.origin, Origin::Person);
    let address = event.address.as_ref().unwrap();
    assert_eq!(address.main(), "anna@mail.example");
    assert_eq!(address.part("thread").unwrap().len(), 16);
    assert_eq!(event.at, Some(Timestamp::from_secs(1_795_000_000)), "when the server took it");
}

#[test]
fn a_mail_has_one_id_wherever_it_lies() {
    let mail = with(ANNA, "Привет");
    let here = received(&mail);
    let mut elsewhere = raw(&mail);
    (elsewhere.folder, elsewhere.uid, elsewhere.uid_validity) = ("Архив".into(), 1, 99);
    let place = Place { role: Role::Inbox, raw: &elsewhere, told: Told::Live };
    let again = events(&read(&elsewhere.bytes, &Limits::default()), &place, &Ours::of(&config()));
    assert_eq!(again[0].id, here.id);
    assert_ne!(received(&with(ANNA, "Пока")).id, here.id);
}

#[test]
fn answers_go_where_the_writer_wants_them() {
    let headers =
        format!("{ANNA}\nReply-To: office@mail.example\nCc: Boris <boris@b.example>, sales@shop.example");
    let event = received(&with(&headers, "Привет"));
    assert_eq!(event.address.as_ref().unwrap().main(), "office@mail.example");
    let message = message(&event);
    assert_eq!(message.sender.identity.id, "anna@mail.example", "the contact is who wrote");
    let note = message.thread.as_ref().unwrap().note.as_ref().unwrap();
    assert!(note.as_str().contains("boris@b.example"), "{note:?}");
    assert!(!note.as_str().contains("sales@shop.example"), "we do not write to ourselves");
}

#[test]
fn a_form_of_our_site_is_a_mail_of_the_person_behind_it() {
    let headers = "From: Site <help@shop.example>\nReply-To: anna@mail.example\nTo: help@shop.example";
    let event = received(&with(headers, "Перезвоните"));
    let message = message(&event);
    assert_eq!(message.sender.identity.id, "anna@mail.example");
    assert_eq!(event.address.as_ref().unwrap().main(), "anna@mail.example");
}

#[test]
fn a_mail_in_our_own_name_is_never_answered_by_itself() {
    let event = received(&with("From: help@shop.example\nTo: help@shop.example", "Себе"));
    assert_eq!(message(&event).origin, Origin::Automatic);
}

#[test]
fn automatic_mail_and_spam_are_told_as_such() {
    let with = |header: &str| with(&format!("{ANNA}\n{header}"), "Меня нет");
    for header in
        ["Auto-Submitted: auto-replied", "List-Id: <news.example>", "Precedence: bulk", "X-Spam-Flag: YES"]
    {
        assert_eq!(message(&received(&with(header))).origin, Origin::Automatic, "{header}");
    }
    assert_eq!(message(&received(&with("Auto-Submitted: no"))).origin, Origin::Person);
    let junk = told(&with("X-Nothing: 1"), Role::Junk, Told::Live);
    assert_eq!(message(&junk).origin, Origin::Automatic, "what lies among spam");
}

#[test]
fn an_answer_names_what_it_answers_nearest_first() {
    let headers = format!("{ANNA}\nIn-Reply-To: <{OURS}>\nReferences: <first@a> <{OURS}>\nSubject: Re: X");
    let event = received(&with(&headers, "Да"));
    let message = message(&event);
    assert_eq!(message.reply_to.as_ref().unwrap().message.as_str(), OURS);
    let after: Vec<&str> = message.thread.as_ref().unwrap().after.iter().map(|id| id.as_str()).collect();
    assert_eq!(after, [OURS, "first@a"]);
}

#[test]
fn the_tag_of_our_address_is_where_the_person_came_from() {
    let event = received(&with("From: a@b.example\nTo: help+spring@shop.example", "Привет"));
    assert_eq!(message(&event).referral.as_ref().unwrap().token.as_deref(), Some("spring"));
}

#[test]
fn a_mail_that_claims_an_id_of_ours_proves_nothing() {
    let mail = with(ANNA, "Я — это вы").replace("one@mail.example", OURS);
    let event = received(&mail);
    assert!(matches!(event.body, EventBody::Unsupported { .. }), "{event:?}");
    assert!(event.raw.is_some(), "where it lies is kept");
}

#[test]
fn a_sent_mail_is_an_echo_and_ours_names_its_message() {
    let headers = "From: Мария <help@shop.example>\nTo: anna@mail.example\nSubject: Re: X";
    let by_hand = told(&with(headers, "Готово"), Role::Sent, Told::Live);
    let EventBody::Echo(echo) = &by_hand.body else { panic!("{by_hand:?}") };
    assert_eq!((echo.ours, echo.message.id.as_str()), (None, "one@mail.example"));
    assert_eq!(by_hand.address.as_ref().unwrap().main(), "anna@mail.example");
    let ours = told(&with(headers, "Готово").replace("one@mail.example", OURS), Role::Sent, Told::Live);
    let EventBody::Echo(echo) = &ours.body else { panic!("{ours:?}") };
    assert_eq!(echo.ours.unwrap().to_string(), &OURS[5..41]);
    let nobody =
        told(&with("From: help@shop.example\nTo: sales@shop.example", "Себе"), Role::Sent, Told::Live);
    assert!(matches!(nobody.body, EventBody::Unsupported { .. }));
}

/// A bounce of a mail of ours to Anna, with Boris in copy.
fn bounce(of: &str, recipient: &str, action: &str, status: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mail.example\nTo: help@shop.example\nMessage-ID: <b@mail.example>\nReturn-Path: <>\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=x\n\n--x\n\nIt failed\n--x\n\
         Content-Type: message/delivery-status\n\nReporting-MTA: dns; mail.example\n\n\
         Final-Recipient: rfc822; {recipient}\nAction: {action}\nStatus: {status}\n\
         Diagnostic-Code: smtp; 550 {status} User unknown\n--x\nContent-Type: text/rfc822-headers\n\n\
         Message-ID: <{of}>\nFrom: help@shop.example\nTo: anna@mail.example\nCc: boris@b.example\n--x--\n"
    )
}

#[test]
fn a_bounce_fails_the_very_message() {
    let event = received(&bounce(OURS, "anna@mail.example", "failed", "5.1.1"));
    let EventBody::Status(news) = &event.body else { panic!("{event:?}") };
    assert!(matches!(&news.message, MessageName::Ours(id) if id.to_string() == OURS[5..41]));
    assert_eq!(news.status, Status::Failed);
    assert_eq!(news.error.as_ref().unwrap().kind, ErrorKind::RecipientUnreachable);
}

#[test]
fn a_bounce_of_a_mail_of_another_program_names_that() {
    let event = received(&bounce("own@client", "anna@mail.example", "failed", "5.1.1"));
    let EventBody::Status(news) = &event.body else { panic!("{event:?}") };
    assert!(matches!(&news.message, MessageName::Provider(id) if id.as_str() == "own@client"));
}

#[test]
fn reports_that_settle_nothing_change_nothing() {
    let delayed = bounce(OURS, "anna@mail.example", "delayed", "4.4.1");
    let of_a_copy = bounce(OURS, "boris@b.example", "failed", "5.1.1");
    let foreign = bounce("x@y.example", "anna@mail.example", "failed", "5.1.1")
        .replace("From: help@shop", "From: x@other");
    for mail in [delayed, of_a_copy, foreign] {
        let event = received(&mail);
        assert!(matches!(event.body, EventBody::Unsupported { .. }), "{event:?}");
    }
}

#[test]
fn a_mail_without_a_sender_is_kept_as_not_understood() {
    for mail in ["Subject: x\n\nПривет\n", "Привет, без всяких полей\n", ""] {
        let event = received(mail);
        assert!(matches!(event.body, EventBody::Unsupported { .. }), "{event:?}");
        assert!(event.raw.unwrap().get().contains("\"u\":42"));
    }
}

#[test]
fn two_mails_of_which_nothing_could_be_had_are_two_events() {
    let ours = Ours::of(&config());
    let of = |uid: u32| {
        let raw = Raw { uid, ..raw("") };
        let place = Place { role: Role::Inbox, raw: &raw, told: Told::Live };
        events(&read(&raw.bytes, &Limits::default()), &place, &ours).remove(0).id
    };
    assert_ne!(of(42), of(43), "the second would be taken for a repetition of the first");
    assert_eq!(of(42), of(42));
}

#[test]
fn old_mail_has_the_older_of_its_times() {
    let event = told(&with(ANNA, "Давно").replace("2026", "2020"), Role::Inbox, Told::History);
    assert_eq!(event.told, Told::History);
    assert_eq!(event.at, Some(Timestamp::from_secs(1_605_942_000)));
}

#[test]
fn a_file_is_found_again_by_its_reference_and_a_strange_one_is_refused() {
    let mail = with(
        &format!("{ANNA}\nContent-Type: multipart/mixed; boundary=x"),
        "--x\n\nСмотрите\n--x\nContent-Type: image/png; name=a.png\nContent-Disposition: attachment\n\nabc\n--x--",
    );
    let event = received(&mail);
    let file = message(&event).content.all_media().next().unwrap();
    let MediaSource::Provider(reference) = &file.source else { panic!("{file:?}") };
    let found = FileRef::read(reference).unwrap();
    assert_eq!((found.folder.as_str(), found.uid_validity, found.uid), ("INBOX", 7, 42));
    assert_eq!(found.message_id.as_deref(), Some("one@mail.example"));
    assert_eq!(found.part.unwrap().0, "2");
    let error = FileRef::read(&MediaRef::new("../etc/passwd")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

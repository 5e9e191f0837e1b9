use super::*;
use crate::mail::Headers;

fn at(address: &str) -> Mailbox {
    Mailbox { name: None, address: address.into() }
}

fn shown(name: &str) -> Option<String> {
    shown_name(&Mailbox { name: Some(name.into()), address: "anna@a.example".into() })
}

fn with(headers: &[(&str, &str)]) -> Mail {
    Mail { headers: Headers::new(headers.iter().copied()), ..Mail::default() }
}

#[test]
fn names_are_shown_without_ornament() {
    for (name, wanted) in [
        ("Анна Ли", "Анна Ли"),
        ("\"Анна Ли\"", "Анна Ли"),
        ("'Anna'", "Anna"),
        ("«Ромашка»", "Ромашка"),
        ("\"ООО «Ромашка»\"", "ООО «Ромашка»"),
        ("\"'Anna'\"", "Anna"),
        ("\"\"Anna\"\"", "Anna"),
        ("\"A\" и \"B\"", "\"A\" и \"B\""),
        ("ООО «Ромашка»", "ООО «Ромашка»"),
        ("Иванов, Иван", "Иванов, Иван"),
        ("'Anna Li' via Support", "Anna Li"),
        ("Анна через Поддержка", "Анна"),
        ("  Anna \t Li\r\n", "Anna Li"),
        ("АННА", "АННА"),
        ("Anna\u{202e}exe.\u{200b}Li", "Annaexe.Li"),
        ("👩‍💻 Аня", "👩‍💻 Аня"),
        ("😀", "😀"),
        ("Anna =?utf-8?Q?Li", "Anna"),
        ("=?utf-8?B?0JA=?= Anna", "Anna"),
        ("O'Hara", "O'Hara"),
    ] {
        assert_eq!(shown(name).as_deref(), Some(wanted), "{name:?}");
    }
    assert_eq!(shown(&"я".repeat(500)).unwrap().chars().count(), 128);
}

#[test]
fn a_name_that_is_an_address_deceives_and_is_not_shown() {
    for name in [
        "anna@a.example",
        "boss@bank.example",
        "Boss <boss@bank.example>",
        "boss＠bank.example",
        "",
        "\"\"",
        " \u{200b}",
        "...",
    ] {
        assert_eq!(shown(name), None, "{name:?}");
    }
    assert_eq!(shown_name(&at("a@b.example")), None);
}

#[test]
fn a_name_is_guessed_from_the_address() {
    assert_eq!(guessed_name("anna.li@a.example"), "Anna Li");
    assert_eq!(guessed_name("анна_ли@пример.рф"), "Анна Ли");
    assert_eq!(guessed_name("info@a.example"), "Info");
    assert_eq!(guessed_name("+@a.example"), "+");
    assert_eq!(guessed_name(""), "");
}

#[test]
fn answers_go_to_people() {
    let own = ["help@shop.example"];
    let case = |from: &str, reply: &[&str], headers: &[(&str, &str)]| {
        let mail = Mail {
            from: vec![at(from)],
            reply_to: reply.iter().map(|one| at(one)).collect(),
            ..with(headers)
        };
        answer_to(&mail, &own).map(|one| one.address.clone())
    };
    assert_eq!(case("anna@a.example", &[], &[]).as_deref(), Some("anna@a.example"));
    assert_eq!(case("anna@a.example", &["work@b.example"], &[]).as_deref(), Some("work@b.example"));
    assert_eq!(case("anna@a.example", &["noreply@b.example"], &[]).as_deref(), Some("anna@a.example"));
    assert_eq!(case("anna@a.example", &["Help+x@Shop.example"], &[]).as_deref(), Some("anna@a.example"));
    let list = [("List-Post", "<mailto:list@l.example>")];
    assert_eq!(case("anna@a.example", &["list@l.example"], &list).as_deref(), Some("anna@a.example"));
    let list = [("List-Id", "Список <list.l.example>")];
    assert_eq!(case("anna@a.example", &["LIST@l.example"], &list).as_deref(), Some("anna@a.example"));
    assert_eq!(case("help@shop.example", &[], &[]), None);
    assert_eq!(case("noreply@a.example", &[], &[]), None);
    assert_eq!(case("MAILER-DAEMON", &[], &[]), None);
}

#[test]
fn the_person_behind_a_form_or_a_group_is_the_writer() {
    let own = ["help@shop.example"];
    let case = |from: Mailbox| {
        let mail = Mail { from: vec![from], reply_to: vec![at("anna@a.example")], ..Mail::default() };
        let writer = writer(&mail, &own).unwrap();
        (writer.mailbox.address.clone(), writer.via.is_some())
    };
    let group = Mailbox { name: Some("'Anna' via Support".into()), address: "support@g.example".into() };
    assert_eq!(case(at("help@shop.example")), ("anna@a.example".into(), true));
    assert_eq!(case(at("noreply@form.example")), ("anna@a.example".into(), true));
    assert_eq!(case(group), ("anna@a.example".into(), true));
    assert_eq!(case(at("boris@b.example")), ("boris@b.example".into(), false));
    assert_eq!(writer(&Mail::default(), &own), None);
}

#[test]
fn tags_are_taken_off_our_own_addresses_alone() {
    let own = ["help@shop.example"];
    let to = |all: &[&str]| Mail { to: all.iter().map(|one| at(one)).collect(), ..Mail::default() };
    assert_eq!(tag(&to(&["help+Весна@shop.example"]), &own).as_deref(), Some("весна"));
    assert_eq!(tag(&to(&["x+y@other.example", "help+a+b@shop.example"]), &own).as_deref(), Some("a+b"));
    assert_eq!(tag(&to(&["help@shop.example", "help+@shop.example", "+x@shop.example"]), &own), None);
    for name in ["Delivered-To", "X-Original-To", "Envelope-To"] {
        assert_eq!(tag(&with(&[(name, "<help+ads@shop.example>")]), &own).as_deref(), Some("ads"));
    }
    let cc = Mail { cc: vec![at("help+cc@shop.example")], ..Mail::default() };
    assert_eq!(tag(&cc, &own).as_deref(), Some("cc"));
}

#[test]
fn verdicts_of_spam_filters_are_read() {
    for (name, value) in [
        ("X-Spam-Flag", "YES"),
        ("X-Spam-Status", "Yes, score=9.1 required=5.0"),
        ("X-MS-Exchange-Organization-SCL", "6"),
        ("X-Forefront-Antispam-Report", "CIP:192.0.2.1;SCL:9;SRV:"),
        ("X-Yandex-Spam", "4"),
        ("X-Spam", "true"),
        ("X-Gm-Spam", "1"),
    ] {
        assert!(spam(&with(&[(name, value)])), "{name}");
    }
    for (name, value) in [
        ("X-Spam-Flag", "NO"),
        ("X-Spam-Status", "No, score=-1"),
        ("X-MS-Exchange-Organization-SCL", "-1"),
        ("X-Forefront-Antispam-Report", "SCL:1;"),
        ("X-Yandex-Spam", "1"),
        ("X-Spam-Score", "99"),
    ] {
        assert!(!spam(&with(&[(name, value)])), "{name}");
    }
}

#[test]
fn only_the_topmost_result_of_a_known_server_is_believed() {
    let case = |headers: &[(&str, &str)]| {
        let mail = Mail { from: vec![at("anna@a.example")], ..with(headers) };
        verified(&mail, &["google.com"])
    };
    let name = "Authentication-Results";
    assert_eq!(case(&[(name, "mx.google.com; spf=pass; dmarc=pass (p=REJECT)")]), Verified::Yes);
    assert_eq!(case(&[(name, "mx.google.com; dmarc=fail header.from=a.example")]), Verified::No);
    assert_eq!(case(&[(name, "mx.google.com; spf=pass")]), Verified::Unknown);
    assert_eq!(case(&[(name, "google.com.evil.example; dmarc=pass")]), Verified::Unknown);
    assert_eq!(case(&[(name, "evilgoogle.com; dmarc=pass")]), Verified::Unknown);
    let below = [(name, "mx.other.example; dmarc=fail"), (name, "mx.google.com; dmarc=pass")];
    assert_eq!(case(&below), Verified::Unknown);
    let two = [(name, "mx.google.com; dmarc=pass"), ("From", "a@a.example"), ("From", "b@b.example")];
    assert_eq!(case(&two), Verified::No);
    assert_eq!(case(&[]), Verified::Unknown);
}

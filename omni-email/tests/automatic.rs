//! Which mails get no automatic answer, and why.

use omni_email::parse::automatic::{Automatic, is_robot};
use omni_email::parse::{Limits, read};

/// Why a mail with these header lines counts as automatic.
fn why(lines: &str) -> Option<Automatic> {
    let from = if lines.contains("From:") { "" } else { "From: Анна <anna@a.example>\n" };
    let path = if lines.contains("Return-Path:") { "" } else { "Return-Path: <anna@a.example>\n" };
    let raw = format!("{path}{from}{lines}\nContent-Type: text/plain; charset=utf-8\n\nЗдравствуйте 😀\n");
    read(raw.as_bytes(), &Limits::default()).automatic
}

#[test]
fn every_sign_of_a_program_is_seen() {
    use Automatic::*;
    for (lines, reason) in [
        ("Auto-Submitted: auto-replied", Submitted),
        ("Auto-Submitted: auto-replied (vacation)", Submitted),
        ("Auto-Submitted: Auto-Generated; owner-email=\"a@b.example\"", Submitted),
        ("Auto-Submitted: (away) auto-notified", Submitted),
        ("Auto-Submitted: no\nAuto-Submitted: auto-replied", Submitted),
        ("Return-Path: <>", NullSender),
        ("Return-Path: < >", NullSender),
        ("Precedence: bulk", Bulk),
        ("Precedence: Junk", Bulk),
        ("X-Precedence: bulk", Bulk),
        ("Feedback-ID: 1:2:3", Bulk),
        ("X-Campaign-Id: 7", Bulk),
        ("Precedence: list", List),
        ("List-Id: Новости <news.a.example>", List),
        ("List-Unsubscribe: <https://a.example/u>", List),
        ("Mailing-List: list news@a.example; contact x@a.example", List),
        ("X-Auto-Response-Suppress: All", Suppressed),
        ("X-Auto-Response-Suppress: DR, OOF", Suppressed),
        ("X-Auto-Response-Suppress: NDR,AutoReply", Suppressed),
        ("X-Autoreply: yes", Responder),
        ("X-Autorespond: x", Responder),
        ("X-Autoresponder: x", Responder),
        ("X-AutoReply-From: a@b.example", Responder),
        ("X-Mail-Autoreply: x", Responder),
        ("X-FC-MachineGenerated: true", Responder),
        ("Delivered-To: Autoresponder", Responder),
        ("X-POST-MessageClass: 9; Autoresponder", Responder),
        ("Precedence: auto_reply", Responder),
        ("X-Omni-Loop: shop", Loop),
        ("X-Loop: a@b.example", Loop),
        ("X-Failed-Recipients: a@b.example", Report),
        ("From: MAILER-DAEMON@a.example", Daemon),
        ("From: Shop <No-Reply@a.example>", Daemon),
        ("From: noreply+123@a.example", Daemon),
        ("From: do_not_reply@a.example", Daemon),
        ("From: notifications@a.example", Daemon),
        ("From: news-bounces@lists.a.example", Daemon),
        ("From: owner-news@lists.a.example", Daemon),
        ("From: news-request@lists.a.example", Daemon),
        ("From: root@host.a.example", Daemon),
    ] {
        assert_eq!(why(lines), Some(reason), "{lines}");
    }
    assert_eq!(why(&"Received: from a by b; x\n".repeat(51)), Some(Circling));
}

#[test]
fn people_are_not_taken_for_programs() {
    for lines in [
        "Auto-Submitted: no",
        "Auto-Submitted: no; x=y",
        "Precedence: first-class",
        "X-Auto-Response-Suppress: DR, NDR, RN, NRN",
        "X-Auto-Response-Suppress: None",
        "X-Autoreply: no",
        "From: Роберт <robert.root@a.example>",
        "From: bob.noland@a.example",
        "From: daemonov@a.example",
        "Subject: Автоответчик не работает",
        "Subject: Out of office chairs?",
        "Subject: Re: заказ\nIn-Reply-To: <1@shop.example>",
        "Subject: Re: я не в отпуске\nIn-Reply-To: <1@shop.example>",
    ] {
        assert_eq!(why(lines), None, "{lines}");
    }
    assert_eq!(why(&"Received: from a by b; x\n".repeat(50)), None);
}

#[test]
fn absence_notices_are_told_by_their_subject_only_when_they_answer_something() {
    for subject in [
        "Automatic reply: заказ",
        "Out of Office: Re: order",
        "Out of the office",
        "Автоответ: заказ 5",
        "Автоматический ответ: заказ",
        "Re: Автоответ",
        "Нет на месте: заказ",
        "Abwesenheitsnotiz: order",
        "Automatische Antwort: order",
        "Réponse automatique : order",
        "Respuesta automática: order",
        "Odpowiedź automatyczna: order",
        "Автовідповідь: order",
        "自动回复: 订单",
        "자동 회신: 주문",
        "Autoreply: x",
        "Auto-Reply: x",
    ] {
        let answer = format!("Subject: {subject}\nIn-Reply-To: <omni.1@shop.example>");
        assert_eq!(why(&answer), Some(Automatic::Absence), "{subject}");
        assert_eq!(why(&format!("Subject: {subject}")), None, "{subject}");
    }
}

#[test]
fn a_wish_for_no_answer_does_not_make_a_person_a_program() {
    assert!(!Automatic::Suppressed.is_program() && !Automatic::List.is_program());
    assert!(Automatic::Submitted.is_program() && Automatic::NullSender.is_program());
}

#[test]
fn addresses_that_nobody_reads_are_known_in_all_their_spellings() {
    for robot in [
        "no.reply@a.example",
        "NoReply@a.example",
        "shop-noreply@a.example",
        "bounce-12-ab@a.example",
        "postmaster@a.example",
        "MAILER-DAEMON",
        "noreply-orders@a.example",
    ] {
        assert!(is_robot(robot), "{robot}");
    }
    for person in [
        "",
        "@",
        "anna@a.example",
        "анна@пример.рф",
        "root.beer@a.example",
        "reply@a.example",
        "request@a.example",
    ] {
        assert!(!is_robot(person), "{person}");
    }
}

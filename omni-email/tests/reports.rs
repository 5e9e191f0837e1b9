//! Reports as servers write them: what became of which message of ours.
//!
//! The mails are in `fixtures/reports`. All are about one message, whose id is [`OURS`].

use omni_core::Status;
use omni_core::error::{ErrorKind, Retry};
use omni_email::mail::{Headers, Mail};
use omni_email::parse::automatic::Automatic;
use omni_email::parse::report::{
    Action, Complaint, Delivery, Disposition, Feedback, Reason, Receipt, Recipient, Report, ReportPart,
    SentBy, Told, report,
};
use omni_email::parse::{Limits, read};
use proptest::prelude::*;

const OURS: &str = "0197b1a0-0000-7000-8000-000000000001";

macro_rules! mail {
    ($name:literal) => {
        read(include_bytes!(concat!("fixtures/reports/", $name, ".eml")), &Limits::default())
    };
}

fn delivery(mail: &Mail) -> &Delivery {
    match &mail.report {
        Some(Report::Delivery(delivery)) => delivery,
        other => panic!("{}: {other:?}", mail.subject),
    }
}

/// Address, action, code, reason.
type Fate<'a> = (&'a str, Action, &'a str, Option<Reason>);

fn told(one: &Recipient) -> Fate<'_> {
    (&one.address, one.action, one.status.as_deref().unwrap_or_default(), one.reason())
}

fn is_ours(report: &Report) -> bool {
    report.ours().is_some_and(|id| id.to_string() == OURS)
}

#[test]
fn reports_of_all_servers_name_recipient_reason_and_message() {
    use Action::{Delayed, Delivered, Failed, Relayed};
    use Reason::{Full, Refused, UnknownAddress, Unreachable};
    let table: &[(Mail, &[Fate<'_>])] = &[
        (mail!("postfix"), &[("nobody@customer.example", Failed, "5.1.1", Some(UnknownAddress))]),
        (mail!("postfix_late"), &[("anna@customer.example", Delayed, "4.4.1", Some(Unreachable))]),
        (mail!("postfix_given_up"), &[("anna@customer.example", Failed, "4.4.1", Some(Unreachable))]),
        (mail!("dovecot_full"), &[("full@customer.example", Failed, "5.2.2", Some(Full))]),
        (mail!("gmail"), &[("nobody@gmail.com", Failed, "5.1.1", Some(UnknownAddress))]),
        (mail!("gmail_without_copy"), &[("nobody@gmail.com", Failed, "5.2.1", Some(UnknownAddress))]),
        (mail!("yandex"), &[("nobody@yandex.ru", Failed, "5.7.1", Some(UnknownAddress))]),
        (mail!("mailru"), &[("nobody@bk.ru", Failed, "", Some(UnknownAddress))]),
        (mail!("exim"), &[("nobody@customer.example", Failed, "5.0.0", Some(UnknownAddress))]),
        (
            mail!("exim_words"),
            &[
                ("nobody@customer.example", Failed, "5.1.1", Some(UnknownAddress)),
                ("full@customer.example", Failed, "", Some(Full)),
            ],
        ),
        (mail!("exim_late"), &[("anna@customer.example", Delayed, "", Some(Reason::Other))]),
        (
            mail!("qmail"),
            &[
                ("nobody@customer.example", Failed, "5.1.1", Some(UnknownAddress)),
                ("closed@other.example", Failed, "5.1.2", Some(UnknownAddress)),
            ],
        ),
        (mail!("exchange"), &[("nobody@corp.example", Failed, "5.1.10", Some(UnknownAddress))]),
        (mail!("exchange_old"), &[("nobody@corp.example", Failed, "5.1.1", Some(UnknownAddress))]),
        (mail!("outlook_denied"), &[("nobody@corp.example", Failed, "5.4.1", Some(UnknownAddress))]),
        (mail!("yahoo"), &[("nobody@yahoo.com", Failed, "", Some(UnknownAddress))]),
        (mail!("spam"), &[("anna@customer.example", Failed, "5.7.1", Some(Refused))]),
        (
            mail!("delivered"),
            &[
                ("anna@customer.example", Delivered, "2.0.0", None),
                ("boris@customer.example", Relayed, "2.0.0", None),
            ],
        ),
        (mail!("utf8"), &[("анна@customer.example", Failed, "5.1.3", Some(UnknownAddress))]),
    ];
    for (mail, wanted) in table {
        let delivery = delivery(mail);
        let found: Vec<_> = delivery.recipients.iter().map(told).collect();
        assert_eq!(found, *wanted, "{}", mail.subject);
        assert!(is_ours(mail.report.as_ref().unwrap()), "{}: {:?}", mail.subject, delivery.original.ids);
        assert!(mail.automatic.is_some(), "{}", mail.subject);
    }
}

#[test]
fn a_report_in_fields_keeps_what_they_say() {
    let mail = mail!("postfix");
    let delivery = delivery(&mail);
    assert_eq!(delivery.told, Told::Fields);
    assert_eq!(delivery.reporter.as_deref(), Some("mx.shop.example"));
    assert_eq!(delivery.envelope_id.as_deref(), Some(OURS));
    let one = delivery.of("NOBODY@customer.example").unwrap();
    assert_eq!(one.original_address.as_deref(), Some("Nobody@customer.example"));
    assert_eq!(one.remote.as_deref(), Some("mx.customer.example"));
    assert_eq!(one.number, Some(550));
    assert_eq!(
        one.text.as_deref(),
        Some("<nobody@customer.example>: Recipient address rejected: User unknown in virtual mailbox table")
    );
    assert_eq!(delivery.original.headers.get("to"), Some("Nobody@customer.example"));
    assert_eq!(mail.automatic, Some(Automatic::Report));
}

#[test]
fn a_failed_delivery_is_sorted_like_a_refusal_of_our_own_server() {
    let error = |mail: Mail| delivery(&mail).recipients.first().and_then(Recipient::error).unwrap();
    let unknown = error(mail!("postfix"));
    assert_eq!((unknown.kind(), unknown.code()), (ErrorKind::RecipientUnreachable, Some("550 5.1.1")));
    assert_eq!(unknown.advice(), Some("check the address"));
    assert_eq!(unknown.retry(), Retry::Never);
    let full = error(mail!("dovecot_full"));
    assert_eq!(
        (full.kind(), full.advice()),
        (ErrorKind::RecipientUnreachable, Some("the person's mailbox is full"))
    );
    let spam = error(mail!("spam"));
    assert_eq!((spam.kind(), spam.code()), (ErrorKind::ContentRejected, Some("554 5.7.1")));
    assert_eq!(spam.text(), Some("Message rejected under suspicion of SPAM"));
    let late = error(mail!("postfix_late"));
    assert_eq!((late.kind(), late.retry()), (ErrorKind::RecipientUnreachable, Retry::Later));
    assert!(delivery(&mail!("delivered")).recipients.iter().all(|one| one.error().is_none()));
}

#[test]
fn codes_that_every_line_of_an_answer_repeats_are_left_out_of_its_words() {
    let mail = mail!("gmail");
    let text = delivery(&mail).recipients[0].text.clone().unwrap();
    assert_eq!(
        text,
        "The email account that you tried to reach does not exist. Please try double-checking the recipient's email \
         address for typos or unnecessary spaces."
    );
}

#[test]
fn a_report_about_somebody_elses_mail_is_not_about_ours() {
    let mail = mail!("stranger");
    let report = mail.report.unwrap();
    assert_eq!(report.messages(), ["forged@elsewhere.example"]);
    assert_eq!(report.ours(), None);
}

#[test]
fn the_id_that_a_server_changed_is_found_under_the_one_that_we_gave() {
    let mail = mail!("exchange");
    let ids = mail.report.as_ref().unwrap().messages();
    assert_eq!(
        ids,
        [format!("omni.{OURS}@shop.example").as_str(), "0101-rewritten@eurprd00.prod.outlook.example"]
    );
}

#[test]
fn a_receipt_says_read_only_when_the_mail_was_shown() {
    let Some(Report::Receipt(seen)) = mail!("receipt").report else { panic!() };
    assert!(is_ours(&Report::Receipt(seen.clone())));
    let wanted = Receipt {
        original: seen.original.clone(),
        recipient: Some("anna@customer.example".into()),
        disposition: Disposition::Displayed,
        sent_by: SentBy::Person,
    };
    assert_eq!((seen.status(), seen), (Status::Read, wanted));
    let Some(Report::Receipt(unread)) = mail!("receipt_unread").report else { panic!() };
    assert_eq!((unread.status(), &unread.disposition), (Status::Delivered, &Disposition::Deleted));
    assert_eq!(unread.sent_by, SentBy::Program);
    assert!(is_ours(&Report::Receipt(unread)));
}

#[test]
fn a_complaint_names_mail_and_person() {
    let Some(Report::Complaint(complaint)) = mail!("complaint").report else { panic!() };
    assert!(is_ours(&Report::Complaint(complaint.clone())));
    let wanted = Complaint {
        original: complaint.original.clone(),
        feedback: Feedback::Abuse,
        recipients: vec!["anna@customer.example".into()],
    };
    assert_eq!(complaint, wanted);
}

#[test]
fn people_who_write_about_reports_write_no_reports() {
    for (from, path, subject, text) in [
        // A person quotes one.
        (
            "Анна <anna@a.example>",
            "<anna@a.example>",
            "Недоставленное письмо",
            "Мне пришло: <x@y.example>:\n550 5.1.1 User unknown",
        ),
        (
            "Anna <anna@a.example>",
            "<anna@a.example>",
            "Undelivered parcel",
            "My parcel could not be delivered to me.\n\n550 rubles",
        ),
        // An absence notice has no envelope sender.
        (
            "Anna <anna@a.example>",
            "<>",
            "Автоответ: заказ",
            "Я в отпуске до 5.6.24, звоните 550-12-34.\n\nboss@a.example",
        ),
        ("Postmaster <postmaster@a.example>", "<boss@a.example>", "Hello", "Please call me: anna@a.example"),
    ] {
        let raw = format!(
            "From: {from}\nReturn-Path: {path}\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n{text}\n"
        );
        assert_eq!(read(raw.as_bytes(), &Limits::default()).report, None, "{subject}");
    }
}

#[test]
fn what_only_a_daemon_can_have_written_is_a_report_even_if_it_says_nothing_known() {
    let raw = "From: MAILER-DAEMON@a.example\nReturn-Path: <>\nSubject: 配信エラー 😀\n\n不明\n";
    let mail = read(raw.as_bytes(), &Limits::default());
    assert_eq!(delivery(&mail), &Delivery { told: Told::Words, ..Delivery::default() });
    assert_eq!(delivery(&mail).worst(), None);
}

#[test]
fn words_of_servers_tell_what_vague_codes_do_not() {
    let one = |status: &str, text: &str| {
        let status = Some(status.to_owned()).filter(|status| !status.is_empty());
        Recipient { status, text: Some(text.into()), ..Recipient::default() }.reason().unwrap()
    };
    assert_eq!(one("5.0.0", "mailbox is full"), Reason::Full);
    assert_eq!(one("5.7.1", "<x>: no such user"), Reason::UnknownAddress);
    assert_eq!(one("5.7.1", "Message refused by policy"), Reason::Refused);
    assert_eq!(one("5.7.26", "no such user passes DMARC"), Reason::Refused);
    assert_eq!(one("", "Sender address rejected: domain not found"), Reason::Refused);
    assert_eq!(one("", "Почтовый ящик переполнен"), Reason::Full);
    assert_eq!(one("", "Пользователь не найден 😀"), Reason::UnknownAddress);
    assert_eq!(one("5.3.4", "message size"), Reason::TooLarge);
    assert_eq!(one("5.4.4", "Host or domain name not found"), Reason::UnknownAddress);
    assert_eq!(one("4.2.2", "later"), Reason::Full);
    assert_eq!(one("5.4.5", "daily quota"), Reason::TooMuch);
    assert_eq!(one("", "hm"), Reason::Other);
}

#[test]
fn evil_reports_take_no_longer_than_their_length() {
    let started = std::time::Instant::now();
    let headers = Headers::new([("from", "mailer-daemon@a.example"), ("return-path", "<>")]);
    for text in [
        "Final-Recipient: rfc822; a@b.example\nAction: failed\n\n".repeat(100_000),
        "a: b\n".repeat(500_000),
        format!("Diagnostic-Code: smtp; {}", "550-5.1.1 ".repeat(200_000)),
        "Diagnostic-Code: x\n ".to_owned() + &" y\n".repeat(500_000),
        "<a@b.example>:\n".repeat(200_000),
        "omni.".repeat(500_000),
        "\\x{".repeat(500_000),
        "X".repeat(3_000_000),
    ] {
        for mime in [
            "message/delivery-status",
            "message/disposition-notification",
            "message/feedback-report",
            "text/plain",
            "text/html",
            "message/rfc822",
        ] {
            let _ = report(&[ReportPart { mime, bytes: text.as_bytes() }], &headers);
        }
    }
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

/// Pieces of which reports of every broken kind can be made.
const PIECES: &[&str] = &[
    "Final-Recipient: rfc822; anna@b.example\n",
    "Original-Recipient: utf-8; \\x{430}\\x{}\\x{110000}@b\n",
    "Action: failed\n",
    "Action: \n",
    "Status: 5.1.1\n",
    "Status: 5.1\n",
    "Status: 999.1.1\n",
    "Diagnostic-Code: smtp; 550-5.1.1 нет\n 550 5.1.1 такого 😀\n",
    "Diagnostic-Code:\n",
    "Disposition: ;\n",
    "Disposition: a/b; displayed/error\n",
    "Original-Message-ID: <>\n",
    "Feedback-Type: \n",
    "Original-Rcpt-To: <@>\n",
    "Message-ID: <omni.0197b1a0-0000-7000-8000-000000000001@shop.example>\n",
    "\n",
    " \n",
    "\r",
    ":\n",
    "<anna@b.example>:\n",
    "  anna@b.example\n",
    "--- Below this line is a copy of the message.\n",
    "Undelivered Mail",
    "\u{0}",
];

proptest! {
    #[test]
    fn any_report_is_taken(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..20),
        mime in prop::sample::select(&["message/delivery-status", "message/disposition-notification", "message/feedback-report", "text/plain", "message/rfc822", "text/html"][..]),
        noise in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let headers = Headers::new([("from", "MAILER-DAEMON@a.example"), ("return-path", "<>"), ("x-failed-recipients", "x@y.example")]);
        let mut bytes = pieces.concat().into_bytes();
        bytes.extend(noise);
        let parts = [ReportPart { mime, bytes: &bytes }, ReportPart { mime: "text/rfc822-headers", bytes: &bytes }];
        let told = report(&parts, &headers);
        if let Some(Report::Delivery(delivery)) = &told {
            for one in &delivery.recipients {
                prop_assert_eq!(one.error().is_some(), one.reason().is_some());
                prop_assert!(!one.address.contains(char::is_control));
            }
        }
        prop_assert!(told.is_some());
    }
}

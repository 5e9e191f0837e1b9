//! Threads, people, marks, and words that try to become headers.

use super::*;

fn noted(subject: &str, references: &[&str]) -> Option<Note> {
    let references: Vec<String> = references.iter().map(ToString::to_string).collect();
    let cc = ["boss@example.com", "help@shop.example", "ANNA@example.com"].map(str::to_owned).to_vec();
    Some(
        ThreadNote { subject: subject.to_owned(), last: references.last().cloned(), references, cc }
            .to_note(),
    )
}

fn next(mail: &Composed) -> ThreadNote {
    ThreadNote::from_note(mail.note.as_ref().unwrap()).unwrap()
}

#[test]
fn an_answer_keeps_thread_and_subject_and_notes_itself() {
    let note = noted("RE: Re: Отв: [Заказ 17] Где посылка?", &["a1@example.com", "b2@example.com"]);
    let mail = sent(&OutboundItem { note, ..said("В пути") });
    let read = read(&mail);
    assert_eq!(read.subject, "Re: [Заказ 17] Где посылка?");
    assert_eq!(read.in_reply_to, ["b2@example.com"]);
    assert_eq!(read.references, ["a1@example.com", "b2@example.com"]);
    let own = format!("omni.{}@shop.example", id());
    assert_eq!(read.message_id.as_deref(), Some(own.as_str()));
    assert_eq!(mail.message_id.as_str(), own);
    let next = next(&mail);
    assert_eq!(next.last.as_deref(), Some(own.as_str()));
    assert_eq!(next.references, ["a1@example.com", "b2@example.com", &own]);
    assert_eq!(next.subject, "Re: [Заказ 17] Где посылка?");
    assert_eq!(mail.names.len(), 1);
}

#[test]
fn the_answer_to_the_answer_goes_on_from_there() {
    let first = sent(&OutboundItem {
        note: noted("Вопрос по счёту", &["a1@example.com"]), ..said("Да")
    });
    let mut second = said("И ещё");
    second.note = first.note.clone();
    let second = read(&sent(&second));
    assert_eq!(second.subject, "Re: Вопрос по счёту");
    assert_eq!(second.references, ["a1@example.com", first.message_id.as_str()]);
}

#[test]
fn an_answer_to_an_earlier_mail_leads_to_that_one() {
    let mut item =
        OutboundItem { note: noted("x", &["a@x.example", "b@x.example", "c@x.example"]), ..said("о") };
    item.reply_to = Some(ReplyTo { message: "b@x.example".to_owned().into(), quote: None });
    let mail = read(&sent(&item));
    assert_eq!(mail.in_reply_to, ["b@x.example"]);
    assert_eq!(mail.references, ["a@x.example", "b@x.example"]);
    // A mail without a Message-ID has a name that no other program knows.
    item.reply_to = Some(ReplyTo { message: "key:00ff".to_owned().into(), quote: None });
    assert_eq!(read(&sent(&item)).in_reply_to, ["c@x.example"]);
}

#[test]
fn long_threads_keep_their_first_and_their_last_mails() {
    let ids: Vec<String> = (0..100).map(|n| format!("{n}@example.com")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mail = read(&sent(&OutboundItem { note: noted("x", &ids), ..said("о") }));
    assert_eq!(mail.references.first().map(String::as_str), Some("0@example.com"));
    assert_eq!(mail.references.last().map(String::as_str), Some("99@example.com"));
    assert_eq!(mail.references.len(), MAX_REFERENCES + 1);
}

#[test]
fn a_new_mail_is_called_as_was_asked_or_set_or_by_its_first_line() {
    let asked =
        with(EmailParts { subject: Some("  Счёт №17\r\n📄 ".into()), ..EmailParts::default() });
    assert_eq!(read(&sent(&asked)).subject, "Счёт №17 📄");
    assert!(read(&sent(&asked)).in_reply_to.is_empty());
    let mut config = config();
    config.subject = Some("Сообщение от магазина".into());
    assert_eq!(read(&sent_by(&said("Здравствуйте"), &config)).subject, "Сообщение от магазина");
    let line = "Здравствуйте, Анна, ваш заказ собран и ждёт вас в пункте выдачи на Невском проспекте";
    let subject = read(&sent(&said(&format!("\n {line}\nДа")))).subject;
    assert!(line.starts_with(&subject) && subject.chars().count() <= 70 && subject.len() > 70, "{subject}");
    let file = item(Content::media(file("Договор.pdf", "application/pdf", b"x")));
    assert_eq!(read(&sent(&file)).subject, "Договор.pdf");
    let long =
        with(EmailParts { subject: Some("👨‍👩‍👧‍👦".repeat(500)), ..EmailParts::default() });
    let subject = read(&sent(&long)).subject;
    assert!(subject.ends_with("👨‍👩‍👧‍👦") && subject.chars().count() <= SUBJECT);
}

#[test]
fn a_subject_that_looks_encoded_is_read_as_it_was_written() {
    let subject = "=?utf-8?Q?=0D=0ABcc:_evil@example.com?= и это";
    let item = with(EmailParts { subject: Some(subject.into()), ..EmailParts::default() });
    assert_eq!(read(&sent(&item)).subject, subject);
}

#[test]
fn every_attempt_makes_the_same_bytes() {
    let item = OutboundItem { note: noted("x", &["a@x.example"]), ..said("Смело 💪") };
    let first = sent(&item);
    let later = compose(&item, &config(), Timestamp::from_millis(MADE + 86_400_000)).unwrap();
    assert_eq!(first.bytes, later.bytes);
    assert_eq!((first.age.as_secs(), later.age.as_secs()), (90, 86_400));
    assert_eq!(field(&first, "date"), ["Sat, 21 Nov 2026 12:00:00 +0000"]);
    assert_eq!(field(&first, "mime-version"), ["1.0"]);
    let timeless = OutboundItem { id: MessageId::from_bytes([7; 16]), ..said("x") };
    assert_eq!(field(&sent(&timeless), "date"), ["Sat, 21 Nov 2026 12:01:30 +0000"]);
}

#[test]
fn hidden_recipients_are_in_the_envelope_alone() {
    let mail = sent(&with(EmailParts {
        cc: vec!["Борис <boris@example.com>".into(), "anna@EXAMPLE.com".into(), "help@shop.example".into()],
        bcc: vec!["hidden@example.com".into(), "BORIS@example.com".into(), "тайна@пример.рф".into()],
        ..EmailParts::default()
    }));
    let everybody =
        ["anna@example.com", "boris@example.com", "hidden@example.com", "тайна@xn--e1afmkfd.xn--p1ai"];
    assert_eq!(mail.envelope.to, everybody);
    assert_eq!(mail.envelope.from, "help@shop.example");
    assert_eq!(mail.utf8, Utf8::Needed);
    let raw = String::from_utf8(mail.bytes.to_vec()).unwrap().to_lowercase();
    assert!(!raw.contains("hidden") && !raw.contains("bcc") && !raw.contains("тайна"));
    assert_eq!(field(&mail, "to"), ["anna@example.com"]);
    assert_eq!(field(&mail, "cc"), ["boris@example.com"]);
    let wrong = with(EmailParts { bcc: vec!["nobody".into()], ..EmailParts::default() });
    assert_eq!(refused(&wrong).kind(), ErrorKind::NotFound);
}

#[test]
fn who_reads_along_gets_what_people_write_and_nothing_automatic() {
    let mut item = OutboundItem { note: noted("x", &["a@x.example"]), ..said("Да") };
    let mail = sent(&item);
    assert_eq!(mail.envelope.to, ["anna@example.com", "boss@example.com"]);
    assert!(field(&mail, "auto-submitted").is_empty());
    let mut config = config();
    config.answer = AnswerTo::Writer;
    assert_eq!(sent_by(&item, &config).envelope.to, ["anna@example.com"]);

    item.author = Author::Program;
    let mail = sent(&item);
    assert_eq!(mail.envelope.to, ["anna@example.com"]);
    assert_eq!(field(&mail, "auto-submitted"), ["auto-replied"]);
    assert_eq!(field(&mail, "x-auto-response-suppress"), ["All"]);
    assert_eq!(field(&mail, "x-omni-loop"), ["help@shop.example"]);
    assert!(next(&mail).cc.contains(&"boss@example.com".to_owned()));
    assert!(read(&mail).automatic.is_some());
    let first = OutboundItem { author: Author::Program, ..said("Напоминание") };
    assert_eq!(field(&sent(&first), "auto-submitted"), ["auto-generated"]);
}

#[test]
fn people_write_in_their_own_name() {
    let mut config = config();
    config.name = Some("Магазин «Ромашка», отдел 5".into());
    assert_eq!(
        read(&sent_by(&said("x"), &config)).from[0].name.as_deref(),
        Some("Магазин «Ромашка», отдел 5")
    );
    for name in ["Иван Петров", "O'Neil, \"Bob\" <x@y.example>", "Анна 🌸", "a\\b", "x".repeat(500).as_str()]
    {
        let face = Some(Face { name: name.to_owned(), avatar: None });
        let mail = read(&sent_by(&OutboundItem { face, ..said("x") }, &config));
        assert_eq!(mail.from.len(), 1, "{name}");
        assert_eq!(mail.from[0].address, "help@shop.example");
        let shown: String = name.chars().take(128).collect();
        assert_eq!(mail.from[0].name.as_deref(), Some(shown.as_str()));
    }
}

/// Words that would end a header if they came into one as they are.
const ATTACKS: [&str; 7] = [
    "x\r\nBcc: evil@example.com",
    "x\nX-Evil: 1",
    "x\rX-Evil: 1",
    "x\r\n\r\n<script>",
    "\u{85}\u{2028}X-Evil: 1",
    "\"; evil=\"1\r\n\t",
    "x@y.example>\r\nRCPT TO:<evil@example.com>",
];

#[test]
fn no_words_from_outside_become_headers() {
    for attack in ATTACKS {
        let mut config = config();
        config.name = Some(attack.into());
        config.signature = Some(attack.into());
        config.subject = Some(attack.into());
        let note = ThreadNote {
            subject: attack.to_owned(),
            last: Some(attack.to_owned()),
            references: vec![format!("{attack}@x.example"), attack.to_owned()],
            cc: vec![attack.to_owned(), format!("{attack}@example.com")],
        };
        let parts = EmailParts {
            html: Some(format!("<p>{attack}</p>")),
            quoted: Some(attack.into()),
            signature: Some(attack.into()),
            ..EmailParts::default()
        };
        let mut media = file(attack, attack, b"x");
        media.cid = Some(attack.into());
        let content = Content::text(attack).and(Part::Email(parts)).and(Part::Media(media));
        let mut item = OutboundItem { note: Some(note.to_note()), ..item(content) };
        item.face = Some(Face { name: attack.into(), avatar: None });
        item.reply_to = Some(ReplyTo { message: attack.to_owned().into(), quote: None });
        for author in [Author::Person, Author::Program] {
            item.author = author;
            // `sent_by` fails for a field that is not ours.
            let mail = sent_by(&item, &config);
            assert_eq!(mail.envelope.to, ["anna@example.com"]);
            assert!(field(&mail, "references").is_empty() && field(&mail, "in-reply-to").is_empty());
        }
        let subject = with(EmailParts { subject: Some(attack.into()), ..EmailParts::default() });
        sent(&subject);
        for parts in [
            EmailParts { cc: vec![attack.into()], ..EmailParts::default() },
            EmailParts { bcc: vec![attack.into()], ..EmailParts::default() },
        ] {
            assert_eq!(refused(&with(parts)).kind(), ErrorKind::NotFound, "{attack:?}");
        }
    }
}

#[test]
fn letters_beyond_ascii_before_the_at_need_a_server_that_knows_them() {
    let item = OutboundItem { address: Address::new("анна@пример.рф"), ..said("x") };
    let mail = sent(&item);
    assert_eq!((mail.utf8, mail.envelope.to[0].as_str()), (Utf8::Needed, "анна@xn--e1afmkfd.xn--p1ai"));
    assert_eq!(read(&mail).to[0].address, "анна@xn--e1afmkfd.xn--p1ai");
    let domain_only = OutboundItem { address: Address::new("anna@пример.рф"), ..said("x") };
    assert_eq!(sent(&domain_only).utf8, Utf8::NotNeeded);
}

#[test]
fn an_own_address_that_is_none_is_a_setting_to_change() {
    let config = Config::new("не адрес", "secret");
    match compose(&said("x"), &config, now()) {
        Err(SendError::Rejected(error)) => assert_eq!(error.kind(), ErrorKind::Configuration),
        other => panic!("{other:?}"),
    }
}

//! What goes out, read back by the parser and by eye.

mod dkim;
mod headers;
mod round_trip;

use bytes::Bytes;
use omni_core::address::Address;
use omni_core::content::{Button, Location};
use omni_core::event::ReplyTo;
use omni_core::media::MediaKind;
use omni_core::outbound::Face;
use omni_core::text::EntityKind;
use omni_core::{Content, Secret};

use super::*;
use crate::mail::{File, Mail};
use crate::parse::{self, Limits};

/// 2026-11-21T12:00:00Z, in milliseconds.
const MADE: i64 = 1_795_262_400_000;

fn id() -> MessageId {
    MessageId::from_bytes([0x01, 0xa1, 0xfd, 0xfa, 0x46, 0, 0x70, 1, 0x80, 2, 3, 4, 5, 6, 7, 8])
}

fn now() -> Timestamp {
    Timestamp::from_millis(MADE + 90_000)
}

fn config() -> Config {
    Config::new("help@shop.example", "secret")
}

fn item(content: Content) -> OutboundItem {
    OutboundItem {
        id: id(),
        address: Address::new("anna@example.com").with("thread", "0123456789abcdef"),
        content,
        reply_to: None,
        face: None,
        author: Author::Person,
        note: None,
    }
}

fn said(text: &str) -> OutboundItem {
    item(Content::text(text))
}

fn with(parts: EmailParts) -> OutboundItem {
    item(Content::text("Здравствуйте!").and(Part::Email(parts)))
}

fn file(name: &str, mime: &str, bytes: &'static [u8]) -> Media {
    Media::new(MediaKind::File, Bytes::from_static(bytes)).named(name).typed(mime)
}

fn sent(item: &OutboundItem) -> Composed {
    sent_by(item, &config())
}

/// The mail; what must hold for every one does.
fn sent_by(item: &OutboundItem, config: &Config) -> Composed {
    let mail = compose(item, config, now()).unwrap();
    assert_sound(&mail);
    mail
}

fn refused(item: &OutboundItem) -> Error {
    match compose(item, &config(), now()) {
        Err(SendError::Rejected(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn read(mail: &Composed) -> Mail {
    let read = parse::read(&mail.bytes, &Limits::default());
    assert!(read.cut.is_empty(), "{:?}", read.cut);
    read
}

fn bytes_of(mail: &Composed, file: &File) -> Bytes {
    parse::extract(&mail.bytes, &file.part).unwrap().1
}

/// The headers as they travel.
fn head(mail: &Composed) -> String {
    let text = String::from_utf8(mail.bytes.to_vec()).unwrap();
    text.split("\r\n\r\n").next().unwrap().to_owned() + "\r\n"
}

/// The values of a field, folded as they are.
fn field(mail: &Composed, name: &str) -> Vec<String> {
    let head = head(mail).replace("\r\n ", "\u{0} ").replace("\r\n\t", "\u{0}\t");
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.replace('\u{0}', "\r\n")).collect()
}

/// All names of fields that a mail of ours may have.
const FIELDS: [&str; 15] = [
    "message-id",
    "date",
    "from",
    "to",
    "subject",
    "cc",
    "in-reply-to",
    "references",
    "auto-submitted",
    "x-auto-response-suppress",
    "x-omni-loop",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "dkim-signature",
];

/// What holds for every mail: whole lines of at most 998 bytes, every field known and there once, no hidden recipients,
/// ASCII where addresses are.
fn assert_sound(mail: &Composed) {
    let text = String::from_utf8(mail.bytes.to_vec()).unwrap();
    assert!(mail.utf8 == Utf8::Needed || text.is_ascii());
    for line in text.split("\r\n") {
        assert!(!line.contains(['\r', '\n', '\0']), "{line:?}");
        assert!(line.len() <= 998, "{} bytes: {line}", line.len());
    }
    let head = head(mail);
    let names: Vec<String> = head
        .lines()
        .filter(|line| !line.starts_with([' ', '\t']))
        .map(|line| line.split(':').next().unwrap().to_ascii_lowercase())
        .collect();
    for (position, name) in names.iter().enumerate() {
        assert!(FIELDS.contains(&name.as_str()), "{name}");
        assert!(!names[..position].contains(name), "{name} twice");
    }
    for must in ["message-id", "date", "from", "to", "subject", "mime-version", "content-type"] {
        assert!(names.iter().any(|name| name == must), "no {must}");
    }
}

#[test]
fn words_alone_are_one_plain_part() {
    let mail = sent(&said("Здравствуйте, Анна! 👋🏽\nЗаказ готов."));
    let read = read(&mail);
    assert_eq!(read.body.text, "Здравствуйте, Анна! 👋🏽\nЗаказ готов.");
    assert_eq!(read.body.html, None);
    assert!(read.files.is_empty());
    assert!(head(&mail).contains("text/plain; charset=utf-8"));
}

#[test]
fn entities_become_html_beside_plain_words() {
    let text = Text::plain("Привет 🎉 мир\nсм. заказ\nцитата\nlet x = 1 < 2;\nкод и всё")
        .mark("мир", EntityKind::Bold)
        .mark("заказ", EntityKind::Link { url: "https://shop.example/?a=1&b=2".into() })
        .mark("цитата", EntityKind::Quote)
        .mark("let x = 1 < 2;", EntityKind::Pre { language: None })
        .mark("код", EntityKind::Code)
        .mark("всё", EntityKind::Italic);
    let mail = sent(&item(Content::text(text)));
    let raw = String::from_utf8(mail.bytes.to_vec()).unwrap();
    assert!(raw.contains("multipart/alternative"));
    let read = read(&mail);
    let html = read.body.html.unwrap();
    for part in ["<b>мир</b>", "<code>код</code>", "<i>всё</i>", "🎉", "цитата", "1 &lt; 2"]
    {
        assert!(html.contains(part), "{part}: {html}");
    }
    assert!(html.contains("href=\"https://shop.example/?a=1&amp;b=2\""), "{html}");
    assert_eq!(
        read.body.text,
        "Привет 🎉 мир\nсм. заказ <https://shop.example/?a=1&b=2>\n> цитата\nlet x = 1 < 2;\nкод и всё"
    );
}

#[test]
fn words_never_become_markup_and_links_lead_nowhere_odd() {
    let text = Text::plain("<script>alert(1)</script> & \"кавычки\" сюда туда")
        .mark("кавычки", EntityKind::Bold)
        .mark("сюда", EntityKind::Link { url: "javascript:alert(1)".into() })
        .mark("туда", EntityKind::Link { url: "https://x.example/\"><script>".into() });
    let html = html_of(&text).unwrap();
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;<b>кавычки</b>&quot; сюда"));
    assert!(!html.contains("<script") && !html.contains("javascript:"), "{html}");
}

#[test]
fn entities_that_cross_are_closed_in_turn() {
    let text =
        Text::plain("один два три").mark("один два", EntityKind::Bold).mark("два три", EntityKind::Italic);
    assert_eq!(html_of(&text).unwrap(), "<div><b>один <i>два</i></b><i> три</i></div>");
    let torn = Text {
        plain: "a😀b".into(),
        entities: vec![omni_core::text::Entity { offset: 2, length: 1, kind: EntityKind::Bold }],
    };
    assert_eq!(html_of(&torn), None);
}

#[test]
fn files_keep_their_names_and_bytes() {
    let long = format!("{} финальная версия.pdf", "Очень длинное название договора ".repeat(4));
    let names = ["Договор №5 📄.pdf", "report.pdf", "a;b=c'd%20.txt", "=?utf-8?B?0JA=?=.txt", &long];
    let mut content = Content::text("Во вложении");
    for name in names {
        content.parts.push(Part::Media(file(
            name,
            "application/x-odd; charset=\"x\"",
            b"\x00\xff\r\n.\r\n\n",
        )));
    }
    let mail = sent(&item(content));
    let raw = String::from_utf8(mail.bytes.to_vec()).unwrap();
    assert!(raw.contains("multipart/mixed"));
    assert!(raw.contains("filename*0*=utf-8''%D0%94"), "{raw}");
    assert!(raw.contains("name=\"=?utf-8?B?"), "{raw}");
    let read = read(&mail);
    assert_eq!(read.body.text, "Во вложении");
    let told: Vec<String> = read.files.iter().map(|file| file.name.clone()).collect();
    assert_eq!(told, names.map(crate::parse::file_name));
    assert!(told[4].ends_with(".pdf"), "{told:?}");
    for file in &read.files {
        assert_eq!(bytes_of(&mail, file).as_ref(), b"\x00\xff\r\n.\r\n\n");
    }
}

#[test]
fn files_without_a_name_or_with_a_dangerous_one_get_a_good_one() {
    let content = [
        Media::new(MediaKind::Image, Bytes::from_static(b"\x89PNG\r\n\x1a\n")).typed("image/png"),
        Media::new(MediaKind::Voice, Bytes::from_static(b"OggS")).typed("audio/ogg"),
        file("../../etc/passwd", "text/plain", b"x"),
        file("C:\\Отчёт.xlsx", "application/vnd.ms-excel", b"x"),
        file("вирус\u{202e}gpj.exe", "message/rfc822", b"x"),
        file("x\r\nBcc: evil@example.com", "a/b\r\nX-Evil: 1", b"x"),
    ];
    let content =
        content.into_iter().fold(Content::text("х"), |content, file| content.and(Part::Media(file)));
    let mail = sent(&item(content));
    let names: Vec<_> = read(&mail).files.into_iter().map(|file| file.name).collect();
    let wanted =
        ["image-1.png", "audio-2.ogg", "passwd", "Отчёт.xlsx", "вирусgpj.exe", "xBcc_ evil@example.com"];
    assert_eq!(names, wanted);
    let raw = String::from_utf8(mail.bytes.to_vec()).unwrap();
    assert!(!raw.contains("message/rfc822") && !raw.contains("X-Evil"));
}

#[test]
fn pictures_that_the_html_names_stand_in_it_and_others_beside() {
    let png: &[u8] = b"\x89PNG\r\n\x1a\nxx";
    let mut logo = file("Логотип.png", "image/png", png);
    logo.cid = Some("logo@shop".into());
    let mut other = file("x.png", "image/png", png);
    other.cid = Some("logo".into());
    let by_name = file("stamp.png", "image/png", png);
    let html = "<p>Привет <img src=\"cid:logo@shop\"><img src='cid:stamp.png'></p>".to_owned();
    let content = Content::text("Привет")
        .and(Part::Email(EmailParts { html: Some(html), ..EmailParts::default() }))
        .and(Part::Media(logo))
        .and(Part::Media(other))
        .and(Part::Media(by_name));
    let mail = sent(&item(content));
    let raw = String::from_utf8(mail.bytes.to_vec()).unwrap();
    for kind in ["multipart/mixed", "multipart/alternative", "multipart/related", "Content-ID: <logo@shop>"] {
        assert!(raw.contains(kind), "{kind}: {raw}");
    }
    let read = read(&mail);
    assert!(read.body.html.unwrap().contains("cid:logo@shop"));
    let shown: Vec<_> = read.files.iter().map(|f| (f.name.as_str(), f.shown_as.as_deref())).collect();
    let wanted = [("Логотип.png", Some("logo@shop")), ("stamp.png", Some("stamp.png")), ("x.png", None)];
    assert_eq!(shown, wanted);
    assert!(read.files.iter().all(|file| bytes_of(&mail, file).as_ref() == png));
}

#[test]
fn given_html_goes_with_its_words_as_plain_text() {
    let html = "<html><body><p>Добрый день</p>\r<ul><li>раз</li></ul></body></html>".to_owned();
    let parts = EmailParts { html: Some(html), ..EmailParts::default() };
    let read = read(&sent(&item(Content::part(Part::Email(parts)))));
    assert!(read.body.text.contains("Добрый день") && read.body.text.contains("раз"));
    assert!(read.body.html.unwrap().contains("<li>раз</li>"));
}

#[test]
fn signature_and_quoted_mail_stand_below_and_are_read_as_such() {
    let mut config = config();
    config.name = Some("Магазин".into());
    config.signature = Some("{agent}\nМагазин «Ромашка»".into());
    let quoted = "Где заказ?\n> Здравствуйте".to_owned();
    let mut item = with(EmailParts { quoted: Some(quoted), ..EmailParts::default() });
    item.face = Some(Face { name: "Иван Петров".into(), avatar: None });
    let mail = sent_by(&item, &config);
    let plain = read(&mail);
    assert_eq!(plain.from[0].name.as_deref(), Some("Иван Петров"));
    assert_eq!(
        plain.body.text,
        "Здравствуйте!\n\n-- \nИван Петров\nМагазин «Ромашка»\n\n> Где заказ?\n>> Здравствуйте"
    );
    item.author = Author::Program;
    assert!(!read(&sent_by(&item, &config)).body.text.contains("Ромашка"));

    item.author = Author::Person;
    item.content.text = Some(Text::plain("Смело").mark("Смело", EntityKind::Bold));
    let html = read(&sent_by(&item, &config)).body.html.unwrap();
    assert!(html.contains("Иван Петров<br>") && html.contains("<blockquote"), "{html}");
    let only_file = super::tests::item(Content::media(file("a.pdf", "application/pdf", b"x")));
    assert!(read(&sent_by(&only_file, &config)).body.text.starts_with("-- \nМагазин\n"));
}

#[test]
fn long_lines_are_folded_and_nothing_is_lost() {
    for text in ["x".repeat(5000), "слово ".repeat(20_000), "a ".repeat(3000), "😀".repeat(3000)] {
        let mail = sent(&said(&text));
        assert_eq!(read(&mail).body.text, text.trim_end());
    }
    let bytes: &'static [u8] = &[0xff; 100_000];
    let mail = sent(&item(Content::media(file("Файл.bin", "application/zip", bytes))));
    let raw = String::from_utf8(mail.bytes.to_vec()).unwrap();
    assert!(raw.split("\r\n").all(|line| line.len() <= 78));
    assert_eq!(read(&mail).files[0].size, 100_000);
}

#[test]
fn a_mail_above_the_limit_is_refused_before_it_is_handed_in() {
    let mut config = config();
    config.send_bytes = Some(100_000);
    let large = |bytes| Media::new(MediaKind::File, Bytes::from(vec![0; bytes])).named("x.bin");
    let error = match compose(&item(Content::media(large(80_000))), &config, now()) {
        Err(SendError::Rejected(error)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("limit 100000"), "{error}");
    let fits = crate::capabilities::capabilities(&config, None).media[&omni_core::content::ContentKind::File]
        .bytes
        .unwrap();
    sent_by(&item(Content::media(large(usize::try_from(fits).unwrap()))), &config);
}

#[test]
fn what_is_declared_goes_out_as_it_is() {
    use MediaKind::*;
    let caps = crate::capabilities::capabilities(&config(), None);
    for kind in [Image, Video, Animation, Audio, Voice, File] {
        assert_eq!(caps.supports(kind.into()), omni_core::capability::Support::Full);
        let media = Media::new(kind, Bytes::from_static(b"x")).named("файл.bin");
        assert_eq!(read(&sent(&item(Content::media(media)))).files.len(), 1, "{kind:?}");
    }
}

#[test]
fn what_is_not_declared_is_refused() {
    let place = Location { latitude: 1.0, longitude: 2.0, title: None, address: None, live_seconds: None };
    let url = Media::new(MediaKind::File, url::Url::parse("https://x.example/a").unwrap());
    for content in [
        Content::part(Part::Location(place)),
        Content::text("Да?").buttons([Button::press("Да", "y")]),
        Content::media(url),
    ] {
        assert_eq!(refused(&item(content)).kind(), ErrorKind::Unsupported);
    }
    for content in [Content::default(), Content::text(""), Content::part(Part::Email(EmailParts::default()))]
    {
        assert_eq!(refused(&item(content)).kind(), ErrorKind::ContentRejected);
    }
    for address in ["", "?", "нигде", "a\0b", "<>", "a@b.example\r\nBcc: c@d.example"] {
        let item = OutboundItem { address: Address::new(address), ..said("Кто здесь?") };
        assert_eq!(refused(&item).kind(), ErrorKind::NotFound, "{address:?}");
    }
}

//! What any words become on the way, read back.

use proptest::prelude::*;

use super::*;

/// What of words survives any mail program: no control characters, no blank lines before and behind.
fn kept(text: &str) -> String {
    let text = super::super::text::tidy(text).replace('\u{feff}', "");
    let blank: usize =
        text.split_inclusive('\n').take_while(|line| line.trim().is_empty()).map(str::len).sum();
    text[blank.min(text.trim_end().len())..].trim_end().to_owned()
}

/// Anything, and things that mail is made of.
fn words() -> impl Strategy<Value = String> {
    let odd = prop_oneof![
        any::<String>(),
        "[ -~]{0,90}",
        "[а-яА-ЯёЁ ]{0,60}",
        Just("\r\n.\r\n".to_owned()),
        Just("=?utf-8?Q?=41?=".to_owned()),
        Just("--=_omni".to_owned()),
        Just("From x\n>y = \t \n".to_owned()),
        Just("👩🏽‍🚀é=".to_owned()),
        Just("x".repeat(1100)),
    ];
    prop::collection::vec(odd, 0..6).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_words_come_back_as_they_were(text in words()) {
        let item = item(Content::text(text.clone()).and(Part::Email(EmailParts {
            subject: Some("x".into()),
            ..EmailParts::default()
        })));
        if !text.is_empty() {
            prop_assert_eq!(read(&sent(&item)).body.text, kept(&text));
        }
    }

    #[test]
    fn any_subject_comes_back_in_one_line(subject in words()) {
        let wanted = cut(&one_line(&subject), SUBJECT);
        let item = with(EmailParts { subject: Some(subject), ..EmailParts::default() });
        let read = read(&sent(&item));
        prop_assert_eq!(read.body.text, "Здравствуйте!");
        if !wanted.is_empty() {
            prop_assert_eq!(read.subject, wanted);
        }
    }

    #[test]
    fn any_file_comes_back_with_its_name(name in words(), bytes in any::<Vec<u8>>()) {
        let wanted = crate::parse::file_name(&name);
        let media = Media::new(MediaKind::File, Bytes::from(bytes.clone())).named(name).typed("application/x-odd");
        let mail = sent(&item(Content::text("Во вложении").and(Part::Media(media))));
        let read = read(&mail);
        prop_assert_eq!(read.files.len(), 1);
        prop_assert_eq!(bytes_of(&mail, &read.files[0]), bytes);
        prop_assert_eq!(&read.files[0].name, if wanted.is_empty() { "file-1" } else { &wanted });
    }

    #[test]
    fn any_name_is_one_sender(name in words()) {
        let face = Some(Face { name, avatar: None });
        let read = read(&sent(&OutboundItem { face, ..said("x") }));
        prop_assert_eq!(read.from.len(), 1);
        prop_assert_eq!(&read.from[0].address, "help@shop.example");
    }
}

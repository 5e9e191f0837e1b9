//! Replies as mailers of many lands write them: what is new is shown, and no line is lost.
//!
//! The cases are in `fixtures/replies`. A case begins with `=== ` and its name; the mail follows; then `--> visible` and
//! what is to be shown, or `--> whole` when nothing may be cut, and perhaps `--> signature` and the signature.

use omni_email::parse::quotes::{Cut, cut};
use proptest::prelude::*;

struct Case {
    name: String,
    mail: String,
    visible: Option<String>,
    signature: Option<String>,
}

fn cases(file: &str) -> Vec<Case> {
    let one = |text: &str| {
        let (name, rest) = text.split_once('\n').unwrap_or((text, ""));
        let mut parts = rest.split("\n--> ");
        let mail = parts.next().unwrap_or_default().to_owned();
        let mut case = Case { name: name.to_owned(), mail, visible: None, signature: None };
        for part in parts {
            let (kind, words) = part.split_once('\n').unwrap_or((part, ""));
            match kind.trim() {
                "visible" => case.visible = Some(words.trim().to_owned()),
                "signature" => case.signature = Some(words.trim().to_owned()),
                "whole" => {}
                other => panic!("{name}: {other}"),
            }
        }
        case
    };
    file.split("=== ").skip(1).map(one).collect()
}

fn check(file: &str, html: bool) -> usize {
    let cases = cases(file);
    let mut wrong = Vec::new();
    for case in &cases {
        let Cut { visible, quoted, signature } =
            if html { cut("", Some(&case.mail)) } else { cut(&case.mail, None) };
        let expected = case.visible.clone().unwrap_or_else(|| case.mail.trim().to_owned());
        if visible != expected {
            wrong.push(format!("{}\n  shown    {visible:?}\n  expected {expected:?}", case.name));
        }
        if case.visible.is_none() && (quoted.is_some() || signature.is_some()) {
            wrong.push(format!("{}: cut {quoted:?} {signature:?}", case.name));
        }
        if case.signature.is_some() && case.signature != signature {
            wrong.push(format!("{}\n  signature {signature:?}\n  expected  {:?}", case.name, case.signature));
        }
        let all = format!("{visible}\n{}\n{}", quoted.unwrap_or_default(), signature.unwrap_or_default());
        let is_lost = |line: &&str| !line.trim().is_empty() && !all.contains(line.trim());
        if let (false, Some(line)) = (html, case.mail.lines().find(is_lost)) {
            wrong.push(format!("{}: lost {line:?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    cases.len()
}

#[test]
fn replies_of_russian_mailers() {
    assert!(check(include_str!("fixtures/replies/russian.txt"), false) >= 25);
}

#[test]
fn replies_of_other_lands() {
    assert!(check(include_str!("fixtures/replies/lands.txt"), false) >= 25);
}

#[test]
fn signatures_are_kept_apart() {
    assert!(check(include_str!("fixtures/replies/signatures.txt"), false) >= 12);
}

#[test]
fn what_only_looks_like_a_quote_stays() {
    assert!(check(include_str!("fixtures/replies/kept.txt"), false) >= 15);
}

#[test]
fn marks_in_the_html_are_exact() {
    assert!(check(include_str!("fixtures/replies/html.txt"), true) >= 10);
}

#[test]
fn long_and_evil_texts_take_no_longer_than_their_length() {
    for text in [
        "> ".repeat(200_000),
        ">\n".repeat(100_000),
        "On ".repeat(100_000),
        "On 2024 wrote:\n".repeat(50_000),
        "From: a@b\n".repeat(50_000),
        "_".repeat(300_000),
        "С уважением,\n".repeat(50_000),
        "-- \n".repeat(50_000),
        format!("Да\n{}", "5 июня 2024 10:00 <".repeat(20_000)),
        "😀".repeat(100_000),
    ] {
        let cut = cut(&text, Some(&text));
        assert!(!cut.visible.is_empty());
    }
}

#[test]
fn a_mail_that_is_nothing_but_a_quote_is_shown_whole() {
    let mail = "ср, 5 июн. 2024 г. в 10:00, Поддержка <help@shop.example>:\n> Здравствуйте!\n> Заказ готов.";
    assert_eq!(cut(mail, None), Cut { visible: mail.to_owned(), quoted: None, signature: None });
}

/// Pieces of which mails that mislead can be made.
const LINES: &[&str] = &[
    "",
    "Спасибо!",
    "> цитата 😀",
    ">> раньше",
    "ср, 5 июн. 2024 г. в 10:00, Аня <a@shop.example>:",
    "05.06.2024, 10:00, \"Аня\" <a@shop.example>:",
    "On Wed, Jun 5, 2024 at 10:00 AM Support <help@shop.example> wrote:",
    "On Monday I wrote:",
    "Четверг, 5 июня 2024, 10:00 +03:00 от Аня <a@shop.example>:",
    "From: Anna <a@b.example>",
    "Sent: Wednesday",
    "To: x",
    "Subject: y",
    "От: Анна",
    "Тема: z",
    "________________________________",
    "-----Original Message-----",
    "---------- Forwarded message ---------",
    "-- ",
    "--",
    "С уважением,",
    "Иван",
    "Отправлено с iPhone",
    "This e-mail and any attachments are confidential.",
    "## Ответ пишите выше этой строки ##",
    "А когда вы работаете?",
    "P.S. да",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_line_is_lost_and_something_is_always_shown(lines in prop::collection::vec(prop::sample::select(LINES), 0..16)) {
        let text = lines.join("\n");
        let Cut { visible, quoted, signature } = cut(&text, None);
        prop_assert_eq!(visible.trim().is_empty(), text.trim().is_empty());
        let kept: Vec<String> = [Some(visible), quoted, signature].into_iter().flatten().collect();
        let kept: Vec<&str> = kept.iter().flat_map(|part| part.lines()).map(str::trim).collect();
        for line in lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()) {
            let count = |all: &[&str]| all.iter().filter(|one| one.trim() == line).count();
            prop_assert_eq!(count(&kept), count(&lines), "{:?}", line);
        }
    }

    #[test]
    fn any_text_and_any_html_are_taken(text in "(?s).{0,300}", html in "(?s).{0,300}") {
        prop_assert_eq!(cut(&text, None).visible.trim().is_empty(), text.trim().is_empty());
        cut(&text, Some(&html));
    }
}

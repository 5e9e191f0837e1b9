//! Rules within the reading of reports.

use super::blocks::Said;
use super::*;

#[test]
fn an_answer_is_told_apart_from_its_codes() {
    let said = |text: &str| {
        let said = Said::read(text);
        (said.number, said.status.unwrap_or_default(), said.text.unwrap_or_default())
    };
    assert_eq!(said("550 5.1.1 No such user"), (Some(550), "5.1.1".into(), "No such user".into()));
    assert_eq!(said("550-No\n 550 such user 😀"), (Some(550), String::new(), "No such user 😀".into()));
    assert_eq!(said("(#5.1.1) Нет"), (None, "5.1.1".into(), "Нет".into()));
    // Addresses of hosts, dates and versions are no codes.
    assert_eq!(said("host 5.1.1.7 at 5.6.24"), (None, "5.6.24".into(), "host 5.1.1.7 at".into()));
    assert_eq!(said("452 5.1.1 x"), (Some(452), String::new(), "5.1.1 x".into()));
    assert_eq!(said(""), (None, String::new(), String::new()));
}

#[test]
fn ids_under_references_are_of_earlier_mails() {
    let own = |n: u8| format!("omni.0197b1a0-0000-7000-8000-0000000000{n:02x}@shop.example");
    let text = format!("References: <{}>\n <{}>\nMessage-ID: <{}>\n", own(1), own(2), own(3));
    assert_eq!(text::own_ids(&text), [own(3)]);
    assert_eq!(text::own_ids(&format!("> Message-ID: <{}>", own(4))), [own(4)]);
    assert!(text::own_ids("omni.x@shop.example omni.0197b1a0@b").is_empty());
}

use mail_parser::{MessageParser, MimeHeaders as _};

use super::*;

/// A mail that the shop hands in.
async fn handed_in(server: &MailServer, subject: &str) -> Submission {
    let mut talk = Talk::submitting(server).await;
    let mail = format!(
        "From: help@shop.example\nTo: olga@customer.example\nSubject: {subject}\nMessage-ID: <ours-1@shop.example>\n\
         References: <letter-1@customer.example>\n <letter-2@customer.example>\nIn-Reply-To: <letter-2@customer.example>\n\
         Content-Type: text/plain; charset=utf-8\n\nДа, есть\n"
    );
    talk.answer("MAIL FROM:<help@shop.example> ENVID=q-17").await;
    talk.answer("RCPT TO:<olga@customer.example>").await;
    talk.answer("DATA").await;
    talk.answer(&format!("{}.", mail.replace('\n', "\r\n"))).await;
    server.sends(1).await.pop().unwrap()
}

#[tokio::test]
async fn a_letter_says_what_it_was_told_to() {
    let server = server().await;
    let subject = "Заказ № 7: «ромашки» 🌼, которые цветут весь год и никогда не вянут";
    let raw = server
        .mail("первая\nвторая 👟")
        .from("Пётр; \"Пётр\"", "petr@customer.example")
        .subject(subject)
        .html("<b>первая</b>")
        .header("X-Priority", "1")
        .file("счёт № 1; \"копия\".pdf", "application/pdf", b"%PDF".to_vec())
        .raw();
    let mail = MessageParser::default().parse(&*raw).unwrap();
    let from = mail.from().unwrap().first().unwrap();
    assert_eq!((from.name(), from.address()), (Some("Пётр; \"Пётр\""), Some("petr@customer.example")));
    assert_eq!(mail.subject(), Some(subject));
    assert_eq!(mail.body_text(0).unwrap().trim_end(), "первая\r\nвторая 👟");
    assert_eq!(mail.body_html(0).unwrap().trim_end(), "<b>первая</b>");
    assert_eq!(mail.message_id(), Some("letter-1@customer.example"));
    let file = mail.attachment(0).unwrap();
    assert_eq!((file.attachment_name(), file.contents()), (Some("счёт № 1; \"копия\".pdf"), &b"%PDF"[..]));
    let text = String::from_utf8(raw.to_vec()).unwrap();
    let mut encoded = text.split_whitespace().filter(|word| word.starts_with("=?"));
    assert!(encoded.all(|word| word.len() <= 75), "{text}");
}

#[tokio::test]
async fn a_picture_lies_beside_the_html_that_shows_it_and_is_no_file() {
    let server = server().await;
    let html = "<img src=\"cid:ромашка@shop\">";
    let letter = server.mail("[ромашка 🌼]").html(html).picture("ромашка@shop", "image/png", b"PNG".to_vec());
    let raw = letter.file("счёт.pdf", "application/pdf", b"%PDF".to_vec()).raw();
    let mail = MessageParser::default().parse(&*raw).unwrap();
    assert_eq!(mail.body_html(0).unwrap().trim_end(), html);
    let types: Vec<_> = mail.parts.iter().filter_map(|part| part.content_type()?.subtype()).collect();
    assert_eq!(types, ["mixed", "alternative", "plain", "related", "html", "png", "pdf"]);
    let picture = mail.parts.iter().find(|part| part.content_id() == Some("ромашка@shop")).unwrap();
    assert_eq!(picture.contents(), b"PNG");
    assert!(picture.content_disposition().unwrap().is_inline());
}

#[tokio::test]
async fn letters_differ_by_their_ids_and_may_have_none() {
    let server = server().await;
    let ids: Vec<String> = (0..3)
        .map(|_| {
            MessageParser::default()
                .parse(&*server.mail("да").raw())
                .unwrap()
                .message_id()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(ids, ["letter-1@customer.example", "letter-2@customer.example", "letter-3@customer.example"]);
    assert!(!String::from_utf8_lossy(&server.mail("да").without_message_id().raw()).contains("Message-ID"));
}

#[tokio::test]
async fn an_answer_continues_the_thread() {
    let server = server().await;
    let sent = handed_in(&server, "Re: Order").await;
    let raw = server.mail("Спасибо").answers(&sent).raw();
    let mail = MessageParser::default().parse(&*raw).unwrap();
    assert_eq!(mail.subject(), Some("Re: Order"));
    assert_eq!(mail.in_reply_to().as_text(), Some("ours-1@shop.example"));
    let references = ["letter-1@customer.example", "letter-2@customer.example", "ours-1@shop.example"];
    assert_eq!(mail.references().as_text_list().unwrap(), references);
}

#[tokio::test]
async fn what_was_handed_in_can_be_read() {
    let server = server().await;
    let sent = handed_in(&server, "=?utf-8?B?0JfQsNC60LDQtw==?=").await;
    assert_eq!(sent.recipients(), ["olga@customer.example"]);
    assert_eq!(sent.subject().as_deref(), Some("Заказ"));
    assert_eq!(sent.text().as_deref(), Some("Да, есть"));
    assert_eq!(sent.message_id().as_deref(), Some("ours-1@shop.example"));
    assert_eq!(sent.in_reply_to(), ["letter-2@customer.example"]);
    assert_eq!(sent.header("references").unwrap(), "<letter-1@customer.example> <letter-2@customer.example>");
    assert_eq!(sent.addresses("From"), [(None, "help@shop.example".to_owned())]);
    assert!(sent.html().is_none() && sent.attachments().is_empty());
}

#[tokio::test]
async fn reports_name_the_mail_they_are_about() {
    let server = server().await;
    let sent = handed_in(&server, "Order").await;
    let bounce = delivery_report(&sent, Delivery::Failed, "5.1.1", "550 5.1.1 User unknown");
    let late = delivery_report(&sent, Delivery::Delayed, "4.2.2", "452 4.2.2 Full");
    let text = String::from_utf8(bounce.to_vec()).unwrap();
    for line in [
        "Return-Path: <>",
        "Content-Type: message/delivery-status",
        "Original-Envelope-Id: q-17",
        "Final-Recipient: rfc822; olga@customer.example",
        "Action: failed",
        "Status: 5.1.1",
        "Diagnostic-Code: smtp; 550 5.1.1 User unknown",
        "Message-ID: <ours-1@shop.example>",
    ] {
        assert!(text.contains(&format!("{line}\r\n")), "{line} is not in {text}");
    }
    let id = |raw: &[u8]| MessageParser::default().parse(raw).unwrap().message_id().unwrap().to_owned();
    assert_ne!(id(&bounce), id(&late), "two reports are two mails");
    let read = String::from_utf8(read_receipt(&sent).to_vec()).unwrap();
    assert!(read.contains("Original-Message-ID: <ours-1@shop.example>\r\n"), "{read}");
    assert!(read.contains("Disposition: manual-action/MDN-sent-manually; displayed\r\n"), "{read}");
}

//! Clients of others take the server for a real one.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use lettre::message::{Attachment as File, MultiPart, SinglePart, header::ContentType};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use super::*;

type Session = async_imap::Session<TcpStream>;

async fn session(server: &MailServer) -> Session {
    let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, server.imap_port())).await.unwrap();
    let mut client = async_imap::Client::new(socket);
    client.read_response().await.unwrap().unwrap();
    client.login(HELP, PASSWORD).await.map_err(|(error, _)| error).unwrap()
}

#[tokio::test]
async fn async_imap_reads_folders_and_mails() {
    let server = server().await;
    let uid = server
        .mail("Есть 42 размер? 👟")
        .subject("Размер")
        .file("a.png", "image/png", b"PNG".to_vec())
        .arrives();
    let mut session = session(&server).await;
    let folders: Vec<_> = session.list(None, Some("*")).await.unwrap().try_collect().await.unwrap();
    assert_eq!(
        folders.iter().map(|f| f.name()).collect::<Vec<_>>(),
        ["INBOX", "Drafts", "Sent", "Junk", "Trash"]
    );
    let opened = session.select_condstore("INBOX").await.unwrap();
    assert_eq!((opened.exists, opened.uid_next), (1, Some(uid + 1)));
    assert!(opened.highest_modseq.is_some());
    let items = "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[])";
    let mails: Vec<_> = session.uid_fetch("1:*", items).await.unwrap().try_collect().await.unwrap();
    let [mail] = &*mails else { panic!("{mails:?}") };
    assert_eq!(mail.uid, Some(uid));
    assert_eq!(mail.body().unwrap(), &*server.raw("INBOX", uid));
    assert_eq!(mail.envelope().unwrap().message_id.as_deref(), Some(&b"<letter-1@customer.example>"[..]));
    assert!(mail.bodystructure().is_some() && mail.internal_date().is_some());
    let found = session.uid_search("SUBJECT x").await.unwrap();
    assert!(found.is_empty());
    session.logout().await.unwrap();
}

#[tokio::test]
async fn async_imap_waits_and_hears() {
    let server = server().await;
    let mut session = session(&server).await;
    session.examine("INBOX").await.unwrap();
    let mut idle = session.idle();
    idle.init().await.unwrap();
    let (news, _stop) = idle.wait_with_timeout(Duration::from_secs(10));
    server.idles(1).await;
    server.mail("раз").arrives();
    assert!(matches!(news.await.unwrap(), async_imap::extensions::idle::IdleResponse::NewData(_)));
    idle.done().await.unwrap();
}

#[tokio::test]
async fn async_imap_appends() {
    let server = server().await;
    let mut session = session(&server).await;
    session.append("Sent", Some("(\\Seen)"), None, "Subject: kept\r\n\r\nДа\r\n").await.unwrap();
    assert_eq!(
        (server.raw("Sent", 1), server.flags("Sent", 1)),
        ("Subject: kept\r\n\r\nДа\r\n".into(), vec!["\\Seen".to_owned()])
    );
}

#[tokio::test]
async fn lettre_hands_a_mail_in() {
    let server = server().await;
    let mail = Message::builder()
        .from("Ромашка <help@shop.example>".parse().unwrap())
        .to("olga@customer.example".parse().unwrap())
        .bcc("boss@shop.example".parse().unwrap())
        .subject("Да, есть 👟")
        .multipart(
            MultiPart::mixed()
                .multipart(MultiPart::alternative_plain_html("Да, есть".to_owned(), "<b>Да</b>".to_owned()))
                .singlepart(
                    File::new("счёт.pdf".to_owned())
                        .body(b"%PDF".to_vec(), ContentType::parse("application/pdf").unwrap()),
                )
                .singlepart(SinglePart::builder().header(ContentType::TEXT_PLAIN).body(".\r\n..".to_owned())),
        )
        .unwrap();
    let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
        .port(server.smtp_port())
        .credentials(Credentials::new(HELP.to_owned(), PASSWORD.to_owned()))
        .build();
    assert!(transport.send(mail).await.unwrap().is_positive());
    let sent = server.sends(1).await.remove(0);
    assert_eq!(sent.recipients(), ["olga@customer.example", "boss@shop.example"]);
    assert_eq!(sent.subject().as_deref(), Some("Да, есть 👟"));
    assert_eq!((sent.text().as_deref(), sent.html().as_deref()), (Some("Да, есть"), Some("<b>Да</b>")));
    assert_eq!(sent.addresses("From"), [(Some("Ромашка".to_owned()), HELP.to_owned())]);
    let file = &sent.attachments()[0];
    assert_eq!(
        (file.name.as_deref(), file.mime.as_str(), &*file.bytes),
        (Some("счёт.pdf"), "application/pdf", &b"%PDF"[..])
    );
}

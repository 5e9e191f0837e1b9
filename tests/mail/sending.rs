//! Our mail on its way to customers.

use std::sync::Arc;
use std::time::Duration;

use omni::core::content::{EmailParts, Part};
use omni::core::conversation::Actor;
use omni::core::error::ErrorKind;
use omni::core::policy::{Context, Effect, Input, Overtaken, Policy, Step};
use omni::hub::store::MessageRecord;
use omni::hub::{HostEvent, ManualClock};
use omni::{Address, Content, Conversation, Draft, EventBody, Hub, MemoryStore, Status, Timestamp};

use crate::desk::{Desk, agent, key};
use crate::servers::{Servers, mail};

fn letter(subject: &str, text: &str) -> Content {
    let parts = EmailParts { subject: Some(subject.into()), ..EmailParts::default() };
    Content::text(text).and(Part::Email(parts))
}

/// Writes to somebody new.
async fn writes(desk: &Desk, to: &str, content: Content) -> omni::core::MessageId {
    desk.hub.start(&key(), Address::new(to), Draft::new(content, agent())).await.unwrap()[0]
}

fn kind(message: &MessageRecord) -> Option<ErrorKind> {
    message.error.as_ref().map(|error| error.kind)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_and_their_answers_stay_in_one_talk() {
    let servers = Servers::shared();
    let (support, anna) = (servers.mailbox("support"), servers.mailbox("anna"));
    let desk = Desk::open(servers.config(&support)).await;
    servers
        .deliver(&anna, &support, &mail(&anna, &support, "first@anna", "Доставка", "Когда привезут?"))
        .await;
    let (talk, _) = desk.received("Когда привезут?").await;
    desk.replies(&talk, Content::text("Завтра до обеда")).await;
    let got = servers.wait_for_mails(&anna, "INBOX", 1).await;
    let got = omni::email::parse::read(got[0].as_bytes(), &Default::default());
    assert_eq!(got.subject, "Re: Доставка");
    assert_eq!(got.in_reply_to, ["first@anna"]);
    assert_eq!(got.references, ["first@anna"]);
    let answer = mail(&anna, &support, "second@anna", "Re: Доставка", "Спасибо!")
        .replace("Subject:", &format!("In-Reply-To: <{}>\nSubject:", got.message_id.unwrap()));
    servers.deliver(&anna, &support, &answer).await;
    assert_eq!(desk.received("Спасибо!").await.0.id, talk.id);
    servers.deliver(&anna, &support, &mail(&anna, &support, "third@anna", "Возврат", "Хочу вернуть")).await;
    assert_ne!(desk.received("Хочу вернуть").await.0.id, talk.id, "another matter is another talk");
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_mail_has_its_subject_and_lies_among_the_sent_ones() {
    let servers = Servers::shared();
    let (support, anna) = (servers.mailbox("support"), servers.mailbox("anna"));
    let desk = Desk::open(servers.config(&support)).await;
    let sent = writes(&desk, &anna, letter("Ваш заказ готов 🎁", "Ждём вас на Тверской 1")).await;
    desk.becomes(sent, Status::Accepted).await;
    let got = servers.wait_for_mails(&anna, "INBOX", 1).await;
    let read = omni::email::parse::read(got[0].as_bytes(), &Default::default());
    assert_eq!(read.subject, "Ваш заказ готов 🎁");
    assert_eq!(read.message_id, Some(format!("omni.{sent}@test.example")));
    servers.wait_for_mails(&support, "Sent", 1).await;
    // The copy is no second message.
    servers.deliver(&anna, &support, &mail(&anna, &support, "x@anna", "Иное", "Проверка")).await;
    desk.received("Проверка").await;
    let message = desk.hub.message(sent).await.unwrap().unwrap();
    let all = desk.hub.messages(message.conversation, None, 10).await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(servers.mails(&support, "Sent").len(), 1);
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bounce_of_an_unknown_user_fails_the_very_message() {
    let servers = Servers::shared();
    let (support, anna) = (servers.mailbox("support"), servers.mailbox("anna"));
    let desk = Desk::open(servers.config(&support)).await;
    let good = writes(&desk, &anna, letter("Привет", "Есть новости")).await;
    let bad = writes(&desk, "nobody-there@test.example", letter("Привет", "Есть новости")).await;
    let failed = desk.becomes(bad, Status::Failed).await;
    assert_eq!(kind(&failed), Some(ErrorKind::RecipientUnreachable));
    assert_eq!(desk.becomes(good, Status::Accepted).await.status, Some(Status::Accepted));
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recipient_refused_at_once_fails_the_message() {
    let servers = Servers::shared();
    let desk = Desk::open(servers.config(&servers.mailbox("support"))).await;
    let sent = writes(&desk, "nobody@elsewhere.example", letter("Привет", "Есть новости")).await;
    let failed = desk.becomes(sent, Status::Failed).await;
    assert_eq!(kind(&failed), Some(ErrorKind::RecipientUnreachable));
    let spam = writes(&desk, "spam@elsewhere.example", letter("Привет", "Купите")).await;
    let failed = desk.becomes(spam, Status::Failed).await;
    assert_eq!(kind(&failed), Some(ErrorKind::ContentRejected));
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_mailbox_is_told_as_full() {
    let servers = Servers::shared();
    let (support, full) = (servers.mailbox("support"), servers.mailbox("full"));
    let desk = Desk::open(servers.config(&support)).await;
    let sent = writes(&desk, &full, letter("Каталог", &"Много слов. ".repeat(500))).await;
    let failed = desk.becomes(sent, Status::Failed).await;
    let error = failed.error.unwrap();
    assert_eq!(error.kind, ErrorKind::RecipientUnreachable, "{error:?}");
    assert!(error.code.as_deref().is_some_and(|code| code.contains("5.2.2")), "{error:?}");
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_greylisted_mail_goes_out_once_when_its_time_has_come() {
    let servers = Servers::start();
    let support = servers.mailbox("support");
    let greylisted = "greylist@elsewhere.example";
    let clock = ManualClock::at(Timestamp::from_secs(1_795_000_000));
    let desk = Desk::open_on(
        Hub::builder().clock(clock.clone()),
        Arc::new(MemoryStore::new()),
        servers.config(&support),
        |setup| setup,
    )
    .await;
    let sent = writes(&desk, greylisted, letter("Привет", "Есть новости")).await;
    let tried = async {
        while !servers.log().contains("Greylisted") {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), tried).await.expect("it was tried");
    servers.end_greylisting();
    // In small steps: the hub renews its lease in between.
    let time_passes = async {
        loop {
            clock.advance(Duration::from_secs(5));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        _ = desk.becomes(sent, Status::Accepted) => {}
        () = time_passes => {}
    }
    let log = servers.log();
    let taken = log.lines().filter(|line| line.contains("from=<support-") && line.contains("queue active"));
    assert_eq!(taken.count(), 1, "one mail was taken");
    desk.stop().await;
}

/// Answers every mail of a person.
#[derive(Debug)]
struct Answers;

impl Policy for Answers {
    fn step(&self, _: &Conversation, input: &Input<'_>, _: &Context<'_>) -> Step {
        let mut step = Step::default();
        if let Input::Event(event) = input
            && let EventBody::Message(_) = &event.body
        {
            step.effects.push(Effect::Reply {
                content: Content::text("Мы получили ваше письмо и скоро ответим"),
                by: Actor::Bot { bot: "receipt".into() },
                guard: Overtaken::Never.into(),
            });
        }
        step
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absence_notice_and_an_automatic_text_do_not_answer_each_other() {
    let servers = Servers::shared();
    let (support, away) = (servers.mailbox("support"), servers.mailbox("away"));
    servers.on_vacation(&away);
    let desk =
        Desk::open_on(Hub::builder(), Arc::new(MemoryStore::new()), servers.config(&support), |setup| {
            setup.policy(Answers)
        })
        .await;
    // A person writes and goes on holiday: the automatic text is not answered by the notice.
    servers
        .deliver(&away, &support, &mail(&away, &support, "ask@away", "Вопрос о возврате", "Как вернуть?"))
        .await;
    let (talk, _) = desk.received("Как вернуть?").await;
    desk.find("the automatic text", |entry| match &entry.event {
        HostEvent::Status { status: Status::Accepted, .. } => Some(()),
        _ => None,
    })
    .await;
    // A person's answer is: the notice comes, and nothing answers that.
    desk.replies(&talk, Content::text("В любом магазине")).await;
    desk.received("I am away.").await;
    servers
        .deliver(
            "b@b.example",
            &support,
            &mail("b@b.example", &support, "end@b", "Конец", "Последнее письмо"),
        )
        .await;
    desk.received("Последнее письмо").await;
    let at_theirs = servers.wait_for_mails(&away, "INBOX", 2).await;
    let automatic = at_theirs.iter().filter(|mail| mail.contains("Auto-Submitted: auto-replied")).count();
    assert_eq!((at_theirs.len(), automatic), (2, 1), "one automatic text and one of a person");
    let notices = desk.words().await.into_iter().filter(|words| words == "I am away.").count();
    assert_eq!(notices, 1, "one notice");
    desk.stop().await;
}

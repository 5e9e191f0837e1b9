//! The connector against the simulator of a mail server in trouble: nothing is lost, nothing is doubled.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

#[path = "rig/clock.rs"]
mod clock;

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use omni_core::channel::Sink;
use omni_core::error::{ErrorKind, Result};
use omni_core::event::{EventBody, EventKind};
use omni_core::id::IdSource;
use omni_core::media::MediaSource;
use omni_core::outbound::{Accepted, Author, OutboundItem, SendError};
use omni_core::tokens::MemoryTokens;
use omni_core::{Address, Channel, Content, Cursor, Event, Inbound, MessageId, Outbound, Status, Timestamp};
use omni_email::{Config, Email, First, Server, Tls};
use omni_http::Http;
use omni_testkit::email::{
    Ability, Command, Delivery, ImapFault, MailServer, SentCopies, Settings, SmtpFault, Stage,
    delivery_report,
};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

const HELP: &str = "help@shop.example";
const PASSWORD: &str = "s3cret";
const OLGA: &str = "olga@customer.example";
/// Longer than everything that is waited for, on the quick clock.
const PATIENCE: Duration = Duration::from_secs(1800);
/// Between two sessions, as a hub pauses.
const BREATH: Duration = Duration::from_secs(5);

fn settings() -> Settings {
    Settings::new(HELP, PASSWORD)
}

/// A mailbox, the connector, and what a hub would know of it.
struct Scene {
    server: MailServer,
    email: Email,
    journal: Journal,
}

impl Scene {
    async fn start() -> Self {
        Self::at(settings(), |config| config).await
    }

    async fn at(settings: Settings, change: impl FnOnce(Config) -> Config) -> Self {
        let server = MailServer::start(settings).await.unwrap();
        let place = |port| Server { host: "127.0.0.1".to_owned(), port, tls: Tls::None };
        let mut config = Config::new(HELP, PASSWORD).at(place(server.imap_port()), place(server.smtp_port()));
        (config.poll_seconds, config.idle_minutes) = (5, 1);
        config.ca_pem = Some(server.ca_pem().to_owned());
        let (began, ground) = (Instant::now(), server.ground().clone());
        let clock = Arc::new(move || ground.now() + began.elapsed());
        let tokens = Arc::new(MemoryTokens::default());
        let email = Email::with_clock(change(config), &Http::new().unwrap(), tokens, clock).unwrap();
        Self { server, email, journal: Journal::default() }
    }

    /// Listens, session after session, each from the place that the last one stored, while `play` goes on.
    async fn while_heard<T>(&self, play: impl Future<Output = T>) -> T {
        let sessions = async {
            loop {
                let from = self.journal.cursor();
                let ended = self.email.listen(from, &self.journal).await.unwrap_err();
                self.journal.errors.lock().unwrap().push(ended.kind());
                sleep(BREATH).await;
            }
        };
        tokio::select! {
            never = sessions => never,
            played = timeout(PATIENCE, play) => played.expect("it came to an end"),
        }
    }

    /// Waits until the mailbox is watched for the first time.
    async fn is_watched(&self) {
        self.journal
            .until(|_| self.journal.cursor().is_some_and(|place| place.as_str().contains("\"Sent\"")))
            .await;
    }

    /// Texts of customers' mails, in the order in which they were heard.
    async fn hears(&self, count: usize) -> Vec<String> {
        self.journal.until(|events| texts(events).len() >= count).await;
        texts(&self.journal.events.lock().unwrap())
    }

    async fn sends(&self, text: &str) -> Result<Accepted, SendError> {
        self.email.send(&item(text)).await
    }

    /// Waits until so many mails lie in a folder.
    async fn holds(&self, folder: &str, count: usize) {
        let look = || (self.server.uids(folder).len() == count).then_some(());
        while look().is_none() {
            sleep(Duration::from_secs(1)).await;
        }
    }
}

fn texts(events: &[Event]) -> Vec<String> {
    let text = |event: &Event| match &event.body {
        EventBody::Message(message) => message.content.plain_text().map(str::to_owned),
        _ => None,
    };
    events.iter().filter_map(text).collect()
}

fn item(text: &str) -> OutboundItem {
    let at = Timestamp::from_secs(1_767_225_600);
    OutboundItem {
        id: MessageId::next(&IdSource::new(7), at),
        address: OLGA.parse::<Address>().unwrap(),
        content: Content::text(text),
        reply_to: None,
        face: None,
        author: Author::Person,
        note: None,
    }
}

/// What was stored, as a hub stores it: an event once, by its id, and the place with it.
#[derive(Debug, Default)]
struct Journal {
    events: Mutex<Vec<Event>>,
    claimed: Mutex<HashSet<(String, EventKind)>>,
    cursor: Mutex<Option<Cursor>>,
    errors: Mutex<Vec<ErrorKind>>,
    changed: watch::Sender<()>,
}

impl Journal {
    fn cursor(&self) -> Option<Cursor> {
        self.cursor.lock().unwrap().clone()
    }

    async fn until(&self, holds: impl Fn(&[Event]) -> bool) {
        let mut changes = self.changed.subscribe();
        loop {
            changes.mark_unchanged();
            if holds(&self.events.lock().unwrap()) {
                return;
            }
            changes.changed().await.unwrap();
        }
    }
}

#[async_trait]
impl Sink for Journal {
    async fn commit(&self, events: Vec<Event>, cursor: Cursor) -> Result<()> {
        for event in events {
            if self.claimed.lock().unwrap().insert((event.id.to_string(), event.kind())) {
                self.events.lock().unwrap().push(event);
            }
        }
        *self.cursor.lock().unwrap() = Some(cursor);
        self.changed.send_replace(());
        Ok(())
    }

    fn alive(&self) {}
}

/// Mails come in while a fault strikes: each is heard once.
async fn survives(command: Command, fault: ImapFault, times: u32) {
    let scene = Scene::start().await;
    let told = format!("{command:?} {fault:?}");
    let heard = scene
        .while_heard(async {
            scene.is_watched().await;
            scene.server.imap().on(command, times, fault);
            for text in ["раз", "два", "три"] {
                scene.server.mail(text).arrives();
            }
            scene.hears(3).await;
            scene.server.mail("четыре").arrives();
            scene.hears(4).await
        })
        .await;
    assert_eq!(heard, ["раз", "два", "три", "четыре"], "{told}");
    assert_eq!(scene.server.imap().unspent(), 0, "{told} struck");
}

#[tokio::test]
async fn mails_outlive_every_cut_in_a_fetch() {
    clock::runs_fast();
    for fault in [
        ImapFault::CutInLiteral,
        ImapFault::CutAfter(10),
        ImapFault::CutAfterResponses(1),
        ImapFault::LosesAnswer,
        ImapFault::Close,
        ImapFault::Bye("Server shutting down.".to_owned()),
        ImapFault::No("[UNAVAILABLE] Later".to_owned()),
    ] {
        survives(Command::Fetch, fault, 3).await;
    }
}

#[tokio::test]
async fn mails_outlive_a_server_that_mumbles() {
    clock::runs_fast();
    survives(Command::Fetch, ImapFault::Slow { pieces: 20, pause: Duration::from_secs(1) }, 2).await;
    survives(Command::Fetch, ImapFault::Delay(Duration::from_secs(30)), 1).await;
    survives(Command::Fetch, ImapFault::Amid(vec!["* 1 FETCH (FLAGS (\\Seen))".to_owned()]), 2).await;
    survives(Command::Fetch, ImapFault::Silence, 1).await;
}

#[tokio::test]
async fn a_wait_that_dies_is_noticed() {
    clock::runs_fast();
    for fault in
        [ImapFault::Deaf, ImapFault::Close, ImapFault::Bye("Idle too long".to_owned()), ImapFault::Silence]
    {
        let scene = Scene::start().await;
        let told = format!("{fault:?}");
        scene.server.imap().on(Command::Idle, 1, fault);
        let heard = scene
            .while_heard(async {
                scene.is_watched().await;
                let struck = || (scene.server.imap().unspent() == 0).then_some(());
                scene.server.ground().wait_for("the fault to strike", struck).await;
                scene.server.mail("раз").arrives();
                scene.hears(1).await
            })
            .await;
        assert_eq!(heard, ["раз"], "{told}");
    }
}

#[tokio::test]
async fn a_restart_of_the_server_loses_nothing() {
    clock::runs_fast();
    let scene = Scene::start().await;
    let heard = scene
        .while_heard(async {
            scene.is_watched().await;
            scene.server.goes_down();
            scene.server.mail("раз").arrives();
            sleep(BREATH * 5).await;
            scene.server.comes_back();
            scene.hears(1).await;
            scene.server.kick("Maintenance");
            scene.server.mail("два").arrives();
            scene.hears(2).await
        })
        .await;
    assert_eq!(heard, ["раз", "два"]);
}

#[tokio::test]
async fn other_numbers_of_the_same_mails_double_nothing() {
    clock::runs_fast();
    let scene = Scene::start().await;
    let heard = scene
        .while_heard(async {
            scene.is_watched().await;
            for text in ["раз", "два", "три"] {
                scene.server.mail(text).arrives();
            }
            scene.hears(3).await;
            scene.server.expunge("INBOX", 2);
            scene.server.change_uid_validity("INBOX");
            scene.server.mail("четыре").arrives();
            scene.hears(4).await;
            scene.server.mail("пять").arrives();
            scene.hears(5).await
        })
        .await;
    assert_eq!(heard, ["раз", "два", "три", "четыре", "пять"]);
}

#[tokio::test]
async fn a_mail_that_goes_while_it_is_fetched_holds_up_nobody() {
    clock::runs_fast();
    let scene = Scene::start().await;
    let heard = scene
        .while_heard(async {
            scene.is_watched().await;
            // The first FETCH asks for sizes, the second one for the mails.
            let rule = omni_testkit::email::Rule::new(ImapFault::Expunges(2)).at(Command::Fetch);
            scene.server.imap().add(rule.matching(|line| line.contains("BODY.PEEK[]")));
            for text in ["раз", "два", "три"] {
                scene.server.mail(text).arrives();
            }
            scene.hears(2).await
        })
        .await;
    assert_eq!(heard, ["раз", "три"]);
}

#[tokio::test]
async fn random_trouble_loses_and_doubles_nothing() {
    clock::runs_fast();
    const MAILS: usize = 60;
    for seed in 1..=3 {
        let scene = Scene::start().await;
        let mut heard = scene
            .while_heard(async {
                scene.is_watched().await;
                let trouble = vec![
                    (0.1, Command::Fetch, ImapFault::CutInLiteral),
                    (0.05, Command::Fetch, ImapFault::CutAfterResponses(1)),
                    (0.05, Command::Fetch, ImapFault::LosesAnswer),
                    (0.1, Command::Examine, ImapFault::Bye("Too busy".to_owned())),
                    (0.1, Command::Greeting, ImapFault::Close),
                    (0.1, Command::Idle, ImapFault::Close),
                    (0.1, Command::Search, ImapFault::Close),
                ];
                scene.server.imap().chaos(seed, trouble);
                for number in 0..MAILS {
                    scene.server.mail(&format!("{number}")).arrives();
                    sleep(Duration::from_millis(300)).await;
                }
                // A mail that could not be had twice is left for later, and holds up nobody.
                scene.server.imap().clear();
                scene.server.ground().advance(Duration::from_secs(86_400));
                scene.hears(MAILS).await
            })
            .await;
        heard.sort_by_key(|text| text.parse::<usize>().unwrap());
        assert_eq!(heard, (0..MAILS).map(|number| number.to_string()).collect::<Vec<_>>(), "seed {seed}");
        assert!(scene.server.imap().struck() > 3, "seed {seed}: it was trouble");
    }
}

#[tokio::test]
async fn a_server_that_allows_one_connection_is_heard_all_the_same() {
    clock::runs_fast();
    let scene = Scene::at(settings().connections(1), |config| config).await;
    scene.server.mail("раз").arrives();
    let heard = scene
        .while_heard(async {
            scene.journal.until(|_| scene.journal.cursor().is_some()).await;
            scene.server.mail("два").arrives();
            scene.hears(1).await
        })
        .await;
    assert_eq!(heard, ["два"]);
}

#[tokio::test]
async fn what_lay_there_is_history_where_it_is_wanted() {
    clock::runs_fast();
    let scene = Scene::at(settings(), |mut config| {
        config.first = First::Days { days: 7 };
        config
    })
    .await;
    let old = scene.server.now() - Duration::from_secs(30 * 86_400);
    scene.server.deliver_at("INBOX", scene.server.mail("давно").raw(), old);
    scene.server.mail("вчера").arrives();
    let heard = scene.while_heard(scene.hears(1)).await;
    assert_eq!(heard, ["вчера"]);
    let told = scene.journal.events.lock().unwrap()[0].told;
    assert_eq!(told, omni_core::event::Told::History);
}

#[tokio::test]
async fn a_sent_mail_is_filed_once_and_told_as_ours() {
    clock::runs_fast();
    for copies in [SentCopies::ByClient, SentCopies::ByServer] {
        let scene = Scene::at(settings().sent_copies(copies), |config| config).await;
        let echo = scene
            .while_heard(async {
                scene.is_watched().await;
                let sent = scene.sends("Да, есть 👟").await.unwrap();
                assert_eq!(sent.status, Status::Accepted);
                scene
                    .journal
                    .until(|events| events.iter().any(|event| event.kind() == EventKind::Echo))
                    .await;
                // Long enough for a second copy.
                sleep(Duration::from_secs(60)).await;
                scene.journal.events.lock().unwrap().pop().unwrap()
            })
            .await;
        let EventBody::Echo(echo) = echo.body else { panic!("{echo:?}") };
        assert_eq!(echo.ours, Some(item("").id), "{copies:?}");
        assert_eq!(scene.server.uids("Sent").len(), 1, "{copies:?}");
        assert_eq!(scene.server.raw("Sent", 1), scene.server.sent()[0].raw, "{copies:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_the_copy_that_the_server_keeps() {
    clock::runs_fast();
    let scene = Scene::at(settings().sent_copies(SentCopies::ByServer), |config| config).await;
    scene.server.smtp().on(Stage::Dot, 1, SmtpFault::LosesAnswer);
    assert_eq!(scene.sends("раз").await.unwrap().status, Status::Accepted);
    assert_eq!(scene.server.sent().len(), 1);
    let scene = Scene::at(settings().sent_copies(SentCopies::ByServer), |config| config).await;
    scene.server.smtp().on(Stage::Dot, 1, SmtpFault::Close);
    assert!(matches!(scene.sends("раз").await, Err(SendError::Unknown(_))), "the server has not taken it");
    assert!(scene.server.sent().is_empty());
}

#[tokio::test]
async fn only_behind_the_dot_a_lost_connection_leaves_a_doubt() {
    clock::runs_fast();
    for (stage, fault) in [
        (Stage::Connect, SmtpFault::Close),
        (Stage::Mail, SmtpFault::Close),
        (Stage::Rcpt, SmtpFault::Silence),
        (Stage::Data, SmtpFault::Close),
        (Stage::Data, SmtpFault::Reply("451 4.3.0 Later".to_owned())),
    ] {
        let scene = Scene::start().await;
        let told = format!("{stage:?} {fault:?}");
        scene.server.smtp().on(stage, 1, fault);
        match scene.sends("раз").await {
            Err(SendError::Rejected(_)) => {}
            other => panic!("{told} ends with {other:?}"),
        }
        assert!(scene.server.sent().is_empty(), "{told}");
        scene.sends("два").await.unwrap();
        assert_eq!(scene.server.sent().len(), 1, "{told}");
    }
}

#[tokio::test]
async fn a_bounce_names_the_message_that_failed() {
    clock::runs_fast();
    let scene = Scene::start().await;
    let news = scene
        .while_heard(async {
            scene.is_watched().await;
            scene.sends("раз").await.unwrap();
            let report =
                delivery_report(&scene.server.sent()[0], Delivery::Failed, "5.1.1", "550 5.1.1 User unknown");
            scene.server.deliver("INBOX", report);
            scene.journal.until(|events| events.iter().any(|event| event.kind() == EventKind::Status)).await;
            scene.journal.events.lock().unwrap().iter().find_map(|event| match &event.body {
                EventBody::Status(news) => Some(news.clone()),
                _ => None,
            })
        })
        .await;
    let news = news.unwrap();
    assert_eq!(news.status, Status::Failed);
    assert_eq!(news.message, omni_core::event::MessageName::Ours(item("").id));
}

#[tokio::test]
async fn words_injected_before_tls_end_the_connection() {
    clock::runs_fast();
    let starttls = |mut config: Config| {
        for server in [&mut config.imap, &mut config.smtp] {
            server.as_mut().unwrap().tls = Tls::Starttls;
        }
        config
    };
    let scene = Scene::at(settings(), starttls).await;
    scene.email.check().await.unwrap();
    let scene = Scene::at(settings(), starttls).await;
    scene.server.imap().on(Command::Starttls, 1, ImapFault::Injects("* BYE come here\r\n".to_owned()));
    assert!(scene.email.check().await.is_err());
    assert_eq!(scene.server.counts().imap_logins, 0);
    scene.server.smtp().on(Stage::Starttls, 1, SmtpFault::Injects("250 AUTH PLAIN\r\n".to_owned()));
    assert!(scene.sends("раз").await.is_err());
    assert_eq!(scene.server.counts().smtp_logins, 0);
}

#[tokio::test]
async fn of_a_large_mail_the_words_come_at_once_and_the_file_when_it_is_asked_for() {
    clock::runs_fast();
    let scene = Scene::at(settings(), |mut config| {
        config.max_whole = 64 << 10;
        config
    })
    .await;
    let file: Vec<u8> = (0..300_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    scene
        .while_heard(async {
            scene.is_watched().await;
            scene
                .server
                .mail("Вот счёт")
                .file("счёт.bin", "application/octet-stream", file.clone())
                .arrives();
            assert_eq!(scene.hears(1).await, ["Вот счёт"]);
        })
        .await;
    let body = scene.journal.events.lock().unwrap()[0].body.clone();
    let EventBody::Message(message) = body else { panic!("{body:?}") };
    let media = message.content.all_media().next().unwrap();
    let MediaSource::Provider(at) = &media.source else { panic!("{media:?}") };
    assert_eq!(media.name.as_deref(), Some("счёт.bin"));
    use futures_util::TryStreamExt as _;
    let stream = scene.email.fetch(at, 1 << 20).await.unwrap();
    let got: Vec<u8> = stream.bytes.map_ok(|bytes| bytes.to_vec()).try_concat().await.unwrap();
    assert_eq!(got, file);
    assert_eq!(scene.email.fetch(at, 100).await.err().unwrap().kind(), ErrorKind::TooLarge);
    assert!(
        !scene.server.said(Command::Fetch).iter().any(|line| line.contains("BODY.PEEK[])")),
        "never whole"
    );
}

#[tokio::test]
async fn a_server_without_extensions_is_asked_again_and_again() {
    clock::runs_fast();
    let plain = Ability::ALL.into_iter().fold(settings(), Settings::without);
    let scene = Scene::at(plain, |config| config).await;
    let heard = scene
        .while_heard(async {
            scene.is_watched().await;
            scene.server.mail("раз").arrives();
            scene.hears(1).await
        })
        .await;
    assert_eq!(heard, ["раз"]);
    scene.sends("два").await.unwrap();
    scene.holds("Sent", 1).await;
}

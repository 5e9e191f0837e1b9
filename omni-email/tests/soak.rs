//! A busy mailbox for two hours, with servers in trouble all along: no mail is lost, none is there twice, no answer goes
//! out twice, and the memory stays as it is.
//!
//! Time runs a hundred times as fast. `./test` runs ten minutes of it; `OMNI_SOAK=2h` the whole.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a failed `unwrap` is the failure

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use omni_core::conversation::Actor;
use omni_core::error::ErrorReport;
use omni_core::tokens::MemoryTokens;
use omni_core::{Content, EventBody, Status, Timestamp};
use omni_email::{Config, Email, Server, Tls};
use omni_http::Http;
use omni_hub::store::{ConversationQuery, Direction, Entry};
use omni_hub::{ChannelKey, ChannelSetup, Clock, Draft, HostEvent, Hub};
use omni_sqlite::SqliteStore;
use omni_testkit::email::{
    Command, ImapFault, MailServer, Rule, SentCopies, Settings, SmtpFault, Stage, Submission,
};
use tokio::time::{Instant, sleep};

const HELP: &str = "help@shop.example";
const PASSWORD: &str = "s3cret";
/// Customers who write.
const CUSTOMERS: usize = 60;
/// Every fourth second brings a mail, every third minute so many at once.
const BURST: usize = 30;
/// What is older is moved out of the mailbox by its owner.
const KEPT: usize = 100;
/// Mails larger than this are not fetched whole.
const LARGE: u64 = 256 << 10;
/// How far the clock is moved at once while mails come, and while the last ones are waited for: a mail that could not
/// be fetched is tried again after a minute, ten minutes, an hour.
const STEP: Duration = Duration::from_millis(100);
const STRIDE: Duration = Duration::from_millis(400);
/// How long real connections get between two moves of the clock.
const TURN: Duration = Duration::from_millis(1);
/// How long the hub may be silent: a commit takes seconds by the quick clock.
const LEASE: Duration = Duration::from_secs(120);
/// How long the last mails may take, once the trouble is over.
const PATIENCE: Duration = Duration::from_secs(8 * 3600);
/// By how much the process may grow after the first quarter of two hours: what allocators keep to themselves, no more.
/// Ten minutes are all warm-up.
const GROWTH: u64 = 8 << 20;
const WARM_UP: u64 = 16 << 20;
/// How much memory all connections to the store may take together, in bytes.
const PAGES: i64 = 8 << 20;
/// Makes the trouble.
const SEED: u64 = 7;

/// A clock that is moved between two turns of the runtime, so a busy machine makes nobody impatient.
#[derive(Clone, Debug)]
struct Quick {
    began: Instant,
    at: Timestamp,
    /// How far it is moved at once, in milliseconds.
    step: Arc<AtomicU64>,
}

impl Quick {
    fn starts(at: Timestamp) -> Self {
        tokio::time::pause();
        let step = Arc::new(AtomicU64::new(0));
        let clock = Self { began: Instant::now(), at, step: Arc::clone(&step) };
        clock.strides(STEP);
        tokio::spawn(async move {
            // Work on another thread keeps a paused clock from jumping (tokio, `time::pause`).
            while tokio::task::spawn_blocking(|| thread::sleep(TURN)).await.is_ok() {
                tokio::time::advance(Duration::from_millis(step.load(Ordering::Relaxed))).await;
            }
        });
        clock
    }

    fn strides(&self, step: Duration) {
        self.step.store(step.as_millis().try_into().unwrap(), Ordering::Relaxed);
    }
}

#[async_trait]
impl Clock for Quick {
    fn now(&self) -> Timestamp {
        self.at + self.began.elapsed()
    }

    async fn sleep_until(&self, at: Timestamp) {
        sleep(at.since(self.now())).await;
    }
}

/// What was told so far, by the hub and by the server.
#[derive(Debug, Default)]
struct Tally {
    /// When each mail arrived, and how often the hub told of it.
    mails: Vec<(Timestamp, u32)>,
    /// The longest way of a mail from the mailbox to the hub.
    longest: Duration,
    /// News of our answers, by their ids.
    answers: HashMap<String, Status>,
    /// Why an answer did not go out, or may not have.
    reasons: HashMap<String, ErrorReport>,
    /// How often the server took each answer.
    taken: HashMap<String, u32>,
    /// How often each answer was seen in the Sent folder.
    filed: HashMap<String, u32>,
    /// Answers whose outcome was unknown for a while or is.
    doubted: u32,
}

impl Tally {
    fn heard(&self) -> usize {
        self.mails.iter().filter(|(_, times)| *times > 0).count()
    }

    fn waits(&self) -> usize {
        self.answers.values().filter(|status| matches!(status, Status::Queued | Status::Sending)).count()
    }

    fn unknown(&self) -> usize {
        self.answers.values().filter(|status| **status == Status::Unknown).count()
    }
}

/// The mailbox, the hub, and who looks at both.
struct Soak {
    server: MailServer,
    hub: Hub,
    clock: Quick,
    tally: Mutex<Tally>,
    /// Numbers of the mails in the inbox, in its order.
    inbox: Mutex<Vec<usize>>,
    /// The first mail of each customer, and the last answer to them.
    first: Mutex<HashMap<usize, String>>,
    last: Mutex<HashMap<String, Submission>>,
}

impl Soak {
    async fn start(store: SqliteStore) -> Self {
        let server = MailServer::start(Settings::new(HELP, PASSWORD)).await.unwrap();
        let clock = Quick::starts(server.now());
        let place = |port| Server { host: "127.0.0.1".to_owned(), port, tls: Tls::None };
        let mut config = Config::new(HELP, PASSWORD).at(place(server.imap_port()), place(server.smtp_port()));
        (config.poll_seconds, config.max_whole) = (30, LARGE);
        let told = clock.clone();
        let tokens = Arc::new(MemoryTokens::default());
        let http = Http::new().unwrap();
        let email = Email::with_clock(config, &http, tokens, Arc::new(move || told.now())).unwrap();
        let hub = Hub::builder().store(store).clock(clock.clone()).node("desk").lease(LEASE).build();
        hub.add_channel(ChannelSetup::new(ChannelKey::new("shop", "mail"), Arc::new(email)));
        let (tally, inbox) = (Mutex::default(), Mutex::default());
        Self { server, hub, clock, tally, inbox, first: Mutex::default(), last: Mutex::default() }
    }

    /// Waits until both folders were opened: what lies there before is not told.
    async fn is_watched(&self) {
        let opened =
            |folder: &str| self.server.said(Command::Examine).iter().any(|line| line.contains(folder));
        while !(opened("INBOX") && opened("Sent")) || self.server.open().idling == 0 {
            sleep(STEP).await;
        }
    }

    /// A customer writes.
    fn writes(&self) {
        let number = self.tally.lock().unwrap().mails.len();
        let customer = number % CUSTOMERS;
        let address = format!("customer{customer}@mail.example");
        let words = "Здравствуйте! Есть ли 42-й размер? 👟 ".repeat(1 + number % 40);
        let text = format!("письмо {number}: {}", words.trim());
        let mut letter = self.server.mail(&text).from(&format!("Покупатель {customer} 🌼"), &address);
        let mut first = self.first.lock().unwrap();
        letter = match (first.get(&customer), self.last.lock().unwrap().get(&address)) {
            (Some(_), Some(answer)) if number.is_multiple_of(3) => letter.answers(answer),
            (Some(first), _) => letter.replies_to(first),
            (None, _) => {
                first.insert(customer, letter.id().unwrap().to_owned());
                letter
            }
        };
        if number.is_multiple_of(7) {
            letter = letter.html(&format!("<p>{text}</p>"));
        }
        if number.is_multiple_of(11) {
            letter = letter.file("фото.jpg", "image/jpeg", vec![42; 40 << 10]);
        }
        if number % 97 == 96 {
            letter = letter.file("каталог.pdf", "application/pdf", vec![42; 600 << 10]);
        }
        if number % 13 == 12 && number >= CUSTOMERS {
            letter = letter.without_message_id();
        }
        // The same mail by two ways: a list, and the customer.
        let times = if number.is_multiple_of(17) { 2 } else { 1 };
        let raw = letter.raw();
        self.tally.lock().unwrap().mails.push((self.clock.now(), 0));
        for _ in 0..times {
            self.inbox.lock().unwrap().push(number);
            self.server.deliver("INBOX", raw.clone());
        }
    }

    /// The owner moves away what is old, and the server forgets what it has no use for: what it holds would be
    /// measured with us.
    fn tidies(&self) {
        let mut inbox = self.inbox.lock().unwrap();
        let mut tally = self.tally.lock().unwrap();
        let uids = self.server.uids("INBOX");
        let old = inbox.len().saturating_sub(KEPT);
        let heard: Vec<bool> = inbox.iter().map(|number| tally.mails[*number].1 > 0).collect();
        for (uid, _) in uids.iter().zip(&heard).take(old).filter(|(_, heard)| **heard) {
            self.server.expunge("INBOX", *uid);
        }
        let mut place = 0..;
        inbox.retain(|_| place.next().is_some_and(|place| place >= old || !heard[place]));
        let sent = self.server.uids("Sent");
        for uid in &sent[..sent.len().saturating_sub(KEPT)] {
            *tally.filed.entry(answer_in(&self.server.raw("Sent", *uid))).or_default() += 1;
            self.server.expunge("Sent", *uid);
        }
        for answer in self.server.forget() {
            *tally.taken.entry(answer_in(&answer.raw)).or_default() += 1;
            self.last.lock().unwrap().insert(answer.recipients()[0].to_owned(), answer);
        }
    }

    /// Reads what the hub tells, and answers every other mail.
    async fn answers(&self) {
        let mut log = self.hub.events("the desk");
        loop {
            let entries = log.next().await.unwrap();
            for entry in &entries {
                if let Some(number) = self.takes(entry) {
                    let draft = Draft::new(
                        Content::text(format!("Ответ на письмо {number}: да, есть 👍")),
                        Actor::Agent { agent: "Мария".into() },
                    );
                    self.hub.reply(entry.conversation.unwrap(), draft).await.unwrap();
                }
            }
            log.done().await.unwrap();
        }
    }

    /// Counts what an entry tells; the number of the mail when it is to be answered.
    fn takes(&self, entry: &Entry) -> Option<usize> {
        let mut tally = self.tally.lock().unwrap();
        match &entry.event {
            HostEvent::Received { event, .. } => {
                let EventBody::Message(message) = &event.body else { return None };
                let number = number_in(message.content.plain_text().expect("words"));
                let (arrived, times) = &mut tally.mails[number];
                *times += 1;
                let way = self.clock.now().since(*arrived);
                tally.longest = tally.longest.max(way);
                number.is_multiple_of(2).then_some(number)
            }
            HostEvent::Queued { message } => {
                tally.answers.entry(message.id.to_string()).or_insert(Status::Queued);
                None
            }
            HostEvent::Status { message, status, error, .. } => {
                tally.doubted += u32::from(*status == Status::Unknown);
                tally.answers.insert(message.to_string(), *status);
                tally.reasons.extend(error.clone().map(|error| (message.to_string(), error)));
                None
            }
            _ => None,
        }
    }

    /// A quarter of a busy day of so many seconds.
    async fn lives(&self, quarter: u64, day: u64, faults: &mut Faults) {
        for second in day * quarter / 4..day * (quarter + 1) / 4 {
            if second % 4 == 0 {
                self.writes();
            }
            if second % 180 == 90 {
                (0..BURST).for_each(|_| self.writes());
            }
            if second % 20 == 0 {
                self.tidies();
            }
            faults.strike(&self.server, second, day);
            // The server's clock, by which mails are dated, keeps up with ours.
            let late = self.clock.now().since(self.server.now());
            self.server.ground().advance(late);
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// Waits until all that is under way came to an end.
    async fn settles(&self) {
        self.clock.strides(STRIDE);
        let began = Instant::now();
        let done = |tally: &Tally| tally.heard() == tally.mails.len() && tally.waits() == 0;
        while !done(&self.tally.lock().unwrap()) {
            assert!(began.elapsed() < PATIENCE, "{}", self.misses());
            sleep(STRIDE).await;
        }
        // Long enough for what would come twice, and for the copies of the last answers.
        sleep(Duration::from_secs(600)).await;
        self.tidies();
        let mut tally = self.tally.lock().unwrap();
        for uid in self.server.uids("Sent") {
            *tally.filed.entry(answer_in(&self.server.raw("Sent", uid))).or_default() += 1;
        }
    }

    /// What did not come, for a failure.
    fn misses(&self) -> String {
        let tally = self.tally.lock().unwrap();
        let lost: Vec<usize> =
            (0..tally.mails.len()).filter(|number| tally.mails[*number].1 == 0).take(20).collect();
        format!("mails {lost:?} never came, {} answers wait still; {:?}", tally.waits(), self.hub.health())
    }

    /// Each mail is in the hub once, each answer went out once, or its outcome is told as unknown.
    async fn is_whole(&self) {
        let (received, sent) = self.stored().await;
        let tally = self.tally.lock().unwrap();
        for (number, (_, times)) in tally.mails.iter().enumerate() {
            assert_eq!(*times, 1, "mail {number} is told once");
            assert_eq!(received.get(&number), Some(&1), "mail {number} is in its talk once");
        }
        assert_eq!(received.len(), tally.mails.len(), "and no other mails are");
        assert_eq!(tally.answers.len(), tally.mails.len().div_ceil(2), "every other mail was answered");
        assert_eq!(sent, tally.answers.len(), "each answer is in its talk once");
        for (id, status) in &tally.answers {
            let taken = tally.taken.get(id).copied().unwrap_or(0);
            match status {
                Status::Accepted | Status::Sent => assert_eq!(taken, 1, "answer {id} went out once"),
                Status::Unknown => assert!(taken <= 1, "answer {id} went out at most once"),
                other => panic!("answer {id} is {other:?}: {:?}", tally.reasons.get(id)),
            }
            let filed = tally.filed.get(id).copied().unwrap_or(0);
            assert!(filed <= taken, "the copy of answer {id} is filed once, and only if it went out");
        }
    }

    /// How often each mail, and how many answers, are in the talks of the store.
    async fn stored(&self) -> (HashMap<usize, u32>, usize) {
        let query = ConversationQuery { limit: 1000, ..ConversationQuery::default() };
        let (mut received, mut sent) = (HashMap::new(), 0);
        for talk in self.hub.conversations(&query).await.unwrap() {
            let mut before = None;
            loop {
                let page = self.hub.messages(talk.id, before, 100).await.unwrap();
                let Some(oldest) = page.last() else { break };
                before = Some(oldest.id);
                for message in page {
                    match message.direction {
                        Direction::In => {
                            let number = number_in(message.content.plain_text().unwrap());
                            *received.entry(number).or_default() += 1;
                        }
                        Direction::Out => sent += 1,
                    }
                }
            }
        }
        (received, sent)
    }

    /// How many bytes of mails the simulator holds: more than usual while a mail waits to be fetched.
    fn held(&self) -> u64 {
        let folder = |name: &str| -> usize {
            self.server.uids(name).iter().map(|uid| self.server.raw(name, *uid).len()).sum()
        };
        (folder("INBOX") + folder("Sent")) as u64
    }

    /// A line of figures. Returns how large the process is without the simulator's mails.
    fn figures(&self, quarter: &str, faults: &Faults) -> u64 {
        let (tally, counts) = (self.tally.lock().unwrap(), self.server.counts());
        let (resident, own) = resident();
        let own = own.saturating_sub(self.held());
        let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        println!(
            "{quarter}: {} mails ({} heard, longest way {:?}), {} answers ({} taken, {} doubted, {} unknown, {} filed), \
             {} connections to read and {} to send, {} times thrown out, away {} times, renumbered {} times, \
             {} faults, {:.1} MiB (RSS {:.1} MiB)",
            tally.mails.len(),
            tally.heard(),
            tally.longest,
            tally.answers.len(),
            tally.taken.len(),
            tally.doubted,
            tally.unknown(),
            tally.filed.len(),
            counts.imap_connections,
            counts.smtp_connections,
            faults.ended,
            faults.away,
            faults.renumbered,
            self.server.imap().struck() + self.server.smtp().struck(),
            mebibytes(own),
            mebibytes(resident),
        );
        own
    }
}

/// Trouble that strikes by the clock; the rest is thrown by the server's scripts.
#[derive(Debug, Default)]
struct Faults {
    /// How often everybody was thrown out.
    ended: u32,
    /// How often the server was gone for a while.
    away: u32,
    /// How often all mails got other numbers.
    renumbered: u32,
}

impl Faults {
    /// The periods have no common divisor: trouble meets trouble in ever other ways.
    fn strike(&mut self, server: &MailServer, second: u64, of: u64) {
        if second % 97 == 50 {
            server.kick("Server shutting down.");
            self.ended += 1;
        }
        if second % 131 == 100 {
            server.cut();
            self.ended += 1;
        }
        if second % 401 == 200 {
            server.goes_down();
            self.away += 1;
        }
        if second % 401 == 260 {
            server.comes_back();
        }
        if second % 211 == 150 {
            // The wait that begins next is not told of anything.
            server.imap().add(Rule::new(ImapFault::Deaf).at(Command::Idle));
        }
        if second == of / 3 || second == of * 2 / 3 {
            server.change_uid_validity("INBOX");
            server.change_uid_validity("Sent");
            self.renumbered += 1;
        }
        if second == of / 2 {
            // A lost answer can be settled from here on: the server's copy tells.
            server.change(|settings| settings.sent_copies(SentCopies::ByServer));
        }
    }

    /// What strikes at random.
    fn begin(server: &MailServer) {
        let no = || ImapFault::No("[UNAVAILABLE] Temporary failure".to_owned());
        let bye = || ImapFault::Bye("Too busy".to_owned());
        server.imap().chaos(
            SEED,
            vec![
                (0.01, Command::Greeting, ImapFault::Close),
                (0.01, Command::Greeting, bye()),
                (0.01, Command::Authenticate, no()),
                (0.01, Command::List, ImapFault::Close),
                (0.01, Command::Examine, bye()),
                (0.01, Command::Examine, no()),
                (0.01, Command::Search, ImapFault::Close),
                (0.01, Command::Search, no()),
                (0.01, Command::Fetch, ImapFault::CutInLiteral),
                (0.01, Command::Fetch, ImapFault::CutAfterResponses(1)),
                (0.01, Command::Fetch, ImapFault::LosesAnswer),
                (0.01, Command::Fetch, no()),
                (0.003, Command::Fetch, ImapFault::Silence),
                (0.02, Command::Idle, ImapFault::Close),
                (0.02, Command::Idle, bye()),
                (0.02, Command::Append, ImapFault::Close),
                (0.02, Command::Append, ImapFault::LosesAnswer),
                (0.02, Command::Append, no()),
            ],
        );
        let reply = |words: &str| SmtpFault::Reply(words.to_owned());
        let leaves = |words: &str| SmtpFault::ReplyAndClose(words.to_owned());
        server.smtp().chaos(
            SEED,
            vec![
                (0.02, Stage::Connect, SmtpFault::Close),
                (0.02, Stage::Connect, leaves("421 4.3.2 Service shutting down")),
                (0.01, Stage::Ehlo, SmtpFault::Close),
                (0.01, Stage::Auth, reply("454 4.7.0 Temporary authentication failure")),
                (0.02, Stage::Mail, reply("451 4.3.0 Temporary lookup failure")),
                (0.002, Stage::Mail, reply("450 4.7.1 Error: too many mails from you")),
                (0.02, Stage::Mail, SmtpFault::Close),
                (0.02, Stage::Rcpt, reply("451 4.7.1 Greylisted")),
                (0.01, Stage::Rcpt, leaves("421 4.4.2 Timeout")),
                (0.003, Stage::Rcpt, SmtpFault::Silence),
                (0.02, Stage::Data, reply("451 4.3.0 Queue file write error")),
                (0.01, Stage::Content, SmtpFault::Close),
                (0.02, Stage::Dot, reply("451 4.3.0 Try again later")),
                (0.02, Stage::Dot, SmtpFault::LosesAnswer),
                (0.01, Stage::Dot, SmtpFault::Close),
                (0.005, Stage::Dot, SmtpFault::DelayAnswer(Duration::from_secs(60))),
                (0.003, Stage::Dot, SmtpFault::DelayAnswer(Duration::from_secs(300))),
            ],
        );
    }

    fn end(server: &MailServer) {
        server.imap().clear();
        server.smtp().clear();
        server.comes_back();
    }
}

/// The number of the mail that these words came in.
fn number_in(text: &str) -> usize {
    let number = text.strip_prefix("письмо ").and_then(|rest| rest.split_once(':'));
    number.unwrap_or_else(|| panic!("not a mail of a customer: {text:?}")).0.parse().unwrap()
}

/// The id of ours in a mail of ours.
fn answer_in(raw: &[u8]) -> String {
    let raw = String::from_utf8_lossy(raw);
    let id = raw.split_once("Message-ID: <omni.").expect("a mail of ours").1;
    id.split_once('@').unwrap().0.to_owned()
}

/// How much of the process is in memory, in bytes: all of it, and what is no file's (the program itself, the index of
/// the database).
fn resident() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let bytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    };
    (bytes("VmRSS:"), bytes("RssAnon:"))
}

#[tokio::test]
async fn a_busy_mailbox_in_trouble_loses_nothing_doubles_nothing_and_grows_by_nothing() {
    let whole = std::env::var("OMNI_SOAK").is_ok_and(|long| long == "2h");
    let (seconds, may_grow) = if whole { (2 * 3600, GROWTH) } else { (600, WARM_UP) };
    let began = std::time::Instant::now();
    // In memory where there is such a place: milliseconds of a disk would be seconds by the quick clock.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    // The store keeps pages of its file in memory, the more the larger it is: that is not what is measured.
    let limit = rusqlite::Connection::open_in_memory().unwrap();
    limit.pragma_update(None, "soft_heap_limit", PAGES).unwrap();
    let soak = Soak::start(SqliteStore::open(folder.path().join("desk.db")).unwrap()).await;
    let running = tokio::spawn({
        let hub = soak.hub.clone();
        async move { hub.run().await.unwrap() }
    });
    let mut faults = Faults::default();
    let mut sizes = Vec::new();
    let life = async {
        soak.is_watched().await;
        Faults::begin(&soak.server);
        for quarter in 0..4 {
            soak.lives(quarter, seconds, &mut faults).await;
            sizes.push(soak.figures(&format!("quarter {}", quarter + 1), &faults));
        }
        Faults::end(&soak.server);
        soak.settles().await;
    };
    tokio::select! {
        () = soak.answers() => unreachable!("it answers for ever"),
        () = life => {}
    }
    sizes.push(soak.figures("at the end", &faults));
    println!("{seconds} s in {:?}", began.elapsed());
    soak.is_whole().await;
    let growth = sizes.iter().max().unwrap().saturating_sub(sizes[0]);
    assert!(growth < may_grow, "grew by {growth} bytes: {sizes:?}");
    let (imap, smtp) = (soak.server.imap().struck(), soak.server.smtp().struck());
    assert!(imap > 0 && smtp > 0 && faults.away > 0 && faults.renumbered == 2, "it was trouble");
    soak.hub.shutdown();
    running.await.unwrap();
}

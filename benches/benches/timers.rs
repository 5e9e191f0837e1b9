//! A million open conversations with a timer each, in SQLite: how large the file is, what finding and firing a thousand
//! due ones costs, and what memory it takes. `cargo bench -p omni-benches --bench timers`, or with `-- 50000` for so many.

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use omni_core::conversation::{Timer, TimerKind};
use omni_core::id::{ContactId, ConversationId, IdSource, TimerToken};
use omni_core::plan::Reach;
use omni_core::policy::{ChannelPolicy, Engine};
use omni_core::{Address, Contact, Conversation, Identity, Period, Provider, Timestamp};
use omni_http::Http;
use omni_hub::store::{Batch, Changes, PeerRecord, Target, TimerRecord, Unit};
use omni_hub::{ChannelKey, ChannelSetup, HostEvent, Hub, ManualClock, Store};
use omni_sqlite::SqliteStore;
use omni_telegram::{Config, Telegram};

const START: Timestamp = Timestamp::from_secs(1_768_381_200);
const DUE: usize = 1000;
/// Silence that closes.
const SILENCE: Period = Period::days(3);

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    match args.as_slice() {
        ["fill", path, conversations] => runtime.block_on(fill(Path::new(path), conversations.parse()?)),
        ["fire", path, conversations] => runtime.block_on(fire(Path::new(path), conversations.parse()?)),
        [] => [10_000, 1_000_000].into_iter().try_for_each(measure),
        [conversations, ..] => measure(conversations.parse()?),
    }
}

/// Fills a file and fires in it, each in a process of its own: memory is that of the firing alone.
fn measure(conversations: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("desk.db");
    for part in ["fill", "fire"] {
        let status = Command::new(std::env::current_exe()?)
            .arg(part)
            .arg(&path)
            .arg(conversations.to_string())
            .status()?;
        if !status.success() {
            return Err(format!("{part} failed").into());
        }
    }
    Ok(())
}

async fn fire(path: &Path, conversations: usize) -> Result<()> {
    let log = path.with_extension("db-wal");
    let bytes = std::fs::metadata(path)?.len() + std::fs::metadata(log).map_or(0, |log| log.len());
    let store = SqliteStore::open(path)?;
    let before = resident();
    // The thousand that spoke first have been silent for long enough; nobody else is.
    let clock = ManualClock::at(START + SILENCE + Duration::from_millis(DUE as u64 - 1));
    let hub = Hub::builder().store(store).clock(clock).build();
    let policy = Engine::of(ChannelPolicy::new().auto_close(SILENCE))?;
    // A channel that is closed in silence is asked nothing.
    let telegram = Config::new("7000000001:AAbenchbenchbenchbenchbenchbenchbenc").webhook("bench-secret");
    let telegram = Telegram::new(telegram, Http::new()?)?;
    hub.add_channel(ChannelSetup::new(key(), Arc::new(telegram)).policy(policy));
    let mut log = hub.events("bench");
    let begun = Instant::now();
    let running = tokio::spawn({
        let hub = hub.clone();
        async move { hub.run().await }
    });
    let mut closed = 0;
    while closed < DUE {
        let entries = log.next().await?;
        closed += entries.iter().filter(|e| matches!(e.event, HostEvent::Closed { .. })).count();
    }
    let took = begun.elapsed();
    hub.shutdown();
    running.await??;
    println!(
        "{conversations} open conversations: {} bytes each in the file; {DUE} due found and fired in {took:.1?}; \
         {:.1} MiB resident, {:.1} before",
        bytes / conversations as u64,
        resident() as f64 / 1024.0,
        before as f64 / 1024.0,
    );
    Ok(())
}

/// Conversations as they are after a first message and an answer, a millisecond apart; messages are not counted here.
async fn fill(path: &Path, conversations: usize) -> Result<()> {
    let store = SqliteStore::open(path)?;
    let ids = Arc::new(IdSource::new(7));
    for begin in (0..conversations).step_by(1000) {
        let units = (begin..conversations.min(begin + 1000)).map(|n| {
            let ids = ids.clone();
            Unit::new(Target::Nothing, move |_| open(&ids, n))
        });
        store.apply(Batch { units: units.collect(), cursor: None }).await?;
    }
    Ok(())
}

fn open(ids: &IdSource, n: usize) -> Changes {
    let at = START + Duration::from_millis(n as u64);
    let address = Address::new((100_000_000 + n).to_string());
    let id = ConversationId::next(ids, at);
    let identity = Identity::new(Provider::from_static("telegram"), (100_000_000 + n).to_string());
    let mut contact = Contact::new(ContactId::next(ids, at), key().tenant, identity, Default::default());
    contact.profile.name = Some(format!("Покупатель {n}"));
    let mut conversation = Conversation::open(id, key().tenant, key().channel, address.clone(), at);
    conversation.contact = Some(contact.id);
    conversation.title = format!("Покупатель {n}");
    conversation.heard(at, "Здравствуйте! Есть ли у вас кроссовки сорок второго размера?".to_owned());
    let (kind, due, token) = (TimerKind::Wake, at + SILENCE, TimerToken::next(ids, at));
    conversation.timers.push(Timer { kind, due, token });
    let peer = PeerRecord {
        key: key().peer(address),
        contact: Some(contact.id),
        conversation: Some(id),
        reach: Reach::Open,
        note: None,
    };
    Changes {
        peer: Some(peer),
        conversation: Some(conversation),
        contact: Some(contact),
        timers: vec![TimerRecord { token, conversation: id, channel: key(), kind, due }],
        ..Changes::default()
    }
}

fn key() -> ChannelKey {
    ChannelKey::new("acme", "shop-bot")
}

/// Memory of this process, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

//! Webhooks a second into SQLite, durable before they are answered, against a bare loop that does as many
//! inserts with the same durability.
//!
//! The bare loop writes the rows that one message makes (claim, message, its name and its index, conversation,
//! journal) with prepared statements and hands a group of as many messages as are in flight to one commit: what
//! SQLite itself costs. The rest is decoding, the policy, JSON and passing between threads.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use omni_benches::{median, text_update};
use omni_core::Timestamp;
use omni_core::webhook::WebhookRequest;
use omni_http::Http;
use omni_hub::{ChannelKey, ChannelSetup, Hub};
use omni_sqlite::SqliteStore;
use omni_telegram::{Config, Telegram};

const SPAN: Duration = Duration::from_secs(2);
const RUNS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for in_flight in [1, 16, 256] {
        let (mut ours, mut bare, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..RUNS {
            let files = tempfile::tempdir()?;
            let b = bare_loop(&files.path().join("bare.db"), in_flight)?;
            let o = runtime.block_on(webhooks(&files.path().join("omni.db"), in_flight))?;
            ratios.push(o / b);
            bare.push(b);
            ours.push(o);
        }
        println!(
            "{in_flight:>3} in flight: {:>8.0} webhooks/s, bare SQLite loop {:>8.0}/s, ratio {:.2}",
            median(ours),
            median(bare),
            median(ratios)
        );
    }
    Ok(())
}

async fn webhooks(path: &Path, in_flight: u64) -> Result<f64, Box<dyn Error>> {
    let config = Config::new("7000000001:AAbenchbenchbenchbenchbenchbenchbenc").webhook("bench-secret");
    let hub = Hub::builder().store(SqliteStore::open(path)?).node("bench").build();
    let key = ChannelKey::new("bench", "telegram");
    hub.add_channel(ChannelSetup::new(key.clone(), Arc::new(Telegram::new(config, Http::new()?)?)));
    let (next, begun) = (Arc::new(AtomicU64::new(1)), Instant::now());
    let clients: Vec<_> = (0..in_flight)
        .map(|client| {
            let (hub, key, next) = (hub.clone(), key.clone(), next.clone());
            tokio::spawn(async move {
                while begun.elapsed() < SPAN {
                    let id = next.fetch_add(1, Ordering::Relaxed);
                    let body =
                        text_update(id, 1_000 + client * 16 + id % 16, "Здравствуйте 👋 ещё продаётся?");
                    let mut request =
                        WebhookRequest::post("/", Bytes::from(body), Timestamp::from_secs(1_767_225_601));
                    let secret = http::HeaderValue::from_static("bench-secret");
                    request.headers.insert("x-telegram-bot-api-secret-token", secret);
                    assert_eq!(hub.webhook(&key, request).await.status, 200);
                }
            })
        })
        .collect();
    for client in clients {
        client.await?;
    }
    Ok((next.load(Ordering::Relaxed) - 1) as f64 / begun.elapsed().as_secs_f64())
}

fn bare_loop(path: &Path, group: u64) -> rusqlite::Result<f64> {
    let c = rusqlite::Connection::open(path)?;
    c.pragma_update(None, "journal_mode", "WAL")?;
    c.pragma_update(None, "synchronous", "FULL")?;
    c.execute_batch(
        "CREATE TABLE claim (event TEXT PRIMARY KEY, at INTEGER) WITHOUT ROWID;
         CREATE TABLE message (id BLOB PRIMARY KEY, thread BLOB, body TEXT) WITHOUT ROWID;
         CREATE INDEX message_thread ON message (thread, id);
         CREATE TABLE name (name TEXT PRIMARY KEY, message BLOB) WITHOUT ROWID;
         CREATE TABLE conversation (id BLOB PRIMARY KEY, at INTEGER, body TEXT) WITHOUT ROWID;
         CREATE INDEX conversation_recent ON conversation (at);
         CREATE TABLE journal (seq INTEGER PRIMARY KEY, body TEXT);",
    )?;
    let body = "x".repeat(500);
    let (mut done, begun) = (0u64, Instant::now());
    while begun.elapsed() < SPAN {
        c.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        for _ in 0..group {
            done += 1;
            let id = u128::from(done).to_be_bytes();
            let thread = u128::from(done % 4096).to_be_bytes();
            c.prepare_cached("INSERT INTO claim VALUES (?1, 1)")?.execute((done.to_string(),))?;
            c.prepare_cached("INSERT INTO message VALUES (?1, ?2, ?3)")?.execute((id, thread, &body))?;
            c.prepare_cached("INSERT INTO name VALUES (?1, ?2)")?.execute((done.to_string(), id))?;
            c.prepare_cached(
                "INSERT INTO conversation VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET at = ?2, body = ?3",
            )?
            .execute((thread, done as i64, &body))?;
            c.prepare_cached("INSERT INTO journal (body) VALUES (?1)")?.execute((&body,))?;
        }
        c.prepare_cached("COMMIT")?.execute([])?;
    }
    Ok(done as f64 / begun.elapsed().as_secs_f64())
}

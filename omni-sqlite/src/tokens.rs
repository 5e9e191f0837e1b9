//! Tokens that are renewed, kept beside everything else.
//!
//! They are kept as they are: whoever can read the file can use the accounts, as with the settings of channels. A host
//! that encrypts secrets brings a [`TokenStore`] of its own.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use omni_core::error::{ErrorKind, Result};
use omni_core::tokens::{TokenStore, Tokens};
use omni_core::{Error, Timestamp};
use omni_hub::store::StoreError;
use rusqlite::{Connection, OptionalExtension, params};

use crate::SqliteStore;

#[async_trait]
impl TokenStore for SqliteStore {
    async fn load(&self, key: &str) -> Result<Option<Tokens>> {
        let key = key.to_owned();
        let json = self.read("load token", move |c| load(c, &key)).await.map_err(failed("load"))?;
        let read = |json: String| {
            // No source: it would quote the text, which is a secret.
            serde_json::from_str(&json).map_err(|_| {
                Error::new(ErrorKind::Storage, "load").with_text("the kept token cannot be read")
            })
        };
        json.map(read).transpose()
    }

    async fn save(&self, key: &str, tokens: &Tokens) -> Result<()> {
        let key = key.to_owned();
        let json = serde_json::to_string(tokens)
            .map_err(|_| Error::new(ErrorKind::Internal, "save").with_text("the token cannot be written"))?;
        self.write("save token", move |c| save(c, &key, &json)).await.map_err(failed("save"))
    }

    async fn claim(&self, key: &str, lasting: Duration) -> Result<bool> {
        let (key, process, now) = (key.to_owned(), self.inner.process.clone(), now());
        let claim = move |c: &Connection| claim(c, &key, &process, now, now + lasting);
        self.write("claim token", claim).await.map_err(failed("claim"))
    }

    async fn unclaim(&self, key: &str) -> Result<()> {
        let (key, process) = (key.to_owned(), self.inner.process.clone());
        self.write("release token", move |c| unclaim(c, &key, &process)).await.map_err(failed("unclaim"))
    }
}

fn failed(operation: &'static str) -> impl Fn(StoreError) -> Error {
    move |error| Error::new(ErrorKind::Storage, operation).with_source(error)
}

fn now() -> Timestamp {
    Timestamp::default() + SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn load(c: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    let mut statement = c.prepare_cached("SELECT tokens FROM token WHERE key = ?1")?;
    Ok(statement.query_row([key], |row| row.get::<_, Option<String>>(0)).optional()?.flatten())
}

fn save(c: &Connection, key: &str, json: &str) -> rusqlite::Result<()> {
    c.prepare_cached(
        "INSERT INTO token (key, tokens) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET tokens = excluded.tokens",
    )?
    .execute([key, json])
    .map(drop)
}

fn claim(
    c: &Connection,
    key: &str,
    process: &str,
    now: Timestamp,
    until: Timestamp,
) -> rusqlite::Result<bool> {
    let sql = "INSERT INTO token (key, claimed_by, claimed_until) VALUES (?1, ?2, ?3) \
               ON CONFLICT DO UPDATE SET claimed_by = excluded.claimed_by, claimed_until = excluded.claimed_until \
               WHERE claimed_until IS NULL OR claimed_until <= ?4 OR claimed_by = excluded.claimed_by";
    let taken = c.prepare_cached(sql)?.execute(params![key, process, until.as_millis(), now.as_millis()])?;
    Ok(taken > 0)
}

fn unclaim(c: &Connection, key: &str, process: &str) -> rusqlite::Result<()> {
    let sql = "UPDATE token SET claimed_by = NULL, claimed_until = NULL WHERE key = ?1 AND claimed_by = ?2";
    c.prepare_cached(sql)?.execute([key, process]).map(drop)
}

//! The schema and its migrations.

use std::time::Duration;

use omni_hub::store::{StoreError, StoreResult};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};

use crate::backend;

/// Each step brings the schema from its index to the next version. Steps that were released never change.
const MIGRATIONS: &[&str] =
    &[include_str!("schema_1.sql"), include_str!("schema_2.sql"), include_str!("schema_3.sql")];

/// Settings of every connection.
pub(crate) fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL: a commit is on the disk before it is confirmed. NORMAL would lose confirmed ones with the power.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // 32 MB of log before it is folded into the file: a page written often is folded once.
    connection.pragma_update(None, "wal_autocheckpoint", 8192)?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // Plans do not depend on bound values: else the bundled build (STAT4) plans anew with every binding.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(())
}

/// Brings the schema up to date, all or nothing.
pub(crate) fn migrate(connection: &mut Connection) -> StoreResult<()> {
    let failed = backend("migrate");
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&failed)?;
    let found: u32 =
        transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(&failed)?;
    let known = MIGRATIONS.len() as u32;
    if found > known {
        return Err(StoreError::NewerSchema { found, known });
    }
    for (step, sql) in MIGRATIONS.iter().enumerate().skip(found as usize) {
        transaction.execute_batch(sql).map_err(&failed)?;
        transaction.pragma_update(None, "user_version", step as u32 + 1).map_err(&failed)?;
    }
    transaction.commit().map_err(&failed)
}

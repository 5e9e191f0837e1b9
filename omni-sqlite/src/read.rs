//! Queries, and the small writes beside units of work.

use std::collections::HashSet;

use bytes::Bytes;
use omni_core::id::{BlobId, ConsumerId, ConversationId, Cursor, MessageId, NodeId};
use omni_core::{Conversation, Timestamp};
use omni_hub::store::{
    ChannelKey, ConversationQuery, Entry, Lease, MessageRecord, OutboxRecord, StateFilter, TimerRecord,
    node_lease,
};
use rusqlite::{Connection, OptionalExtension, params};

use crate::rows::{self, CONVERSATION, MESSAGE, OUTBOX};

pub(crate) fn cursor(c: &Connection, channel: &ChannelKey) -> rusqlite::Result<Option<Cursor>> {
    let found: Option<Option<String>> = c
        .prepare_cached("SELECT cursor FROM channel WHERE tenant = ?1 AND channel = ?2")?
        .query_row(params![channel.tenant.as_str(), channel.channel.as_str()], |row| row.get(0))
        .optional()?;
    Ok(found.flatten().map(Cursor::from))
}

/// Rows nobody alive owns, in order, each lane from its first row on.
pub(crate) fn take(
    c: &Connection,
    node: &NodeId,
    channels: &HashSet<ChannelKey>,
    now: Timestamp,
    limit: usize,
) -> rusqlite::Result<Vec<(OutboxRecord, MessageRecord)>> {
    let sql = format!(
        "SELECT {OUTBOX}, {MESSAGE} FROM outbox o JOIN channel c ON c.id = o.channel JOIN message m ON m.id = o.message \
         WHERE o.owner IS NOT ?1 AND o.channel IN (SELECT value FROM json_each(?2)) ORDER BY o.message"
    );
    let channels = numbers_of(c, channels)?;
    let mut blocked = HashSet::new();
    let mut taken = Vec::new();
    let mut statement = c.prepare_cached(&sql)?;
    let mut found = statement.query(params![node.as_str(), channels])?;
    while let Some(row) = found.next()? {
        if taken.len() == limit {
            break;
        }
        let outbox = rows::outbox(row)?;
        let elsewhere = match &outbox.owner {
            Some(owner) => lives(c, owner, now)?,
            None => false,
        };
        // A row that waits for its time, or for another node, holds back what is behind it.
        if elsewhere || outbox.due > now {
            blocked.insert(outbox.peer);
        } else if !blocked.contains(&outbox.peer) {
            taken.push((outbox, rows::message(row, 13)?));
        }
    }
    drop(found);
    let mut own = c.prepare_cached("UPDATE outbox SET owner = ?2 WHERE message = ?1")?;
    for (row, _) in &mut taken {
        own.execute(params![row.message.to_bytes(), node.as_str()])?;
        row.owner = Some(node.clone());
    }
    Ok(taken)
}

/// The numbers of channels as a JSON array; channels that nothing was ever stored for have none.
fn numbers_of(c: &Connection, channels: &HashSet<ChannelKey>) -> rusqlite::Result<String> {
    let mut statement = c.prepare_cached("SELECT id FROM channel WHERE tenant = ?1 AND channel = ?2")?;
    let mut numbers: Vec<i64> = Vec::with_capacity(channels.len());
    for key in channels {
        let names = params![key.tenant.as_str(), key.channel.as_str()];
        numbers.extend(statement.query_row(names, |row| row.get::<_, i64>(0)).optional()?);
    }
    rows::json(&numbers)
}

fn lives(c: &Connection, node: &NodeId, now: Timestamp) -> rusqlite::Result<bool> {
    c.prepare_cached("SELECT 1 FROM lease WHERE name = ?1 AND until > ?2")?
        .exists(params![node_lease(node), now.as_millis()])
}

pub(crate) fn release_rows(c: &Connection, node: &NodeId, messages: &[MessageId]) -> rusqlite::Result<()> {
    let mut statement =
        c.prepare_cached("UPDATE outbox SET owner = NULL WHERE message = ?1 AND owner = ?2")?;
    for message in messages {
        statement.execute(params![message.to_bytes(), node.as_str()])?;
    }
    Ok(())
}

pub(crate) fn timers_due(
    c: &Connection,
    channels: &HashSet<ChannelKey>,
    now: Timestamp,
    limit: usize,
) -> rusqlite::Result<Vec<TimerRecord>> {
    let sql = "SELECT t.token, t.conversation, t.kind, t.due, n.tenant, n.channel FROM timer t \
               JOIN channel n ON n.id = t.channel \
               WHERE t.due <= ?1 AND t.channel IN (SELECT value FROM json_each(?2)) ORDER BY t.due, t.token LIMIT ?3";
    let mut statement = c.prepare_cached(sql)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found =
        statement.query_map(params![now.as_millis(), numbers_of(c, channels)?, limit], rows::timer)?;
    found.collect()
}

pub(crate) fn next_timer(
    c: &Connection,
    channels: &HashSet<ChannelKey>,
) -> rusqlite::Result<Option<Timestamp>> {
    let sql = "SELECT due FROM timer WHERE channel IN (SELECT value FROM json_each(?1)) ORDER BY due LIMIT 1";
    let mut statement = c.prepare_cached(sql)?;
    let due = statement.query_row(params![numbers_of(c, channels)?], |row| row.get(0)).optional()?;
    Ok(due.map(Timestamp::from_millis))
}

pub(crate) fn lease(c: &Connection, lease: &Lease, now: Timestamp) -> rusqlite::Result<Option<Lease>> {
    let sql = "INSERT INTO lease (name, holder, until) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE \
               SET holder = ?2, until = ?3 WHERE holder = ?2 OR until <= ?4";
    let ours = c.prepare_cached(sql)?.execute(params![
        lease.name,
        lease.holder.as_str(),
        lease.until.as_millis(),
        now.as_millis()
    ])?;
    Ok((ours > 0).then(|| lease.clone()))
}

pub(crate) fn holder(c: &Connection, name: &str) -> rusqlite::Result<Option<Lease>> {
    c.prepare_cached("SELECT holder, until FROM lease WHERE name = ?1")?
        .query_row(params![name], |row| {
            Ok(Lease {
                name: name.to_owned(),
                holder: NodeId::from(row.get::<_, String>(0)?),
                until: Timestamp::from_millis(row.get(1)?),
            })
        })
        .optional()
}

pub(crate) fn release(c: &Connection, name: &str, holder: &NodeId) -> rusqlite::Result<()> {
    c.prepare_cached("DELETE FROM lease WHERE name = ?1 AND holder = ?2")?
        .execute(params![name, holder.as_str()])?;
    Ok(())
}

pub(crate) fn entries(c: &Connection, after: u64, limit: usize) -> rusqlite::Result<Vec<Entry>> {
    let mut statement =
        c.prepare_cached("SELECT body, seq FROM journal WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let found = statement.query_map(params![after, i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
        let mut entry: Entry = rows::from_json(row, 0)?;
        entry.seq = u64::try_from(row.get::<_, i64>(1)?).map_err(|_| rows::corrupt(1))?;
        Ok(entry)
    })?;
    found.collect()
}

pub(crate) fn consumer(c: &Connection, consumer: &ConsumerId) -> rusqlite::Result<u64> {
    let seq: Option<i64> = c
        .prepare_cached("SELECT seq FROM consumer WHERE id = ?1")?
        .query_row(params![consumer.as_str()], |row| row.get(0))
        .optional()?;
    Ok(seq.and_then(|seq| u64::try_from(seq).ok()).unwrap_or(0))
}

pub(crate) fn consumed(c: &Connection, consumer: &ConsumerId, seq: u64) -> rusqlite::Result<()> {
    let seq = i64::try_from(seq).unwrap_or(i64::MAX);
    c.prepare_cached(
        "INSERT INTO consumer (id, seq) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET seq = max(seq, ?2)",
    )?
    .execute(params![consumer.as_str(), seq])?;
    Ok(())
}

pub(crate) fn conversations(
    c: &Connection,
    query: &ConversationQuery,
) -> rusqlite::Result<Vec<Conversation>> {
    let (tenant, team) = (query.tenant.as_ref().map(|t| t.as_str()), query.waiting_for.as_ref());
    let owner = query.owner.as_ref().filter(|_| query.state == StateFilter::Open);
    let contact = query.contact.map(|id| id.to_bytes());
    // Where few can fit, their index finds them, and they are sorted. Else they are read in order until the page is
    // full; without a tenant no index orders them: an administrator's question, not a desk's.
    let among = match (tenant, team, owner) {
        _ if contact.is_some() => "INDEXED BY conversation_contact WHERE v.contact = ?4",
        (Some(_), Some(_), _) => "INDEXED BY conversation_queue WHERE v.tenant = ?1 AND v.team = ?5",
        (Some(_), None, Some(_)) => "INDEXED BY conversation_load WHERE v.tenant = ?1 AND v.agent = ?6",
        (Some(_), None, None) => "INDEXED BY conversation_recent WHERE v.tenant = ?1",
        (None, ..) => "WHERE ?1 IS NULL",
    };
    let sql = format!(
        "SELECT {CONVERSATION} FROM conversation v {among} AND v.last_message_at < ?2 \
         AND (?3 IS NULL OR v.open = ?3) AND (?4 IS NULL OR v.contact = ?4) AND (?5 IS NULL OR v.team = ?5) \
         AND (?6 IS NULL OR v.agent = ?6) ORDER BY v.last_message_at DESC, v.id DESC"
    );
    let open = match query.state {
        StateFilter::Any => None,
        StateFilter::Open => Some(true),
        StateFilter::Closed => Some(false),
    };
    let before = query.before.unwrap_or(Timestamp::MAX).as_millis();
    let mut statement = c.prepare_cached(&sql)?;
    let (team, owner) = (team.map(|t| t.as_str()), owner.map(|a| a.as_str()));
    let mut found = statement.query(params![tenant, before, open, contact, team, owner])?;
    let mut fitting = Vec::new();
    while let Some(row) = found.next()? {
        let conversation = rows::conversation(row, 0)?;
        if query.fits(&conversation) {
            fitting.push(conversation);
            if fitting.len() == query.page() {
                break;
            }
        }
    }
    Ok(fitting)
}

pub(crate) fn messages(
    c: &Connection,
    conversation: ConversationId,
    before: Option<MessageId>,
    limit: usize,
) -> rusqlite::Result<Vec<MessageRecord>> {
    let sql = format!(
        "SELECT {MESSAGE} FROM message m WHERE m.conversation = ?1 AND (?2 IS NULL OR m.id < ?2) \
         ORDER BY m.id DESC LIMIT ?3"
    );
    let mut statement = c.prepare_cached(&sql)?;
    let before = before.map(|id| id.to_bytes());
    let found = statement.query_map(
        params![conversation.to_bytes(), before, i64::try_from(limit).unwrap_or(i64::MAX)],
        |row| rows::message(row, 0),
    )?;
    found.collect()
}

pub(crate) fn put_blob(c: &Connection, id: &BlobId, bytes: &Bytes) -> rusqlite::Result<()> {
    c.prepare_cached("INSERT OR REPLACE INTO blob (id, bytes) VALUES (?1, ?2)")?
        .execute(params![id.as_str(), &bytes[..]])?;
    Ok(())
}

pub(crate) fn blob(c: &Connection, id: &BlobId) -> rusqlite::Result<Option<Bytes>> {
    let mut statement = c.prepare_cached("SELECT bytes FROM blob WHERE id = ?1")?;
    statement.query_row(params![id.as_str()], |row| Ok(Bytes::from(row.get::<_, Vec<u8>>(0)?))).optional()
}

pub(crate) fn prune(c: &Connection, before: Timestamp) -> rusqlite::Result<()> {
    c.execute("DELETE FROM claim WHERE at < ?1", params![before.as_millis()])?;
    // The newest entry stays, so that numbers never begin anew.
    c.execute(
        "DELETE FROM journal WHERE at < ?1 AND seq <= (SELECT coalesce(min(seq), 0) FROM consumer) \
         AND seq < (SELECT max(seq) FROM journal)",
        params![before.as_millis()],
    )?;
    Ok(())
}

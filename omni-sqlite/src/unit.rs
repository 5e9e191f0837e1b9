//! Applying units: claim, look, decide, write.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use omni_core::id::{ContactId, NodeId, ProviderMessageId};
use omni_core::outbound::Author;
use omni_core::policy::Guard;
use omni_core::{Contact, Conversation};
use omni_hub::store::{
    Applied, Batch, Changes, ChannelKey, Claim, Direction, Entry, KeptNote, MessageRecord, OutboxRecord,
    OutboxState, PeerKey, PeerRecord, Snapshot, StatusPatch, StoreError, TimerRecord, Unit, agent_of, queued,
};
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use tracing::error;

use crate::desk;
use crate::rows::{self, CONVERSATION, json, unusual};
use crate::snapshot::{self, snapshot};

/// The numbers of channels, so that rows hold a number in place of two names.
#[derive(Debug, Default)]
pub(crate) struct Names {
    channels: HashMap<ChannelKey, i64>,
}

impl Names {
    pub(crate) fn forget(&mut self) {
        self.channels.clear();
    }

    fn channel(&mut self, c: &Connection, key: &ChannelKey) -> rusqlite::Result<i64> {
        if let Some(id) = self.channels.get(key) {
            return Ok(*id);
        }
        let names = params![key.tenant.as_str(), key.channel.as_str()];
        c.prepare_cached("INSERT OR IGNORE INTO channel (tenant, channel) VALUES (?1, ?2)")?
            .execute(names)?;
        let id = c
            .prepare_cached("SELECT id FROM channel WHERE tenant = ?1 AND channel = ?2")?
            .query_row(names, |row| row.get(0))?;
        self.channels.insert(key.clone(), id);
        Ok(id)
    }
}

/// Applies a batch within the open transaction. `apart` lets a unit whose changes the database refuses fail alone;
/// it costs a savepoint a unit, so the first try goes without.
pub(crate) fn apply(
    c: &Connection,
    names: &mut Names,
    batch: &mut Batch,
    apart: bool,
) -> rusqlite::Result<Vec<Applied>> {
    let mut applied = Vec::with_capacity(batch.units.len());
    for unit in &mut batch.units {
        applied.push(if apart { run_apart(c, names, unit)? } else { run(c, names, unit)? });
    }
    if let Some((channel, cursor)) = &batch.cursor {
        let id = names.channel(c, channel)?;
        c.prepare_cached("UPDATE channel SET cursor = ?2 WHERE id = ?1")?
            .execute(params![id, cursor.as_str()])?;
    }
    Ok(applied)
}

fn run_apart(c: &Connection, names: &mut Names, unit: &mut Unit) -> rusqlite::Result<Applied> {
    c.prepare_cached("SAVEPOINT unit")?.execute([])?;
    let result = run(c, names, unit);
    if let Err(error) = &result {
        if !is_of_the_unit(error) {
            return result;
        }
        names.forget();
        c.prepare_cached("ROLLBACK TO unit")?.execute([])?;
    }
    c.prepare_cached("RELEASE unit")?.execute([])?;
    result.or_else(|error| {
        error!(%error, "a unit cannot be stored; it fails alone");
        Ok(Applied::Failed(StoreError::backend("apply", error)))
    })
}

/// Whether an error lies in what the unit wants, and not in the disk or in another process.
fn is_of_the_unit(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqliteFailure(e, _) => {
            matches!(e.code, ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch)
        }
        _ => true,
    }
}

fn run(c: &Connection, names: &mut Names, unit: &mut Unit) -> rusqlite::Result<Applied> {
    if let Some((claim, _)) = &unit.claim
        && is_claimed(c, names, claim)?
    {
        return Ok(Applied::Duplicate);
    }
    let snapshot = snapshot(c, &unit.target, &unit.lookups)?;
    let mut changes = match catch_unwind(AssertUnwindSafe(|| (unit.decide)(&snapshot))) {
        Ok(changes) => changes,
        // What it said is not shown: it may hold a customer's words.
        Err(_) => {
            error!("the policy panicked; nothing of the unit is stored");
            return Ok(Applied::Failed(StoreError::Panicked));
        }
    };
    if let Some((claim, at)) = &unit.claim {
        take_claim(c, names, claim, at.as_millis())?;
    }
    write(c, names, &snapshot, &mut changes)?;
    Ok(Applied::Done(Box::new(changes)))
}

fn is_claimed(c: &Connection, names: &mut Names, claim: &Claim) -> rusqlite::Result<bool> {
    let channel = names.channel(c, &claim.channel)?;
    c.prepare_cached("SELECT 1 FROM claim WHERE channel = ?1 AND event = ?2 AND kind = ?3")?.exists(params![
        channel,
        claim.event.as_str(),
        claim.kind.as_str()
    ])
}

fn take_claim(c: &Connection, names: &mut Names, claim: &Claim, at: i64) -> rusqlite::Result<()> {
    let channel = names.channel(c, &claim.channel)?;
    c.prepare_cached("INSERT INTO claim (channel, event, kind, at) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![channel, claim.event.as_str(), claim.kind.as_str(), at])?;
    Ok(())
}

fn write(c: &Connection, names: &mut Names, seen: &Snapshot, changes: &mut Changes) -> rusqlite::Result<()> {
    changes.follow_merge();
    if let Some(contact) = &changes.contact {
        put_contact(c, contact)?;
    }
    if let Some(conversation) = &mut changes.conversation {
        put_conversation(c, names, seen.conversation.as_ref(), conversation)?;
    }
    for conversation in &mut changes.more_conversations {
        put_conversation(c, names, None, conversation)?;
    }
    if let Some(peer) = &changes.peer {
        put_peer(c, names, seen.peer.as_ref(), peer)?;
    }
    if let Some((from, into)) = changes.merge() {
        merge(c, from, into)?;
    }
    for patch in &changes.agents {
        desk::patch(c, patch)?;
    }
    for message in &changes.new_messages {
        let channel = channel_of(c, changes.conversation.as_ref(), names, message)?;
        put_message(c, channel, message)?;
    }
    for message in &changes.changed_messages {
        change_message(c, message)?;
    }
    for patch in &changes.statuses {
        patch_status(c, patch)?;
    }
    for row in &mut changes.outbox {
        put_outbox(c, names, row)?;
    }
    for message in &changes.outbox_done {
        c.prepare_cached("DELETE FROM outbox WHERE message = ?1")?.execute(params![message.to_bytes()])?;
    }
    for timer in &changes.timers {
        put_timer(c, names, timer)?;
    }
    for token in &changes.timers_done {
        c.prepare_cached("DELETE FROM timer WHERE token = ?1")?.execute(params![token.to_bytes()])?;
    }
    if let Some((from, to)) = &changes.moved {
        rename(c, names, from, to)?;
    }
    for entry in &mut changes.entries {
        put_entry(c, entry)?;
    }
    Ok(())
}

fn put_contact(c: &Connection, contact: &Contact) -> rusqlite::Result<()> {
    c.prepare_cached("INSERT INTO contact (id, body) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET body = ?2")?
        .execute(params![contact.id.to_bytes(), json(contact)?])?;
    let mut statement = c.prepare_cached(
        "INSERT OR REPLACE INTO identity (tenant, provider, scope, id, contact) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for identity in &contact.identities {
        let (tenant, key) = (contact.tenant.as_str(), contact.id.to_bytes());
        let provider = identity.provider.as_str();
        statement.execute(params![tenant, provider, identity.scope, identity.id, key])?;
    }
    Ok(())
}

/// Writes a conversation whole. Most changes leave alone what the indexes of persons, loads and queues hold: then they
/// are not touched. `seen` is the conversation as it is stored, where it was read in this unit.
fn put_conversation(
    c: &Connection,
    names: &mut Names,
    seen: Option<&Conversation>,
    v: &mut Conversation,
) -> rusqlite::Result<()> {
    let contact = v.contact.take();
    let body = json(v);
    v.contact = contact;
    let body = body?;
    let place = |v: &Conversation| queued(v).map(|queue| (queue.team.clone(), queue.since));
    let (key, address, open) = (v.id.to_bytes(), v.address.as_str(), v.is_open());
    let last_message_at = v.last_message_at.as_millis();
    let stays = |seen: &Conversation| {
        seen.id == v.id
            && seen.contact == v.contact
            && agent_of(seen) == agent_of(v)
            && place(seen) == place(v)
    };
    if seen.is_some_and(stays) {
        let sql =
            "UPDATE conversation SET address = ?2, open = ?3, last_message_at = ?4, body = ?5 WHERE id = ?1";
        c.prepare_cached(sql)?.execute(params![key, address, open, last_message_at, body])?;
        return Ok(());
    }
    let channel = names.channel(c, &ChannelKey::new(v.tenant.clone(), v.channel.clone()))?;
    let sql = "INSERT INTO conversation \
               (id, channel, tenant, address, open, last_message_at, contact, agent, team, queued_since, body) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO UPDATE SET \
               address = ?4, open = ?5, last_message_at = ?6, contact = ?7, agent = ?8, team = ?9, \
               queued_since = ?10, body = ?11";
    c.prepare_cached(sql)?.execute(params![
        key,
        channel,
        v.tenant.as_str(),
        address,
        open,
        last_message_at,
        v.contact.map(|id| id.to_bytes()),
        agent_of(v).map(|agent| agent.as_str()),
        queued(v).map(|queue| queue.team.as_str()),
        queued(v).map(|queue| queue.since.as_millis()),
        body
    ])?;
    Ok(())
}

fn put_peer(
    c: &Connection,
    names: &mut Names,
    seen: Option<&PeerRecord>,
    peer: &PeerRecord,
) -> rusqlite::Result<()> {
    let channel = names.channel(c, &peer.key.channel_key())?;
    let (address, reach) = (peer.key.address.as_str(), rows::reach(peer.reach));
    let conversation = peer.conversation.map(|id| id.to_bytes());
    if seen.is_none_or(|seen| seen.key != peer.key || seen.note != peer.note) {
        put_note(c, channel, address, peer.note.as_ref())?;
    }
    if seen.is_some_and(|seen| seen.key == peer.key && seen.contact == peer.contact) {
        let sql = "UPDATE peer SET conversation = ?3, reach = ?4 WHERE channel = ?1 AND address = ?2";
        c.prepare_cached(sql)?.execute(params![channel, address, conversation, reach])?;
        return Ok(());
    }
    let sql = "INSERT INTO peer (channel, address, contact, conversation, reach) VALUES (?1, ?2, ?3, ?4, ?5) \
               ON CONFLICT DO UPDATE SET contact = ?3, conversation = ?4, reach = ?5";
    let contact = peer.contact.map(|id| id.to_bytes());
    c.prepare_cached(sql)?.execute(params![channel, address, contact, conversation, reach])?;
    Ok(())
}

fn put_note(c: &Connection, channel: i64, address: &str, note: Option<&KeptNote>) -> rusqlite::Result<()> {
    let Some(kept) = note else {
        let sql = "DELETE FROM note WHERE channel = ?1 AND address = ?2";
        return c.prepare_cached(sql)?.execute(params![channel, address]).map(drop);
    };
    let sql = "INSERT INTO note (channel, address, note, at) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT DO UPDATE SET note = ?3, at = ?4";
    let values = params![channel, address, kept.note.as_str(), kept.at.as_millis()];
    c.prepare_cached(sql)?.execute(values).map(drop)
}

/// Lets all that names `from` name `into`.
fn merge(c: &Connection, from: ContactId, into: ContactId) -> rusqlite::Result<()> {
    let (old, new) = (from.to_bytes(), into.to_bytes());
    if let Some(contact) = snapshot::contact(c, from)? {
        let mut statement = c.prepare_cached(
            "UPDATE identity SET contact = ?2 \
             WHERE tenant = ?3 AND provider = ?4 AND scope = ?5 AND id = ?6 AND contact = ?1",
        )?;
        for identity in &contact.identities {
            let (tenant, provider) = (contact.tenant.as_str(), identity.provider.as_str());
            statement.execute(params![old, new, tenant, provider, identity.scope, identity.id])?;
        }
    }
    for sql in [
        "UPDATE peer SET contact = ?2 WHERE contact = ?1",
        "UPDATE conversation SET contact = ?2 WHERE contact = ?1",
    ] {
        c.prepare_cached(sql)?.execute(params![old, new])?;
    }
    c.prepare_cached("DELETE FROM contact WHERE id = ?1")?.execute(params![old])?;
    Ok(())
}

/// The channel of a message: its conversation is nearly always among the changes.
fn channel_of(
    c: &Connection,
    conversation: Option<&Conversation>,
    names: &mut Names,
    message: &MessageRecord,
) -> rusqlite::Result<i64> {
    match conversation {
        Some(v) if v.id == message.conversation => {
            names.channel(c, &ChannelKey::new(v.tenant.clone(), v.channel.clone()))
        }
        _ => c
            .prepare_cached("SELECT channel FROM conversation WHERE id = ?1")?
            .query_row(params![message.conversation.to_bytes()], |row| row.get(0)),
    }
}

fn put_message(c: &Connection, channel: i64, m: &MessageRecord) -> rusqlite::Result<()> {
    let sql = "INSERT INTO message (id, conversation, channel, direction, status, provider_ids, error, album, body) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    c.prepare_cached(sql)?.execute(params![
        m.id.to_bytes(),
        m.conversation.to_bytes(),
        channel,
        u8::from(m.direction == Direction::Out),
        m.status.map(|s| s.rank()),
        ids_json(&m.provider_ids)?,
        m.error.as_ref().map(json).transpose()?,
        m.album.as_ref().map(|a| a.as_str()),
        json(m)?
    ])?;
    put_names(c, channel, m.id.to_bytes(), m.known_as())
}

fn ids_json(ids: &[ProviderMessageId]) -> rusqlite::Result<Option<String>> {
    if ids.is_empty() { Ok(None) } else { json(&ids).map(Some) }
}

fn put_names<'i>(
    c: &Connection,
    channel: i64,
    message: [u8; 16],
    ids: impl Iterator<Item = &'i ProviderMessageId>,
) -> rusqlite::Result<()> {
    let mut statement =
        c.prepare_cached("INSERT OR IGNORE INTO message_name (channel, name, message) VALUES (?1, ?2, ?3)")?;
    for id in ids {
        statement.execute(params![channel, id.as_str(), message])?;
    }
    Ok(())
}

fn change_message(c: &Connection, m: &MessageRecord) -> rusqlite::Result<()> {
    let sql = "UPDATE message SET provider_ids = ?2, album = ?3, body = ?4 WHERE id = ?1 RETURNING channel";
    let changed =
        params![m.id.to_bytes(), ids_json(&m.provider_ids)?, m.album.as_ref().map(|a| a.as_str()), json(m)?];
    let channel: Option<i64> = c.prepare_cached(sql)?.query_row(changed, |row| row.get(0)).optional()?;
    match channel {
        Some(channel) => put_names(c, channel, m.id.to_bytes(), m.known_as()),
        None => Ok(()),
    }
}

/// Raises a status, never lowers it: the rank is the merge (law 6).
fn patch_status(c: &Connection, patch: &StatusPatch) -> rusqlite::Result<()> {
    let sql = "UPDATE message SET error = CASE WHEN status < ?2 THEN ?3 ELSE error END, \
               status = max(status, ?2), provider_ids = coalesce(?4, provider_ids) \
               WHERE id = ?1 RETURNING channel";
    let error = patch.error.as_ref().map(json).transpose()?;
    let ids = ids_json(&patch.provider_ids)?;
    let channel: Option<i64> = c
        .prepare_cached(sql)?
        .query_row(params![patch.message.to_bytes(), patch.status.rank(), error, ids], |row| row.get(0))
        .optional()?;
    match channel {
        Some(channel) => put_names(c, channel, patch.message.to_bytes(), patch.provider_ids.iter()),
        None => Ok(()),
    }
}

fn put_outbox(c: &Connection, names: &mut Names, row: &mut OutboxRecord) -> rusqlite::Result<()> {
    let state = u8::from(row.state == OutboxState::Sending);
    let known = row.attempts > 0 || row.state == OutboxState::Sending || row.due != row.queued_at;
    let message = row.message.to_bytes();
    if known && change_outbox(c, row, state)? {
        return Ok(());
    }
    let owner = row.owner.as_ref().map(|o| o.as_str());
    let channel = names.channel(c, &row.peer.channel_key())?;
    // A row behind rows of another node waits for that node, so the order at the address holds.
    let elsewhere = c
        .prepare_cached(
            "SELECT 1 FROM outbox WHERE channel = ?1 AND address = ?2 AND owner IS NOT ?3 LIMIT 1",
        )?
        .exists(params![channel, row.peer.address.as_str(), owner])?;
    if elsewhere {
        row.owner = None;
    }
    let sql = "INSERT INTO outbox (message, channel, address, conversation, chat, author, guard, queued_at, due, \
               attempts, state, owner) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
               ON CONFLICT DO UPDATE SET due = ?9, attempts = ?10, state = ?11 RETURNING owner";
    let values = params![
        message,
        channel,
        row.peer.address.as_str(),
        row.conversation.to_bytes(),
        rows::chat(row.chat),
        u8::from(row.author == Author::Program),
        unusual(&row.guard, &Guard::default())?,
        row.queued_at.as_millis(),
        row.due.as_millis(),
        row.attempts,
        state,
        row.owner.as_ref().map(|o| o.as_str())
    ];
    let owner: Option<String> = c.prepare_cached(sql)?.query_row(values, |row| row.get(0))?;
    if row.owner.as_ref().map(NodeId::as_str) != owner.as_deref() {
        row.owner = owner.map(NodeId::from);
    }
    Ok(())
}

/// Changes a row that exists, whoever owns it by now and whatever its address is called by now; both are handed
/// back as they are.
fn change_outbox(c: &Connection, row: &mut OutboxRecord, state: u8) -> rusqlite::Result<bool> {
    let sql =
        "UPDATE outbox SET due = ?2, attempts = ?3, state = ?4 WHERE message = ?1 RETURNING owner, address";
    let changed = params![row.message.to_bytes(), row.due.as_millis(), row.attempts, state];
    let found: Option<(Option<String>, String)> =
        c.prepare_cached(sql)?.query_row(changed, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((owner, address)) = found else { return Ok(false) };
    if row.peer.address.as_str() != address {
        row.peer.address = rows::address_of(&address);
    }
    if row.owner.as_ref().map(NodeId::as_str) != owner.as_deref() {
        row.owner = owner.map(NodeId::from);
    }
    Ok(true)
}

fn put_timer(c: &Connection, names: &mut Names, timer: &TimerRecord) -> rusqlite::Result<()> {
    let channel = names.channel(c, &timer.channel)?;
    c.prepare_cached(
        "INSERT INTO timer (token, conversation, channel, kind, due) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        timer.token.to_bytes(),
        timer.conversation.to_bytes(),
        channel,
        unusual(&timer.kind, &rows::USUAL_TIMER)?,
        timer.due.as_millis()
    ])?;
    Ok(())
}

fn rename(
    c: &Connection,
    names: &mut Names,
    from: &PeerKey,
    to: &omni_core::Address,
) -> rusqlite::Result<()> {
    let channel = names.channel(c, &from.channel_key())?;
    let (old, new) = (from.address.as_str(), to.as_str());
    let mut of_peer = c.prepare_cached(&format!(
        "SELECT {CONVERSATION} FROM conversation v WHERE channel = ?1 AND address = ?2"
    ))?;
    let conversations: rusqlite::Result<Vec<Conversation>> =
        of_peer.query_map(params![channel, old], |row| rows::conversation(row, 0))?.collect();
    for mut conversation in conversations? {
        conversation.address = to.clone();
        put_conversation(c, names, None, &mut conversation)?;
    }
    let moved = params![channel, old, new];
    c.prepare_cached("UPDATE outbox SET address = ?3 WHERE channel = ?1 AND address = ?2")?.execute(moved)?;
    // What the new address has already stays.
    for sql in [
        "UPDATE OR IGNORE peer SET address = ?3 WHERE channel = ?1 AND address = ?2",
        "UPDATE OR IGNORE note SET address = ?3 WHERE channel = ?1 AND address = ?2",
    ] {
        c.prepare_cached(sql)?.execute(moved)?;
    }
    for sql in [
        "DELETE FROM peer WHERE channel = ?1 AND address = ?2",
        "DELETE FROM note WHERE channel = ?1 AND address = ?2",
    ] {
        c.prepare_cached(sql)?.execute(params![channel, old])?;
    }
    Ok(())
}

fn put_entry(c: &Connection, entry: &mut Entry) -> rusqlite::Result<()> {
    c.prepare_cached("INSERT INTO journal (at, body) VALUES (?1, ?2)")?
        .execute(params![entry.at.as_millis(), json(entry)?])?;
    entry.seq = u64::try_from(c.last_insert_rowid()).unwrap_or(0);
    Ok(())
}

//! Agents, their loads, and who waits for whom.

use std::collections::BTreeMap;

use omni_core::Timestamp;
use omni_core::id::{AgentId, ChannelId, ConversationId, TeamId, TenantId};
use omni_core::policy::{AgentState, Desk, Queued, Waiting};
use omni_hub::store::AgentPatch;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Deserialize;

use crate::rows::{self, AGENT};

/// One agent, with what they have.
pub(crate) fn agent(c: &Connection, tenant: &TenantId, agent: &AgentId) -> rusqlite::Result<AgentState> {
    let names = params![tenant.as_str(), agent.as_str()];
    let known = c
        .prepare_cached(&format!("SELECT {AGENT} FROM agent a WHERE a.tenant = ?1 AND a.agent = ?2"))?
        .query_row(names, |row| rows::agent(row, 0))
        .optional()?;
    let mut statement = c.prepare_cached(
        "SELECT n.channel, count(*) FROM conversation v JOIN channel n ON n.id = v.channel \
         WHERE v.tenant = ?1 AND v.agent = ?2 GROUP BY v.channel",
    )?;
    let load = statement.query_map(names, |row| load(row, 0))?.collect::<rusqlite::Result<_>>()?;
    Ok(AgentState { load, ..known.unwrap_or_default() })
}

/// A channel and how many conversations, from two columns.
fn load(row: &Row<'_>, first: usize) -> rusqlite::Result<(ChannelId, u32)> {
    Ok((ChannelId::from(row.get::<_, String>(first)?), row.get(first + 1)?))
}

/// All of a tenant, as of one moment.
pub(crate) fn desk(c: &Connection, tenant: &TenantId) -> rusqlite::Result<Desk> {
    let c = c.unchecked_transaction()?;
    let tenant = params![tenant.as_str()];
    let mut statement =
        c.prepare_cached(&format!("SELECT a.agent, {AGENT} FROM agent a WHERE a.tenant = ?1"))?;
    let known = statement.query_map(tenant, |row| Ok((name(row)?, rows::agent(row, 1)?)))?;
    let mut agents: BTreeMap<AgentId, AgentState> = known.collect::<rusqlite::Result<_>>()?;
    let mut statement = c.prepare_cached(
        "SELECT v.agent, n.channel, count(*) FROM conversation v JOIN channel n ON n.id = v.channel \
         WHERE v.tenant = ?1 AND v.agent IS NOT NULL GROUP BY v.agent, v.channel",
    )?;
    for loaded in statement.query_map(tenant, |row| Ok((name(row)?, load(row, 1)?)))? {
        let (agent, load) = loaded?;
        agents.entry(agent).or_default().load.extend([load]);
    }
    let mut statement = c.prepare_cached(
        "SELECT team, count(*) FROM conversation WHERE tenant = ?1 AND team IS NOT NULL GROUP BY team",
    )?;
    let waiting =
        statement.query_map(tenant, |row| Ok((TeamId::from(row.get::<_, String>(0)?), row.get(1)?)))?;
    Ok(Desk { agents, waiting: waiting.collect::<rusqlite::Result<_>>()? })
}

fn name(row: &Row<'_>) -> rusqlite::Result<AgentId> {
    row.get::<_, String>(0).map(AgentId::from)
}

/// What of a conversation's body a queue wants to know.
#[derive(Deserialize)]
struct Body {
    channel: ChannelId,
    flow: Flow,
}

#[derive(Deserialize)]
struct Flow {
    queue: Queued,
}

/// Who waits for a team, the longest waiting first.
pub(crate) fn waiting(
    c: &Connection,
    tenant: &TenantId,
    team: &TeamId,
    limit: usize,
) -> rusqlite::Result<Vec<Waiting>> {
    let mut statement = c.prepare_cached(
        "SELECT id, body FROM conversation WHERE tenant = ?1 AND team = ?2 ORDER BY queued_since, id LIMIT ?3",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found = statement.query_map(params![tenant.as_str(), team.as_str(), limit], |row| {
        let Body { channel, flow } = rows::from_json(row, 1)?;
        Ok(Waiting { conversation: ConversationId::from_bytes(row.get(0)?), channel, queue: flow.queue })
    })?;
    found.collect()
}

/// Takes note of what is news of an agent.
pub(crate) fn patch(c: &Connection, patch: &AgentPatch) -> rusqlite::Result<()> {
    // Without news of it an agent is offline since ever.
    let unknown = AgentState::default();
    let (presence, since) = patch.presence.unwrap_or((unknown.presence, unknown.since));
    c.prepare_cached(
        "INSERT INTO agent (tenant, agent, presence, since, assigned_at, freed_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET \
         presence = CASE WHEN ?7 AND ?4 >= since THEN ?3 ELSE presence END, \
         since = CASE WHEN ?7 THEN max(since, ?4) ELSE since END, \
         assigned_at = max(coalesce(assigned_at, ?5), coalesce(?5, assigned_at)), \
         freed_at = max(coalesce(freed_at, ?6), coalesce(?6, freed_at))",
    )?
    .execute(params![
        patch.tenant.as_str(),
        patch.agent.as_str(),
        rows::presence(presence),
        since.as_millis(),
        patch.assigned_at.map(Timestamp::as_millis),
        patch.freed_at.map(Timestamp::as_millis),
        patch.presence.is_some()
    ])?;
    Ok(())
}

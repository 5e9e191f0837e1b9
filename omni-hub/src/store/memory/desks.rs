//! Agents, their loads and the queues of teams. Conversations that nobody has and that wait for no team leave no trace
//! here.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use omni_core::id::{AgentId, ChannelId, ConversationId, TeamId, TenantId};
use omni_core::policy::{AgentState, Desk};
use omni_core::{Conversation, Timestamp};

use crate::store::{AgentPatch, agent_of, queued};

#[derive(Default)]
pub(super) struct Desks {
    tenants: HashMap<TenantId, Tenant>,
}

#[derive(Default)]
struct Tenant {
    /// Those ever heard of; their loads are beside.
    agents: BTreeMap<AgentId, AgentState>,
    loads: BTreeMap<AgentId, BTreeMap<ChannelId, u32>>,
    queues: BTreeMap<TeamId, BTreeSet<(Timestamp, ConversationId)>>,
}

impl Desks {
    /// Takes note of what a conversation was and is.
    pub(super) fn changed(&mut self, old: Option<&Conversation>, new: &Conversation) {
        let (had, has) = (old.and_then(agent_of), agent_of(new));
        let place = |c| queued(c).map(|queue| (&queue.team, queue.since));
        let (waited, waits) = (old.and_then(place), place(new));
        if had == has && waited == waits {
            return;
        }
        let tenant = self.tenants.entry(new.tenant.clone()).or_default();
        if had != has {
            had.into_iter().for_each(|agent| tenant.unload(agent, &new.channel));
            has.into_iter().for_each(|agent| tenant.load(agent, &new.channel));
        }
        if let Some((team, since)) = waited {
            tenant.leave(team, since, new.id);
        }
        if let Some((team, since)) = waits {
            tenant.queues.entry(team.clone()).or_default().insert((since, new.id));
        }
    }

    pub(super) fn patch(&mut self, patch: &AgentPatch) {
        let tenant = self.tenants.entry(patch.tenant.clone()).or_default();
        let agent = tenant.agents.entry(patch.agent.clone()).or_default();
        if let Some((presence, since)) = patch.presence.filter(|(_, since)| *since >= agent.since) {
            (agent.presence, agent.since) = (presence, since);
        }
        agent.assigned_at = agent.assigned_at.max(patch.assigned_at);
        agent.freed_at = agent.freed_at.max(patch.freed_at);
    }

    pub(super) fn agent(&self, tenant: &TenantId, agent: &AgentId) -> AgentState {
        self.tenants.get(tenant).map(|tenant| tenant.agent(agent)).unwrap_or_default()
    }

    pub(super) fn desk(&self, tenant: &TenantId) -> Desk {
        let Some(tenant) = self.tenants.get(tenant) else { return Desk::empty() };
        let known: BTreeSet<&AgentId> = tenant.agents.keys().chain(tenant.loads.keys()).collect();
        let length = |queue: &BTreeSet<_>| u32::try_from(queue.len()).unwrap_or(u32::MAX);
        Desk {
            agents: known.into_iter().map(|agent| (agent.clone(), tenant.agent(agent))).collect(),
            waiting: tenant.queues.iter().map(|(team, queue)| (team.clone(), length(queue))).collect(),
        }
    }

    /// Who waits for a team, the longest waiting first.
    pub(super) fn queue(&self, tenant: &TenantId, team: &TeamId) -> impl Iterator<Item = ConversationId> {
        let queue = self.tenants.get(tenant).and_then(|tenant| tenant.queues.get(team));
        queue.into_iter().flatten().map(|(_, conversation)| *conversation)
    }
}

impl Tenant {
    fn agent(&self, agent: &AgentId) -> AgentState {
        let state = self.agents.get(agent).cloned().unwrap_or_default();
        AgentState { load: self.loads.get(agent).cloned().unwrap_or_default(), ..state }
    }

    fn load(&mut self, agent: &AgentId, channel: &ChannelId) {
        let loads = self.loads.entry(agent.clone()).or_default();
        *loads.entry(channel.clone()).or_default() += 1;
    }

    fn unload(&mut self, agent: &AgentId, channel: &ChannelId) {
        let Some(loads) = self.loads.get_mut(agent) else { return };
        if let Some(count) = loads.get_mut(channel) {
            *count = count.saturating_sub(1);
        }
        loads.retain(|_, count| *count > 0);
        if loads.is_empty() {
            self.loads.remove(agent);
        }
    }

    fn leave(&mut self, team: &TeamId, since: Timestamp, conversation: ConversationId) {
        let Some(queue) = self.queues.get_mut(team) else { return };
        queue.remove(&(since, conversation));
        if queue.is_empty() {
            self.queues.remove(team);
        }
    }
}

//! Agents: who is there, and how waiting conversations are shared out among them.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};

use omni_core::conversation::Actor;
use omni_core::id::{AgentId, ContactId, ConversationId, TeamId, TenantId};
use omni_core::policy::book::BadBook;
use omni_core::policy::{Book, Desk, Engines, Placement, Presence, Waiting, distribute, next_for};
use tracing::warn;

use crate::decide;
use crate::hub::{Hub, HubError, Inner};
use crate::store::{Applied, Batch, Changes, Lookup, StoreResult, Target, Unit};
use crate::tenant::Tenant;

/// How many waiting conversations of a team are looked at in one go.
const GULP: usize = 500;

impl Hub {
    /// Sets a tenant's book, now or while running: each channel without a policy of its own follows it from the next
    /// event on. What waits already keeps the steps it began with.
    ///
    /// # Errors
    /// All that the linter finds wrong with it; the former book stays in place.
    pub fn set_book(&self, tenant: impl Into<TenantId>, book: Book) -> Result<(), BadBook> {
        let (id, engines) = (tenant.into(), Engines::new(book)?);
        self.inner.tenant(&id).set_engines(engines.clone());
        let lines = self.inner.lines.read().unwrap_or_else(PoisonError::into_inner);
        for (key, line) in lines.iter().filter(|(key, _)| key.tenant == id) {
            line.follow_book(Arc::new(engines.channel(&key.channel)));
        }
        drop(lines);
        self.inner.look_at(&id);
        Ok(())
    }

    /// A tenant's book.
    pub fn book(&self, tenant: &TenantId) -> Option<Arc<Book>> {
        self.inner.tenant(tenant).book()
    }

    /// Says whether an agent is there. Conversations that wait are shared out anew.
    ///
    /// # Errors
    /// [`HubError::Store`].
    pub async fn set_presence(
        &self,
        tenant: impl Into<TenantId>,
        agent: impl Into<AgentId>,
        presence: Presence,
    ) -> Result<(), HubError> {
        let (tenant, agent, now) = (tenant.into(), agent.into(), self.inner.now());
        let known = vec![Lookup::Agent(tenant.clone(), agent.clone())];
        let unit = Unit::new(Target::Nothing, move |snapshot| {
            decide::set_presence(&tenant, &agent, presence, now, snapshot)
        });
        self.inner.commit(unit.with_lookups(known)).await.map(drop)
    }

    /// A tenant's agents as they are now, with their loads, and how many conversations wait for each team.
    ///
    /// # Errors
    /// [`HubError::Store`].
    pub async fn desk(&self, tenant: &TenantId) -> Result<Desk, HubError> {
        Ok(self.inner.store.desk(tenant).await?)
    }

    /// Gives an agent the conversation that waits longest, of those they can take; `None` when there is none.
    ///
    /// # Errors
    /// [`HubError::Store`].
    pub async fn pull(
        &self,
        tenant: impl Into<TenantId>,
        agent: impl Into<AgentId>,
    ) -> Result<Option<ConversationId>, HubError> {
        let (tenant, agent) = (tenant.into(), agent.into());
        let Some(book) = self.inner.tenant(&tenant).book() else { return Ok(None) };
        // Lost claims are normal: whoever was faster has that one, and the next one is looked at. One whose channel is
        // not connected here cannot be had either.
        let mut lost = HashSet::new();
        loop {
            let desk = self.inner.store.desk(&tenant).await?;
            let teams = book.teams.iter().filter(|(_, t)| t.members.contains(&agent)).map(|(id, _)| id);
            let mut waiting = self.inner.waiting(&tenant, teams).await?;
            waiting.retain(|w| !lost.contains(&w.conversation));
            let now = self.inner.now();
            let Some(placement) = next_for(&book, &desk, &agent, &waiting, now) else { return Ok(None) };
            let conversation = placement.conversation;
            let by = Actor::Agent { agent: agent.clone() };
            match self.inner.give(&tenant, &book, vec![placement], &by).await? {
                0 => _ = lost.insert(conversation),
                _ => return Ok(Some(conversation)),
            }
        }
    }

    /// Makes one contact of two that are the same person. Conversations of both keep their owners and timers.
    ///
    /// # Errors
    /// [`Refused::NoContact`](crate::store::Refused::NoContact) when one of them does not exist.
    pub async fn merge_contacts(
        &self,
        tenant: impl Into<TenantId>,
        from: ContactId,
        into: ContactId,
    ) -> Result<(), HubError> {
        let (tenant, now) = (tenant.into(), self.inner.now());
        let unit = Unit::new(Target::Nothing, move |snapshot| {
            decide::merge_contacts(&tenant, from, into, now, snapshot)
        });
        let lookups = vec![Lookup::Contact(from), Lookup::Contact(into)];
        self.inner.commit(unit.with_lookups(lookups)).await.map(drop)
    }
}

impl Inner {
    /// What all channels of a tenant share.
    pub(crate) fn tenant(&self, id: &TenantId) -> Arc<Tenant> {
        if let Some(tenant) = self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(id) {
            return tenant.clone();
        }
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        tenants.entry(id.clone()).or_default().clone()
    }

    /// Something changed that may let a waiting conversation be given out.
    pub(crate) fn look_at(&self, tenant: &TenantId) {
        self.dirty.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant.clone());
        self.desk_changed.notify_one();
    }

    /// After a commit: whether somebody waits, came, left or got free.
    pub(crate) fn look_after(&self, changes: &Changes) {
        let waits =
            changes.conversation.iter().filter(|c| c.is_open() && c.flow.queue.is_some()).map(|c| &c.tenant);
        for tenant in changes.agents.iter().map(|patch| &patch.tenant).chain(waits) {
            self.look_at(tenant);
        }
    }

    async fn waiting(
        &self,
        tenant: &TenantId,
        teams: impl Iterator<Item = &TeamId>,
    ) -> StoreResult<Vec<Waiting>> {
        let mut all = Vec::new();
        for team in teams {
            all.extend(self.store.waiting(tenant, team, GULP).await?);
        }
        Ok(all)
    }

    /// Gives conversations to agents, each only if it still waits and the agent still can. Says how many were given.
    async fn give(
        self: &Arc<Self>,
        tenant: &TenantId,
        book: &Arc<Book>,
        placements: Vec<Placement>,
        by: &Actor,
    ) -> StoreResult<usize> {
        let mut units = Vec::with_capacity(placements.len());
        for placement in placements {
            // A conversation whose channel is not connected here waits for the node that has it.
            let Ok(line) = self.line_of(placement.conversation).await else { continue };
            let (env, book, now, by) = (line.env(), book.clone(), self.now(), by.clone());
            let agent = Lookup::Agent(tenant.clone(), placement.agent.clone());
            let unit = Unit::new(Target::Conversation(placement.conversation), move |snapshot| {
                decide::place(&env, now, &book, &placement, &by, snapshot)
            });
            units.push(unit.with_lookups(vec![agent]));
        }
        if units.is_empty() {
            return Ok(0);
        }
        let given =
            |applied: &Applied| matches!(applied, Applied::Done(changes) if changes.refused.is_none());
        Ok(self.apply(Batch { units, cursor: None }).await?.iter().filter(|a| given(a)).count())
    }

    /// Shares out what waits for a tenant's teams, oldest first, until nothing more can be given.
    async fn share_out(self: &Arc<Self>, id: &TenantId) -> StoreResult<()> {
        let tenant = self.tenant(id);
        let Some(book) = tenant.book() else { return Ok(()) };
        loop {
            let desk = self.store.desk(id).await?;
            let waits = |team: &TeamId| desk.waiting.get(team).is_some_and(|n| *n > 0);
            let pushing = book.teams.iter().filter(|(_, t)| t.distribution.pushes()).map(|(id, _)| id);
            let mut waiting = self.waiting(id, pushing.filter(|team| waits(team))).await?;
            // A channel that is switched off hands nothing out.
            waiting.retain(|w| book.channel(&w.channel).enabled);
            let placements = distribute(&book, &desk, &waiting, self.now());
            tenant.set_desk(desk);
            let by = Actor::Rule { rule: "routing".to_owned() };
            if placements.is_empty() || self.give(id, &book, placements, &by).await? == 0 {
                return Ok(());
            }
        }
    }
}

/// Shares out waiting conversations: when something changes here, and now and then for what other nodes changed and for
/// what only time changes. Nothing of it is kept in memory, so a crash loses nothing.
pub(crate) async fn keep_desk(hub: Arc<Inner>) {
    loop {
        let tenants = std::mem::take(&mut *hub.dirty.lock().unwrap_or_else(PoisonError::into_inner));
        for tenant in tenants {
            if let Err(error) = hub.share_out(&tenant).await {
                warn!(%error, %tenant, "waiting conversations were not shared out; it is tried again");
            }
        }
        tokio::select! {
            () = hub.desk_changed.notified() => continue,
            () = hub.pause(hub.settings.lease / 3) => {}
            () = hub.stop.cancelled() => return,
        }
        let tenants = hub.tenants.read().unwrap_or_else(PoisonError::into_inner);
        let with_teams = tenants.iter().filter(|(_, t)| t.book().is_some_and(|book| !book.teams.is_empty()));
        hub.dirty.lock().unwrap_or_else(PoisonError::into_inner).extend(with_teams.map(|(id, _)| id.clone()));
    }
}

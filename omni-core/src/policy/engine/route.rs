//! Who gets a conversation, as far as that is decided without looking at who is free.

use super::turn::Turn;
use crate::conversation::{Actor, Owner, Visibility};
use crate::id::{AgentId, TeamId};
use crate::policy::Queued;
use crate::policy::book::{Distribution, Receiver, Then};

impl Turn<'_> {
    fn by_policy(&self) -> Actor {
        Actor::Rule { rule: self.engine.names.routing.to_string() }
    }

    /// Only this agent sees it, and has it.
    pub(super) fn pin(&mut self, agent: AgentId) {
        self.show(Visibility::Agent { agent: agent.clone() });
        self.own(
            Owner::Agent { agent: agent.clone() },
            Actor::Rule { rule: self.engine.names.pinned.to_string() },
        );
        self.applied(&self.engine.names.pinned, format!("the channel is pinned to {agent}"));
    }

    /// Lets the channel's receiver have it, unless somebody has it already.
    pub(super) fn route(&mut self) {
        let names = &self.engine.names;
        if let Owner::Agent { agent } = &*self.owner
            && self.is_gone(agent)
        {
            let agent = agent.clone();
            self.applied(&names.routing, format!("{agent} is not among the agents any more"));
            self.leave_owner();
        }
        if *self.owner != Owner::Nobody || self.flow().queue.is_some() {
            return;
        }
        let by = self.by_policy();
        match &self.engine.policy.receiver {
            None => {}
            Some(Receiver::Agent(agent)) if self.is_gone(agent) => {
                self.dropped(&names.routing, format!("there is no agent {agent:?}: everyone sees it"));
            }
            Some(Receiver::Agent(agent)) => {
                self.applied(&names.routing, format!("the channel's conversations go to {agent}"));
                self.own(Owner::Agent { agent: agent.clone() }, by);
            }
            Some(Receiver::Bot(_)) if self.flow().handed_over => {
                self.skipped(&names.routing, "the bot has handed over to people");
            }
            Some(Receiver::Bot(bot)) => {
                self.applied(&names.routing, format!("the channel's conversations go to the bot {bot}"));
                self.own(Owner::Bot { bot: bot.clone() }, by);
            }
            Some(Receiver::Team(team)) if !self.engine.book.teams.contains_key(team) => {
                self.dropped(&names.routing, format!("there is no team {team:?}: everyone sees it"));
            }
            Some(Receiver::Team(team)) => {
                self.applied(&names.routing, format!("the channel's conversations go to the team {team}"));
                self.enqueue(team.clone(), Vec::new(), by);
            }
        }
    }

    /// A closed conversation is opened again: whether its agent still can have it is a matter of policy.
    pub(super) fn come_back(&mut self) {
        let absent = &self.engine.policy.absent;
        let agent = match &*self.owner {
            Owner::Agent { agent } => agent.clone(),
            // It waited when it was closed, and waits again.
            Owner::Team { team } if self.engine.book.teams.contains_key(team) => {
                let (team, by) = (team.clone(), self.by_policy());
                self.applied(&self.engine.names.routing, format!("it waits for the team {team} again"));
                return self.enqueue(team, Vec::new(), by);
            }
            Owner::Team { .. } => {
                self.leave_owner();
                return self.route();
            }
            _ => return self.route(),
        };
        if self.is_gone(&agent) {
            return self.route();
        }
        // A host that tells nothing of its agents leaves everything where it is.
        let Some(state) = self.cx.desk.agent(&agent) else {
            return if self.cx.desk.agents.is_empty() {
                self.route()
            } else {
                self.send_on(&agent, absent.offline, "is not there")
            };
        };
        if state.presence != crate::policy::Presence::Online {
            return self.send_on(&agent, absent.offline, "is not there");
        }
        let capacity = self.engine.book.agents.get(&agent);
        let full = capacity.is_some_and(|a| {
            let here = state.load.get(&self.c.channel).copied().unwrap_or(0);
            a.capacity.is_some_and(|most| state.total() >= most)
                || a.capacity_of.get(&self.c.channel).is_some_and(|most| here >= *most)
        });
        if full {
            self.send_on(&agent, absent.full, "has as many as they may have");
        } else {
            self.applied(&self.engine.names.routing, format!("it goes on with {agent}"));
        }
    }

    fn send_on(&mut self, agent: &AgentId, then: Then, why: &str) {
        let routing = &self.engine.names.routing;
        match then {
            Then::Keep => self.applied(routing, format!("{agent} {why}, and keeps it")),
            // The channel gives it to that agent alone: there is nobody else.
            Then::Reroute if self.engine.policy.pinned.is_some() => {
                self.applied(routing, format!("{agent} {why}, but the channel is pinned"));
            }
            Then::Reroute => {
                self.applied(routing, format!("{agent} {why}: it is routed anew"));
                let team = self.flow().team.clone();
                self.leave_owner();
                match team.filter(|team| self.engine.book.teams.contains_key(team)) {
                    Some(team) if self.engine.policy.receiver.is_none() => {
                        let by = self.by_policy();
                        self.enqueue(team, Vec::new(), by);
                    }
                    _ => self.route(),
                }
                if *self.owner == Owner::Nobody {
                    self.show(Visibility::Everyone);
                }
            }
        }
    }

    /// Whether an agent is not among those of the book. A book without agents knows them all.
    fn is_gone(&self, agent: &AgentId) -> bool {
        let agents = &self.engine.book.agents;
        !agents.is_empty() && !agents.contains_key(agent)
    }

    /// Whether somebody of a team is there.
    pub(super) fn is_staffed(&self, team: &TeamId) -> bool {
        let members = self.engine.book.teams.get(team).map(|t| t.members.as_slice()).unwrap_or_default();
        members.iter().any(|agent| self.cx.desk.is_online(agent))
    }

    /// Lets it wait for a team. Its waiting time goes on when it has waited for another one.
    pub(super) fn enqueue(&mut self, team: TeamId, skills: Vec<String>, by: Actor) {
        let Some(settings) = self.engine.book.teams.get(&team) else { return };
        let now = self.now;
        let known = self.memory().agent.clone();
        let sticky = known.filter(|(agent, at)| {
            settings.sticky.is_some_and(|age| now < *at + age) && settings.members.contains(agent)
        });
        let visible = match settings.distribution {
            Distribution::Pull => Visibility::Owner,
            _ => Visibility::Team { team: team.clone() },
        };
        let flow = self.flow_mut();
        let former = flow.queue.take();
        let mut passed = former.as_ref().map(|q| q.passed.clone()).unwrap_or_default();
        passed.extend(former.as_ref().map(|q| q.team.clone()).filter(|from| *from != team));
        flow.queue = Some(Queued {
            team: team.clone(),
            since: former.as_ref().map_or(now, |q| q.since),
            joined: now,
            skills,
            prefer: sticky.map(|(agent, _)| agent),
            excluded: flow.missed.clone(),
            passed,
        });
        flow.team = Some(team.clone());
        flow.assigned_at = None;
        self.show(visible);
        self.own(Owner::Team { team }, by);
    }

    pub(super) fn leave_queue(&mut self) {
        if self.flow().queue.is_some() {
            self.flow_mut().queue = None;
        }
    }

    /// Nobody has it, everyone sees it.
    pub(super) fn release(&mut self) {
        self.leave_owner();
        self.show(Visibility::Everyone);
    }

    fn leave_owner(&mut self) {
        self.leave_queue();
        if self.flow().assigned_at.is_some() {
            self.flow_mut().assigned_at = None;
        }
        let by = self.by_policy();
        self.own(Owner::Nobody, by);
    }

    /// Somebody gave it to somebody; the conversation holds that already.
    pub(super) fn given(&mut self, to: &Owner, by: &Actor) {
        match to {
            Owner::Agent { agent } => {
                self.leave_queue();
                // Given out by the engine, nobody has looked at it yet: what a bot is asked may still help.
                if !matches!(by, Actor::Rule { .. }) {
                    self.drop_ask("a person took over");
                }
                let took = matches!(by, Actor::Agent { agent: taker } if taker == agent);
                let now = self.now;
                self.flow_mut().assigned_at = (!took).then_some(now);
            }
            Owner::Team { team } => {
                self.drop_ask("it went to a team");
                if self.engine.book.teams.contains_key(team) {
                    self.applied(&self.engine.names.routing, "it waits for the team it was given to");
                    self.enqueue(team.clone(), Vec::new(), by.clone());
                } else {
                    self.leave_queue();
                }
            }
            Owner::Bot { .. } | Owner::Nobody => {
                self.leave_queue();
                self.flow_mut().assigned_at = None;
                if *to == Owner::Nobody {
                    self.drop_ask("it was given back");
                }
            }
        }
    }

    /// The agent it was given to did not answer in time: somebody else gets it.
    pub(super) fn take_away(&mut self) {
        let Owner::Agent { agent } = &*self.owner else { return };
        let (agent, team) = (agent.clone(), self.flow().team.clone());
        let Some(team) = team else { return };
        self.applied(
            &self.engine.names.routing,
            format!("{agent} did not answer in time: somebody else gets it"),
        );
        let (now, by) = (self.now, self.by_policy());
        let since = self.flow().waits_since.unwrap_or(now);
        self.flow_mut().missed.push(agent);
        self.enqueue(team, Vec::new(), by);
        if let Some(queue) = &mut self.flow_mut().queue {
            queue.since = since;
            queue.prefer = queue.prefer.take().filter(|agent| !queue.excluded.contains(agent));
        }
    }

    /// A team's time for a waiting conversation is over.
    pub(super) fn overflow(&mut self, to: TeamId) {
        self.applied(&self.engine.names.routing, format!("it has waited too long: the team {to} gets it"));
        let skills = self.flow().queue.as_ref().map(|q| q.skills.clone()).unwrap_or_default();
        let by = self.by_policy();
        self.enqueue(to, skills, by);
    }
}

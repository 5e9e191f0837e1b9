//! What happened in the week, added up from the host event log and from nothing else, as a host would do it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use omni::core::conversation::{Actor, CloseReason, Owner};
use omni::core::policy::{ClockKind, ClockNews, Trace, Verdict};
use omni::core::{AgentId, ConversationId, MessageId, TeamId};
use omni::hub::{Entry, HostEvent};
use omni::{EventBody, Status, Timestamp};

/// One conversation.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) channel: String,
    pub(crate) opened_at: Timestamp,
    pub(crate) reopened: u64,
    /// Why, and by whom, for each closing.
    pub(crate) closed: Vec<(String, &'static str)>,
    pub(crate) open: bool,
    /// When a person of the business first answered.
    pub(crate) answered_at: Option<Timestamp>,
    pub(crate) by_rules: u64,
    pub(crate) by_bots: u64,
    pub(crate) breached: BTreeSet<&'static str>,
    pub(crate) met: BTreeSet<&'static str>,
    pub(crate) owner: Owner,
    /// The team that it last waited for, and since when while it still does.
    team: Option<(TeamId, Option<Timestamp>)>,
}

/// What one agent did.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(crate) given: u64,
    pub(crate) took: u64,
    pub(crate) answers: u64,
    pub(crate) closed: u64,
    pub(crate) missed: u64,
    pub(crate) open: u64,
    pub(crate) most: u64,
}

/// What became of the conversations that waited for one team.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    pub(crate) joined: u64,
    pub(crate) passed_on: u64,
    /// How long each waited until somebody had it.
    pub(crate) until_given: Vec<Duration>,
    /// How long people waited for the first answer, where it was this team's.
    pub(crate) until_answered: Vec<Duration>,
}

/// What one bot did.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) asked: u64,
    pub(crate) outcomes: BTreeMap<&'static str, u64>,
}

/// The week, added up.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) cases: BTreeMap<ConversationId, Case>,
    pub(crate) agents: BTreeMap<AgentId, Work>,
    pub(crate) teams: BTreeMap<TeamId, Queue>,
    pub(crate) bots: BTreeMap<String, Asked>,
    /// What was not done: reason, then which rules how often.
    pub(crate) dropped: BTreeMap<String, BTreeMap<String, u64>>,
    pub(crate) outcomes: BTreeMap<&'static str, u64>,
    pub(crate) notices: BTreeMap<String, u64>,
    pub(crate) inbound: BTreeMap<String, u64>,
    ours: BTreeSet<MessageId>,
}

impl Ledger {
    pub(crate) fn of(log: &[Entry]) -> Self {
        let mut ledger = Self::default();
        for entry in log {
            ledger.add(entry);
        }
        ledger
    }

    fn add(&mut self, entry: &Entry) {
        self.add_trace(&entry.why);
        if let HostEvent::Notice { topic, .. } = &entry.event {
            *self.notices.entry(topic.clone()).or_default() += 1;
        }
        if let HostEvent::Status { status, .. } = &entry.event {
            *self.outcomes.entry(outcome(*status)).or_default() += 1;
        }
        let (Some(id), Some(channel)) = (entry.conversation, &entry.channel) else { return };
        let case = self.cases.entry(id).or_insert_with(|| Case::begun(channel.as_str(), entry.at));
        match &entry.event {
            HostEvent::Received { event, message: Some(message) } => match &event.body {
                EventBody::Echo(_) if !self.ours.contains(message) => self.answered(id, entry.at, None),
                EventBody::Message(_) | EventBody::Comment(_) | EventBody::Button(_) => {
                    *self.inbound.entry(channel.to_string()).or_default() += 1;
                }
                _ => {}
            },
            HostEvent::Queued { message } => {
                self.ours.insert(message.id);
                match &message.author {
                    Actor::Agent { agent } => self.answered(id, entry.at, Some(agent)),
                    Actor::Bot { .. } => case.by_bots += 1,
                    _ => case.by_rules += 1,
                }
            }
            HostEvent::Reopened { .. } => {
                case.reopened += 1;
                case.open = true;
                self.recount();
            }
            HostEvent::Closed { snapshot, .. } => {
                let end = snapshot.closed.as_ref();
                let reason = end.map(|c| reason(&c.reason)).unwrap_or_default();
                let by = end.map_or("?", |c| actor(&c.by));
                case.closed.push((reason, by));
                (case.open, case.team) = (false, case.team.take().map(|(team, _)| (team, None)));
                if let Some(Actor::Agent { agent }) = end.map(|c| &c.by) {
                    self.agents.entry(agent.clone()).or_default().closed += 1;
                }
                self.recount();
            }
            HostEvent::Waiting { team, .. } => self.waits(id, team, entry),
            HostEvent::Assigned { to, by } => self.assigned(id, to, by, entry.at),
            HostEvent::Clock { clock, news, .. } => match news {
                ClockNews::Breached => drop(case.breached.insert(promise(*clock))),
                ClockNews::Met => drop(case.met.insert(promise(*clock))),
                _ => {}
            },
            HostEvent::BotAsked { bot, .. } => self.bots.entry(bot.to_string()).or_default().asked += 1,
            _ => {}
        }
    }

    /// What rules and bots would have done, and did not.
    fn add_trace(&mut self, why: &Trace) {
        for step in &why.steps {
            let because = step.because.as_str();
            if step.verdict == Verdict::Dropped {
                let rules = self.dropped.entry(because.to_owned()).or_default();
                *rules.entry(step.rule.to_string()).or_default() += 1;
            }
            if step.rule.as_str() != "bot" || step.verdict == Verdict::Skipped {
                continue;
            }
            let outcome = match because {
                "the bot answered" => "answered",
                "the bot hands over to people" => "handed over",
                _ if because.starts_with("the bot failed") => "failed",
                _ if because.contains("did not answer in time") => "too slow",
                _ if step.verdict == Verdict::Dropped => "not needed any more",
                _ => continue,
            };
            // The book of this week has one bot; a host with several takes the name out of `BotAnswered`.
            if let Some(asked) = self.bots.values_mut().next() {
                *asked.outcomes.entry(outcome).or_default() += 1;
            }
        }
    }

    /// A person of the business answered; who, where they did it at the desk.
    fn answered(&mut self, id: ConversationId, at: Timestamp, agent: Option<&AgentId>) {
        if let Some(agent) = agent {
            self.agents.entry(agent.clone()).or_default().answers += 1;
        }
        let Some(case) = self.cases.get_mut(&id) else { return };
        if case.answered_at.is_none() {
            case.answered_at = Some(at);
            if let Some((team, _)) = &case.team {
                let waited = at.since(case.opened_at);
                self.teams.entry(team.clone()).or_default().until_answered.push(waited);
            }
        }
    }

    fn waits(&mut self, id: ConversationId, team: &TeamId, entry: &Entry) {
        let Some(case) = self.cases.get_mut(&id) else { return };
        let taken_away = |w: &str| w.contains("did not answer in time: somebody else");
        if let Owner::Agent { agent } = &case.owner
            && entry.why.steps.iter().any(|s| s.rule.as_str() == "routing" && taken_away(s.because.as_str()))
        {
            self.agents.entry(agent.clone()).or_default().missed += 1;
        }
        if let Some((from, Some(_))) = &case.team
            && from != team
        {
            self.teams.entry(from.clone()).or_default().passed_on += 1;
        }
        case.team = Some((team.clone(), Some(entry.at)));
        self.teams.entry(team.clone()).or_default().joined += 1;
    }

    fn assigned(&mut self, id: ConversationId, to: &Owner, by: &Actor, at: Timestamp) {
        let Some(case) = self.cases.get_mut(&id) else { return };
        case.owner = to.clone();
        if let Owner::Agent { agent } = to {
            if let Some((team, since @ Some(_))) = &mut case.team {
                let waited = since.take().map(|since| at.since(since)).unwrap_or_default();
                self.teams.entry(team.clone()).or_default().until_given.push(waited);
            }
            let work = self.agents.entry(agent.clone()).or_default();
            match by {
                Actor::Agent { .. } => work.took += 1,
                _ => work.given += 1,
            }
        }
        self.recount();
    }

    /// How many open conversations everybody has now.
    fn recount(&mut self) {
        self.agents.values_mut().for_each(|work| work.open = 0);
        for case in self.cases.values().filter(|case| case.open) {
            if let Owner::Agent { agent } = &case.owner {
                self.agents.entry(agent.clone()).or_default().open += 1;
            }
        }
        self.agents.values_mut().for_each(|work| work.most = work.most.max(work.open));
    }
}

impl Case {
    fn begun(channel: &str, at: Timestamp) -> Self {
        Self {
            channel: channel.to_owned(),
            opened_at: at,
            reopened: 0,
            closed: Vec::new(),
            open: true,
            answered_at: None,
            by_rules: 0,
            by_bots: 0,
            breached: BTreeSet::new(),
            met: BTreeSet::new(),
            owner: Owner::Nobody,
            team: None,
        }
    }

    /// How long the person waited for the first answer of a person.
    pub(crate) fn waited(&self) -> Option<Duration> {
        self.answered_at.map(|at| at.since(self.opened_at))
    }
}

fn promise(clock: ClockKind) -> &'static str {
    clock.as_str()
}

fn reason(reason: &CloseReason) -> String {
    match reason {
        CloseReason::Done => "done".to_owned(),
        CloseReason::Inactive => "silence".to_owned(),
        CloseReason::Other(other) => other.clone(),
        other => format!("{other:?}"),
    }
}

fn actor(by: &Actor) -> &'static str {
    match by {
        Actor::Agent { .. } | Actor::Elsewhere => "people",
        Actor::Rule { .. } => "rules",
        Actor::Bot { .. } => "bots",
        _ => "others",
    }
}

fn outcome(status: Status) -> &'static str {
    match status {
        Status::Failed => "refused or failed",
        Status::Unknown => "unknown for a while",
        Status::Expired => "expired",
        Status::Dropped => "dropped at the last moment",
        _ => "sent",
    }
}

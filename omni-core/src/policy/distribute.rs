//! Who gets which waiting conversation: pure, from what is set and what is.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::book::{Agent, Distribution, Team};
use crate::conversation::Conversation;
use crate::id::{AgentId, ChannelId, ConversationId, TeamId};
use crate::policy::{AgentState, Book, Desk, Presence, Queued, Words};
use crate::time::Timestamp;

/// A conversation that waits for somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Which.
    pub conversation: ConversationId,
    /// Over which channel.
    pub channel: ChannelId,
    /// For whom.
    pub queue: Queued,
}

impl Waiting {
    /// That a conversation waits; absent when it does not, or is closed.
    pub fn of(conversation: &Conversation) -> Option<Self> {
        let queue = conversation.flow.queue.clone().filter(|_| conversation.is_open())?;
        Some(Self { conversation: conversation.id, channel: conversation.channel.clone(), queue })
    }

    /// The place in the queue: the longest waiting first, of those of one moment the oldest conversation.
    fn place(&self) -> (Timestamp, ConversationId) {
        (self.queue.since, self.conversation)
    }
}

/// Who is to get a waiting conversation. A proposal: it holds only if the conversation still waits and the agent still
/// can ([`eligible`]), looked at in the transaction that gives it to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Which.
    pub conversation: ConversationId,
    /// To whom.
    pub agent: AgentId,
    /// The agent's [`AgentState::assigned_at`] from then on. The time of the call, or a few milliseconds later: no two
    /// placements share one and none is before an earlier one, so that round robin is exact however many
    /// conversations are given out at once.
    pub at: Timestamp,
    /// Why, for the trace.
    pub because: Words,
}

/// Shares out waiting conversations, the longest waiting first, to agents who can take them. Those for whom nobody is
/// free stay, and do not hold up those behind them that somebody else could take. Teams whose distribution does not
/// hand out are left alone.
///
/// For one conversation, in this order:
///
/// 1. Only members of its team who are [`eligible`] come into question, with the load that earlier placements of this
///    call have left them.
/// 2. Those who had it and did not answer ([`Queued::excluded`]) are passed over while another member with the skills
///    is there, be they busy: it waits for them. When nobody else is there it goes to the one who missed it longest
///    ago, so that it never starves because everyone has missed it once; the last mention in the list counts.
/// 3. [`Queued::prefer`] gets it.
/// 4. Else the team's distribution decides. [`RoundRobin`](Distribution::RoundRobin): the smallest
///    [`assigned_at`](AgentState::assigned_at), those never given one first. [`LeastLoaded`](Distribution::LeastLoaded):
///    the smallest share of the capacity in use; who has no limit counts as having the largest one set in the team,
///    so where nobody has one the smallest number of conversations decides.
///    [`LongestIdle`](Distribution::LongestIdle): the smallest [`idle_since`](AgentState::idle_since). Equals go by
///    round robin, then by the agent's id.
pub fn distribute(book: &Book, desk: &Desk, waiting: &[Waiting], now: Timestamp) -> Vec<Placement> {
    let mut floor = Floor::new(book, desk, now);
    in_order(waiting).into_iter().filter_map(|waiting| floor.place(waiting)).collect()
}

/// The conversation an agent gets who asks for the next one: the longest waiting of all their teams, however these share
/// out, for which they are [`eligible`]. Having missed it before is no obstacle. Who is not online gets none: a host lets
/// whoever asks come online first.
pub fn next_for(
    book: &Book,
    desk: &Desk,
    agent: &AgentId,
    waiting: &[Waiting],
    now: Timestamp,
) -> Option<Placement> {
    let floor = Floor::new(book, desk, now);
    let state = floor.state(agent);
    let next =
        waiting.iter().filter(|w| given(book, agent, state, w, now).is_ok()).min_by_key(|w| w.place())?;
    Some(Placement {
        conversation: next.conversation,
        agent: agent.clone(),
        at: floor.next_at,
        because: "asked for the next one, and it has waited longest".into(),
    })
}

/// Whether an agent can be given a conversation that waits: they are a member of its team and online, have the skills
/// asked for (unless [`Team::relax_skills`] has passed since it joined the team's queue), and room in all and on its
/// channel. That they missed it before is no obstacle here: [`distribute`] weighs it.
///
/// # Errors
/// Why not, in words for the trace.
pub fn eligible(
    book: &Book,
    agent: &AgentId,
    state: &AgentState,
    waiting: &Waiting,
    now: Timestamp,
) -> Result<(), Words> {
    given(book, agent, state, waiting, now).map_err(Words::from)
}

/// Why an agent is not given a conversation. Made into words only where somebody reads them.
enum Obstacle<'a> {
    NoTeam(&'a TeamId),
    NoMember,
    Away,
    Offline,
    Skill(&'a str),
    Full(u32),
    FullOn(&'a ChannelId, u32),
}

impl fmt::Display for Obstacle<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Obstacle::NoTeam(team) => write!(f, "there is no team {team}"),
            Obstacle::NoMember => f.write_str("not a member of the team"),
            Obstacle::Away => f.write_str("away"),
            Obstacle::Offline => f.write_str("not there"),
            Obstacle::Skill(skill) => write!(f, "does not have the skill {skill}"),
            Obstacle::Full(capacity) => write!(f, "has {capacity} conversations, as many as they may"),
            Obstacle::FullOn(channel, capacity) => {
                write!(f, "has {capacity} conversations of {channel}, as many as they may")
            }
        }
    }
}

impl From<Obstacle<'_>> for Words {
    fn from(obstacle: Obstacle<'_>) -> Self {
        match obstacle {
            Obstacle::NoMember => "not a member of the team".into(),
            Obstacle::Away => "away".into(),
            Obstacle::Offline => "not there".into(),
            other => other.to_string().into(),
        }
    }
}

fn given<'a>(
    book: &Book,
    agent: &AgentId,
    state: &AgentState,
    waiting: &'a Waiting,
    now: Timestamp,
) -> Result<(), Obstacle<'a>> {
    let Some(team) = book.teams.get(&waiting.queue.team) else {
        return Err(Obstacle::NoTeam(&waiting.queue.team));
    };
    if !team.members.contains(agent) {
        return Err(Obstacle::NoMember);
    }
    match state.presence {
        Presence::Online => {}
        Presence::Away => return Err(Obstacle::Away),
        Presence::Offline => return Err(Obstacle::Offline),
    }
    let set = book.agents.get(agent);
    if let Some(skill) = missing_skill(team, set, &waiting.queue, now) {
        return Err(Obstacle::Skill(skill));
    }
    if let Some(capacity) = set.and_then(|a| a.capacity).filter(|capacity| state.total() >= *capacity) {
        return Err(Obstacle::Full(capacity));
    }
    let here = state.load.get(&waiting.channel).copied().unwrap_or(0);
    let of_channel = set.and_then(|a| a.capacity_of.get(&waiting.channel));
    match of_channel.filter(|capacity| here >= **capacity) {
        Some(capacity) => Err(Obstacle::FullOn(&waiting.channel, *capacity)),
        None => Ok(()),
    }
}

/// The first skill asked for that an agent does not have, while skills count.
fn missing_skill<'a>(team: &Team, set: Option<&Agent>, queue: &'a Queued, now: Timestamp) -> Option<&'a str> {
    if team.relax_skills.is_some_and(|after| now >= queue.joined + after) {
        return None;
    }
    let has = |skill: &&String| set.is_some_and(|a| a.skills.contains(skill));
    queue.skills.iter().find(|skill| !has(skill)).map(String::as_str)
}

/// The longest waiting first.
fn in_order(waiting: &[Waiting]) -> Vec<&Waiting> {
    let mut all: Vec<&Waiting> = waiting.iter().collect();
    all.sort_by_key(|w| w.place());
    all
}

/// The desk while conversations are given out.
struct Floor<'a> {
    book: &'a Book,
    desk: &'a Desk,
    now: Timestamp,
    /// Those who were given something by this call.
    busier: BTreeMap<&'a AgentId, AgentState>,
    next_at: Timestamp,
}

/// An agent never heard of.
static STRANGER: AgentState = AgentState {
    presence: Presence::Offline,
    since: Timestamp::from_millis(0),
    assigned_at: None,
    freed_at: None,
    load: BTreeMap::new(),
};

const MILLISECOND: Duration = Duration::from_millis(1);

impl<'a> Floor<'a> {
    fn new(book: &'a Book, desk: &'a Desk, now: Timestamp) -> Self {
        // Behind all that was given out before, also within this millisecond and by a clock ahead of ours.
        let latest = desk.agents.values().filter_map(|a| a.assigned_at).max();
        let next_at = latest.map_or(now, |latest| now.max(latest + MILLISECOND));
        Self { book, desk, now, busier: BTreeMap::new(), next_at }
    }

    fn state(&self, agent: &AgentId) -> &AgentState {
        self.busier.get(agent).or_else(|| self.desk.agent(agent)).unwrap_or(&STRANGER)
    }

    fn place(&mut self, waiting: &Waiting) -> Option<Placement> {
        let book = self.book;
        let team = book.teams.get(&waiting.queue.team).filter(|team| team.distribution.pushes())?;
        let (agent, because) = self.choose(team, waiting)?;
        let at = self.next_at;
        self.next_at = at + MILLISECOND;
        let mut state = self.state(agent).clone();
        state.assigned_at = Some(at);
        *state.load.entry(waiting.channel.clone()).or_default() += 1;
        self.busier.insert(agent, state);
        Some(Placement { conversation: waiting.conversation, agent: agent.clone(), at, because })
    }

    fn choose(&self, team: &'a Team, waiting: &Waiting) -> Option<(&'a AgentId, Words)> {
        let queue = &waiting.queue;
        let missed = |agent: &AgentId| queue.excluded.iter().rposition(|a| a == agent);
        let free = |agent: &&AgentId| given(self.book, agent, self.state(agent), waiting, self.now).is_ok();
        let fresh = || team.members.iter().filter(|agent| missed(agent).is_none());
        if let Some(agent) = fresh().filter(free).find(|agent| queue.prefer.as_ref() == Some(agent)) {
            return Some((agent, "it was theirs before, and they can take it".into()));
        }
        if let Some(agent) = fresh().filter(free).min_by(|a, b| self.turn(team, a, b)) {
            return Some((agent, self.because(team, agent)));
        }
        let there = |agent: &AgentId| {
            let set = self.book.agents.get(agent);
            self.state(agent).presence == Presence::Online
                && missing_skill(team, set, queue, self.now).is_none()
        };
        if queue.excluded.is_empty() || fresh().any(there) {
            return None;
        }
        let agent = team.members.iter().filter(free).min_by_key(|agent| missed(agent))?;
        Some((agent, "missed it before, but nobody else is there".into()))
    }

    /// Whose turn comes first.
    fn turn(&self, team: &Team, a: &AgentId, b: &AgentId) -> Ordering {
        let (x, y) = (self.state(a), self.state(b));
        let first = match team.distribution {
            Distribution::LeastLoaded => {
                let share = |x: &AgentState, other: &AgentId| {
                    u64::from(x.total()) * u64::from(self.capacity(team, other))
                };
                share(x, b).cmp(&share(y, a))
            }
            Distribution::LongestIdle => x.idle_since().cmp(&y.idle_since()),
            Distribution::AllSee | Distribution::Pull | Distribution::RoundRobin => Ordering::Equal,
        };
        first.then(x.assigned_at.cmp(&y.assigned_at)).then(a.cmp(b))
    }

    /// How many conversations fill an agent, at least one. Who has no limit counts as having the widest of the team.
    fn capacity(&self, team: &Team, agent: &AgentId) -> u32 {
        let set = |agent: &AgentId| self.book.agents.get(agent).and_then(|a| a.capacity);
        let widest = || team.members.iter().filter_map(set).max();
        set(agent).or_else(widest).unwrap_or(1).max(1)
    }

    fn because(&self, team: &Team, agent: &AgentId) -> Words {
        match team.distribution {
            Distribution::LeastLoaded => {
                let total = self.state(agent).total();
                format!("least loaded: has {total}, may have {}", self.capacity(team, agent)).into()
            }
            Distribution::LongestIdle => "longest without new work".into(),
            Distribution::AllSee | Distribution::Pull | Distribution::RoundRobin => {
                "round robin: was given one longest ago".into()
            }
        }
    }
}

#[cfg(test)]
#[path = "distribute_tests.rs"]
mod tests;

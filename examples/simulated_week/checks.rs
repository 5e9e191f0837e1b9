//! What must hold after any week.

use std::collections::{BTreeMap, BTreeSet};

use omni::core::conversation::{Actor, Owner};
use omni::core::policy::Presence;
use omni::core::{AgentId, ChannelId, ConversationId};
use omni::hub::store::Direction;
use omni::hub::{Entry, HostEvent, HubError};
use omni::{Book, Conversation};

use crate::world::World;

/// One rule, and where it was broken.
pub(crate) struct Check {
    pub(crate) rule: &'static str,
    pub(crate) broken: Vec<String>,
}

/// Looks at everything: first at the log, then at what the hub says.
pub(crate) async fn of(world: &World, book: &Book) -> Result<Vec<Check>, HubError> {
    let mut conversations = Vec::new();
    let opened: BTreeSet<ConversationId> = world.log.iter().filter_map(|entry| entry.conversation).collect();
    for id in opened {
        conversations.extend(world.hub.conversation(id).await?);
    }
    let check = |rule, broken| Check { rule, broken };
    Ok(vec![
        check(
            "every message of a customer is in a thread, exactly once",
            messages(world, &conversations).await?,
        ),
        check(
            "nothing waits in a closed conversation: no timer, no rule, no clock, no queue",
            closed(&conversations),
        ),
        check(
            "what a team has waits in that team's queue, or its members would never get it",
            queued(&conversations),
        ),
        check(
            "nobody was given more than they may have, or something while they were not there",
            given(world, book),
        ),
        check("nobody was greeted twice", greeted(&world.log)),
        check("no automatic text went out that was dropped at the last moment", dropped(&world.log)),
        check("the numbers of the log grow", grows(&world.log)),
    ])
}

async fn messages(world: &World, conversations: &[Conversation]) -> Result<Vec<String>, HubError> {
    let mut found: BTreeMap<(String, String), u64> = BTreeMap::new();
    for c in conversations {
        for message in world.hub.messages(c.id, None, 10_000).await? {
            if message.direction == Direction::In {
                for id in &message.provider_ids {
                    *found.entry((c.channel.to_string(), id.to_string())).or_default() += 1;
                }
            }
        }
    }
    let mut broken = Vec::new();
    for (channel, id) in &world.told {
        let times = found.remove(&((*channel).to_owned(), id.clone())).unwrap_or_default();
        if times != 1 {
            broken.push(format!("{channel} {id}: {times} times"));
        }
    }
    broken.extend(found.into_keys().map(|(channel, id)| format!("{channel} {id}: nobody wrote it")));
    Ok(broken)
}

fn closed(conversations: &[Conversation]) -> Vec<String> {
    let waits = |c: &&Conversation| {
        let flow = &c.flow;
        let still = !flow.runs.is_empty() || !flow.timers.is_empty() || !flow.clocks.is_empty();
        !c.is_open() && (!c.timers.is_empty() || still || flow.queue.is_some() || flow.ask.is_some())
    };
    conversations.iter().filter(waits).map(|c| format!("{} {}", c.channel, c.address)).collect()
}

fn queued(conversations: &[Conversation]) -> Vec<String> {
    let lost = |c: &&Conversation| match &c.owner {
        Owner::Team { team } if c.is_open() => c.flow.queue.as_ref().is_none_or(|queue| queue.team != *team),
        _ => false,
    };
    conversations.iter().filter(lost).map(|c| format!("{} {}", c.channel, c.address)).collect()
}

/// Follows who has what, and looks at each assignment that the hub made by itself.
fn given(world: &World, book: &Book) -> Vec<String> {
    let mut has: BTreeMap<ConversationId, (ChannelId, Owner, bool)> = BTreeMap::new();
    let mut there: BTreeMap<AgentId, Presence> = BTreeMap::new();
    let mut broken = Vec::new();
    for entry in &world.log {
        if let HostEvent::Presence { agent, presence } = &entry.event {
            there.insert(agent.clone(), *presence);
        }
        let (Some(id), Some(channel)) = (entry.conversation, &entry.channel) else { continue };
        let (_, owner, open) = has.entry(id).or_insert_with(|| (channel.clone(), Owner::Nobody, true));
        match &entry.event {
            HostEvent::Closed { .. } => *open = false,
            HostEvent::Reopened { .. } => *open = true,
            HostEvent::Assigned { to, by } => {
                *owner = to.clone();
                let (Owner::Agent { agent }, Actor::Rule { rule }) = (to, by) else { continue };
                if rule == "routing" {
                    let load = |of: Option<&ChannelId>| {
                        let fits = |(on, owner, open): &&(ChannelId, Owner, bool)| {
                            *open && owner == to && of.is_none_or(|channel| channel == on)
                        };
                        u32::try_from(has.values().filter(fits).count()).unwrap_or(u32::MAX)
                    };
                    let set = book.agents.get(agent);
                    let full = set.and_then(|a| a.capacity).is_some_and(|most| load(None) > most);
                    let of_channel = set.and_then(|a| a.capacity_of.get(channel));
                    let full = full || of_channel.is_some_and(|most| load(Some(channel)) > *most);
                    if full || there.get(agent) != Some(&Presence::Online) {
                        broken.push(format!("{agent} has {}, entry {}", load(None), entry.seq));
                    }
                }
            }
            _ => {}
        }
    }
    broken
}

/// The rule `greet` of the book greets who writes for the first time.
fn greeted(log: &[Entry]) -> Vec<String> {
    let mut times: BTreeMap<String, u64> = BTreeMap::new();
    let mut addresses: BTreeMap<ConversationId, String> = BTreeMap::new();
    for entry in log {
        let (Some(id), Some(channel)) = (entry.conversation, &entry.channel) else { continue };
        match &entry.event {
            HostEvent::Received { event, .. } => {
                if let Some(address) = &event.address {
                    addresses.insert(id, format!("{channel} {address}"));
                }
            }
            // A greeting stands in the log before the message that it answers.
            HostEvent::Queued { message } => {
                if matches!(&message.author, Actor::Rule { rule } if rule.ends_with("/greet")) {
                    *times.entry(id.to_string()).or_default() += 1;
                }
            }
            _ => {}
        }
    }
    let mut people: BTreeMap<&String, u64> = BTreeMap::new();
    for (id, address) in &addresses {
        *people.entry(address).or_default() += times.get(&id.to_string()).copied().unwrap_or_default();
    }
    people.into_iter().filter(|(_, n)| *n > 1).map(|(who, n)| format!("{who}: {n} times")).collect()
}

fn dropped(log: &[Entry]) -> Vec<String> {
    let mut gone = BTreeSet::new();
    let mut broken = Vec::new();
    for entry in log {
        if let HostEvent::Status { message, status, .. } = &entry.event {
            if *status == omni::Status::Dropped {
                gone.insert(*message);
            } else if gone.contains(message) {
                broken.push(format!("entry {}", entry.seq));
            }
        }
    }
    broken
}

fn grows(log: &[Entry]) -> Vec<String> {
    let pairs = log.iter().zip(log.iter().skip(1));
    pairs.filter(|(a, b)| a.seq >= b.seq || a.at > b.at).map(|(_, b)| format!("entry {}", b.seq)).collect()
}

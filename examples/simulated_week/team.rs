//! The agents: when they are there, what they look at, how they answer. They know what a desk would show them, which is
//! what the host event log says.

use std::collections::BTreeMap;
use std::time::Duration;

use omni::core::conversation::{Actor, Owner};
use omni::core::event::Origin;
use omni::core::hours::{Hours, Weekday, Zone};
use omni::core::{AgentId, ConversationId};
use omni::hub::{Entry, HostEvent};
use omni::{Book, Event, EventBody, Timestamp};

use crate::agenda::{Agenda, Deed};
use crate::chance::Chance;
use crate::words;

/// One conversation, as the desk shows it.
#[derive(Debug)]
pub(crate) struct Thread {
    pub(crate) address: String,
    pub(crate) owner: Owner,
    pub(crate) open: bool,
    /// The customer wrote last.
    pub(crate) waits: bool,
    /// An answer is being thought of.
    planned: bool,
    pub(crate) answers: u64,
    /// When it last changed.
    at: Timestamp,
    last_words: String,
    /// How many things were decided about it: numbers the chances.
    turns: u64,
}

/// All agents, and what their desk shows.
#[derive(Debug)]
pub(crate) struct Team {
    seed: u64,
    agenda: Agenda,
    threads: BTreeMap<ConversationId, Thread>,
    /// Who is there.
    there: BTreeMap<AgentId, bool>,
}

/// From and to, in minutes of the day, of those who work on ordinary days.
const SHIFTS: [(u64, u64); 4] = [(530, 1085), (570, 1110), (475, 990), (810, 1330)];

impl Team {
    /// Plans who comes and goes when.
    pub(crate) fn plan(
        seed: u64,
        agenda: &Agenda,
        book: &Book,
        office: &Hours,
        from: Timestamp,
        days: u64,
    ) -> Self {
        let zone = book.zone.clone().unwrap_or_else(Zone::utc);
        let minutes = |n: u64| Duration::from_secs(60 * n);
        for day in 0..days {
            let midnight = from + minutes(1440 * day);
            let open = !office.between(midnight, midnight + minutes(1440)).is_zero();
            let saturday = zone.local(midnight).weekday == Weekday::Saturday;
            for (agent, index) in book.agents.keys().zip(0u64..) {
                let mut chance = Chance::of(seed, &format!("shift of {agent}"), day);
                let late = index % 4 == 3;
                let ill = index % 4 == 1 && day == 3;
                let shift = match (open, saturday) {
                    (false, _) => late.then_some((600, 1200)),
                    (true, true) => (index % 2 == 0 || late).then_some((590, 960)),
                    (true, false) => SHIFTS.get(usize::try_from(index % 4).unwrap_or_default()).copied(),
                };
                let Some((comes, goes)) = shift.filter(|_| !ill) else { continue };
                let at = |minute: u64, chance: &mut Chance| midnight + minutes(minute) + chance.secs(0, 420);
                let who = format!("agent {agent}");
                agenda.plan(at(comes, &mut chance), &who, Deed::Come(agent.clone()));
                if comes < 700 {
                    agenda.plan(at(780 + 15 * index, &mut chance), &who, Deed::Rest(agent.clone()));
                    agenda.plan(at(825 + 15 * index, &mut chance), &who, Deed::Come(agent.clone()));
                }
                agenda.plan(at(goes, &mut chance), &who, Deed::Leave(agent.clone()));
            }
        }
        Self { seed, agenda: agenda.clone(), threads: BTreeMap::new(), there: BTreeMap::new() }
    }

    /// Somebody came or left; who is there looks through the list now and then.
    pub(crate) fn is_there(&mut self, agent: &AgentId, there: bool, now: Timestamp) {
        let before = self.there.insert(agent.clone(), there);
        if there && before != Some(true) {
            self.agenda.plan(
                now + Duration::from_secs(60),
                &format!("agent {agent}"),
                Deed::Look(agent.clone()),
            );
        }
    }

    /// What an agent sees of a conversation that they have and that waits; nothing when that is over.
    pub(crate) fn mine(&mut self, agent: &AgentId, id: ConversationId) -> Option<&mut Thread> {
        let there = self.there.get(agent) == Some(&true);
        let thread = self.threads.get_mut(&id)?;
        thread.planned = false;
        let mine = matches!(&thread.owner, Owner::Agent { agent: owner } if owner == agent);
        (there && mine && thread.open).then_some(thread)
    }

    /// How many open conversations an agent has.
    fn load(&self, agent: &AgentId) -> u64 {
        let has = |t: &&Thread| t.open && matches!(&t.owner, Owner::Agent { agent: a } if a == agent);
        self.threads.values().filter(has).count() as u64
    }

    /// An agent looks through the list: forgotten answers are planned, and what has long been answered is ended. Returns
    /// whether they have time for one that nobody has.
    pub(crate) fn look(&mut self, agent: &AgentId, now: Timestamp) -> bool {
        if self.there.get(agent) != Some(&true) {
            return false;
        }
        let who = format!("agent {agent}");
        let mut chance = Chance::of(self.seed, &who, now.as_millis().unsigned_abs());
        self.agenda.plan(now + chance.secs(200, 480), &who, Deed::Look(agent.clone()));
        let mine =
            |t: &Thread| t.open && t.waits && matches!(&t.owner, Owner::Agent { agent: a } if a == agent);
        let waiting: Vec<ConversationId> =
            self.threads.iter().filter(|(_, t)| mine(t)).map(|(id, _)| *id).collect();
        for id in &waiting {
            self.think(*id, now);
        }
        let done = |t: &Thread| {
            let mine = matches!(&t.owner, Owner::Agent { agent: a } if a == agent);
            mine && t.open && !t.waits && t.answers > 0 && t.at + Duration::from_secs(2400) <= now
        };
        // Some are left to the policy: silence will end them.
        let kept = |t: &Thread| Chance::of(self.seed, &format!("left open: {}", t.address), 0).permille(70);
        for (id, _) in self.threads.iter().filter(|(_, t)| done(t) && !kept(t)) {
            if chance.permille(350) {
                self.agenda.plan(now + chance.secs(5, 60), &who, Deed::Close(agent.clone(), *id));
            }
        }
        waiting.len() < 3 && self.load(agent) < 10
    }

    /// Whether nobody has a conversation that waits.
    pub(crate) fn is_free(&self, id: ConversationId) -> bool {
        self.threads.get(&id).is_some_and(|t| t.open && t.waits && t.owner == Owner::Nobody)
    }

    /// The log tells something: the desk shows it, and the agent it concerns begins to think of an answer.
    pub(crate) fn hear(&mut self, entry: &Entry, now: Timestamp) {
        let Some(id) = entry.conversation else { return };
        let thread = self.threads.entry(id).or_insert_with(|| Thread {
            address: String::new(),
            owner: Owner::Nobody,
            open: true,
            waits: false,
            planned: false,
            answers: 0,
            at: now,
            last_words: String::new(),
            turns: 0,
        });
        match &entry.event {
            HostEvent::Opened { snapshot } => thread.address = snapshot.address.to_string(),
            HostEvent::Assigned { to, .. } => {
                thread.owner = to.clone();
                thread.planned = false;
            }
            HostEvent::Closed { .. } => thread.open = false,
            HostEvent::Reopened { .. } => thread.open = true,
            HostEvent::Received { event, message: Some(_) } => match words_of(event) {
                Some(words) => {
                    thread.waits = true;
                    thread.last_words = words;
                }
                None if matches!(event.body, EventBody::Echo(_)) => thread.waits = false,
                None => {}
            },
            HostEvent::Queued { message } if message.author.is_human() => {
                thread.waits = false;
                thread.answers += 1;
            }
            _ => return,
        }
        thread.at = now;
        if thread.open && thread.waits {
            self.think(id, now);
        }
    }

    /// Whoever has it answers after a time, depending on what else they have; or forgets it for a while.
    fn think(&mut self, id: ConversationId, now: Timestamp) {
        let Some(Owner::Agent { agent }) = self.threads.get(&id).map(|t| t.owner.clone()) else { return };
        let load = self.load(&agent);
        let Some(thread) = self.threads.get_mut(&id) else { return };
        if thread.planned || self.there.get(&agent) != Some(&true) {
            return;
        }
        thread.turns += 1;
        let mut chance = Chance::of(self.seed, &format!("{agent} on {}", thread.address), thread.turns);
        let who = format!("agent {agent}");
        if words::is_thanks(&thread.last_words) && thread.answers > 0 && chance.permille(700) {
            self.agenda.plan(now + chance.secs(60, 300), &who, Deed::Close(agent, id));
        } else if chance.permille(60) {
            return; // forgotten, until they look through the list
        } else {
            let pause = chance.secs(25, 120) + chance.secs(0, 12 * load.min(15));
            self.agenda.plan(now + pause, &who, Deed::Answer(agent, id));
        }
        thread.planned = true;
    }
}

impl Thread {
    /// The chances of what an agent does here next.
    pub(crate) fn chance(&mut self, seed: u64) -> Chance {
        self.turns += 1;
        Chance::of(seed, &format!("done at {}", self.address), self.turns)
    }
}

/// The words of a customer; nothing for programs and for the business itself.
fn words_of(event: &Event) -> Option<String> {
    match &event.body {
        EventBody::Message(m) if m.origin == Origin::Person => {
            Some(m.content.plain_text().unwrap_or_default().to_owned())
        }
        EventBody::Button(button) => button.label.clone(),
        _ => None,
    }
}

/// The agent as an actor.
pub(crate) fn actor(agent: &AgentId) -> Actor {
    Actor::Agent { agent: agent.clone() }
}

//! Agents and bots: who gets a waiting conversation, what a bot said, who is there.

use omni_core::conversation::{Actor, Owner};
use omni_core::id::{AgentId, ContactId, TenantId};
use omni_core::policy::{
    Action, Book, BotAnswer, Input, Placement, Presence, Verb, Verdict, Waiting, eligible,
};
use omni_core::{Contact, Timestamp};

use super::{Decision, Env};
use crate::store::{AgentPatch, Changes, Entry, HostEvent, Refused, Snapshot};

/// Gives a waiting conversation to an agent: one conditional write. Lost when the conversation does not wait any more,
/// or the agent cannot take it any more; then it waits on.
pub(crate) fn place(
    env: &Env,
    now: Timestamp,
    book: &Book,
    placement: &Placement,
    by: &Actor,
    snapshot: &Snapshot,
) -> Changes {
    let lost = |why| Changes { refused: Some(why), ..Changes::default() };
    let mut d = Decision::new(env, now, snapshot);
    let Some(conversation) = &mut d.conversation else { return lost(Refused::NoConversation) };
    if !conversation.is_open() {
        return lost(Refused::Closed);
    }
    let Some(queue) = conversation.flow.queue.clone() else { return lost(Refused::Taken) };
    let Some((agent, state)) = snapshot.agents.first() else { return lost(Refused::Busy) };
    let waiting = Waiting { conversation: conversation.id, channel: conversation.channel.clone(), queue };
    if *agent != placement.agent || eligible(book, agent, state, &waiting, now).is_err() {
        return lost(Refused::Busy);
    }
    let to = Owner::Agent { agent: agent.clone() };
    conversation.owner = to.clone();
    // Whatever the policy makes of it: who has it waits for nobody, and is not handed out again.
    conversation.flow.queue = None;
    d.given_at = Some(placement.at);
    d.trace.note("routing", Verdict::Applied, placement.because.clone());
    d.tell(HostEvent::Assigned { to: to.clone(), by: by.clone() });
    let action = Action { by: by.clone(), verb: Verb::Assign { to } };
    d.step(&Input::Action(&action));
    d.finish()
}

/// A bot answered, failed or was late.
pub(crate) fn bot_answered(env: &Env, now: Timestamp, answer: &BotAnswer, snapshot: &Snapshot) -> Changes {
    let mut d = Decision::new(env, now, snapshot);
    d.step(&Input::Bot(answer));
    d.tell(HostEvent::BotAnswered { answer: Box::new(answer.clone()) });
    d.finish()
}

/// An agent came, left or takes no more. Said again, it changes nothing: since when they are there stays
/// true.
pub(crate) fn set_presence(
    tenant: &TenantId,
    agent: &AgentId,
    presence: Presence,
    now: Timestamp,
    snapshot: &Snapshot,
) -> Changes {
    if snapshot.agents.iter().any(|(_, state)| state.presence == presence) {
        return Changes::default();
    }
    let patch = AgentPatch {
        tenant: tenant.clone(),
        agent: agent.clone(),
        presence: Some((presence, now)),
        assigned_at: None,
        freed_at: None,
    };
    let entry = of_tenant(tenant, now, HostEvent::Presence { agent: agent.clone(), presence });
    Changes { agents: vec![patch], entries: vec![entry], ..Changes::default() }
}

/// An entry of what concerns a tenant as a whole.
fn of_tenant(tenant: &TenantId, at: Timestamp, event: HostEvent) -> Entry {
    let (channel, conversation, why) = Default::default();
    Entry { seq: 0, at, tenant: tenant.clone(), channel, conversation, event, why }
}

/// Two contacts are the same person. Conversations, owners and timers of both stay as they are.
pub(crate) fn merge_contacts(
    tenant: &TenantId,
    from: ContactId,
    into: ContactId,
    now: Timestamp,
    snapshot: &Snapshot,
) -> Changes {
    if from == into {
        return Changes::default();
    }
    let find = |id: ContactId| snapshot.contacts.iter().find(|c| c.id == id && c.tenant == *tenant).cloned();
    let (Some(gone), Some(mut contact)) = (find(from), find(into)) else {
        return Changes { refused: Some(Refused::NoContact), ..Changes::default() };
    };
    let gone: Contact = gone;
    contact.absorb(gone);
    let entries = vec![of_tenant(tenant, now, HostEvent::ContactMerged { from, into })];
    Changes { contact: Some(contact), merged: Some((from, into)), entries, ..Changes::default() }
}

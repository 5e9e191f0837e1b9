//! What people, programs and timers do to conversations.

use omni_core::conversation::{Actor, CloseReason, Closed, Owner, TimerKind};
use omni_core::id::{ConversationId, MessageId, TimerToken};
use omni_core::policy::{Action, Input, Verb, Verdict};
use omni_core::{Conversation, Status, Timestamp};

use super::{Decision, Draft, Env};
use crate::store::{Changes, HostEvent, PeerKey, Refused, Snapshot};

fn refused(why: Refused) -> Changes {
    Changes { refused: Some(why), ..Changes::default() }
}

/// An answer in an open conversation.
pub(crate) fn reply(env: &Env, now: Timestamp, draft: &Draft, snapshot: &Snapshot) -> Changes {
    let Some(conversation) = &snapshot.conversation else { return refused(Refused::NoConversation) };
    if !conversation.is_open() {
        return refused(Refused::Closed);
    }
    send(Decision::new(env, now, snapshot), draft)
}

/// A message to an address, in its open conversation or in a new one.
pub(crate) fn begin(env: &Env, now: Timestamp, to: &PeerKey, draft: &Draft, snapshot: &Snapshot) -> Changes {
    let mut d = Decision::new(env, now, snapshot);
    if !d.conversation.as_ref().is_some_and(Conversation::is_open) {
        let former = d.conversation.clone();
        d.open(to.clone(), None, |c| {
            // The reply window goes on from what the person last wrote, in whichever conversation.
            c.last_inbound_at = former.as_ref().and_then(|f| f.last_inbound_at);
            c.title = former.map_or_else(|| to.address.to_string(), |f| f.title);
        });
    }
    send(d, draft)
}

fn send(mut d: Decision<'_>, draft: &Draft) -> Changes {
    match d.queue(draft.clone()) {
        Err(refusal) => refused(Refused::Unsendable(refusal)),
        Ok(_) => {
            let action = Action { by: draft.by.clone(), verb: Verb::Reply };
            d.step(&Input::Action(&action));
            d.finish()
        }
    }
}

/// Anything but an answer.
pub(crate) fn do_action(env: &Env, now: Timestamp, action: &Action, snapshot: &Snapshot) -> Changes {
    let mut d = Decision::new(env, now, snapshot);
    let Some(conversation) = &mut d.conversation else { return refused(Refused::NoConversation) };
    let by = action.by.clone();
    match &action.verb {
        Verb::Reply => return refused(Refused::NoMessage),
        Verb::Assign { .. }
        | Verb::Close { .. }
        | Verb::Snooze { .. }
        | Verb::Hold
        | Verb::Resume
        | Verb::Merge { .. }
            if !conversation.is_open() =>
        {
            return refused(Refused::Closed);
        }
        Verb::Assign { to } => {
            // A claim is one conditional write: whoever takes for themselves takes from nobody else.
            if takes(to, &by) && taken_by_other(&conversation.owner, &by) {
                return refused(Refused::Taken);
            }
            conversation.owner = to.clone();
            d.tell(HostEvent::Assigned { to: to.clone(), by });
        }
        Verb::Close { reason } => d.close(Closed { at: now, reason: reason.clone(), by }),
        Verb::Reopen => {
            if !d.becomes_latest(snapshot) {
                return refused(Refused::Newer);
            }
            d.reopen(by, None);
        }
        Verb::Seen => {
            if conversation.unread > 0 {
                conversation.unread = 0;
                d.tell(HostEvent::Seen { by });
            }
        }
        Verb::Tag { tag } => {
            if !conversation.tags.contains(tag) {
                conversation.tags.push(tag.clone());
                d.tell(HostEvent::Tagged { tag: tag.clone(), by });
            }
        }
        Verb::Untag { tag } => {
            if conversation.tags.iter().any(|t| t == tag) {
                conversation.tags.retain(|t| t != tag);
                d.tell(HostEvent::Untagged { tag: tag.clone(), by });
            }
        }
        Verb::Set { field, value } => d.set_field(field.clone(), value.clone(), by),
        Verb::Note { text } => d.tell(HostEvent::Noted { text: text.clone(), by }),
        Verb::Snooze { until } => d.tell(HostEvent::Snoozed { until: *until, by }),
        Verb::Hold => d.tell(HostEvent::Held { by }),
        Verb::Resume => d.tell(HostEvent::Resumed { by }),
        Verb::Merge { into } => return d.merge(*into, by, snapshot),
        _ => return refused(Refused::Unknown),
    }
    d.step(&Input::Action(action));
    d.finish()
}

impl Decision<'_> {
    /// Makes a closed conversation the latest of its address again, so that the person's next message goes there. Not
    /// while a newer one is open: an address has one at a time (law 4).
    fn becomes_latest(&mut self, snapshot: &Snapshot) -> bool {
        let (Some(c), Some(peer)) = (&self.conversation, &mut self.peer) else { return true };
        let Some(latest) = peer.conversation.filter(|latest| *latest != c.id) else { return true };
        // One that nobody looked up has begun a moment ago.
        if snapshot.others.iter().find(|other| other.id == latest).is_none_or(Conversation::is_open) {
            return false;
        }
        peer.conversation = Some(c.id);
        self.changes.peer = Some(peer.clone());
        true
    }

    /// Joins the conversation to another one, which goes on: labels, fields and the source go along.
    fn merge(mut self, into: ConversationId, by: Actor, snapshot: &Snapshot) -> Changes {
        let tenant = &self.env.key.tenant;
        let goes_on = |c: &&Conversation| c.id == into && c.is_open() && c.tenant == *tenant;
        let Some(mut other) = snapshot.others.iter().find(goes_on).cloned() else {
            return refused(Refused::NoConversation);
        };
        let Some(conversation) = self.conversation.as_ref().filter(|c| c.id != into) else {
            return refused(Refused::NoConversation);
        };
        for tag in &conversation.tags {
            if !other.tags.contains(tag) {
                other.tags.push(tag.clone());
            }
        }
        for (field, value) in &conversation.flow.fields {
            other.flow.fields.entry(field.clone()).or_insert_with(|| value.clone());
        }
        other.referral = other.referral.or_else(|| conversation.referral.clone());
        other.item = other.item.or_else(|| conversation.item.clone());
        self.close(Closed { at: self.now, reason: CloseReason::Merged(into), by });
        self.changes.more_conversations.push(other);
        self.finish()
    }
}

fn takes(to: &Owner, by: &Actor) -> bool {
    matches!((to, by), (Owner::Agent { agent: a }, Actor::Agent { agent: b }) if a == b)
}

fn taken_by_other(owner: &Owner, by: &Actor) -> bool {
    matches!((owner, by), (Owner::Agent { agent: a }, Actor::Agent { agent: b }) if a != b)
}

/// A timer that is due: a stale one only goes away.
pub(crate) fn timer(
    env: &Env,
    now: Timestamp,
    token: TimerToken,
    kind: TimerKind,
    snapshot: &Snapshot,
) -> Changes {
    let mut d = Decision::new(env, now, snapshot);
    d.changes.timers_done.push(token);
    let live = d.conversation.as_ref().is_some_and(|c| c.timers.iter().any(|t| t.token == token));
    if live && let Some(c) = &mut d.conversation {
        c.timers.retain(|t| t.token != token);
        d.step(&Input::Timer(kind));
    } else {
        d.conversation = None;
    }
    d.finish()
}

/// A due timer on which the policy failed is put off: neither lost, nor in the way of others.
pub(crate) fn postpone(
    env: &Env,
    now: Timestamp,
    due: Timestamp,
    token: TimerToken,
    kind: TimerKind,
    snapshot: &Snapshot,
) -> Changes {
    let mut d = Decision::new(env, now, snapshot);
    d.changes.timers_done.push(token);
    if d.conversation.as_ref().is_some_and(|c| c.timers.iter().any(|t| t.token == token)) {
        d.set_timer(kind, due);
    } else {
        d.conversation = None;
    }
    d.finish()
}

/// A person says what became of a message whose outcome was unknown (law 5).
pub(crate) fn settle(
    env: &Env,
    now: Timestamp,
    message: MessageId,
    how: crate::Settle,
    snapshot: &Snapshot,
) -> Changes {
    let mut d = Decision::new(env, now, snapshot);
    let Some(record) = snapshot.messages.first().cloned() else { return refused(Refused::NoMessage) };
    if record.status != Some(Status::Unknown) {
        return refused(Refused::Settled);
    }
    match how {
        crate::Settle::Sent => d.news(message, Status::Sent, Vec::new(), None),
        crate::Settle::NotSent => d.news(message, Status::Failed, Vec::new(), None),
        crate::Settle::Resend => {
            d.trace.note("settle", Verdict::Applied, "a person let the message be sent again");
            d.news(message, Status::Failed, Vec::new(), None);
            let mut draft = Draft::new(record.content, record.author);
            draft.reply_to = record.reply_to;
            draft.face = record.face;
            return send(d, &draft);
        }
    }
    d.finish()
}

//! Sending: the last look before, and what came of it.

use omni_core::content::{Content, Part};
use omni_core::conversation::Actor;
use omni_core::error::{ErrorKind, ErrorReport};
use omni_core::event::Origin;
use omni_core::id::MessageId;
use omni_core::outbound::Accepted;
use omni_core::plan::Reach;
use omni_core::policy::book::Window;
use omni_core::policy::{Failure, Input, Overtaken, Verdict};
use omni_core::{Status, Timestamp};

use super::{Decision, Draft, Env};
use crate::store::{Changes, HostEvent, OutboxRecord, OutboxState, Snapshot};

/// What came of one attempt.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// The provider took it.
    Accepted(Accepted),
    /// Certainly not sent, and trying again cannot help.
    Failed(ErrorReport),
    /// Certainly not sent; once more at `due`.
    Retry { due: Timestamp, attempts: u32 },
    /// Perhaps sent.
    Unknown(ErrorReport),
    /// Not sent within its time.
    Expired(ErrorReport),
}

/// The last look before a message is handed over, in one transaction with the mark that it is (laws 5 and 7).
/// The changes hold the row as done when it is not to be sent.
pub(crate) fn before_send(env: &Env, now: Timestamp, row: &OutboxRecord, snapshot: &Snapshot) -> Changes {
    let mut d = Decision::new(env, now, snapshot);
    let mut conversation = d.conversation.take();
    let status = snapshot.messages.first().and_then(|m| m.status);
    // An unknown one has left the outbox: whoever still has it in memory has lost it to another node.
    if status.is_none_or(|s| s.is_settled() || s == Status::Unknown) {
        d.changes.outbox_done.push(row.message);
        return d.finish();
    }
    let why = conversation.as_ref().and_then(|c| {
        // Of the same millisecond too: then nobody can tell which came first, and the person's answer is enough.
        let answered = c.last_human_at.is_some_and(|at| at >= row.queued_at);
        let heard = c.last_inbound_at.is_some_and(|at| at > row.queued_at);
        let elsewhere =
            snapshot.peer.as_ref().is_some_and(|p| p.conversation.is_some_and(|latest| latest != c.id));
        match row.guard.unless {
            Overtaken::PersonAnswered if answered => Some("a person answered meanwhile"),
            Overtaken::PersonAnswered if !c.is_open() => Some("the conversation was closed meanwhile"),
            Overtaken::TalkGoesOn if c.is_open() || heard || elsewhere => {
                Some("the talk went on after the closing")
            }
            _ if is_blocked(snapshot) => Some("the person blocked the account meanwhile"),
            _ => None,
        }
    });
    let template = snapshot.messages.first().is_some_and(|m| has_template(&m.content));
    let late = !template && conversation.as_ref().is_some_and(|c| d.window(c) == Window::Closed);
    // A person's message is never dropped in silence: the provider's refusal will be its outcome.
    let automatic = snapshot.messages.first().filter(|m| m.origin == Origin::Automatic);
    if let Some(message) = automatic.filter(|_| why.is_some() || late) {
        d.changes.outbox_done.push(row.message);
        d.conversation = conversation.take();
        d.news(row.message, Status::Dropped, Vec::new(), None);
        match why {
            Some(why) => {
                d.trace.note("automatic text", Verdict::Dropped, why);
                d.tell(HostEvent::Dropped { message: Some(row.message) });
            }
            None => {
                let draft =
                    Draft::guarded(message.content.clone(), message.author.clone(), row.guard.clone());
                d.instead(draft, Some(row.message));
            }
        }
        return d.finish();
    }
    let mut row = row.clone();
    row.state = OutboxState::Sending;
    d.changes.outbox.push(row.clone());
    d.changes.statuses.push(crate::store::StatusPatch {
        message: row.message,
        status: Status::Sending,
        provider_ids: Vec::new(),
        error: None,
    });
    d.finish()
}

impl Decision<'_> {
    /// Tells the policy that a message of ours could not be delivered.
    pub(super) fn failed(&mut self, message: MessageId, error: Option<ErrorReport>, snapshot: &Snapshot) {
        let of_it = snapshot.messages.iter().find(|m| m.id == message);
        let author = of_it.map_or(Actor::Host, |m| m.author.clone());
        self.step(&Input::Failed(&Failure { message, author, error }));
    }
}

/// Whether it may go out after the reply window has closed.
fn has_template(content: &Content) -> bool {
    content.parts.iter().any(|p| matches!(p, Part::Template(_)))
}

fn is_blocked(snapshot: &Snapshot) -> bool {
    snapshot.peer.as_ref().is_some_and(|p| p.reach == Reach::Blocked)
}

/// What came of an attempt. The snapshot holds the address only when the outcome changes it.
pub(crate) fn outcome(
    env: &Env,
    now: Timestamp,
    row: &OutboxRecord,
    outcome: &Outcome,
    snapshot: &Snapshot,
) -> Changes {
    let mut d = Decision::new(env, now, snapshot);
    // Only a failure is a matter of the conversation, and of its policy.
    let conversation = d.conversation.take();
    let entry_of = row.conversation;
    match outcome {
        Outcome::Retry { due, attempts } => {
            let mut row = row.clone();
            (row.due, row.attempts, row.state) = (*due, *attempts, OutboxState::Queued);
            d.changes.outbox.push(row);
        }
        Outcome::Accepted(accepted) => {
            d.changes.outbox_done.push(row.message);
            let ids = std::iter::once(&accepted.id).chain(&accepted.more).cloned().collect();
            d.news(row.message, accepted.status, ids, None);
            if let Some(note) = &accepted.note {
                d.keep_note(note, now);
            }
            if let Some(to) = &accepted.moved_to {
                d.changes.moved = Some((row.peer.clone(), to.clone()));
                d.tell(HostEvent::Moved { to: to.clone() });
            }
        }
        Outcome::Failed(error) => {
            d.changes.outbox_done.push(row.message);
            if error.kind == ErrorKind::RecipientBlocked
                && let Some(peer) = &mut d.peer
            {
                peer.reach = Reach::Blocked;
                d.changes.peer = Some(peer.clone());
            }
            d.news(row.message, Status::Failed, Vec::new(), Some(error.clone()));
            d.conversation = conversation;
            d.failed(row.message, Some(error.clone()), snapshot);
        }
        Outcome::Expired(error) => {
            d.changes.outbox_done.push(row.message);
            d.news(row.message, Status::Expired, Vec::new(), Some(error.clone()));
        }
        Outcome::Unknown(error) => {
            d.changes.outbox_done.push(row.message);
            d.news(row.message, Status::Unknown, Vec::new(), Some(error.clone()));
        }
    }
    for entry in &mut d.changes.entries {
        entry.conversation = Some(entry_of);
    }
    d.finish()
}

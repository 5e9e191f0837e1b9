//! One attempt to send one message: the mark before, the hand-over, the outcome after.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use omni_core::Address;
use omni_core::capability::{Idempotency, Sources};
use omni_core::error::{Error, ErrorKind, RateScope, Retry};
use omni_core::media::MediaSource;
use omni_core::outbound::{Accepted, OutboundItem, SendError};
use omni_core::policy::Overtaken;
use tracing::{Instrument, debug, warn};

use crate::builder::{Interrupted, STORE_DOWN, back_off, gives_up};
use crate::decide::{self, Env, Outcome};
use crate::dispatch::stops_channel;
use crate::hub::Inner;
use crate::line::{Job, Line};
use crate::store::{Applied, Batch, Lookup, OutboxState, StoreResult, Target, Unit};

/// What an attempt leaves to the dispatcher.
#[derive(Debug)]
pub(crate) struct After {
    pub(crate) address: Address,
    /// A pause the provider asked for.
    pub(crate) pause: Option<(RateScope, Duration)>,
    /// The job, to be tried again when it is due.
    pub(crate) again: Option<Job>,
}

/// How long a channel that needs a person waits before its messages are tried again.
const NEEDS_PERSON: Duration = Duration::from_secs(60);

pub(crate) async fn attempt(hub: Arc<Inner>, line: Arc<Line>, mut job: Job) -> After {
    let span = tracing::debug_span!("send", channel = %line.env().key, message = %job.row.message);
    async move {
        let env = line.env();
        let address = job.row.peer.address.clone();
        let done = After { address: address.clone(), pause: None, again: None };
        match prepare(&hub, &env, &mut job).await {
            Ok(true) => {}
            Ok(false) => return done,
            Err(error) => {
                warn!(%error, "the store failed before a send; it is tried again");
                job.row.due = hub.now() + STORE_DOWN;
                return After { again: Some(job), ..done };
            }
        }
        let result = hand_over(&hub, &env, &job.item).await;
        let (outcome, pause) = judge(&hub, &env, &line, &job, result);
        record(&hub, &env, &line, &job, &outcome).await;
        if let Outcome::Retry { due, attempts } = outcome {
            (job.row.due, job.row.attempts, job.row.state) = (due, attempts, OutboxState::Queued);
            return After { pause, again: Some(job), address };
        }
        After { pause, ..done }
    }
    .instrument(span)
    .await
}

/// Looks at the store once more. Says whether the message is to be handed over.
async fn prepare(hub: &Arc<Inner>, env: &Arc<Env>, job: &mut Job) -> StoreResult<bool> {
    // As it is now: since the message was queued, others may have come and gone.
    let peer = hub.store.peer(&job.row.peer).await?;
    job.item.note = peer.and_then(|peer| peer.note).map(|kept| kept.note);
    if needs_mark(hub, env, job) { mark(hub, env, job).await } else { Ok(true) }
}

/// Whether a transaction must come before the hand-over: to mark it against doubling, or to look again whether
/// an automatic text still makes sense.
fn needs_mark(hub: &Inner, env: &Env, job: &Job) -> bool {
    let once = hub.settings.interrupted == Interrupted::Hold
        && env.channel.capabilities().idempotency == Idempotency::None;
    let waited = hub.now().since(job.row.queued_at) > Duration::from_secs(5);
    once || waited || job.row.guard.unless != Overtaken::Never
}

/// Says whether the message is to be handed over.
async fn mark(hub: &Arc<Inner>, env: &Arc<Env>, job: &mut Job) -> StoreResult<bool> {
    let (now, row, message) = (hub.now(), job.row.clone(), job.row.message);
    let decide_env = env.clone();
    let unit = Unit::new(Target::Conversation(row.conversation), move |snapshot| {
        decide::before_send(&decide_env, now, &row, snapshot)
    })
    .with_lookups(vec![Lookup::Message(job.row.peer.channel_key(), message)]);
    match hub.store.apply(Batch::from(unit)).await?.into_iter().next() {
        Some(Applied::Done(changes)) => {
            // What goes in its place, where something does, is on its way too.
            hub.committed(&changes);
            job.row.state = OutboxState::Sending;
            let marked = changes.outbox.iter().find(|row| row.message == message);
            // The store keeps the owner: another node has taken the row when it took this one for dead.
            Ok(marked.is_some_and(|row| row.owner.as_ref() == Some(&hub.node)))
        }
        Some(Applied::Failed(error)) => Err(error),
        Some(Applied::Duplicate) | None => Ok(false),
    }
}

async fn hand_over(hub: &Inner, env: &Env, item: &OutboundItem) -> Result<Accepted, SendError> {
    let Some(outbound) = env.channel.outbound() else {
        return Err(SendError::Rejected(Error::unsupported("send")));
    };
    let resolved = with_bytes(hub, env, item).await.map_err(SendError::Rejected)?;
    let item = resolved.as_ref().unwrap_or(item);
    let send = AssertUnwindSafe(outbound.send(item)).catch_unwind();
    tokio::select! {
        biased;
        sent = send => sent.unwrap_or_else(|_panic| {
            Err(SendError::Unknown(Error::new(ErrorKind::Internal, "send").with_text("the connector panicked")))
        }),
        () = hub.clock.sleep_until(hub.now() + hub.settings.send_timeout) => {
            Err(SendError::Unknown(Error::new(ErrorKind::Timeout, "send")))
        }
    }
}

/// The item with bytes in place of what is kept in the store, or with an address where the provider fetches files;
/// `None` when there is nothing to replace.
async fn with_bytes(hub: &Inner, env: &Env, item: &OutboundItem) -> Result<Option<OutboundItem>, Error> {
    if !item.content.all_media().any(|m| matches!(m.source, MediaSource::Stored { .. })) {
        return Ok(None);
    }
    let mut item = item.clone();
    let limits = &env.channel.capabilities_at(&item.address).media;
    for media in item.content.all_media_mut() {
        if let MediaSource::Stored { blob } = &media.source {
            if limits.get(&media.kind.into()).is_some_and(|limit| limit.sources == Sources::Address) {
                let published = hub.settings.published.as_ref().and_then(|p| p.address(blob, media));
                let url = published.ok_or_else(|| {
                    Error::configuration(
                        "send",
                        "the provider fetches files by address, and the host publishes none",
                    )
                    .with_advice("give the hub a `publish` address")
                })?;
                media.source = MediaSource::Url { url };
                continue;
            }
            let found = hub
                .store
                .blob(blob)
                .await
                .map_err(|e| Error::new(ErrorKind::Storage, "send").with_source(e))?;
            let bytes = found.ok_or_else(|| {
                Error::new(ErrorKind::Internal, "send")
                    .with_text("a file of the message is not in the store any more")
            })?;
            media.source = MediaSource::Bytes { bytes };
        }
    }
    Ok(Some(item))
}

/// What the result means for the message, the scope and the channel.
fn judge(
    hub: &Inner,
    env: &Env,
    line: &Line,
    job: &Job,
    result: Result<Accepted, SendError>,
) -> (Outcome, Option<(RateScope, Duration)>) {
    let now = hub.now();
    let error = match result {
        Ok(accepted) => {
            line.works();
            return (Outcome::Accepted(accepted), None);
        }
        Err(SendError::Unknown(error)) if env.channel.capabilities().idempotency == Idempotency::None => {
            line.ails(&error, now);
            return (Outcome::Unknown(error.report()), None);
        }
        // A repetition does no harm, whatever the error says: only the provider knows whether it was sent.
        Err(SendError::Unknown(error)) => return (unknown_but_repeatable(hub, line, job, &error), None),
        Err(SendError::Rejected(error)) => error,
    };
    line.ails(&error, now);
    debug!(%error, "not sent");
    let gives_up_at = gives_up(&hub.settings, job.row.queued_at);
    let attempts = job.row.attempts.saturating_add(1);
    let (due, attempts, pause) = match error.retry() {
        _ if stops_channel(error.kind()) => {
            (now + NEEDS_PERSON, job.row.attempts, Some((RateScope::Account, NEEDS_PERSON)))
        }
        Retry::Never => return (Outcome::Failed(error.report()), None),
        Retry::Later => (now + back_off(job.row.attempts), attempts, None),
        Retry::After { wait, scope } => (now + wait, job.row.attempts, Some((scope, wait))),
    };
    if due > gives_up_at {
        return (Outcome::Expired(error.report()), pause);
    }
    (Outcome::Retry { due, attempts }, pause)
}

/// What a lost answer means where the provider recognises repeats: once more, and unknown when time is up or the
/// provider may have forgotten our key.
fn unknown_but_repeatable(hub: &Inner, line: &Line, job: &Job, error: &Error) -> Outcome {
    let now = hub.now();
    line.ails(error, now);
    let wait = match error.retry() {
        Retry::After { wait, .. } => wait,
        Retry::Later | Retry::Never => back_off(job.row.attempts),
    };
    let due = now + wait;
    let queued_at = job.row.queued_at;
    let forgotten = match line.env().channel.capabilities().idempotency {
        Idempotency::Key { memory: Some(memory) } => due >= queued_at + memory,
        _ => false,
    };
    if forgotten || due > gives_up(&hub.settings, queued_at) {
        return Outcome::Unknown(error.report());
    }
    Outcome::Retry { due, attempts: job.row.attempts.saturating_add(1) }
}

/// Writes the outcome down, however long the store takes: a known outcome must not become an unknown one.
async fn record(hub: &Arc<Inner>, env: &Arc<Env>, line: &Line, job: &Job, outcome: &Outcome) {
    match outcome {
        Outcome::Accepted(_) => line.meters.sent.increment(1),
        Outcome::Failed(_) | Outcome::Expired(_) => line.meters.failed.increment(1),
        Outcome::Unknown(_) => line.meters.unknown.increment(1),
        // A pause changes nothing that must outlive the process, unless the row is marked as being sent.
        Outcome::Retry { attempts, .. }
            if *attempts == job.row.attempts && job.row.state == OutboxState::Queued =>
        {
            return;
        }
        Outcome::Retry { .. } => {}
    }
    loop {
        let (now, decide_env, row, what) = (hub.now(), env.clone(), job.row.clone(), outcome.clone());
        // Only a failure or a note may change the address: everything else needs no look at it.
        let target = match outcome {
            Outcome::Failed(_) | Outcome::Accepted(Accepted { note: Some(_), .. }) => {
                Target::Conversation(row.conversation)
            }
            _ => Target::Nothing,
        };
        let message = row.message;
        let lookups = match outcome {
            Outcome::Failed(_) => vec![Lookup::Message(row.peer.channel_key(), message)],
            _ => Vec::new(),
        };
        let unit =
            Unit::new(target, move |snapshot| decide::outcome(&decide_env, now, &row, &what, snapshot))
                .with_lookups(lookups);
        match hub.store.apply(Batch::from(unit)).await.map(|applied| applied.into_iter().next()) {
            Ok(Some(Applied::Done(changes))) => return hub.committed(&changes),
            Ok(Some(Applied::Failed(error))) | Err(error) => {
                warn!(%error, "the outcome of a send is not stored yet")
            }
            Ok(_) => return,
        }
        tokio::select! {
            () = hub.clock.sleep_until(hub.now() + STORE_DOWN) => {}
            () = hub.stop.cancelled() => return,
        }
    }
}

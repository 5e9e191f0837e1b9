//! The queue of updates and `getUpdates`.
//!
//! Updates wait at most 24 hours; a poll offset confirms everything below it; one poller at a time
//! (<https://core.telegram.org/bots/api#getting-updates>, tdlib/telegram-bot-api `Client.cpp`).

use std::{
    collections::{BTreeMap, HashSet},
    io::Write as _,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use serde_json::Value;

use super::{
    bot::Bot,
    config::Record,
    error::{ApiError, ApiResult},
    params::Params,
    state::{BotState, push_bounded},
    webhook::Webhook,
};

/// Seconds an update waits to be taken.
pub(crate) const LIFE_OF_AN_UPDATE: i64 = 86_400;
/// Longest wait of a long poll, in seconds.
const MAX_POLL: i64 = 50;
/// An answer of `getUpdates` is cut at about this size.
const MAX_ANSWER: usize = 1 << 22;
/// Kinds that are only sent when `allowed_updates` names them.
const OPT_IN: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

/// Updates of one lane are delivered in order; lanes run in parallel. The number tells kinds apart that the
/// server queues separately, such as button presses and reactions.
pub(crate) type Lane = (i64, u8);

/// The lane of ordinary messages and edits.
pub(crate) const LANE_MESSAGES: u8 = 0;
/// The lane of button presses, by person.
pub(crate) const LANE_CALLBACKS: u8 = 3;
/// The lane of the bot's own membership.
pub(crate) const LANE_MY_MEMBER: u8 = 5;
/// The lane of reactions.
pub(crate) const LANE_REACTIONS: u8 = 8;
/// The lane of business connections.
pub(crate) const LANE_CONNECTIONS: u8 = 10;
/// The lane of business messages.
pub(crate) const LANE_BUSINESS: u8 = 11;

/// One update, serialised once.
#[derive(Debug)]
pub(crate) struct Update {
    pub(crate) id: i64,
    pub(crate) lane: Lane,
    pub(crate) born: i64,
    pub(crate) body: Bytes,
}

/// Updates that wait, and how they are to leave.
#[derive(Debug)]
pub(crate) struct Queue {
    next_id: i64,
    pub(crate) pending: BTreeMap<i64, Arc<Update>>,
    allowed: Option<HashSet<String>>,
    poller: u64,
    last_poll: Option<(i64, Instant)>,
    pub(crate) webhook: Option<Webhook>,
    pub(crate) webhook_generation: u64,
    pub(crate) last_set_webhook: Option<Instant>,
}

impl Queue {
    pub(crate) fn new(next_id: i64) -> Self {
        Self {
            next_id,
            pending: BTreeMap::new(),
            allowed: None,
            poller: 0,
            last_poll: None,
            webhook: None,
            webhook_generation: 0,
            last_set_webhook: None,
        }
    }

    /// The id the next update will get.
    pub(crate) fn next_id(&self) -> i64 {
        self.next_id
    }

    /// Whether updates of this kind are wanted.
    pub(crate) fn allows(&self, kind: &str) -> bool {
        match &self.allowed {
            Some(allowed) => allowed.contains(kind),
            None => !OPT_IN.contains(&kind),
        }
    }

    /// Kinds set by the host, or nothing while the default holds.
    pub(crate) fn allowed(&self) -> Option<Vec<&str>> {
        let mut kinds: Vec<&str> = self.allowed.as_ref()?.iter().map(String::as_str).collect();
        kinds.sort_unstable();
        Some(kinds)
    }

    /// Takes `allowed_updates`: absent keeps the former setting, an empty list restores the default, and what
    /// cannot be read as a list changes nothing.
    pub(crate) fn set_allowed(&mut self, params: &Params) -> bool {
        let Ok(Some(list)) = params.json("allowed_updates") else { return false };
        let Some(kinds) = list.as_array() else { return false };
        let kinds: HashSet<String> = kinds.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let allowed = (!kinds.is_empty()).then_some(kinds);
        let changed = allowed != self.allowed;
        self.allowed = allowed;
        changed
    }

    fn expire(&mut self, now: i64) -> u64 {
        let mut dropped = 0;
        while let Some(first) = self.pending.first_entry() {
            if now - first.get().born <= LIFE_OF_AN_UPDATE {
                break;
            }
            first.remove();
            dropped += 1;
        }
        dropped
    }

    /// Confirms by offset; gives how many updates left the queue, and the first id to be answered. An offset
    /// far ahead of the queue is taken for none.
    fn confirm(&mut self, offset: i64) -> (u64, i64) {
        let before = self.pending.len();
        let is_known = offset > 0 && offset <= self.next_id + 10;
        if offset < 0 {
            while self.pending.len() as i64 > -offset {
                self.pending.pop_first();
            }
        } else if is_known {
            self.pending = self.pending.split_off(&offset);
        }
        ((before - self.pending.len()) as u64, if is_known { offset } else { i64::MIN })
    }

    /// An answer with at most `limit` updates; `None` when there is nothing.
    fn batch(&self, from: i64, limit: usize) -> Option<Bytes> {
        let mut waiting = self.pending.range(from..).take(limit).peekable();
        waiting.peek()?;
        let mut out = Vec::with_capacity(4096);
        out.extend_from_slice(br#"{"ok":true,"result":["#);
        for (at, (_, update)) in waiting.enumerate() {
            if at > 0 {
                if out.len() + update.body.len() + 50 > MAX_ANSWER {
                    break;
                }
                out.push(b',');
            }
            out.extend_from_slice(&update.body);
        }
        out.extend_from_slice(b"]}");
        Some(out.into())
    }
}

impl Bot {
    /// Makes an update and sends it on its way; nothing happens when the kind is not allowed.
    pub(crate) fn push_update(
        self: &Arc<Self>,
        state: &mut BotState,
        kind: &str,
        payload: &Value,
        lane: Lane,
    ) -> Option<i64> {
        if !state.queue.allows(kind) {
            return None;
        }
        let id = state.queue.next_id;
        state.queue.next_id += 1;
        let mut body = Vec::with_capacity(512);
        write!(body, "{{\"update_id\":{id},\"{kind}\":").ok()?;
        serde_json::to_writer(&mut body, payload).ok()?;
        body.push(b'}');
        self.enqueue(state, Update { id, lane, born: self.shared.now(), body: body.into() });
        Some(id)
    }

    /// Puts a ready update into the queue and wakes whoever takes updates.
    pub(crate) fn enqueue(self: &Arc<Self>, state: &mut BotState, update: Update) {
        let update = Arc::new(update);
        state.counters.updates += 1;
        if self.shared.config.record == Record::Full {
            push_bounded(&mut state.history, Arc::clone(&update), self.shared.config.max_records);
        }
        self.queue_again(state, update);
    }

    /// Queues an update that is already on record.
    pub(crate) fn queue_again(self: &Arc<Self>, state: &mut BotState, update: Arc<Update>) {
        let (id, lane) = (update.id, update.lane);
        state.queue.next_id = state.queue.next_id.max(id + 1);
        state.queue.pending.insert(id, update);
        match state.queue.webhook.is_some() {
            true => self.schedule(state, lane, id),
            false => self.wake.notify_waiters(),
        }
    }

    /// `getUpdates`, answering the whole body. A poll that waits is ended by the next one and by
    /// `setWebhook`.
    pub(crate) async fn get_updates(&self, params: &Params) -> ApiResult<Bytes> {
        let offset = params.integer("offset").unwrap_or(0);
        let mut limit = params.integer("limit").unwrap_or(100).clamp(1, 100) as usize;
        let mut timeout = params.integer("timeout").unwrap_or(0).clamp(0, MAX_POLL);
        let from = self.begin_poll(params, offset, &mut limit, &mut timeout)?;
        let deadline = tokio::time::Instant::now() + Duration::from_secs(timeout as u64);
        let mut mine = None;
        loop {
            let mut woken = pin!(self.wake.notified());
            woken.as_mut().enable();
            let may_wait = tokio::time::Instant::now() < deadline;
            if let Some(body) = self.poll_once(from, limit, may_wait, &mut mine)? {
                return Ok(body);
            }
            // Whether woken or late, the queue is looked at once more.
            let _ = tokio::time::timeout_at(deadline, woken).await;
        }
    }

    fn begin_poll(
        &self,
        params: &Params,
        offset: i64,
        limit: &mut usize,
        timeout: &mut i64,
    ) -> ApiResult<i64> {
        let mut state = self.lock();
        if state.queue.webhook.is_some() {
            return Err(webhook_is_active());
        }
        state.queue.set_allowed(params);
        if self.shared.config.throttle_hooks {
            slow_down(&mut state.queue, offset, limit, timeout);
        }
        let expired = state.queue.expire(self.shared.now());
        state.counters.expired += expired;
        let (confirmed, from) = state.queue.confirm(offset);
        state.counters.delivered += confirmed;
        drop(state);
        if confirmed > 0 {
            self.shared.changed();
        }
        Ok(from)
    }

    /// Looks at the queue once: an answer, a refusal, or nothing yet.
    fn poll_once(
        &self,
        from: i64,
        limit: usize,
        may_wait: bool,
        mine: &mut Option<u64>,
    ) -> ApiResult<Option<Bytes>> {
        let mut state = self.lock();
        if state.is_revoked || state.is_logged_out {
            return Err(ApiError::new(401, "Unauthorized"));
        }
        if state.queue.webhook.is_some() {
            return Err(match mine {
                Some(_) => ApiError::new(409, "Conflict: terminated by setWebhook request"),
                None => webhook_is_active(),
            });
        }
        if mine.is_some_and(|turn| turn != state.queue.poller) {
            return Err(ApiError::new(
                409,
                "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
            ));
        }
        if let Some(body) = state.queue.batch(from, limit) {
            return Ok(Some(body));
        }
        if !may_wait {
            return Ok(Some(Bytes::from_static(br#"{"ok":true,"result":[]}"#)));
        }
        if mine.is_none() {
            state.queue.poller += 1;
            *mine = Some(state.queue.poller);
            self.wake.notify_waiters();
        }
        Ok(None)
    }
}

/// The server slows a poller that does not confirm: at least 3 s of waiting, one update at a time.
fn slow_down(queue: &mut Queue, offset: i64, limit: &mut usize, timeout: &mut i64) {
    let now = Instant::now();
    if let Some((former, at)) = queue.last_poll
        && former == offset
    {
        let since = now.saturating_duration_since(at);
        if since < Duration::from_secs(3) {
            *timeout = (*timeout).max(3);
        }
        if since < Duration::from_millis(500) {
            *limit = 1;
        }
    }
    queue.last_poll = Some((offset, now));
}

fn webhook_is_active() -> ApiError {
    ApiError::new(
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    )
}

//! From a provider into the store: webhooks and what listeners bring.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use http::StatusCode;
use omni_core::channel::Sink;
use omni_core::error::{Error, ErrorKind};
use omni_core::event::EventBody;
use omni_core::id::Cursor;
use omni_core::webhook::{Answer, Received, RejectReason, Rejected, WebhookRequest};
use omni_core::{Event, Timestamp};
use tracing::{Instrument, debug, warn};

use crate::decide::{event_unit, parked_unit};
use crate::hub::{Hub, Inner};
use crate::line::Line;
use crate::store::{Applied, Batch, ChannelKey, StoreResult};

/// Why an event of an account that no channel stands for is kept aside.
const NOT_CONNECTED: &str = "the event is for an account that is not connected";

impl Hub {
    /// Largest webhook body taken, in bytes: for a server that reads bodies itself.
    pub fn body_limit(&self) -> usize {
        self.inner.settings.body_limit
    }

    /// Takes a webhook for a channel and says what to answer, on any server.
    ///
    /// - The answer is a success only after every event is durable (law 1); 503 when the store fails, so that
    ///   the provider repeats it.
    /// - What is not genuine or not readable leaves no trace in the store: 401, 404, 400, 413.
    /// - *Cancel safety*: dropping the future loses nothing: what was begun is finished without it; the provider
    ///   gets no answer and repeats.
    pub async fn webhook(&self, channel: &ChannelKey, request: WebhookRequest) -> Answer {
        let Ok(line) = self.inner.line(channel) else {
            return Rejected::new(RejectReason::UnknownAccount).answer();
        };
        let span = tracing::debug_span!("webhook", %channel, bytes = request.body.len());
        async {
            line.meters.received.increment(1);
            let received = match self.inner.read_webhook(&line, &request) {
                Ok(received) => received,
                Err(rejected) => {
                    line.meters.rejected.increment(1);
                    debug!(reason = %rejected.reason, "webhook rejected");
                    return rejected.answer();
                }
            };
            match self.inner.ingest(&line, received.events, None, request.received_at).await {
                Ok(()) => {
                    line.heard();
                    received.answer
                }
                Err(error) => {
                    warn!(%error, "webhook not stored");
                    Answer::status(StatusCode::SERVICE_UNAVAILABLE)
                }
            }
        }
        .instrument(span)
        .await
    }
}

impl Inner {
    fn read_webhook(&self, line: &Line, request: &WebhookRequest) -> Result<Received, Rejected> {
        if request.body.len() > self.settings.body_limit {
            return Err(Rejected::new(RejectReason::TooLarge));
        }
        let env = line.env();
        if line.is_superseded() {
            return Err(Rejected::new(RejectReason::UnknownAccount));
        }
        if !env.channel.receives().takes_webhooks() {
            return Err(Rejected::new(RejectReason::NoWebhook));
        }
        let inbound = env.channel.inbound().ok_or_else(|| Rejected::new(RejectReason::NoWebhook))?;
        inbound.receive(request)
    }

    /// Makes events durable, with the cursor, in one transaction; then lets go what they caused.
    pub(crate) async fn ingest(
        self: &Arc<Self>,
        line: &Arc<Line>,
        events: Vec<Event>,
        cursor: Option<Cursor>,
        received_at: Timestamp,
    ) -> StoreResult<()> {
        let events: Vec<(Option<Arc<Line>>, Arc<Event>)> =
            events.into_iter().map(|e| (self.line_for(line, &e), Arc::new(e))).collect();
        if events.is_empty() && cursor.is_none() {
            return Ok(());
        }
        let unit = |(named, event): &(Option<Arc<Line>>, Arc<Event>)| match named {
            Some(named) => event_unit(named.env(), event.clone(), received_at),
            None => parked_unit(line.env(), event.clone(), received_at, NOT_CONNECTED.to_owned()),
        };
        let units = events.iter().map(unit).collect();
        let cursor = cursor.map(|cursor| (line.env().key.clone(), cursor));
        let applied = self.apply(Batch { units, cursor }).await?;
        let mut parked = Vec::new();
        for ((named, event), applied) in events.into_iter().zip(applied) {
            let line = named.as_ref().unwrap_or(line);
            match applied {
                Applied::Duplicate => line.meters.duplicate.increment(1),
                Applied::Done(changes) => {
                    line.meters.committed.increment(1);
                    line.wonder(&event, &changes);
                    self.end_wait(line, &event);
                }
                Applied::Failed(error) => {
                    warn!(%error, event = %event.id, "the event is parked");
                    parked.push(parked_unit(line.env(), event, received_at, error.to_string()));
                }
            }
        }
        if parked.is_empty() {
            return Ok(());
        }
        for applied in self.apply(Batch { units: parked, cursor: None }).await? {
            if let Applied::Failed(error) = applied {
                return Err(error);
            }
        }
        Ok(())
    }

    /// The channel of the account an event names: one body may carry events of several. `None` when that
    /// account is not connected: taken for this one's, the event would be answered in the wrong name.
    fn line_for(&self, received_on: &Arc<Line>, event: &Event) -> Option<Arc<Line>> {
        let env = received_on.env();
        let Some(account) = event.account.as_ref().filter(|a| env.account.as_ref() != Some(a)) else {
            return Some(received_on.clone());
        };
        let provider = env.provider.clone();
        let lines = self.lines.read().unwrap_or_else(PoisonError::into_inner);
        let is_named = |line: &&Arc<Line>| {
            let env = line.env();
            env.account.as_ref() == Some(account) && env.provider == provider && !line.is_superseded()
        };
        // A host that never told the account of this channel does not tell accounts apart.
        let only_one = env.account.is_none().then(|| received_on.clone());
        lines.values().find(is_named).cloned().or(only_one)
    }

    /// Whoever pressed a key stops waiting, once the press is durable. Best effort: the provider ends the wait
    /// by itself after some time.
    fn end_wait(&self, line: &Arc<Line>, event: &Event) {
        let EventBody::Button(button) = &event.body else { return };
        let Some(ticket) = button.ticket.clone() else { return };
        let line = line.clone();
        tokio::spawn(async move {
            let env = line.env();
            if let Some(answer) = env.channel.outbound().and_then(|o| o.as_answer())
                && let Err(error) = answer.answer(&ticket, None).await
            {
                debug!(%error, "the press was not answered");
            }
        });
    }
}

/// Where a listener puts what it received, while its lease holds.
pub(crate) struct LeasedSink {
    pub(crate) hub: Arc<Inner>,
    pub(crate) line: Arc<Line>,
    /// Whether the listener ever said that it works.
    pub(crate) worked: Arc<AtomicBool>,
}

#[async_trait]
impl Sink for LeasedSink {
    async fn commit(&self, events: Vec<Event>, cursor: Cursor) -> Result<(), Error> {
        self.line.meters.received.increment(events.len() as u64);
        let now = self.hub.now();
        let stored = self.hub.ingest(&self.line, events, Some(cursor), now).await;
        stored.map_err(|e| Error::new(ErrorKind::Storage, "commit").with_source(e))
    }

    fn alive(&self) {
        self.worked.store(true, Ordering::Relaxed);
        self.line.works();
    }
}

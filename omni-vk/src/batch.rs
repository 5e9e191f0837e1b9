//! Many messages in one call.
//!
//! A token has twenty calls a second, of every kind. A message takes the next turn together with every
//! other that waits by then, up to [`CALLS`] in one `execute`. So a lone message goes at once and by itself, and a
//! burst goes as fast as VK takes it.
//!
//! A turn's call is a task of its own: whoever began it may be dropped, and the others still learn what became of
//! theirs. One who was dropped before the turn came is left out: nothing was sent.

use std::sync::{Arc, PoisonError};

use omni_core::Error;
use omni_core::error::ErrorKind;
use omni_core::outbound::SendError;
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use crate::api::{Answered, Api, again, foreign};
use crate::encode::{CALLS, Request, execute};
use crate::wire::Answer;

/// How much text one call may carry. VK names no limit; this is a call's twenty-five longest messages without keys.
const CODE: usize = 256 << 10;

/// A message that waits for its turn.
#[derive(Debug)]
pub(crate) struct Waiting {
    request: Request,
    answer: oneshot::Sender<Result<Answered, SendError>>,
}

impl Waiting {
    fn settle(self, outcome: Result<Answered, SendError>) {
        // Nobody waits any more when the send was dropped.
        let _ = self.answer.send(outcome);
    }
}

impl Api {
    /// Makes a call that may go together with others of its kind.
    ///
    /// *Cancel safety*: dropped before its turn nothing is sent; dropped after it, it is perhaps sent.
    pub(crate) async fn join(self: &Arc<Self>, request: Request) -> Result<Answered, SendError> {
        let operation = request.method;
        let (answer, mut answered) = oneshot::channel();
        self.queue().push(Waiting { request, answer });
        let taken = tokio::select! {
            biased;
            outcome = &mut answered => return outcome.unwrap_or_else(|_| Err(nobody(operation))),
            taken = self.turn() => taken,
        };
        if !taken.is_empty() {
            let api = Arc::clone(self);
            tokio::spawn(async move { api.carry_out(taken).await });
        }
        answered.await.unwrap_or_else(|_| Err(nobody(operation)))
    }

    pub(crate) fn queue(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those whose turn it is, the oldest first.
    pub(crate) fn take(&self) -> Vec<Waiting> {
        let mut queue = self.queue();
        queue.retain(|waiting| !waiting.answer.is_closed());
        let mut room = CODE;
        let fits = |waiting: &&Waiting| {
            let length: usize = waiting.request.fields.iter().map(|(_, value)| value.len()).sum();
            let fits = room >= length;
            room = room.saturating_sub(length);
            fits
        };
        let count = queue.iter().take(CALLS).take_while(fits).count().max(1).min(queue.len());
        queue.drain(..count).collect()
    }

    async fn carry_out(&self, taken: Vec<Waiting>) {
        match <[Waiting; 1]>::try_from(taken) {
            Ok([alone]) => {
                let outcome = self.post(&alone.request).await;
                alone.settle(outcome);
            }
            Err(together) => self.carry_out_together(together).await,
        }
    }

    async fn carry_out_together(&self, taken: Vec<Waiting>) {
        let outcomes = match execute(taken.iter().map(|waiting| &waiting.request)) {
            Ok(request) => self.executed(&request, &taken).await,
            Err(error) => Err(SendError::Rejected(error)),
        };
        tracing::debug!(messages = taken.len(), together = outcomes.is_ok(), "sent in one call");
        match outcomes {
            Ok(outcomes) => {
                taken.into_iter().zip(outcomes).for_each(|(waiting, outcome)| waiting.settle(outcome));
            }
            Err(error) => taken.into_iter().for_each(|waiting| waiting.settle(Err(again(&error)))),
        }
    }

    /// One outcome for each of the calls. <https://dev.vk.com/method/execute> (read 2026-11)
    async fn executed(
        &self,
        request: &Request,
        taken: &[Waiting],
    ) -> Result<Vec<Result<Answered, SendError>>, SendError> {
        let answer = self.posted(request).await?;
        let Ok(envelope) = serde_json::from_slice::<Answer<'_>>(&answer.body) else {
            return Err(foreign(request.method, &answer));
        };
        if let Some(error) = envelope.error {
            let said = error.error_msg.as_deref().unwrap_or_default();
            return Err(self.refused(request.method, error.error_code, said));
        }
        let list = envelope.response.and_then(|list| serde_json::from_str::<Vec<&RawValue>>(list.get()).ok());
        let list = list.filter(|list| list.len() == taken.len()).ok_or_else(|| {
            SendError::Unknown(
                Error::new(ErrorKind::Protocol, request.method).with_text("not every call has its answer"),
            )
        })?;
        let mut errors = envelope.execute_errors.into_iter();
        let outcome = |(waiting, answered): (&Waiting, &&RawValue)| {
            let operation = waiting.request.method;
            if answered.get() != "false" {
                return Ok(Answered { operation, result: answer.body.slice_ref(answered.get().as_bytes()) });
            }
            // Errors come in the order of the calls that failed.
            match errors.next() {
                Some(error) => Err(self.refused(
                    operation,
                    error.error_code,
                    error.error_msg.as_deref().unwrap_or_default(),
                )),
                None => Err(SendError::Unknown(
                    Error::new(ErrorKind::Protocol, operation).with_text("the call failed without an error"),
                )),
            }
        };
        Ok(taken.iter().zip(&list).map(outcome).collect())
    }
}

/// The task that made the call is gone: the runtime is ending.
fn nobody(operation: &'static str) -> SendError {
    SendError::Unknown(
        Error::new(ErrorKind::Internal, operation).with_text("the call ended without an outcome"),
    )
}

//! The host event log, read at least once by each consumer.

use std::sync::Arc;

use omni_core::id::ConsumerId;

use crate::hub::{HubError, Inner};
use crate::store::Entry;

/// A reader of the host event log: at least once, in order, from where it stopped.
///
/// ```no_run
/// # async fn example(hub: omni_hub::Hub) -> Result<(), omni_hub::HubError> {
/// let mut crm = hub.events("crm");
/// loop {
///     for entry in crm.next().await? {
///         println!("{}", serde_json::to_string(&entry).unwrap_or_default());
///     }
///     crm.done().await?; // these are not read again, whatever happens
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Consumer {
    hub: Arc<Inner>,
    id: ConsumerId,
    /// How far was read; `None` until the store was asked.
    read: Option<u64>,
    limit: usize,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("node", &self.node).finish_non_exhaustive()
    }
}

impl Consumer {
    pub(crate) fn new(hub: Arc<Inner>, id: ConsumerId) -> Self {
        Self { hub, id, read: None, limit: 500 }
    }

    /// How many events come at once; 500 unless set.
    #[must_use]
    pub fn batch(mut self, limit: usize) -> Self {
        self.limit = limit.max(1);
        self
    }

    /// The next events, waiting until there are some. An empty list means that the hub is shut down.
    ///
    /// Cancel safe. Events that were not confirmed by [`Consumer::done`] come again in the next process.
    ///
    /// # Errors
    /// [`HubError::Store`].
    pub async fn next(&mut self) -> Result<Vec<Entry>, HubError> {
        let mut newest = self.hub.newest.subscribe();
        let mut read = match self.read {
            Some(read) => read,
            None => self.hub.store.consumer(&self.id).await?,
        };
        loop {
            newest.mark_unchanged();
            let entries = self.hub.store.entries(read, self.limit).await?;
            if let Some(last) = entries.last() {
                read = last.seq;
                self.read = Some(read);
                return Ok(entries);
            }
            self.read = Some(read);
            // Another node's events are seen within a second: notes between nodes are only hints.
            let soon = self.hub.now() + std::time::Duration::from_secs(1);
            tokio::select! {
                _ = newest.changed() => {}
                () = self.hub.clock.sleep_until(soon) => {}
                () = self.hub.stop.cancelled() => return Ok(Vec::new()),
            }
        }
    }

    /// Confirms everything read so far.
    ///
    /// # Errors
    /// [`HubError::Store`].
    pub async fn done(&mut self) -> Result<(), HubError> {
        let Some(read) = self.read else { return Ok(()) };
        let before = self.hub.store.consumer(&self.id).await?;
        self.hub.store.consumed(&self.id, read).await?;
        metrics::counter!("omni_handled_total", "consumer" => self.id.to_string())
            .increment(read.saturating_sub(before));
        let lag = self.hub.newest.borrow().saturating_sub(read);
        metrics::gauge!("omni_lag", "consumer" => self.id.to_string()).set(lag as f64);
        Ok(())
    }
}

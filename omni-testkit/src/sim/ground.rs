//! What the parts of one simulator share: its address, its clock, its end, and the news that something happened.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use omni_core::Timestamp;
use tokio::sync::watch;

/// How long [`Ground::wait_for`] waits.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the parts of one simulator share. Cheap to clone; does not keep the simulator running.
#[derive(Clone)]
pub struct Ground {
    inner: Arc<Inner>,
}

struct Inner {
    base_url: String,
    runtime: tokio::runtime::Handle,
    stop: watch::Receiver<bool>,
    version: watch::Sender<u64>,
    ahead: AtomicU64,
}

impl fmt::Debug for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ground").field("base_url", &self.inner.base_url).finish_non_exhaustive()
    }
}

impl Ground {
    pub(crate) fn new(base_url: String, stop: watch::Receiver<bool>) -> Self {
        let inner = Inner {
            base_url,
            runtime: tokio::runtime::Handle::current(),
            stop,
            version: watch::Sender::new(0),
            ahead: AtomicU64::new(0),
        };
        Self { inner: Arc::new(inner) }
    }

    /// `http://127.0.0.1:<port>`, without a slash at its end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.inner.base_url
    }

    /// What time it is at the provider.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let real = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::default() + real + Duration::from_millis(self.inner.ahead.load(Ordering::Relaxed))
    }

    /// Puts the provider's clock forward.
    pub fn advance(&self, by: Duration) {
        self.inner.ahead.fetch_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.changed();
    }

    /// Tells everybody who waits that something happened.
    pub fn changed(&self) {
        self.inner.version.send_modify(|version| *version += 1);
    }

    /// A counter that moves whenever anything happened.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.inner.version.subscribe()
    }

    /// Runs a future until it ends or the simulator stops; may be called from any thread.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut stop = self.inner.stop.clone();
        self.inner.runtime.spawn(async move {
            tokio::select! {
                () = stopped(&mut stop) => {}
                () = task => {}
            }
        });
    }

    /// Waits until `look` finds something, looking again after every change. `what` names it for the panic.
    ///
    /// # Panics
    /// When nothing was found within ten seconds.
    pub async fn wait_for<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let mut changes = self.watch();
        let search = async {
            loop {
                changes.mark_unchanged();
                if let Some(found) = look() {
                    return found;
                }
                // The sender lives in `self`, so this cannot fail while we wait.
                let _ = changes.changed().await;
            }
        };
        match tokio::time::timeout(PATIENCE, search).await {
            Ok(found) => found,
            Err(_) => panic!("waited {PATIENCE:?} in vain for {what}"),
        }
    }
}

/// Ends when the simulator stops.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the simulator is gone, which is a stop as well.
    let _ = stop.wait_for(|stopped| *stopped).await;
}

//! Time as a parameter (law 9): the system's in production, moved by hand in tests.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use omni_core::Timestamp;
use tokio::sync::Notify;

/// Where the hub gets its time.
#[async_trait]
pub trait Clock: Debug + Send + Sync + 'static {
    /// What time it is.
    fn now(&self) -> Timestamp;

    /// Returns when it is `at` or later. Cancel safe.
    async fn sleep_until(&self, at: Timestamp);
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    async fn sleep_until(&self, at: Timestamp) {
        let wait = at.since(self.now());
        // A day at most: a machine that was suspended, or whose clock was set, wakes up and looks again.
        tokio::time::sleep(wait.min(Duration::from_secs(86_400))).await;
    }
}

/// A clock that stands still until it is moved: tests never sleep.
#[derive(Clone, Debug)]
pub struct ManualClock {
    inner: Arc<ManualInner>,
}

#[derive(Debug)]
struct ManualInner {
    millis: AtomicI64,
    moved: Notify,
}

impl ManualClock {
    /// A clock that shows `at`.
    pub fn at(at: Timestamp) -> Self {
        let inner = ManualInner { millis: AtomicI64::new(at.as_millis()), moved: Notify::new() };
        Self { inner: Arc::new(inner) }
    }

    /// Moves it on and wakes whoever is due.
    pub fn advance(&self, by: Duration) {
        self.set(self.now() + by);
    }

    /// Sets it, also backwards.
    pub fn set(&self, at: Timestamp) {
        self.inner.millis.store(at.as_millis(), Ordering::SeqCst);
        self.inner.moved.notify_waiters();
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.inner.millis.load(Ordering::SeqCst))
    }

    async fn sleep_until(&self, at: Timestamp) {
        loop {
            let moved = self.inner.moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            if self.now() >= at {
                return;
            }
            moved.await;
        }
    }
}

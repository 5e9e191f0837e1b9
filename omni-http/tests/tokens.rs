//! Tokens are renewed once, whoever asks and whatever happens meanwhile.

#![allow(clippy::unwrap_used)] // here a failed unwrap is the failure

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use omni_core::error::ErrorKind;
use omni_core::tokens::{MemoryTokens, TokenStore, Tokens};
use omni_core::{Error, Result, Secret, Timestamp};
use omni_http::{Renew, TokenKeeper};
use tokio::sync::Semaphore;

const DAY: Duration = Duration::from_secs(86_400);

/// A provider whose refresh tokens can be used once.
#[derive(Debug)]
struct Provider {
    given: AtomicU32,
    calls: AtomicU32,
    now: AtomicI64,
    refuses: AtomicBool,
    /// A renewal needs one of these to go on.
    gate: Semaphore,
}

impl Provider {
    fn new() -> Arc<Self> {
        let (given, calls, now) = (AtomicU32::new(0), AtomicU32::new(0), AtomicI64::new(1_767_225_600_000));
        Arc::new(Self { given, calls, now, refuses: AtomicBool::new(false), gate: Semaphore::new(1000) })
    }

    fn calls(&self) -> u32 {
        self.calls.load(Ordering::SeqCst)
    }
}

#[derive(Debug)]
struct Client(Arc<Provider>);

#[async_trait]
impl Renew for Client {
    async fn renew(&self, old: Option<&Tokens>) -> Result<Tokens> {
        let Client(provider) = self;
        provider.calls.fetch_add(1, Ordering::SeqCst);
        provider.gate.acquire().await.unwrap().forget();
        let given = provider.given.load(Ordering::SeqCst);
        let shown = old.and_then(|tokens| tokens.refresh.clone());
        let fits = shown.is_none_or(|refresh| refresh == Secret::new(format!("r-{given}")));
        if provider.refuses.load(Ordering::SeqCst) || !fits {
            return Err(
                Error::new(ErrorKind::BadCredentials, "token").with_advice("connect the account again")
            );
        }
        let given = provider.given.fetch_add(1, Ordering::SeqCst) + 1;
        Ok(Tokens {
            access: Secret::new(format!("a-{given}")),
            refresh: Some(Secret::new(format!("r-{given}"))),
            expires_at: Some(self.now() + DAY),
        })
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.now.load(Ordering::SeqCst))
    }
}

fn keeper(provider: &Arc<Provider>, store: &Arc<dyn TokenStore>) -> TokenKeeper {
    TokenKeeper::new("avito/7", Arc::clone(store), Client(Arc::clone(provider)))
}

fn memory() -> Arc<dyn TokenStore> {
    Arc::new(MemoryTokens::default())
}

/// A store of several processes: one claim at a time.
#[derive(Debug, Default)]
struct Shared {
    inner: MemoryTokens,
    claimed: Mutex<bool>,
}

#[async_trait]
impl TokenStore for Shared {
    async fn load(&self, key: &str) -> Result<Option<Tokens>> {
        self.inner.load(key).await
    }

    async fn save(&self, key: &str, tokens: &Tokens) -> Result<()> {
        self.inner.save(key, tokens).await
    }

    async fn claim(&self, _: &str, _: Duration) -> Result<bool> {
        Ok(!std::mem::replace(&mut *self.claimed.lock().unwrap(), true))
    }

    async fn unclaim(&self, _: &str) -> Result<()> {
        *self.claimed.lock().unwrap() = false;
        Ok(())
    }
}

#[tokio::test]
async fn a_burst_renews_once() {
    let (provider, store) = (Provider::new(), memory());
    let keeper = keeper(&provider, &store);
    let first = keeper.access().await.unwrap();
    assert_eq!(provider.calls(), 1);
    let renewed = join_all((0..50).map(|_| keeper.instead_of(&first))).await;
    assert!(renewed.into_iter().all(|access| access.unwrap() == Secret::new("a-2")));
    assert_eq!(provider.calls(), 2);
    assert_eq!(keeper.access().await.unwrap(), Secret::new("a-2"));
}

#[tokio::test]
async fn a_token_is_renewed_before_it_runs_out() {
    let (provider, store) = (Provider::new(), memory());
    let keeper = keeper(&provider, &store);
    keeper.access().await.unwrap();
    let nearly = i64::try_from((DAY - Duration::from_secs(200)).as_millis()).unwrap();
    provider.now.fetch_add(nearly, Ordering::SeqCst);
    assert_eq!(keeper.access().await.unwrap(), Secret::new("a-2"));
}

#[tokio::test]
async fn a_call_that_is_dropped_does_not_lose_the_new_pair() {
    let (provider, store) = (Provider::new(), memory());
    provider.gate.forget_permits(1000);
    let keeper = keeper(&provider, &store);
    {
        let mut asking = Box::pin(keeper.access());
        while provider.calls() == 0 {
            assert!(futures_util::poll!(&mut asking).is_pending());
            tokio::task::yield_now().await;
        }
    }
    provider.gate.add_permits(10);
    assert_eq!(keeper.access().await.unwrap(), Secret::new("a-1"));
    assert_eq!(provider.calls(), 1);
    assert_eq!(store.load("avito/7").await.unwrap().unwrap().access, Secret::new("a-1"));
}

#[tokio::test(start_paused = true)]
async fn two_processes_renew_once() {
    let provider = Provider::new();
    let store: Arc<dyn TokenStore> = Arc::new(Shared::default());
    let (one, two) = (keeper(&provider, &store), keeper(&provider, &store));
    let first = one.access().await.unwrap();
    let (a, b) = tokio::join!(one.instead_of(&first), two.instead_of(&first));
    assert_eq!((a.unwrap(), b.unwrap()), (Secret::new("a-2"), Secret::new("a-2")));
    assert_eq!(provider.calls(), 2);
}

#[tokio::test]
async fn a_refused_renewal_is_told_to_all_and_asked_once() {
    let (provider, store) = (Provider::new(), memory());
    let keeper = keeper(&provider, &store);
    let first = keeper.access().await.unwrap();
    provider.refuses.store(true, Ordering::SeqCst);
    for refused in join_all((0..20).map(|_| keeper.instead_of(&first))).await {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadCredentials);
        assert_eq!(error.advice(), Some("connect the account again"));
    }
    assert_eq!(provider.calls(), 2);
    provider.refuses.store(false, Ordering::SeqCst);
    assert_eq!(keeper.instead_of(&first).await.unwrap(), Secret::new("a-2"), "and tried again later");
}

#[tokio::test]
async fn a_restart_goes_on_with_the_stored_pair() {
    let (provider, store) = (Provider::new(), memory());
    keeper(&provider, &store).access().await.unwrap();
    assert_eq!(keeper(&provider, &store).access().await.unwrap(), Secret::new("a-1"));
    assert_eq!(provider.calls(), 1);
}

#[test]
fn debug_shows_no_token() {
    let tokens = Tokens { access: "a-secret".into(), refresh: Some("r-secret".into()), expires_at: None };
    let keeper = keeper(&Provider::new(), &memory());
    assert!(!format!("{tokens:?} {keeper:?}").contains("secret"));
}

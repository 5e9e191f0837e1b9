//! Renewing tokens: once, however many calls need one at the same moment.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use omni_core::error::{ErrorKind, Retry};
use omni_core::tokens::{TokenStore, Tokens};
use omni_core::{Error, Result, Secret, Timestamp};
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A token is renewed this long before it runs out: clocks differ, and a call takes time.
const MARGIN: Duration = Duration::from_secs(300);
/// How long one renewal may hold the store's claim.
const CLAIM: Duration = Duration::from_secs(60);
/// How often a new pair is offered to a store that fails.
const SAVES: u32 = 10;
/// How often the store is looked at while another process renews.
const LOOK: Duration = Duration::from_millis(200);

/// Gets new tokens from a provider.
#[async_trait]
pub trait Renew: Send + Sync + 'static {
    /// A new pair: by the refresh token of the old one, or by the credentials of the configuration.
    ///
    /// # Errors
    /// [`BadCredentials`](ErrorKind::BadCredentials) when the provider refuses for good: a person has to connect the
    /// account again.
    async fn renew(&self, old: Option<&Tokens>) -> Result<Tokens>;

    /// What time it is, for the end of a token.
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::default() + since
    }
}

/// The tokens of one account. Calls of one process share a renewal; processes take turns by the claim of the
/// [`TokenStore`].
///
/// *Cancel safety*: a renewal that was begun is finished and written down even when nobody waits for it any more:
/// dropped half-way, it would lose a refresh token that can be used once.
#[derive(Debug)]
pub struct TokenKeeper {
    shared: Arc<Shared>,
}

struct Shared {
    key: String,
    store: Arc<dyn TokenStore>,
    renew: Box<dyn Renew>,
    /// Held while renewing, so that everybody else waits and finds the outcome.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: Option<Tokens>,
    /// The last renewal failed, then and so: whoever waited for it shares the failure.
    failed: Option<(Instant, Error)>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("key", &self.key).finish_non_exhaustive()
    }
}

impl TokenKeeper {
    /// The tokens kept under `key`, renewed by `renew`. Nothing is read or sent yet.
    pub fn new(key: impl Into<String>, store: Arc<dyn TokenStore>, renew: impl Renew) -> Self {
        let (key, renew) = (key.into(), Box::new(renew));
        Self { shared: Arc::new(Shared { key, store, renew, state: Mutex::default() }) }
    }

    /// An access token that is good for some minutes at least.
    ///
    /// # Errors
    /// As the store and [`Renew::renew`].
    pub async fn access(&self) -> Result<Secret> {
        self.after(None).await
    }

    /// An access token other than `refused`, which the provider did not take. It is renewed only when nobody else has
    /// done so meanwhile.
    ///
    /// # Errors
    /// As the store and [`Renew::renew`].
    pub async fn instead_of(&self, refused: &Secret) -> Result<Secret> {
        self.after(Some(refused)).await
    }

    async fn after(&self, refused: Option<&Secret>) -> Result<Secret> {
        let good = |tokens: &Tokens| self.shared.is_good(tokens, refused);
        if let Ok(state) = self.shared.state.try_lock()
            && let Some(tokens) = state.known.as_ref().filter(|t| good(t))
        {
            return Ok(tokens.access.clone());
        }
        let (shared, refused, asked) = (Arc::clone(&self.shared), refused.cloned(), Instant::now());
        // A task of its own: it ends also when the call that began it is dropped.
        let renewed = tokio::spawn(async move { shared.fresh(refused.as_ref(), asked).await }).await;
        renewed.unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::Internal, "renew").with_text("the renewal of the token panicked"))
        })
    }
}

impl Shared {
    fn is_good(&self, tokens: &Tokens, refused: Option<&Secret>) -> bool {
        refused != Some(&tokens.access) && tokens.outlives(self.renew.now(), MARGIN)
    }

    async fn fresh(&self, refused: Option<&Secret>, asked: Instant) -> Result<Secret> {
        let mut state = self.state.lock().await;
        if let Some(tokens) = state.known.as_ref().filter(|t| self.is_good(t, refused)) {
            return Ok(tokens.access.clone());
        }
        if let Some((_, error)) = state.failed.as_ref().filter(|(at, _)| *at >= asked) {
            return Err(error.again());
        }
        match self.taking_turns(refused).await {
            Ok(tokens) => {
                let access = tokens.access.clone();
                *state = State { known: Some(tokens), failed: None };
                Ok(access)
            }
            Err(error) => {
                state.failed = Some((Instant::now(), error.again()));
                Err(error)
            }
        }
    }

    /// Waits for another process that renews, or renews.
    async fn taking_turns(&self, refused: Option<&Secret>) -> Result<Tokens> {
        let until = Instant::now() + CLAIM * 2;
        loop {
            if let Some(tokens) = self.store.load(&self.key).await?.filter(|t| self.is_good(t, refused)) {
                return Ok(tokens);
            }
            if self.store.claim(&self.key, CLAIM).await? {
                break;
            }
            if Instant::now() >= until {
                return Err(Error::new(ErrorKind::Unavailable, "renew")
                    .with_text("another process is renewing the token and does not come to an end")
                    .with_retry(Retry::Later));
            }
            tokio::time::sleep(LOOK).await;
        }
        let renewed = self.renew_claimed(refused).await;
        // The claim runs out by itself when this fails.
        let _ = self.store.unclaim(&self.key).await;
        renewed
    }

    async fn renew_claimed(&self, refused: Option<&Secret>) -> Result<Tokens> {
        let kept = self.store.load(&self.key).await?;
        if let Some(tokens) = kept.as_ref().filter(|t| self.is_good(t, refused)) {
            return Ok(tokens.clone());
        }
        let tokens = self.renew.renew(kept.as_ref()).await?;
        self.keep(&tokens).await;
        Ok(tokens)
    }

    /// Writes a new pair down. The old one is used up, so a store that fails for a moment is asked again; the new one
    /// is used all the same when it fails for longer: otherwise the account would be lost for certain.
    async fn keep(&self, tokens: &Tokens) {
        for _ in 0..SAVES {
            match self.store.save(&self.key, tokens).await {
                Ok(()) => return,
                Err(error) => tracing::warn!(%error, key = self.key, "a renewed token is not stored yet"),
            }
            tokio::time::sleep(LOOK).await;
        }
        tracing::error!(
            key = self.key,
            "a renewed token is in this process's memory only: a restart loses it"
        );
    }
}

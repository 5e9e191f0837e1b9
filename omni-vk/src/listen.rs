//! Receiving by long polling. <https://dev.vk.com/api/bots-long-poll/getting-started> (read 2026-11)

use std::time::Duration;

use bytes::Bytes;
use omni_core::channel::Sink;
use omni_core::error::{ErrorKind, Result, Retry};
use omni_core::outbound::SendError;
use omni_core::{Cursor, Error};
use url::Url;

use crate::api::{Api, foreign};
use crate::encode;
use crate::parse::{Poll, poll};
use crate::wire::LongPollServer;

const OPERATION: &str = "a_check";
/// How much longer than the poll itself we wait for its answer.
const GRACE: Duration = Duration::from_secs(15);
/// Pause after the first failure in a row; it doubles.
const PAUSE: Duration = Duration::from_millis(500);
/// Failures in a row after which the session ends, with the last error: about half a minute.
const FAILURES: u32 = 6;

/// Where to ask, and from where on.
struct Session {
    server: Url,
    key: String,
    ts: String,
}

impl Api {
    /// Asks until an error or until dropped.
    ///
    /// The server and its key are kept as long as they are good, over failures of the network too: asking for them has
    /// a quota of its own, and a program that asks in a tight loop is shut out for hours (*community*:
    /// <https://github.com/vknet/vk/issues/908>).
    pub(crate) async fn listen(&self, from: Option<Cursor>, sink: &dyn Sink) -> Result<()> {
        let events = self.config.events();
        self.ask(encode::set_long_poll_settings(self.config.group_id, &self.config.api_version, &events))
            .await?;
        let mut session = self.session().await?;
        match from {
            Some(cursor) => cursor.as_str().clone_into(&mut session.ts),
            // A place from the first moment on: whatever ends this session, nothing behind it is lost.
            None => sink.commit(Vec::new(), Cursor::from(&*session.ts)).await?,
        }
        let mut failures = 0;
        loop {
            match self.asked(&session, &mut failures).await? {
                Poll::Events { events, ts } => {
                    failures = 0;
                    sink.alive();
                    if ts != session.ts || !events.is_empty() {
                        tracing::debug!(events = events.len(), ts, "polled");
                        sink.commit(events, Cursor::from(&*ts)).await?;
                        // The next question gives up everything before the place: only now may it move (law 1).
                        session.ts = ts;
                    }
                }
                Poll::Lost { ts } => {
                    tracing::warn!("VK has lost a part of the history");
                    sink.commit(Vec::new(), Cursor::from(&*ts)).await?;
                    session.ts = ts;
                    pause(&mut failures).await;
                }
                Poll::KeyExpired => {
                    pause(&mut failures).await;
                    session = Session { ts: session.ts, ..self.session().await? };
                }
                Poll::Anew => {
                    pause(&mut failures).await;
                    session = self.session().await?;
                    sink.commit(Vec::new(), Cursor::from(&*session.ts)).await?;
                }
            }
        }
    }

    /// One question, asked again while the network fails, and not for ever.
    async fn asked(&self, session: &Session, failures: &mut u32) -> Result<Poll> {
        if *failures > FAILURES {
            // A new session switches long polling on again.
            return Err(Error::new(ErrorKind::Unavailable, OPERATION)
                .with_text("the long poll fails again and again"));
        }
        loop {
            match self.poll(session).await {
                Ok(answer) => {
                    return poll(&answer, self.config.group_id).map_err(|rejected| {
                        Error::new(ErrorKind::Protocol, OPERATION)
                            .with_text(rejected.to_string())
                            .with_retry(Retry::Later)
                    });
                }
                Err(error) if *failures < FAILURES && passes(&error) => {
                    tracing::debug!(%error, failures = *failures, "a poll failed");
                    pause(failures).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn session(&self) -> Result<Session> {
        let answered = self.ask(encode::long_poll_server(self.config.group_id)).await?;
        let LongPollServer { key, server, ts } = answered.read()?;
        let server = self.own_address(OPERATION, &server)?;
        Ok(Session { server, key: key.into_string(), ts: ts.0 })
    }

    async fn poll(&self, session: &Session) -> Result<Bytes> {
        let mut url = session.server.clone();
        url.query_pairs_mut()
            .append_pair("act", OPERATION)
            .append_pair("key", &session.key)
            .append_pair("ts", &session.ts)
            .append_pair("wait", &self.config.poll_seconds.to_string());
        let wait = self.config.poll_time() + GRACE;
        let answer =
            self.http.get(OPERATION, url).timeout(wait).send().await.map_err(SendError::into_error)?;
        if answer.status.is_success() {
            Ok(answer.body)
        } else {
            Err(foreign(OPERATION, &answer).into_error())
        }
    }
}

/// The first failure of a row costs nothing: keys run out in the course of things.
async fn pause(failures: &mut u32) {
    if *failures > 0 {
        tokio::time::sleep(PAUSE * 2u32.pow((*failures).min(FAILURES))).await;
    }
    *failures = failures.saturating_add(1);
}

/// Whether the same question may be answered in a moment.
fn passes(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Network | ErrorKind::Timeout | ErrorKind::Unavailable)
}

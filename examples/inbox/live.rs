//! Live updates: what happened in the hub and the simulators, told to open pages.
//!
//! Pages are told *that* something changed and fetch it: hearing it twice, or missing it once, does no harm.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use omni::core::EventBody;
use omni::core::policy::Verdict;
use omni::hub::{Entry, HostEvent, HubError};
use tokio::sync::broadcast::error::RecvError;

use crate::desk::{Desk, News, Why};
use crate::simulated::Simulator;

/// Starts to feed open pages.
pub(crate) fn start(desk: &Desk) {
    let (log, health) = (desk.clone(), desk.clone());
    tokio::spawn(async move {
        while let Err(error) = follow_log(&log).await {
            tracing::error!(%error, "the log cannot be read; trying again");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    tokio::spawn(async move {
        tokio::select! {
            () = health.stopped() => {}
            () = watch_health(&health) => {}
        }
    });
}

/// Passes on what happens in a simulator.
pub(crate) fn follow_simulator(desk: &Desk, simulator: &dyn Simulator) {
    let mut changes = simulator.changes();
    let (desk, provider) = (desk.clone(), simulator.provider());
    tokio::spawn(async move {
        while changes.changed().await.is_ok() {
            desk.tell(News::Simulator { provider: provider.clone() });
        }
    });
}

/// The host event log, read as any other program would.
async fn follow_log(desk: &Desk) -> Result<(), HubError> {
    let mut consumer = desk.hub().events("inbox-pages");
    loop {
        let entries = consumer.next().await?;
        if entries.is_empty() {
            return Ok(());
        }
        for entry in &entries {
            keep_whys(desk, entry);
        }
        let mut told: Vec<News> = entries.iter().filter_map(news).collect();
        told.dedup();
        for news in told {
            desk.tell(news);
        }
        consumer.done().await?;
    }
}

/// Rules that had nothing to do are left out: people ask why something happened, or did not although it should have.
fn keep_whys(desk: &Desk, entry: &Entry) {
    let Some(conversation) = entry.conversation else { return };
    for step in entry.why.steps.iter().filter(|step| step.verdict != Verdict::Skipped) {
        desk.keep_why(Why { conversation, at: entry.at, step: step.clone() });
    }
}

fn news(entry: &Entry) -> Option<News> {
    let id = entry.conversation?;
    Some(match &entry.event {
        HostEvent::Received { event, .. } if matches!(event.body, EventBody::Typing { .. }) => {
            News::Typing { id }
        }
        _ => News::Conversation { id },
    })
}

/// Health has no events of its own, so it is looked at.
async fn watch_health(desk: &Desk) {
    let mut known = Vec::new();
    loop {
        let now = desk.hub().health();
        if now != known {
            desk.tell(News::Channels);
            known = now;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// `GET /api/live`: news as server-sent events, until the page or the desk goes away.
pub(crate) async fn stream(
    State(desk): State<Desk>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>> + use<>> {
    let state = (desk.listen(), Box::pin(desk.stopped()));
    let events = unfold(state, |(mut news, mut stopped)| async move {
        let news_or_end = tokio::select! {
            heard = news.recv() => heard,
            () = &mut stopped => return None,
        };
        let told = match news_or_end {
            Ok(told) => told,
            Err(RecvError::Lagged(_)) => News::Everything,
            Err(RecvError::Closed) => return None,
        };
        let event = Event::default().json_data(&told).unwrap_or_default();
        Some((Ok(event), (news, stopped)))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}

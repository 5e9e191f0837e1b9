//! One message to many.

use omni_core::error::Error;
use omni_core::{Address, ProviderMessageId};
use serde_json::value::RawValue;

use crate::error::classify;
use crate::wire::Undelivered;

/// Most people in one broadcast.
/// <https://developers.viber.com/docs/api/rest-bot-api/#broadcast-message> (read 2026-11)
pub const MOST_RECEIVERS: usize = 300;

/// A broadcast that was taken.
#[derive(Debug)]
pub struct Broadcast {
    /// The id of the message, the same for everybody who gets it. News of it name the person besides.
    pub id: ProviderMessageId,
    /// Who certainly does not get it, and why.
    pub failed: Vec<Missed>,
    /// How many of those that Viber listed as failed cannot be read.
    pub unreadable: usize,
}

/// Somebody who does not get a broadcast.
#[derive(Debug)]
pub struct Missed {
    /// Who.
    pub address: Address,
    /// Why, sorted as the same refusal of a single message.
    pub error: Error,
}

/// Sorts the list of those who failed; each one fails to be read alone. `redact` takes secrets out of texts.
pub(crate) fn sort(failed: &[&RawValue], redact: impl Fn(&str) -> String) -> (Vec<Missed>, usize) {
    let missed: Vec<Missed> = failed
        .iter()
        .filter_map(|raw| serde_json::from_str::<Undelivered<'_>>(raw.get()).ok())
        .map(|one| Missed {
            address: Address::new(&*one.receiver),
            // Each of them is what a message to that person alone would have come to.
            error: classify(
                "send_message",
                one.status,
                &redact(one.status_message.as_deref().unwrap_or_default()),
            ),
        })
        .collect();
    let unreadable = failed.len() - missed.len();
    (missed, unreadable)
}

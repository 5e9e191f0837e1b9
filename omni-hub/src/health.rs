//! How each channel is.

use omni_core::Timestamp;
use omni_core::error::{Error, ErrorKind, ErrorReport};
use serde::{Deserialize, Serialize};

use crate::store::ChannelKey;

/// How a channel is, with what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Health {
    /// Nothing was heard yet.
    Starting,
    /// It works.
    Working,
    /// It fails, and is tried again by itself.
    Degraded {
        /// Since when.
        since: Timestamp,
        /// Why.
        error: ErrorReport,
    },
    /// It stands still until a person does what the error advises: a new token, another program to stop.
    NeedsPerson {
        /// Since when.
        since: Timestamp,
        /// Why, and what to do.
        error: ErrorReport,
    },
    /// Another node listens for the account (law 11). This one sends and takes webhooks.
    Standby,
}

/// The health of one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelHealth {
    /// Which.
    pub channel: ChannelKey,
    /// How it is.
    pub health: Health,
}

impl Health {
    /// What an error makes of a channel's health; `None` for errors that say nothing about the channel.
    pub(crate) fn after(&self, error: &Error, now: Timestamp) -> Option<Health> {
        let since = match self {
            Health::Degraded { since, .. } | Health::NeedsPerson { since, .. } => *since,
            _ => now,
        };
        let error_report = error.report();
        match error.kind() {
            ErrorKind::BadCredentials | ErrorKind::Conflict | ErrorKind::Configuration => {
                Some(Health::NeedsPerson { since, error: error_report })
            }
            ErrorKind::RateLimited
            | ErrorKind::Unavailable
            | ErrorKind::Network
            | ErrorKind::Timeout
            | ErrorKind::Protocol
            | ErrorKind::Storage
            | ErrorKind::Internal => Some(Health::Degraded { since, error: error_report }),
            _ => None,
        }
    }
}

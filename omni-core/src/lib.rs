//! Words, traits, capabilities, planning and policy of omni.
//!
//! This crate is pure: it opens no socket, reads no clock, starts no task and pulls in no HTTP client, TLS
//! stack or async runtime. Everything that crosses a crate border of the family is defined here:
//!
//! | Module | What is in it |
//! |---|---|
//! | [`id`], [`time`], [`period`], [`address`], [`contact`] | names of things, instants, lengths of time, where to speak, who speaks |
//! | [`text`], [`content`], [`media`] | what is said, in one form for all providers |
//! | [`event`] | what a provider told us; its documented JSON form |
//! | [`capability`], [`plan`] | what a channel can do, and what will really go out |
//! | [`channel`], [`webhook`], [`outbound`], [`registry`] | the traits a connector implements |
//! | [`policy`], [`conversation`] | the pure policy engine and the state it works on |
//! | [`hours`] | when a team or a channel is open; deadlines in open time |
//! | [`error`], [`secret`], [`crypto`], [`tokens`] | errors for people at three in the morning, secrets, signatures, tokens that run out |
//! | [`wire`] | reading JSON once, from bytes: text that borrows |
//! | [`link`] | "write to us" links that carry a campaign token |
//!
//! Start at [`channel::Channel`] to write a connector, at [`event::Event`] to read what comes in.
//!
//! # The laws
//!
//! What every crate of the family keeps. Comments name them by number; the tests in `omni-hub/tests/laws` fail
//! without them.
//!
//! 1. Acknowledged means committed: a provider gets its 200, a poll offset moves, only after a durable commit.
//! 2. One body, many items; each fails alone. What is not understood is kept, raw, as
//!    [`Unsupported`](event::EventBody::Unsupported).
//! 3. An event is claimed in the transaction that applies it, so a repeat changes nothing.
//! 4. Events of one address are applied in order, those of different addresses in parallel; all that an event
//!    changes is changed in one transaction.
//! 5. A send is accepted, rejected or unknown, and an unknown one is never blindly repeated.
//! 6. A [`Status`] only rises.
//! 7. An automatic text looks again at the last moment: whether a person answered, the window is open, the other
//!    side is no robot.
//! 8. An echo from the provider's own app is a person's answer, unless it is a send of ours.
//! 9. Time is a parameter: nothing here reads a clock; a late or stale timer is harmless.
//! 10. Limits are scopes: a retry-after moves the scope; people go before programs.
//! 11. One listener an account, under a lease.
//! 12. Nothing secret leaves: no token in a log, an error or a `Debug`; bodies are never logged.
//! 13. Every decision of the policy says why.

pub mod address;
pub mod capability;
pub mod channel;
pub mod contact;
pub mod content;
pub mod conversation;
pub mod crypto;
pub mod error;
pub mod event;
pub mod hours;
pub mod id;
pub mod link;
pub mod media;
pub mod outbound;
pub mod period;
pub mod plan;
pub mod policy;
pub mod provider;
pub mod registry;
pub mod secret;
pub mod status;
pub mod text;
pub mod time;
pub mod tokens;
pub mod webhook;
pub mod wire;

pub use address::Address;
pub use capability::Capabilities;
pub use channel::{Channel, Inbound, Outbound};
pub use contact::{Contact, Identity};
pub use content::Content;
pub use conversation::Conversation;
pub use error::{Error, Result};
pub use event::{Event, EventBody};
pub use id::*;
pub use period::Period;
pub use provider::Provider;
pub use secret::Secret;
pub use status::Status;
pub use text::Text;
pub use time::Timestamp;

/// Whether a field may be left out when it is written: reading fills it in again.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#![doc = include_str!("../docs.md")]

pub mod capabilities;
mod config;
mod connector;
pub mod discover;
pub mod encode;
pub mod error;
mod imap;
mod login;
pub mod mail;
mod mailbox;
mod net;
pub mod oauth;
pub mod parse;
pub mod presets;
pub mod sasl;
mod smtp;

use omni_core::Provider;
use omni_core::registry::Facts;

pub use config::{AnswerTo, Auth, Config, Dkim, First, Grant, Junk, Seen, SentCopy, Server, Tls};
pub use connector::{Email, connector, connector_with};

/// The name of this kind of channel.
pub const PROVIDER: Provider = Provider::from_static("email");

/// What the connector knows of the protocols, and how old that is: IMAP4rev1 (RFC 3501) and SMTP (RFC 5321).
pub const FACTS: Facts = Facts { version: Some("IMAP4rev1, SMTP"), as_of: "2026-11" };

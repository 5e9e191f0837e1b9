#![doc = include_str!("../docs.md")]

pub mod capabilities;
mod config;
pub mod discover;
pub mod encode;
pub mod error;
mod imap;
mod login;
pub mod mail;
mod net;
pub mod oauth;
pub mod parse;
pub mod presets;
pub mod sasl;
mod smtp;

use omni_core::Provider;

pub use config::{AnswerTo, Auth, Config, Dkim, First, Grant, Junk, Seen, SentCopy, Server, Tls};

/// The name of this kind of channel.
pub const PROVIDER: Provider = Provider::from_static("email");

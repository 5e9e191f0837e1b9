//! What the HTTP connectors of omni share: a thin, redacting layer on a reqwest client the host may supply.
//!
//! # What it does
//!
//! | Need of a connector | Here |
//! |---|---|
//! | a client that never panics when TLS is not set up | [`Http::new`], [`Http::with_client`] |
//! | an API call, and whether it was perhaps carried out (law 5) | [`Http::post`], [`Call`] |
//! | errors without the address, which may hold a token (law 12) | every error made here |
//! | media, streamed, capped, only from expected hosts, never from private networks | [`Http::download`], [`Guard`] |
//! | the same words for the same wrong setting | [`settings`] |
//! | tokens that run out, renewed once under concurrency | [`TokenKeeper`], [`Renew`] |
//!
//! Pacing and repetition are not here: the hub does both, from the connector's capabilities and errors.
//!
//! # Smallest example
//!
//! ```
//! # async fn example() -> Result<(), omni_core::Error> {
//! let http = omni_http::Http::new()?;
//! let url = url::Url::parse("https://api.example/send").expect("a literal address");
//! let answer = http.post("send", url).json(&["Привет"]).await.map_err(omni_core::outbound::SendError::into_error)?;
//! println!("{} with {} bytes", answer.status, answer.body.len());
//! # Ok(())
//! # }
//! ```
//!
//! # TLS
//!
//! TLS is rustls without a cryptography provider of its own: the host installs one
//! (`rustls::crypto::ring::default_provider().install_default()`), or switches on the feature `ring`, which
//! installs ring when there is none. Without either, [`Http::new`] is an error that says so.

mod call;
mod client;
mod download;
mod failure;
mod guard;
pub mod settings;
mod tokens;

pub use call::{Answer, Call, Part, read_json};
pub use client::Http;
pub use download::Download;
pub use guard::{Guard, is_public};
/// The client library whose types are in [`Http::with_client`] and [`Http::client_builder`].
pub use reqwest;
pub use tokens::{Renew, TokenKeeper};

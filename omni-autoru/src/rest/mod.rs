//! The dealer's chat rooms over the REST API: asked for, written to, marked as read.
//!
//! It needs a token that the dealer's manager at Auto.ru gives out, and the login of a user of the dealer's cabinet,
//! whose session is renewed by logging in again. Rooms have other ids than the buyers of webhooks, and nothing tells
//! which belong together.
//!
//! [`parse`] is pure, and the JSON is in [`wire::rooms`](crate::wire::rooms).

mod api;
pub mod parse;
mod place;
mod poll;
mod session;

pub(crate) use api::Rooms;

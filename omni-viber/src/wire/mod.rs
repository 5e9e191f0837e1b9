//! The REST Bot API's JSON, as far as this connector reads and writes it, exactly as on the wire.
//!
//! What comes in borrows from the body where it can. What goes out is owned: it is small, and made once.
//!
//! Source: <https://developers.viber.com/docs/api/rest-bot-api/> and
//! <https://github.com/Viber/creators-hub/tree/main/docs/bots-api> (read 2026-11).

mod answer;
mod callback;
mod lenient;
mod outgoing;

pub use omni_core::wire::Str;

pub use answer::{
    AccountInfo, Broadcasted, Detailed, Envelope, OnlineUser, OnlineUsers, Sent, Undelivered, User,
};
pub use callback::{Callback, Contact, Essentials, Location, Message, Person};
pub use outgoing::{
    ActionType, Body, Card, ContactOut, Face, Key, Keyboard, LocationOut, Outgoing, RichMedia, SetWebhook,
};

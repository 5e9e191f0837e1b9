//! The Messenger API's JSON, as far as this connector reads it, exactly as on the wire.
//!
//! Everything borrows from the body where it can. What stands beside the point of a message is read leniently: a
//! field of another type than described counts as absent, and does not cost the message.
//!
//! Source: <https://developers.avito.ru/api-catalog/messenger/documentation>, read through the copy of its OpenAPI
//! description in <https://github.com/elchin92/avito-mcp> (`swaggers/messenger.json`; read 2026-11). What is marked
//! *community* is seen in the code of clients only.

mod answer;
mod chat;
mod message;

pub use omni_core::wire::Str;
pub(crate) use omni_core::wire::lenient;

pub use answer::{
    Account, Chats, Failure, Fields, Messages, Sent, Subscription, Subscriptions, Token, read_images,
    read_voices,
};
pub use chat::{Advert, Avatar, Chat, Context, Images, LastMessage, PublicProfile, User};
pub use message::{
    Call, Content, Hook, Image, Item, ItemImages, Link, Location, Message, Named, Payload, Preview, Quote,
    Sizes, Voice,
};

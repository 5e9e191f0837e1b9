//! The Bot API's JSON, as far as this connector reads it, exactly as on the wire.
//!
//! Everything borrows from the body where it can. Fields that are not here are skipped while reading, and read
//! again by name only when a message turns out to hold nothing known (see [`keys_of`]).
//!
//! Source: <https://core.telegram.org/bots/api#available-types>, Bot API 10.1 (read 2026-11).

mod answer;
mod keys;
mod message;
mod update;

pub use omni_core::wire::Str;

pub use answer::{Answer, File, Me, Parameters, SentMessage, WebhookInfo};
pub use keys::{Envelope, keys_of};
pub use message::{
    Audio, Contact, Document, ForwardOrigin, Location, Message, MessageEntity, PhotoSize, Quote, Replied,
    Rest, Sticker, Topic, Venue, Video, VideoNote, Voice,
};
pub use update::{
    BusinessConnection, BusinessRights, CallbackMessage, CallbackQuery, Chat, ChatMember, ChatMemberUpdated,
    DeletedBusinessMessages, InlineButton, InlineKeyboard, MessageReaction, ReactionCount,
    ReactionCountUpdated, ReactionType, Update, UpdateKind, User,
};

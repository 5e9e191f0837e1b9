//! The JSON that chat platforms and Auto.ru speak with each other: `sender`, `recipient`, `message`.
//!
//! It is the chat API of Jivo in its message types and names; Auto.ru uses a part of it. What is here knows
//! nothing of Auto.ru: who a sender is and which types go out is decided beside it.
//!
//! | File | Holds |
//! |---|---|
//! | [`wire`] | the JSON, exactly as on the wire, in both directions |
//! | [`parse`] | what a message says, as [`Content`](omni_core::Content) |
//! | [`encode`] | [`Content`](omni_core::Content) as a message |
//!
//! Sources: <https://yandex.ru/dev/autoru/doc/ru/reference/chats/basic/chats-user-message>,
//! <https://yandex.ru/dev/autoru/doc/ru/reference/chats/basic/chats-operator-message>,
//! <https://www.jivochat.com/help/api/>, <https://github.com/jivosite/docs> (read 2026-11). `text`, `photo`,
//! `document` and `seen` are seen in use; the other types and their fields are partly unverified.

pub mod encode;
pub mod parse;
pub mod wire;

//! Who speaks, and in which chat.

use omni_core::contact::{Identity, Profile, Sender, SenderKind};
use omni_core::event::{Chat as ChatOf, ChatKind};

use crate::decimal::Decimal;
use crate::wire::{Chat, Str, User};

/// Telegram itself, as the author of service messages (unverified, from memory).
const TELEGRAM: i64 = 777_000;

pub(super) fn user(user: User<'_>) -> Sender {
    let kind = match user.id {
        TELEGRAM => SenderKind::Provider,
        _ if user.is_bot => SenderKind::Robot,
        _ => SenderKind::Person,
    };
    let name = joined(user.first_name, user.last_name);
    let username = user.username.map(|name| name.into_string());
    let language = user.language_code.map(|tag| tag.into_string());
    Sender {
        identity: identity(user.id, username.clone()),
        profile: Profile { name, username, language, ..Profile::default() },
        kind,
    }
}

/// A chat that speaks in its own name: a channel, or an administrator who hides behind the group.
pub(super) fn chat_itself(chat: &Chat<'_>) -> Sender {
    let username = chat.username.as_ref().map(|name| name.to_string());
    Sender {
        identity: identity(chat.id, username.clone()),
        profile: Profile {
            name: chat.title.as_ref().map(|title| title.to_string()),
            username,
            ..Profile::default()
        },
        kind: SenderKind::Chat,
    }
}

pub(super) fn full_name(user: &User<'_>) -> Option<String> {
    joined(user.first_name.clone(), user.last_name.clone())
}

/// First and last name as one.
pub(super) fn joined(first: Option<Str<'_>>, last: Option<Str<'_>>) -> Option<String> {
    let name = match (first, last) {
        (Some(first), Some(last)) if !first.is_empty() => {
            let mut name = String::with_capacity(first.len() + 1 + last.len());
            name.push_str(&first);
            name.push(' ');
            name.push_str(&last);
            name
        }
        (first, last) => last.or(first)?.into_string(),
    };
    Some(name).filter(|name| !name.trim().is_empty())
}

pub(super) fn chat(chat: &mut Chat<'_>) -> ChatOf {
    let kind = match &*chat.kind {
        "channel" => ChatKind::Channel,
        // Direct messages of a channel are a supergroup on the wire, and one person's talk in truth.
        "group" | "supergroup" if !chat.is_direct_messages => ChatKind::Group,
        _ => ChatKind::Private,
    };
    ChatOf { kind, title: chat.title.take().map(Str::into_string) }
}

fn identity(id: i64, username: Option<String>) -> Identity {
    Identity {
        provider: crate::PROVIDER,
        scope: String::new(),
        id: Decimal::new(id).as_str().to_owned(),
        aliases: username.into_iter().collect(),
    }
}

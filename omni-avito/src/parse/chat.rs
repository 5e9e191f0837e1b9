//! Chats: who talks, and about what.

use omni_core::contact::SenderKind;
use omni_core::content::Item;
use omni_core::event::Introduced;
use omni_core::webhook::Rejected;
use serde_json::value::RawValue;

use super::content::{address, largest};
use super::message::sender;
use super::{Other, Place};
use crate::wire::{Advert, Avatar, Chat, Chats, Str, User};

/// A chat as its list or its own call tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Where its messages stand.
    pub place: Place,
    /// When something was last said in it, in seconds.
    pub updated: i64,
    /// What it ends with: changes when there is news.
    pub last: String,
    /// Whether it ends with a message of ours that nobody is known to have read.
    pub is_unread_by_them: bool,
    /// Who is on the other side, and what it is about.
    pub introduced: Introduced,
}

/// A page of chats.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// Those that can be read.
    pub chats: Vec<Listed>,
    /// How many there are in all.
    pub len: usize,
}

/// Reads a page of chats. A chat that cannot be read is passed over: it has not even an id.
///
/// # Errors
/// [`Rejected`] when it is no page of chats.
pub fn listed(json: &[u8], account: i64) -> Result<Page, Rejected> {
    let Chats { chats } = serde_json::from_slice(json).map_err(|e| Rejected::malformed(&e))?;
    let len = chats.len();
    Ok(Page { chats: chats.into_iter().filter_map(|raw| one(raw, account)).collect(), len })
}

/// Reads one chat.
///
/// # Errors
/// [`Rejected`] when it is no chat.
pub fn introduced(json: &[u8], account: i64) -> Result<Listed, Rejected> {
    let chat: Chat<'_> = serde_json::from_slice(json).map_err(|e| Rejected::malformed(&e))?;
    Ok(of(chat, account))
}

fn one(raw: &RawValue, account: i64) -> Option<Listed> {
    let chat: Chat<'_> = serde_json::from_str(raw.get()).ok()?;
    (!chat.id.is_empty()).then(|| of(chat, account))
}

fn of(chat: Chat<'_>, account: i64) -> Listed {
    let last = chat.last_message.as_ref();
    let said = last.and_then(|last| last.created);
    let ends = last.map(|last| format!("{}:{}:{}", &*last.id, &*last.kind, last.read.unwrap_or_default()));
    let is_unread_by_them = last.is_some_and(|last| last.author_id == Some(account) && last.read.is_none());
    let advert = chat.context.filter(|context| &*context.kind == "item").and_then(|context| context.value);
    // Ids of chats begin with their type (*community*); the object itself does not tell it.
    let other = Other::of_type(chat.id.split('-').next());
    let kind = if other == Other::Provider { SenderKind::Provider } else { SenderKind::Person };
    let person = chat.users.iter().filter_map(|raw| serde_json::from_str::<User<'_>>(raw.get()).ok());
    let person = person.into_iter().find(|user| user.id != account);
    Listed {
        updated: chat.updated.max(said).unwrap_or_default(),
        last: ends.unwrap_or_default(),
        is_unread_by_them,
        place: Place {
            account,
            chat: chat.id.into_string(),
            item: advert.as_ref().and_then(|advert| advert.id),
            other,
        },
        introduced: Introduced {
            sender: person.map(|user| {
                let mut sender = sender(account, user.id, kind);
                sender.profile.name = user.name.map(Str::into_string).filter(|name| !name.trim().is_empty());
                let avatar = user.public_user_profile.and_then(|profile| profile.avatar);
                sender.profile.avatar = avatar.and_then(|avatar| picture(&avatar));
                sender
            }),
            item: advert.map(item),
            title: None,
        },
    }
}

fn picture(avatar: &Avatar<'_>) -> Option<url::Url> {
    let best = avatar.images.as_ref().and_then(|sizes| largest(sizes)).map(|best| best.url);
    best.or(avatar.default.as_deref()).and_then(address)
}

fn item(advert: Advert<'_>) -> Item {
    let picture = advert.images.as_ref().and_then(|images| largest(&images.main));
    Item {
        id: advert.id.map(|id| id.to_string()),
        image: picture.and_then(|best| address(best.url)),
        title: advert.title.map(Str::into_string),
        price: advert.price_string.map(Str::into_string),
        url: advert.url.as_deref().and_then(address),
    }
}

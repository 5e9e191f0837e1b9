//! What is in a Telegram [`Address`].

use omni_core::error::ErrorKind;
use omni_core::{Address, Error, Result};

use crate::decimal::Decimal;

/// Where to speak: a chat, and what stands beside it.
///
/// Written as [`Address`] its main part is the chat's id; the parts `business`, `direct` and `thread` stand
/// behind it: `-1001234567890?thread=12`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TelegramAddress {
    /// The chat.
    pub(crate) chat: ChatName,
    /// The topic of a forum.
    pub(crate) thread: Option<i64>,
    /// The topic of a channel's direct messages.
    pub(crate) direct: Option<i64>,
    /// The connection to the account of the person in whose name the bot speaks. Message ids of such a chat
    /// are that person's, so it is another address than the bot's own chat with the same customer.
    pub(crate) business: Option<String>,
}

/// How a chat is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChatName {
    /// By its id.
    Id(i64),
    /// A public channel or group by its user name, with the `@`. Only a host writes such an address;
    /// inbound ones always have the id.
    Public(String),
}

/// What kind of chat an id belongs to, as far as the id itself tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChatClass {
    /// With one person.
    Private,
    /// With several.
    Shared,
}

impl TelegramAddress {
    /// A chat and nothing beside it.
    pub(crate) fn chat(id: i64) -> Self {
        Self { chat: ChatName::Id(id), thread: None, direct: None, business: None }
    }

    /// Ids of private chats are those of their people: positive. All others are negative.
    /// <https://core.telegram.org/bots/api#chat> (read 2026-11)
    pub(crate) fn class(&self) -> ChatClass {
        match self.chat {
            ChatName::Id(id) if id > 0 => ChatClass::Private,
            _ => ChatClass::Shared,
        }
    }

    /// The same place after its group became a supergroup. Topics and message ids do not carry over.
    pub(crate) fn moved_to(&self, chat: i64) -> Self {
        Self { chat: ChatName::Id(chat), thread: None, ..self.clone() }
    }
}

impl From<&TelegramAddress> for Address {
    fn from(address: &TelegramAddress) -> Address {
        let mut written = match &address.chat {
            ChatName::Id(id) => Address::new(Decimal::new(*id).as_str()),
            ChatName::Public(name) => Address::new(name),
        };
        if let Some(business) = &address.business {
            written = written.with("business", business);
        }
        if let Some(direct) = address.direct {
            written = written.with("direct", direct.to_string());
        }
        if let Some(thread) = address.thread {
            written = written.with("thread", thread.to_string());
        }
        written
    }
}

impl TryFrom<&Address> for TelegramAddress {
    type Error = Error;

    fn try_from(address: &Address) -> Result<Self> {
        let main = address.main();
        let chat = match main.strip_prefix('@') {
            Some(name) if !name.is_empty() => ChatName::Public(main.into_owned()),
            _ => ChatName::Id(number(&main)?),
        };
        let part = |name| address.part(name).map(|value| number(&value)).transpose();
        Ok(Self {
            chat,
            thread: part("thread")?,
            direct: part("direct")?,
            business: address.part("business"),
        })
    }
}

fn number(text: &str) -> Result<i64> {
    text.parse().map_err(|_| {
        Error::new(ErrorKind::NotFound, "address")
            .with_text("not a Telegram address")
            .with_advice("use the address of an event, a chat id, or @name of a public channel")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_survives_being_written() {
        let whole = TelegramAddress {
            chat: ChatName::Id(-1_001_234_567_890),
            thread: Some(12),
            direct: Some(7),
            business: Some("aB3k&Q=Ж".to_owned()),
        };
        let written = Address::from(&whole);
        assert_eq!(written.main(), "-1001234567890");
        assert_eq!(TelegramAddress::try_from(&written).unwrap(), whole);
        let plain = TelegramAddress::chat(100_200_300);
        assert_eq!(Address::from(&plain).to_string(), "100200300");
        assert_eq!(TelegramAddress::try_from(&Address::new("100200300")).unwrap(), plain);
    }

    #[test]
    fn an_address_of_another_channel_is_refused() {
        for foreign in ["ivan@example.com", "@", "", "12a", "1?thread=x"] {
            let error = TelegramAddress::try_from(&foreign.parse::<Address>().unwrap()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{foreign}");
        }
    }
}

//! From outgoing items to messages of Auto.ru. Pure.

use omni_core::error::Result;
use omni_core::outbound::OutboundItem;
use omni_core::{Error, ProviderMessageId};

use crate::dialect::encode::message;
use crate::dialect::wire::{Agent, Kind, Outgoing, Recipient, Said};

const OPERATION: &str = "send";

/// A message to the buyer with this id, in the name of the item's face or of the operator named in the settings.
/// Its id is ours: a repeat with the same is ignored.
/// <https://yandex.ru/dev/autoru/doc/ru/reference/chats/basic/chats-operator-message> (read 2026-11)
///
/// # Errors
/// [`Unsupported`](omni_core::error::ErrorKind::Unsupported) for everything but words alone and one picture at an
/// address; [`ContentRejected`](omni_core::error::ErrorKind::ContentRejected) for nothing at all.
pub fn send(item: &OutboundItem, buyer: &str, operator_name: &str) -> Result<Outgoing> {
    if item.reply_to.is_some() {
        return Err(Error::unsupported(OPERATION).with_text("messages cannot answer a certain one"));
    }
    let Said { kind, id, text, file, .. } = message(item.id.to_string(), &item.content)?;
    if !matches!(kind, Kind::Text | Kind::Photo) {
        let text = format!("{} cannot be sent, only words and pictures", kind.as_str());
        return Err(Error::unsupported(OPERATION).with_text(text));
    }
    Ok(Outgoing {
        sender: agent(item, operator_name),
        recipient: Recipient { id: buyer.to_owned() },
        message: Said { text, file, ..Said::new(kind, id) },
    })
}

/// Tells that the buyer's messages were seen; all of them, whichever is named.
/// <https://yandex.ru/dev/autoru/doc/ru/reference/chats/basic/chats-operator-message> (read 2026-11)
pub fn seen(buyer: &str, message: &ProviderMessageId, operator_name: &str) -> Outgoing {
    Outgoing {
        sender: Agent { name: operator_name.to_owned(), ..Agent::default() },
        recipient: Recipient { id: buyer.to_owned() },
        // It needs an id of its own; the same mark made twice is one.
        message: Said::new(Kind::Seen, format!("seen-{message}")),
    }
}

fn agent(item: &OutboundItem, operator_name: &str) -> Agent {
    let face = item.face.as_ref();
    let name = face.map(|face| face.name.trim()).filter(|name| !name.is_empty()).unwrap_or(operator_name);
    let photo = face.and_then(|face| face.avatar.as_ref()).map(ToString::to_string);
    Agent { name: name.to_owned(), photo, email: None }
}

/// What a room of the REST API takes: words alone.
///
/// # Errors
/// As [`send`].
pub fn words(item: &OutboundItem) -> Result<&str> {
    let said = send(item, "", "")?;
    match item.content.plain_text() {
        Some(words) if said.message.kind == Kind::Text => Ok(words),
        _ => Err(Error::unsupported(OPERATION).with_text("rooms take words only")),
    }
}

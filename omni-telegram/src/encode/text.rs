//! Words and their entities.

use omni_core::Text;
use omni_core::content::Content;
use omni_core::error::Result;
use omni_core::text::{Entity, EntityKind};
use serde::Serialize;

use super::{Request, refused};
use crate::address::TelegramAddress;

/// <https://core.telegram.org/bots/api#sendmessage>
pub(super) fn message(content: &Content, address: &TelegramAddress) -> Result<Request> {
    const METHOD: &str = "sendMessage";
    let text = content.text.as_ref().filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| refused(METHOD, "there is nothing to send"))?;
    let request = Request::new(METHOD).to(address).with("text", &*text.plain);
    with_entities(request, "entities", text)
}

/// Adds the entities that Telegram does not find by itself.
pub(super) fn with_entities(request: Request, name: &'static str, text: &Text) -> Result<Request> {
    let entities = entities(text);
    if entities.is_empty() { Ok(request) } else { request.with_json(name, &entities) }
}

pub(super) fn entities(text: &Text) -> Vec<WireEntity<'_>> {
    text.entities.iter().filter_map(entity).collect()
}

/// <https://core.telegram.org/bots/api#messageentity>
#[derive(Debug, Serialize)]
pub(super) struct WireEntity<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    offset: u32,
    length: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<MentionedUser>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
}

/// Only the id is looked at by the server (unverified).
#[derive(Debug, Serialize)]
struct MentionedUser {
    id: i64,
    is_bot: bool,
    first_name: &'static str,
}

fn entity(entity: &Entity) -> Option<WireEntity<'_>> {
    let mut wire = WireEntity {
        kind: "",
        offset: entity.offset,
        length: entity.length,
        url: None,
        user: None,
        language: None,
    };
    wire.kind = match &entity.kind {
        EntityKind::Bold => "bold",
        EntityKind::Italic => "italic",
        EntityKind::Underline => "underline",
        EntityKind::Strike => "strikethrough",
        EntityKind::Spoiler => "spoiler",
        EntityKind::Code => "code",
        EntityKind::Pre { language } => {
            wire.language = language.as_deref();
            "pre"
        }
        EntityKind::Quote => "blockquote",
        EntityKind::Link { url } => {
            wire.url = Some(url);
            "text_link"
        }
        EntityKind::Mention { id: Some(id) } => {
            wire.user = Some(MentionedUser { id: id.parse().ok()?, is_bot: false, first_name: "" });
            "text_mention"
        }
        // Telegram finds names, commands, addresses and the like by itself.
        _ => return None,
    };
    Some(wire)
}

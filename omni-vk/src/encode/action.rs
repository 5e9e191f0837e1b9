//! Everything but sending.

use omni_core::error::{ErrorKind, Result};
use omni_core::{Address, Error, ProviderMessageId, Secret};
use serde::Serialize;
use url::Url;

use super::{Request, number, refused};
use crate::address::VkAddress;
use crate::parse::reaction_of;

/// <https://dev.vk.com/method/groups.getById>: the community whose token it is.
pub fn get_group() -> Request {
    Request::new("groups.getById")
}

/// <https://dev.vk.com/method/groups.getTokenPermissions>
pub fn token_permissions() -> Request {
    Request::new("groups.getTokenPermissions")
}

/// <https://dev.vk.com/method/groups.getCallbackConfirmationCode>
pub fn confirmation_code(group_id: i64) -> Request {
    Request::new("groups.getCallbackConfirmationCode").with("group_id", group_id)
}

/// <https://dev.vk.com/method/groups.getCallbackServers>
pub fn get_callback_servers(group_id: i64) -> Request {
    Request::new("groups.getCallbackServers").with("group_id", group_id)
}

/// <https://dev.vk.com/method/groups.addCallbackServer>
pub fn add_callback_server(group_id: i64, url: &Url, title: &str, secret: &Secret) -> Request {
    Request::new("groups.addCallbackServer")
        .with("group_id", group_id)
        .with("url", url)
        .with("title", title)
        .with("secret_key", secret.expose())
}

/// <https://dev.vk.com/method/groups.editCallbackServer>
pub fn edit_callback_server(
    group_id: i64,
    server_id: i64,
    url: &Url,
    title: &str,
    secret: &Secret,
) -> Request {
    Request::new("groups.editCallbackServer")
        .with("group_id", group_id)
        .with("server_id", server_id)
        .with("url", url)
        .with("title", title)
        .with("secret_key", secret.expose())
}

/// <https://dev.vk.com/method/groups.deleteCallbackServer>
pub fn delete_callback_server(group_id: i64, server_id: i64) -> Request {
    Request::new("groups.deleteCallbackServer").with("group_id", group_id).with("server_id", server_id)
}

/// All events are off until this. <https://dev.vk.com/method/groups.setCallbackSettings>
pub fn set_callback_settings(group_id: i64, server_id: i64, version: &str, events: &[&str]) -> Request {
    Request::new("groups.setCallbackSettings")
        .with("group_id", group_id)
        .with("server_id", server_id)
        .with("api_version", version)
        .switches(events)
}

/// <https://dev.vk.com/method/groups.setLongPollSettings>
pub fn set_long_poll_settings(group_id: i64, version: &str, events: &[&str]) -> Request {
    Request::new("groups.setLongPollSettings")
        .with("group_id", group_id)
        .with("enabled", 1)
        .with("api_version", version)
        .switches(events)
}

/// <https://dev.vk.com/method/groups.getLongPollServer>
pub fn long_poll_server(group_id: i64) -> Request {
    Request::new("groups.getLongPollServer").with("group_id", group_id)
}

/// <https://dev.vk.com/method/users.get>, up to a thousand at once.
pub fn get_users(ids: &[i64]) -> Request {
    Request::new("users.get").with("user_ids", joined(ids)).with("fields", "photo_100,screen_name")
}

/// <https://dev.vk.com/method/groups.getById>; numbers without a sign.
pub fn get_groups(ids: &[i64]) -> Request {
    Request::new("groups.getById").with("group_ids", joined(ids))
}

/// <https://dev.vk.com/method/messages.getConversationsById>
pub fn chats(peers: &[i64], group_id: i64) -> Request {
    Request::new("messages.getConversationsById").with("peer_ids", joined(peers)).with("group_id", group_id)
}

fn joined(ids: &[i64]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// The whole of one message. <https://dev.vk.com/method/messages.getByConversationMessageId>
///
/// # Errors
/// [`NotFound`](ErrorKind::NotFound) for an address or id that is not VK's.
pub fn get_message(address: &Address, message: &ProviderMessageId, group_id: i64) -> Result<Request> {
    const METHOD: &str = "messages.getByConversationMessageId";
    Ok(Request::new(METHOD)
        .with("peer_id", VkAddress::try_from(address)?.peer(METHOD)?)
        .with("conversation_message_ids", number(METHOD, message)?)
        .with("group_id", group_id))
}

/// <https://dev.vk.com/method/photos.getMessagesUploadServer>
pub fn photo_server(peer: i64) -> Request {
    Request::new("photos.getMessagesUploadServer").with("peer_id", peer)
}

/// <https://dev.vk.com/method/photos.saveMessagesPhoto>
pub fn save_photo(server: &str, photo: &str, hash: &str) -> Request {
    Request::new("photos.saveMessagesPhoto").with("server", server).with("photo", photo).with("hash", hash)
}

/// `class` is `doc` or `audio_message`. <https://dev.vk.com/method/docs.getMessagesUploadServer>
pub fn document_server(peer: i64, class: &'static str) -> Request {
    Request::new("docs.getMessagesUploadServer").with("type", class).with("peer_id", peer)
}

/// <https://dev.vk.com/method/docs.save>
pub fn save_document(file: &str, title: Option<&str>) -> Request {
    Request::new("docs.save").with("file", file).with_some("title", title)
}

/// For everybody. <https://dev.vk.com/method/messages.delete>
///
/// # Errors
/// - [`NotFound`](ErrorKind::NotFound) for an address or id that is not VK's;
/// - [`Unsupported`](ErrorKind::Unsupported) for comments.
pub fn delete(address: &Address, message: &ProviderMessageId) -> Result<Request> {
    const METHOD: &str = "messages.delete";
    Ok(Request::new(METHOD)
        .with("peer_id", VkAddress::try_from(address)?.peer("delete")?)
        .with("cmids", number(METHOD, message)?)
        .with("delete_for_all", 1))
}

/// <https://dev.vk.com/method/messages.markAsRead>
///
/// # Errors
/// As [`delete`].
pub fn mark_read(address: &Address, message: &ProviderMessageId) -> Result<Request> {
    const METHOD: &str = "messages.markAsRead";
    Ok(Request::new(METHOD)
        .with("peer_id", VkAddress::try_from(address)?.peer("mark_read")?)
        .with("up_to_cmid", number(METHOD, message)?))
}

/// <https://dev.vk.com/method/messages.setActivity>
///
/// # Errors
/// As [`delete`].
pub fn typing(address: &Address) -> Result<Request> {
    Ok(Request::new("messages.setActivity")
        .with("peer_id", VkAddress::try_from(address)?.peer("typing")?)
        .with("type", "typing"))
}

/// `messages.sendReaction`, or `messages.deleteReaction` for none. Signs are written as events tell them.
/// <https://dev.vk.com/method/messages.sendReaction>
///
/// # Errors
/// - as [`delete`];
/// - [`ContentRejected`](ErrorKind::ContentRejected) for more than one sign, and for one that VK does not have.
pub fn react(address: &Address, message: &ProviderMessageId, signs: &[String]) -> Result<Request> {
    const METHOD: &str = "messages.sendReaction";
    let peer = VkAddress::try_from(address)?.peer("react")?;
    let cmid = number(METHOD, message)?;
    let reaction = match signs {
        [] => None,
        [sign] => Some(reaction_of(sign).ok_or_else(|| refused(METHOD, "VK does not have this sign"))?),
        _ => return Err(refused(METHOD, "one sign can be put on a message")),
    };
    let method = if reaction.is_some() { METHOD } else { "messages.deleteReaction" };
    Ok(Request::new(method).with("peer_id", peer).with("cmid", cmid).with_some("reaction_id", reaction))
}

/// Without words it only ends the wait. <https://dev.vk.com/method/messages.sendMessageEventAnswer>
///
/// # Errors
/// [`NotFound`](ErrorKind::NotFound) for a ticket that is not ours.
pub fn answer_button(ticket: &str, text: Option<&str>) -> Result<Request> {
    const METHOD: &str = "messages.sendMessageEventAnswer";
    /// In characters. (unverified, from memory)
    const MAX: usize = 90;
    #[derive(Serialize)]
    #[serde(tag = "type", rename_all = "snake_case")]
    enum EventData {
        ShowSnackbar { text: String },
    }
    let mut parts = ticket.splitn(3, ':');
    let mut id = || parts.next().and_then(|id| id.parse::<i64>().ok());
    let (peer, user) = (id(), id());
    let (Some(peer), Some(user), Some(event)) = (peer, user, parts.next()) else {
        return Err(Error::new(ErrorKind::NotFound, METHOD).with_text("not a ticket of a pressed key"));
    };
    let request = Request::new(METHOD).with("event_id", event).with("user_id", user).with("peer_id", peer);
    match text.map(|text| text.chars().take(MAX).collect::<String>()).filter(|text| !text.is_empty()) {
        Some(text) => request.with_json("event_data", &EventData::ShowSnackbar { text }),
        None => Ok(request),
    }
}

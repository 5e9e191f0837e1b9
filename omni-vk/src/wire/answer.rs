//! Answers to calls.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Str, Ts};

/// The envelope of every answer; its status is always 200. <https://dev.vk.com/api/api-requests>
///
/// Errors repeat our parameters (`request_params`), which are not read.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Answer<'a> {
    #[serde(borrow)]
    pub response: Option<&'a RawValue>,
    #[serde(borrow)]
    pub error: Option<ApiError<'a>>,
    /// Errors of the calls within `execute`, in order.
    #[serde(borrow, default)]
    pub execute_errors: Vec<ExecuteError<'a>>,
}

/// A refusal. <https://dev.vk.com/reference/errors>
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs)]
pub struct ApiError<'a> {
    pub error_code: i64,
    #[serde(borrow)]
    pub error_msg: Option<Str<'a>>,
}

/// A refusal of one call within `execute`. <https://dev.vk.com/method/execute>
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs)]
pub struct ExecuteError<'a> {
    pub error_code: i64,
    #[serde(borrow)]
    pub error_msg: Option<Str<'a>>,
}

/// What became of a message to one of `peer_ids`. <https://dev.vk.com/method/messages.send>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Sent<'a> {
    pub conversation_message_id: Option<i64>,
    #[serde(borrow)]
    pub error: Option<ItemError<'a>>,
}

/// A refusal within a good answer.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs)]
pub struct ItemError<'a> {
    pub code: i64,
    #[serde(borrow)]
    pub description: Option<Str<'a>>,
}

/// What became of one message to be taken back. <https://dev.vk.com/method/messages.delete>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Deleted<'a> {
    #[serde(borrow)]
    pub error: Option<ItemError<'a>>,
}

/// Communities. <https://dev.vk.com/method/groups.getById>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Groups<'a> {
    #[serde(borrow, default)]
    pub groups: Vec<Group<'a>>,
}

/// A community.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Group<'a> {
    pub id: i64,
    #[serde(borrow)]
    pub name: Str<'a>,
    #[serde(borrow)]
    pub screen_name: Option<Str<'a>>,
    #[serde(borrow)]
    pub photo_50: Option<Str<'a>>,
    #[serde(borrow)]
    pub photo_200: Option<Str<'a>>,
}

/// Rights of a token. <https://dev.vk.com/method/groups.getTokenPermissions>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Permissions<'a> {
    #[serde(borrow, default)]
    pub permissions: Vec<Permission<'a>>,
}

/// One right of a token.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Permission<'a> {
    #[serde(borrow)]
    pub name: Str<'a>,
}

/// What to answer to a confirmation. <https://dev.vk.com/method/groups.getCallbackConfirmationCode>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Code<'a> {
    #[serde(borrow)]
    pub code: Str<'a>,
}

/// <https://dev.vk.com/method/groups.addCallbackServer>
#[derive(Clone, Copy, Debug, Deserialize)]
#[allow(missing_docs)]
pub struct ServerId {
    pub server_id: i64,
}

/// <https://dev.vk.com/method/groups.getCallbackServers>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct CallbackServers<'a> {
    #[serde(borrow, default)]
    pub items: Vec<CallbackServer<'a>>,
}

/// Where VK posts events.
#[derive(Deserialize)]
#[allow(missing_docs)]
pub struct CallbackServer<'a> {
    pub id: i64,
    #[serde(borrow, default)]
    pub title: Str<'a>,
    #[serde(borrow, default)]
    pub url: Str<'a>,
    #[serde(borrow, default)]
    pub secret_key: Str<'a>,
    /// `unconfigured`, `failed`, `wait` or `ok`.
    #[serde(borrow, default)]
    pub status: Str<'a>,
}

impl std::fmt::Debug for CallbackServer<'_> {
    /// Without the secret and the address, which may hold one.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallbackServer")
            .field("id", &self.id)
            .field("title", &self.title)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// Where to ask for events. <https://dev.vk.com/method/groups.getLongPollServer>
#[derive(Deserialize)]
#[allow(missing_docs)]
pub struct LongPollServer<'a> {
    #[serde(borrow)]
    pub key: Str<'a>,
    #[serde(borrow)]
    pub server: Str<'a>,
    pub ts: Ts,
}

impl std::fmt::Debug for LongPollServer<'_> {
    /// Without the key, which lets anybody listen.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LongPollServer").field("server", &self.server).finish_non_exhaustive()
    }
}

/// What a poll brought. <https://dev.vk.com/api/bots-long-poll/getting-started>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct LongPoll<'a> {
    pub ts: Option<Ts>,
    #[serde(borrow, default)]
    pub updates: Vec<&'a RawValue>,
    pub failed: Option<i64>,
}

/// A person's name. <https://dev.vk.com/method/users.get>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Name<'a> {
    pub id: i64,
    #[serde(borrow)]
    pub first_name: Option<Str<'a>>,
    #[serde(borrow)]
    pub last_name: Option<Str<'a>>,
    #[serde(borrow)]
    pub photo_100: Option<Str<'a>>,
    #[serde(borrow)]
    pub screen_name: Option<Str<'a>>,
}

/// Conversations. <https://dev.vk.com/method/messages.getConversationsById>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Chats<'a> {
    #[serde(borrow, default)]
    pub items: Vec<Chat<'a>>,
}

/// A conversation, as far as its title goes.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Chat<'a> {
    pub peer: Peer,
    #[serde(borrow)]
    pub chat_settings: Option<ChatSettings<'a>>,
}

/// With whom.
#[derive(Clone, Copy, Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Peer {
    pub id: i64,
}

/// What only a chat of several people has.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct ChatSettings<'a> {
    #[serde(borrow)]
    pub title: Option<Str<'a>>,
}

/// Where to upload. <https://dev.vk.com/api/upload/overview>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct UploadServer<'a> {
    #[serde(borrow)]
    pub upload_url: Str<'a>,
}

/// An uploaded picture, to be saved.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct UploadedPhoto<'a> {
    #[serde(borrow)]
    pub server: Option<&'a RawValue>,
    /// A list as text; an empty one says that the upload failed.
    #[serde(borrow)]
    pub photo: Option<Str<'a>>,
    #[serde(borrow)]
    pub hash: Option<Str<'a>>,
}

/// An uploaded file, to be saved.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct UploadedFile<'a> {
    #[serde(borrow)]
    pub file: Option<Str<'a>>,
    #[serde(borrow)]
    pub error: Option<Str<'a>>,
}

/// A saved picture. <https://dev.vk.com/method/photos.saveMessagesPhoto>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct SavedPhoto<'a> {
    pub id: i64,
    pub owner_id: i64,
    #[serde(borrow)]
    pub access_key: Option<Str<'a>>,
}

/// What was saved. <https://dev.vk.com/method/docs.save>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct SavedDocument<'a> {
    #[serde(borrow)]
    pub doc: Option<Saved<'a>>,
    #[serde(borrow)]
    pub audio_message: Option<Saved<'a>>,
    #[serde(borrow)]
    pub graffiti: Option<Saved<'a>>,
}

/// The names of a saved file.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Saved<'a> {
    pub id: i64,
    pub owner_id: i64,
    #[serde(borrow)]
    pub access_key: Option<Str<'a>>,
}

//! Updates and what happens beside messages.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::message::MessageSeed;
use super::{Message, Str, Topic};

/// One update: an id, and one thing that happened. <https://core.telegram.org/bots/api#update>
#[derive(Debug, Default)]
pub struct Update<'a> {
    /// Unique for the bot.
    pub update_id: i64,
    /// What happened; `None` when nothing stands beside the id.
    pub kind: Option<UpdateKind<'a>>,
}

/// What happened. All but messages is boxed: most updates are messages, and nothing else should make them larger.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // read where it stays, it is never copied: see `Update::read`
#[allow(missing_docs)] // the provider's names
pub enum UpdateKind<'a> {
    Message(Message<'a>),
    EditedMessage(Message<'a>),
    ChannelPost(Message<'a>),
    EditedChannelPost(Message<'a>),
    BusinessMessage(Message<'a>),
    EditedBusinessMessage(Message<'a>),
    BusinessConnection(Box<BusinessConnection<'a>>),
    DeletedBusinessMessages(Box<DeletedBusinessMessages<'a>>),
    MessageReaction(Box<MessageReaction<'a>>),
    MessageReactionCount(Box<ReactionCountUpdated<'a>>),
    CallbackQuery(Box<CallbackQuery<'a>>),
    MyChatMember(Box<ChatMemberUpdated<'a>>),
    /// Any other kind, by the provider's name of it.
    Other(Str<'a>),
}

impl<'a> UpdateKind<'a> {
    /// The message, in kinds that are one.
    fn message_mut(&mut self) -> Option<&mut Message<'a>> {
        match self {
            Self::Message(m)
            | Self::EditedMessage(m)
            | Self::ChannelPost(m)
            | Self::EditedChannelPost(m)
            | Self::BusinessMessage(m)
            | Self::EditedBusinessMessage(m) => Some(m),
            _ => None,
        }
    }
}

impl<'a> Update<'a> {
    /// Reads an update.
    ///
    /// # Errors
    /// When it is not JSON, has no id, or something in it has another type than the provider says.
    pub fn read(json: &'a str) -> serde_json::Result<Self> {
        let mut update = Update::default();
        let mut json = serde_json::Deserializer::from_str(json);
        // In place, because a deserializer that returns so large a thing copies it several times.
        json.deserialize_map(UpdateVisitor(&mut update))?;
        json.end()?;
        Ok(update)
    }
}

struct UpdateVisitor<'u, 'de>(&'u mut Update<'de>);

impl<'de> Visitor<'de> for UpdateVisitor<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an update")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(update) = self;
        let mut has_id = false;
        while let Some(key) = map.next_key::<Str<'de>>()? {
            if &*key == "update_id" {
                update.update_id = map.next_value()?;
                has_id = true;
            } else if matches!(update.kind, None | Some(UpdateKind::Other(_))) {
                read_kind(&mut update.kind, key, &mut map)?;
            } else {
                // At most one kind may stand there. Whatever is beside a known one only says more about it.
                map.next_value::<IgnoredAny>()?;
            }
        }
        if has_id { Ok(()) } else { Err(A::Error::missing_field("update_id")) }
    }
}

/// Reads what happened into `kind`.
fn read_kind<'de, A: MapAccess<'de>>(
    kind: &mut Option<UpdateKind<'de>>,
    key: Str<'de>,
    map: &mut A,
) -> Result<(), A::Error> {
    let kind = kind.insert(match &*key {
        "message" => UpdateKind::Message(Message::default()),
        "edited_message" => UpdateKind::EditedMessage(Message::default()),
        "channel_post" => UpdateKind::ChannelPost(Message::default()),
        "edited_channel_post" => UpdateKind::EditedChannelPost(Message::default()),
        "business_message" => UpdateKind::BusinessMessage(Message::default()),
        "edited_business_message" => UpdateKind::EditedBusinessMessage(Message::default()),
        "business_connection" => UpdateKind::BusinessConnection(map.next_value()?),
        "deleted_business_messages" => UpdateKind::DeletedBusinessMessages(map.next_value()?),
        "message_reaction" => UpdateKind::MessageReaction(map.next_value()?),
        "message_reaction_count" => UpdateKind::MessageReactionCount(map.next_value()?),
        "callback_query" => UpdateKind::CallbackQuery(map.next_value()?),
        "my_chat_member" => UpdateKind::MyChatMember(map.next_value()?),
        _ => {
            map.next_value::<IgnoredAny>()?;
            UpdateKind::Other(key)
        }
    });
    match kind.message_mut() {
        Some(message) => map.next_value_seed(MessageSeed(message)),
        None => Ok(()),
    }
}

/// A person or bot. <https://core.telegram.org/bots/api#user>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct User<'a> {
    pub id: i64,
    #[serde(default)]
    pub is_bot: bool,
    #[serde(borrow)]
    pub first_name: Option<Str<'a>>,
    #[serde(borrow)]
    pub last_name: Option<Str<'a>>,
    #[serde(borrow)]
    pub username: Option<Str<'a>>,
    #[serde(borrow)]
    pub language_code: Option<Str<'a>>,
}

/// A chat. <https://core.telegram.org/bots/api#chat>
#[derive(Debug, Default, Deserialize)]
#[allow(missing_docs)]
pub struct Chat<'a> {
    pub id: i64,
    #[serde(borrow, rename = "type")]
    pub kind: Str<'a>,
    #[serde(borrow)]
    pub title: Option<Str<'a>>,
    #[serde(borrow)]
    pub username: Option<Str<'a>>,
    #[serde(default)]
    pub is_direct_messages: bool,
}

/// A pressed key. <https://core.telegram.org/bots/api#callbackquery>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct CallbackQuery<'a> {
    #[serde(borrow)]
    pub id: Str<'a>,
    #[serde(borrow)]
    pub from: User<'a>,
    #[serde(borrow)]
    pub message: Option<CallbackMessage<'a>>,
    #[serde(borrow)]
    pub data: Option<Str<'a>>,
}

/// The message under which a key was pressed; of one that is out of reach only chat and id are told.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct CallbackMessage<'a> {
    pub message_id: i64,
    #[serde(borrow)]
    pub chat: Chat<'a>,
    pub message_thread_id: Option<i64>,
    #[serde(default)]
    pub is_topic_message: bool,
    pub direct_messages_topic: Option<Topic>,
    #[serde(borrow)]
    pub business_connection_id: Option<Str<'a>>,
    #[serde(borrow)]
    pub reply_markup: Option<InlineKeyboard<'a>>,
}

impl CallbackMessage<'_> {
    /// The forum topic it is in.
    pub fn thread(&self) -> Option<i64> {
        self.message_thread_id.filter(|_| self.is_topic_message)
    }
}

/// Keys under a message.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct InlineKeyboard<'a> {
    #[serde(borrow, default)]
    pub inline_keyboard: Vec<Vec<InlineButton<'a>>>,
}

/// One key under a message.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct InlineButton<'a> {
    #[serde(borrow)]
    pub text: Str<'a>,
    #[serde(borrow)]
    pub callback_data: Option<Str<'a>>,
}

/// Signs on a message. <https://core.telegram.org/bots/api#messagereactionupdated>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct MessageReaction<'a> {
    #[serde(borrow)]
    pub chat: Chat<'a>,
    pub message_id: i64,
    #[serde(borrow)]
    pub user: Option<User<'a>>,
    #[serde(borrow)]
    pub actor_chat: Option<Chat<'a>>,
    #[serde(default)]
    pub date: i64,
    #[serde(borrow, default)]
    pub new_reaction: Vec<ReactionType<'a>>,
}

/// How often each sign is on a message, where nobody is named.
/// <https://core.telegram.org/bots/api#messagereactioncountupdated>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct ReactionCountUpdated<'a> {
    #[serde(borrow)]
    pub chat: Chat<'a>,
    pub message_id: i64,
    #[serde(default)]
    pub date: i64,
    #[serde(borrow, default)]
    pub reactions: Vec<ReactionCount<'a>>,
}

/// One sign of [`ReactionCountUpdated`].
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct ReactionCount<'a> {
    #[serde(borrow, rename = "type")]
    pub kind: ReactionType<'a>,
}

/// One sign. <https://core.telegram.org/bots/api#reactiontype>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct ReactionType<'a> {
    #[serde(borrow, rename = "type")]
    pub kind: Str<'a>,
    #[serde(borrow)]
    pub emoji: Option<Str<'a>>,
    #[serde(borrow)]
    pub custom_emoji_id: Option<Str<'a>>,
}

/// A changed member of a chat. <https://core.telegram.org/bots/api#chatmemberupdated>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct ChatMemberUpdated<'a> {
    #[serde(borrow)]
    pub chat: Chat<'a>,
    #[serde(borrow)]
    pub from: User<'a>,
    #[serde(default)]
    pub date: i64,
    #[serde(borrow)]
    pub new_chat_member: ChatMember<'a>,
}

/// What somebody is in a chat. <https://core.telegram.org/bots/api#chatmember>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct ChatMember<'a> {
    #[serde(borrow)]
    pub status: Str<'a>,
    pub is_member: Option<bool>,
    pub can_send_messages: Option<bool>,
}

/// A bot connected to a person's own account. <https://core.telegram.org/bots/api#businessconnection>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct BusinessConnection<'a> {
    #[serde(borrow)]
    pub id: Str<'a>,
    #[serde(borrow)]
    pub user: User<'a>,
    #[serde(default)]
    pub date: i64,
    #[serde(default)]
    pub is_enabled: bool,
    pub rights: Option<BusinessRights>,
}

/// What the bot may do for the person. <https://core.telegram.org/bots/api#businessbotrights>
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[allow(missing_docs)]
pub struct BusinessRights {
    #[serde(default)]
    pub can_reply: bool,
}

/// Messages taken back. <https://core.telegram.org/bots/api#businessmessagesdeleted>
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct DeletedBusinessMessages<'a> {
    #[serde(borrow)]
    pub business_connection_id: Str<'a>,
    #[serde(borrow)]
    pub chat: Chat<'a>,
    #[serde(default)]
    pub message_ids: Vec<i64>,
}

//! What happens beside messages.

use omni_core::Address;
use omni_core::event::{
    AccountNews, AccountState, Button, Event, EventBody, Membership, MembershipState, Reaction,
};

use super::message::{message_id, place};
use super::{Context, people, time};
use crate::address::TelegramAddress;
use crate::wire::{
    BusinessConnection, CallbackQuery, ChatMember, ChatMemberUpdated, DeletedBusinessMessages,
    InlineKeyboard, MessageReaction, ReactionCountUpdated, ReactionType,
};

/// A pressed key. One under a message that was sent by way of another chat names no place, and one of a game
/// carries no data: neither is made by this connector.
pub(super) fn button(query: CallbackQuery<'_>, cx: &Context<'_>) -> Event {
    let (Some(message), Some(data)) = (query.message, query.data) else {
        return cx.unsupported("callback_query");
    };
    let address = place(
        &message.chat,
        message.thread(),
        message.direct_messages_topic,
        message.business_connection_id.as_ref(),
    );
    let label = message.reply_markup.as_ref().and_then(|keyboard| label_of(keyboard, &data));
    let body = EventBody::Button(Button {
        sender: people::user(query.from),
        data: data.into_string(),
        label,
        message: Some(message_id(message.message_id)),
        ticket: Some(query.id.into_string()),
    });
    // The time in the message is that of its sending; of the press none is told.
    cx.event(address, 0, body)
}

fn label_of(keyboard: &InlineKeyboard<'_>, data: &str) -> Option<String> {
    let mut keys = keyboard.inline_keyboard.iter().flatten();
    let pressed = keys.find(|key| key.callback_data.as_deref() == Some(data))?;
    Some(pressed.text.to_string())
}

pub(super) fn reaction(reaction: MessageReaction<'_>, cx: &Context<'_>) -> Event {
    let sender = match (reaction.user, &reaction.actor_chat) {
        (Some(user), _) => Some(people::user(user)),
        (None, Some(chat)) => Some(people::chat_itself(chat)),
        (None, None) => None,
    };
    let body = EventBody::Reaction(Reaction {
        message: message_id(reaction.message_id),
        sender,
        signs: reaction.new_reaction.into_iter().map(sign).collect(),
    });
    cx.event(chat_address(reaction.chat.id), reaction.date, body)
}

pub(super) fn reaction_count(counts: ReactionCountUpdated<'_>, cx: &Context<'_>) -> Event {
    let body = EventBody::Reaction(Reaction {
        message: message_id(counts.message_id),
        sender: None,
        signs: counts.reactions.into_iter().map(|count| sign(count.kind)).collect(),
    });
    cx.event(chat_address(counts.chat.id), counts.date, body)
}

/// An emoji, or `custom_emoji:<id>` and `paid`, which [`Outbound`](omni_core::Outbound) takes back in the same
/// form as far as Telegram lets bots use them.
fn sign(kind: ReactionType<'_>) -> String {
    match (kind.emoji, kind.custom_emoji_id) {
        (Some(emoji), _) => emoji.into_string(),
        (None, Some(id)) => format!("custom_emoji:{}", &*id),
        (None, None) => kind.kind.into_string(),
    }
}

/// Our own place in a chat. In a private chat it is how a person blocks a bot and lets it in again.
/// <https://core.telegram.org/bots/api#chatmemberupdated> (read 2026-11)
pub(super) fn membership(mut change: ChatMemberUpdated<'_>, cx: &Context<'_>) -> Event {
    let address = chat_address(change.chat.id);
    let Some(state) = state_of(&change.new_chat_member) else {
        return cx.unsupported_at(address, change.date, "my_chat_member");
    };
    let is_private = &*change.chat.kind == "private";
    let by = people::user(change.from);
    let body = if is_private {
        match state {
            MembershipState::Out => EventBody::Blocked { sender: by },
            _ => EventBody::Subscribed { sender: by },
        }
    } else {
        EventBody::Membership(Membership { state, by, chat: people::chat(&mut change.chat) })
    };
    cx.event(address, change.date, body)
}

/// <https://core.telegram.org/bots/api#chatmember> (read 2026-11)
fn state_of(member: &ChatMember<'_>) -> Option<MembershipState> {
    Some(match &*member.status {
        "creator" | "administrator" => MembershipState::Administrator,
        "member" => MembershipState::Member,
        "restricted" if member.is_member == Some(false) => MembershipState::Out,
        "restricted" if member.can_send_messages == Some(false) => MembershipState::Muted,
        "restricted" => MembershipState::Member,
        "left" | "kicked" => MembershipState::Out,
        _ => return None,
    })
}

/// A person connected the bot to their own account, changed its rights or cut it off.
pub(super) fn connection(connection: &BusinessConnection<'_>, cx: &Context<'_>) -> Event {
    let may_reply = connection.rights.is_some_and(|rights| rights.can_reply);
    let state = match (connection.is_enabled, may_reply) {
        (false, _) => AccountState::Off,
        (true, false) => AccountState::ReceiveOnly,
        (true, true) => AccountState::Working,
    };
    let body = EventBody::Account(AccountNews {
        part: format!("business:{}", &*connection.id),
        state,
        detail: people::full_name(&connection.user),
    });
    Event { at: time(connection.date), ..Event::new(cx.id(), body) }
}

pub(super) fn deleted(deleted: DeletedBusinessMessages<'_>, cx: &Context<'_>) -> Event {
    let address = place(&deleted.chat, None, None, Some(&deleted.business_connection_id));
    let messages = deleted.message_ids.into_iter().map(message_id).collect();
    cx.event(address, 0, EventBody::Deleted { messages })
}

fn chat_address(id: i64) -> Address {
    Address::from(&TelegramAddress::chat(id))
}

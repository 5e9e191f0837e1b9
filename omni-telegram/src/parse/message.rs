//! Messages: new, edited, echoed, commented, and those that only report something.

use omni_core::contact::SenderKind;
use omni_core::content::{Item, Part};
use omni_core::event::{Comment, Echo, Edited, Event, EventBody, Message as Said, Origin, ReplyTo, Started};
use omni_core::link::Referral;
use omni_core::{Address, AlbumId, ProviderMessageId};
use url::Url;

use super::{Context, content, people, time};
use crate::address::TelegramAddress;
use crate::decimal::Decimal;
use crate::wire::{self, Envelope, Message, Replied, Rest, Str, keys_of};

/// Keys of a message that say how it came, not what it says. The last three are undocumented older names that
/// still come along with the newer ones.
/// <https://core.telegram.org/bots/api#message>, Bot API 10.2 (read 2026-11)
const MANNER: &[&str] = &[
    "message_id",
    "message_thread_id",
    "direct_messages_topic",
    "from",
    "sender_chat",
    "sender_boost_count",
    "sender_business_bot",
    "sender_tag",
    "date",
    "business_connection_id",
    "chat",
    "forward_origin",
    "is_topic_message",
    "is_automatic_forward",
    "reply_to_message",
    "external_reply",
    "quote",
    "reply_to_story",
    "reply_to_checklist_task_id",
    "via_bot",
    "edit_date",
    "has_protected_content",
    "is_from_offline",
    "is_paid_post",
    "media_group_id",
    "author_signature",
    "paid_star_count",
    "effect_id",
    "reply_markup",
    "link_preview_options",
    "suggested_post_info",
    "show_caption_above_media",
    "has_media_spoiler",
    "caption",
    "caption_entities",
    "entities",
    "ephemeral_message_id",
    "receiver_user",
    "new_chat_member",
    "new_chat_participant",
    "left_chat_participant",
];

/// Keys of messages that nobody wrote: they report a change. Everything else that is unknown counts as said by
/// the person, so that an agent sees that something came.
/// <https://core.telegram.org/bots/api#message>, Bot API 10.2 (read 2026-11)
const SERVICE: &[&str] = &[
    "new_chat_members",
    "left_chat_member",
    "chat_owner_left",
    "chat_owner_changed",
    "new_chat_title",
    "new_chat_photo",
    "delete_chat_photo",
    "group_chat_created",
    "supergroup_chat_created",
    "channel_chat_created",
    "message_auto_delete_timer_changed",
    "pinned_message",
    "successful_payment",
    "refunded_payment",
    "users_shared",
    "chat_shared",
    "connected_website",
    "write_access_allowed",
    "passport_data",
    "proximity_alert_triggered",
    "boost_added",
    "chat_background_set",
    "checklist_tasks_done",
    "checklist_tasks_added",
    "direct_message_price_changed",
    "forum_topic_created",
    "forum_topic_edited",
    "forum_topic_closed",
    "forum_topic_reopened",
    "general_forum_topic_hidden",
    "general_forum_topic_unhidden",
    "giveaway_created",
    "giveaway_completed",
    "giveaway_winners",
    "paid_message_price_changed",
    "suggested_post_approved",
    "suggested_post_approval_failed",
    "suggested_post_declined",
    "suggested_post_paid",
    "suggested_post_refunded",
    "video_chat_scheduled",
    "video_chat_started",
    "video_chat_ended",
    "video_chat_participants_invited",
];

/// A message in a private chat, a group, or the private chat of a connected person.
pub(super) fn new(m: &mut Message<'_>, cx: &Context<'_>) -> Event {
    if let Some(event) = migration(m, cx).or_else(|| start(m, cx)) {
        return event;
    }
    if is_echo(m) {
        return echo(m, cx);
    }
    match m.rest.as_ref().and_then(|rest| subject(rest)) {
        Some(subject) => read(m, cx, |message| EventBody::Comment(Box::new(Comment { message, subject }))),
        None => read(m, cx, EventBody::Message),
    }
}

/// What the business wrote: in the name of a connected person, or a post in a channel where the bot is
/// administrator. It speaks there itself, in the provider's own app, so it is no customer (law 8).
pub(super) fn echo(m: &mut Message<'_>, cx: &Context<'_>) -> Event {
    let author = author(m);
    read(m, cx, |message| EventBody::Echo(Echo { message, ours: None, author }))
}

/// A changed message; also every move of a live location, and changes that a bot cannot see.
pub(super) fn edited(m: &mut Message<'_>, cx: &Context<'_>) -> Event {
    m.date = m.rest.as_ref().and_then(|rest| rest.edit_date).unwrap_or(m.date);
    read(m, cx, |Said { id, sender, content, .. }| EventBody::Edited(Edited { message: id, sender, content }))
}

pub(super) fn message_id(id: i64) -> ProviderMessageId {
    ProviderMessageId::from(Decimal::new(id).as_str())
}

/// Reads a message as what `body` makes of it; unsupported when nobody wrote it and it only reports something.
///
/// The event is written once, where it stays: it is large, and each copy would be paid for every message.
fn read(m: &mut Message<'_>, cx: &Context<'_>, body: impl FnOnce(Said) -> EventBody) -> Event {
    let is_words = m.text.is_some();
    let mut content = content::take(m);
    let mut raw = None;
    if content.parts.is_empty() && !is_words {
        let what = unknown_key(cx).unwrap_or_else(|| "message".to_owned());
        if SERVICE.contains(&what.as_str()) {
            return cx.unsupported_at(address_of(m), m.date, what);
        }
        content.parts.push(Part::Unsupported { what });
        raw = cx.raw();
    }
    let rest = m.rest.as_deref_mut();
    // A post that its channel's discussion group copies by itself is no message handed on by anybody.
    if let Some(origin) = rest.filter(|rest| !rest.is_automatic_forward).and_then(|r| r.forward_origin.take())
    {
        content = content::forwarded(*origin, content);
    }
    let address = address_of(m);
    let reply_to = reply(m);
    let sender = sender(m);
    let said = Said {
        id: message_id(m.message_id),
        origin: origin(m, sender.kind),
        sender,
        content,
        reply_to,
        album: m.rest.as_ref().and_then(|rest| Some(AlbumId::from(&**rest.media_group_id.as_ref()?))),
        item: None,
        thread: None,
        referral: None,
        chat: people::chat(&mut m.chat),
    };
    Event { raw, at: time(m.date), ..Event::new(cx.id(), body(said)).at_address(address) }
}

/// The second look at a message in which nothing known was found: the first key that is not its manner.
fn unknown_key(cx: &Context<'_>) -> Option<String> {
    let envelope: Envelope<'_> = serde_json::from_str(cx.json).ok()?;
    let keys = keys_of(envelope.value?);
    keys.into_iter().find(|key| !MANNER.contains(&&**key)).map(Str::into_string)
}

/// A group that became a supergroup is told twice: in the old chat, and in the new one. Both say the same.
fn migration(m: &Message<'_>, cx: &Context<'_>) -> Option<Event> {
    let rest = m.rest.as_ref()?;
    let (old, new) = match (rest.migrate_to_chat_id, rest.migrate_from_chat_id) {
        (Some(new), _) => (m.chat.id, new),
        (None, Some(old)) => (old, m.chat.id),
        (None, None) => return None,
    };
    let to = Address::from(&TelegramAddress::chat(new));
    let old = Address::from(&TelegramAddress::chat(old));
    Some(cx.event(old, m.date, EventBody::Migrated { to }))
}

/// `/start`, with what a deep link carried behind it; in groups written `/start@name`.
/// <https://core.telegram.org/bots/features#deep-linking> (read 2026-11)
fn start(m: &mut Message<'_>, cx: &Context<'_>) -> Option<Event> {
    let behind = m.text.as_deref()?.strip_prefix("/start")?;
    // On behalf of a person the bot sees what customers write to that person: no command is meant for it.
    let not_meant = |rest: &Rest<'_>| rest.business_connection_id.is_some() || rest.forward_origin.is_some();
    if m.rest.as_deref().is_some_and(not_meant) {
        return None;
    }
    let (name, payload) = match behind.split_once(' ') {
        Some((name, payload)) => (name, Some(payload.trim()).filter(|p| !p.is_empty())),
        None => (behind, None),
    };
    let is_ours = match (name.strip_prefix('@'), cx.username) {
        (None, _) => name.is_empty(),
        (Some(_), None) => true,
        (Some(given), Some(username)) => given.eq_ignore_ascii_case(username),
    };
    if !is_ours {
        return None;
    }
    let referral = payload.map(Referral::token);
    let (address, date) = (address_of(m), m.date);
    let started = Started { message: Some(message_id(m.message_id)), sender: sender(m), referral };
    Some(cx.event(address, date, EventBody::Started(started)))
}

fn address_of(m: &Message<'_>) -> Address {
    match m.rest.as_deref() {
        None => Address::from(&TelegramAddress::chat(m.chat.id)),
        Some(rest) => {
            place(&m.chat, m.thread(), rest.direct_messages_topic, rest.business_connection_id.as_ref())
        }
    }
}

/// The address of a chat and what stands beside it.
pub(super) fn place(
    chat: &wire::Chat<'_>,
    thread: Option<i64>,
    direct: Option<wire::Topic>,
    business: Option<&Str<'_>>,
) -> Address {
    Address::from(&TelegramAddress {
        thread,
        direct: direct.map(|topic| topic.topic_id),
        business: business.map(|id| id.to_string()),
        ..TelegramAddress::chat(chat.id)
    })
}

/// Who wrote it. A chat may speak in its own name: then the user beside it is a stand-in.
fn sender(m: &mut Message<'_>) -> omni_core::contact::Sender {
    let chat = m.rest.as_ref().and_then(|rest| rest.sender_chat.as_ref());
    match (chat, m.from.take()) {
        (Some(chat), _) => people::chat_itself(chat),
        (None, Some(user)) => people::user(user),
        (None, None) => people::chat_itself(&m.chat),
    }
}

/// Whether the business wrote it from the provider's own app, or a bot in its name.
///
/// - In a connected person's private chat the customer is the one whose id the chat has; anybody else is the
///   person, or a bot that speaks for them.
/// - In a channel's direct messages the channel itself answers (unverified).
fn is_echo(m: &Message<'_>) -> bool {
    let Some(rest) = m.rest.as_ref() else { return false };
    if rest.business_connection_id.is_some() {
        return rest.sender_business_bot.is_some()
            || m.from.as_ref().is_some_and(|user| user.id != m.chat.id);
    }
    m.chat.is_direct_messages && rest.sender_chat.is_some()
}

/// The name of the person at the business.
fn author(m: &Message<'_>) -> Option<String> {
    match m.rest.as_ref().and_then(|rest| rest.author_signature.as_ref()) {
        Some(signature) => Some(signature.to_string()),
        None => m.from.as_ref().and_then(people::full_name),
    }
}

fn origin(m: &Message<'_>, sender: SenderKind) -> Origin {
    let by_program = |rest: &Rest<'_>| {
        rest.is_from_offline || rest.is_automatic_forward || rest.sender_business_bot.is_some()
    };
    let is_program = matches!(sender, SenderKind::Robot | SenderKind::Provider);
    if is_program || m.rest.as_deref().is_some_and(by_program) { Origin::Automatic } else { Origin::Person }
}

/// What it answers. In a forum every message answers the one that created its topic: that is no answer.
fn reply(m: &mut Message<'_>) -> Option<ReplyTo> {
    let thread = m.thread();
    let rest = m.rest.as_mut()?;
    let replied = rest.reply_to_message.as_ref()?;
    if replied.forum_topic_created.is_some() || thread == Some(replied.message_id) {
        return None;
    }
    let message = message_id(replied.message_id);
    Some(ReplyTo { message, quote: rest.quote.take().map(|quote| quote.text.into_string()) })
}

/// The post under which a message stands: in a channel's discussion group, an answer to the copy that the
/// channel put there. Answers to such answers cannot be told from ordinary talk.
/// <https://core.telegram.org/bots/api#message>, `is_automatic_forward` (read 2026-11)
fn subject(rest: &Rest<'_>) -> Option<Item> {
    let Replied { message_id: copy, text, caption, forward_origin, .. } =
        rest.reply_to_message.as_deref().filter(|replied| replied.is_automatic_forward)?;
    let post = forward_origin.as_ref().and_then(|origin| Some((origin.chat.as_ref()?, origin.message_id?)));
    let title = text.as_ref().or(caption.as_ref()).map(|words| words.chars().take(100).collect());
    Some(match post {
        Some((channel, id)) => Item {
            id: Some(format!("{}/{id}", channel.id)),
            title,
            url: channel
                .username
                .as_ref()
                .and_then(|name| Url::parse(&format!("https://t.me/{}/{id}", &**name)).ok()),
            ..Item::default()
        },
        None => Item { id: Some(copy.to_string()), title, ..Item::default() },
    })
}

//! Comments under posts, pictures, films, goods and in topics.

use omni_core::content::Item;
use omni_core::event::{
    Chat, ChatKind, Comment as Commented, Echo, Edited, Event, EventBody, Message as Said, Origin, ReplyTo,
};
use omni_core::{Address, ProviderMessageId};
use url::Url;

use super::content::{self, Parts};
use super::{Context, Read, people, time};
use crate::address::{Comments, Subject, SubjectKind, VkAddress};
use crate::markup;
use crate::wire::{Comment, CommentDeleted};

/// Any event of comments; everything else is unsupported.
/// <https://dev.vk.com/api/community-events/json-schema> (read 2026-11)
pub(super) fn any(kind: &str, cx: &Context<'_>) -> Read {
    const PLACES: [(&str, SubjectKind); 5] = [
        ("wall_reply_", SubjectKind::Wall),
        ("photo_comment_", SubjectKind::Photo),
        ("video_comment_", SubjectKind::Video),
        ("market_comment_", SubjectKind::Market),
        ("board_post_", SubjectKind::Topic),
    ];
    let named = |(name, place): &(&str, SubjectKind)| kind.strip_prefix(name).map(|what| (what, *place));
    match PLACES.iter().find_map(named) {
        Some(("new" | "restore", place)) => written(place, cx),
        Some(("edit", place)) => edited(place, cx),
        Some(("delete", place)) => deleted(place, cx),
        _ => Ok(cx.unsupported()),
    }
}

fn written(place: SubjectKind, cx: &Context<'_>) -> Read {
    let comment: Comment<'_> = serde_json::from_str(cx.object())?;
    let Some((subject, address)) = places(&comment, place, cx) else { return Ok(cx.unsupported()) };
    let is_own = comment.from_id == -cx.group_id;
    let (at, from) = (time(comment.date), comment.from_id);
    let reply_to =
        comment.reply_to_comment.filter(|id| *id > 0).map(|id| ReplyTo { message: name(id), quote: None });
    let id = name(comment.id);
    let (content, has_more) = content_of(comment, is_own);
    let raw = has_more.then(|| cx.raw()).flatten();
    let message = Said {
        reply_to,
        chat: Chat { kind: ChatKind::Group, title: None },
        item: Some(subject.clone()),
        ..Said::new(id, people::sender(from), content)
    };
    let body = if is_own {
        // Whether a person or a program wrote it is not told; a person is never taken for a program.
        EventBody::Echo(Echo {
            message: Said { origin: Origin::Person, ..message },
            ours: None,
            author: None,
        })
    } else {
        EventBody::Comment(Box::new(Commented { message, subject }))
    };
    Ok(Event { at, raw, ..cx.event(body).at_address(address) })
}

fn edited(place: SubjectKind, cx: &Context<'_>) -> Read {
    let comment: Comment<'_> = serde_json::from_str(cx.object())?;
    let Some((_, address)) = places(&comment, place, cx) else { return Ok(cx.unsupported()) };
    let (message, sender) = (name(comment.id), people::sender(comment.from_id));
    let (at, is_own) = (time(comment.date), comment.from_id == -cx.group_id);
    let (content, has_more) = content_of(comment, is_own);
    let raw = has_more.then(|| cx.raw()).flatten();
    let body = EventBody::Edited(Edited { message, sender, content });
    // The time is that of the writing; of the change none is told.
    Ok(Event { at, raw, ..cx.event(body).at_address(address) })
}

/// Whose comment it was is not told, only who took it away: mostly its author. It is looked for where a first comment
/// of that person would be.
fn deleted(place: SubjectKind, cx: &Context<'_>) -> Read {
    let gone: CommentDeleted = serde_json::from_str(cx.object())?;
    let id = subject_id(place, [gone.post_id, gone.photo_id, gone.video_id, gone.item_id, gone.topic_id]);
    let Some(id) = id else { return Ok(cx.unsupported()) };
    let owner = gone.topic_owner_id.or(gone.owner_id).unwrap_or(-cx.group_id);
    let thread = (place == SubjectKind::Wall).then_some(gone.id);
    let from = gone.deleter_id.or(gone.user_id).filter(|id| *id > 0);
    let subject = Subject { kind: place, owner, id };
    let address = Address::from(VkAddress::Comments(Comments { subject, from, thread }));
    Ok(cx.event(EventBody::Deleted { messages: vec![name(gone.id)] }).at_address(address))
}

fn name(comment: i64) -> ProviderMessageId {
    ProviderMessageId::from(comment.to_string())
}

/// Post, picture, film, goods, topic: each kind of event names its own.
fn subject_id(place: SubjectKind, ids: [Option<i64>; 5]) -> Option<i64> {
    let [post, photo, video, item, topic] = ids;
    match place {
        SubjectKind::Wall => post,
        SubjectKind::Photo => photo,
        SubjectKind::Video => video,
        SubjectKind::Market => item,
        SubjectKind::Topic => topic,
    }
}

/// What is commented, and the address of the talk. The community's own words belong to the talk of whom they answer.
fn places(comment: &Comment<'_>, place: SubjectKind, cx: &Context<'_>) -> Option<(Item, Address)> {
    let c = comment;
    let id = subject_id(place, [c.post_id, c.photo_id, c.video_id, c.item_id, c.topic_id])?;
    let owner = match place {
        SubjectKind::Wall => c.post_owner_id,
        SubjectKind::Photo => c.photo_owner_id,
        SubjectKind::Video => c.video_owner_id,
        SubjectKind::Market => c.market_owner_id,
        SubjectKind::Topic => c.topic_owner_id,
    };
    let subject = Subject { kind: place, owner: owner.or(c.owner_id).unwrap_or(-cx.group_id), id };
    let from = if c.from_id == -cx.group_id { c.reply_to_user } else { Some(c.from_id) };
    let outermost = || c.parents_stack.first().copied().or(c.reply_to_comment).filter(|id| *id > 0);
    let thread = (place == SubjectKind::Wall).then(|| outermost().unwrap_or(c.id));
    let item = Item { id: Some(subject.name()), url: Url::parse(&subject.page()).ok(), ..Item::default() };
    Some((item, Address::from(VkAddress::Comments(Comments { subject, from, thread }))))
}

fn content_of(comment: Comment<'_>, is_own: bool) -> (omni_core::Content, bool) {
    let parts = Parts { text: comment.text, attachments: &comment.attachments, geo: None, forwarded: &[] };
    let mut read = content::read(parts);
    if let Some(text) = read.content.text.as_mut().filter(|_| is_own) {
        text.plain = markup::restored(std::mem::take(&mut text.plain));
    }
    (read.content, read.has_more)
}

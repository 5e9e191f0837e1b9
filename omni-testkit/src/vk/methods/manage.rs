//! What is done with messages that are there: edits, deletions, reactions, marks, answers to keys.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{
    letter::Quotes,
    one,
    send::{may_write, talk, writing},
};
use crate::vk::{
    Core,
    error::{ApiError, ApiResult, invalid, missing},
    params::Params,
    record::Entry,
    state::{Caller, Club, Side, Talk, World},
};

/// Kinds of activity (<https://dev.vk.com/method/messages.setActivity>, read 2026-11).
const ACTIVITIES: [&str; 5] = ["typing", "audiomessage", "photo", "video", "file"];
/// Signs of `event_data`.
const MAX_EVENT_DATA: usize = 1000;
/// Reactions are numbered from 1 to this (sixteen: from memory).
const REACTIONS: i64 = 16;

/// Who no longer sees a deleted message.
#[derive(Clone, Copy, PartialEq)]
enum GoneFor {
    All,
    /// The community's own list only; the simulator shows the person's.
    Us,
}

impl Core {
    pub(super) fn edit(self: &Arc<Self>, world: &mut World, caller: Caller, params: &Params) -> ApiResult {
        let club_id = writing(world, caller)?;
        let now = self.now();
        let club = world.club_mut(club_id)?;
        let (peer, cmid) = place(club, params)?;
        let entry = found(club, peer, cmid)?;
        if !entry.is_ours() {
            return Err(ApiError::new(920));
        }
        if self.is_too_old(entry) {
            return Err(ApiError::new(909));
        }
        may_write(world, club_id, peer)?;
        let letter = self.letter(world, club_id, params)?;
        let quotes = if params.flag("keep_forward_messages")? { Quotes::Kept } else { Quotes::Dropped };
        let entry = found_mut(world.club_mut(club_id)?, peer, cmid)?;
        letter.replace(entry, quotes, now);
        let object = entry.json.clone();
        self.emit(world, club_id, "message_edit", object);
        one()
    }

    fn is_too_old(&self, entry: &Entry) -> bool {
        let written = entry.json.get("date").and_then(Value::as_i64).unwrap_or_default();
        Duration::from_secs(u64::try_from(self.now() - written).unwrap_or_default()) > self.config.change_age
    }

    pub(super) fn delete(&self, world: &mut World, caller: Caller, params: &Params) -> ApiResult {
        let club = writing(world, caller)?;
        let club = world.club_mut(club)?;
        let gone_for = if params.flag("delete_for_all")? { GoneFor::All } else { GoneFor::Us };
        let mut places = Vec::new();
        for cmid in params.integers("cmids")? {
            places.push((params.need_integer("peer_id")?, cmid));
        }
        for id in params.integers("message_ids")? {
            places.push(club.find_by_id(id).unwrap_or((0, id)));
        }
        if places.is_empty() {
            return Err(missing("cmids"));
        }
        let delete = |(peer, cmid): (i64, i64)| {
            let entry = club.talks.get_mut(&peer).and_then(|talk| talk.messages.get_mut(&cmid));
            let id = entry.as_ref().map_or(0, |entry| entry.id);
            let mut item = json!({"peer_id": peer, "message_id": id, "conversation_message_id": cmid});
            match self.take_back(entry, gone_for) {
                Ok(()) => crate::vk::set(&mut item, "response", 1),
                Err(error) => crate::vk::set(&mut item, "error", error.as_item()),
            }
            item
        };
        Ok(places.into_iter().map(delete).collect())
    }

    /// Deleting again what is gone is a success: VK's schema names no error for it.
    fn take_back(&self, entry: Option<&mut Entry>, gone_for: GoneFor) -> ApiResult<()> {
        let entry = entry.ok_or_else(|| ApiError::new(104))?;
        if entry.deleted || gone_for == GoneFor::Us {
            return Ok(());
        }
        if !entry.is_ours() || self.is_too_old(entry) {
            return Err(ApiError::new(924));
        }
        entry.deleted = true;
        Ok(())
    }

    pub(super) fn set_activity(&self, world: &mut World, caller: Caller, params: &Params) -> ApiResult {
        let club = writing(world, caller)?;
        let kind = params.need("type")?;
        if !ACTIVITIES.contains(&kind) {
            return Err(invalid("type is unknown"));
        }
        let peer = match params.integer("peer_id")? {
            Some(peer) => peer,
            None => params.need_integer("user_id")?,
        };
        may_write(world, club, peer)?;
        let now = self.now();
        world.club_mut(club)?.talk_mut(peer).activity = Some((kind.to_owned(), now));
        one()
    }

    pub(super) fn send_reaction(&self, world: &mut World, caller: Caller, params: &Params) -> ApiResult {
        let reaction = params.need_integer("reaction_id")?;
        if !(1..=REACTIONS).contains(&reaction) {
            return Err(invalid("reaction_id is invalid"));
        }
        self.react(world, caller, params, Some(reaction))
    }

    pub(super) fn delete_reaction(&self, world: &mut World, caller: Caller, params: &Params) -> ApiResult {
        self.react(world, caller, params, None)
    }

    fn react(&self, world: &mut World, caller: Caller, params: &Params, sign: Option<i64>) -> ApiResult {
        let id = writing(world, caller)?;
        let cmid = params.need_integer("cmid")?;
        let entry = talk(world.club_mut(id)?, params)?.message_mut(cmid);
        let entry = entry.ok_or_else(|| invalid("cmid is invalid"))?;
        match sign {
            Some(sign) => entry.reactions.insert(-id, sign),
            None => entry.reactions.remove(&-id),
        };
        one()
    }

    pub(super) fn answer_press(&self, world: &mut World, caller: Caller, params: &Params) -> ApiResult {
        let club = writing(world, caller)?;
        let ticket = params.need("event_id")?;
        let (user, peer) = (params.need_integer("user_id")?, params.need_integer("peer_id")?);
        let data = event_data(params)?;
        let (now, age) = (self.now(), self.config.ticket_age);
        let press = world.club_mut(club)?.presses.iter_mut().find(|press| press.ticket == ticket);
        let press = press.filter(|press| press.user_id == user && press.peer_id == peer);
        let press = press.ok_or_else(|| invalid("event_id is invalid"))?;
        let waited = Duration::from_secs(u64::try_from(now - press.at).unwrap_or_default());
        if press.answer.is_some() || waited > age {
            return Err(invalid("event_id is expired"));
        }
        press.answer = Some(data);
        one()
    }
}

/// What the person is to be shown; null only ends their wait.
fn event_data(params: &Params) -> ApiResult<Value> {
    let text = params.text("event_data").unwrap_or_default();
    if text.chars().count() > MAX_EVENT_DATA {
        return Err(invalid("event_data should be no longer than 1000 characters"));
    }
    let broken = |reason: &str| invalid(format!("event_data is invalid: {reason}"));
    let Some(data) = params.json("event_data", broken)? else { return Ok(Value::Null) };
    let needed: &[&str] = match data.get("type").and_then(Value::as_str) {
        Some("show_snackbar") => &["text"],
        Some("open_link") => &["link"],
        Some("open_app") => &["app_id"],
        _ => return Err(broken("unknown type")),
    };
    match needed.iter().find(|name| data.get(**name).is_none_or(|value| value.as_str() == Some(""))) {
        Some(name) => Err(broken(&format!("{name} is required"))),
        None => Ok(data),
    }
}

pub(super) fn mark_read(world: &mut World, caller: Caller, params: &Params) -> ApiResult {
    let club = writing(world, caller)?;
    let club = world.club_mut(club)?;
    let by_id = params.integer("start_message_id")?.and_then(|id| club.find_by_id(id));
    let up_to = params.integer("up_to_cmid")?.or(by_id.map(|(_, cmid)| cmid));
    let whole = params.flag("mark_conversation_as_read")?;
    let talk = talk(club, params)?;
    let cmid = match up_to {
        Some(cmid) => cmid,
        None if whole || !params.has("start_message_id") => talk.last_cmid,
        None => return Err(invalid("start_message_id is invalid")),
    };
    talk.reads(cmid, Side::Community);
    one()
}

/// The chat and number of a message, by `cmid` or by `message_id`.
fn place(club: &Club, params: &Params) -> ApiResult<(i64, i64)> {
    let peer = params.need_integer("peer_id")?;
    let cmid = params.integer("cmid")?.or(params.integer("conversation_message_id")?);
    match (cmid, params.integer("message_id")?) {
        (Some(cmid), _) => Ok((peer, cmid)),
        (None, Some(id)) => club.find_by_id(id).ok_or_else(|| invalid("message_id is incorrect")),
        (None, None) => Err(missing("cmid")),
    }
}

fn found(club: &Club, peer: i64, cmid: i64) -> ApiResult<&Entry> {
    let entry = club.talks.get(&peer).and_then(|talk| talk.message(cmid));
    entry.ok_or_else(|| invalid("message was not found"))
}

fn found_mut(club: &mut Club, peer: i64, cmid: i64) -> ApiResult<&mut Entry> {
    let talk: Option<&mut Talk> = club.talks.get_mut(&peer);
    talk.and_then(|talk| talk.message_mut(cmid)).ok_or_else(|| invalid("message was not found"))
}

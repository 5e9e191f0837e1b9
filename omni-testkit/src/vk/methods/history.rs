//! What was said before: history, conversations, single messages.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::send::{talk, writing};
use crate::vk::{
    error::{ApiResult, invalid},
    params::Params,
    set,
    state::{CHATS, Caller, Peer, Permission, Talk, World},
};

/// The most messages or talks of one page.
const PAGE: i64 = 200;

pub(super) fn history(world: &mut World, caller: Caller, params: &Params) -> ApiResult {
    let id = writing(world, caller)?;
    let count = page(params, "count", PAGE, 20)?;
    let offset = page(params, "offset", i64::MAX, 0)?;
    let from = params.integer("start_cmid")?;
    let club = world.club_mut(id)?;
    let by_id = params.integer("start_message_id")?.and_then(|id| club.find_by_id(id)).map(|(_, cmid)| cmid);
    let is_forward = params.flag("rev")?;
    let talk = talk(club, params)?;
    let start = from.or(by_id);
    let fits = |cmid: i64| start.is_none_or(|start| if is_forward { cmid >= start } else { cmid <= start });
    let all = talk.messages.values().filter(|entry| !entry.deleted);
    let total = all.clone().count();
    let mut kept: Vec<&Value> = all.filter(|entry| fits(entry.cmid)).map(|entry| &entry.json).collect();
    if !is_forward {
        kept.reverse();
    }
    let items: Vec<Value> = kept.into_iter().skip(offset).take(count).cloned().collect();
    let mut answer = json!({"count": total, "items": items});
    extend(world, id, params, &mut answer)?;
    Ok(answer)
}

pub(super) fn by_cmid(world: &mut World, caller: Caller, params: &Params) -> ApiResult {
    let id = writing(world, caller)?;
    let wanted = params.integers("conversation_message_ids")?;
    let wanted = if wanted.is_empty() { params.integers("cmids")? } else { wanted };
    if wanted.is_empty() || wanted.len() > 100 {
        return Err(invalid("conversation_message_ids should contain from 1 to 100 ids"));
    }
    let talk = talk(world.club_mut(id)?, params)?;
    let items: Vec<Value> =
        wanted.iter().filter_map(|cmid| talk.message(*cmid)).map(|entry| entry.json.clone()).collect();
    let mut answer = json!({"count": items.len(), "items": items});
    extend(world, id, params, &mut answer)?;
    Ok(answer)
}

pub(super) fn talks(world: &mut World, caller: Caller, params: &Params) -> ApiResult {
    let id = writing(world, caller)?;
    let count = page(params, "count", PAGE, 20)?;
    let offset = page(params, "offset", i64::MAX, 0)?;
    let filter = params.text("filter").unwrap_or("all");
    let keeps = |talk: &&Talk| {
        let last = talk.messages.values().rev().find(|entry| !entry.deleted);
        match filter {
            "unanswered" => last.is_some_and(|entry| !entry.is_ours()),
            "unread" => unread(talk) > 0,
            _ => last.is_some(),
        }
    };
    if !["all", "archive", "important", "unanswered", "unread"].contains(&filter) {
        return Err(invalid("filter is unknown"));
    }
    let club = world.club(id)?;
    let kept: Vec<&Talk> = club.talks.values().filter(keeps).collect();
    let total = kept.len();
    let shown = kept.into_iter().skip(offset).take(count);
    let items: Vec<Value> = shown
        .map(|talk| {
            let last = talk.messages.values().rev().find(|entry| !entry.deleted).map(|entry| &entry.json);
            json!({"conversation": conversation(talk), "last_message": last})
        })
        .collect();
    let mut answer = json!({"count": total, "items": items});
    extend(world, id, params, &mut answer)?;
    Ok(answer)
}

pub(super) fn talks_by_id(world: &mut World, caller: Caller, params: &Params) -> ApiResult {
    let id = writing(world, caller)?;
    let peers = params.integers("peer_ids")?;
    if peers.is_empty() || peers.len() > 100 {
        return Err(invalid("peer_ids should contain from 1 to 100 ids"));
    }
    let club = world.club(id)?;
    let items: Vec<Value> = peers.iter().filter_map(|peer| club.talks.get(peer)).map(conversation).collect();
    let mut answer = json!({"count": items.len(), "items": items});
    extend(world, id, params, &mut answer)?;
    Ok(answer)
}

fn page(params: &Params, name: &str, most: i64, absent: i64) -> ApiResult<usize> {
    let value = params.integer_in(name, 0, most, absent)?;
    usize::try_from(value).map_err(|_| invalid(format!("{name} is invalid")))
}

fn unread(talk: &Talk) -> usize {
    talk.messages.values().filter(|entry| !entry.is_ours() && !entry.read && !entry.deleted).count()
}

fn conversation(talk: &Talk) -> Value {
    let (kind, local) = if talk.is_chat() { ("chat", talk.peer_id - CHATS) } else { ("user", talk.peer_id) };
    let mut shown = json!({
        "peer": {"id": talk.peer_id, "type": kind, "local_id": local},
        "in_read_cmid": talk.in_read, "out_read_cmid": talk.out_read,
        "last_conversation_message_id": talk.last_cmid,
        "last_message_id": talk.messages.values().next_back().map_or(0, |entry| entry.id),
        "unread_count": unread(talk), "is_marked_unread": false, "important": false,
    });
    match &talk.peer {
        Peer::Private { permission, .. } => {
            let is_allowed = *permission == Permission::Allowed;
            set(
                &mut shown,
                "can_write",
                if is_allowed { json!({"allowed": true}) } else { json!({"allowed": false, "reason": 901}) },
            );
        }
        Peer::Chat { title, members, has_bot, .. } => {
            let state = if *has_bot { "in" } else { "kicked" };
            set(&mut shown, "can_write", json!({"allowed": has_bot}));
            set(
                &mut shown,
                "chat_settings",
                json!({
                    "title": title, "members_count": members.len() + 1, "state": state, "owner_id": members.first(),
                    "active_ids": members.iter().take(4).collect::<Vec<_>>(),
                }),
            );
        }
    }
    shown
}

/// Adds `profiles` and `groups` where `extended` asks for them.
fn extend(world: &World, club: i64, params: &Params, answer: &mut Value) -> ApiResult<()> {
    if params.flag("extended")? {
        let mut named = BTreeSet::new();
        name_people(answer, &mut named);
        let people = named.iter().filter_map(|id| world.people.get(id));
        let profiles: Vec<Value> = people.map(super::people::profile).collect();
        set(answer, "profiles", profiles);
        set(answer, "groups", json!([world.club(club)?.profile.to_json()]));
    }
    Ok(())
}

/// Ids of all who are named in an answer.
fn name_people(value: &Value, named: &mut BTreeSet<i64>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| name_people(item, named)),
        Value::Object(fields) => {
            for (name, field) in fields {
                let id = match name.as_str() {
                    "from_id" | "member_id" | "peer_id" => field.as_i64(),
                    "peer" => field.get("id").and_then(Value::as_i64),
                    _ => None,
                };
                named.extend(id);
                name_people(field, named);
            }
        }
        _ => {}
    }
}

//! `groups.*`: the account, callback servers, long poll.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use super::one;
use crate::vk::{
    Core,
    callback::{CallbackServer, ServerStatus},
    config::Scope,
    error::{ApiError, ApiResult, invalid},
    events,
    params::Params,
    state::{Caller, Club, Holder, World},
};

/// The most callback servers of one community (<https://dev.vk.com/api/callback/getting-started>).
const MAX_SERVERS: usize = 10;

/// The community that the parameters name, which has to be the token's own.
fn own<'a>(world: &'a mut World, caller: Caller, params: &Params) -> ApiResult<&'a mut Club> {
    let id = caller.community(Scope::Manage)?;
    let named = params.need_integer("group_id")?;
    if named != id {
        return Err(ApiError::because(15, "no access to this group"));
    }
    world.club_mut(id)
}

fn server<'a>(club: &'a mut Club, params: &Params) -> ApiResult<&'a mut CallbackServer> {
    let id = params.need_integer("server_id")?;
    club.servers.list.get_mut(&id).ok_or_else(|| invalid("server_id is incorrect"))
}

pub(super) fn by_id(world: &World, caller: Caller, params: &Params) -> ApiResult {
    let named = params.text("group_ids").or_else(|| params.text("group_id"));
    let ids: Vec<i64> = match (named, caller.holder) {
        (None, Holder::Community(own)) => vec![own],
        (None, Holder::User(_)) => return Err(invalid("group_ids is undefined")),
        (Some(names), _) => names.split(',').filter_map(|name| find(world, name.trim())).collect(),
    };
    if ids.is_empty() {
        return Err(invalid("group_ids is undefined"));
    }
    let groups: Vec<Value> =
        ids.iter().filter_map(|id| Some(world.clubs.get(id)?.profile.to_json())).collect();
    // Below 5.139 the answer is the bare list.
    let is_old = params.text("v").and_then(super::minor).is_some_and(|minor| minor < 139);
    Ok(if is_old { groups.into() } else { json!({"groups": groups, "profiles": []}) })
}

/// A community by its id or its short name.
fn find(world: &World, name: &str) -> Option<i64> {
    let by_name = || world.clubs.values().find(|club| club.profile.screen_name == name);
    name.parse().ok().filter(|id| world.clubs.contains_key(id)).or_else(|| Some(by_name()?.profile.id))
}

pub(super) fn permissions(caller: Caller) -> ApiResult {
    caller.any_community()?;
    let held = Scope::ALL.into_iter().filter(|scope| caller.scopes & scope.bit() != 0);
    let list: Vec<Value> = held.map(|scope| json!({"name": scope.name(), "setting": scope.bit()})).collect();
    Ok(json!({"mask": caller.scopes, "permissions": list}))
}

pub(super) fn code(world: &mut World, caller: Caller, params: &Params) -> ApiResult {
    let code = own(world, caller, params)?.servers.code.clone();
    Ok(json!({"code": code}))
}

pub(super) fn servers(world: &mut World, caller: Caller, params: &Params) -> ApiResult {
    let club = own(world, caller, params)?;
    let wanted = params.integers("server_ids")?;
    let servers = club.servers.list.values().filter(|s| wanted.is_empty() || wanted.contains(&s.id));
    let items: Vec<Value> = servers.map(CallbackServer::to_json).collect();
    Ok(json!({"count": items.len(), "items": items}))
}

pub(super) fn settings(world: &mut World, caller: Caller, params: &Params) -> ApiResult {
    let server = server(own(world, caller, params)?, params)?;
    let version = server.version.as_deref().unwrap_or(events::OLD);
    Ok(json!({"api_version": version, "events": events::show_settings(&server.events)}))
}

pub(super) fn set_settings(world: &mut World, caller: Caller, params: &Params) -> ApiResult {
    let server = server(own(world, caller, params)?, params)?;
    events::read_settings(params, &mut server.version, &mut server.events)?;
    one()
}

pub(super) fn set_long_poll(world: &mut World, caller: Caller, params: &Params) -> ApiResult {
    let poll = &mut own(world, caller, params)?.poll;
    if params.has("enabled") {
        poll.is_on = params.flag("enabled")?;
    }
    events::read_settings(params, &mut poll.version, &mut poll.events)?;
    one()
}

pub(super) fn delete_server(world: &mut World, caller: Caller, params: &Params) -> ApiResult {
    let club = own(world, caller, params)?;
    let id = server(club, params)?.id;
    club.servers.list.remove(&id);
    one()
}

/// Address, title and secret of a server, checked.
struct Asked {
    url: String,
    title: String,
    secret: Option<String>,
}

impl Asked {
    fn read(params: &Params) -> ApiResult<Self> {
        let url = params.need("url")?;
        let parsed = url::Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        if parsed.is_none() {
            return Err(invalid("url is invalid"));
        }
        let title = params.need("title")?;
        if title.chars().count() > 14 {
            return Err(invalid("title should be no longer than 14 characters"));
        }
        let secret = params.text("secret_key");
        if secret.is_some_and(|secret| secret.chars().count() > 50) {
            return Err(invalid("secret_key should be no longer than 50 characters"));
        }
        Ok(Self { url: url.to_owned(), title: title.to_owned(), secret: secret.map(str::to_owned) })
    }
}

impl Core {
    pub(super) fn add_server(
        self: &Arc<Self>,
        world: &mut World,
        caller: Caller,
        params: &Params,
    ) -> ApiResult {
        let club = own(world, caller, params)?;
        let asked = Asked::read(params)?;
        if club.servers.list.len() >= MAX_SERVERS {
            return Err(ApiError::new(2000));
        }
        club.servers.last += 1;
        let id = club.servers.last;
        let server = CallbackServer {
            id,
            title: asked.title,
            url: asked.url,
            secret: asked.secret,
            status: ServerStatus::Wait,
            version: None,
            events: BTreeMap::new(),
            round: 0,
        };
        club.servers.list.insert(id, server);
        let club = club.profile.id;
        self.confirm(world, club, id);
        Ok(json!({"server_id": id}))
    }

    pub(super) fn edit_server(
        self: &Arc<Self>,
        world: &mut World,
        caller: Caller,
        params: &Params,
    ) -> ApiResult {
        let club = own(world, caller, params)?;
        let club_id = club.profile.id;
        let server = server(club, params)?;
        let asked = Asked::read(params)?;
        (server.url, server.title, server.secret) = (asked.url, asked.title, asked.secret);
        let id = server.id;
        self.confirm(world, club_id, id);
        one()
    }

    pub(super) fn long_poll_server(&self, world: &mut World, caller: Caller, params: &Params) -> ApiResult {
        let club = own(world, caller, params)?;
        if !club.poll.is_on {
            return Err(invalid("longpoll for this group is not enabled"));
        }
        if club.poll.is_asked_too_often(self.config.poll_quota) {
            return Err(ApiError::new(29));
        }
        Ok(json!({
            "key": club.poll.key, "ts": club.poll.next.to_string(),
            "server": format!("{}/whp/{}", self.ground.base_url(), club.profile.id),
        }))
    }
}

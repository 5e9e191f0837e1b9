//! People: names, permission to write, a person's communities.

use serde_json::{Value, json};

use crate::vk::{
    config::Scope,
    error::{ApiError, ApiResult, invalid, missing},
    params::Params,
    set,
    state::{Account, Caller, Holder, Peer, Permission, World},
};

/// The most people of one call.
const MAX_IDS: usize = 1000;

pub(super) fn users(world: &World, caller: Caller, params: &Params) -> ApiResult {
    let names: Vec<String> = match (params.text("user_ids"), caller.holder) {
        (Some(list), _) => list.split(',').map(|name| name.trim().to_owned()).collect(),
        (None, Holder::User(own)) => vec![own.to_string()],
        (None, Holder::Community(_)) => return Err(missing("user_ids")),
    };
    if names.len() > MAX_IDS {
        return Err(invalid("user_ids should contain up to 1000 ids"));
    }
    let asked: Vec<&str> = params.text("fields").unwrap_or_default().split(',').map(str::trim).collect();
    let find = |name: &String| match name.parse::<i64>() {
        Ok(id) => world.people.get(&id),
        Err(_) => world.people.values().find(|account| account.user.handle() == *name),
    };
    let keep = |mut person: Value| {
        if let Value::Object(fields) = &mut person {
            let always = ["id", "first_name", "last_name", "deactivated", "can_access_closed", "is_closed"];
            fields.retain(|name, _| always.contains(&name.as_str()) || asked.contains(&name.as_str()));
        }
        person
    };
    Ok(names.iter().filter_map(find).map(profile).map(keep).collect())
}

/// A person with every field there is.
pub(super) fn profile(account: &Account) -> Value {
    let user = &account.user;
    if account.is_deleted {
        return json!({"id": user.id, "first_name": "DELETED", "last_name": "", "deactivated": "deleted",
            "screen_name": user.handle(), "photo_100": "https://vk.com/images/deactivated_100.png"});
    }
    let mut shown = json!({
        "id": user.id, "first_name": user.first_name, "last_name": user.last_name,
        "screen_name": user.handle(), "can_access_closed": true, "is_closed": false,
    });
    for size in [50, 100, 200] {
        set(
            &mut shown,
            &format!("photo_{size}"),
            format!("https://sun1.userapi.com/u{}_{size}.jpg", user.id),
        );
    }
    shown
}

pub(super) fn is_allowed(world: &World, caller: Caller, params: &Params) -> ApiResult {
    let own = caller.community(Scope::Messages)?;
    if params.need_integer("group_id")? != own {
        return Err(ApiError::because(15, "no access to this group"));
    }
    let user = params.need_integer("user_id")?;
    if !world.people.contains_key(&user) {
        return Err(ApiError::new(113));
    }
    let peer = world.club(own)?.talks.get(&user).map(|talk| &talk.peer);
    let is_allowed = matches!(peer, Some(Peer::Private { permission: Permission::Allowed, .. }));
    Ok(json!({"is_allowed": i64::from(is_allowed)}))
}

pub(super) fn groups(world: &World, caller: Caller, params: &Params) -> ApiResult {
    let Holder::User(user) = caller.holder else {
        return Err(ApiError::because(27, "method is unavailable with group auth."));
    };
    if caller.scopes & Scope::Manage.bit() == 0 {
        return Err(ApiError::new(7));
    }
    let ids: Vec<i64> = match params.text("filter") {
        Some("admin") => {
            world.admins.iter().filter(|(admin, _)| *admin == user).map(|(_, club)| *club).collect()
        }
        _ => Vec::new(),
    };
    let clubs = ids.iter().filter_map(|id| world.clubs.get(id));
    let items: Vec<Value> = match params.flag("extended")? {
        true => clubs.map(|club| club.profile.to_json()).collect(),
        false => clubs.map(|club| club.profile.id.into()).collect(),
    };
    Ok(json!({"count": items.len(), "items": items}))
}

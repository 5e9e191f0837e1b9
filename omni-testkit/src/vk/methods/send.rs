//! `messages.send`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::letter::Letter;
use crate::vk::{
    Core,
    config::{EchoOrder, Scope},
    error::{ApiError, ApiResult, invalid, missing},
    params::Params,
    record::Author,
    state::{CHATS, Caller, Club, Peer, Permission, World, strike},
};

/// The most peers of one call.
const MAX_PEERS: usize = 100;
/// Intents that need no subscription of the person.
const FREE_INTENTS: [&str; 2] = ["default", "customer_support"];
const OTHER_INTENTS: [&str; 4] =
    ["bot_ad_invite", "confirmed_notification", "non_promo_newsletter", "promo_newsletter"];

/// Where a message goes.
enum To {
    /// Each with an outcome of its own.
    Many(Vec<i64>),
    One(i64),
}

impl Core {
    pub(super) fn send(self: &Arc<Self>, world: &mut World, caller: Caller, params: &Params) -> ApiResult {
        let club = writing(world, caller)?;
        let random_id = random_id(params)?;
        intent(params)?;
        let to = destination(world, params)?;
        let letter = self.letter(world, club, params)?;
        match to {
            To::One(peer) => self.deliver(world, club, peer, &letter, random_id).map(|(id, _)| id.into()),
            To::Many(peers) => {
                let send = |peer: i64| match self.deliver(world, club, peer, &letter, random_id) {
                    Ok((id, cmid)) => {
                        json!({"peer_id": peer, "message_id": id, "conversation_message_id": cmid})
                    }
                    Err(error) => json!({"peer_id": peer, "message_id": 0, "error": error.as_item()}),
                };
                Ok(peers.into_iter().map(send).collect())
            }
        }
    }

    /// Puts the letter into a talk: `id` and cmid, those of the first time when the number was there before.
    fn deliver(
        self: &Arc<Self>,
        world: &mut World,
        club_id: i64,
        peer: i64,
        letter: &Letter,
        random_id: i64,
    ) -> ApiResult<(i64, i64)> {
        strike(&mut world.club_mut(club_id)?.refusals, &peer)?;
        may_write(world, club_id, peer)?;
        let now = self.now();
        let club = world.club_mut(club_id)?;
        if let Some(sent) = club.sent.get(&(peer, random_id)) {
            return Ok(*sent);
        }
        if letter.replies_in.is_some_and(|chat| chat != peer) {
            return Err(invalid("forward is_reply is allowed within one chat only"));
        }
        let entry = club.put(peer, letter.draft(Author::Api, random_id), now);
        let (id, cmid, object) = (entry.id, entry.cmid, entry.json.clone());
        if random_id != 0 {
            club.sent.insert((peer, random_id), (id, cmid));
        }
        self.echo(world, club_id, object);
        Ok((id, cmid))
    }

    /// `message_reply`, when the settings of the simulator say.
    fn echo(self: &Arc<Self>, world: &mut World, club: i64, object: Value) {
        let EchoOrder::Late(pause) = self.config.echo else {
            self.emit(world, club, "message_reply", object);
            return;
        };
        let core = Arc::clone(self);
        self.ground.spawn(async move {
            tokio::time::sleep(pause).await;
            core.emit(&mut core.lock(), club, "message_reply", object);
        });
    }
}

/// The community, if it may send messages at all.
pub(super) fn writing(world: &World, caller: Caller) -> ApiResult<i64> {
    let id = caller.community(Scope::Messages)?;
    match world.club(id)?.profile.has_messages {
        true => Ok(id),
        false => Err(ApiError::because(15, "group messages are disabled")),
    }
}

/// The number against repeats: 32 bits with a sign, mandatory.
fn random_id(params: &Params) -> ApiResult<i64> {
    if !params.has("random_id") {
        return Err(missing("random_id"));
    }
    let number = params.need_integer("random_id")?;
    match i32::try_from(number) {
        Ok(_) => Ok(number),
        // VK cuts such a number, and then it is no longer the caller's own.
        Err(_) => Err(invalid("random_id should be a 32-bit integer")),
    }
}

fn intent(params: &Params) -> ApiResult<()> {
    match params.text("intent") {
        None => Ok(()),
        Some(intent) if FREE_INTENTS.contains(&intent) => Ok(()),
        Some(intent) if OTHER_INTENTS.contains(&intent) => Err(ApiError::new(943)),
        Some(_) => Err(invalid("intent is unknown")),
    }
}

fn destination(world: &World, params: &Params) -> ApiResult<To> {
    params.flag("dont_parse_links")?;
    params.flag("disable_mentions")?;
    let peers = params.integers("peer_ids")?;
    let by_name = params.text("domain").map(|name| {
        let person = world.people.values().find(|account| account.user.handle() == name);
        person.map(|account| account.user.id).ok_or_else(|| ApiError::new(113))
    });
    let chat = params.integer("chat_id")?.map(|chat| CHATS + chat);
    let single = [params.integer("peer_id")?, params.integer("user_id")?, by_name.transpose()?, chat];
    let mut single = single.into_iter().flatten();
    match (peers.is_empty(), single.next(), single.next()) {
        (false, None, None) if peers.len() <= MAX_PEERS => Ok(To::Many(peers)),
        (false, None, None) => Err(invalid("peer_ids should contain up to 100 ids")),
        (true, Some(peer), None) => Ok(To::One(peer)),
        (true, None, None) => Err(missing("peer_id")),
        _ => Err(invalid("only one destination should be given")),
    }
}

/// Whether the community may write there.
pub(super) fn may_write(world: &World, club: i64, peer: i64) -> ApiResult<()> {
    let talk = world.club(club)?.talks.get(&peer);
    if peer >= CHATS {
        return match talk.map(|talk| &talk.peer) {
            Some(Peer::Chat { has_bot: true, .. }) => Ok(()),
            _ => Err(ApiError::new(917)),
        };
    }
    if peer <= 0 {
        return Err(ApiError::new(932));
    }
    let account = world.people.get(&peer).ok_or_else(|| ApiError::new(936))?;
    if account.is_deleted {
        return Err(ApiError::new(18));
    }
    let (permission, is_blacklisted) = match talk.map(|talk| &talk.peer) {
        Some(Peer::Private { permission, is_blacklisted, .. }) => (*permission, *is_blacklisted),
        _ => (Permission::Never, false),
    };
    if is_blacklisted {
        return Err(ApiError::new(900));
    }
    if account.is_closed {
        return Err(ApiError::new(902));
    }
    match permission {
        Permission::Allowed => Ok(()),
        Permission::Denied | Permission::Never => Err(ApiError::new(901)),
    }
}

/// The talk that the parameters name, which has to be there.
pub(super) fn talk<'a>(club: &'a mut Club, params: &Params) -> ApiResult<&'a mut crate::vk::state::Talk> {
    let peer = params.need_integer("peer_id")?;
    club.talks.get_mut(&peer).ok_or_else(|| invalid("peer_id is incorrect"))
}

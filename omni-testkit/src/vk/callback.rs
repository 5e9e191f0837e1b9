//! Callback API: servers, their confirmation, the delivery of events
//! (<https://dev.vk.com/api/callback/getting-started>, read 2026-11).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::HeaderValue;
use serde_json::{Value, json};

use super::{Core, config::SimConfig, events, random::Random, record::EventRecord, state::World};
use crate::sim::{Answered, Ground, Hook, Poster, Verdict};

/// What VK knows of the address of a server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ServerStatus {
    /// It did not answer with the code, or failed for too long.
    Failed,
    /// It takes events.
    Ok,
    /// Its confirmation is on the way.
    Wait,
}

impl ServerStatus {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Ok => "ok",
            Self::Wait => "wait",
        }
    }
}

/// One callback server of a community.
#[derive(Clone, Debug)]
pub struct CallbackServer {
    /// Its id.
    pub id: i64,
    /// Its title.
    pub title: String,
    /// Its address.
    pub url: String,
    /// The secret that comes with every event.
    pub secret: Option<String>,
    /// What VK knows of it.
    pub status: ServerStatus,
    /// The version that shapes its events; old until one is set.
    pub version: Option<String>,
    /// The events that are on or off.
    pub events: BTreeMap<String, bool>,
    /// Counts confirmations: a late answer to an earlier one is void.
    pub(super) round: u64,
}

impl CallbackServer {
    pub(super) fn is_good(&self) -> bool {
        self.status == ServerStatus::Ok
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "id": self.id, "title": self.title, "creator_id": 7_001_002, "url": self.url,
            "secret_key": self.secret.as_deref().unwrap_or_default(), "status": self.status.name(),
        })
    }
}

/// The servers of one community.
#[derive(Debug)]
pub(super) struct Servers {
    pub(super) list: BTreeMap<i64, CallbackServer>,
    pub(super) last: i64,
    /// The code that an address has to answer.
    pub(super) code: String,
}

impl Servers {
    pub(super) fn new(random: &mut Random) -> Self {
        Self { list: BTreeMap::new(), last: 0, code: random.hex(8) }
    }
}

/// Where a hook goes, as its lane tells: community, server, peer.
fn lane(club: i64, server: i64, peer: i64) -> String {
    format!("{club}/{server}/{peer}")
}

fn target(lane: &str) -> Option<(i64, i64)> {
    let mut steps = lane.split('/');
    Some((steps.next()?.parse().ok()?, steps.next()?.parse().ok()?))
}

/// The poster of a simulator: `ok` takes an event, `remove` removes the server, all else is tried again.
pub(super) fn poster(ground: &Ground, world: &Arc<Mutex<World>>, config: &SimConfig) -> Poster {
    let (world, pause, tries) = (Arc::clone(world), config.retry_pause, config.tries);
    let counts = |hook: &mut Hook| {
        if hook.attempt > 0 {
            hook.headers.insert("x-retry-counter", HeaderValue::from(hook.attempt));
        }
    };
    let judge = move |hook: &Hook, answer: &Answered| {
        let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
        judge(&mut world, hook, answer, pause, tries)
    };
    Poster::dressing(ground, judge, counts)
}

fn judge(world: &mut World, hook: &Hook, answer: &Answered, pause: Duration, tries: u32) -> Verdict {
    let found = target(&hook.lane).and_then(|(club, server)| Some((world.clubs.get_mut(&club)?, server)));
    let Some((club, id)) = found else { return Verdict::Dropped };
    let Some(server) = club.servers.list.get_mut(&id) else { return Verdict::Dropped };
    match &*answer.body {
        b"ok" if answer.status.is_some_and(|status| status.as_u16() == 200) => Verdict::Taken,
        b"remove" if answer.is_success() => {
            club.servers.list.remove(&id);
            Verdict::Dropped
        }
        _ if hook.attempt + 1 >= tries => {
            server.status = ServerStatus::Failed;
            Verdict::Dropped
        }
        _ => Verdict::Again(pause.saturating_mul(1 << hook.attempt.min(10))),
    }
}

impl Core {
    /// Sends an event to a server.
    pub(super) fn post(&self, club: i64, server: i64, url: String, event: &EventRecord, body: &Value) {
        let peer = peer(&event.object).unwrap_or(0);
        self.poster.post(Hook::json(lane(club, server, peer), url, body.to_string()));
    }

    /// Asks the address of a server for the code. `ok` or `failed` follows.
    pub(super) fn confirm(self: &Arc<Self>, world: &mut World, club_id: i64, server_id: i64) {
        let event_id = world.random.hex(32);
        let Some(club) = world.clubs.get_mut(&club_id) else { return };
        let code = club.servers.code.clone();
        let Some(server) = club.servers.list.get_mut(&server_id) else { return };
        server.status = ServerStatus::Wait;
        server.round += 1;
        let round = server.round;
        let event = EventRecord { event_id, kind: "confirmation".to_owned(), object: Value::Null };
        let secret = server.secret.as_deref().filter(|_| self.config.secret_in_confirmation);
        let version = server.version.as_deref().unwrap_or(events::OLD);
        let mut body = events::envelope(club_id, &event, version, secret);
        if let Value::Object(fields) = &mut body {
            fields.remove("object");
        }
        let hook = Hook::json(lane(club_id, server_id, 0), server.url.clone(), body.to_string());
        let core = Arc::clone(self);
        self.ground.spawn(async move {
            let answer = core.poster.ask(hook).await;
            let is_right =
                answer.status.is_some_and(|s| s.as_u16() == 200) && *answer.body == *code.as_bytes();
            let mut world = core.lock();
            let server = world.clubs.get_mut(&club_id).and_then(|c| c.servers.list.get_mut(&server_id));
            if let Some(server) = server.filter(|server| server.round == round) {
                server.status = if is_right { ServerStatus::Ok } else { ServerStatus::Failed };
            }
            drop(world);
            core.ground.changed();
        });
    }
}

/// The talk that an event is about, for its place in the order.
fn peer(object: &Value) -> Option<i64> {
    let message = object.get("message").unwrap_or(object);
    ["peer_id", "user_id", "post_id", "from_id"].iter().find_map(|name| message.get(name)?.as_i64())
}

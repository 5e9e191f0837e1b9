//! Events: their envelopes, who hears of them, in which form.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Core,
    error::{ApiResult, invalid},
    methods::minor,
    params::Params,
    record::EventRecord,
    set,
    state::World,
};

/// All that can be switched on (`callback/objects.json` of <https://github.com/VKCOM/vk-api-schema>, read
/// 2026-11).
pub(super) const KINDS: [&str; 57] = [
    "audio_new",
    "board_post_delete",
    "board_post_edit",
    "board_post_new",
    "board_post_restore",
    "donut_money_withdraw",
    "donut_money_withdraw_error",
    "donut_subscription_cancelled",
    "donut_subscription_create",
    "donut_subscription_expired",
    "donut_subscription_price_changed",
    "donut_subscription_prolonged",
    "group_change_photo",
    "group_change_settings",
    "group_join",
    "group_leave",
    "group_officers_edit",
    "lead_forms_new",
    "like_add",
    "like_remove",
    "market_comment_delete",
    "market_comment_edit",
    "market_comment_new",
    "market_comment_restore",
    "market_order_edit",
    "market_order_new",
    "message_allow",
    "message_deny",
    "message_edit",
    "message_event",
    "message_new",
    "message_reaction_event",
    "message_read",
    "message_reply",
    "message_typing_state",
    "photo_comment_delete",
    "photo_comment_edit",
    "photo_comment_new",
    "photo_comment_restore",
    "photo_new",
    "poll_vote_new",
    "user_block",
    "user_unblock",
    "video_comment_delete",
    "video_comment_edit",
    "video_comment_new",
    "video_comment_restore",
    "video_new",
    "vkpay_transaction",
    "wall_post_new",
    "wall_reply_delete",
    "wall_reply_edit",
    "wall_reply_new",
    "wall_reply_restore",
    "wall_repost",
    "wall_schedule_post_delete",
    "wall_schedule_post_new",
];

/// The version that a server has until somebody sets one: its messages are bare.
pub(super) const OLD: &str = "5.80";

/// Reads switches of events and the version; what is not named keeps its setting.
pub(super) fn read_settings(
    params: &Params,
    version: &mut Option<String>,
    events: &mut BTreeMap<String, bool>,
) -> ApiResult<()> {
    if let Some(wanted) = params.text("api_version") {
        if minor(wanted).is_none() {
            return Err(invalid("api_version is invalid"));
        }
        *version = Some(wanted.to_owned());
    }
    for kind in KINDS {
        if params.has(kind) {
            events.insert(kind.to_owned(), params.flag(kind)?);
        }
    }
    Ok(())
}

/// All switches, as `groups.getCallbackSettings` shows them.
pub(super) fn show_settings(events: &BTreeMap<String, bool>) -> Value {
    let shown = KINDS.iter().map(|kind| ((*kind).to_owned(), is_on(events, kind)));
    Value::Object(shown.map(|(kind, on): (String, bool)| (kind, i64::from(on).into())).collect())
}

fn is_on(events: &BTreeMap<String, bool>, kind: &str) -> bool {
    events.get(kind).copied().unwrap_or(false)
}

/// Whether an event goes out past the settings.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reach {
    Everybody,
    WhoAskedForIt,
}

impl Core {
    /// Makes an event and hands it to everybody who has asked for it.
    pub(super) fn emit(&self, world: &mut World, club: i64, kind: &str, object: Value) -> String {
        let event_id = world.random.hex(32);
        self.spread(
            world,
            club,
            EventRecord { event_id: event_id.clone(), kind: kind.to_owned(), object },
            Reach::WhoAskedForIt,
        );
        event_id
    }

    /// Hands an event to the servers and the long poll of its community.
    pub(super) fn spread(&self, world: &mut World, club_id: i64, event: EventRecord, reach: Reach) {
        let Some(club) = world.clubs.get_mut(&club_id) else { return };
        let wants = |events: &BTreeMap<String, bool>| reach == Reach::Everybody || is_on(events, &event.kind);
        if club.poll.is_on && wants(&club.poll.events) {
            let version = club.poll.version.as_deref().unwrap_or(OLD);
            club.poll.push(envelope(club_id, &event, version, None), self.config.poll_history);
        }
        let mut posts = Vec::new();
        for server in club.servers.list.values() {
            if server.is_good() && wants(&server.events) {
                let version = server.version.as_deref().unwrap_or(OLD);
                let body = envelope(club_id, &event, version, server.secret.as_deref());
                posts.push((server.id, server.url.clone(), body));
            }
        }
        for (server, url, body) in posts {
            self.post(club_id, server, url, &event, &body);
        }
        club.events.push_back(event);
        while club.events.len() > self.config.max_records {
            club.events.pop_front();
        }
        self.changed();
    }
}

/// An event as it travels: with the secret by webhook, without one by long poll.
pub(super) fn envelope(club: i64, event: &EventRecord, version: &str, secret: Option<&str>) -> Value {
    let is_old = minor(version).is_none_or(|number| number < 103);
    let object = match event.object.get("message") {
        Some(message) if is_old && event.kind == "message_new" => message.clone(),
        _ => event.object.clone(),
    };
    let mut body = json!({
        "type": event.kind, "event_id": event.event_id, "v": version, "group_id": club, "object": object,
    });
    if let Some(secret) = secret {
        set(&mut body, "secret", secret);
    }
    body
}

//! The chat rooms of the REST API.
//! <https://yandex.ru/dev/autoru/doc/ru/reference/chats/additional/room-light> (read 2026-11)

use std::time::Duration;

use omni_core::Timestamp;
use serde_json::{Value, json};

use super::Autoru;
use super::state::{Entry, Said, Side, State, Talk};
use crate::sim::{Reply, Request};

/// The user of the session.
const ME: &str = "u-dealer";
/// Who writes Auto.ru's own messages.
const SERVICE: &str = "u-autoru";
/// How many messages a page has when nothing is asked for.
const PAGE: i64 = 20;

impl Autoru {
    pub(super) fn rest(&self, name: &str, request: &Request) -> Reply {
        let now = self.ground.now();
        let mut state = self.state();
        if request.header("x-authorization") != Some(&state.dealer.token) || state.dealer.token.is_empty() {
            return refuse(401, "NO_AUTH", "x-authorization");
        }
        if name == "login" {
            return state.logs_in(request, now);
        }
        let session = request.header("x-session-id").unwrap_or_default();
        if state.sessions.get(session).is_none_or(|end| *end <= now) {
            return refuse(401, "NO_SESSION", "x-session-id");
        }
        if state.dealer.dealer_id.as_deref() != request.header("x-dealer-id") {
            return refuse(403, "NO_ACCESS", "x-dealer-id");
        }
        match name {
            "account" => Reply::json(
                200,
                &json!({"account_id": 12345, "balance": 50000, "dealer_status": "active",
                        "average_outcome": 1500, "rest_days": 33}),
            ),
            "rooms" => state.lists(request.form().flag("only_unread")),
            "room" => state.shows(request.form().text("id").unwrap_or_default()),
            "messages" => state.pages(request),
            "post" => state.posts(request, now),
            "unread" => {
                let unread: usize = state.talks.values().map(Talk::has_unread).sum();
                done(json!({"has_unread": unread > 0, "unread_counter": unread}))
            }
            _ => match state.room(request.form().text("room_id").unwrap_or_default()) {
                Some(talk) => {
                    talk.is_read_by_us(now);
                    done(json!({}))
                }
                None => unknown_room(),
            },
        }
    }
}

impl State {
    fn logs_in(&mut self, request: &Request, now: Timestamp) -> Reply {
        let body = request.json().unwrap_or_default();
        let is = |name: &str, wanted: &str| body.get(name).and_then(Value::as_str) == Some(wanted);
        if !is("login", &self.dealer.login) || !is("password", &self.dealer.password) {
            return refuse(401, "AUTH_ERROR", "login or password");
        }
        self.logins += 1;
        let session = format!("session-{:08}", self.number());
        let seconds = self.dealer.session_seconds;
        let end = now + Duration::from_secs(seconds);
        self.sessions.insert(session.clone(), end);
        done(json!({
            "session": {"id": session, "user_id": ME, "creation_timestamp": iso(now),
                        "expire_timestamp": iso(end), "ttl_sec": seconds},
            "user": {"id": ME, "profile": {"autoru": {"alias": "Автосалон", "full_name": "Ольга"}}},
        }))
    }

    fn lists(&self, only_unread: bool) -> Reply {
        let listed = self.talks.values().filter(|talk| !only_unread || talk.has_unread() > 0);
        done(json!({"rooms": listed.map(room).collect::<Vec<_>>()}))
    }

    fn shows(&mut self, id: &str) -> Reply {
        self.room(id).map_or_else(unknown_room, |talk| done(json!({"rooms": [room(talk)]})))
    }

    /// A page begins with the message asked from.
    fn pages(&mut self, request: &Request) -> Reply {
        let form = request.form();
        let Some(talk) = self.room(form.text("room_id").unwrap_or_default()) else { return unknown_room() };
        let mut messages: Vec<Value> = talk.entries.iter().map(|entry| message(talk, entry)).collect();
        if let Some((at, oddity)) = &talk.oddity {
            messages.insert((*at).min(messages.len()), oddity.clone());
        }
        if !form.flag("asc") {
            messages.reverse();
        }
        if let Some(from) = form.text("from") {
            let Some(at) = messages.iter().position(|m| m.get("id").and_then(Value::as_str) == Some(from))
            else {
                return refuse(404, "MESSAGE_NOT_FOUND", "from");
            };
            messages.drain(..at);
        }
        let count = form.integer("count").unwrap_or(PAGE);
        messages.truncate(usize::try_from(count).unwrap_or_default());
        done(json!({"messages": messages}))
    }

    fn posts(&mut self, request: &Request, now: Timestamp) -> Reply {
        let body = request.json().unwrap_or_default();
        let field = |place: &str| body.pointer(place).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (words, id) = (field("/payload/value"), field("/provided_id"));
        if field("/payload/content_type") != "TEXT_PLAIN" || words.is_empty() {
            return refuse(400, "BAD_REQUEST", "payload");
        }
        let number = self.number();
        let Some(talk) = self.room(&field("/room_id")) else { return unknown_room() };
        let known =
            talk.entries.iter().find(|entry| !id.is_empty() && entry.provided_id.as_ref() == Some(&id));
        let entry = match known {
            Some(entry) => entry.clone(),
            None => {
                let entry = Entry {
                    id: format!("m{number:08}"),
                    provided_id: Some(id).filter(|id| !id.is_empty()),
                    side: Side::Operator,
                    operator: None,
                    said: Said::Text(words),
                    at: now,
                    is_read: false,
                };
                talk.add(entry.clone());
                entry
            }
        };
        done(json!({"message": message(talk, &entry)}))
    }
}

fn room(talk: &Talk) -> Value {
    let at = |at: Option<Timestamp>| at.map(iso);
    let last = talk.entries.last();
    json!({
        "id": talk.room,
        "created": at(talk.entries.first().map(|entry| entry.at)),
        "updated": at(last.map(|entry| entry.at)),
        "users": [
            {"id": buyer_of(talk), "room_last_read": at(talk.read_by_buyer), "blocked_room": false,
             "average_reply_delay_minutes": 5, "description": ""},
            {"id": ME, "room_last_read": at(talk.read_by_us)},
        ],
        "me": ME,
        "subject": {
            "title": "Чат", "title_v2": "Kia Rio IV, 1 100 000 ₽",
            "offer": {"source": {"category": "cars", "id": "1100000001-aabbccdd"}, "value": {}},
            "image": {"1200x900": "//img.example/large", "small": "//img.example/small"},
        },
        "last_message": last.map(|entry| message(talk, entry)),
    })
}

fn message(talk: &Talk, entry: &Entry) -> Value {
    let author = match entry.side {
        Side::Buyer => buyer_of(talk),
        Side::Operator | Side::Manager => ME.to_owned(),
        Side::Service => SERVICE.to_owned(),
    };
    let message = json!({"id": entry.id, "room_id": talk.room, "author": author, "created": iso(entry.at)});
    let message = match &entry.said {
        Said::Text(words) => with(message, "payload", json!({"content_type": "TEXT_PLAIN", "value": words})),
        Said::Html(html) => with(message, "payload", json!({"content_type": "TEXT_HTML", "value": html})),
        Said::Picture(url) => {
            let sizes = json!([{"image": {"sizes": {"1200x900": url, "320x240": url}}}]);
            with(with(message, "payload", json!({"content_type": "TEXT_PLAIN"})), "attachments", sizes)
        }
    };
    let message = if author == ME { with(message, "me", json!(true)) } else { message };
    match &entry.provided_id {
        Some(id) => with(message, "provided_id", json!(id)),
        None => message,
    }
}

/// The same with one more field.
fn with(mut object: Value, name: &str, value: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
    object
}

/// The buyer is another id here than in webhooks.
fn buyer_of(talk: &Talk) -> String {
    format!("u-{}", talk.room)
}

fn done(body: Value) -> Reply {
    Reply::json(200, &with(body, "status", json!("SUCCESS")))
}

fn unknown_room() -> Reply {
    refuse(404, "ROOM_NOT_FOUND", "room")
}

fn refuse(status: u16, error: &str, what: &str) -> Reply {
    Reply::json(
        status,
        &json!({"error": error, "status": "ERROR", "detailed_error": format!("Wrong {what}")}),
    )
}

/// `2026-01-02T03:04:05.678Z`. Days to dates by <https://howardhinnant.github.io/date_algorithms.html> (read 2026-11).
fn iso(at: Timestamp) -> String {
    let (days, millis) = (at.as_millis().div_euclid(86_400_000), at.as_millis().rem_euclid(86_400_000));
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let (day, month) =
        (day_of_year - (153 * shifted + 2) / 5 + 1, if shifted < 10 { shifted + 3 } else { shifted - 9 });
    let year = year + era * 400 + i64::from(month <= 2);
    let (hours, minutes, seconds) = (millis / 3_600_000, millis / 60_000 % 60, millis / 1000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{:03}Z", millis % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_dates() {
        let rows = [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_767_323_045_678, "2026-01-02T03:04:05.678Z"),
            (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
            (1_735_689_599_999, "2024-12-31T23:59:59.999Z"),
        ];
        for (millis, written) in rows {
            assert_eq!(iso(Timestamp::from_millis(millis)), written);
        }
    }
}

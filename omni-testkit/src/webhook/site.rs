//! The endpoint: requests come in, files of customers go out.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use http::Method;
use serde_json::{Value, json};

use super::check::{self, Refused, bad, list, text};
use super::state::{Chat, Entry, From, State};
use super::{events, lock};
use crate::sim::{Ground, Poster, Reply, Request, Site};

/// The program's server.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) state: Arc<Mutex<State>>,
    pub(super) poster: Poster,
    ground: Ground,
}

impl Program {
    pub(super) fn new(ground: &Ground, key: &str) -> Self {
        let state = Arc::new(Mutex::new(State::new(key)));
        Self { poster: events::poster(ground, &state), ground: ground.clone(), state }
    }

    fn take(&self, request: &Request) -> Result<Reply, Refused> {
        let mut state = lock(&self.state);
        check::signature(request, &state.keys, self.ground.now())?;
        let body = request.json().ok_or_else(|| bad("the body is no JSON"))?;
        check::body(request, &body)?;
        state.carry_out(body)
    }
}

#[async_trait]
impl Site for Program {
    fn name(&self, request: &Request) -> String {
        if request.method == Method::GET {
            return "file".to_owned();
        }
        let body = request.json().unwrap_or_default();
        body.get("type").and_then(Value::as_str).unwrap_or("nothing").to_owned()
    }

    async fn answer(&self, request: &Request) -> Reply {
        if request.method == Method::GET {
            let state = lock(&self.state);
            return match state.files.get(&request.path) {
                Some(file) => Reply::bytes(200, "application/octet-stream", file.bytes.clone()),
                None => Reply::status(404),
            };
        }
        if request.method != Method::POST || request.path != "/omni" {
            return Reply::status(404);
        }
        self.take(request).unwrap_or_else(|refused| refused.reply())
    }
}

impl State {
    /// Carries out a request that is well formed.
    fn carry_out(&mut self, body: Value) -> Result<Reply, Refused> {
        match text(&body, "type")? {
            "ping" => return Ok(Reply::json(200, &json!({"name": "Чат магазина 🛍"}))),
            "message" => return self.message(body),
            "answer_button" => {
                let words = body.get("text").and_then(Value::as_str).map(str::to_owned);
                let ticket = self.tickets.get_mut(text(&body, "ticket")?);
                let waiting = ticket.ok_or_else(|| Refused::new(404, "not_found", "no such press"))?;
                waiting.get_or_insert(words.unwrap_or_default());
            }
            "typing" => self.chat(&body)?.is_typing = true,
            kind => {
                let id = text(&body, "message")?.to_owned();
                let chat = self.chat(&body)?;
                change(chat, kind, &id, &body)?;
            }
        }
        Ok(Reply::status(204))
    }

    fn message(&mut self, body: Value) -> Result<Reply, Refused> {
        let delivery = text(&body, "id")?.to_owned();
        if let Some(id) = self.taken.get(&delivery) {
            return Ok(Reply::json(200, &json!({"id": id})));
        }
        let chat = self.chat(&body)?;
        if chat.is_blocked {
            return Err(Refused::new(403, "recipient_blocked", "заблокировано"));
        }
        if !chat.is_open {
            return Err(Refused::new(410, "recipient_unreachable", "вкладка закрыта"));
        }
        if let Some(answered) = body.pointer("/reply_to/message").and_then(Value::as_str)
            && chat.entry(answered).is_none()
        {
            return Err(Refused::new(404, "not_found", "no such message to answer"));
        }
        let address = text(&body, "address")?.to_owned();
        let id = self.next("m");
        let entry =
            Entry { id: id.clone(), from: From::Channel, json: body, signs: Vec::new(), is_read: false };
        if let Some(chat) = self.chats.get_mut(&address) {
            chat.is_typing = false;
            chat.transcript.push(entry);
        }
        self.taken.insert(delivery, id.clone());
        Ok(Reply::json(200, &json!({"id": id})))
    }

    fn chat(&mut self, body: &Value) -> Result<&mut Chat, Refused> {
        let address = text(body, "address")?;
        self.chats.get_mut(address).ok_or_else(|| Refused::new(404, "not_found", "no such chat"))
    }
}

/// Changes a message: one that is gone is gone.
fn change(chat: &mut Chat, kind: &str, id: &str, body: &Value) -> Result<(), Refused> {
    if kind == "delete" {
        if chat.entry(id).is_some_and(|entry| entry.from != From::Channel) {
            return Err(Refused::new(403, "forbidden", "not yours"));
        }
        chat.transcript.retain(|entry| entry.id != id);
        return Ok(());
    }
    if kind == "mark_read" {
        let last = chat.transcript.iter().position(|entry| entry.id == id);
        let last = last.ok_or_else(|| Refused::new(404, "not_found", "no such message"))?;
        chat.transcript.iter_mut().take(last + 1).for_each(|entry| entry.is_read = true);
        return Ok(());
    }
    let entry = chat.entry(id).ok_or_else(|| Refused::new(404, "not_found", "no such message"))?;
    match kind {
        "edit" if entry.from != From::Channel => return Err(Refused::new(403, "forbidden", "not yours")),
        "edit" => entry.json = body.clone(),
        _ => {
            let signs = list(body, "signs")?.iter();
            entry.signs = signs.filter_map(|sign| Some(sign.as_str()?.to_owned())).collect();
        }
    }
    Ok(())
}

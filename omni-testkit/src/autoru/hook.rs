//! Operators' messages.
//! <https://yandex.ru/dev/autoru/doc/ru/reference/chats/basic/chats-operator-message> (read 2026-11)

use serde_json::Value;

use super::Autoru;
use super::state::{Entry, Said, Side};
use crate::sim::{Reply, Request};

/// What an operator's message says, read strictly.
enum Operated {
    Says(Said),
    Seen,
}

impl Autoru {
    pub(super) fn hook(&self, request: &Request) -> Reply {
        let form = request.form();
        if form.text("token") != Some(&self.state().dealer.chat_id) {
            return Reply::text(403, "Unknown token");
        }
        match self.take(request) {
            Ok(()) => Reply::status(200),
            Err(why) => Reply::text(400, why),
        }
    }

    fn take(&self, request: &Request) -> Result<(), String> {
        let body = request.json().ok_or("Syntax error")?;
        let operator = needed(&body, "/sender/name")?;
        let (recipient, id) = (needed(&body, "/recipient/id")?, needed(&body, "/message/id")?);
        let operated = operated(&body)?;
        let now = self.ground.now();
        let mut state = self.state();
        let talk = state.talks.get_mut(recipient).filter(|talk| !talk.entries.is_empty());
        let talk = talk.ok_or_else(|| format!("Unknown recipient {recipient}"))?;
        if !talk.taken.insert(id.to_owned()) {
            return Ok(());
        }
        let said = match operated {
            Operated::Says(said) => said,
            Operated::Seen => {
                talk.is_read_by_us(now);
                return Ok(());
            }
        };
        let id = id.to_owned();
        let operator = Some(operator.to_owned());
        let number = state.number();
        let entry = Entry {
            id: format!("m{number:08}"),
            provided_id: Some(id),
            side: Side::Operator,
            operator,
            said,
            at: now,
            is_read: false,
        };
        if let Some(talk) = state.talks.get_mut(recipient) {
            talk.add(entry);
        }
        Ok(())
    }
}

fn operated(body: &Value) -> Result<Operated, String> {
    match needed(body, "/message/type")? {
        "text" => Ok(Operated::Says(Said::Text(needed(body, "/message/text")?.to_owned()))),
        "photo" => {
            let file = needed(body, "/message/file")?;
            let is_web = url::Url::parse(file).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
            if !is_web {
                return Err("message.file is not an URL".to_owned());
            }
            Ok(Operated::Says(Said::Picture(file.to_owned())))
        }
        "seen" => Ok(Operated::Seen),
        other => Err(format!("Unknown message.type {other}")),
    }
}

fn needed<'a>(body: &'a Value, place: &str) -> Result<&'a str, String> {
    let found = body.pointer(place).and_then(Value::as_str).filter(|text| !text.is_empty());
    found.ok_or_else(|| format!("{} is required", place.trim_start_matches('/').replace('/', ".")))
}

//! The methods of the Bot API.

mod chat;
mod edit;
mod hooks;
mod media;
mod reactions;
mod send;
mod target;
mod topics;

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use serde_json::Value;

use super::{
    bot::Bot,
    error::{ApiError, ApiResult},
    params::Params,
};

/// What a method answers: the result and, for webhooks, a sentence.
pub(crate) struct Reply {
    pub(crate) value: Value,
    pub(crate) note: Option<&'static str>,
}

impl From<Value> for Reply {
    fn from(value: Value) -> Self {
        Self { value, note: None }
    }
}

impl Bot {
    /// Carries out a method (in lower case) and gives the body of its answer. `getUpdates` is not among them:
    /// it waits, and is answered in [`Bot::get_updates`].
    pub(crate) fn execute(self: &Arc<Self>, method: &str, params: &Params) -> ApiResult<Bytes> {
        if self.lock().is_logged_out {
            return Err(ApiError::new(400, "Logged out"));
        }
        if makes_messages(method) {
            self.check_rate(params)?;
        }
        let reply = self.run(method, params)?;
        let mut body = Vec::with_capacity(512);
        body.extend_from_slice(br#"{"ok":true,"result":"#);
        // Writing a `Value` into memory cannot fail.
        let _ = serde_json::to_writer(&mut body, &reply.value);
        if let Some(note) = reply.note {
            body.extend_from_slice(format!(",\"description\":\"{note}\"").as_bytes());
        }
        body.push(b'}');
        Ok(body.into())
    }

    fn run(self: &Arc<Self>, method: &str, params: &Params) -> ApiResult<Reply> {
        let value = match method {
            "getme" => self.profile.as_me(),
            "setwebhook" => return self.set_webhook(params),
            "deletewebhook" => return self.delete_webhook(params),
            "getwebhookinfo" => self.webhook_info(),
            "logout" => self.log_out(),
            "close" | "setmycommands" | "deletemycommands" | "setmydescription" | "setchatmenubutton" => {
                true.into()
            }
            "sendmessage" => self.send_message(params)?,
            "sendmessagedraft" => self.send_draft(params)?,
            "sendlocation" => self.send_location(params)?,
            "sendvenue" => self.send_venue(params)?,
            "sendcontact" => self.send_contact(params)?,
            "sendpoll" => self.send_poll(params)?,
            "senddice" => self.send_dice(params)?,
            "sendmediagroup" => self.send_media_group(params)?,
            "forwardmessage" => self.forward_message(params)?,
            "forwardmessages" => self.forward_messages(params, false)?,
            "copymessage" => self.copy_message(params)?,
            "copymessages" => self.forward_messages(params, true)?,
            "sendchataction" => self.send_chat_action(params)?,
            "setmessagereaction" => self.set_reaction(params)?,
            "editmessagetext" => self.edit_text(params)?,
            "editmessagecaption" => self.edit_caption(params)?,
            "editmessagemedia" => self.edit_media(params)?,
            "editmessagereplymarkup" => self.edit_markup(params)?,
            "editmessagelivelocation" => self.edit_live_location(params)?,
            "deletemessage" => self.delete_message(params)?,
            "deletemessages" => self.delete_messages(params)?,
            "readbusinessmessage" => self.read_business_message(params)?,
            "deletebusinessmessages" => self.delete_business_messages(params)?,
            "getbusinessconnection" => self.business_connection(params)?,
            "answercallbackquery" => self.answer_callback(params)?,
            "getfile" => self.get_file(params)?,
            "getchat" => self.get_chat(params)?,
            "getchatmember" => self.get_chat_member(params)?,
            "getuserprofilephotos" => self.profile_photos(params)?,
            "createforumtopic" => self.create_topic(params)?,
            "editforumtopic" => self.edit_topic(params)?,
            "closeforumtopic" => self.close_topic(params, true)?,
            "reopenforumtopic" => self.close_topic(params, false)?,
            "deleteforumtopic" => self.delete_topic(params)?,
            other => match media::kind_of(other) {
                Some(kind) => self.send_media(kind, params)?,
                None => return Err(ApiError::new(404, "Not Found: method not found")),
            },
        };
        Ok(value.into())
    }

    fn check_rate(&self, params: &Params) -> ApiResult<()> {
        let Some(limits) = &self.shared.config.rate_limits else { return Ok(()) };
        let chat = params.integer("chat_id").unwrap_or(0);
        let mut state = self.lock();
        state.limiter.take(limits, chat, Instant::now()).map_err(ApiError::too_many_requests)
    }
}

/// Methods that put messages into chats and are counted by flood control.
fn makes_messages(method: &str) -> bool {
    (method.starts_with("send") && method != "sendchataction")
        || method.starts_with("forward")
        || method.starts_with("copy")
}

/// The sentence for a required parameter that is missing.
pub(crate) fn required(name: &str) -> ApiError {
    ApiError::bad_request(&format!("Parameter \"{name}\" is required"))
}

//! The methods: who may call what, and where it is carried out.

mod execute;
mod groups;
mod history;
mod letter;
mod manage;
mod people;
mod send;
mod uploads;
mod wall;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    Core,
    error::{ApiError, ApiResult},
    params::Params,
    record::Call,
    state::{Caller, Grant, Holder, World, strike},
};

#[cfg(test)]
pub(super) use self::execute::read as read_script;
pub(super) use self::{
    letter::{content, geo, sticker_json},
    wall::parents,
};

/// Whether a call stands alone or inside `execute`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Place {
    Alone,
    InScript,
}

impl Core {
    /// One call with its token, from check to record.
    pub(super) fn call(
        self: &Arc<Self>,
        world: &mut World,
        token: Option<&str>,
        method: &str,
        params: &Params,
    ) -> ApiResult {
        let result =
            self.enter(world, token, params).and_then(|caller| self.run(world, caller, method, params));
        self.note(world, method, params, Place::Alone, &result);
        result
    }

    fn enter(&self, world: &mut World, token: Option<&str>, params: &Params) -> ApiResult<Caller> {
        let version = params.text("v").ok_or_else(|| ApiError::because(8, "v (version) is required"))?;
        if minor(version).is_none() {
            return Err(ApiError::because(8, "v (version) is incorrect"));
        }
        let token = token.ok_or_else(|| ApiError::because(5, "no access_token passed."))?;
        let grant = world.tokens.get_mut(token);
        let grant = grant.ok_or_else(|| ApiError::because(5, "invalid access_token (4)."))?;
        if let Some(code) = grant.refusal {
            return Err(ApiError::new(code));
        }
        if grant.until.is_some_and(|until| self.now() > until) {
            return Err(ApiError::new(1117));
        }
        if self.config.rate_limits {
            pace(grant)?;
        }
        Ok(Caller { holder: grant.holder, scopes: grant.scopes })
    }

    /// Carries a call out, unless a test has it refused.
    pub(super) fn run(
        self: &Arc<Self>,
        world: &mut World,
        caller: Caller,
        method: &str,
        params: &Params,
    ) -> ApiResult {
        strike(&mut world.refusals, method)?;
        match method {
            "docs.getMessagesUploadServer" => self.docs_upload_server(world, caller, params),
            "docs.save" => self.docs_save(world, caller, params),
            "execute" => self.execute(world, caller, params),
            "groups.addCallbackServer" => self.add_server(world, caller, params),
            "groups.deleteCallbackServer" => groups::delete_server(world, caller, params),
            "groups.editCallbackServer" => self.edit_server(world, caller, params),
            "groups.get" => people::groups(world, caller, params),
            "groups.getById" => groups::by_id(world, caller, params),
            "groups.getCallbackConfirmationCode" => groups::code(world, caller, params),
            "groups.getCallbackServers" => groups::servers(world, caller, params),
            "groups.getCallbackSettings" => groups::settings(world, caller, params),
            "groups.getLongPollServer" => self.long_poll_server(world, caller, params),
            "groups.getTokenPermissions" => groups::permissions(caller),
            "groups.setCallbackSettings" => groups::set_settings(world, caller, params),
            "groups.setLongPollSettings" => groups::set_long_poll(world, caller, params),
            "messages.delete" => self.delete(world, caller, params),
            "messages.deleteReaction" => self.delete_reaction(world, caller, params),
            "messages.edit" => self.edit(world, caller, params),
            "messages.getByConversationMessageId" => history::by_cmid(world, caller, params),
            "messages.getConversations" => history::talks(world, caller, params),
            "messages.getConversationsById" => history::talks_by_id(world, caller, params),
            "messages.getHistory" => history::history(world, caller, params),
            "messages.isMessagesFromGroupAllowed" => people::is_allowed(world, caller, params),
            "messages.markAsRead" => manage::mark_read(world, caller, params),
            "messages.send" => self.send(world, caller, params),
            "messages.sendMessageEventAnswer" => self.answer_press(world, caller, params),
            "messages.sendReaction" => self.send_reaction(world, caller, params),
            "messages.setActivity" => self.set_activity(world, caller, params),
            "photos.getMessagesUploadServer" => self.photo_upload_server(world, caller, params),
            "photos.saveMessagesPhoto" => self.save_photo(world, caller, params),
            "users.get" => people::users(world, caller, params),
            "wall.createComment" => self.create_comment(world, caller, params),
            _ => Err(ApiError::new(3)),
        }
    }

    /// Keeps a call for the test to read.
    pub(super) fn note(
        &self,
        world: &mut World,
        method: &str,
        params: &Params,
        place: Place,
        result: &ApiResult,
    ) {
        let call = Call {
            method: method.to_owned(),
            params: params.shown().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            is_in_script: place == Place::InScript,
            error: result.as_ref().err().cloned(),
        };
        world.calls.push_back(call);
        while world.calls.len() > self.config.max_records {
            world.calls.pop_front();
        }
    }
}

/// Error 6 above the rate of the token.
fn pace(grant: &mut Grant) -> ApiResult<()> {
    let most = match grant.holder {
        Holder::Community(_) => 20,
        Holder::User(_) => 3,
    };
    let now = Instant::now();
    while grant.recent.front().is_some_and(|at| now.duration_since(*at) >= Duration::from_secs(1)) {
        grant.recent.pop_front();
    }
    if grant.recent.len() >= most {
        return Err(ApiError::new(6));
    }
    grant.recent.push_back(now);
    Ok(())
}

/// The second number of a version `5.199`.
pub(in crate::vk) fn minor(version: &str) -> Option<u32> {
    version.strip_prefix("5.")?.parse().ok().filter(|minor| *minor <= 199)
}

/// The answer of most calls that change something.
fn one() -> ApiResult<Value> {
    Ok(1.into())
}

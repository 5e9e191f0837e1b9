//! `setMessageReaction` and the emoji it takes.

use std::sync::Arc;

use serde_json::Value;

use super::{
    super::{
        bot::Bot,
        error::{ApiError, ApiResult},
        params::Params,
    },
    target::Access,
};

impl Bot {
    /// At most one reaction, of the fixed list; an empty list takes it away.
    pub(crate) fn set_reaction(self: &Arc<Self>, params: &Params) -> ApiResult<Value> {
        let reactions = params.json("reaction");
        let reactions =
            reactions.map_err(|()| ApiError::bad_request("Can't parse reaction types JSON object"))?;
        let reactions = match reactions.as_deref() {
            None => Vec::new(),
            Some(Value::Array(list)) => list.clone(),
            Some(_) => return Err(ApiError::bad_request("Expected an Array of ReactionType")),
        };
        let mut state = self.lock();
        let target = self.target(&state, params, Access::Read)?;
        let id = params.integer("message_id").unwrap_or(0);
        let entry = state.message_mut(&target.place, id);
        let entry = entry.ok_or_else(|| ApiError::bad_request("message to react not found"))?;
        if reactions.len() > 1 {
            return Err(ApiError::bad_request("REACTIONS_TOO_MANY"));
        }
        reactions.iter().try_for_each(check)?;
        entry.bot_reactions = reactions;
        Ok(true.into())
    }
}

fn check(reaction: &Value) -> ApiResult<()> {
    let field = |name: &str| reaction.get(name).and_then(Value::as_str);
    match (field("type"), field("emoji"), field("custom_emoji_id")) {
        (Some("emoji"), Some(emoji), _) if is_reaction(emoji) => Ok(()),
        (Some("custom_emoji"), _, Some(_)) => Ok(()),
        (Some("emoji" | "custom_emoji" | "paid"), ..) => Err(ApiError::bad_request("REACTION_INVALID")),
        _ => Err(ApiError::bad_request("Can't parse ReactionType: invalid reaction type specified")),
    }
}

/// Whether an emoji may be a reaction (<https://core.telegram.org/bots/api#reactiontypeemoji>); the variation
/// selector may be there or not.
fn is_reaction(emoji: &str) -> bool {
    let bare = emoji.replace('\u{fe0f}', "");
    REACTIONS.split(' ').any(|known| known.replace('\u{fe0f}', "") == bare)
}

const REACTIONS: &str = "❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 \
    😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡";

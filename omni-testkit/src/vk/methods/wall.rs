//! `wall.createComment`: a community's answer under its own posts.

use serde_json::{Value, json};

use crate::vk::{
    Core,
    error::{ApiError, ApiResult, invalid},
    params::Params,
    record::{Author, Comment},
    set,
    state::{Caller, ThreadKind, World},
};

impl Core {
    pub(super) fn create_comment(&self, world: &mut World, caller: Caller, params: &Params) -> ApiResult {
        let club_id = caller.any_community()?;
        let (owner, post) = (params.need_integer("owner_id")?, params.need_integer("post_id")?);
        if owner != -club_id {
            return Err(ApiError::new(15));
        }
        if params.integer("from_group")?.is_some_and(|group| group != club_id) {
            return Err(invalid("from_group is incorrect"));
        }
        let text = params.text("message").unwrap_or_default();
        let attached = self.attachments(world, club_id, params.text("attachments"))?;
        if text.is_empty() && attached.json.is_empty() {
            return Err(invalid("message is undefined"));
        }
        let now = self.now();
        let club = world.club_mut(club_id)?;
        let place = (ThreadKind::Wall, post);
        let thread = club.threads.get(&place).ok_or_else(|| invalid("post_id is incorrect"))?;
        if thread.is_closed {
            return Err(ApiError::new(212));
        }
        let answered = params.integer("reply_to_comment")?;
        let answered = answered.map(|id| thread.list.get(&id).filter(|c| !c.deleted).ok_or(id)).transpose();
        let answered = answered.map_err(|_| invalid("reply_to_comment is incorrect"))?;
        let parents = parents(answered);
        let (reply_to, reply_to_user) = match answered {
            Some(comment) => (Some(comment.id), comment.json.get("from_id").cloned()),
            None => (None, None),
        };
        let guid = params.text("guid").map(str::to_owned);
        if let Some(id) = guid.as_ref().and_then(|guid| club.guids.get(guid)) {
            return Ok(json!({"comment_id": id, "parents_stack": parents}));
        }
        let id = club.new_comment();
        let mut object = json!({
            "id": id, "from_id": -club_id, "date": now, "text": text, "post_id": post, "post_owner_id": owner,
            "owner_id": owner, "parents_stack": parents, "attachments": attached.json,
        });
        if let Some(comment) = reply_to {
            set(&mut object, "reply_to_comment", comment);
            set(&mut object, "reply_to_user", reply_to_user.unwrap_or_default());
        }
        let comment = Comment {
            id,
            author: Author::Api,
            json: object.clone(),
            reply_to,
            files: attached.files,
            edits: 0,
            deleted: false,
        };
        club.threads.entry(place).or_default().list.insert(id, comment);
        if let Some(guid) = guid {
            club.guids.insert(guid, id);
        }
        self.emit(world, club_id, "wall_reply_new", object);
        Ok(json!({"comment_id": id, "parents_stack": parents}))
    }
}

/// The chain of comments above an answer: VK keeps two levels, so it is the topmost one.
pub(in crate::vk) fn parents(answered: Option<&Comment>) -> Vec<Value> {
    let Some(answered) = answered else { return Vec::new() };
    let above = answered.json.get("parents_stack").and_then(Value::as_array);
    match above.and_then(|stack| stack.first()) {
        Some(top) => vec![top.clone()],
        None => vec![answered.id.into()],
    }
}

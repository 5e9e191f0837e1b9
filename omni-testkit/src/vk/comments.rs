//! Comments under posts, photos, videos, items and in topics.

use serde_json::{Value, json};

use super::{
    community::Community,
    config::User,
    methods::parents,
    record::{Author, Comment},
    set,
    state::{Comments, ThreadKind},
};

/// What is commented on.
#[derive(Clone, Debug)]
pub struct Thread {
    pub(super) community: Community,
    pub(super) kind: ThreadKind,
    pub(super) id: i64,
}

impl ThreadKind {
    /// The events of this kind begin so.
    fn event(self) -> &'static str {
        match self {
            Self::Market => "market_comment",
            Self::Photo => "photo_comment",
            Self::Topic => "board_post",
            Self::Video => "video_comment",
            Self::Wall => "wall_reply",
        }
    }

    /// The fields that name the thing and its owner.
    fn fields(self) -> (&'static str, &'static str) {
        match self {
            Self::Market => ("item_id", "market_owner_id"),
            Self::Photo => ("photo_id", "photo_owner_id"),
            Self::Topic => ("topic_id", "topic_owner_id"),
            Self::Video => ("video_id", "video_owner_id"),
            Self::Wall => ("post_id", "post_owner_id"),
        }
    }
}

impl Thread {
    /// Id of what is commented on.
    #[must_use]
    pub fn id(&self) -> i64 {
        self.id
    }

    /// The comments, deleted ones too.
    #[must_use]
    pub fn comments(&self) -> Vec<Comment> {
        self.look(|comments| comments.list.values().cloned().collect()).unwrap_or_default()
    }

    /// Nobody may comment any more: `wall.createComment` answers 212.
    pub fn closes(&self) {
        self.look(|comments| comments.is_closed = true);
    }

    /// Somebody comments: the comment's id.
    pub fn writes(&self, user: &User, text: &str) -> i64 {
        self.community.core().lock().meet(user);
        self.add(Author::Person(user.id), text, None, Vec::new())
    }

    /// Somebody comments with attachments, as the API shows them.
    pub fn attaches(&self, user: &User, text: &str, attachments: Vec<Value>) -> i64 {
        self.community.core().lock().meet(user);
        self.add(Author::Person(user.id), text, None, attachments)
    }

    /// Somebody answers a comment.
    pub fn answers(&self, user: &User, comment: i64, text: &str) -> i64 {
        self.community.core().lock().meet(user);
        self.add(Author::Person(user.id), text, Some(comment), Vec::new())
    }

    /// An administrator comments in the community's name.
    pub fn admin_writes(&self, admin_id: i64, text: &str) -> i64 {
        self.add(Author::Admin(admin_id), text, None, Vec::new())
    }

    /// A comment gets other words.
    ///
    /// # Panics
    /// When there is no such comment.
    pub fn edits(&self, comment: i64, text: &str) {
        let object = self.change(comment, |comment| {
            set(&mut comment.json, "text", text);
            comment.edits += 1;
        });
        self.tells("edit", object);
    }

    /// A comment is deleted by somebody.
    ///
    /// # Panics
    /// When there is no such comment.
    pub fn deletes(&self, comment: i64, by: i64) {
        self.change(comment, |comment| comment.deleted = true);
        let (thing, owner_name) = self.kind.fields();
        let owner = -self.community.id;
        let mut object = json!({"id": comment});
        set(&mut object, thing, self.id);
        match self.kind {
            ThreadKind::Topic => set(&mut object, owner_name, owner),
            _ => {
                set(&mut object, "owner_id", owner);
                set(&mut object, "deleter_id", by);
            }
        }
        if self.kind == ThreadKind::Photo {
            set(&mut object, "user_id", by);
        }
        self.tells("delete", object);
    }

    /// A deleted comment comes back.
    ///
    /// # Panics
    /// When there is no such comment.
    pub fn restores(&self, comment: i64) {
        let object = self.change(comment, |comment| comment.deleted = false);
        self.tells("restore", object);
    }

    fn add(&self, author: Author, text: &str, reply_to: Option<i64>, attachments: Vec<Value>) -> i64 {
        let core = self.community.core();
        let (mut world, now) = (core.lock(), core.now());
        let Some(club) = world.clubs.get_mut(&self.community.id) else { return 0 };
        let id = club.new_comment();
        let owner = -self.community.id;
        let from_id = match author {
            Author::Person(person) => person,
            Author::Admin(_) | Author::Api => owner,
        };
        let thread = club.threads.entry((self.kind, self.id)).or_default();
        let answered = reply_to.and_then(|id| thread.list.get(&id));
        let (thing, owner_name) = self.kind.fields();
        let mut object = json!({"id": id, "from_id": from_id, "date": now, "text": text});
        set(&mut object, thing, self.id);
        set(&mut object, owner_name, owner);
        if !attachments.is_empty() || self.kind == ThreadKind::Wall {
            set(&mut object, "attachments", attachments);
        }
        if self.kind == ThreadKind::Wall {
            set(&mut object, "owner_id", owner);
            set(&mut object, "parents_stack", parents(answered));
        }
        if let Some(answered) = answered {
            set(&mut object, "reply_to_comment", answered.id);
            let user = answered.json.get("from_id").cloned();
            set(&mut object, "reply_to_user", user.unwrap_or_default());
        }
        let json = object.clone();
        let comment = Comment { id, author, json, reply_to, files: Vec::new(), edits: 0, deleted: false };
        thread.list.insert(id, comment);
        core.emit(&mut world, self.community.id, &format!("{}_new", self.kind.event()), object);
        id
    }

    fn look<T>(&self, look: impl FnOnce(&mut Comments) -> T) -> Option<T> {
        self.community.with(|club| club.threads.get_mut(&(self.kind, self.id)).map(look)).flatten()
    }

    fn change(&self, comment: i64, change: impl FnOnce(&mut Comment)) -> Value {
        let changed = self.look(|comments| {
            let found = comments.list.get_mut(&comment)?;
            change(found);
            Some(found.json.clone())
        });
        match changed.flatten() {
            Some(object) => object,
            None => panic!("there is no comment {comment} under {}", self.id),
        }
    }

    fn tells(&self, what: &str, object: Value) {
        let core = self.community.core();
        let kind = format!("{}_{what}", self.kind.event());
        core.emit(&mut core.lock(), self.community.id, &kind, object);
    }
}

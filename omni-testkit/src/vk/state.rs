//! What VK knows: people, communities, talks, tokens. One lock guards all of it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    time::Instant,
};

use serde_json::{Map, Value, json};

use super::{
    callback::Servers,
    config::{CommunityProfile, Scope, User},
    error::{ApiError, ApiResult},
    files::Files,
    longpoll::LongPoll,
    oauth::Oauth,
    random::Random,
    record::{Author, Call, Comment, Entry, EventRecord, Press, SentFile},
};

/// From here on a peer is a chat (<https://dev.vk.com/method/messages.send>, read 2026-11).
pub(super) const CHATS: i64 = 2_000_000_000;

/// Whose token it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Holder {
    Community(i64),
    User(i64),
}

/// A token that was given out.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) holder: Holder,
    pub(super) scopes: i64,
    /// The second from which on it answers 1117.
    pub(super) until: Option<i64>,
    /// It was revoked: the code of every answer.
    pub(super) refusal: Option<i64>,
    pub(super) recent: VecDeque<Instant>,
}

impl Grant {
    pub(super) fn new(holder: Holder, scopes: &[Scope]) -> Self {
        let scopes = scopes.iter().map(|scope| scope.bit()).sum();
        Self { holder, scopes, until: None, refusal: None, recent: VecDeque::new() }
    }
}

/// Who calls.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pub(super) holder: Holder,
    pub(super) scopes: i64,
}

impl Caller {
    /// The community whose token it is, if the token has this right.
    pub(super) fn community(&self, scope: Scope) -> ApiResult<i64> {
        match self.holder {
            Holder::Community(id) if self.scopes & scope.bit() != 0 => Ok(id),
            Holder::Community(_) => Err(ApiError::because(
                15,
                &format!("no access to call this method. It requires the right {}", scope.name()),
            )),
            Holder::User(_) => Err(ApiError::because(15, "method is unavailable with user auth")),
        }
    }

    /// The community whose token it is, whatever its rights.
    pub(super) fn any_community(&self) -> ApiResult<i64> {
        match self.holder {
            Holder::Community(id) => Ok(id),
            Holder::User(_) => Err(ApiError::because(15, "method is unavailable with user auth")),
        }
    }
}

/// A person as VK keeps them.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) user: User,
    pub(super) is_deleted: bool,
    /// Takes messages from nobody (902).
    pub(super) is_closed: bool,
}

/// Whether a community may write to a person.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Permission {
    Allowed,
    /// The person blocked the community.
    Denied,
    /// The person has neither written nor allowed.
    #[default]
    Never,
}

/// A side of a talk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Side {
    Community,
    Person,
}

/// Who may speak in a talk.
#[derive(Debug)]
pub(super) enum Peer {
    Private {
        permission: Permission,
        /// The community has blocked the person (900).
        is_blacklisted: bool,
        /// Where the person came from, until they write.
        referral: Option<(String, Option<String>)>,
    },
    Chat {
        title: String,
        members: BTreeSet<i64>,
        has_bot: bool,
        hears_all: bool,
    },
}

/// One talk of a community.
#[derive(Debug)]
pub(super) struct Talk {
    pub(super) peer_id: i64,
    pub(super) peer: Peer,
    pub(super) messages: BTreeMap<i64, Entry>,
    pub(super) last_cmid: i64,
    /// What the community has read.
    pub(super) in_read: i64,
    /// What the other side has read.
    pub(super) out_read: i64,
    /// What the community was last seen doing, and since when.
    pub(super) activity: Option<(String, i64)>,
    /// The keyboard in place of the person's own.
    pub(super) menu: Option<Value>,
}

impl Talk {
    pub(super) fn private(peer_id: i64) -> Self {
        let peer = Peer::Private { permission: Permission::Never, is_blacklisted: false, referral: None };
        Self::new(peer_id, peer)
    }

    pub(super) fn new(peer_id: i64, peer: Peer) -> Self {
        Self {
            peer_id,
            peer,
            messages: BTreeMap::new(),
            last_cmid: 0,
            in_read: 0,
            out_read: 0,
            activity: None,
            menu: None,
        }
    }

    pub(super) fn is_chat(&self) -> bool {
        matches!(self.peer, Peer::Chat { .. })
    }

    /// A message that is there and not deleted.
    pub(super) fn message(&self, cmid: i64) -> Option<&Entry> {
        self.messages.get(&cmid).filter(|entry| !entry.deleted)
    }

    pub(super) fn message_mut(&mut self, cmid: i64) -> Option<&mut Entry> {
        self.messages.get_mut(&cmid).filter(|entry| !entry.deleted)
    }

    /// Notes that one side has read everything up to a message.
    pub(super) fn reads(&mut self, cmid: i64, side: Side) {
        let is_ours = side == Side::Community;
        for entry in self.messages.range_mut(..=cmid).map(|(_, entry)| entry) {
            entry.read |= entry.is_ours() != is_ours;
        }
        let mark = if is_ours { &mut self.in_read } else { &mut self.out_read };
        *mark = (*mark).max(cmid);
    }
}

/// Where comments stand, as events name it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum ThreadKind {
    /// Under an item of the shop.
    Market,
    /// Under a photo.
    Photo,
    /// In a topic of the board.
    Topic,
    /// Under a video.
    Video,
    /// Under a post of the wall.
    Wall,
}

/// Comments under one thing.
#[derive(Debug, Default)]
pub(super) struct Comments {
    pub(super) is_closed: bool,
    pub(super) list: BTreeMap<i64, Comment>,
}

/// A community as VK keeps it.
#[derive(Debug)]
pub(super) struct Club {
    pub(super) profile: CommunityProfile,
    pub(super) servers: Servers,
    pub(super) poll: LongPoll,
    pub(super) talks: BTreeMap<i64, Talk>,
    pub(super) threads: BTreeMap<(ThreadKind, i64), Comments>,
    /// Posts, items and videos by how attachments name them.
    pub(super) things: HashMap<String, Value>,
    pub(super) presses: Vec<Press>,
    pub(super) events: VecDeque<EventRecord>,
    /// What was sent under a `random_id`, to whom.
    pub(super) sent: HashMap<(i64, i64), (i64, i64)>,
    /// Comments made under a `guid`.
    pub(super) guids: HashMap<String, i64>,
    pub(super) refusals: Vec<Refusal<i64>>,
    last_message: i64,
    last_comment: i64,
}

impl Club {
    pub(super) fn new(profile: CommunityProfile, random: &mut Random) -> Self {
        Self {
            servers: Servers::new(random),
            poll: LongPoll::new(random),
            profile,
            talks: BTreeMap::new(),
            threads: BTreeMap::new(),
            things: HashMap::new(),
            presses: Vec::new(),
            events: VecDeque::new(),
            sent: HashMap::new(),
            guids: HashMap::new(),
            refusals: Vec::new(),
            last_message: 4020,
            last_comment: 411,
        }
    }

    pub(super) fn new_comment(&mut self) -> i64 {
        self.last_comment += 1;
        self.last_comment
    }

    pub(super) fn talk_mut(&mut self, peer_id: i64) -> &mut Talk {
        self.talks.entry(peer_id).or_insert_with(|| Talk::private(peer_id))
    }

    /// Puts a message into a talk and gives the object that the API shows.
    pub(super) fn put(&mut self, peer_id: i64, draft: Draft, now: i64) -> &Entry {
        let group = -self.profile.id;
        let is_chat = peer_id >= CHATS;
        self.last_message += i64::from(!is_chat);
        let id = if is_chat { 0 } else { self.last_message };
        let talk = self.talks.entry(peer_id).or_insert_with(|| Talk::private(peer_id));
        talk.last_cmid += 1;
        let cmid = talk.last_cmid;
        let (from_id, is_ours) = match draft.author {
            Author::Person(person) => (person, false),
            Author::Admin(_) | Author::Api => (group, true),
        };
        let mut message = json!({
            "id": id, "conversation_message_id": cmid, "date": now, "peer_id": peer_id, "from_id": from_id,
            "out": i64::from(is_ours), "text": "", "attachments": [], "fwd_messages": [], "important": false,
            "is_hidden": false, "random_id": 0, "version": 10_000_000 + cmid,
        });
        if let (Value::Object(fields), Author::Admin(admin)) = (&mut message, draft.author) {
            fields.insert("admin_author_id".into(), admin.into());
        }
        if let Value::Object(fields) = &mut message {
            fields.extend(draft.fields);
        }
        let entry = Entry {
            peer_id,
            cmid,
            id,
            author: draft.author,
            json: message,
            files: draft.files,
            keyboard: draft.keyboard,
            template: draft.template,
            reactions: BTreeMap::new(),
            edits: 0,
            deleted: false,
            read: false,
        };
        if let Some(keyboard) =
            entry.keyboard.as_ref().filter(|keyboard| !super::keyboard::is_inline(keyboard))
        {
            let is_empty = super::keyboard::keys(keyboard).is_empty();
            talk.menu = (!is_empty).then(|| keyboard.clone());
        }
        if is_ours {
            talk.activity = None;
        }
        talk.messages.entry(cmid).or_insert(entry)
    }

    /// The chat and number of a private message.
    pub(super) fn find_by_id(&self, id: i64) -> Option<(i64, i64)> {
        let mut all = self.talks.values().flat_map(|talk| talk.messages.values());
        all.find(|entry| id != 0 && entry.id == id && !entry.deleted).map(|entry| (entry.peer_id, entry.cmid))
    }
}

/// A message about to be put into a talk.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) author: Author,
    pub(super) fields: Map<String, Value>,
    pub(super) files: Vec<SentFile>,
    pub(super) keyboard: Option<Value>,
    pub(super) template: Option<Value>,
}

impl Draft {
    pub(super) fn new(author: Author, content: Value) -> Self {
        let fields = match content {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        Self { author, fields, files: Vec::new(), keyboard: None, template: None }
    }
}

/// Refusals that a test has scripted, of a method or to a peer.
#[derive(Debug)]
pub(super) struct Refusal<K> {
    pub(super) of: K,
    pub(super) error: ApiError,
    pub(super) left: u32,
}

/// Takes the refusal that strikes here, if there is one.
pub(super) fn strike<K: PartialEq<Q>, Q: ?Sized>(refusals: &mut Vec<Refusal<K>>, of: &Q) -> ApiResult<()> {
    let Some(found) = refusals.iter_mut().find(|refusal| refusal.of == *of) else { return Ok(()) };
    found.left -= 1;
    let error = found.error.clone();
    refusals.retain(|refusal| refusal.left > 0);
    Err(error)
}

/// Everything.
#[derive(Debug)]
pub(super) struct World {
    pub(super) people: BTreeMap<i64, Account>,
    pub(super) clubs: BTreeMap<i64, Club>,
    pub(super) tokens: HashMap<String, Grant>,
    pub(super) files: Files,
    pub(super) oauth: Oauth,
    pub(super) random: Random,
    /// Who is an administrator of what.
    pub(super) admins: BTreeSet<(i64, i64)>,
    pub(super) refusals: Vec<Refusal<String>>,
    pub(super) calls: VecDeque<Call>,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            people: BTreeMap::new(),
            clubs: BTreeMap::new(),
            tokens: HashMap::new(),
            files: Files::default(),
            oauth: Oauth::default(),
            random: Random::new(seed),
            admins: BTreeSet::new(),
            refusals: Vec::new(),
            calls: VecDeque::new(),
        }
    }

    pub(super) fn club(&self, id: i64) -> ApiResult<&Club> {
        self.clubs.get(&id).ok_or_else(|| ApiError::new(125))
    }

    pub(super) fn club_mut(&mut self, id: i64) -> ApiResult<&mut Club> {
        self.clubs.get_mut(&id).ok_or_else(|| ApiError::new(125))
    }

    /// Makes a token of a form like VK's.
    pub(super) fn new_token(&mut self) -> String {
        format!("vk1.a.{}", self.random.hex(64))
    }

    /// Keeps a person; what is known of them is renewed.
    pub(super) fn meet(&mut self, user: &User) {
        let account = Account { user: user.clone(), is_deleted: false, is_closed: false };
        self.people.entry(user.id).or_insert(account).user = user.clone();
    }
}

/// A message as it is shown inside another one.
pub(super) fn quoted(entry: &Entry) -> Value {
    let mut shown = entry.json.clone();
    if let Value::Object(fields) = &mut shown {
        let kept = [
            "id",
            "conversation_message_id",
            "date",
            "from_id",
            "peer_id",
            "text",
            "attachments",
            "fwd_messages",
            "geo",
            "update_time",
        ];
        fields.retain(|name, _| kept.contains(&name.as_str()));
    }
    shown
}

//! A community as a test sees it: tokens, records, its administrators, what goes wrong.

use serde_json::{Value, json};

use super::{
    Core, VkSim,
    callback::CallbackServer,
    comments::Thread,
    config::{CommunityProfile, Item, Scope, User},
    customer::Customer,
    error::ApiError,
    events::Reach,
    longpoll::PollFailure,
    methods::content,
    record::{Author, Entry, EventRecord, Press, Said},
    set,
    state::{Club, Draft, Grant, Holder, Peer, Refusal, ThreadKind, World},
};

/// A community inside the simulator. Cheap to clone; keeps the simulator running.
#[derive(Clone, Debug)]
pub struct Community {
    pub(super) sim: VkSim,
    pub(super) id: i64,
}

impl Community {
    pub(super) fn core(&self) -> &std::sync::Arc<Core> {
        self.sim.core()
    }

    /// Looks at the community, or changes it; nothing when another one has taken its place since.
    pub(super) fn with<T>(&self, look: impl FnOnce(&mut Club) -> T) -> Option<T> {
        let found = self.core().lock().clubs.get_mut(&self.id).map(look);
        self.core().changed();
        found
    }

    /// Its id, positive.
    #[must_use]
    pub fn id(&self) -> i64 {
        self.id
    }

    /// The simulator it lives in.
    #[must_use]
    pub fn sim(&self) -> &VkSim {
        &self.sim
    }

    /// A token with these rights.
    #[must_use]
    pub fn token(&self, scopes: &[Scope]) -> String {
        let token = self.core().lock().new_token();
        self.takes_token(&token, scopes);
        token
    }

    /// Makes a token known that the test has chosen.
    pub fn takes_token(&self, token: &str, scopes: &[Scope]) {
        let grant = Grant::new(Holder::Community(self.id), scopes);
        self.core().lock().tokens.insert(token.to_owned(), grant);
    }

    /// Changes its profile and its switches: messages, bot capabilities.
    pub fn changes(&self, change: impl FnOnce(&mut CommunityProfile)) {
        self.with(|club| change(&mut club.profile));
    }

    /// Makes a person its administrator, for `groups.get` with `filter=admin`.
    pub fn has_admin(&self, user: &User) {
        let mut world = self.core().lock();
        world.meet(user);
        world.admins.insert((user.id, self.id));
    }

    /// The code that its callback servers have to answer.
    #[must_use]
    pub fn confirmation_code(&self) -> String {
        self.with(|club| club.servers.code.clone()).unwrap_or_default()
    }

    /// Changes the code, as VK does from time to time.
    pub fn changes_code(&self) {
        let mut world = self.core().lock();
        let code = world.random.hex(8);
        if let Some(club) = world.clubs.get_mut(&self.id) {
            club.servers.code = code;
        }
    }

    /// Its callback servers.
    #[must_use]
    pub fn servers(&self) -> Vec<CallbackServer> {
        self.with(|club| club.servers.list.values().cloned().collect()).unwrap_or_default()
    }

    /// Whether long polling is on.
    #[must_use]
    pub fn is_polled(&self) -> bool {
        self.with(|club| club.poll.is_on).unwrap_or_default()
    }

    /// The next question of the long poll fails so.
    pub fn poll_fails(&self, failure: PollFailure) {
        self.with(|club| club.poll.script.push_back(failure));
    }

    /// Events made so far, heard or not.
    #[must_use]
    pub fn events(&self) -> Vec<EventRecord> {
        self.with(|club| club.events.iter().cloned().collect()).unwrap_or_default()
    }

    /// Sends any event, past the settings: its `event_id`.
    pub fn inject(&self, kind: &str, object: Value) -> String {
        let mut world = self.core().lock();
        let event_id = world.random.hex(32);
        let event = EventRecord { event_id: event_id.clone(), kind: kind.to_owned(), object };
        self.core().spread(&mut world, self.id, event, Reach::Everybody);
        event_id
    }

    /// Sends an event again, past the settings, with the same `event_id`. `false` when it is not on record.
    pub fn redeliver(&self, event_id: &str) -> bool {
        let mut world = self.core().lock();
        let found = world
            .clubs
            .get(&self.id)
            .and_then(|club| club.events.iter().find(|event| event.event_id == event_id).cloned());
        let is_found = found.is_some();
        if let Some(event) = found {
            self.core().spread(&mut world, self.id, event, Reach::Everybody);
        }
        is_found
    }

    /// Refuses the next `times` messages to a peer: with `peer_ids` inside a successful answer.
    pub fn refuses_to(&self, peer: i64, times: u32, error: ApiError) {
        if times > 0 {
            self.with(|club| club.refusals.push(Refusal { of: peer, error, left: times }));
        }
    }

    /// Puts a person on the blacklist: sends answer 900.
    pub fn blacklists(&self, user: &User) {
        self.talks_with(user, |peer| {
            if let Peer::Private { is_blacklisted, .. } = peer {
                *is_blacklisted = true;
            }
        });
    }

    /// Takes a person off the blacklist.
    pub fn forgives(&self, user: &User) {
        self.talks_with(user, |peer| {
            if let Peer::Private { is_blacklisted, .. } = peer {
                *is_blacklisted = false;
            }
        });
    }

    fn talks_with(&self, user: &User, change: impl FnOnce(&mut Peer)) {
        self.core().lock().meet(user);
        self.with(|club| change(&mut club.talk_mut(user.id).peer));
    }

    /// A person in the private talk with the community. It may write to them once they wrote or allowed it.
    #[must_use]
    pub fn customer(&self, user: User) -> Customer {
        self.core().lock().meet(&user);
        Customer { community: self.clone(), peer_id: user.id, user }
    }

    /// An administrator writes from VK itself: `message_reply` with `admin_author_id`.
    pub fn admin_writes(&self, admin_id: i64, to: &Customer, text: &str) -> Said {
        self.admin_sends(admin_id, to, content(text, Vec::new()))
    }

    /// An administrator sends anything: the fields of a message.
    pub fn admin_sends(&self, admin_id: i64, to: &Customer, fields: Value) -> Said {
        let mut world = self.core().lock();
        let draft = Draft::new(Author::Admin(admin_id), fields);
        let said = self.put(&mut world, to.peer_id, draft);
        if let Some((said, object)) = said {
            self.core().emit(&mut world, self.id, "message_reply", object);
            return said;
        }
        Said { peer_id: to.peer_id, cmid: 0, id: 0 }
    }

    /// An administrator edits a message of the community.
    ///
    /// # Panics
    /// When the talk has no such message.
    pub fn admin_edits(&self, to: &Customer, cmid: i64, text: &str) {
        self.edit(to.peer_id, cmid, text);
    }

    /// A thing that it sells: attachments `market-<id>_<item>` are good from now on.
    pub fn sells(&self, item: &Item) {
        let json = json!({"type": "market", "market": item.to_json(-self.id)});
        self.has(format!("market-{}_{}", self.id, item.id), json);
    }

    /// A video of its own: attachments `video-<id>_<video>` are good from now on.
    pub fn has_video(&self, video: i64, title: &str) {
        let json = json!({"type": "video", "video": {"id": video, "owner_id": -self.id, "title": title,
            "duration": 12, "access_key": "k4",
            "image": [{"url": "https://i.mycdn.me/v.jpg", "width": 320, "height": 240}]}});
        self.has(format!("video-{}_{video}", self.id), json);
    }

    /// A post on its wall, which can be attached and commented on.
    pub fn posts(&self, post: i64, text: &str) -> Thread {
        let json = json!({"type": "wall", "wall": {"id": post, "from_id": -self.id, "to_id": -self.id,
            "date": self.core().now(), "text": text, "attachments": []}});
        self.has(format!("wall-{}_{post}", self.id), json);
        self.thread(ThreadKind::Wall, post)
    }

    /// Comments under something of the community's.
    #[must_use]
    pub fn thread(&self, kind: ThreadKind, id: i64) -> Thread {
        self.with(|club| {
            club.threads.entry((kind, id)).or_default();
        });
        Thread { community: self.clone(), kind, id }
    }

    fn has(&self, place: String, attachment: Value) {
        self.with(|club| club.things.insert(place, attachment));
    }

    /// The messages of a talk, both ways, deleted ones too.
    #[must_use]
    pub fn transcript(&self, peer_id: i64) -> Vec<Entry> {
        let read = |club: &mut Club| Some(club.talks.get(&peer_id)?.messages.values().cloned().collect());
        self.with(read).flatten().unwrap_or_default()
    }

    /// Pressed callback keys.
    #[must_use]
    pub fn presses(&self) -> Vec<Press> {
        self.with(|club| club.presses.clone()).unwrap_or_default()
    }

    /// Puts a message into a talk and gives its numbers and its object.
    pub(super) fn put(&self, world: &mut World, peer_id: i64, draft: Draft) -> Option<(Said, Value)> {
        let now = self.core().now();
        let entry = world.clubs.get_mut(&self.id)?.put(peer_id, draft, now);
        Some((Said { peer_id, cmid: entry.cmid, id: entry.id }, entry.json.clone()))
    }

    /// Changes the words of a message and tells of it.
    pub(super) fn edit(&self, peer_id: i64, cmid: i64, text: &str) {
        let core = self.core();
        let (mut world, now) = (core.lock(), core.now());
        let entry =
            world.clubs.get_mut(&self.id).and_then(|club| club.talks.get_mut(&peer_id)?.message_mut(cmid));
        let Some(entry) = entry else {
            drop(world);
            panic!("talk {peer_id} has no message {cmid} to edit")
        };
        set(&mut entry.json, "text", text);
        set(&mut entry.json, "update_time", now);
        entry.edits += 1;
        let object = entry.json.clone();
        core.emit(&mut world, self.id, "message_edit", object);
    }
}

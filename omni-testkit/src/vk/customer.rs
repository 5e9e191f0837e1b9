//! The people's side: a person in a talk.

use serde_json::{Value, json};

use super::{
    community::Community,
    config::{Item, Upload, User},
    files::FileKind,
    keyboard,
    methods::{content, geo, sticker_json},
    record::{Author, Entry, Key, KeyKind, Press, Said},
    set,
    state::{Club, Draft, Peer, Permission, Side, Talk, World, quoted},
};

/// How long `messages.setActivity` is shown, in seconds (<https://dev.vk.com/method/messages.setActivity>).
const ACTIVITY: i64 = 10;
/// Where a person is who presses a location key.
const HOME: (f64, f64) = (55.75, 37.61);

/// Somebody who writes to the community, alone or in a chat. Each verb does what the person's app would, and makes
/// the event.
#[derive(Clone, Debug)]
pub struct Customer {
    pub(super) community: Community,
    pub(super) user: User,
    pub(super) peer_id: i64,
}

/// What a press of a key led to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Pressed {
    /// `message_event`, to be answered with this ticket.
    Callback(String),
    /// A page was opened; the community is not told.
    Opened(String),
    /// A message was sent: the label, or a place.
    Said(Said),
}

impl Customer {
    /// The chat: the person's own id, or that of the chat they write in.
    #[must_use]
    pub fn peer_id(&self) -> i64 {
        self.peer_id
    }

    /// The person.
    #[must_use]
    pub fn user(&self) -> &User {
        &self.user
    }

    /// The community this is about.
    #[must_use]
    pub fn community(&self) -> &Community {
        &self.community
    }

    /// Writes a text.
    pub fn writes(&self, text: &str) -> Said {
        self.sends(content(text, Vec::new()))
    }

    /// Sends anything: the fields of a message, also those the simulator has no verb for.
    pub fn sends(&self, fields: Value) -> Said {
        self.say(Draft::new(Author::Person(self.user.id), fields), Cut::Whole)
    }

    /// Sends something so large that the event leaves the attachments out (`is_cropped`).
    pub fn sends_cropped(&self, fields: Value) -> Said {
        self.say(Draft::new(Author::Person(self.user.id), fields), Cut::Cropped)
    }

    /// Sends an attachment as the API shows it: `{"type": "gift", "gift": {…}}`.
    pub fn attaches(&self, attachment: Value, text: &str) -> Said {
        self.sends(content(text, vec![attachment]))
    }

    /// Sends a photo.
    pub fn sends_photo(&self, photo: Upload, text: &str) -> Said {
        self.sends_file(FileKind::Photo, photo, text)
    }

    /// Sends a document.
    pub fn sends_document(&self, document: Upload, text: &str) -> Said {
        self.sends_file(FileKind::Doc, document, text)
    }

    /// Sends a voice message.
    pub fn sends_voice(&self, voice: Upload) -> Said {
        self.sends_file(FileKind::AudioMessage, voice, "")
    }

    /// Sends a drawing.
    pub fn sends_graffiti(&self, drawing: Upload) -> Said {
        self.sends_file(FileKind::Graffiti, drawing, "")
    }

    fn sends_file(&self, kind: FileKind, upload: Upload, text: &str) -> Said {
        let core = self.community.core();
        let now = core.now();
        let mut world = core.lock();
        let world_ref = &mut *world;
        let named = (upload.name, upload.bytes);
        let file = world_ref.files.keep(kind, self.user.id, named, now, &mut world_ref.random);
        drop(world);
        let attachment = file.as_attachment(core.ground.base_url());
        let mut draft = Draft::new(Author::Person(self.user.id), content(text, vec![attachment]));
        draft.files.push(file.as_sent());
        self.say(draft, Cut::Whole)
    }

    /// Sends a sticker.
    pub fn sends_sticker(&self, id: i64) -> Said {
        self.attaches(sticker_json(id), "")
    }

    /// Sends a place.
    pub fn sends_location(&self, latitude: f64, longitude: f64) -> Said {
        let mut fields = content("", Vec::new());
        set(&mut fields, "geo", geo(latitude, longitude));
        self.sends(fields)
    }

    /// Writes about an item of the shop, as "write to the seller" does.
    pub fn asks_about(&self, item: &Item, text: &str) -> Said {
        let owner = -self.community.id;
        self.attaches(json!({"type": "market", "market": item.to_json(owner)}), text)
    }

    /// Forwards messages of others: who wrote, and what.
    pub fn forwards(&self, messages: &[(i64, &str)], text: &str) -> Said {
        let date = self.community.core().now() - 60;
        let shown = messages.iter().enumerate().map(|(at, (from, words))| {
            json!({"id": 0, "conversation_message_id": at + 1, "date": date, "from_id": from, "peer_id": from,
                "text": words, "attachments": [], "fwd_messages": []})
        });
        let mut fields = content(text, Vec::new());
        set(&mut fields, "fwd_messages", shown.collect::<Vec<_>>());
        self.sends(fields)
    }

    /// Answers a message.
    ///
    /// # Panics
    /// When the talk has no such message.
    pub fn replies_to(&self, cmid: i64, text: &str) -> Said {
        let quoted = self.look(|talk| talk.message(cmid).map(quoted)).flatten();
        let Some(quoted) = quoted else { panic!("talk {} has no message {cmid} to answer", self.peer_id) };
        let mut fields = content(text, Vec::new());
        set(&mut fields, "reply_message", quoted);
        self.sends(fields)
    }

    /// Presses Start: the label with the payload `{"command":"start"}`.
    pub fn starts(&self) -> Said {
        let mut fields = content("Начать", Vec::new());
        set(&mut fields, "payload", r#"{"command":"start"}"#);
        self.sends(fields)
    }

    /// Comes by a link `https://vk.me/<screen_name>?ref=…&ref_source=…`: the next message tells.
    ///
    /// # Panics
    /// When the link leads elsewhere.
    pub fn follows(&self, link: &url::Url) {
        let name = self.community.with(|club| club.profile.screen_name.clone()).unwrap_or_default();
        let is_ours = matches!(link.host_str(), Some("vk.me" | "vk.com" | "vk.ru"))
            && link.path().rsplit('/').next() == Some(&name);
        assert!(is_ours, "{link} does not lead to {name}");
        let value = |name: &str| link.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned());
        if let Some(token) = value("ref") {
            self.comes_by(&token, value("ref_source").as_deref());
        }
    }

    /// Comes from an ad or a page: the next message tells.
    pub fn comes_by(&self, token: &str, source: Option<&str>) {
        self.change(|talk| {
            if let Peer::Private { referral, .. } = &mut talk.peer {
                *referral = Some((token.to_owned(), source.map(str::to_owned)));
            }
        });
    }

    /// Replaces the words of a message of their own.
    ///
    /// # Panics
    /// When the talk has no such message.
    pub fn edits(&self, cmid: i64, text: &str) {
        self.community.edit(self.peer_id, cmid, text);
    }

    /// Presses a key by its label: of the keyboard in place of their own, or else of the newest message that has
    /// it. A location key has no label.
    ///
    /// # Panics
    /// When there is no such key.
    pub fn presses(&self, label: &str) -> Pressed {
        let find = |keys: Vec<Key>| keys.into_iter().find(|key| key.label == label);
        let found = self.look(|talk| {
            let menu = talk.menu.as_ref().and_then(|menu| find(keyboard::keys(menu))).map(|key| (None, key));
            let under = |entry: &Entry| {
                let is_under = entry.has_inline_keyboard() || entry.template.is_some();
                is_under.then(|| find(entry.keys())).flatten().map(|key| (Some(entry.cmid), key))
            };
            let mut newest = talk.messages.values().rev().filter(|entry| !entry.deleted);
            menu.or_else(|| newest.find_map(under))
        });
        match found.flatten() {
            Some((cmid, key)) => self.press(&key, cmid),
            None => panic!("talk {} has no key {label:?}", self.peer_id),
        }
    }

    /// Presses a key that came with this message.
    ///
    /// # Panics
    /// When the message has no such key.
    pub fn presses_under(&self, cmid: i64, label: &str) -> Pressed {
        let entry = self.look(|talk| talk.message(cmid).cloned()).flatten();
        let keys = entry.as_ref().map(Entry::keys).unwrap_or_default();
        let Some(key) = keys.iter().find(|key| key.label == label) else {
            panic!("message {cmid} has no key {label:?}: {keys:?}")
        };
        let is_under = entry.is_some_and(|entry| entry.has_inline_keyboard() || entry.template.is_some());
        self.press(key, is_under.then_some(cmid))
    }

    fn press(&self, key: &Key, under: Option<i64>) -> Pressed {
        if under.is_none() {
            self.change(|talk| {
                if talk.menu.as_ref().is_some_and(keyboard::is_one_time) {
                    talk.menu = None;
                }
            });
        }
        let mut fields = content("", Vec::new());
        if let Some(payload) = &key.payload {
            set(&mut fields, "payload", payload.as_str());
        }
        match key.kind {
            KeyKind::Callback => return Pressed::Callback(self.calls_back(key, under)),
            KeyKind::OpenApp | KeyKind::OpenLink | KeyKind::VkPay => {
                return Pressed::Opened(key.link.clone().unwrap_or_default());
            }
            KeyKind::Location => set(&mut fields, "geo", geo(HOME.0, HOME.1)),
            KeyKind::Text => set(&mut fields, "text", key.label.as_str()),
        }
        Pressed::Said(self.sends(fields))
    }

    fn calls_back(&self, key: &Key, under: Option<i64>) -> String {
        let core = self.community.core();
        let (mut world, at) = (core.lock(), core.now());
        let ticket = world.random.hex(12);
        let (user_id, peer_id) = (self.user.id, self.peer_id);
        let press = Press { ticket: ticket.clone(), user_id, peer_id, at, answer: None };
        if let Some(club) = world.clubs.get_mut(&self.community.id) {
            club.presses.push(press);
        }
        // A string in the keyboard comes back as what it says.
        let payload = key.payload.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let mut object =
            json!({"user_id": user_id, "peer_id": peer_id, "event_id": ticket, "payload": payload});
        if let Some(cmid) = under {
            set(&mut object, "conversation_message_id", cmid);
        }
        core.emit(&mut world, self.community.id, "message_event", object);
        ticket
    }

    /// What the community answered to a pressed callback key: null when it only ended the wait.
    #[must_use]
    pub fn answer_to(&self, ticket: &str) -> Option<Value> {
        self.community.presses().into_iter().find(|press| press.ticket == ticket)?.answer
    }

    /// Reads everything there is.
    pub fn reads(&self) {
        if let Some(cmid) = self.look(|talk| talk.last_cmid) {
            self.reads_to(cmid);
        }
    }

    /// Reads everything up to a message.
    pub fn reads_to(&self, cmid: i64) {
        self.change(|talk| talk.reads(cmid, Side::Person));
        let id = self.look(|talk| talk.message(cmid).map_or(0, |entry| entry.id)).unwrap_or(0);
        self.tells(
            "message_read",
            json!({"from_id": self.user.id, "peer_id": self.peer_id,
            "read_message_id": id, "conversation_message_id": cmid}),
        );
    }

    /// Begins to write.
    pub fn types(&self) {
        let object = json!({"state": "typing", "from_id": self.user.id, "to_id": -self.community.id});
        self.tells("message_typing_state", object);
    }

    /// Puts a reaction on a message.
    pub fn reacts(&self, cmid: i64, reaction: i64) {
        self.signs(cmid, Some(reaction));
    }

    /// Takes the reaction off.
    pub fn takes_reaction_off(&self, cmid: i64) {
        self.signs(cmid, None);
    }

    fn signs(&self, cmid: i64, reaction: Option<i64>) {
        self.change(|talk| {
            if let Some(entry) = talk.message_mut(cmid) {
                match reaction {
                    Some(sign) => entry.reactions.insert(self.user.id, sign),
                    None => entry.reactions.remove(&self.user.id),
                };
            }
        });
        let mut object = json!({"reacted_id": self.user.id, "peer_id": self.peer_id, "cmid": cmid});
        if let Some(reaction) = reaction {
            set(&mut object, "reaction_id", reaction);
        }
        self.tells("message_reaction_event", object);
    }

    /// Allows the community to write, with the key of the widget that asked.
    pub fn allows(&self, key: &str) {
        self.permits(Permission::Allowed);
        self.tells("message_allow", json!({"user_id": self.user.id, "key": key}));
    }

    /// Forbids the community to write: sends answer 901.
    pub fn denies(&self) {
        self.permits(Permission::Denied);
        self.tells("message_deny", json!({"user_id": self.user.id}));
    }

    fn permits(&self, wanted: Permission) {
        self.change(|talk| {
            if let Peer::Private { permission, .. } = &mut talk.peer {
                *permission = wanted;
            }
        });
    }

    /// Deletes the account: sends answer 18.
    pub fn deactivates(&self) {
        if let Some(account) = self.community.core().lock().people.get_mut(&self.user.id) {
            account.is_deleted = true;
        }
    }

    /// Takes messages from nobody any more: sends answer 902.
    pub fn closes_messages(&self) {
        if let Some(account) = self.community.core().lock().people.get_mut(&self.user.id) {
            account.is_closed = true;
        }
    }

    /// The talk as the person sees it: what is deleted is left out.
    #[must_use]
    pub fn sees(&self) -> Vec<Entry> {
        self.transcript().into_iter().filter(|entry| !entry.deleted).collect()
    }

    /// The talk with all that was deleted.
    #[must_use]
    pub fn transcript(&self) -> Vec<Entry> {
        self.community.transcript(self.peer_id)
    }

    /// The keys in place of the person's own keyboard.
    #[must_use]
    pub fn menu(&self) -> Vec<Key> {
        self.look(|talk| talk.menu.as_ref().map(keyboard::keys)).flatten().unwrap_or_default()
    }

    /// What the community is shown doing: `typing`, `audiomessage`. It ends by itself, and with a message.
    #[must_use]
    pub fn activity(&self) -> Option<String> {
        let now = self.community.core().now();
        let is_fresh = |at: i64| now - at <= ACTIVITY;
        self.look(|talk| talk.activity.clone().filter(|(_, at)| is_fresh(*at)))
            .flatten()
            .map(|(kind, _)| kind)
    }

    /// Waits for a message of the community with this text.
    ///
    /// # Panics
    /// When it did not come within ten seconds.
    pub async fn wait_for_text(&self, text: &str) -> Entry {
        let what = format!("{text:?} in talk {}", self.peer_id);
        let find = || self.sees().into_iter().find(|entry| entry.is_ours() && entry.text() == text);
        self.community.sim.ground().wait_for(&what, find).await
    }

    fn look<T>(&self, look: impl FnOnce(&Talk) -> T) -> Option<T> {
        let world = self.community.core().lock();
        Some(look(world.clubs.get(&self.community.id)?.talks.get(&self.peer_id)?))
    }

    fn change(&self, change: impl FnOnce(&mut Talk)) {
        self.community.with(|club| change(club.talk_mut(self.peer_id)));
    }

    /// Makes an event of the person's talk, unless the community cannot hear it.
    fn tells(&self, kind: &str, object: Value) {
        let core = self.community.core();
        core.emit(&mut core.lock(), self.community.id, kind, object);
    }

    /// Puts a message into the talk and tells the community.
    pub(super) fn say(&self, mut draft: Draft, cut: Cut) -> Said {
        let core = self.community.core();
        let mut world = core.lock();
        if let Some(club) = world.clubs.get_mut(&self.community.id) {
            self.arrives(club, &mut draft);
        }
        let hears = self.is_heard(&world, &draft);
        let Some((said, mut message)) = self.community.put(&mut world, self.peer_id, draft) else {
            return Said { peer_id: self.peer_id, cmid: 0, id: 0 };
        };
        if cut == Cut::Cropped {
            set(&mut message, "is_cropped", true);
            for name in ["attachments", "fwd_messages"] {
                set(&mut message, name, json!([]));
            }
        }
        if hears {
            let object = json!({"message": message, "client_info": client_info()});
            core.emit(&mut world, self.community.id, "message_new", object);
        }
        said
    }

    /// Who writes allows answers, and tells where they came from.
    fn arrives(&self, club: &mut Club, draft: &mut Draft) {
        if let Peer::Private { permission, referral, .. } = &mut club.talk_mut(self.peer_id).peer {
            *permission = Permission::Allowed;
            if let Some((token, source)) = referral.take() {
                draft.fields.insert("ref".into(), token.into());
                draft.fields.extend(source.map(|source| ("ref_source".to_owned(), source.into())));
            }
        }
    }

    /// In a chat the community hears mentions, answers and presses only, unless it may hear all.
    fn is_heard(&self, world: &World, draft: &Draft) -> bool {
        let Some(club) = world.clubs.get(&self.community.id) else { return false };
        let Some(Peer::Chat { has_bot, hears_all, .. }) =
            club.talks.get(&self.peer_id).map(|talk| &talk.peer)
        else {
            return true;
        };
        let text = draft.fields.get("text").and_then(Value::as_str).unwrap_or_default();
        let is_called = text.contains(&format!("[club{}|", club.profile.id))
            || text.contains(&format!("@{}", club.profile.screen_name));
        let is_ours = |reply: &Value| reply.get("from_id").and_then(Value::as_i64) == Some(-club.profile.id);
        let is_meant = is_called
            || draft.fields.get("reply_message").is_some_and(is_ours)
            || ["payload", "action"].iter().any(|name| draft.fields.contains_key(*name));
        *has_bot && (*hears_all || is_meant)
    }
}

/// Whether an event tells of a message as it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Cut {
    Cropped,
    Whole,
}

fn client_info() -> Value {
    json!({
        "button_actions": ["text", "vkpay", "open_app", "location", "open_link", "open_photo", "callback"],
        "keyboard": true, "inline_keyboard": true, "carousel": true, "lang_id": 0,
    })
}

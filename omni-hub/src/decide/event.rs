//! What a provider told us, applied.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use omni_core::contact::{Sender, SenderKind};
use omni_core::content::{Content, Item, Part};
use omni_core::conversation::Actor;
use omni_core::event::{
    Button, Chat, ChatKind, Echo, Edited, Event, EventBody, Introduced, Message, MessageName, Origin,
    Reaction, ReadReach, StatusNews, Told,
};
use omni_core::id::{MessageId, ProviderMessageId};
use omni_core::link::Referral;
use omni_core::plan::Reach;
use omni_core::policy::{Failure, Input, Verdict};
use omni_core::{Conversation, Status, Timestamp};
use tracing::warn;

use super::person::Place;
use super::{Decision, Env, OtherSide, Writers, thread, thread_time};
use crate::store::{
    Changes, ChannelKey, Claim, Direction, HostEvent, Lookup, MessageRecord, Snapshot, StatusPatch, Target,
    Unit,
};

/// The unit of work of an event: its claim, what it wants to see, and the decision.
pub(crate) fn event_unit(env: Arc<Env>, event: Arc<Event>, received_at: Timestamp) -> Unit {
    let claim = claim(&env, &event);
    let target = match (&event.address, &event.body) {
        (Some(address), _) => thread::target(env.key.peer(address.clone()), &event),
        (None, EventBody::Status(news)) => Target::Message(env.key.clone(), news.message.clone()),
        (None, _) => Target::Nothing,
    };
    let lookups = lookups(&env.key, &event);
    let decide = move |snapshot: &Snapshot| {
        // Parked at once, in the same transaction: a listener's cursor never moves past an event that is nowhere.
        let applied = catch_unwind(AssertUnwindSafe(|| decide(&env, &event, received_at, snapshot)));
        applied.unwrap_or_else(|_| park(&env, &event, received_at, "the policy panicked on this event"))
    };
    Unit::new(target, decide).with_lookups(lookups).with_claim(claim, received_at)
}

/// The unit that keeps an event that cannot be applied: nothing a provider told is lost.
pub(crate) fn parked_unit(env: Arc<Env>, event: Arc<Event>, received_at: Timestamp, error: String) -> Unit {
    let claim = claim(&env, &event);
    Unit::new(Target::Nothing, move |_| park(&env, &event, received_at, &error))
        .with_claim(claim, received_at)
}

fn park(env: &Env, event: &Arc<Event>, received_at: Timestamp, error: &str) -> Changes {
    warn!(event = %event.id, error, "an event is parked");
    let mut d = Decision::new(env, received_at, &Snapshot::default());
    d.tell(HostEvent::Parked { event: event.clone(), error: error.to_owned() });
    d.finish()
}

fn claim(env: &Env, event: &Event) -> Claim {
    Claim { channel: env.key.clone(), event: event.id.clone(), kind: event.kind() }
}

fn lookups(channel: &ChannelKey, event: &Event) -> Vec<Lookup> {
    let person = |sender: &Sender| Lookup::Identity(channel.tenant.clone(), sender.identity.clone());
    let ours = |id: MessageId| Lookup::Message(channel.clone(), id);
    let by_id = |id: &ProviderMessageId| Lookup::Provider(id.clone());
    match &event.body {
        EventBody::Message(m) => {
            let album = m.album.clone().map(Lookup::Album);
            let identity = (m.chat.kind == ChatKind::Private).then(|| person(&m.sender));
            album.into_iter().chain(identity).collect()
        }
        EventBody::Echo(echo) => {
            let ours = echo.ours.map(ours);
            let ids = thread::names(&echo.message).chain([&echo.message.id]).map(by_id);
            ours.into_iter().chain(ids).chain([Lookup::Unsettled]).collect()
        }
        EventBody::Edited(e) => vec![by_id(&e.message)],
        EventBody::Reaction(r) => vec![by_id(&r.message)],
        EventBody::Deleted { messages } => messages.iter().map(by_id).collect(),
        EventBody::Read { .. } => vec![Lookup::Unread],
        EventBody::Status(StatusNews { message: MessageName::Provider(id), .. }) => vec![by_id(id)],
        EventBody::Status(StatusNews { message: MessageName::Ours(id), .. }) => vec![ours(*id)],
        _ => match event.sender() {
            Some(sender) => vec![person(sender)],
            None => Vec::new(),
        },
    }
}

fn decide(env: &Env, event: &Arc<Event>, received_at: Timestamp, snapshot: &Snapshot) -> Changes {
    let mut d = Decision::new(env, received_at, snapshot);
    let found = &snapshot.messages;
    if thread::of(event).is_some() {
        d.writers = Writers::Several;
    }
    let event = &match &snapshot.thread {
        Some(thread) if event.address.as_ref() != Some(thread) => {
            Arc::new(Event { address: Some(thread.clone()), ..Event::clone(event) })
        }
        _ => event.clone(),
    };
    match &event.body {
        EventBody::Message(m) => d.message(event, m, snapshot),
        EventBody::Comment(c) => d.message(event, &c.message, snapshot),
        EventBody::Echo(echo) => d.echo(event, echo, snapshot),
        EventBody::Edited(edited) => d.edited(event, edited, found),
        EventBody::Deleted { messages } => d.deleted(event, messages, found),
        EventBody::Reaction(reaction) => d.reaction(event, reaction, found),
        EventBody::Status(news) => d.status(event, news, found),
        EventBody::Read { messages, reach } => d.read(event, messages, *reach, found),
        EventBody::Button(button) => d.button(event, button, snapshot),
        EventBody::Started(s) => d.wordless(event, &s.sender, s.referral.as_ref()),
        EventBody::Call(call) => d.wordless(event, &call.sender, None),
        EventBody::Subscribed { sender } => d.reach(event, sender, Reach::Open),
        EventBody::Blocked { sender } => d.reach(event, sender, Reach::Blocked),
        EventBody::Migrated { to } => {
            if let Some(address) = &event.address {
                d.changes.moved = Some((env.key.peer(address.clone()), to.clone()));
            }
            d.tell(HostEvent::Moved { to: to.clone() });
        }
        EventBody::Introduced(told) => d.introduced(event, told),
        EventBody::Typing { .. } => {
            d.activity(event);
            d.received(event, None);
        }
        _ => d.received(event, None),
    }
    d.finish()
}

impl Decision<'_> {
    fn received(&mut self, event: &Arc<Event>, message: Option<MessageId>) {
        self.tell(HostEvent::Received { event: event.clone(), message });
    }

    /// A customer's words: they open or reopen a conversation, or join the album they are part of.
    fn message(&mut self, event: &Arc<Event>, message: &Message, snapshot: &Snapshot) {
        if let Some(album) = snapshot.messages.iter().find(|m| m.album.is_some() && m.album == message.album)
        {
            return self.join_album(event, message, album.clone());
        }
        let place = self.meet(event, &message.sender, &message.chat);
        self.take_note(event, message);
        if message.origin == Origin::Automatic || message.sender.kind == SenderKind::Robot {
            self.other_side = OtherSide::Robot;
        }
        if place == Place::Behind {
            // It is shown where it belongs, and changes nothing there.
            let id = self.record(thread_time(event, self.now), Direction::In, Actor::Customer, message);
            return self.received(event, id);
        }
        if let Some(c) = &mut self.conversation {
            let before = c.last_inbound_at;
            c.heard(self.now, message.content.preview());
            if is_late(event, self.now) {
                // Replies are free for so long after it was written, not after we learned of it.
                c.last_inbound_at = before.max(event.at);
            }
            if message.item.is_some() {
                c.item.clone_from(&message.item);
            }
            if c.referral.is_none() {
                c.referral.clone_from(&message.referral);
            }
        }
        let id = self.record(thread_time(event, self.now), Direction::In, Actor::Customer, message);
        self.step(&Input::Event(event));
        self.received(event, id);
    }

    fn join_album(&mut self, event: &Arc<Event>, part: &Message, mut album: MessageRecord) {
        album.content.parts.extend(part.content.parts.iter().cloned());
        if album.content.text.is_none() {
            album.content.text.clone_from(&part.content.text);
        }
        album.provider_ids.push(part.id.clone());
        thread::add_names(&mut album, part);
        self.take_note(event, part);
        let id = album.id;
        self.changes.changed_messages.push(album);
        self.received(event, Some(id));
    }

    /// Writes a message of either side into the thread.
    fn record(
        &mut self,
        at: Timestamp,
        direction: Direction,
        author: Actor,
        m: &Message,
    ) -> Option<MessageId> {
        let conversation = self.conversation.as_ref()?.id;
        let id = MessageId::next(&self.env.ids, self.now);
        // A guest without a name must not pass for the person whose talk it is.
        let guest = direction == Direction::In && self.is_guest(&m.sender, &m.chat);
        let nameless = guest.then(|| m.sender.identity.id.clone());
        let mut record = MessageRecord {
            id,
            conversation,
            direction,
            author,
            name: m.sender.profile.name.clone().or(nameless),
            content: m.content.clone(),
            provider_ids: vec![m.id.clone()],
            names: Vec::new(),
            album: m.album.clone(),
            reply_to: m.reply_to.clone(),
            face: None,
            origin: m.origin,
            at,
            status: (direction == Direction::Out).then_some(Status::Sent),
            error: None,
            reactions: Vec::new(),
            edited_at: None,
            deleted_at: None,
        };
        thread::add_names(&mut record, m);
        self.changes.new_messages.push(Arc::new(record));
        Some(id)
    }

    /// A message of the business that we did not see leaving: ours after all, or a person's (law 8).
    fn echo(&mut self, event: &Arc<Event>, echo: &Echo, snapshot: &Snapshot) {
        if let Some(own) = own_send(echo, &snapshot.messages) {
            let id = own.id;
            self.take_note(event, &echo.message);
            let mut named = own.clone();
            if thread::add_names(&mut named, &echo.message) {
                self.changes.changed_messages.push(named);
            }
            if own.status.is_some_and(|s| s.merge(Status::Sent) != s) {
                self.changes.outbox_done.push(id);
                self.news(id, Status::Sent, vec![echo.message.id.clone()], None);
            }
            return self.received(event, Some(id));
        }
        if echo.message.origin == Origin::Automatic
            && self.conversation.as_ref().is_some_and(|c| !c.is_open())
        {
            // A program of the provider's speaks behind the closing: it is shown, and opens nothing.
            let id =
                self.record(thread_time(event, self.now), Direction::Out, Actor::Provider, &echo.message);
            self.take_note(event, &echo.message);
            return self.received(event, id);
        }
        self.meet_business(event, echo);
        self.take_note(event, &echo.message);
        let by = match echo.message.origin {
            Origin::Automatic => Actor::Provider,
            _ => Actor::Elsewhere,
        };
        if let Some(c) = &mut self.conversation {
            c.answered(&by, self.now, echo.message.content.preview());
        }
        let mut message = echo.message.clone();
        message.sender.profile.name = echo.author.clone().or(message.sender.profile.name);
        let id = self.record(thread_time(event, self.now), Direction::Out, by, &message);
        self.step(&Input::Event(event));
        self.received(event, id);
    }

    fn edited(&mut self, event: &Arc<Event>, edited: &Edited, found: &[MessageRecord]) {
        let Some(message) = found.first() else { return self.received(event, None) };
        let mut message = message.clone();
        let id = message.id;
        if message.provider_ids.len() > 1 {
            // One part of an album changed: its words may have; the other parts stay.
            if edited.content.text.is_some() {
                message.content.text.clone_from(&edited.content.text);
            }
        } else {
            message.content = edited.content.clone();
        }
        message.edited_at = Some(thread_time(event, self.now));
        self.changes.changed_messages.push(message);
        self.received(event, Some(id));
    }

    fn deleted(&mut self, event: &Arc<Event>, named: &[ProviderMessageId], found: &[MessageRecord]) {
        for message in found {
            // An album is gone only when all of its parts are; a further name is one of the whole.
            let whole = message.names.iter().any(|name| named.contains(name));
            let all = message.provider_ids.iter().all(|id| named.contains(id));
            if message.deleted_at.is_none() && (whole || all) {
                let mut message = message.clone();
                message.deleted_at = Some(thread_time(event, self.now));
                self.changes.changed_messages.push(message);
            }
        }
        self.received(event, found.first().map(|m| m.id));
    }

    fn reaction(&mut self, event: &Arc<Event>, reaction: &Reaction, found: &[MessageRecord]) {
        let Some(message) = found.first() else { return self.received(event, None) };
        let mut message = message.clone();
        let who = reaction.sender.as_ref().map(|s| s.identity.id.clone()).unwrap_or_default();
        message.reactions.retain(|(by, _)| *by != who);
        message.reactions.extend(reaction.signs.iter().map(|sign| (who.clone(), sign.clone())));
        let id = message.id;
        self.changes.changed_messages.push(message);
        self.activity(event);
        self.received(event, Some(id));
    }

    /// Something other than words: whether it counts is a matter of policy.
    fn activity(&mut self, event: &Arc<Event>) {
        if self.conversation.as_ref().is_some_and(Conversation::is_open) {
            self.step(&Input::Event(event));
        }
    }

    fn status(&mut self, event: &Arc<Event>, news: &StatusNews, found: &[MessageRecord]) {
        let Some(message) = found.first() else { return self.received(event, None) };
        let old = message.status.unwrap_or(Status::Queued);
        if old.merge(news.status) == old {
            return;
        }
        if news.status.is_settled() {
            self.changes.outbox_done.push(message.id);
        }
        let ids = match &news.message {
            MessageName::Provider(id) if message.known_as().all(|known| known != id) => vec![id.clone()],
            _ => Vec::new(),
        };
        self.news(message.id, news.status, ids, news.error.clone());
        if news.status == Status::Failed {
            self.step(&Input::Failed(&Failure {
                message: message.id,
                author: message.author.clone(),
                error: news.error.clone(),
            }));
        }
    }

    fn read(
        &mut self,
        event: &Arc<Event>,
        named: &[ProviderMessageId],
        reach: ReadReach,
        unread: &[MessageRecord],
    ) {
        let names = |m: &MessageRecord| m.known_as().any(|id| named.contains(id));
        let seen: Vec<MessageId> = match reach {
            ReadReach::These => unread.iter().filter(|m| names(m)).map(|m| m.id).collect(),
            // Newest first: from the newest one named on. A mark that names none of ours covers them all.
            ReadReach::UpTo => {
                let from = unread.iter().position(names).unwrap_or(0);
                let sent = |m: &&MessageRecord| {
                    m.status.is_some_and(|s| s.merge(Status::Sent) == s || s == Status::Accepted)
                };
                unread.iter().skip(from).filter(sent).map(|m| m.id).collect()
            }
        };
        for id in seen {
            self.news(id, Status::Read, Vec::new(), None);
        }
        self.activity(event);
        self.received(event, None);
    }

    /// News of a message of ours, for the store and the host.
    pub(super) fn news(
        &mut self,
        message: MessageId,
        status: Status,
        provider_ids: Vec<ProviderMessageId>,
        error: Option<omni_core::error::ErrorReport>,
    ) {
        let patch = StatusPatch { message, status, provider_ids: provider_ids.clone(), error: error.clone() };
        self.changes.statuses.push(patch);
        self.tell(HostEvent::Status { message, status, provider_ids, error });
    }

    /// A pressed key stands in the thread as what was written on it.
    fn button(&mut self, event: &Arc<Event>, button: &Button, snapshot: &Snapshot) {
        let chat = snapshot.conversation.as_ref().map(|c| c.chat.clone()).unwrap_or_default();
        let place = self.meet(event, &button.sender, &chat);
        let label = button.label.clone().unwrap_or_else(|| button.data.clone());
        if let Some(c) = self.conversation.as_mut().filter(|_| place == Place::Open) {
            c.heard(self.now, label.clone());
        }
        let mut pressed =
            Message::new(format!("button:{}", event.id), button.sender.clone(), Content::text(label));
        pressed.reply_to =
            button.message.clone().map(|message| omni_core::event::ReplyTo { message, quote: None });
        let id = self.record(thread_time(event, self.now), Direction::In, Actor::Customer, &pressed);
        self.step(&Input::Event(event));
        self.received(event, id);
    }

    /// The person is there without having said a word: a start, a call.
    fn wordless(&mut self, event: &Arc<Event>, sender: &Sender, referral: Option<&Referral>) {
        if self.meet(event, sender, &Chat::default()) == Place::Behind {
            return self.received(event, None);
        }
        if let Some(c) = &mut self.conversation {
            c.last_inbound_at = Some(self.now);
            c.last_message_at = self.now;
            if c.referral.is_none() {
                c.referral = referral.cloned();
            }
        }
        self.step(&Input::Event(event));
        self.received(event, None);
    }

    /// What the provider told when it was asked. Nothing answers it, and no clock starts.
    fn introduced(&mut self, event: &Arc<Event>, told: &Introduced) {
        let private = self.conversation.as_ref().is_none_or(|c| c.chat.kind == ChatKind::Private);
        let mut name = told.title.clone();
        if let Some(sender) = told.sender.as_ref().filter(|_| private && self.peer.is_some()) {
            self.know_person(sender);
            name = sender.profile.name.clone();
        }
        if let Some(c) = &mut self.conversation {
            if let Some(name) = name {
                c.title = name;
            }
            let same = |item: &Item| item.id.is_none() || told.item.as_ref().is_some_and(|i| i.id == item.id);
            if told.item.is_some() && c.item.as_ref().is_none_or(same) {
                c.item.clone_from(&told.item);
            }
        }
        self.received(event, None);
    }

    /// The person lets us write, or does not any more.
    fn reach(&mut self, event: &Arc<Event>, sender: &Sender, reach: Reach) {
        let Some(address) = &event.address else { return self.received(event, None) };
        let key = self.env.key.peer(address.clone());
        self.know_peer(&key);
        self.know_person(sender);
        if let Some(peer) = &mut self.peer {
            peer.reach = reach;
            self.changes.peer = Some(peer.clone());
        }
        if reach == Reach::Blocked {
            self.trace.note("reach", Verdict::Applied, "the person blocked the account: nothing can be sent");
        }
        self.received(event, None);
    }
}

/// Whether a message reached us much later than it was written, or was read out of the history.
fn is_late(event: &Event, now: Timestamp) -> bool {
    event.told == Told::History || event.at.is_some_and(|at| at + LATE <= now)
}

/// Providers' clocks and ways differ by less.
const LATE: Duration = Duration::from_secs(60);

/// The send of ours that an echo repeats: by our reference, by the provider's id, or, while its answer is still
/// out, by the same words.
fn own_send<'m>(echo: &Echo, found: &'m [MessageRecord]) -> Option<&'m MessageRecord> {
    let by_reference = found.iter().find(|m| Some(m.id) == echo.ours);
    let is_named = |id: &ProviderMessageId| {
        *id == echo.message.id || thread::names(&echo.message).any(|name| name == id)
    };
    let by_id = || found.iter().find(|m| m.direction == Direction::Out && m.known_as().any(is_named));
    let same_words = |m: &&MessageRecord| {
        m.provider_ids.is_empty()
            && matches!(m.status, Some(Status::Sending | Status::Unknown | Status::Queued))
            && m.content.plain_text() == echo.message.content.plain_text()
            && files(&m.content) == files(&echo.message.content)
    };
    by_reference.or_else(by_id).or_else(|| found.iter().rev().find(same_words))
}

fn files(content: &Content) -> usize {
    content.parts.iter().filter(|p| matches!(p, Part::Media(_))).count()
}

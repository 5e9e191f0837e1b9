//! Who speaks and where: the address, the person, and the conversation it belongs to.

use std::sync::Arc;

use omni_core::contact::{Sender, SenderKind};
use omni_core::content::Item;
use omni_core::conversation::Actor;
use omni_core::event::{Chat, ChatKind, Echo, Event, EventBody};
use omni_core::id::ContactId;
use omni_core::link::Referral;
use omni_core::plan::Reach;
use omni_core::policy::{Comeback, Context};
use omni_core::{Contact, Conversation, Identity};

use super::{Decision, Writers};
use crate::store::{PeerKey, PeerRecord};

/// Who speaks at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speaker {
    /// The person whose talk it is.
    Contact,
    /// Somebody else who writes in that person's talk: a colleague who answers in the thread.
    Guest,
    /// One of a group, or the provider itself: nobody's contact.
    Other,
}

/// Where an event of the person belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In an open conversation.
    Open,
    /// In the closed one, which stays closed.
    Behind,
}

impl Decision<'_> {
    /// Makes sure of the address, the person and an open conversation.
    pub(super) fn meet(&mut self, event: &Arc<Event>, sender: &Sender, chat: &Chat) -> Place {
        let Some(address) = &event.address else { return Place::Open };
        let key = self.env.key.peer(address.clone());
        let speaker = self.speaker(sender, chat);
        // A guest lets us write in nobody else's name.
        if speaker != Speaker::Guest {
            self.know_peer(&key);
        }
        if speaker == Speaker::Contact {
            self.know_person(sender);
        }
        let title = self.title(speaker, sender, chat);
        let comeback = match &self.conversation {
            Some(c) if c.is_open() => {
                if speaker == Speaker::Contact && c.title != title {
                    self.rename(title);
                }
                return Place::Open;
            }
            Some(c) => self.comeback(c, event),
            None => Comeback::New,
        };
        match comeback {
            Comeback::Stay => return Place::Behind,
            Comeback::Reopen => self.reopen(Actor::Customer, Some(event)),
            _ => self.open(key, Some(event), |c| {
                c.title = title;
                c.chat = chat.clone();
                // Rules on the opening ask where the person came from, and for what.
                (c.referral, c.item) = brought(event);
            }),
        }
        Place::Open
    }

    fn speaker(&self, sender: &Sender, chat: &Chat) -> Speaker {
        // The provider itself, speaking in a chat, is nobody's contact: its id is the same in every chat.
        if chat.kind != ChatKind::Private || sender.kind == SenderKind::Provider {
            return Speaker::Other;
        }
        let known =
            self.contact.as_ref().filter(|c| self.peer.as_ref().is_some_and(|p| p.contact == Some(c.id)));
        match known {
            Some(contact) if self.writers == Writers::Several => {
                let is_contact = contact.identities.iter().any(|known| is_same(known, &sender.identity));
                if is_contact { Speaker::Contact } else { Speaker::Guest }
            }
            _ => Speaker::Contact,
        }
    }

    /// Whether somebody writes in the talk of another person.
    pub(super) fn is_guest(&self, sender: &Sender, chat: &Chat) -> bool {
        self.speaker(sender, chat) == Speaker::Guest
    }

    /// What a conversation is called in which somebody speaks.
    fn title(&self, speaker: Speaker, sender: &Sender, chat: &Chat) -> String {
        match (speaker, &chat.title, &sender.profile.name, &self.conversation) {
            (Speaker::Guest, _, _, Some(former)) => former.title.clone(),
            (Speaker::Other, Some(title), ..) => title.clone(),
            (_, _, Some(name), _) => name.clone(),
            _ => {
                // Events of some providers never name the person; who was introduced once is known.
                let known = self.contact.as_ref().filter(|_| speaker == Speaker::Contact);
                let name = known.and_then(|c| c.profile.name.clone());
                name.unwrap_or_else(|| sender.identity.id.clone())
            }
        }
    }

    fn comeback(&self, closed: &Conversation, event: &Event) -> Comeback {
        let desk = self.env.tenant.desk();
        let context =
            Context::at(self.now).on(&self.env.provider).with_contact(self.contact.as_ref()).with_desk(&desk);
        self.env.policy.returning(closed, event, &context)
    }

    fn rename(&mut self, title: String) {
        if let Some(c) = &mut self.conversation {
            c.title = title;
        }
    }

    /// The address exists and is open from now on: who writes lets us write.
    pub(super) fn know_peer(&mut self, key: &PeerKey) {
        let known = self.peer.is_some();
        let peer = self.peer.get_or_insert_with(|| PeerRecord {
            key: key.clone(),
            contact: None,
            conversation: None,
            reach: Reach::Open,
            note: None,
        });
        if !known || peer.reach != Reach::Open {
            peer.reach = Reach::Open;
            self.changes.peer = Some(peer.clone());
        }
    }

    /// The person exists, and what the event tells of them is known.
    pub(super) fn know_person(&mut self, sender: &Sender) {
        let known = self.contact.take();
        let new = known.is_none();
        let mut contact = known.unwrap_or_else(|| {
            let id = ContactId::next(&self.env.ids, self.now);
            let tenant = self.env.key.tenant.clone();
            Contact::new(id, tenant, sender.identity.clone(), sender.profile.clone())
        });
        let learned = contact.profile.learn(&sender.profile) | learn_identity(&mut contact, &sender.identity);
        if let Some(peer) = &mut self.peer
            && peer.contact != Some(contact.id)
        {
            peer.contact = Some(contact.id);
            self.changes.peer = Some(peer.clone());
        }
        if learned || new {
            self.changes.contact = Some(contact.clone());
        }
        self.contact = Some(contact);
    }

    /// A conversation that the business begins or goes on with, elsewhere.
    pub(super) fn meet_business(&mut self, event: &Arc<Event>, echo: &Echo) {
        let Some(address) = &event.address else { return };
        let key = self.env.key.peer(address.clone());
        if self.conversation.as_ref().is_none_or(|c| !c.is_open()) {
            let title = self.conversation.as_ref().map(|c| c.title.clone());
            let chat = echo.message.chat.clone();
            self.open(key, None, |c| {
                c.title = title.or(chat.title.clone()).unwrap_or_default();
                c.chat = chat;
            });
        }
    }
}

/// Which link or advert an event names, and what it is about.
fn brought(event: &Event) -> (Option<Referral>, Option<Item>) {
    match &event.body {
        EventBody::Message(message) => (message.referral.clone(), message.item.clone()),
        EventBody::Comment(comment) => {
            let about = comment.message.item.clone().unwrap_or_else(|| comment.subject.clone());
            (comment.message.referral.clone(), Some(about))
        }
        EventBody::Started(started) => (started.referral.clone(), None),
        _ => (None, None),
    }
}

fn is_same(known: &Identity, told: &Identity) -> bool {
    known.provider == told.provider && known.scope == told.scope && known.id == told.id
}

fn learn_identity(contact: &mut Contact, told: &Identity) -> bool {
    match contact.identities.iter_mut().find(|known| is_same(known, told)) {
        Some(known) if told.aliases.is_empty() || known.aliases == told.aliases => false,
        Some(known) => {
            known.aliases.clone_from(&told.aliases);
            true
        }
        None => {
            contact.identities.push(told.clone());
            true
        }
    }
}

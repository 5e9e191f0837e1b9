//! Chats: several people and the community.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    community::Community,
    config::User,
    customer::{Customer, Cut},
    methods::content,
    record::{Author, Said},
    set,
    state::{CHATS, Club, Draft, Peer, Talk},
};

/// A chat that the community was invited to.
#[derive(Clone, Debug)]
pub struct GroupChat {
    community: Community,
    peer_id: i64,
}

impl Community {
    /// Makes a chat with people in it and invites the community: it is told with `chat_invite_user`. The
    /// community hears mentions and answers only; [`GroupChat::gives_access`] lets it hear all.
    ///
    /// # Panics
    /// When there is nobody to invite it.
    pub fn chat(&self, number: i64, title: &str, people: &[User]) -> GroupChat {
        let peer_id = CHATS + number;
        let Some(first) = people.first() else { panic!("a chat needs somebody in it") };
        let members: BTreeSet<i64> = people.iter().map(|user| user.id).collect();
        let peer = Peer::Chat { title: title.to_owned(), members, has_bot: true, hears_all: false };
        {
            let mut world = self.core().lock();
            people.iter().for_each(|user| world.meet(user));
        }
        self.with(|club| club.talks.insert(peer_id, Talk::new(peer_id, peer)));
        let chat = GroupChat { community: self.clone(), peer_id };
        chat.happens(first, json!({"type": "chat_invite_user", "member_id": -self.id}));
        chat
    }
}

impl GroupChat {
    /// Its id: 2000000000 and its number.
    #[must_use]
    pub fn peer_id(&self) -> i64 {
        self.peer_id
    }

    /// A member, writing here.
    #[must_use]
    pub fn member(&self, user: User) -> Customer {
        self.community.core().lock().meet(&user);
        Customer { community: self.community.clone(), peer_id: self.peer_id, user }
    }

    /// Lets the community hear everything.
    pub fn gives_access(&self) {
        self.change(|peer| {
            if let Peer::Chat { hears_all, .. } = peer {
                *hears_all = true;
            }
        });
    }

    /// Somebody invites somebody.
    pub fn invites(&self, by: &User, whom: &User) -> Said {
        self.community.core().lock().meet(whom);
        self.change(|peer| {
            if let Peer::Chat { members, .. } = peer {
                members.insert(whom.id);
            }
        });
        self.happens(by, json!({"type": "chat_invite_user", "member_id": whom.id}))
    }

    /// Somebody leaves, or is thrown out by another.
    pub fn kicks(&self, by: &User, whom: &User) -> Said {
        self.change(|peer| {
            if let Peer::Chat { members, .. } = peer {
                members.remove(&whom.id);
            }
        });
        self.happens(by, json!({"type": "chat_kick_user", "member_id": whom.id}))
    }

    /// Somebody throws the community out: sends answer 917.
    pub fn kicks_community(&self, by: &User) -> Said {
        let said = self.happens(by, json!({"type": "chat_kick_user", "member_id": -self.community.id}));
        self.change(|peer| {
            if let Peer::Chat { has_bot, .. } = peer {
                *has_bot = false;
            }
        });
        said
    }

    /// Somebody names the chat anew.
    pub fn renames(&self, by: &User, new: &str) -> Said {
        self.change(|peer| {
            if let Peer::Chat { title, .. } = peer {
                *title = new.to_owned();
            }
        });
        self.happens(by, json!({"type": "chat_title_update", "text": new}))
    }

    /// Any service message: `action` as VK shows it.
    pub fn happens(&self, by: &User, action: Value) -> Said {
        let mut fields = content("", Vec::new());
        set(&mut fields, "action", action);
        self.member(by.clone()).say(Draft::new(Author::Person(by.id), fields), Cut::Whole)
    }

    fn change(&self, change: impl FnOnce(&mut Peer)) {
        self.community.with(|club: &mut Club| {
            if let Some(talk) = club.talks.get_mut(&self.peer_id) {
                change(&mut talk.peer);
            }
        });
    }
}

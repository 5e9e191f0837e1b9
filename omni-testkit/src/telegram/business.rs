//! Business connections: the bot speaks for somebody's own account
//! (<https://core.telegram.org/bots/api#businessconnection>).

use std::{collections::HashMap, sync::Arc};

use serde_json::{Value, json};

use super::{
    bot::BotHandle,
    config::User,
    customer::Customer,
    record::Entry,
    state::{Chat, ChatKind, Connection, Place, Reach},
    updates::{LANE_BUSINESS, LANE_CONNECTIONS},
};

/// A connection between the bot and the account of an owner.
#[derive(Clone, Debug)]
pub struct Business {
    bot: BotHandle,
    id: Arc<str>,
    owner: User,
}

impl BotHandle {
    /// Connects the bot to the owner's account, with the rights to reply, to read and to delete its own
    /// messages, and tells it so with `business_connection`.
    pub fn business(&self, connection_id: &str, owner: User) -> Business {
        let connection = Connection {
            id: connection_id.into(),
            owner: owner.to_json(),
            owner_id: owner.id,
            since: self.bot.shared.now(),
            is_enabled: true,
            rights: json!({"can_reply": true, "can_read_messages": true, "can_delete_sent_messages": true}),
            chats: HashMap::new(),
        };
        self.bot.lock().connections.insert(connection_id.to_owned(), connection);
        let business = Business { bot: self.clone(), id: connection_id.into(), owner };
        business.changes(|_| {});
        business
    }
}

impl Business {
    /// Id of the connection.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// A customer who writes to the owner; the bot gets `business_message`.
    #[must_use]
    pub fn customer(&self, user: User) -> Customer {
        let place = self.chat_with(&user);
        Customer { bot: self.bot.clone(), place, user: Some(user), thread: None }
    }

    /// The owner, writing to that customer from their own phone: the echo, a `business_message` whose `from`
    /// is the owner.
    #[must_use]
    pub fn owner_to(&self, customer: &User) -> Customer {
        let place = self.chat_with(customer);
        Customer { bot: self.bot.clone(), place, user: Some(self.owner.clone()), thread: None }
    }

    /// The owner's chat with a customer.
    #[must_use]
    pub fn transcript(&self, customer_id: i64) -> Vec<Entry> {
        self.bot.business_transcript(&self.id, customer_id)
    }

    /// Switches the connection off.
    pub fn disables(&self) -> Option<i64> {
        self.changes(|connection| connection.is_enabled = false)
    }

    /// Switches the connection on again.
    pub fn enables(&self) -> Option<i64> {
        self.changes(|connection| connection.is_enabled = true)
    }

    /// Sets the rights, such as `{"can_reply": true}`.
    pub fn sets_rights(&self, rights: Value) -> Option<i64> {
        self.changes(|connection| connection.rights = rights)
    }

    /// Deletes messages of the owner's chat with a customer; the bot gets `deleted_business_messages`.
    pub fn deletes(&self, customer_id: i64, message_ids: &[i64]) -> Option<i64> {
        let bot = &self.bot.bot;
        let mut state = bot.lock();
        let chat = state.connections.get_mut(&*self.id)?.chats.get_mut(&customer_id)?;
        for id in message_ids {
            if let Some(entry) = chat.message_mut(*id) {
                entry.deleted = true;
            }
        }
        let deleted =
            json!({"business_connection_id": &*self.id, "chat": chat.json, "message_ids": message_ids});
        let lane = (customer_id, LANE_BUSINESS);
        let update = bot.push_update(&mut state, "deleted_business_messages", &deleted, lane);
        drop(state);
        bot.shared.changed();
        update
    }

    fn chat_with(&self, user: &User) -> Place {
        let mut state = self.bot.bot.lock();
        if let Some(connection) = state.connections.get_mut(&*self.id) {
            let fresh = || Chat::new(ChatKind::Private, user.as_chat(), Reach::Open);
            connection.chats.entry(user.id).or_insert_with(fresh);
        }
        Place { chat_id: user.id, business: Some(Arc::clone(&self.id)) }
    }

    fn changes(&self, change: impl FnOnce(&mut Connection)) -> Option<i64> {
        let bot = &self.bot.bot;
        let mut state = bot.lock();
        let connection = state.connections.get_mut(&*self.id)?;
        change(connection);
        let json = connection.to_json();
        let lane = (self.owner.id, LANE_CONNECTIONS);
        let update = bot.push_update(&mut state, "business_connection", &json, lane);
        drop(state);
        bot.shared.changed();
        update
    }
}

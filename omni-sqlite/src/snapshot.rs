//! What a decision sees.

use omni_core::event::MessageName;
use omni_core::id::{ContactId, ConversationId, MessageId, ProviderMessageId};
use omni_core::{Address, Contact, Conversation, Status};
use omni_hub::store::{ChannelKey, Direction, Lookup, MessageRecord, PeerKey, PeerRecord, Snapshot, Target};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};

use crate::desk;
use crate::rows::{self, CONVERSATION, MESSAGE, PEER, opt_json};

/// Loads what a unit asked to see.
pub(crate) fn snapshot(c: &Connection, target: &Target, lookups: &[Lookup]) -> rusqlite::Result<Snapshot> {
    let thread = match target {
        Target::Thread(named, after) => thread(c, &named.channel_key(), after)?,
        _ => None,
    };
    let place = target.place(thread.as_ref());
    let mut found = match target {
        Target::Nothing => Snapshot::default(),
        Target::Peer(_) | Target::Thread(..) => match &place {
            Some(key) => at_peer(c, key)?,
            None => Snapshot::default(),
        },
        Target::Conversation(id) => of_conversation(c, *id)?,
        Target::Message(channel, name) => of_message(c, channel, name)?,
    };
    found.thread = thread;
    for lookup in lookups {
        look_up(c, lookup, place.as_ref(), &mut found)?;
    }
    Ok(found)
}

/// The address of the first of these messages that is known on a channel.
fn thread(
    c: &Connection,
    channel: &ChannelKey,
    after: &[ProviderMessageId],
) -> rusqlite::Result<Option<Address>> {
    // In this order: few names, and each leads to few messages.
    let sql = "SELECT v.address FROM channel n CROSS JOIN json_each(?3) a \
               CROSS JOIN message_name x ON x.channel = n.id AND x.name = a.value \
               CROSS JOIN message m ON m.id = x.message CROSS JOIN conversation v ON v.id = m.conversation \
               WHERE n.tenant = ?1 AND n.channel = ?2 ORDER BY a.key, m.id DESC LIMIT 1";
    let names = params![channel.tenant.as_str(), channel.channel.as_str(), rows::json(&after)?];
    let found = c.prepare_cached(sql)?.query_row(names, |row| row.get::<_, String>(0)).optional()?;
    Ok(found.map(|address| rows::address_of(&address)))
}

/// An address alone.
pub(crate) fn peer(c: &Connection, key: &PeerKey) -> rusqlite::Result<Option<PeerRecord>> {
    let sql = format!(
        "SELECT {PEER} FROM channel n JOIN peer p ON p.channel = n.id AND p.address = ?3 \
         LEFT JOIN note o ON o.channel = p.channel AND o.address = p.address \
         WHERE n.tenant = ?1 AND n.channel = ?2"
    );
    let names = params![key.tenant.as_str(), key.channel.as_str(), key.address.as_str()];
    c.prepare_cached(&sql)?.query_row(names, |row| rows::peer(row, key)).optional()
}

/// An address with its latest conversation and its person.
pub(crate) fn at_peer(c: &Connection, key: &PeerKey) -> rusqlite::Result<Snapshot> {
    let sql = format!(
        "SELECT {PEER}, k.body, {CONVERSATION} FROM channel n \
         JOIN peer p ON p.channel = n.id AND p.address = ?3 \
         LEFT JOIN note o ON o.channel = p.channel AND o.address = p.address \
         LEFT JOIN conversation v ON v.id = p.conversation \
         LEFT JOIN contact k ON k.id = p.contact \
         WHERE n.tenant = ?1 AND n.channel = ?2"
    );
    let mut statement = c.prepare_cached(&sql)?;
    let found = statement.query_row(
        params![key.tenant.as_str(), key.channel.as_str(), key.address.as_str()],
        |row| {
            let conversation = match row.get_ref(6)? {
                ValueRef::Null => None,
                _ => Some(rows::conversation(row, 6)?),
            };
            let (peer, contact) = (Some(rows::peer(row, key)?), opt_json(row, 5)?);
            Ok(Snapshot { peer, conversation, contact, ..Snapshot::default() })
        },
    );
    Ok(found.optional()?.unwrap_or_default())
}

fn of_conversation(c: &Connection, id: ConversationId) -> rusqlite::Result<Snapshot> {
    let Some(conversation) = conversation(c, id)? else { return Ok(Snapshot::default()) };
    let channel = ChannelKey::new(conversation.tenant.clone(), conversation.channel.clone());
    let mut found = at_peer(c, &channel.peer(conversation.address.clone()))?;
    found.conversation = Some(conversation);
    Ok(found)
}

fn of_message(c: &Connection, channel: &ChannelKey, name: &MessageName) -> rusqlite::Result<Snapshot> {
    let message = match name {
        MessageName::Ours(id) => message_of(c, channel, *id)?,
        MessageName::Provider(id) => {
            let sql = format!(
                "SELECT {MESSAGE} FROM channel n JOIN message_name x ON x.channel = n.id AND x.name = ?3 \
                 JOIN message m ON m.id = x.message WHERE n.tenant = ?1 AND n.channel = ?2 \
                 ORDER BY m.id DESC LIMIT 1"
            );
            let names = params![channel.tenant.as_str(), channel.channel.as_str(), id.as_str()];
            c.prepare_cached(&sql)?.query_row(names, |row| rows::message(row, 0)).optional()?
        }
    };
    let Some(message) = message else { return Ok(Snapshot::default()) };
    let mut found = of_conversation(c, message.conversation)?;
    found.messages.push(message);
    Ok(found)
}

fn look_up(
    c: &Connection,
    lookup: &Lookup,
    place: Option<&PeerKey>,
    found: &mut Snapshot,
) -> rusqlite::Result<()> {
    let thread = found.conversation.as_ref().map(|c| c.id);
    match (lookup, thread) {
        (Lookup::Message(channel, id), _) => found.messages.extend(message_of(c, channel, *id)?),
        (Lookup::Provider(id), _) => {
            let Some(key) = place else { return Ok(()) };
            let sql = format!(
                "SELECT {MESSAGE} FROM channel n JOIN message_name x ON x.channel = n.id AND x.name = ?3 \
                 JOIN message m ON m.id = x.message JOIN conversation v ON v.id = m.conversation \
                 WHERE n.tenant = ?1 AND n.channel = ?2 AND v.address = ?4"
            );
            let names = params![key.tenant.as_str(), key.channel.as_str(), id.as_str(), key.address.as_str()];
            let mut statement = c.prepare_cached(&sql)?;
            for message in statement.query_map(names, |row| rows::message(row, 0))? {
                found.messages.push(message?);
            }
        }
        (Lookup::Album(album), Some(thread)) => {
            let sql =
                format!("SELECT {MESSAGE} FROM message m WHERE m.conversation = ?1 AND m.album = ?2 LIMIT 1");
            let mut statement = c.prepare_cached(&sql)?;
            let names = params![thread.to_bytes(), album.as_str()];
            found.messages.extend(statement.query_row(names, |row| rows::message(row, 0)).optional()?);
        }
        (Lookup::Unsettled, Some(thread)) => {
            let open =
                |s: Option<Status>| matches!(s, Some(Status::Queued | Status::Sending | Status::Unknown));
            found.messages.extend(recent_out(c, thread)?.into_iter().filter(|m| open(m.status)));
        }
        (Lookup::Unread, Some(thread)) => {
            found
                .messages
                .extend(recent_out(c, thread)?.into_iter().filter(|m| m.status != Some(Status::Read)));
        }
        (Lookup::Identity(tenant, identity), _) if found.contact.is_none() => {
            let sql = "SELECT k.body FROM identity i JOIN contact k ON k.id = i.contact \
                       WHERE i.tenant = ?1 AND i.provider = ?2 AND i.scope = ?3 AND i.id = ?4";
            let names = params![tenant.as_str(), identity.provider.as_str(), identity.scope, identity.id];
            let mut statement = c.prepare_cached(sql)?;
            found.contact = statement.query_row(names, |row| rows::from_json(row, 0)).optional()?;
        }
        (Lookup::Agent(tenant, agent), _) => {
            found.agents.push((agent.clone(), desk::agent(c, tenant, agent)?));
        }
        (Lookup::Contact(id), _) => found.contacts.extend(contact(c, *id)?),
        (Lookup::Conversation(id), _) => found.others.extend(conversation(c, *id)?),
        (Lookup::Album(_) | Lookup::Unsettled | Lookup::Unread | Lookup::Identity(..), _) => {}
    }
    Ok(())
}

/// The last 200 outgoing messages of a thread, newest first.
fn recent_out(c: &Connection, thread: ConversationId) -> rusqlite::Result<Vec<MessageRecord>> {
    let sql = format!(
        "SELECT {MESSAGE}, m.direction FROM message m WHERE m.conversation = ?1 ORDER BY m.id DESC LIMIT 200"
    );
    let mut statement = c.prepare_cached(&sql)?;
    let read = statement.query_map(params![thread.to_bytes()], |row| rows::message(row, 0))?;
    let all: rusqlite::Result<Vec<MessageRecord>> = read.collect();
    Ok(all?.into_iter().filter(|m| m.direction == Direction::Out).collect())
}

pub(crate) fn conversation(c: &Connection, id: ConversationId) -> rusqlite::Result<Option<Conversation>> {
    let mut statement =
        c.prepare_cached(&format!("SELECT {CONVERSATION} FROM conversation v WHERE v.id = ?1"))?;
    statement.query_row(params![id.to_bytes()], |row| rows::conversation(row, 0)).optional()
}

pub(crate) fn message(c: &Connection, id: MessageId) -> rusqlite::Result<Option<MessageRecord>> {
    let mut statement = c.prepare_cached(&format!("SELECT {MESSAGE} FROM message m WHERE m.id = ?1"))?;
    statement.query_row(params![id.to_bytes()], |row| rows::message(row, 0)).optional()
}

/// A message by our id, if it is of this channel.
fn message_of(
    c: &Connection,
    channel: &ChannelKey,
    id: MessageId,
) -> rusqlite::Result<Option<MessageRecord>> {
    let sql = format!(
        "SELECT {MESSAGE} FROM message m JOIN channel n ON n.id = m.channel \
         WHERE m.id = ?1 AND n.tenant = ?2 AND n.channel = ?3"
    );
    let names = params![id.to_bytes(), channel.tenant.as_str(), channel.channel.as_str()];
    c.prepare_cached(&sql)?.query_row(names, |row| rows::message(row, 0)).optional()
}

pub(crate) fn contact(c: &Connection, id: ContactId) -> rusqlite::Result<Option<Contact>> {
    let mut statement = c.prepare_cached("SELECT body FROM contact WHERE id = ?1")?;
    statement.query_row(params![id.to_bytes()], |row| rows::from_json(row, 0)).optional()
}

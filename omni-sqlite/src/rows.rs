//! Between rows and values.

use omni_core::Status;
use omni_core::conversation::TimerKind;
use omni_core::event::ChatKind;
use omni_core::id::{ContactId, ConversationId, MessageId, NodeId, TimerToken};
use omni_core::outbound::Author;
use omni_core::plan::Reach;
use omni_core::policy::{AgentState, Presence};
use omni_core::{Address, Conversation, Timestamp};
use omni_hub::store::{
    ChannelKey, KeptNote, MessageRecord, OutboxRecord, OutboxState, PeerKey, PeerRecord, TimerRecord,
};
use rusqlite::Row;
use rusqlite::types::Type;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value as JSON text.
pub(crate) fn json<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
}

/// A value from the JSON text of a column.
pub(crate) fn from_json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, e.into()))
}

/// A value from the JSON text of a column that may be empty.
pub(crate) fn opt_json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    match row.get_ref(column)? {
        rusqlite::types::ValueRef::Null => Ok(None),
        _ => from_json(row, column).map(Some),
    }
}

/// A value as JSON text, or nothing for the usual one.
pub(crate) fn unusual<T: Serialize + PartialEq>(value: &T, usual: &T) -> rusqlite::Result<Option<String>> {
    if value == usual { Ok(None) } else { json(value).map(Some) }
}

/// A number that must fit.
pub(crate) fn corrupt(column: usize) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, "a number out of its range".into())
}

/// The columns of `message` in the order [`message`] reads them.
pub(crate) const MESSAGE: &str = "m.body, m.status, m.provider_ids, m.error";

/// A message from [`MESSAGE`] at `first`.
pub(crate) fn message(row: &Row<'_>, first: usize) -> rusqlite::Result<MessageRecord> {
    let mut message: MessageRecord = from_json(row, first)?;
    message.status = row.get::<_, Option<u8>>(first + 1)?.map(|rank| status(rank, first + 1)).transpose()?;
    message.provider_ids = opt_json(row, first + 2)?.unwrap_or_default();
    message.error = opt_json(row, first + 3)?;
    Ok(message)
}

/// The columns of an address in the order [`peer`] reads them.
pub(crate) const PEER: &str = "p.contact, p.conversation, p.reach, o.note, o.at";

/// An address from [`PEER`] at the first column.
pub(crate) fn peer(row: &Row<'_>, key: &PeerKey) -> rusqlite::Result<PeerRecord> {
    let note = match row.get::<_, Option<String>>(3)? {
        Some(note) => Some(KeptNote { note: note.into(), at: Timestamp::from_millis(row.get(4)?) }),
        None => None,
    };
    Ok(PeerRecord {
        key: key.clone(),
        contact: row.get::<_, Option<[u8; 16]>>(0)?.map(ContactId::from_bytes),
        conversation: row.get::<_, Option<[u8; 16]>>(1)?.map(ConversationId::from_bytes),
        reach: reach_of(row.get(2)?),
        note,
    })
}

/// The columns of `conversation` in the order [`conversation`] reads them.
pub(crate) const CONVERSATION: &str = "v.body, v.contact";

/// A conversation from [`CONVERSATION`] at `first`.
pub(crate) fn conversation(row: &Row<'_>, first: usize) -> rusqlite::Result<Conversation> {
    let mut conversation: Conversation = from_json(row, first)?;
    conversation.contact = row.get::<_, Option<[u8; 16]>>(first + 1)?.map(ContactId::from_bytes);
    Ok(conversation)
}

/// The columns of `agent` in the order [`agent`] reads them.
pub(crate) const AGENT: &str = "a.presence, a.since, a.assigned_at, a.freed_at";

/// An agent without their load from [`AGENT`] at `first`.
pub(crate) fn agent(row: &Row<'_>, first: usize) -> rusqlite::Result<AgentState> {
    let time =
        |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis));
    Ok(AgentState {
        presence: match row.get::<_, u8>(first)? {
            0 => Presence::Offline,
            1 => Presence::Away,
            2 => Presence::Online,
            _ => return Err(corrupt(first)),
        },
        since: Timestamp::from_millis(row.get(first + 1)?),
        assigned_at: time(first + 2)?,
        freed_at: time(first + 3)?,
        ..AgentState::default()
    })
}

/// Whether an agent is there, as a number.
pub(crate) fn presence(presence: Presence) -> u8 {
    match presence {
        Presence::Offline => 0,
        Presence::Away => 1,
        Presence::Online => 2,
    }
}

/// A status from its rank.
pub(crate) fn status(rank: u8, column: usize) -> rusqlite::Result<Status> {
    const ALL: [Status; 10] = [
        Status::Queued,
        Status::Sending,
        Status::Unknown,
        Status::Accepted,
        Status::Sent,
        Status::Dropped,
        Status::Expired,
        Status::Failed,
        Status::Delivered,
        Status::Read,
    ];
    ALL.into_iter().find(|s| s.rank() == rank).ok_or_else(|| corrupt(column))
}

/// The columns of `outbox` in the order [`outbox`] reads them; the channel's names come last.
pub(crate) const OUTBOX: &str = "o.message, o.address, o.conversation, o.chat, o.author, o.guard, o.queued_at, \
     o.due, o.attempts, o.state, o.owner, c.tenant, c.channel";

/// An outbox row from [`OUTBOX`] at the first column.
pub(crate) fn outbox(row: &Row<'_>) -> rusqlite::Result<OutboxRecord> {
    let address: String = row.get(1)?;
    let channel = ChannelKey::new(row.get::<_, String>(11)?, row.get::<_, String>(12)?);
    Ok(OutboxRecord {
        message: MessageId::from_bytes(row.get(0)?),
        peer: channel.peer(address_of(&address)),
        conversation: ConversationId::from_bytes(row.get(2)?),
        chat: match row.get::<_, u8>(3)? {
            0 => ChatKind::Private,
            1 => ChatKind::Group,
            _ => ChatKind::Channel,
        },
        author: if row.get::<_, u8>(4)? == 0 { Author::Person } else { Author::Program },
        guard: opt_json(row, 5)?.unwrap_or_default(),
        queued_at: Timestamp::from_millis(row.get(6)?),
        due: Timestamp::from_millis(row.get(7)?),
        attempts: row.get(8)?,
        state: if row.get::<_, u8>(9)? == 0 { OutboxState::Queued } else { OutboxState::Sending },
        owner: row.get::<_, Option<String>>(10)?.map(NodeId::from),
    })
}

/// A kind of chat as a number.
pub(crate) fn chat(kind: ChatKind) -> u8 {
    match kind {
        ChatKind::Private => 0,
        ChatKind::Group => 1,
        _ => 2,
    }
}

/// Whether a person lets us write, as a number.
pub(crate) fn reach(reach: Reach) -> u8 {
    match reach {
        Reach::Blocked => 1,
        _ => 0,
    }
}

/// The opposite of [`reach`].
fn reach_of(number: u8) -> Reach {
    if number == 1 { Reach::Blocked } else { Reach::Open }
}

/// An address from the text of a column; every text is one.
pub(crate) fn address_of(text: &str) -> Address {
    match text.parse::<Address>() {
        Ok(address) => address,
        Err(never) => match never {},
    }
}

/// The kind of nearly every timer.
pub(crate) const USUAL_TIMER: TimerKind = TimerKind::Wake;

/// A timer from `token, conversation, kind, due, tenant, channel`.
pub(crate) fn timer(row: &Row<'_>) -> rusqlite::Result<TimerRecord> {
    Ok(TimerRecord {
        token: TimerToken::from_bytes(row.get(0)?),
        conversation: ConversationId::from_bytes(row.get(1)?),
        kind: opt_json(row, 2)?.unwrap_or(USUAL_TIMER),
        due: Timestamp::from_millis(row.get(3)?),
        channel: ChannelKey::new(row.get::<_, String>(4)?, row.get::<_, String>(5)?),
    })
}

//! What people and the host do to conversations.

use bytes::Bytes;
use omni_core::conversation::{Actor, CloseReason, Owner};
use omni_core::id::{BlobId, ConversationId, MessageId};
use omni_core::media::MediaSource;
use omni_core::plan::{Plan, PlanContext, plan};
use omni_core::policy::{Action, Verb};
use omni_core::{Address, Content, Timestamp};

use crate::decide::{self, Draft};
use crate::hub::{Hub, HubError};
use crate::store::{ChannelKey, Lookup, Refused, Target, Unit};

/// What a person says became of a message whose outcome was unknown (law 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settle {
    /// It went out.
    Sent,
    /// It did not.
    NotSent,
    /// It did not, or that does not matter: send it again, as a new message.
    Resend,
}

impl Hub {
    /// Answers in an open conversation. Returns the messages it becomes; they are durable then.
    ///
    /// # Errors
    /// [`HubError::Refused`] with the reason that [`Hub::plan`] tells beforehand.
    pub async fn reply(
        &self,
        conversation: ConversationId,
        draft: Draft,
    ) -> Result<Vec<MessageId>, HubError> {
        let env = self.inner.line_of(conversation).await?.env();
        let draft = self.keep_bytes(draft).await?;
        let now = self.inner.clock.now();
        let unit = Unit::new(Target::Conversation(conversation), move |snapshot| {
            decide::reply(&env, now, &draft, snapshot)
        });
        let changes = self.inner.commit(unit).await?;
        Ok(changes.new_messages.iter().map(|m| m.id).collect())
    }

    /// Writes to an address, in its open conversation or in a new one.
    ///
    /// # Errors
    /// As [`Hub::reply`]; also where the person has to write first.
    pub async fn start(
        &self,
        channel: &ChannelKey,
        to: Address,
        draft: Draft,
    ) -> Result<Vec<MessageId>, HubError> {
        let env = self.inner.line(channel)?.env();
        let draft = self.keep_bytes(draft).await?;
        let now = self.inner.clock.now();
        let peer = channel.peer(to);
        let unit = Unit::new(Target::Peer(peer.clone()), move |snapshot| {
            decide::begin(&env, now, &peer, &draft, snapshot)
        });
        let changes = self.inner.commit(unit).await?;
        Ok(changes.new_messages.iter().map(|m| m.id).collect())
    }

    /// What would go out in a conversation now: the reason to grey out a button, or the messages.
    ///
    /// # Errors
    /// [`HubError::Refused`] when there is no such conversation.
    pub async fn plan(&self, conversation: ConversationId, content: &Content) -> Result<Plan, HubError> {
        let line = self.inner.line_of(conversation).await?;
        let c = self.inner.store.conversation(conversation).await?.ok_or(Refused::NoConversation)?;
        let env = line.env();
        let peer = self.inner.store.peer(&env.key.peer(c.address.clone())).await?;
        let context = PlanContext {
            now: self.inner.clock.now(),
            last_inbound: c.last_inbound_at,
            reach: peer.map(|p| p.reach).unwrap_or_default(),
            paused_until: line.paused_until(),
            publishing: env.publishing,
        };
        if env.channel.outbound().is_none() {
            return Err(Refused::Unsendable(omni_core::plan::Refusal::ReceiveOnly).into());
        }
        Ok(plan(&env.channel.capabilities_at(&c.address), content, &context))
    }

    /// Does anything to a conversation that is not an answer.
    ///
    /// # Errors
    /// [`HubError::Refused`]: [`Refused::Taken`] when a claim is lost, which is normal.
    pub async fn act(&self, conversation: ConversationId, action: Action) -> Result<(), HubError> {
        let env = self.inner.line_of(conversation).await?.env();
        let now = self.inner.clock.now();
        let lookups = match &action.verb {
            Verb::Merge { into } => vec![Lookup::Conversation(*into)],
            Verb::Reopen => {
                self.latest_beside(conversation).await?.map(Lookup::Conversation).into_iter().collect()
            }
            _ => Vec::new(),
        };
        let unit = Unit::new(Target::Conversation(conversation), move |snapshot| {
            decide::do_action(&env, now, &action, snapshot)
        });
        self.inner.commit(unit.with_lookups(lookups)).await.map(drop)
    }

    /// The latest conversation at the address of one.
    async fn latest_beside(&self, conversation: ConversationId) -> Result<Option<ConversationId>, HubError> {
        let Some(c) = self.inner.store.conversation(conversation).await? else { return Ok(None) };
        let channel = ChannelKey { tenant: c.tenant, channel: c.channel };
        Ok(self.inner.store.peer(&channel.peer(c.address)).await?.and_then(|peer| peer.conversation))
    }

    /// An agent takes a conversation for themselves, from nobody else.
    ///
    /// # Errors
    /// [`Refused::Taken`] when another agent has it.
    pub async fn take(
        &self,
        conversation: ConversationId,
        agent: impl Into<omni_core::AgentId>,
    ) -> Result<(), HubError> {
        let agent = agent.into();
        let (to, by) = (Owner::Agent { agent: agent.clone() }, Actor::Agent { agent });
        self.act(conversation, Action { by, verb: Verb::Assign { to } }).await
    }

    /// Gives a conversation to somebody.
    ///
    /// # Errors
    /// As [`Hub::act`].
    pub async fn assign(&self, conversation: ConversationId, to: Owner, by: Actor) -> Result<(), HubError> {
        self.act(conversation, Action { by, verb: Verb::Assign { to } }).await
    }

    /// Ends a conversation.
    ///
    /// # Errors
    /// As [`Hub::act`].
    pub async fn close(&self, conversation: ConversationId, by: Actor) -> Result<(), HubError> {
        self.act(conversation, Action { by, verb: Verb::Close { reason: CloseReason::Done } }).await
    }

    /// Opens a closed conversation again.
    ///
    /// # Errors
    /// As [`Hub::act`].
    pub async fn reopen(&self, conversation: ConversationId, by: Actor) -> Result<(), HubError> {
        self.act(conversation, Action { by, verb: Verb::Reopen }).await
    }

    /// Puts a conversation aside until a time, or until the person writes: clocks and auto-close stand still.
    ///
    /// # Errors
    /// As [`Hub::act`].
    pub async fn snooze(
        &self,
        conversation: ConversationId,
        until: Timestamp,
        by: Actor,
    ) -> Result<(), HubError> {
        self.act(conversation, Action { by, verb: Verb::Snooze { until } }).await
    }

    /// Joins a conversation to another one of the tenant, which goes on: labels, fields and the source go along, nothing
    /// is said, and messages stay where they were written.
    ///
    /// # Errors
    /// [`Refused::NoConversation`] when either is not there or not open.
    pub async fn merge(
        &self,
        conversation: ConversationId,
        into: ConversationId,
        by: Actor,
    ) -> Result<(), HubError> {
        self.act(conversation, Action { by, verb: Verb::Merge { into } }).await
    }

    /// Says what became of a message whose outcome was unknown.
    ///
    /// # Errors
    /// [`Refused::Settled`] when it is known.
    pub async fn settle(&self, message: MessageId, how: Settle) -> Result<(), HubError> {
        let record = self.inner.store.message(message).await?.ok_or(Refused::NoMessage)?;
        let env = self.inner.line_of(record.conversation).await?.env();
        let (now, lookup) = (self.inner.clock.now(), Lookup::Message(env.key.clone(), message));
        let unit = Unit::new(Target::Conversation(record.conversation), move |snapshot| {
            decide::settle(&env, now, message, how, snapshot)
        });
        self.inner.commit(unit.with_lookups(vec![lookup])).await.map(drop)
    }

    /// A file of the store by the path of its public address, what stands behind the base of [`Published`]; `None` when
    /// nobody was given that address.
    ///
    /// # Errors
    /// [`HubError::Store`].
    ///
    /// [`Published`]: crate::Published
    pub async fn published(&self, path: &str) -> Result<Option<Bytes>, HubError> {
        let named = self.inner.settings.published.as_ref().and_then(|published| published.blob(path));
        match named {
            Some(blob) => Ok(self.inner.store.blob(&blob).await?),
            None => Ok(None),
        }
    }

    /// Moves the bytes of a draft's files into the store, so that the outbox holds only their names.
    async fn keep_bytes(&self, mut draft: Draft) -> Result<Draft, HubError> {
        if !draft.content.holds_bytes() {
            return Ok(draft);
        }
        let now = self.inner.clock.now();
        for media in draft.content.all_media_mut() {
            if let MediaSource::Bytes { bytes } = &media.source {
                let blob = BlobId::from(MessageId::next(&self.inner.ids, now).to_string());
                self.inner.store.put_blob(&blob, bytes.clone()).await?;
                media.size = Some(bytes.len() as u64);
                media.source = MediaSource::Stored { blob };
            }
        }
        Ok(draft)
    }
}

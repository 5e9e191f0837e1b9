//! What is done to messages beside sending them: directly at the provider, then written down.

use std::sync::Arc;

use omni_core::Content;
use omni_core::error::{Error, ErrorKind};
use omni_core::id::{ConversationId, MessageId};
use omni_core::media::{MediaSource, MediaStream};

use crate::hub::{Hub, HubError};
use crate::line::Line;
use crate::store::{Changes, ChannelKey, Direction, Lookup, MessageRecord, PeerKey, Refused, Target, Unit};

impl Hub {
    /// Changes what a sent message says, at the provider and then in the thread.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) where the channel cannot; the provider's refusal.
    pub async fn edit(&self, message: MessageId, content: Content) -> Result<(), HubError> {
        let (line, peer, record) = self.inner.named(message).await?;
        let env = line.env();
        let edit =
            env.channel.outbound().and_then(|o| o.as_edit()).ok_or_else(|| Error::unsupported("edit"))?;
        edit.edit(&peer.address, first_id(&record)?, &content).await?;
        let now = self.inner.now();
        self.rewrite(&peer, &record, move |r| {
            r.content.clone_from(&content);
            r.edited_at = Some(now);
        })
        .await
    }

    /// Takes a message back, at the provider and then in the thread.
    ///
    /// # Errors
    /// As [`Hub::edit`].
    pub async fn delete(&self, message: MessageId) -> Result<(), HubError> {
        let (line, peer, record) = self.inner.named(message).await?;
        let env = line.env();
        let delete =
            env.channel.outbound().and_then(|o| o.as_delete()).ok_or_else(|| Error::unsupported("delete"))?;
        first_id(&record)?;
        for id in &record.provider_ids {
            delete.delete(&peer.address, id).await?;
        }
        let now = self.inner.now();
        self.rewrite(&peer, &record, move |r| r.deleted_at = Some(now)).await
    }

    /// Puts our signs on a message, or takes them off with none.
    ///
    /// # Errors
    /// As [`Hub::edit`].
    pub async fn react(&self, message: MessageId, signs: Vec<String>) -> Result<(), HubError> {
        let (line, peer, record) = self.inner.named(message).await?;
        let env = line.env();
        let react =
            env.channel.outbound().and_then(|o| o.as_react()).ok_or_else(|| Error::unsupported("react"))?;
        react.react(&peer.address, first_id(&record)?, &signs).await?;
        const US: &str = "us";
        self.rewrite(&peer, &record, move |r| {
            r.reactions.retain(|(by, _)| by != US);
            r.reactions.extend(signs.iter().map(|sign| (US.to_owned(), sign.clone())));
        })
        .await
    }

    /// Tells the person that their messages up to the newest were seen. Nothing where the channel cannot.
    ///
    /// # Errors
    /// The provider's refusal.
    pub async fn mark_read(&self, conversation: ConversationId) -> Result<(), HubError> {
        let (line, peer) = self.place(conversation).await?;
        let env = line.env();
        let Some(mark) = env.channel.outbound().and_then(|o| o.as_read()) else { return Ok(()) };
        if !env.channel.capabilities_at(&peer.address).mark_read.is_there() {
            return Ok(());
        }
        let newest = self.inner.store.messages(conversation, None, 50).await?;
        let seen = newest.iter().filter(|m| m.direction == Direction::In).find_map(|m| m.provider_ids.last());
        if let Some(id) = seen {
            mark.mark_read(&peer.address, id).await?;
        }
        Ok(())
    }

    /// Shows the person that somebody is writing. Nothing where the channel cannot.
    ///
    /// # Errors
    /// The provider's refusal.
    pub async fn typing(&self, conversation: ConversationId) -> Result<(), HubError> {
        let (line, peer) = self.place(conversation).await?;
        let env = line.env();
        if let Some(typing) = env.channel.outbound().and_then(|o| o.as_typing()) {
            typing.typing(&peer.address).await?;
        }
        Ok(())
    }

    /// Opens a file of a message, wherever its bytes are, capped at `cap` bytes.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is no such file.
    pub async fn media(&self, message: MessageId, index: usize, cap: u64) -> Result<MediaStream, HubError> {
        let (line, _, record) = self.inner.named(message).await?;
        let missing = || Error::new(ErrorKind::NotFound, "media");
        let media = record.content.all_media().nth(index).ok_or_else(missing)?;
        match &media.source {
            MediaSource::Provider(at) => {
                let env = line.env();
                let inbound = env.channel.inbound().ok_or_else(|| Error::unsupported("fetch"))?;
                Ok(inbound.fetch(at, cap).await?)
            }
            MediaSource::Stored { blob } => {
                let bytes = self.inner.store.blob(blob).await?.ok_or_else(missing)?;
                let size = Some(bytes.len() as u64);
                let once = futures_util::stream::once(async move { Ok(bytes) });
                Ok(MediaStream { mime: media.mime.clone(), size, bytes: Box::pin(once) })
            }
            _ => Err(missing().into()),
        }
    }

    async fn place(&self, conversation: ConversationId) -> Result<(Arc<Line>, PeerKey), HubError> {
        let c = self.inner.store.conversation(conversation).await?.ok_or(Refused::NoConversation)?;
        let key = ChannelKey { tenant: c.tenant, channel: c.channel };
        Ok((self.inner.line(&key)?, key.peer(c.address)))
    }

    /// Changes a message as it is now: while the provider was asked, it may have got a status or a sign.
    async fn rewrite(
        &self,
        peer: &PeerKey,
        record: &MessageRecord,
        mut change: impl FnMut(&mut MessageRecord) + Send + 'static,
    ) -> Result<(), HubError> {
        let unit = Unit::new(Target::Conversation(record.conversation), move |snapshot| {
            let mut changed_messages = snapshot.messages.clone();
            changed_messages.iter_mut().for_each(&mut change);
            Changes { changed_messages, ..Changes::default() }
        });
        let lookup = Lookup::Message(peer.channel_key(), record.id);
        self.inner.commit(unit.with_lookups(vec![lookup])).await.map(drop)
    }
}

fn first_id(record: &MessageRecord) -> Result<&omni_core::ProviderMessageId, HubError> {
    record.provider_ids.first().ok_or_else(|| {
        let error =
            Error::new(ErrorKind::State, "message").with_text("the provider has not named this message yet");
        HubError::Channel(error)
    })
}

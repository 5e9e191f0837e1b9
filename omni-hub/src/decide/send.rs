//! Putting something into the outbox.

use std::sync::Arc;

use omni_core::content::Content;
use omni_core::conversation::Actor;
use omni_core::event::{Origin, ReplyTo};
use omni_core::id::{MessageId, ProviderMessageId};
use omni_core::outbound::{Author, Face};
use omni_core::plan::{Plan, PlanContext, Refusal, plan};
use omni_core::policy::{Guard, Overtaken};
use omni_core::{Conversation, Status, Text};

use super::Decision;
use crate::store::{Direction, HostEvent, MessageRecord, OutboxRecord, OutboxState};

/// Something somebody wants to send.
///
/// ```
/// use omni_core::conversation::Actor;
/// use omni_hub::Draft;
/// let draft = Draft::text("Здравствуйте!").by(Actor::Agent { agent: "anna".into() });
/// assert_eq!(draft.content.plain_text(), Some("Здравствуйте!"));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Draft {
    /// What it says.
    pub content: Content,
    /// Who says it.
    pub by: Actor,
    /// What it answers.
    pub reply_to: Option<ReplyTo>,
    /// In whose name, where the provider shows one.
    pub face: Option<Face>,
    /// Under which conditions it may still go out; any unless set.
    pub guard: Guard,
}

impl Draft {
    /// A message of somebody.
    pub fn new(content: Content, by: Actor) -> Self {
        Self { content, by, reply_to: None, face: None, guard: Overtaken::Never.into() }
    }

    /// An automatic text, looked at again before it goes out.
    pub(super) fn guarded(content: Content, by: Actor, guard: Guard) -> Self {
        Self { guard, ..Self::new(content, by) }
    }

    /// Words of the host's program.
    pub fn text(text: impl Into<Text>) -> Self {
        Self::new(Content::text(text), Actor::Host)
    }

    /// The same, said by somebody else.
    #[must_use]
    pub fn by(mut self, by: Actor) -> Self {
        self.by = by;
        self
    }

    /// The same as an answer to a certain message.
    #[must_use]
    pub fn replying_to(mut self, message: ProviderMessageId) -> Self {
        self.reply_to = Some(ReplyTo { message, quote: None });
        self
    }

    /// The same in somebody's name.
    #[must_use]
    pub fn with_face(mut self, face: Face) -> Self {
        self.face = Some(face);
        self
    }

    fn author(&self) -> Author {
        if self.by.is_human() { Author::Person } else { Author::Program }
    }
}

impl Decision<'_> {
    /// What would go out at the address of the conversation at hand.
    pub(super) fn plan(&self, conversation: &Conversation, content: &Content) -> Result<Plan, Refusal> {
        if self.env.channel.outbound().is_none() {
            return Err(Refusal::ReceiveOnly);
        }
        let context = PlanContext {
            now: self.now,
            last_inbound: conversation.last_inbound_at,
            reach: self.peer.as_ref().map(|p| p.reach).unwrap_or_default(),
            paused_until: None,
            publishing: self.env.publishing,
        };
        let plan = plan(&self.env.channel.capabilities_at(&conversation.address), content, &context);
        match plan.refusal {
            Some(refusal) => Err(refusal),
            None => Ok(plan),
        }
    }

    /// Plans a draft and queues its parts; nothing is changed when it is refused.
    pub(super) fn queue(&mut self, draft: Draft) -> Result<Vec<MessageId>, Refusal> {
        let Some(conversation) = self.conversation.clone() else { return Err(Refusal::Empty) };
        let plan = self.plan(&conversation, &draft.content)?;
        let mut queued = Vec::with_capacity(plan.parts.len());
        let mut reply_to = draft.reply_to.clone();
        for content in plan.parts {
            queued.push(self.queue_part(&conversation, content, reply_to.take(), &draft));
        }
        Ok(queued)
    }

    fn queue_part(
        &mut self,
        conversation: &Conversation,
        content: Content,
        reply_to: Option<ReplyTo>,
        draft: &Draft,
    ) -> MessageId {
        let id = MessageId::next(&self.env.ids, self.now);
        if let Some(c) = &mut self.conversation {
            c.answered(&draft.by, self.now, content.preview());
        }
        let author = draft.author();
        let message = Arc::new(MessageRecord {
            id,
            conversation: conversation.id,
            direction: Direction::Out,
            author: draft.by.clone(),
            name: draft.face.as_ref().map(|f| f.name.clone()),
            content,
            provider_ids: Vec::new(),
            names: Vec::new(),
            album: None,
            reply_to,
            face: draft.face.clone(),
            origin: if author == Author::Person { Origin::Person } else { Origin::Automatic },
            at: self.now,
            status: Some(Status::Queued),
            error: None,
            reactions: Vec::new(),
            edited_at: None,
            deleted_at: None,
        });
        self.changes.outbox.push(OutboxRecord {
            message: id,
            peer: self.env.key.peer(conversation.address.clone()),
            conversation: conversation.id,
            chat: conversation.chat.kind,
            author,
            guard: draft.guard.clone(),
            queued_at: self.now,
            due: self.now,
            attempts: 0,
            state: OutboxState::Queued,
            owner: self.env.backlog.has_room().then(|| self.env.node.clone()),
        });
        self.tell(HostEvent::Queued { message: message.clone() });
        self.changes.new_messages.push(message);
        id
    }
}

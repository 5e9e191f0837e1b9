//! Programs that answer: asked with the talk so far, outside of any transaction.

use std::fmt::Debug;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use futures_util::FutureExt;
use omni_core::error::{Error, ErrorKind};
use omni_core::id::{BotId, ConversationId};
use omni_core::policy::{BotAnswer, BotReply};
use omni_core::{Contact, Conversation, Timestamp};
use tracing::{Instrument, warn};

use crate::decide;
use crate::hub::{Hub, Inner};
use crate::store::{Changes, HostEvent, MessageRecord, StoreResult, Target, Unit};

/// A program that answers customers, written by the host: rules, a menu, a language model.
///
/// The hub asks it outside of any transaction and takes the answer in one: when a person has answered meanwhile, the
/// conversation was closed, or the time is over, the answer is dropped with a trace. A bot that fails, panics or is slow
/// hands over to people.
#[async_trait]
pub trait Bot: Debug + Send + Sync + 'static {
    /// Answers. The future is dropped when the time in [`Question::due`] is over.
    ///
    /// # Errors
    /// Any: people take over, and the error's words stand in the trace.
    async fn answer(&self, question: &Question) -> Result<BotReply, Error>;
}

/// What a bot is asked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Question {
    /// Who is asked: one program may be several bots.
    pub bot: BotId,
    /// The number of the question in the conversation.
    pub ask: u32,
    /// The conversation, as it is.
    pub conversation: Conversation,
    /// The latest messages, oldest first; as many as the bot's `memory` says.
    pub messages: Vec<MessageRecord>,
    /// The person, where there is one.
    pub contact: Option<Contact>,
    /// When people take over.
    pub due: Timestamp,
}

/// A question on its way, as the log tells of it.
struct Asked {
    conversation: ConversationId,
    bot: BotId,
    ask: u32,
    memory: u32,
    due: Timestamp,
}

impl Hub {
    /// Puts a program behind the name that books give a bot; one of that name is replaced. Bots of a book that stand
    /// behind no program hand over to people at once.
    pub fn add_bot(&self, name: impl Into<BotId>, bot: impl Bot) {
        let mut bots = self.inner.bots.write().unwrap_or_else(PoisonError::into_inner);
        bots.insert(name.into(), Arc::new(bot));
    }
}

impl Inner {
    /// Asks the bots that a committed decision wants asked. Nothing is lost when the process ends before they answer:
    /// the conversation's timer hands over to people.
    pub(crate) fn ask_bots(self: &Arc<Self>, changes: &Changes) {
        for entry in &changes.entries {
            let HostEvent::BotAsked { bot, ask, memory, due } = &entry.event else { continue };
            let Some(conversation) = entry.conversation else { continue };
            let asked = Asked { conversation, bot: bot.clone(), ask: *ask, memory: *memory, due: *due };
            let span = tracing::debug_span!("bot", %conversation, bot = %asked.bot, ask = asked.ask);
            tokio::spawn(self.clone().put_question(asked).instrument(span));
        }
    }

    async fn put_question(self: Arc<Self>, asked: Asked) {
        let reply = tokio::select! {
            reply = AssertUnwindSafe(self.reply_of(&asked)).catch_unwind() => match reply {
                Ok(Ok(reply)) => reply,
                Ok(Err(error)) => BotReply::Failed(error.to_string()),
                Err(_) => BotReply::Failed("the bot panicked".to_owned()),
            },
            // The conversation's timer hands over, in one transaction with all else that is due.
            () = self.clock.sleep_until(asked.due) => return,
            () = self.stop.cancelled() => return,
        };
        let answer = BotAnswer { bot: asked.bot, ask: asked.ask, reply };
        if let Err(error) = self.take_answer(asked.conversation, answer).await {
            warn!(%error, "a bot's answer was not stored; people take over when its time is over");
        }
    }

    async fn reply_of(&self, asked: &Asked) -> Result<BotReply, Error> {
        let bot = self.bots.read().unwrap_or_else(PoisonError::into_inner).get(&asked.bot).cloned();
        let Some(bot) = bot else {
            let text = format!("no program stands behind the bot {:?}: add one with Hub::add_bot", asked.bot);
            return Err(Error::new(ErrorKind::Configuration, "bot").with_text(text));
        };
        let storage = |e| Error::new(ErrorKind::Storage, "bot").with_source(e);
        let question = self.question(asked).await.map_err(storage)?;
        let gone = || Error::new(ErrorKind::NotFound, "bot").with_text("the conversation is gone");
        bot.answer(&question.ok_or_else(gone)?).await
    }

    async fn question(&self, asked: &Asked) -> StoreResult<Option<Question>> {
        let Some(conversation) = self.store.conversation(asked.conversation).await? else { return Ok(None) };
        let memory = usize::try_from(asked.memory).unwrap_or(usize::MAX);
        let mut messages = self.store.messages(conversation.id, None, memory).await?;
        messages.reverse();
        let contact = match conversation.contact {
            Some(id) => self.store.contact(id).await?,
            None => None,
        };
        let (bot, ask, due) = (asked.bot.clone(), asked.ask, asked.due);
        Ok(Some(Question { bot, ask, conversation, messages, contact, due }))
    }

    async fn take_answer(
        self: &Arc<Self>,
        conversation: ConversationId,
        answer: BotAnswer,
    ) -> Result<(), crate::HubError> {
        let env = self.line_of(conversation).await?.env();
        let now = self.now();
        let unit = Unit::new(Target::Conversation(conversation), move |snapshot| {
            decide::bot_answered(&env, now, &answer, snapshot)
        });
        self.commit(unit).await.map(drop)
    }
}

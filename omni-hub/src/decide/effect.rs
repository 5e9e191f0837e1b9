//! The policy asked, and its effects done.

use omni_core::Conversation;
use omni_core::content::{Content, Part};
use omni_core::conversation::{Actor, Closed};
use omni_core::id::MessageId;
use omni_core::plan::Refusal;
use omni_core::policy::book::{Window, WindowClosed};
use omni_core::policy::{Context, Effect, Guard, Input, Verdict, Words};

use super::{Decision, Draft, OtherSide};
use crate::store::HostEvent;

impl Decision<'_> {
    /// Runs the policy on an input and does what it wants.
    pub(super) fn step(&mut self, input: &Input<'_>) {
        let Some(conversation) = &self.conversation else { return };
        let desk = self.env.tenant.desk();
        let context = Context::at(self.now)
            .on(&self.env.provider)
            .with_contact(self.contact.as_ref())
            .with_desk(&desk)
            .with_window(self.window(conversation));
        let step = self.env.policy.step(conversation, input, &context);
        self.trace.steps.extend(step.trace.steps);
        if let Some(flow) = step.flow
            && let Some(conversation) = &mut self.conversation
        {
            let waited = conversation.flow.queue.take();
            conversation.flow = flow;
            if let Some(queue) = conversation.flow.queue.clone().filter(|q| waited.as_ref() != Some(q)) {
                self.tell(HostEvent::Waiting { team: queue.team, since: queue.since });
            }
        }
        if let Some(memory) = step.memory
            && let Some(contact) = &mut self.contact
        {
            contact.memory = memory;
            self.changes.contact = Some(contact.clone());
        }
        self.stepping = true;
        for effect in step.effects {
            self.effect(effect);
        }
        self.stepping = false;
        if std::mem::take(&mut self.ended) {
            self.step(&Input::Closed);
        }
    }

    /// Whether free replies are possible.
    pub(super) fn window(&self, conversation: &Conversation) -> Window {
        let length = self.env.channel.capabilities_at(&conversation.address).reply_window;
        match (length, conversation.last_inbound_at) {
            (Some(length), Some(last)) if self.now >= last + length => Window::Closed,
            _ => Window::Open,
        }
    }

    fn effect(&mut self, effect: Effect) {
        let Some(conversation) = &mut self.conversation else { return };
        match effect {
            Effect::Reply { content, by, guard } => self.automatic(Draft::guarded(content, by, guard)),
            Effect::Assign { to, by } => {
                conversation.owner = to.clone();
                self.tell(HostEvent::Assigned { to, by });
            }
            Effect::Show { to } => conversation.visible = to,
            Effect::Close { reason, by } => self.close(Closed { at: self.now, reason, by }),
            Effect::Tag { tag, by } => {
                if !conversation.tags.contains(&tag) {
                    conversation.tags.push(tag.clone());
                    self.tell(HostEvent::Tagged { tag, by });
                }
            }
            Effect::SetField { field, value, by } => self.set_field(field, value, by),
            Effect::Note { text, by } => self.tell(HostEvent::Noted { text, by }),
            Effect::AskBot { bot, ask, memory, due } => {
                self.tell(HostEvent::BotAsked { bot, ask, memory, due });
            }
            Effect::SetTimer { kind, due } => self.set_timer(kind, due),
            Effect::CancelTimer { kind } => self.cancel_timer(kind),
            Effect::Clock { clock, news, due } => self.tell(HostEvent::Clock { clock, news, due }),
            Effect::Notify { topic, text } => self.tell(HostEvent::Notice { topic, text }),
            // An effect of a newer core than this hub knows; the trace says that it was not done.
            other => {
                self.trace.note(format!("{other:?}"), Verdict::Dropped, "this hub does not know the effect")
            }
        }
    }

    /// Queues an automatic text, or says why not.
    fn automatic(&mut self, draft: Draft) {
        if self.other_side == OtherSide::Robot {
            return self.drop_text("the other side is a robot", None);
        }
        match self.queue(draft.clone()) {
            Ok(_) => {}
            Err(Refusal::WindowClosed { .. } | Refusal::TemplateNeeded) => self.instead(draft, None),
            Err(refusal) => self.drop_text(refusal.to_string(), None),
        }
    }

    /// The time for free replies is over: what the policy wants in the text's place. Never nothing in silence.
    pub(super) fn instead(&mut self, draft: Draft, message: Option<MessageId>) {
        match draft.guard.window_closed {
            WindowClosed::Template(template) => {
                let guard = Guard { window_closed: WindowClosed::Skip, ..draft.guard };
                let content = Content::part(Part::Template(template));
                self.trace.note(
                    "automatic text",
                    Verdict::Applied,
                    "the reply window is closed: a template goes instead",
                );
                if let Err(refusal) = self.queue(Draft::guarded(content, draft.by, guard)) {
                    self.drop_text(refusal.to_string(), message);
                }
            }
            WindowClosed::Task(topic) => {
                self.trace.note(
                    "automatic text",
                    Verdict::Dropped,
                    "the reply window is closed: somebody is told",
                );
                let text = draft.content.preview();
                self.tell(HostEvent::Notice { topic, text });
            }
            _ => self.drop_text("the reply window is closed", message),
        }
    }

    fn drop_text(&mut self, because: impl Into<Words>, message: Option<MessageId>) {
        self.trace.note("automatic text", Verdict::Dropped, because);
        self.tell(HostEvent::Dropped { message });
    }

    /// Tells of a field that was set. One of the conversation is in its flow; one of the contact is set here.
    pub(super) fn set_field(&mut self, field: String, value: String, by: Actor) {
        self.tell(HostEvent::FieldSet { field: field.clone(), value: value.clone(), by });
        let Some(of_contact) = field.strip_prefix("contact.fields.") else { return };
        let (Some(contact), field) = (&mut self.contact, of_contact.to_owned()) else { return };
        if value.is_empty() {
            contact.fields.remove(&field);
        } else {
            contact.fields.insert(field, value);
        }
        self.changes.contact = Some(contact.clone());
    }
}

//! What is said by itself, with its variables filled in.

use std::borrow::Cow;

use super::turn::Turn;
use crate::content::{Content, Keyboard, KeyboardPlace, Part, Template};
use crate::conversation::{Actor, Owner};
use crate::id::{RuleId, TeamId};
use crate::policy::book::{Say, WindowClosed};
use crate::policy::{Effect, Guard, Overtaken, template};
use crate::text::Text;

/// What names of a contact's own fields begin with.
pub(super) const CONTACT_FIELD: &str = "contact.fields.";

impl Turn<'_> {
    /// Says something, unless something forbids it: that is dropped with its reason.
    pub(super) fn say(&mut self, rule: &RuleId, by: &Actor, say: &Say) {
        let unless = if self.open { Overtaken::PersonAnswered } else { Overtaken::TalkGoesOn };
        self.say_unless(rule, by, say, unless);
    }

    pub(super) fn say_unless(&mut self, rule: &RuleId, by: &Actor, say: &Say, unless: Overtaken) {
        if let Some(why) = self.quiet.clone() {
            return self.dropped(rule, why);
        }
        if self.flow().robot {
            return self.dropped(rule, "a program wrote last: programs are not answered");
        }
        if !self.may_speak(by) {
            self.effects.push(Effect::Notify {
                topic: "loop_guard".to_owned(),
                text: format!("{rule}: too many automatic texts to one contact"),
            });
            return self.dropped(rule, "too many automatic texts to this contact in a short time");
        }
        let Some(content) = self.content(rule, say) else { return };
        let Some(window_closed) = self.in_place(rule, &say.window_closed) else { return };
        self.spoke(by);
        if matches!(by, Actor::Bot { .. }) {
            let now = self.now;
            self.flow_mut().bot_at = Some(now);
        }
        self.effects.push(Effect::Reply { content, by: by.clone(), guard: Guard { unless, window_closed } });
    }

    fn content(&mut self, rule: &RuleId, say: &Say) -> Option<Content> {
        let mut content = Content::default();
        if let Some(text) = &say.text {
            content.text = Some(Text::plain(self.filled(rule, text)?));
        }
        content.parts.extend(say.media.iter().cloned().map(Part::Media));
        if let Some(template) = &say.template {
            content.parts.push(Part::Template(self.template(rule, template)?));
        }
        if !say.buttons.is_empty() {
            content.keyboard = Some(Keyboard { place: KeyboardPlace::Message, rows: say.buttons.clone() });
        }
        Some(content)
    }

    fn template(&mut self, rule: &RuleId, template: &Template) -> Option<Template> {
        let mut template = template.clone();
        for value in template.params.values_mut() {
            *value = self.filled(rule, value)?;
        }
        Some(template)
    }

    fn in_place(&mut self, rule: &RuleId, instead: &WindowClosed) -> Option<WindowClosed> {
        Some(match instead {
            WindowClosed::Template(template) => WindowClosed::Template(self.template(rule, template)?),
            other => other.clone(),
        })
    }

    /// A text with its variables filled in; nothing, with a reason in the trace, when one is not known.
    pub(super) fn filled(&mut self, rule: &RuleId, text: &str) -> Option<String> {
        match template::render(text, |name| self.value(name)) {
            Ok(text) => Some(text),
            Err(missing) => {
                self.dropped(rule, missing.to_string());
                None
            }
        }
    }

    /// The value of a variable, where it is known and not empty.
    pub(super) fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        let value = match name.split_once('.') {
            Some(("contact", field)) => self.contact_value(field),
            Some(("item", field)) => self.item_value(field),
            Some(("agent", "name")) => self.agent_name(),
            Some(("team", "name")) => self.team_name(),
            Some(("channel", "name")) => self.engine.policy.name.as_deref().map(Cow::Borrowed),
            Some(("conversation", "title")) => Some(Cow::Borrowed(self.c.title.as_str())),
            _ => {
                let field = self.flow().fields.get(name).or_else(|| self.engine.book.variables.get(name));
                field.map(|value| Cow::Borrowed(value.as_str()))
            }
        };
        value.filter(|value| !value.is_empty())
    }

    fn contact_value(&self, field: &str) -> Option<Cow<'_, str>> {
        let contact = self.cx.contact?;
        let profile = &contact.profile;
        let value = match field {
            "name" => profile.name.as_ref(),
            "username" => profile.username.as_ref(),
            "phone" => profile.phone.as_ref(),
            "email" => profile.email.as_ref(),
            "language" => profile.language.as_ref(),
            field => contact.fields.get(field.strip_prefix("fields.")?),
        };
        value.map(|value| Cow::Borrowed(value.as_str()))
    }

    fn item_value(&self, field: &str) -> Option<Cow<'_, str>> {
        let item = self.c.item.as_ref()?;
        match field {
            "title" => item.title.as_deref().map(Cow::Borrowed),
            "price" => item.price.as_deref().map(Cow::Borrowed),
            "url" => item.url.as_ref().map(|url| Cow::Borrowed(url.as_str())),
            _ => None,
        }
    }

    fn agent_name(&self) -> Option<Cow<'_, str>> {
        let Owner::Agent { agent } = &*self.owner else { return None };
        let name = self.engine.book.agents.get(agent).and_then(|a| a.name.as_deref());
        name.map(Cow::Borrowed)
    }

    fn team_name(&self) -> Option<Cow<'_, str>> {
        let team: &TeamId = self.flow().team.as_ref()?;
        self.engine.book.teams.get(team).and_then(|t| t.name.as_deref()).map(Cow::Borrowed)
    }

    /// The person's language, as far as told.
    pub(super) fn language(&self) -> Option<&str> {
        self.cx.contact.and_then(|c| c.profile.language.as_deref())
    }

    /// Whether the conversation has a label, given what this step has put on it.
    pub(super) fn has_tag(&self, tag: &str) -> bool {
        self.c.tags.iter().any(|t| t == tag)
            || self.effects.iter().any(|e| matches!(e, Effect::Tag { tag: put, .. } if put == tag))
    }

    /// Sets a field of the conversation; an empty value takes it away.
    pub(super) fn set(&mut self, field: &str, value: &str) {
        let fields = &mut self.flow_mut().fields;
        if value.is_empty() {
            fields.remove(field);
        } else {
            fields.insert(field.to_owned(), value.to_owned());
        }
    }
}

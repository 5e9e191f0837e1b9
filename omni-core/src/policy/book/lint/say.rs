//! What is said: words, variables, templates.

use super::{At, FindingKind, Lint, nearest};
use crate::content::Template;
use crate::policy::book::{Say, WindowClosed};
use crate::policy::template::variables;

/// Variables that are always there, by the first part of their names.
const ROOTS: &[&str] = &["contact", "agent", "team", "channel", "item", "conversation"];

/// Those that have a value, if it is known.
const NAMES: &[&str] = &[
    "contact.name",
    "contact.username",
    "contact.phone",
    "contact.email",
    "contact.language",
    "agent.name",
    "team.name",
    "channel.name",
    "item.title",
    "item.price",
    "item.url",
    "conversation.title",
];

/// Whether a name is one of those that books cannot give.
pub(super) fn is_reserved(name: &str) -> bool {
    name.split_once('.').is_some_and(|(root, _)| ROOTS.contains(&root))
}

impl<'a> Lint<'a> {
    pub(super) fn say(&mut self, at: &At, say: &'a Say) {
        if say.is_empty() {
            let message = "this says nothing: give it a `text`, `media` or a `template`";
            self.add(FindingKind::EmptyReply, at, message);
        }
        if let (Some(_), Some(template)) = (&say.text, &say.template) {
            let message = format!(
                "a template is sent in place of words: leave out the `text`, or the template `{}`",
                template.name
            );
            self.add(FindingKind::TextAndTemplate, &at.key("template"), message);
        }
        if let Some(text) = &say.text {
            // Written short, the text stands for the table; its place is then the table's.
            self.template(&at.key("text"), text);
        }
        if let Some(template) = &say.template {
            self.provider_template(&at.key("template"), template);
        }
        for (i, row) in say.buttons.iter().enumerate() {
            let at = at.key("buttons").index(i);
            if row.is_empty() {
                self.add(FindingKind::EmptyList, &at, "a row without keys: add a key, or take it out");
            }
            for (j, button) in row.iter().enumerate() {
                self.words(&at.index(j), &button.label, "the label of this key");
            }
        }
        match &say.window_closed {
            WindowClosed::Skip => {}
            WindowClosed::Template(template) => {
                self.provider_template(&at.keys(["window_closed", "template"]), template);
            }
            WindowClosed::Task(topic) => self.words(&at.keys(["window_closed", "task"]), topic, "the topic"),
        }
    }

    fn provider_template(&mut self, at: &At, template: &Template) {
        self.words(&at.key("name"), &template.name, "the name of the template");
        for (name, value) in &template.params {
            self.template(&at.keys(["params", name]), value);
        }
    }

    /// The variables of a text.
    pub(super) fn template(&mut self, at: &At, text: &str) {
        let variables = match variables(text) {
            Ok(variables) => variables,
            Err(bad) => return self.add(FindingKind::BadTemplate, at, bad.to_string()),
        };
        for variable in variables {
            let name = variable.name;
            let shown = format!("{{{{{name}}}}}");
            let is_known = self.known_variable(at, name);
            if variable.fallback.is_some() || !is_known || self.book.variables.contains_key(name) {
                continue;
            }
            let advice = format!("write {{{{{name}|something else}}}}");
            if is_reserved(name) {
                let is_sure = name == "channel.name"
                    && self
                        .uses
                        .channels
                        .iter()
                        .all(|user| user.policy.name.is_some() || user.policy.scenario.is_none());
                if !is_sure {
                    let message = format!("where {shown} is not known the text is not sent: {advice}");
                    self.add(FindingKind::NoFallback, at, message);
                }
            } else if self.is_whole() && !self.uses.fields.contains(name) {
                let message = format!(
                    "nothing in the book sets {shown}; where the host does not either, the text is not \
                                       sent: add it to [variables], or {advice}"
                );
                self.add(FindingKind::UnsetVariable, at, message);
            }
        }
    }

    /// Whether there can be such a variable; says so if not.
    pub(super) fn known_variable(&mut self, at: &At, name: &str) -> bool {
        let is_own = name.strip_prefix("contact.fields.").is_some_and(|field| !field.is_empty());
        if !is_reserved(name) || is_own || NAMES.contains(&name) {
            return true;
        }
        let root = name.split('.').next().unwrap_or_default();
        let siblings = NAMES.iter().copied().filter(|known| known.split('.').next() == Some(root));
        let message = match nearest(name, NAMES.iter().copied()) {
            Some(near) => format!("there is no variable `{name}`: did you mean `{near}`?"),
            None => {
                let own = if root == "contact" { ", contact.fields.*" } else { "" };
                format!(
                    "there is no variable `{name}`: there are {}{own}",
                    siblings.collect::<Vec<_>>().join(", ")
                )
            }
        };
        self.add(FindingKind::UnknownVariable, at, message);
        false
    }
}

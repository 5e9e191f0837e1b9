//! What is said by itself.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::form::{or_text, short_or_table};
use super::is_default;
use crate::content::{Button, Template};
use crate::media::Media;

/// What is said: words with `{{variables}}`, keys, files, or a template. A text alone may stand for the table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[schemars(default, deny_unknown_fields, transform = or_text)]
pub struct Say {
    /// The words. `{{contact.name|друг}}` is the contact's name, or `друг` where it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Keys under the message, row by row: a label alone, or a table as in [`Button`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<Vec<Key>>")]
    pub buttons: Vec<Vec<Button>>,
    /// Files, by their public address.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
    /// A text approved by the provider, in place of words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<Template>,
    /// What is done when the time for free replies is over.
    #[serde(skip_serializing_if = "is_default")]
    pub window_closed: WindowClosed,
}

/// What is done with an automatic text when the time for free replies is over. Never nothing in silence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WindowClosed {
    /// It is dropped, and the trace says so.
    #[default]
    Skip,
    /// This template goes in its place.
    Template(Template),
    /// The host is told that somebody has to do something, under this topic.
    Task(String),
}

impl Say {
    /// Words alone.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }

    /// Whether it says nothing at all.
    pub fn is_empty(&self) -> bool {
        self.text.as_ref().is_none_or(|t| t.trim().is_empty())
            && self.media.is_empty()
            && self.template.is_none()
    }
}

impl<'de> Deserialize<'de> for Say {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        struct Table {
            text: Option<String>,
            buttons: Vec<Vec<Key>>,
            media: Vec<Media>,
            template: Option<Template>,
            window_closed: WindowClosed,
        }
        let short = |text| Ok(Table { text: Some(text), ..Table::default() });
        let table =
            short_or_table(d, "a text, or a table with `text`, `buttons`, `media` or `template`", short)?;
        Ok(Self {
            text: table.text,
            buttons: keys(table.buttons),
            media: table.media,
            template: table.template,
            window_closed: table.window_closed,
        })
    }
}

/// A key: a label alone writes that label.
#[derive(JsonSchema)]
#[schemars(inline, transform = or_text)]
pub(super) struct Key(Button);

pub(super) fn keys(rows: Vec<Vec<Key>>) -> Vec<Vec<Button>> {
    rows.into_iter().map(|row| row.into_iter().map(|key| key.0).collect()).collect()
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let label = |label: String| Ok(Button::say(label));
        short_or_table(d, "a label, or a table with `label` and `action`", label).map(Self)
    }
}

//! Texts that can never be sent on a channel, by what is known of it.

use std::collections::BTreeSet;
use std::time::Duration;

use super::step::Way;
use super::uses::User;
use super::{At, FindingKind, Lint};
use crate::capability::Capabilities;
use crate::content::{Content, Keyboard, KeyboardPlace, Part};
use crate::plan::{PlanContext, Refusal, plan};
use crate::policy::book::{AfterHours, Do, Say, WindowClosed};
use crate::text::Text;
use crate::time::Timestamp;

impl<'a> Lint<'a> {
    pub(super) fn sendable(&mut self) {
        let Some(known) = &self.known.channels else { return };
        let mut found: Vec<(At, String)> = Vec::new();
        for user in &self.uses.channels {
            let Some(id) = user.id else { continue };
            let Some(capabilities) = known.get(id).and_then(|channel| channel.capabilities.as_ref()) else {
                continue;
            };
            let mut seen = BTreeSet::new();
            self.texts_of(user, &mut |at, say, silent| {
                if let Some(why) = refusal(capabilities, say, silent)
                    && seen.insert(at.clone())
                {
                    found.push((at, format!("this can never be sent on the channel `{id}`: {why}")));
                }
            });
        }
        for (at, message) in found {
            self.add(FindingKind::Unsendable, &at, message);
        }
    }

    /// All that is said on a channel, and for how long the person has said nothing by then, at least.
    fn texts_of(&self, user: &User<'a>, visit: &mut dyn FnMut(At, &'a Say, Duration)) {
        let (policy, at) = (user.policy, &user.at);
        let replies =
            policy.auto_replies.iter().enumerate().map(|(i, r)| (at.key("auto_replies").index(i), r));
        let after_hours = match &policy.after_hours {
            Some(AfterHours::Replies(replies)) => replies.as_slice(),
            _ => &[],
        };
        let late =
            after_hours.iter().enumerate().map(|(i, r)| (at.keys(["after_hours", "replies"]).index(i), r));
        for (at, reply) in replies.chain(late) {
            visit(at, &reply.say, Duration::ZERO);
        }
        if let Some((text, close)) =
            policy.auto_close.as_ref().and_then(|close| Some((close.text.as_ref()?, close)))
        {
            visit(at.keys(["auto_close", "text"]), text, close.after.get());
        }
        self.walk(user, &mut |way: &Way<'_, 'a>| match way.step {
            Do::Reply(say) => visit(way.at.key("reply"), say, way.silent),
            Do::Close(close) => {
                if let Some(text) = &close.text {
                    visit(way.at.keys(["close", "text"]), text, way.silent);
                }
            }
            _ => {}
        });
    }
}

/// Why a channel refuses a text, were it sent so long after the person's last word.
fn refusal(capabilities: &Capabilities, say: &Say, silent: Duration) -> Option<String> {
    if say.is_empty() {
        // Said elsewhere.
        return None;
    }
    let last = Timestamp::from_secs(0);
    let context = PlanContext { now: last + silent, last_inbound: Some(last), ..PlanContext::default() };
    match plan(capabilities, &content(say), &context).refusal? {
        Refusal::WindowClosed { .. } | Refusal::TemplateNeeded if say.window_closed != WindowClosed::Skip => {
            None
        }
        Refusal::WindowClosed { .. } | Refusal::TemplateNeeded => Some(
            "the time for free replies is over by then; say in `window_closed` what is done instead"
                .to_owned(),
        ),
        refusal => Some(refusal.to_string()),
    }
}

/// What would go out, but for the values of variables.
fn content(say: &Say) -> Content {
    let media = say.media.iter().cloned().map(Part::Media);
    let template = say.template.iter().cloned().map(Part::Template);
    Content {
        text: say.text.clone().map(Text::plain),
        parts: media.chain(template).collect(),
        keyboard: (!say.buttons.is_empty())
            .then(|| Keyboard { place: KeyboardPlace::Message, rows: say.buttons.clone() }),
    }
}

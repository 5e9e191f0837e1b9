//! What a program can do: its owner says so in the settings, and everything goes by it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use omni_core::Capabilities;
use omni_core::capability::{
    Action, ButtonLimit, FirstContact, Idempotency, Markup, MediaLimit, Rate, RateChats, Sources, Support,
    TextLimit,
};
use omni_core::content::ContentKind;
use omni_core::error::{RateScope, Result};
use omni_core::event::EventKind;
use omni_core::status::Status;
use omni_core::text::Unit;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::wrong;
use crate::wire::How;

/// What everything is counted in: JavaScript, Java and C# count so, and entities do.
pub(crate) const UNIT: Unit = Unit::Utf16;
/// Most bytes of a file inside a request: it is held in memory on both sides, and Base64 makes it larger.
pub(crate) const INLINE_MAX: u64 = 16 << 20;
/// Largest inbound file, where the settings say nothing.
pub(crate) const FETCH: u64 = 50 << 20;

/// What the program can do.
///
/// With nothing set it shows words, pictures and files; whatever else somebody sends goes as one of these, and keys as
/// a numbered list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "What the program can do")]
#[non_exhaustive]
pub struct Abilities {
    /// Kinds of content that the program shows beside words. What is not named goes in a simpler form where there is
    /// one, and is refused otherwise.
    #[schemars(title = "Shows")]
    pub content: BTreeSet<Shows>,
    /// What it can do beside showing messages.
    #[schemars(title = "Does")]
    pub actions: BTreeSet<Does>,
    /// News of messages that it will tell.
    #[schemars(title = "Tells")]
    pub statuses: BTreeSet<How>,
    /// Whether it renders bold, links and the like.
    #[schemars(title = "Rich text")]
    pub markup: Markup,
    /// Longest text, in UTF-16 units; longer ones are split.
    #[schemars(title = "Longest text", range(min = 1))]
    pub text_max: u32,
    /// Most keys under a message.
    #[schemars(title = "Most keys", range(min = 1))]
    pub keys_max: u32,
    /// Longest label of a key, in UTF-16 units.
    #[schemars(title = "Longest label", range(min = 1))]
    pub label_max: u32,
    /// Longest data of a key, in bytes.
    #[schemars(title = "Longest data of a key, in bytes", range(min = 1))]
    pub data_max: u32,
    /// Most files in one message, where it shows albums.
    #[schemars(title = "Most files in a message", range(min = 2))]
    pub album_max: u32,
    /// Largest file that comes inside a request, in bytes, at most 16 MiB. With 0 files come only by address: the hub
    /// has to publish its files.
    #[schemars(title = "Largest file in a request, in bytes", range(max = 16_777_216))]
    pub inline_bytes: u64,
    /// Largest file at an address, in bytes.
    #[schemars(title = "Largest file at an address, in bytes", range(min = 1))]
    pub file_bytes: u64,
    /// Most messages a second; left out, as fast as they come.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Messages a second", range(min = 1, max = 1000))]
    pub per_second: Option<u32>,
    /// Whether we may write to a chat in which nobody has written yet.
    #[schemars(title = "Who may write first")]
    pub first_contact: FirstContact,
}

/// Kinds of content that a program may show beside words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[allow(missing_docs)] // their meaning stands at `ContentKind`
pub enum Shows {
    Image,
    Video,
    Animation,
    VideoNote,
    Audio,
    Voice,
    File,
    Sticker,
    Album,
    Location,
    Contact,
    Item,
    Buttons,
    QuickReplies,
    Reply,
}

impl Shows {
    /// All of them.
    pub const ALL: [Shows; 15] = [
        Shows::Image,
        Shows::Video,
        Shows::Animation,
        Shows::VideoNote,
        Shows::Audio,
        Shows::Voice,
        Shows::File,
        Shows::Sticker,
        Shows::Album,
        Shows::Location,
        Shows::Contact,
        Shows::Item,
        Shows::Buttons,
        Shows::QuickReplies,
        Shows::Reply,
    ];

    fn kind(self) -> ContentKind {
        match self {
            Shows::Image => ContentKind::Image,
            Shows::Video => ContentKind::Video,
            Shows::Animation => ContentKind::Animation,
            Shows::VideoNote => ContentKind::VideoNote,
            Shows::Audio => ContentKind::Audio,
            Shows::Voice => ContentKind::Voice,
            Shows::File => ContentKind::File,
            Shows::Sticker => ContentKind::Sticker,
            Shows::Album => ContentKind::Album,
            Shows::Location => ContentKind::Location,
            Shows::Contact => ContentKind::Contact,
            Shows::Item => ContentKind::Item,
            Shows::Buttons => ContentKind::Buttons,
            Shows::QuickReplies => ContentKind::QuickReplies,
            Shows::Reply => ContentKind::Reply,
        }
    }

    /// Whether something simpler, words at the least, says the same.
    fn falls_back(self) -> bool {
        !matches!(self, Shows::Album | Shows::Reply)
    }
}

/// What a program may do beside showing messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Does {
    /// Changes messages of ours.
    Edit,
    /// Takes messages of ours back.
    Delete,
    /// Shows our signs on messages.
    React,
    /// Shows that messages were seen by us.
    MarkRead,
    /// Shows that somebody of ours is writing.
    Typing,
}

impl Does {
    /// All of them.
    pub const ALL: [Does; 5] = [Does::Edit, Does::Delete, Does::React, Does::MarkRead, Does::Typing];
}

impl Default for Abilities {
    fn default() -> Self {
        Self {
            content: BTreeSet::from([Shows::Image, Shows::File]),
            actions: BTreeSet::new(),
            statuses: BTreeSet::new(),
            markup: Markup::None,
            text_max: 4096,
            keys_max: 40,
            label_max: 64,
            data_max: 256,
            album_max: 10,
            inline_bytes: 1 << 20,
            file_bytes: 100 << 20,
            per_second: None,
            first_contact: FirstContact::Anyone,
        }
    }
}

impl Abilities {
    /// Everything that the protocol has words for.
    pub fn all() -> Self {
        Self {
            content: Shows::ALL.into(),
            actions: Does::ALL.into(),
            statuses: BTreeSet::from([How::Delivered, How::Read, How::Failed]),
            markup: Markup::Entities,
            ..Self::default()
        }
    }

    /// Checks that they make sense.
    pub(crate) fn validate(&self) -> Result<()> {
        let lengths = [self.text_max, self.keys_max, self.label_max, self.data_max];
        if lengths.contains(&0) {
            return wrong("text_max, keys_max, label_max and data_max must be 1 or more");
        }
        if self.album_max < 2 {
            return wrong(
                "album_max must be 2 or more: leave album out of content where there are no albums",
            );
        }
        if self.inline_bytes > INLINE_MAX {
            return wrong("inline_bytes must be 16777216 or less: larger files come by address");
        }
        if self.per_second.is_some_and(|rate| !(1..=1000).contains(&rate)) {
            return wrong("per_second must be 1 to 1000: leave it out for no limit");
        }
        if !matches!(self.first_contact, FirstContact::Anyone | FirstContact::CustomerOnly) {
            return wrong("first_contact must be anyone or customer_only: programs have no templates");
        }
        Ok(())
    }

    fn does(&self, what: Does) -> Action {
        if self.actions.contains(&what) { Action::Yes } else { Action::No }
    }
}

/// What a program with these abilities can do; files larger than `fetch_bytes` are not fetched.
pub fn capabilities(abilities: &Abilities, fetch_bytes: Option<u64>) -> Capabilities {
    let mut caps = Capabilities::default();
    caps.content = content(abilities);
    caps.text = TextLimit::new(abilities.text_max, UNIT);
    caps.caption = Some(caps.text);
    caps.media = media(abilities);
    caps.fetch_bytes = Some(fetch_bytes.unwrap_or(FETCH));
    caps.album_max = abilities.content.contains(&Shows::Album).then_some(abilities.album_max);
    caps.buttons = ButtonLimit {
        total: Some(abilities.keys_max),
        per_row: None,
        label: Some(TextLimit::new(abilities.label_max, UNIT)),
        data_bytes: Some(abilities.data_max),
    };
    caps.markup = abilities.markup;
    caps.edit = abilities.does(Does::Edit);
    caps.delete = abilities.does(Does::Delete);
    caps.react = abilities.does(Does::React);
    caps.mark_read = abilities.does(Does::MarkRead);
    caps.typing = abilities.does(Does::Typing);
    caps.first_contact = abilities.first_contact;
    // The protocol asks the program to recognise a repeat as long as it keeps the message.
    caps.idempotency = Idempotency::Key { memory: None };
    caps.statuses = abilities.statuses.iter().map(|how| status(*how)).collect();
    caps.answer_proves = Some(Status::Accepted);
    caps.rates = abilities.per_second.map(rate).into_iter().collect();
    caps.events = events(abilities);
    caps
}

/// How far a message came, in the core's words.
pub(crate) fn status(how: How) -> Status {
    match how {
        How::Delivered => Status::Delivered,
        How::Read => Status::Read,
        How::Failed => Status::Failed,
    }
}

fn content(abilities: &Abilities) -> BTreeMap<ContentKind, Support> {
    let support = |shows: Shows| match abilities.content.contains(&shows) {
        true => Support::Full,
        false if shows.falls_back() => Support::Fallback,
        false => Support::Rejected,
    };
    let mut content: BTreeMap<_, _> =
        Shows::ALL.iter().map(|shows| (shows.kind(), support(*shows))).collect();
    content.insert(ContentKind::Text, Support::Full);
    content.insert(ContentKind::Email, Support::Fallback);
    content.insert(ContentKind::Forwarded, Support::Fallback);
    content.retain(|_, support| *support != Support::Rejected);
    content
}

fn media(abilities: &Abilities) -> BTreeMap<ContentKind, MediaLimit> {
    use Shows::{Animation, Audio, File, Image, Sticker, Video, VideoNote, Voice};
    let sources = if abilities.inline_bytes == 0 { Sources::Address } else { Sources::Any };
    let limit = MediaLimit {
        bytes: (sources == Sources::Any).then_some(abilities.inline_bytes),
        url_bytes: Some(abilities.file_bytes),
        mime: Vec::new(),
        sources,
    };
    let kinds = [Image, Video, Animation, VideoNote, Audio, Voice, File, Sticker];
    kinds.iter().map(|shows| (shows.kind(), limit.clone())).collect()
}

fn rate(per_second: u32) -> Rate {
    let every = Duration::from_secs(1) / per_second.max(1);
    Rate { scope: RateScope::Account, chats: RateChats::All, burst: per_second, every }
}

/// Keys and news come only from a program that has them.
fn events(abilities: &Abilities) -> Vec<EventKind> {
    use EventKind::*;
    let mut events = vec![
        Message,
        Echo,
        Edited,
        Deleted,
        Reaction,
        Started,
        Subscribed,
        Blocked,
        Typing,
        Read,
        Unsupported,
    ];
    let has_keys = abilities.content.contains(&Shows::Buttons);
    events.extend(has_keys.then_some(Button));
    events.extend((!abilities.statuses.is_empty()).then_some(Status));
    events
}

#[cfg(test)]
mod tests {
    use omni_core::content::{Content, Part};
    use omni_core::media::Media;
    use omni_core::plan::{PlanContext, plan};

    use super::*;

    #[test]
    fn with_nothing_set_every_kind_goes_in_some_form() {
        let caps = capabilities(&Abilities::default(), None);
        for kind in [ContentKind::Image, ContentKind::File, ContentKind::Text] {
            assert_eq!(caps.supports(kind), Support::Full, "{kind:?}");
        }
        let voice = Media::new(omni_core::media::MediaKind::Voice, bytes::Bytes::from_static(b"OggS"));
        let planned = plan(&caps, &Content::part(Part::Media(voice)), &PlanContext::default());
        assert!(planned.is_sendable(), "{planned:?}");
        assert_eq!(caps.supports(ContentKind::Buttons), Support::Fallback);
        assert_eq!(caps.supports(ContentKind::Template), Support::Rejected);
        assert_eq!(caps.supports(ContentKind::Reply), Support::Rejected);
    }

    #[test]
    fn what_the_settings_name_is_declared() {
        let caps = capabilities(&Abilities::all(), Some(7));
        for shows in Shows::ALL {
            assert_eq!(caps.supports(shows.kind()), Support::Full, "{shows:?}");
        }
        for action in [caps.edit, caps.delete, caps.react, caps.mark_read, caps.typing] {
            assert_eq!(action, Action::Yes);
        }
        assert_eq!(caps.statuses, [Status::Delivered, Status::Read, Status::Failed]);
        assert_eq!((caps.fetch_bytes, caps.album_max), (Some(7), Some(10)));
    }

    #[test]
    fn news_and_keys_that_no_program_has_are_not_declared() {
        let events = |abilities: &Abilities| capabilities(abilities, None).events;
        let plain = events(&Abilities::default());
        assert!(!plain.contains(&EventKind::Status) && !plain.contains(&EventKind::Button));
        let all = events(&Abilities::all());
        assert!(all.contains(&EventKind::Status) && all.contains(&EventKind::Button));
    }

    #[test]
    fn without_room_in_requests_files_come_by_address() {
        let abilities = Abilities { inline_bytes: 0, ..Abilities::default() };
        let caps = capabilities(&abilities, None);
        assert!(caps.media.values().all(|limit| limit.sources == Sources::Address && limit.bytes.is_none()));
        let picture = Media::new(omni_core::media::MediaKind::Image, bytes::Bytes::from_static(b"PNG"));
        assert!(!plan(&caps, &Content::media(picture), &PlanContext::default()).is_sendable());
    }

    #[test]
    fn a_pace_is_a_rate_of_the_account() {
        let abilities = Abilities { per_second: Some(20), ..Abilities::default() };
        let [rate] = capabilities(&abilities, None).rates[..] else { panic!("one rate") };
        assert_eq!((rate.burst, rate.every), (20, Duration::from_millis(50)));
    }

    #[test]
    fn abilities_that_make_no_sense_are_refused() {
        let wrong = |change: fn(&mut Abilities)| {
            let mut abilities = Abilities::default();
            change(&mut abilities);
            abilities.validate().unwrap_err().text().unwrap().to_owned()
        };
        assert!(wrong(|a| a.text_max = 0).contains("text_max"));
        assert!(wrong(|a| a.album_max = 1).contains("album_max"));
        assert!(wrong(|a| a.inline_bytes = INLINE_MAX + 1).contains("inline_bytes"));
        assert!(wrong(|a| a.per_second = Some(0)).contains("per_second"));
        assert!(wrong(|a| a.first_contact = FirstContact::TemplateOnly).contains("first_contact"));
        assert!(Abilities::default().validate().is_ok() && Abilities::all().validate().is_ok());
    }
}

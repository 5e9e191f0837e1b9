//! What will really go out, said before it does.
//!
//! [`plan`] is pure: a host asks it to grey out a button with the true reason, the hub executes the very same
//! plan. Nothing is decided twice.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::capability::{Capabilities, FirstContact, Markup, Sources, Support, TextLimit};
use crate::content::{Button, ButtonAction, Content, ContentKind, Keyboard, KeyboardPlace, Part};
use crate::media::{Media, MediaKind, MediaSource};
use crate::text::{EntityKind, Text, Unit};
use crate::time::Timestamp;

/// What is known of the other side when a message is planned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlanContext {
    /// The time of planning.
    pub now: Timestamp,
    /// When the person last wrote here; absent when never.
    pub last_inbound: Option<Timestamp>,
    /// Whether the person lets us write.
    pub reach: Reach,
    /// Until when the channel has to wait (a retry-after), where known.
    pub paused_until: Option<Timestamp>,
    /// Whether files in memory or in the store have a public address.
    pub publishing: Publishing,
}

/// Whether the host serves its files to providers that fetch them by address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Publishing {
    /// No.
    #[default]
    No,
    /// Yes: each can be given an address.
    Yes,
}

/// Whether a person lets us write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reach {
    /// As far as known.
    #[default]
    Open,
    /// The person blocked us.
    Blocked,
}

/// What will go out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// The messages, in order; empty when refused.
    pub parts: Vec<Content>,
    /// What will differ from what was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// Why nothing can go out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// It will wait at least until then: the provider asked for a pause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
}

impl Plan {
    fn refused(refusal: Refusal) -> Self {
        Self { parts: Vec::new(), notes: Vec::new(), refusal: Some(refusal), not_before: None }
    }

    /// Whether it will go out.
    pub fn is_sendable(&self) -> bool {
        self.refusal.is_none()
    }
}

/// How what goes out differs from what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "note", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Note {
    /// The text is cut into several messages.
    TextSplit {
        /// How many.
        pieces: u32,
    },
    /// The text beside the files goes as a message of its own.
    CaptionMoved,
    /// Bold, links and the like go as plain words.
    MarkupFlattened,
    /// The keys go as a numbered list.
    ButtonsAsText,
    /// The rows of keys are laid out anew.
    ButtonsRewrapped,
    /// The files go as several messages.
    AlbumSplit {
        /// How many.
        messages: u32,
    },
    /// This is left out.
    Dropped {
        /// What.
        kind: ContentKind,
    },
    /// This goes in another form.
    FallsBack {
        /// What.
        kind: ContentKind,
    },
}

/// Why nothing can go out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Refusal {
    /// There is nothing to send.
    #[error("there is nothing to send")]
    Empty,
    /// The channel only receives.
    #[error("this channel only receives")]
    ReceiveOnly,
    /// The person blocked us.
    #[error("the person blocked this account")]
    Blocked,
    /// The person has to write first.
    #[error("on this channel the person has to write first")]
    CustomerFirst,
    /// The time for free replies is over.
    #[error("the reply window closed at {closed_at:?}")]
    WindowClosed {
        /// When it closed.
        closed_at: Timestamp,
    },
    /// Only an approved template may go out now.
    #[error("only an approved template may be sent now")]
    TemplateNeeded,
    /// The channel cannot send this kind.
    #[error("this channel cannot send {kind:?}")]
    Unsupported {
        /// What.
        kind: ContentKind,
    },
    /// A file is too large.
    #[error("a file of {bytes} bytes is above the limit of {max}")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The limit.
        max: u64,
    },
    /// The provider fetches files from a public address, and this one has none.
    #[error(
        "this channel takes {kind:?} from a public address only: send an address, or let the host publish its files"
    )]
    NeedsAddress {
        /// What.
        kind: ContentKind,
    },
    /// A file's type is not taken.
    #[error("files of type {mime} are not taken")]
    WrongType {
        /// Its type.
        mime: String,
    },
    /// Too many keys.
    #[error("{count} keys are above the limit of {max}")]
    TooManyButtons {
        /// How many.
        count: u32,
        /// The limit.
        max: u32,
    },
    /// A key's label or data is too long.
    #[error("the label or data of the key {label:?} is too long")]
    ButtonTooLong {
        /// Its label.
        label: String,
    },
}

/// Says what will go out when `content` is sent under `capabilities`.
pub fn plan(capabilities: &Capabilities, content: &Content, context: &PlanContext) -> Plan {
    let mut planner = Planner { capabilities, context, notes: Vec::new(), parts: Vec::new() };
    match planner.run(content) {
        Ok(()) => {
            let not_before = context.paused_until.filter(|until| *until > context.now);
            Plan { parts: planner.parts, notes: planner.notes, refusal: None, not_before }
        }
        Err(refusal) => Plan::refused(refusal),
    }
}

/// Whether anything may go out now, and whether it may be more than a template.
fn may_write(caps: &Capabilities, content: &Content, cx: &PlanContext) -> Result<(), Refusal> {
    if cx.reach == Reach::Blocked {
        return Err(Refusal::Blocked);
    }
    let is_template = content.parts.iter().any(|p| matches!(p, Part::Template(_)));
    let Some(last) = cx.last_inbound else {
        return match caps.first_contact {
            FirstContact::Anyone => Ok(()),
            FirstContact::TemplateOnly if is_template => Ok(()),
            FirstContact::TemplateOnly => Err(Refusal::TemplateNeeded),
            FirstContact::CustomerOnly => Err(Refusal::CustomerFirst),
        };
    };
    match caps.reply_window {
        Some(window) if cx.now >= last + window && !is_template => {
            if caps.supports(ContentKind::Template) > Support::Dropped {
                Err(Refusal::TemplateNeeded)
            } else {
                Err(Refusal::WindowClosed { closed_at: last + window })
            }
        }
        _ => Ok(()),
    }
}

struct Planner<'a> {
    capabilities: &'a Capabilities,
    context: &'a PlanContext,
    notes: Vec<Note>,
    parts: Vec<Content>,
}

impl Planner<'_> {
    fn run(&mut self, content: &Content) -> Result<(), Refusal> {
        may_write(self.capabilities, content, self.context)?;
        if content.is_empty() {
            return Err(Refusal::Empty);
        }
        let mut text = content.text.clone().filter(|t| !t.is_empty());
        if let Some(text) = &mut text {
            self.flatten(text);
        }
        let keyboard = self.keyboard(content.keyboard.as_ref(), &mut text)?;
        let mut album = Vec::new();
        let mut beside = Content::default();
        for part in &content.parts {
            self.part(part, &mut album, &mut beside, &mut text)?;
        }
        let (mail, beside) = beside.parts.into_iter().partition(|part| matches!(part, Part::Email(_)));
        self.media(album, &mut text)?;
        self.beside(beside);
        self.text(text)?;
        self.address(mail);
        self.attach(keyboard);
        Ok(())
    }

    /// Subject, further recipients and the like belong to what is sent, never beside it.
    fn address(&mut self, mail: Vec<Part>) {
        match self.parts.first_mut() {
            Some(first) => first.parts.extend(mail),
            None => self.parts.extend(mail.into_iter().map(Content::part)),
        }
    }

    /// What is no file, each in a message of its own; goods stand together where the channel has carousels.
    fn beside(&mut self, parts: Vec<Part>) {
        let room = self.capabilities.carousel_max.unwrap_or(1).max(1) as usize;
        let (goods, others): (Vec<Part>, Vec<Part>) =
            parts.into_iter().partition(|part| matches!(part, Part::Item(_)));
        self.parts.extend(others.into_iter().map(Content::part));
        let carousels =
            goods.chunks(room).map(|cards| Content { parts: cards.to_vec(), ..Content::default() });
        self.parts.extend(carousels);
    }

    /// Writes entities out where the channel renders none.
    fn flatten(&mut self, text: &mut Text) {
        if self.capabilities.markup != Markup::None || text.entities.is_empty() {
            return;
        }
        let links: Vec<String> = text
            .entities
            .iter()
            .filter_map(|e| match &e.kind {
                EntityKind::Link { url } if text.slice(e) != Some(url.as_str()) => Some(url.clone()),
                _ => None,
            })
            .collect();
        if text.entities.iter().any(|e| !matches!(e.kind, EntityKind::Detected { .. } | EntityKind::Command))
        {
            self.notes.push(Note::MarkupFlattened);
        }
        text.entities.clear();
        for link in links {
            text.plain.push('\n');
            text.plain.push_str(&link);
        }
    }

    fn keyboard(
        &mut self,
        keyboard: Option<&Keyboard>,
        text: &mut Option<Text>,
    ) -> Result<Option<Keyboard>, Refusal> {
        let Some(keyboard) = keyboard else { return Ok(None) };
        let kind = match keyboard.place {
            KeyboardPlace::Message => ContentKind::Buttons,
            _ => ContentKind::QuickReplies,
        };
        match self.capabilities.supports(kind) {
            Support::Full | Support::Partial => self.fit_keyboard(keyboard).map(Some),
            Support::Fallback => {
                let list = numbered(keyboard);
                if !list.is_empty() {
                    self.notes.push(Note::ButtonsAsText);
                    append(text, &list);
                }
                Ok(None)
            }
            Support::Dropped => {
                self.notes.push(Note::Dropped { kind });
                Ok(None)
            }
            Support::Rejected => Err(Refusal::Unsupported { kind }),
        }
    }

    fn fit_keyboard(&mut self, keyboard: &Keyboard) -> Result<Keyboard, Refusal> {
        let limit = self.capabilities.buttons;
        let count = keyboard.rows.iter().map(Vec::len).sum::<usize>();
        if let Some(max) = limit.total.filter(|max| count > *max as usize) {
            return Err(Refusal::TooManyButtons { count: u32::try_from(count).unwrap_or(u32::MAX), max });
        }
        for button in keyboard.rows.iter().flatten() {
            let label_fits = limit.label.is_none_or(|l| fits(&button.label, l));
            let data_fits = match (&button.action, limit.data_bytes) {
                (ButtonAction::Press { data }, Some(max)) => data.len() <= max as usize,
                _ => true,
            };
            if !label_fits || !data_fits || button.label.is_empty() {
                return Err(Refusal::ButtonTooLong { label: button.label.clone() });
            }
        }
        let mut fitted = keyboard.clone();
        if let Some(per_row) = limit.per_row.map(|n| n.max(1) as usize)
            && fitted.rows.iter().any(|row| row.len() > per_row)
        {
            self.notes.push(Note::ButtonsRewrapped);
            fitted.rows =
                fitted.rows.iter().flat_map(|row| row.chunks(per_row).map(<[Button]>::to_vec)).collect();
        }
        Ok(fitted)
    }

    fn part(
        &mut self,
        part: &Part,
        album: &mut Vec<Media>,
        beside: &mut Content,
        text: &mut Option<Text>,
    ) -> Result<(), Refusal> {
        let kind = kind_of(part);
        let support = kind.map_or(Support::Rejected, |k| self.capabilities.supports(k));
        let kind = kind.unwrap_or(ContentKind::Forwarded);
        match (support, part) {
            (Support::Full | Support::Partial, Part::Media(media)) if self.needs_words(media) => {
                self.notes.push(Note::FallsBack { kind });
                append(text, &in_words(part));
            }
            (Support::Full | Support::Partial, Part::Media(media)) => {
                self.check_media(media)?;
                album.push(media.clone());
            }
            (Support::Full | Support::Partial, part) => beside.parts.push(part.clone()),
            (Support::Dropped, _) => self.notes.push(Note::Dropped { kind }),
            (Support::Fallback, Part::Media(media)) => {
                self.notes.push(Note::FallsBack { kind });
                match self.simpler(media)? {
                    Some(simpler) => album.push(simpler),
                    None => append(text, &in_words(part)),
                }
            }
            (Support::Fallback, part) => {
                self.notes.push(Note::FallsBack { kind });
                append(text, &in_words(part));
            }
            (Support::Rejected, _) => return Err(Refusal::Unsupported { kind }),
        }
        Ok(())
    }

    /// The same file as a simpler kind that goes, or `None` to send its address in words.
    fn simpler(&self, media: &Media) -> Result<Option<Media>, Refusal> {
        let chain: &[MediaKind] = match media.kind {
            MediaKind::Sticker => &[MediaKind::Image, MediaKind::File],
            MediaKind::Animation | MediaKind::VideoNote => &[MediaKind::Video, MediaKind::File],
            MediaKind::Voice => &[MediaKind::Audio, MediaKind::File],
            _ => &[MediaKind::File],
        };
        for kind in chain {
            if self.capabilities.supports((*kind).into()) >= Support::Partial {
                let simpler = Media { kind: *kind, ..media.clone() };
                return self.check_media(&simpler).map(|()| Some(simpler));
            }
        }
        match &media.source {
            MediaSource::Url { .. } => Ok(None),
            _ => Err(Refusal::Unsupported { kind: media.kind.into() }),
        }
    }

    /// Whether only its address can be told: the provider takes uploads, and this one is elsewhere.
    fn needs_words(&self, media: &Media) -> bool {
        let limit = self.capabilities.media.get(&media.kind.into());
        matches!(media.source, MediaSource::Url { .. }) && limit.is_some_and(|l| l.sources == Sources::Upload)
    }

    fn check_media(&self, media: &Media) -> Result<(), Refusal> {
        let Some(limit) = self.capabilities.media.get(&media.kind.into()) else { return Ok(()) };
        let is_here = matches!(media.source, MediaSource::Bytes { .. } | MediaSource::Stored { .. });
        let by_address = is_here && limit.sources == Sources::Address;
        if by_address && self.context.publishing == Publishing::No {
            return Err(Refusal::NeedsAddress { kind: media.kind.into() });
        }
        let (bytes, max) = match &media.source {
            MediaSource::Bytes { bytes } if by_address => {
                (Some(bytes.len() as u64), limit.url_bytes.or(limit.bytes))
            }
            MediaSource::Stored { .. } if by_address => (media.size, limit.url_bytes.or(limit.bytes)),
            MediaSource::Bytes { bytes } => (Some(bytes.len() as u64), limit.bytes),
            MediaSource::Stored { .. } => (media.size, limit.bytes),
            MediaSource::Url { .. } => (media.size, limit.url_bytes.or(limit.bytes)),
            MediaSource::Provider(_) => (None, None),
        };
        if let (Some(bytes), Some(max)) = (bytes, max)
            && bytes > max
        {
            return Err(Refusal::TooLarge { bytes, max });
        }
        if !limit.takes(media.mime.as_deref()) {
            return Err(Refusal::WrongType { mime: media.mime.clone().unwrap_or_default() });
        }
        Ok(())
    }

    /// Files as albums of what may stand together, the text as caption of the first message if it fits.
    fn media(&mut self, media: Vec<Media>, text: &mut Option<Text>) -> Result<(), Refusal> {
        if media.is_empty() {
            return Ok(());
        }
        let asked = media.len();
        let max = match self.capabilities.supports(ContentKind::Album) {
            Support::Full | Support::Partial => self.capabilities.album_max.unwrap_or(10).max(1) as usize,
            _ => 1,
        };
        // A mail carries files of all kinds.
        let is_mail = self.capabilities.supports(ContentKind::Email) >= Support::Partial;
        let mut groups: Vec<Vec<Media>> = Vec::new();
        for file in media {
            match groups.last_mut() {
                Some(group)
                    if group.len() < max
                        && (is_mail || group.last().is_some_and(|f| stand_together(f.kind, file.kind))) =>
                {
                    group.push(file);
                }
                _ => groups.push(vec![file]),
            }
        }
        if groups.len() > 1 && asked > 1 {
            self.notes.push(Note::AlbumSplit { messages: u32::try_from(groups.len()).unwrap_or(u32::MAX) });
        }
        let mut contents: Vec<Content> = groups
            .into_iter()
            .map(|g| Content { parts: g.into_iter().map(Part::Media).collect(), ..Content::default() })
            .collect();
        if let (Some(words), Some(first)) = (&*text, contents.first_mut()) {
            let takes_caption =
                first.all_media().all(|m| !matches!(m.kind, MediaKind::Sticker | MediaKind::VideoNote));
            match self.capabilities.caption {
                Some(limit) if takes_caption && fits(&words.plain, limit) => first.text = text.take(),
                _ => self.notes.push(Note::CaptionMoved),
            }
        }
        self.parts.append(&mut contents);
        Ok(())
    }

    fn text(&mut self, text: Option<Text>) -> Result<(), Refusal> {
        let Some(text) = text else { return Ok(()) };
        if self.capabilities.supports(ContentKind::Text) <= Support::Dropped {
            return Err(Refusal::Unsupported { kind: ContentKind::Text });
        }
        let limit = self.capabilities.text;
        let pieces = match limit.max {
            Some(max) => text.split(max as usize, limit.unit),
            None => vec![text],
        };
        if pieces.len() > 1 {
            self.notes.push(Note::TextSplit { pieces: u32::try_from(pieces.len()).unwrap_or(u32::MAX) });
        }
        self.parts.extend(pieces.into_iter().map(Content::text));
        if self.parts.is_empty() { Err(Refusal::Empty) } else { Ok(()) }
    }

    /// Keys hang under the last message that can carry them: not under an album.
    fn attach(&mut self, keyboard: Option<Keyboard>) {
        let Some(keyboard) = keyboard else { return };
        match self.parts.iter_mut().rev().find(|part| part.parts.len() < 2) {
            Some(part) => part.keyboard = Some(keyboard),
            None => self.notes.push(Note::Dropped { kind: ContentKind::Buttons }),
        }
    }
}

fn fits(text: &str, limit: TextLimit) -> bool {
    limit.max.is_none_or(|max| limit.unit.measure(text) <= max as usize)
}

/// Pictures and films mix in an album; anything else stands with its own kind, and some kinds alone.
fn stand_together(a: MediaKind, b: MediaKind) -> bool {
    use MediaKind::{Audio, File, Image, Video};
    matches!((a, b), (Image | Video, Image | Video) | (File, File) | (Audio, Audio))
}

fn kind_of(part: &Part) -> Option<ContentKind> {
    Some(match part {
        Part::Media(media) => media.kind.into(),
        Part::Location(_) => ContentKind::Location,
        Part::Contact(_) => ContentKind::Contact,
        Part::Item(_) => ContentKind::Item,
        Part::Template(_) => ContentKind::Template,
        Part::Email(_) => ContentKind::Email,
        Part::Forwarded { .. } => ContentKind::Forwarded,
        Part::Unsupported { .. } => return None,
    })
}

fn append(text: &mut Option<Text>, more: &str) {
    if more.is_empty() {
        return;
    }
    let text = text.get_or_insert_default();
    if !text.plain.is_empty() {
        text.plain.push('\n');
    }
    text.plain.push_str(more);
}

/// The keys as a list: a press by its number, a page by its address.
fn numbered(keyboard: &Keyboard) -> String {
    let lines = keyboard.rows.iter().flatten().enumerate().filter_map(|(i, button)| match &button.action {
        ButtonAction::Press { .. } | ButtonAction::Say => Some(format!("{}. {}", i + 1, button.label)),
        ButtonAction::Open { url } => Some(format!("{}. {}: {url}", i + 1, button.label)),
        ButtonAction::SharePhone | ButtonAction::ShareLocation => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A part as words, for a channel that cannot send it.
fn in_words(part: &Part) -> String {
    let join =
        |words: Vec<String>| words.into_iter().filter(|w| !w.is_empty()).collect::<Vec<_>>().join("\n");
    match part {
        Part::Media(Media { source: MediaSource::Url { url }, name, .. }) => {
            join(vec![name.clone().unwrap_or_default(), url.to_string()])
        }
        Part::Location(l) => join(vec![
            l.title.clone().unwrap_or_default(),
            l.address.clone().unwrap_or_default(),
            format!("https://www.openstreetmap.org/?mlat={}&mlon={}", l.latitude, l.longitude),
        ]),
        Part::Contact(c) => {
            join([vec![c.name.clone()], c.phones.clone(), c.emails.clone()].into_iter().flatten().collect())
        }
        Part::Item(i) => join(vec![
            i.title.clone().unwrap_or_default(),
            i.price.clone().unwrap_or_default(),
            i.url.as_ref().map(ToString::to_string).unwrap_or_default(),
        ]),
        Part::Email(mail) => mail.subject.clone().unwrap_or_default(),
        Part::Forwarded { contents, .. } => {
            join(contents.iter().filter_map(|c| c.plain_text().map(str::to_owned)).collect())
        }
        Part::Media(_) | Part::Template(_) | Part::Unsupported { .. } => String::new(),
    }
}

/// The length of a text as a limit counts it: for a host that shows a counter.
pub fn measure(text: &str, limit: TextLimit) -> usize {
    let unit: Unit = limit.unit;
    unit.measure(text)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;

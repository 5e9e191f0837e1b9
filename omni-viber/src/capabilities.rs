//! What a bot can do, as data.
//!
//! Sources: <https://developers.viber.com/docs/api/rest-bot-api/>, <https://developers.viber.com/docs/faq/>
//! and <https://github.com/Viber/creators-hub/blob/main/docs/bots-api/data-models/message.md> (read 2026-11).

use std::collections::BTreeMap;
use std::time::Duration;

use omni_core::Capabilities;
use omni_core::capability::{
    ButtonLimit, FirstContact, Idempotency, Markup, MediaLimit, Rate, RateChats, Sources, Support, TextLimit,
};
use omni_core::content::ContentKind;
use omni_core::error::RateScope;
use omni_core::event::EventKind;
use omni_core::status::Status;
use omni_core::text::Unit;

use crate::config::Config;

/// What Viber's "characters" are is not told; UTF-16 units are never fewer.
pub(crate) const UNIT: Unit = Unit::Utf16;
pub(crate) const TEXT: u32 = 7000;
/// Words beside a picture.
pub(crate) const CAPTION: u32 = 768;
/// The same in older documentation, where some apps still cut.
pub(crate) const OLD_CAPTION: u32 = 512;
/// A whole call as JSON. Whether a KB has 1000 or 1024 bytes is not told.
pub(crate) const REQUEST: usize = 30_000;
pub(crate) const SENDER_NAME: u32 = 28;
pub(crate) const CARD_NAME: u32 = 28;
pub(crate) const CARD_PHONE: u32 = 18;
pub(crate) const FILE_NAME: u32 = 256;
/// Longest address, told for links.
pub(crate) const LINK: usize = 2000;
/// Words on a key: <https://developers.viber.com/docs/tools/keyboards/>
pub(crate) const LABEL: u32 = 250;
/// Keys in a row: <https://developers.viber.com/docs/tools/keyboards/>
pub(crate) const ROW: u32 = 6;
/// Rows that fit on an upright screen: <https://developers.viber.com/docs/faq/>
pub(crate) const KEYBOARD_ROWS: usize = 12;
/// Cards in a message.
pub(crate) const CARDS: u32 = 6;
pub(crate) const PICTURE_ENDINGS: [&str; 4] = ["gif", "jpeg", "jpg", "png"];
/// Seconds of a film.
pub(crate) const VIDEO_SECONDS: u32 = 180;

const MB: u64 = 1 << 20;
/// On iOS; 3 MB on Android.
const PICTURE: u64 = MB;
pub(crate) const VIDEO: u64 = 26 * MB;
pub(crate) const FILE: u64 = 50 * MB;

/// What a bot with these settings can do.
pub fn capabilities(config: &Config) -> Capabilities {
    let mut caps = Capabilities::default();
    caps.content = content();
    caps.text = TextLimit::new(TEXT, UNIT);
    caps.caption = Some(TextLimit::new(config.caption_max.min(CAPTION), UNIT));
    caps.media = media();
    caps.fetch_bytes = [Some(FILE), config.fetch_bytes].into_iter().flatten().min();
    caps.carousel_max = Some(CARDS);
    caps.buttons = ButtonLimit {
        total: Some(ROW * KEYBOARD_ROWS as u32),
        per_row: Some(ROW),
        label: Some(TextLimit::new(LABEL, UNIT)),
        data_bytes: None,
    };
    // What apps make of `*bold*` and the like is not documented: nothing is rendered on purpose.
    caps.markup = Markup::None;
    caps.first_contact = FirstContact::CustomerOnly;
    caps.idempotency = Idempotency::None;
    caps.statuses = vec![Status::Delivered, Status::Read, Status::Failed];
    // The person's app may refuse what the server took: a `failed` follows.
    caps.answer_proves = Some(Status::Accepted);
    caps.rates = rates();
    caps.events = events();
    caps
}

fn content() -> BTreeMap<ContentKind, Support> {
    use ContentKind::*;
    let mut content: BTreeMap<_, _> =
        [Text, Image, Video, File, QuickReplies].into_iter().map(|kind| (kind, Support::Full)).collect();
    // A silent film that is no GIF has to be started by hand.
    content.insert(Animation, Support::Partial);
    // Viber's own by their number; others as pictures.
    content.insert(Sticker, Support::Partial);
    // Names of the place, further numbers of the card, and the id of the goods are not shown.
    content.insert(Location, Support::Partial);
    content.insert(Contact, Support::Partial);
    content.insert(Item, Support::Partial);
    // Not under the message but in place of the keyboard, and only until our next message.
    content.insert(Buttons, Support::Partial);
    for kind in [VideoNote, Audio, Voice, Email, Forwarded] {
        content.insert(kind, Support::Fallback);
    }
    content
}

/// Viber fetches every file itself: nothing can be uploaded.
fn media() -> BTreeMap<ContentKind, MediaLimit> {
    use ContentKind::*;
    let by_address = |url_bytes, mime: &[&str]| MediaLimit {
        bytes: None,
        url_bytes: Some(url_bytes),
        mime: mime.iter().map(|&m| m.to_owned()).collect(),
        sources: Sources::Address,
    };
    BTreeMap::from([
        (Image, by_address(PICTURE, &["image/jpeg", "image/png", "image/gif"])),
        (Video, by_address(VIDEO, &["video/mp4"])),
        (Animation, by_address(VIDEO, &["image/gif", "video/mp4"])),
        (Sticker, by_address(PICTURE, &["image/jpeg", "image/png", "image/gif"])),
        (File, by_address(FILE, &[])),
    ])
}

/// Law 10: as data. Only calls to many have a figure; a person's limit of 100 messages without an answer is
/// nothing to be paced by, and its error says what to do.
fn rates() -> Vec<Rate> {
    let every = Duration::from_millis(20);
    vec![Rate { scope: RateScope::Method, chats: RateChats::All, burst: 500, every }]
}

fn events() -> Vec<EventKind> {
    use EventKind::*;
    vec![Message, Status, Button, Started, Subscribed, Blocked, Unsupported]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smaller_cap_of_the_configuration_counts() {
        let fetch = |fetch_bytes| {
            let mut config = Config::new("");
            config.fetch_bytes = fetch_bytes;
            capabilities(&config).fetch_bytes
        };
        assert_eq!(fetch(None), Some(52_428_800));
        assert_eq!(fetch(Some(5)), Some(5));
        assert_eq!(fetch(Some(u64::MAX)), Some(52_428_800));
    }

    #[test]
    fn a_shorter_caption_of_the_configuration_counts() {
        let mut config = Config::new("");
        config.caption_max = 512;
        assert_eq!(capabilities(&config).caption, Some(TextLimit::new(512, UNIT)));
    }

    #[test]
    fn five_hundred_broadcasts_go_in_ten_seconds() {
        let rate = rates().remove(0);
        assert_eq!(rate.every * rate.burst, Duration::from_secs(10));
    }
}

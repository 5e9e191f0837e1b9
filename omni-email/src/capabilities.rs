//! What a mailbox can do, as data.

use std::collections::BTreeMap;
use std::time::Duration;

use omni_core::Capabilities;
use omni_core::capability::{
    Action, FirstContact, Idempotency, Markup, MediaLimit, Rate, RateChats, Sources, Support, TextLimit,
};
use omni_core::content::ContentKind;
use omni_core::error::RateScope;
use omni_core::event::EventKind;
use omni_core::status::Status;

use crate::config::Config;

/// Largest mail where neither the settings nor the server name a limit: what every large provider takes.
const MAIL: u64 = 20 << 20;
/// Room for headers, words and the borders of parts.
const FRAME: u64 = 64 << 10;
/// A file travels as base64 in lines: 57 bytes become 78 (RFC 2045, 6.8).
const ENCODED: (u64, u64) = (78, 57);
/// Files in one mail.
const FILES: u32 = 100;
/// 20 mails a minute pass at all providers; Microsoft 365 takes 30.
const EVERY: Duration = Duration::from_secs(3);
/// So many at once after a pause.
const BURST: u32 = 5;

/// What a mailbox with these settings can do. `told` is the largest mail that its server said it takes, in bytes as
/// sent.
pub fn capabilities(config: &Config, told: Option<u64>) -> Capabilities {
    let mut caps = Capabilities::default();
    caps.content = content();
    caps.text = TextLimit::default();
    caps.caption = Some(TextLimit::default());
    caps.media = media(largest_file(config, told));
    caps.fetch_bytes = Some(config.fetch_bytes);
    caps.album_max = Some(FILES);
    caps.markup = Markup::Entities;
    // For whoever looks into the mailbox with another program; the writer is told nothing.
    caps.mark_read = Action::Yes;
    caps.first_contact = FirstContact::Anyone;
    // Receivers may fold mails of one Message-ID, and many do not: a repetition is seen as a second mail. What was
    // lost is settled by looking for the Message-ID in the Sent folder.
    caps.idempotency = Idempotency::None;
    // As reports of delivery and receipts tell; most servers send the failures alone.
    caps.statuses = vec![Status::Sent, Status::Delivered, Status::Read, Status::Failed];
    // It stands in the queue of our own server: a bounce may follow.
    caps.answer_proves = Some(Status::Accepted);
    caps.rates = vec![Rate { scope: RateScope::Account, chats: RateChats::All, burst: BURST, every: EVERY }];
    caps.events = vec![EventKind::Message, EventKind::Echo, EventKind::Status, EventKind::Unsupported];
    caps
}

fn content() -> BTreeMap<ContentKind, Support> {
    use ContentKind::*;
    let full = [Text, Image, Video, Animation, Audio, Voice, File, Album, Email, Reply];
    let mut content: BTreeMap<_, _> = full.into_iter().map(|kind| (kind, Support::Full)).collect();
    // Pictures and films like any other, and what else there is goes in words.
    for kind in [VideoNote, Sticker, Location, Contact, Item, Forwarded, Buttons, QuickReplies] {
        content.insert(kind, Support::Fallback);
    }
    content
}

/// A mail carries its files; an address of one goes out as words.
fn media(bytes: u64) -> BTreeMap<ContentKind, MediaLimit> {
    use ContentKind::*;
    let limit = MediaLimit { bytes: Some(bytes), sources: Sources::Upload, ..MediaLimit::default() };
    [Image, Video, Animation, Audio, Voice, File].into_iter().map(|kind| (kind, limit.clone())).collect()
}

/// The largest file that fits a mail by itself.
fn largest_file(config: &Config, told: Option<u64>) -> u64 {
    let mail = config.send_limit().into_iter().chain(told).min().unwrap_or(MAIL);
    let (encoded, raw) = ENCODED;
    mail.saturating_sub(FRAME) / encoded * raw
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use omni_core::Content;
    use omni_core::content::{Button, ContactCard, EmailParts, Location, Part, Template};
    use omni_core::media::{Media, MediaKind};
    use omni_core::plan::{Plan, PlanContext, Refusal, plan};

    use super::*;

    fn config() -> Config {
        Config::new("help@shop.example", "secret")
    }

    fn planned(content: &Content) -> Plan {
        plan(&capabilities(&config(), None), content, &PlanContext::default())
    }

    fn file(kind: MediaKind) -> Part {
        Part::Media(Media::new(kind, Bytes::from_static(b"x")))
    }

    #[test]
    fn the_smallest_limit_counts_and_leaves_room_for_base64() {
        let mut config = config();
        let file =
            |config: &Config, told| capabilities(config, told).media[&ContentKind::File].bytes.unwrap();
        assert_eq!(file(&config, None), (MAIL - FRAME) / 78 * 57);
        assert!(file(&config, Some(1 << 20)) < 1 << 20);
        config.send_bytes = Some(2 << 20);
        assert_eq!(file(&config, Some(10 << 20)), ((2 << 20) - FRAME) / 78 * 57);
        assert_eq!(file(&config, Some(1)), 0);
    }

    #[test]
    fn one_may_write_first_at_any_length_and_never_twice_by_itself() {
        let plan = planned(&Content::text("Ж".repeat(100_000)));
        assert_eq!(plan.parts.len(), 1);
        assert!(plan.notes.is_empty());
        assert_eq!(capabilities(&config(), None).idempotency, Idempotency::None);
    }

    #[test]
    fn words_subject_and_files_of_all_kinds_are_one_mail() {
        use MediaKind::*;
        let head = EmailParts { subject: Some("Заказ 17 📦".into()), ..EmailParts::default() };
        let mut content = Content::text("Счёт и договор").and(Part::Email(head));
        content.parts.extend([Image, File, Audio, Video, Voice, Animation].map(file));
        let plan = planned(&content);
        assert_eq!(plan.parts.len(), 1, "{:?}", plan.parts);
        assert_eq!(plan.parts[0].text, content.text);
        assert!(content.parts.iter().all(|part| plan.parts[0].parts.contains(part)));
        assert!(plan.notes.is_empty());
    }

    #[test]
    fn what_mails_have_no_form_for_goes_in_words_of_the_same_mail() {
        let place = Location {
            latitude: 55.75,
            longitude: 37.62,
            title: Some("Склад".into()),
            address: None,
            live_seconds: None,
        };
        let card = ContactCard {
            name: "Анна".into(),
            phones: vec!["+70000000000".into()],
            ..ContactCard::default()
        };
        let content = Content::text("Ждём вас")
            .and(Part::Location(place))
            .and(Part::Contact(card))
            .and(file(MediaKind::Sticker))
            .buttons([Button::press("Приеду", "1"), Button::press("Нет", "2")]);
        let plan = planned(&content);
        assert_eq!(plan.parts.len(), 1);
        let words = plan.parts[0].plain_text().unwrap();
        for part in ["Ждём вас", "Склад", "55.75", "Анна", "+70000000000", "1. Приеду", "2. Нет"]
        {
            assert!(words.contains(part), "{words}");
        }
        assert!(plan.parts[0].keyboard.is_none());
        let kinds: Vec<_> = plan.parts[0].all_media().map(|media| media.kind).collect();
        assert_eq!(kinds, [MediaKind::Image]);
    }

    #[test]
    fn templates_and_files_that_fit_no_mail_are_refused_by_name() {
        let template = Content::part(Part::Template(Template::default()));
        assert_eq!(planned(&template).refusal, Some(Refusal::Unsupported { kind: ContentKind::Template }));
        let large = Media::new(MediaKind::File, Bytes::from(vec![0; 20 << 20]));
        assert!(matches!(planned(&Content::media(large)).refusal, Some(Refusal::TooLarge { .. })));
    }

    #[test]
    fn twenty_mails_a_minute_go_out() {
        let rate = capabilities(&config(), None).rates[0];
        assert_eq!(rate.every * 20, Duration::from_secs(60));
    }
}

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::content::{EmailParts, Location};

fn caps() -> Capabilities {
    let mut caps = Capabilities { first_contact: FirstContact::Anyone, ..Capabilities::default() };
    caps.content.insert(ContentKind::Text, Support::Full);
    caps.content.insert(ContentKind::Image, Support::Full);
    caps.content.insert(ContentKind::File, Support::Full);
    caps.content.insert(ContentKind::Album, Support::Full);
    caps.content.insert(ContentKind::Location, Support::Fallback);
    caps.content.insert(ContentKind::Sticker, Support::Fallback);
    caps.content.insert(ContentKind::Buttons, Support::Fallback);
    caps.text = TextLimit::new(20, Unit::Utf16);
    caps.caption = Some(TextLimit::new(10, Unit::Utf16));
    caps.album_max = Some(3);
    caps
}

fn image() -> Part {
    Part::Media(Media::new(MediaKind::Image, Bytes::from_static(b"x")))
}

fn planned(content: &Content) -> Plan {
    plan(&caps(), content, &PlanContext::default())
}

#[test]
fn a_short_text_goes_as_it_is() {
    let content = Content::text("Здравствуйте 👋");
    assert_eq!(planned(&content).parts, [content]);
}

#[test]
fn a_long_caption_becomes_a_message_of_its_own_after_the_files() {
    let plan = planned(&Content::text("слишком длинно").and(image()));
    assert_eq!(plan.notes, [Note::CaptionMoved]);
    assert_eq!(plan.parts.len(), 2);
    assert_eq!(plan.parts[1].plain_text(), Some("слишком длинно"));
}

#[test]
fn buttons_become_a_numbered_list_where_there_are_none() {
    let plan = planned(&Content::text("Да?").buttons([Button::press("Да", "y"), Button::press("Нет", "n")]));
    assert_eq!(plan.parts, [Content::text("Да?\n1. Да\n2. Нет")]);
    assert_eq!(plan.notes, [Note::ButtonsAsText]);
}

#[test]
fn files_are_split_into_albums_that_may_stand_together() {
    let mut content = Content { parts: vec![image(), image(), image(), image()], ..Content::default() };
    content.parts.push(Part::Media(Media::new(MediaKind::File, Bytes::from_static(b"y"))));
    let plan = planned(&content);
    assert_eq!(plan.parts.iter().map(|p| p.parts.len()).collect::<Vec<_>>(), [3, 1, 1]);
    assert_eq!(plan.notes, [Note::AlbumSplit { messages: 3 }]);
}

#[test]
fn what_falls_back_goes_in_words_or_as_a_simpler_file() {
    let place = Location { latitude: 55.75, longitude: 37.6, title: None, address: None, live_seconds: None };
    let plan = plan(
        &Capabilities { text: TextLimit::default(), ..caps() },
        &Content::part(Part::Location(place)),
        &PlanContext::default(),
    );
    assert!(plan.parts[0].plain_text().unwrap().contains("mlat=55.75"));
    let sticker = Content::media(Media::new(MediaKind::Sticker, Bytes::from_static(b"w")));
    assert_eq!(planned(&sticker).parts[0].all_media().next().unwrap().kind, MediaKind::Image);
}

#[test]
fn a_closed_window_is_the_reason_shown() {
    let caps = Capabilities { reply_window: Some(Duration::from_secs(86_400)), ..caps() };
    let at = |secs| PlanContext {
        now: Timestamp::from_secs(secs),
        last_inbound: Some(Timestamp::from_secs(0)),
        ..PlanContext::default()
    };
    assert!(plan(&caps, &Content::text("а"), &at(86_399)).is_sendable());
    let refusal = plan(&caps, &Content::text("а"), &at(86_400)).refusal;
    assert_eq!(refusal, Some(Refusal::WindowClosed { closed_at: Timestamp::from_secs(86_400) }));
}

#[test]
fn who_blocked_us_is_not_written_to() {
    let cx = PlanContext { reach: Reach::Blocked, ..PlanContext::default() };
    assert_eq!(plan(&caps(), &Content::text("а"), &cx).refusal, Some(Refusal::Blocked));
}

#[test]
fn who_never_wrote_is_written_to_only_where_that_is_allowed() {
    let caps = Capabilities { first_contact: FirstContact::CustomerOnly, ..caps() };
    assert_eq!(
        plan(&caps, &Content::text("а"), &PlanContext::default()).refusal,
        Some(Refusal::CustomerFirst)
    );
}

#[test]
fn a_file_over_the_limit_is_refused_before_it_is_uploaded() {
    let mut caps = caps();
    caps.media.insert(
        ContentKind::Image,
        crate::capability::MediaLimit { bytes: Some(3), mime: vec!["image/*".into()], ..Default::default() },
    );
    let file = |bytes: &'static [u8], mime: &str| {
        Content::media(Media::new(MediaKind::Image, Bytes::from_static(bytes)).typed(mime))
    };
    let run = |content: &Content| plan(&caps, content, &PlanContext::default());
    assert!(run(&file(b"abc", "image/png")).is_sendable());
    assert_eq!(run(&file(b"abcd", "image/png")).refusal, Some(Refusal::TooLarge { bytes: 4, max: 3 }));
    assert_eq!(
        run(&file(b"abc", "text/html")).refusal,
        Some(Refusal::WrongType { mime: "text/html".into() })
    );
}

#[test]
fn undeclared_kinds_are_refused_by_name() {
    let video = Content::media(Media::new(MediaKind::Video, Bytes::from_static(b"v")));
    assert_eq!(planned(&video).refusal, Some(Refusal::Unsupported { kind: ContentKind::Video }));
}

#[test]
fn markup_is_flattened_with_its_links_written_out() {
    let text = Text::plain("жми сюда").mark("сюда", EntityKind::Link { url: "https://a.b".into() });
    let plan = planned(&Content::text(text));
    assert_eq!(plan.notes, [Note::MarkupFlattened]);
    assert_eq!(plan.parts[0].plain_text(), Some("жми сюда\nhttps://a.b"));
}

proptest! {
    #[test]
    fn a_plan_never_exceeds_the_limits(words in "[а-я😀 ]{0,200}", images in 0usize..8) {
        let mut content = Content::text(words);
        content.parts = (0..images).map(|_| image()).collect();
        let caps = caps();
        for part in plan(&caps, &content, &PlanContext::default()).parts {
            let limit = if part.parts.is_empty() { caps.text } else { caps.caption.unwrap() };
            prop_assert!(fits(part.plain_text().unwrap_or(""), limit));
            prop_assert!(part.parts.len() <= 3);
            prop_assert!(!part.is_empty());
        }
    }
}

fn at_an_address(sources: Sources) -> Capabilities {
    let mut caps = caps();
    let limit = crate::capability::MediaLimit { sources, ..Default::default() };
    caps.media.insert(ContentKind::Image, limit);
    caps
}

#[test]
fn an_upload_goes_to_a_provider_that_fetches_files_only_when_the_host_publishes_it() {
    let caps = at_an_address(Sources::Address);
    let here = Content::media(Media::new(MediaKind::Image, Bytes::from_static(b"i")));
    let refusal = plan(&caps, &here, &PlanContext::default()).refusal;
    assert_eq!(refusal, Some(Refusal::NeedsAddress { kind: ContentKind::Image }));
    let published = PlanContext { publishing: Publishing::Yes, ..PlanContext::default() };
    assert!(plan(&caps, &here, &published).is_sendable());
    let url: url::Url = "https://cdn.example/i.png".parse().unwrap();
    let there = Content::media(Media::new(MediaKind::Image, url));
    assert!(plan(&caps, &there, &PlanContext::default()).is_sendable());
}

#[test]
fn an_address_goes_in_words_to_a_provider_that_takes_uploads() {
    let url: url::Url = "https://cdn.example/i.png".parse().unwrap();
    let there = Content::media(Media::new(MediaKind::Image, url));
    let caps = Capabilities { text: TextLimit::default(), ..at_an_address(Sources::Upload) };
    let plan = plan(&caps, &there, &PlanContext::default());
    assert!(plan.parts[0].plain_text().unwrap().contains("https://cdn.example/i.png"), "{plan:?}");
    assert_eq!(plan.notes, [Note::FallsBack { kind: ContentKind::Image }]);
}

#[test]
fn goods_stand_together_as_far_as_the_carousel_reaches() {
    let mut caps = caps();
    caps.content.insert(ContentKind::Item, Support::Full);
    let goods = |n: u32| Part::Item(crate::content::Item { id: Some(n.to_string()), ..Default::default() });
    let content = Content { parts: (0..5).map(goods).collect(), ..Content::default() };
    let parts = |caps: &Capabilities| -> Vec<usize> {
        let plan = plan(caps, &content, &PlanContext::default());
        plan.parts.iter().map(|content| content.parts.len()).collect()
    };
    assert_eq!(parts(&caps), [1, 1, 1, 1, 1]);
    caps.carousel_max = Some(3);
    assert_eq!(parts(&caps), [3, 2]);
}

#[test]
fn what_only_a_mail_has_goes_with_its_words_and_all_its_files() {
    let mut caps = caps();
    caps.content.insert(ContentKind::Email, Support::Full);
    caps.caption = Some(TextLimit::default());
    let file = Part::Media(Media::new(MediaKind::File, Bytes::from_static(b"y")));
    let subject =
        || Part::Email(EmailParts { subject: Some("Счёт 📄".into()), ..EmailParts::default() });
    let whole = Content::text("Во вложении").and(image()).and(file).and(subject());
    assert_eq!(plan(&caps, &whole, &PlanContext::default()).parts, [whole]);
    let words = Content::text("Здравствуйте").and(subject());
    assert_eq!(plan(&caps, &words, &PlanContext::default()).parts, [words]);
    let alone = Content::part(subject());
    assert_eq!(plan(&caps, &alone, &PlanContext::default()).parts, [alone]);
}

//! Whole values in, the same values out.

use std::sync::Arc;

use bytes::Bytes;
use omni_core::contact::{Contact, Identity, Profile, Sender, SenderKind};
use omni_core::content::{
    Button, CardOwner, ContactCard, Content, EmailParts, Item, Keyboard, KeyboardPlace, Location, Part,
    Template,
};
use omni_core::conversation::{Actor, CloseReason, Closed, Counts, Owner, Timer, TimerKind, Visibility};
use omni_core::error::{ErrorKind, ErrorReport, Fault};
use omni_core::event::{Chat, ChatKind, Event, EventBody, Message, Origin, ReplyTo};
use omni_core::id::{AlbumId, BlobId, ProviderMessageId, TimerToken};
use omni_core::link::Referral;
use omni_core::media::{Media, MediaKind, MediaRef, MediaSource};
use omni_core::outbound::{Author, Face};
use omni_core::plan::Reach;
use omni_core::policy::book::{Cancel, Do, OneOrMore, Say, Side, Silence, WindowClosed};
use omni_core::policy::{
    Ask, BotAnswer, BotReply, Clock, ClockKind, ClockNews, Fired, Flow, Guard, Memory, NamedTimer, Overtaken,
    Presence, Queued, Run, Sent, Trace, Verdict,
};
use omni_core::text::{Entity, EntityKind, Text};
use omni_core::{Period, Provider, Status};
use omni_hub::store::{
    Changes, ChannelKey, ConversationQuery, HostEvent, MessageRecord, OutboxState, Target, Unit,
};
use serde_json::value::RawValue;
use url::Url;

use super::Fresh;
use super::fixture::*;

/// Words of several alphabets, signs beyond the basic plane, signs joined of several, direction marks, zeros.
const WORDS: &str =
    "Здравствуйте! 👩‍👩‍👧‍👦 🇷🇺 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 ё é שלום \u{200f}\u{0}\u{7f} \"кавычки\" \\ ' % _ \r\n\t конец";

fn url(text: &str) -> Option<Url> {
    text.parse().ok()
}

fn report() -> ErrorReport {
    ErrorReport {
        kind: ErrorKind::RecipientBlocked,
        fault: Fault::Caller,
        code: Some("403".to_owned()),
        text: Some("бот заблокирован 🚫".to_owned()),
        advice: Some("wait for them".to_owned()),
    }
}

fn media(kind: MediaKind, source: MediaSource) -> Media {
    Media {
        kind,
        source,
        name: Some("счёт №1.pdf".to_owned()),
        mime: Some("application/pdf".to_owned()),
        size: Some(u64::from(u32::MAX) + 7),
        width: Some(640),
        height: Some(480),
        seconds: Some(3),
        emoji: Some("👍🏿".to_owned()),
        title: Some("Песня".to_owned()),
        cid: Some("logo@shop".to_owned()),
    }
}

/// One of every kind of part.
fn every_content() -> Content {
    let at_provider = MediaRef { id: "AgAC".to_owned(), unique: Some("u".to_owned()), until: Some(at(9)) };
    let mut sources = vec![
        MediaSource::Provider(at_provider),
        MediaSource::Bytes { bytes: Bytes::from_static(&[0, 255, 128, 10]) },
        MediaSource::Stored { blob: BlobId::from("b1") },
    ];
    sources.extend(url("https://files.example/a?b=%20c").map(|url| MediaSource::Url { url }));
    let mut parts: Vec<Part> = sources.into_iter().map(|s| Part::Media(media(MediaKind::File, s))).collect();
    parts.extend([
        Part::Location(Location {
            latitude: 55.755_826_000_000_1,
            longitude: -0.1,
            title: Some("Красная площадь".to_owned()),
            address: None,
            live_seconds: Some(60),
        }),
        Part::Contact(ContactCard {
            name: "Пётр".to_owned(),
            phones: vec!["+79990000000".to_owned()],
            emails: vec!["p@example.com".to_owned()],
            vcard: Some("BEGIN:VCARD\r\nEND:VCARD".to_owned()),
            belongs_to: CardOwner::Sender,
        }),
        Part::Item(Item {
            id: Some("1".to_owned()),
            title: Some("Диван".to_owned()),
            price: Some("1 000 ₽".to_owned()),
            url: url("https://example.com/1"),
            image: url("https://example.com/1.jpg"),
        }),
        Part::Template(Template {
            name: "hello".to_owned(),
            language: Some("ru".to_owned()),
            params: [("1".to_owned(), WORDS.to_owned())].into(),
        }),
        Part::Email(EmailParts {
            subject: Some("Тема".to_owned()),
            html: Some("<b>да</b>".to_owned()),
            cc: vec!["a@example.com".to_owned()],
            bcc: vec!["b@example.com".to_owned()],
            quoted: Some("> было".to_owned()),
            signature: Some("--".to_owned()),
        }),
        Part::Forwarded {
            from: Some("Иван".to_owned()), contents: vec![Content::text("вложено")]
        },
        Part::Unsupported { what: "story".to_owned() },
    ]);
    let link = EntityKind::Link { url: "https://example.com".to_owned() };
    let entities = vec![
        Entity { offset: 0, length: 12, kind: EntityKind::Bold },
        Entity { offset: 14, length: 2, kind: link },
        Entity { offset: 16, length: 1, kind: EntityKind::Pre { language: Some("rust".to_owned()) } },
        Entity { offset: 17, length: 1, kind: EntityKind::Mention { id: Some("7".to_owned()) } },
    ];
    let rows = vec![vec![Button::press("Да ✅", "yes"), Button::say("Нет")], vec![]];
    Content {
        text: Some(Text { plain: WORDS.to_owned(), entities }),
        parts,
        keyboard: Some(Keyboard { place: KeyboardPlace::QuickReplies, rows }),
    }
}

fn every_message(make: &Maker, of: &omni_core::Conversation) -> MessageRecord {
    MessageRecord {
        author: Actor::Agent { agent: "анна".into() },
        name: Some(WORDS.to_owned()),
        content: every_content(),
        provider_ids: vec!["1".into(), "два".into()],
        names: vec!["<три@example.com>".into()],
        album: Some(AlbumId::from("альбом")),
        reply_to: Some(ReplyTo { message: "0".into(), quote: Some("цитата".to_owned()) }),
        face: Some(Face { name: "Анна".to_owned(), avatar: url("https://example.com/a.png") }),
        origin: Origin::Automatic,
        error: Some(report()),
        reactions: vec![("77".to_owned(), "❤️".to_owned()), ("us".to_owned(), "🔥".to_owned())],
        edited_at: Some(at(5)),
        deleted_at: Some(at(-6)),
        ..make.outgoing(of, Status::Failed)
    }
}

/// Every part of a content and every field of a message, by every way of reading it.
pub async fn a_message_comes_back_whole(fresh: Fresh) {
    let make = Maker::new();
    let conversation = open(&*fresh.store, &make, &peer("1")).await;
    let message = every_message(&make, &conversation);
    say(&*fresh.store, std::slice::from_ref(&message)).await;
    assert_eq!(ok(fresh.store.message(message.id).await).as_ref(), Some(&message));
    assert_eq!(ok(fresh.store.messages(conversation.id, None, 10).await), std::slice::from_ref(&message));
    let lookup = omni_hub::store::Lookup::Provider(ProviderMessageId::from("два"));
    let seen = look(&*fresh.store, Target::Peer(peer("1")), vec![lookup]).await;
    assert_eq!(seen.messages, std::slice::from_ref(&message));
    let changed = MessageRecord { content: Content::text("изменено"), album: None, ..message };
    let stored = changed.clone();
    write(&*fresh.store, move || Changes { changed_messages: vec![stored.clone()], ..Changes::default() })
        .await;
    assert_eq!(ok(fresh.store.message(changed.id).await), Some(changed));
}

/// Steps that hold words, lists, maps.
fn every_step() -> Vec<Do> {
    let template = Template { name: "hello".to_owned(), language: None, params: Default::default() };
    let window_closed = WindowClosed::Template(template);
    vec![
        Do::Reply(Say { window_closed, ..Say::text(WORDS) }),
        Do::Tag(OneOrMore::from("тег")),
        Do::Set([("order".to_owned(), WORDS.to_owned())].into()),
        Do::Stop,
    ]
}

/// What a policy remembers, of every kind.
fn every_flow() -> Flow {
    let run = |unless| Run {
        rule: "a/b".into(),
        version: 7,
        since: at(1),
        due: at(2),
        unless,
        rest: every_step(),
        quiet: true,
    };
    let clock = |kind, paused| Clock {
        kind,
        started: at(1),
        due: at(2),
        running: at(3),
        used_ms: u64::from(u32::MAX) + 7,
        paused,
        breached: true,
        edition: u64::MAX,
    };
    Flow {
        runs: vec![run(Cancel::Never), run(Cancel::Answer)],
        fired: every_memory().fired,
        queue: Some(Queued {
            team: "продажи".into(),
            since: at(-9),
            joined: at(4),
            skills: vec!["english".to_owned()],
            prefer: Some("анна".into()),
            excluded: vec!["б".into(), "в".into()],
            passed: vec!["первая".into()],
        }),
        assigned_at: Some(at(5)),
        team: Some("поддержка".into()),
        snoozed: Some(at(6)),
        held: Some(at(7)),
        clocks: vec![clock(ClockKind::FirstResponse, None), clock(ClockKind::Resolution, Some(at(8)))],
        ask: Some(Ask { id: 3, bot: "faq".into(), at: at(9), due: at(10) }),
        asks: 3,
        fields: [("город".to_owned(), WORDS.to_owned())].into(),
        timers: vec![NamedTimer { name: "позже".to_owned(), due: at(11), quiet: true }],
        opened_behind: 3,
        activity_at: Some(at(12)),
        waits_since: Some(at(13)),
        bot_at: Some(at(14)),
        silences: vec![(Silence { of: Side::Customer, lasting: Period::mins(5) }, at(15))],
        missed: vec!["б".into()],
        returning: true,
        memory: every_memory(),
        ..Flow::default()
    }
}

fn every_memory() -> Memory {
    Memory {
        fired: vec![Fired { rule: "hello".into(), count: 5, today: 2, last: at(1) }],
        texts: vec![Sent { by_bot: true, since: at(2), until: at(2 + 9), count: 3 }],
        agent: Some(("анна".into(), at(3))),
        ..Memory::default()
    }
}

/// Every field of a conversation.
pub async fn a_conversation_comes_back_whole(fresh: Fresh) {
    let make = Maker::new();
    let mut c = make.conversation(&shop().peer(omni_core::Address::new("1?х=%").with("thread", "ё&я")));
    c.contact = Some(make.contact_id());
    c.title = WORDS.to_owned();
    c.chat = Chat { kind: ChatKind::Group, title: Some("Группа".to_owned()) };
    c.closed =
        Some(Closed { at: at(7), reason: CloseReason::Other("дубль".to_owned()), by: Actor::Elsewhere });
    c.visible = Visibility::Team { team: "продажи".into() };
    c.owner = Owner::Bot { bot: "faq".into() };
    (c.last_inbound_at, c.last_human_at, c.first_response_at) = (Some(at(1)), Some(at(2)), Some(at(3)));
    (c.preview, c.unread) = (WORDS.to_owned(), u32::MAX);
    c.counts = Counts { inbound: 1, by_people: 2, automatic: 3 };
    c.referral =
        Some(Referral { token: Some("spring".to_owned()), source: Some("ads".to_owned()), ad: None });
    c.item = Some(Item { title: Some("Диван".to_owned()), ..Item::default() });
    c.tags = vec!["vip".to_owned(), "тег".to_owned()];
    let token = TimerToken::from_bytes([7; 16]);
    c.timers = vec![Timer { kind: TimerKind::Own(3), due: at(8), token }];
    *c.flow = every_flow();
    put(&*fresh.store, &c).await;
    assert_eq!(ok(fresh.store.conversation(c.id).await).as_ref(), Some(&c));
    // And again after a change of what is looked for and of what is not.
    c.tags.clear();
    put(&*fresh.store, &c).await;
    (c.closed, c.contact, *c.flow) = (None, None, Flow::default());
    put(&*fresh.store, &c).await;
    assert_eq!(ok(fresh.store.conversation(c.id).await), Some(c));
}

/// Every field of a person and of the identities.
pub async fn a_person_comes_back_whole(fresh: Fresh) {
    let mut contact = Contact {
        id: Maker::new().contact_id(),
        tenant: "acme".into(),
        identities: vec![
            Identity { scope: "7".to_owned(), ..Identity::new(Provider::new("fake"), "1") },
            Identity {
                aliases: vec!["анна".to_owned()],
                ..Identity::new(Provider::new("mail"), "a@example.com")
            },
        ],
        profile: Profile {
            name: Some(WORDS.to_owned()),
            username: Some("anna".to_owned()),
            phone: Some("+79990000000".to_owned()),
            email: Some("a@example.com".to_owned()),
            avatar: url("https://example.com/a.png"),
            language: Some("ru-RU".to_owned()),
        },
        fields: [("город".to_owned(), WORDS.to_owned())].into(),
        tags: vec!["vip".to_owned()],
        memory: every_memory(),
    };
    for name in ["Анна", "Анна П."] {
        contact.profile.name = Some(name.to_owned());
        let stored = contact.clone();
        write(&*fresh.store, move || Changes { contact: Some(stored.clone()), ..Changes::default() }).await;
        assert_eq!(ok(fresh.store.contact(contact.id).await).as_ref(), Some(&contact));
    }
}

/// By address, by conversation and by the list of what is theirs; and again another one, and none.
pub async fn a_person_may_become_known_later(fresh: Fresh) {
    let make = Maker::new();
    let conversation = open(&*fresh.store, &make, &peer("1")).await;
    let (first, second) = (make.contact_id(), make.contact_id());
    for contact in [None, Some(first), Some(second), None, Some(first)] {
        let learn = Unit::new(Target::Peer(peer("1")), move |seen| {
            let (mut peer, mut conversation) = (seen.peer.clone(), seen.conversation.clone());
            peer.iter_mut().for_each(|peer| peer.contact = contact);
            conversation.iter_mut().for_each(|c| c.contact = contact);
            Changes { peer, conversation, ..Changes::default() }
        });
        done(&*fresh.store, learn).await;
        assert_eq!(ok(fresh.store.peer(&peer("1")).await).map(|p| p.contact), Some(contact));
        let stored = ok(fresh.store.conversation(conversation.id).await);
        assert_eq!(stored.map(|c| c.contact), Some(contact));
        for person in [first, second] {
            let of = ConversationQuery { contact: Some(person), ..Default::default() };
            let theirs = usize::from(contact == Some(person));
            assert_eq!(ok(fresh.store.conversations(&of).await).len(), theirs);
        }
    }
}

/// Every field of an address; addresses are told apart to the letter.
pub async fn an_address_comes_back_whole(fresh: Fresh) {
    let make = Maker::new();
    let mut record = peer_record(&peer("Ъ?1"), None);
    (record.contact, record.conversation) = (Some(make.contact_id()), Some(make.conversation(&peer("1")).id));
    for reach in [Reach::Open, Reach::Blocked, Reach::Open] {
        record.reach = reach;
        let stored = record.clone();
        write(&*fresh.store, move || Changes { peer: Some(stored.clone()), ..Changes::default() }).await;
        assert_eq!(ok(fresh.store.peer(&record.key).await).as_ref(), Some(&record));
    }
    let elsewhere = ChannelKey::new("other", "shop").peer(record.key.address.clone());
    for unknown in [peer("ъ?1"), peer("Ъ?1 "), elsewhere] {
        assert_eq!(ok(fresh.store.peer(&unknown).await), None, "{unknown:?}");
    }
}

/// Every field of a row, new and changed.
pub async fn an_outbox_row_comes_back_whole(fresh: Fresh) {
    let (make, key, here) = (Maker::new(), peer("1"), node("here"));
    let conversation = open(&*fresh.store, &make, &key).await;
    let guard = |unless, window_closed| Guard { unless, window_closed };
    let params = [("1".to_owned(), WORDS.to_owned())].into();
    let template = Template { name: "hello".to_owned(), language: Some("ru".to_owned()), params };
    for (chat, author, guard) in [
        (ChatKind::Private, Author::Person, Guard::from(Overtaken::Never)),
        (ChatKind::Group, Author::Program, Guard::default()),
        (ChatKind::Channel, Author::Program, guard(Overtaken::TalkGoesOn, WindowClosed::Skip)),
        (ChatKind::Group, Author::Program, guard(Overtaken::Never, WindowClosed::Task(WORDS.to_owned()))),
        (
            ChatKind::Private,
            Author::Program,
            guard(Overtaken::PersonAnswered, WindowClosed::Template(template)),
        ),
    ] {
        let message = make.outgoing(&conversation, Status::Queued);
        let mut row = make.row(&key, &message, None);
        (row.chat, row.author, row.guard) = (chat, author, guard);
        (row.queued_at, row.due) = (at(3), at(4));
        let (new, of) = (row.clone(), message.clone());
        write(&*fresh.store, move || Changes {
            new_messages: vec![Arc::new(of.clone())],
            outbox: vec![new.clone()],
            ..Changes::default()
        })
        .await;
        (row.due, row.attempts, row.state) = (at(5), 3, OutboxState::Sending);
        let changed = row.clone();
        write(&*fresh.store, move || Changes { outbox: vec![changed.clone()], ..Changes::default() }).await;
        row.owner = Some(here.clone());
        let taken = ok(fresh.store.outbox_take(&here, &[shop()], at(5), 10).await);
        assert_eq!(taken, [(row, message)]);
    }
}

/// What a provider sent stays provable: number formats, key order, doubled keys, escapes, spaces.
pub async fn an_entry_keeps_the_raw_payload_to_the_letter(fresh: Fresh) {
    let raw = r#"{ "z":1.10, "a":1e3,"big":123456789012345678901234567890, "a" : -0.0,
        "text":"\u0416\ud83d\ude00 \/ \t é", "null":null,"nested":[ {"b":[]} ,{}] }"#;
    let payload = match RawValue::from_string(raw.to_owned()) {
        Ok(payload) => payload,
        Err(error) => panic!("{error}"),
    };
    let event = Event::new("1", EventBody::Unsupported { what: "новое".to_owned() }).with_raw(&payload);
    let event = Arc::new(event);
    for (what, event) in [
        ("received", HostEvent::Received { event: event.clone(), message: None }),
        ("parked", HostEvent::Parked { event, error: "policy".to_owned() }),
    ] {
        let line = omni_hub::Entry { event, ..entry("", at(1)) };
        let seq = write(&*fresh.store, move || Changes { entries: vec![line.clone()], ..Changes::default() })
            .await
            .entries
            .first()
            .map_or(0, |e| e.seq);
        let read = ok(fresh.store.entries(seq - 1, 1).await).pop();
        let kept = read.and_then(|entry| match entry.event {
            HostEvent::Received { event, .. } | HostEvent::Parked { event, .. } => event.raw.clone(),
            _ => None,
        });
        assert_eq!(kept.as_deref().map(RawValue::get), Some(payload.get()), "{what}");
    }
}

/// Every kind of line, compared as what a host would read.
pub async fn every_host_event_comes_back_as_it_was_written(fresh: Fresh) {
    let make = Maker::new();
    let conversation = open(&*fresh.store, &make, &peer("1")).await;
    let sender = Sender {
        identity: Identity::new(Provider::new("fake"), "1"),
        profile: Profile::default(),
        kind: SenderKind::Robot,
    };
    let message = Message { album: Some("a".into()), ..Message::new("7", sender, every_content()) };
    let event = Event::new("1", EventBody::Message(message)).at_address(peer("1").address).at_time(at(4));
    let event = Arc::new(event);
    let record = every_message(&make, &conversation);
    let (id, by) = (record.id, Actor::Rule { rule: "правило".to_owned() });
    let ended = omni_core::Conversation { closed: closed(), ..conversation.clone() };
    let Some(summary) = ended.summary() else { panic!("a closed conversation has a summary") };
    let answer = BotAnswer { bot: "faq".into(), ask: 2, reply: BotReply::HandOver(every_step()) };
    let snapshot = || Box::new(conversation.clone());
    let events = vec![
        HostEvent::Received { event: event.clone(), message: Some(id) },
        HostEvent::Opened { snapshot: snapshot() },
        HostEvent::Reopened { by: by.clone() },
        HostEvent::Closed { summary: Box::new(summary), snapshot: snapshot() },
        HostEvent::Queued { message: Arc::new(record) },
        HostEvent::Status {
            message: id,
            status: Status::Failed,
            provider_ids: vec!["7".into()],
            error: Some(report()),
        },
        HostEvent::Assigned { to: Owner::Agent { agent: "анна".into() }, by: by.clone() },
        HostEvent::Seen { by: by.clone() },
        HostEvent::Tagged { tag: "vip".to_owned(), by: by.clone() },
        HostEvent::Untagged { tag: "vip".to_owned(), by: by.clone() },
        HostEvent::FieldSet { field: "город".to_owned(), value: WORDS.to_owned(), by: by.clone() },
        HostEvent::Noted { text: WORDS.to_owned(), by: by.clone() },
        HostEvent::Waiting { team: "продажи".into(), since: at(1) },
        HostEvent::Snoozed { until: at(9), by: by.clone() },
        HostEvent::Held { by: by.clone() },
        HostEvent::Resumed { by },
        HostEvent::Clock { clock: ClockKind::NextResponse, news: ClockNews::Breached, due: at(3) },
        HostEvent::BotAsked { bot: "faq".into(), ask: 2, memory: 50, due: at(4) },
        HostEvent::BotAnswered { answer: Box::new(answer) },
        HostEvent::Presence { agent: "анна".into(), presence: Presence::Away },
        HostEvent::ContactMerged { from: make.contact_id(), into: make.contact_id() },
        HostEvent::Moved { to: peer("2").address },
        HostEvent::Notice { topic: "late".to_owned(), text: WORDS.to_owned() },
        HostEvent::Parked { event, error: "policy".to_owned() },
        HostEvent::Dropped { message: Some(id) },
    ];
    let mut why = Trace::default();
    why.note("rule", Verdict::Dropped, format!("because {WORDS}"));
    let mut lines: Vec<omni_hub::Entry> =
        events.into_iter().map(|event| omni_hub::Entry { event, ..entry("", at(2)) }).collect();
    for line in &mut lines {
        (line.conversation, line.why) = (Some(conversation.id), why.clone());
    }
    let written = lines.clone();
    write(&*fresh.store, move || Changes { entries: written.clone(), ..Changes::default() }).await;
    let read = ok(fresh.store.entries(0, 100).await);
    assert_eq!(read.len(), lines.len());
    for (read, mut line) in read.into_iter().zip(lines) {
        line.seq = read.seq;
        let as_json = |entry: &omni_hub::Entry| serde_json::to_string(entry).unwrap_or_default();
        assert_eq!(as_json(&read), as_json(&line));
    }
}

/// Bytes, also none and many.
pub async fn blobs_come_back_whole(fresh: Fresh) {
    let large: Vec<u8> = (0..3_000_000u32).map(|i| (i % 251) as u8).collect();
    for (id, bytes) in [("a", Vec::new()), ("b", vec![0, 255]), ("b", vec![1]), ("c", large)] {
        let (id, bytes) = (BlobId::from(id), Bytes::from(bytes));
        ok(fresh.store.put_blob(&id, bytes.clone()).await);
        assert_eq!(ok(fresh.store.blob(&id).await), Some(bytes));
    }
    assert_eq!(ok(fresh.store.blob(&BlobId::from("d")).await), None);
}

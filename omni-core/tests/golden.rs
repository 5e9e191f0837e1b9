//! The published JSON form of events: one golden file a type, and the JSON Schema.
//!
//! `UPDATE_GOLDEN=1 cargo test -p omni-core --test golden` writes them anew; the difference is then reviewed.

use std::path::Path;

use omni_core::contact::{Profile, Sender, SenderKind};
use omni_core::content::{
    Button as Key, ButtonAction, CardOwner, ContactCard, EmailParts, Item, Keyboard, KeyboardPlace, Location,
    Part, Template,
};
use omni_core::error::{Error, ErrorKind};
use omni_core::event::{
    AccountNews, AccountState, Button, Call, CallOutcome, Chat, ChatKind, Comment, Echo, Edited, Introduced,
    Membership, MembershipState, Message, MessageName, Origin, Reaction, ReadReach, ReplyTo, Started,
    StatusNews, Thread,
};
use omni_core::id::{IdSource, MessageId};
use omni_core::link::Referral;
use omni_core::media::{Media, MediaKind, MediaRef};
use omni_core::text::EntityKind;
use omni_core::{Address, Content, Event, EventBody, Identity, Provider, Status, Text, Timestamp};
use serde_json::value::RawValue;

fn at() -> Timestamp {
    Timestamp::from_secs(1_767_225_600)
}

fn sender() -> Sender {
    let mut identity = Identity::new(Provider::from_static("telegram"), "100200300");
    identity.aliases.push("ivan_p".into());
    let profile = Profile {
        name: Some("Иван Петров".into()),
        username: Some("ivan_p".into()),
        language: Some("ru".into()),
        ..Profile::default()
    };
    Sender { identity, profile, kind: SenderKind::Person }
}

/// A message with every part there is.
fn rich_message() -> Message {
    let text = Text::plain("Здравствуйте 👨‍👩‍👧! Смотрите здесь")
        .mark("Здравствуйте", EntityKind::Bold)
        .mark("здесь", EntityKind::Link { url: "https://shop.example/9".into() });
    let url = |u: &str| u.parse().expect("a literal address");
    let mut image =
        Media::new(MediaKind::Image, MediaRef::new("AgACAgIAAxk")).named("фото.jpg").typed("image/jpeg");
    (image.size, image.width, image.height) = (Some(180_233), Some(1280), Some(960));
    image.cid = Some("photo@example.com".into());
    let mut content = Content::text(text)
        .and(Part::Media(image))
        .and(Part::Location(Location {
            latitude: 55.751244,
            longitude: 37.618423,
            title: Some("Кафе".into()),
            address: Some("Тверская 1".into()),
            live_seconds: None,
        }))
        .and(Part::Contact(ContactCard {
            name: "Иван".into(),
            phones: vec!["+79990001122".into()],
            belongs_to: CardOwner::Sender,
            ..ContactCard::default()
        }))
        .and(Part::Item(Item {
            id: Some("991".into()),
            title: Some("Кружка".into()),
            price: Some("450 ₽".into()),
            url: Some(url("https://shop.example/9")),
            image: None,
        }))
        .and(Part::Template(Template {
            name: "order_ready".into(),
            language: Some("ru".into()),
            params: [("1".into(), "№ 7".into())].into(),
        }))
        .and(Part::Email(EmailParts {
            subject: Some("Заказ № 7".into()),
            html: Some("<p>Готов</p>".into()),
            ..EmailParts::default()
        }))
        .and(Part::Forwarded { from: Some("Пётр".into()), contents: vec![Content::text("привет")] })
        .and(Part::Unsupported { what: "poll".into() });
    content.keyboard = Some(Keyboard {
        place: KeyboardPlace::Message,
        rows: vec![
            vec![Key::press("Да", "yes"), Key::say("Нет")],
            vec![
                Key::open("Сайт", url("https://shop.example")),
                Key { label: "Телефон".into(), action: ButtonAction::SharePhone },
            ],
        ],
    });
    let mut message = Message::new("41", sender(), content);
    message.reply_to = Some(ReplyTo { message: "40".into(), quote: Some("Какой размер?".into()) });
    message.album = Some("13900000000000001".into());
    message.thread = Some(Box::new(Thread {
        after: vec!["40".into(), "39".into()],
        names: vec!["<41@mail.example>".into()],
        note: Some("Заказ № 7".into()),
    }));
    message.item = Some(Item { title: Some("Kia Rio IV".into()), ..Item::default() });
    message.referral = Some(Referral {
        token: Some("spring_2026".into()),
        source: Some("vk.com/market".into()),
        ad: Some("a1".into()),
    });
    message.chat = Chat { kind: ChatKind::Group, title: Some("Магазин".into()) };
    message
}

fn bodies() -> Vec<EventBody> {
    let short = || Message::new("42", sender(), Content::text("Да 👍"));
    let ours = MessageId::next(&IdSource::new(1), at());
    vec![
        EventBody::Message(rich_message()),
        EventBody::Echo(Echo {
            message: Message { origin: Origin::Automatic, ..short() },
            ours: Some(ours),
            author: Some("Ольга".into()),
        }),
        EventBody::Edited(Edited {
            message: "41".into(),
            sender: sender(),
            content: Content::text("Исправлено"),
        }),
        EventBody::Deleted { messages: vec!["41".into(), "42".into()] },
        EventBody::Reaction(Reaction {
            message: "41".into(),
            sender: Some(sender()),
            signs: vec!["👍".into()],
        }),
        EventBody::Status(StatusNews {
            message: MessageName::Provider("43".into()),
            status: Status::Failed,
            error: Some(Error::new(ErrorKind::RecipientBlocked, "sendMessage").with_code(403).report()),
        }),
        EventBody::Button(Button {
            sender: sender(),
            data: "csat:5".into(),
            label: Some("Отлично".into()),
            message: Some("45".into()),
            ticket: Some("430399119".into()),
        }),
        EventBody::Started(Started {
            sender: sender(),
            message: Some("40".into()),
            referral: Some(Referral::token("spring_2026")),
        }),
        EventBody::Subscribed { sender: sender() },
        EventBody::Blocked { sender: sender() },
        EventBody::Typing { sender: sender() },
        EventBody::Read { messages: vec!["43".into()], reach: ReadReach::UpTo },
        EventBody::Call(Call {
            sender: sender(),
            outcome: CallOutcome::Answered,
            seconds: Some(31),
            url: None,
        }),
        EventBody::Comment(Box::new(Comment {
            message: short(),
            subject: Item { id: Some("310".into()), title: Some("Пост".into()), ..Item::default() },
        })),
        EventBody::Migrated { to: Address::new("-1001234567890") },
        EventBody::Membership(Membership {
            state: MembershipState::Out,
            by: sender(),
            chat: Chat { kind: ChatKind::Group, title: Some("Магазин".into()) },
        }),
        EventBody::Account(AccountNews {
            part: "aB3kQ_conn_1".into(),
            state: AccountState::ReceiveOnly,
            detail: Some("can_reply is off".into()),
        }),
        EventBody::Introduced(Box::new(Introduced {
            sender: Some(sender()),
            item: Some(Item {
                id: Some("5500550055".into()),
                title: Some("Kia Rio 2019".into()),
                price: Some("1 100 000 ₽".into()),
                ..Item::default()
            }),
            title: None,
        })),
        EventBody::Unsupported { what: "chat_boost".into() },
    ]
}

fn event(body: EventBody) -> Event {
    let mut event =
        Event::new("880001", body).at_address(Address::new("100200300").with("thread", "12")).at_time(at());
    event.account = Some("7000000001".into());
    if matches!(event.body, EventBody::Unsupported { .. }) {
        let raw = RawValue::from_string(r#"{"b":1.10,"a":"сырое 👋"}"#.to_owned()).expect("valid JSON");
        event = event.with_raw(&raw);
    }
    event
}

/// Compares with a file, or writes it when asked to.
fn golden(file: &Path, text: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(file, text).expect("the golden file is written");
    }
    let wanted = std::fs::read_to_string(file).unwrap_or_default();
    assert_eq!(text, wanted, "{} differs; review, then write it anew with UPDATE_GOLDEN=1", file.display());
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_type_of_event_has_its_published_form_and_survives_it() {
    for body in bodies() {
        let event = event(body);
        let text = serde_json::to_string_pretty(&event).unwrap() + "\n";
        golden(&root().join(format!("tests/golden/{}.json", event.kind().as_str())), &text);
        let read: Event = serde_json::from_str(&text).unwrap();
        assert_eq!(read.body, event.body);
        assert_eq!(serde_json::to_string_pretty(&read).unwrap() + "\n", text);
    }
}

#[test]
fn the_raw_form_is_kept_to_the_letter() {
    let event = event(EventBody::Unsupported { what: "chat_boost".into() });
    let read: Event = serde_json::from_str(&serde_json::to_string(&event).unwrap()).unwrap();
    assert_eq!(read.raw.unwrap().get(), r#"{"b":1.10,"a":"сырое 👋"}"#);
}

#[test]
fn the_schema_is_the_published_one() {
    let schema = schemars::schema_for!(Event);
    golden(&root().join("schema/event.json"), &(serde_json::to_string_pretty(&schema).unwrap() + "\n"));
}

#[test]
fn every_kind_has_a_golden_file() {
    let mut kinds: Vec<_> = bodies().into_iter().map(|b| event(b).kind().as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), 19);
}

//! One step of the engine for a message: under the plainest policy, and under fifty rules.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use omni_core::contact::{Profile, Sender, SenderKind};
use omni_core::conversation::{Timer, TimerKind};
use omni_core::event::Message;
use omni_core::id::{ContactId, ConversationId, IdSource, TimerToken};
use omni_core::policy::{Book, Context, Engine, Input, Policy};
use omni_core::{Address, Contact, Content, Conversation, Event, EventBody, Identity, Provider, Timestamp};

/// 2026-01-14, a Wednesday, 12:00 in Moscow.
const NOW: Timestamp = Timestamp::from_secs(1_768_381_200);
const WORDS: &str = "Здравствуйте! Подскажите, пожалуйста, есть ли у вас кроссовки сорок второго размера? 😀";

/// Fifty rules for messages, as shops have them: words in most, labels, hours, languages, sources in the others. One fits.
fn fifty_rules() -> Book {
    let mut text = String::from(
        "zone = \"Europe/Moscow\"\n[hours.office]\nweekdays = [\"09:00-13:00\", \"14:00-18:00\"]\n\
         [channels.bot]\nscenario = \"shop\"\nauto_close = { after = \"3d\" }\n[scenarios.shop]\n",
    );
    for n in 0..50 {
        let condition = match n % 10 {
            0..=4 => format!("{{ contains = [\"доставка {n}\", \"возврат {n}\"] }}"),
            5 => format!("{{ all = [{{ inside = \"office\" }}, {{ word = \"кеды{n}\" }}] }}"),
            6 => format!("{{ all = [{{ not = {{ tag = \"vip\" }} }}, {{ equals = \"меню {n}\" }}] }}"),
            7 => format!("{{ language = \"kk-{n}\" }}"),
            8 => format!("{{ any = [{{ source = \"spring{n}\" }}, {{ item = \"велосипед {n}\" }}] }}"),
            _ if n == 49 => "{ contains = \"кроссовки\" }".to_owned(),
            _ => r#"{ all = [{ visit = "returning" }, { time = { from = "22:00", to = "06:00" } }] }"#
                .to_owned(),
        };
        let _ = writeln!(
            text,
            "[[scenarios.shop.rules]]\nname = \"rule {n}\"\non = \"message\"\nif = {condition}\ndo = [{{ tag = \"t{n}\" }}]"
        );
    }
    Book::from_toml(&text).unwrap_or_else(|bad| panic!("{bad}"))
}

fn benches(criterion: &mut Criterion) {
    let ids = IdSource::new(1);
    let id = ConversationId::next(&ids, NOW);
    let mut conversation =
        Conversation::open(id, "acme".into(), "bot".into(), Address::new("100200300"), NOW);
    conversation.heard(NOW, "Здравствуйте".to_owned());
    let token = TimerToken::next(&ids, NOW);
    let due = NOW + std::time::Duration::from_secs(3600);
    conversation.timers.push(Timer { kind: TimerKind::Wake, due, token });
    let identity = Identity::new(Provider::from_static("telegram"), "100200300");
    let profile = Profile { language: Some("ru".to_owned()), ..Profile::default() };
    let contact = Contact::new(ContactId::next(&ids, NOW), "acme".into(), identity.clone(), profile);
    let sender = Sender { identity, profile: Profile::default(), kind: SenderKind::Person };
    let message = Message::new("41", sender, Content::text(WORDS));
    let event = Event::new("880001", EventBody::Message(message)).at_address(Address::new("100200300"));
    let context = Context::at(NOW).with_contact(Some(&contact));

    let plain = Engine::default();
    criterion.bench_function("policy step for a message", |b| {
        b.iter(|| plain.step(black_box(&conversation), &Input::Event(&event), &context));
    });
    let engine = Engine::new(fifty_rules(), &"bot".into()).unwrap_or_else(|bad| panic!("{bad}"));
    let step = engine.step(&conversation, &Input::Event(&event), &context);
    assert_eq!(step.trace.steps.len(), 50, "every rule is looked at");
    assert!(step.trace.decided(), "one fits");
    criterion.bench_function("policy step for a message, 50 rules", |b| {
        b.iter(|| engine.step(black_box(&conversation), &Input::Event(&event), &context));
    });
}

criterion_group!(policy, benches);
criterion_main!(policy);

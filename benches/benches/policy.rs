//! One step of the standard policy for a message.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use omni_core::contact::{Profile, Sender, SenderKind};
use omni_core::event::Message;
use omni_core::id::{ConversationId, IdSource};
use omni_core::policy::{Context, Input, Policy, StandardPolicy};
use omni_core::{Address, Content, Conversation, Event, EventBody, Identity, Provider, Timestamp};

fn benches(criterion: &mut Criterion) {
    let now = Timestamp::from_secs(1_767_225_600);
    let id = ConversationId::next(&IdSource::new(1), now);
    let mut conversation =
        Conversation::open(id, "acme".into(), "bot".into(), Address::new("100200300"), now);
    conversation.heard(now, "Здравствуйте".to_owned());
    let sender = Sender {
        identity: Identity::new(Provider::from_static("telegram"), "100200300"),
        profile: Profile::default(),
        kind: SenderKind::Person,
    };
    let message = Message::new("41", sender, Content::text("Здравствуйте"));
    let event = Event::new("880001", EventBody::Message(message)).at_address(Address::new("100200300"));
    let policy = StandardPolicy::new()
        .pinned("anna")
        .auto_close(Duration::from_secs(3600), SilenceScope::AnySide)
        .expect("more than zero");
    let context = Context::at(now);
    criterion.bench_function("policy step for a message", |b| {
        b.iter(|| policy.step(black_box(&conversation), &Input::Event(&event), &context));
    });
}

criterion_group!(policy, benches);
criterion_main!(policy);

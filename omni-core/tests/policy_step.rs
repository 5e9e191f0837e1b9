//! Laws of a single step, whatever the conversation and whatever happens to it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure

use std::sync::LazyLock;
use std::time::Duration;

use omni_core::contact::{Profile, Sender, SenderKind};
use omni_core::conversation::{Actor, CloseReason, Closed, Owner, TimerKind};
use omni_core::event::{Button, Call, CallOutcome, Message, Told};
use omni_core::id::{ChannelId, ContactId, ConversationId, IdSource};
use omni_core::policy::book::{Cancel, Do, Window};
use omni_core::policy::*;
use omni_core::{Address, Contact, Content, Conversation, Event, EventBody, Identity, Provider, Timestamp};
use proptest::prelude::*;

/// The book that users read first is the one the laws are tried on.
const BOOK: &str = include_str!("../../examples/policy.toml");

/// 2026-01-12, a Monday, 00:00 UTC.
const BEGIN: i64 = 1_768_176_000_000;

const WORDS: [&str; 8] = [
    "Здравствуйте! Какая цена? 😀",
    "спасибо",
    "где мой заказ",
    "Позовите человека!",
    "",
    "🙏🙏🙏",
    "return refund возврат брак",
    "ДОСТАВКА, оплата и скидка",
];

static ENGINES: LazyLock<Vec<Engine>> = LazyLock::new(|| {
    let engines = Engines::new(Book::from_toml(BOOK).unwrap()).unwrap();
    let named = engines.book().channels.keys().cloned().chain([ChannelId::from("another")]);
    named.map(|channel| engines.channel(&channel)).collect()
});

/// What happens, by numbers that proptest can shrink.
#[derive(Clone, Debug)]
struct Happens {
    what: u8,
    words: usize,
    age_minutes: u32,
    agent: u8,
}

fn happens() -> impl Strategy<Value = Happens> {
    (0u8..14, 0..WORDS.len(), prop_oneof![Just(0u32), 0u32..200], 0u8..3)
        .prop_map(|(what, words, age_minutes, agent)| Happens { what, words, age_minutes, agent })
}

fn agent(n: u8) -> omni_core::AgentId {
    ["anna", "boris", "gone"][usize::from(n)].into()
}

fn sender() -> Sender {
    let identity = Identity::new(Provider::from_static("telegram"), "100200300");
    Sender { identity, profile: Profile::default(), kind: SenderKind::Person }
}

fn event(happens: &Happens, now: Timestamp) -> Event {
    let words = Content::text(WORDS[happens.words]);
    let body = match happens.what {
        1 => EventBody::Button(Button {
            sender: sender(),
            data: "5".to_owned(),
            label: Some("5 ⭐".to_owned()),
            message: None,
            ticket: None,
        }),
        2 => {
            EventBody::Call(Call { sender: sender(), outcome: CallOutcome::Missed, seconds: None, url: None })
        }
        3 => EventBody::Typing { sender: sender() },
        _ => EventBody::Message(Message::new("1", sender(), words)),
    };
    let at = now - Duration::from_secs(60 * u64::from(happens.age_minutes));
    let mut event = Event::new("1", body).at_address(Address::new("1")).at_time(at);
    if happens.what == 4 {
        event.told = Told::History;
    }
    event
}

/// Asks every engine what is to be done, and hands each answer on.
fn step_all(
    conversation: &Conversation,
    contact: Option<&Contact>,
    desk: &Desk,
    now: Timestamp,
    happens: &Happens,
    mut look: impl FnMut(&Engine, &Context<'_>, &Input<'_>),
) {
    let window = if happens.agent == 1 { Window::Closed } else { Window::Open };
    let provider = Provider::from_static("telegram");
    let context = Context::at(now).on(&provider).with_contact(contact).with_desk(desk).with_window(window);
    let event = event(happens, now);
    let by = Actor::Agent { agent: agent(happens.agent) };
    let verb = match happens.what {
        6 => Verb::Assign { to: Owner::Agent { agent: agent(happens.agent) } },
        7 => Verb::Snooze { until: now + Duration::from_secs(3600) },
        8 => Verb::Hold,
        9 => Verb::Resume,
        _ => Verb::Reply,
    };
    let action = Action { by, verb };
    let answer = BotAnswer {
        bot: "night".into(),
        ask: conversation.flow.ask.as_ref().map_or(1, |a| a.id),
        reply: BotReply::Steps(vec![Do::Reply("Ответ бота".into()), Do::Tag("bot".into())]),
    };
    let input = match happens.what {
        0..=4 => Input::Event(&event),
        5..=9 => Input::Action(&action),
        10 => Input::Bot(&answer),
        11 => Input::Opened(Some(&event)),
        12 => Input::Reopened(Some(&event)),
        _ => Input::Timer(TimerKind::Wake),
    };
    for engine in ENGINES.iter() {
        look(engine, &context, &input);
    }
}

fn conversation(at: Timestamp, flow: Flow, owner: u8, closed: bool) -> Conversation {
    let id = ConversationId::next(&IdSource::new(1), at);
    let mut c = Conversation::open(id, "acme".into(), "telegram".into(), Address::new("1"), at);
    c.heard(at, "Привет".to_owned());
    c.owner = match owner {
        0 => Owner::Nobody,
        1 | 2 => Owner::Agent { agent: agent(owner) },
        3 => Owner::Bot { bot: "night".into() },
        _ => Owner::Team { team: "sales".into() },
    };
    c.flow = Box::new(flow);
    if closed {
        c.closed = Some(Closed { at, reason: CloseReason::Done, by: Actor::Host });
        c.flow = Box::default();
    }
    c
}

fn flow(at: Timestamp, bits: u8) -> Flow {
    let mut flow = Flow::default();
    if bits & 1 != 0 {
        let ask = Ask { id: 3, bot: "night".into(), at, due: at + Duration::from_secs(30) };
        (flow.ask, flow.asks) = (Some(ask), 3);
    }
    if bits & 2 != 0 {
        flow.waits_since = Some(at);
        flow.assigned_at = Some(at);
        flow.team = Some("sales".into());
    }
    if bits & 4 != 0 {
        flow.runs.push(Run {
            rule: "auto_replies[0]".into(),
            version: 1,
            since: at,
            due: at + Duration::from_secs(60),
            unless: Cancel::Answer,
            quiet: false,
            rest: vec![Do::Reply("Скоро ответим".into())],
        });
    }
    if bits & 8 != 0 {
        flow.snoozed = Some(at + Duration::from_secs(600));
    }
    flow
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_step_is_the_same_for_the_same_and_has_a_cause_for_each_effect(
        happens in happens(),
        minutes in 0i64..20_000,
        later in 0u64..10_000,
        bits in 0u8..16,
        owner in 0u8..5,
        closed in any::<bool>(),
        known in any::<bool>(),
    ) {
        // A hub opens nothing that is closed, and refuses what is done to it.
        prop_assume!(!closed || matches!(happens.what, 0..=4 | 10 | 13));
        let at = Timestamp::from_millis(BEGIN + minutes * 60_000);
        let now = at + Duration::from_secs(later);
        let conversation = conversation(at, flow(at, bits), owner, closed);
        let contact = Contact::new(ContactId::next(&IdSource::new(2), at), "acme".into(), sender().identity, Profile::default());
        let mut desk = Desk::default();
        desk.agents.insert(agent(0), AgentState { presence: Presence::Online, ..AgentState::default() });
        let mut failed = None;
        step_all(&conversation, known.then_some(&contact), &desk, now, &happens, |engine, context, input| {
            let step = engine.step(&conversation, input, context);
            if step != engine.step(&conversation, input, context) {
                failed = Some(format!("two steps of one: {input:?}"));
            }
            let visible = step.effects.iter().any(|e| !matches!(e, Effect::SetTimer { .. }));
            if visible && !step.trace.decided() {
                failed = Some(format!("no cause: {:?}", step.effects));
            }
            let speaks = step.effects.iter().any(|e| matches!(e, Effect::Reply { .. }));
            let late = context.now.since(at) > Duration::from_secs(10_000)
                || matches!(input, Input::Event(e) | Input::Opened(Some(e)) if e.told == Told::History);
            if speaks && late && !matches!(input, Input::Timer(_) | Input::Bot(_)) {
                failed = Some(format!("a late message is answered: {:?}", step.effects));
            }
            if closed && step.effects.iter().any(|e| matches!(e, Effect::SetTimer { .. } | Effect::Assign { .. })) {
                failed = Some(format!("a closed conversation waits: {:?}", step.effects));
            }
            if step.flow.as_ref().is_some_and(|flow| flow.runs.len() > 20) {
                failed = Some("too much is remembered".to_owned());
            }
        });
        prop_assert!(failed.is_none(), "{}", failed.unwrap());
    }
}

//! Rules: which of them act, how often, what sets them off, and what they tell the host.

use omni_core::content::{Content, Item};
use omni_core::event::{Call, CallOutcome, Comment, EventBody, Message, Started};
use omni_core::link::Referral;
use omni_core::policy::Book;
use omni_core::{Event, Status};
use omni_hub::{ChannelSetup, HostEvent};

use crate::world::*;

fn rules(mode: &str, rules: &str) -> String {
    format!(
        r#"
        zone = "Europe/Moscow"
        [channels.shop]
        scenario = "main"
        [channels.site]
        scenario = "main"
        [scenarios.main]
        mode = "{mode}"
        rules = [{rules}]
        "#
    )
}

const TWO: &str = r#"
    { name = "price", on = "message", if = { contains = "цена" }, do = [{ tag = "цена" }] },
    { name = "all", on = "message", if = { any = [{ contains = "цена" }, { word = "привет" }] }, do = [{ tag = "слово" }] },
"#;

#[tokio::test]
async fn all_rules_that_fit_act_in_order_or_only_the_first() {
    for (mode, tags) in [("all", vec!["цена", "слово"]), ("first", vec!["цена"])] {
        let world = World::new();
        let hub = world.hub(&rules(mode, TWO)).await;
        deliver(&hub, &[says("1", "a", "ПРИВЕТ! Какая Цена?")]).await;
        assert_eq!(world.only().await.tags, tags, "{mode}");
    }
}

#[tokio::test]
async fn a_stop_ends_the_rules_behind_it() {
    let world = World::new();
    let hub = world
        .hub(&rules(
            "all",
            r#"{ name = "one", on = "message", if = { contains = "привет" }, do = [{ tag = "раз" }, "stop"] },
               { name = "two", on = "message", if = { contains = "п" }, do = [{ tag = "два" }] },"#,
        ))
        .await;
    deliver(&hub, &[says("1", "a", "привет")]).await;
    assert_eq!(world.only().await.tags, ["раз"]);
}

#[tokio::test]
async fn a_circle_of_calls_is_found_by_the_linter() {
    let circle = r#"
        channels.shop.scenario = "a"
        scenarios.a.rules = [{ name = "x", on = "message", do = [{ call = "b" }] }]
        scenarios.b.rules = [{ name = "y", do = [{ call = "a" }] }]
    "#;
    let bad = Book::from_toml(circle).unwrap_err();
    assert!(bad.to_string().contains("circle"), "{bad}");
    // Nor does a hub take one that was built in code.
    let world = World::new();
    let hub = world.hub("").await;
    let mut built = book(
        "scenarios.a.rules = [{ name = 'x', on = 'message', do = [{ tag = 't' }] }]\nchannels.shop.scenario = 'a'",
    );
    let call = omni_core::policy::book::Do::Call("a".to_owned());
    built.scenarios.get_mut("a").unwrap().rules[0].steps.push(call);
    assert!(hub.set_book("acme", built).is_err());
}

#[tokio::test]
async fn rules_that_grow_without_end_are_stopped_at_run_time() {
    // No circle, and yet 2^7 calls: a linter cannot know what is too much.
    let mut text = String::from("channels.shop.scenario = 's0'\n");
    text +=
        "scenarios.s0.rules = [{ name = 'go', on = 'message', do = [{ call = 's1' }, { call = 's1' }] }]\n";
    for n in 1..7 {
        let next = n + 1;
        text += &format!(
            "scenarios.s{n}.rules = [{{ name = 'go', do = [{{ call = 's{next}' }}, {{ call = 's{next}' }}] }}]\n"
        );
    }
    text += "scenarios.s7.rules = [{ name = 'end', do = [{ note = 'дно' }] }]\n";
    let world = World::new();
    let hub = world.hub(&text).await;
    deliver(&hub, &[says("1", "a", "Поехали 🚀")]).await;
    assert!(world.dropped("too many steps for one input").await);
    let notes = world.told(|e| matches!(e, HostEvent::Noted { .. }).then_some(())).await.len();
    assert!((1..100).contains(&notes), "{notes}");
    assert!(world.only().await.is_open());
}

#[tokio::test]
async fn timers_that_start_one_another_go_on_only_with_time() {
    let world = World::new();
    let hub = world
        .hub(&rules(
            "all",
            r#"{ name = "start", on = "opened", do = [{ timer = { name = "tick", after = "1m" } }] },
               { name = "tick", on = { timer = "tick" }, limit = { per_conversation = 5 },
                 do = [{ note = "тик" }, { timer = { name = "tick", after = "1m" } }] },"#,
        ))
        .await;
    deliver(&hub, &[says("1", "a", "Раз")]).await;
    world.pass(hours(1)).await;
    let notes = world.told(|e| matches!(e, HostEvent::Noted { .. }).then_some(world.now())).await;
    assert_eq!(notes.len(), 5);
}

#[tokio::test]
async fn a_named_timer_that_is_started_again_begins_anew() {
    let world = World::new();
    let hub = world
        .hub(&rules(
            "all",
            r#"{ name = "start", on = "message", do = [{ timer = { name = "tick", after = "5m" } }] },
               { name = "tick", on = { timer = "tick" }, do = [{ note = "тик" }] },"#,
        ))
        .await;
    let notes = || world.told(|e| matches!(e, HostEvent::Noted { .. }).then_some(()));
    deliver(&hub, &[says("1", "a", "Раз")]).await;
    world.pass(mins(3)).await;
    deliver(&hub, &[says("1", "b", "Два")]).await;
    world.pass(mins(4)).await;
    assert_eq!(notes().await.len(), 0);
    world.pass(mins(1)).await;
    assert_eq!(notes().await.len(), 1);
    world.pass(mins(30)).await;
    assert_eq!(notes().await.len(), 1);
}

#[tokio::test]
async fn a_limit_a_conversation_a_contact_and_a_pause_hold_across_channels() {
    let world = World::new();
    let hub = world
        .hub(&rules(
            "all",
            r#"{ name = "once", on = "message", limit = { per_conversation = 1 }, do = [{ reply = "раз в разговоре" }] },
               { name = "ever", on = "message", limit = { per_contact = 2 }, do = [{ reply = "дважды всего" }] },
               { name = "pause", on = "message", limit = { cool_down = "1h" }, do = [{ reply = "раз в час" }] },"#,
        ))
        .await;
    hub.add_channel(ChannelSetup::new(site(), world.fake(|_| ())));
    let texts = || {
        let mut texts = world.texts();
        texts.sort();
        texts
    };
    deliver(&hub, &[says("1", "a", "Раз"), says("1", "b", "Два"), says("1", "c", "Три")]).await;
    assert_eq!(texts(), ["дважды всего", "дважды всего", "раз в разговоре", "раз в час"]);
    // The same person on the site: a conversation of its own, a contact and a pause in common.
    hand_in(&hub, &site(), &[says("1", "d", "Это я же")]).await;
    idle().await;
    assert_eq!(world.texts().len(), 5);
    assert_eq!(world.texts().last().unwrap(), "раз в разговоре");
    world.pass(hours(1)).await;
    hand_in(&hub, &site(), &[says("1", "e", "И снова я")]).await;
    idle().await;
    assert_eq!(world.texts().last().unwrap(), "раз в час");
    assert_eq!(world.texts().len(), 6);
}

#[tokio::test]
async fn a_limit_a_day_begins_anew_at_midnight_of_the_books_zone() {
    let world = World::at("2026-01-12T20:58:00Z");
    let rule =
        r#"{ name = "day", on = "message", limit = { per_day = 1 }, do = [{ reply = "раз в день" }] },"#;
    let hub = world.hub(&rules("all", rule)).await;
    deliver(&hub, &[says("1", "a", "23:58 в Москве")]).await;
    world.pass(mins(1)).await;
    deliver(&hub, &[says("1", "b", "23:59")]).await;
    assert_eq!(world.texts().len(), 1);
    world.pass(mins(1)).await;
    deliver(&hub, &[says("1", "c", "00:00")]).await;
    assert_eq!(world.texts().len(), 2);
    world.pass(hours(3)).await;
    deliver(&hub, &[says("1", "d", "03:00, полночь по Гринвичу")]).await;
    assert_eq!(world.texts().len(), 2);
}

#[tokio::test]
async fn a_called_scenario_acts_in_its_place_and_its_waits_hold_up_nothing() {
    let world = World::new();
    let hub = world
        .hub(
            r#"
            [channels.shop]
            scenario = "main"
            [scenarios.main]
            rules = [{ name = "go", on = "message", do = [{ tag = "до" }, { call = "sub" }, { tag = "после" }] }]
            [scenarios.sub]
            mode = "first"
            rules = [
                { name = "vip", if = { contains = "вип" }, do = [{ tag = "вип" }, { wait = "5m" }, { tag = "потом" }] },
                { name = "other", do = [{ tag = "обычный" }] },
            ]
            "#,
        )
        .await;
    deliver(&hub, &[says("1", "a", "Я ВИП 👑")]).await;
    assert_eq!(world.only().await.tags, ["до", "вип", "после"]);
    world.pass(mins(5)).await;
    assert_eq!(world.only().await.tags, ["до", "вип", "после", "потом"]);
    deliver(&hub, &[says("2", "b", "А я нет")]).await;
    assert_eq!(world.with("2").await.tags, ["до", "обычный", "после"]);
}

const SILENCES: &str = r#"
    { name = "slow", on = { silent = { of = "agent", for = "10m" } }, do = [{ notify = { topic = "slow", text = "{{contact.name|?}}" } }] },
    { name = "lost", on = { silent = { of = "customer", for = "1h" } }, do = [{ reply = "Вы ещё тут? 👀" }] },
"#;

#[tokio::test]
async fn a_silence_of_ours_sets_a_rule_off_once_a_silence() {
    let world = World::new();
    let hub = world.hub(&rules("all", SILENCES)).await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    world.pass(mins(9)).await;
    deliver(&hub, &[says("1", "b", "Ау")]).await;
    world.pass(mins(1)).await;
    assert_eq!(
        world.notices().await,
        [("slow".to_owned(), "Клиент 1".to_owned())],
        "since the first that none answered"
    );
    world.pass(hours(5)).await;
    assert_eq!(world.notices().await.len(), 1);
    answers(&hub, &world.only().await, "anna", "Простите!").await;
    deliver(&hub, &[says("1", "c", "Так что?")]).await;
    world.pass(mins(10)).await;
    assert_eq!(world.notices().await.len(), 2, "another silence");
}

#[tokio::test]
async fn a_silence_of_the_person_sets_a_rule_off_once_a_silence() {
    let world = World::new();
    let hub = world.hub(&rules("all", SILENCES)).await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    world.pass(hours(2)).await;
    assert!(world.texts().is_empty(), "it is we who are silent");
    answers(&hub, &world.only().await, "anna", "Какой цвет?").await;
    idle().await;
    world.pass(hours(1)).await;
    assert_eq!(world.texts(), ["Какой цвет?", "Вы ещё тут? 👀"]);
    world.pass(days(1)).await;
    assert_eq!(world.texts().len(), 2);
    deliver(&hub, &[says("1", "b", "Синий 💙")]).await;
    world.pass(secs(1)).await;
    answers(&hub, &world.only().await, "anna", "А размер?").await;
    idle().await;
    world.pass(hours(1)).await;
    assert_eq!(world.texts().last().unwrap(), "Вы ещё тут? 👀");
}

#[tokio::test]
async fn a_message_that_could_not_be_delivered_sets_a_rule_off() {
    let world = World::new();
    let rule = r#"{ name = "failed", on = "failed", do = [{ notify = { topic = "failed", text = "позвоните" } }, { tag = "не дошло" }] },"#;
    let hub = world.hub(&rules("all", rule)).await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    answers(&hub, &world.only().await, "anna", "Ответ").await;
    idle().await;
    deliver(&hub, &[status("s", "out-1", Status::Failed)]).await;
    deliver(&hub, &[status("s2", "out-1", Status::Failed)]).await;
    assert_eq!(world.notices().await, [("failed".to_owned(), "позвоните".to_owned())]);
    assert_eq!(world.only().await.tags, ["не дошло"]);
    // And one that the provider refuses at once.
    let refused = omni_core::error::Error::new(omni_core::error::ErrorKind::ContentRejected, "send");
    world.provided.script([crate::fake::Turn::Refuse(refused)]);
    answers(&hub, &world.only().await, "anna", "Ещё ответ").await;
    idle().await;
    assert_eq!(world.notices().await.len(), 2);
}

#[tokio::test]
async fn a_call_and_a_comment_set_rules_off() {
    let world = World::new();
    let hub = world
        .hub(&rules(
            "all",
            r#"{ name = "call", on = "call", do = [{ tag = "звонок ☎️" }] },
               { name = "comment", on = "comment", if = { contains = "почём" }, do = [{ tag = "комментарий" }, { reply = "Написали в личку" }] },"#,
        ))
        .await;
    let (seconds, url) = (None, None);
    let call = Call { sender: sender("1"), outcome: CallOutcome::Missed, seconds, url };
    deliver(&hub, &[event_of("1", "c", EventBody::Call(call))]).await;
    assert_eq!(world.with("1").await.tags, ["звонок ☎️"]);
    let message = Message::new("k", sender("2"), Content::text("Почём?"));
    let comment = Comment { message, subject: Item::default() };
    deliver(&hub, &[event_of("2", "k", EventBody::Comment(Box::new(comment)))]).await;
    assert_eq!(world.with("2").await.tags, ["комментарий"]);
    assert_eq!(world.texts_to("2"), ["Написали в личку"]);
}

#[tokio::test]
async fn steps_are_host_events_with_their_rule() {
    let world = World::new();
    let hub = world
        .hub(&rules(
            "all",
            r#"{ name = "all", on = "message", do = [
                { tag = ["важно", "оптовик"] },
                { set = { city = "Тверь", "contact.fields.vip" = "да" } },
                { note = "Пишет {{contact.name|?}} из города {{city|?}}" },
                { notify = { topic = "crm", text = "сделка" } },
            ] },"#,
        ))
        .await;
    deliver(&hub, &[says("1", "a", "Хочу вагон 🚃")]).await;
    let told = world
        .told(|e| match e {
            HostEvent::Tagged { tag, by } => Some(format!("tag {tag} {by:?}")),
            HostEvent::FieldSet { field, value, .. } => Some(format!("set {field} {value}")),
            HostEvent::Noted { text, .. } => Some(format!("note {text}")),
            HostEvent::Notice { topic, text } => Some(format!("notice {topic} {text}")),
            _ => None,
        })
        .await;
    assert!(told[0].starts_with("tag важно") && told[0].contains("main/all"), "{told:?}");
    assert!(told[1].starts_with("tag оптовик"), "{told:?}");
    assert!(told.contains(&"note Пишет Клиент 1 из города Тверь".to_owned()), "{told:?}");
    assert!(told.contains(&"notice crm сделка".to_owned()));
    assert!(told.contains(&"set city Тверь".to_owned()), "{told:?}");
    assert!(told.contains(&"set contact.fields.vip да".to_owned()), "{told:?}");
    assert_eq!(world.only().await.flow.fields["city"], "Тверь");
    assert_eq!(world.contact("1").await.fields["vip"], "да");
}

#[tokio::test]
async fn where_a_person_came_from_and_whether_they_were_here_decides() {
    let world = World::new();
    let hub = world
        .hub(&rules(
            "all",
            r#"{ name = "spring", on = "opened", if = { source = "spring" }, do = [{ tag = "весна 🌷" }] },
               { name = "first", on = "opened", if = { visit = "first" }, do = [{ tag = "впервые" }] },
               { name = "again", on = "opened", if = { visit = "returning" }, do = [{ tag = "снова" }] },"#,
        ))
        .await;
    let started = Started { sender: sender("1"), message: None, referral: Some(Referral::token("spring")) };
    deliver(&hub, &[event_of("1", "s", EventBody::Started(started))]).await;
    assert_eq!(world.only().await.tags, ["весна 🌷", "впервые"]);
    hub.close(world.only().await.id, agent("anna")).await.unwrap();
    deliver(&hub, &[says("1", "a", "Я вернулся")]).await;
    assert_eq!(world.with("1").await.tags, ["снова"]);
}

#[tokio::test]
async fn a_message_may_bring_the_source_too() {
    let world = World::new();
    let rule = r#"{ name = "ad", on = "opened", if = { source = "ad-42" }, do = [{ tag = "реклама" }] },"#;
    let hub = world.hub(&rules("all", rule)).await;
    let mut event: Event = says("1", "a", "Увидел рекламу");
    let EventBody::Message(message) = &mut event.body else { unreachable!() };
    message.referral = Some(Referral { ad: Some("ad-42".to_owned()), ..Referral::default() });
    deliver(&hub, &[event]).await;
    assert_eq!(world.only().await.tags, ["реклама"]);
}

#[tokio::test]
async fn what_a_wait_is_cancelled_by_is_its_own_matter() {
    for (unless, answered, wrote) in
        [("answer", false, true), ("message", true, false), ("either", false, false), ("never", true, true)]
    {
        let rule = format!(
            r#"{{ name = "w", on = "opened", do = [{{ wait = {{ for = "10m", unless = "{unless}" }} }}, {{ tag = "дождался" }}] }},"#
        );
        for (who, survives) in [("answer", answered), ("message", wrote)] {
            let world = World::new();
            let hub = world.hub(&rules("all", &rule)).await;
            deliver(&hub, &[says("1", "a", "Раз")]).await;
            world.pass(mins(5)).await;
            match who {
                "answer" => answers(&hub, &world.only().await, "anna", "Тут").await,
                _ => deliver(&hub, &[says("1", "b", "Два")]).await,
            }
            world.pass(mins(5)).await;
            assert_eq!(world.only().await.tags.len(), usize::from(survives), "{unless} and {who}");
        }
    }
}

#[tokio::test]
async fn a_stop_in_a_called_scenario_ends_the_callers_too() {
    let world = World::new();
    let hub = world
        .hub(
            r#"
            [channels.shop]
            scenario = "main"
            [scenarios.main]
            rules = [
                { name = "go", on = "message", do = [{ call = "sub" }, { tag = "после вызова" }] },
                { name = "next", on = "message", do = [{ tag = "следующее" }] },
            ]
            [scenarios.sub]
            rules = [
                { name = "enough", if = { contains = "хватит" }, do = [{ tag = "в вызове" }, "stop"] },
                { name = "other", do = [{ tag = "и ещё" }] },
            ]
            "#,
        )
        .await;
    deliver(&hub, &[says("1", "a", "Хватит ✋")]).await;
    assert_eq!(world.only().await.tags, ["в вызове"]);
}

#[tokio::test]
async fn a_rule_assigns_nothing_that_a_person_has_and_transfers_it_all_the_same() {
    for (step, owner) in [("assign", "anna"), ("transfer", "team sales")] {
        let world = World::new();
        let hub = world
            .hub(&format!(
                r#"
                agents.anna = {{}}
                teams.sales = {{ members = ["anna"] }}
                channels.shop.scenario = "main"
                scenarios.main.rules = [{{ name = "sell", on = "message", if = {{ contains = "куплю" }}, do = [{{ {step} = {{ team = "sales" }} }}] }}]
                "#
            ))
            .await;
        deliver(&hub, &[says("1", "a", "Есть вопрос")]).await;
        hub.take(world.only().await.id, "anna").await.unwrap();
        deliver(&hub, &[says("1", "b", "Куплю!")]).await;
        assert_eq!(world.owner().await, owner, "{step}");
    }
}

#[tokio::test]
async fn a_limit_of_several_a_day_allows_as_many_the_next_day() {
    let world = World::new();
    let rule =
        r#"{ name = "day", on = "message", limit = { per_day = 2 }, do = [{ reply = "Дважды в день" }] },"#;
    let hub = world.hub(&rules("all", rule)).await;
    let mut said = Vec::new();
    for day in 0..3 {
        for n in 0..3 {
            deliver(&hub, &[says("1", &format!("m{day}{n}"), "Раз")]).await;
            world.pass(mins(20)).await;
        }
        said.push(world.texts().len());
        world.pass(hours(23)).await;
    }
    assert_eq!(said, [2, 4, 6]);
}

#[tokio::test]
async fn a_rule_without_a_trigger_acts_only_when_its_scenario_is_called() {
    let world = World::new();
    let hub = world
        .hub(
            r#"
            channels.shop.scenario = "main"
            channels.site.scenario = "sub"
            scenarios.main.rules = [{ name = "go", on = "message", do = [{ call = "sub" }] }]
            scenarios.sub.rules = [
                { name = "called", do = [{ tag = "вызвано" }] },
                { name = "heard", on = "message", do = [{ tag = "услышано" }] },
            ]
            "#,
        )
        .await;
    hub.add_channel(ChannelSetup::new(site(), world.fake(|_| ())));
    deliver(&hub, &[says("1", "a", "В магазин")]).await;
    hand_in(&hub, &site(), &[says("2", "b", "На сайт")]).await;
    idle().await;
    assert_eq!(world.with("1").await.tags, ["вызвано", "услышано"]);
    assert_eq!(world.with("2").await.tags, ["услышано"]);
}

const QUIET_PERSON: &str = r#"
    [channels.shop]
    scenario = "main"
    [[scenarios.main.rules]]
    name = "quiet"
    on = { silent = { of = "customer", for = "1h" } }
    do = [{ tag = "молчит" }]
"#;

#[tokio::test]
async fn a_silence_begins_anew_when_the_talk_is_taken_up_again() {
    let world = World::new();
    let hub = world.hub(QUIET_PERSON).await;
    deliver(&hub, &[says("1", "a", "Сколько стоит?")]).await;
    world.pass(mins(1)).await;
    let talk = world.only().await;
    answers(&hub, &talk, "anna", "Две тысячи").await;
    hub.close(talk.id, agent("anna")).await.unwrap();
    world.pass(days(7)).await;
    hub.reopen(talk.id, agent("anna")).await.unwrap();
    world.pass(mins(59)).await;
    assert!(world.only().await.tags.is_empty());
    world.pass(mins(2)).await;
    assert_eq!(world.only().await.tags, ["молчит"]);
}

#[tokio::test]
async fn an_answer_in_the_same_millisecond_begins_the_silence() {
    let world = World::new();
    let hub = world.hub(QUIET_PERSON).await;
    deliver(&hub, &[says("1", "a", "Меню")]).await;
    answers(&hub, &world.only().await, "anna", "1. Доставка 2. Оплата").await;
    world.pass(hours(2)).await;
    assert_eq!(world.only().await.tags, ["молчит"]);
}

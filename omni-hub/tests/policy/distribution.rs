//! Conversations handed out: whose turn it is, who can, who did not answer, and what a crash leaves.

use omni_core::conversation::{Actor, Visibility};
use omni_core::policy::{Action, Presence, Verb};
use omni_hub::{ChannelSetup, HostEvent};

use crate::world::*;

fn team_of(settings: &str, agents: &str) -> String {
    format!(
        r#"
        {agents}
        [teams.sales]
        members = ["anna", "boris", "clara"]
        {settings}

        [channels.shop]
        receiver = {{ team = "sales" }}
        "#
    )
}

const THREE: &str = "agents.anna = {}\nagents.boris = {}\nagents.clara = {}\n";

/// Who has whose conversation, in the order of their coming.
async fn owners(world: &World) -> Vec<String> {
    world.all().await.iter().map(|c| named(&c.owner)).collect()
}

async fn come(world: &World, hub: &omni_hub::Hub, people: std::ops::Range<usize>) {
    for n in people {
        world.pass(secs(1)).await;
        deliver(hub, &[says(&n.to_string(), &format!("m{n}"), "Добрый день 🙂")]).await;
    }
}

#[tokio::test]
async fn round_robin_goes_round() {
    let world = World::new();
    let hub = world.hub(&team_of("distribution = 'round_robin'", THREE)).await;
    online(&hub, &["anna", "boris", "clara"]).await;
    come(&world, &hub, 0..7).await;
    assert_eq!(owners(&world).await, ["anna", "boris", "clara", "anna", "boris", "clara", "anna"]);
}

#[tokio::test]
async fn round_robin_is_exact_for_those_who_come_at_once() {
    let world = World::new();
    let hub = world.hub(&team_of("distribution = 'round_robin'", THREE)).await;
    online(&hub, &["clara"]).await;
    come(&world, &hub, 0..1).await;
    online(&hub, &["boris", "anna"]).await;
    // In one body, in one millisecond: anna, boris and clara in turn, and then again.
    let all: Vec<_> = (1..8).map(|n| says(&n.to_string(), &format!("m{n}"), "Здравствуйте")).collect();
    deliver(&hub, &all).await;
    assert_eq!(owners(&world).await[1..], ["anna", "boris", "clara", "anna", "boris", "clara", "anna"]);
    come(&world, &hub, 8..10).await;
    assert_eq!(owners(&world).await[8..], ["boris", "clara"]);
}

#[tokio::test]
async fn the_least_loaded_is_given_the_next() {
    let world = World::new();
    let agents =
        "agents.anna = { capacity = 10 }\nagents.boris = { capacity = 5 }\nagents.clara = { capacity = 5 }\n";
    let hub = world.hub(&team_of("distribution = 'least_loaded'", agents)).await;
    online(&hub, &["anna", "boris"]).await;
    come(&world, &hub, 0..6).await;
    let owners = owners(&world).await;
    assert_eq!(owners.iter().filter(|o| *o == "anna").count(), 4, "by share of the capacity: {owners:?}");
}

#[tokio::test]
async fn nobody_is_given_more_than_they_may_have_and_a_freed_place_takes_the_oldest() {
    let world = World::new();
    let agents = "agents.anna = { capacity = 1 }\nagents.boris = { capacity = 1 }\nagents.clara = {}\n";
    let hub = world.hub(&team_of("distribution = 'round_robin'", agents)).await;
    online(&hub, &["anna", "boris"]).await;
    come(&world, &hub, 0..5).await;
    assert_eq!(owners(&world).await, ["anna", "boris", "team sales", "team sales", "team sales"]);
    hub.close(world.with("1").await.id, agent("boris")).await.unwrap();
    idle().await;
    assert_eq!(owners(&world).await, ["anna", "boris", "boris", "team sales", "team sales"]);
    hub.close(world.with("0").await.id, agent("anna")).await.unwrap();
    idle().await;
    assert_eq!(owners(&world).await, ["anna", "boris", "boris", "anna", "team sales"]);
    let desk = hub.desk(&"acme".into()).await.unwrap();
    assert_eq!((desk.agents["anna"].total(), desk.waiting["sales"]), (1, 1));
}

#[tokio::test]
async fn a_limit_for_one_channel_counts_beside_the_one_for_all() {
    let world = World::new();
    let agents =
        "agents.anna = { capacity = 5, capacity_of = { shop = 1 } }\nagents.boris = {}\nagents.clara = {}\n";
    let book = format!(
        "{}\n[channels.site]\nreceiver = {{ team = 'sales' }}",
        team_of("distribution = 'round_robin'", agents)
    );
    let hub = world.hub(&book).await;
    hub.add_channel(ChannelSetup::new(site(), world.fake(|_| ())));
    online(&hub, &["anna"]).await;
    come(&world, &hub, 0..2).await;
    assert_eq!(owners(&world).await, ["anna", "team sales"]);
    hand_in(&hub, &site(), &[says("9", "z", "С сайта")]).await;
    idle().await;
    assert_eq!(named(&world.with("9").await.owner), "anna", "the one in front does not hold it up");
}

#[tokio::test]
async fn what_waited_when_a_node_died_is_handed_out_by_the_next_oldest_first() {
    let world = World::new();
    let book = team_of(
        "distribution = 'round_robin'",
        "agents.anna = { capacity = 2 }\nagents.boris = {}\nagents.clara = {}\n",
    );
    let first = world.builder().node("desk").build();
    set_book(&first, &book);
    first.add_channel(ChannelSetup::new(shop(), world.fake(|_| ())));
    let running = run(&first);
    idle().await;
    come(&world, &first, 0..4).await;
    running.abort();
    idle().await;
    // The place is there before anybody looks.
    present(&first, "anna", Presence::Online).await;
    assert_eq!(owners(&world).await, ["team sales"; 4]);
    let second = world.builder().node("desk").build();
    set_book(&second, &book);
    second.add_channel(ChannelSetup::new(shop(), world.fake(|_| ())));
    run(&second);
    idle().await;
    assert_eq!(owners(&world).await, ["anna", "anna", "team sales", "team sales"]);
}

#[tokio::test]
async fn a_person_who_returns_gets_the_agent_who_knows_them_but_not_for_ever() {
    for (later, owner) in [(days(2), "boris"), (days(8), "anna")] {
        let world = World::new();
        let hub = world.hub(&team_of("distribution = 'round_robin'\nsticky = '7d'", THREE)).await;
        online(&hub, &["boris"]).await;
        come(&world, &hub, 1..2).await;
        answers(&hub, &world.only().await, "boris", "Сделаем!").await;
        hub.close(world.only().await.id, agent("boris")).await.unwrap();
        online(&hub, &["anna"]).await;
        world.pass(later).await;
        deliver(&hub, &[says("1", "again", "Сделали?")]).await;
        assert_eq!(named(&world.with("1").await.owner), owner, "after {later:?}");
    }
}

#[tokio::test]
async fn a_sticky_agent_who_is_not_there_holds_nothing_up() {
    let world = World::new();
    let hub = world.hub(&team_of("distribution = 'round_robin'\nsticky = '7d'", THREE)).await;
    online(&hub, &["boris"]).await;
    come(&world, &hub, 1..2).await;
    answers(&hub, &world.only().await, "boris", "Сделаем!").await;
    hub.close(world.only().await.id, agent("boris")).await.unwrap();
    present(&hub, "boris", Presence::Away).await;
    online(&hub, &["clara"]).await;
    deliver(&hub, &[says("1", "again", "Сделали?")]).await;
    assert_eq!(named(&world.with("1").await.owner), "clara");
}

#[tokio::test]
async fn a_pinned_channel_is_seen_and_had_by_one_agent() {
    let world = World::new();
    let hub = world.hub("agents.anna = {}\nchannels.shop = { pinned = 'anna' }").await;
    deliver(&hub, &[says("1", "a", "Привет")]).await;
    let conversation = world.only().await;
    assert_eq!(conversation.visible, Visibility::Agent { agent: "anna".into() });
    assert_eq!(named(&conversation.owner), "anna");
}

#[tokio::test]
async fn who_asks_gets_the_one_that_waits_longest() {
    let world = World::new();
    let hub = world.hub(&team_of("distribution = 'pull'", THREE)).await;
    come(&world, &hub, 0..2).await;
    assert_eq!(world.with("0").await.visible, Visibility::Owner, "nobody picks");
    assert_eq!(hub.pull("acme", "anna").await.unwrap(), None, "whoever asks comes online first");
    online(&hub, &["anna", "boris", "clara"]).await;
    assert_eq!(owners(&world).await, ["team sales", "team sales"], "nothing is handed out unasked");
    let first = hub.pull("acme", "anna").await.unwrap();
    assert_eq!(first, Some(world.with("0").await.id));
    assert_eq!(hub.pull("acme", "boris").await.unwrap(), Some(world.with("1").await.id));
    assert_eq!(hub.pull("acme", "clara").await.unwrap(), None);
    assert_eq!(owners(&world).await, ["anna", "boris"]);
}

#[tokio::test]
async fn who_asks_gets_no_more_than_they_may_have() {
    let world = World::new();
    let agents = "agents.anna = { capacity = 1 }\nagents.boris = {}\nagents.clara = {}\n";
    let hub = world.hub(&team_of("distribution = 'pull'", agents)).await;
    come(&world, &hub, 0..2).await;
    online(&hub, &["anna", "stranger"]).await;
    assert!(hub.pull("acme", "anna").await.unwrap().is_some());
    assert!(hub.pull("acme", "anna").await.unwrap().is_none());
    assert!(hub.pull("acme", "stranger").await.unwrap().is_none());
}

#[tokio::test]
async fn asking_for_one_whose_channel_is_not_connected_here_ends() {
    let world = World::new();
    let hub = world.hub(&team_of("distribution = 'pull'", THREE)).await;
    come(&world, &hub, 0..1).await;
    online(&hub, &["anna"]).await;
    hub.remove_channel(&shop());
    assert_eq!(hub.pull("acme", "anna").await.unwrap(), None);
}

#[tokio::test]
async fn all_of_a_team_see_it_until_one_answers() {
    let world = World::new();
    let hub = world.hub(&team_of("", THREE)).await;
    online(&hub, &["anna", "boris"]).await;
    come(&world, &hub, 1..2).await;
    assert_eq!(world.owner().await, "team sales");
    assert_eq!(world.only().await.visible, Visibility::Team { team: "sales".into() });
    answers(&hub, &world.only().await, "boris", "Слушаю вас").await;
    idle().await;
    assert_eq!(world.owner().await, "boris");
    assert!(world.only().await.flow.queue.is_none());
}

const SKILLS: &str = r#"
    [agents.anna]
    [agents.boris]
    skills = ["english"]
    [teams.sales]
    members = ["anna", "boris"]
    distribution = "round_robin"
    relax_skills = "2m"
    [scenarios.main]
    rules = [{ name = "english", on = "opened", if = { word = "hello" }, do = [
        { assign = { skilled = { team = "sales", skills = ["english"] } } },
    ] }]
    [channels.shop]
    scenario = "main"
"#;

#[tokio::test]
async fn who_has_the_skill_is_waited_for_and_after_a_time_anybody_will_do() {
    let world = World::new();
    let hub = world.hub(SKILLS).await;
    online(&hub, &["anna"]).await;
    deliver(&hub, &[says("1", "a", "Hello! 🇬🇧")]).await;
    world.slowly(secs(115)).await;
    assert_eq!(world.owner().await, "team sales");
    world.slowly(secs(15)).await;
    assert_eq!(world.owner().await, "anna");
}

#[tokio::test]
async fn who_has_the_skill_gets_it_at_once() {
    let world = World::new();
    let hub = world.hub(SKILLS).await;
    online(&hub, &["anna", "boris"]).await;
    deliver(&hub, &[says("1", "a", "Hello! 🇬🇧")]).await;
    assert_eq!(world.owner().await, "boris");
}

#[tokio::test]
async fn a_queue_that_waits_too_long_overflows_and_keeps_its_waiting_time() {
    let world = World::new();
    let hub = world
        .hub(
            r#"
            agents.anna = {}
            agents.boris = {}
            [teams.sales]
            members = ["anna"]
            distribution = "round_robin"
            overflow = { to = "backup", after = "3m" }
            [teams.backup]
            members = ["boris"]
            distribution = "round_robin"
            [channels.shop]
            receiver = { team = "sales" }
            "#,
        )
        .await;
    deliver(&hub, &[says("1", "a", "Есть кто?")]).await;
    let began = world.now();
    world.pass(mins(3)).await;
    let queue = world.only().await.flow.queue.unwrap();
    assert_eq!((queue.team.as_str(), queue.since, queue.joined), ("backup", began, world.now()));
    assert_eq!(queue.passed, ["sales".into()]);
    online(&hub, &["boris"]).await;
    assert_eq!(world.owner().await, "boris");
}

#[tokio::test]
async fn an_agent_who_does_not_answer_loses_it_to_another() {
    let world = World::new();
    let hub = world.hub(&team_of("distribution = 'round_robin'\nanswer_within = '2m'", THREE)).await;
    online(&hub, &["anna", "boris"]).await;
    come(&world, &hub, 1..2).await;
    assert_eq!(world.owner().await, "anna");
    world.pass(mins(2)).await;
    assert_eq!(world.owner().await, "boris");
    world.pass(mins(2)).await;
    assert_eq!(world.owner().await, "anna", "when all have missed it, it goes round");
    answers(&hub, &world.only().await, "anna", "Простите, иду!").await;
    idle().await;
    world.pass(hours(1)).await;
    assert_eq!(world.owner().await, "anna", "who answered keeps it");
    assert!(world.only().await.flow.missed.is_empty());
}

#[tokio::test]
async fn the_agent_who_missed_it_does_not_get_it_back_while_another_is_there() {
    let world = World::new();
    let agents = "agents.anna = {}\nagents.boris = { capacity = 1 }\nagents.clara = {}\n";
    let hub = world.hub(&team_of("distribution = 'round_robin'\nanswer_within = '2m'", agents)).await;
    online(&hub, &["boris"]).await;
    come(&world, &hub, 0..1).await;
    answers(&hub, &world.only().await, "boris", "Минуту").await;
    online(&hub, &["anna"]).await;
    come(&world, &hub, 1..2).await;
    assert_eq!(named(&world.with("1").await.owner), "anna");
    world.pass(mins(2)).await;
    assert_eq!(
        named(&world.with("1").await.owner),
        "team sales",
        "boris is there, and busy: it waits for him"
    );
    hub.close(world.with("0").await.id, agent("boris")).await.unwrap();
    idle().await;
    assert_eq!(named(&world.with("1").await.owner), "boris");
}

#[tokio::test]
async fn a_conversation_that_was_answered_is_not_taken_away_until_the_person_writes_again() {
    let world = World::new();
    let hub = world.hub(&team_of("distribution = 'round_robin'\nanswer_within = '2m'", THREE)).await;
    online(&hub, &["anna", "boris"]).await;
    come(&world, &hub, 1..2).await;
    world.pass(mins(1)).await;
    answers(&hub, &world.only().await, "anna", "Смотрю").await;
    idle().await;
    world.pass(days(1)).await;
    assert_eq!(world.owner().await, "anna");
}

#[tokio::test]
async fn a_conversation_that_is_given_back_is_taken_from_nobody() {
    let world = World::new();
    let hub = world.hub(&team_of("distribution = 'round_robin'\nanswer_within = '2m'", THREE)).await;
    online(&hub, &["anna"]).await;
    come(&world, &hub, 1..2).await;
    assert_eq!(world.owner().await, "anna");
    // Without end its timer would fire at once again, and this test would hang.
    hub.assign(world.only().await.id, omni_core::conversation::Owner::Nobody, agent("anna")).await.unwrap();
    world.pass(hours(1)).await;
    assert_eq!(world.owner().await, "nobody");
}

#[tokio::test]
async fn conditions_see_the_queue_and_who_is_there() {
    let world = World::new();
    let hub = world
        .hub(
            r#"
            agents.anna = { capacity = 1 }
            [teams.sales]
            members = ["anna"]
            distribution = "round_robin"
            [scenarios.main]
            rules = [
                { name = "nobody", on = "opened", if = { not = { online = "sales" } }, do = [{ tag = "никого" }] },
                { name = "busy", on = "opened", if = { queue = { team = "sales", at_least = 2 } }, do = [{ reply = "Вы в очереди ⏳" }] },
            ]
            [channels.shop]
            scenario = "main"
            receiver = { team = "sales" }
            "#,
        )
        .await;
    come(&world, &hub, 0..1).await;
    online(&hub, &["anna"]).await;
    come(&world, &hub, 1..4).await;
    let tags: Vec<_> = world.all().await.iter().map(|c| c.tags.len()).collect();
    assert_eq!(tags, [1, 0, 0, 0]);
    assert_eq!(world.texts(), ["Вы в очереди ⏳"], "the fourth: two waited when it came");
}

#[tokio::test]
async fn who_got_free_of_late_is_not_the_longest_idle() {
    let world = World::new();
    let hub = world.hub(&team_of("distribution = 'longest_idle'", THREE)).await;
    online(&hub, &["anna", "boris"]).await;
    come(&world, &hub, 0..2).await;
    assert_eq!(owners(&world).await, ["anna", "boris"]);
    world.pass(mins(5)).await;
    hub.close(world.with("0").await.id, agent("anna")).await.unwrap();
    come(&world, &hub, 2..3).await;
    assert_eq!(named(&world.with("2").await.owner), "boris", "anna had work until a moment ago");
}

#[tokio::test]
async fn a_conversation_does_not_overflow_to_a_team_it_has_waited_for() {
    let world = World::new();
    let hub = world
        .hub(
            r#"
            agents.anna = {}
            agents.boris = {}
            [teams.sales]
            members = ["anna"]
            distribution = "round_robin"
            overflow = { to = "backup", after = "3m" }
            [teams.backup]
            members = ["boris"]
            distribution = "round_robin"
            [channels.shop]
            receiver = { team = "backup" }
            "#,
        )
        .await;
    deliver(&hub, &[says("1", "a", "Есть кто?")]).await;
    let id = world.only().await.id;
    hub.assign(id, to_team("sales"), Actor::Host).await.unwrap();
    world.pass(hours(1)).await;
    assert_eq!(world.owner().await, "team sales", "{}", world.traces().await);
    online(&hub, &["anna"]).await;
    assert_eq!(world.owner().await, "anna");
}

#[tokio::test]
async fn what_is_taken_from_an_agent_has_waited_since_the_person_wrote() {
    let world = World::new();
    let hub = world.hub(&team_of("distribution = 'round_robin'\nanswer_within = '2m'", THREE)).await;
    come(&world, &hub, 1..2).await;
    let wrote = world.now();
    world.pass(mins(7)).await;
    online(&hub, &["anna"]).await;
    assert_eq!(world.owner().await, "anna");
    present(&hub, "anna", Presence::Offline).await;
    world.pass(mins(2)).await;
    let queue = world.only().await.flow.queue.unwrap();
    assert_eq!((queue.since, queue.joined), (wrote, world.now()));
    assert_eq!(queue.excluded, ["anna".into()]);
}

#[tokio::test]
async fn an_agent_who_waits_for_something_outside_does_not_lose_it() {
    let world = World::new();
    let hub = world.hub(&team_of("distribution = 'round_robin'\nanswer_within = '2m'", THREE)).await;
    online(&hub, &["anna", "boris"]).await;
    come(&world, &hub, 1..2).await;
    let hold = |verb| Action { by: agent("anna"), verb };
    hub.act(world.only().await.id, hold(Verb::Hold)).await.unwrap();
    world.pass(hours(1)).await;
    assert_eq!(world.assigned().await, ["team sales", "anna"]);
}

#[tokio::test]
async fn an_agent_who_took_it_themselves_does_not_lose_it() {
    let world = World::new();
    let hub = world.hub(&team_of("distribution = 'round_robin'\nanswer_within = '2m'", THREE)).await;
    come(&world, &hub, 1..2).await;
    hub.take(world.only().await.id, "clara").await.unwrap();
    online(&hub, &["anna", "boris", "clara"]).await;
    world.pass(hours(1)).await;
    assert_eq!(world.assigned().await, ["team sales", "clara"]);
}

#[tokio::test]
async fn who_asks_gets_the_longest_waiting_and_not_the_oldest_conversation() {
    let world = World::new();
    let hub = world.hub(&team_of("distribution = 'pull'", THREE)).await;
    come(&world, &hub, 0..2).await;
    // The older one was clara's for a while, and waits anew.
    let older = world.with("0").await.id;
    hub.take(older, "clara").await.unwrap();
    world.pass(mins(1)).await;
    hub.assign(older, to_team("sales"), agent("clara")).await.unwrap();
    online(&hub, &["anna"]).await;
    assert_eq!(hub.pull("acme", "anna").await.unwrap(), Some(world.with("1").await.id));
    assert_eq!(hub.pull("acme", "anna").await.unwrap(), Some(older));
}

#[tokio::test]
async fn who_says_again_that_they_are_there_is_there_since_the_first_time() {
    let world = World::new();
    let hub = world.hub(&team_of("distribution = 'longest_idle'", THREE)).await;
    online(&hub, &["anna"]).await;
    world.pass(mins(1)).await;
    online(&hub, &["boris"]).await;
    world.pass(mins(1)).await;
    online(&hub, &["anna"]).await;
    come(&world, &hub, 0..1).await;
    assert_eq!(world.owner().await, "anna");
    let told = world.told(|e| matches!(e, HostEvent::Presence { .. }).then_some(())).await;
    assert_eq!(told.len(), 2);
}

#[tokio::test]
async fn that_it_waits_is_told_once_a_team() {
    let world = World::new();
    let hub = world.hub(&team_of("distribution = 'round_robin'", THREE)).await;
    come(&world, &hub, 1..2).await;
    deliver(&hub, &[says("1", "b", "Есть кто?"), says("1", "c", "Ау 🙁")]).await;
    let told = world.told(|e| matches!(e, HostEvent::Waiting { .. }).then_some(())).await;
    assert_eq!(told.len(), 1);
}

#[tokio::test]
async fn the_agent_who_knows_a_person_is_remembered_since_their_last_answer() {
    let world = World::new();
    let hub = world.hub(&team_of("distribution = 'round_robin'\nsticky = '7d'", THREE)).await;
    online(&hub, &["boris"]).await;
    come(&world, &hub, 1..2).await;
    answers(&hub, &world.only().await, "boris", "Сделаем!").await;
    world.pass(days(5)).await;
    answers(&hub, &world.only().await, "boris", "Сделали!").await;
    hub.close(world.only().await.id, agent("boris")).await.unwrap();
    online(&hub, &["anna"]).await;
    world.pass(days(5)).await;
    deliver(&hub, &[says("1", "again", "Сломалось")]).await;
    assert_eq!(
        named(&world.with("1").await.owner),
        "boris",
        "ten days after the first answer, five after the last"
    );
}

#[tokio::test]
async fn what_overflows_keeps_the_skills_that_it_needs() {
    let world = World::new();
    let book = SKILLS.replace("relax_skills = \"2m\"", "overflow = { to = \"backup\", after = \"3m\" }\n    [teams.backup]\n    members = [\"anna\", \"boris\"]\n    distribution = \"round_robin\"");
    let hub = world.hub(&book).await;
    deliver(&hub, &[says("1", "a", "Hello! 🇬🇧")]).await;
    world.pass(mins(3)).await;
    assert_eq!(world.owner().await, "team backup");
    online(&hub, &["anna"]).await;
    assert_eq!(world.owner().await, "team backup", "she does not speak English");
    online(&hub, &["boris"]).await;
    assert_eq!(world.owner().await, "boris");
}

#[tokio::test]
async fn who_missed_it_before_the_closing_is_asked_again_after_it() {
    let world = World::new();
    let book = team_of("distribution = 'round_robin'\nanswer_within = '2m'", THREE);
    let hub = world.hub(&format!("{book}returning = 'reopen'")).await;
    online(&hub, &["anna"]).await;
    come(&world, &hub, 1..2).await;
    present(&hub, "anna", Presence::Away).await;
    world.pass(mins(2)).await;
    assert_eq!(world.only().await.flow.queue.unwrap().excluded, ["anna".into()]);
    hub.close(world.only().await.id, agent("clara")).await.unwrap();
    deliver(&hub, &[says("1", "again", "Я снова тут")]).await;
    let queue = world.only().await.flow.queue.unwrap();
    assert!(queue.excluded.is_empty(), "{queue:?}");
}

#[tokio::test]
async fn what_a_colleague_missed_goes_to_the_agent_who_knows_the_person() {
    let world = World::new();
    let book = r#"
        agents.anna = {}
        agents.boris = {}
        agents.vera = {}
        [teams.sales]
        members = ["anna", "boris", "vera"]
        distribution = "round_robin"
        sticky = "30d"
        answer_within = "5m"
        [channels.shop]
        receiver = { team = "sales" }
    "#;
    let hub = world.hub(book).await;
    online(&hub, &["anna"]).await;
    deliver(&hub, &[says("1", "a", "Добрый день")]).await;
    answers(&hub, &world.only().await, "anna", "Здравствуйте 😀").await;
    hub.close(world.only().await.id, agent("anna")).await.unwrap();
    present(&hub, "anna", Presence::Offline).await;
    online(&hub, &["boris"]).await;
    deliver(&hub, &[says("1", "b", "Это снова я")]).await;
    assert_eq!(named(&world.with("1").await.owner), "boris");
    online(&hub, &["anna", "vera"]).await;
    world.pass(mins(6)).await;
    assert_eq!(named(&world.with("1").await.owner), "anna", "and not to vera, whose turn it is");
}

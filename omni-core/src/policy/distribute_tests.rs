use std::collections::BTreeSet;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::period::Period;

const NAMES: [&str; 5] = ["anna", "boris", "clara", "daria", "egor"];
const CHANNELS: [&str; 2] = ["shop", "mail"];

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn id(number: u8) -> ConversationId {
    ConversationId::from_bytes([number; 16])
}

fn team(distribution: Distribution, members: &[&str]) -> Team {
    Team { members: members.iter().map(|&m| m.into()).collect(), distribution, ..Team::default() }
}

/// A book with the team `desk`.
fn book(distribution: Distribution, members: &[&str]) -> Book {
    Book { teams: [("desk".into(), team(distribution, members))].into(), ..Book::default() }
}

fn set(book: &mut Book, agent: &str, change: impl FnOnce(&mut Agent)) {
    change(book.agents.entry(agent.into()).or_default());
}

fn online() -> AgentState {
    AgentState { presence: Presence::Online, ..AgentState::default() }
}

fn busy(conversations: u32) -> AgentState {
    AgentState { load: [("mail".into(), conversations)].into(), ..online() }
}

fn desk(agents: &[(&str, AgentState)]) -> Desk {
    let agents = agents.iter().map(|(name, state)| ((*name).into(), state.clone())).collect();
    Desk { agents, ..Desk::default() }
}

fn waiting(number: u8, since: i64) -> Waiting {
    let queue = Queued {
        team: "desk".into(),
        since: at(since),
        joined: at(since),
        skills: Vec::new(),
        prefer: None,
        excluded: Vec::new(),
        passed: Vec::new(),
    };
    Waiting { conversation: id(number), channel: "shop".into(), queue }
}

/// `number` conversations that have waited in their order.
fn line(number: u8) -> Vec<Waiting> {
    (1..=number).map(|n| waiting(n, i64::from(n))).collect()
}

fn names(placed: &[Placement]) -> Vec<&str> {
    placed.iter().map(|p| p.agent.as_str()).collect()
}

/// Does what was proposed, as the hub would.
fn apply(desk: &mut Desk, waiting: &[Waiting], placed: &[Placement]) {
    for placement in placed {
        let of = waiting.iter().find(|w| w.conversation == placement.conversation).unwrap();
        let agent = desk.agents.get_mut(&placement.agent).unwrap();
        agent.assigned_at = agent.assigned_at.max(Some(placement.at));
        *agent.load.entry(of.channel.clone()).or_default() += 1;
    }
}

#[test]
fn round_robin_gives_to_those_never_given_one_first_and_then_in_turn() {
    let book = book(Distribution::RoundRobin, &["clara", "boris", "anna"]);
    let early = AgentState { assigned_at: Some(at(1)), ..online() };
    let late = AgentState { assigned_at: Some(at(2)), ..online() };
    let desk = desk(&[("anna", late), ("boris", early), ("clara", online())]);
    let placed = distribute(&book, &desk, &line(7), at(100));
    assert_eq!(names(&placed), ["clara", "boris", "anna", "clara", "boris", "anna", "clara"]);
}

#[test]
fn equals_go_by_name_whatever_the_order_of_the_members() {
    for members in [["anna", "boris"], ["boris", "anna"]] {
        for distribution in [Distribution::RoundRobin, Distribution::LeastLoaded, Distribution::LongestIdle] {
            let desk = desk(&[("anna", online()), ("boris", online())]);
            let placed = distribute(&book(distribution, &members), &desk, &line(3), at(100));
            assert_eq!(names(&placed), ["anna", "boris", "anna"], "{distribution:?}");
        }
    }
}

#[test]
fn an_odd_number_given_out_in_one_moment_favours_nobody_the_next_time() {
    let book = book(Distribution::RoundRobin, &["anna", "boris"]);
    let mut desk = desk(&[("anna", online()), ("boris", online())]);
    let mut given = Vec::new();
    for _ in 0..4 {
        let placed = distribute(&book, &desk, &line(3), at(100));
        apply(&mut desk, &line(3), &placed);
        given.extend(placed);
    }
    assert_eq!(names(&given), ["anna", "boris"].repeat(6));
    assert!(given.is_sorted_by_key(|p| p.at) && given.iter().all(|p| p.at < at(200)));
}

#[test]
fn a_clock_that_was_ahead_keeps_the_turns() {
    let book = book(Distribution::RoundRobin, &["anna", "boris"]);
    let ahead = AgentState { assigned_at: Some(at(9_000)), ..online() };
    let mut desk = desk(&[("anna", ahead), ("boris", online())]);
    let placed = distribute(&book, &desk, &line(1), at(100));
    assert_eq!(names(&placed), ["boris"]);
    apply(&mut desk, &line(1), &placed);
    assert_eq!(names(&distribute(&book, &desk, &line(2), at(101))), ["anna", "boris"]);
}

#[test]
fn least_loaded_compares_shares_of_the_capacity() {
    let mut book = book(Distribution::LeastLoaded, &["anna", "boris"]);
    set(&mut book, "anna", |a| a.capacity = Some(10));
    set(&mut book, "boris", |a| a.capacity = Some(2));
    let desk = desk(&[("anna", busy(4)), ("boris", busy(1))]);
    // 4/10 before 1/2; then 5/10 against 1/2: equal, and boris was given one longer ago.
    assert_eq!(names(&distribute(&book, &desk, &line(2), at(100))), ["anna", "boris"]);
}

#[test]
fn least_loaded_takes_no_limit_for_the_largest_of_the_team() {
    let mut some = book(Distribution::LeastLoaded, &["anna", "boris", "clara"]);
    set(&mut some, "anna", |a| a.capacity = Some(4));
    set(&mut some, "boris", |a| a.capacity = Some(8));
    let state = desk(&[("anna", busy(2)), ("boris", busy(4)), ("clara", busy(3))]);
    assert_eq!(names(&distribute(&some, &state, &line(1), at(100))), ["clara"], "3 of 8");
    let none = book(Distribution::LeastLoaded, &["anna", "boris", "clara"]);
    assert_eq!(names(&distribute(&none, &state, &line(1), at(100))), ["anna"], "the fewest");
}

#[test]
fn longest_idle_counts_coming_assigning_and_freeing() {
    let book = book(Distribution::LongestIdle, &["anna", "boris", "clara"]);
    let came = AgentState { since: at(30), ..online() };
    let given = AgentState { assigned_at: Some(at(20)), since: at(1), ..online() };
    let freed = AgentState { freed_at: Some(at(25)), assigned_at: Some(at(2)), since: at(1), ..online() };
    let desk = desk(&[("anna", came), ("boris", given), ("clara", freed)]);
    let placed = distribute(&book, &desk, &line(4), at(100));
    assert_eq!(names(&placed), ["boris", "clara", "anna", "boris"]);
}

#[test]
fn nothing_is_handed_out_where_agents_take_or_ask() {
    for distribution in [Distribution::AllSee, Distribution::Pull] {
        let desk = desk(&[("anna", online())]);
        assert!(distribute(&book(distribution, &["anna"]), &desk, &line(2), at(100)).is_empty());
    }
    let mut gone = waiting(1, 1);
    gone.queue.team = "gone".into();
    let book = book(Distribution::RoundRobin, &["anna"]);
    assert!(distribute(&book, &desk(&[("anna", online())]), &[gone], at(100)).is_empty());
}

#[test]
fn the_longest_waiting_of_all_teams_comes_first() {
    let mut book = book(Distribution::RoundRobin, &["anna"]);
    set(&mut book, "anna", |a| a.capacity = Some(2));
    book.teams.insert("second".into(), team(Distribution::LongestIdle, &["anna"]));
    let mut all = line(3);
    all[0].queue.since = at(50);
    all[2].queue.team = "second".into();
    let placed = distribute(&book, &desk(&[("anna", online())]), &all, at(100));
    assert_eq!(placed.iter().map(|p| p.conversation).collect::<Vec<_>>(), [id(2), id(3)]);
}

#[test]
fn one_that_nobody_can_take_holds_up_none_behind_it() {
    let book = book(Distribution::RoundRobin, &["anna"]);
    let mut all = line(2);
    all[0].queue.skills = vec!["english".to_owned()];
    let placed = distribute(&book, &desk(&[("anna", online())]), &all, at(100));
    assert_eq!(placed.iter().map(|p| p.conversation).collect::<Vec<_>>(), [id(2)]);
}

#[test]
fn skills_count_until_the_team_gives_them_up() {
    let mut book = book(Distribution::RoundRobin, &["anna", "boris"]);
    set(&mut book, "boris", |a| a.skills = vec!["refunds".to_owned(), "english".to_owned()]);
    let anna = desk(&[("anna", online())]);
    let both = desk(&[("anna", online()), ("boris", online())]);
    let mut one = waiting(1, 1);
    one.queue.skills = vec!["english".to_owned(), "refunds".to_owned()];
    one.queue.joined = at(1_000);
    let all = [one];
    assert!(distribute(&book, &anna, &all, at(i64::MAX / 2)).is_empty(), "no time is set");
    assert_eq!(names(&distribute(&book, &both, &all, at(1_000))), ["boris"]);
    book.teams.get_mut("desk").unwrap().relax_skills = Some(Period::secs(5));
    assert!(distribute(&book, &anna, &all, at(5_999)).is_empty(), "counted from joining this team");
    assert_eq!(names(&distribute(&book, &anna, &all, at(6_000))), ["anna"]);
}

#[test]
fn whoever_is_preferred_gets_it_if_they_can() {
    let mut book = book(Distribution::RoundRobin, &["anna", "boris"]);
    set(&mut book, "boris", |a| a.capacity = Some(3));
    let prefer = |agent: &str| {
        let mut one = waiting(1, 1);
        one.queue.prefer = Some(agent.into());
        [one]
    };
    let with = |boris| desk(&[("anna", online()), ("boris", boris)]);
    let given = |one: &[Waiting], boris| names(&distribute(&book, &with(boris), one, at(100))).join(" ");
    assert_eq!(given(&prefer("boris"), busy(2)), "boris");
    assert_eq!(given(&prefer("boris"), busy(3)), "anna", "full");
    assert_eq!(given(&prefer("boris"), AgentState { presence: Presence::Away, ..busy(0) }), "anna", "away");
    assert_eq!(given(&prefer("clara"), busy(2)), "anna", "no member");
    let mut missed = prefer("boris");
    missed[0].queue.excluded = vec!["boris".into()];
    assert_eq!(given(&missed, busy(0)), "anna", "had it and did not answer");
}

#[test]
fn whoever_missed_it_is_passed_over_while_somebody_else_is_there() {
    let mut book = book(Distribution::RoundRobin, &["anna", "boris", "clara"]);
    set(&mut book, "boris", |a| a.capacity = Some(1));
    let missed = |by: &[&str]| {
        let mut one = waiting(1, 1);
        one.queue.excluded = by.iter().map(|&a| a.into()).collect();
        [one]
    };
    let given = |one: &[Waiting], agents: &[(&str, AgentState)]| {
        names(&distribute(&book, &desk(agents), one, at(100))).join(" ")
    };
    let (anna, boris, clara) = (("anna", online()), ("boris", online()), ("clara", online()));
    assert_eq!(given(&missed(&["anna"]), &[anna.clone(), boris.clone()]), "boris");
    assert_eq!(given(&missed(&["anna"]), &[anna.clone(), ("boris", busy(1))]), "", "it waits for boris");
    assert_eq!(given(&missed(&["anna"]), std::slice::from_ref(&anna)), "anna", "nobody else is there");
    let all = [anna, boris, clara];
    assert_eq!(given(&missed(&["clara", "anna", "boris"]), &all), "clara", "missed it longest ago");
    assert_eq!(given(&missed(&["clara", "anna", "boris", "clara"]), &all), "anna", "the last time counts");
}

#[test]
fn whoever_asks_gets_the_longest_waiting_they_can_take() {
    let mut book = book(Distribution::Pull, &["anna", "boris"]);
    book.teams.insert("second".into(), team(Distribution::AllSee, &["anna"]));
    book.teams.insert("third".into(), team(Distribution::RoundRobin, &["boris"]));
    set(&mut book, "anna", |a| {
        a.capacity_of.insert("shop".into(), 1);
    });
    let mut all = line(5);
    all[0].queue.team = "third".into();
    all[1].queue.skills = vec!["english".to_owned()];
    all[2].queue.team = "second".into();
    let next = |agents: &[(&str, AgentState)], agent: &str| {
        next_for(&book, &desk(agents), &agent.into(), &all, at(100)).map(|p| p.conversation)
    };
    assert_eq!(next(&[("anna", online())], "anna"), Some(id(3)));
    assert_eq!(next(&[("boris", online())], "boris"), Some(id(1)));
    for presence in [Presence::Away, Presence::Offline] {
        assert_eq!(next(&[("anna", AgentState { presence, ..online() })], "anna"), None, "{presence:?}");
    }
    let full = AgentState { load: [("shop".into(), 1)].into(), ..online() };
    assert_eq!(next(&[("anna", full)], "anna"), None);
    assert_eq!(next(&[("clara", online())], "clara"), None, "in no team");
    all[2].queue.excluded = vec!["anna".into()];
    let desk = desk(&[("anna", online())]);
    let placed = next_for(&book, &desk, &"anna".into(), &all, at(100)).unwrap();
    assert_eq!((placed.conversation, placed.at), (id(3), at(100)), "who missed it may ask for it");
}

#[test]
fn every_obstacle_is_said_in_words() {
    let mut book = book(Distribution::RoundRobin, &["anna"]);
    set(&mut book, "anna", |a| {
        a.capacity = Some(3);
        a.capacity_of.insert("shop".into(), 1);
    });
    let mut one = waiting(1, 1);
    let why = |agent: &str, state: &AgentState, one: &Waiting| {
        eligible(&book, &agent.into(), state, one, at(100)).map_err(|why| why.to_string())
    };
    assert_eq!(why("anna", &online(), &one), Ok(()));
    let said = |agent: &str, state: &AgentState, one: &Waiting| why(agent, state, one).unwrap_err();
    assert_eq!(said("boris", &online(), &one), "not a member of the team");
    assert_eq!(said("anna", &AgentState::default(), &one), "not there");
    assert_eq!(said("anna", &AgentState { presence: Presence::Away, ..online() }, &one), "away");
    assert_eq!(said("anna", &busy(3), &one), "has 3 conversations, as many as they may");
    let here = AgentState { load: [("shop".into(), 1)].into(), ..online() };
    assert_eq!(said("anna", &here, &one), "has 1 conversations of shop, as many as they may");
    one.queue.skills = vec!["english".to_owned()];
    assert_eq!(said("anna", &online(), &one), "does not have the skill english");
    one.queue.team = "gone".into();
    assert_eq!(said("anna", &online(), &one), "there is no team gone");
}

#[test]
fn a_conversation_waits_while_it_is_open_and_queued() {
    let address = crate::Address::new("1");
    let mut c = Conversation::open(id(1), "acme".into(), "shop".into(), address, at(1));
    assert_eq!(Waiting::of(&c), None);
    c.flow.queue = Some(waiting(1, 1).queue);
    assert_eq!(Waiting::of(&c), Some(waiting(1, 1)));
    c.closed = Some(crate::conversation::Closed {
        at: at(2),
        reason: crate::conversation::CloseReason::Done,
        by: crate::conversation::Actor::Host,
    });
    assert_eq!(Waiting::of(&c), None);
}

/// What happens to a team over a day.
#[derive(Clone, Debug)]
enum Move {
    Comes(usize),
    Leaves(usize),
    /// The program starts anew: it knows what was stored.
    Restart,
    /// So many conversations wait; those given out end at once, or do not.
    Work(u8, bool),
    Passes(i64),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let who = 0..NAMES.len();
    let one = prop_oneof![
        1 => who.clone().prop_map(Move::Comes),
        1 => who.prop_map(Move::Leaves),
        1 => Just(Move::Restart),
        4 => (0u8..8, any::<bool>()).prop_map(|(n, ends)| Move::Work(n, ends)),
        2 => (0i64..3).prop_map(Move::Passes),
    ];
    vec(one, 0..60)
}

fn skills() -> impl Strategy<Value = Vec<String>> {
    subsequence(vec!["english".to_owned(), "refunds".to_owned()], 0..=2)
}

fn members() -> impl Strategy<Value = Vec<AgentId>> {
    subsequence(NAMES.to_vec(), 1..=NAMES.len()).prop_map(|all| all.into_iter().map(AgentId::from).collect())
}

fn any_team() -> impl Strategy<Value = Team> {
    let ways = vec![
        Distribution::RoundRobin,
        Distribution::LeastLoaded,
        Distribution::LongestIdle,
        Distribution::Pull,
    ];
    (members(), select(ways), option::of(0u64..60)).prop_map(|(members, distribution, relax)| Team {
        members,
        distribution,
        relax_skills: relax.map(Period::secs),
        ..Team::default()
    })
}

fn any_book() -> impl Strategy<Value = Book> {
    let agent =
        (option::of(0u32..5), option::of(0u32..3), skills()).prop_map(|(capacity, of_shop, skills)| Agent {
            capacity,
            capacity_of: of_shop.map(|n| ("shop".into(), n)).into_iter().collect(),
            skills,
            ..Agent::default()
        });
    let name = select(NAMES.to_vec()).prop_map(AgentId::from);
    (btree_map(name, agent, 0..5), any_team(), any_team()).prop_map(|(agents, first, second)| Book {
        agents,
        teams: [("desk".into(), first), ("second".into(), second)].into(),
        ..Book::default()
    })
}

fn any_desk() -> impl Strategy<Value = Desk> {
    let presence =
        prop_oneof![3 => Just(Presence::Online), 1 => Just(Presence::Away), 1 => Just(Presence::Offline)];
    let load = btree_map(select(CHANNELS.to_vec()).prop_map(ChannelId::from), 0u32..3, 0..3);
    let state = (presence, 0i64..50, option::of(0i64..50), option::of(0i64..50), load);
    let state = state.prop_map(|(presence, since, assigned, freed, load)| AgentState {
        presence,
        since: at(since),
        assigned_at: assigned.map(at),
        freed_at: freed.map(at),
        load,
    });
    let name = select(NAMES.to_vec()).prop_map(AgentId::from);
    btree_map(name, state, 0..=NAMES.len()).prop_map(|agents| Desk { agents, ..Desk::default() })
}

fn any_queue() -> impl Strategy<Value = Vec<Waiting>> {
    let name = || select(NAMES.to_vec()).prop_map(AgentId::from);
    let one = (
        select(vec!["desk", "second", "gone"]),
        0i64..20,
        0i64..60_000,
        select(CHANNELS.to_vec()),
        skills(),
        option::weighted(0.2, name()),
        vec(name(), 0..4),
    );
    vec(one, 0..25).prop_map(|all| {
        let with_id = |(n, (team, since, joined, channel, skills, prefer, excluded))| {
            let mut one: Waiting = waiting(n, since);
            one.channel = ChannelId::from(channel);
            one.queue.team = TeamId::from(team);
            (one.queue.joined, one.queue.skills) = (at(joined), skills);
            (one.queue.prefer, one.queue.excluded) = (prefer, excluded);
            one
        };
        (0u8..).zip(all).map(with_id).collect()
    })
}

const NOW: i64 = 30_000;

proptest! {
    /// Of any two who are both there they are given to in turn, whatever happens beside them, also within one call and
    /// one millisecond. So the numbers of any two differ by one at most for as long as both stay.
    #[test]
    fn equal_agents_are_given_to_in_turn(moves in moves()) {
        let book = book(Distribution::RoundRobin, &NAMES);
        let mut desk = Desk::default();
        let (mut now, mut number) = (1_000, 0u8);
        // The last of each pair who was given one, while both are there.
        let mut last: BTreeMap<BTreeSet<AgentId>, AgentId> = BTreeMap::new();
        for step in moves {
            match step {
                Move::Comes(who) | Move::Leaves(who) => {
                    let agent: AgentId = NAMES[who].into();
                    let comes = matches!(step, Move::Comes(_));
                    let state = desk.agents.entry(agent.clone()).or_default();
                    let presence = if comes { Presence::Online } else { Presence::Offline };
                    if state.presence != presence {
                        (state.presence, state.since) = (presence, at(now));
                        last.retain(|pair, _| !pair.contains(&agent));
                    }
                }
                Move::Restart => desk = desk.clone(),
                Move::Passes(millis) => now += millis,
                Move::Work(conversations, end) => {
                    let all: Vec<Waiting> = (0..conversations)
                        .map(|n| waiting(number.wrapping_add(n), now))
                        .collect();
                    number = number.wrapping_add(conversations);
                    let placed = distribute(&book, &desk, &all, at(now));
                    let there: Vec<AgentId> = desk.agents.keys().filter(|a| desk.is_online(a)).cloned().collect();
                    prop_assert_eq!(placed.len(), if there.is_empty() { 0 } else { all.len() });
                    for placement in &placed {
                        for other in there.iter().filter(|a| **a != placement.agent) {
                            let pair: BTreeSet<AgentId> = [other.clone(), placement.agent.clone()].into();
                            let before = last.insert(pair, placement.agent.clone());
                            prop_assert_ne!(before.as_ref(), Some(&placement.agent), "twice before {:?}", other);
                        }
                    }
                    apply(&mut desk, &all, &placed);
                    if end {
                        desk.agents.values_mut().for_each(|a| a.load.clear());
                    }
                }
            }
        }
    }

    /// Nobody is given more than they may have, nor anything that is not for them.
    #[test]
    fn no_placement_breaks_a_rule(book in any_book(), desk in any_desk(), all in any_queue()) {
        let mut after = desk.clone();
        for placement in distribute(&book, &desk, &all, at(NOW)) {
            let of = all.iter().find(|w| w.conversation == placement.conversation).unwrap();
            let team = &book.teams[&of.queue.team];
            prop_assert!(team.distribution.pushes() && team.members.contains(&placement.agent));
            let state = &after.agents[&placement.agent];
            prop_assert_eq!(eligible(&book, &placement.agent, state, of, at(NOW)), Ok(()));
            apply(&mut after, &all, std::slice::from_ref(&placement));
            let (state, set) = (&after.agents[&placement.agent], book.agents.get(&placement.agent));
            if let Some(capacity) = set.and_then(|a| a.capacity) {
                prop_assert!(state.total() <= capacity);
            }
            if let Some(capacity) = set.and_then(|a| a.capacity_of.get(&of.channel)) {
                prop_assert!(state.load[&of.channel] <= *capacity);
            }
        }
    }

    /// Each at most once, the longest waiting first; of two that the same agents could take the older one is placed if
    /// the younger one is.
    #[test]
    fn the_longest_waiting_goes_first(book in any_book(), desk in any_desk(), all in any_queue()) {
        let placed = distribute(&book, &desk, &all, at(NOW));
        let of = |p: &Placement| all.iter().find(|w| w.conversation == p.conversation).unwrap().place();
        prop_assert!(placed.is_sorted_by(|a, b| of(a) < of(b)));
        prop_assert!(placed.is_sorted_by(|a, b| a.at < b.at));
        let is_placed = |w: &Waiting| placed.iter().any(|p| p.conversation == w.conversation);
        for younger in all.iter().filter(|w| is_placed(w)) {
            for older in all.iter().filter(|w| w.place() < younger.place()) {
                let mut same = older.clone();
                (same.conversation, same.queue.since) = (younger.conversation, younger.queue.since);
                prop_assert!(same != *younger || is_placed(older), "{:?} before {:?}", younger, older);
            }
        }
    }

    /// Nothing waits that a member could take who did not miss it.
    #[test]
    fn nobody_is_left_free_beside_one_that_waits(book in any_book(), desk in any_desk(), all in any_queue()) {
        let placed = distribute(&book, &desk, &all, at(NOW));
        let mut after = desk.clone();
        apply(&mut after, &all, &placed);
        for left in all.iter().filter(|w| !placed.iter().any(|p| p.conversation == w.conversation)) {
            let pushes = book.teams.get(&left.queue.team).is_some_and(|t| t.distribution.pushes());
            for (agent, state) in after.agents.iter().filter(|(a, _)| pushes && !left.queue.excluded.contains(a)) {
                prop_assert!(eligible(&book, agent, state, left, at(NOW)).is_err(), "{:?} {:?}", agent, left);
            }
        }
    }

    /// A conversation of a team never starves because everyone has missed it: when somebody has room it is given.
    #[test]
    fn one_that_all_have_missed_is_given_again(book in any_book(), desk in any_desk(), mut all in any_queue()) {
        all.truncate(1);
        for one in &mut all {
            one.queue.excluded = NAMES.iter().map(|&name| name.into()).collect();
            let pushes = book.teams.get(&one.queue.team).is_some_and(|t| t.distribution.pushes());
            let mut states = desk.agents.iter();
            let can = pushes && states.any(|(a, state)| eligible(&book, a, state, one, at(NOW)).is_ok());
            let placed = distribute(&book, &desk, std::slice::from_ref(one), at(NOW));
            prop_assert_eq!(placed.len(), usize::from(can));
        }
    }

    /// The same yields the same, in whatever order it is handed over.
    #[test]
    fn the_order_of_the_arguments_changes_nothing(
        book in any_book(),
        desk in any_desk(),
        (all, shuffled) in any_queue().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        asks in select(NAMES.to_vec()),
    ) {
        prop_assert_eq!(distribute(&book, &desk, &all, at(NOW)), distribute(&book, &desk, &shuffled, at(NOW)));
        let next = |all: &[Waiting]| next_for(&book, &desk, &asks.into(), all, at(NOW));
        prop_assert_eq!(next(&all), next(&shuffled));
    }

    /// Equal agents with equal loads end with loads that differ by one at most.
    #[test]
    fn least_loaded_shares_out_evenly(
        members in btree_set(select(NAMES.to_vec()), 1..=5),
        capacity in option::of(1u32..10),
        number in 0u8..30,
    ) {
        let members: Vec<&str> = members.into_iter().collect();
        let mut book = book(Distribution::LeastLoaded, &members);
        let mut desk = Desk::default();
        for name in &members {
            set(&mut book, name, |a| a.capacity = capacity);
            desk.agents.insert((*name).into(), online());
        }
        let all = line(number);
        let placed = distribute(&book, &desk, &all, at(NOW));
        apply(&mut desk, &all, &placed);
        let loads: Vec<u32> = desk.agents.values().map(AgentState::total).collect();
        let (most, least) = (loads.iter().max().unwrap(), loads.iter().min().unwrap());
        prop_assert!(most - least <= 1, "{:?}", loads);
    }
}

//! A host that polls a VK community is killed with SIGKILL again and again: nothing that people wrote is lost, and
//! nothing is there twice.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure

mod support {
    pub(crate) mod built;
    pub(crate) mod process;
}

use std::collections::HashMap;
use std::path::Path;

use omni_testkit::vk::{Community, CommunityProfile, Customer, Scope, SimConfig, User, VkSim};
use support::process::{Host, stored};

const KILLS: u64 = 12;
const PEOPLE: i64 = 5;
const GROUP: i64 = 123_456;

fn configure(folder: &Path, sim: &VkSim, community: &Community) {
    let token = community.token(&Scope::ALL);
    let settings = format!(
        "[[channel]]\nid = \"community\"\nprovider = \"vk\"\n[channel.config]\ntoken = \"{token}\"\n\
         group_id = {GROUP}\nreceive = \"long_poll\"\nbase_url = \"{}\"\n",
        sim.base_url()
    );
    std::fs::write(folder.join("omni.toml"), settings).unwrap();
}

/// Waits until the store holds so many messages.
async fn wait_for(folder: &Path, sim: &VkSim, count: u64) -> HashMap<String, u64> {
    let mut changes = sim.ground().watch();
    for _ in 0..2000 {
        let received = stored(folder).await;
        if received.values().sum::<u64>() >= count {
            return received;
        }
        // The poll goes on while we wait; a quiet simulator is looked at again soon.
        let _ = tokio::time::timeout(std::time::Duration::from_millis(20), changes.changed()).await;
    }
    panic!("{count} messages never came: {:?}", stored(folder).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_poller_loses_and_doubles_nothing() {
    let sim = VkSim::start(SimConfig::default()).await.unwrap();
    let community = sim.add_community(CommunityProfile::new(GROUP, "Ромашка", "romashka_shop"));
    let people: Vec<Customer> = (0..PEOPLE)
        .map(|n| community.customer(User::new(50_000 + n, format!("Покупатель {n}"), "Петров")))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), &sim, &community);

    // Once in peace, so that the place in the community's events is known.
    let host = Host::start(folder.path());
    let polls = || (!sim.calls("groups.getLongPollServer").is_empty()).then_some(());
    sim.ground().wait_for("the host to poll", polls).await;
    people[0].writes("сообщение 0 👋");
    wait_for(folder.path(), &sim, 1).await;
    host.kill();

    let mut written = 1u64;
    for kill in 0..KILLS {
        // Some while nobody listens, some while the host comes up, some while it polls.
        let write = |number: u64| {
            let person = &people[usize::try_from(number).unwrap() % people.len()];
            person.writes(&format!("сообщение {number} 👋"));
        };
        for _ in 0..3 {
            write(written);
            written += 1;
        }
        let host = Host::start(folder.path());
        for _ in 0..5 {
            write(written);
            written += 1;
        }
        // In the middle of taking, or when all is taken: the number decides.
        wait_for(folder.path(), &sim, written.saturating_sub(kill % 6)).await;
        host.kill();
    }
    let host = Host::start(folder.path());
    let received = wait_for(folder.path(), &sim, written).await;
    host.kill();
    for number in 0..written {
        let text = format!("сообщение {number} 👋");
        assert_eq!(received.get(&text), Some(&1), "{text} is there exactly once");
    }
    assert_eq!(received.len() as u64, written, "and nothing else");
    println!("{written} messages, {KILLS} kills");
}

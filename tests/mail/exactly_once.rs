//! Every mail once, whatever becomes of the server or of us.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use omni::SqliteStore;
use omni::core::event::{EventBody, Told};
use omni::email::First;
use omni::hub::HostEvent;
use omni::hub::store::Store;

use crate::desk::Desk;
use crate::servers::{PASSWORD, Servers, mail};
use crate::support::process::{Host, stored};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_numbers_of_all_mails_double_and_lose_nothing() {
    let servers = Servers::shared();
    let support = servers.mailbox("support");
    let desk = Desk::open(servers.config(&support)).await;
    let post = async |number: u32| {
        let text = format!("письмо {number}");
        let raw = mail("a@a.example", &support, &format!("v{number}@a"), &format!("Тема {number}"), &text);
        servers.deliver("a@a.example", &support, &raw).await;
        desk.received(&text).await;
    };
    for number in 0..5 {
        post(number).await;
    }
    servers.doveadm(&["mailbox", "update", "-u", &support, "--uid-validity", "4242", "INBOX"]);
    servers.kick(&support);
    for number in 5..8 {
        post(number).await;
    }
    let words = desk.words().await;
    assert_eq!(words.len(), 8, "{words:?}");
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_mails_are_history_each_once() {
    const MAILS: usize = 10_000;
    let servers = Servers::shared();
    let support = servers.mailbox("support");
    servers.doveadm(&["mailbox", "status", "-u", &support, "messages", "INBOX"]); // makes its folders
    let new = servers.maildir(&support).join("new");
    for number in 0..MAILS {
        let from = format!("customer-{}@a.example", number % 1000);
        let raw = mail(
            &from,
            &support,
            &format!("h{number}@a"),
            &format!("Заказ {number}"),
            &format!("письмо {number}"),
        );
        std::fs::write(new.join(format!("{}.{number}.test", 1_000_000 + number)), raw).unwrap();
    }
    Command::new("chown").args(["-R", "nobody:nogroup"]).arg(&new).output().unwrap();
    let mut config = servers.config(&support);
    config.first = First::Days { days: 3650 };
    let begun = Instant::now();
    let desk = Desk::open(config).await;
    let mut seen: HashMap<String, u32> = HashMap::new();
    let mut log = desk.hub.events("reader");
    while seen.values().map(|n| *n as usize).sum::<usize>() < MAILS {
        let entries =
            tokio::time::timeout(Duration::from_secs(60), log.next()).await.expect("more mails").unwrap();
        for entry in entries {
            if let HostEvent::Received { event, .. } = entry.event
                && let EventBody::Message(message) = &event.body
            {
                assert_eq!(event.told, Told::History);
                *seen.entry(message.content.plain_text().unwrap().to_owned()).or_default() += 1;
            }
        }
    }
    println!("{MAILS} mails in {:?}", begun.elapsed());
    assert_eq!(seen.len(), MAILS, "each once");
    desk.stop().await;
}

async fn wait_for(folder: &Path, count: u64) -> HashMap<String, u64> {
    let waited = async {
        loop {
            let received = stored(folder).await;
            if received.values().sum::<u64>() >= count {
                return received;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    match tokio::time::timeout(Duration::from_secs(90), waited).await {
        Ok(received) => received,
        Err(_) => panic!("{count} mails never came: {:?}", stored(folder).await),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_killed_between_fetching_and_storing_loses_and_doubles_nothing() {
    const KILLS: u64 = 10;
    let servers = Servers::shared();
    let support = servers.mailbox("support");
    let config = servers.config(&support);
    let folder = tempfile::tempdir().unwrap();
    let (imap, smtp) = (config.imap.unwrap(), config.smtp.unwrap());
    let settings = format!(
        "[[channel]]\nid = \"mail\"\nprovider = \"email\"\n[channel.config]\naddress = \"{support}\"\n\
         auth = {{ with = \"password\", password = \"{PASSWORD}\" }}\n\
         imap = {{ host = \"localhost\", port = {}, tls = \"implicit\" }}\n\
         smtp = {{ host = \"localhost\", port = {}, tls = \"starttls\" }}\nca_pem = '''\n{}'''\n",
        imap.port,
        smtp.port,
        servers.authority()
    );
    std::fs::write(folder.path().join("omni.toml"), settings).unwrap();
    let mut written = 0_u64;
    let mut post = async |count: u64| {
        for _ in 0..count {
            let raw = mail(
                "a@a.example",
                &support,
                &format!("c{written}@a"),
                &format!("Тема {written}"),
                &format!("письмо {written} 👋"),
            );
            servers.deliver("a@a.example", &support, &raw).await;
            written += 1;
        }
        written
    };
    // Once in peace, so that the place in the mailbox is known.
    let host = Host::start(folder.path());
    let known = async {
        loop {
            let store = SqliteStore::open(folder.path().join("desk.db"));
            if let Ok(store) = store
                && let Ok(Some(_)) = store.cursor(&omni::ChannelKey::new("demo", "mail")).await
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), known).await.expect("the mailbox is watched");
    post(1).await;
    wait_for(folder.path(), 1).await;
    host.kill();
    for kill in 0..KILLS {
        post(3).await;
        let host = Host::start(folder.path());
        let all = post(5).await;
        // In the middle of taking, or when all is taken: the number decides.
        wait_for(folder.path(), all.saturating_sub(kill % 6)).await;
        host.kill();
    }
    let all = post(0).await;
    let host = Host::start(folder.path());
    let received = wait_for(folder.path(), all).await;
    host.kill();
    for number in 0..all {
        let text = format!("письмо {number} 👋");
        assert_eq!(received.get(&text), Some(&1), "{text} is there exactly once");
    }
    assert_eq!(received.len() as u64, all, "and nothing else");
    println!("{all} mails, {KILLS} kills");
}

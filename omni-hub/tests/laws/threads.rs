//! Messages that name those before them: which talk they belong to, who speaks in it, and what its connector keeps.

use std::sync::Arc;

use omni_core::content::Item;
use omni_core::conversation::Actor;
use omni_core::event::{
    Comment, EventBody, Message, MessageName, Origin, ReadReach, StatusNews, Thread, Told,
};
use omni_core::id::Note;
use omni_core::plan::Reach;
use omni_core::policy::Engine;
use omni_core::{Address, Conversation, Event, Status, Timestamp};
use omni_hub::store::MessageRecord;
use omni_hub::{ChannelKey, ChannelSetup, HostEvent, Hub, Interrupted};

use crate::fake::{Fake, Provided, Turn};
use crate::world::*;

/// Where a message says that it belongs.
#[derive(Default)]
struct Mail<'a> {
    after: &'a [&'a str],
    names: &'a [&'a str],
    note: Option<&'a str>,
}

impl Mail<'_> {
    fn thread(&self) -> Option<Box<Thread>> {
        let ids = |names: &[&str]| names.iter().map(|name| (*name).into()).collect();
        let (after, names) = (ids(self.after), ids(self.names));
        Some(Box::new(Thread { after, names, note: self.note.map(Note::from) }))
    }
}

/// A mail of somebody: its address is a talk of its own.
fn mail(who: &str, id: &str, thread: &Mail<'_>) -> Event {
    let mut event = says(who, id, &format!("Письмо {id}"));
    event.address = Some(Address::new(format!("talk-{id}")));
    if let EventBody::Message(message) = &mut event.body {
        message.thread = thread.thread();
    }
    event
}

/// A mail that the business sent from a program of its own.
fn sent_elsewhere(id: &str, thread: &Mail<'_>) -> Event {
    let mut event = echo("nobody", id, &format!("Письмо {id}"));
    event.address = Some(Address::new(format!("talk-{id}")));
    if let EventBody::Echo(echo) = &mut event.body {
        echo.message.thread = thread.thread();
    }
    event
}

fn with_message(mut event: Event, change: impl FnOnce(&mut Message)) -> Event {
    if let EventBody::Message(message) = &mut event.body {
        change(message);
    }
    event
}

fn answers<'a>(after: &'a [&'a str]) -> Mail<'a> {
    Mail { after, ..Mail::default() }
}

fn noted<'a>(after: &'a [&'a str], note: &'a str) -> Mail<'a> {
    Mail { after, note: Some(note), ..Mail::default() }
}

impl World {
    async fn talk(&self, address: &str) -> Conversation {
        let all = self.conversations().await;
        let found = all.iter().find(|talk| talk.address.as_str() == address);
        found.unwrap_or_else(|| panic!("no talk at {address}: {all:?}")).clone()
    }

    /// The ids of what stands in a talk, oldest first.
    async fn ids_at(&self, address: &str) -> Vec<String> {
        let messages = self.messages_at(address).await;
        messages.iter().flat_map(|m| &m.provider_ids).map(ToString::to_string).collect()
    }

    async fn messages_at(&self, address: &str) -> Vec<MessageRecord> {
        let talk = self.talk(address).await;
        let mut messages = self.store.messages(talk.id, None, 100).await.unwrap();
        messages.reverse();
        messages
    }

    async fn note_at(&self, address: &str) -> Option<String> {
        let peer = self.store.peer(&shop().peer(Address::new(address))).await.unwrap();
        peer.and_then(|peer| peer.note).map(|kept| kept.note.to_string())
    }

    /// The notes that sends were told, in order.
    fn told(&self) -> Vec<Option<String>> {
        self.provided.sent().iter().map(|item| item.note.as_ref().map(ToString::to_string)).collect()
    }
}

#[tokio::test]
async fn a_reply_joins_the_talk_of_the_mail_it_answers() {
    let world = World::new();
    let hub = world.hub();
    deliver(&hub, &[mail("ivan", "a", &Mail::default())]).await;
    deliver(&hub, &[mail("ivan", "b", &answers(&["a"]))]).await;
    assert_eq!(world.conversations().await.len(), 1);
    assert_eq!(world.ids_at("talk-a").await, ["a", "b"]);
    assert_eq!(world.talk("talk-a").await.unread, 2);
}

#[tokio::test]
async fn hosts_are_told_where_a_reply_belongs() {
    let world = World::new();
    let hub = world.hub();
    deliver(&hub, &[mail("ivan", "a", &Mail::default()), mail("ivan", "b", &answers(&["a"]))]).await;
    let talk = world.talk("talk-a").await.id;
    let entries = world.entries().await;
    let received: Vec<_> = entries
        .iter()
        .filter_map(|entry| match &entry.event {
            HostEvent::Received { event, .. } => Some((entry.conversation, event.address.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(received, vec![(Some(talk), Some(Address::new("talk-a"))); 2]);
}

#[tokio::test]
async fn of_two_known_mails_the_nearest_decides() {
    let world = World::new();
    let hub = world.hub();
    deliver(&hub, &[mail("ivan", "a", &Mail::default()), mail("ivan", "b", &Mail::default())]).await;
    deliver(&hub, &[mail("ivan", "c", &answers(&["b", "a"]))]).await;
    deliver(&hub, &[mail("ivan", "d", &answers(&["none", "a", "b"]))]).await;
    assert_eq!(world.ids_at("talk-a").await, ["a", "d"]);
    assert_eq!(world.ids_at("talk-b").await, ["b", "c"]);
}

#[tokio::test]
async fn a_reply_to_nothing_known_opens_a_talk() {
    let world = World::new();
    let hub = world.hub();
    let far: Vec<String> = (0..32).map(|n| format!("none {n}")).chain(["a".to_owned()]).collect();
    let far: Vec<&str> = far.iter().map(String::as_str).collect();
    deliver(&hub, &[mail("ivan", "a", &Mail::default())]).await;
    deliver(&hub, &[mail("ivan", "b", &answers(&["none"])), mail("ivan", "c", &answers(&far))]).await;
    for id in ["a", "b", "c"] {
        assert_eq!(world.ids_at(&format!("talk-{id}")).await, [id]);
    }
}

#[tokio::test]
async fn a_reply_before_what_it_answers_is_a_talk_and_nothing_is_lost() {
    let world = World::new();
    let hub = world.hub();
    deliver(&hub, &[mail("ivan", "b", &answers(&["a"])), mail("ivan", "a", &Mail::default())]).await;
    deliver(&hub, &[mail("ivan", "c", &answers(&["b", "a"]))]).await;
    assert_eq!(world.ids_at("talk-a").await, ["a"]);
    assert_eq!(world.ids_at("talk-b").await, ["b", "c"]);
}

#[tokio::test]
async fn mails_that_come_in_together_are_one_talk() {
    let world = World::new();
    let hub = world.hub();
    let first = mail("ivan", "a", &Mail::default());
    let (second, third) = (mail("ivan", "b", &answers(&["a"])), mail("ivan", "c", &answers(&["b"])));
    deliver(&hub, &[first, second, third]).await;
    assert_eq!(world.conversations().await.len(), 1);
    assert_eq!(world.ids_at("talk-a").await, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_repeated_reply_changes_nothing() {
    let world = World::new();
    let hub = world.hub();
    let (first, second) = (mail("ivan", "a", &Mail::default()), mail("ivan", "b", &answers(&["a"])));
    for _ in 0..2 {
        deliver(&hub, &[first.clone(), second.clone()]).await;
    }
    assert_eq!(world.ids_at("talk-a").await, ["a", "b"]);
}

#[tokio::test]
async fn a_reply_finds_what_we_sent_by_any_id_of_it() {
    let world = World::new();
    let hub = world.hub();
    world.provided.script([Turn::Split(vec!["part-2".into()])]);
    hub.start(&shop(), Address::new("ivan@x"), anna("Счёт готов")).await.unwrap();
    idle().await;
    deliver(&hub, &[mail("ivan", "b", &answers(&["part-2"])), mail("ivan", "c", &answers(&["out-1"]))]).await;
    assert_eq!(world.ids_at("ivan@x").await, ["out-1", "part-2", "b", "c"]);
    assert_eq!(world.conversations().await.len(), 1);
}

#[tokio::test]
async fn whoever_answers_first_what_we_began_is_the_contact() {
    let world = World::new();
    let hub = world.hub();
    hub.start(&shop(), Address::new("ivan@x"), anna("Счёт готов")).await.unwrap();
    idle().await;
    deliver(&hub, &[mail("ivan", "b", &answers(&["out-1"])), mail("olga", "c", &answers(&["out-1"]))]).await;
    let peer = world.store.peer(&shop().peer(Address::new("ivan@x"))).await.unwrap().unwrap();
    let contact = world.store.contact(peer.contact.unwrap()).await.unwrap().unwrap();
    let ids: Vec<&str> = contact.identities.iter().map(|known| known.id.as_str()).collect();
    assert_eq!((ids, world.talk("ivan@x").await.title), (vec!["ivan"], "Клиент ivan".to_owned()));
}

#[tokio::test]
async fn further_names_lead_to_the_message_and_are_never_asked_for() {
    let world = World::new();
    let hub = world.hub();
    let names = Mail { names: &["second", "a", "second", "third"], ..Mail::default() };
    deliver(&hub, &[mail("ivan", "a", &names)]).await;
    for (id, name) in [("b", "second"), ("c", "third")] {
        deliver(&hub, &[mail("ivan", id, &answers(&[name]))]).await;
    }
    assert_eq!(world.ids_at("talk-a").await, ["a", "b", "c"], "the ids to ask for it by");
    let first = world.messages_at("talk-a").await.remove(0);
    assert_eq!(first.names, ["second".into(), "third".into()]);
}

#[tokio::test]
async fn news_of_a_message_by_a_further_name_leave_its_id() {
    let world = World::new();
    let hub = world.hub();
    hub.start(&shop(), Address::new("ivan@x"), anna("Счёт готов")).await.unwrap();
    idle().await;
    let names = Mail { names: &["<1@shop>", "out-1"], ..Mail::default() };
    deliver(&hub, &[sent_elsewhere("copy-1", &names)]).await;
    deliver(&hub, &[status("s", "<1@shop>", Status::Delivered)]).await;
    let sent = world.thread().await.remove(0);
    assert_eq!(sent.provider_ids, ["out-1".into()]);
    assert_eq!(sent.status, Some(Status::Delivered));
    assert_eq!(sent.names, ["<1@shop>".into()], "the copy is our own send, known by one more name");
    deliver(&hub, &[mail("ivan", "b", &answers(&["<1@shop>"]))]).await;
    assert_eq!(world.ids_at("ivan@x").await, ["out-1", "b"]);
}

/// A further name is one of the whole message, and marks and removals may use it.
#[tokio::test]
async fn a_message_is_read_and_taken_back_by_a_further_name() {
    let world = World::new();
    let hub = world.hub();
    hub.start(&shop(), Address::new("ivan@x"), anna("Счёт готов")).await.unwrap();
    idle().await;
    let names = Mail { names: &["<1@shop>"], ..Mail::default() };
    let copy = Event { address: Some(Address::new("ivan@x")), ..sent_elsewhere("out-1", &names) };
    deliver(&hub, &[copy]).await;
    let messages = vec!["<1@shop>".into()];
    let read = EventBody::Read { messages: messages.clone(), reach: ReadReach::These };
    deliver(&hub, &[event_of("ivan@x", "r", read)]).await;
    deliver(&hub, &[event_of("ivan@x", "d", EventBody::Deleted { messages })]).await;
    let sent = world.thread().await.remove(0);
    assert_eq!((sent.status, sent.deleted_at.is_some()), (Some(Status::Read), true));
}

#[tokio::test]
async fn a_comment_continues_what_it_names() {
    let world = World::new();
    let hub = world.hub();
    deliver(&hub, &[mail("ivan", "a", &Mail::default())]).await;
    let mut event = mail("ivan", "b", &answers(&["a"]));
    if let EventBody::Message(message) = event.body {
        let subject = Item { id: Some("310".to_owned()), ..Item::default() };
        event.body = EventBody::Comment(Box::new(Comment { message, subject }));
    }
    deliver(&hub, &[event]).await;
    assert_eq!(world.ids_at("talk-a").await, ["a", "b"]);
}

#[tokio::test]
async fn who_writes_is_asked_where_the_talk_is() {
    let world = World::new();
    let hub = world.builder().build();
    hub.add_channel(ChannelSetup::new(shop(), Arc::new(Fake::new(&world.provided, |_| ()).asking())));
    run(&hub);
    let nameless = |id, after: &[&str]| {
        with_message(mail("ivan", id, &answers(after)), |message| message.sender.profile.name = None)
    };
    deliver(&hub, &[nameless("a", &[])]).await;
    deliver(&hub, &[nameless("b", &["a"])]).await;
    assert_eq!(world.provided.asked(), vec![vec![Address::new("talk-a")]; 2]);
}

#[tokio::test]
async fn what_the_business_wrote_elsewhere_joins_the_talk_too() {
    let world = World::new();
    let hub = world.hub();
    deliver(&hub, &[mail("ivan", "a", &Mail::default())]).await;
    deliver(&hub, &[sent_elsewhere("b", &noted(&["a"], "re: b"))]).await;
    deliver(&hub, &[mail("ivan", "c", &answers(&["b"]))]).await;
    assert_eq!(world.ids_at("talk-a").await, ["a", "b", "c"]);
    assert_eq!(world.messages_at("talk-a").await[1].author, Actor::Elsewhere);
    assert_eq!(world.note_at("talk-a").await.as_deref(), Some("re: b"));
}

#[tokio::test]
async fn a_colleague_who_answers_in_the_thread_is_a_guest_there() {
    let world = World::new();
    let hub = world.hub();
    deliver(&hub, &[mail("ivan", "a", &Mail::default()), mail("olga", "o", &Mail::default())]).await;
    let (ivan, olga) = (world.talk("talk-a").await.contact, world.talk("talk-o").await.contact);
    let nameless =
        with_message(mail("petr", "c", &answers(&["b"])), |message| message.sender.profile.name = None);
    deliver(&hub, &[mail("olga", "b", &answers(&["a"])), nameless, mail("ivan", "d", &answers(&["b"]))])
        .await;

    let talk = world.talk("talk-a").await;
    assert_eq!((talk.contact, talk.title.as_str()), (ivan, "Клиент ivan"));
    let names: Vec<_> = world.messages_at("talk-a").await.into_iter().map(|m| m.name.unwrap()).collect();
    assert_eq!(names, ["Клиент ivan", "Клиент olga", "petr", "Клиент ivan"]);
    for (contact, id) in [(ivan, "ivan"), (olga, "olga")] {
        let contact = world.store.contact(contact.unwrap()).await.unwrap().unwrap();
        let ids: Vec<&str> = contact.identities.iter().map(|known| known.id.as_str()).collect();
        assert_eq!((ids, contact.profile.name), (vec![id], Some(format!("Клиент {id}"))));
    }
    // At an address that she names herself she is who she was.
    deliver(&hub, &[mail("olga", "e", &answers(&["o"]))]).await;
    assert_eq!(world.talk("talk-o").await.contact, olga);
}

/// Whose answers go to the address of the first: it is the sender that tells people apart, not the address.
#[tokio::test]
async fn a_stranger_who_writes_at_the_very_address_is_a_guest_too() {
    let world = World::new();
    let hub = world.hub();
    let at_talk = |event: Event| Event { address: Some(Address::new("talk-a")), ..event };
    deliver(&hub, &[mail("ivan", "a", &Mail::default())]).await;
    for (id, after) in [("b", &["a"][..]), ("c", &["none"]), ("d", &[])] {
        deliver(&hub, &[at_talk(mail("olga", id, &answers(after)))]).await;
    }
    assert_eq!(world.ids_at("talk-a").await, ["a", "b", "c", "d"]);
    let talk = world.talk("talk-a").await;
    let contact = world.store.contact(talk.contact.unwrap()).await.unwrap().unwrap();
    let ids: Vec<&str> = contact.identities.iter().map(|known| known.id.as_str()).collect();
    assert_eq!((ids, contact.profile.name.as_deref()), (vec!["ivan"], Some("Клиент ivan")));
    assert_eq!(talk.title, "Клиент ivan");
}

/// Who was merged by the host is one person, and no guest in any of their talks.
#[tokio::test]
async fn a_person_with_two_addresses_is_no_guest_once_they_are_merged() {
    let world = World::new();
    let hub = world.hub();
    deliver(&hub, &[mail("ivan", "a", &Mail::default()), mail("ivan-home", "b", &Mail::default())]).await;
    let (at_work, at_home) = (world.talk("talk-a").await.contact, world.talk("talk-b").await.contact);
    hub.merge_contacts("acme", at_home.unwrap(), at_work.unwrap()).await.unwrap();
    deliver(&hub, &[mail("ivan-home", "c", &answers(&["a"]))]).await;
    let talk = world.talk("talk-a").await;
    assert_eq!((talk.contact, talk.title.as_str()), (at_work, "Клиент ivan-home"));
}

#[tokio::test]
async fn a_guest_allows_nothing_that_the_person_forbade() {
    let world = World::new();
    let hub = world.hub();
    deliver(&hub, &[mail("ivan", "a", &Mail::default())]).await;
    let EventBody::Message(Message { sender, .. }) = says("ivan", "x", "").body else { unreachable!() };
    deliver(&hub, &[event_of("talk-a", "x", EventBody::Blocked { sender })]).await;
    let reach = async || world.store.peer(&shop().peer(Address::new("talk-a"))).await.unwrap().unwrap().reach;
    deliver(&hub, &[mail("olga", "b", &answers(&["a"]))]).await;
    assert_eq!(reach().await, Reach::Blocked);
    deliver(&hub, &[mail("ivan", "c", &answers(&["b"]))]).await;
    assert_eq!(reach().await, Reach::Open);
}

/// Whoever got a message knows its ids: they lead nowhere from another account, also of the same provider.
#[tokio::test]
async fn no_name_of_a_message_leads_to_another_channel_or_tenant() {
    for elsewhere in [ChannelKey::new("acme", "other"), ChannelKey::new("other", "shop")] {
        let world = World::new();
        let hub = world.hub();
        hub.add_channel(ChannelSetup::new(elsewhere.clone(), Arc::new(Fake::new(&Provided::new(), |_| ()))));
        world.provided.script([Turn::LoseAnswer]);
        hub.start(&shop(), Address::new("ivan@x"), anna("Счёт готов")).await.unwrap();
        idle().await;
        let names = Mail { names: &["a-2"], ..answers(&["none"]) };
        deliver(&hub, &[mail("ivan", "a", &names)]).await;
        let (before, sent) = (world.entries().await.len(), world.messages_at("ivan@x").await.remove(0));

        let news = |name| StatusNews { message: name, status: Status::Failed, error: None };
        let forged = [MessageName::Ours(sent.id), MessageName::Provider("a".into())].map(news);
        let at_talk = forged.clone().into_iter().zip(["f", "g"]);
        let at_talk = at_talk.map(|(news, id)| event_of("ivan@x", id, EventBody::Status(news)));
        let placeless = forged.into_iter().zip(["h", "i"]);
        let placeless = placeless.map(|(news, id)| Event::new(id, EventBody::Status(news)));
        let mut copy = sent_elsewhere("j", &answers(&["a"]));
        if let EventBody::Echo(echo) = &mut copy.body {
            echo.ours = Some(sent.id);
        }
        let answer = mail("petr", "k", &answers(&["a", "a-2"]));
        let events: Vec<Event> = at_talk.chain(placeless).chain([copy, answer]).collect();
        assert_eq!(hub.webhook(&elsewhere, request(&events)).await.status, 200);
        idle().await;

        assert_eq!(world.messages_at("ivan@x").await, [sent], "{elsewhere}");
        assert_eq!(world.ids_at("talk-a").await, ["a"], "{elsewhere}");
        assert_eq!(
            (world.ids_at("talk-j").await, world.ids_at("talk-k").await),
            (vec!["j".into()], vec!["k".into()])
        );
        let told = world.entries().await.split_off(before);
        assert!(told.iter().all(|entry| entry.channel.as_ref() == Some(&elsewhere.channel)), "{told:?}");
        assert!(told.iter().all(|entry| !matches!(entry.event, HostEvent::Status { .. })), "{told:?}");
    }
}

#[tokio::test]
async fn a_colleague_opens_a_closed_thread_in_the_name_of_its_contact() {
    let world = World::new();
    let hub = world.hub_with(closes_after(60), |_| ());
    deliver(&hub, &[mail("ivan", "a", &Mail::default())]).await;
    let ivan = world.talk("talk-a").await.contact;
    world.pass_slowly(secs(61)).await;
    assert!(!world.talk("talk-a").await.is_open());
    deliver(&hub, &[mail("olga", "b", &answers(&["a"]))]).await;
    let all = world.conversations().await;
    assert!(all.iter().any(Conversation::is_open));
    for talk in &all {
        assert_eq!(
            (talk.address.as_str(), talk.contact, talk.title.as_str()),
            ("talk-a", ivan, "Клиент ivan")
        );
    }
}

#[tokio::test]
async fn the_note_comes_back_at_the_next_send_and_the_newest_wins() {
    let world = World::new();
    let hub = world.hub();
    deliver(&hub, &[mail("ivan", "a", &noted(&[], "re: a"))]).await;
    let talk = world.talk("talk-a").await.id;
    hub.reply(talk, anna("Раз")).await.unwrap();
    idle().await;
    world.provided.script([Turn::Note("re: out-2".into())]);
    hub.reply(talk, anna("Два")).await.unwrap();
    hub.reply(talk, anna("Три")).await.unwrap();
    idle().await;
    deliver(&hub, &[mail("ivan", "b", &noted(&["a"], "re: b")), mail("ivan", "c", &answers(&["a"]))]).await;
    hub.reply(talk, anna("Четыре")).await.unwrap();
    hub.start(&shop(), Address::new("olga@x"), anna("Пять")).await.unwrap();
    idle().await;
    let told: Vec<Option<&str>> = vec![Some("re: a"), Some("re: a"), Some("re: out-2"), Some("re: b"), None];
    assert_eq!(world.told(), told.into_iter().map(|note| note.map(str::to_owned)).collect::<Vec<_>>());
}

/// In each of the ways in which a send is marked or is not.
#[tokio::test]
async fn the_note_is_as_new_as_the_sending() {
    for how in [Interrupted::Hold, Interrupted::Resend] {
        let world = World::new();
        let hub = world.builder().interrupted(how).build();
        hub.add_channel(ChannelSetup::new(shop(), Arc::new(Fake::new(&world.provided, |_| ()))));
        run(&hub);
        deliver(&hub, &[mail("ivan", "a", &noted(&[], "re: a"))]).await;
        let talk = world.talk("talk-a").await.id;
        world.provided.hold();
        for text in ["Раз", "Два"] {
            hub.reply(talk, anna(text)).await.unwrap();
        }
        idle().await;
        deliver(&hub, &[mail("ivan", "b", &noted(&["a"], "re: b"))]).await;
        world.provided.let_go();
        idle().await;
        assert_eq!(world.told(), [Some("re: a".to_owned()), Some("re: b".to_owned())], "{how:?}");
    }
}

#[tokio::test]
async fn what_is_read_out_of_the_history_replaces_no_newer_note() {
    let world = World::new();
    let hub = world.hub();
    let minutes_ago = |event: Event, minutes: i64| {
        let at = Timestamp::from_millis(hub.now().as_millis() - minutes * 60_000);
        Event { told: Told::History, ..event }.at_time(at)
    };
    let timeless = Event { told: Told::History, ..mail("ivan", "z", &noted(&["a"], "re: z")) };
    for (event, expected) in [
        (minutes_ago(mail("ivan", "a", &noted(&[], "re: a")), 60), "re: a"),
        (minutes_ago(mail("ivan", "b", &noted(&["a"], "re: b")), 50), "re: b"),
        (minutes_ago(mail("ivan", "c", &noted(&["a"], "re: c")), 55), "re: b"),
        (timeless, "re: b"),
        (mail("ivan", "d", &noted(&["a"], "re: d")), "re: d"),
        (minutes_ago(mail("ivan", "e", &noted(&["a"], "re: e")), 1), "re: d"),
        (sent_elsewhere("f", &noted(&["a"], "re: f")).at_time(Timestamp::from_secs(1)), "re: d"),
        (sent_elsewhere("g", &noted(&["a"], "re: g")), "re: g"),
    ] {
        deliver(&hub, &[event]).await;
        assert_eq!(world.note_at("talk-a").await.as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn a_note_that_is_too_long_leaves_the_one_before_it() {
    let world = World::new();
    let hub = world.hub();
    let (fits, too_long) = ("x".repeat(Note::MAX_BYTES), "x".repeat(Note::MAX_BYTES + 1));
    deliver(&hub, &[mail("ivan", "a", &noted(&[], &fits))]).await;
    deliver(&hub, &[mail("ivan", "b", &noted(&["a"], &too_long))]).await;
    assert_eq!(world.ids_at("talk-a").await, ["a", "b"], "the message itself is kept");
    world.provided.script([Turn::Note(too_long.into())]);
    hub.reply(world.talk("talk-a").await.id, anna("Раз")).await.unwrap();
    idle().await;
    assert_eq!(world.outgoing().await, [("Раз".to_owned(), Status::Sent)]);
    assert_eq!(world.note_at("talk-a").await, Some(fits));
}

#[tokio::test]
async fn a_note_goes_along_with_an_address_that_moves() {
    let world = World::new();
    let hub = world.hub();
    deliver(&hub, &[mail("ivan", "a", &noted(&[], "re: a"))]).await;
    let to = Address::new("moved");
    deliver(&hub, &[event_of("talk-a", "m", EventBody::Migrated { to })]).await;
    deliver(&hub, &[mail("ivan", "b", &answers(&["a"]))]).await;
    assert_eq!(world.ids_at("moved").await, ["a", "b"]);
    hub.reply(world.talk("moved").await.id, anna("Раз")).await.unwrap();
    idle().await;
    assert_eq!(world.told(), [Some("re: a".to_owned())]);
}

#[tokio::test]
async fn a_robots_reply_joins_the_talk_and_gets_no_answer() {
    let world = World::new();
    let hub = world.hub_with(AutoReply, |_| ());
    deliver(&hub, &[mail("ivan", "a", &Mail::default())]).await;
    let absent = with_message(mail("ivan", "b", &answers(&["a"])), |m| m.origin = Origin::Automatic);
    deliver(&hub, &[absent]).await;
    assert_eq!(world.ids_at("talk-a").await, ["a", "out-1", "b"]);
}

fn node(world: &World) -> Hub {
    world.hub_with(Engine::default(), |_| ())
}

#[tokio::test]
async fn two_hubs_on_one_store_continue_each_others_talks() {
    let world = World::new();
    let (here, there) = (node(&world), node(&world));
    deliver(&here, &[mail("ivan", "a", &noted(&[], "re: a"))]).await;
    deliver(&there, &[mail("ivan", "b", &answers(&["a"]))]).await;
    // Both at once, a chain of replies over two nodes.
    let (even, odd) = (mail("ivan", "c", &answers(&["b"])), mail("ivan", "d", &noted(&["b"], "re: d")));
    tokio::join!(deliver(&here, std::slice::from_ref(&even)), deliver(&there, std::slice::from_ref(&odd)));
    deliver(&here, &[mail("ivan", "e", &answers(&["d", "c"]))]).await;
    assert_eq!(world.conversations().await.len(), 1);
    let mut ids = world.ids_at("talk-a").await;
    ids.sort_unstable();
    assert_eq!(ids, ["a", "b", "c", "d", "e"]);
    here.reply(world.talk("talk-a").await.id, anna("Раз")).await.unwrap();
    idle().await;
    assert_eq!(world.told(), [Some("re: d".to_owned())], "as the other node heard it");
}

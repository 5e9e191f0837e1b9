//! Listeners: what is asked for, and the place they keep.

use std::collections::HashSet;

use omni_core::error::ErrorKind;
use omni_core::webhook::WebhookRequest;
use omni_core::{Cursor, Event, EventId, Timestamp};

use super::rig::Act;
use super::scene::{Commits, Listener, Scene, Stop, Verdict, ensure, failed, not_applicable, passed};

fn listens(scene: &Scene) -> Result<(), Stop> {
    if scene.channel.receives().listens() { Ok(()) } else { not_applicable("the channel does not listen") }
}

/// The next events of a listener; places without events are passed over and kept in `place`.
async fn events(
    scene: &Scene,
    listener: &mut Listener,
    place: &mut Option<Cursor>,
) -> Result<Vec<Event>, Stop> {
    let search = async {
        loop {
            match listener.next().await {
                Ok((events, cursor)) if events.is_empty() => *place = Some(cursor),
                Ok((events, _)) => return Ok(events),
                Err(error) => return failed(format!("the listener ended: {error:?}")),
            }
        }
    };
    match tokio::time::timeout(scene.rig.patience(), search).await {
        Ok(found) => found,
        Err(_) => failed("nothing was heard"),
    }
}

/// Law 1: what was not stored comes again, with the same ids.
pub(super) async fn a_listener_moves_on_only_after_the_commit(scene: Scene) -> Verdict {
    listens(&scene)?;
    let mut place = None;
    let mut failing = Listener::start(scene.channel.clone(), None, Commits::PlacesOnly);
    scene.act(Act::Writes("раз")).await?;
    let lost = events(&scene, &mut failing, &mut place).await?;
    match tokio::time::timeout(scene.rig.patience(), failing.next()).await {
        Ok(Err(Some(error))) if error.kind() == ErrorKind::Storage => {}
        other => return failed(format!("after a failed commit the listener goes on with {other:?}")),
    }
    drop(failing);
    let mut again = Listener::start(scene.rig.channel(), place.clone(), Commits::All);
    let mut heard: HashSet<EventId> = HashSet::new();
    while !lost.iter().all(|event| heard.contains(&event.id)) {
        let more = match events(&scene, &mut again, &mut place).await {
            Err(Stop::Failed(why)) => {
                return failed(format!(
                    "what could not be stored does not come again ({why}): was the place moved before the commit?"
                ));
            }
            more => more?,
        };
        heard.extend(more.into_iter().map(|event| event.id));
    }
    passed("after a failed commit the same events came again, with the same ids")
}

/// A session goes on where it stands: repeats are for those who lost their place.
pub(super) async fn a_listener_tells_what_was_stored_once(scene: Scene) -> Verdict {
    const WORDS: [&str; 3] = ["раз", "два", "три"];
    listens(&scene)?;
    let mut place = None;
    let mut listener = Listener::start(scene.channel.clone(), None, Commits::All);
    let mut heard: HashSet<EventId> = HashSet::new();
    for words in WORDS {
        scene.act(Act::Writes(words)).await?;
        for event in events(&scene, &mut listener, &mut place).await? {
            ensure!(heard.insert(event.id.clone()), "the event {} was stored, and is told again", event.id);
        }
    }
    passed(format!("{} events in one session", WORDS.len()))
}

/// What comes while nobody listens is heard by the next process, and what is stored is not told as news.
pub(super) async fn a_listener_goes_on_behind_its_cursor(scene: Scene) -> Verdict {
    listens(&scene)?;
    let (first, _) = scene.says("раз").await?;
    let place = scene.stops().await;
    scene.act(Act::Writes("два")).await?;
    let mut next = Listener::start(scene.rig.channel(), place, Commits::All);
    let mut ignored = None;
    loop {
        let fresh = events(&scene, &mut next, &mut ignored).await?;
        // A batch whose commit was not yet told to the provider may come once more: by its id it is a repeat.
        if let Some(event) = fresh.into_iter().find(|event| event.id != first.id) {
            let words = match &event.body {
                omni_core::EventBody::Message(message) => message.content.plain_text().map(str::to_owned),
                _ => None,
            };
            ensure!(words.as_deref() == Some("два"), "the next event is {words:?}");
            return passed("a fresh channel heard what came meanwhile, and nothing anew");
        }
    }
}

/// A channel does one of them, or both, and says which.
pub(super) async fn what_it_does_not_receive_by_is_refused(scene: Scene) -> Verdict {
    let receives = scene.channel.receives();
    let inbound = scene.inbound()?;
    let mut shown = Vec::new();
    if !receives.listens() {
        let mut listener = Listener::start(scene.channel.clone(), None, Commits::All);
        match tokio::time::timeout(scene.rig.patience(), listener.next()).await {
            Ok(Err(Some(error))) if error.kind() == ErrorKind::Unsupported => shown.push("listen"),
            other => return failed(format!("listen is not refused: {other:?}")),
        }
    }
    if !receives.takes_webhooks() {
        let request = WebhookRequest::post("/hook", "{}", Timestamp::default());
        match inbound.receive(&request) {
            Err(refused) if refused.status().is_client_error() => shown.push("a webhook"),
            other => return failed(format!("a webhook is not refused: {other:?}")),
        }
    }
    if shown.is_empty() { not_applicable("the channel does both") } else { passed(shown.join(", ")) }
}

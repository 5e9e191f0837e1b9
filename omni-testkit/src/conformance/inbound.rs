//! What a customer says, however it is received.

use bytes::Bytes;
use futures_util::StreamExt;
use omni_core::content::{ContentKind, Part};
use omni_core::error::ErrorKind;
use omni_core::event::EventKind;
use omni_core::media::{MediaKind, MediaRef, MediaSource};
use omni_core::text::EntityKind;
use omni_core::{Address, Channel, Content, Error, Event, EventBody, Text};

use super::events;
use super::rig::{Act, Done};
use super::samples::{self, MARKUP, TEXTS};
use super::scene::{Scene, Stop, Verdict, done, ensure, failed, not_applicable, not_declared, passed};

const FILES: [MediaKind; 8] = [
    MediaKind::Image,
    MediaKind::Video,
    MediaKind::Animation,
    MediaKind::VideoNote,
    MediaKind::Audio,
    MediaKind::Voice,
    MediaKind::File,
    MediaKind::Sticker,
];

/// Not a sign is lost, joined or torn.
pub(super) async fn words_come_in_as_they_were_written(scene: Scene) -> Verdict {
    for text in TEXTS {
        let (_, message) = scene.says(text).await?;
        let read = message.content.plain_text().unwrap_or_default();
        ensure!(read == text, "{text:?} came in as {read:?}");
    }
    passed(format!(
        "{} texts: Cyrillic, emoji of several code points, other alphabets, marks, lines",
        TEXTS.len()
    ))
}

/// Words that only look like markup mean nothing.
pub(super) async fn markup_of_a_customer_stays_words(scene: Scene) -> Verdict {
    for text in MARKUP {
        let (_, message) = scene.says(text).await?;
        let read = message.content.text.unwrap_or_default();
        ensure!(read.plain == text, "{text:?} came in as {:?}", read.plain);
        if let Some(made_up) = styled(&read) {
            return failed(format!("{text:?} came in with the entity {made_up:?}"));
        }
    }
    passed(format!("{} texts of HTML, Markdown and templates", MARKUP.len()))
}

/// An entity that means more than what the provider recognises in plain words.
pub(super) fn styled(text: &Text) -> Option<&EntityKind> {
    use EntityKind::{Command, Detected, Mention};
    let kinds = text.entities.iter().map(|entity| &entity.kind);
    kinds.into_iter().find(|kind| !matches!(kind, Command | Detected { .. } | Mention { id: None }))
}

/// Conversations are kept by address, people by identity.
pub(super) async fn a_person_has_one_identity_and_one_address(scene: Scene) -> Verdict {
    let (first, said) = scene.says("раз").await?;
    let (second, said_again) = scene.says("два").await?;
    ensure!(first.address.is_some(), "a message has no address");
    ensure!(first.address == second.address, "{:?}, then {:?}", first.address, second.address);
    let (one, other) = (said.sender.identity, said_again.sender.identity);
    ensure!(one == other, "{one:?}, then {other:?}");
    let provider = scene.channel.provider();
    ensure!(one.provider == provider, "the identity is of {}, the channel of {provider}", one.provider);
    ensure!(!one.id.is_empty(), "the identity has no id");
    ensure!(said.id != said_again.id, "two messages have the id {}", said.id);
    passed(if one.scope.is_empty() { "the id is of the whole provider" } else { "the id is of the account" })
}

/// A quoted message of ours is found again by the id that the send gave.
pub(super) async fn an_answer_names_what_it_answers(scene: Scene) -> Verdict {
    let hello = scene.hello().await?;
    let asked = scene.sends(&hello.address, Content::text("Какой размер?")).await?;
    scene.act(Act::Answers { message: &asked.id, text: "Сорок второй" }).await?;
    let (_, answer) = scene.message("the answer").await?;
    ensure!(answer.content.plain_text() == Some("Сорок второй"), "the answer says {:?}", answer.content);
    let Some(named) = answer.reply_to else { return failed("the answer names no message") };
    ensure!(named.message == asked.id, "the answer names {}, not {}", named.message, asked.id);
    passed("by the id that the send gave")
}

/// Everything a customer's app sends, with its bytes, fetched by another process from a stored reference.
pub(super) async fn files_and_cards_come_in_whole(scene: Scene) -> Verdict {
    scene.listens().await;
    let mut shown = Vec::new();
    for kind in FILES {
        for part in scene.rig.sample_of_customer(ContentKind::from(kind)).parts {
            if scene.rig.act(Act::Sends(&part)).await == Done::Yes {
                file_came(&scene, kind, &part).await?;
                shown.push(format!("{kind:?}"));
            }
        }
    }
    for (name, part) in [("Location", samples::place()), ("Contact", samples::card())] {
        if scene.rig.act(Act::Sends(&part)).await == Done::Yes {
            let (_, message) = scene.message(name).await?;
            ensure!(
                message.content.parts.iter().any(|p| same(p, &part)),
                "{name} came in as {:?}",
                message.content
            );
            shown.push(name.to_owned());
        }
    }
    if shown.is_empty() { not_applicable("the customer can only write") } else { passed(shown.join(", ")) }
}

async fn file_came(scene: &Scene, kind: MediaKind, sent: &Part) -> Result<(), Stop> {
    let (_, message) = scene.message(&format!("the customer's {kind:?}")).await?;
    let Some(media) = message.content.all_media().find(|media| media.kind == kind) else {
        return failed(format!("{kind:?} came in as {:?}", message.content));
    };
    let MediaSource::Provider(at) = &media.source else { return Ok(()) };
    let stored = done("storing the reference", serde_json::to_string(at))?;
    let at: MediaRef = done("reading the reference", serde_json::from_str(&stored))?;
    let Part::Media(sent) = sent else { return Ok(()) };
    let wanted = samples::bytes_of(sent).cloned().unwrap_or_default();
    let found = done("fetch", fetched(&*scene.rig.channel(), &at, wanted.len() as u64).await)?;
    ensure!(found == wanted, "{kind:?}: {} bytes were sent, {} fetched", wanted.len(), found.len());
    Ok(())
}

/// Whether two parts say the same, as far as every provider keeps it.
pub(super) fn same(one: &Part, other: &Part) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() < 1e-4;
    match (one, other) {
        (Part::Location(a), Part::Location(b)) => {
            near(a.latitude, b.latitude) && near(a.longitude, b.longitude)
        }
        (Part::Contact(a), Part::Contact(b)) => {
            let digits = |phone: &String| phone.chars().filter(char::is_ascii_digit).collect::<String>();
            a.phones.iter().map(digits).eq(b.phones.iter().map(digits))
        }
        (Part::Email(a), Part::Email(b)) => a.subject == b.subject,
        (Part::Item(a), Part::Item(b)) => a.title == b.title,
        (Part::Template(a), Part::Template(b)) => a.name == b.name,
        (a, b) => a == b,
    }
}

/// Bytes that outgrow the cap are not taken in (law 12).
pub(super) async fn a_fetch_is_capped(scene: Scene) -> Verdict {
    scene.listens().await;
    let mut why = Done::Impossible("the customer cannot send files");
    for kind in [ContentKind::File, ContentKind::Image] {
        for part in scene.rig.sample_of_customer(kind).parts {
            if why != Done::Yes {
                why = scene.rig.act(Act::Sends(&part)).await;
            }
        }
    }
    if let Done::Impossible(why) = why {
        return not_applicable(why);
    }
    let (_, message) = scene.message("the customer's file").await?;
    let found = message.content.all_media().find_map(|media| match &media.source {
        MediaSource::Provider(at) => Some(at.clone()),
        _ => None,
    });
    let Some(at) = found else { return not_applicable("files come at public addresses") };
    let whole = done("fetch", fetched(&*scene.channel, &at, u64::from(u32::MAX)).await)?.len() as u64;
    done("fetch up to the size", fetched(&*scene.channel, &at, whole).await)?;
    match fetched(&*scene.channel, &at, whole.saturating_sub(1)).await {
        Err(error) if error.kind() == ErrorKind::TooLarge => passed("one byte below the size is too large"),
        Err(error) => failed(format!("one byte below the size ends with {error}")),
        Ok(bytes) => failed(format!("{} bytes came under a cap of {}", bytes.len(), whole.saturating_sub(1))),
    }
}

async fn fetched(channel: &dyn Channel, at: &MediaRef, cap: u64) -> Result<Bytes, Error> {
    let inbound = channel.inbound().ok_or_else(|| Error::unsupported("fetch"))?;
    let mut stream = inbound.fetch(at, cap).await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.bytes.next().await {
        bytes.extend_from_slice(&chunk?);
    }
    Ok(bytes.into())
}

/// Law 2: each item of a batch fails alone, and what fails is kept.
pub(super) async fn one_bad_entry_keeps_the_others(scene: Scene) -> Verdict {
    scene.hello().await?;
    scene.act(Act::Delivers { first: "до", last: "после" }).await?;
    let says = |event: &Event, words| match &event.body {
        EventBody::Message(message) => message.content.plain_text() == Some(words),
        _ => false,
    };
    scene.hears("the message before the bad entry", |event| says(event, "до")).await?;
    let bad = scene.hears("the bad entry", |event| event.kind() == EventKind::Unsupported).await?;
    ensure!(bad.raw.is_some(), "the bad entry lost its raw form");
    scene.hears("the message behind the bad entry", |event| says(event, "после")).await?;
    passed("the bad one is kept as unsupported, with its raw form")
}

/// The journal and every host keep events as JSON.
pub(super) async fn events_survive_being_stored(scene: Scene) -> Verdict {
    let mut kinds = Vec::new();
    for kind in events::KINDS {
        if !scene.channel.capabilities().events.contains(&kind) {
            continue;
        }
        match events::brought_about(&scene, kind).await {
            Ok(event) => {
                survives(&event)?;
                kinds.push(kind.as_str());
            }
            Err(Stop::NotApplicable(_)) => {}
            Err(stop) => return Err(stop),
        }
    }
    if kinds.is_empty() {
        not_applicable("nothing comes in")
    } else {
        passed(format!("{} kinds", kinds.len()))
    }
}

fn survives(event: &Event) -> Result<(), Stop> {
    let kind = event.kind().as_str();
    let stored = done(kind, serde_json::to_string(event))?;
    let read: Event = done(kind, serde_json::from_str(&stored))?;
    ensure!(read.body == event.body, "{kind}: the body was changed by being stored");
    let again = done(kind, serde_json::to_string(&read))?;
    ensure!(again == stored, "{kind}: {stored} was stored, {again} was read");
    Ok(())
}

/// What events leave out is told when it is asked for, for many addresses at once and for addresses that nobody has.
pub(super) async fn who_writes_is_told_when_asked(scene: Scene) -> Verdict {
    let address = scene.hello().await?.address;
    let Some(look_up) = scene.inbound()?.as_look_up() else {
        return not_declared("events tell all there is");
    };
    let (name, item) = scene.rig.known_as();
    let nobody = Address::new("нигде");
    let known = done("a look-up", look_up.look_up(&[nobody.clone(), address.clone()]).await)?;
    ensure!(
        known.iter().all(|known| known.address != nobody),
        "something is told of an address that nobody has"
    );
    let Some(known) = known.into_iter().find(|known| known.address == address) else {
        return failed("nothing is told of the customer who writes");
    };
    let told = known.told;
    let found = told.sender.and_then(|sender| sender.profile.name);
    ensure!(found.as_deref() == name, "the customer is {name:?}, and told as {found:?}");
    let about = told.item.and_then(|item| item.title);
    ensure!(about.as_deref() == item, "the talk is about {item:?}, and told as about {about:?}");
    passed(match item {
        Some(_) => "the name, and what the talk is about",
        None => "the name",
    })
}

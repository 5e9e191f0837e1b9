//! Kinds of events: those declared come in, others do not.

use omni_core::content::{Button, ContentKind};
use omni_core::event::{EventBody, EventKind};
use omni_core::{Content, Event, Status};

use super::Case;
use super::rig::Act;
use super::scene::{Scene, Stop, Verdict, ensure, failed, not_declared, passed};

/// All of them.
pub(super) const KINDS: [EventKind; 19] = [
    EventKind::Message,
    EventKind::Echo,
    EventKind::Edited,
    EventKind::Deleted,
    EventKind::Reaction,
    EventKind::Status,
    EventKind::Button,
    EventKind::Started,
    EventKind::Subscribed,
    EventKind::Blocked,
    EventKind::Typing,
    EventKind::Read,
    EventKind::Call,
    EventKind::Comment,
    EventKind::Migrated,
    EventKind::Membership,
    EventKind::Account,
    EventKind::Introduced,
    EventKind::Unsupported,
];

/// One rule a kind.
pub(super) fn cases(section: &'static str) -> Vec<Case> {
    let case = |kind: EventKind| {
        Case::new(section, kind.as_str(), move |scene: Scene| async move { comes_in(&scene, kind).await })
    };
    KINDS.into_iter().map(case).collect()
}

async fn comes_in(scene: &Scene, kind: EventKind) -> Verdict {
    let declared = scene.channel.capabilities().events.contains(&kind);
    if !declared {
        return stays_out(scene, kind).await;
    }
    let event = brought_about(scene, kind).await?;
    // News of the account and of messages need no place; everything else has to be answered somewhere.
    let placeless = matches!(kind, EventKind::Account | EventKind::Status | EventKind::Unsupported);
    ensure!(placeless || event.address.is_some(), "it has no address");
    ensure!(!event.id.as_str().is_empty(), "it has no id");
    if kind == EventKind::Unsupported {
        ensure!(event.raw.is_some(), "its raw form is lost");
        return passed("with its raw form");
    }
    passed(if event.at.is_some() { "with the provider's time" } else { "without a time" })
}

/// What is not declared never comes: a host may leave it out.
async fn stays_out(scene: &Scene, kind: EventKind) -> Verdict {
    const MARK: &str = "и ещё одно";
    match happens(scene, kind).await {
        Err(Stop::NotApplicable(why)) => return not_declared(why),
        Err(stop) => return Err(stop),
        Ok(()) => scene.rig.settles().await,
    }
    scene.act(Act::Writes(MARK)).await?;
    let is_mark = |event: &Event| match &event.body {
        EventBody::Message(message) => message.content.plain_text() == Some(MARK),
        _ => false,
    };
    let next = scene.hears("the message behind it", |event| event.kind() == kind || is_mark(event)).await?;
    if next.kind() == kind && !is_mark(&next) {
        return failed("it is not declared, and came in all the same");
    }
    not_declared("it happened and did not come in")
}

/// Lets an event of this kind happen, and hears it.
pub(super) async fn brought_about(scene: &Scene, kind: EventKind) -> Result<Event, Stop> {
    happens(scene, kind).await?;
    scene.hears(kind.as_str(), |event| event.kind() == kind).await
}

async fn happens(scene: &Scene, kind: EventKind) -> Result<(), Stop> {
    let hello = scene.hello().await?;
    match kind {
        EventKind::Message => scene.act(Act::Writes("Здравствуйте ещё раз")).await,
        EventKind::Edited => match hello.message {
            Some(said) => scene.act(Act::Edits { message: &said.id, text: "Добрый день" }).await,
            None => Err(Stop::NotApplicable("the customer cannot write".to_owned())),
        },
        EventKind::Reaction => {
            let sent = scene.sends(&hello.address, Content::text("Готово")).await?;
            scene.act(Act::Reacts { message: &sent.id, sign: "👍" }).await
        }
        EventKind::Status => {
            let declared = scene.channel.capabilities().statuses.first().copied();
            let sent = scene.sends(&hello.address, Content::text("Готово")).await?;
            let status = declared.unwrap_or(Status::Delivered);
            scene.act(Act::Reports { message: &sent.id, status }).await
        }
        EventKind::Button => {
            if scene.capabilities(&hello.address).supports(ContentKind::Buttons)
                <= omni_core::capability::Support::Fallback
            {
                return Err(Stop::NotApplicable("there are no keys".to_owned()));
            }
            let asked = Content::text("Верно?").buttons([Button::press("Да", "yes")]);
            let sent = scene.sends(&hello.address, asked).await?;
            scene.act(Act::Presses { message: &sent.id, label: "Да" }).await
        }
        other => scene.act(Act::Causes(other)).await,
    }
}

//! Kinds of content: those declared go out and are shown, others are refused.

use omni_core::capability::Support;
use omni_core::content::{ContentKind, Keyboard, KeyboardPlace, Part};
use omni_core::error::ErrorKind;
use omni_core::event::ReplyTo;
use omni_core::outbound::SendError;
use omni_core::plan::{Note, Refusal};
use omni_core::{Address, Content};

use super::Case;
use super::inbound::same;
use super::rig::Seen;
use super::samples::bytes_of;
use super::scene::{Hello, Scene, Verdict, done, ensure, failed, not_applicable, not_declared, passed, seen};

const KINDS: [ContentKind; 18] = [
    ContentKind::Text,
    ContentKind::Image,
    ContentKind::Video,
    ContentKind::Animation,
    ContentKind::VideoNote,
    ContentKind::Audio,
    ContentKind::Voice,
    ContentKind::File,
    ContentKind::Sticker,
    ContentKind::Album,
    ContentKind::Location,
    ContentKind::Contact,
    ContentKind::Item,
    ContentKind::Template,
    ContentKind::Email,
    ContentKind::Forwarded,
    ContentKind::Buttons,
    ContentKind::QuickReplies,
];

/// One rule a kind.
pub(super) fn cases(section: &'static str) -> Vec<Case> {
    let case = |kind: ContentKind| {
        Case::new(section, name(kind), move |scene: Scene| async move { goes_out(&scene, kind).await })
    };
    let mut cases: Vec<Case> = KINDS.into_iter().map(case).collect();
    let reply = |scene: Scene| async move { answers(&scene).await };
    cases.push(Case::new(section, name(ContentKind::Reply), reply));
    cases
}

/// The name, as in JSON.
fn name(kind: ContentKind) -> String {
    let json = serde_json::to_string(&kind).unwrap_or_default();
    json.trim_matches('"').replace('_', " ")
}

async fn goes_out(scene: &Scene, kind: ContentKind) -> Verdict {
    scene.outbound()?;
    let address = scene.hello().await?.address;
    let content = scene.rig.sample(kind);
    match scene.capabilities(&address).supports(kind) {
        support @ (Support::Full | Support::Partial) => {
            let notes = scene.plan(&address, &content).notes;
            ensure!(notes.is_empty(), "it is declared, and the plan says {notes:?}");
            let seen = scene.shows(&address, &content).await?;
            ensure!(is_shown(&content, &seen, support), "it is shown as {:?}", contents(&seen));
            passed("shown as it was sent")
        }
        Support::Fallback => {
            let notes = scene.plan(&address, &content).notes;
            ensure!(!notes.is_empty(), "it falls back, and the plan says nothing of it");
            let seen = scene.shows(&address, &content).await?;
            ensure!(!seen.is_empty(), "nothing is shown");
            passed("shown in another form, as the plan says")
        }
        Support::Dropped => {
            let content = Content { text: Some("Да, есть".into()), ..content };
            let notes = scene.plan(&address, &content).notes;
            ensure!(notes.iter().any(|n| matches!(n, Note::Dropped { .. })), "the plan says {notes:?}");
            let seen = scene.shows(&address, &content).await?;
            ensure!(!is_shown(&content, &seen, Support::Full), "it is declared as dropped, and is shown");
            passed("left out, the rest goes, as the plan says")
        }
        _ => refused(scene, &address, kind, content).await,
    }
}

/// What is not declared is refused by the plan, and by a send that went past it.
async fn refused(scene: &Scene, address: &Address, kind: ContentKind, content: Content) -> Verdict {
    let plan = scene.plan(address, &content);
    let refusal = |kind| plan.refusal == Some(Refusal::Unsupported { kind });
    // Files go one by one where albums are not declared, and not at all where files are not.
    let told = match kind {
        ContentKind::Album => {
            let is_split = plan.notes.iter().any(|note| matches!(note, Note::AlbumSplit { .. }));
            is_split || refusal(ContentKind::Image)
        }
        _ => refusal(kind),
    };
    ensure!(told, "it is not declared, and the plan says {:?}, {:?}", plan.refusal, plan.notes);
    match scene.send(address, content).await? {
        Err(SendError::Rejected(error)) if error.kind() == ErrorKind::Unsupported => {}
        Err(error) => return failed(format!("it is not declared, and a send ends with {error}")),
        Ok(_) => return failed("it is not declared, and a send is accepted"),
    }
    let ours = scene.rig.chat().await.messages.iter().filter(|m| m.is_ours).count();
    ensure!(ours == 0, "it is not declared, and is shown");
    not_declared("plan and send answer Unsupported")
}

/// A message of ours that answers one of the customer's.
async fn answers(scene: &Scene) -> Verdict {
    let outbound = scene.outbound()?;
    let Hello { address, message: Some(said) } = scene.hello().await? else {
        return not_applicable("there is no message to answer");
    };
    let mut item = scene.item(&address, scene.rig.sample(ContentKind::Reply));
    item.reply_to = Some(ReplyTo { message: said.id.clone(), quote: None });
    let sent = outbound.send(&item).await;
    if scene.capabilities(&address).supports(ContentKind::Reply) <= Support::Dropped {
        return match sent {
            Err(SendError::Rejected(error)) if error.kind() == ErrorKind::Unsupported => {
                not_declared("send answers Unsupported")
            }
            other => failed(format!("it is not declared, and a send ends with {other:?}")),
        };
    }
    let accepted = done("a send", sent)?;
    let shown = seen(&scene.rig.chat().await, &[accepted]);
    let named: Vec<_> = shown.iter().filter_map(|m| m.reply_to.as_ref()).collect();
    ensure!(named == [&said.id], "the message answers {named:?}, not {}", said.id);
    passed("shown with the message it answers")
}

/// Whether the customer sees all that was sent; keys in another place where they are declared with losses.
fn is_shown(sent: &Content, seen: &[Seen], support: Support) -> bool {
    let words =
        sent.plain_text().is_none_or(|words| seen.iter().any(|m| m.content.plain_text() == Some(words)));
    // Every e-mail has a subject and the like, asked for or not.
    let envelopes = sent.parts.iter().any(|part| matches!(part, Part::Email(_)));
    let parts = seen.iter().flat_map(|m| &m.content.parts);
    let parts: Vec<&Part> = parts.filter(|part| envelopes || !matches!(part, Part::Email(_))).collect();
    let complete = parts.len() == sent.parts.len();
    let alike = sent.parts.iter().zip(parts).all(|(sent, seen)| match (sent, seen) {
        (Part::Media(sent), Part::Media(seen)) => {
            // A provider that keeps no bytes shows the kind alone.
            sent.kind == seen.kind && bytes_of(seen).is_none_or(|bytes| Some(bytes) == bytes_of(sent))
        }
        (sent, seen) => same(sent, seen),
    });
    let keyboards: Vec<&Keyboard> = seen.iter().filter_map(|m| m.content.keyboard.as_ref()).collect();
    let keys = match &sent.keyboard {
        Some(sent) => matches!(
            &*keyboards,
            [seen] if labels(seen) == labels(sent) && (support != Support::Full || place(seen) == place(sent))
        ),
        None => keyboards.is_empty(),
    };
    words && complete && alike && keys
}

/// What is written on keys; what a key carries is shown by pressing it.
fn labels(keyboard: &Keyboard) -> Vec<&str> {
    keyboard.rows.iter().flatten().map(|button| button.label.as_str()).collect()
}

/// Whether keys hang under their message.
fn place(keyboard: &Keyboard) -> bool {
    keyboard.place == KeyboardPlace::Message
}

fn contents(seen: &[Seen]) -> Vec<&Content> {
    seen.iter().map(|m| &m.content).collect()
}

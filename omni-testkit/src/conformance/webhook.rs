//! Webhooks: whether they are genuine, and what is made of hostile ones.

use std::collections::HashSet;

use omni_core::Event;
use omni_core::event::EventKind;
use omni_core::webhook::{Received, Rejected, Verified, WebhookRequest};

use super::rig::{Act, Forgery};
use super::scene::{Scene, Stop, Verdict, ensure, failed, not_applicable, passed};

/// Deeper than any recursion may go.
const DEPTH: usize = 20_000;

/// A webhook of the customer's message, as it was posted.
async fn posted(scene: &Scene, words: &str) -> Result<WebhookRequest, Stop> {
    if !scene.channel.receives().takes_webhooks() {
        return not_applicable("the channel takes no webhooks");
    }
    scene.act(Act::Writes(words)).await?;
    scene.webhook(words).await
}

/// Law 3: a repeat is known by the ids of its events, whichever process reads it; different events differ.
pub(super) async fn a_genuine_webhook_is_read_alike_by_every_process(scene: Scene) -> Verdict {
    let first = posted(&scene, "раз").await?;
    let second = posted(&scene, "два").await?;
    let names = |events: &[Event]| events.iter().map(|e| (e.id.clone(), e.kind())).collect::<Vec<_>>();
    let mut all = Vec::new();
    for request in [&first, &second] {
        let here = names(&scene.reads(request)?);
        ensure!(!here.is_empty(), "a genuine webhook of a message yields no event");
        let again = names(&scene.reads(request)?);
        let other = Scene::open(scene.rig.clone()).await?;
        let there = names(&other.reads(request)?);
        ensure!(here == again, "read again: {here:?}, then {again:?}");
        ensure!(here == there, "read by another process: {here:?}, then {there:?}");
        all.extend(here);
    }
    let distinct: HashSet<_> = all.iter().collect();
    ensure!(distinct.len() == all.len(), "different events have the same id: {all:?}");
    passed("read twice here and once by a fresh channel: the same ids; another message: other ids")
}

/// Nobody else can speak for a customer.
pub(super) async fn a_forged_webhook_is_refused(scene: Scene) -> Verdict {
    let genuine = posted(&scene, "Здравствуйте").await?;
    let inbound = scene.inbound()?;
    let mut shown = Vec::new();
    for how in Forgery::ALL {
        let Some(forged) = scene.rig.forge(&genuine, how) else { continue };
        match inbound.receive(&forged) {
            Err(refused) if refused.status().is_client_error() => {
                ensure!(refused.answer().body.is_empty(), "the answer to {how:?} says why");
            }
            Err(refused) => return failed(format!("{how:?} is answered {}", refused.status())),
            Ok(received) => {
                return failed(format!("{how:?} is taken, with {} events", received.events.len()));
            }
        }
        shown.push(format!("{how:?}").to_lowercase());
    }
    ensure!(!shown.is_empty(), "the rig forges nothing");
    scene.reads(&genuine)?;
    passed(format!("secret or signature {}", shown.join(", ")))
}

/// Whatever comes is refused with a 4xx, or kept whole as unsupported.
pub(super) async fn a_damaged_body_neither_panics_nor_becomes_a_message(scene: Scene) -> Verdict {
    let genuine = posted(&scene, "Здравствуйте").await?;
    if serde_json::from_slice::<serde::de::IgnoredAny>(&genuine.body).is_err() {
        return not_applicable("the body is not JSON");
    }
    let inbound = scene.inbound()?;
    let damaged = damaged(&genuine.body);
    let count = damaged.len();
    for (what, body) in damaged {
        let mut request = genuine.clone();
        request.body = body.into();
        // As it would come from the network, and as if its signature were right for these very bytes.
        harmless(what, inbound.receive(&request))?;
        harmless(what, inbound.parse(Verified::trusted(&request)))?;
    }
    if let Some(body) = grown(&genuine.body) {
        let mut request = genuine.clone();
        request.body = body.into();
        // A field that nobody knows harms nothing, however deep it is; refusing the whole body is allowed too.
        if let Err(refused) = inbound.receive(&request) {
            ensure!(refused.status().is_client_error(), "a deep field is answered {}", refused.status());
        }
    }
    passed(format!("{count} bodies: cut, garbage, {DEPTH} levels deep, of another shape"))
}

fn harmless(what: &str, result: Result<Received, Rejected>) -> Result<(), Stop> {
    match result {
        Err(refused) => {
            ensure!(refused.status().is_client_error(), "{what} is answered {}", refused.status());
        }
        Ok(received) => {
            for event in received.events {
                let kind = event.kind();
                ensure!(kind == EventKind::Unsupported, "{what} became an event {}", kind.as_str());
                ensure!(event.raw.is_some(), "{what} lost its raw form");
            }
        }
    }
    Ok(())
}

/// A readable body with a field more, of great depth.
fn grown(genuine: &[u8]) -> Option<Vec<u8>> {
    let start = genuine.iter().position(|byte| *byte == b'{')? + 1;
    let (head, tail) = genuine.split_at_checked(start)?;
    let field = format!("\"novelty\":{}1{},", "[".repeat(DEPTH), "]".repeat(DEPTH));
    Some([head, field.as_bytes(), tail].concat())
}

fn damaged(genuine: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let deep =
        |open: &str, close: &str| format!("{}1{}", open.repeat(DEPTH), close.repeat(DEPTH)).into_bytes();
    let mut bodies: Vec<(&'static str, Vec<u8>)> = vec![
        ("an empty body", Vec::new()),
        ("null", b"null".to_vec()),
        ("an empty object", b"{}".to_vec()),
        ("an empty list", b"[]".to_vec()),
        ("a number", b"1e400".to_vec()),
        ("a form", b"a=1&b=2".to_vec()),
        ("bytes that are no text", b"\xff\xfe\x00{\"a\":1}".to_vec()),
        ("deep lists", deep("[", "]")),
        ("deep objects", deep("{\"a\":", "}")),
        ("deep lists without an end", "[".repeat(DEPTH).into_bytes()),
        ("a body with a tail", [genuine, b" {"].concat()),
    ];
    // Ends in every part of the body, in the middle of signs as well.
    let cuts = (1..24).map(|n| genuine.len() * n / 24).chain([genuine.len().saturating_sub(1)]);
    bodies.extend(cuts.map(|end| ("a body without its end", genuine.iter().take(end).copied().collect())));
    bodies
}

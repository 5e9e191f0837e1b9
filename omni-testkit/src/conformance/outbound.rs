//! How a send ends (law 5), and what is told of it later.

use std::time::Duration;

use omni_core::capability::Idempotency;
use omni_core::error::{ErrorKind, Retry};
use omni_core::event::{EventBody, MessageName};
use omni_core::outbound::SendError;
use omni_core::{Address, Content, Status};

use super::Case;
use super::rig::{Act, Done, Trouble};
use super::scene::{
    Scene, Stop, Verdict, copies, done, ensure, failed, not_applicable, not_declared, passed, seen,
};

/// Later news, edits and answers name it; how far the answer proves it to have come is as declared.
pub(super) async fn an_accepted_message_has_an_id_of_its_own(scene: Scene) -> Verdict {
    let address = scene.hello().await?.address;
    let first = scene.sends(&address, Content::text("раз")).await?;
    let second = scene.sends(&address, Content::text("два")).await?;
    ensure!(!first.id.as_str().is_empty(), "the message has no id");
    ensure!(first.id != second.id, "two messages have the id {}", first.id);
    let shown = seen(&scene.rig.chat().await, &[first.clone(), second]);
    let words: Vec<_> = shown.iter().filter_map(|m| m.content.plain_text()).collect();
    ensure!(words == ["раз", "два"], "under these ids the customer sees {words:?}");
    let proved = scene.capabilities(&address).answer_proves.unwrap_or(Status::Accepted);
    ensure!(first.status == proved, "the answer says {:?}, declared is {proved:?}", first.status);
    passed(format!("the answer proves {proved:?}"))
}

/// An address that is not of this provider is an error of the caller, found before anything goes out.
pub(super) async fn a_foreign_address_is_refused(scene: Scene) -> Verdict {
    let hello = scene.hello().await?.address;
    let odd = ["", "?", "нигде", "a\0b", "<>", "99999999999999999999999999?x=1"];
    for address in odd {
        let address: Address = done("an address", address.parse::<Address>())?;
        match scene.send(&address, Content::text("Кто здесь?")).await? {
            Err(SendError::Rejected(_)) => {}
            other => return failed(format!("{address:?} ends with {other:?}")),
        }
    }
    scene.sends(&hello, Content::text("Да")).await?;
    passed(format!("{} addresses that nobody has; certainly not sent", odd.len()))
}

/// Law 10: a pause is told with how long and what has to wait.
pub(super) async fn a_pause_is_told_with_its_scope(scene: Scene) -> Verdict {
    const ASKED: Duration = Duration::from_secs(7);
    let address = scene.hello().await?.address;
    scene.trouble(Trouble::Pauses(ASKED)).await?;
    let error = match scene.send(&address, Content::text("Позже")).await? {
        Err(SendError::Rejected(error)) => error,
        other => return failed(format!("the send ends with {other:?}")),
    };
    ensure!(error.kind() == ErrorKind::RateLimited, "the send says {error}");
    let Retry::After { wait, scope } = error.retry() else {
        return failed(format!("the error says {:?}", error.retry()));
    };
    ensure!(wait == ASKED, "{ASKED:?} were asked for, the error says {wait:?}");
    ensure!(copies(&scene.rig.chat().await, "Позже") == 0, "it is rejected, and was sent");
    passed(format!("the whole pause, for the scope {scope:?}"))
}

/// A message whose answer is lost may have gone out: only a person or an echo settles it.
pub(super) async fn a_lost_answer_is_unknown_and_nothing_is_repeated(scene: Scene) -> Verdict {
    let address = scene.hello().await?.address;
    scene.trouble(Trouble::LosesAnswer).await?;
    let outcome = scene.send(&address, Content::text("Один раз")).await?;
    let came = copies(&scene.rig.chat().await, "Один раз");
    ensure!(came == 1, "the customer sees it {came} times");
    match outcome {
        Err(SendError::Unknown(_)) => passed("unknown; the customer sees it once"),
        other => failed(format!("it was sent, and the send ends with {other:?}")),
    }
}

/// What is declared of repetitions holds: the hub repeats by it.
pub(super) async fn the_same_key_twice_sends_once(scene: Scene) -> Verdict {
    let outbound = scene.outbound()?;
    let address = scene.hello().await?.address;
    let item = scene.item(&address, Content::text("Один раз"));
    done("a send", outbound.send(&item).await)?;
    let again = outbound.send(&item).await;
    let came = copies(&scene.rig.chat().await, "Один раз");
    match scene.capabilities(&address).idempotency {
        Idempotency::None => {
            ensure!(came == 2, "no idempotency is declared, and the customer sees it {came} times");
            not_declared("the customer sees it twice")
        }
        declared => {
            done("a repeated send", again)?;
            ensure!(came == 1, "{declared:?} is declared, and the customer sees it {came} times");
            passed(format!("{declared:?}"))
        }
    }
}

const STATUSES: [Status; 5] =
    [Status::Sent, Status::Delivered, Status::Read, Status::Failed, Status::Expired];

/// News of a message name it as the send did.
pub(super) async fn the_statuses_declared_come_in(scene: Scene) -> Verdict {
    let address = scene.hello().await?.address;
    let declared = scene.capabilities(&address).statuses;
    let mut shown = Vec::new();
    for status in STATUSES {
        let item = scene.item(&address, Content::text(format!("{status:?}")));
        let sent = done("a send", scene.outbound()?.send(&item).await)?;
        let told = scene.rig.act(Act::Reports { message: &sent.id, status }).await;
        match (declared.contains(&status), told) {
            (true, Done::Yes) => {}
            (true, Done::Impossible(why)) => return not_applicable(format!("{status:?}: {why}")),
            (false, Done::Impossible(_)) => continue,
            (false, Done::Yes) => {
                return failed(format!("{status:?} is not declared, and the provider tells it"));
            }
        }
        let names = [MessageName::Provider(sent.id.clone()), MessageName::Ours(item.id)];
        let is_it = |body: &EventBody| matches!(body, EventBody::Status(news) if news.status == status && names.contains(&news.message));
        scene.hears(&format!("{status:?} of {}", sent.id), |event| is_it(&event.body)).await?;
        shown.push(format!("{status:?}"));
    }
    if shown.is_empty() { not_declared("the provider tells none") } else { passed(shown.join(", ")) }
}

/// Law 6 is kept by the hub, which hears everything: a connector neither joins nor orders what is told of a message.
pub(super) async fn news_of_one_message_is_told_in_any_order(scene: Scene) -> Verdict {
    const STEPS: [Status; 3] = [Status::Sent, Status::Delivered, Status::Read];
    let address = scene.hello().await?.address;
    let declared = scene.capabilities(&address).statuses;
    let steps: Vec<Status> = STEPS.into_iter().filter(|step| declared.contains(step)).collect();
    if steps.len() < 2 {
        return not_applicable("the provider does not tell several steps of a message");
    }
    let late: Vec<Status> = steps.iter().rev().copied().collect();
    for told in [&steps, &late] {
        let item = scene.item(&address, Content::text(format!("{told:?}")));
        let sent = done("a send", scene.outbound()?.send(&item).await)?;
        for &status in told {
            scene.act(Act::Reports { message: &sent.id, status }).await?;
        }
        let names = [MessageName::Provider(sent.id.clone()), MessageName::Ours(item.id)];
        let mut left = told.clone();
        while !left.is_empty() {
            let what = format!("{left:?} of one message, told as {told:?} (are they one event by their id?)");
            let is_left = |body: &EventBody| matches!(body, EventBody::Status(news) if left.contains(&news.status) && names.contains(&news.message));
            let event = scene.hears(&what, |event| is_left(&event.body)).await?;
            left.retain(|status| !matches!(&event.body, EventBody::Status(news) if news.status == *status));
        }
    }
    passed(format!("{steps:?}, and in the other order: each by itself"))
}

const REFUSALS: [ErrorKind; 8] = [
    ErrorKind::RecipientBlocked,
    ErrorKind::RecipientUnreachable,
    ErrorKind::ContentRejected,
    ErrorKind::TooLarge,
    ErrorKind::Forbidden,
    ErrorKind::WindowClosed,
    ErrorKind::RateLimited,
    ErrorKind::Unavailable,
];

/// One rule a kind of refusal.
pub(super) fn refusals(section: &'static str) -> Vec<Case> {
    let case = |kind: ErrorKind| {
        let rule = format!("a refusal is sorted: {kind}");
        Case::new(section, rule, move |scene: Scene| async move { is_sorted(&scene, kind).await })
    };
    REFUSALS.into_iter().map(case).collect()
}

/// A refusal has its kind, says whether a repetition can help, and is called certain only when it is.
async fn is_sorted(scene: &Scene, kind: ErrorKind) -> Verdict {
    scene.outbound()?;
    let address = scene.hello().await?.address;
    scene.trouble(Trouble::Refuses(kind)).await?;
    let error = match scene.send(&address, Content::text("Нет")).await? {
        Err(error) => error,
        Ok(_) => return failed("the send is accepted"),
    };
    ensure!(error.error().kind() == kind, "the send says {error}");
    is_honest(scene, kind, &error).await?;
    let certainty =
        if matches!(error, SendError::Rejected(_)) { "certainly not sent" } else { "perhaps sent" };
    let retry = match error.error().retry() {
        Retry::Never => "no use in repeating",
        Retry::Later => "later",
        Retry::After { .. } => "after a pause",
    };
    passed(format!("{certainty}; {retry}"))
}

async fn is_honest(scene: &Scene, kind: ErrorKind, error: &SendError) -> Result<(), Stop> {
    let passes = matches!(kind, ErrorKind::RateLimited | ErrorKind::Unavailable);
    let repeats = error.error().retry() != Retry::Never;
    ensure!(passes == repeats, "the error says {:?}", error.error().retry());
    // What stands before an ill provider may have sent all the same; a refusal by the provider is certain.
    let certain = matches!(error, SendError::Rejected(_));
    ensure!(certain || kind == ErrorKind::Unavailable, "a refusal is called uncertain");
    ensure!(copies(&scene.rig.chat().await, "Нет") == 0, "it was refused, and is shown");
    Ok(())
}

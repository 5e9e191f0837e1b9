//! Everything beside sending: declared and there, or neither.

use std::future::Future;

use omni_core::capability::{Action, Support};
use omni_core::content::{Button, ContentKind};
use omni_core::error::{ErrorKind, Result as CoreResult};
use omni_core::event::{EventBody, EventKind};
use omni_core::{Content, ProviderMessageId};

use super::rig::{Act, Seen};
use super::samples;
use super::scene::{Scene, Stop, Verdict, done, ensure, failed, not_applicable, not_declared, passed};

/// What is not declared is absent, or answers `Unsupported` at this address.
async fn is_absent<F: Future<Output = CoreResult<()>>>(call: Option<F>) -> Verdict {
    let Some(call) = call else { return not_declared("there is no such call") };
    match call.await {
        Err(error) if error.kind() == ErrorKind::Unsupported => not_declared("the call answers Unsupported"),
        Err(error) => failed(format!("it is not declared, and the call ends with {error}")),
        Ok(()) => failed("it is not declared, and the call succeeds"),
    }
}

/// What is declared is there.
fn there<T>(found: Option<T>) -> Result<T, Stop> {
    found.ok_or_else(|| Stop::Failed("it is declared, and there is no such call".to_owned()))
}

async fn find(scene: &Scene, id: &ProviderMessageId) -> Option<Seen> {
    scene.rig.chat().await.messages.into_iter().find(|message| message.id == *id)
}

/// The same message says something else; the same again is a success.
pub(super) async fn a_message_is_changed(scene: Scene) -> Verdict {
    let outbound = scene.outbound()?;
    let address = scene.hello().await?.address;
    let sent = scene.sends(&address, Content::text("Да")).await?;
    let content = Content::text("Да! 👍 <b>");
    let call = outbound.as_edit().map(|edit| edit.edit(&address, &sent.id, &content));
    if !scene.capabilities(&address).edit.is_there() {
        return is_absent(call).await;
    }
    done("edit", there(call)?.await)?;
    done("the same edit again", there(outbound.as_edit())?.edit(&address, &sent.id, &content).await)?;
    let shown = find(&scene, &sent.id).await.and_then(|m| m.content.plain_text().map(str::to_owned));
    ensure!(shown.as_deref() == Some("Да! 👍 <b>"), "the message is shown as {shown:?}");
    passed(format!("{}; the same again is a success", age(scene.capabilities(&address).edit)))
}

/// It is gone for the customer; once more is a success.
pub(super) async fn a_message_is_taken_back(scene: Scene) -> Verdict {
    let outbound = scene.outbound()?;
    let address = scene.hello().await?.address;
    let sent = scene.sends(&address, Content::text("Ой")).await?;
    let call = outbound.as_delete().map(|delete| delete.delete(&address, &sent.id));
    if !scene.capabilities(&address).delete.is_there() {
        return is_absent(call).await;
    }
    done("delete", there(call)?.await)?;
    ensure!(find(&scene, &sent.id).await.is_none(), "the message is still shown");
    done("the same deletion again", there(outbound.as_delete())?.delete(&address, &sent.id).await)?;
    passed(format!("{}; once more is a success", age(scene.capabilities(&address).delete)))
}

fn age(action: Action) -> String {
    match action {
        Action::Until { age } => format!("declared for {} hours", age.as_secs() / 3600),
        _ => "declared without a limit of age".to_owned(),
    }
}

/// On the customer's own message.
pub(super) async fn a_sign_is_put_and_taken_off(scene: Scene) -> Verdict {
    let outbound = scene.outbound()?;
    let hello = scene.hello().await?;
    let Some(said) = hello.message else { return not_applicable("there is no message to put it on") };
    let signs = ["👍".to_owned()];
    let call = outbound.as_react().map(|react| react.react(&hello.address, &said.id, &signs));
    if !scene.capabilities(&hello.address).react.is_there() {
        return is_absent(call).await;
    }
    done("react", there(call)?.await)?;
    let shown = find(&scene, &said.id).await.map(|m| m.signs).unwrap_or_default();
    ensure!(shown == signs, "the customer sees {shown:?}");
    done("taking it off", there(outbound.as_react())?.react(&hello.address, &said.id, &[]).await)?;
    let shown = find(&scene, &said.id).await.map(|m| m.signs).unwrap_or_default();
    ensure!(shown.is_empty(), "after taking it off the customer sees {shown:?}");
    passed("shown, then gone")
}

/// The customer sees that somebody has read.
pub(super) async fn messages_are_marked_as_seen(scene: Scene) -> Verdict {
    let outbound = scene.outbound()?;
    let hello = scene.hello().await?;
    let Some(said) = hello.message else { return not_applicable("there is no message to mark") };
    let call = outbound.as_read().map(|read| read.mark_read(&hello.address, &said.id));
    if !scene.capabilities(&hello.address).mark_read.is_there() {
        return is_absent(call).await;
    }
    done("mark read", there(call)?.await)?;
    ensure!(find(&scene, &said.id).await.is_some_and(|m| m.is_read), "it is not shown as seen");
    passed("shown as seen")
}

/// The customer sees that somebody is writing.
pub(super) async fn writing_is_shown(scene: Scene) -> Verdict {
    let outbound = scene.outbound()?;
    let address = scene.hello().await?.address;
    let call = outbound.as_typing().map(|typing| typing.typing(&address));
    if !scene.capabilities(&address).typing.is_there() {
        return is_absent(call).await;
    }
    done("typing", there(call)?.await)?;
    ensure!(scene.rig.chat().await.is_typing, "it is not shown");
    passed("shown")
}

/// What a key carries comes back to the letter, at the longest too; the customer's wait is ended.
pub(super) async fn a_pressed_key_is_told_and_answered(scene: Scene) -> Verdict {
    let outbound = scene.outbound()?;
    let address = scene.hello().await?.address;
    let caps = scene.capabilities(&address);
    if caps.supports(ContentKind::Buttons) <= Support::Fallback {
        return not_declared("keys are not declared, or fall back to text");
    }
    let longest = caps.buttons.data_bytes.unwrap_or(32) as usize;
    let data = samples::text_of(longest, omni_core::text::Unit::Bytes);
    let asked = Content::text("Верно?").buttons([Button::press("Да", &*data), Button::press("Нет", "no")]);
    let sent = scene.sends(&address, asked).await?;
    scene.act(Act::Presses { message: &sent.id, label: "Да" }).await?;
    let event = scene.hears("the press", |event| event.kind() == EventKind::Button).await?;
    let EventBody::Button(pressed) = &event.body else { return failed("the press is no press") };
    ensure!(pressed.data == data, "the key carried {data:?}, told is {:?}", pressed.data);
    ensure!(event.address.as_ref() == Some(&address), "the press is told at {:?}", event.address);
    if pressed.message.is_some() {
        ensure!(pressed.message.as_ref() == Some(&sent.id), "the press names {:?}", pressed.message);
    }
    let Some(ticket) = &pressed.ticket else {
        return passed(format!("{longest} bytes of data; no answer is awaited"));
    };
    let Some(answer) = outbound.as_answer() else {
        return failed("an answer is awaited, and there is no such call");
    };
    done("the answer", answer.answer(ticket, Some("Спасибо")).await)?;
    done("a late answer", answer.answer(ticket, None).await)?;
    passed(format!("{longest} bytes of data; answered, and late once more"))
}

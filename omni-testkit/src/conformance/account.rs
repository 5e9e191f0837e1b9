//! The account: its credential, its registration, its secrets.

use std::error::Error as StdError;
use std::fmt::{Debug, Display};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use omni_core::error::{ErrorKind, Retry};
use omni_core::event::EventBody;
use omni_core::link::CampaignToken;
use omni_core::media::MediaRef;
use omni_core::outbound::SendError;
use omni_core::{Address, Content, ProviderMessageId};

use tracing::instrument::WithSubscriber;
use tracing::{Level, Subscriber};
use tracing_subscriber::fmt::format::FmtSpan;

use super::rig::{Act, Done, Forgery, Trouble};
use super::scene::{Commits, Listener, Scene, Verdict, copies, done, ensure, failed, not_applicable, passed};

/// A host shows the name, and knows by the id that one account was connected twice.
pub(super) async fn a_check_names_the_account(scene: Scene) -> Verdict {
    let account = done("check", scene.channel.check().await)?;
    ensure!(!account.id.as_str().is_empty(), "the account has no id");
    ensure!(!account.name.trim().is_empty(), "the account has no name");
    let again = done("check by another process", scene.rig.channel().check().await)?;
    ensure!(account.id == again.id, "another process is told another id");
    let handle = account.handle.map(|handle| format!(", {handle}")).unwrap_or_default();
    passed(format!("\"{}\"{handle}", account.name))
}

/// Health turns to "needs a person" with what to do: that takes an error classified by the provider's answer.
pub(super) async fn a_revoked_credential_is_told_with_advice(scene: Scene) -> Verdict {
    let hello = scene.hello().await?;
    scene.stops().await;
    scene.trouble(Trouble::Revokes).await?;
    let Err(error) = scene.channel.check().await else { return failed("check succeeds all the same") };
    ensure!(error.kind() == ErrorKind::BadCredentials, "check says {error}");
    ensure!(error.advice().is_some(), "the error does not say what to do");
    ensure!(error.retry() == Retry::Never, "the error says {:?}", error.retry());
    let mut shown = vec!["check"];
    if scene.channel.outbound().is_some() {
        match scene.send(&hello.address, Content::text("Да")).await? {
            Err(SendError::Rejected(error)) if error.kind() == ErrorKind::BadCredentials => {}
            other => return failed(format!("a send ends with {other:?}")),
        }
        shown.push("send");
    }
    if scene.channel.receives().listens() {
        let mut listener = Listener::start(scene.channel.clone(), None, Commits::All);
        // A place may be stored before anything is asked for.
        let ended = async {
            loop {
                match listener.next().await {
                    Ok((events, _)) if events.is_empty() => {}
                    other => return other,
                }
            }
        };
        match tokio::time::timeout(scene.rig.patience(), ended).await {
            Ok(Err(Some(error))) if error.kind() == ErrorKind::BadCredentials => {}
            other => return failed(format!("listening ends with {other:?}")),
        }
        shown.push("listen");
    }
    passed(shown.join(", "))
}

/// A host connects at every start.
pub(super) async fn connecting_again_changes_nothing(scene: Scene) -> Verdict {
    let url = match scene.rig.webhook_url() {
        Some(url) if scene.channel.receives().takes_webhooks() => url,
        _ => return not_applicable("no webhook is registered"),
    };
    done("connecting again", scene.channel.connect(&url).await)?;
    done("connecting from another process", scene.rig.channel().connect(&url).await)?;
    scene.says("Ещё раз здравствуйте").await?;
    done("disconnect", scene.channel.disconnect().await)?;
    done("disconnecting again", scene.channel.disconnect().await)?;
    done("connecting after that", scene.channel.connect(&url).await)?;
    scene.says("И снова").await?;
    passed("twice, from another process, and after disconnecting twice")
}

/// The outbox may be worked off by another process than the one that heard the customer.
pub(super) async fn an_address_works_in_another_process(scene: Scene) -> Verdict {
    let hello = scene.hello().await?;
    scene.outbound()?;
    let stored = done("storing the address", serde_json::to_string(&hello.address))?;
    let read: Address = done("reading the address", serde_json::from_str(&stored))?;
    ensure!(read == hello.address, "the address was changed by being stored");
    let other = scene.rig.channel();
    let Some(outbound) = other.outbound() else { return failed("another process cannot send") };
    let words = "Из другого процесса";
    done("a send", outbound.send(&scene.item(&read, Content::text(words))).await)?;
    ensure!(copies(&scene.rig.chat().await, words) == 1, "the message did not come");
    passed("stored as JSON, read by a fresh channel")
}

/// What the link carried comes back with the first thing the person does.
pub(super) async fn a_link_brings_its_token_back(scene: Scene) -> Verdict {
    let Some(links) = scene.channel.as_links() else { return not_applicable("the channel makes no links") };
    let token = done("a token", CampaignToken::new("spring_2026-a"))?;
    let link = done("a link", links.link(&token).await)?;
    scene.listens().await;
    scene.act(Act::Follows(&link)).await?;
    let brought = |body: &EventBody| match body {
        EventBody::Started(started) => started.referral.clone(),
        EventBody::Message(message) => message.referral.clone(),
        _ => None,
    };
    let event = scene.hears("the person behind the link", |event| brought(&event.body).is_some()).await?;
    let token_back = brought(&event.body).and_then(|referral| referral.token);
    ensure!(token_back.as_deref() == Some(token.as_str()), "the token came back as {token_back:?}");
    passed(format!("with the event {}", event.kind().as_str()))
}

/// Law 12: not in a `Debug`, not in an error, not in what an error wraps.
pub(super) async fn nothing_secret_shows(scene: Scene) -> Verdict {
    let secrets = scene.rig.secrets();
    ensure!(!secrets.is_empty(), "the rig names no secrets");
    let mut texts =
        vec![("the configuration", scene.rig.shown()), ("the channel", format!("{:?}", scene.channel))];
    let before = texts.len();
    let tape = Tape::default();
    async {
        refused_webhooks(&scene, &mut texts).await?;
        failed_calls(&scene, &mut texts).await
    }
    .with_subscriber(tape.recorder())
    .await?;
    let errors = texts.len() - before;
    let logged = tape.text();
    ensure!(!logged.contains("Здравствуйте"), "the log quotes what a customer wrote");
    texts.push(("the log", logged));
    for (what, text) in &texts {
        ensure!(!secrets.iter().any(|secret| text.contains(secret.as_str())), "{what} shows a secret");
    }
    passed(format!("the configuration, the channel, {errors} errors and the log at its finest"))
}

type Texts = Vec<(&'static str, String)>;

/// Everything that is logged by the rule's own task, at every level, from every crate.
#[derive(Clone, Default)]
struct Tape(Arc<Mutex<Vec<u8>>>);

impl Tape {
    fn recorder(&self) -> impl Subscriber + Send + Sync + 'static {
        let tape = self.clone();
        tracing_subscriber::fmt()
            .with_max_level(Level::TRACE)
            .with_span_events(FmtSpan::FULL)
            .with_ansi(false)
            .with_writer(move || tape.clone())
            .finish()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl io::Write for Tape {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn refused_webhooks(scene: &Scene, texts: &mut Texts) -> Result<(), super::scene::Stop> {
    if !scene.channel.receives().takes_webhooks()
        || scene.rig.act(Act::Writes("Здравствуйте")).await != Done::Yes
    {
        return Ok(());
    }
    let genuine = scene.webhook("the customer's message").await?;
    for how in Forgery::ALL {
        if let Some(forged) = scene.rig.forge(&genuine, how)
            && let Err(refused) = scene.inbound()?.receive(&forged)
        {
            texts.push(("a refused webhook", format!("{refused} {refused:?} {:?}", refused.answer())));
        }
    }
    Ok(())
}

/// Makes every call there is under every trouble there is.
async fn failed_calls(scene: &Scene, texts: &mut Texts) -> Result<(), super::scene::Stop> {
    let hello = scene.hello().await?;
    scene.stops().await;
    let troubles = [
        Trouble::Refuses(ErrorKind::ContentRejected),
        Trouble::Refuses(ErrorKind::Unavailable),
        Trouble::Pauses(Duration::from_secs(1)),
        Trouble::LosesAnswer,
        Trouble::Revokes,
    ];
    for trouble in troubles {
        if scene.rig.trouble(trouble).await == Done::Yes && scene.channel.outbound().is_some() {
            note(texts, "a send", scene.send(&hello.address, Content::text("Да")).await?);
        }
    }
    note(texts, "check", scene.channel.check().await);
    if let Some(url) = scene.rig.webhook_url() {
        note(texts, "connect", scene.channel.connect(&url).await);
    }
    note(texts, "disconnect", scene.channel.disconnect().await);
    if let Some(inbound) = scene.channel.inbound() {
        note(texts, "fetch", inbound.fetch(&MediaRef::new("nothing"), 1).await);
    }
    if let Some(outbound) = scene.channel.outbound() {
        let (at, id) = (&hello.address, ProviderMessageId::from("1"));
        note(texts, "a send", outbound.send(&scene.item(&Address::new("?"), Content::text("Да"))).await);
        if let Some(edit) = outbound.as_edit() {
            note(texts, "edit", edit.edit(at, &id, &Content::text("Нет")).await);
        }
        if let Some(delete) = outbound.as_delete() {
            note(texts, "delete", delete.delete(at, &id).await);
        }
        if let Some(typing) = outbound.as_typing() {
            note(texts, "typing", typing.typing(at).await);
        }
    }
    Ok(())
}

/// Keeps every form in which an error can be shown, down to what it wraps.
fn note<T, E: StdError + Debug + Display>(texts: &mut Texts, what: &'static str, result: Result<T, E>) {
    let Err(error) = result else { return };
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut below = error.source();
    while let Some(source) = below {
        text.push_str(&format!(" {source} {source:?}"));
        below = source.source();
    }
    texts.push((what, text));
}

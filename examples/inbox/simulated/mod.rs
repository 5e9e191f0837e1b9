//! Simulated providers: real HTTP on this machine, customers played on `/customer`.
//!
//! Nothing in the desk knows of them: a simulator yields [`ChannelSettings`], which are connected like those of
//! a real account. To add one: implement [`Simulator`], and name it in [`simulators`].

mod autoru;
mod avito;
mod demo;
mod email;
mod people;
mod telegram;
mod viber;
mod vk;

use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use omni::core::conversation::{Actor, CloseReason};
use omni::core::media::{MediaKind, MediaRef};
use omni::core::policy::{Action, Verb};
use omni::hub::store::{ConversationQuery, StateFilter};
use omni::{Book, ChannelKey, Provider};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use url::Url;

use crate::config::{ChannelSettings, Settings};
use crate::desk::Desk;
use crate::{channels, live};

/// What happens by itself in the demo.
const BOOK: &str = include_str!("book.toml");

/// A provider that runs in this process, seen from its customers' side.
pub(crate) trait Simulator: Send + Sync {
    /// The kind of channel; names the simulator in addresses.
    fn provider(&self) -> Provider;

    /// The channel that is connected to it.
    fn channel(&self) -> &ChannelKey;

    /// The account's name, as customers read it.
    fn title(&self) -> &str;

    /// Signs that customers can put on messages.
    fn signs(&self) -> &[&str];

    /// Who is here.
    fn customers(&self) -> Vec<Customer>;

    /// Somebody new.
    fn enter(&self, name: &str) -> Customer;

    /// The chat of a customer, oldest first; `None` when there is no such customer.
    fn chat(&self, customer: &str) -> Option<Vec<Line>>;

    /// A customer does something. The error is for the person who plays.
    fn act(&self, customer: &str, deed: Deed) -> Result<(), String>;

    /// A customer asks in the demo. Where messages can be more than words, the question shows it.
    fn asks(&self, customer: &str, question: &str) -> Result<(), String> {
        self.act(customer, Deed::Write { text: question.to_owned(), reply_to: None })
    }

    /// A customer sends a file.
    fn send_file(&self, customer: &str, file: Upload, caption: &str) -> Result<(), String>;

    /// A person types the address of our webhook into the provider's cabinet, where there is no call for it.
    fn is_told_webhook(&self, at: &Url) {
        let _ = at;
    }

    /// Moves whenever anything happened.
    fn changes(&self) -> watch::Receiver<u64>;
}

/// Somebody who is played.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Customer {
    pub(crate) id: String,
    pub(crate) name: String,
    /// They let us write no more.
    pub(crate) blocked: bool,
}

/// What a customer does.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum Deed {
    /// Comes by a link with this token.
    Start { token: String },
    /// Writes, perhaps in answer to a line.
    Write { text: String, reply_to: Option<String> },
    /// Presses a key under a line.
    Press { line: String, data: String },
    /// Changes the words of a line of their own.
    Edit { line: String, text: String },
    /// Puts a sign on a line; an empty one takes it off.
    React { line: String, sign: String },
    /// Shares their phone number.
    ShareContact,
    /// Lets us write no more.
    Block,
    /// Lets us write again.
    Unblock,
    /// The provider delivers the next message to this customer, and its answer to us gets lost (law 5).
    LoseNextAnswer,
}

/// A file that a customer sends.
pub(crate) struct Upload {
    pub(crate) name: String,
    pub(crate) mime: String,
    pub(crate) bytes: Bytes,
}

/// One message as the customer sees it.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    pub(crate) id: String,
    /// The customer wrote it; otherwise the business did.
    pub(crate) own: bool,
    pub(crate) text: String,
    /// Milliseconds since 1970.
    pub(crate) at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<LineFile>,
    pub(crate) buttons: Vec<LineButton>,
    pub(crate) reply_to: Option<String>,
    pub(crate) signs: Vec<String>,
    pub(crate) edited: bool,
    pub(crate) deleted: bool,
}

/// A file of a [`Line`].
#[derive(Debug, Serialize)]
pub(crate) struct LineFile {
    #[serde(skip)]
    pub(crate) at: FileAt,
    pub(crate) kind: MediaKind,
    pub(crate) name: Option<String>,
    pub(crate) mime: Option<String>,
}

/// Where a file of a [`Line`] is.
#[derive(Debug)]
pub(crate) enum FileAt {
    /// At the provider: the channel's connector fetches it.
    Provider(MediaRef),
    /// In the customer's app.
    App(Bytes),
    /// At a public address.
    Address(Url),
}

/// A key under a [`Line`].
#[derive(Debug, Serialize)]
pub(crate) struct LineButton {
    pub(crate) label: String,
    pub(crate) data: Option<String>,
    pub(crate) url: Option<String>,
}

/// Starts the simulators, when no real account is configured, and lets some customers write.
pub(crate) async fn start(desk: &Desk, settings: &Settings) -> Result<(), Box<dyn Error>> {
    if !settings.channels.is_empty() {
        return Ok(());
    }
    let simulators = simulators().await?;
    let book = Book::from_toml(BOOK).map_err(|bad| bad.in_file("simulated/book.toml"))?;
    for (simulator, channel) in simulators {
        channels::set_book(desk, &book, std::slice::from_ref(&channel)).await?;
        if let Some(typed) = channels::connect(desk, &channel).await? {
            simulator.is_told_webhook(&typed);
        }
        end_former_run(desk, simulator.channel()).await?;
        live::follow_simulator(desk, simulator.as_ref());
        demo::play(simulator.as_ref());
        desk.add_simulator(simulator);
    }
    Ok(())
}

type Started = (Arc<dyn Simulator>, ChannelSettings);

/// Every simulator, with the settings under which the desk reaches it.
async fn simulators() -> Result<Vec<Started>, Box<dyn Error>> {
    fn any<S: Simulator + 'static>((simulator, settings): (S, ChannelSettings)) -> Started {
        (Arc::new(simulator), settings)
    }
    Ok(vec![
        any(telegram::Telegram::start().await?),
        any(viber::Viber::start().await?),
        any(vk::Vk::start().await?),
        any(avito::Avito::start().await?),
        any(autoru::Autoru::start().await?),
        any(email::Email::start().await?),
    ])
}

/// The database outlives the simulators: nobody is left to answer in what a former run left open.
async fn end_former_run(desk: &Desk, channel: &ChannelKey) -> Result<(), Box<dyn Error>> {
    let query = ConversationQuery {
        tenant: Some(channel.tenant.clone()),
        channel: Some(channel.channel.clone()),
        state: StateFilter::Open,
        limit: 1000,
        ..ConversationQuery::default()
    };
    for left in desk.hub().conversations(&query).await? {
        let reason = CloseReason::Other("the simulator was started anew".to_owned());
        let action = Action { by: Actor::Host, verb: Verb::Close { reason } };
        desk.hub().act(left.id, action).await?;
    }
    Ok(())
}

//! The webhook at VK: entering it, looking how it does, taking it back.
//! <https://dev.vk.com/api/callback/getting-started> (read 2026-11)

use std::time::Duration;

use omni_core::error::{ErrorKind, Result};
use omni_core::outbound::SendError;
use omni_core::{Error, Secret};
use url::Url;

use crate::api::Api;
use crate::encode::{self, Request};
use crate::wire::{CallbackServer, CallbackServers, Code, ServerId};

/// How often the state of the webhook is looked at: for about ten seconds.
const LOOKS: u32 = 12;
/// How long between the first two looks; it doubles up to the last one.
const LOOK: Duration = Duration::from_millis(50);
/// The longest pause between two looks.
const LAST_LOOK: Duration = Duration::from_millis(1600);

/// How a webhook does at VK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Failed,
    Good,
    Waiting,
}

/// A webhook of ours at VK.
struct Known {
    id: i64,
    state: State,
    /// It has our name and secret.
    is_as_set: bool,
}

impl Api {
    /// What VK wants to be answered now. It changes from time to time.
    pub(crate) async fn confirmation_code(&self) -> Result<String> {
        let answered = self.ask(encode::confirmation_code(self.config.group_id)).await?;
        let Code { code } = answered.read()?;
        Ok(code.into_string())
    }

    /// Enters the webhook and waits until VK has called it. One that stands there as it should is left alone.
    pub(crate) async fn register(&self, url: &Url, secret: &Secret) -> Result<()> {
        let group = self.config.group_id;
        let id = match self.server_at(url, secret).await? {
            Some(Known { id, state: State::Good, is_as_set: true }) => id,
            Some(Known { id, .. }) => {
                let title = &self.config.server_title;
                self.ask(encode::edit_callback_server(group, id, url, title, secret)).await?;
                id
            }
            None => {
                let title = &self.config.server_title;
                let answered = self.ask(encode::add_callback_server(group, url, title, secret)).await?;
                let ServerId { server_id } = answered.read()?;
                server_id
            }
        };
        let events = self.config.events();
        self.ask(encode::set_callback_settings(group, id, &self.config.api_version, &events)).await?;
        self.confirmed(id).await
    }

    async fn confirmed(&self, id: i64) -> Result<()> {
        const OPERATION: &str = "groups.getCallbackServers";
        let mut pause = LOOK;
        for _ in 0..LOOKS {
            match self.find(|server| server.id == id, state_of).await? {
                Some(State::Good) => return Ok(()),
                Some(State::Failed) => {
                    return Err(Error::configuration(OPERATION, "VK called the webhook and did not like its answer")
                        .with_advice(
                            "the address must be reachable from the internet over https, and lead to this channel",
                        ));
                }
                Some(State::Waiting) => tokio::time::sleep(pause).await,
                None => break,
            }
            pause = LAST_LOOK.min(pause * 2);
        }
        Err(Error::new(ErrorKind::Unavailable, OPERATION).with_text("VK has not called the webhook yet"))
    }

    /// Takes back whatever stands there under our name with our secret.
    pub(crate) async fn unregister(&self, secret: &Secret) -> Result<()> {
        let is_ours = |server: &CallbackServer<'_>| {
            &*server.title == self.config.server_title.as_str() && &*server.secret_key == secret.expose()
        };
        // A community has ten at most.
        for _ in 0..10 {
            let Some(id) = self.find(is_ours, |server| server.id).await? else { break };
            self.ask(encode::delete_callback_server(self.config.group_id, id)).await?;
        }
        Ok(())
    }

    /// Whether VK has given up on a webhook of ours.
    pub(crate) async fn has_failed(&self, secret: &Secret) -> Result<bool> {
        let is_ours = |server: &CallbackServer<'_>| &*server.secret_key == secret.expose();
        Ok(self.find(is_ours, state_of).await? == Some(State::Failed))
    }

    async fn server_at(&self, url: &Url, secret: &Secret) -> Result<Option<Known>> {
        let title = self.config.server_title.as_str();
        let known = |server: &CallbackServer<'_>| Known {
            id: server.id,
            state: state_of(server),
            is_as_set: &*server.secret_key == secret.expose() && &*server.title == title,
        };
        self.find(|server| &*server.url == url.as_str(), known).await
    }

    async fn find<T>(
        &self,
        wanted: impl Fn(&CallbackServer<'_>) -> bool,
        look: impl Fn(&CallbackServer<'_>) -> T,
    ) -> Result<Option<T>> {
        let answered = self.ask(encode::get_callback_servers(self.config.group_id)).await?;
        let servers: CallbackServers<'_> = answered.read()?;
        Ok(servers.items.iter().find(|server| wanted(server)).map(look))
    }

    /// A call of which it does not matter whether it was carried out when it fails.
    pub(crate) async fn ask(&self, request: Request) -> Result<crate::api::Answered> {
        self.call(request).await.map_err(SendError::into_error)
    }
}

fn state_of(server: &CallbackServer<'_>) -> State {
    match &*server.status {
        "ok" => State::Good,
        "failed" => State::Failed,
        _ => State::Waiting,
    }
}

//! `setWebhook` and its kin (<https://core.telegram.org/bots/api#setwebhook>).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    super::{
        bot::Bot,
        error::{ApiError, ApiResult},
        json::set,
        params::Params,
        state::BotState,
        webhook::{Webhook, endpoint},
    },
    Reply,
};

/// Largest certificate, in bytes.
const CERTIFICATE_LIMIT: usize = 3 << 20;
/// Ports the cloud delivers to.
const PORTS: [u16; 4] = [80, 88, 443, 8443];

impl Bot {
    pub(crate) fn set_webhook(self: &Arc<Self>, params: &Params) -> ApiResult<Reply> {
        let Some(url) = params.text("url") else { return self.delete_webhook(params) };
        let mut state = self.lock();
        if self.shared.config.throttle_hooks {
            throttle(&mut state)?;
        }
        let wanted = self.webhook_of(&url, params)?;
        if let Some(current) = &state.queue.webhook
            && is_same(current, &wanted)
            && !params.flag("drop_pending_updates")
        {
            state.queue.set_allowed(params);
            return Ok(Reply { value: true.into(), note: Some("Webhook is already set") });
        }
        state.queue.set_allowed(params);
        if params.flag("drop_pending_updates") {
            state.queue.pending.clear();
        }
        self.install_webhook(&mut state, Some(wanted));
        Ok(Reply { value: true.into(), note: Some("Webhook was set") })
    }

    pub(crate) fn delete_webhook(self: &Arc<Self>, params: &Params) -> ApiResult<Reply> {
        let mut state = self.lock();
        if params.flag("drop_pending_updates") {
            state.queue.pending.clear();
        }
        if state.queue.webhook.is_none() {
            return Ok(Reply { value: true.into(), note: Some("Webhook is already deleted") });
        }
        self.install_webhook(&mut state, None);
        Ok(Reply { value: true.into(), note: Some("Webhook was deleted") })
    }

    pub(crate) fn webhook_info(&self) -> Value {
        let state = self.lock();
        let hook = state.queue.webhook.as_ref();
        let mut info = json!({
            "url": hook.map_or("", |hook| &hook.url),
            "has_custom_certificate": hook.is_some_and(|hook| hook.has_certificate),
            "pending_update_count": state.queue.pending.len(),
        });
        if let Some(hook) = hook {
            set(&mut info, "max_connections", hook.max_connections);
            set(&mut info, "ip_address", "127.0.0.1");
            if let Some((date, message)) = &hook.last_error {
                set(&mut info, "last_error_date", *date);
                set(&mut info, "last_error_message", message.as_str());
            }
        }
        if let Some(kinds) = state.queue.allowed() {
            set(&mut info, "allowed_updates", kinds);
        }
        info
    }

    pub(crate) fn log_out(self: &Arc<Self>) -> Value {
        let mut state = self.lock();
        self.install_webhook(&mut state, None);
        state.is_logged_out = true;
        true.into()
    }

    /// Checks the parameters in the server's order and makes a webhook of them.
    fn webhook_of(&self, url: &str, params: &Params) -> ApiResult<Webhook> {
        let invalid = || ApiError::bad_request("invalid webhook URL specified");
        let full = if url.contains("://") { url.to_owned() } else { format!("https://{url}") };
        let parsed = url::Url::parse(&full).map_err(|_| invalid())?;
        let secret = params.text("secret_token");
        if let Some(secret) = &secret {
            if secret.len() > 256 {
                return Err(ApiError::bad_request("secret token is too long"));
            }
            if !secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
                return Err(ApiError::bad_request("secret token contains unallowed characters"));
            }
        }
        let certificate = params.file("certificate").map(|file| file.bytes.len());
        if let Some(size) = certificate.filter(|size| *size > CERTIFICATE_LIMIT) {
            return Err(ApiError::bad_request(&format!("certificate size is too big ({size} bytes)")));
        }
        if !self.shared.config.plain_webhooks {
            check_cloud(&parsed)?;
        }
        let endpoint =
            endpoint(&parsed, self.shared.config.webhook_via, secret.as_deref()).ok_or_else(invalid)?;
        let connections = params.integer("max_connections").unwrap_or(40).clamp(1, 100) as usize;
        let mut hook = Webhook::new(url.to_owned(), endpoint, connections);
        hook.has_certificate = certificate.is_some();
        Ok(hook)
    }
}

fn is_same(current: &Webhook, wanted: &Webhook) -> bool {
    current.url == wanted.url
        && current.endpoint == wanted.endpoint
        && current.max_connections == wanted.max_connections
        && !current.has_certificate
        && !wanted.has_certificate
}

/// The cloud's conditions, found out when it first connects.
fn check_cloud(url: &url::Url) -> ApiResult<()> {
    if url.scheme() != "https" {
        return Err(ApiError::bad_request("bad webhook: An HTTPS URL must be provided for webhook"));
    }
    if !url.port_or_known_default().is_some_and(|port| PORTS.contains(&port)) {
        return Err(ApiError::bad_request(
            "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
        ));
    }
    Ok(())
}

fn throttle(state: &mut BotState) -> ApiResult<()> {
    let now = Instant::now();
    let former = state.queue.last_set_webhook;
    if former.is_some_and(|at| now.saturating_duration_since(at) < Duration::from_secs(1)) {
        return Err(ApiError::too_many_requests(1));
    }
    state.queue.last_set_webhook = Some(now);
    Ok(())
}

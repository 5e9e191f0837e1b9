//! Viber bot (REST Bot API) connector of omni.

//! Telegram Bot API connector of omni.

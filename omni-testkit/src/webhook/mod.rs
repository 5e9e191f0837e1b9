//! The program on the other side of omni-webhook.

//! Avito Messenger API connector of omni.

//! From a mail to events.

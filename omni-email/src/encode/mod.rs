//! From a message to the bytes of a mail.

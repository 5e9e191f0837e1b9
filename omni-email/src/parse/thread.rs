//! Which mails belong together.

//! Who wrote a mail.

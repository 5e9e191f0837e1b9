//! Reading mail.

//! What of a mail is new, what is quoted, what is signature.

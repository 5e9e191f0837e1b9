//! Handing mail in.

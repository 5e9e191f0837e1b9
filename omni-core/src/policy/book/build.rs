//! Books in code.

//! Words.

/// Reads.
pub(super) fn read() {}

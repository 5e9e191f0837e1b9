//! Blocks.

/// Reads.
pub(super) fn read() {}

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure

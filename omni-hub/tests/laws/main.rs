//! The laws listed in `omni-core`: each test fails without the rule it names. A provider in memory, a clock moved
//! by hand, one thread: what happens is the same in every run, and nothing sleeps.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure

mod automatic;
mod channels;
mod failing;
mod fake;
mod inbound;
mod introduced;
mod log;
mod nodes;
mod sending;
mod threads;
mod time;
mod world;

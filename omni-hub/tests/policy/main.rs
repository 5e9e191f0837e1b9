//! The policy engine through a hub, from a message in to a text out: books in TOML, a provider in memory, a clock moved
//! by hand, one thread. What happens is the same in every run, and nothing sleeps.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // here a failed unwrap is the failure

mod activity;
mod any;
mod automatic;
mod bots;
mod change;
mod clocks;
mod closing;
mod distribution;
#[allow(dead_code)] // the laws use all of it
#[path = "../laws/failing.rs"]
mod failing;
#[allow(dead_code)] // the laws use all of it
#[path = "../laws/fake.rs"]
mod fake;
mod handed;
mod hours;
mod late;
mod people;
mod races;
mod random;
mod returning;
mod scenario;
mod summary;
mod takers;
mod time;
mod window;
mod world;

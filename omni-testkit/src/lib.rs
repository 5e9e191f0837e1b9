//! Conformance suites, provider simulators and a movable clock for testing omni connectors and stores.

pub mod conformance;
pub mod store;
pub mod telegram;

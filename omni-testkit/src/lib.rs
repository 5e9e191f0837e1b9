//! Conformance suites, provider simulators and a movable clock for testing omni connectors and stores.

pub mod autoru;
pub mod avito;
pub mod conformance;
pub mod docs;
pub mod golden;
pub mod pair;
pub mod sim;
pub mod store;
pub mod telegram;
pub mod viber;
pub mod vk;
pub mod webhook;

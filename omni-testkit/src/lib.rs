//! The kit with which omni's connectors and stores are tested, and yours can be.
//!
//! | You are | Begin at |
//! |---|---|
//! | writing a connector | [`sim`] for a simulator of your provider, [`conformance`] for the suite it has to pass |
//! | reading recorded payloads | [`golden`]: fixtures, what becomes of them, and spoiling them in every place; [`redact`] makes a fixture of a captured payload |
//! | documenting what a connector does | [`docs`]: tables of settings, capabilities and errors made from its data |
//! | testing a host or a policy against a provider | the simulators: [`telegram`], [`viber`], [`vk`], [`avito`], [`autoru`], [`webhook`]; [`pair`] joins one with a hub on a clock that the test moves |
//! | writing a store | [`mod@store`]: one suite that every store passes |
//!
//! # The order of work on a connector
//!
//! `docs/writing-a-connector.md` in the repository makes the smallest connector from nothing, with its simulator and rig, and ends
//! with a crate of its own. In short:
//!
//! 1. Collect facts, and record payloads. One fixture of every kind of event goes into `tests/fixtures`;
//!    [`golden::replay`] compares what each becomes with `tests/golden`.
//! 2. Spoil them: with [`golden::spoil`] every fixture is cut at every byte and gets every value replaced. A parser
//!    refuses, understands, or keeps what it cannot understand; it never panics, and nothing disappears.
//! 3. Write the simulator: implement [`sim::Site`] for what the provider answers, and post its webhooks with a
//!    [`sim::Poster`]. Let it refuse what the provider refuses.
//! 4. Write a [`conformance::Rig`], which lets the suite play the customer and make trouble, and run the suite:
//!
//! ```
//! use omni_testkit::conformance::{self, Rig};
//!
//! # async fn my_rig() -> impl Rig { NoRig }
//! # struct NoRig;
//! # #[async_trait::async_trait]
//! # impl Rig for NoRig {
//! #     fn channel(&self) -> std::sync::Arc<dyn omni_core::Channel> { unimplemented!() }
//! #     fn shown(&self) -> String { String::new() }
//! #     fn secrets(&self) -> Vec<String> { Vec::new() }
//! #     async fn act(&self, _: conformance::Act<'_>) -> conformance::Done { conformance::Done::Yes }
//! #     async fn chat(&self) -> conformance::ChatView { conformance::ChatView::default() }
//! #     async fn trouble(&self, _: conformance::Trouble) -> conformance::Done { conformance::Done::Yes }
//! # }
//! # async fn test() {
//! let report = conformance::run(my_rig).await;
//! # let connector: omni_core::registry::Connector = unimplemented!();
//! conformance::commit_report(env!("CARGO_MANIFEST_DIR"), "my-connector", &connector, &[("By webhook", report)]);
//! # }
//! ```
//!
//! 5. Commit the report, `CONFORMANCE.md` for people and `conformance.json` for programs. Rules are chosen by what the
//!    channel declares, in both directions: what is declared must work, what is not must be answered with `Unsupported`.
//!    A rule that does not hold says what was seen and where to read on.
//! 6. Make the tables of the manual from data, with [`mod@docs`]; see what only a host sees, with [`pair`].

pub mod autoru;
pub mod avito;
pub mod conformance;
pub mod docs;
pub mod email;
pub mod golden;
pub mod pair;
pub mod redact;
pub mod sim;
pub mod store;
pub mod telegram;
pub mod viber;
pub mod vk;
pub mod webhook;

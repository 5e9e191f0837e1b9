//! The suite that every connector passes, against its provider's simulator or a real server.
//!
//! A connector implements [`Rig`] for its provider and runs the suite in a test of its own. The rules are chosen
//! by what the channel declares, in both directions: what is declared must work, what is not declared must be
//! answered with [`Unsupported`](omni_core::error::ErrorKind::Unsupported).
//!
//! ```
//! use omni_testkit::conformance::{self, Rig};
//!
//! # async fn test<R: Rig, F: Future<Output = R>>(start: impl Fn() -> F) {
//! // `start` is an `async fn() -> MyRig`: a fresh simulator with one account and one customer.
//! let report = conformance::run(start).await;
//! report.assert_passed();
//! println!("{}", report.markdown());
//! # }
//! ```
//!
//! A rule that does not hold is told with what was seen, the law it follows from, and where to read on.
//!
//! The [`Report`] has a row for every rule. [`commit_report`] keeps it beside the connector, for people and as data
//! ([`Committed`]; JSON Schema in `omni-testkit/schema/conformance.json`), so that a reader sees what was shown and what
//! could not be, and [`docs`](crate::docs) makes tables of it.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

mod account;
mod actions;
mod committed;
mod content;
mod dropped;
mod events;
mod host;
mod hosted;
mod inbound;
mod laws;
mod listening;
mod outbound;
mod report;
mod rig;
mod samples;
mod scene;
#[cfg(test)]
mod tests;
mod text;
mod webhook;

pub use committed::{Committed, Run, commit_report};
pub use host::WebhookHost;
pub use report::{Outcome, Report, Row};
pub use rig::{Act, ChatView, Done, Forgery, Rig, Seen, Trouble, forge_body, forge_header};
pub use samples::content as sample;

use omni_core::Capabilities;
use scene::{Proof, Scene, Stop, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which rules of the suite ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rules {
    /// All: [`run`].
    All,
    /// Those about receiving: [`run_receiving`].
    Receiving,
    /// Those about sending: [`run_sending`].
    Sending,
}

impl Rules {
    /// The section and the words of each rule of today, in order.
    #[must_use]
    pub fn names(self) -> Vec<(&'static str, String)> {
        self.cases().into_iter().map(|case| (case.section, case.rule)).collect()
    }

    fn cases(self) -> Vec<Case> {
        match self {
            Rules::All => cases(),
            Rules::Receiving => receiving(),
            Rules::Sending => sending(),
        }
    }
}

/// Runs every rule. `make` yields a fresh account at a fresh provider, once a rule.
///
/// A rule that panics has failed; the others go on.
pub async fn run<R: Rig, F: Future<Output = R>>(make: impl Fn() -> F) -> Report {
    check(Rules::All, make).await
}

/// Runs the rules about receiving alone: for the further ways in which one connector can receive.
pub async fn run_receiving<R: Rig, F: Future<Output = R>>(make: impl Fn() -> F) -> Report {
    check(Rules::Receiving, make).await
}

/// Runs the rules about sending alone: for the further places in which one connector can speak.
pub async fn run_sending<R: Rig, F: Future<Output = R>>(make: impl Fn() -> F) -> Report {
    check(Rules::Sending, make).await
}

async fn check<R: Rig, F: Future<Output = R>>(rules: Rules, make: impl Fn() -> F) -> Report {
    let capabilities = declared(Arc::new(make().await)).await;
    let cases = rules.cases();
    let mut rows = Vec::with_capacity(cases.len());
    for Case { section, rule, check } in cases {
        let rig: Arc<dyn Rig> = Arc::new(make().await);
        // A task of its own, so that a panic fails one rule and not the suite.
        let verdict = tokio::spawn(async move { check(Scene::open(rig).await?).await }).await;
        let (outcome, shown) = match verdict {
            Ok(Ok(Proof::Passed(shown))) => (Outcome::Passed, shown),
            Ok(Ok(Proof::NotDeclared(shown))) => (Outcome::NotDeclared, shown),
            Ok(Err(Stop::NotApplicable(why))) => (Outcome::NotApplicable, why),
            Ok(Err(Stop::Failed(why))) => (Outcome::Failed, why),
            Err(error) => (Outcome::Failed, panic_text(error)),
        };
        rows.push(Row { section: section.to_owned(), rule, shown, outcome });
    }
    Report { rules, capabilities, rows }
}

/// What is declared where the customer is spoken to; where nobody can be heard, what is declared for the account.
async fn declared(rig: Arc<dyn Rig>) -> Capabilities {
    let account = rig.channel().capabilities().clone();
    let at_customer = tokio::spawn(async move {
        let scene = Scene::open(rig).await?;
        let hello = scene.hello().await?;
        Ok::<_, Stop>(scene.capabilities(&hello.address))
    });
    match at_customer.await {
        Ok(Ok(capabilities)) => capabilities,
        _ => account,
    }
}

fn panic_text(error: tokio::task::JoinError) -> String {
    let Ok(payload) = error.try_into_panic() else { return "the rule was cancelled".to_owned() };
    let text = |payload: &(dyn Any + Send)| match payload.downcast_ref::<String>() {
        Some(text) => text.clone(),
        None => payload.downcast_ref::<&str>().copied().unwrap_or("no text").to_owned(),
    };
    format!("a panic: {}", text(&*payload))
}

type Check = Box<dyn FnOnce(Scene) -> Pin<Box<dyn Future<Output = Verdict> + Send>> + Send>;

/// One rule.
struct Case {
    section: &'static str,
    rule: String,
    check: Check,
}

impl Case {
    fn new<F: Future<Output = Verdict> + Send + 'static>(
        section: &'static str,
        rule: impl Into<String>,
        check: impl FnOnce(Scene) -> F + Send + 'static,
    ) -> Self {
        Self { section, rule: rule.into(), check: Box::new(move |scene| Box::pin(check(scene))) }
    }
}

/// Rules named after their functions.
macro_rules! rules {
    ($section:literal, $($module:ident: $rule:ident,)*) => {
        vec![$(Case::new($section, stringify!($rule).replace('_', " "), $module::$rule)),*]
    };
}

fn cases() -> Vec<Case> {
    let mut cases = rules! { "Account",
        account: a_check_names_the_account,
        account: a_revoked_credential_is_told_with_advice,
        account: connecting_again_changes_nothing,
        account: an_address_works_in_another_process,
        account: a_link_brings_its_token_back,
        account: nothing_secret_shows,
    };
    cases.extend(receiving());
    cases.extend(sending());
    cases.extend(rules! { "Dropped futures",
        dropped: a_send_may_be_dropped_at_every_await,
        dropped: a_check_may_be_dropped_at_every_await,
        dropped: a_listener_may_be_dropped_at_any_moment,
    });
    cases.extend(rules! { "Behind a hub",
        hosted: a_repeated_webhook_changes_nothing,
        hosted: two_agents_at_once_keep_the_order_of_the_chat,
        hosted: a_pause_loses_nothing,
        hosted: a_lost_answer_doubles_nothing,
        hosted: a_revoked_credential_needs_a_person_and_loses_nothing,
    });
    cases
}

fn receiving() -> Vec<Case> {
    let mut cases = rules! { "Receiving",
        inbound: words_come_in_as_they_were_written,
        inbound: markup_of_a_customer_stays_words,
        inbound: a_person_has_one_identity_and_one_address,
        inbound: an_answer_names_what_it_answers,
        inbound: files_and_cards_come_in_whole,
        inbound: a_fetch_is_capped,
        inbound: one_bad_entry_keeps_the_others,
        inbound: events_survive_being_stored,
        inbound: who_writes_is_told_when_asked,
        webhook: a_genuine_webhook_is_read_alike_by_every_process,
        webhook: a_forged_webhook_is_refused,
        webhook: a_damaged_body_neither_panics_nor_becomes_a_message,
        listening: a_listener_moves_on_only_after_the_commit,
        listening: a_listener_tells_what_was_stored_once,
        listening: a_listener_goes_on_behind_its_cursor,
        listening: what_it_does_not_receive_by_is_refused,
    };
    cases.extend(events::cases("Events"));
    cases
}

fn sending() -> Vec<Case> {
    let mut cases = rules! { "Words",
        text: words_go_out_as_they_were_written,
        text: markup_in_words_of_ours_stays_words,
        text: marked_words_are_rendered_or_written_out,
        text: a_text_at_the_limit_stays_whole_and_one_past_it_is_split_in_order,
        text: a_long_text_is_parted_between_its_signs,
        text: a_caption_past_its_limit_goes_by_itself,
    };
    cases.extend(content::cases("Content"));
    cases.extend(rules! { "Outcomes",
        outbound: an_accepted_message_has_an_id_of_its_own,
        outbound: a_foreign_address_is_refused,
        outbound: a_pause_is_told_with_its_scope,
        outbound: a_lost_answer_is_unknown_and_nothing_is_repeated,
        outbound: the_same_key_twice_sends_once,
        outbound: the_statuses_declared_come_in,
        outbound: news_of_one_message_is_told_in_any_order,
    });
    cases.extend(outbound::refusals("Outcomes"));
    cases.extend(rules! { "Actions",
        actions: a_message_is_changed,
        actions: a_message_is_taken_back,
        actions: a_sign_is_put_and_taken_off,
        actions: messages_are_marked_as_seen,
        actions: writing_is_shown,
        actions: a_pressed_key_is_told_and_answered,
    });
    cases
}

//! The suite finds faults: each flaw of a connector makes the rules fail that are about it, and no others.

mod fake;

use std::panic::{AssertUnwindSafe, catch_unwind};

use omni_core::channel::Receives;
use omni_core::registry::{Connector, Facts};
use omni_core::{Capabilities, Error, Provider};

use self::fake::{Fake, Flaw};
use super::{Committed, Outcome, Report, Row, Rules, run, run_receiving, run_sending};
use crate::golden;

async fn report(flaw: Flaw, receives: Receives) -> Report {
    run(|| async move { Fake::new(flaw, receives) }).await
}

fn failed(report: &Report) -> Vec<&str> {
    report.failures().map(|row| row.rule.as_str()).collect()
}

// Time stands still and moves on when nothing else does: waiting for what never comes costs none.
#[tokio::test(start_paused = true)]
async fn a_sound_connector_passes_however_it_receives() {
    for receives in [Receives::Webhook, Receives::Listen, Receives::Both] {
        let report = report(Flaw::None, receives).await;
        report.assert_passed();
        assert!(report.count(Outcome::Passed) > 25, "{}", report.markdown());
        assert!(report.count(Outcome::NotDeclared) > 25, "{}", report.markdown());
    }
}

#[tokio::test(start_paused = true)]
async fn every_flaw_fails_the_rules_about_it_and_no_others() {
    use Flaw::*;
    let flaws: [(Flaw, &[&str]); 23] = [
        (
            AcceptsUndeclaredContent,
            &[
                "video",
                "animation",
                "video note",
                "audio",
                "voice",
                "file",
                "sticker",
                "album",
                "location",
                "contact",
                "template",
                "email",
                "forwarded",
                "buttons",
                "quick replies",
                "reply",
            ],
        ),
        (AddressOfOneProcess, &["an address works in another process"]),
        (CallsLostAnswerRejected, &["a lost answer is unknown and nothing is repeated"]),
        (
            CallsRefusalsForbidden,
            &[
                "a refusal is sorted: the content was refused",
                "a refusal is sorted: the provider is not available",
            ],
        ),
        (ComparesPrefixOfSecret, &["a forged webhook is refused"]),
        (
            CutsLongTexts,
            &[
                "a text at the limit stays whole and one past it is split in order",
                "a long text is parted between its signs",
            ],
        ),
        (DeclaresEditWithoutIt, &["a message is changed"]),
        (DeclaresKeyWithoutIt, &["the same key twice sends once", "a lost answer doubles nothing"]),
        (DropsBadEntry, &["one bad entry keeps the others"]),
        (EditsUndeclared, &["a message is changed"]),
        (ForgetsPause, &["a pause is told with its scope"]),
        (IgnoresCap, &["a fetch is capped"]),
        (InjectsMarkup, &["markup in words of ours stays words"]),
        (JoinsStatuses, &["news of one message is told in any order"]),
        (LosesRaw, &["one bad entry keeps the others", "unsupported"]),
        (PanicsOnGarbage, &["a damaged body neither panics nor becomes a message"]),
        (
            RepeatsLostSend,
            &["a lost answer is unknown and nothing is repeated", "a lost answer doubles nothing"],
        ),
        (ShowsSecretInDebug, &["nothing secret shows"]),
        (ShowsSecretInErrors, &["nothing secret shows"]),
        (TakesForgeries, &["a forged webhook is refused"]),
        (TearsEmoji, &["words come in as they were written"]),
        (TellsUndeclaredEvents, &["edited"]),
        (
            UnstableIds,
            &["a genuine webhook is read alike by every process", "a repeated webhook changes nothing"],
        ),
    ];
    for (flaw, rules) in flaws {
        assert_eq!(failed(&report(flaw, Receives::Webhook).await), rules, "{flaw:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_moves_on_too_early_or_not_at_all_is_found() {
    let report = run_receiving(|| async { Fake::new(Flaw::MovesBeforeCommit, Receives::Listen) }).await;
    assert_eq!(failed(&report), ["a listener moves on only after the commit"]);
    let report = run_receiving(|| async { Fake::new(Flaw::TellsTwice, Receives::Listen) }).await;
    assert_eq!(failed(&report), ["a listener tells what was stored once"]);
    let unstable = run_receiving(|| async { Fake::new(Flaw::UnstableIds, Receives::Listen) }).await;
    assert!(failed(&unstable).contains(&"a listener moves on only after the commit"));
}

#[test]
fn a_report_names_all_failures_at_once_and_keeps_within_its_cells() {
    let row = |rule: &str, outcome| Row {
        section: "Words".into(),
        rule: rule.into(),
        shown: "a|b\nc".into(),
        outcome,
    };
    let rows = vec![row("one", Outcome::Failed), row("two", Outcome::Passed), row("three", Outcome::Failed)];
    let report = Report { rules: Rules::All, capabilities: Capabilities::default(), rows };
    let markdown = report.markdown();
    assert!(markdown.contains("### Words"));
    assert!(markdown.contains("| two | a\\|b c | passed |"), "{markdown}");
    let panic = catch_unwind(AssertUnwindSafe(|| report.assert_passed())).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.contains("2 of 3") && text.contains("one") && text.contains("three"), "{text}");
    assert!(text.contains("read on: omni_core::channel; docs/writing-a-connector.md#send"), "{text}");
}

/// A connector that is never connected.
fn described(facts: Option<Facts>) -> Connector {
    let connect = |_: serde_json::Value| Err(Error::unsupported("connect"));
    let connector = Connector::new(Provider::from_static("fake"), "A fake", Capabilities::default(), connect);
    match facts {
        Some(facts) => connector.with_facts(facts),
        None => connector,
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_committed_says_what_was_declared_and_reads_back_as_it_was() {
    let all = report(Flaw::None, Receives::Webhook).await;
    let sending = run_sending(|| async { Fake::new(Flaw::None, Receives::Webhook) }).await;
    assert!(!all.capabilities.content.is_empty());
    let facts = Facts { version: Some("7"), as_of: "2026-11" };
    let committed =
        Committed::new("omni-fake", &described(Some(facts)), &[("All", all), ("Sending", sending)]);
    let read: Committed = serde_json::from_str(&committed.json()).unwrap();
    assert_eq!(read, committed);
    assert_eq!(read.json(), committed.json());
    assert!(committed.json().contains(r#""outcome": "not_declared""#));
    let [all, sending] = &*committed.runs else { panic!("two runs") };
    let both = all.report.count(Outcome::Passed) + sending.report.count(Outcome::Passed);
    assert_eq!(committed.count(Outcome::Passed), both);
    let markdown = committed.markdown("cargo test");
    assert!(markdown.contains("7 (2026-11)") && markdown.contains("| Sending | "), "{markdown}");
}

#[tokio::test(start_paused = true)]
async fn a_report_of_another_suite_is_found() {
    let report = run_receiving(|| async { Fake::new(Flaw::None, Receives::Webhook) }).await;
    let facts = Facts { version: None, as_of: "2026-11" };
    let mut committed = Committed::new("omni-fake", &described(Some(facts)), &[("By webhook", report)]);
    assert!(committed.outdated().is_empty());
    assert_eq!(committed.speaks(), "no version named (2026-11)");
    committed.runs[0].report.rows.swap(0, 1);
    assert_eq!(committed.outdated(), ["By webhook: rules are doubled or in another order"]);
    committed.runs[0].report.rows[0].rule = "nothing is lost".to_owned();
    let found = committed.outdated();
    assert!(found[0].ends_with("Receiving: markup of a customer stays words is missing"), "{found:?}");
    assert_eq!(found[1..], ["By webhook: Receiving: nothing is lost is no rule"]);
}

#[test]
fn a_connector_has_to_say_which_interface_it_speaks() {
    let silent = || Committed::new("omni-fake", &described(None), &[]);
    let panic = catch_unwind(AssertUnwindSafe(silent)).unwrap_err();
    assert!(panic.downcast_ref::<String>().unwrap().contains("Connector::with_facts"));
}

#[test]
fn the_schema_is_the_published_one() {
    let schema = serde_json::to_string_pretty(&schemars::schema_for!(Committed)).unwrap() + "\n";
    golden::check(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/conformance.json"), &schema);
}

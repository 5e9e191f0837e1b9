//! The suite finds faults: each flaw of a connector makes the rules fail that are about it, and no others.

mod fake;

use std::panic::{AssertUnwindSafe, catch_unwind};

use omni_core::channel::Receives;

use self::fake::{Fake, Flaw};
use super::{Outcome, Report, Row, run, run_receiving};

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
        let count = |outcome| report.rows.iter().filter(|row| row.outcome == outcome).count();
        assert!(count(Outcome::Passed) > 25, "{}", report.markdown());
        assert!(count(Outcome::NotDeclared) > 25, "{}", report.markdown());
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
    let row =
        |rule: &str, outcome| Row { section: "Words", rule: rule.into(), shown: "a|b\nc".into(), outcome };
    let rows = vec![row("one", Outcome::Failed), row("two", Outcome::Passed), row("three", Outcome::Failed)];
    let report = Report { rows };
    let markdown = report.markdown();
    assert!(markdown.contains("### Words"));
    assert!(markdown.contains("| two | a\\|b c | passed |"), "{markdown}");
    let panic = catch_unwind(AssertUnwindSafe(|| report.assert_passed())).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.contains("2 of 3") && text.contains("one") && text.contains("three"), "{text}");
    assert!(text.contains("read on: omni_core::channel; docs/writing-a-connector.md#send"), "{text}");
}

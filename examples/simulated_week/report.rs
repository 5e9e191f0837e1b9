//! The week on paper.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use omni::core::hours::Zone;
use omni::{Book, Timestamp};

use crate::ledger::{Case, Ledger};
use crate::providers::CHANNELS;
use crate::table::{Table, average, average_and_p90, said};
use crate::world::World;

/// One block of the chart.
const BLOCK: Duration = Duration::from_secs(600);

/// Everything worth knowing, in English, with the names of the book.
pub(crate) fn of(world: &World, book: &Book, ledger: &Ledger, from: Timestamp, days: u64) -> String {
    let mut out = String::new();
    head(&mut out, world, book, from, days);
    channels(&mut out, book, ledger);
    closings(&mut out, ledger);
    promises(&mut out, ledger);
    teams(&mut out, book, ledger);
    agents(&mut out, book, ledger);
    bots(&mut out, ledger);
    sends(&mut out, ledger);
    dropped(&mut out, ledger);
    by_hour(&mut out, book, ledger);
    out
}

fn section(out: &mut String, title: &str) {
    let _ = writeln!(out, "\n{title}");
}

fn head(out: &mut String, world: &World, book: &Book, from: Timestamp, days: u64) {
    let zone = book.zone.clone().unwrap_or_else(Zone::utc);
    let first = zone.local(from);
    let _ = writeln!(
        out,
        "A week at the desk, from {}-{:02}-{:02} ({}), {days} days; book version {}; {} entries in the log",
        first.year,
        first.month,
        first.day,
        zone.name(),
        book.version,
        world.log.len()
    );
    let office = crate::office(book);
    for day in 0..days {
        let midnight = from + Duration::from_secs(86_400 * day);
        let open = office.between(midnight, midnight + Duration::from_secs(86_400));
        let local = zone.local(midnight);
        let open = if open.is_zero() { "closed".to_owned() } else { said(open) };
        let _ = write!(out, "  {} {:02}.{:02}: {open}", local.weekday, local.day, local.month);
    }
    out.push('\n');
}

fn name(named: Option<&String>, id: &str) -> String {
    named.map_or_else(|| id.to_owned(), |name| format!("{name} ({id})"))
}

fn count<'c>(cases: &[&'c Case], fits: impl Fn(&'c Case) -> bool) -> String {
    cases.iter().filter(|case| fits(case)).count().to_string()
}

fn channels(out: &mut String, book: &Book, ledger: &Ledger) {
    section(out, "CHANNELS");
    let mut table = Table::new(&[
        "",
        "messages",
        "opened",
        "reopened",
        "by people",
        "auto-texts",
        "by the bot",
        "closed",
        "still open",
        "no answer",
        "average wait",
        "90 % within",
    ]);
    for channel in CHANNELS {
        let cases: Vec<&Case> = ledger.cases.values().filter(|case| case.channel == channel).collect();
        let waits: Vec<Duration> = cases.iter().filter_map(|case| case.waited()).collect();
        let [average, p90] = average_and_p90(&waits);
        table.row(
            name(book.channel(&channel.into()).name.as_ref(), channel),
            &[
                ledger.inbound.get(channel).copied().unwrap_or_default().to_string(),
                cases.len().to_string(),
                cases.iter().map(|case| case.reopened).sum::<u64>().to_string(),
                count(&cases, |case| case.answered_at.is_some()),
                count(&cases, |case| case.by_rules > 0),
                count(&cases, |case| case.by_bots > 0),
                count(&cases, |case| !case.open),
                count(&cases, |case| case.open),
                count(&cases, |case| case.answered_at.is_none()),
                average,
                p90,
            ],
        );
    }
    table.print(out);
    out.push_str("  Conversations; waits are those for the first answer of a person, nights included.\n");
}

fn closings(out: &mut String, ledger: &Ledger) {
    section(out, "CLOSED, WHY AND BY WHOM");
    let mut table = Table::new(&["", "by people", "by rules", "by bots", "by others"]);
    let mut reasons: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for (reason, by) in ledger.cases.values().flat_map(|case| &case.closed) {
        *reasons.entry(reason).or_default().entry(by).or_default() += 1;
    }
    for (reason, by) in reasons {
        let of = |who: &str| by.get(who).copied().unwrap_or_default().to_string();
        table.row(reason, &["people", "rules", "bots", "others"].map(of));
    }
    table.print(out);
}

fn promises(out: &mut String, ledger: &Ledger) {
    section(out, "PROMISES");
    let mut table = Table::new(&["", "met in time", "met late", "breached, not met yet"]);
    for channel in CHANNELS {
        for clock in ["first_response", "next_response", "resolution"] {
            let cases: Vec<&Case> = ledger.cases.values().filter(|case| case.channel == channel).collect();
            let numbers = [
                count(&cases, |c| c.met.contains(clock) && !c.breached.contains(clock)),
                count(&cases, |c| c.met.contains(clock) && c.breached.contains(clock)),
                count(&cases, |c| !c.met.contains(clock) && c.breached.contains(clock)),
            ];
            if numbers.iter().any(|number| number != "0") {
                table.row(format!("{channel}: {clock}"), &numbers);
            }
        }
    }
    table.print(out);
    out.push_str("  Conversations; a promise that was missed once counts as late.\n");
}

fn teams(out: &mut String, book: &Book, ledger: &Ledger) {
    section(out, "TEAMS");
    let head =
        ["", "joined", "given", "passed on", "until given", "90 % within", "first answer", "90 % within"];
    let mut table = Table::new(&head);
    for (team, queue) in &ledger.teams {
        let [given, given_p90] = average_and_p90(&queue.until_given);
        let [answered, answered_p90] = average_and_p90(&queue.until_answered);
        table.row(
            name(book.teams.get(team).and_then(|t| t.name.as_ref()), team.as_str()),
            &[
                queue.joined.to_string(),
                queue.until_given.len().to_string(),
                queue.passed_on.to_string(),
                given,
                given_p90,
                answered,
                answered_p90,
            ],
        );
    }
    table.print(out);
    out.push_str("  A conversation joins a team's queue again when its agent did not answer in time.\n");
}

fn agents(out: &mut String, book: &Book, ledger: &Ledger) {
    section(out, "AGENTS");
    let head = ["", "given", "took", "answers", "closed", "missed", "most at once", "may have"];
    let mut table = Table::new(&head);
    for (agent, work) in &ledger.agents {
        let set = book.agents.get(agent);
        let numbers = [work.given, work.took, work.answers, work.closed, work.missed, work.most];
        let mut numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
        numbers.push(set.and_then(|a| a.capacity).map_or("any".to_owned(), |most| most.to_string()));
        table.row(name(set.and_then(|a| a.name.as_ref()), agent.as_str()), &numbers);
    }
    table.print(out);
    out.push_str(
        "  The limit is for what is given out; what agents take, keep or are pinned to is not limited.\n",
    );
}

fn bots(out: &mut String, ledger: &Ledger) {
    section(out, "BOTS");
    for (bot, asked) in &ledger.bots {
        let outcomes: Vec<String> = asked.outcomes.iter().map(|(what, n)| format!("{what} {n}")).collect();
        let _ = writeln!(out, "  {bot}: asked {}; {}", asked.asked, outcomes.join(", "));
    }
}

fn sends(out: &mut String, ledger: &Ledger) {
    section(out, "SENDS AND NOTICES");
    for (outcome, n) in &ledger.outcomes {
        let _ = writeln!(out, "  {outcome}: {n}");
    }
    for (topic, n) in &ledger.notices {
        let _ = writeln!(out, "  notice {topic:?}: {n}");
    }
}

fn dropped(out: &mut String, ledger: &Ledger) {
    section(out, "NOT DONE BY THEMSELVES, AND WHY");
    let mut reasons: Vec<(u64, &String, &BTreeMap<String, u64>)> =
        ledger.dropped.iter().map(|(reason, rules)| (rules.values().sum(), reason, rules)).collect();
    reasons.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    for (sum, reason, rules) in reasons {
        let rules: Vec<String> = rules.iter().map(|(rule, n)| format!("{rule} {n}")).collect();
        let _ = writeln!(out, "  {sum:>4}  {reason} ({})", rules.join(", "));
    }
}

fn by_hour(out: &mut String, book: &Book, ledger: &Ledger) {
    section(out, "AVERAGE WAIT FOR A PERSON, BY THE HOUR OF THE FIRST MESSAGE");
    let zone = book.zone.clone().unwrap_or_else(Zone::utc);
    let mut hours: BTreeMap<u16, Vec<Duration>> = (0..24).map(|hour| (hour, Vec::new())).collect();
    for case in ledger.cases.values() {
        if let Some(waited) = case.waited() {
            hours.entry(zone.local(case.opened_at).minute_of_day / 60).or_default().push(waited);
        }
    }
    for (hour, waits) in hours {
        let Some(average) = average(&waits) else {
            let _ = writeln!(out, "  {hour:02}");
            continue;
        };
        let blocks = usize::try_from(average.as_secs() / BLOCK.as_secs()).unwrap_or_default();
        let bar = if blocks == 0 { "▏".to_owned() } else { "█".repeat(blocks) };
        let _ = writeln!(out, "  {hour:02} {:>4}  {bar} {}", waits.len(), said(average));
    }
    let _ = writeln!(out, "  The second column counts conversations; █ is {}.", said(BLOCK));
}

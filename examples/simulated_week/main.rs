//! A week of traffic over three channels: two teams, hours, a holiday, a bot for the night, and providers that fail.
//!
//! ```text
//! cargo run --example simulated_week --features full
//! cargo run --example simulated_week --features full -- --seed 7 --book my-policy.toml --log week.jsonl
//! ```
//!
//! Everything but the people and the providers is the real thing: the hub, the store in memory, the policy of
//! `examples/policy.toml`. Only the clock is moved by hand, so a week takes seconds, and the same seed gives the same week
//! to the last number. The report is made of the host event log alone, as any program beside the hub could make it.
//!
//! | File | Holds |
//! |---|---|
//! | `world` | the hub, the clock, and what is done when |
//! | `people`, `words` | the customers |
//! | `team` | the agents |
//! | `providers`, `night` | channels in memory, and the bot |
//! | `ledger`, `report`, `table` | the log added up, and printed |
//! | `checks` | what must hold after any week; the program fails when something does not |
//! | `agenda`, `chance` | what will happen, and luck that can be repeated |

mod agenda;
mod chance;
mod checks;
mod ledger;
mod night;
mod people;
mod providers;
mod report;
mod table;
mod team;
mod words;
mod world;

use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use lexopt::prelude::{Long, ValueExt as _};
use omni::core::hours::Hours;
use omni::{Book, Timestamp};

use crate::ledger::Ledger;
use crate::world::World;

/// The policy, as it stands in the examples.
const POLICY: &str = include_str!("../policy.toml");

/// Monday the 22nd of February 2027, midnight in Moscow: a holiday in the book.
const MONDAY: Timestamp = Timestamp::from_secs(1_803_243_600);

const DAYS: u64 = 7;

const USAGE: &str = "usage: simulated_week [--seed NUMBER] [--book FILE] [--log FILE]";

/// What the program was told.
struct Told {
    seed: u64,
    book: Book,
    /// Where the log goes, as JSON lines.
    log: Option<PathBuf>,
}

fn main() -> ExitCode {
    let told = match told() {
        Ok(told) => told,
        Err(error) => {
            eprintln!("{error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    // One thread, so that what happens at one moment happens in one order; and no clock and no sockets of the machine.
    let runtime = match tokio::runtime::Builder::new_current_thread().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("simulated_week: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(week(told)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("simulated_week: {error}");
            ExitCode::FAILURE
        }
    }
}

fn told() -> Result<Told, Box<dyn Error>> {
    let (mut seed, mut log) = (1, None);
    let (mut file, mut text) = ("examples/policy.toml".to_owned(), POLICY.to_owned());
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("seed") => seed = arguments.value()?.parse()?,
            Long("book") => {
                file = arguments.value()?.string()?;
                text = fs::read_to_string(&file).map_err(|e| format!("{file}: {e}"))?;
            }
            Long("log") => log = Some(arguments.value()?.into()),
            other => return Err(other.unexpected().into()),
        }
    }
    // All that is wrong with a book is told at once, each with its line.
    let book = Book::from_toml(&text).map_err(|bad| bad.in_file(file))?;
    Ok(Told { seed, book, log })
}

/// Lives through the week, prints the report, and says whether everything holds that must.
async fn week(told: Told) -> Result<bool, Box<dyn Error>> {
    let Told { seed, book, log } = told;
    let began = Instant::now();
    let mut world = World::new(seed, book.clone(), MONDAY, DAYS)?;
    let hub = world.hub.clone();
    let running = tokio::spawn(async move { hub.run().await });
    world.run_until(MONDAY + Duration::from_secs(86_400 * DAYS)).await?;

    if let Some(file) = log {
        let lines = world.log.iter().map(serde_json::to_string).collect::<Result<Vec<String>, _>>()?;
        fs::write(&file, lines.join("\n") + "\n").map_err(|e| format!("{}: {e}", file.display()))?;
    }
    let mut text = report::of(&world, &book, &Ledger::of(&world.log), MONDAY, DAYS);
    let checks = checks::of(&world, &book).await?;
    text += "\nCHECKS\n";
    for check in &checks {
        let verdict = if check.broken.is_empty() { "holds " } else { "BROKEN" };
        text += &format!("  {verdict}  {}\n", check.rule);
        for broken in check.broken.iter().take(5) {
            text += &format!("          {broken}\n");
        }
    }
    // Nobody has to read it to the end.
    let _ = std::io::stdout().write_all(text.as_bytes());
    // Beside the report: it is another one in every run.
    eprintln!("seed {seed}: a week in {:.1} s", began.elapsed().as_secs_f32());
    world.hub.shutdown();
    running.await??;
    Ok(checks.iter().all(|check| check.broken.is_empty()))
}

/// When people are there on ordinary days: the calendar of the first channel that has one.
pub(crate) fn office(book: &Book) -> Hours {
    let named =
        providers::CHANNELS.iter().find_map(|channel| book.channel(&(*channel).into()).hours.as_deref());
    named.and_then(|name| book.calendar(name)).cloned().unwrap_or(Hours::Always)
}

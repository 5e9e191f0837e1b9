//! Everything that this process logs, at every level, from every crate.

use std::error::Error;
use std::fmt::Debug;
use std::io;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use tracing_subscriber::fmt::format::FmtSpan;

static TAPE: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static RUNNING: Once = Once::new();

fn tape() -> MutexGuard<'static, Vec<u8>> {
    TAPE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where both ways of logging end.
struct Recorder;

impl io::Write for Recorder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        tape().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl log::Log for Recorder {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("log {} {}: {}\n", record.level(), record.target(), record.args());
        tape().extend_from_slice(line.as_bytes());
    }

    fn flush(&self) {}
}

/// Records from now on, whatever task or thread it comes from: events, spans and their fields of `tracing`, and
/// what older crates hand to `log`.
pub(crate) fn record() {
    RUNNING.call_once(|| {
        let everything = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(FmtSpan::FULL)
            .with_ansi(false)
            .with_writer(|| Recorder)
            .finish();
        tracing::subscriber::set_global_default(everything).unwrap();
        log::set_logger(&Recorder).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
    });
}

/// What was recorded so far.
pub(crate) fn so_far() -> String {
    String::from_utf8_lossy(&tape()).into_owned()
}

/// Logs a value as a host may: in both forms of `Debug`.
pub(crate) fn show(value: &dyn Debug) {
    tracing::info!(?value, "a host shows it");
    tracing::info!("{value:#?}");
}

/// Logs an error as a host may: every form of it and of everything below it.
pub(crate) fn show_error(error: &(dyn Error + 'static)) {
    let mut next = Some(error);
    while let Some(error) = next {
        tracing::error!(%error, "a host shows it");
        show(&error);
        next = error.source();
    }
}

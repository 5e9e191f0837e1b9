//! Time that passes quickly: pauses of the connector (minutes between looks, seconds before a copy is filed) take
//! hundredths of that.

use std::thread;
use std::time::Duration;

/// How far the clock is moved at once, and how long real connections get between two moves.
const STEP: Duration = Duration::from_millis(50);
const TURN: Duration = Duration::from_millis(1);

/// From here on the runtime's clock runs fifty times as fast. It is moved between two turns of the runtime, so a busy
/// machine makes nobody impatient.
///
/// A clock that is merely paused would jump to the next deadline whenever all wait for a socket: work on another thread
/// holds it (tokio, `time::pause`).
pub(crate) fn runs_fast() {
    tokio::time::pause();
    tokio::spawn(async {
        while tokio::task::spawn_blocking(|| thread::sleep(TURN)).await.is_ok() {
            tokio::time::advance(STEP).await;
        }
    });
}

//! The one writer: takes what waits, commits it together, answers it together.

use std::sync::mpsc;
use std::thread;

use omni_hub::store::{Applied, Batch, StoreError, StoreResult};
use rusqlite::Connection;
use tokio::sync::oneshot;
use tracing::warn;

use crate::backend;
use crate::unit::{Names, apply};

/// Most jobs in one transaction: bounds how long the first one waits for its answer.
const GROUP: usize = 1024;

/// What the writer is asked to do. A job may run again after a rollback, so it is called by reference; its
/// result is kept until the commit.
trait Job: Send {
    /// `apart`: the first try failed; what can fail alone shall.
    fn run(&mut self, connection: &Connection, names: &mut Names, apart: bool) -> rusqlite::Result<()>;
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

/// A handle to the writer's thread, which ends when the last handle is dropped.
#[derive(Debug)]
pub(crate) struct Writer {
    jobs: mpsc::Sender<Box<dyn Job>>,
}

impl Writer {
    pub(crate) fn start(connection: Connection) -> StoreResult<Self> {
        let (jobs, inbox) = mpsc::channel();
        thread::Builder::new()
            .name("omni-sqlite".to_owned())
            .spawn(move || write(&connection, &inbox))
            .map_err(|e| StoreError::backend("start the writer", e))?;
        Ok(Self { jobs })
    }

    pub(crate) async fn apply(&self, batch: Batch) -> StoreResult<Vec<Applied>> {
        let (answer, answered) = oneshot::channel();
        self.put(Box::new(Apply { batch, applied: Vec::new(), answer })).await?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    pub(crate) async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnMut(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> StoreResult<T> {
        let (answer, answered) = oneshot::channel();
        self.put(Box::new(Run { operation, work, result: None, answer })).await?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    async fn put(&self, job: Box<dyn Job>) -> StoreResult<()> {
        self.jobs.send(job).map_err(|_| StoreError::Closed)
    }
}

struct Apply {
    batch: Batch,
    applied: Vec<Applied>,
    answer: oneshot::Sender<StoreResult<Vec<Applied>>>,
}

impl Job for Apply {
    fn run(&mut self, connection: &Connection, names: &mut Names, apart: bool) -> rusqlite::Result<()> {
        self.applied = apply(connection, names, &mut self.batch, apart)?;
        Ok(())
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let Self { applied, answer, .. } = *self;
        // Whoever asked may be gone: then nobody waits for the answer.
        let _ = answer.send(committed.map(|()| applied));
    }
}

struct Run<F, T> {
    operation: &'static str,
    work: F,
    result: Option<T>,
    answer: oneshot::Sender<StoreResult<T>>,
}

impl<T: Send, F: FnMut(&Connection) -> rusqlite::Result<T> + Send> Job for Run<F, T> {
    fn run(&mut self, connection: &Connection, _: &mut Names, _: bool) -> rusqlite::Result<()> {
        self.result = Some((self.work)(connection)?);
        Ok(())
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let result = match (committed, self.result) {
            (Ok(()), Some(result)) => Ok(result),
            (Ok(()), None) => Err(StoreError::Closed),
            (Err(error), _) => Err(match error {
                StoreError::Backend { source, .. } => {
                    StoreError::Backend { operation: self.operation, source }
                }
                other => other,
            }),
        };
        let _ = self.answer.send(result);
    }
}

fn write(connection: &Connection, inbox: &mpsc::Receiver<Box<dyn Job>>) {
    let mut names = Names::default();
    while let Ok(first) = inbox.recv() {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(next) = inbox.try_recv()
        {
            group.push(next);
        }
        // Without a transaction none of them can be done: each would only wait for the lock once more.
        if let Err(error) = begin(connection) {
            let text = error.to_string();
            group.into_iter().for_each(|job| job.answer(Err(StoreError::backend("commit", text.clone()))));
            continue;
        }
        match transact(connection, &mut names, &mut group, false) {
            Ok(()) => group.into_iter().for_each(|job| job.answer(Ok(()))),
            // One of them is bad, or the disk is: each alone, so that only the bad one fails.
            Err(error) => {
                warn!(%error, jobs = group.len(), "a group commit failed; each is tried alone");
                for job in group {
                    let mut alone = [job];
                    let committed = begin(connection)
                        .and_then(|()| transact(connection, &mut names, &mut alone, true))
                        .map_err(backend("commit"));
                    let [job] = alone;
                    job.answer(committed);
                }
            }
        }
    }
}

fn begin(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([]).map(drop)
}

/// Runs jobs in the transaction begun: all are durable when it returns, or none, and it is over.
fn transact(
    connection: &Connection,
    names: &mut Names,
    jobs: &mut [Box<dyn Job>],
    apart: bool,
) -> rusqlite::Result<()> {
    let done = jobs
        .iter_mut()
        .try_for_each(|job| job.run(connection, names, apart))
        .and_then(|()| connection.prepare_cached("COMMIT")?.execute([]).map(drop));
    if done.is_err() {
        // Names learned in a transaction that is rolled back do not exist.
        names.forget();
        if let Err(error) = connection.execute_batch("ROLLBACK") {
            // SQLite has rolled back by itself after some errors.
            warn!(%error, "rollback");
        }
    }
    done
}

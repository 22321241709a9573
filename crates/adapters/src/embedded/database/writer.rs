//! The writing thread: joins what is waiting into one transaction and answers after its commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::DatabaseError;

/// The most operations in one transaction.
const GROUP_MAX_OPERATIONS: usize = 500;
/// How long a transaction takes in further operations. It never waits for one: while it is being committed, the next
/// ones gather, and waiting a little for them was measured to be slower.
const GROUP_MAX_OPEN: Duration = Duration::from_millis(5);
/// How many operations may wait for the thread; more of them wait in their futures.
const WAITING_MAX: usize = 4 * GROUP_MAX_OPERATIONS;

/// An operation on its way through the thread.
trait Job: Send {
    /// Whether somebody still waits for it.
    fn is_wanted(&self) -> bool;

    fn perform(&mut self, transaction: &Transaction<'_>);

    /// Answers: the transaction was committed, or why not.
    fn answer(self: Box<Self>, committed: Result<(), DatabaseError>);
}

struct Pending<T, F> {
    operation: Option<F>,
    outcome: Result<T, DatabaseError>,
    answer: oneshot::Sender<Result<T, DatabaseError>>,
    _slot: OwnedSemaphorePermit,
}

impl<T, F> Job for Pending<T, F>
where
    T: Send,
    F: FnOnce(&Transaction<'_>) -> Result<T, DatabaseError> + Send,
{
    fn is_wanted(&self) -> bool {
        !self.answer.is_closed()
    }

    fn perform(&mut self, transaction: &Transaction<'_>) {
        if let Some(operation) = self.operation.take() {
            self.outcome = in_savepoint(transaction, operation);
        }
    }

    fn answer(self: Box<Self>, committed: Result<(), DatabaseError>) {
        // Nobody waits any more where the future was dropped.
        let _ = self.answer.send(committed.and(self.outcome));
    }
}

/// The writing thread of a process.
pub(super) struct Writer {
    jobs: Option<Sender<Box<dyn Job>>>,
    slots: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread on a connection whose schema has this version.
    pub(super) fn start(connection: Connection, version: u32) -> Result<Self, DatabaseError> {
        let (jobs, waiting) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || serve(connection, version, &waiting))
            .map_err(|error| DatabaseError::Unavailable(format!("its thread did not start: {error}")))?;
        Ok(Self { jobs: Some(jobs), slots: Arc::new(Semaphore::new(WAITING_MAX)), thread: Some(thread) })
    }

    pub(super) async fn write<T, F>(&self, operation: F) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, DatabaseError> + Send + 'static,
    {
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(|_| DatabaseError::Closed)?;
        let (answer, answered) = oneshot::channel();
        let outcome = Err(DatabaseError::Closed);
        let job = Pending { operation: Some(operation), outcome, answer, _slot: slot };
        let jobs = self.jobs.as_ref().ok_or(DatabaseError::Closed)?;
        jobs.send(Box::new(job)).map_err(|_| DatabaseError::Closed)?;
        answered.await.unwrap_or(Err(DatabaseError::Closed))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // An operation may hold the last handle: the thread cannot wait for itself.
            if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
                tracing::error!("the writing thread of the database panicked");
            }
        }
    }
}

fn serve(mut connection: Connection, version: u32, waiting: &Receiver<Box<dyn Job>>) {
    while let Ok(first) = waiting.recv() {
        commit_group(&mut connection, version, first, waiting);
    }
    // Folds the log in where nobody else is at work, without waiting for them; else whoever closes last does.
    let folded = connection
        .busy_handler(None::<fn(i32) -> bool>)
        .and_then(|()| connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())));
    if let Err(error) = folded.and_then(|()| connection.close().map_err(|(_, error)| error)) {
        tracing::warn!(%error, "the database was not closed cleanly; nothing is lost, its log is read when next opened");
    }
}

/// One transaction, and the answers to all that was in it.
fn commit_group(
    connection: &mut Connection,
    version: u32,
    first: Box<dyn Job>,
    waiting: &Receiver<Box<dyn Job>>,
) {
    let mut group = vec![first];
    let committed = perform_group(connection, version, &mut group, waiting);
    if committed.is_err() {
        // The database is busy for others, or broken: whoever waits behind learns it now, not one bound after another.
        group.extend(waiting.try_iter());
    }
    for job in group {
        job.answer(committed.clone());
    }
}

fn perform_group(
    connection: &mut Connection,
    version: u32,
    group: &mut Vec<Box<dyn Job>>,
    waiting: &Receiver<Box<dyn Job>>,
) -> Result<(), DatabaseError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    check_version(&transaction, version)?;
    let began = Instant::now();
    let mut at = 0;
    while let Some(job) = group.get_mut(at) {
        if job.is_wanted() {
            job.perform(&transaction);
            if transaction.is_autocommit() {
                // A full disk or an I/O error undoes the whole transaction, whatever the savepoints say.
                return Err(DatabaseError::Unavailable("the disk failed or is full".to_owned()));
            }
        }
        at += 1;
        if takes_more(group.len(), began.elapsed()) {
            group.extend(waiting.try_recv().ok());
        }
    }
    Ok(transaction.commit()?)
}

/// Whether a transaction takes in another operation: `joined` are in it, and it has been open for so long.
fn takes_more(joined: usize, open_for: Duration) -> bool {
    joined < GROUP_MAX_OPERATIONS && open_for < GROUP_MAX_OPEN
}

/// A newer program may migrate the file while this one runs: from then on, this one writes nothing.
fn check_version(transaction: &Transaction<'_>, known: u32) -> Result<(), DatabaseError> {
    let mut statement = transaction.prepare_cached("PRAGMA user_version")?;
    let found: u32 = statement.query_row([], |row| row.get(0))?;
    if found <= known {
        return Ok(());
    }
    let path = transaction.path().unwrap_or_default().to_owned();
    Err(DatabaseError::Newer { path, found, known })
}

fn in_savepoint<T>(
    transaction: &Transaction<'_>,
    operation: impl FnOnce(&Transaction<'_>) -> Result<T, DatabaseError>,
) -> Result<T, DatabaseError> {
    transaction.prepare_cached("SAVEPOINT operation")?.execute([])?;
    let outcome = catch_unwind(AssertUnwindSafe(|| operation(transaction)))
        .unwrap_or_else(|_| Err(DatabaseError::Refused("the operation panicked".to_owned())));
    if outcome.is_err() && !transaction.is_autocommit() {
        transaction.prepare_cached("ROLLBACK TO operation")?.execute([])?;
    }
    if !transaction.is_autocommit() {
        transaction.prepare_cached("RELEASE operation")?.execute([])?;
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_operations_wait_for_the_thread_and_no_more() {
        let writer = Writer::start(Connection::open_in_memory().unwrap(), 0).unwrap();
        let waiting = u32::try_from(WAITING_MAX).unwrap();
        let slots = writer.slots.try_acquire_many(waiting);
        assert!(slots.is_ok() && writer.slots.try_acquire().is_err());
        drop(slots);
    }

    #[test]
    fn a_group_ends_at_its_500th_operation_and_after_5_ms() {
        let young = GROUP_MAX_OPEN - Duration::from_nanos(1);
        assert!(takes_more(GROUP_MAX_OPERATIONS - 1, young));
        assert!(!takes_more(GROUP_MAX_OPERATIONS, Duration::ZERO));
        assert!(!takes_more(1, GROUP_MAX_OPEN));
        assert_eq!((GROUP_MAX_OPERATIONS, GROUP_MAX_OPEN), (500, Duration::from_millis(5)));
    }
}

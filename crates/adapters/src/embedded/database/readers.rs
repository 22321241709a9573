//! The reading connections: a few, each used by one blocking thread at a time.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::open::{self, Access};
use super::{DatabaseError, Inner};

/// How many reads run at once in a process.
const READERS: usize = 4;

/// The idle connections. They are opened when first needed.
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    slots: Arc<Semaphore>,
}

/// The right to one connection.
pub(super) struct Slot(OwnedSemaphorePermit);

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::default(), slots: Arc::new(Semaphore::new(READERS)) }
    }

    pub(super) async fn slot(&self) -> Result<Slot, DatabaseError> {
        Arc::clone(&self.slots).acquire_owned().await.map(Slot).map_err(|_| DatabaseError::Closed)
    }

    fn take(&self) -> Result<Connection, DatabaseError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(connection) => Ok(connection),
            None => open::connect(&self.path, Access::ReadOnly),
        }
    }

    fn give_back(&self, connection: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }

    fn perform<T>(
        &self,
        operation: impl FnOnce(&Connection) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        let connection = self.take()?;
        let outcome = {
            // Dropped at the end of the block, and with it the state that it pins.
            let state = Transaction::new_unchecked(&connection, TransactionBehavior::Deferred)?;
            operation(&state)
        };
        self.give_back(connection);
        outcome
    }
}

impl Slot {
    pub(super) async fn read<T, F>(self, inner: Arc<Inner>, operation: F) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, DatabaseError> + Send + 'static,
    {
        let read = tokio::task::spawn_blocking(move || {
            let _slot = self.0;
            inner.readers.perform(operation)
        });
        // The runtime is going down, or the operation panicked: its connection is not used again.
        read.await.unwrap_or_else(|error| Err(DatabaseError::Refused(format!("a read broke off: {error}"))))
    }
}

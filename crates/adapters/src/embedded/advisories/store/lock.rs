//! A lock between processes: the operating system's, on a file that stays. It goes with the process that holds it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

/// How often a lock that another holds is tried again.
const RETRY_EVERY: Duration = Duration::from_millis(100);

/// Waits until the lock is free. It is given back when the file is dropped.
pub(in crate::embedded::advisories) async fn acquire(path: &Path) -> io::Result<File> {
    loop {
        // Tried without waiting: a thread that waits for another process could not be stopped.
        match try_acquire(path)? {
            Some(lock) => return Ok(lock),
            None => tokio::time::sleep(RETRY_EVERY).await,
        }
    }
}

/// The lock, or none where another holds it.
pub(super) fn try_acquire(path: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

//! Looking after the SQLite file: what is in it, a copy of it, and what may be removed from it.

mod backup;
mod prune;
mod stats;
#[cfg(test)]
mod tests;

pub use self::backup::backup;
pub use self::prune::{MIN_BODY_RETENTION, Pruned, Retention, prune};
pub use self::stats::{Bodies, Heads, Indexed, Stats, stats};
use super::DatabaseError;

/// Performs work that blocks outside of the polling threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DatabaseError> + Send + 'static,
) -> Result<T, DatabaseError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(DatabaseError::Unavailable(format!("maintenance broke off: {error}"))))
}

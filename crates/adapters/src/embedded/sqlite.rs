//! Four ports on the SQLite file.

mod archive;
mod event_store;
#[cfg(test)]
pub(super) mod fixture;
mod layer_index;
mod queue;

use cve_monitor_core::ports::{LayerIndexError, QueueError, StoreError};
use cve_monitor_core::vocabulary::PageToken;

pub use self::archive::SqliteArchive;
pub use self::event_store::SqliteEventStore;
pub use self::layer_index::SqliteLayerIndex;
pub use self::queue::SqliteQueue;
pub(super) use self::queue::depth_of;
use super::DatabaseError;

/// The most entries of a page, whatever the caller asks for.
const PAGE_MAX: usize = 5_000;

/// A page's bound as SQL takes it: at least one entry, for a page that never advances would never end.
fn page_limit(limit: usize) -> (usize, i64) {
    let limit = limit.clamp(1, PAGE_MAX);
    (limit, i64::try_from(limit).unwrap_or(i64::MAX))
}

/// A number as SQLite stores it.
fn integer(number: u64) -> Result<i64, DatabaseError> {
    i64::try_from(number)
        .map_err(|_| DatabaseError::Refused(format!("the number {number} is too large to store")))
}

/// A number that was stored by [`integer`].
fn natural(number: i64) -> Result<u64, DatabaseError> {
    u64::try_from(number).map_err(|_| DatabaseError::Damaged(format!("a count of {number} is stored")))
}

/// The numbers of a page token of ours.
fn token_numbers<const N: usize>(token: &PageToken) -> Result<[i64; N], DatabaseError> {
    let numbers: Option<Vec<i64>> = token.0.split('/').map(|part| part.parse().ok()).collect();
    numbers
        .and_then(|numbers| numbers.try_into().ok())
        .ok_or_else(|| DatabaseError::Refused(format!("`{token}` is not a page token of this listing")))
}

impl From<DatabaseError> for StoreError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Unavailable(problem) => Self::Transient(problem),
            DatabaseError::Damaged(problem) => Self::Corrupt(problem),
            DatabaseError::Refused(problem) => Self::Permanent(problem),
            other => Self::Permanent(other.to_string()),
        }
    }
}

impl From<DatabaseError> for QueueError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Unavailable(problem) => Self::Transient(problem),
            DatabaseError::Refused(problem) => Self::Permanent(problem),
            other => Self::Permanent(other.to_string()),
        }
    }
}

impl From<DatabaseError> for LayerIndexError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Unavailable(problem) => Self::Transient(problem),
            DatabaseError::Refused(problem) => Self::Permanent(problem),
            other => Self::Permanent(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_of_failure_keeps_its_meaning_at_the_ports() {
        let unavailable = DatabaseError::Unavailable("busy".to_owned());
        assert_eq!(StoreError::from(unavailable.clone()), StoreError::Transient("busy".to_owned()));
        assert_eq!(QueueError::from(unavailable.clone()), QueueError::Transient("busy".to_owned()));
        assert_eq!(LayerIndexError::from(unavailable), LayerIndexError::Transient("busy".to_owned()));
        let damaged = DatabaseError::Damaged("page 3".to_owned());
        assert_eq!(StoreError::from(damaged.clone()), StoreError::Corrupt("page 3".to_owned()));
        assert!(matches!(QueueError::from(damaged), QueueError::Permanent(_)));
        assert!(matches!(StoreError::from(DatabaseError::Closed), StoreError::Permanent(_)));
    }

    #[test]
    fn a_token_of_another_listing_is_refused_by_name() {
        assert_eq!(token_numbers::<2>(&PageToken("3/17".to_owned())), Ok([3, 17]));
        for foreign in ["", "3", "3/17/1", "image/x"] {
            let refused = token_numbers::<2>(&PageToken(foreign.to_owned()));
            assert!(matches!(refused, Err(DatabaseError::Refused(_))), "{foreign}");
        }
    }

    #[test]
    fn a_page_has_at_least_one_entry_and_at_most_the_bound() {
        assert_eq!(page_limit(0).0, 1);
        assert_eq!(page_limit(PAGE_MAX).0, PAGE_MAX);
        assert_eq!(page_limit(PAGE_MAX + 1).0, PAGE_MAX);
    }
}

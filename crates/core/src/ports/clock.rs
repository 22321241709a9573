//! Time, the only one that the core sees.

use async_trait::async_trait;

use crate::vocabulary::Timestamp;

/// Tells the time and waits.
///
/// # Laws
/// * **C1** `now` never goes back between two calls of one process.
/// * **C2** `sleep_until` returns at `at` or later; at once where `at` has passed.
///
/// # Errors
/// None.
///
/// # Cancellation
/// A dropped sleep leaves nothing behind.
///
/// # Bounds
/// Millisecond resolution.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Clock: std::fmt::Debug + Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Waits until `at`.
    async fn sleep_until(&self, at: Timestamp);
}

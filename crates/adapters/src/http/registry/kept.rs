//! Keeps a listing for as long as it may be used.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cve_monitor_core::ports::RegistryError;
use tokio::time::Instant;

/// How many listings are kept at once.
const MAX_KEPT: usize = 16;

/// Listings by key, each read once at a time however many ask for it.
#[derive(Debug)]
pub(crate) struct Kept<K, V> {
    slots: Mutex<Vec<(K, Slot<V>)>>,
}

type Slot<V> = Arc<tokio::sync::Mutex<Option<(Instant, Arc<V>)>>>;

impl<K: PartialEq + Clone, V> Kept<K, V> {
    pub(crate) fn new() -> Self {
        Self { slots: Mutex::new(Vec::new()) }
    }

    /// The listing of a key: the kept one where it is younger than `age`, else a new one.
    pub(crate) async fn younger_than<F>(
        &self,
        key: &K,
        age: Duration,
        read: F,
    ) -> Result<Arc<V>, RegistryError>
    where
        F: Future<Output = Result<V, RegistryError>> + Send,
    {
        let slot = self.slot(key);
        let mut kept = slot.lock().await;
        if let Some((taken, value)) = kept.as_ref()
            && taken.elapsed() < age
        {
            return Ok(Arc::clone(value));
        }
        // Dated before it is read: what changes meanwhile may be missing from it.
        let taken = Instant::now();
        let value = Arc::new(read.await?);
        *kept = Some((taken, Arc::clone(&value)));
        Ok(value)
    }

    /// Drops the listing of a key.
    pub(crate) fn forget(&self, key: &K) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).retain(|(kept, _)| kept != key);
    }

    fn slot(&self, key: &K) -> Slot<V> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = match slots.iter().position(|(kept, _)| kept == key) {
            Some(at) => slots.remove(at).1,
            None => Slot::default(),
        };
        // The one used last stands last; the first goes.
        slots.push((key.clone(), Arc::clone(&slot)));
        if slots.len() > MAX_KEPT {
            slots.remove(0);
        }
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_listing_is_kept_for_its_age_and_read_anew_after_it_or_when_forgotten() {
        let kept: Kept<&str, u32> = Kept::new();
        let minute = Duration::from_secs(60);
        let get = |value: u32| kept.younger_than(&"a", minute, async move { Ok(value) });
        assert_eq!(get(1).await.as_deref(), Ok(&1));
        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!(get(2).await.as_deref(), Ok(&1));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(get(3).await.as_deref(), Ok(&3));
        kept.forget(&"a");
        assert_eq!(get(4).await.as_deref(), Ok(&4));
    }

    #[tokio::test(start_paused = true)]
    async fn the_listings_used_last_are_kept_and_a_failure_is_not() {
        let kept: Kept<usize, usize> = Kept::new();
        let minute = Duration::from_secs(60);
        for key in 0..=MAX_KEPT {
            assert!(kept.younger_than(&key, minute, async move { Ok(key) }).await.is_ok());
        }
        let again = |key| kept.younger_than(key, minute, async { Ok(999) });
        assert_eq!(again(&1).await.as_deref(), Ok(&1));
        assert_eq!(again(&0).await.as_deref(), Ok(&999));
        let failed = kept.younger_than(&500, minute, async { Err(RegistryError::Transient(String::new())) });
        assert!(failed.await.is_err());
        assert_eq!(again(&500).await.as_deref(), Ok(&999));
    }
}

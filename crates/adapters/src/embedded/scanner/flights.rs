//! One reader a layer: whoever wants a layer that is being read waits for that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use cve_monitor_core::vocabulary::Digest;
use tokio::sync::OwnedMutexGuard;

/// The layers that are being read in this process.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<Digest, Weak<tokio::sync::Mutex<()>>>>);

impl Flights {
    /// Waits until nobody else reads the layer.
    pub(super) async fn board(&self, layer: &Digest) -> OwnedMutexGuard<()> {
        let seat = {
            let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // As many as are being read, not as many as ever were.
            flights.retain(|_, seat| seat.strong_count() > 0);
            let seat = flights.get(layer).and_then(Weak::upgrade).unwrap_or_default();
            flights.insert(layer.clone(), Arc::downgrade(&seat));
            seat
        };
        seat.lock_owned().await
    }
}

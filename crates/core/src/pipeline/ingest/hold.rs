//! What happens to work in hand while the event store is away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::Ingest;
use crate::pipeline::{DriveError, Outcome};
use crate::ports::StoreError;
use crate::vocabulary::{Lane, ScanRequest};

/// The first pause before the store is asked again; each is twice the one before.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause: also what a shutdown waits for at the most.
pub const PAUSE_MAX: Duration = Duration::from_secs(10);

impl Ingest {
    /// Drives an image, again and again while the store is away and `hold` says so. A message that was left instead would be
    /// delivered anew after each lease, and in the end be taken for one that kills workers.
    pub(super) async fn drive_or_hold(
        &self,
        request: &ScanRequest,
        lane: Lane,
        hold: &AtomicBool,
    ) -> Result<Outcome, DriveError> {
        let mut pause = PAUSE;
        loop {
            match self.driver.drive(request, lane).await {
                Err(DriveError::Store(StoreError::Transient(problem))) if hold.load(Ordering::Relaxed) => {
                    tracing::warn!(image = %request.image, problem, "held until the event store answers");
                    self.ports.clock.sleep_until(self.ports.clock.now().plus(pause)).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
                driven => return driven,
            }
        }
    }
}

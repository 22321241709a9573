//! What wakes the receivers of a process when something is sent in it.

use cve_monitor_core::vocabulary::Lane;
use tokio::sync::Notify;

/// A bell for each lane.
#[derive(Debug, Default)]
pub(super) struct Bells {
    push: Notify,
    change: Notify,
    backfill: Notify,
}

impl Bells {
    pub(super) fn of(&self, lane: Lane) -> &Notify {
        match lane {
            Lane::Push => &self.push,
            Lane::Change => &self.change,
            Lane::Backfill => &self.backfill,
        }
    }
}

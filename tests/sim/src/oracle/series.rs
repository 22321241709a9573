//! The reports of each image, in order.

use std::collections::{BTreeMap, BTreeSet};

use cve_monitor_core::ports::EventStore as _;
use cve_monitor_core::scan::{Assessed, Event, ImageEvent};
use cve_monitor_core::vocabulary::ImageId;

use crate::world::{World, now};

/// All reports by image.
#[derive(Debug, Default)]
pub(crate) struct Series {
    reports: BTreeMap<ImageId, Vec<Assessed>>,
    /// Given up, or taken for deleted.
    unfollowed: BTreeSet<ImageId>,
}

impl Series {
    pub(crate) fn of(world: &World) -> Self {
        let mut series = Self::default();
        for (stream, _) in world.heads() {
            let Some(image) = stream.as_image() else { continue };
            let events = now(world.store.read(&stream, 1, usize::MAX)).unwrap_or_default();
            let reports = events.into_iter().filter_map(|recorded| match recorded.event {
                Event::Image(ImageEvent::Assessed(assessed)) => Some(*assessed),
                _ => None,
            });
            if world.state_of(&image).is_some_and(|state| state.abandoned.is_some() || state.deleted) {
                series.unfollowed.insert(image.clone());
            }
            series.reports.insert(image, reports.collect());
        }
        series
    }

    pub(crate) fn reports(&self) -> u64 {
        self.reports.values().map(|reports| reports.len() as u64).sum()
    }

    pub(crate) fn each(&self) -> impl Iterator<Item = (&ImageId, &Vec<Assessed>)> {
        self.reports.iter()
    }

    pub(crate) fn was_unfollowed(&self, image: &ImageId) -> bool {
        self.unfollowed.contains(image)
    }

    /// Images that had a report before, and have another one since.
    pub(crate) fn changed_since(&self, later: &Self) -> Vec<ImageId> {
        let had = self.reports.iter().filter(|(_, reports)| !reports.is_empty());
        had.filter(|(image, reports)| later.reports.get(image).is_some_and(|now| now.len() > reports.len()))
            .map(|(image, _)| image.clone())
            .collect()
    }
}

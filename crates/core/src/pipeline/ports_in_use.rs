//! The ports that a running system holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Scope;
use crate::ports::{Clock, EventStore, LayerIndex, Queue, Registry, ReportArchive, ReportSink, Scanner};
use crate::scan::Policy;
use crate::vocabulary::{FeedName, RegistryName};

/// The registries that are watched, by name.
#[derive(Debug, Clone, Default)]
pub struct Registries(BTreeMap<RegistryName, Arc<dyn Registry>>);

impl Registries {
    /// These registries, each under the name that it gives itself.
    #[must_use]
    pub fn new(registries: impl IntoIterator<Item = Arc<dyn Registry>>) -> Self {
        Self(registries.into_iter().map(|registry| (registry.identity().name, registry)).collect())
    }

    /// The registry of that name.
    #[must_use]
    pub fn get(&self, name: &RegistryName) -> Option<&Arc<dyn Registry>> {
        self.0.get(name)
    }

    /// Their names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &RegistryName> {
        self.0.keys()
    }
}

/// Everything that the pipelines reach the world through.
#[derive(Debug, Clone)]
pub struct Ports {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Streams and heads.
    pub store: Arc<dyn EventStore>,
    /// Requests.
    pub queue: Arc<dyn Queue>,
    /// Key to images.
    pub index: Arc<dyn LayerIndex>,
    /// Report bodies.
    pub archive: Arc<dyn ReportArchive>,
    /// The scanner.
    pub scanner: Arc<dyn Scanner>,
    /// The registries.
    pub registries: Registries,
    /// Where reports go: each report to each.
    pub sinks: Vec<Arc<dyn ReportSink>>,
    /// Which images are looked at.
    pub scope: Scope,
    /// The feed that the notifier follows, where there is one: an assessment knows at least what it has followed.
    pub feed: Option<FeedName>,
}

impl Ports {
    /// What the rules need to know of this system.
    #[must_use]
    pub fn policy(&self) -> Policy {
        Policy::of(self.scanner.identity(), self.sinks.iter().map(|sink| sink.name()).collect())
    }
}

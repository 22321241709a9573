//! What is done with an announced push: its repository's tags are forgotten, and the images are queued.

use std::collections::BTreeMap;
use std::sync::Arc;

use cve_monitor_adapters::oci::{DistributionRegistry, notification};
use cve_monitor_core::ports::{MAX_SEND, Queue};
use cve_monitor_core::vocabulary::{Lane, RegistryName};

/// Takes what Distribution registries announce.
#[derive(Debug)]
pub struct Pushes {
    queue: Arc<dyn Queue>,
    registries: BTreeMap<RegistryName, Arc<DistributionRegistry>>,
}

/// Why an announcement was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushError {
    /// It does not say from which registry, or names one that is not watched.
    UnknownRegistry(String),
    /// It is no announcement.
    Malformed(String),
    /// It is not durable: it has to come again.
    NotQueued(String),
}

impl Pushes {
    pub(super) fn new(
        queue: Arc<dyn Queue>,
        registries: BTreeMap<RegistryName, Arc<DistributionRegistry>>,
    ) -> Self {
        Self { queue, registries }
    }

    /// Queues the images of an announcement; how many requests that were. When this returns Ok they are durable.
    ///
    /// # Errors
    /// Where it is not known who announces, where the body cannot be read, and where the queue failed.
    pub async fn announce(&self, registry: Option<&str>, body: &[u8]) -> Result<usize, PushError> {
        let (name, registry) = self.announcing(registry).map_err(PushError::UnknownRegistry)?;
        let read = notification::parse(body, name).map_err(|e| PushError::Malformed(e.to_string()))?;
        for problem in read.refused {
            tracing::warn!(registry = %name, problem, "a registry announced something that cannot be read");
        }
        for request in &read.requests {
            registry.forget_tags(&request.image.repository);
        }
        for batch in read.requests.chunks(MAX_SEND) {
            if let Err(error) = self.queue.send(Lane::Push, batch).await {
                tracing::warn!(registry = %name, %error, "a push could not be queued");
                return Err(PushError::NotQueued(error.to_string()));
            }
        }
        Ok(read.requests.len())
    }

    /// The registry that is named; without a name the only one.
    fn announcing(&self, name: Option<&str>) -> Result<(&RegistryName, &Arc<DistributionRegistry>), String> {
        let names = || self.registries.keys().map(RegistryName::as_str).collect::<Vec<_>>().join(", ");
        let mut all = self.registries.iter();
        match name {
            Some(name) => all.find(|(known, _)| known.as_str() == name).ok_or_else(|| {
                format!("no Distribution registry named `{name}` is configured; there are: {}", names())
            }),
            None => match (all.next(), all.next()) {
                (Some(only), None) => Ok(only),
                (None, _) => Err("no Distribution registry is configured".to_owned()),
                _ => Err(format!("say which registry pushed with ?registry=, one of: {}", names())),
            },
        }
    }
}

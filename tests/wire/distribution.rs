//! The Distribution protocol: what is sent, what is made of the answers, what is refused.

mod answers;
mod authorization;
mod blobs;
mod certificates;
mod destinations;
mod listing;
mod redirects;
mod referrers;
mod tags;

use cve_monitor_adapters::oci::{DistributionRegistry, DistributionSettings};
use cve_monitor_core::ports::{Registry, RegistryError};
use cve_monitor_core::vocabulary::{Descriptor, Digest, ImageId, MediaType, RepositoryName, Tag};
use futures::TryStreamExt as _;

use crate::fake_server::FakeServer;

const MANIFEST: &[u8] = br#"{"schemaVersion":2}"#;

fn settings(server: &FakeServer) -> DistributionSettings {
    let mut settings = DistributionSettings::new(server.host.parse().unwrap());
    settings.insecure = true;
    // Stores and token services are other ports of this machine.
    settings.allow_private = true;
    settings
}

fn registry(server: &FakeServer) -> DistributionRegistry {
    DistributionRegistry::new(settings(server)).unwrap()
}

fn repository() -> RepositoryName {
    "team/app".parse().unwrap()
}

fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

fn image(server: &FakeServer) -> ImageId {
    ImageId { registry: server.host.parse().unwrap(), repository: repository(), digest: Digest::of(MANIFEST) }
}

fn descriptor(content: &[u8]) -> Descriptor {
    let media_type = MediaType("application/vnd.oci.image.layer.v1.tar".to_owned());
    Descriptor { media_type, digest: Digest::of(content), size: content.len() as u64 }
}

async fn read(registry: &DistributionRegistry, blob: &Descriptor) -> Result<Vec<u8>, RegistryError> {
    let chunks: Vec<bytes::Bytes> = registry.blob(&repository(), blob).await?.try_collect().await?;
    Ok(chunks.concat())
}

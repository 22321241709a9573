//! ECR: what is sent, what is made of the answers, on a fake of it.

mod archived;
mod certificates;
mod layers;
mod listing;
mod manifests;
mod roles;
mod tags;
mod tokens;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_s3::config::Credentials;
use cve_monitor_adapters::aws::ecr_registry::{EcrRegistry, EcrSettings, LayerSource};
use cve_monitor_core::ports::{Registry as _, RegistryError};
use cve_monitor_core::vocabulary::{Descriptor, Digest, ImageId, MediaType, RepositoryName};
use cve_monitor_tests::fakes::ecr::{FakeEcr, Place, Pushed, digest_of};
use futures::TryStreamExt as _;

const ACCOUNT: &str = "111111111111";
const REGION: &str = "eu-west-1";

fn place() -> Place {
    Place::new(ACCOUNT, REGION, "team/app")
}

fn repository() -> RepositoryName {
    "team/app".parse().unwrap()
}

/// Credentials of an account; what is refused is not tried again, so that calls can be counted.
async fn config(fake: &FakeEcr, account: &str) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(fake.url())
        .region(aws_config::Region::new(REGION))
        .retry_config(RetryConfig::disabled())
        .credentials_provider(Credentials::new(format!("AKIA{account}"), "s3cret", None, None, "tests"))
        .load()
        .await
}

fn settings(fake: &FakeEcr, account: &str) -> EcrSettings {
    let name = format!("{account}.dkr.ecr.{REGION}.amazonaws.com");
    let mut settings = EcrSettings::new(name.parse().unwrap());
    settings.registry_endpoint = Some(fake.registry_url(account, REGION).parse().unwrap());
    settings
}

async fn registry(fake: &FakeEcr, layers: LayerSource) -> EcrRegistry {
    let settings = EcrSettings { layers, ..settings(fake, ACCOUNT) };
    EcrRegistry::new(&config(fake, ACCOUNT).await, settings).unwrap()
}

async fn presigned(fake: &FakeEcr) -> EcrRegistry {
    registry(fake, LayerSource::Presigned).await
}

fn push(fake: &FakeEcr, tag: Option<&str>, seed: &str) -> ImageId {
    let (digest, _) = fake.world().push(&place(), tag, &Pushed::of_seed(seed));
    image(&digest)
}

fn image(digest: &str) -> ImageId {
    ImageId {
        registry: format!("{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com").parse().unwrap(),
        repository: repository(),
        digest: digest.parse().unwrap(),
    }
}

fn layer(seed: &str) -> Descriptor {
    let bytes = Pushed::of_seed(seed).blobs[1].clone();
    let media_type = MediaType("application/vnd.oci.image.layer.v1.tar".to_owned());
    Descriptor { media_type, digest: digest_of(&bytes).parse().unwrap(), size: bytes.len() as u64 }
}

async fn read(registry: &EcrRegistry, blob: &Descriptor) -> Result<Digest, RegistryError> {
    let chunks: Vec<bytes::Bytes> = registry.blob(&repository(), blob).await?.try_collect().await?;
    Ok(Digest::of(&chunks.concat()))
}

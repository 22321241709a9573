//! ECR, on a fake of it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::BehaviorVersion;
use aws_sdk_s3::config::Credentials;
use cve_monitor_adapters::aws::ecr_registry::{EcrRegistry, EcrSettings, LayerSource};
use cve_monitor_core::ports::Registry;
use cve_monitor_core::testkit::laws::registry::{self, RegistryHarness, Seeded};
use cve_monitor_core::testkit::laws::{Harness, UniqueNames};
use cve_monitor_core::vocabulary::{Descriptor, Digest, ImageId, MediaType, RepositoryName, Tag};
use cve_monitor_tests::fakes::ecr::{FakeEcr, Fault, Place, Pushed, digest_of};

use crate::rows::Rows;

const ACCOUNT: &str = "123456789012";
const REGION: &str = "eu-west-1";
const REPOSITORY: &str = "team/app";

pub(crate) fn register(rows: &mut Rows) {
    rows.add("registry", "ecr", registry::LAWS, || {
        Box::pin(async { Ok(Box::new(Ecr::start(LayerSource::Presigned).await) as _) })
    });
    rows.add("registry", "ecr_endpoint", registry::LAWS, || {
        Box::pin(async { Ok(Box::new(Ecr::start(LayerSource::Endpoint).await) as _) })
    });
}

struct Ecr {
    names: UniqueNames,
    fake: FakeEcr,
    registry: Arc<EcrRegistry>,
}

fn place() -> Place {
    Place::new(ACCOUNT, REGION, REPOSITORY)
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a valid name")
}

async fn registry_at(fake: &FakeEcr, account: &str, layers: LayerSource) -> Arc<EcrRegistry> {
    let mut settings = EcrSettings::new(parsed(&format!("{account}.dkr.ecr.{REGION}.amazonaws.com")));
    settings.layers = layers;
    settings.registry_endpoint = Some(fake.registry_url(account, REGION).parse().expect("an address"));
    let config = aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(fake.url())
        .credentials_provider(Credentials::new(format!("AKIA{ACCOUNT}"), "secret", None, None, "tests"));
    Arc::new(EcrRegistry::new(&config.load().await, settings).expect("settings"))
}

fn layer_of(seed: &str) -> Descriptor {
    let pushed = Pushed::of_seed(seed);
    let layer = pushed.blobs.last().expect("a layer");
    let media_type = MediaType("application/vnd.oci.image.layer.v1.tar".to_owned());
    Descriptor { media_type, digest: parsed(&digest_of(layer)), size: layer.len() as u64 }
}

impl Ecr {
    /// Four images under five tags, one of them an index, and untagged ones; in more repositories than a page would have.
    async fn start(layers: LayerSource) -> Self {
        let fake = FakeEcr::start().await;
        {
            let mut world = fake.world();
            for (tag, seed) in [("a", "one"), ("b", "two"), ("b-again", "two"), ("c", "three")] {
                world.push(&place(), Some(tag), &Pushed::of_seed(seed));
            }
            world.push(&place(), Some("d"), &Pushed::index_of(&["four", "five"]));
            world.push(&place(), None, &Pushed::of_seed("six"));
            for name in ["team/other", "a", "z/last"] {
                world.create_repository(&Place::new(ACCOUNT, REGION, name));
            }
        }
        let registry = registry_at(&fake, ACCOUNT, layers).await;
        Self { names: UniqueNames::new("e"), fake, registry }
    }

    fn image(&self, digest: &str) -> ImageId {
        let registry = self.registry.identity().name;
        ImageId { registry, repository: parsed(REPOSITORY), digest: parsed(digest) }
    }
}

#[async_trait]
impl Harness for Ecr {
    async fn advance(&self, by: Duration) {
        tokio::time::sleep(by).await;
    }

    fn unique(&self) -> String {
        self.names.make()
    }
}

#[async_trait]
impl RegistryHarness for Ecr {
    fn registry(&self) -> Arc<dyn Registry> {
        Arc::clone(&self.registry) as _
    }

    async fn seeded(&self) -> Option<Seeded> {
        let digest = |pushed: Pushed| -> Digest { parsed(&pushed.digest()) };
        let of = |seed: &str| digest(Pushed::of_seed(seed));
        let tags = |names: &[&str]| names.iter().map(|name| parsed(name)).collect::<Vec<Tag>>();
        let tagged = [
            (of("one"), tags(&["a"])),
            (of("two"), tags(&["b", "b-again"])),
            (of("three"), tags(&["c"])),
            (digest(Pushed::index_of(&["four", "five"])), tags(&["d"])),
        ];
        Some(Seeded {
            repository: parsed(REPOSITORY),
            tagged: tagged.into_iter().collect(),
            untagged: vec![of("four"), of("five"), of("six")],
            blob: layer_of("one"),
        })
    }

    async fn push_more(&self, _repository: &RepositoryName) -> Option<()> {
        self.fake.world().push(&place(), Some("more"), &Pushed::of_seed("more"));
        Some(())
    }

    async fn move_tag(&self, to: &ImageId, tag: &Tag) -> Option<()> {
        self.fake.world().tag(&place(), tag.as_str(), to.digest.as_str());
        Some(())
    }

    async fn damaged_blob(&self) -> Option<(RepositoryName, Descriptor)> {
        let blob = layer_of("three");
        self.fake.world().damage(blob.digest.as_str());
        Some((parsed(REPOSITORY), blob))
    }

    async fn damaged_manifest(&self) -> Option<ImageId> {
        let digest = Pushed::of_seed("three").digest();
        self.fake.world().damage(&digest);
        Some(self.image(&digest))
    }

    /// Of an account for which there is no role.
    async fn denied(&self) -> Option<(Arc<dyn Registry>, ImageId)> {
        let registry = registry_at(&self.fake, "210987654321", LayerSource::Presigned).await;
        let image =
            ImageId { registry: registry.identity().name, ..self.image(&Pushed::of_seed("one").digest()) };
        Some((registry, image))
    }

    async fn throttled(&self) -> Option<(Arc<dyn Registry>, ImageId)> {
        self.fake.world().fail("BatchGetImage", usize::MAX, Fault::throttled());
        Some((self.registry(), self.image(&Pushed::of_seed("one").digest())))
    }
}

//! The laws of [`Registry`].

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt as _;

use super::{Harness, Law, Outcome, Unmet, broken, ensure, provided, same};
use crate::ports::{ListedImage, Registry, RegistryError};
use crate::vocabulary::{Descriptor, Digest, ImageId, PageToken, RepositoryName, Tag};

/// A repository that a harness has filled.
#[derive(Debug, Clone)]
pub struct Seeded {
    /// Its name.
    pub repository: RepositoryName,
    /// All of its tagged manifests with their tags, sorted: at least three manifests, one with two tags.
    pub tagged: BTreeMap<Digest, Vec<Tag>>,
    /// Untagged manifests that the registry lists; none where it lists none.
    pub untagged: Vec<Digest>,
    /// A blob that is there.
    pub blob: Descriptor,
}

/// A registry with something in it. A fixture is none where the backend cannot provide it.
#[async_trait]
pub trait RegistryHarness: Harness {
    /// The registry.
    fn registry(&self) -> Arc<dyn Registry>;

    /// A filled repository.
    async fn seeded(&self) -> Option<Seeded>;

    /// Adds one more tagged manifest to a seeded repository.
    async fn push_more(&self, repository: &RepositoryName) -> Option<()>;

    /// Lets a tag of a seeded repository lead to another of its manifests.
    async fn move_tag(&self, to: &ImageId, tag: &Tag) -> Option<()>;

    /// A blob whose served bytes do not hash to its digest.
    async fn damaged_blob(&self) -> Option<(RepositoryName, Descriptor)>;

    /// A manifest whose served bytes do not hash to its digest.
    async fn damaged_manifest(&self) -> Option<ImageId>;

    /// A registry that denies access to this image.
    async fn denied(&self) -> Option<(Arc<dyn Registry>, ImageId)>;

    /// A registry that asks to slow down when asked for this image's manifest.
    async fn throttled(&self) -> Option<(Arc<dyn Registry>, ImageId)>;
}

/// The laws.
pub const LAWS: &[Law<dyn RegistryHarness>] = &[
    Law { id: "R1", title: "bytes_hash_to_their_digest", check: |h| Box::pin(intact(h)) },
    Law { id: "R1", title: "a_damaged_blob_ends_as_corrupt", check: |h| Box::pin(damaged_blob(h)) },
    Law { id: "R1", title: "a_damaged_manifest_is_corrupt", check: |h| Box::pin(damaged_manifest(h)) },
    Law { id: "R2", title: "paging_yields_every_digest", check: |h| Box::pin(images(h)) },
    Law { id: "R2", title: "paging_survives_a_push", check: |h| Box::pin(images_while_pushing(h)) },
    Law { id: "R2", title: "paging_yields_every_repository", check: |h| Box::pin(repositories(h)) },
    Law { id: "R3", title: "what_is_not_there_is_not_found", check: |h| Box::pin(absent(h)) },
    Law { id: "R3", title: "denied_is_denied", check: |h| Box::pin(denied(h)) },
    Law { id: "R3", title: "throttled_is_throttled", check: |h| Box::pin(throttled(h)) },
    Law { id: "R4", title: "tags_are_those_that_lead_there", check: |h| Box::pin(tags(h)) },
    Law { id: "R4", title: "a_moved_tag_leads_elsewhere", check: |h| Box::pin(moved_tag(h)) },
];

async fn seeded(harness: &dyn RegistryHarness) -> Result<Seeded, Unmet> {
    provided(harness.seeded().await, "a filled repository")
}

fn id(harness: &dyn RegistryHarness, repository: &RepositoryName, digest: &Digest) -> ImageId {
    let registry = harness.registry().identity().name;
    ImageId { registry, repository: repository.clone(), digest: digest.clone() }
}

/// Reads a blob to its end: its bytes, or the error that it ends in.
async fn read(
    registry: &Arc<dyn Registry>,
    repository: &RepositoryName,
    blob: &Descriptor,
) -> Result<Vec<u8>, RegistryError> {
    let mut stream = registry.blob(repository, blob).await?;
    let mut bytes = vec![];
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk?);
    }
    Ok(bytes)
}

async fn intact(harness: &dyn RegistryHarness) -> Outcome {
    let (registry, seeded) = (harness.registry(), seeded(harness).await?);
    for digest in seeded.tagged.keys().chain(&seeded.untagged) {
        let manifest = registry.manifest(&id(harness, &seeded.repository, digest)).await?;
        same("the digest of a manifest's bytes", &Digest::of(&manifest.bytes), digest)?;
    }
    let bytes = read(&registry, &seeded.repository, &seeded.blob).await?;
    same("the digest of a blob's bytes", &Digest::of(&bytes), &seeded.blob.digest)?;
    same("the size of a blob", &(bytes.len() as u64), &seeded.blob.size)
}

async fn damaged_blob(harness: &dyn RegistryHarness) -> Outcome {
    let (repository, blob) = provided(harness.damaged_blob().await, "a damaged blob")?;
    let answer = read(&harness.registry(), &repository, &blob).await;
    ensure(matches!(answer, Err(RegistryError::Corrupt(_))), || {
        format!("a damaged blob ended as {:?}", answer.map(|bytes| bytes.len()))
    })
}

async fn damaged_manifest(harness: &dyn RegistryHarness) -> Outcome {
    let image = provided(harness.damaged_manifest().await, "a damaged manifest")?;
    let answer = harness.registry().manifest(&image).await;
    ensure(matches!(answer, Err(RegistryError::Corrupt(_))), || format!("a damaged manifest: {answer:?}"))
}

/// Lists a repository, and lets something happen after the first page.
async fn list(
    registry: &Arc<dyn Registry>,
    repository: &RepositoryName,
    limit: usize,
    meanwhile: impl AsyncFnOnce() -> Outcome,
) -> Result<Vec<ListedImage>, Unmet> {
    let mut page = registry.images(repository, None, limit).await?;
    meanwhile().await?;
    let mut listed = vec![];
    loop {
        ensure(page.items.len() <= limit, || format!("{} images in a page of {limit}", page.items.len()))?;
        listed.append(&mut page.items);
        match page.next.take() {
            Some(next) => page = registry.images(repository, Some(next), limit).await?,
            None => return Ok(listed),
        }
    }
}

/// The tags of each digest; a digest that is listed with different tags is an error.
fn merged(listed: Vec<ListedImage>) -> Result<BTreeMap<Digest, Vec<Tag>>, Unmet> {
    let mut merged = BTreeMap::new();
    for mut image in listed {
        image.tags.sort();
        let known = merged.insert(image.digest.clone(), image.tags.clone());
        ensure(known.as_ref().is_none_or(|known| *known == image.tags), || {
            format!("{} was listed with {known:?} and with {:?}", image.digest, image.tags)
        })?;
    }
    Ok(merged)
}

async fn images(harness: &dyn RegistryHarness) -> Outcome {
    let (registry, seeded) = (harness.registry(), seeded(harness).await?);
    let mut expected = seeded.tagged.clone();
    expected.extend(seeded.untagged.iter().map(|digest| (digest.clone(), vec![])));
    for limit in [1, 2, 100] {
        let listed = list(&registry, &seeded.repository, limit, async || Ok(())).await?;
        same(&format!("images in pages of {limit}"), &merged(listed)?, &expected)?;
    }
    Ok(())
}

async fn images_while_pushing(harness: &dyn RegistryHarness) -> Outcome {
    let (registry, seeded) = (harness.registry(), seeded(harness).await?);
    let push = async || provided(harness.push_more(&seeded.repository).await, "a push during a listing");
    let listed = merged(list(&registry, &seeded.repository, 1, push).await?)?;
    let missing: Vec<_> = seeded.tagged.keys().filter(|digest| !listed.contains_key(digest)).collect();
    same("tagged digests missing from the listing", &missing, &vec![])
}

async fn repositories(harness: &dyn RegistryHarness) -> Outcome {
    let (registry, seeded) = (harness.registry(), seeded(harness).await?);
    for limit in [1, 100] {
        let (mut names, mut after): (Vec<RepositoryName>, Option<PageToken>) = (vec![], None);
        loop {
            let page = match registry.repositories(after, limit).await {
                Err(RegistryError::Unsupported(_)) => provided(None, "a listing of repositories")?,
                answer => answer?,
            };
            names.extend(page.items);
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        ensure(names.contains(&seeded.repository), || format!("{} is not listed", seeded.repository))?;
        ensure(names.is_sorted(), || "the repositories are not ordered by name".to_owned())?;
    }
    Ok(())
}

async fn absent(harness: &dyn RegistryHarness) -> Outcome {
    let (registry, seeded) = (harness.registry(), seeded(harness).await?);
    let digest = Digest::of(harness.unique().as_bytes());
    let not_found = |what: &str, error: Option<RegistryError>| {
        ensure(matches!(error, Some(RegistryError::NotFound(_))), || format!("{what}: {error:?}"))
    };
    let image = id(harness, &seeded.repository, &digest);
    not_found("an absent manifest", registry.manifest(&image).await.err())?;
    let nowhere = ImageId { repository: harness.unique().parse()?, ..image };
    not_found("a manifest of an absent repository", registry.manifest(&nowhere).await.err())?;
    let blob = Descriptor { digest, ..seeded.blob.clone() };
    not_found("an absent blob", read(&registry, &seeded.repository, &blob).await.err())?;
    let tag = harness.unique().parse()?;
    not_found("an absent tag", registry.resolve(&seeded.repository, &tag).await.err())
}

async fn denied(harness: &dyn RegistryHarness) -> Outcome {
    let (registry, image) = provided(harness.denied().await, "an image to which access is denied")?;
    let answer = registry.manifest(&image).await;
    ensure(matches!(answer, Err(RegistryError::Denied(_))), || format!("a denied manifest: {answer:?}"))
}

async fn throttled(harness: &dyn RegistryHarness) -> Outcome {
    let (registry, image) = provided(harness.throttled().await, "a registry that asks to slow down")?;
    let answer = registry.manifest(&image).await;
    ensure(matches!(answer, Err(RegistryError::Throttled { .. })), || {
        format!("a throttled manifest: {answer:?}")
    })
}

async fn tags(harness: &dyn RegistryHarness) -> Outcome {
    let (registry, seeded) = (harness.registry(), seeded(harness).await?);
    for (digest, expected) in &seeded.tagged {
        let image = id(harness, &seeded.repository, digest);
        same("the tags of an image", &registry.tags(&image).await?, expected)?;
        for tag in expected {
            same("where a tag leads", &registry.resolve(&seeded.repository, tag).await?, digest)?;
        }
    }
    for digest in &seeded.untagged {
        let image = id(harness, &seeded.repository, digest);
        same("the tags of an untagged image", &registry.tags(&image).await?, &vec![])?;
    }
    Ok(())
}

async fn moved_tag(harness: &dyn RegistryHarness) -> Outcome {
    let (registry, seeded) = (harness.registry(), seeded(harness).await?);
    let mut tagged = seeded.tagged.iter();
    let (Some((from, tags)), Some((to, _))) = (tagged.next(), tagged.next()) else {
        return broken("the harness seeded fewer than two tagged manifests");
    };
    let to = id(harness, &seeded.repository, to);
    provided(harness.move_tag(&to, &tags[0]).await, "a tag that moves")?;
    same("where the tag leads", &registry.resolve(&seeded.repository, &tags[0]).await?, &to.digest)?;
    let left = registry.tags(&id(harness, &seeded.repository, from)).await?;
    same("the tags that stay", &left, &tags[1..].to_vec())?;
    let there = registry.tags(&to).await?;
    ensure(there.contains(&tags[0]), || format!("{to} has the tags {there:?}"))
}

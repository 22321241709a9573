//! A registry in memory.

mod content;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, StreamExt as _};

use self::content::Content;
use crate::ports::{BlobLocation, BlobStream, ListedImage, Registry, RegistryError};
use crate::testkit::locked::Locked;
use crate::testkit::pages::page_of;
use crate::vocabulary::{
    Descriptor, Digest, ImageId, Page, PageToken, Platform, RawManifest, Referrer, RegistryIdentity,
    RegistryName, RepositoryName, Tag, Timestamp,
};

/// How many bytes of a blob come at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// A [`Registry`] in memory: images are put into it, tagged, deleted and damaged; it counts what it serves.
#[derive(Debug)]
pub struct MemoryRegistry {
    name: RegistryName,
    content: Locked<Content>,
    blob_bytes: Arc<AtomicU64>,
    calls: AtomicU64,
}

impl MemoryRegistry {
    /// An empty registry.
    #[must_use]
    pub fn new(name: RegistryName) -> Self {
        Self { name, content: Locked::default(), blob_bytes: Arc::default(), calls: AtomicU64::new(0) }
    }

    /// Puts an image of these layers, base first, for `linux/amd64`.
    pub fn put_image(&self, repository: &RepositoryName, tag: Option<&Tag>, layers: &[Vec<u8>]) -> ImageId {
        let platform = Platform { os: "linux".to_owned(), architecture: "amd64".to_owned(), variant: None };
        self.put_image_for(repository, tag, &platform, layers)
    }

    /// Puts an image of these layers, base first, for a platform.
    pub fn put_image_for(
        &self,
        repository: &RepositoryName,
        tag: Option<&Tag>,
        platform: &Platform,
        layers: &[Vec<u8>],
    ) -> ImageId {
        let mut content = self.content.lock();
        let manifest = content.image_manifest(platform, layers);
        self.id(repository, content.put(repository, tag, manifest))
    }

    /// Puts an index of these children.
    pub fn put_index(
        &self,
        repository: &RepositoryName,
        tag: Option<&Tag>,
        children: &[(Digest, Option<Platform>)],
    ) -> ImageId {
        self.put_manifest(repository, tag, content::index_manifest(children))
    }

    /// Puts any manifest.
    pub fn put_manifest(
        &self,
        repository: &RepositoryName,
        tag: Option<&Tag>,
        manifest: RawManifest,
    ) -> ImageId {
        self.id(repository, self.content.lock().put(repository, tag, manifest))
    }

    /// Puts a blob; its digest.
    pub fn put_blob(&self, bytes: Vec<u8>) -> Digest {
        self.content.lock().put_blob(bytes).0
    }

    /// Lets a tag lead to a digest. False where the repository has no such manifest.
    pub fn tag(&self, image: &ImageId, tag: &Tag) -> bool {
        self.content.lock().tag(&image.repository, tag, &image.digest)
    }

    /// Takes a tag away.
    pub fn untag(&self, repository: &RepositoryName, tag: &Tag) {
        self.content.lock().untag(repository, tag);
    }

    /// Deletes a manifest with its tags; its blobs stay. False where it was not there.
    pub fn delete(&self, image: &ImageId) -> bool {
        self.content.lock().delete(&image.repository, &image.digest)
    }

    /// Deletes a blob. False where it was not there.
    pub fn delete_blob(&self, digest: &Digest) -> bool {
        self.content.lock().blobs.remove(digest).is_some()
    }

    /// Moves an image into the archive, where it is listed and not served, or out of it.
    pub fn archive(&self, image: &ImageId, archived: bool) {
        let mut content = self.content.lock();
        if archived {
            content.archived.insert(image.clone());
        } else {
            content.archived.remove(image);
        }
    }

    /// Says when a manifest was pushed.
    pub fn set_pushed(&self, image: &ImageId, pushed: Timestamp) {
        self.content.lock().pushed.insert((image.repository.clone(), image.digest.clone()), pushed);
    }

    /// The next `times` calls fail like this.
    pub fn fail_next(&self, times: usize, error: &RegistryError) {
        self.content.lock().failures.extend(std::iter::repeat_n(error.clone(), times));
    }

    /// Every call about this repository fails like this until told otherwise.
    pub fn fail_repository(&self, repository: &RepositoryName, error: Option<RegistryError>) {
        let mut content = self.content.lock();
        match error {
            Some(error) => content.closed.insert(repository.clone(), error),
            None => content.closed.remove(repository),
        };
    }

    /// Serves other bytes for a manifest or a blob than its digest promises. False where it is not there.
    pub fn damage(&self, digest: &Digest) -> bool {
        self.content.lock().damage(digest)
    }

    /// How many bytes of blobs were served: what indexing costs, and what assessing must not.
    #[must_use]
    pub fn blob_bytes_served(&self) -> u64 {
        self.blob_bytes.load(Ordering::SeqCst)
    }

    /// How many calls were answered, errors included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    fn id(&self, repository: &RepositoryName, digest: Digest) -> ImageId {
        ImageId { registry: self.name.clone(), repository: repository.clone(), digest }
    }

    fn called(&self, repository: Option<&RepositoryName>) -> Result<(), RegistryError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let mut content = self.content.lock();
        if let Some(error) = content.failures.pop_front() {
            return Err(error);
        }
        repository.and_then(|name| content.closed.get(name).cloned()).map_or(Ok(()), Err)
    }

    fn chunks(&self, digest: &Digest, bytes: &Bytes) -> BlobStream {
        let served = Arc::clone(&self.blob_bytes);
        let mut parts: Vec<Result<Bytes, RegistryError>> = (0..bytes.len())
            .step_by(CHUNK_BYTES)
            .map(|from| Ok(bytes.slice(from..bytes.len().min(from + CHUNK_BYTES))))
            .collect();
        if Digest::of(bytes) != *digest {
            parts.push(Err(RegistryError::Corrupt(digest.to_string())));
        }
        let counted = stream::iter(parts).inspect(move |part| {
            let bytes = part.as_ref().map_or(0, Bytes::len);
            served.fetch_add(bytes as u64, Ordering::SeqCst);
        });
        counted.boxed()
    }
}

#[async_trait]
impl Registry for MemoryRegistry {
    fn identity(&self) -> RegistryIdentity {
        let registry_id = self.name.as_str().to_owned();
        RegistryIdentity { name: self.name.clone(), registry_id, region: None }
    }

    async fn repositories(
        &self,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<RepositoryName>, RegistryError> {
        self.called(None)?;
        let content = self.content.lock();
        let names = content.repositories.keys().map(|name| (name, name.clone()));
        Ok(page_of(names, after.as_ref(), limit, |name| name.to_string()))
    }

    async fn images(
        &self,
        repository: &RepositoryName,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<ListedImage>, RegistryError> {
        self.called(Some(repository))?;
        let content = self.content.lock();
        let listed = content.listed(repository)?;
        let listed = listed.into_iter().map(|image| (image.digest.clone(), image));
        Ok(page_of(listed, after.as_ref(), limit, ToString::to_string))
    }

    async fn resolve(&self, repository: &RepositoryName, tag: &Tag) -> Result<Digest, RegistryError> {
        self.called(Some(repository))?;
        let content = self.content.lock();
        let tags = content.repositories.get(repository).map(|found| &found.tags);
        tags.and_then(|tags| tags.get(tag).cloned())
            .ok_or_else(|| RegistryError::NotFound(format!("{}/{repository}:{tag}", self.name)))
    }

    async fn manifest(&self, image: &ImageId) -> Result<RawManifest, RegistryError> {
        self.called(Some(&image.repository))?;
        let content = self.content.lock();
        let kept = content.repositories.get(&image.repository).and_then(|r| r.manifests.get(&image.digest));
        let manifest = kept.ok_or_else(|| RegistryError::NotFound(image.to_string()))?;
        if content.archived.contains(image) {
            return Err(RegistryError::Archived(image.to_string()));
        }
        if Digest::of(&manifest.bytes) == image.digest {
            Ok(manifest.clone())
        } else {
            Err(RegistryError::Corrupt(image.to_string()))
        }
    }

    async fn blob(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobStream, RegistryError> {
        self.called(Some(repository))?;
        let kept = self.content.lock().blobs.get(&blob.digest).cloned();
        let bytes = kept.ok_or_else(|| RegistryError::NotFound(blob.digest.to_string()))?;
        Ok(self.chunks(&blob.digest, &bytes))
    }

    async fn location(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobLocation, RegistryError> {
        self.called(Some(repository))?;
        if !self.content.lock().blobs.contains_key(&blob.digest) {
            return Err(RegistryError::NotFound(blob.digest.to_string()));
        }
        let uri = format!("memory://{}/{repository}/{}", self.name, blob.digest);
        Ok(BlobLocation { uri, headers: vec![], expires: None })
    }

    async fn tags(&self, image: &ImageId) -> Result<Vec<Tag>, RegistryError> {
        self.called(Some(&image.repository))?;
        Ok(self.content.lock().tags_of(&image.repository, &image.digest))
    }

    async fn referrers(&self, image: &ImageId) -> Result<Vec<Referrer>, RegistryError> {
        self.called(Some(&image.repository))?;
        let content = self.content.lock();
        let manifests = content.repositories.get(&image.repository).map(|found| found.manifests.values());
        let all = manifests.into_iter().flatten();
        Ok(all.filter_map(|manifest| manifest.referring_to(&image.digest)).collect())
    }
}

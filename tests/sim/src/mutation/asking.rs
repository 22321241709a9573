//! A registry, a scanner and a feed in careless hands.

use std::sync::Arc;

use async_trait::async_trait;
use cve_monitor_core::ports::{
    BlobLocation, BlobStream, Candidates, ChangeFeed, Cursor, FeedError, IndexRequest, LayerIndex,
    ListedImage, Next, Readiness, Registry, RegistryError, Scanner, ScannerError,
};
use cve_monitor_core::vocabulary::{
    Assessment, Completeness, Descriptor, Digest, FeedName, Generation, ImageId, Knowledge, LayerKey, Page,
    PageToken, RawManifest, RegistryIdentity, RepositoryName, ScannerIdentity, Tag,
};

use super::Mutation;
use super::keeping::HeldKeys;
use crate::world::World;

#[derive(Debug)]
pub(super) struct BrokenRegistry {
    inner: Arc<dyn Registry>,
    how: Mutation,
}

impl BrokenRegistry {
    pub(super) fn new(inner: Arc<dyn Registry>, how: Mutation) -> Self {
        Self { inner, how }
    }

    async fn is_listed(&self, image: &ImageId) -> Result<bool, RegistryError> {
        let mut after = None;
        loop {
            let page = self.inner.images(&image.repository, after, usize::MAX).await?;
            if page.items.iter().any(|listed| listed.digest == image.digest) {
                return Ok(true);
            }
            after = page.next;
            if after.is_none() {
                return Ok(false);
            }
        }
    }
}

#[async_trait]
impl Registry for BrokenRegistry {
    fn identity(&self) -> RegistryIdentity {
        self.inner.identity()
    }

    async fn repositories(
        &self,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<RepositoryName>, RegistryError> {
        self.inner.repositories(after, limit).await
    }

    async fn images(
        &self,
        repository: &RepositoryName,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<ListedImage>, RegistryError> {
        self.inner.images(repository, after, limit).await
    }

    async fn resolve(&self, repository: &RepositoryName, tag: &Tag) -> Result<Digest, RegistryError> {
        self.inner.resolve(repository, tag).await
    }

    async fn manifest(&self, image: &ImageId) -> Result<RawManifest, RegistryError> {
        let gone = || RegistryError::NotFound(image.to_string());
        if self.how == Mutation::GoneByAbsence && !self.is_listed(image).await? {
            return Err(gone());
        }
        let answer = self.inner.manifest(image).await;
        if self.how == Mutation::RefusedIsGone { answer.map_err(|_| gone()) } else { answer }
    }

    async fn blob(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobStream, RegistryError> {
        self.inner.blob(repository, blob).await
    }

    async fn location(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobLocation, RegistryError> {
        self.inner.location(repository, blob).await
    }

    async fn tags(&self, image: &ImageId) -> Result<Vec<Tag>, RegistryError> {
        self.inner.tags(image).await
    }
}

#[derive(Debug)]
pub(super) struct BrokenScanner {
    inner: Arc<dyn Scanner>,
    how: Mutation,
    world: Arc<World>,
    index: Arc<dyn LayerIndex>,
    held: HeldKeys,
}

impl BrokenScanner {
    pub(super) fn new(
        inner: Arc<dyn Scanner>,
        how: Mutation,
        world: &Arc<World>,
        index: Arc<dyn LayerIndex>,
        held: &HeldKeys,
    ) -> Self {
        Self { inner, how, world: Arc::clone(world), index, held: Arc::clone(held) }
    }
}

#[async_trait]
impl Scanner for BrokenScanner {
    fn identity(&self) -> ScannerIdentity {
        self.inner.identity()
    }

    fn keys(&self, request: &IndexRequest) -> Vec<LayerKey> {
        self.inner.keys(request)
    }

    async fn readiness(&self) -> Result<Readiness, ScannerError> {
        self.inner.readiness().await
    }

    async fn index(&self, request: &IndexRequest) -> Result<Vec<LayerKey>, ScannerError> {
        let keys = self.inner.index(request).await?;
        Ok(if self.how == Mutation::KeysOfTheManifestAlone { vec![] } else { keys })
    }

    async fn assess(
        &self,
        image: &ImageId,
        at_least: Option<Generation>,
    ) -> Result<Assessment, ScannerError> {
        let at_least = at_least.filter(|_| self.how != Mutation::AnswerBehindTheFeed);
        let answer = self.inner.assess(image, at_least).await;
        let held = std::mem::take(&mut *self.held.lock());
        for (image, keys) in held {
            drop(self.index.record(&image, &keys).await);
        }
        match (self.how, answer) {
            (Mutation::LoadingIsClean, Err(ScannerError::Loading(_))) => Ok(Assessment {
                findings: vec![],
                completeness: Completeness::complete(),
                looked_at: vec![],
                sbom: None,
                knowledge: Knowledge {
                    id: None,
                    generation: self.world.knowledge.latest(),
                    last_changed: [].into(),
                },
            }),
            (Mutation::UnreadIsClean, Ok(assessment)) => {
                Ok(Assessment { completeness: Completeness::complete(), ..assessment })
            }
            (_, answer) => answer,
        }
    }
}

#[derive(Debug)]
pub(super) struct BrokenFeed {
    inner: Arc<dyn ChangeFeed>,
    how: Mutation,
    world: Arc<World>,
}

impl BrokenFeed {
    pub(super) fn new(inner: Arc<dyn ChangeFeed>, how: Mutation, world: &Arc<World>) -> Self {
        Self { inner, how, world: Arc::clone(world) }
    }
}

#[async_trait]
impl ChangeFeed for BrokenFeed {
    fn name(&self) -> FeedName {
        self.inner.name()
    }

    async fn next(&self, cursor: Option<Cursor>) -> Result<Next, FeedError> {
        let next = self.inner.next(cursor).await?;
        Ok(match (self.how, next, self.world.knowledge.latest()) {
            (Mutation::NetDifference, Next::Change { .. }, Some(latest)) => {
                Next::Change { to: Cursor(latest.0.to_string()), generation: latest }
            }
            (Mutation::GapPassedOver, Next::Gap { to, generation, .. }, _) => Next::Change { to, generation },
            (_, next, _) => next,
        })
    }

    async fn candidates(
        &self,
        from: &Cursor,
        to: &Cursor,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Candidates, FeedError> {
        match (self.how, self.inner.candidates(from, to, after, limit).await) {
            (Mutation::GapPassedOver, Err(FeedError::Forgotten(_))) => Ok(Page { items: vec![], next: None }),
            (Mutation::FirstPageOfCandidates, Ok(page)) => Ok(Page { next: None, ..page }),
            (_, answer) => answer,
        }
    }

    async fn followed(&self, cursor: &Cursor) -> Result<(), FeedError> {
        self.inner.followed(cursor).await
    }
}

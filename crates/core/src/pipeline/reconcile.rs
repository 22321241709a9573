//! Reconcile: what the registry has, compared with what we know. The first round is the bootstrap.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::Ports;
use super::journal::append;
use crate::ports::{AppendError, ListedImage, MAX_SEND, QueueError, Registry, RegistryError, StoreError};
use crate::scan::{
    AbandonReason, Head, HeadState, IllegalTransition, ImageState, Policy, ReconcileCounts, ReconcileEvent,
    ReconcileState, Resolved, StreamId, evolve_reconcile,
};
use crate::vocabulary::{
    Cause, Digest, ImageId, Lane, PageToken, RegistryName, RepositoryName, RequestId, ScanRequest, Tag,
    Timestamp,
};

/// How a round works.
#[derive(Debug, Clone, Copy)]
pub struct ReconcileSettings {
    /// An image that was not assessed for this long is assessed again.
    pub sweep_after: Duration,
    /// Entries a page of a listing.
    pub page: usize,
    /// Listing calls a second at the most.
    pub lists_per_second: u32,
}

impl Default for ReconcileSettings {
    fn default() -> Self {
        Self { sweep_after: Duration::from_secs(7 * 24 * 3600), page: 100, lists_per_second: 10 }
    }
}

/// Whether requests are queued, or only told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReconcileMode {
    /// Queue them; remember how far the round has come.
    Apply,
    /// Tell them; write nothing.
    DryRun,
}

/// An image that a round wants looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The image.
    pub image: ImageId,
    /// Its tags in the listing.
    pub tags: Vec<Tag>,
    /// Why.
    pub why: Cause,
}

/// Why a round ended early. It goes on where it stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReconcileError {
    /// No registry of that name is configured.
    #[error("no registry named `{0}` is configured")]
    UnknownRegistry(RegistryName),
    /// The registry gave no answer.
    #[error("{registry} cannot be listed: {error}")]
    Registry {
        /// The registry.
        registry: RegistryName,
        /// What it said.
        error: RegistryError,
    },
    /// The heads could not be read, or the round not recorded.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The requests could not be sent.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// Somebody else runs a round of this registry.
    #[error("another round of {0} is under way; it goes on there")]
    Contended(RegistryName),
    /// The round's stream holds something that these rules did not write.
    #[error(transparent)]
    Broken(#[from] IllegalTransition),
}

/// Told after each repository: what was found so far, and what this repository adds.
pub type RoundObserver<'a> = dyn FnMut(&ReconcileCounts, &[Wanted]) + Send + 'a;

/// Compares registries with what is known.
#[derive(Debug)]
pub struct Reconciler {
    ports: Arc<Ports>,
    policy: Policy,
    settings: ReconcileSettings,
}

struct Round<'a> {
    name: &'a RegistryName,
    registry: &'a dyn Registry,
    stream: StreamId,
    mode: ReconcileMode,
    version: u64,
    state: ReconcileState,
    counts: ReconcileCounts,
    started: Timestamp,
    next_list: Timestamp,
}

impl Reconciler {
    /// A reconciler over these ports.
    #[must_use]
    pub fn new(ports: Arc<Ports>, settings: ReconcileSettings) -> Self {
        let policy = ports.policy();
        Self { ports, policy, settings }
    }

    /// One round over a registry; a round that was interrupted goes on where it stopped.
    ///
    /// # Errors
    /// Where a port failed: the next round goes on there.
    pub async fn round(
        &self,
        name: &RegistryName,
        mode: ReconcileMode,
        observer: &mut RoundObserver<'_>,
    ) -> Result<ReconcileCounts, ReconcileError> {
        let registry =
            self.ports.registries.get(name).ok_or_else(|| ReconcileError::UnknownRegistry(name.clone()))?;
        let mut round = self.begin(name, registry.as_ref(), mode).await?;
        let mut visited = HashSet::new();
        let mut after = round.state.after.clone();
        loop {
            self.pace(&mut round).await;
            let page = registry
                .repositories(after, self.settings.page)
                .await
                .map_err(|error| ReconcileError::Registry { registry: name.clone(), error })?;
            for repository in page.items {
                if self.ports.scope.admits_repository(name, &repository) {
                    self.repository(&mut round, &repository, observer).await?;
                }
                visited.insert(repository);
            }
            match page.next {
                Some(next) => {
                    let event = ReconcileEvent::RoundAdvanced { after: next.clone(), counts: round.counts };
                    self.record(&mut round, event).await?;
                    after = Some(next);
                }
                None => break,
            }
        }
        self.vanished_repositories(&mut round, &visited, observer).await?;
        let counts = round.counts;
        self.record(&mut round, ReconcileEvent::RoundDone { counts }).await?;
        Ok(counts)
    }

    async fn begin<'a>(
        &self,
        name: &'a RegistryName,
        registry: &'a dyn Registry,
        mode: ReconcileMode,
    ) -> Result<Round<'a>, ReconcileError> {
        let stream = StreamId::reconcile(name);
        let (version, state) = match self.ports.store.head(&stream).await? {
            Some(Head { version, state: HeadState::Reconcile(state) }) => (version, state),
            _ => (0, ReconcileState::default()),
        };
        let now = self.ports.clock.now();
        let mut round = Round {
            name,
            registry,
            stream,
            mode,
            version,
            state,
            counts: ReconcileCounts::default(),
            started: now,
            next_list: now,
        };
        match (mode, round.state.started) {
            (ReconcileMode::Apply, Some(started)) => {
                round.started = started;
                round.counts = round.state.counts;
            }
            (ReconcileMode::Apply, None) => self.record(&mut round, ReconcileEvent::RoundStarted).await?,
            (ReconcileMode::DryRun, _) => round.state = ReconcileState::default(),
        }
        Ok(round)
    }

    async fn record(&self, round: &mut Round<'_>, event: ReconcileEvent) -> Result<(), ReconcileError> {
        if round.mode == ReconcileMode::DryRun {
            return Ok(());
        }
        let now = self.ports.clock.now();
        round.state = evolve_reconcile(round.state.clone(), now, &event)?;
        let state = HeadState::Reconcile(round.state.clone());
        match append(&self.ports, &round.stream, round.version, now, vec![event.into()], state).await {
            Ok(version) => {
                round.version = version;
                Ok(())
            }
            Err(AppendError::Conflict { .. }) => Err(ReconcileError::Contended(round.name.clone())),
            Err(AppendError::Store(error)) => Err(error.into()),
        }
    }

    async fn pace(&self, round: &mut Round<'_>) {
        let gap = Duration::from_secs(1) / self.settings.lists_per_second.max(1);
        let now = self.ports.clock.now();
        if round.next_list > now {
            self.ports.clock.sleep_until(round.next_list).await;
        }
        round.next_list = round.next_list.max(now).plus(gap);
    }

    async fn repository(
        &self,
        round: &mut Round<'_>,
        repository: &RepositoryName,
        observer: &mut RoundObserver<'_>,
    ) -> Result<(), ReconcileError> {
        let mut listed = self.listing(round, repository).await?;
        let digests: HashSet<Digest> = listed.keys().cloned().collect();
        round.counts.repositories += 1;
        round.counts.listed += listed.len() as u64;
        let mut wanted = vec![];
        let prefix = StreamId::repository_prefix(round.name, repository);
        let mut after: Option<PageToken> = None;
        loop {
            let page = self.ports.store.heads(&prefix, after, self.settings.page).await?;
            for (stream, head) in &page.items {
                let (Some(image), Some(state)) = (stream.as_image(), head.image()) else { continue };
                let entry = listed.remove(&image.digest);
                let why = match &entry {
                    Some(_) => self.due(state, round.started),
                    None if reachable(state, &digests) => self.due(state, round.started),
                    None => (!state.deleted).then_some(Cause::Absence),
                };
                count(&mut round.counts, why.as_ref(), entry.is_some());
                if let Some(why) = why {
                    wanted.push(Wanted { image, tags: entry.map(|e| e.tags).unwrap_or_default(), why });
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        for (digest, entry) in listed {
            let image = ImageId { registry: round.name.clone(), repository: repository.clone(), digest };
            round.counts.missing += 1;
            wanted.push(Wanted { image, tags: entry.tags, why: Cause::Reconcile });
        }
        if round.mode == ReconcileMode::Apply {
            self.queue(round, &wanted).await?;
        }
        observer(&round.counts, &wanted);
        Ok(())
    }

    async fn listing(
        &self,
        round: &mut Round<'_>,
        repository: &RepositoryName,
    ) -> Result<BTreeMap<Digest, ListedImage>, ReconcileError> {
        let now = self.ports.clock.now();
        let mut listed = BTreeMap::new();
        let mut after = None;
        loop {
            self.pace(round).await;
            let page = match round.registry.images(repository, after, self.settings.page).await {
                Ok(page) => page,
                // A repository that is not there lists nothing; what we know of it is asked about one by one.
                Err(RegistryError::NotFound(_)) => return Ok(BTreeMap::new()),
                Err(error) => return Err(ReconcileError::Registry { registry: round.name.clone(), error }),
            };
            for entry in page.items {
                let image = ImageId {
                    registry: round.name.clone(),
                    repository: repository.clone(),
                    digest: entry.digest.clone(),
                };
                if self.ports.scope.admits(&image, &entry.tags)
                    && self.ports.scope.admits_age(entry.pushed, now)
                {
                    listed.insert(entry.digest.clone(), entry);
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(listed);
            }
        }
    }

    /// Why an image that the registry has wants a look; none where it is up to date.
    fn due(&self, state: &ImageState, started: Timestamp) -> Option<Cause> {
        if state.deleted {
            return Some(Cause::Reconcile);
        }
        match state.abandoned {
            Some(AbandonReason::OutOfScope) => return None,
            Some(_) => return Some(Cause::Reconcile),
            None => {}
        }
        match &state.resolved {
            Some(Resolved::Index(_) | Resolved::Artifact(_)) if state.open.is_none() => None,
            // Waiting has its own clock.
            _ if state.due.is_some() => None,
            Some(Resolved::Image(_)) if state.is_current(&self.policy.sinks) => {
                let old = state.assessed.is_none_or(|at| started.since(at) >= self.settings.sweep_after);
                let outdated = state.indexed.as_ref() != Some(&self.policy.scanner);
                (old || outdated).then_some(Cause::Sweep)
            }
            // Work that was begun and not ended: its message may be lost. A wake-up is enough.
            _ => Some(Cause::Due),
        }
    }

    async fn queue(&self, round: &Round<'_>, wanted: &[Wanted]) -> Result<(), ReconcileError> {
        let started = round.started.to_string();
        let requests: Vec<ScanRequest> = wanted
            .iter()
            .map(|wanted| ScanRequest {
                id: RequestId::derived(&[
                    "reconcile",
                    wanted.why.as_str(),
                    &started,
                    &wanted.image.to_string(),
                ]),
                image: wanted.image.clone(),
                cause: wanted.why.clone(),
                at_least: None,
            })
            .collect();
        for batch in requests.chunks(MAX_SEND) {
            self.ports.queue.send(Lane::Backfill, batch).await?;
        }
        Ok(())
    }

    /// Repositories that we know and that the listing did not name.
    async fn vanished_repositories(
        &self,
        round: &mut Round<'_>,
        visited: &HashSet<RepositoryName>,
        observer: &mut RoundObserver<'_>,
    ) -> Result<(), ReconcileError> {
        let prefix = StreamId::registry_prefix(round.name);
        let mut vanished = HashSet::new();
        let mut after = None;
        loop {
            let page = self.ports.store.heads(&prefix, after, self.settings.page).await?;
            for (stream, head) in &page.items {
                let known = head.image().is_some_and(|state| !state.deleted);
                if let Some(image) =
                    stream.as_image().filter(|image| known && !visited.contains(&image.repository))
                {
                    vanished.insert(image.repository);
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        for repository in vanished {
            if self.ports.scope.admits_repository(round.name, &repository) {
                self.repository(round, &repository, observer).await?;
            }
        }
        Ok(())
    }
}

/// A child of a listed index is there although no tag leads to it.
fn reachable(state: &ImageState, listed: &HashSet<Digest>) -> bool {
    state.parents.iter().any(|parent| listed.contains(parent))
}

fn count(counts: &mut ReconcileCounts, why: Option<&Cause>, listed: bool) {
    match why {
        None if listed => counts.current += 1,
        None => {}
        Some(Cause::Sweep) => counts.swept += 1,
        Some(Cause::Absence) => counts.absent += 1,
        Some(_) => counts.missing += 1,
    }
}

//! Reconcile: what the registry has, compared with what we know. The first round is the bootstrap.

mod need;
mod owed;
mod round;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use self::need::{count, due, may_be_back, reachable, request_id};
use self::round::Round;
pub use self::round::{MAX_LISTED, ReconcileError, ReconcileMode, ReconcileSettings, RoundObserver, Wanted};
use super::Ports;
use super::journal::append;
use crate::ports::{AppendError, ListedImage, MAX_SEND, Registry, RegistryError};
use crate::scan::{
    Head, HeadState, Policy, ReconcileCounts, ReconcileEvent, ReconcileState, StreamId, evolve_reconcile,
};
use crate::vocabulary::{Cause, Digest, ImageId, Lane, PageToken, RegistryName, RepositoryName, ScanRequest};

/// Compares registries with what is known.
#[derive(Debug)]
pub struct Reconciler {
    ports: Arc<Ports>,
    policy: Policy,
    settings: ReconcileSettings,
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
                    self.visit(&mut round, &repository, observer).await?;
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

    /// One repository that cannot be listed does not keep the others from being compared: it is counted and named.
    async fn visit(
        &self,
        round: &mut Round<'_>,
        repository: &RepositoryName,
        observer: &mut RoundObserver<'_>,
    ) -> Result<(), ReconcileError> {
        match self.repository(round, repository, observer).await {
            Err(ReconcileError::Registry { registry, error })
                if !matches!(error, RegistryError::Throttled { .. }) =>
            {
                tracing::warn!(%registry, %repository, %error, "a repository cannot be listed; the round goes on");
                round.counts.unlisted += 1;
                Ok(())
            }
            done => done,
        }
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
        let (mut wanted, now) = (vec![], self.ports.clock.now());
        let prefix = StreamId::repository_prefix(round.name, repository);
        let mut after: Option<PageToken> = None;
        loop {
            let page = self.ports.store.heads(&prefix, after, self.settings.page).await?;
            for (stream, head) in &page.items {
                let (Some(image), Some(state)) = (stream.as_image(), head.image()) else { continue };
                let entry = listed.remove(&image.digest);
                if entry.is_some() || (!state.deleted && reachable(state, &digests)) {
                    let pushed = entry.as_ref().and_then(|entry| entry.pushed);
                    owed::count(&mut round.counts, &self.policy, Some(state), pushed, now);
                }
                let why = match &entry {
                    Some(_) => due(&self.policy, self.settings.sweep_after, state, round.started),
                    // Only a listing, or a push, says that what was deleted is back.
                    None if state.deleted => may_be_back(self.settings.sweep_after, state, round.started)
                        .filter(|_| reachable(state, &digests)),
                    None if reachable(state, &digests) => {
                        due(&self.policy, self.settings.sweep_after, state, round.started)
                    }
                    // Untagged, perhaps: while it is there it is owed what a listed one is.
                    None => due(&self.policy, self.settings.sweep_after, state, round.started)
                        .or(Some(Cause::Absence)),
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
            owed::count(&mut round.counts, &self.policy, None, entry.pushed, now);
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
        let (mut listed, mut entries, mut after) = (BTreeMap::new(), 0, None);
        loop {
            self.pace(round).await;
            let page = match round.registry.images(repository, after, self.settings.page).await {
                Ok(page) => page,
                // A repository that is not there lists nothing; what we know of it is asked about one by one.
                Err(RegistryError::NotFound(_)) => return Ok(BTreeMap::new()),
                Err(error) => return Err(ReconcileError::Registry { registry: round.name.clone(), error }),
            };
            entries = round.counted(entries, page.items.len(), repository)?;
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

    async fn queue(&self, round: &Round<'_>, wanted: &[Wanted]) -> Result<(), ReconcileError> {
        let requests: Vec<ScanRequest> = wanted
            .iter()
            .map(|wanted| ScanRequest {
                id: request_id(wanted, round.started),
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
        // In an order that does not depend on chance: the same story is told the same way again.
        let mut vanished = BTreeSet::new();
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
                self.visit(round, &repository, observer).await?;
            }
        }
        Ok(())
    }
}

//! Clair v4 as a [`Scanner`].

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use cve_monitor_core::pipeline::Registries;
use cve_monitor_core::ports::{Clock, IndexRequest, Readiness, Scanner, ScannerError};
use cve_monitor_core::vocabulary::{Assessment, Digest, Generation, ImageId, LayerKey, ScannerIdentity};

use super::super::http::HttpError;
use super::assess::{assessment, unreadable};
use super::client::ClairV4Client;
use super::error::IndexTrouble;
use super::index::{IndexState, index};
use super::operations::Operations;
use super::readiness::{FirstLoad, Patience};

/// The name of this scanner in events and reports.
pub const CLAIR_V4_SCANNER: &str = "clair-v4";
/// How often a report is asked for again because what Clair knows changed while it was made.
const TRIES: usize = 4;
/// How long to leave an image alone that another request has Clair reading.
const RUNNING_WAIT: Duration = Duration::from_secs(30);

/// When Clair's data counts as loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClairV4Loading {
    /// The updaters to wait for, as `update_operation` names them (`debian/updater`); a `*` stands for any text.
    /// None: all that show themselves.
    pub expected_updaters: Vec<String>,
    /// Clair's `matcher.period`. Where no updaters are named, the first load is over when for so long none has come
    /// for the first time.
    pub period: Duration,
    /// So long after the oldest operation nothing is waited for any more: an updater that is missing then makes the
    /// look at what it may know of partial, and is named.
    pub deadline: Duration,
}

impl Default for ClairV4Loading {
    fn default() -> Self {
        /// Clair's own default for `matcher.period`.
        const PERIOD: Duration = Duration::from_secs(6 * 60 * 60);
        Self { expected_updaters: vec![], period: PERIOD, deadline: PERIOD }
    }
}

/// A [`Scanner`] named [`CLAIR_V4_SCANNER`]. Its layer keys are the manifest digest and, where Clair's reverse lookup
/// answers nothing, the names of packages; its version is the state of Clair's indexer.
#[derive(Debug)]
pub struct ClairV4Scanner {
    client: Arc<ClairV4Client>,
    registries: Registries,
    clock: Arc<dyn Clock>,
    patience: Patience,
    index_state: Mutex<String>,
    /// What Clair knew when it was last asked; none until its first load was seen to be over.
    known: Mutex<Option<Operations>>,
}

/// What Clair knows now, its first load being over.
struct Known {
    latest: Operations,
    missing: Vec<String>,
}

impl ClairV4Scanner {
    /// A scanner on this Clair, which fetches layers from these registries.
    ///
    /// # Errors
    /// Where Clair's indexer does not tell its state: without it, nobody could tell which images are to be indexed
    /// again.
    pub async fn connect(
        client: Arc<ClairV4Client>,
        registries: Registries,
        loading: ClairV4Loading,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ScannerError> {
        let index_state = Mutex::new(client.index_state().await?);
        let ClairV4Loading { expected_updaters: expected, period, deadline } = loading;
        let patience = Patience { expected, period, deadline };
        Ok(Self { client, registries, clock, patience, index_state, known: Mutex::new(None) })
    }

    fn remember_state(&self, state: String) {
        *self.index_state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    fn last_known(&self) -> Option<Operations> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks what Clair knows. That the first load was over stays true while any operation of then is still listed:
    /// else this is another database, and it may be loading.
    async fn know(&self) -> Result<Known, ScannerError> {
        let last = self.last_known();
        if let Some(last) = &last {
            let latest = self.client.latest_operations().await?;
            if latest.continues(last) {
                return Ok(self.keep(latest));
            }
        }
        let all = self.client.operations().await?;
        let continued = last.is_some_and(|last| all.continues(&last));
        match self.patience.judge(&all, self.clock.now()) {
            FirstLoad::Running(why) if !continued => {
                *self.known.lock().unwrap_or_else(PoisonError::into_inner) = None;
                Err(ScannerError::Loading(format!("Clair's first load is not over: {why}")))
            }
            FirstLoad::Running(_) | FirstLoad::Over(_) => Ok(self.keep(all.into_latest())),
        }
    }

    fn keep(&self, latest: Operations) -> Known {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(latest.clone());
        Known { missing: self.patience.missing(&latest), latest }
    }

    /// What a report says at this state of knowledge.
    async fn look(&self, manifest: &Digest, known: &Known) -> Result<Assessment, ScannerError> {
        match self.client.vulnerability_report(manifest).await {
            Ok(Some(report)) => Ok(assessment(&report, &known.latest, &known.missing)),
            Ok(None) => Err(ScannerError::Loading("Clair has no vulnerabilities yet".to_owned())),
            Err(error) if is_unknown_index(&error) => match self.how_indexed(manifest).await? {
                IndexTrouble::Unreadable(why) => Ok(unreadable(&known.latest, why)),
                _ => Err(ScannerError::NotIndexed),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Why there is no report: what hindered the index of an image.
    async fn how_indexed(&self, manifest: &Digest) -> Result<IndexTrouble, ScannerError> {
        let waiting =
            |detail: &str, wait| ScannerError::Transient { retry_after: wait, detail: detail.to_owned() };
        match self.client.index_report(manifest).await {
            Ok(report) => match IndexState::of(&report) {
                IndexState::Failed(trouble) => Ok(trouble),
                IndexState::Running => Err(waiting("Clair is reading this image", Some(RUNNING_WAIT))),
                IndexState::Finished => Err(waiting("Clair has just read this image", None)),
            },
            Err(error) if is_unknown_index(&error) => Err(ScannerError::NotIndexed),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether Clair says that it has not indexed a manifest; what else a 404 may say is about the address.
fn is_unknown_index(error: &HttpError) -> bool {
    error.status_and_message().is_some_and(|(status, text)| status == 404 && text.contains("index report"))
}

#[async_trait]
impl Scanner for ClairV4Scanner {
    fn identity(&self) -> ScannerIdentity {
        let version = self.index_state.lock().unwrap_or_else(PoisonError::into_inner).clone();
        ScannerIdentity { name: CLAIR_V4_SCANNER.to_owned(), version }
    }

    fn keys(&self, request: &IndexRequest) -> Vec<LayerKey> {
        vec![LayerKey(request.image.digest.to_string())]
    }

    async fn readiness(&self) -> Result<Readiness, ScannerError> {
        self.remember_state(self.client.index_state().await?);
        match self.know().await {
            Ok(known) => Ok(Readiness::Ready(known.latest.knowledge())),
            Err(ScannerError::Loading(why)) => Ok(Readiness::Loading(why)),
            Err(error) => Err(error),
        }
    }

    async fn index(&self, request: &IndexRequest) -> Result<Vec<LayerKey>, ScannerError> {
        let indexed = index(&self.client, &self.registries, request).await?;
        if let Some(state) = indexed.state {
            self.remember_state(state);
        }
        Ok(indexed.keys)
    }

    async fn assess(
        &self,
        image: &ImageId,
        at_least: Option<Generation>,
    ) -> Result<Assessment, ScannerError> {
        let is_behind =
            |latest: &Operations| at_least.is_some_and(|least| latest.knowledge().generation < Some(least));
        // What was known last is most often still the case: then the question after the report is the only one.
        let mut known = match self.last_known().filter(|latest| !is_behind(latest)) {
            Some(latest) => Known { missing: self.patience.missing(&latest), latest },
            None => self.know().await?,
        };
        for _ in 0..TRIES {
            if is_behind(&known.latest) {
                return Err(ScannerError::Behind);
            }
            let found = self.look(&image.digest, &known).await?;
            let after = self.know().await?;
            if after.latest == known.latest {
                return Ok(found);
            }
            known = after;
        }
        let detail = "Clair's data changed each time while a report was made".to_owned();
        Err(ScannerError::Transient { retry_after: None, detail })
    }
}

//! Images whose packages are taken from the SBOM that is attached to them, where the scanner is asked to.

mod attached;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use cve_monitor_core::ports::{IndexRequest, Registry, ScannerError};
use cve_monitor_core::vocabulary::{Digest, ImageId, LayerKey};
use cve_monitor_scanner::sbom::{SBOM_READER_VERSION, without_sbom};
use cve_monitor_scanner::{ImageInventory, SbomProblem};
use rusqlite::Connection;

use super::rows::{self, NewLayer, StoredRecord};
use super::{EmbeddedScanner, blocking};

/// For how long it counts that an image had no SBOM: the next assessment after that has it looked for again.
const LOOK_AGE: Duration = Duration::from_secs(60 * 60);

/// What is done with an SBOM that is attached to an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SbomUse {
    /// Nothing: the layers are read.
    #[default]
    Ignore,
    /// It is believed; without one that can be read, the layers are.
    Prefer,
    /// It is believed; layers are never read, and an image without one is not looked into.
    Require,
}

impl SbomUse {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Ignore, Self::Prefer, Self::Require];

    /// As configurations have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Prefer => "prefer",
            Self::Require => "require",
        }
    }

    /// Reads one.
    ///
    /// # Errors
    /// Names the uses that there are.
    pub fn read(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|each| each.as_str() == text);
        known.ok_or_else(|| {
            format!("`{text}` is no use of SBOMs: expected \"ignore\", \"prefer\" or \"require\"")
        })
    }

    /// The version of what is extracted, with what is taken from SBOMs: images are looked into again where it changes.
    pub(super) fn version(self, extraction: &str) -> String {
        match self {
            Self::Ignore => extraction.to_owned(),
            how => format!("{extraction}+{SBOM_READER_VERSION}-{}", how.as_str()),
        }
    }

    /// Under what an image is stored: what was found under one use does not answer for another. An SBOM is attached to
    /// an image in one place; its layers are the same wherever it is.
    pub(super) fn stored_as(self, image: &ImageId) -> Digest {
        match self {
            Self::Ignore => image.digest.clone(),
            _ => Digest::of(format!("{}\n{image}", self.as_str()).as_bytes()),
        }
    }
}

impl EmbeddedScanner {
    /// Stores what an SBOM says in the layers' place. The key under which the feed will name it.
    pub(super) async fn index_sbom(
        &self,
        image: &ImageId,
        inventory: ImageInventory,
    ) -> Result<Vec<LayerKey>, ScannerError> {
        let (key, stored_as) = (key_of(&inventory), self.sbom.stored_as(image));
        if is_missing(&inventory) {
            self.looked.remember(stored_as.clone(), Instant::now());
        }
        let digest = key.clone();
        let new = blocking(move || {
            let record = StoredRecord::of(&inventory).map_err(ScannerError::Permanent)?;
            let packages = inventory.posting_keys();
            Ok(NewLayer { digest, extractor: SBOM_READER_VERSION, record, packages, fetched: true })
        })
        .await?;
        let layers = [key.clone()];
        let put = move |tx: &Connection| {
            rows::put_layer(tx, &new)?;
            rows::put_image(tx, &stored_as, &layers)
        };
        self.database.write(move |tx| put(tx)).await?;
        Ok(vec![LayerKey(key.to_string())])
    }
}

/// Under what an inventory is stored, beside those of layers. No layer has this digest: a document may itself be the
/// layer of an image.
fn key_of(inventory: &ImageInventory) -> Digest {
    let digest = inventory.sbom.as_ref().and_then(|sbom| sbom.digest.as_deref()).unwrap_or_default();
    let problem = if digest.is_empty() || inventory.packages.is_empty() { problem_of(inventory) } else { "" };
    Digest::of(format!("sbom\n{digest}\n{problem}").as_bytes())
}

fn problem_of(inventory: &ImageInventory) -> &'static str {
    let mut problems = inventory.sbom.iter().flat_map(|sbom| &sbom.problems);
    problems.next().map_or("", SbomProblem::code)
}

/// Whether an inventory says no more than that there is no SBOM.
pub(super) fn is_missing(inventory: &ImageInventory) -> bool {
    let problems = inventory.sbom.iter().flat_map(|sbom| &sbom.problems);
    problems.into_iter().any(|problem| *problem == SbomProblem::NoneAttached)
}

/// The inventory that is to be used for an image; none where its layers are to be read.
pub(super) async fn inventory(
    how: SbomUse,
    registry: &dyn Registry,
    request: &IndexRequest,
) -> Result<Option<ImageInventory>, ScannerError> {
    let mut first_problem = None;
    let found = match how {
        SbomUse::Ignore => return Ok(None),
        SbomUse::Prefer | SbomUse::Require => attached::find(registry, request, &mut first_problem).await?,
    };
    Ok(match (found, how) {
        (Some(found), _) => Some(found),
        (None, SbomUse::Require) => {
            let (digest, problem) = first_problem.unwrap_or((None, SbomProblem::NoneAttached));
            Some(without_sbom(digest.as_ref().map(Digest::as_str), problem))
        }
        (None, _) => None,
    })
}

/// When this process last found that an image has no SBOM.
#[derive(Debug, Default)]
pub(super) struct Looked(Mutex<HashMap<Digest, Instant>>);

impl Looked {
    /// It was looked for now.
    pub(super) fn remember(&self, stored_as: Digest, now: Instant) {
        let mut looked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // As many as were looked for in that time, not as many as ever were.
        looked.retain(|_, at| now.duration_since(*at) < LOOK_AGE);
        looked.insert(stored_as, now);
    }

    /// Whether it was looked for not long ago.
    pub(super) fn is_recent(&self, stored_as: &Digest, now: Instant) -> bool {
        let looked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        looked.get(stored_as).is_some_and(|at| now.duration_since(*at) < LOOK_AGE)
    }
}

//! What is stored of an image becomes its inventory, and that an assessment.

use std::collections::BTreeSet;

use cve_monitor_core::ports::ScannerError;
use cve_monitor_core::vocabulary::{Assessment, Digest, Generation, Knowledge, PackageKind};
use cve_monitor_scanner::matching;
use cve_monitor_scanner::{ImageInventory, LayerRecord, fold};

use super::error::transient;
use super::needs::fetching;
use super::rows::ImageLayers;
use super::sbom::is_missing;
use super::{NOTHING_IMPORTED, answer};
use crate::embedded::advisories::{Coverage, State};

/// What an image holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its packages, and what of it could not be read.
    pub inventory: ImageInventory,
    /// The digests of its layers, base first; none where the packages are those of an SBOM.
    pub layers: Vec<Digest>,
}

impl Seen {
    /// Names a layer whose record is damaged.
    pub(super) fn of(stored: &ImageLayers) -> Result<Self, Digest> {
        if stored.is_sbom {
            return Self::of_sbom(stored);
        }
        let mut records: Vec<LayerRecord> = Vec::with_capacity(stored.layers.len());
        for (digest, record) in &stored.layers {
            records.push(record.read().ok_or_else(|| digest.clone())?);
        }
        let ordered: Vec<&LayerRecord> = stored.order.iter().filter_map(|n| records.get(*n)).collect();
        // What a record is stored under is not always what the manifest names.
        let named = |n: &usize| {
            records.get(*n)?.blob_digest.parse().ok().or_else(|| Some(stored.layers.get(*n)?.0.clone()))
        };
        let layers = stored.order.iter().filter_map(named).collect();
        Ok(Self { inventory: fold(&ordered), layers })
    }

    fn of_sbom(stored: &ImageLayers) -> Result<Self, Digest> {
        let [(key, record)] = stored.layers.as_slice() else {
            return Err(stored.layers.first().map_or_else(|| Digest::of(b""), |(key, _)| key.clone()));
        };
        let inventory = record.read().ok_or_else(|| key.clone())?;
        Ok(Self { inventory, layers: vec![] })
    }

    /// The ecosystems whose advisories it needs, by the names of their exports, such as `Debian`.
    #[must_use]
    pub fn ecosystems(&self) -> BTreeSet<String> {
        let all = matching::ecosystems(&self.inventory);
        all.iter().map(|ecosystem| ecosystem.export().to_owned()).collect()
    }
}

/// Why an image could not be judged.
pub(super) enum Unjudged {
    /// The record of this layer is damaged.
    Damaged(Digest),
    Other(ScannerError),
}

/// The ecosystems that an image needs, and what is known about it; `none_since`: it was seen a moment ago that it has no
/// SBOM. An answer that would change as soon as advisories
/// that are on their way are there is none.
pub(super) fn judge(
    stored: &ImageLayers,
    none_since: bool,
    coverage: &Coverage,
    state: Option<&State>,
    at_least: Option<Generation>,
) -> Result<(BTreeSet<String>, Result<Assessment, ScannerError>), Unjudged> {
    let seen = Seen::of(stored).map_err(Unjudged::Damaged)?;
    // One may have been attached since.
    if is_missing(&seen.inventory) && !none_since {
        return Err(Unjudged::Other(ScannerError::NotIndexed));
    }
    let needed = seen.ecosystems();
    let awaited = coverage.awaited(&needed);
    let loading = |missing: String| Err(ScannerError::Loading(missing));
    let answer = match state {
        _ if !awaited.is_empty() => loading(fetching(&awaited)),
        None if !coverage.as_needed || at_least.is_some() => loading(NOTHING_IMPORTED.to_owned()),
        state => Ok(assessment(seen, state)?),
    };
    Ok((needed, answer))
}

fn assessment(seen: Seen, state: Option<&State>) -> Result<Assessment, Unjudged> {
    let Seen { inventory, layers } = seen;
    let matched = match state {
        // The file may have been replaced and removed meanwhile: the next try opens its successor.
        Some(state) => matching::assess(&inventory, &state.database)
            .map_err(|error| Unjudged::Other(transient(error)))?,
        None => matching::assess_without(&inventory),
    };
    let (findings, completeness) = answer::answer(matched, &layers);
    let mut own: BTreeSet<String> =
        matching::ecosystems(&inventory).into_iter().map(|ecosystem| ecosystem.name).collect();
    own.extend(inventory.distribution.as_ref().and_then(|distribution| distribution.ecosystem.clone()));
    Ok(Assessment {
        findings,
        completeness,
        sbom: inventory.sbom.as_ref().and_then(|sbom| sbom.digest.as_deref()?.parse().ok()),
        looked_at: inventory.looked_at.iter().map(|kind| PackageKind(kind.as_str().to_owned())).collect(),
        knowledge: state.map_or_else(nothing_known, |state| state.knowledge(|name| own.contains(name))),
    })
}

/// What is known where no advisory is needed.
pub(super) fn nothing_known() -> Knowledge {
    Knowledge { id: None, generation: None, last_changed: [].into() }
}

//! What is true: which images there are, what each state of knowledge says, what the registry told whom.

use std::collections::{BTreeMap, BTreeSet};

use cve_monitor_core::testkit::model::ModelAdvisory;
use cve_monitor_core::vocabulary::{ImageId, Level, RegistryName, Verdict};

use super::catalogue::{self, Kind, Known};
use crate::stage::{Chance, Role};

/// Name, package, version and the version that repairs it.
pub(crate) type FindingTruth = (String, String, String, Option<String>);

/// How the scanner is.
#[derive(Debug, Default)]
pub(crate) struct ScannerTruth {
    pub(crate) loading: bool,
    /// Packages whose data it lacks.
    pub(crate) missing: BTreeSet<&'static str>,
    pub(crate) version: u32,
    /// By how many states the knowledge that a process sees is behind.
    pub(crate) lags: BTreeMap<Role, u64>,
}

impl ScannerTruth {
    pub(crate) fn lag_of(&self, role: Role) -> u64 {
        self.lags.get(&role).copied().unwrap_or(0)
    }
}

/// The truth.
#[derive(Debug)]
pub(crate) struct Truth {
    pub(crate) images: Vec<Known>,
    pub(crate) lists_tagged_only: bool,
    pub(crate) scanner: ScannerTruth,
    /// Every state of knowledge; the first is generation 1.
    pub(crate) states: Vec<BTreeMap<String, ModelAdvisory>>,
    /// Published by mistake: to be withdrawn soon.
    pub(crate) mistake: Option<String>,
    told_gone: BTreeSet<(Role, ImageId)>,
    /// Garbage that was sent: it must come to lie among the dead letters.
    pub(crate) garbage: BTreeSet<String>,
    /// Numbers the requests of the outside.
    pub(crate) requests: u64,
}

impl Truth {
    pub(super) fn drawn(chance: &mut Chance, registry: &RegistryName) -> Self {
        Self {
            images: catalogue::drawn(chance, registry),
            lists_tagged_only: chance.happens(4000),
            scanner: ScannerTruth { version: 1, ..ScannerTruth::default() },
            states: vec![],
            mistake: None,
            told_gone: BTreeSet::new(),
            garbage: BTreeSet::new(),
            requests: 0,
        }
    }

    pub(crate) fn tell_gone(&mut self, role: Role, image: &ImageId) {
        self.told_gone.insert((role, image.clone()));
    }

    pub(crate) fn was_told_gone(&self, role: Role, image: &ImageId) -> bool {
        self.told_gone.contains(&(role, image.clone()))
    }

    pub(crate) fn known(&self, image: &ImageId) -> Option<&Known> {
        self.images.iter().find(|known| known.id.as_ref() == Some(image))
    }

    /// What a report on this image must say from that state of knowledge.
    pub(crate) fn expected(
        &self,
        known: &Known,
        generation: u64,
    ) -> (BTreeSet<FindingTruth>, Level, Verdict) {
        let Kind::Image(layers) = &known.kind else {
            return (BTreeSet::new(), Level::Unsupported, Verdict::Unknown);
        };
        let (mut installed, mut is_whole) = (BTreeSet::new(), true);
        for line in layers.iter().flat_map(|layer| layer.lines()) {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["deb", package, version] => drop(installed.insert((package, version))),
                _ => is_whole = false,
            }
        }
        let place = usize::try_from(generation).unwrap_or(0).checked_sub(1);
        let state = place.and_then(|place| self.states.get(place));
        let mut findings = BTreeSet::new();
        for advisory in state.into_iter().flat_map(BTreeMap::values) {
            for (package, version) in &installed {
                if *package == advisory.package && advisory.fixed_by.as_deref() != Some(*version) {
                    let (package, version) = ((*package).to_owned(), (*version).to_owned());
                    findings.insert((advisory.name.clone(), package, version, advisory.fixed_by.clone()));
                }
            }
        }
        let level = match (installed.is_empty(), is_whole) {
            (true, _) => Level::Unsupported,
            (false, true) => Level::Complete,
            (false, false) => Level::Partial,
        };
        let verdict = match (findings.is_empty(), level) {
            (false, _) => Verdict::Vulnerable,
            (true, Level::Complete) => Verdict::Clean,
            (true, _) => Verdict::Unknown,
        };
        (findings, level, verdict)
    }
}

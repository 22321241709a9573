//! How complete the look at an image was, and every reason why it was not.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::assess::wanted::{is_certain, is_known};
use crate::advisory::{Database, Ecosystem, ended};
use crate::{ImageInventory, LayerProblem, PackageInstance, PackageKind, SbomProblem, Unread};

/// How complete the look at an image was. Only a complete look without a finding says that it is clean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "look", rename_all = "snake_case")]
pub enum Completeness {
    /// All that is known to be there was judged.
    Complete,
    /// Something was judged, something could not be.
    Partial {
        /// Why, sorted.
        reasons: Vec<Reason>,
    },
    /// Nothing could be judged.
    Unsupported {
        /// Why, sorted.
        reasons: Vec<Reason>,
    },
}

/// Why a look was not complete.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// No package database was found.
    NoPackageDatabase,
    /// The package database names no package at all.
    EmptyPackageDatabase,
    /// The image does not say which distribution it is, or one that is not known.
    UnknownDistribution {
        /// `ID` of os-release.
        id: Option<String>,
        /// `VERSION_ID` of os-release.
        version_id: Option<String>,
    },
    /// There is no advisory for the distribution's release.
    NoAdvisoriesForDistribution {
        /// The OSV ecosystem.
        ecosystem: String,
    },
    /// Nobody looks after the distribution's release any more: what became known since is in no advisory.
    EndOfLifeDistribution {
        /// The OSV ecosystem.
        ecosystem: String,
        /// The last day of its support.
        ended: String,
    },
    /// There is no advisory for packages of a language.
    NoAdvisoriesForEcosystem {
        /// The OSV ecosystem.
        ecosystem: String,
    },
    /// Files of a kind that is not read, or packages whose identity, version or ecosystem is not known.
    UnreadKind {
        /// The kind.
        kind: PackageKind,
        /// How many files.
        count: u64,
        /// One of them.
        example: String,
    },
    /// A layer, or a file in it, could not be read.
    LayerProblem {
        /// The layer, counted from the base.
        layer: usize,
        /// What is wrong.
        #[serde(flatten)]
        problem: LayerProblem,
    },
    /// The SBOM that the inventory was taken from does not tell all.
    SbomProblem {
        /// The digest of the document; none where there is none.
        digest: Option<String>,
        /// What is wrong.
        #[serde(flatten)]
        problem: SbomProblem,
    },
}

impl Reason {
    /// The reason's stable name, as it is stored.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoPackageDatabase => "no_package_database",
            Self::EmptyPackageDatabase => "empty_package_database",
            Self::UnknownDistribution { .. } => "unknown_distribution",
            Self::NoAdvisoriesForDistribution { .. } => "no_advisories_for_distribution",
            Self::EndOfLifeDistribution { .. } => "end_of_life_distribution",
            Self::NoAdvisoriesForEcosystem { .. } => "no_advisories_for_ecosystem",
            Self::UnreadKind { .. } => "unread_kind",
            Self::LayerProblem { .. } => "layer_problem",
            Self::SbomProblem { .. } => "sbom_problem",
        }
    }
}

impl Completeness {
    /// The reasons; none for a complete look.
    pub fn reasons(&self) -> &[Reason] {
        match self {
            Self::Complete => &[],
            Self::Partial { reasons } | Self::Unsupported { reasons } => reasons,
        }
    }

    /// Judges how much of an image can be seen with a database, or without one. `looked_after` are the packages whose
    /// advisories speak for what they brought.
    pub(super) fn of(
        inventory: &ImageInventory,
        database: Option<&Database>,
        looked_after: &BTreeSet<&str>,
    ) -> Self {
        let look = Look { inventory, database, looked_after };
        let mut reasons: Vec<Reason> = look
            .unread()
            .into_iter()
            .map(|(kind, Unread { count, example })| Reason::UnreadKind { kind, count, example })
            .collect();
        let problems = inventory.problems.iter().cloned();
        reasons.extend(problems.map(|(layer, problem)| Reason::LayerProblem { layer, problem }));
        if let Some(sbom) = &inventory.sbom {
            let problems = sbom.problems.iter().cloned();
            let digest = || sbom.digest.clone();
            reasons.extend(problems.map(|problem| Reason::SbomProblem { digest: digest(), problem }));
        }
        reasons.extend(look.system());
        reasons.extend(look.languages());
        reasons.sort();
        reasons.dedup();
        if reasons.is_empty() {
            Self::Complete
        } else if inventory.packages.iter().any(|package| look.is_judged(package)) {
            Self::Partial { reasons }
        } else {
            Self::Unsupported { reasons }
        }
    }
}

struct Look<'a> {
    inventory: &'a ImageInventory,
    database: Option<&'a Database>,
    looked_after: &'a BTreeSet<&'a str>,
}

impl Look<'_> {
    fn ecosystem(&self, kind: PackageKind) -> Option<Ecosystem> {
        let distribution = self.inventory.distribution.as_ref();
        Ecosystem::of(kind, distribution.and_then(|distribution| distribution.ecosystem.as_deref()))
    }

    fn has_advisories(&self, ecosystem: &str) -> bool {
        self.database.is_some_and(|database| database.has_ecosystem(ecosystem))
    }

    fn is_judged(&self, package: &PackageInstance) -> bool {
        let ecosystem = self.ecosystem(package.kind);
        is_known(package) && ecosystem.is_some_and(|ecosystem| self.has_advisories(&ecosystem.name))
    }

    /// What is not read, and what was read but cannot be told from other packages. What the distribution looks
    /// after is judged as its package.
    fn unread(&self) -> BTreeMap<PackageKind, Unread> {
        let mut unread = self.inventory.unread.clone();
        let of_distribution = self.distribution_kind();
        for package in &self.inventory.packages {
            let is_foreign =
                package.kind.is_system() && of_distribution.is_some_and(|kind| kind != package.kind);
            let owner = package.owned_by.as_deref();
            if !owner.is_some_and(|owner| self.looked_after.contains(owner))
                && (is_foreign || !is_certain(package))
            {
                let example = package.location.clone();
                unread.entry(package.kind).or_insert(Unread { count: 0, example }).count += 1;
            }
        }
        unread
    }

    fn distribution_kind(&self) -> Option<PackageKind> {
        let ecosystem = self.inventory.distribution.as_ref()?.ecosystem.as_deref()?;
        Ecosystem::parse(ecosystem).map(|ecosystem| ecosystem.kind())
    }

    /// What stands in the way of judging the distribution's packages.
    fn system(&self) -> Option<Reason> {
        if !self.inventory.has_package_database {
            // Where there is no SBOM to look into, nothing more is known.
            let problems = || self.inventory.sbom.iter().flat_map(|sbom| &sbom.problems);
            let was_looked_into = problems().all(|problem| *problem != SbomProblem::NoneAttached);
            return was_looked_into.then_some(Reason::NoPackageDatabase);
        }
        // Every installed system has packages: an emptied database hides them.
        if !self.inventory.packages.iter().any(|package| package.kind.is_system()) {
            return Some(Reason::EmptyPackageDatabase);
        }
        let distribution = self.inventory.distribution.as_ref();
        let ecosystem = distribution.and_then(|distribution| distribution.ecosystem.as_deref());
        match ecosystem.and_then(Ecosystem::parse) {
            None => Some(Reason::UnknownDistribution {
                id: distribution.map(|distribution| distribution.id.clone()),
                version_id: distribution.and_then(|distribution| distribution.version_id.clone()),
            }),
            Some(ecosystem) if !self.has_advisories(&ecosystem.name) => {
                Some(Reason::NoAdvisoriesForDistribution { ecosystem: ecosystem.name })
            }
            Some(ecosystem) => {
                let ended = ended(&ecosystem, self.database?)?.to_owned();
                Some(Reason::EndOfLifeDistribution { ecosystem: ecosystem.name, ended })
            }
        }
    }

    /// The languages of packages that no advisory speaks of.
    fn languages(&self) -> Vec<Reason> {
        let mut kinds: Vec<PackageKind> =
            self.inventory.packages.iter().map(|package| package.kind).collect();
        kinds.sort();
        kinds.dedup();
        kinds.retain(|kind| !kind.is_system());
        let ecosystems = kinds.into_iter().filter_map(|kind| self.ecosystem(kind));
        let without = ecosystems.filter(|ecosystem| !self.has_advisories(&ecosystem.name));
        without.map(|ecosystem| Reason::NoAdvisoriesForEcosystem { ecosystem: ecosystem.name }).collect()
    }
}

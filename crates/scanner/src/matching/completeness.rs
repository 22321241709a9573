//! How complete the look at an image was, and every reason why it was not.

use serde::{Deserialize, Serialize};

use crate::advisory::Database;
use crate::{ImageInventory, LayerProblem, PackageInstance, PackageKind, Unread};

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
    /// Files of a kind that is not read.
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
}

impl Reason {
    /// The reason's stable name, as it is stored.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoPackageDatabase => "no_package_database",
            Self::EmptyPackageDatabase => "empty_package_database",
            Self::UnknownDistribution { .. } => "unknown_distribution",
            Self::NoAdvisoriesForDistribution { .. } => "no_advisories_for_distribution",
            Self::UnreadKind { .. } => "unread_kind",
            Self::LayerProblem { .. } => "layer_problem",
        }
    }

    /// Whether nothing at all can be judged because of it.
    fn rules_out_all(&self) -> bool {
        !matches!(self, Self::UnreadKind { .. } | Self::LayerProblem { .. })
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

    /// Judges how much of an image can be seen with a database.
    pub(super) fn of(inventory: &ImageInventory, database: &Database) -> Self {
        let mut unread = inventory.unread.clone();
        // Packages of languages are known by now, but no advisory is held against them yet.
        let is_unjudged =
            |package: &&PackageInstance| package.kind != PackageKind::Deb && package.owned_by.is_none();
        for package in inventory.packages.iter().filter(is_unjudged) {
            let example = package.location.clone();
            unread.entry(package.kind).or_insert(Unread { count: 0, example }).count += 1;
        }
        let mut reasons: Vec<Reason> = unread
            .into_iter()
            .map(|(kind, Unread { count, example })| Reason::UnreadKind { kind, count, example })
            .collect();
        let problems = inventory.problems.iter().cloned();
        reasons.extend(problems.map(|(layer, problem)| Reason::LayerProblem { layer, problem }));
        reasons.extend(obstacle(inventory, database));
        reasons.sort();
        reasons.dedup();
        if reasons.iter().any(Reason::rules_out_all) {
            Self::Unsupported { reasons }
        } else if reasons.is_empty() {
            Self::Complete
        } else {
            Self::Partial { reasons }
        }
    }
}

/// What stands in the way of judging anything.
fn obstacle(inventory: &ImageInventory, database: &Database) -> Option<Reason> {
    if !inventory.has_package_database {
        return Some(Reason::NoPackageDatabase);
    }
    // Every installed system has packages: an emptied database hides them.
    if inventory.packages.is_empty() {
        return Some(Reason::EmptyPackageDatabase);
    }
    let distribution = inventory.distribution.as_ref();
    match distribution.and_then(|distribution| distribution.ecosystem.as_deref()) {
        None => Some(Reason::UnknownDistribution {
            id: distribution.map(|distribution| distribution.id.clone()),
            version_id: distribution.and_then(|distribution| distribution.version_id.clone()),
        }),
        Some(ecosystem) if !database.has_ecosystem(ecosystem) => {
            Some(Reason::NoAdvisoriesForDistribution { ecosystem: ecosystem.to_owned() })
        }
        Some(_) => None,
    }
}

//! Reports as Clair v4 writes them (claircore's `IndexReport` and `VulnerabilityReport`): the parts that are used.
//! Unknown keys are passed over, and `null` is an empty list or map.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

/// A map of which Clair names the entries by numbers of its own.
pub(in crate::clair::v4) type ById<T> = BTreeMap<String, T>;

/// What is in an image. Of an index, how that went besides; of a report, what is known about it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::clair::v4) struct Report {
    pub(in crate::clair::v4) state: String,
    pub(in crate::clair::v4) success: bool,
    pub(in crate::clair::v4) err: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) packages: ById<Package>,
    #[serde(deserialize_with = "nullable")]
    pub(super) distributions: ById<Distribution>,
    #[serde(deserialize_with = "nullable")]
    pub(super) repository: ById<Repository>,
    #[serde(deserialize_with = "nullable")]
    pub(super) environments: ById<List<Environment>>,
    #[serde(deserialize_with = "nullable")]
    pub(super) vulnerabilities: ById<Vulnerability>,
    #[serde(deserialize_with = "nullable")]
    pub(super) package_vulnerabilities: ById<List<String>>,
    /// By the type of the enrichment, which names its shape.
    #[serde(deserialize_with = "nullable")]
    pub(super) enrichments: BTreeMap<String, serde_json::Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) source: Option<Source>,
    pub(super) arch: String,
}

/// The package that a binary one was built from; one without a name stands for none.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Source {
    pub(super) name: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Distribution {
    pub(super) did: String,
    pub(super) version: String,
    pub(super) version_code_name: String,
    pub(super) version_id: String,
    pub(super) pretty_name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Repository {
    pub(super) name: String,
    pub(super) key: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Environment {
    pub(super) package_db: String,
    pub(super) introduced_in: String,
    pub(super) distribution_id: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) repository_ids: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Vulnerability {
    pub(super) updater: String,
    pub(super) name: String,
    pub(super) description: String,
    /// Separated by spaces.
    pub(super) links: String,
    /// The vendor's word, or a CVSS vector.
    pub(super) severity: String,
    pub(super) normalized_severity: String,
    pub(super) distribution: Option<Distribution>,
    pub(super) repository: Option<Repository>,
    /// Empty: none is published. Of Maven, PyPI and RubyGems it is a range in the form of a query.
    pub(super) fixed_in_version: String,
}

/// A list that may be `null`.
#[derive(Debug)]
pub(super) struct List<T>(pub(super) Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(vec![])
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        nullable(deserializer).map(Self)
    }
}

fn nullable<'de, T: Default + Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

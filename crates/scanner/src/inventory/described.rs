//! Where an inventory comes from that was not read out of layers: an SBOM, somebody's word.

use serde::{Deserialize, Serialize};

/// The SBOM that an inventory was taken from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SbomSource {
    /// The digest of the document's blob; none where there is no document.
    pub digest: Option<String>,
    /// Its format and version, such as `CycloneDX 1.6`; empty where there is no document.
    pub format: String,
    /// Why it does not tell all that an image holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<SbomProblem>,
}

/// Why an SBOM does not tell all that an image holds, or tells nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SbomProblem {
    /// None is attached to the image.
    NoneAttached,
    /// It says itself that it is not complete.
    Incomplete,
    /// It names packages of a kind that is not known, or without a package URL.
    UnknownPackages {
        /// The type of their package URLs, or what is wrong with these.
        kind: String,
        /// How many.
        count: u64,
        /// One of them.
        example: String,
    },
    /// None of the distribution's packages names its source package, by which advisories speak of them.
    NoSourcePackages,
    /// It is not in a form that is read.
    Unreadable {
        /// What is wrong.
        reason: String,
    },
    /// The statement that it stands in is about another image.
    OtherImage,
    /// The document is longer than the limit.
    TooLong {
        /// The limit.
        limit_bytes: u64,
    },
    /// It names more packages than the limit.
    TooManyPackages {
        /// The limit.
        limit_packages: u64,
    },
}

impl SbomProblem {
    /// The problem's stable name, as it is stored.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoneAttached => "none_attached",
            Self::Incomplete => "incomplete",
            Self::UnknownPackages { .. } => "unknown_packages",
            Self::NoSourcePackages => "no_source_packages",
            Self::Unreadable { .. } => "unreadable",
            Self::OtherImage => "other_image",
            Self::TooLong { .. } => "too_long",
            Self::TooManyPackages { .. } => "too_many_packages",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_name_is_the_code() {
        for problem in [
            SbomProblem::NoneAttached,
            SbomProblem::UnknownPackages { kind: "conan".into(), count: 1, example: "p".into() },
            SbomProblem::TooLong { limit_bytes: 1 },
        ] {
            assert_eq!(serde_json::to_value(&problem).unwrap()["problem"], problem.code());
        }
    }
}

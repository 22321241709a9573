//! What a scanner knows, who it is, and what it answers about an image.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Completeness, Digest, Finding, PackageKind, Timestamp};

/// A text of one meaning, written as it is.
macro_rules! text {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(pub String);

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
pub(crate) use text;

text!(
    /// Identifies a state of a scanner's data: an advisory database's content hash, a set of updater refs.
    KnowledgeId
);
text!(
    /// What the configured change feed names an image's parts by: a blob digest, a manifest digest, a chain id.
    LayerKey
);
text!(
    /// A change feed; one stream of events each.
    FeedName
);

/// The place of a state of knowledge in its feed: later states have greater numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(pub u64);

/// Which scanner, and which version of what it extracts: a new version means that images are indexed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScannerIdentity {
    /// The scanner's name; part of a report's identity.
    pub name: String,
    /// The version of its extraction; an attribute of a report.
    pub version: String,
}

/// The data behind an assessment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Knowledge {
    /// Its identity; none where the scanner's data has no version.
    pub id: Option<KnowledgeId>,
    /// Its place in the feed; none where the scanner's data has no version.
    pub generation: Option<Generation>,
    /// When the data of each ecosystem last changed (not: was last checked).
    pub last_changed: BTreeMap<String, Timestamp>,
}

/// A scanner's answer about one image, from what it has stored: no layer is read for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// What was found, in any order.
    pub findings: Vec<Finding>,
    /// How complete the look was.
    pub completeness: Completeness,
    /// The kinds of packages that were looked at.
    pub looked_at: Vec<PackageKind>,
    /// The SBOM that the packages were taken from; none where the layers were read.
    pub sbom: Option<Digest>,
    /// The data that it was made from.
    pub knowledge: Knowledge,
}

//! What makes two reports the same.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::vocabulary::{Assessment, Digest, Finding, FindingKey, ImageId, text};

const HEX_DIGITS: usize = 32;

text!(
    /// What a report says, hashed: findings, completeness with reasons, parent indexes, the SBOM that was believed.
    /// Nothing else is in it.
    ContentHash
);
text!(
    /// Names a report: f(image, scanner name, previous report, content). So A → B → A is three reports.
    ReportId
);

impl ContentHash {
    /// The content of an assessment.
    #[must_use]
    pub fn of(assessment: &Assessment, parents: &[Digest]) -> Self {
        let Assessment { findings, completeness, sbom, .. } = assessment;
        let mut keys: Vec<FindingKey> = findings.iter().map(Finding::key).collect();
        keys.sort_unstable();
        keys.dedup();
        let mut parents = parents.to_vec();
        parents.sort_unstable();
        // A value of our own types always has a JSON form.
        let json = match sbom {
            None => serde_json::to_vec(&(keys, completeness, parents)),
            Some(sbom) => serde_json::to_vec(&(keys, completeness, parents, sbom)),
        };
        let json = json.unwrap_or_default();
        Self(Digest::of(&json).hex()[..HEX_DIGITS].to_owned())
    }
}

impl ReportId {
    /// The id of the report that follows `previous` with this content.
    #[must_use]
    pub fn after(previous: Option<&Self>, image: &ImageId, scanner: &str, content: &ContentHash) -> Self {
        let previous = previous.map_or("", |id| id.0.as_str());
        let spelt = format!("{image}\n{scanner}\n{previous}\n{content}");
        Self(Digest::of(spelt.as_bytes()).hex()[..HEX_DIGITS].to_owned())
    }
}

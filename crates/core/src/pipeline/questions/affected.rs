//! Which images a vulnerability affects, by their last reports.

use serde::Deserialize;

use super::QuestionError;
use crate::pipeline::Ports;
use crate::scan::{ReportId, StreamId};
use crate::vocabulary::{Digest, ImageId, Severity, Verdict};

const PAGE: usize = 200;

/// A finding of the vulnerability that was asked about.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AffectedFinding {
    /// The vulnerability.
    pub name: String,
    /// The installed package.
    #[serde(rename = "FeatureName")]
    pub package: String,
    /// Its version.
    #[serde(rename = "FeatureVersion")]
    pub version: String,
    /// How bad.
    pub severity: Severity,
    /// The version that repairs it.
    pub fixed_by: Option<String>,
    /// The file that says that the package is installed.
    pub location: String,
    /// The layer that brought it in.
    pub layer: Option<Digest>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    records: Vec<String>,
}

/// An image that is affected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AffectedImage {
    /// The image.
    pub image: ImageId,
    /// Its last report.
    pub report: ReportId,
    /// The tags that led to it, or to an index that names it, when that report was made.
    pub tags: Vec<String>,
    /// Indexes that name it.
    pub parents: Vec<Digest>,
    /// What was found.
    pub findings: Vec<AffectedFinding>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Report {
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    parent_indexes: Vec<Parent>,
    vulnerabilities: std::collections::BTreeMap<String, Vec<AffectedFinding>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parent {
    tags: Vec<String>,
}

/// Tells each image whose last report names this vulnerability (a CVE, an alias or an advisory record), in the
/// order of their ids; how many those are. A body that is missing or damaged is an error: an answer that leaves
/// an image out would be a false "clean".
///
/// # Errors
/// Where heads or bodies cannot be read.
pub async fn affected(
    ports: &Ports,
    name: &str,
    tell: &mut (dyn FnMut(AffectedImage) + Send),
) -> Result<u64, QuestionError> {
    let (mut count, mut after) = (0, None);
    loop {
        let page = ports.store.heads(StreamId::IMAGES, after, PAGE).await?;
        for (stream, head) in page.items {
            let (Some(image), Some(state)) = (stream.as_image(), head.image()) else { continue };
            let Some(last) =
                state.last_report.as_ref().filter(|l| !state.deleted && l.verdict == Verdict::Vulnerable)
            else {
                continue;
            };
            let damaged = || crate::ports::ArchiveError::Corrupt(last.body.clone());
            let body = ports.archive.get(&last.body).await?.ok_or_else(damaged)?;
            let report: Report = serde_json::from_slice(&body).map_err(|_| damaged())?;
            let findings: Vec<AffectedFinding> = report
                .vulnerabilities
                .into_values()
                .flatten()
                .filter(|finding| finding.is_called(name))
                .collect();
            if !findings.is_empty() {
                count += 1;
                let mut tags = report.tags;
                tags.extend(report.parent_indexes.into_iter().flat_map(|parent| parent.tags));
                let (report, parents) = (last.id.clone(), state.parents.clone());
                tell(AffectedImage { image, report, tags, parents, findings });
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(count);
        }
    }
}

impl AffectedFinding {
    fn is_called(&self, name: &str) -> bool {
        [&self.name]
            .into_iter()
            .chain(&self.aliases)
            .chain(&self.records)
            .any(|n| n.eq_ignore_ascii_case(name))
    }
}

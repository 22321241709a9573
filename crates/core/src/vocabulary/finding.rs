//! Findings: one vulnerability in one installed package of one image.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Digest;

/// How bad, in the words that reports have always used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Severity {
    /// Nobody has said.
    Unknown,
    /// No practical effect.
    Negligible,
    /// CVSS 0.1 to 3.9.
    Low,
    /// CVSS 4.0 to 6.9.
    Medium,
    /// CVSS 7.0 to 8.9.
    High,
    /// CVSS 9.0 to 10.0.
    Critical,
}

impl Severity {
    /// All of them, worst first.
    pub const ALL: [Self; 6] =
        [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Negligible, Self::Unknown];

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "Critical",
            Self::High => "High",
            Self::Medium => "Medium",
            Self::Low => "Low",
            Self::Negligible => "Negligible",
            Self::Unknown => "Unknown",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|severity| severity.as_str().eq_ignore_ascii_case(text)).ok_or_else(|| {
            format!("`{text}` is not a severity: expected critical, high, medium, low, negligible or unknown")
        })
    }
}

/// Whether something can be done about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingStatus {
    /// A fixed version is published.
    FixAvailable,
    /// The vendor has published no fix.
    NoFix,
    /// The vendor says that there will be none.
    WontFix,
    /// The release that the package belongs to is no longer supported.
    EndOfLife,
    /// The vendor has not decided yet.
    Undetermined,
}

impl FindingStatus {
    /// The word in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FixAvailable => "fix_available",
            Self::NoFix => "no_fix",
            Self::WontFix => "wont_fix",
            Self::EndOfLife => "end_of_life",
            Self::Undetermined => "undetermined",
        }
    }
}

/// A kind of package: `deb`, `rpm`, `apk`, `python`, `node`, `java`, `go` …
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PackageKind(pub String);

/// What is known of a vulnerability besides its advisories: attributes of a report, no part of its content.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Enrichments {
    /// Its CVSS vectors.
    pub cvss: Vec<String>,
    /// How probable it is that it will be exploited within 30 days (EPSS).
    pub epss: Option<Probability>,
    /// Whether it is known to be exploited (CISA's KEV catalogue).
    pub known_exploited: bool,
}

/// A probability, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Probability(u32);

impl Probability {
    const MILLION: f64 = 1_000_000.0;

    /// A number from 0 to 1; none for any other.
    #[must_use]
    pub fn of(number: f64) -> Option<Self> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is within 0 and a million"
        )]
        (0.0..=1.0).contains(&number).then(|| Self((number * Self::MILLION).round() as u32))
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> f64 {
        f64::from(self.0) / Self::MILLION
    }
}

/// One vulnerability in one installed package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The CVE where there is one, else the advisory's own id.
    pub name: String,
    /// The advisory records that say so.
    pub records: Vec<String>,
    /// Other names of the same vulnerability.
    pub aliases: Vec<String>,
    /// Where the advisory speaks about, as Clair writes it: `debian:12`.
    pub namespace: String,
    /// How bad.
    pub severity: Severity,
    /// Whose word that is: `debian`, `CVSS:3.1/…`.
    pub severity_source: Option<String>,
    /// Whether something can be done.
    pub status: FindingStatus,
    /// The kind of package.
    pub kind: PackageKind,
    /// The installed package.
    pub package: String,
    /// Its installed version.
    pub version: String,
    /// Its architecture, where it has one.
    pub architecture: Option<String>,
    /// The source package that it was built from, where known.
    pub source: Option<String>,
    /// The version that repairs it, where one is published.
    pub fixed_by: Option<String>,
    /// The file that says that the package is installed.
    pub location: String,
    /// The layer that brought it in.
    pub layer: Option<Digest>,
    /// A short text.
    pub description: String,
    /// Where to read more.
    pub link: String,
    /// What is known of it besides.
    #[serde(default)]
    pub enrichments: Enrichments,
}

/// What makes a finding the same finding from report to report, and what makes it a different one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FindingKey {
    /// The vulnerability's name.
    pub name: String,
    /// The package, with its architecture where it has one.
    pub package: String,
    /// Its version.
    pub version: String,
    /// Where it lies.
    pub location: String,
    /// Whether something can be done.
    pub status: FindingStatus,
    /// How bad.
    pub severity: Severity,
    /// The version that repairs it.
    pub fixed_by: Option<String>,
}

impl Finding {
    /// The part of a finding that `content` is made of: text, links, aliases and enrichments are not.
    #[must_use]
    pub fn key(&self) -> FindingKey {
        let package = match &self.architecture {
            Some(architecture) => format!("{}:{architecture}", self.package),
            None => self.package.clone(),
        };
        FindingKey {
            name: self.name.clone(),
            package,
            version: self.version.clone(),
            location: self.location.clone(),
            status: self.status,
            severity: self.severity,
            fixed_by: self.fixed_by.clone(),
        }
    }
}

/// How many findings of each severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", default)]
pub struct SeverityCounts {
    /// Critical ones.
    pub critical: u32,
    /// High ones.
    pub high: u32,
    /// Medium ones.
    pub medium: u32,
    /// Low ones.
    pub low: u32,
    /// Negligible ones.
    pub negligible: u32,
    /// Those that nobody has rated.
    pub unknown: u32,
}

impl SeverityCounts {
    /// Counts these findings.
    #[must_use]
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let mut counts = Self::default();
        for finding in findings {
            *counts.slot(finding.severity) += 1;
        }
        counts
    }

    fn slot(&mut self, severity: Severity) -> &mut u32 {
        match severity {
            Severity::Critical => &mut self.critical,
            Severity::High => &mut self.high,
            Severity::Medium => &mut self.medium,
            Severity::Low => &mut self.low,
            Severity::Negligible => &mut self.negligible,
            Severity::Unknown => &mut self.unknown,
        }
    }

    /// How many of one severity.
    #[must_use]
    pub fn get(mut self, severity: Severity) -> u32 {
        *self.slot(severity)
    }

    /// All of them.
    #[must_use]
    pub fn total(self) -> u32 {
        Severity::ALL.into_iter().map(|severity| self.get(severity)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probability_is_within_nought_and_one() {
        for (number, told) in
            [(0.0, Some(0.0)), (1.0, Some(1.0)), (0.94357, Some(0.94357)), (0.000_000_4, Some(0.0))]
        {
            assert_eq!(Probability::of(number).map(Probability::number), told);
        }
        for number in [-0.1, 1.000_001, f64::NAN, f64::INFINITY] {
            assert_eq!(Probability::of(number), None);
        }
    }
}

//! How complete a look was, and the one-word verdict that follows.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// How much of an image the scanner could look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Everything that is there.
    Complete,
    /// Something is there that could not be looked at; the reasons say what.
    Partial,
    /// Nothing could be said; the reasons say why.
    Unsupported,
}

/// The closed list of reasons for an incomplete look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// A kind of package is present that the scanner cannot read; the detail names the kind.
    UnreadKind,
    /// A layer's content could not be read to its end; the detail names the layer and the problem.
    LayerUnreadable,
    /// The image holds no package database that the scanner knows.
    NoPackageDatabase,
    /// The image does not say, in a way that the scanner knows, which distribution it is.
    UnknownDistribution,
    /// The scanner has no advisories for the image's distribution, or for a language that it holds packages of; the
    /// detail names the ecosystem.
    NoAdvisoriesForDistribution,
    /// The distribution's security support has ended, says its own data; the detail names it.
    EndOfLifeDistribution,
    /// A source of the scanner's data has never completed; the detail names it.
    SourceMissing,
    /// The scanner's data was not known to be complete when it answered.
    KnowledgeNotReady,
    /// A named bound was reached while reading; the detail names it.
    BoundReached,
}

impl ReasonCode {
    /// A sentence for people.
    #[must_use]
    pub fn explain(self) -> &'static str {
        match self {
            Self::UnreadKind => "packages of a kind that cannot be read yet",
            Self::LayerUnreadable => "a layer cannot be read",
            Self::NoPackageDatabase => "no package database found",
            Self::UnknownDistribution => "the distribution is not known",
            Self::NoAdvisoriesForDistribution => "no advisories for this ecosystem",
            Self::EndOfLifeDistribution => "the distribution's support has ended",
            Self::SourceMissing => "a source of advisories has never completed",
            Self::KnowledgeNotReady => "the advisories were not complete yet",
            Self::BoundReached => "a bound was reached while reading",
        }
    }
}

/// Why a look was not complete.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reason {
    /// Out of the closed list.
    #[serde(rename = "Code")]
    pub code: ReasonCode,
    /// What it is about, where the code alone does not say.
    #[serde(rename = "Detail", default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.explain())?;
        self.detail.as_ref().map_or(Ok(()), |detail| write!(f, " ({detail})"))
    }
}

/// A level with its reasons; only a complete look has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completeness {
    level: Level,
    reasons: BTreeSet<Reason>,
}

impl Completeness {
    /// Everything was looked at.
    #[must_use]
    pub fn complete() -> Self {
        Self { level: Level::Complete, reasons: BTreeSet::new() }
    }

    /// Something was missed for these reasons. Without any reason nothing was: complete.
    #[must_use]
    pub fn partial(reasons: impl IntoIterator<Item = Reason>) -> Self {
        Self::with(Level::Partial, reasons)
    }

    /// Nothing can be said for these reasons. Without any reason nothing was missed: complete.
    #[must_use]
    pub fn unsupported(reasons: impl IntoIterator<Item = Reason>) -> Self {
        Self::with(Level::Unsupported, reasons)
    }

    fn with(level: Level, reasons: impl IntoIterator<Item = Reason>) -> Self {
        let reasons: BTreeSet<Reason> = reasons.into_iter().collect();
        Self { level: if reasons.is_empty() { Level::Complete } else { level }, reasons }
    }

    /// The level.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    /// The reasons, sorted.
    pub fn reasons(&self) -> impl Iterator<Item = &Reason> {
        self.reasons.iter()
    }
}

/// The one word: `clean` only where nothing was found *and* the look was complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing was found, and the look was complete.
    Clean,
    /// Nothing was found, but the look was not complete.
    Unknown,
    /// Something was found.
    Vulnerable,
}

impl Verdict {
    /// The verdict over a number of findings and the completeness of the look.
    #[must_use]
    pub fn over(findings: usize, completeness: &Completeness) -> Self {
        match (findings, completeness.level()) {
            (0, Level::Complete) => Self::Clean,
            (0, _) => Self::Unknown,
            _ => Self::Vulnerable,
        }
    }

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Unknown => "unknown",
            Self::Vulnerable => "vulnerable",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_needs_a_complete_look_and_no_finding() {
        let reason = Reason { code: ReasonCode::UnreadKind, detail: Some("java".to_owned()) };
        assert_eq!(Verdict::over(0, &Completeness::complete()), Verdict::Clean);
        assert_eq!(Verdict::over(0, &Completeness::partial([reason.clone()])), Verdict::Unknown);
        assert_eq!(Verdict::over(0, &Completeness::unsupported([reason.clone()])), Verdict::Unknown);
        assert_eq!(Verdict::over(1, &Completeness::partial([reason])), Verdict::Vulnerable);
        assert_eq!(Completeness::partial([]).level(), Level::Complete);
    }
}

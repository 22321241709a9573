//! The questions, by the names of the queries that terraform gives to Athena.

use serde_json::Value;

/// A question to the lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Images with a critical finding.
    Critical,
    /// What is new since yesterday.
    New,
    /// Where a vulnerability is.
    Where,
    /// From advisory to report.
    TimeToReport,
    /// Images without a fresh report.
    Stale,
    /// Findings by day, repository and severity.
    Trend,
    /// Images that were not looked at completely.
    Incomplete,
}

/// One row of an answer: a value for each column.
pub type Row = Vec<Value>;

/// The vulnerability that stands in the query `where`.
const CVE_IN_QUERY: &str = "CVE-2025-5278";

/// A query as terraform has it.
macro_rules! query {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../terraform/modules/lake/queries/",
            $name,
            ".sql"
        ))
    };
}

impl Question {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Critical,
        Self::New,
        Self::Where,
        Self::TimeToReport,
        Self::Stale,
        Self::Trend,
        Self::Incomplete,
    ];

    /// Its name: of the command, and of the query.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::New => "new",
            Self::Where => "where",
            Self::TimeToReport => "time-to-report",
            Self::Stale => "stale",
            Self::Trend => "trend",
            Self::Incomplete => "incomplete",
        }
    }

    /// The columns of its answer.
    #[must_use]
    pub const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Critical => &["image", "tags", "critical", "assessedat"],
            Self::New => {
                &["image", "tags", "name", "severity", "package", "version", "fixedby", "assessedat"]
            }
            Self::Where => {
                &["image", "tags", "name", "severity", "package", "version", "fixedby", "layer", "assessedat"]
            }
            Self::TimeToReport => {
                &["image", "name", "severity", "ecosystem", "changedat", "assessedat", "hours"]
            }
            Self::Stale => &["image", "tags", "verdict", "assessedat"],
            Self::Trend => &[
                "day",
                "registry",
                "repository",
                "images",
                "critical",
                "high",
                "medium",
                "low",
                "negligible",
                "unknown",
            ],
            Self::Incomplete => &["image", "tags", "verdict", "level", "code", "detail", "assessedat"],
        }
    }

    /// The same question in the SQL of Athena and Trino; of this vulnerability, where it is about one.
    #[must_use]
    pub fn sql(self, cve: Option<&str>) -> String {
        let query = match self {
            Self::Critical => query!("critical"),
            Self::New => query!("new"),
            Self::Where => query!("where"),
            Self::TimeToReport => query!("time-to-report"),
            Self::Stale => query!("stale"),
            Self::Trend => query!("trend"),
            Self::Incomplete => query!("incomplete"),
        };
        // A quote in a text of SQL is written twice.
        cve.map_or_else(|| query.to_owned(), |cve| query.replace(CVE_IN_QUERY, &cve.replace('\'', "''")))
    }

    /// For how many days reports are looked at where nobody says since when; none for all that there are.
    #[must_use]
    pub const fn days(self) -> Option<u32> {
        match self {
            Self::New => Some(2),
            Self::TimeToReport | Self::Trend => Some(30),
            Self::Critical | Self::Where | Self::Stale | Self::Incomplete => None,
        }
    }

    /// Whether the newest report of each image decides, rather than each report for itself.
    pub(super) const fn is_about_the_newest(self) -> bool {
        match self {
            Self::New | Self::TimeToReport => false,
            Self::Critical | Self::Where | Self::Stale | Self::Trend | Self::Incomplete => true,
        }
    }
}

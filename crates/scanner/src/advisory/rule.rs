//! A rule: what one record says about one package of one ecosystem, in the form that is stored.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::osv::{Affected, OsvRecord, Range, SeverityEntry};

/// Bytes of a description that are kept.
pub const MAX_DESCRIPTION_BYTES: usize = 1 << 10;

/// What one record says about one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The record's id.
    pub record: String,
    /// Its aliases, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// The vulnerabilities that it is a distribution's word on, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub upstream: Vec<String>,
    /// Ranges of affected versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<Range>,
    /// Affected versions, listed, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
    /// Debian's urgency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urgency: Option<String>,
    /// The vendor's own word for the severity, where it has one beside the urgency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity_word: Option<String>,
    /// The package's own severities, or else those of the record; sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub severity: Vec<SeverityEntry>,
}

/// The texts of a record: they may change without anything else changing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordText {
    /// The summary, or the beginning of the details.
    pub description: String,
    /// Where to read more.
    pub link: String,
}

impl Rule {
    /// The rule of one affected entry, in canonical order: what means the same is stored the same.
    pub(crate) fn of(record: &OsvRecord, affected: &Affected) -> Self {
        let sorted = |list: &[String]| {
            let mut list = list.to_vec();
            list.sort();
            list.dedup();
            list
        };
        let mut ranges = affected.ranges.clone();
        // Git ranges speak of commits, which no package has.
        ranges.retain(|range| range.kind != "GIT");
        ranges.iter_mut().for_each(|range| range.events.sort());
        ranges.sort();
        let own = &affected.ecosystem_specific;
        let word = own.ubuntu_priority.clone().or_else(|| own.severity.clone());
        let mut severity =
            if affected.severity.is_empty() { &record.severity } else { &affected.severity }.clone();
        severity.sort();
        Self {
            record: record.id.clone(),
            aliases: sorted(&record.aliases),
            upstream: sorted(&record.upstream),
            ranges,
            versions: sorted(&affected.versions),
            urgency: own.urgency.clone().or_else(|| record.database_specific.urgency.clone()),
            severity_word: word.or_else(|| record.database_specific.severity.clone()),
            severity,
        }
    }

    /// Hash of all that can change a finding; of no text.
    pub(crate) fn semantic_hash(&self) -> [u8; 32] {
        // A struct of strings always serialises, with its fields in the order above.
        let json = serde_json::to_vec(self).unwrap_or_default();
        Sha256::digest(&json).into()
    }

    /// Whether the rule can match anything at all.
    pub(crate) fn says_nothing(&self) -> bool {
        self.versions.is_empty() && self.ranges.iter().all(|range| range.events.is_empty())
    }

    /// The CVE that the record is about, where there is exactly one.
    pub fn single_cve(&self) -> Option<&str> {
        // `DEBIAN-CVE-2024-1` and `UBUNTU-CVE-2024-1` name theirs.
        let own = self.record.find("CVE-").map(|at| &self.record[at..]);
        let others = self.aliases.iter().chain(&self.upstream).map(String::as_str);
        let mut cves = own.into_iter().chain(others).filter(|name| is_cve(name));
        let first = cves.next()?;
        cves.all(|other| other == first).then_some(first)
    }
}

impl RecordText {
    pub(crate) fn of(record: &OsvRecord) -> Self {
        let filled = |text: &Option<String>| text.as_deref().map(str::trim).unwrap_or_default().to_owned();
        let summary = filled(&record.summary);
        let description = if summary.is_empty() { filled(&record.details) } else { summary };
        let link = ["ADVISORY", "REPORT", "WEB"]
            .iter()
            .find_map(|kind| record.references.iter().find(|reference| reference.kind == *kind))
            .or(record.references.first())
            .map(|reference| reference.url.clone())
            .filter(|url| !url.is_empty())
            .unwrap_or_else(|| format!("https://osv.dev/vulnerability/{}", record.id));
        Self { description: shorten(&description).to_owned(), link }
    }
}

/// Whether a name is a CVE's: `CVE-`, a year, a number.
fn is_cve(name: &str) -> bool {
    name.strip_prefix("CVE-").and_then(|rest| rest.split_once('-')).is_some_and(|(year, number)| {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        year.len() == 4 && digits(year) && digits(number)
    })
}

fn shorten(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_DESCRIPTION_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(json: &str) -> Rule {
        let record: OsvRecord = serde_json::from_str(json).unwrap();
        Rule::of(&record, &record.affected[0])
    }

    const BASE: &str = r#"{"id":"DEBIAN-CVE-2024-1","upstream":["CVE-2024-1"],"summary":"S","modified":"A",
        "affected":[{"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2"}]}],
        "versions":["b","a"],"ecosystem_specific":{"urgency":"low"}}]}"#;

    #[test]
    fn texts_stamps_and_order_are_not_meaning() {
        let base = rule(BASE).semantic_hash();
        for (from, to) in [
            (r#""summary":"S""#, r#""summary":"T","details":"D","references":[{"url":"u"}]"#),
            (r#""modified":"A""#, r#""modified":"B""#),
            (r#"["b","a"]"#, r#"["a","b"]"#),
            (r#"{"introduced":"0"},{"fixed":"2"}"#, r#"{"fixed":"2"},{"introduced":"0"}"#),
        ] {
            assert_eq!(rule(&BASE.replace(from, to)).semantic_hash(), base, "{to}");
        }
    }

    #[test]
    fn ranges_versions_severity_names_and_urgency_are_meaning() {
        let base = rule(BASE).semantic_hash();
        for (from, to) in [
            (r#"{"fixed":"2"}"#, r#"{"fixed":"3"}"#),
            (r#"["b","a"]"#, r#"["b"]"#),
            (r#""urgency":"low""#, r#""urgency":"high""#),
            (r#""upstream":["CVE-2024-1"]"#, r#""upstream":["CVE-2024-2"]"#),
            (r#""summary":"S""#, r#""aliases":["GHSA-x"]"#),
            (r#""summary":"S""#, r#""severity":[{"type":"CVSS_V3","score":"x"}]"#),
        ] {
            assert_ne!(rule(&BASE.replace(from, to)).semantic_hash(), base, "{to}");
        }
    }

    #[test]
    fn a_record_of_one_cve_names_it() {
        assert_eq!(rule(BASE).single_cve(), Some("CVE-2024-1"));
        let two = BASE.replace(r#"["CVE-2024-1"]"#, r#"["CVE-2024-1","CVE-2024-2"]"#);
        assert_eq!(rule(&two).single_cve(), None);
        let other = BASE.replace("DEBIAN-CVE-2024-1", "DSA-1-1");
        assert_eq!(rule(&other).single_cve(), Some("CVE-2024-1"));
    }

    #[test]
    fn descriptions_are_cut_at_the_limit() {
        let at = "x".repeat(MAX_DESCRIPTION_BYTES);
        assert_eq!(shorten(&at), at);
        assert_eq!(shorten(&format!("{at}y")), at);
        assert_eq!(shorten(&format!("{}é", &at[1..])).len(), MAX_DESCRIPTION_BYTES - 1);
    }
}

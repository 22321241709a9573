//! A rule: what one record says about one package of one ecosystem, in the form that is stored.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ecosystem::Ecosystem;
use super::osv::{Affected, Event, OsvRecord, Range, SeverityEntry};
use crate::PackageKind;
use crate::matching::holds;

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
    /// RPM: the modules that the fix was built in, `name:stream`; none for a fix outside modules. A fix in a module
    /// that the record does not name is in one called [`UNNAMED_MODULE`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<String>,
    /// The vendor says that there will be no fix.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wont_fix: bool,
}

/// A module whose name a record does not give.
pub const UNNAMED_MODULE: &str = "*";

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
    pub(crate) fn of(record: &OsvRecord, affected: &Affected, ecosystem: &Ecosystem) -> Self {
        let mut ranges = affected.ranges.clone();
        // Git ranges speak of commits, which no package has.
        ranges.retain(|range| range.kind != "GIT");
        ranges.iter_mut().for_each(|range| range.events.sort());
        ranges.sort();
        let mut versions = sorted(&affected.versions);
        // Many databases list all versions of their ranges: a new release in the list then means nothing new.
        let order = ecosystem.order();
        versions.retain(|version| !ranges.iter().any(|range| holds(range, order, version)));
        let own = &affected.ecosystem_specific;
        let word = own.ubuntu_priority.clone().or_else(|| own.severity.clone());
        let word = word.or_else(|| record.database_specific.severity.clone());
        let mut severity =
            if affected.severity.is_empty() { &record.severity } else { &affected.severity }.clone();
        severity.sort();
        let modules =
            if ecosystem.kind() == PackageKind::Rpm { modules(record, &ranges) } else { Vec::new() };
        Self {
            record: record.id.clone(),
            aliases: sorted(&record.aliases),
            upstream: upstream(record, ecosystem),
            ranges,
            versions,
            urgency: own.urgency.clone().or_else(|| record.database_specific.urgency.clone()),
            severity_word: word.or_else(|| errata_word(record, ecosystem)),
            severity,
            modules,
            wont_fix: all_components(affected, |status| status == "fix-not-planned"),
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
}

/// Whether the entry says that the package is not affected after all, though it has ranges.
pub(crate) fn is_not_affected(affected: &Affected) -> bool {
    let clear = ["not-affected", "false-positive", "false-positive-determination"];
    all_components(affected, |status| clear.contains(&status))
}

/// Whether Chainguard's word on every component of the package is of this kind.
fn all_components(affected: &Affected, is_kind: impl Fn(&str) -> bool) -> bool {
    let components = &affected.ecosystem_specific.components;
    let mut words = components.iter().map(|component| component.status.as_deref().unwrap_or_default());
    !components.is_empty() && words.all(|word| is_kind(&word.replace('_', "-")))
}

/// Some distributions name the vulnerabilities that an update of theirs fixes as related ones, and nowhere else.
fn upstream(record: &OsvRecord, ecosystem: &Ecosystem) -> Vec<String> {
    if ecosystem.is_system() && record.upstream.is_empty() && record.aliases.is_empty() {
        let mut related = sorted(&record.related);
        related.retain(|name| is_cve(name));
        return related;
    }
    sorted(&record.upstream)
}

/// `Important: nodejs:22 security update`: errata of the Red Hat family begin with their severity.
fn errata_word(record: &OsvRecord, ecosystem: &Ecosystem) -> Option<String> {
    let (word, _) = record.summary.as_deref()?.split_once(':')?;
    let is_word = matches!(word, "Low" | "Moderate" | "Important" | "Critical");
    (ecosystem.kind() == PackageKind::Rpm && is_word).then(|| word.to_owned())
}

/// The modules of a fix: all streams of a module share the packages' names, and only the summary says which is meant.
fn modules(record: &OsvRecord, ranges: &[Range]) -> Vec<String> {
    let in_module = |event: &Event| matches!(event, Event::Fixed(at) if at.contains(".module"));
    if !ranges.iter().flat_map(|range| &range.events).any(in_module) {
        return Vec::new();
    }
    let summary = record.summary.as_deref().unwrap_or_default();
    let words = summary.split_whitespace().map(|word| word.trim_end_matches(','));
    let is_stream = |word: &&str| {
        word.split_once(':').is_some_and(|(name, stream)| !name.is_empty() && !stream.is_empty())
    };
    let mut named: Vec<String> = words.filter(is_stream).map(str::to_owned).collect();
    if named.is_empty() {
        named.push(UNNAMED_MODULE.to_owned());
    }
    sorted(&named)
}

fn sorted(list: &[String]) -> Vec<String> {
    let mut list = list.to_vec();
    list.sort();
    list.dedup();
    list
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
pub(crate) fn is_cve(name: &str) -> bool {
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

    fn rule_in(ecosystem: &str, json: &str) -> Rule {
        let record: OsvRecord = serde_json::from_str(json).unwrap();
        Rule::of(&record, &record.affected[0], &Ecosystem::parse(ecosystem).unwrap())
    }

    fn rule(json: &str) -> Rule {
        rule_in("Debian:12", json)
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
    fn listed_versions_inside_a_range_mean_nothing_more() {
        let json = BASE.replace(r#"["b","a"]"#, r#"["1","2","1.9","3"]"#);
        assert_eq!(rule(&json).versions, ["2", "3"]);
        assert_eq!(rule(&json).semantic_hash(), rule(&json.replace(r#""1.9","#, "")).semantic_hash());
    }

    #[test]
    fn errata_name_their_severity_and_their_module_in_the_summary() {
        let errata = |summary: &str, fixed: &str| {
            let json = BASE.replace(r#""summary":"S""#, &format!(r#""summary":"{summary}""#));
            rule_in("AlmaLinux:8", &json.replace(r#""fixed":"2""#, &format!(r#""fixed":"{fixed}""#)))
        };
        let of_module = "1:18.1-1.module_el8.7.0+1+a";
        let nodejs = errata("Important: nodejs:18 security update", of_module);
        assert_eq!(
            (nodejs.severity_word.as_deref(), &nodejs.modules[..]),
            (Some("Important"), &["nodejs:18".into()][..])
        );
        assert_eq!(
            errata("virt:rhel and virt-devel:rhel update", of_module).modules,
            ["virt-devel:rhel", "virt:rhel"]
        );
        assert_eq!(errata("criu bug fix", of_module).modules, [UNNAMED_MODULE]);
        assert_eq!(errata("Low: curl update", "7.61.1-22.el8").modules, [""; 0]);
        assert_eq!(rule(&BASE.replace("\"S\"", "\"Low: it leaks\"")).severity_word, None);
    }

    #[test]
    fn distributions_may_name_what_they_fix_as_related() {
        let json = r#"{"id":"ALSA-1","related":["CVE-2024-2","CVE-2024-1","RHSA-1"],"affected":[{}]}"#;
        assert_eq!(rule_in("AlmaLinux:8", json).upstream, ["CVE-2024-1", "CVE-2024-2"]);
        assert_eq!(rule_in("PyPI", json).upstream, [""; 0]);
        let own = json.replace(r#""related""#, r#""upstream":["CVE-2024-3"],"related""#);
        assert_eq!(rule_in("AlmaLinux:8", &own).upstream, ["CVE-2024-3"]);
    }

    #[test]
    fn components_that_are_all_clear_make_the_package_so() {
        let affected = |statuses: &str| -> Affected {
            serde_json::from_str(&format!(r#"{{"ecosystem_specific":{{"components":{statuses}}}}}"#)).unwrap()
        };
        assert!(is_not_affected(&affected(r#"[{"status":"not_affected"}]"#)));
        let determined =
            r#"[{"component_name":"stdlib","latest_event_status":"false-positive-determination"}]"#;
        assert!(is_not_affected(&affected(determined)));
        assert!(!is_not_affected(&affected(r#"[{"status":"not_affected"},{"status":"fixed"}]"#)));
        assert!(!is_not_affected(&affected("[]")));
        assert!(!is_not_affected(&affected(r#""none""#)));
    }

    #[test]
    fn descriptions_are_cut_at_the_limit() {
        let at = "x".repeat(MAX_DESCRIPTION_BYTES);
        assert_eq!(shorten(&at), at);
        assert_eq!(shorten(&format!("{at}y")), at);
        assert_eq!(shorten(&format!("{}é", &at[1..])).len(), MAX_DESCRIPTION_BYTES - 1);
    }
}

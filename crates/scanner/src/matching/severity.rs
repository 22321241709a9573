//! How bad a vulnerability is: the vendor's word first, then CVSS 4, 3 and 2.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::advisory::Rule;

/// How bad a vulnerability is, mildest first; unknown is below all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nobody says.
    Unknown,
    /// No effect on security worth a fix.
    Negligible,
    /// Low.
    Low,
    /// Medium, or moderate.
    Medium,
    /// High, or important.
    High,
    /// Critical.
    Critical,
}

/// Who says so, the least telling first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SeveritySource {
    /// Nobody.
    Nobody,
    /// A CVSS 2 vector.
    CvssV2,
    /// A CVSS 3.0 or 3.1 vector.
    CvssV3,
    /// A CVSS 4 vector.
    CvssV4,
    /// The severity in a database's own words, as GitHub's.
    DatabaseWord,
    /// Ubuntu's priority.
    UbuntuPriority,
    /// Debian's urgency.
    DebianUrgency,
}

/// The severity of a rule, and who says so.
pub fn severity_of(rule: &Rule) -> (Severity, SeveritySource) {
    let from_word = |text: Option<&str>, source| text.and_then(word).map(|severity| (severity, source));
    let entry = |kind: &str| rule.severity.iter().find(|entry| entry.kind == kind).map(|entry| &*entry.score);
    let vector = |kind: &str, source| entry(kind).and_then(cvss).map(|severity| (severity, source));
    from_word(rule.urgency.as_deref(), SeveritySource::DebianUrgency)
        .or_else(|| from_word(entry("Ubuntu"), SeveritySource::UbuntuPriority))
        .or_else(|| from_word(rule.severity_word.as_deref(), SeveritySource::DatabaseWord))
        .or_else(|| vector("CVSS_V4", SeveritySource::CvssV4))
        .or_else(|| vector("CVSS_V3", SeveritySource::CvssV3))
        .or_else(|| vector("CVSS_V2", SeveritySource::CvssV2))
        .unwrap_or((Severity::Unknown, SeveritySource::Nobody))
}

/// A vendor's word; none where the word is no judgement, such as "not yet assigned" or "end-of-life".
fn word(text: &str) -> Option<Severity> {
    // Debian marks an urgency that is not its own with asterisks.
    match text.trim().trim_end_matches('*').to_ascii_lowercase().as_str() {
        "unimportant" | "negligible" => Some(Severity::Negligible),
        "low" | "minor" => Some(Severity::Low),
        "medium" | "moderate" => Some(Severity::Medium),
        "high" | "important" => Some(Severity::High),
        "critical" => Some(Severity::Critical),
        _ => None,
    }
}

fn cvss(vector: &str) -> Option<Severity> {
    let severity = if vector.starts_with("CVSS:") {
        cvss::Cvss::from_str(vector).ok()?.severity()
    } else {
        cvss::Cvss::CvssV20(cvss::v2::Vector::from_str(vector).ok()?).severity()
    };
    Some(match severity {
        cvss::Severity::None => Severity::Negligible,
        cvss::Severity::Low => Severity::Low,
        cvss::Severity::Medium => Severity::Medium,
        cvss::Severity::High => Severity::High,
        cvss::Severity::Critical => Severity::Critical,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> (Severity, SeveritySource) {
        severity_of(&serde_json::from_str(&format!(r#"{{"record":"X",{json}}}"#)).unwrap())
    }

    #[test]
    fn the_vendors_word_goes_before_any_vector() {
        let vector =
            r#""severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]"#;
        assert_eq!(of(vector), (Severity::Critical, SeveritySource::CvssV3));
        let urgent = format!(r#""urgency":"unimportant",{vector}"#);
        assert_eq!(of(&urgent), (Severity::Negligible, SeveritySource::DebianUrgency));
        let unassigned = format!(r#""urgency":"not yet assigned",{vector}"#);
        assert_eq!(of(&unassigned), (Severity::Critical, SeveritySource::CvssV3));
        let github = format!(r#""severity_word":"MODERATE",{vector}"#);
        assert_eq!(of(&github), (Severity::Medium, SeveritySource::DatabaseWord));
    }

    #[test]
    fn words_of_debian_and_ubuntu() {
        for (urgency, severity) in [
            ("unimportant", Severity::Negligible),
            ("low", Severity::Low),
            ("medium**", Severity::Medium),
            ("high", Severity::High),
        ] {
            assert_eq!(of(&format!(r#""urgency":"{urgency}""#)).0, severity);
        }
        let ubuntu = of(r#""severity":[{"type":"Ubuntu","score":"negligible"}]"#);
        assert_eq!(ubuntu, (Severity::Negligible, SeveritySource::UbuntuPriority));
        assert_eq!(of(r#""urgency":"end-of-life""#), (Severity::Unknown, SeveritySource::Nobody));
    }

    #[test]
    fn newer_vectors_go_before_older_ones_and_broken_ones_are_passed_over() {
        let v4 =
            r#"{"type":"CVSS_V4","score":"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}"#;
        let v2 = r#"{"type":"CVSS_V2","score":"AV:N/AC:L/Au:N/C:P/I:P/A:P"}"#;
        assert_eq!(of(&format!(r#""severity":[{v2},{v4}]"#)), (Severity::Critical, SeveritySource::CvssV4));
        assert_eq!(of(&format!(r#""severity":[{v2}]"#)), (Severity::High, SeveritySource::CvssV2));
        let broken = r#"{"type":"CVSS_V4","score":"CVSS:4.0/junk"}"#;
        assert_eq!(of(&format!(r#""severity":[{v2},{broken}]"#)).1, SeveritySource::CvssV2);
    }
}

//! Assessments out of reports: what is found, and when a look is complete.

use cve_monitor_core::vocabulary::{FindingStatus, Level, Probability, Severity};
use serde_json::{Value, json};

use super::*;

/// A report of Debian 12 with one package of the distribution and one of Python.
fn report() -> Value {
    json!({
        "manifest_hash": "sha256:aa", "new in some later version": {"x": 1},
        "packages": {
            "6": {"id": "6", "name": "libc6", "version": "2.36-9", "kind": "binary", "arch": "amd64",
                  "source": {"id": "5", "name": "glibc", "version": "2.36-9", "kind": "source"}},
            "7": {"id": "7", "name": "jinja2", "version": "2.11.2", "source": {"id": "1", "name": ""}}},
        "distributions": {"1": {"id": "1", "did": "debian", "version": "12 (bookworm)", "version_id": "12"}},
        "repository": {"4": {"id": "4", "name": "pypi", "uri": "https://pypi.org/simple"}},
        "environments": {
            "6": [{"package_db": "var/lib/dpkg/status", "introduced_in": format!("sha256:{}", "1".repeat(64)),
                   "distribution_id": "1", "repository_ids": null}],
            "7": [{"package_db": "python:usr/lib/python3/dist-packages", "introduced_in": "",
                   "distribution_id": "", "repository_ids": ["4"]}]},
        "vulnerabilities": null, "package_vulnerabilities": null, "enrichments": null
    })
}

fn vulnerable() -> Value {
    let mut report = report();
    report["vulnerabilities"] = json!({
        "30": {"id": "30", "updater": "debian/updater", "name": "CVE-2019-1010024", "description": " text\n",
               "links": "https://a.example/1 https://b.example/2", "severity": "unimportant",
               "normalized_severity": "Low", "distribution": {"did": "debian", "version_id": "12"},
               "repository": {"cpe": ""}, "fixed_in_version": ""},
        "31": {"id": "31", "updater": "osv/pypi", "name": "GHSA-g3rq-g295-4j3m", "description": "ReDoS",
               "links": "https://c.example https://osv.dev/vulnerability/CVE-2020-28493",
               "severity": "CVSS:3.1/AV:N", "normalized_severity": "Medium", "repository": {"name": "pypi"},
               "fixed_in_version": "fixed=2.11.3&introduced=0", "range": {"[": "", ")": ""}},
        "32": {"id": "32", "updater": "osv/pypi", "name": "PYSEC-2021-66", "severity": "",
               "links": "https://osv.dev/vulnerability/CVE-2020-28493", "normalized_severity": "Unknown",
               "repository": {"name": "pypi"}, "fixed_in_version": "introduced=0&lastAffected=9"}});
    report["package_vulnerabilities"] = json!({"6": ["30"], "7": ["32", "31", "no such one"], "8": null});
    report
}

fn known(updaters: &[&str]) -> Operations {
    let list = json!([{"ref": "11111111-1111-4111-8111-111111111111", "date": "2026-07-24T10:00:00Z"}]);
    let lists: serde_json::Map<_, _> = updaters.iter().map(|&name| (name.to_owned(), list.clone())).collect();
    serde_json::from_value(Value::Object(lists)).unwrap()
}

fn assess(report: &Value, updaters: &[&str], missing: &[&str]) -> Assessment {
    let missing: Vec<String> = missing.iter().map(|&name| name.to_owned()).collect();
    assessment(&serde_json::from_value(report.clone()).unwrap(), &known(updaters), &missing)
}

const ALL: [&str; 2] = ["debian/updater", "osv/pypi"];

/// The level, the reasons as `code detail`, and the kinds that were looked at.
fn look(report: &Value, updaters: &[&str], missing: &[&str]) -> (Level, Vec<String>, Vec<String>) {
    let found = assess(report, updaters, missing);
    let reasons = found.completeness.reasons();
    let reasons = reasons.map(|why| format!("{:?} {}", why.code, why.detail.clone().unwrap_or_default()));
    let kinds = found.looked_at.into_iter().map(|kind| kind.0).collect();
    (found.completeness.level(), reasons.map(|text| text.trim().to_owned()).collect(), kinds)
}

#[test]
fn a_finding_has_all_that_the_report_says() {
    let found = assess(&vulnerable(), &ALL, &[]);
    let libc = found.findings.iter().find(|finding| finding.package == "libc6").unwrap();
    assert_eq!(libc.name, "CVE-2019-1010024");
    assert_eq!(libc.namespace, "debian:12");
    assert_eq!((libc.severity, libc.severity_source.as_deref()), (Severity::Low, Some("debian:unimportant")));
    assert_eq!((libc.status, libc.fixed_by.as_deref()), (FindingStatus::NoFix, None));
    assert_eq!((libc.kind.0.as_str(), libc.version.as_str()), ("deb", "2.36-9"));
    assert_eq!((libc.architecture.as_deref(), libc.source.as_deref()), (Some("amd64"), Some("glibc")));
    assert_eq!(libc.location, "var/lib/dpkg/status");
    assert_eq!(libc.layer.as_ref().map(|layer| layer.hex().to_owned()), Some("1".repeat(64)));
    assert_eq!((libc.description.as_str(), libc.link.as_str()), ("text", "https://a.example/1"));
}

#[test]
fn advisories_of_one_vulnerability_are_one_finding_with_the_worst_severity() {
    let found = assess(&vulnerable(), &ALL, &[]);
    assert_eq!(found.findings.len(), 2);
    let jinja = found.findings.iter().find(|finding| finding.package == "jinja2").unwrap();
    assert_eq!((jinja.name.as_str(), jinja.namespace.as_str()), ("CVE-2020-28493", "pypi"));
    assert_eq!(jinja.records, ["GHSA-g3rq-g295-4j3m", "PYSEC-2021-66"]);
    assert_eq!((jinja.severity, jinja.severity_source.as_deref()), (Severity::Medium, Some("CVSS:3.1/AV:N")));
    assert_eq!((jinja.status, jinja.fixed_by.as_deref()), (FindingStatus::FixAvailable, Some("2.11.3")));
    assert_eq!((jinja.location.as_str(), &jinja.layer), ("usr/lib/python3/dist-packages", &None));
    let mut turned = vulnerable();
    turned["package_vulnerabilities"]["7"] = json!(["31", "32"]);
    assert_eq!(assess(&turned, &ALL, &[]).findings, found.findings, "their order makes no difference");
}

#[test]
fn what_clair_looked_up_stands_beside_a_finding_and_changes_nothing_else() {
    let of = |enricher: &str| {
        format!("message/vnd.clair.map.vulnerability; enricher=clair.{enricher} schema=none")
    };
    let mut report = vulnerable();
    let bare = assess(&report, &ALL, &[]).findings;
    report["enrichments"] = json!({
        of("cvss"): [{"30": [{"version": "3.1", "vectorString": "CVSS:3.1/AV:L", "baseScore": 5.5},
                             {"version": "2.0", "vectorString": "AV:L/AC:L"}], "31": null}],
        of("epss"): [{"30": [{"cve": "CVE-2019-1010024", "epss": 0.00043, "percentile": 0.1}], "31": [{"epss": "x"}]}],
        of("kev"): [{"32": [{"cve": "CVE-2020-28493", "date_added": "2021-11-03"}]}],
        of("later"): {"30": 1}});
    let found = assess(&report, &ALL, &[]).findings;
    let libc = found.iter().find(|finding| finding.package == "libc6").unwrap();
    assert_eq!(libc.enrichments.cvss, ["AV:L/AC:L", "CVSS:3.1/AV:L"]);
    assert_eq!(libc.enrichments.epss, Probability::of(0.00043));
    assert!(!libc.enrichments.known_exploited);
    let jinja = found.iter().find(|finding| finding.package == "jinja2").unwrap();
    assert_eq!(jinja.enrichments.cvss, ["CVSS:3.1/AV:N"], "the advisory's own");
    assert!(jinja.enrichments.known_exploited, "of one of its advisories");
    let keys = |findings: &[Finding]| findings.iter().map(Finding::key).collect::<Vec<_>>();
    assert_eq!(keys(&found), keys(&bare));
}

#[test]
fn nobodys_word_is_no_source_of_a_severity() {
    let mut report = vulnerable();
    report["vulnerabilities"]["30"]["normalized_severity"] = json!("Unknown");
    let found = assess(&report, &ALL, &[]).findings;
    let libc = found.iter().find(|finding| finding.package == "libc6").unwrap();
    assert_eq!((libc.severity, &libc.severity_source), (Severity::Unknown, &None));
}

#[test]
fn a_look_is_complete_where_every_updater_that_it_needs_has_completed() {
    let kinds = |kinds: &[&str]| kinds.iter().map(|&kind| kind.to_owned()).collect::<Vec<_>>();
    assert_eq!(look(&report(), &ALL, &[]), (Level::Complete, vec![], kinds(&["deb", "pypi"])));
    let reasons = |reasons: &[&str]| reasons.iter().map(|&reason| reason.to_owned()).collect::<Vec<_>>();
    assert_eq!(
        look(&report(), &["debian/updater"], &[]),
        (Level::Partial, reasons(&["SourceMissing osv/pypi"]), kinds(&["deb"]))
    );
    assert_eq!(
        look(&report(), &["osv/pypi", "alpine-main-v3.20-updater"], &[]),
        (Level::Partial, reasons(&["NoAdvisoriesForDistribution debian:12"]), kinds(&["pypi"]))
    );
    assert_eq!(look(&report(), &["osv/go"], &[]).0, Level::Unsupported);
}

#[test]
fn an_updater_that_was_given_up_is_named_where_it_may_know_something_of_the_image() {
    assert_eq!(look(&report(), &ALL, &["osv/go", "alpine-main-v3.20-updater"]).0, Level::Complete);
    let (level, reasons, _) = look(&report(), &ALL, &["our-own"]);
    assert_eq!((level, reasons), (Level::Partial, vec!["SourceMissing our-own".to_owned()]));
}

#[test]
fn an_image_in_which_clair_reads_no_package_is_never_clean() {
    let mut bare = report();
    bare["packages"] = json!({});
    bare["environments"] = json!({});
    assert_eq!(look(&bare, &ALL, &[]), (Level::Unsupported, vec!["NoPackageDatabase".to_owned()], vec![]));
    let nothing = json!({"packages": null, "distributions": null, "environments": null});
    let (level, reasons, _) = look(&nothing, &ALL, &[]);
    assert_eq!(
        (level, reasons),
        (Level::Unsupported, vec!["NoPackageDatabase".to_owned(), "UnknownDistribution".to_owned()])
    );
    let (level, reasons, kinds) = look(&scratch(), &["osv/go"], &[]);
    assert_eq!((level, kinds), (Level::Partial, vec!["golang".to_owned()]));
    assert_eq!(reasons, ["NoPackageDatabase", "UnknownDistribution"]);
}

/// A single program in Go and nothing else.
fn scratch() -> Value {
    json!({"packages": {"1": {"name": "golang.org/x/text", "version": "v0.3.6"}},
           "repository": {"5": {"name": "go", "uri": "https://pkg.go.dev/"}},
           "environments": {"1": [{"package_db": "go:app", "repository_ids": ["5"]}]}})
}

#[test]
fn a_distribution_without_an_updater_is_named() {
    let mut rocky = report();
    rocky["distributions"]["1"] = json!({"id": "1", "did": "rocky", "version": "9", "version_id": "9"});
    let (level, reasons, _) = look(&rocky, &ALL, &[]);
    assert_eq!((level, reasons), (Level::Partial, vec!["NoAdvisoriesForDistribution rocky:9".to_owned()]));
    let mut unknown = report();
    unknown["environments"]["6"][0]["distribution_id"] = json!("");
    assert_eq!(look(&unknown, &ALL, &[]).1, ["UnknownDistribution"]);
}

#[test]
fn a_release_of_debian_is_clean_only_where_clair_has_advisories_for_it() {
    for version_id in ["9", "10", "14"] {
        let mut other = report();
        other["distributions"]["1"]["version_id"] = json!(version_id);
        let reasons = vec![format!("NoAdvisoriesForDistribution debian:{version_id}")];
        let expected = (Level::Partial, reasons, vec!["pypi".to_owned()]);
        assert_eq!(look(&other, &ALL, &[]), expected);
        other["vulnerabilities"] = json!({"30": {"id": "30", "updater": "debian/updater", "name": "CVE-2026-1",
            "distribution": {"did": "debian", "version_id": version_id}, "fixed_in_version": ""}});
        other["package_vulnerabilities"] = json!({"6": ["30"]});
        assert_eq!(look(&other, &ALL, &[]).0, Level::Complete, "an advisory of {version_id} is the proof");
        other["vulnerabilities"]["30"]["updater"] = json!("our-own");
        assert_eq!(look(&other, &ALL, &[]).0, Level::Partial, "somebody else's is none");
    }
}

#[test]
fn a_package_of_red_hat_is_looked_at_by_its_repository_alone() {
    let mut ubi = report();
    ubi["packages"] = json!({"6": {"name": "glibc", "version": "2.34-1.el9"},
                             "7": {"name": "ours", "version": "1-1"}});
    ubi["distributions"]["1"] = json!({"id": "1", "did": "rhel", "version": "9", "version_id": "9"});
    ubi["repository"] = json!({"9": {"id": "9", "name": "cpe:/o:redhat:9", "key": "rhel-cpe-repository"}});
    let place = |repositories: Value| json!([{"package_db": "sqlite:var/lib/rpm", "distribution_id": "1", "repository_ids": repositories}]);
    ubi["environments"] = json!({"6": place(json!(["9"])), "7": place(json!(["9"]))});
    let rpm = || vec!["rpm".to_owned()];
    assert_eq!(look(&ubi, &["rhel-vex"], &[]), (Level::Complete, vec![], rpm()));
    ubi["environments"]["7"] = place(json!([]));
    let why = "NoAdvisoriesForDistribution rhel:9: packages from none of Red Hat's repositories".to_owned();
    assert_eq!(look(&ubi, &["rhel-vex"], &[]), (Level::Partial, vec![why.clone()], rpm()));
    ubi["environments"]["6"] = place(Value::Null);
    assert_eq!(look(&ubi, &["rhel-vex"], &[]), (Level::Unsupported, vec![why], vec![]));
}

#[test]
fn a_year_of_oracle_that_is_missing_is_named() {
    let mut oracle = report();
    oracle["distributions"]["1"] = json!({"id": "1", "did": "ol", "version": "9", "version_id": "9"});
    oracle["environments"]["6"][0]["package_db"] = json!("sqlite:var/lib/rpm");
    let years: Vec<String> = (2007..=2026).map(|year| format!("oracle-{year}-updater")).collect();
    let mut updaters: Vec<&str> = years.iter().map(String::as_str).collect();
    updaters.push("osv/pypi");
    assert_eq!(look(&oracle, &updaters, &[]).0, Level::Complete);
    updaters.retain(|&name| name != "oracle-2019-updater");
    let (level, reasons, _) = look(&oracle, &updaters, &[]);
    assert_eq!((level, reasons), (Level::Partial, vec!["SourceMissing oracle-2019-updater".to_owned()]));
}

#[test]
fn a_report_that_names_what_it_does_not_describe_is_no_complete_look() {
    let expected = vec!["KnowledgeNotReady the report names what it does not describe".to_owned()];
    let mut whole = vulnerable();
    assert_eq!(look(&whole, &ALL, &[]).1, expected, "an unknown vulnerability");
    whole["package_vulnerabilities"] = json!({"6": ["30"], "7": ["31"], "8": null});
    assert_eq!(look(&whole, &ALL, &[]).0, Level::Complete);
    let mut lost = whole.clone();
    lost["package_vulnerabilities"]["8"] = json!(["30"]);
    assert_eq!(look(&lost, &ALL, &[]).1, expected, "an unknown package");
    whole["environments"]["7"] = Value::Null;
    assert_eq!(look(&whole, &ALL, &[]).1, expected, "a package that lies nowhere");
}

#[test]
fn an_image_has_the_keys_of_the_packages_that_are_not_looked_up() {
    assert_eq!(package_keys(&serde_json::from_value(report()).unwrap()), []);
    let keys = package_keys(&serde_json::from_value(scratch()).unwrap());
    assert_eq!(keys, [LayerKey("package:go:golang.org/x/text".to_owned())]);
    let mut rhel = report();
    rhel["distributions"]["1"]["did"] = json!("rhel");
    let expected = ["package:rhel:glibc", "package:rhel:libc6"].map(|text| LayerKey(text.to_owned()));
    assert_eq!(package_keys(&serde_json::from_value(rhel.clone()).unwrap()), expected);
    // Red Hat's advisories go by the repository, whatever the distribution is.
    rhel["repository"]["9"] = json!({"id": "9", "name": "cpe:/o:redhat:9", "key": "rhel-cpe-repository"});
    rhel["environments"]["6"][0]["repository_ids"] = json!(["9"]);
    rhel["environments"]["6"][0]["distribution_id"] = json!("");
    assert_eq!(package_keys(&serde_json::from_value(rhel).unwrap()), expected);
}

#[test]
fn of_a_description_so_many_characters_are_carried_and_no_more() {
    for length in [finding::MAX_DESCRIPTION, finding::MAX_DESCRIPTION + 1] {
        let mut report = vulnerable();
        report["vulnerabilities"]["30"]["description"] = json!("ä".repeat(length));
        let found = assess(&report, &ALL, &[]).findings;
        let libc = found.iter().find(|finding| finding.package == "libc6").unwrap();
        assert_eq!(libc.description.chars().count(), finding::MAX_DESCRIPTION);
    }
}

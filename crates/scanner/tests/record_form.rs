//! The stored form of a layer's record: what was written once must be readable for ever.

use cve_monitor_scanner::{EXTRACTOR_VERSION, LayerRecord, RECORD_FORMAT, fold, matching};

const V1: &str = include_str!("fixtures/layer-record-v1.json");

#[test]
fn version_1_reads_and_writes_the_same() {
    let record: LayerRecord = serde_json::from_str(V1).unwrap();
    let written = serde_json::to_string_pretty(&record).unwrap();
    assert_eq!(written, V1.trim_end(), "the stored form changed: that needs a new RECORD_FORMAT");
    assert!(record.is_current());
    assert_eq!((record.format, record.extractor.as_str()), (RECORD_FORMAT, EXTRACTOR_VERSION));
}

#[test]
fn version_1_means_what_it_meant() {
    let record: LayerRecord = serde_json::from_str(V1).unwrap();
    let keys: Vec<_> =
        record.posting_keys().into_iter().map(|key| format!("{}/{}", key.kind, key.name)).collect();
    assert_eq!(keys, ["deb/apt", "deb/util-linux"]);
    let inventory = fold(&[&record]);
    assert_eq!(inventory.packages.len(), 2);
    assert_eq!(inventory.packages[1].source_version, "2.38.1-5");
    assert_eq!(inventory.distribution.unwrap().ecosystem.as_deref(), Some("Debian:12"));
    assert_eq!(inventory.unread.values().map(|unread| unread.count).sum::<u64>(), 11);
    assert_eq!(inventory.problems.len(), 2);
}

#[test]
fn a_record_of_another_extractor_is_to_be_read_again() {
    let mut record: LayerRecord = serde_json::from_str(V1).unwrap();
    record.extractor = "0".into();
    assert!(!record.is_current());
}

#[test]
fn reasons_and_findings_have_stable_names() {
    let reason = matching::Reason::NoAdvisoriesForDistribution { ecosystem: "Debian:99".into() };
    let completeness = matching::Completeness::Unsupported { reasons: vec![reason] };
    let json = serde_json::to_string(&completeness).unwrap();
    assert_eq!(
        json,
        r#"{"look":"unsupported","reasons":[{"reason":"no_advisories_for_distribution","ecosystem":"Debian:99"}]}"#
    );
    let status =
        serde_json::to_string(&[matching::FixStatus::FixAvailable, matching::FixStatus::EndOfLife]).unwrap();
    assert_eq!(status, r#"["fix_available","end_of_life"]"#);
}

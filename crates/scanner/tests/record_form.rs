//! The stored form of a layer's record: what was written once must be readable for ever.

use cve_monitor_scanner::{
    EXTRACTOR_VERSION, Extraction, InstalledPackage, LayerRecord, NodeContent, PackageKind, RECORD_FORMAT,
    fold, matching,
};

const V1: &str = include_str!("fixtures/layer-record-v1.json");
const V2: &str = include_str!("fixtures/layer-record-v2.json");

#[test]
fn version_2_reads_and_writes_the_same() {
    let record: LayerRecord = serde_json::from_str(V2).unwrap();
    let written = serde_json::to_string_pretty(&record).unwrap();
    assert_eq!(written, V2.trim_end(), "the stored form changed: that needs a new RECORD_FORMAT");
    assert!(record.is_current(&Extraction::default()));
    assert_eq!((record.format, record.extractor.as_str()), (RECORD_FORMAT, EXTRACTOR_VERSION));
}

#[test]
fn packages_of_version_2_have_kinds_sources_and_modules() {
    let record: LayerRecord = serde_json::from_str(V2).unwrap();
    let of = |path: &str| match &record.nodes.iter().find(|node| node.path == path).unwrap().content {
        NodeContent::Packages { packages, .. } => packages.clone(),
        other => panic!("{other:?}"),
    };
    let apk = of("lib/apk/db/installed");
    assert_eq!((apk[0].kind, apk[0].source.as_str()), (PackageKind::Apk, "py3-yaml"));
    assert_eq!((apk[1].source.as_str(), apk[1].module.as_deref()), ("busybox", None));
    assert_eq!(of("usr/lib/sysimage/rpm/rpmdb.sqlite")[0].module.as_deref(), Some("nodejs:18"));
}

#[test]
fn a_place_inside_a_file_is_kept() {
    let fields = r#"["maven","g:a","1","","g:a","1","","!lib/a.jar"]"#;
    let package: InstalledPackage = serde_json::from_str(fields).unwrap();
    assert_eq!((package.inside.as_str(), package.module.as_deref()), ("!lib/a.jar", None));
    assert_eq!(serde_json::to_string(&package).unwrap(), fields);
}

#[test]
fn packages_of_other_lengths_and_kinds_are_refused() {
    for fields in [r#"["deb","a"]"#, r#"["zip","a","1","x"]"#, r#"["deb","a","1","x","s","1","m","y","z"]"#] {
        assert!(serde_json::from_str::<InstalledPackage>(fields).is_err(), "{fields}");
    }
}

#[test]
fn version_1_means_what_it_meant() {
    let record: LayerRecord = serde_json::from_str(V1).unwrap();
    assert!(!record.is_current(&Extraction::default()), "it is to be read again");
    let keys: Vec<_> =
        record.posting_keys().into_iter().map(|key| format!("{}/{}", key.kind, key.name)).collect();
    assert_eq!(keys, ["deb/apt", "deb/util-linux"]);
    let inventory = fold(&[&record]);
    assert_eq!(inventory.packages.len(), 2);
    assert_eq!(inventory.packages[1].source_version, "2.38.1-5");
    assert_eq!(inventory.distribution.unwrap().ecosystem.as_deref(), Some("Debian:12"));
    // One of them is in a list of files whose package is not there.
    assert_eq!(inventory.unread.values().map(|unread| unread.count).sum::<u64>(), 12);
    assert_eq!(inventory.problems.len(), 2);
}

#[test]
fn a_record_of_another_extractor_is_to_be_read_again() {
    let mut record: LayerRecord = serde_json::from_str(V2).unwrap();
    record.extractor = "0".into();
    assert!(!record.is_current(&Extraction::default()));
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

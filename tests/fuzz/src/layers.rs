//! Layers of any bytes, and records of any form.

use cve_monitor_scanner::matching::{Completeness, assess_without};
use cve_monitor_scanner::sbom::{Subject, cyclonedx, package_url, spdx};
use cve_monitor_scanner::{ExpectedBlob, Extraction, ImageInventory, LayerRecord, Limits, fold, read_layer};
use sha2::{Digest as _, Sha256};

/// Small enough that a bomb of a few kilobytes reaches them.
const LIMITS: Limits = Limits {
    max_layer_bytes: 4 << 20,
    max_blob_bytes: 1 << 20,
    max_entries: 4096,
    max_name_bytes: 1024,
    max_captured_bytes: 1 << 20,
    max_record_bytes: 256 << 10,
};

/// A blob is read to its end, and what was read is folded and written out.
pub(crate) fn layer(bytes: &[u8]) {
    let record = read(bytes, false);
    if let Some(diff_id) = &record.diff_id {
        assert!(diff_id.starts_with("sha256:"), "{diff_id}");
    }
    assert_eq!(record.blob_bytes, bytes.len() as u64, "the whole blob is hashed");
    folded(&[record]);
}

/// The record of a layer of these bytes.
pub(crate) fn read(blob: &[u8], lock_files: bool) -> LayerRecord {
    let digest = Sha256::digest(blob).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let expected = ExpectedBlob {
        digest: format!("sha256:{digest}"),
        size: Some(blob.len() as u64),
        media_type: "application/vnd.oci.image.layer.v1.tar".to_owned(),
    };
    let extraction = Extraction { limits: LIMITS, lock_files };
    let record = read_layer(blob, &expected, &extraction).expect("the bytes are the layer's");
    let stored = serde_json::to_vec(&record).expect("a record is JSON");
    let again: LayerRecord = serde_json::from_slice(&stored).expect("a stored record is read");
    assert_eq!(again, record, "what is stored is what was read");
    record
}

/// The inventory of layers holds together: it can be written out, and what could not be read is told.
pub(crate) fn folded(records: &[LayerRecord]) {
    let inventory = fold(&records.iter().collect::<Vec<_>>());
    let matched = assess_without(&inventory);
    assert!(matched.findings.is_empty());
    let is_damaged = records.iter().any(|record| !record.problems.is_empty());
    assert!(!is_damaged || matched.completeness != Completeness::Complete, "a problem was forgotten");
    written(&inventory);
}

/// An inventory can be written out.
pub(crate) fn written(inventory: &ImageInventory) {
    // No extractor finds a package without a name, but a record may be damaged.
    for package in inventory.packages.iter().filter(|package| !package.name.is_empty()) {
        assert!(package_url(package, inventory.distribution.as_ref()).starts_with("pkg:"));
    }
    let created = "2026-03-01T00:00:00Z";
    let subject = Subject { image: "fuzzed", digest: None, layers: &[], created, tool_version: "0" };
    cyclonedx(inventory, &subject).expect("an SBOM is JSON");
    spdx(inventory, &subject).expect("an SBOM is JSON");
}

/// Records as they are stored, base first.
pub(crate) fn record(bytes: &[u8]) {
    if let Ok(records) = serde_json::from_slice::<Vec<LayerRecord>>(bytes) {
        folded(&records);
        records.iter().for_each(|record| drop(record.posting_keys()));
    }
}

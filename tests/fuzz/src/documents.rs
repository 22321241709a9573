//! Documents: manifests, advisories, what is stored, names.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use cve_monitor_adapters::oci::{self, ImageSource};
use cve_monitor_core::scan::{decode_event, decode_head, encode_event, encode_head, finding_keys};
use cve_monitor_core::vocabulary::{
    Digest, Manifest, RawManifest, Reference, RegistryName, RepositoryName, ScanRequest, Tag, Timestamp,
};
use cve_monitor_scanner::advisory::{Ecosystem, OsvRecord};
use cve_monitor_scanner::sbom::read_sbom;

use crate::layers::written;

/// A manifest, an index, or a list of what refers to an image.
pub(crate) fn manifest(bytes: &[u8]) {
    let raw = RawManifest { media_type: None, bytes: bytes.to_vec() };
    if let Ok(Manifest::Image(image)) = raw.parse() {
        assert!(image.layers.len() <= 4096);
    }
    for referrer in raw.referrers().unwrap_or_default() {
        // Either may be about an image of any digest: here about that of the first that is listed.
        let own = raw.referring_to(&referrer.digest);
        assert!(own.is_none_or(|own| own.digest == Digest::of(bytes)));
        assert!(raw.attestations_of(&referrer.digest).is_ok(), "the same list");
    }
}

pub(crate) fn osv(bytes: &[u8]) {
    let Ok(record) = serde_json::from_slice::<OsvRecord>(bytes) else { return };
    for package in record.affected.iter().filter_map(|affected| affected.package.as_ref()) {
        if let Some(ecosystem) = Ecosystem::parse(&package.ecosystem) {
            assert!(!ecosystem.export().is_empty(), "{package:?}");
        }
    }
}

/// What was taken from somebody's list of packages can be written out again.
pub(crate) fn sbom(bytes: &[u8]) {
    if let Ok(inventory) = read_sbom(bytes, "sha256:0", "sha256:1") {
        written(&inventory);
    }
}

/// What is stored is read as it was written.
pub(crate) fn stored(bytes: &[u8]) {
    if let Ok(event) = decode_event(bytes) {
        let encoded = encode_event(&event).expect("what was read can be written");
        assert_eq!(decode_event(&encoded).expect("what was written can be read"), event);
    }
    if let Ok(head) = decode_head(bytes) {
        // A head has a bound of its own, which what was read may be beyond.
        if let Ok(encoded) = encode_head(&head) {
            assert_eq!(decode_head(&encoded).expect("what was written can be read"), head);
        }
    }
    if let Ok(request) = serde_json::from_slice::<ScanRequest>(bytes) {
        let encoded = serde_json::to_vec(&request).expect("what was read can be written");
        let again: ScanRequest = serde_json::from_slice(&encoded).expect("what was written can be read");
        assert_eq!(again, request);
    }
}

pub(crate) fn image_config(bytes: &[u8]) {
    if let Ok(config) = oci::image_config::parse(bytes)
        && let Some(platform) = config.platform
    {
        assert!(!platform.os.is_empty() && !platform.architecture.is_empty());
    }
}

/// Where an image is, as somebody writes it.
pub(crate) fn source(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Err(error) = text.parse::<ImageSource>() {
        assert!(!error.to_string().is_empty());
    }
}

/// The archive's bodies, as the pipeline reads them.
pub(crate) fn report(bytes: &[u8]) {
    if let Ok(keys) = finding_keys(bytes) {
        assert!(keys.len() <= bytes.len());
    }
}

/// What was read as a name is spelled so that it is read as the same again.
fn spelled<T: FromStr + Display + PartialEq + Debug>(text: &str) {
    if let Ok(name) = text.parse::<T>() {
        let again = name.to_string().parse::<T>();
        assert!(again.is_ok_and(|again| again == name), "{text:?} became {name:?}");
    }
}

pub(crate) fn name(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    spelled::<Digest>(&text);
    spelled::<Reference>(&text);
    spelled::<RegistryName>(&text);
    spelled::<RepositoryName>(&text);
    spelled::<Tag>(&text);
    spelled::<Timestamp>(&text);
}

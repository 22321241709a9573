//! What distribution 2.8.2 posted for a push, a pull, the deletion of a manifest and of its tag.

use cve_monitor_adapters::oci::notification;
use cve_monitor_core::vocabulary::{Cause, ImageId};

const CAPTURED: &[u8] = include_bytes!("../fixtures/oci/notification.json");

#[test]
fn a_captured_envelope_asks_for_the_pushed_and_the_deleted_manifest() {
    let registry = "registry.example:5000".parse().unwrap();
    let read = notification::parse(CAPTURED, &registry).unwrap();
    let image: ImageId = "registry.example:5000/team/app@sha256:07b6a32a700291bb074bdc7633ec9574ab7c0535447c1063112cf4349112628e"
        .parse()
        .unwrap();
    let asked: Vec<(ImageId, Cause)> =
        read.requests.iter().map(|r| (r.image.clone(), r.cause.clone())).collect();
    let pushed = Cause::Push { tag: Some("v1".parse().unwrap()) };
    assert_eq!(asked, [(image.clone(), pushed), (image, Cause::Absence)]);
    assert!(read.refused.is_empty(), "{:?}", read.refused);
    assert_eq!(notification::parse(CAPTURED, &registry), Ok(read));
}

//! Which SBOM is believed, and when none is.

use std::time::{Duration, Instant};

use cve_monitor_core::ports::{IndexRequest, RegistryError, Scanner as _, ScannerError};
use cve_monitor_core::vocabulary::{
    Assessment, Digest, ImageId, Level, MediaType, RawManifest, ReasonCode, Verdict,
};
use serde_json::json;

use super::{LOOK_AGE, Looked, SbomUse};
use crate::embedded::scanner::EmbeddedScanner;
use crate::embedded::scanner::fixture::{Bench, layer, names};

const CYCLONEDX: &str = "application/vnd.cyclonedx+json";
const SPDX: &str = "application/spdx+json";
const IN_TOTO: &str = "application/vnd.in-toto+json";

/// A bench with an image of openssl 3.0.1, whose flaw is known, and a scanner that uses SBOMs in this way.
async fn bench(how: SbomUse) -> (Bench, EmbeddedScanner, IndexRequest) {
    let bench = Bench::new();
    bench.advise("CVE-2026-1", "openssl", "3.0.2");
    bench.refresh().await;
    let scanner = bench.another_scanner().with_sbom(how);
    let request = bench.image(&[layer(&[("openssl", "3.0.1")])]).await;
    (bench, scanner, request)
}

async fn look(scanner: &EmbeddedScanner, request: &IndexRequest) -> Assessment {
    scanner.index(request).await.unwrap();
    scanner.assess(&request.image, None).await.unwrap()
}

fn cyclonedx(packages: &[(&str, &str)]) -> String {
    let components: Vec<_> = packages
        .iter()
        .map(|(name, version)| {
            let purl = format!("pkg:deb/debian/{name}@{version}?arch=amd64&distro=debian-12");
            json!({ "type": "library", "name": name, "version": version, "purl": purl })
        })
        .collect();
    json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "components": components }).to_string()
}

fn statement(about: &Digest, document: &str) -> String {
    format!(
        r#"{{"_type":"s","subject":[{{"digest":{{"sha256":"{}"}}}}],"predicate":{document}}}"#,
        about.hex()
    )
}

impl Bench {
    /// An artifact of one document. Refers to an image where one is given.
    fn artifact(
        &self,
        to: Option<&Digest>,
        media_type: &str,
        annotations: &serde_json::Value,
        document: &str,
    ) -> ImageId {
        let config = self.registry.put_blob(b"{}".to_vec());
        let blob = self.registry.put_blob(document.as_bytes().to_vec());
        let mut manifest = json!({
            "schemaVersion": 2, "mediaType": MediaType::OCI_MANIFEST, "artifactType": media_type,
            "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2 },
            "layers": [{ "mediaType": media_type, "digest": blob, "size": document.len(),
                         "annotations": annotations }],
            "annotations": annotations,
        });
        if let Some(to) = to {
            manifest["subject"] = json!({ "mediaType": MediaType::OCI_MANIFEST, "digest": to, "size": 2 });
        }
        self.registry.put_manifest(
            &"team/app".parse().unwrap(),
            None,
            raw(MediaType::OCI_MANIFEST, &manifest),
        )
    }

    fn attach(&self, request: &IndexRequest, document: &str) -> ImageId {
        self.artifact(Some(&request.image.digest), CYCLONEDX, &json!({}), document)
    }
}

fn raw(media_type: &str, json: &serde_json::Value) -> RawManifest {
    RawManifest { media_type: Some(MediaType(media_type.to_owned())), bytes: json.to_string().into_bytes() }
}

#[tokio::test]
async fn an_sbom_is_believed_where_asked_and_no_layer_is_read() {
    for how in [SbomUse::Prefer, SbomUse::Require] {
        let (bench, scanner, request) = bench(how).await;
        let document = cyclonedx(&[("openssl", "3.0.0"), ("zlib", "1.2")]);
        bench.attach(&request, &document);
        let assessment = look(&scanner, &request).await;
        assert_eq!(names(&assessment), ["CVE-2026-1"]);
        assert_eq!(
            (assessment.findings[0].version.as_str(), &assessment.findings[0].layer),
            ("3.0.0", &None)
        );
        assert_eq!(assessment.sbom, Some(Digest::of(document.as_bytes())));
        assert_eq!(assessment.completeness.level(), Level::Complete);
        assert_eq!(scanner.layers_read(), 0);
        assert_ne!(scanner.identity(), bench.scanner.identity());
    }
    let (bench, scanner, request) = bench(SbomUse::Ignore).await;
    bench.attach(&request, &cyclonedx(&[("zlib", "1.2")]));
    let assessment = look(&scanner, &request).await;
    assert_eq!((names(&assessment).len(), assessment.sbom, scanner.layers_read()), (1, None, 1));
}

#[tokio::test]
async fn a_new_advisory_finds_the_image_of_an_sbom_and_reads_nothing() {
    let (bench, scanner, request) = bench(SbomUse::Require).await;
    bench.attach(&request, &cyclonedx(&[("openssl", "3.0.9"), ("zlib", "1.2")]));
    let keys = scanner.index(&request).await.unwrap();
    assert_eq!(names(&scanner.assess(&request.image, None).await.unwrap()), [""; 0]);
    let before = bench.feed_cursor().await;
    bench.advise("CVE-2026-2", "zlib", "1.3");
    bench.refresh().await;
    let served = bench.registry.blob_bytes_served();
    assert_eq!(bench.candidates_since(&before).await, keys);
    assert_eq!(names(&scanner.assess(&request.image, None).await.unwrap()), ["CVE-2026-2"]);
    assert_eq!(bench.registry.blob_bytes_served(), served);
}

#[tokio::test]
async fn without_an_sbom_the_layers_are_read_or_the_look_says_so() {
    let (_bench, scanner, request) = bench(SbomUse::Prefer).await;
    let assessment = look(&scanner, &request).await;
    assert_eq!((names(&assessment).len(), assessment.sbom, scanner.layers_read()), (1, None, 1));

    let (bench, scanner, request) = bench(SbomUse::Require).await;
    let assessment = look(&scanner, &request).await;
    assert_eq!(assessment.completeness.level(), Level::Unsupported);
    assert_eq!(Verdict::over(0, &assessment.completeness), Verdict::Unknown);
    let told: Vec<_> =
        assessment.completeness.reasons().map(|reason| (reason.code, reason.detail.clone())).collect();
    let none = Some("no SBOM is attached to the image".to_owned());
    assert_eq!(told, [(ReasonCode::NoPackageDatabase, none)]);
    assert_eq!((assessment.sbom, scanner.layers_read()), (None, 0));

    // One that comes later is found at the next assessment after a while.
    bench.attach(&request, &cyclonedx(&[("openssl", "3.0.1")]));
    let later = bench.another_scanner().with_sbom(SbomUse::Require);
    assert_eq!(later.assess(&request.image, None).await, Err(ScannerError::NotIndexed));
    assert_eq!(names(&look(&later, &request).await), ["CVE-2026-1"]);
}

#[test]
fn that_there_is_none_counts_for_a_while() {
    let (looked, image, now) = (Looked::default(), Digest::of(b"image"), Instant::now());
    assert!(!looked.is_recent(&image, now));
    looked.remember(image.clone(), now);
    assert!(looked.is_recent(&image, now + LOOK_AGE - Duration::from_millis(1)));
    assert!(!looked.is_recent(&image, now + LOOK_AGE));
    looked.remember(Digest::of(b"other"), now + LOOK_AGE);
    assert!(!looked.is_recent(&image, now), "what is old is forgotten");
}

#[tokio::test]
async fn changing_the_use_has_the_image_read_again_and_the_layers_not() {
    let (bench, scanner, request) = bench(SbomUse::Prefer).await;
    bench.attach(&request, &cyclonedx(&[("zlib", "1.2")]));
    assert_eq!(names(&look(&scanner, &request).await), [""; 0]);
    let ignoring = bench.another_scanner();
    assert_eq!(ignoring.assess(&request.image, None).await, Err(ScannerError::NotIndexed));
    assert_eq!(names(&look(&ignoring, &request).await), ["CVE-2026-1"]);
    assert_eq!(names(&scanner.assess(&request.image, None).await.unwrap()), [""; 0]);
    let again = bench.another_scanner();
    assert_eq!(names(&look(&again, &request).await), ["CVE-2026-1"]);
    assert_eq!((ignoring.layers_read(), again.layers_read()), (1, 0));
}

#[tokio::test]
async fn an_sbom_that_is_deleted_later_is_what_was_looked_at_until_the_next_reading() {
    let (bench, scanner, request) = bench(SbomUse::Prefer).await;
    let attached = bench.attach(&request, &cyclonedx(&[("openssl", "3.0.0")]));
    let before = look(&scanner, &request).await;
    assert!(bench.registry.delete(&attached));
    assert_eq!(scanner.assess(&request.image, None).await, Ok(before));
    let after = look(&scanner, &request).await;
    assert_eq!((after.sbom, after.findings[0].version.as_str()), (None, "3.0.1"));
}

#[tokio::test]
async fn the_newest_of_two_counts_and_one_that_cannot_be_read_does_not() {
    let (bench, scanner, request) = bench(SbomUse::Require).await;
    let dated = |at: &str| json!({ "org.opencontainers.image.created": at });
    let to = Some(&request.image.digest);
    let (old, new) = (cyclonedx(&[("openssl", "1")]), cyclonedx(&[("openssl", "2")]));
    bench.artifact(to, CYCLONEDX, &dated("2026-01-02T00:00:00Z"), &new);
    bench.artifact(to, CYCLONEDX, &dated("2026-01-01T00:00:00Z"), &old);
    bench.artifact(to, SPDX, &dated("2026-01-03T00:00:00Z"), r#"{"spdxVersion":"SPDX-2.3","packages":["#);
    let assessment = look(&scanner, &request).await;
    assert_eq!(assessment.sbom, Some(Digest::of(new.as_bytes())));
}

#[tokio::test]
async fn attestations_are_found_beside_the_image_in_its_index() {
    let (bench, scanner, request) = bench(SbomUse::Require).await;
    let predicate = |name: &str| json!({ "in-toto.io/predicate-type": name });
    let own = statement(&request.image.digest, &cyclonedx(&[("openssl", "3.0.1")]));
    let other = statement(&Digest::of(b"other"), &cyclonedx(&[("zlib", "1")]));
    let documents = [
        (predicate("https://slsa.dev/provenance/v0.2"), "{}"),
        (predicate("https://spdx.dev/Document"), other.as_str()),
        (predicate("https://spdx.dev/Document"), own.as_str()),
    ];
    let beside: Vec<_> = documents
        .into_iter()
        .map(|(predicate, document)| {
            let attestation = bench.artifact(None, IN_TOTO, &predicate, document);
            json!({ "mediaType": MediaType::OCI_MANIFEST, "digest": attestation.digest, "size": 2, "annotations": {
                "vnd.docker.reference.type": "attestation-manifest",
                "vnd.docker.reference.digest": request.image.digest,
            }})
        })
        .collect();
    let index = raw(MediaType::OCI_INDEX, &json!({ "schemaVersion": 2, "manifests": beside }));
    let parent = bench.registry.put_manifest(&request.image.repository, None, index).digest;
    assert_eq!(look(&scanner, &request).await.sbom, None, "nobody says which index");
    let request = IndexRequest { parents: vec![Digest::of(b"gone"), parent], ..request };
    assert_eq!(look(&scanner, &request).await.sbom, Some(Digest::of(own.as_bytes())));
}

#[tokio::test]
async fn the_tags_of_cosign_are_looked_under() {
    let (bench, scanner, request) = bench(SbomUse::Require).await;
    let document = cyclonedx(&[("openssl", "3.0.1")]);
    let artifact = bench.artifact(None, CYCLONEDX, &json!({}), &document);
    let tag = format!("sha256-{}.sbom", request.image.digest.hex()).parse().unwrap();
    assert!(bench.registry.tag(&artifact, &tag));
    assert_eq!(look(&scanner, &request).await.sbom, Some(Digest::of(document.as_bytes())));
}

#[tokio::test]
async fn what_cannot_be_read_is_told_and_what_fails_for_now_is_tried_again() {
    for (document, code) in [
        ("{}".to_owned(), ReasonCode::LayerUnreadable),
        (statement(&Digest::of(b"other"), &cyclonedx(&[("zlib", "1")])), ReasonCode::LayerUnreadable),
    ] {
        let (bench, scanner, request) = bench(SbomUse::Require).await;
        bench.attach(&request, &document);
        let assessment = look(&scanner, &request).await;
        assert_eq!(assessment.completeness.level(), Level::Unsupported);
        assert!(assessment.completeness.reasons().any(|reason| reason.code == code), "{assessment:?}");
        assert_eq!(assessment.sbom, Some(Digest::of(document.as_bytes())));
    }
    let (bench, scanner, request) = bench(SbomUse::Require).await;
    let document = cyclonedx(&[("openssl", "3.0.1")]);
    bench.attach(&request, &document);
    bench.registry.fail_next(1, &RegistryError::Transient("away".to_owned()));
    assert!(matches!(scanner.index(&request).await, Err(ScannerError::Transient { .. })));
    assert_eq!(names(&look(&scanner, &request).await).len(), 1);
    // Other bytes than its digest says: no SBOM.
    assert!(bench.registry.damage(&Digest::of(document.as_bytes())));
    assert_eq!(look(&scanner, &request).await.completeness.level(), Level::Unsupported);
}

#[tokio::test]
async fn a_damaged_record_of_an_sbom_is_taken_anew() {
    let (bench, scanner, request) = bench(SbomUse::Require).await;
    bench.attach(&request, &cyclonedx(&[("openssl", "3.0.1")]));
    look(&scanner, &request).await;
    bench.execute("UPDATE scanner_records SET record = x'00'").await;
    assert_eq!(scanner.assess(&request.image, None).await, Err(ScannerError::NotIndexed));
    assert_eq!(names(&look(&scanner, &request).await), ["CVE-2026-1"]);
}

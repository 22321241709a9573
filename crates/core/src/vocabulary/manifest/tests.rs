//! What manifests of every form are read as.

use super::*;

fn parse(json: &str) -> Result<Manifest, ManifestError> {
    RawManifest { media_type: None, bytes: json.as_bytes().to_vec() }.parse()
}

fn descriptor(media_type: &str) -> String {
    format!(r#"{{"mediaType":"{media_type}","digest":"{}","size":2}}"#, Digest::of(b"{}"))
}

fn manifest(config: &str, layer: &str, extra: &str) -> String {
    format!(
        r#"{{"schemaVersion":2{extra},"config":{},"layers":[{}]}}"#,
        descriptor(config),
        descriptor(layer)
    )
}

const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

#[test]
fn images_of_both_families_are_images() {
    for config in [OCI_CONFIG, "application/vnd.docker.container.image.v1+json"] {
        assert!(matches!(parse(&manifest(config, OCI_LAYER, "")), Ok(Manifest::Image(_))));
    }
}

#[test]
fn what_runtimes_start_is_an_image_whatever_else_it_says() {
    let named = manifest(OCI_CONFIG, OCI_LAYER, r#","artifactType":"application/vnd.example.thing""#);
    assert!(matches!(parse(&named), Ok(Manifest::Image(_))));
    let layers = [OCI_LAYER, "application/vnd.in-toto+json"].map(descriptor).join(",");
    let mixed = format!(r#"{{"config":{},"layers":[{layers}]}}"#, descriptor(OCI_CONFIG));
    assert!(matches!(parse(&mixed), Ok(Manifest::Image(_))));
}

#[test]
fn what_is_not_an_image_is_named() {
    for (config, layer, extra, kind) in [
        (OCI_CONFIG, "application/vnd.in-toto+json", "", ArtifactKind::Attestation),
        (OCI_CONFIG, "application/vnd.dev.cosign.simplesigning.v1+json", "", ArtifactKind::Signature),
        ("application/vnd.cncf.helm.config.v1+json", OCI_LAYER, "", ArtifactKind::HelmChart),
        (
            "application/vnd.oci.empty.v1+json",
            OCI_LAYER,
            r#","artifactType":"application/spdx+json""#,
            ArtifactKind::Sbom,
        ),
        ("application/vnd.oci.empty.v1+json", OCI_LAYER, "", ArtifactKind::Other),
    ] {
        assert_eq!(parse(&manifest(config, layer, extra)), Ok(Manifest::Artifact(kind)));
    }
    assert_eq!(
        parse(r#"{"schemaVersion":1,"fsLayers":[],"history":[]}"#),
        Ok(Manifest::Artifact(ArtifactKind::DockerSchema1))
    );
}

#[test]
fn an_index_keeps_every_child_and_only_true_platforms() {
    let child = |extra: &str| format!(r#"{{"digest":"{}"{extra}}}"#, Digest::of(b"c"));
    let json = format!(
        r#"{{"schemaVersion":2,"manifests":[{},{}]}}"#,
        child(r#","platform":{"os":"linux","architecture":"arm64","variant":"v8"}"#),
        child(
            r#","platform":{"os":"unknown","architecture":"unknown"},"annotations":{"vnd.docker.reference.type":"attestation-manifest"}"#
        )
    );
    let Ok(Manifest::Index(children)) = parse(&json) else { panic!("not an index") };
    let platforms: Vec<_> = children.iter().map(|c| c.platform.as_ref().map(ToString::to_string)).collect();
    assert_eq!(platforms, [Some("linux/arm64/v8".to_owned()), None]);
}

#[test]
fn bounds_hold_at_their_edge_and_garbage_is_an_error() {
    let exact = |len: usize| RawManifest { media_type: None, bytes: vec![b' '; len] }.parse();
    assert!(matches!(exact(MAX_MANIFEST_BYTES), Err(ManifestError::Malformed(_))));
    assert_eq!(exact(MAX_MANIFEST_BYTES + 1), Err(ManifestError::TooLong(MAX_MANIFEST_BYTES + 1)));
    let layers = |n: usize| {
        let layers = vec![descriptor(OCI_LAYER); n].join(",");
        parse(&format!(r#"{{"config":{},"layers":[{layers}]}}"#, descriptor(OCI_CONFIG)))
    };
    assert!(matches!(layers(MAX_ENTRIES), Ok(Manifest::Image(_))));
    assert_eq!(layers(MAX_ENTRIES + 1), Err(ManifestError::TooMany(MAX_ENTRIES + 1)));
    for bad in ["", "null", "[]", "{}", r#"{"schemaVersion":2}"#, r#"{"config":{},"layers":[]}"#] {
        assert!(matches!(parse(bad), Err(ManifestError::Malformed(_))), "{bad}");
    }
}

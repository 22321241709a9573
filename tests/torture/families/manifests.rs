//! Manifests and indexes: forms, lies, bounds.

use cve_monitor_core::vocabulary::Digest;
use serde_json::{Value, json};

use crate::archive::Tar;
use crate::case::{Case, Subject, case, manifest};
use crate::contents::{flawed_debian, sound_debian};
use crate::image::{INDEX, Image, Layer, MANIFEST, TAR};
use crate::layout::Layout;

const CORRUPT: &str = "refused: corrupt";

/// Entry of an index, whose manifest is stored.
fn child(layout: &mut Layout, bytes: &[u8], more: &Value) -> Value {
    let mut entry = json!({"mediaType": MANIFEST, "digest": layout.put(bytes), "size": bytes.len()});
    entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    entry
}

fn index(children: &[Value]) -> Vec<u8> {
    json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": children}).to_string().into_bytes()
}

fn platform(architecture: &str) -> Value {
    json!({"platform": {"os": "linux", "architecture": architecture}})
}

fn image(layout: &mut Layout, layer: impl Into<Layer>, architecture: &'static str) -> Vec<u8> {
    Image::from([layer]).platform("linux", architecture).write(layout)
}

pub(crate) fn cases() -> Vec<Case> {
    [indexes(), forms(), artifacts(), configurations(), descriptors()].into_iter().flatten().collect()
}

fn indexes() -> Vec<Case> {
    vec![
        manifest("index", "index of [CVE-2023-5678; clean]", "each platform is looked at", |layout| {
            let [amd, arm] = [(flawed_debian(), "amd64"), (sound_debian(), "arm64")]
                .map(|(tar, architecture)| (image(layout, tar, architecture), architecture));
            let children =
                [amd, arm].map(|(bytes, architecture)| child(layout, &bytes, &platform(architecture)));
            index(&children)
        }),
        manifest(
            "index-with-attestation",
            "index of [clean; not an image: attestation]",
            "what is attached is no platform, and is told as what it is",
            |layout| {
                let bytes = image(layout, sound_debian(), "amd64");
                let statement = Layer::raw("application/vnd.in-toto+json", b"{}".to_vec());
                let attached = Image::of([statement]).write(layout);
                let more = json!({"platform": {"os": "unknown", "architecture": "unknown"},
                    "annotations": {"vnd.docker.reference.type": "attestation-manifest"}});
                let children = [child(layout, &bytes, &platform("amd64")), child(layout, &attached, &more)];
                index(&children)
            },
        ),
        manifest("index-in-index", "index of [index of [CVE-2023-5678]]", "indexes may nest", |layout| {
            let bytes = image(layout, flawed_debian(), "amd64");
            let inner = index(&[child(layout, &bytes, &platform("amd64"))]);
            index(&[child(layout, &inner, &json!({"mediaType": INDEX}))])
        }),
        manifest("index-empty", "index of []", "no image, no verdict", |_| index(&[])),
        manifest(
            "index-of-missing",
            "index of [refused: not found]",
            "a platform that was never pushed",
            |_| index(&[json!({"mediaType": MANIFEST, "digest": Digest::of(b"absent"), "size": 7})]),
        ),
        manifest(
            "index-lies-about-platform",
            "index of [CVE-2023-5678]",
            "what the image says itself counts",
            |layout| {
                let bytes = image(layout, flawed_debian(), "arm64");
                index(&[child(layout, &bytes, &platform("amd64"))])
            },
        ),
        manifest("index-of-4097", CORRUPT, "more children than the bound", |_| {
            index(&vec![json!({"mediaType": MANIFEST, "digest": Digest::of(b"absent"), "size": 7}); 4097])
        }),
        manifest(
            "index-and-layers",
            "index of [clean]",
            "a list of manifests makes it an index, whatever else it holds",
            |layout| {
                let bytes = image(layout, sound_debian(), "amd64");
                let mut both: Value =
                    serde_json::from_slice(&image(layout, flawed_debian(), "amd64")).unwrap();
                both["manifests"] = json!([child(layout, &bytes, &platform("amd64"))]);
                both.to_string().into_bytes()
            },
        ),
    ]
}

fn forms() -> Vec<Case> {
    vec![
        manifest(
            "schema-1",
            "not an image: docker schema 1 manifest (push it anew with a current tool)",
            "withdrawn by every registry",
            |_| br#"{"schemaVersion":1,"fsLayers":[],"history":[]}"#.to_vec(),
        ),
        case("docker-schema-2", "CVE-2023-5678", "docker's own types", {
            Image::from([flawed_debian()]).manifest(|manifest| {
                manifest["mediaType"] = "application/vnd.docker.distribution.manifest.v2+json".into();
                manifest["config"]["mediaType"] = "application/vnd.docker.container.image.v1+json".into();
                manifest["layers"][0]["mediaType"] =
                    "application/vnd.docker.image.rootfs.diff.tar.gzip".into();
            })
        }),
        case(
            "says-that-it-is-an-index",
            "CVE-2023-5678",
            "what it holds counts, not what it calls itself",
            Image::from([flawed_debian()]).manifest(|manifest| manifest["mediaType"] = INDEX.into()),
        ),
        case("says-nothing", "CVE-2023-5678", "types of the manifest itself may be left out", {
            Image::from([flawed_debian()]).manifest(|manifest| {
                manifest.as_object_mut().unwrap().remove("mediaType");
            })
        }),
        manifest("not-json", CORRUPT, "no manifest", |_| b"not json".to_vec()),
        manifest("empty", CORRUPT, "no manifest", |_| vec![]),
        manifest("cut-short", CORRUPT, "half a manifest", |layout| {
            let bytes = image(layout, flawed_debian(), "amd64");
            bytes[..bytes.len() / 2].to_vec()
        }),
        manifest("an-array", CORRUPT, "JSON of another form", |_| b"[]".to_vec()),
        manifest(
            "deeply-nested",
            CORRUPT,
            "ten thousand brackets end in an error, not in the stack's",
            |_| [b"{\"layers\":".as_slice(), &[b'['; 10_000]].concat(),
        ),
        manifest("over-4-mib", "refused: permanent", "longer than any registry takes", |layout| {
            let mut bytes = image(layout, flawed_debian(), "amd64");
            bytes.resize((4 << 20) + 1, b' ');
            bytes
        }),
        manifest("padded-to-4-mib", "CVE-2023-5678", "as long as the bound", |layout| {
            let mut bytes = image(layout, flawed_debian(), "amd64");
            bytes.resize(4 << 20, b' ');
            bytes
        }),
        Case {
            name: "manifest-of-wrong-digest",
            expected: CORRUPT,
            why: "the layout holds another manifest under the digest",
            subject: Subject::Misnamed(Box::new([flawed_debian()].into()), |_| {
                Digest::of(b"another manifest")
            }),
        },
    ]
}

fn artifacts() -> Vec<Case> {
    vec![
        case(
            "signature",
            "not an image: signature",
            "cosign's, which takes the type of an image's configuration",
            Image::of([Layer::raw("application/vnd.dev.cosign.simplesigning.v1+json", b"{}".to_vec())]),
        ),
        case("helm-chart", "not an image: Helm chart", "a chart", {
            Image::from([Tar::default().file("Chart.yaml", b"name: x")]).manifest(|manifest| {
                manifest["config"]["mediaType"] = "application/vnd.cncf.helm.config.v1+json".into();
            })
        }),
        case("sbom", "not an image: SBOM", "a list of packages that somebody else made", {
            Image::of([Layer::raw("application/spdx+json", b"{}".to_vec())])
                .manifest(|manifest| manifest["artifactType"] = "application/spdx+json".into())
        }),
        case(
            "image-that-says-artifact",
            "CVE-2023-5678",
            "runtimes start it whatever `artifactType` says: it has an image's configuration and an image's layers",
            Image::from([flawed_debian()])
                .manifest(|manifest| manifest["artifactType"] = "application/vnd.example.thing".into()),
        ),
        case(
            "image-with-a-statement-among-its-layers",
            "CVE-2023-5678 (partial: layer_unreadable unsupported_format: neither gzip, zstd nor tar)",
            "one layer that names an artifact does not make the others go away",
            Image::of([flawed_debian().into(), Layer::raw("application/vnd.in-toto+json", b"{}".to_vec())]),
        ),
    ]
}

fn configurations() -> Vec<Case> {
    let flawed = || Image::from([flawed_debian()]);
    vec![
        case(
            "no-configuration",
            "CVE-2023-5678",
            "the layers are there: they are looked at",
            flawed().without_config(),
        ),
        case("configuration-not-json", "CVE-2023-5678", "the platform is unknown, the layers are not", {
            Image::from([flawed_debian()])
                .manifest(|manifest| {
                    let config = b"not json";
                    manifest["config"]["digest"] = json!(Digest::of(config));
                    manifest["config"]["size"] = config.len().into();
                })
                .without_config()
        }),
        case("configuration-of-wrong-digest", CORRUPT, "the layout holds another one under its digest", {
            flawed().config(|config| config["author"] = "somebody".into()).config_stored(b"{}")
        }),
        case("configuration-without-platform", "CVE-2023-5678", "the platform is not known", {
            flawed().config(|config| *config = json!({}))
        }),
        case("configuration-of-fewer-layers", "CVE-2023-5678", "the manifest's layers count", {
            flawed().config(|config| config["rootfs"]["diff_ids"] = json!([]))
        }),
        case("configuration-of-a-long-platform", "CVE-2023-5678", "a platform that no one has is none", {
            flawed().config(|config| config["os"] = "x".repeat(10_000).into())
        }),
    ]
}

fn descriptors() -> Vec<Case> {
    let changed = |change: fn(&mut Value)| Image::from([flawed_debian()]).manifest(change);
    vec![
        case("negative-layer-size", CORRUPT, "no size", changed(|m| m["layers"][0]["size"] = json!(-1))),
        case("fractional-layer-size", CORRUPT, "no size", changed(|m| m["layers"][0]["size"] = json!(1.5))),
        case(
            "digest-of-another-algorithm",
            CORRUPT,
            "sha512 is served by no registry, and cannot be verified here",
            changed(|m| m["layers"][0]["digest"] = format!("sha512:{}", "0".repeat(128)).into()),
        ),
        case("digest-in-upper-case", CORRUPT, "a digest has one spelling", {
            changed(|m| m["layers"][0]["digest"] = format!("sha256:{}", "A".repeat(64)).into())
        }),
        case("digest-with-a-path", CORRUPT, "a digest becomes a path nowhere unless it is one", {
            changed(|m| m["layers"][0]["digest"] = "sha256:../../../../etc/passwd".into())
        }),
        case("layer-without-a-type", CORRUPT, "a descriptor has three fields", {
            changed(|m| drop(m["layers"][0].as_object_mut().unwrap().remove("mediaType")))
        }),
        case("layers-no-list", CORRUPT, "layers are a list", changed(|m| m["layers"] = json!({}))),
        case("layers-null", CORRUPT, "nothing is no list either", changed(|m| m["layers"] = Value::Null)),
        case("layers-4097", CORRUPT, "more layers than the bound", {
            Image::of([Layer::raw(TAR, vec![0; 1024])]).manifest(|m| {
                let layer = m["layers"][0].clone();
                m["layers"] = Value::Array(vec![layer; 4097]);
            })
        }),
        manifest("layers-twice", CORRUPT, "which of the two would count?", |layout| {
            let bytes = image(layout, flawed_debian(), "amd64");
            let text = String::from_utf8(bytes).unwrap();
            text.replacen('{', r#"{"layers":[],"#, 1).into_bytes()
        }),
    ]
}

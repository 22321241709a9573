//! Container images, made without a container engine: a layer for each program, the same bytes whenever they are made.

pub(crate) mod archive;
pub(crate) mod layout;
pub(crate) mod programs;
pub(crate) mod push;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use self::archive::Entry;
use self::programs::Program;

/// A manifest in the form of the OCI.
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The configuration of an image.
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// A layer.
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// Nobody in particular: files are read by everybody, and what is written has a volume.
const USER: u32 = 65532;
/// Where certificate authorities are looked for.
const AUTHORITIES: &str = "etc/ssl/certs/ca-certificates.crt";
/// Where the all-in-one program keeps what it knows.
const DATA: &str = "var/lib/cve-monitor";

/// What an image is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    /// `ingest`, `notifier` and `reconciler`, one of which the task names.
    Workers,
    /// `cve-monitor`, which does everything on one machine.
    AllInOne,
}

impl Variant {
    /// The programs in it.
    pub(crate) fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Workers => &["ingest", "notifier", "reconciler"],
            Self::AllInOne => &["cve-monitor"],
        }
    }
}

/// Bytes, and what they are called.
#[derive(Debug, Clone)]
pub(crate) struct Blob {
    pub(crate) media_type: &'static str,
    pub(crate) digest: String,
    pub(crate) bytes: Vec<u8>,
}

impl Blob {
    fn new(media_type: &'static str, bytes: Vec<u8>) -> Self {
        Self { media_type, digest: digest(&bytes), bytes }
    }

    fn descriptor(&self) -> Value {
        json!({"mediaType": self.media_type, "digest": self.digest, "size": self.bytes.len()})
    }
}

/// An image: configuration and layers, and the manifest that names them.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub(crate) blobs: Vec<Blob>,
    pub(crate) manifest: Blob,
    /// As images call it: amd64, arm64.
    pub(crate) architecture: &'static str,
}

impl Image {
    /// Puts programs and certificate authorities into an image.
    pub(crate) fn assemble(
        variant: Variant,
        architecture: &'static str,
        programs: Vec<Program>,
        authorities: Vec<u8>,
    ) -> Result<Self, String> {
        let mut layers = vec![base(variant, authorities)];
        layers.extend(
            programs
                .into_iter()
                .map(|program| vec![Entry::file(&format!("usr/bin/{}", program.name), 0o755, program.bytes)]),
        );
        let (mut blobs, mut contents) = (Vec::new(), Vec::new());
        for entries in layers {
            let tar = archive::tar(entries)?;
            contents.push(digest(&tar));
            blobs.push(Blob::new(LAYER, archive::gzip(&tar)?));
        }
        let layers: Vec<Value> = blobs.iter().map(Blob::descriptor).collect();
        let config = Blob::new(CONFIG, config(variant, architecture, &contents).to_string().into_bytes());
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": config.descriptor(), "layers": layers,
        });
        blobs.insert(0, config);
        Ok(Self { blobs, manifest: Blob::new(MANIFEST, manifest.to_string().into_bytes()), architecture })
    }

    /// What it is pulled by.
    pub(crate) fn digest(&self) -> &str {
        &self.manifest.digest
    }

    /// How many bytes are pulled.
    pub(crate) fn size(&self) -> usize {
        self.blobs.iter().map(|blob| blob.bytes.len()).sum()
    }
}

/// What every program needs: authorities, users by name, and where names are looked up. A static program finds neither
/// of the latter by itself.
fn base(variant: Variant, authorities: Vec<u8>) -> Vec<Entry> {
    let passwd =
        format!("root:x:0:0:root:/:/sbin/nologin\nmonitor:x:{USER}:{USER}:cve-monitor:/:/sbin/nologin\n");
    let mut entries = vec![
        Entry::file(AUTHORITIES, 0o644, authorities),
        Entry::file("etc/group", 0o644, format!("root:x:0:\nmonitor:x:{USER}:\n").into_bytes()),
        Entry::file("etc/nsswitch.conf", 0o644, b"hosts: files dns\n".to_vec()),
        Entry::file("etc/passwd", 0o644, passwd.into_bytes()),
        Entry::folder("tmp", 0o1777, 0),
    ];
    if variant == Variant::AllInOne {
        // A volume that is made for it takes its owner from here.
        entries.push(Entry::folder(DATA, 0o755, USER));
    }
    entries
}

fn config(variant: Variant, architecture: &str, contents: &[String]) -> Value {
    let mut inner = json!({
        "User": format!("{USER}:{USER}"),
        "Env": ["PATH=/usr/bin", format!("SSL_CERT_FILE=/{AUTHORITIES}")],
        "Labels": {
            "org.opencontainers.image.title": "ecr-cve-monitor",
            "org.opencontainers.image.version": env!("CARGO_PKG_VERSION"),
            "org.opencontainers.image.licenses": env!("CARGO_PKG_LICENSE"),
        },
        "WorkingDir": "/",
    });
    if variant == Variant::AllInOne {
        inner["Entrypoint"] = json!(["cve-monitor"]);
        inner["Cmd"] = json!(["watch"]);
        inner["WorkingDir"] = json!(format!("/{DATA}"));
        // State, reports and what can be fetched again: all in the volume.
        inner["Env"] = json!([
            "PATH=/usr/bin",
            format!("SSL_CERT_FILE=/{AUTHORITIES}"),
            "XDG_DATA_HOME=/var/lib",
            format!("XDG_CACHE_HOME=/{DATA}/cache"),
        ]);
        inner["Volumes"] = json!({format!("/{DATA}"): {}});
        inner["ExposedPorts"] = json!({"8080/tcp": {}});
    }
    json!({
        "created": "1970-01-01T00:00:00Z",
        "architecture": architecture,
        "os": "linux",
        "config": inner,
        "rootfs": {"type": "layers", "diff_ids": contents},
    })
}

/// `sha256:` and the hash in hexadecimal digits.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests;

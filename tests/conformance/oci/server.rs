//! A Distribution server (`docker-registry`) on a free loopback port, with a folder of its own.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cve_monitor_adapters::oci::{DistributionRegistry, DistributionSettings};
use cve_monitor_core::ports::Registry;
use cve_monitor_core::testkit::laws::registry::{RegistryHarness, Seeded};
use cve_monitor_core::testkit::laws::{Harness, UniqueNames};
use cve_monitor_core::vocabulary::{Descriptor, Digest, ImageId, MediaType, RepositoryName, Tag};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::images::{Image, parsed, seeded, tagged};

const PROGRAM: &str = "docker-registry";
/// How often a starting server is asked whether it is there, and how long lies between.
const LOOKS: u32 = 200;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// Someone whom nobody is: the hash is of no password.
const NOBODY: &str = "nobody:$2y$05$abcdefghijklmnopqrstuuJpcWbpGqSmlYAgjtKGzjsdZyUVXuWyq\n";

/// What a registry answers when it has had enough.
const SLOW_DOWN: &[u8] =
    b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

fn registry_at(host: &str) -> Arc<DistributionRegistry> {
    let mut settings = DistributionSettings::new(parsed(host));
    settings.insecure = true;
    Arc::new(DistributionRegistry::new(settings).expect("settings"))
}

/// A running server.
struct Server {
    folder: TempDir,
    host: String,
    child: Child,
}

impl Server {
    async fn start(locked: bool) -> Result<Self, String> {
        let folder = TempDir::new().map_err(|e| e.to_string())?;
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).map_err(|e| e.to_string())?;
        let config = folder.path().join("config.yml");
        fs::write(folder.path().join("htpasswd"), NOBODY).map_err(|e| e.to_string())?;
        let root = folder.path().display();
        let auth = if locked {
            format!("auth: {{htpasswd: {{realm: test, path: {root}/htpasswd}}}}\n")
        } else {
            String::new()
        };
        let text = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: {root}/data}}}}\nhttp: {{addr: '{port}'}}\n{auth}"
        );
        fs::write(&config, text).map_err(|e| e.to_string())?;
        let child = Command::new(PROGRAM)
            .arg("serve")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| format!("`{PROGRAM}` cannot be started: {e}"))?;
        let server = Self { folder, host: port.to_string(), child };
        for _ in 0..LOOKS {
            if reqwest::get(server.url("/v2/")).await.is_ok() {
                return Ok(server);
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        panic!("`{PROGRAM}` was started and does not answer")
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host)
    }

    fn image(&self, repository: &RepositoryName, digest: Digest) -> ImageId {
        ImageId { registry: parsed(&self.host), repository: repository.clone(), digest }
    }

    /// Overwrites what the server has stored.
    fn overwrite(&self, digest: &Digest, bytes: &[u8]) {
        let hex = digest.hex();
        let path = format!("data/docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]);
        fs::write(self.folder.path().join(path), bytes).expect("a stored blob");
    }

    async fn push(&self, repository: &RepositoryName, tag: &Tag, image: &Image) {
        let client = reqwest::Client::new();
        for bytes in [&image.config, &image.layer] {
            let begun = client.post(self.url(&format!("/v2/{repository}/blobs/uploads/"))).send().await;
            let begun = begun.and_then(reqwest::Response::error_for_status).expect("an upload");
            let place = begun.headers()["location"].to_str().expect("an address").to_owned();
            let put = client.put(format!("{place}&digest={}", Digest::of(bytes))).body(bytes.clone());
            put.send().await.and_then(reqwest::Response::error_for_status).expect("a blob");
        }
        self.put_manifest(repository, tag, image.manifest.clone()).await;
    }

    async fn put_manifest(&self, repository: &RepositoryName, tag: &Tag, manifest: Vec<u8>) {
        let put = reqwest::Client::new()
            .put(self.url(&format!("/v2/{repository}/manifests/{tag}")))
            .header("content-type", MediaType::OCI_MANIFEST)
            .body(manifest);
        put.send().await.and_then(reqwest::Response::error_for_status).expect("a manifest");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) struct Distribution {
    names: UniqueNames,
    server: Server,
    /// One that lets nobody in.
    locked: Server,
    registry: Arc<DistributionRegistry>,
}

impl Distribution {
    pub(super) async fn start() -> Result<Self, String> {
        let (server, locked) = (Server::start(false).await?, Server::start(true).await?);
        let registry = registry_at(&server.host);
        Ok(Self { names: UniqueNames::new("d"), server, locked, registry })
    }

    fn repository(&self) -> RepositoryName {
        parsed(&format!("team/{}", self.unique()))
    }

    async fn pushed(&self) -> (RepositoryName, Image) {
        let (repository, image) = (self.repository(), Image::of(&self.unique()));
        self.server.push(&repository, &parsed("v1"), &image).await;
        (repository, image)
    }
}

#[async_trait]
impl Harness for Distribution {
    async fn advance(&self, by: Duration) {
        tokio::time::sleep(by).await;
    }

    fn unique(&self) -> String {
        self.names.make()
    }
}

#[async_trait]
impl RegistryHarness for Distribution {
    fn registry(&self) -> Arc<dyn Registry> {
        Arc::clone(&self.registry) as _
    }

    async fn seeded(&self) -> Option<Seeded> {
        let (repository, images) = (self.repository(), tagged());
        for (tag, image) in &images {
            self.server.push(&repository, tag, image).await;
        }
        // So that the catalogue has an order to keep: the server's own is another.
        for other in ["team", "team-x/app", "zoo"] {
            self.server.push(&parsed(other), &parsed("v1"), &images[0].1).await;
        }
        let digests: Vec<(Tag, Digest)> =
            images.iter().map(|(tag, image)| (tag.clone(), image.digest())).collect();
        Some(seeded(&repository, &digests, images[0].1.blob()))
    }

    async fn push_more(&self, repository: &RepositoryName) -> Option<()> {
        let name = self.unique();
        self.server.push(repository, &parsed(&name), &Image::of(&name)).await;
        Some(())
    }

    async fn move_tag(&self, to: &ImageId, tag: &Tag) -> Option<()> {
        let manifest = self.registry.manifest(to).await.ok()?;
        self.server.put_manifest(&to.repository, tag, manifest.bytes).await;
        Some(())
    }

    async fn damaged_blob(&self) -> Option<(RepositoryName, Descriptor)> {
        let (repository, image) = self.pushed().await;
        self.server.overwrite(&image.blob().digest, &Image::damaged(&image.layer));
        Some((repository, image.blob()))
    }

    async fn damaged_manifest(&self) -> Option<ImageId> {
        let (repository, image) = self.pushed().await;
        // Still a manifest to the server, which does not look at the digest.
        let other = String::from_utf8_lossy(&image.manifest).replace("\"size\":", "\"size\": ");
        self.server.overwrite(&image.digest(), other.as_bytes());
        Some(self.server.image(&repository, image.digest()))
    }

    async fn denied(&self) -> Option<(Arc<dyn Registry>, ImageId)> {
        let image = self.locked.image(&self.repository(), Image::of("any").digest());
        Some((registry_at(&self.locked.host), image))
    }

    /// The server has no limit of its own: something that is all limit stands in for it.
    async fn throttled(&self) -> Option<(Arc<dyn Registry>, ImageId)> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.ok()?;
        let host = listener.local_addr().ok()?.to_string();
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let mut request = [0; 4096];
                let _ = connection.read(&mut request).await;
                let _ = connection.write_all(SLOW_DOWN).await;
            }
        });
        let image = self.server.image(&self.repository(), Image::of("any").digest());
        Some((registry_at(&host), image))
    }
}

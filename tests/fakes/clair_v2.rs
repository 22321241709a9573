//! A Clair 2.0.9 in memory that speaks HTTP on a loopback port. It fetches layers out of a registry in memory, which is
//! to be watched through [`Fetchable`].

#[path = "clair_v2/data.rs"]
mod data;
#[path = "clair_v2/fetchable.rs"]
mod fetchable;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use cve_monitor_core::ports::Registry as _;
use cve_monitor_core::testkit::model::MemoryRegistry;
use cve_monitor_core::vocabulary::{Descriptor, Digest, MediaType};
use futures::TryStreamExt as _;
use serde_json::Value;
use url::Url;

use self::data::Flaw;
use self::data::{Answer, Data, error};
pub(crate) use self::fetchable::Fetchable;
pub(crate) use self::fetchable::HOST;

/// The longest body that it reads, in bytes.
const MAX_BODY_BYTES: usize = 1 << 20;

struct Server {
    data: Mutex<Data>,
    registry: Arc<MemoryRegistry>,
}

/// A running server; it ends when dropped.
pub(crate) struct FakeClairV2 {
    pub(crate) url: Url,
    server: Arc<Server>,
    task: tokio::task::JoinHandle<()>,
}

impl FakeClairV2 {
    /// A server without data that fetches out of this registry.
    pub(crate) async fn start(registry: Arc<MemoryRegistry>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let server = Arc::new(Server { data: Mutex::default(), registry });
        let app = axum::Router::new().fallback(serve).with_state(Arc::clone(&server));
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Self { url: format!("http://{address}").parse().expect("an address"), server, task }
    }

    /// Publishes a vulnerability, edits it or, with none, withdraws it; the name of the notification.
    pub(crate) fn learn(&self, name: &str, flaw: Option<Flaw>) -> String {
        self.server.data().learn(name, flaw)
    }

    /// Loses its database.
    pub(crate) fn empty(&self) {
        self.server.data().empty();
    }

    /// Its updater ends a round without an error.
    pub(crate) fn finish_round(&self) {
        self.server.data().round_seconds = 812;
    }
}

impl Drop for FakeClairV2 {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn post_layer(&self, body: &[u8]) -> Answer {
        let Ok(mut asked) = serde_json::from_slice::<Value>(body) else {
            return error(400, "unexpected EOF");
        };
        let asked = asked["Layer"].take();
        if let Err(answer) = self.data().is_new(&asked) {
            return answer;
        }
        match fetch(&self.registry, asked["Path"].as_str().unwrap_or_default()).await {
            Some(bytes) => self.data().store(&asked, &bytes),
            None => error(400, "could not find layer"),
        }
    }

    async fn answer(&self, method: &Method, uri: &Uri, body: &[u8]) -> Answer {
        let parts: Vec<String> = uri.path().split('/').skip(1).map(unescaped).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let asked = |key: &str| {
            let query = uri.query().unwrap_or_default().split('&');
            query
                .filter_map(|pair| pair.split_once('='))
                .find(|(name, _)| *name == key)
                .map(|(_, value)| value)
        };
        match (method.as_str(), parts.as_slice()) {
            ("POST", ["v1", "layers"]) => self.post_layer(body).await,
            ("GET", ["v1", "layers", name]) => {
                let with_packages = uri.query().is_some_and(|query| query.contains("features"));
                self.data().layer(name, with_packages)
            }
            ("GET", ["v1", "namespaces"]) => self.data().namespaces(),
            ("GET", ["v1", "namespaces", namespace, "vulnerabilities"]) => self.data().flaws_of(namespace),
            ("GET", ["v1", "notifications", name]) => {
                // Pages are short, so that there are several.
                let from = asked("page").and_then(|page| page.parse().ok()).unwrap_or(0);
                self.data().notification(name, 2, from)
            }
            ("DELETE", ["v1", "notifications", name]) => self.data().delete_notification(name),
            ("GET", ["v1", "metrics"]) => self.data().metrics(),
            _ => error(405, "the fake knows no such call"),
        }
    }
}

/// A layer of Debian 12 with one package.
pub(crate) fn debian(package: &str, version: &str) -> Vec<u8> {
    let mut archive = tar::Builder::new(vec![]);
    for (path, text) in [
        ("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n".to_owned()),
        ("var/lib/dpkg/status", format!("Package: {package}\nVersion: {version}\n\n")),
    ] {
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append_data(&mut header, path, text.as_bytes()).expect("a short path");
    }
    archive.into_inner().expect("it is in memory")
}

/// A vulnerability of all versions of a package of Debian 12.
pub(crate) fn flaw(name: &str, package: &str, text: &str) -> Flaw {
    Flaw {
        name: name.to_owned(),
        namespace: "debian:12".to_owned(),
        package: package.to_owned(),
        text: text.to_owned(),
    }
}

async fn serve(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_BODY_BYTES).await.unwrap_or_else(|_| Bytes::new());
    let (status, json) = server.answer(&parts.method, &parts.uri, &body).await;
    let status = StatusCode::from_u16(status).expect("a status");
    let body = json.as_str().map_or_else(|| json.to_string(), str::to_owned);
    (status, [("content-type", "application/json;charset=utf-8")], body).into_response()
}

/// What lies at an address; none where nothing does. A path that is no address is a file: the empty one is known.
async fn fetch(registry: &MemoryRegistry, path: &str) -> Option<Vec<u8>> {
    if path == "/dev/null" {
        return Some(vec![]);
    }
    let (repository, digest) = path.strip_prefix(HOST)?.split('?').next()?.rsplit_once('/')?;
    let digest: Digest = digest.parse().ok()?;
    let blob = Descriptor { media_type: MediaType("application/octet-stream".to_owned()), digest, size: 0 };
    let stream = registry.blob(&repository.parse().ok()?, &blob).await.ok()?;
    let chunks: Vec<bytes::Bytes> = stream.try_collect().await.ok()?;
    Some(chunks.concat())
}

fn unescaped(part: &str) -> String {
    part.replace("%3A", ":")
}

//! The feed of Clair v4 on a Clair in memory, and on answers that a Clair should never give.

mod candidates;
mod diffs;
mod steps;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cve_monitor_adapters::clair::Endpoint;
use cve_monitor_adapters::clair::v4::{ClairV4Client, ClairV4Feed, ClairV4Settings, SETTLE};
use cve_monitor_core::ports::{ChangeFeed as _, Clock as _, Cursor, FeedError, Next};
use cve_monitor_core::testkit::ManualClock;
use cve_monitor_core::testkit::model::MemoryArchive;
use cve_monitor_core::vocabulary::Digest;
use cve_monitor_tests::fakes::clair_v4::{FakeClair, debian_vulnerability};
use futures::FutureExt as _;
use serde_json::{Value, json};

const DEBIAN: &str = "debian/updater";

/// A Clair, and a feed that follows it.
struct Bench {
    clair: FakeClair,
    clock: Arc<ManualClock>,
    archive: Arc<MemoryArchive>,
    feed: ClairV4Feed,
}

impl Bench {
    async fn new() -> Self {
        let clair = FakeClair::start(Arc::new(|uri, _| async move { Ok(layer(&uri)) }.boxed())).await;
        let (clock, archive) = (Arc::new(ManualClock::default()), Arc::new(MemoryArchive::default()));
        let feed = feed(&clair.url(), &archive, &clock);
        Self { clair, clock, archive, feed }
    }

    /// A feed in another process: it knows what is durable.
    fn restarted(&self) -> ClairV4Feed {
        feed(&self.clair.url(), &self.archive, &self.clock)
    }

    /// An updater completes, a second after whatever was before.
    fn update(&self, updater: &str, vulnerabilities: Vec<Value>) -> String {
        self.clock.advance(Duration::from_secs(1));
        self.clair.update(updater, &self.clock.now().to_string(), vulnerabilities)
    }

    /// Hands an image to Clair; what it holds is in the address of its one layer, see [`layer`].
    async fn index(&self, contents: &str) -> String {
        let hash = Digest::of(contents.as_bytes()).to_string();
        let body = json!({"hash": hash, "layers": [{"hash": hash, "uri": contents, "headers": {}}]});
        let url = format!("{}/indexer/api/v1/index_report", self.clair.url());
        let answer = reqwest::Client::new().post(url).body(body.to_string()).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 201);
        hash
    }

    /// What comes next, once what is listed now has settled.
    async fn next(&self, cursor: Option<&Cursor>) -> Result<Next, FeedError> {
        self.feed.next(cursor.cloned()).await?;
        self.clock.advance(SETTLE);
        self.feed.next(cursor.cloned()).await
    }

    /// The cursor after everything that is listed now.
    async fn followed(&self) -> Cursor {
        match self.next(None).await {
            Ok(Next::Gap { to, scope, .. }) if scope == "everything" => to,
            other => panic!("{other:?}"),
        }
    }

    /// The cursor after one change.
    async fn change(&self, from: &Cursor) -> Cursor {
        match self.next(Some(from)).await {
            Ok(Next::Change { to, .. }) => to,
            other => panic!("{other:?}"),
        }
    }

    async fn gap(&self, from: &Cursor) -> (Cursor, String) {
        match self.next(Some(from)).await {
            Ok(Next::Gap { to, scope, .. }) => (to, scope),
            other => panic!("{other:?}"),
        }
    }

    async fn candidates(&self, from: &Cursor, to: &Cursor) -> Result<BTreeSet<String>, FeedError> {
        let page = self.feed.candidates(from, to, None, 1000).await?;
        assert_eq!(page.next, None);
        Ok(page.items.into_iter().map(|key| key.0).collect())
    }

    /// How many requests were made for paths that contain this.
    fn requests(&self, path: &str) -> usize {
        self.clair.requests().iter().filter(|request| request.contains(path)).count()
    }
}

fn feed(url: &str, archive: &Arc<MemoryArchive>, clock: &Arc<ManualClock>) -> ClairV4Feed {
    let settings = ClairV4Settings::new(Endpoint { url: url.parse().unwrap(), ca_file: None, signer: None });
    let client = Arc::new(ClairV4Client::new(&settings).unwrap());
    ClairV4Feed::new(client, Arc::clone(archive) as _, Arc::clone(clock) as _)
}

fn keys<const N: usize>(keys: [&str; N]) -> BTreeSet<String> {
    keys.map(str::to_owned).into()
}

fn debian(name: &str, package: &str) -> Value {
    debian_vulnerability(name, package, "")
}

/// An image of Debian 12 with one package, or a program in Go: `debian:openssl:3.0`, `go:golang.org/x/text:v0.3.6`.
fn layer(contents: &str) -> Vec<u8> {
    let [kind, package, version] = contents.splitn(3, ':').collect::<Vec<_>>()[..] else { return vec![] };
    let mut files = vec![("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n".to_owned())];
    files.push(match kind {
        "debian" => {
            let status = format!("Package: {package}\nArchitecture: amd64\nVersion: {version}\n\n");
            ("var/lib/dpkg/status", status)
        }
        "pypi" => ("a.dist-info/METADATA", format!("Name: {package}\nVersion: {version}\n")),
        _ => ("usr/bin/program", format!("go program\ndep {package} {version}\n")),
    });
    let mut archive = tar::Builder::new(vec![]);
    for (path, text) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap()
}

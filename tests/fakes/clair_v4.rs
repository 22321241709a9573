//! A Clair v4 in memory: it reads layers, keeps update operations, and answers as Clair 4.9.0 does (httptransport of
//! quay/clair, claircore 1.5.48), with the same gaps: affected manifests are told for some ecosystems alone, reports
//! lag behind the list of operations while their view is not refreshed, and a collected operation has no diff.
//!
//! A layer is an uncompressed tar. Read are `etc/os-release`, `var/lib/dpkg/status`, `…dist-info/METADATA` of Python,
//! and programs in Go, for which any file stands that begins with a line `go program`, followed by lines
//! `dep NAME VERSION`.

mod answers;
mod contents;
mod matching;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use serde_json::{Value, json};

use self::state::State;

/// Fetches a layer by address and headers; or the status that the registry answers with.
pub type Fetch =
    Arc<dyn Fn(String, Vec<(String, String)>) -> BoxFuture<'static, Result<Vec<u8>, u16>> + Send + Sync>;

/// What to do instead of answering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Answer this status with a body like Clair's, and cut the connection before its end, as Clair does.
    Status(u16),
    /// Answer as always, but cut the connection after so many bytes of the body.
    CutAfter(usize),
}

/// A fault for requests whose path contains a text, so many times.
#[derive(Debug, Clone)]
struct Planned {
    path: String,
    times: usize,
    fault: Fault,
}

/// A running Clair; it ends when dropped.
pub struct FakeClair {
    shared: Arc<Shared>,
    address: String,
    task: tokio::task::JoinHandle<()>,
}

struct Shared {
    state: Mutex<State>,
    planned: Mutex<Vec<Planned>>,
    requests: Mutex<Vec<String>>,
    fetch: Fetch,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn planned(&self, path: &str) -> Option<Fault> {
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = planned.iter_mut().find(|plan| plan.times > 0 && path.contains(&plan.path))?;
        plan.times -= 1;
        Some(plan.fault.clone())
    }
}

impl FakeClair {
    /// Starts an empty one on a free loopback port.
    ///
    /// # Panics
    /// Where there is none.
    pub async fn start(fetch: Fetch) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            planned: Mutex::default(),
            requests: Mutex::default(),
            fetch,
        });
        let app = answers::router(Arc::clone(&shared));
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Self { shared, address, task }
    }

    /// Where it is: indexer and matcher alike.
    #[must_use]
    pub fn url(&self) -> String {
        self.address.clone()
    }

    /// An updater completes: from now on these are all its vulnerabilities. The date is RFC 3339. Answers the
    /// operation's ref.
    pub fn update(&self, updater: &str, date: &str, vulnerabilities: Vec<Value>) -> String {
        self.shared.state().update(updater, date, vulnerabilities)
    }

    /// The same, but visible late: its transaction began before that of the newest operation, which hid nothing of
    /// itself meanwhile. The validator of the list stays the same.
    pub fn update_late(&self, updater: &str, date: &str, vulnerabilities: Vec<Value>) -> String {
        let mut state = self.shared.state();
        let name = state.update(updater, date, vulnerabilities);
        state.began_before_the_newest();
        name
    }

    /// Collects operations, as Clair does with old ones: they are not listed any more, and have no diff.
    pub fn collect(&self, refs: &[&str]) {
        self.shared.state().collect(refs);
    }

    /// An updater and all its operations are gone.
    pub fn remove_updater(&self, updater: &str) {
        self.shared.state().remove_updater(updater);
    }

    /// The database is lost: no operations, no vulnerabilities, no manifests.
    pub fn empty(&self) {
        self.shared.state().empty();
    }

    /// From now on reports say what they say now, whatever operations come; until they are let go.
    pub fn hold_reports(&self, hold: bool) {
        self.shared.state().hold(hold);
    }

    /// Other scanners: the indexer's state changes, and what is handed over again is read again.
    pub fn set_index_state(&self, state: &str) {
        self.shared.state().index_state = state.to_owned();
    }

    /// The next requests whose path contains this text fail.
    pub fn fail(&self, path: &str, times: usize, fault: Fault) {
        let mut planned = self.shared.planned.lock().unwrap_or_else(PoisonError::into_inner);
        planned.push(Planned { path: path.to_owned(), times, fault });
    }

    /// The requests so far: method, path and query.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many bytes of layers were fetched so far.
    #[must_use]
    pub fn layer_bytes(&self) -> u64 {
        self.shared.state().layer_bytes
    }
}

impl std::fmt::Debug for FakeClair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FakeClair").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for FakeClair {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A vulnerability of a source package of Debian 12 as `debian/updater` writes it. An empty version: no fix.
#[must_use]
pub fn debian_vulnerability(name: &str, package: &str, fixed_in: &str) -> Value {
    json!({
        "updater": "debian/updater", "name": name, "description": "a flaw", "issued": "0001-01-01T00:00:00Z",
        "links": format!("https://security-tracker.debian.org/tracker/{name}"), "severity": "high",
        "normalized_severity": "High",
        "package": {"id": "", "name": package, "version": "", "kind": "source", "normalized_version": "", "cpe": ""},
        "distribution": contents::debian_12(""), "repository": {"cpe": ""}, "fixed_in_version": fixed_in,
    })
}

/// A vulnerability of a language's package as `osv/…` writes it; `repository` is `go` or `pypi`.
#[must_use]
pub fn language_vulnerability(repository: &str, name: &str, package: &str, fixed_in: &str) -> Value {
    let mut from = contents::repository(repository);
    from["id"] = json!("");
    json!({
        "updater": format!("osv/{repository}"), "name": name, "description": "a flaw",
        "issued": "2020-01-01T00:00:00Z", "links": "https://osv.dev/", "severity": "", "normalized_severity": "High",
        "package": {"id": "", "name": package, "version": "", "kind": "binary", "normalized_version": "", "cpe": ""},
        "distribution": {"id": "", "did": "", "name": "", "version": "", "version_code_name": "", "version_id": "",
                         "arch": "", "cpe": "", "pretty_name": ""},
        "repository": from, "fixed_in_version": fixed_in,
    })
}

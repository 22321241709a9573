//! Clair 2.0.9, from before Go had modules: it is built with the versions of its `glide.lock`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use super::Ground;
use super::source::Source;
use crate::process::{Process, answers, free_address, requests};

const SOURCE: Source = Source {
    module: "github.com/coreos/clair",
    version: "v2.0.9+incompatible",
    sum: "h1:g5zRoyYNqp+W1nR0nELaHl4MmMy+b971I8Pa0K5pyws=",
    programs: &["clair"],
    requirements: Some((
        include_str!("../../../../tests/fixtures/clair/v2.go.mod"),
        include_str!("../../../../tests/fixtures/clair/v2.go.sum"),
    )),
};

/// The programs without which it does not start.
pub(super) const NEEDED: [&str; 3] = ["git", "rpm", "xz"];

/// The name of its database.
const DATABASE: &str = "clair_v2";

/// How long it may take to start, its migrations included.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A running Clair; dropping it ends it.
#[derive(Debug)]
pub struct ClairV2 {
    /// Where its API listens.
    pub address: SocketAddr,
    health: SocketAddr,
    program: PathBuf,
    config: PathBuf,
    log: PathBuf,
    process: Option<Process>,
}

impl ClairV2 {
    /// The folder of its program, built where it was not.
    ///
    /// # Errors
    /// The module cannot be downloaded or built.
    pub fn build(root: &Path) -> Result<PathBuf, String> {
        SOURCE.build(root)
    }

    /// The name of its database.
    #[must_use]
    pub fn database(&self) -> &'static str {
        DATABASE
    }

    /// Starts it with an empty database of its own. Its updaters are off: what it knows is posted to it.
    ///
    /// # Errors
    /// It does not start: with the end of its log.
    pub fn start(programs: &Path, ground: &Ground, webhook: &str) -> Result<Self, String> {
        ground.postgres.fresh_database(DATABASE)?;
        let folder = ground.folder.join("clair-v2");
        let mut clair = Self {
            address: free_address()?,
            health: free_address()?,
            program: programs.join("clair"),
            config: folder.join("config.yaml"),
            log: folder.join("clair.log"),
            process: None,
        };
        // JSON is YAML.
        let config = json!({"clair": {
            "database": {"type": "pgsql", "options": {"source": ground.postgres.connection(DATABASE)}},
            "api": {"port": clair.address.port(), "healthport": clair.health.port(), "timeout": "900s"},
            "updater": {"interval": "0"},
            "notifier": {"attempts": 2, "renotifyinterval": "2h", "http": {"endpoint": webhook}}
        }});
        std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(&clair.config, format!("{config:#}")))
            .map_err(|error| format!("{} cannot be written: {error}", folder.display()))?;
        clair.resume()?;
        Ok(clair)
    }

    /// Starts the process, where it was stopped. Only then does it look for notifications at once: later, every five
    /// minutes.
    ///
    /// # Errors
    /// It does not start: with the end of its log.
    pub fn resume(&mut self) -> Result<(), String> {
        let mut command = Command::new(&self.program);
        command.arg("-config").arg(&self.config);
        let ready = || answers(self.health, "/health") && answers(self.address, "/v1/namespaces");
        self.process = Some(Process::start(&mut command, &self.log, START_LIMIT, ready)?);
        Ok(())
    }

    /// Ends the process at once.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// The requests that it has answered, as `POST /path`, in order.
    ///
    /// # Errors
    /// It writes no log.
    pub fn requests(&self) -> Result<Vec<String>, String> {
        requests(&self.log, ["Event", "Handled HTTP request"], ["method", "request uri"])
    }

    pub(super) fn how_to_use(&self) -> String {
        format!(
            "Clair {} on http://{} (and on every other address of this machine); ctrl-c stops all

it knows no vulnerability yet. Let it read an image first; then give it one:
  curl http://{}/v1/namespaces/debian:12/vulnerabilities -d '{}'

it looks for notifications at its start, and then every five minutes
",
            SOURCE.version.trim_end_matches("+incompatible"),
            self.address,
            self.address,
            json!({"Vulnerability": {
                "Name": "CVE-2025-5278", "NamespaceName": "debian:12", "Severity": "Medium",
                "FixedIn": [{
                    "Name": "coreutils", "NamespaceName": "debian:12", "VersionFormat": "dpkg", "Version": "None"
                }]
            }})
        )
    }
}

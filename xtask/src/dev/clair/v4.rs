//! Clair 4.9.0 in combo mode: indexer, matcher and notifier in one process.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use super::Ground;
use super::source::Source;
use crate::process::{Process, answers, free_address, requests, run};

const SOURCE: Source = Source {
    module: "github.com/quay/clair/v4",
    version: "v4.9.0",
    sum: "h1:wNiKUOoSHpvXstIQOoQe5Hx0RwFmqmgf2vvca2KdC2k=",
    programs: &["clair", "clairctl"],
    requirements: None,
};

/// The name of its database.
const DATABASE: &str = "clair_v4";

/// How long it may take to start, its migrations included.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Red Hat's tables of repositories and of container names, empty: Clair fetches the real ones from Red Hat for every
/// image, of whatever distribution, and indexes nothing where it cannot.
const EMPTY_TABLE: &str = r#"{"data":{}}"#;

/// A running Clair; dropping it ends it.
#[derive(Debug)]
pub struct ClairV4 {
    /// Where its API listens.
    pub address: SocketAddr,
    /// Its configuration, for `clairctl`.
    pub config: PathBuf,
    introspection: SocketAddr,
    programs: PathBuf,
    log: PathBuf,
    process: Option<Process>,
}

impl ClairV4 {
    /// The folder of its programs, built where they were not.
    ///
    /// # Errors
    /// The module cannot be downloaded or built.
    pub fn build(root: &Path) -> Result<PathBuf, String> {
        SOURCE.build(root)
    }

    /// Starts it with an empty database of its own. Its updaters are off: what it knows is imported.
    ///
    /// # Errors
    /// It does not start: with the end of its log.
    pub fn start(programs: &Path, ground: &Ground, webhook: &str) -> Result<Self, String> {
        ground.postgres.fresh_database(DATABASE)?;
        let folder = ground.folder.join("clair-v4");
        let mut clair = Self {
            address: free_address()?,
            config: folder.join("config.json"),
            introspection: free_address()?,
            programs: programs.to_owned(),
            log: folder.join("clair.log"),
            process: None,
        };
        let table = folder.join("empty.json");
        let config = clair.settings(&ground.postgres.connection(DATABASE), webhook, &table);
        std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(&table, EMPTY_TABLE))
            .and_then(|()| std::fs::write(&clair.config, format!("{config:#}")))
            .map_err(|error| format!("{} cannot be written: {error}", folder.display()))?;
        clair.resume()?;
        Ok(clair)
    }

    fn settings(&self, connection: &str, webhook: &str, table: &Path) -> serde_json::Value {
        json!({
            "http_listen_addr": self.address.to_string(),
            "introspection_addr": self.introspection.to_string(),
            "log_level": "info",
            "indexer": {
                "connstring": connection,
                "migrations": true,
                "scanner": {
                    "repo": {"rhel-repository-scanner": {"repo2cpe_mapping_file": table, "disable_api": true}},
                    "package": {
                        "rhel_containerscanner": {"name2repos_mapping_file": table},
                        "java": {"disable_api": true}
                    }
                }
            },
            "matcher": {"connstring": connection, "migrations": true, "disable_updaters": true},
            "notifier": {
                "connstring": connection,
                "migrations": true,
                // The shortest that it takes.
                "poll_interval": "1m",
                "delivery_interval": "1m",
                "disable_summary": true,
                "webhook": {
                    "target": webhook,
                    "callback": format!("http://{}/notifier/api/v1/notification", self.address)
                }
            }
        })
    }

    /// Starts the process, where it was stopped: with the same address and database.
    ///
    /// # Errors
    /// It does not start: with the end of its log.
    pub fn resume(&mut self) -> Result<(), String> {
        let mut command = Command::new(self.programs.join("clair"));
        command.arg("-conf").arg(&self.config).args(["-mode", "combo"]);
        let ready = || answers(self.introspection, "/readyz");
        self.process = Some(Process::start(&mut command, &self.log, START_LIMIT, ready)?);
        Ok(())
    }

    /// Ends the process at once.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Starts it anew with an empty database, as one that has lost everything.
    ///
    /// # Errors
    /// It does not start: with the end of its log.
    pub fn start_empty(&mut self, ground: &Ground) -> Result<(), String> {
        self.process = None;
        ground.postgres.fresh_database(DATABASE)?;
        self.resume()
    }

    /// Takes in a file of vulnerabilities. One whose fingerprint is known already changes nothing.
    ///
    /// # Errors
    /// What `clairctl` says.
    pub fn import(&self, file: &Path) -> Result<(), String> {
        run(Command::new(self.programs.join("clairctl")).args(self.import_arguments(file))).map(drop)
    }

    fn import_arguments(&self, file: &Path) -> [PathBuf; 4] {
        ["-c".into(), self.config.clone(), "import-updaters".into(), file.to_owned()]
    }

    /// The requests that it has answered, as `POST /path`, in order.
    ///
    /// # Errors
    /// It writes no log.
    pub fn requests(&self) -> Result<Vec<String>, String> {
        requests(&self.log, ["message", "handled HTTP request"], ["method", "request_uri"])
    }

    pub(super) fn how_to_use(&self, root: &Path) -> String {
        let [address, config, second] = [
            self.address.to_string(),
            self.config.display().to_string(),
            super::offline::file(root, "second").display().to_string(),
        ];
        let clairctl = self.programs.join("clairctl");
        format!(
            "Clair {} on http://{address}, with the advisories of examples/clair/first.json; ctrl-c stops all

let the advisories change, as a later state of the same source:
  {} -c {config} import-updaters {second}
",
            SOURCE.version,
            clairctl.display()
        )
    }
}

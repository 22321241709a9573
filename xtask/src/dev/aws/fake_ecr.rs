//! The fake ECR of the tests as a process: accounts, regions, and images that are pushed into them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use super::emulator::address_after;
use crate::process::{Process, post};

/// How long it may take to start.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A running one; it ends when this is dropped, and when this process ends in whatever way.
pub(super) struct FakeEcr {
    pub(super) address: SocketAddr,
    _process: Process,
}

impl FakeEcr {
    pub(super) fn start(program: &Path) -> Result<Self, String> {
        let (process, address) = Process::start_tethered(&Command::new(program), START_LIMIT, |log| {
            address_after(log, "http://")
        })?;
        Ok(Self { address, _process: process })
    }

    /// Lends a role to those who know its external id.
    pub(super) fn add_role(&self, arn: &str, external_id: &str) -> Result<(), String> {
        self.control("role", &json!({"arn": arn, "external_id": external_id}))
    }

    /// Pushes an image of a layout as `demo/NAME:1`; nobody is told.
    pub(super) fn push(&self, account: &str, region: &str, layout: &Path, name: &str) -> Result<(), String> {
        let repository = format!("demo/{name}");
        let mut image = json!({"account": account, "region": region, "repository": repository});
        self.control("create", &image)?;
        (image["tag"], image["layout"], image["name"]) = (json!("1"), json!(layout), json!(name));
        self.control("push", &image)
    }

    fn control(&self, what: &str, body: &serde_json::Value) -> Result<(), String> {
        post(self.address, &format!("/_control/{what}"), body).map(drop)
    }
}

/// Builds programs of the workspace, each given with its package; answers the folder that they are in.
pub(super) fn build(root: &Path, programs: &[(&str, &str)]) -> Result<PathBuf, String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).args(["build", "--locked"]);
    for (package, program) in programs {
        cargo.args(["--package", package, "--bin", program]);
    }
    match cargo.status() {
        Ok(status) if status.success() => Ok(target(root).join("debug")),
        Ok(status) => Err(format!("cargo build failed ({status})")),
        Err(error) => Err(format!("cargo cannot be run: {error}")),
    }
}

fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

//! The real terraform with the real AWS provider, on what stands in for AWS. Where one of them is missing, the rows are *ignored*.
//!
//! A plan is made with every run of the tests; everything from the deployment to the teardown by `cargo xtask deploy-e2e`.

mod cloud;
mod scanning;
mod stage;
mod whole;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Trial};

use crate::cloud::Cloud;
use crate::stage::Stage;

/// Set by `cargo xtask deploy-e2e`.
const WANTED: &str = "XTASK_DEPLOY_E2E";
/// Where the AWS provider is.
const MIRROR: &str = "TF_PLUGIN_MIRROR";
/// An image that is nowhere: a plan does not look for it.
const IMAGE: &str = "x/y@sha256:1111111111111111111111111111111111111111111111111111111111111111";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What this machine lacks of terraform.
fn lacking() -> Option<String> {
    if xtask::process::find(&["terraform"]).is_none() {
        return Some("needs `terraform`".to_owned());
    }
    let mirror = std::env::var_os(MIRROR).map(PathBuf::from).unwrap_or_default();
    let there = mirror.join("registry.terraform.io/hashicorp/aws").is_dir();
    (!there).then(|| format!("needs {MIRROR}, a filesystem mirror with the AWS provider"))
}

/// A first plan holds every part, and changes nothing.
fn plan() -> Completion {
    let cloud = match Cloud::start(&root(), "http://127.0.0.1:9") {
        Ok(cloud) => cloud,
        Err(why) => return Completion::ignored_with(why),
    };
    let stage = Stage::new(cloud, &format!("image = \"{IMAGE}\"\n"));
    let ended = stage.run("deploy", &["--plan-only"], "");
    assert_eq!(ended.code, 2);
    for part in
        ["network (", "queues (", "store (", "lake (", "clair (", "ingest (", "notifier (", "monitoring ("]
    {
        assert!(ended.said.contains(&format!("\n{part}")), "{part}");
    }
    assert!(ended.said.contains(", 0 to update, 0 to replace, 0 to destroy"));
    Completion::Completed
}

fn main() -> ExitCode {
    let trial = |name: &str, wanted: bool, test: fn() -> Completion| {
        Trial::ignorable_test(format!("deploy::{name}"), move || {
            if !wanted {
                return Ok(Completion::ignored_with("takes some minutes: cargo xtask deploy-e2e"));
            }
            Ok(lacking().map_or_else(test, Completion::ignored_with))
        })
    };
    let whole = std::env::var_os(WANTED).is_some();
    let trials = vec![
        trial("a_plan_on_the_emulator", true, plan),
        trial("deploy_report_drift_destroy", whole, whole::run),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

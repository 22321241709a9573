//! From an empty account to the first report, to drift, and back.

use std::path::PathBuf;

use libtest_mimic::Completion;
use serde_json::{Value, json};
use xtask::registry;

use crate::cloud::Cloud;
use crate::stage::Stage;
use crate::{root, scanning};

/// A folder of static programs, where they need not be built.
const PROGRAMS: &str = "XTASK_STATIC_PROGRAMS";
const NAME: &str = "ecr-cve-monitor-e2e";
const REPORTS: &str = "acme-ecr-cve-monitor-e2e-reports";

pub(crate) fn run() -> Completion {
    if let Some(name) = registry::missing() {
        return Completion::ignored_with(format!("needs `{name}`"));
    }
    let folder = tempfile::TempDir::new().unwrap();
    let images = registry::Registry::start(&folder.path().join("registry")).unwrap();
    let cloud = match Cloud::start(&root(), &format!("http://{}", images.address)) {
        Ok(cloud) => cloud,
        Err(why) => return Completion::ignored_with(why),
    };
    let stage = Stage::new(cloud, "account_id = \"123456789012\"\n");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    deploy(&stage);
    let program = programs().join("ingest");
    let report = runtime.block_on(scanning::first_report(&stage, &program, REPORTS));
    drift(&stage, &runtime);
    destroy(&stage, &runtime);
    let image = report["AnalyzedImageName"].as_str().unwrap();
    assert!(image.contains("demo/debian-base@sha256:"), "{report}");
    assert!(report["Vulnerabilities"].to_string().contains("CVE-2025-5278"), "{report}");
    Completion::Completed
}

/// Where the programs are that were put into the image.
fn programs() -> PathBuf {
    let given = std::env::var_os(PROGRAMS).map(PathBuf::from);
    given.unwrap_or_else(|| {
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
        target.join(format!("{}-unknown-linux-gnu/release", std::env::consts::ARCH))
    })
}

fn deploy(stage: &Stage) {
    let given = std::env::var(PROGRAMS).ok();
    let options: Vec<&str> = given.iter().flat_map(|folder| ["--binaries", folder]).collect();
    let refused = stage.run("deploy", &[options.as_slice(), &["--plan-only"]].concat(), "");
    assert_eq!(refused.code, 2);
    let ended = stage.run("deploy", &options, "y\ny\n");
    assert_eq!(ended.code, 0);
    for part in [
        "pushed the image",
        "ecr-cve-monitor-e2e-ingest: ",
        "first comparison: ",
        "started: arn:aws:ecs:",
        REPORTS,
    ] {
        assert!(ended.said.contains(part), "{part}");
    }
}

/// None; then what somebody changes by hand is found, and mended by deploying again.
fn drift(stage: &Stage, runtime: &tokio::runtime::Runtime) {
    assert_eq!(stage.run("drift", &[], "").code, 0);
    let queue = format!("{}/123456789012/{NAME}-push", stage.cloud.url);
    let by_hand = json!({"QueueUrl": queue, "Attributes": {"VisibilityTimeout": "77"}});
    println!("\nsomebody sets the visibility timeout of {NAME}-push to 77 s");
    runtime.block_on(stage.cloud.call("sqs", "AmazonSQS.SetQueueAttributes", &by_hand));
    let found = stage.run("drift", &[], "");
    assert_eq!(found.code, 2);
    assert!(found.said.contains("~   aws_sqs_queue.lane [push]: visibility_timeout_seconds"));
    assert!(found.said.contains("0 to create, 1 to update, 0 to replace, 0 to destroy"));
    assert_eq!(stage.run("deploy", &["--no-image", "--no-wait", "--yes"], "").code, 0);
    assert_eq!(stage.run("drift", &[], "").code, 0);
}

/// Not without every name; then nothing is left.
fn destroy(stage: &Stage, runtime: &tokio::runtime::Runtime) {
    assert_eq!(stage.run("destroy", &["--yes"], "").code, 4);
    let planned = stage.run("destroy", &["--plan-only"], "");
    assert_eq!(planned.code, 2);
    let names: Vec<&str> =
        planned.said.lines().filter_map(|line| Some(line.split_once("DATA IS LOST: ")?.1)).collect();
    assert_eq!(names.len(), 9, "{names:?}");
    let ended = stage.run("destroy", &[], &format!("{}\ny\n", names.join("\n")));
    assert_eq!(ended.code, 0);
    assert_eq!(runtime.block_on(stage.cloud.keys(REPORTS)), None);
    let tables = runtime.block_on(stage.cloud.call("dynamodb", "DynamoDB_20120810.ListTables", &json!({})));
    assert_eq!(tables["TableNames"], Value::Array(vec![]));
    assert_eq!(stage.run("outputs", &["--json"], "").said.trim(), "{}");
}

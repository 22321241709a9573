//! ECS runs no container here: `ingest` is run on this machine, with the very configuration that terraform deployed, but for the
//! addresses of what stands in for AWS and Clair.

use std::io::Read as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cve_monitor_tests::fakes::clair_v4::{FakeClair, debian_vulnerability};
use cve_monitor_tests::fakes::ecr::{FakeEcr, Place, Pushed};
use futures::FutureExt as _;
use serde_json::{Value, json};
use toml::Table;
use xtask::process::Process;

use crate::cloud::{Cloud, REGION};
use crate::root;
use crate::stage::Stage;

/// The account of moto.
const ACCOUNT: &str = "123456789012";
/// How long a report may take.
const PATIENCE: Duration = Duration::from_secs(120);
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

/// Runs `ingest` until the first report is in the bucket; answers the report.
pub(crate) async fn first_report(stage: &Stage, program: &Path, bucket: &str) -> Value {
    let ecr = FakeEcr::start().await;
    let clair =
        FakeClair::start(Arc::new(|url, _| async move { layer(&url).await.ok_or(404) }.boxed())).await;
    clair.update(
        "debian/updater",
        "2026-03-01T00:00:00Z",
        vec![debian_vulnerability("CVE-2025-5278", "coreutils", "")],
    );
    let config = configuration(&stage.cloud, &ecr.url(), &clair.url()).await;
    std::fs::write(stage.path("cve-monitor.toml"), toml::to_string(&config).unwrap()).unwrap();
    std::fs::write(stage.path("clair-psk"), secret(&stage.cloud).await).unwrap();
    push(&stage.cloud, &ecr).await;
    let mut command = Command::new(program);
    command.arg("--config").arg(stage.path("cve-monitor.toml"));
    command.envs([("AWS_ACCESS_KEY_ID", "testing"), ("AWS_SECRET_ACCESS_KEY", "testing")]);
    let at_work = |log: &str| log.contains("is at work").then_some(());
    let (ingest, ()) = Process::start_tethered(&command, PATIENCE, at_work).unwrap();
    let begun = Instant::now();
    loop {
        let keys = stage.cloud.keys(bucket).await.unwrap();
        if let Some(key) = keys.iter().find(|key| key.starts_with("year=")) {
            println!("first report: s3://{bucket}/{key}");
            let (_, text) = stage.cloud.get(&format!("{bucket}/{key}")).await;
            return serde_json::from_str(text.trim()).unwrap();
        }
        let log = ingest.log();
        assert!(begun.elapsed() < PATIENCE && !log.contains("dead letter"), "no report: {log}");
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// An image is pushed, and EventBridge is told as ECR tells it: what reaches the queue went through the rule that was deployed.
async fn push(cloud: &Cloud, ecr: &FakeEcr) {
    let pushed = Pushed::from_layout(&root().join("examples/images"), "debian-base").unwrap();
    let place = Place::new(ACCOUNT, REGION, "demo/debian-base");
    let (_, events) = {
        let mut world = ecr.world();
        world.create_repository(&place);
        world.push(&place, Some("1"), &pushed)
    };
    for event in events {
        let entry = json!({"Source": event["source"], "DetailType": event["detail-type"], "Detail": event["detail"].to_string()});
        let answer = cloud.call("events", "AWSEvents.PutEvents", &json!({"Entries": [entry]})).await;
        assert_eq!(answer["FailedEntryCount"].as_u64().unwrap_or(0), 0, "{answer}");
    }
}

/// What the task definition of `ingest` writes to its volume before the program starts.
async fn configuration(cloud: &Cloud, ecr: &str, clair: &str) -> Table {
    let target = "AmazonEC2ContainerServiceV20141113.DescribeTaskDefinition";
    let answer = cloud.call("ecs", target, &json!({"taskDefinition": "ecr-cve-monitor-e2e-ingest"})).await;
    let containers = answer["taskDefinition"]["containerDefinitions"].as_array().unwrap().clone();
    let files = containers.iter().find(|container| container["name"] == "files").unwrap();
    let mut variables = files["environment"].as_array().unwrap().iter();
    let text = variables.find(|variable| variable["name"] == "TEXT_0").unwrap()["value"].as_str().unwrap();
    println!("the configuration that terraform deployed:\n{text}");
    let mut config: Table = text.parse().unwrap();
    let mut set = |section: &str, key: &str, value: toml::Value| {
        config[section].as_table_mut().unwrap().insert(key.to_owned(), value);
    };
    set("aws", "endpoint_url", cloud.url.clone().into());
    set("clair", "url", clair.into());
    // Another program of this machine may listen where a task has its own.
    set("health", "listen", "127.0.0.1:0".into());
    let registry = config["registry"].as_array_mut().unwrap()[0].as_table_mut().unwrap();
    registry.insert("endpoint".to_owned(), ecr.into());
    registry.insert("insecure".to_owned(), true.into());
    config
}

/// Clair's key, as Secrets Manager made it.
async fn secret(cloud: &Cloud) -> String {
    let input = json!({"SecretId": "ecr-cve-monitor-e2e/clair-psk"});
    let answer = cloud.call("secretsmanager", "secretsmanager.GetSecretValue", &input).await;
    answer["SecretString"].as_str().unwrap().to_owned()
}

/// A layer as this Clair wants it: unpacked, and with the release where it looks for it, which no link leads to.
async fn layer(url: &str) -> Option<Vec<u8>> {
    let client = reqwest::Client::builder().no_proxy().build().ok()?;
    let bytes = client.get(url).send().await.ok()?.error_for_status().ok()?.bytes().await.ok()?;
    let mut layer = tar::Builder::new(Vec::new());
    let mut archive = tar::Archive::new(flate2::read::MultiGzDecoder::new(&bytes[..]));
    for entry in archive.entries().ok()? {
        let mut entry = entry.ok()?;
        let path = entry.path().ok()?.display().to_string();
        let to = match path.as_str() {
            "usr/lib/os-release" => "etc/os-release",
            "var/lib/dpkg/status" => "var/lib/dpkg/status",
            _ => continue,
        };
        let mut text = Vec::new();
        entry.read_to_end(&mut text).ok()?;
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_size(text.len() as u64);
        layer.append_data(&mut header, to, text.as_slice()).ok()?;
    }
    layer.into_inner().ok()
}

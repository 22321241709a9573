//! The whole deployment to try: what stands in for AWS, images in two accounts and two regions, and a configuration.

use std::path::Path;
use std::process::Command;

use super::emulator::{Emulator, Running};
use super::fake_ecr::{FakeEcr, build};
use crate::clair::IMAGES;
use crate::ended::Ended;

/// Account and region of each registry.
const REGISTRIES: [(&str, &str); 4] = [
    ("111111111111", "eu-west-1"),
    ("111111111111", "us-east-1"),
    ("222222222222", "eu-west-1"),
    ("222222222222", "us-east-1"),
];
/// Where queues, tables and buckets are.
const REGION: &str = "eu-west-1";
const ROLE: &str = "cve-monitor-reader";
const EXTERNAL_ID: &str = "trial";
/// What the programs sign with; nobody checks it.
const CREDENTIALS: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "testing"), ("AWS_SECRET_ACCESS_KEY", "testing")];

const PROGRAMS: [(&str, &str); 5] = [
    ("cve-monitor-tests", "fake-ecr"),
    ("cve-monitor-bins", "cve-monitor"),
    ("cve-monitor-bins", "ingest"),
    ("cve-monitor-bins", "notifier"),
    ("cve-monitor-bins", "reconciler"),
];

/// Raises everything, says how to use it, and waits for the end.
pub(crate) fn raise(root: &Path) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let python = Emulator::Moto.install(root)?;
    let programs = build(root, &PROGRAMS)?;
    // From here on the signals are ours; until here they end this process, and nothing runs yet.
    let mut ended = runtime.block_on(async { Ended::listen() })?;
    let (moto, ecr) = (Emulator::Moto.start(&python)?, FakeEcr::start(&programs.join("fake-ecr"))?);
    seed(&ecr, root)?;
    let folder = root.join("target/dev/aws/trial");
    let config = folder.join("cve-monitor.toml");
    if folder.exists() {
        // What it has learnt is of queues and tables that are gone.
        std::fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(&config, settings(&moto, &ecr, root)))
        .map_err(|error| format!("{} cannot be written: {error}", config.display()))?;
    let mut init = Command::new(programs.join("cve-monitor"));
    init.arg("--config").arg(&config).args(["aws", "init"]).envs(CREDENTIALS);
    match init.status() {
        Ok(status) if status.success() => {}
        Ok(status) => return Err(format!("`cve-monitor aws init` failed ({status})")),
        Err(error) => return Err(format!("`cve-monitor` cannot be run: {error}")),
    }
    println!("{}", how_to_use(&moto, &ecr, &programs, &config, root));
    runtime.block_on(ended.wait());
    println!("stopping");
    Ok(())
}

/// The same images everywhere, as replication leaves them.
fn seed(ecr: &FakeEcr, root: &Path) -> Result<(), String> {
    let layout = root.join("examples/images");
    for (account, region) in REGISTRIES {
        ecr.add_role(&role(account), EXTERNAL_ID)?;
        for image in IMAGES {
            ecr.push(account, region, &layout, image)?;
        }
    }
    Ok(())
}

fn role(account: &str) -> String {
    format!("arn:aws:iam::{account}:role/{ROLE}")
}

fn settings(moto: &Running, ecr: &FakeEcr, root: &Path) -> String {
    let mut text = format!(
        "# Written by `cargo xtask dev aws`: the addresses are of what runs until that ends.

[aws]
region = \"{REGION}\"
endpoint_url = \"{}\"

[store]
kind = \"dynamodb\"
archive_bucket = \"trial-archive\"
# What the scanner inside has read of layers.
path = \"scanner.db\"
one_machine = true

[queue]
kind = \"sqs\"

[reports]
kind = \"s3\"
bucket = \"trial-reports\"

[advisories]
sources = [{:?}]
",
        moto.url(),
        root.join("examples/advisories/first").display().to_string()
    );
    for (account, region) in REGISTRIES {
        text.push_str(&format!(
            "
[[registry]]
kind = \"ecr\"
name = \"{account}.dkr.ecr.{region}.amazonaws.com\"
role_arn = \"{}\"
external_id = \"{EXTERNAL_ID}\"
endpoint = \"http://{}\"
insecure = true
",
            role(account),
            ecr.address
        ));
    }
    text
}

fn how_to_use(moto: &Running, ecr: &FakeEcr, programs: &Path, config: &Path, root: &Path) -> String {
    let (account, region) = REGISTRIES[0];
    let (programs, config, layout) = (programs.display(), config.display(), root.join("examples/images"));
    let credentials = CREDENTIALS.map(|(key, value)| format!("{key}={value}")).join(" ");
    let registries = REGISTRIES.map(|(account, region)| format!("{account} in {region}")).join(", ");
    let push = serde_json::json!({
        "account": account, "region": region, "repository": "demo/pushed", "tag": "1",
        "layout": layout, "name": "debian-base",
        "queue": {"endpoint": moto.url(), "url": format!("{}/123456789012/cve-monitor-push", moto.url())}
    });
    format!(
        "
SQS, DynamoDB and S3 on {}, ECR on http://{}; ctrl-c stops all
{} as demo/NAME:1 in {registries}

let the programs work on it, each in a terminal of its own:
  export {credentials}
  {programs}/reconciler --config {config} --once
  {programs}/ingest --config {config}
  {programs}/notifier --config {config}

push an image, with the event that EventBridge would send:
  curl -d '{push}' http://{}/_control/push

see what came of it:
  {programs}/cve-monitor --config {config} coverage
  curl '{}/trial-reports?list-type=2'
",
        moto.url(),
        ecr.address,
        IMAGES.join(", "),
        ecr.address,
        moto.url(),
    )
}

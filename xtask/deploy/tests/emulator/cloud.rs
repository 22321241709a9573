//! What stands in for AWS here: moto for everything that terraform makes, called without signatures.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use xtask::aws::Emulator;
use xtask::process::{Process, answers};

/// How long it may take to start.
const START_LIMIT: Duration = Duration::from_secs(120);
/// The region of the environment.
pub(crate) const REGION: &str = "us-east-1";

/// A running moto; it ends when this is dropped.
pub(crate) struct Cloud {
    pub(crate) url: String,
    client: reqwest::Client,
    _process: Process,
}

impl Cloud {
    /// Starts an empty one, whose ECR says that its registry is there. Or what this machine lacks for that.
    pub(crate) fn start(root: &Path, registry: &str) -> Result<Self, String> {
        let installed = Emulator::Moto.install(root)?;
        let mut python = Command::new(installed.join("bin/python"));
        python.arg(root.join("xtask/deploy/tests/emulator/moto_plus.py")).env("REGISTRY", registry);
        let started = Process::start_tethered(&python, START_LIMIT, |log| {
            let (_, rest) = log.split_once("Running on http://")?;
            let address: SocketAddr = rest.split_once('\n')?.0.trim().parse().ok()?;
            answers(address, "/moto-api/").then_some(address)
        });
        // One that is installed and does not start is no lack of this machine.
        let (process, address) = started.unwrap_or_else(|problem| panic!("{problem}"));
        let client = reqwest::Client::builder().no_proxy().build().map_err(|error| error.to_string())?;
        Ok(Self { url: format!("http://{address}"), client, _process: process })
    }

    /// A call of AWS' JSON protocol.
    pub(crate) async fn call(&self, service: &str, target: &str, input: &Value) -> Value {
        let request = self.client.post(&self.url).header("authorization", scope(service));
        let request =
            request.header("x-amz-target", target).header("content-type", "application/x-amz-json-1.1");
        let answer = request.body(input.to_string()).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{target}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// What S3 answers, with the status: an object, or a listing in XML.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let request = self.client.get(format!("{}/{path}", self.url)).header("authorization", scope("s3"));
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// The keys in a bucket; none where there is no such bucket.
    pub(crate) async fn keys(&self, bucket: &str) -> Option<Vec<String>> {
        let (status, listing) = self.get(&format!("{bucket}?list-type=2")).await;
        let keys =
            listing.split("<Key>").skip(1).filter_map(|rest| Some(rest.split_once("</Key>")?.0.to_owned()));
        (status == 200).then(|| keys.collect())
    }
}

/// By which moto tells services and regions apart; it checks no signature.
fn scope(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=testing/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}

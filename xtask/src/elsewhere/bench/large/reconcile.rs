//! A round over a registry of which everything is known, listed by the ECR of the tests within its budget.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::super::row::Row;
use super::Found;
use super::fan_out::over_time;
use super::home::{Home, REGISTRY};
use super::process;

const NAME: &str = "reconcile";
const ACCOUNT: &str = "123456789012";
const REGION: &str = "eu-west-1";
const CALLS_PER_SECOND: f64 = 10.0;
/// What the goal was set for.
const GOAL_IMAGES: f64 = 1_000_000.0;

pub(super) fn run(home: &Home) -> Result<Found, String> {
    home.filled()?;
    let ecr = Ecr::start(home)?;
    let listed = json!({"account": ACCOUNT, "region": REGION, "file": home.path("images.txt")});
    ecr.control("list", &listed)?;
    let registry = format!(
        "[[registry]]\nname = \"{REGISTRY}\"\nkind = \"ecr\"\nendpoint = \"http://{}\"\ninsecure = true\n\
         [reconcile]\nlists_per_second = {CALLS_PER_SECOND:.0}\n",
        ecr.address
    );
    home.configure(&registry)?;
    let mut command = home.program("reconciler");
    let key = format!("AKIA{ACCOUNT}");
    command.env("AWS_ACCESS_KEY_ID", key).env("AWS_SECRET_ACCESS_KEY", "none").env("AWS_REGION", REGION);
    let ran = process::run(command.arg("--once"), &home.path("reconcile.err"))?;
    let calls = ecr.control("calls", &json!({}))?;
    let number =
        calls["calls"].as_object().map_or(0.0, |calls| calls.values().filter_map(Value::as_f64).sum());
    let (queued, _) = home.ask("requests", &["forget"])?;
    if queued["backfill"] != json!(0) {
        return Err(format!("an up-to-date registry had {queued} queued"));
    }
    let images = home.images as f64;
    let what = format!("a round over {images:.0} images, all known");
    let goal = (600.0 * images / GOAL_IMAGES).max(10.0);
    let row = Row::new(NAME, what, ran.wall_s, "s").at_most(goal);
    Ok(Found {
        rows: vec![
            row.beside("its calls at their rate", number / CALLS_PER_SECOND),
            Row::new(NAME, "calls of ECR a second", number / ran.wall_s, "calls/s")
                .at_most(CALLS_PER_SECOND * 1.02),
            Row::new(NAME, "memory of its own", ran.anonymous_mib, "MiB").at_most(256.0),
        ],
        plots: vec![over_time("memory of its own while it reconciles", &ran)],
        record: json!({"calls": calls, "seconds": ran.wall_s}),
    })
}

/// The ECR of the tests, ended when dropped.
struct Ecr {
    child: Child,
    address: String,
}

impl Ecr {
    fn start(home: &Home) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("fake-ecr: {error}");
        let mut command = Command::new(home.built("fake-ecr"));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(failed)?;
        let mut line = String::new();
        let out = child.stdout.take().ok_or("fake-ecr says nothing")?;
        BufReader::new(out).read_line(&mut line).map_err(failed)?;
        let address = line.trim().trim_start_matches("http://").to_owned();
        Ok(Self { child, address })
    }

    fn control(&self, what: &str, body: &Value) -> Result<Value, String> {
        let failed = |error: std::io::Error| format!("fake-ecr: {error}");
        let mut stream = TcpStream::connect(&self.address).map_err(failed)?;
        let body = body.to_string();
        let length = body.len();
        write!(
            stream,
            "POST /_control/{what} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .map_err(failed)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(failed)?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("fake-ecr: half an answer")?;
        if !head.starts_with("HTTP/1.1 200") {
            return Err(format!("fake-ecr: {answer}"));
        }
        serde_json::from_str(body).map_err(|error| format!("fake-ecr: {error}"))
    }
}

impl Drop for Ecr {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

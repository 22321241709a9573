//! From the start of `cve-monitor` to its first answer that it is ready.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;

use super::super::row::Row;
use super::Found;
use super::home::{Home, REGISTRY};

const NAME: &str = "start";
/// How often it is started; the middle one counts.
const ROUNDS: usize = 5;
const PATIENCE: Duration = Duration::from_secs(60);
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

pub(super) fn run(home: &Home) -> Result<Found, String> {
    home.filled()?;
    let full = rounds(home)?;
    let empty = home.empty();
    let folder = empty.path("source");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for (name, package) in [("a", "made-up-deb-absent"), ("b", "made-up-py-absent")] {
        empty.advise(name, package)?;
    }
    // The first start makes the file, and brings in the advisories.
    rounds(&empty)?;
    let beside = rounds(&empty)?;
    let what = format!("`cve-monitor watch` ready on {} images", home.images);
    let row =
        Row::new(NAME, what, middle(&full), "ms").at_most(200.0).beside("on an empty file", middle(&beside));
    Ok(Found { rows: vec![row], plots: vec![], record: json!({"full_ms": full, "empty_ms": beside}) })
}

fn middle(rounds: &[f64]) -> f64 {
    let mut sorted = rounds.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn rounds(home: &Home) -> Result<Vec<f64>, String> {
    let registry = format!(
        "[[registry]]\nname = \"{REGISTRY}\"\nkind = \"distribution\"\nurl = \"http://127.0.0.1:9\"\ninsecure = true\n"
    );
    (0..ROUNDS)
        .map(|_| {
            let address = free_address()?;
            home.configure(&format!("[watch]\nlisten = \"{address}\"\n{registry}"))?;
            ready_after(home, &address)
        })
        .collect()
}

fn free_address() -> Result<String, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    Ok(listener.local_addr().map_err(|error| error.to_string())?.to_string())
}

/// In ms.
fn ready_after(home: &Home, address: &str) -> Result<f64, String> {
    let mut command = home.program("cve-monitor");
    command.args(["watch", "--no-reconcile"]).stdin(Stdio::null()).stdout(Stdio::null());
    let said = home.path("watch.err");
    let file = std::fs::File::create(&said).map_err(|error| format!("{}: {error}", said.display()))?;
    let began = Instant::now();
    let mut child = command.stderr(file).spawn().map_err(|error| error.to_string())?;
    let mut ready = None;
    while began.elapsed() < PATIENCE && ready.is_none() {
        if is_ready(address) {
            ready = Some(began.elapsed().as_secs_f64() * 1e3);
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
    let _ = child.kill();
    let _ = child.wait();
    ready.ok_or_else(|| {
        let text = std::fs::read_to_string(&said).unwrap_or_default();
        format!("cve-monitor was not ready within {} s: {text}", PATIENCE.as_secs())
    })
}

fn is_ready(address: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let asked = write!(stream, "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let mut answer = String::new();
    asked.and_then(|()| stream.read_to_string(&mut answer)).is_ok() && answer.starts_with("HTTP/1.1 200")
}

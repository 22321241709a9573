//! A folder with a configuration, a layout that images are put into, a source of advisories, and processes on them.

#[path = "bench/chance.rs"]
pub(crate) mod chance;
#[path = "bench/oracle.rs"]
pub(crate) mod oracle;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use cve_monitor_core::vocabulary::Digest;
use serde_json::{Value, json};

/// How long anything that must happen may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// How long a server may be silent.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub(crate) fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

/// Everything of one test, removed with it.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
}

/// A process that is killed with the test that started it.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// Asks it to stop; its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.0.wait().unwrap().code()
    }
}

impl Bench {
    /// An empty layout, the first advisories, and this besides in the configuration.
    pub(crate) fn new(more: &str) -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        let layout = bench.path("layout");
        fs::create_dir_all(layout.join("blobs/sha256")).unwrap();
        for entry in fs::read_dir(examples().join("images/blobs/sha256")).unwrap() {
            let from = entry.unwrap().path();
            fs::copy(&from, layout.join("blobs/sha256").join(from.file_name().unwrap())).unwrap();
        }
        fs::copy(examples().join("images/oci-layout"), layout.join("oci-layout")).unwrap();
        bench.write_index(&[]);
        bench.advisories("first");
        bench.configure(more);
        bench
    }

    /// Lets the configuration have this besides, and nothing else that was added before.
    pub(crate) fn configure(&self, more: &str) {
        let config = format!(
            "[store]\npath = \"state.db\"\n[advisories]\nsources = [\"source\"]\n[ingest]\nlease = \"10s\"\n{more}"
        );
        fs::write(self.path("cve-monitor.toml"), config).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The layout as a registry in the configuration.
    pub(crate) const LAYOUT: &'static str =
        "[[registry]]\nname = \"local\"\nkind = \"oci-layout\"\npath = \"layout\"\nrepository = \"images\"\n";

    /// Lets the source hold this state of the advisories, at once.
    pub(crate) fn advisories(&self, state: &str) {
        let (new, old) = (self.path("source.new"), self.path("source.old"));
        for folder in [&new, &old] {
            if folder.exists() {
                fs::remove_dir_all(folder).unwrap();
            }
        }
        fs::create_dir(&new).unwrap();
        for entry in fs::read_dir(examples().join("advisories").join(state)).unwrap() {
            let from = entry.unwrap().path();
            fs::copy(&from, new.join(from.file_name().unwrap())).unwrap();
        }
        if self.path("source").exists() {
            fs::rename(self.path("source"), old).unwrap();
        }
        fs::rename(new, self.path("source")).unwrap();
    }

    /// An entry of the examples' index by its tag.
    pub(crate) fn example(tag: &str) -> Value {
        let index: Value =
            serde_json::from_slice(&fs::read(examples().join("images/index.json")).unwrap()).unwrap();
        let entries = index["manifests"].as_array().unwrap();
        let of = |e: &&Value| e["annotations"]["org.opencontainers.image.ref.name"] == tag;
        entries.iter().find(of).unwrap().clone()
    }

    /// The same image again with another digest: its manifest says one thing more.
    pub(crate) fn variant(&self, tag: &str, number: u64) -> Value {
        let entry = Self::example(tag);
        let digest: Digest = entry["digest"].as_str().unwrap().parse().unwrap();
        let blobs = self.path("layout/blobs/sha256");
        let mut manifest: Value =
            serde_json::from_slice(&fs::read(blobs.join(digest.hex())).unwrap()).unwrap();
        manifest["annotations"] = json!({ "org.example.number": number.to_string() });
        let bytes = serde_json::to_vec(&manifest).unwrap();
        let digest = Digest::of(&bytes);
        fs::write(blobs.join(digest.hex()), &bytes).unwrap();
        json!({
            "mediaType": entry["mediaType"],
            "digest": digest.to_string(),
            "size": bytes.len(),
            "annotations": { "org.opencontainers.image.ref.name": format!("{tag}-{number}") },
        })
    }

    /// Lets the layout name these images, at once.
    pub(crate) fn write_index(&self, entries: &[Value]) {
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": entries,
        });
        let new = self.path("layout/index.json.new");
        fs::write(&new, serde_json::to_vec(&index).unwrap()).unwrap();
        fs::rename(new, self.path("layout/index.json")).unwrap();
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        // Nothing of the user's own settings may count.
        command.env_clear().env("HOME", self.folder.path()).env("PATH", "/usr/bin:/bin");
        command.arg("--config").arg(self.path("cve-monitor.toml")).args(arguments);
        command
    }

    /// Runs to the end.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Output {
        self.run_with(program, arguments, &[])
    }

    /// The same with these variables besides.
    pub(crate) fn run_with(&self, program: &str, arguments: &[&str], variables: &[(&str, String)]) -> Output {
        self.command(program, arguments).envs(variables.iter().cloned()).output().unwrap()
    }

    /// Starts; what it says and prints is for the test to read.
    pub(crate) fn start_piped(&self, program: &str, arguments: &[&str]) -> Running {
        let mut command = self.command(program, arguments);
        Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Starts; what it says goes into a file of this name, what it prints into one with `.out` after it.
    pub(crate) fn start(&self, program: &str, arguments: &[&str], log: &str) -> Running {
        self.start_with(program, arguments, log, &[])
    }

    /// The same with these variables besides.
    pub(crate) fn start_with(
        &self,
        program: &str,
        arguments: &[&str],
        log: &str,
        variables: &[(&str, String)],
    ) -> Running {
        let open =
            |name: &str| fs::OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
        let mut command = self.command(program, arguments);
        command.envs(variables.iter().cloned());
        Running(command.stdout(open(&format!("{log}.out"))).stderr(open(log)).spawn().unwrap())
    }

    /// Where the process that writes this log answers.
    pub(crate) fn address(&self, log: &str) -> String {
        self.address_at(log, 0)
    }

    /// The same of one that answers at several places.
    pub(crate) fn address_at(&self, log: &str, place: usize) -> String {
        let mut found = None;
        until("the address is told", || {
            let told = self.log(log);
            let rest = told.split("answering at http://").nth(place + 1);
            found = rest.and_then(|rest| rest.split('/').next()).map(str::to_owned);
            found.is_some()
        });
        found.unwrap()
    }

    pub(crate) fn log(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// The reports in the folder sink.
    pub(crate) fn reports(&self) -> Vec<Value> {
        fn walk(folder: &Path, found: &mut Vec<Value>) {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found);
                } else if path.extension().is_some_and(|e| e == "json") {
                    found.push(serde_json::from_slice(&fs::read(&path).unwrap()).unwrap());
                }
            }
        }
        let mut found = vec![];
        walk(&self.path("reports"), &mut found);
        found
    }
}

/// Waits until something is so.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "not within {} s: {what}", PATIENCE.as_secs());
        std::thread::sleep(LOOK_EVERY);
    }
}

/// One request; the status and the whole answer.
pub(crate) fn ask(address: &str, method: &str, path: &str, more: &str, body: &str) -> (u16, String) {
    try_ask(address, method, path, more, body).unwrap()
}

/// The same of a server that may be away, stopped, or cut off.
pub(crate) fn try_ask(
    address: &str,
    method: &str,
    path: &str,
    more: &str,
    body: &str,
) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n{more}\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.get(9..12).and_then(|status| status.parse().ok());
    Ok((status.ok_or(std::io::ErrorKind::UnexpectedEof)?, answer))
}

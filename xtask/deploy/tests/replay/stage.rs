//! A folder with a file, a terraform that replays, and what runs on them.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::cloud::Cloud;

/// An image that was made elsewhere.
pub(crate) const IMAGE: &str = "x/y@sha256:1111111111111111111111111111111111111111111111111111111111111111";

/// How long may pass until something happens.
const PATIENCE: Duration = Duration::from_secs(60);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// An environment to work on.
pub(crate) struct Stage {
    pub(crate) cloud: Cloud,
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Stage {
    /// With the recorded answers of a first deployment.
    pub(crate) fn new() -> Self {
        let stage = Self { cloud: Cloud::start(), folder: TempDir::new().unwrap(), variables: vec![] };
        std::fs::create_dir(stage.replay("")).unwrap();
        for name in ["version.json", "plan.json", "state.json", "output.json", "apply.jsonl"] {
            stage.answer(name, name);
        }
        stage.code(2);
        stage.file(&format!("protect_data = false\nimage = \"{IMAGE}\"\n"));
        stage
    }

    /// Terraform answers this file from now on.
    pub(crate) fn answer(&self, name: &str, fixture: &str) {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        std::fs::copy(fixtures.join(fixture), self.replay(name)).unwrap();
    }

    /// Terraform answers this text from now on.
    pub(crate) fn answer_text(&self, name: &str, text: &str) {
        std::fs::write(self.replay(name), text).unwrap();
    }

    /// With which a plan ends.
    pub(crate) fn code(&self, code: i32) {
        self.answer_text("code", &code.to_string());
    }

    /// The environment's file: what has to be there, and this.
    pub(crate) fn file(&self, more: &str) {
        let least = "environment = \"e2e\"\nprefix = \"acme\"\ncostcenter = \"1234\"\npoc = \"me\"\n";
        std::fs::write(self.path("e2e.toml"), format!("{least}{more}")).unwrap();
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What terraform was asked: the first word of each call.
    pub(crate) fn asked(&self) -> Vec<String> {
        let calls = std::fs::read_to_string(self.replay("calls")).unwrap_or_default();
        calls.lines().map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect()
    }

    /// What was kept of a call.
    pub(crate) fn kept(&self, name: &str) -> String {
        std::fs::read_to_string(self.replay(name)).unwrap()
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.kept(name)).unwrap()
    }

    fn replay(&self, name: &str) -> PathBuf {
        self.path("replay").join(name)
    }

    /// Runs a chore on the file, with what is typed meanwhile.
    pub(crate) fn run(&self, chore: &str, options: &[&str], typed: &str) -> Ended {
        let mut child = self.start(chore, options);
        // Who has ended does not read what is typed.
        let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), typed.as_bytes());
        Ended::of(child)
    }

    /// Starts a chore on the file.
    pub(crate) fn start(&self, chore: &str, options: &[&str]) -> Child {
        let bin = self.path("bin");
        std::fs::create_dir_all(&bin).unwrap();
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/terraform");
        // One that runs cannot be written over.
        if !bin.join("terraform").exists() {
            std::fs::copy(fixture, bin.join("terraform")).unwrap();
        }
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask-deploy"));
        command.arg(chore).arg(self.path("e2e.toml")).arg("--folder").arg(self.path("run")).args(options);
        for variable in ["TF_CLI_CONFIG_FILE", "AWS_PROFILE", "AWS_CA_BUNDLE", "AWS_SESSION_TOKEN"] {
            command.env_remove(variable);
        }
        std::fs::create_dir_all(self.path("mirror/registry.terraform.io/hashicorp/aws")).unwrap();
        command
            .env("TF_PLUGIN_MIRROR", self.path("mirror"))
            .env("PATH", path)
            .env("REPLAY", self.path("replay"));
        command.envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "hush")]);
        command.env("AWS_ENDPOINT_URL", &self.cloud.url).env("AWS_EC2_METADATA_DISABLED", "true");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Waits until terraform has left this file.
    pub(crate) fn wait_for(&self, name: &str) {
        let begun = Instant::now();
        while !self.replay(name).exists() {
            assert!(begun.elapsed() < PATIENCE, "{name} does not come");
            std::thread::sleep(BETWEEN_LOOKS);
        }
    }
}

impl Ended {
    /// How it ended, which is waited for.
    pub(crate) fn of(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }
}

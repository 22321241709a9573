//! An environment's file, and chores that are run on it.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::cloud::Cloud;
use crate::root;

/// How a chore ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) said: String,
}

/// An environment.
pub(crate) struct Stage {
    pub(crate) cloud: Cloud,
    pub(crate) folder: TempDir,
}

impl Stage {
    pub(crate) fn new(cloud: Cloud, more: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let least = "environment = \"e2e\"\nprefix = \"acme\"\ncostcenter = \"1234\"\npoc = \"security@example.com\"\n";
        std::fs::write(folder.path().join("e2e.toml"), format!("{least}protect_data = false\n{more}"))
            .unwrap();
        Self { cloud, folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a chore with what is typed meanwhile, and shows it all.
    pub(crate) fn run(&self, chore: &str, options: &[&str], typed: &str) -> Ended {
        println!("\n$ cargo xtask {chore} e2e.toml {}", options.join(" "));
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask-deploy"));
        command
            .arg(chore)
            .arg("e2e.toml")
            .arg("--folder")
            .arg("run")
            .args(options)
            .current_dir(self.folder.path());
        for variable in ["TF_CLI_CONFIG_FILE", "AWS_PROFILE", "AWS_CA_BUNDLE", "AWS_SESSION_TOKEN"] {
            command.env_remove(variable);
        }
        command.envs([
            ("AWS_ACCESS_KEY_ID", "testing"),
            ("AWS_SECRET_ACCESS_KEY", "testing"),
            ("AWS_MAX_ATTEMPTS", "3"),
        ]);
        command.env("AWS_ENDPOINT_URL", &self.cloud.url).env("AWS_EC2_METADATA_DISABLED", "true");
        // Programs are built where the workspace is built, not in the scratch folder.
        command.env("CARGO_MANIFEST_DIR", root().join("xtask/deploy"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), typed.as_bytes()).unwrap();
        let mut said = String::new();
        for line in std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap())) {
            let line = line.unwrap();
            println!("{line}");
            said.push_str(&line);
            said.push('\n');
        }
        let code = child.wait().unwrap().code().unwrap();
        println!("exit code {code}");
        Ended { code, said }
    }
}

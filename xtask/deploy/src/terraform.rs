//! Terraform as a child: where it runs, what it is asked, what it answers.

pub(crate) mod plan;
mod progress;
pub(crate) mod stack;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use self::plan::Plan;
use self::progress::Progress;

/// Where a filesystem mirror with the AWS provider is, if not at registry.terraform.io.
pub(crate) const MIRROR: &str = "TF_PLUGIN_MIRROR";

/// How long terraform waits for a lock that another run holds.
const LOCK_TIMEOUT: &str = "-lock-timeout=120s";
/// The exit code by which `plan -detailed-exitcode` says that there are changes.
const CHANGES: i32 = 2;

/// A folder with terraform code, and the folder of what terraform and we write.
#[derive(Debug)]
pub(crate) struct Terraform {
    /// The root module.
    pub(crate) code: PathBuf,
    /// Plans, logs and providers.
    pub(crate) folder: PathBuf,
}

/// What a plan is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aim {
    Apply,
    Destroy,
}

impl Terraform {
    /// Terraform's version, as it says itself.
    pub(crate) fn version() -> Result<String, String> {
        let output = base().args(["version", "-json"]).stderr(Stdio::null()).output();
        let output = output.map_err(|error| format!("terraform cannot be run: {error}"))?;
        let answer: Value = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("`terraform version -json` answers something else: {error}"))?;
        Ok(answer["terraform_version"].as_str().unwrap_or_default().to_owned())
    }

    /// Fetches providers and opens the state.
    pub(crate) fn init(&self) -> Result<(), String> {
        let mut command = self.command(&["init", "-input=false", "-no-color", "-reconfigure", LOCK_TIMEOUT]);
        if let Some(mirror) = std::env::var_os(MIRROR) {
            let mut argument = std::ffi::OsString::from("-plugin-dir=");
            argument.push(mirror);
            command.arg(argument);
        }
        let output = command.output().map_err(|error| format!("terraform cannot be run: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        let said = [output.stdout, output.stderr].concat();
        Err(format!("`terraform init` failed:\n{}", String::from_utf8_lossy(&said).trim()))
    }

    /// Plans, and reads what was planned. The plan is kept for [`Self::apply`].
    pub(crate) fn plan(&self, aim: Aim) -> Result<Plan, String> {
        let mut arguments =
            vec!["plan", "-input=false", "-no-color", "-json", "-detailed-exitcode", LOCK_TIMEOUT];
        arguments.push("-var-file=../../terraform.tfvars.json");
        arguments.push("-out=../../plan");
        arguments.extend((aim == Aim::Destroy).then_some("-destroy"));
        let (code, progress) = self.stream(&arguments, "plan.jsonl", 0)?;
        if code != 0 && code != CHANGES {
            return Err(format!("`terraform plan` failed.{}", progress.problems()));
        }
        let shown = self.answer(&["show", "-json", "-no-color", "../../plan"])?;
        Plan::read(&shown)
    }

    /// Applies the plan that was made last, saying what happens meanwhile.
    pub(crate) fn apply(&self, changes: usize) -> Result<(), String> {
        // Variables that no plan keeps come from the environment again.
        let arguments = ["apply", "-input=false", "-no-color", "-json", LOCK_TIMEOUT, "../../plan"];
        let (code, progress) = self.stream(&arguments, "apply.jsonl", changes)?;
        if code == 0 {
            return Ok(());
        }
        Err(format!(
            "`terraform apply` failed; {} of {changes} are done, and another run goes on from there.{}",
            progress.done(),
            progress.problems()
        ))
    }

    /// The outputs; none of them is secret.
    pub(crate) fn outputs(&self) -> Result<Value, String> {
        self.answer(&["output", "-json", "-no-color"])
    }

    /// What is deployed now.
    pub(crate) fn state(&self) -> Result<Value, String> {
        self.answer(&["show", "-json", "-no-color"])
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = base();
        command.args(arguments).current_dir(&self.code).stdin(Stdio::null());
        command.env("TF_DATA_DIR", self.folder.join(".terraform"));
        command
    }

    fn answer(&self, arguments: &[&str]) -> Result<Value, String> {
        let name = format!("`terraform {}`", arguments[0]);
        let output =
            self.command(arguments).output().map_err(|error| format!("{name} cannot be run: {error}"))?;
        if !output.status.success() {
            return Err(format!("{name} failed:\n{}", String::from_utf8_lossy(&output.stderr).trim()));
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("{name} answers something else: {error}"))
    }

    /// Runs terraform, keeps its lines in a file, and tells of them. Answers the exit code.
    fn stream(&self, arguments: &[&str], log: &str, all: usize) -> Result<(i32, Progress), String> {
        let log = self.folder.join(log);
        let told = |error: std::io::Error| format!("{} cannot be written: {error}", log.display());
        let mut file = std::fs::File::create(&log).map_err(told)?;
        let mut child = self
            .command(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("terraform cannot be run: {error}"))?;
        let mut progress = Progress::of(all);
        if let Some(stdout) = child.stdout.take() {
            for line in BufReader::new(stdout).split(b'\n') {
                let line = line.map_err(|error| format!("terraform cannot be read: {error}"))?;
                file.write_all(&line).and_then(|()| file.write_all(b"\n")).map_err(told)?;
                if let Some(said) = progress.read(&String::from_utf8_lossy(&line)) {
                    println!("{said}");
                }
            }
        }
        let status = child.wait().map_err(|error| format!("terraform cannot be waited for: {error}"))?;
        Ok((status.code().unwrap_or(1), progress))
    }
}

/// Terraform without questions, colours, and calls home.
fn base() -> Command {
    let mut command = Command::new("terraform");
    command.envs([("TF_IN_AUTOMATION", "1"), ("CHECKPOINT_DISABLE", "1"), ("TF_INPUT", "0")]);
    // What may be set to look into terraform itself would end up between its answers.
    for variable in ["TF_CLI_ARGS", "TF_LOG", "TF_WORKSPACE"] {
        command.env_remove(variable);
    }
    command
}

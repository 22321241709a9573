//! Terraform as a child: where it runs, what it is asked, what it answers.

pub(crate) mod interrupt;
pub(crate) mod plan;
mod progress;
pub(crate) mod stack;
pub(crate) mod state;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use self::interrupt::Guarded;
use self::plan::Plan;
use self::progress::Progress;

/// Where a filesystem mirror with the AWS provider is, if not at registry.terraform.io.
pub(crate) const MIRROR: &str = "TF_PLUGIN_MIRROR";
/// The variables that secrets come in, where they are not made by AWS: the only ones that come from the environment.
pub(crate) const SECRETS: [&str; 2] = ["TF_VAR_db_password", "TF_VAR_clair_psk"];

/// How long terraform waits for a lock that another run holds.
const LOCK_TIMEOUT: &str = "-lock-timeout=120s";
/// The exit code by which `plan -detailed-exitcode` says that there are changes.
const CHANGES: i32 = 2;
/// Between two looks at what terraform has written.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// How terraform calls a lock that somebody holds.
const LOCKED: &str = "Error acquiring the state lock";

/// A folder with terraform code, and the folder of what terraform and we write.
#[derive(Debug)]
pub(crate) struct Terraform {
    /// The root module.
    pub(crate) code: PathBuf,
    /// Plans, logs and providers.
    pub(crate) folder: PathBuf,
    /// Held as long as somebody works there: by this process, and by the terraform that it runs, which may outlive it.
    lock: File,
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
            return Err(format!("`terraform plan` failed.{}{}", progress.problems(), self.remedy(&progress)));
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
            "`terraform apply` failed; {} of {changes} are done, and another run goes on from there.{}{}",
            progress.done(),
            progress.problems(),
            self.remedy(&progress)
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

    /// Runs terraform, which writes its lines into a file, and tells of them. Answers the exit code. Whatever becomes of this
    /// process, terraform goes on to its end: nobody that it writes to can be gone.
    fn stream(&self, arguments: &[&str], log: &str, all: usize) -> Result<(i32, Progress), String> {
        let log = self.folder.join(log);
        let told = |error: std::io::Error| format!("{}: {error}", log.display());
        let mut command = self.command(arguments);
        command.stdin(self.lock.try_clone().map_err(told)?).stdout(File::create(&log).map_err(told)?);
        let mut written = BufReader::new(File::open(&log).map_err(told)?);
        let failed = |error: std::io::Error| format!("terraform cannot be run: {error}");
        let mut child = Guarded::spawn(&mut command).map_err(failed)?;
        let (mut progress, mut line) = (Progress::of(all), vec![]);
        let (status, asked) = loop {
            let ended = child.ended().map_err(failed)?;
            tell(&mut written, &mut line, &mut progress).map_err(told)?;
            match ended {
                Some(ended) => break ended,
                None => std::thread::sleep(BETWEEN_LOOKS),
            }
        };
        if asked && all == 0 {
            return Err("interrupted; nothing was changed".to_owned());
        }
        if asked {
            let (done, problems) = (progress.done(), progress.problems());
            return Err(format!(
                "interrupted; {done} of {all} changes are done, and another run goes on from there.{problems}"
            ));
        }
        Ok((status.code().unwrap_or(1), progress))
    }

    /// What would help, where terraform does not say so itself.
    fn remedy(&self, progress: &Progress) -> String {
        if !progress.problems().contains(LOCKED) {
            return String::new();
        }
        format!(
            "\n  wait for the other run; where there is none, since it was killed: {}",
            self.by_hand("force-unlock ID")
        )
    }

    /// How a person runs terraform here.
    fn by_hand(&self, arguments: &str) -> String {
        stack::by_hand(&self.folder, arguments)
    }
}

/// Tells of the lines that are there by now; the beginning of one that is not whole yet stays in `line`.
fn tell(written: &mut impl BufRead, line: &mut Vec<u8>, progress: &mut Progress) -> std::io::Result<()> {
    while written.read_until(b'\n', line)? > 0 && line.ends_with(b"\n") {
        if let Some(said) = progress.read(&String::from_utf8_lossy(line)) {
            println!("{said}");
        }
        line.clear();
    }
    Ok(())
}

/// Terraform without questions, colours, and calls home.
fn base() -> Command {
    let mut command = Command::new("terraform");
    command.envs([("TF_IN_AUTOMATION", "1"), ("CHECKPOINT_DISABLE", "1"), ("TF_INPUT", "0")]);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_stray) {
            command.env_remove(name);
        }
    }
    command
}

/// What of the environment would change what is asked, or end up between the answers: the file alone says what is deployed.
fn is_stray(name: &str) -> bool {
    let variable = name.starts_with("TF_VAR_") && !SECRETS.contains(&name);
    variable || name == "TF_WORKSPACE" || name.starts_with("TF_CLI_ARGS") || name.starts_with("TF_LOG")
}

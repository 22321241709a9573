//! Chores that need more than a quick build: they are a package of their own, built when one of them is asked for.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use clap::Args;

/// The package.
const PACKAGE: &str = "xtask-deploy";
/// By which the long test knows that it is wanted.
const WANTED: &str = "XTASK_DEPLOY_E2E";

/// What is handed on as it is, `--help` too.
#[derive(Debug, Args)]
pub(crate) struct Rest {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    arguments: Vec<String>,
}

/// Becomes a chore of that package; its exit code says what came of it. A signal has to reach that chore, which knows what it
/// has under way, and nobody may take it for ended before it is.
pub(crate) fn run(root: &Path, chore: &str, rest: &Rest) -> ExitCode {
    let mut cargo = cargo();
    // Where the user is: files are named from there.
    cargo.args(["run", "--quiet", "--locked", "--manifest-path"]).arg(root.join("Cargo.toml"));
    cargo.args(["--package", PACKAGE, "--", chore]).args(&rest.arguments);
    let error = cargo.exec();
    eprintln!("error: cargo cannot be run: {error}");
    ExitCode::FAILURE
}

/// Runs the long test; true where it passed.
pub(crate) fn end_to_end(root: &Path) -> Result<bool, String> {
    let mut cargo = cargo();
    cargo.current_dir(root).env(WANTED, "1");
    cargo.args(["test", "--locked", "--package", PACKAGE, "--test", "emulator", "--", "--nocapture"]);
    let status = cargo.status().map_err(|error| format!("cargo cannot be run: {error}"))?;
    Ok(status.success())
}

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

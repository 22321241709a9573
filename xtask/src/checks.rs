//! What is checked before tests are run: formatting, lints, documentation, house rules, the terraform code.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::tidy;

/// The checks that are cargo's: what they are called, and their arguments.
const CARGO: [(&str, &[&str]); 3] = [
    ("format", &["fmt", "--all", "--check"]),
    ("lints", &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]),
    ("documentation", &["doc", "--workspace", "--no-deps", "--locked"]),
];

/// Runs every check, also after one has failed; true where all hold.
pub(crate) fn run(root: &Path) -> Result<bool, String> {
    let mut failed = Vec::new();
    for (name, arguments) in CARGO {
        let holds = || cargo(root, arguments);
        failed.extend((!timed(name, holds)?).then_some(name));
    }
    failed.extend((!timed("house rules", || tidy::run(root))?).then_some("house rules"));
    failed.extend((!timed("terraform", || terraform(root))?).then_some("terraform"));
    if !failed.is_empty() {
        println!("\nfailed: {}", failed.join(", "));
    }
    Ok(failed.is_empty())
}

fn timed(name: &str, check: impl FnOnce() -> Result<bool, String>) -> Result<bool, String> {
    println!("\n== {name}");
    let begun = Instant::now();
    let holds = check()?;
    println!("== {name}: {} after {} s", if holds { "ok" } else { "FAILED" }, begun.elapsed().as_secs());
    Ok(holds)
}

/// The layers that this machine can run; the others are named, with the reason.
fn terraform(root: &Path) -> Result<bool, String> {
    let script = root.join("terraform/check");
    let status = Command::new(&script).status();
    let status = status.map_err(|error| format!("{} cannot be run: {error}", script.display()))?;
    Ok(status.success())
}

fn cargo(root: &Path, arguments: &[&str]) -> Result<bool, String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root).env("RUSTDOCFLAGS", "-D warnings");
    let status = command.status().map_err(|error| format!("cargo cannot be run: {error}"))?;
    Ok(status.success())
}

//! Every test that needs nothing more than cargo; then what was skipped and what provides it; then the totals.

mod outcome;
mod skipped;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use outcome::Outcome;
use skipped::SkipList;

/// A workspace of its own: it proves that the public suites can be run from outside.
const OUTSIDE: &str = "tests/outside";

/// Runs the tests; true where all passed and nothing was skipped that may not be.
pub(crate) fn run(root: &Path) -> Result<bool, String> {
    let list = SkipList::read(root)?;
    let mut outcome = Outcome::default();
    let workspace = ["test", "--workspace", "--locked", "--no-fail-fast"];
    cargo(root, root, &workspace, &mut outcome)?;
    let outside = root.join(OUTSIDE);
    if outside.join("Cargo.toml").is_file() {
        println!("\n{OUTSIDE}: a crate outside of the workspace runs the public suites");
        let locked = outside.join("Cargo.lock").is_file().then_some("--locked");
        let arguments: Vec<&str> = ["test", "--no-fail-fast"].into_iter().chain(locked).collect();
        cargo(root, &outside, &arguments, &mut outcome)?;
    }
    let unexcused =
        list.explain(&outcome.ignored, &mut std::io::stdout()).map_err(|error| error.to_string())?;
    for name in &unexcused {
        println!("skipped, and on no list of what may be: {name}");
    }
    let failed = outcome.failed + unexcused.len();
    // The totals stand alone on the last line: scripts read them.
    println!(
        "\n{} passed, {failed} failed, {} skipped",
        outcome.passed,
        outcome.ignored.len() - unexcused.len()
    );
    Ok(failed == 0)
}

/// Runs cargo in a folder, passing its output through and reading the outcome out of it.
fn cargo(root: &Path, folder: &Path, arguments: &[&str], outcome: &mut Outcome) -> Result<(), String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        // One target folder: what both workspaces need is built once.
        .env("CARGO_TARGET_DIR", target)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cargo cannot be run: {error}"))?;
    let failed_before = outcome.failed;
    if let Some(stdout) = child.stdout.take() {
        let mut out = std::io::stdout().lock();
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line.map_err(|error| format!("the output of cargo cannot be read: {error}"))?;
            let line = String::from_utf8_lossy(&line);
            outcome.read(&line);
            writeln!(out, "{line}").map_err(|error| error.to_string())?;
        }
    }
    let status = child.wait().map_err(|error| format!("cargo cannot be waited for: {error}"))?;
    if !status.success() && outcome.failed == failed_before {
        println!("`cargo {}` failed before its tests came to an end", arguments.join(" "));
        outcome.failed += 1;
    }
    Ok(())
}

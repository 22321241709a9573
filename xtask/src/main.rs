//! The project's chores, one subcommand each. `cargo xtask help` lists them.

mod bench;
mod checks;
mod metadata;
mod notices;
mod source;
mod suite;
mod tidy;
mod tree;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's chores.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Run every test that needs nothing more than cargo; list what was skipped, and why.
    Test,
    /// Check formatting, lints, documentation and the house rules.
    Check,
    /// `check`, then `test`: what continuous integration runs.
    Ci,
    /// Check the house rules alone: layers, budgets, law ids, links, licences.
    Tidy,
    /// Write THIRD-PARTY.md: what the shipped programs are linked with.
    Notices,
    /// Measure the pipeline on this machine: a table, and JSON under target/bench. Takes some minutes.
    Bench,
    /// Raise a local backend to work against.
    Dev {
        #[command(subcommand)]
        backend: xtask::Backend,
    },
}

fn main() -> ExitCode {
    let root = workspace_root();
    let outcome = match Arguments::parse().chore {
        Chore::Test => suite::run(&root),
        Chore::Check => checks::run(&root),
        Chore::Ci => checks::run(&root).and_then(|clean| Ok(suite::run(&root)? && clean)),
        Chore::Tidy => tidy::run(&root),
        Chore::Notices => notices::write(&root),
        Chore::Bench => bench::run(&root),
        Chore::Dev { backend } => xtask::raise(&root, &backend),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// The folder above this package: chores work from any folder. Cargo says at run time where it is, so that a program
/// left over from another checkout does not go there.
fn workspace_root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let package = PathBuf::from(package);
    package.parent().map_or_else(|| package.clone(), std::path::Path::to_path_buf)
}

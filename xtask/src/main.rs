//! The project's chores, one subcommand each. `cargo xtask help` lists them.

mod checks;
mod elsewhere;
mod metadata;
mod notices;
mod source;
mod suite;
mod tidy;
mod tree;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use elsewhere::{bench, deploy, fuzz, sim, soak};

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
    /// Check formatting, lints, documentation, the house rules and the terraform code.
    Check,
    /// `check`, then `test`: what continuous integration runs.
    Ci,
    /// Check the house rules alone: layers, budgets, law ids, links, licences.
    Tidy,
    /// Write THIRD-PARTY.md: what the shipped programs are linked with.
    Notices,
    /// Measure on this machine: a table, JSON and a page under target/bench. Takes some minutes, and some GB.
    Bench(bench::Asked),
    /// Write the lake's table from the schema of reports: terraform's columns, DDL for Athena, a view for DuckDB.
    Lake,
    /// Write docs/limits.md: every bound in the code.
    Limits,
    /// Play the pipelines under faults on a clock of their own: so many seeds, or the story of one.
    Sim(sim::Seeds),
    /// Kill, stop and cut off the programs and fill their disk, on SQLite and on what stands in for AWS; then compare.
    Soak(soak::Wanted),
    /// Feed what eats foreign bytes with inputs that coverage guides to new code. Needs a C++ compiler.
    Fuzz(fuzz::Wanted),
    /// Raise a local backend to work against.
    Dev {
        #[command(subcommand)]
        backend: xtask::Backend,
    },
    /// Bring the system to AWS: an image, a plan to read, your word, the changes, the first comparison.
    #[command(disable_help_flag = true)]
    Deploy(deploy::Rest),
    /// Take it away again.
    #[command(disable_help_flag = true)]
    Destroy(deploy::Rest),
    /// Show what in AWS is not as the environment's file says.
    #[command(disable_help_flag = true)]
    Drift(deploy::Rest),
    /// Show names and addresses of what is deployed.
    #[command(disable_help_flag = true)]
    Outputs(deploy::Rest),
    /// Make the container image, reproducibly and without a container engine.
    #[command(disable_help_flag = true)]
    Image(deploy::Rest),
    /// Make archives of static programs, with checksums.
    #[command(disable_help_flag = true)]
    Dist(deploy::Rest),
    /// Deploy, report, drift and destroy with the real terraform on what stands in for AWS. Takes some minutes.
    DeployE2e,
}

fn main() -> ExitCode {
    let root = workspace_root();
    let outcome = match Arguments::parse().chore {
        Chore::Test => suite::run(&root),
        Chore::Check => checks::run(&root),
        Chore::Ci => checks::run(&root).and_then(|clean| Ok(suite::run(&root)? && clean)),
        Chore::Tidy => tidy::run(&root),
        Chore::Notices => notices::write(&root),
        Chore::Bench(asked) => bench::run(&root, &asked),
        Chore::Lake => tidy::lake::write(&root),
        Chore::Limits => tidy::limits::write(&root),
        Chore::Sim(wanted) => sim::run(&root, &wanted),
        Chore::Soak(wanted) => soak::run(&root, &wanted),
        Chore::Fuzz(wanted) => fuzz::run(&root, &wanted),
        Chore::Dev { backend } => xtask::raise(&root, &backend),
        Chore::Deploy(rest) => return deploy::run(&root, "deploy", &rest),
        Chore::Destroy(rest) => return deploy::run(&root, "destroy", &rest),
        Chore::Drift(rest) => return deploy::run(&root, "drift", &rest),
        Chore::Outputs(rest) => return deploy::run(&root, "outputs", &rest),
        Chore::Image(rest) => return deploy::run(&root, "image", &rest),
        Chore::Dist(rest) => return deploy::run(&root, "dist", &rest),
        Chore::DeployE2e => deploy::end_to_end(&root),
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use xtask::documented::{problem, shown};

    use super::*;

    #[test]
    fn every_chore_that_the_documentation_shows_is_one() {
        let shown = shown(&workspace_root(), "cargo xtask").unwrap();
        assert!(shown.len() > 40, "{} found", shown.len());
        let wrong = shown.iter().filter_map(|shown| {
            Some(format!(
                "{}: cargo xtask {}: {}",
                shown.page,
                shown.words.join(" "),
                problem(&Arguments::command(), &shown.words)?
            ))
        });
        assert_eq!(wrong.collect::<Vec<_>>(), [""; 0]);
    }
}

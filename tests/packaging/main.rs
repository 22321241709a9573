//! What is shipped beside the programs, and what is written about them: the unit for systemd, the compose file, and the commands
//! that the documentation shows. Where systemd or docker's compose is missing, those rows are *ignored*.

mod compose;
mod unit;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::CommandFactory as _;
use cve_monitor_bins::cli::{Cli, IngestCli, NotifierCli, ReconcilerCli};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use xtask::documented::{problem, shown};

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// What a program would say to these words after its name.
fn refusal(words: &[&str]) -> Option<String> {
    problem(&Cli::command(), &words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
}

/// Each is taken by the program; at least so many were found.
fn documented(command: &clap::Command, least: usize) -> Result<Completion, Failed> {
    let name = command.get_name();
    let mut shown = shown(&root(), name)?;
    // Of a program with options alone, its name before anything else is a word of a sentence or a drawing.
    shown.retain(|shown| {
        command.has_subcommands() || shown.words.first().is_some_and(|word| word.starts_with('-'))
    });
    assert!(shown.len() >= least, "{} commands of {name} found", shown.len());
    let wrong = shown.iter().filter_map(|shown| {
        let problem = problem(command, &shown.words)?;
        Some(format!("{}: {name} {}: {problem}", shown.page, shown.words.join(" ")))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(Completion::Completed)
}

fn main() -> ExitCode {
    let row = |name: &str, test: fn() -> Result<Completion, Failed>| {
        Trial::ignorable_test(format!("packaging::{name}"), test)
    };
    let trials = vec![
        row("commands_of_cve_monitor_in_the_documentation_exist", || documented(&Cli::command(), 60)),
        row("commands_of_ingest_in_the_documentation_exist", || documented(&IngestCli::command(), 1)),
        row("commands_of_the_notifier_in_the_documentation_exist", || documented(&NotifierCli::command(), 2)),
        row("commands_of_the_reconciler_in_the_documentation_exist", || {
            documented(&ReconcilerCli::command(), 2)
        }),
        row("the_unit_runs_what_the_program_takes_where_it_may_write", unit::runs),
        row("systemd_takes_the_unit", unit::verifies),
        row("the_compose_file_fits_the_image_and_the_program", compose::fits),
        row("the_configuration_in_the_compose_file_holds", compose::is_configured),
        row("docker_takes_the_compose_file", compose::verifies),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Whatever the configuration names lies where it may be written.
fn stays_within(folders: &[&str], variables: &[(&str, &str)], text: &str) {
    use cve_monitor_bins::config::{Overrides, Variables, load_with, show};
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cve-monitor.toml"), text).unwrap();
    let loaded = load_with(&Overrides::default(), &Variables::of(variables), folder.path());
    let shown = show(&loaded.unwrap_or_else(|problem| panic!("{problem}")));
    let paths: Vec<&str> = shown
        .lines()
        // The path of an address.
        .filter(|line| !line.starts_with("clair."))
        .filter_map(|line| line.split_once(" = \"")?.1.split('"').next())
        .filter(|value| value.starts_with('/'))
        .collect();
    assert!(paths.len() >= 3, "{shown}");
    for path in paths {
        assert!(folders.iter().any(|folder| path.starts_with(folder)), "{path} is not under {folders:?}");
    }
}

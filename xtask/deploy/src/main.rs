//! The chores that reach beyond this machine: images, and the system on AWS. `cargo xtask` runs it.

mod aws;
mod confirm;
mod flow;
mod image;
mod preflight;
mod problem;
mod rollout;
mod settings;
mod terraform;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::confirm::Consent;
use crate::image::programs::Target;
use crate::problem::Problem;

/// How it ended.
const EXIT_CODES: &str = "Exit codes: 0 done, or nothing to do; 1 failed; 2 there are changes (--plan-only, drift); \
     3 not begun: what stands in the way is listed; 4 not agreed to; 130 interrupted. Nothing was changed with 2, 3 and 4.";

/// Images, and the system on AWS.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Bring an environment to AWS, or bring it up to date: image, plan, your word, changes, first comparison.
    #[command(after_help = EXIT_CODES)]
    Deploy {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        word: Word,
        #[command(flatten)]
        programs: Programs,
        /// Make no image: take the one of the file, or the one that runs.
        #[arg(long, conflicts_with_all = ["binaries", "target"])]
        no_image: bool,
        /// Do not wait until the services are up; start no comparison.
        #[arg(long)]
        no_wait: bool,
        /// Compare the registries with what is known, as after the first deployment.
        #[arg(long, conflicts_with = "no_wait")]
        reconcile: bool,
    },
    /// Take an environment away from AWS, with all that it holds.
    #[command(after_help = EXIT_CODES)]
    Destroy {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        word: Word,
    },
    /// Show what in AWS is not as the file says: changes by hand, or a file that is not deployed yet.
    #[command(after_help = EXIT_CODES)]
    Drift {
        #[command(flatten)]
        place: Place,
    },
    /// Show names and addresses of what is deployed.
    #[command(after_help = EXIT_CODES)]
    Outputs {
        #[command(flatten)]
        place: Place,
        /// As terraform writes them.
        #[arg(long)]
        json: bool,
    },
    /// Make the container image, as an OCI layout and as one archive; push nothing.
    Image {
        /// With `cve-monitor`, which does everything on one machine, instead of the three programs.
        #[arg(long)]
        all_in_one: bool,
        #[command(flatten)]
        programs: Programs,
        /// Where it is written.
        #[arg(long, default_value = "target/image")]
        out: PathBuf,
    },
    /// Make archives of the static programs, with checksums.
    Dist {
        #[command(flatten)]
        programs: Programs,
        /// Where they are written.
        #[arg(long, default_value = "target/dist")]
        out: PathBuf,
    },
}

/// Which environment.
#[derive(Debug, Args)]
struct Place {
    /// The environment's file; terraform/examples/environment.toml explains it.
    file: PathBuf,
    /// Where plan, variables and logs are written; target/deploy/SERVICE-ENVIRONMENT if nobody says.
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// What is agreed to beforehand.
#[derive(Debug, Args)]
struct Word {
    /// Show what would change, change nothing.
    #[arg(long)]
    plan_only: bool,
    /// Agree to everything that loses no data.
    #[arg(long)]
    yes: bool,
    /// Agree to the loss of a bucket, table, database or secret, by its name; once for each.
    #[arg(long, value_name = "NAME")]
    destroy_data: Vec<String>,
}

/// Which programs go into an image.
#[derive(Debug, Args)]
struct Programs {
    /// A folder of static programs to take instead of building them.
    #[arg(long, value_name = "FOLDER")]
    binaries: Option<PathBuf>,
    /// What to build for, as rustc calls it; this machine's architecture if nobody says.
    #[arg(long, value_name = "TRIPLE", value_parser = Target::parse)]
    target: Option<Target>,
}

impl Programs {
    fn target(&self) -> Target {
        self.target.clone().unwrap_or_else(Target::of_this_machine)
    }
}

impl Word {
    fn consent(&self) -> Consent {
        Consent { yes: self.yes, destroy_data: self.destroy_data.clone() }
    }
}

/// How a chore ended that did not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Done,
    /// There are changes, and they were not asked for.
    Changes,
    /// Something stands in the way.
    NotBegun(Vec<Problem>),
    /// Somebody did not agree.
    Refused,
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Clap's own code for a wrong command line is our "there are changes".
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(3) } else { ExitCode::SUCCESS };
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = match (runtime, terraform::interrupt::watch()) {
        (Ok(runtime), Ok(())) => runtime.block_on(run(&workspace_root(), arguments.chore)),
        (Err(error), _) => Err(error.to_string()),
        (_, Err(problem)) => Err(problem),
    };
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Changes) => ExitCode::from(2),
        Ok(Outcome::NotBegun(problems)) => {
            eprintln!(
                "nothing was begun; {} in the way:",
                if problems.len() == 1 { "this stands" } else { "these stand" }
            );
            for (number, problem) in problems.iter().enumerate() {
                eprintln!("{:>4}. {problem}", number + 1);
            }
            ExitCode::from(3)
        }
        Ok(Outcome::Refused) => ExitCode::from(4),
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

async fn run(root: &Path, chore: Chore) -> Result<Outcome, String> {
    match chore {
        Chore::Deploy { place, word, programs, no_image, no_wait, reconcile } => {
            let target = programs.target();
            let order = flow::deploy::Order { place, word, programs, target, no_image, no_wait, reconcile };
            flow::deploy::run(root, order).await
        }
        Chore::Destroy { place, word } => flow::destroy::run(root, &place, &word).await,
        Chore::Drift { place } => flow::look::drift(root, &place).await,
        Chore::Outputs { place, json } => flow::look::outputs(root, &place, json).await,
        Chore::Image { all_in_one, programs, out } => flow::local::image(root, all_in_one, &programs, &out),
        Chore::Dist { programs, out } => flow::local::dist(root, &programs, &out),
    }
}

/// The root of the repository: chores work from any folder. Cargo says at run time where this package is.
fn workspace_root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let package = PathBuf::from(package);
    package.ancestors().nth(2).map_or_else(|| package.clone(), Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use xtask::documented::{problem, shown};

    use super::*;

    #[test]
    fn what_the_documentation_shows_of_these_chores_is_taken() {
        let command = Arguments::command();
        let ours =
            |words: &[String]| words.first().is_some_and(|chore| command.find_subcommand(chore).is_some());
        let shown = shown(&workspace_root(), "cargo xtask").unwrap();
        let shown: Vec<_> = shown.iter().filter(|shown| ours(&shown.words)).collect();
        assert!(shown.len() >= 15, "{} found", shown.len());
        let wrong = shown.iter().filter_map(|shown| {
            Some(format!(
                "{}: cargo xtask {}: {}",
                shown.page,
                shown.words.join(" "),
                problem(&command, &shown.words)?
            ))
        });
        assert_eq!(wrong.collect::<Vec<_>>(), [""; 0]);
    }
}

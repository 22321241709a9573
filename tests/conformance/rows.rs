//! Rows: one law on one fresh backend each.

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cve_monitor_core::testkit::laws::{Law, Unmet};
use futures::future::BoxFuture;
use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::ignorable::Ignorable;

/// How long a row may take before the backend is said to hang.
const ROW_LIMIT: Duration = Duration::from_secs(60);

/// The same for a backend that is broken on purpose.
const BROKEN_LIMIT: Duration = Duration::from_secs(1);

/// Makes a harness with a fresh backend; or says why this machine has none.
pub(crate) type Fresh<H> = fn() -> BoxFuture<'static, Result<Box<H>, String>>;

type Run = Box<dyn FnOnce() -> Result<(), Unmet> + Send>;

/// The matrix.
#[derive(Default)]
pub(crate) struct Rows {
    rows: Vec<(String, Run)>,
}

/// A row that was ignored, as the summary prints it.
struct IgnoredRow {
    name: String,
    why: String,
    command: String,
}

type IgnoredRows = Arc<Mutex<Vec<IgnoredRow>>>;

impl Rows {
    /// A row per law of the port for this adapter.
    pub(crate) fn add<H: ?Sized + Send + Sync + 'static>(
        &mut self,
        port: &str,
        adapter: &str,
        laws: &'static [Law<H>],
        fresh: Fresh<H>,
    ) {
        for law in laws {
            let name = format!("{port}::{adapter}::{}::{}", law.id, law.title);
            self.rows.push((name, Box::new(move || in_a_runtime(hold(law, fresh, ROW_LIMIT)))));
        }
    }

    /// A row that passes where this backend, which is broken on purpose, breaks these laws: a law that no fault can
    /// break says nothing about those who keep it.
    pub(crate) fn add_broken<H: ?Sized + Send + Sync + 'static>(
        &mut self,
        port: &str,
        fault: &str,
        broken: &'static str,
        laws: &'static [Law<H>],
        fresh: Fresh<H>,
    ) {
        let name = format!("laws_bite::{port}::{broken}::{fault}");
        self.rows.push((name, Box::new(move || in_a_runtime(bite(broken, laws, fresh)))));
    }

    /// Runs the rows that the arguments choose, and prints what was ignored.
    pub(crate) fn run(self, arguments: &Arguments, ignorable: Ignorable) -> ExitCode {
        let names: Vec<String> = self.rows.iter().map(|(name, _)| name.clone()).collect();
        let stale = ignorable.stale(&names);
        if !stale.is_empty() {
            eprintln!("may-be-ignored.toml excuses rows that do not exist: {}", stale.join(", "));
            return ExitCode::FAILURE;
        }
        let (ignorable, ignored) = (Arc::new(ignorable), IgnoredRows::default());
        let trials = self.rows.into_iter().map(|(name, run)| {
            let (ignorable, ignored, row) = (Arc::clone(&ignorable), Arc::clone(&ignored), name.clone());
            Trial::ignorable_test(name, move || verdict(&row, run(), &ignorable, &ignored))
        });
        let conclusion = libtest_mimic::run(arguments, trials.collect());
        summarise(&ignored);
        conclusion.exit_code()
    }
}

async fn hold<H: ?Sized + Send + Sync + 'static>(
    law: &Law<H>,
    fresh: Fresh<H>,
    limit: Duration,
) -> Result<(), Unmet> {
    let harness = fresh().await.map_err(Unmet::NoFixture)?;
    match tokio::time::timeout(limit, (law.check)(&harness)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Unmet::Broken(format!("no answer within {} s", limit.as_secs()))),
    }
}

async fn bite<H: ?Sized + Send + Sync + 'static>(
    broken: &str,
    laws: &'static [Law<H>],
    fresh: Fresh<H>,
) -> Result<(), Unmet> {
    for law in laws.iter().filter(|law| law.id == broken) {
        if let Err(Unmet::Broken(_)) = hold(law, fresh, BROKEN_LIMIT).await {
            return Ok(());
        }
    }
    Err(Unmet::Broken(format!("no check of {broken} notices the fault")))
}

fn in_a_runtime(row: impl Future<Output = Result<(), Unmet>>) -> Result<(), Unmet> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(row),
        Err(error) => Err(Unmet::Broken(format!("no runtime: {error}"))),
    }
}

fn verdict(
    row: &str,
    outcome: Result<(), Unmet>,
    ignorable: &Ignorable,
    ignored: &IgnoredRows,
) -> Result<Completion, Failed> {
    let missing = match outcome {
        Ok(()) => return Ok(Completion::Completed),
        Err(Unmet::Broken(how)) => return Err(how.into()),
        Err(missing @ Unmet::NoFixture(_)) => missing.to_string(),
    };
    let Some(entry) = ignorable.entry(row) else {
        let unlisted = "may-be-ignored.toml does not list this row: provide the backend, or list it";
        return Err(format!("{missing}; {unlisted}").into());
    };
    let row = IgnoredRow { name: row.to_owned(), why: entry.why.clone(), command: entry.command.clone() };
    ignored.lock().unwrap_or_else(PoisonError::into_inner).push(row);
    Ok(Completion::ignored_with(missing))
}

fn summarise(ignored: &IgnoredRows) {
    let mut ignored = ignored.lock().unwrap_or_else(PoisonError::into_inner);
    if ignored.is_empty() {
        return;
    }
    ignored.sort_by(|one, other| one.name.cmp(&other.name));
    println!("{} rows ignored:", ignored.len());
    for IgnoredRow { name, why, command } in ignored.iter() {
        println!("  {name}: {why} (to run it: {command})");
    }
}

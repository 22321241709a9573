//! Whole runs on a real Clair, which these scenarios build and raise themselves: PostgreSQL, a registry, Clair.
//!
//! Where one of them is missing the scenarios are *ignored*, with what is missing; they never count as passed.

mod bells;
mod stage;
mod v2;
mod v4;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::LazyLock;

use futures::future::BoxFuture;
use libtest_mimic::{Arguments, Completion, Trial};
use xtask::clair::{ClairV2, ClairV4, missing_v2, missing_v4};

/// A scenario, given the folder of Clair's programs.
type Scenario = fn(PathBuf) -> BoxFuture<'static, ()>;

/// A table of scenarios, each called as its function.
macro_rules! scenarios {
    ($($module:ident::$name:ident),* $(,)?) => {
        &[$((stringify!($name), |programs| Box::pin($module::$name(programs)))),*]
    };
}
use scenarios;

/// The programs of a version; or why there are none.
type Programs = LazyLock<Result<PathBuf, String>>;

static V4: Programs = LazyLock::new(|| match missing_v4() {
    Some(name) => Err(format!("needs `{name}`")),
    None => ClairV4::build(root()),
});

static V2: Programs = LazyLock::new(|| match missing_v2() {
    Some(name) => Err(format!("needs `{name}`")),
    None => ClairV2::build(root()),
});

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn trial(version: &str, name: &str, programs: &'static Programs, scenario: Scenario) -> Trial {
    Trial::ignorable_test(format!("{version}::{name}"), move || {
        let programs = match &**programs {
            Ok(programs) => programs.clone(),
            Err(why) => return Ok(Completion::ignored_with(why)),
        };
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(scenario(programs));
        Ok(Completion::Completed)
    })
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let v2 = v2::SCENARIOS.iter().map(|(name, run)| trial("clair_v2", name, &V2, *run));
    let v4 = v4::SCENARIOS.iter().map(|(name, run)| trial("clair_v4", name, &V4, *run));
    libtest_mimic::run(&arguments, v2.chain(v4).collect()).exit_code()
}

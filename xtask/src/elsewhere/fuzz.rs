//! Fuzzing guided by coverage, on the stable toolchain: LLVM's own pass instruments the code, libFuzzer drives it.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

/// What instruments: the options that cargo-fuzz gives, without the sanitizers, which stable does not have.
const INSTRUMENTED: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";
/// MiB of memory that an input may take: what eats more has no bound.
const MAX_MEMORY_MIB: u32 = 1024;
/// Seconds that an input may take.
const MAX_SECONDS: u32 = 10;
/// Bytes of the longest input that is made.
const MAX_INPUT_BYTES: u32 = 32 << 10;

/// Bodies that are there with `--programs` alone.
const OF_PROGRAMS: [&str; 3] = ["config", "ecr-event", "report-view"];

/// Which body, and for how long.
#[derive(Debug, Args)]
pub(crate) struct Wanted {
    /// The name of a body: a folder of tests/fuzz/corpus. All of them, one after the other, if none is named.
    target: Option<String>,
    /// Seconds for each.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Build what the programs and the adapters of AWS read as well, whose SDK takes long to build.
    #[arg(long)]
    programs: bool,
    /// Add inputs that reach something new to the corpus in the repository.
    #[arg(long)]
    keep: bool,
}

/// Runs them; true where nothing was found. What was found lies in `target/fuzz/TARGET/found`.
pub(crate) fn run(root: &Path, wanted: &Wanted) -> Result<bool, String> {
    let corpus = root.join("tests/fuzz/corpus");
    let names = match &wanted.target {
        Some(name) if OF_PROGRAMS.contains(&name.as_str()) && !wanted.programs => {
            return Err(format!("{name} is there with `--programs` alone"));
        }
        Some(name) if corpus.join(name).is_dir() => vec![name.clone()],
        Some(name) => {
            return Err(format!("no body is named {name}; there are: {}", bodies(&corpus)?.join(", ")));
        }
        None => bodies(&corpus)?,
    };
    let program = build(root, wanted.programs)?;
    let mut clean = true;
    for name in names.iter().filter(|name| wanted.programs || !OF_PROGRAMS.contains(&name.as_str())) {
        clean &= fuzz(root, &program, name, wanted)?;
    }
    Ok(clean)
}

fn bodies(corpus: &Path) -> Result<Vec<String>, String> {
    let entries = std::fs::read_dir(corpus).map_err(|error| format!("{}: {error}", corpus.display()))?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

/// In a folder of its own: instrumented code is no other build's.
fn build(root: &Path, programs: bool) -> Result<PathBuf, String> {
    let target = root.join("target/fuzz/build");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--target-dir"]).arg(&target);
    cargo.arg("--manifest-path").arg(root.join("tests/fuzz/guided/Cargo.toml"));
    // Build scripts and macros are not instrumented where a target is named.
    cargo.args(["--target", &host()?]).env("RUSTFLAGS", INSTRUMENTED);
    cargo.args(programs.then_some(["--features", "programs"]).into_iter().flatten());
    let built = cargo.status().map_err(|error| format!("cargo could not be started: {error}"))?;
    if !built.success() {
        return Err("the instrumented program was not built; it needs a C++ compiler".to_owned());
    }
    Ok(target.join(host()?).join("release/guided"))
}

fn host() -> Result<String, String> {
    let told = Command::new("rustc").arg("-vV").output().map_err(|error| format!("rustc: {error}"))?;
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc does not say what its host is".to_owned())
}

fn fuzz(root: &Path, program: &Path, name: &str, wanted: &Wanted) -> Result<bool, String> {
    let folder = root.join("target/fuzz").join(name);
    let (grown, found) = (folder.join("corpus"), folder.join("found"));
    for folder in [&grown, &found] {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let kept = root.join("tests/fuzz/corpus").join(name);
    println!("fuzzing {name} for {} s", wanted.seconds);
    let ran = Command::new(program)
        .env("FUZZ_TARGET", name)
        .args([&grown, &kept])
        .arg(format!("-max_total_time={}", wanted.seconds))
        .arg(format!("-rss_limit_mb={MAX_MEMORY_MIB}"))
        .arg(format!("-timeout={MAX_SECONDS}"))
        .arg(format!("-max_len={MAX_INPUT_BYTES}"))
        .arg(format!("-artifact_prefix={}/", found.display()))
        .arg("-print_final_stats=1")
        .status()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    if wanted.keep && ran.success() {
        let merged = Command::new(program)
            .env("FUZZ_TARGET", name)
            .arg("-merge=1")
            .args([&kept, &grown])
            .status()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        return Ok(merged.success());
    }
    if !ran.success() {
        println!("{name}: an input was found; it lies in {}", found.display());
    }
    Ok(ran.success())
}

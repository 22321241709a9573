//! A program while it runs: what it took, and what memory it held at each moment, its own apart from mapped files.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Between two looks.
const EVERY: Duration = Duration::from_millis(20);
/// Lines of what a program wrote about its failure.
const LINES: usize = 5;

/// What a program took.
#[derive(Debug, Default, Clone)]
pub(super) struct Ran {
    pub(super) wall_s: f64,
    /// The most memory of its own.
    pub(super) anonymous_mib: f64,
    /// The most that was mapped from files, its own code included.
    pub(super) mapped_mib: f64,
    /// Seconds since its start, and memory of its own in MiB then.
    pub(super) over_time: Vec<(f64, f64)>,
}

/// Runs it to its end.
pub(super) fn run(command: &mut Command, said: &Path) -> Result<Ran, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |problem: &dyn std::fmt::Display| format!("{program}: {problem}");
    let open = || File::create(said).map_err(|error| format!("{}: {error}", said.display()));
    let out = File::create(said.with_extension("out")).map_err(|error| failed(&error))?;
    command.stdin(Stdio::null()).stdout(out).stderr(open()?);
    let began = Instant::now();
    let mut child = command.spawn().map_err(|error| failed(&error))?;
    let mut ran = Ran::default();
    let status = loop {
        look(&child, began, &mut ran);
        if let Some(status) = child.try_wait().map_err(|error| failed(&error))? {
            break status;
        }
        std::thread::sleep(EVERY);
    };
    ran.wall_s = began.elapsed().as_secs_f64();
    if status.success() {
        return Ok(ran);
    }
    let said = fs::read_to_string(said).unwrap_or_default();
    let lines: Vec<&str> = said.lines().collect();
    Err(failed(&format!("{status}: {}", lines[lines.len().saturating_sub(LINES)..].join("\n"))))
}

/// Looks at it once.
pub(super) fn look(child: &Child, began: Instant, ran: &mut Ran) {
    let Ok(status) = fs::read_to_string(format!("/proc/{}/status", child.id())) else { return };
    let Some(anonymous) = mib(&status, "RssAnon:") else { return };
    let mapped = mib(&status, "RssFile:").unwrap_or_default() + mib(&status, "RssShmem:").unwrap_or_default();
    ran.anonymous_mib = ran.anonymous_mib.max(anonymous);
    ran.mapped_mib = ran.mapped_mib.max(mapped);
    ran.over_time.push((began.elapsed().as_secs_f64(), anonymous));
}

fn mib(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find(|line| line.starts_with(name))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_its_own_is_told_from_mapped_files() {
        let status = "VmHWM:\t 9 kB\nRssAnon:\t  2048 kB\nRssFile:\t  512 kB\nRssShmem:\t0 kB\n";
        assert_eq!((mib(status, "RssAnon:"), mib(status, "RssFile:")), (Some(2.0), Some(0.5)));
        assert_eq!(mib("VmHWM: 1 kB", "RssAnon:"), None);
    }

    #[test]
    fn a_failure_is_told_with_what_was_said() {
        let said = std::env::temp_dir().join(format!("cve-monitor-ran-{}.err", std::process::id()));
        let told = run(Command::new("sh").args(["-c", "echo why >&2; exit 3"]), &said).unwrap_err();
        assert!(told.contains("why"), "{told}");
        for path in [said.with_extension("out"), said] {
            fs::remove_file(path).unwrap();
        }
    }
}

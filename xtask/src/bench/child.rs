//! What a program costs from its start to its end, as the kernel counts it.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Between two looks at a program.
const BETWEEN_LOOKS: Duration = Duration::from_micros(500);
/// Ticks of a second in `/proc/PID/stat`: 100 on every Linux.
const TICKS: f64 = 100.0;
/// Lines of what a program wrote about its failure.
const LINES: usize = 5;

/// What a program cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// From its start to its end.
    pub(super) wall_s: f64,
    /// Of all its threads, and of programs that it waited for; to a hundredth of a second.
    pub(super) cpu_s: f64,
    /// The most memory that it held.
    pub(super) peak_mib: f64,
}

impl Cost {
    pub(super) fn json(self) -> Value {
        json!({"wall_s": self.wall_s, "cpu_s": self.cpu_s, "peak_mib": self.peak_mib})
    }

    /// The least of each.
    pub(super) fn best(self, other: Self) -> Self {
        Self {
            wall_s: self.wall_s.min(other.wall_s),
            cpu_s: self.cpu_s.min(other.cpu_s),
            peak_mib: self.peak_mib.min(other.peak_mib),
        }
    }
}

/// Runs a program to its end, with what it prints in this file.
pub(super) fn measure(command: &mut Command, printed: &Path) -> Result<Cost, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |problem: &dyn std::fmt::Display| format!("{program}: {problem}");
    let said = printed.with_extension("stderr");
    let create = |path: &Path| File::create(path).map_err(|error| format!("{}: {error}", path.display()));
    command.stdin(Stdio::null()).stdout(create(printed)?).stderr(create(&said)?);
    let start = Instant::now();
    let mut child = command.spawn().map_err(|error| failed(&error))?;
    let (peak_mib, cpu_s, wall_s) = watch(&child, start);
    let status = child.wait().map_err(|error| failed(&error))?;
    if status.success() {
        return Ok(Cost { wall_s, cpu_s, peak_mib });
    }
    let said = fs::read_to_string(&said).unwrap_or_default();
    let lines: Vec<&str> = said.lines().collect();
    Err(failed(&format!("{status}: {}", lines[lines.len().saturating_sub(LINES)..].join("\n"))))
}

/// Looks until it has ended; the kernel keeps what it counted until the end is waited for.
fn watch(child: &Child, start: Instant) -> (f64, f64, f64) {
    let folder = format!("/proc/{}", child.id());
    let (status, stat) = (format!("{folder}/status"), format!("{folder}/stat"));
    let mut peak = 0.0_f64;
    loop {
        if let Some(now) = fs::read_to_string(&status).ok().as_deref().and_then(peak_of) {
            peak = peak.max(now);
        }
        match fs::read_to_string(&stat).ok().as_deref().and_then(ended_after) {
            Some(cpu) => return (peak, cpu, start.elapsed().as_secs_f64()),
            None => std::thread::sleep(BETWEEN_LOOKS),
        }
        if !Path::new(&folder).exists() {
            return (peak, 0.0, start.elapsed().as_secs_f64());
        }
    }
}

fn peak_of(status: &str) -> Option<f64> {
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}

/// Seconds of CPU, where the line is that of a program that has ended.
fn ended_after(stat: &str) -> Option<f64> {
    // The name may hold anything; the state follows its last bracket.
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    if *fields.first()? != "Z" {
        return None;
    }
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
    // Fields 14 to 17 of the line: of itself and of its children, outside the kernel and inside.
    (11..15).map(ticks).sum::<Option<f64>>().map(|ticks| ticks / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_program_that_has_ended_says_what_it_cost() {
        let line = |state: &str| format!("7 (a) b) {state} 1 7 7 0 -1 4 9 0 0 0 150 25 20 5 20 0 1 0 3");
        assert_eq!(ended_after(&line("Z")), Some(2.0));
        assert_eq!(ended_after(&line("S")), None);
    }

    #[test]
    fn the_peak_is_read_in_mib() {
        assert_eq!(peak_of("Name:\tx\nVmHWM:\t  2048 kB\nVmRSS:\t 1 kB\n"), Some(2.0));
        assert_eq!(peak_of("Name:\tx\n"), None);
    }

    #[test]
    fn a_failure_is_told_with_what_was_said() {
        let printed = std::env::temp_dir().join(format!("cve-monitor-bench-{}.out", std::process::id()));
        let told = measure(Command::new("sh").args(["-c", "echo why >&2; exit 3"]), &printed).unwrap_err();
        assert!(told.contains("why"), "{told}");
        let cost = measure(Command::new("sh").args(["-c", "echo x"]), &printed).unwrap();
        assert_eq!(fs::read_to_string(&printed).unwrap(), "x\n");
        assert!(cost.wall_s > 0.0 && cost.cpu_s >= 0.0);
        for path in [printed.with_extension("stderr"), printed] {
            fs::remove_file(path).unwrap();
        }
    }
}

//! The lines that `terraform plan -json` and `apply -json` write while they run ("Machine-readable UI", version 1.2).

use std::fmt::Write as _;

use serde_json::Value;

/// Seconds between two lines about a resource that takes long.
const STILL_EVERY: u64 = 60;

/// What was said so far.
#[derive(Debug, Default)]
pub(super) struct Progress {
    all: usize,
    done: usize,
    errors: Vec<String>,
}

impl Progress {
    /// Nothing yet of so many changes.
    pub(super) fn of(all: usize) -> Self {
        Self { all, ..Self::default() }
    }

    /// Changes that are done.
    pub(super) fn done(&self) -> usize {
        self.done
    }

    /// The errors, each on lines of its own, after a line's end; nothing where there are none.
    pub(super) fn problems(&self) -> String {
        self.errors.iter().fold(String::new(), |text, error| text + "\n" + error)
    }

    /// Reads a line; answers what there is to say about it.
    pub(super) fn read(&mut self, line: &str) -> Option<String> {
        let line: Value = serde_json::from_str(line).ok()?;
        let hook = &line["hook"];
        let name = hook["resource"]["addr"].as_str().unwrap_or_default();
        let seconds = hook["elapsed_seconds"].as_u64().unwrap_or_default();
        match line["type"].as_str()? {
            // What is only looked up while applying is no change.
            "apply_complete" if hook["action"] != "read" => {
                self.done += 1;
                let (done, all) = (self.done, self.all.max(self.done));
                let took = if seconds == 0 { String::new() } else { format!(", {}", duration(seconds)) };
                Some(format!("  {done:>3}/{all} {} {name}{took}", past(hook["action"].as_str()?)))
            }
            "apply_progress" if seconds > 0 && seconds.is_multiple_of(STILL_EVERY) => {
                Some(format!("          still at {name}, {}", duration(seconds)))
            }
            "apply_errored" => Some(format!("   FAILED {name}")),
            "diagnostic" => {
                let diagnostic = &line["diagnostic"];
                if diagnostic["severity"] == "error" {
                    self.errors.push(describe(diagnostic));
                }
                None
            }
            _ => None,
        }
    }
}

/// Summary, detail, and what it is about.
fn describe(diagnostic: &Value) -> String {
    let text = |key: &str| diagnostic[key].as_str().unwrap_or_default().trim();
    let mut described = format!("  {}", text("summary"));
    for line in text("detail").lines().filter(|line| !line.trim().is_empty()) {
        // Writing to a string does not fail.
        let _ = write!(described, "\n    {line}");
    }
    let range = &diagnostic["range"];
    let place = range["filename"].as_str().map(|file| format!("{file}, line {}", range["start"]["line"]));
    for about in [text("address").to_owned(), place.unwrap_or_default()] {
        if !about.is_empty() {
            let _ = write!(described, "\n    at {about}");
        }
    }
    described
}

fn past(action: &str) -> &str {
    match action {
        "create" => "created  ",
        "update" => "updated  ",
        "delete" => "destroyed",
        other => other,
    }
}

fn duration(seconds: u64) -> String {
    if seconds < 60 { format!("{seconds} s") } else { format!("{} min {} s", seconds / 60, seconds % 60) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of a real run.
    const APPLY: &str = include_str!("../../tests/fixtures/apply.jsonl");
    const FAILED: &str = include_str!("../../tests/fixtures/failed.jsonl");

    fn read(log: &str, all: usize) -> (Vec<String>, Progress) {
        let mut progress = Progress::of(all);
        let said = log.lines().filter_map(|line| progress.read(line)).collect();
        (said, progress)
    }

    #[test]
    fn what_is_done_is_counted_and_what_is_only_looked_up_is_not() {
        let changes = APPLY.lines().filter(|line| line.contains("\"planned_change\"")).count();
        let reads = APPLY
            .lines()
            .filter(|line| line.contains("apply_complete") && line.contains(":\"read\""))
            .count();
        let (said, progress) = read(APPLY, changes - reads);
        assert!(reads > 0);
        assert_eq!(progress.done(), changes - reads);
        assert!(progress.problems().is_empty());
        let last = format!("{0}/{0} created", changes - reads);
        assert!(said.iter().any(|line| line.contains(&last)), "{said:#?}");
    }

    #[test]
    fn what_takes_minutes_is_told_of_once_a_minute() {
        let (said, _) = read(APPLY, 200);
        let still: Vec<_> = said.iter().filter(|line| line.contains("still at")).collect();
        assert!(still.iter().any(|line| line.ends_with("1 min 0 s")), "{still:?}");
        assert!(still.iter().all(|line| line.ends_with("min 0 s")), "{still:?}");
    }

    #[test]
    fn errors_are_kept_with_what_they_are_about() {
        let (_, progress) = read(FAILED, 1);
        let problems = progress.problems();
        assert!(problems.contains("Invalid value for variable"), "{problems}");
        assert!(problems.contains("log_days must be one of"), "{problems}");
        assert!(problems.contains("line "), "{problems}");
    }

    #[test]
    fn what_is_no_json_is_passed_over() {
        assert_eq!(Progress::of(1).read("Terraform has crashed"), None);
    }
}

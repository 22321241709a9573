//! What people are told while advisories are brought in, and of what did not come.

use std::sync::{Mutex, PoisonError};

use cve_monitor_adapters::embedded::advisories::{Problem, Progress, Step};

use super::{Lacking, Said};

const MEBIBYTE: u64 = 1024 * 1024;
/// A transfer is told of in at most so many lines.
const LINES_OF_A_TRANSFER: u64 = 20;

/// Tells each thing once.
pub(super) struct Telling<'a> {
    offline: bool,
    say: &'a Said<'a>,
    last: Mutex<String>,
}

impl<'a> Telling<'a> {
    pub(super) fn new(offline: bool, say: &'a Said<'a>) -> Self {
        Self { offline, say, last: Mutex::default() }
    }

    pub(super) fn step(&self, step: Step<'_>) {
        let text = match step {
            Step::Busy => "waiting for another process, which is at the same advisories".to_owned(),
            Step::Asking { ecosystem, .. } if self.offline => {
                format!("reading the kept advisories for {ecosystem}")
            }
            Step::Asking { source, ecosystem } => format!("asking {source} for advisories of {ecosystem}"),
            Step::Transferring(progress) => transfer(&progress),
            Step::Compiling => "compiling the advisories".to_owned(),
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if *last != text {
            (self.say)(&text);
            *last = text;
        }
    }
}

fn transfer(progress: &Progress<'_>) -> String {
    let mebibytes = |bytes: u64| bytes / MEBIBYTE;
    match progress.total {
        Some(total) => {
            let line = (total / LINES_OF_A_TRANSFER).max(1);
            format!(
                "fetching advisories for {}: {} of {} MiB",
                progress.ecosystem,
                mebibytes(progress.bytes / line * line),
                mebibytes(total)
            )
        }
        None => format!("fetching advisories for {}: {} MiB", progress.ecosystem, mebibytes(progress.bytes)),
    }
}

pub(super) fn lacking(problems: &[Problem]) -> Lacking {
    let mut lacking = Lacking::default();
    for Problem { ecosystem, error, kept } in problems {
        match kept {
            Some(date) => {
                let date: String = date.to_string().chars().take_while(|c| *c != 'T').collect();
                lacking.warnings.push(format!(
                    "advisories for {ecosystem} could not be brought up to date, those of {date} are used: {error}"
                ));
            }
            None => lacking.missing.push(format!("there are no advisories for {ecosystem}: {error}")),
        }
    }
    lacking
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transfer_is_told_of_in_few_lines_and_none_is_said_twice() {
        let said: Mutex<Vec<String>> = Mutex::default();
        let say = |text: &str| said.lock().unwrap().push(text.to_owned());
        let telling = Telling::new(false, &say);
        let total = 400 * MEBIBYTE;
        for bytes in (0..=total).step_by(64 * 1024) {
            telling.step(Step::Transferring(Progress { ecosystem: "npm", bytes, total: Some(total) }));
        }
        let said = said.lock().unwrap();
        assert_eq!(said.len(), 21, "{said:?}");
        assert_eq!(said[20], "fetching advisories for npm: 400 of 400 MiB");
    }
}

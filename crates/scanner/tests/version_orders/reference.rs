//! Asks another program for the order of thousands of pairs at once.

use std::cmp::Ordering;
use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

/// Pairs that are compared with each program.
const PAIRS: usize = 4_000;

/// A program that reads pairs, tab between, a line each, and writes a number a line: below, at or above zero, or `?`
/// where it refuses a version.
pub(crate) struct Reference {
    program: &'static str,
    arguments: Vec<String>,
    by_arguments: bool,
}

impl Reference {
    pub(crate) fn new(program: &'static str, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Self { program, arguments, by_arguments: false }
    }

    /// The program takes versions as its arguments and writes `   left < right` for each that follows another.
    pub(crate) fn by_arguments(self) -> Self {
        Self { by_arguments: true, ..self }
    }

    /// Compares random pairs, and pairs that differ by one insertion, so that the difference lies deep inside.
    pub(crate) fn agrees(
        &self,
        version: impl Strategy<Value = String> + Clone + 'static,
        compare: fn(&str, &str) -> Ordering,
    ) {
        let pairs = pairs(version);
        let answers = match self.ask(&pairs) {
            Ok(answers) => answers,
            Err(reason) => {
                println!("SKIPPED: cannot compare with {}: {reason}", self.program);
                return;
            }
        };
        assert_eq!(answers.len(), pairs.len(), "{} answers for every pair", self.program);
        let mut compared = 0;
        for ((left, right), answer) in pairs.iter().zip(answers) {
            let Some(expected) = answer else { continue };
            assert_eq!(
                compare(left, right),
                expected,
                "{left:?} against {right:?}, as {} has it",
                self.program
            );
            compared += 1;
        }
        println!("{compared} of {PAIRS} pairs agree with {}; the others it refuses", self.program);
        assert!(compared > PAIRS * 2 / 3, "only {compared} pairs were versions");
    }

    fn ask(&self, pairs: &[(String, String)]) -> Result<Vec<Option<Ordering>>, String> {
        let mut command = Command::new(self.program);
        command.args(&self.arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if self.by_arguments {
            command.args(pairs.iter().flat_map(|(left, right)| [left, right]));
        }
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let mut input = child.stdin.take().unwrap();
        let lines: String = pairs.iter().map(|(left, right)| format!("{left}\t{right}\n")).collect();
        let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
        let output = child.wait_with_output().map_err(|error| error.to_string())?;
        // A program that reads no input closes it early.
        let _ = writer.join().unwrap();
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            return Err(stderr.lines().last().unwrap_or("it failed without a word").to_owned());
        }
        let stdout = String::from_utf8(output.stdout).map_err(|error| error.to_string())?;
        Ok(if self.by_arguments {
            signs(&stdout)
        } else {
            stdout.lines().filter(|line| !line.is_empty()).map(number).collect()
        })
    }
}

fn number(line: &str) -> Option<Ordering> {
    line.trim().parse::<i64>().ok().map(|number| number.cmp(&0))
}

/// Of the comparisons of each argument with the one before it, every other one is a pair.
fn signs(stdout: &str) -> Vec<Option<Ordering>> {
    let compared = stdout.lines().filter_map(|line| line.strip_prefix("   ")).step_by(2);
    compared
        .map(|line| match line.split(' ').nth(1) {
            Some("<") => Some(Ordering::Less),
            Some("==") => Some(Ordering::Equal),
            Some(">") => Some(Ordering::Greater),
            _ => None,
        })
        .collect()
}

fn pairs(version: impl Strategy<Value = String> + Clone + 'static) -> Vec<(String, String)> {
    let close = (
        version.clone(),
        any::<prop::sample::Index>(),
        prop::sample::select(vec![".0", "0", "1", "a", ".", "-1", ""]),
    )
        .prop_map(|(version, at, insert)| {
            let at = 1 + at.index(version.len());
            (version.clone(), format!("{}{insert}{}", &version[..at], &version[at..]))
        });
    let strategy = prop_oneof![3 => (version.clone(), version).boxed(), 1 => close.boxed()];
    let mut runner = TestRunner::deterministic();
    (0..PAIRS).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

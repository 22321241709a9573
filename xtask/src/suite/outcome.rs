//! What a test run came to, read out of its output.

/// The sums over all test binaries.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Tests that passed.
    pub(super) passed: usize,
    /// Tests that failed.
    pub(super) failed: usize,
    /// Tests that were not run, by name, with the reason where they gave one.
    pub(super) ignored: Vec<(String, Option<String>)>,
}

impl Outcome {
    /// Reads a line of `cargo test`.
    pub(super) fn read(&mut self, line: &str) {
        if let Some(sums) = line.strip_prefix("test result: ") {
            self.passed += count(sums, " passed");
            self.failed += count(sums, " failed");
        } else if let Some((name, rest)) =
            line.strip_prefix("test ").and_then(|row| row.split_once(" ... ignored"))
        {
            // The standard harness, and the one of tests that find out while they run.
            let in_brackets = rest.strip_prefix(" (").and_then(|rest| rest.strip_suffix(')'));
            let reason = rest.strip_prefix(", ").or(in_brackets).map(str::to_owned);
            self.ignored.push((name.trim().to_owned(), reason));
        }
    }
}

/// The number before `word`.
fn count(sums: &str, word: &str) -> usize {
    let before = sums.split(word).next().unwrap_or_default();
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_all_binaries_are_added_up() {
        let mut outcome = Outcome::default();
        for line in [
            "running 3 tests",
            "test a ... ok",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test result: FAILED. 12 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        ] {
            outcome.read(line);
        }
        assert_eq!(outcome, Outcome { passed: 15, failed: 2, ignored: vec![] });
    }

    #[test]
    fn ignored_rows_keep_their_reason() {
        let mut outcome = Outcome::default();
        outcome.read("test queue::sqs::Q1::a_leased_message_is_hidden ... ignored, needs an endpoint");
        outcome.read("test clair_v4::a_scenario      ... ignored (needs `go`)");
        outcome.read("test crates/a/src/lib.rs - f (line 3) ... ignored");
        assert_eq!(
            outcome.ignored,
            [
                (
                    "queue::sqs::Q1::a_leased_message_is_hidden".to_owned(),
                    Some("needs an endpoint".to_owned())
                ),
                ("clair_v4::a_scenario".to_owned(), Some("needs `go`".to_owned())),
                ("crates/a/src/lib.rs - f (line 3)".to_owned(), None)
            ]
        );
    }
}

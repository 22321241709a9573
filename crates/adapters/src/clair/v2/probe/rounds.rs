//! The rounds of Clair's updater, as its metrics show them.
//!
//! `clair_updater_duration_seconds` is set at the end of each round, whether it failed or not; every failure, that of the
//! metadata's source included, counts up `clair_updater_errors_total`; both begin at 0 with the process. So a whole round
//! is proven where an end was seen while no error was counted since the process began, or where no error was counted from
//! before the end of one round until after the end of another.

/// What was read at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Sample {
    duration: f64,
    errors: f64,
}

impl Sample {
    /// None where the metrics are not Clair's.
    fn read(metrics: &str) -> Option<Self> {
        Some(Self {
            duration: value(metrics, "clair_updater_duration_seconds")?,
            errors: value(metrics, "clair_updater_errors_total")?,
        })
    }
}

/// A metric without labels, in Prometheus' text format.
fn value(metrics: &str, name: &str) -> Option<f64> {
    let mut lines = metrics.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    lines.next()?.split(' ').next()?.parse().ok().filter(|value: &f64| value.is_finite())
}

/// Watches for a whole round. What it has seen is lost with the process, and seen again in time.
#[derive(Debug, Default)]
pub(in crate::clair::v2) struct Rounds {
    last: Option<Sample>,
    /// The errors that were counted before the last end of a round that was seen.
    errors_before_end: Option<f64>,
}

impl Rounds {
    /// Looks at the metrics of this moment: whether they prove a whole round.
    pub(in crate::clair::v2) fn look(&mut self, metrics: &str) -> bool {
        let Some(now) = Sample::read(metrics) else { return false };
        let before = self.last.replace(now);
        // Zero until the first end.
        if now.duration <= 0.0 {
            *self = Self { last: Some(now), errors_before_end: None };
            return false;
        }
        if now.errors <= 0.0 {
            return true;
        }
        let Some(before) = before else { return false };
        if now.errors < before.errors {
            // Another process.
            self.errors_before_end = None;
            return false;
        }
        if (now.duration - before.duration).abs() < f64::EPSILON {
            return false;
        }
        let whole = self.errors_before_end.is_some_and(|errors| now.errors <= errors);
        self.errors_before_end = Some(before.errors);
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(duration: &str, errors: u32) -> String {
        format!(
            "# HELP clair_updater_duration_seconds Time it takes to update the vulnerability database.\n\
             # TYPE clair_updater_duration_seconds gauge\n\
             clair_updater_duration_seconds {duration}\n\
             # TYPE clair_updater_errors_total counter\n\
             clair_updater_errors_total {errors}\n\
             clair_updater_notes_total 0\n"
        )
    }

    fn seen(samples: &[(&str, u32)]) -> Vec<bool> {
        let mut rounds = Rounds::default();
        samples.iter().map(|(duration, errors)| rounds.look(&metrics(duration, *errors))).collect()
    }

    #[test]
    fn a_first_round_without_errors_is_whole_when_it_ends() {
        assert_eq!(seen(&[("0", 0), ("0", 0), ("812.03", 0)]), [false, false, true]);
    }

    #[test]
    fn a_round_in_which_every_source_failed_proves_nothing() {
        // As captured: no network, the round "finished" after 0.07 s.
        assert_eq!(seen(&[("0", 0), ("7.34e-02", 31), ("7.34e-02", 31)]), [false; 3]);
    }

    #[test]
    fn after_a_failed_round_a_whole_one_is_one_between_two_ends() {
        // 40 fails and counts before its end; 50 ends, but part of it may have counted before 40 was seen; 60 is whole.
        let samples = [("0", 0), ("40", 2), ("40", 2), ("50", 2), ("60", 2)];
        assert_eq!(seen(&samples), [false, false, false, false, true]);
        let failing = [("40", 2), ("50", 4), ("60", 6), ("70", 8)];
        assert_eq!(seen(&failing), [false; 4]);
        let late = [("40", 2), ("40", 3), ("50", 3), ("60", 3)];
        assert_eq!(seen(&late), [false, false, false, true]);
    }

    #[test]
    fn errors_between_two_ends_spoil_the_round() {
        assert_eq!(
            seen(&[("40", 2), ("50", 2), ("50", 3), ("60", 3), ("70", 3)]),
            [false, false, false, false, true]
        );
    }

    #[test]
    fn a_process_that_begins_anew_is_watched_anew() {
        assert_eq!(
            seen(&[("40", 9), ("50", 9), ("60", 1), ("70", 1), ("80", 1)]),
            [false, false, false, false, true]
        );
        assert!(seen(&[("40", 2), ("50", 2), ("0", 0), ("60", 2), ("70", 2), ("80", 2)])[5]);
    }

    #[test]
    fn what_is_not_clairs_proves_nothing() {
        let mut rounds = Rounds::default();
        assert!(!rounds.look("process_start_time_seconds 1\n"));
        assert!(!rounds.look("<html>a page</html>"));
        assert!(!rounds.look("clair_updater_duration_seconds NaN\nclair_updater_errors_total 0\n"));
    }
}

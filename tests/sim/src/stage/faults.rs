//! What goes wrong with a call, by probability.

use std::collections::BTreeMap;
use std::time::Duration;

use cve_monitor_core::vocabulary::Timestamp;

use super::Chance;

/// The longest delay of a call, in milliseconds: longer than a lease.
const DELAY_MAX_MS: u64 = 100_000;

/// What becomes of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Verdict {
    /// How long it takes before anything happens.
    pub(crate) delay: Option<Duration>,
    /// It is refused before anything happens: the code says how.
    pub(crate) refused: Option<Refusal>,
    /// Everything happens, and the answer is lost.
    pub(crate) lost: bool,
    /// How long the answer takes.
    pub(crate) late: Option<Duration>,
}

/// How a call is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Not available.
    Away,
    /// Too many calls.
    Throttled,
    /// An outage of the whole port.
    Outage,
}

impl Refusal {
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Away => "call refused",
            Self::Throttled => "call throttled",
            Self::Outage => "call in an outage",
        }
    }
}

/// The plan of faults of one run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    /// How often each fault happens, in hundredths of its usual rate; zero: never.
    pub(crate) intensity: u64,
    /// Whether messages may be lost for ever: the promise is then kept by the sweep alone.
    pub(crate) loses_messages: bool,
    /// Processes are killed so often in ten thousand polls.
    pub(crate) crashes: u64,
    pub(crate) outages: BTreeMap<&'static str, Timestamp>,
}

impl Faults {
    pub(crate) fn outage(&mut self, port: &'static str, until: Timestamp) {
        self.outages.insert(port, until);
    }

    /// Nothing goes wrong any more.
    pub(crate) fn end(&mut self) {
        *self = Self::default();
    }

    /// So often in ten thousand, at this intensity.
    pub(crate) fn happens(&self, chance: &mut Chance, in_ten_thousand: u64) -> bool {
        self.intensity > 0 && chance.happens(in_ten_thousand * self.intensity / 100)
    }

    /// What becomes of a call of `port.method`.
    pub(crate) fn judge(&self, chance: &mut Chance, call: &'static str, now: Timestamp) -> Verdict {
        let port = call.split_once('.').map_or(call, |(port, _)| port);
        if self.intensity == 0 {
            return Verdict::default();
        }
        let delay =
            |chance: &mut Chance| Duration::from_millis(chance.between(1, 10).pow(5).min(DELAY_MAX_MS));
        let mut verdict = Verdict::default();
        if self.happens(chance, 400) {
            verdict.delay = Some(delay(chance));
        }
        if self.outages.get(port).is_some_and(|until| *until > now) {
            verdict.refused = Some(Refusal::Outage);
        } else if self.happens(chance, 120) {
            verdict.refused = Some(Refusal::Away);
        } else if self.happens(chance, 80) {
            verdict.refused = Some(Refusal::Throttled);
        } else if self.happens(chance, 120) {
            verdict.lost = true;
        }
        if self.happens(chance, 300) {
            verdict.late = Some(delay(chance));
        }
        verdict
    }
}

//! The laws of [`Clock`].

use std::sync::Arc;
use std::time::Duration;

use super::{Harness, Law, Outcome, ensure, while_time_passes};
use crate::ports::Clock;

const HOUR: Duration = Duration::from_secs(3600);
const MOMENT: Duration = Duration::from_millis(40);

/// A fresh clock.
pub trait ClockHarness: Harness {
    /// The clock.
    fn clock(&self) -> Arc<dyn Clock>;
}

/// The laws.
pub const LAWS: &[Law<dyn ClockHarness>] = &[
    Law { id: "C1", title: "now_never_goes_back", check: |h| Box::pin(never_back(h)) },
    Law { id: "C2", title: "a_sleep_ends_at_its_instant_or_later", check: |h| Box::pin(sleeps(h)) },
    Law { id: "C2", title: "a_sleep_into_the_past_ends_at_once", check: |h| Box::pin(past(h)) },
];

async fn never_back(harness: &dyn ClockHarness) -> Outcome {
    let clock = harness.clock();
    let mut last = clock.now();
    for _ in 0..100 {
        harness.advance(Duration::from_millis(1)).await;
        let now = clock.now();
        ensure(now >= last, || format!("{now} came after {last}"))?;
        last = now;
    }
    Ok(())
}

async fn sleeps(harness: &dyn ClockHarness) -> Outcome {
    let clock = harness.clock();
    {
        let mut long = clock.sleep_until(clock.now().plus(HOUR));
        ensure(futures::poll!(&mut long).is_pending(), || "a sleep of an hour ended at once".to_owned())?;
    }
    let at = clock.now().plus(MOMENT);
    while_time_passes(harness, MOMENT, clock.sleep_until(at)).await;
    ensure(clock.now() >= at, || format!("a sleep until {at} ended at {}", clock.now()))
}

async fn past(harness: &dyn ClockHarness) -> Outcome {
    let clock = harness.clock();
    clock.sleep_until(clock.now().minus(HOUR)).await;
    clock.sleep_until(clock.now()).await;
    Ok(())
}

//! What this process holds, and until when by its own reckoning.
//!
//! SQS may take a receipt handle whose lease has lapsed, and then acts on a message that is in other hands by now: so
//! whether a lease holds is decided here, never there.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cve_monitor_core::ports::{Lease, QueueError};
use cve_monitor_core::vocabulary::{Lane, Timestamp};

/// The longest that a message stays hidden from its receive on, extensions included (SQS developer guide, "Visibility
/// timeout").
pub const MAX_HIDDEN: Duration = Duration::from_hours(12);
/// How long the answer of a receive may have been under way: the lease began that much before it came.
const MAX_UNDER_WAY: Duration = Duration::from_secs(1);

/// A message in our hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Held {
    lane: Lane,
    since: Timestamp,
    until: Timestamp,
}

/// Leases by their receipt handles. As many as there is work in hand, and those that lapsed since the last receive.
#[derive(Debug, Default)]
pub(super) struct Leases(Mutex<HashMap<Lease, Held>>);

/// When the lease of a message began that was asked for at `asked` and came at `came`: a long poll waits before it
/// leases, and then answers at once.
pub(super) fn began(asked: Timestamp, came: Timestamp) -> Timestamp {
    asked.max(came.minus(MAX_UNDER_WAY))
}

impl Leases {
    fn held(&self) -> MutexGuard<'_, HashMap<Lease, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of received messages, and forgets what has lapsed.
    pub(super) fn add(
        &self,
        lane: Lane,
        received: impl Iterator<Item = Lease>,
        since: Timestamp,
        lease: Duration,
    ) {
        let held = Held { lane, since, until: since.plus(lease) };
        let mut all = self.held();
        all.retain(|_, held| held.until > since);
        all.extend(received.map(|lease| (lease, held)));
    }

    fn of(&self, lease: &Lease, now: Timestamp) -> Result<Held, QueueError> {
        self.held().get(lease).filter(|held| held.until > now).copied().ok_or(QueueError::LeaseLost)
    }

    /// The lane of a message whose lease has not ended.
    pub(super) fn lane(&self, lease: &Lease, now: Timestamp) -> Result<Lane, QueueError> {
        Ok(self.of(lease, now)?.lane)
    }

    /// The lane, and by how much the lease may be extended of what is asked: not past [`MAX_HIDDEN`].
    pub(super) fn extensible(
        &self,
        lease: &Lease,
        by: Duration,
        now: Timestamp,
    ) -> Result<(Lane, Duration), QueueError> {
        let held = self.of(lease, now)?;
        let left = held.since.plus(MAX_HIDDEN).since(now);
        // SQS counts whole seconds.
        let left = Duration::from_secs(left.as_secs());
        if left.is_zero() { Err(QueueError::LeaseLost) } else { Ok((held.lane, by.min(left))) }
    }

    /// The lease ends then instead; one that has been ended meanwhile stays so.
    pub(super) fn extended(&self, lease: &Lease, until: Timestamp) {
        if let Some(held) = self.held().get_mut(lease) {
            held.until = until;
        }
    }

    /// The lease has ended.
    pub(super) fn ended(&self, lease: &Lease) {
        self.held().remove(lease);
    }

    /// Whether nothing is in hand.
    pub(super) fn is_empty(&self) -> bool {
        self.held().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(60);
    const MOMENT: Duration = Duration::from_millis(1);

    fn start() -> Timestamp {
        Timestamp::from_millis(1_772_366_400_000)
    }

    fn named(name: &str) -> Lease {
        Lease(name.to_owned())
    }

    fn holding(name: &str) -> Leases {
        let leases = Leases::default();
        leases.add(Lane::Change, [named(name)].into_iter(), start(), LEASE);
        leases
    }

    #[test]
    fn a_lease_holds_until_its_very_end() {
        let (leases, end) = (holding("a"), start().plus(LEASE));
        assert_eq!(leases.lane(&named("a"), end.minus(MOMENT)), Ok(Lane::Change));
        assert_eq!(leases.lane(&named("a"), end), Err(QueueError::LeaseLost));
        assert_eq!(leases.extensible(&named("a"), LEASE, end), Err(QueueError::LeaseLost));
        assert_eq!(leases.lane(&named("another"), start()), Err(QueueError::LeaseLost));
    }

    #[test]
    fn an_extension_moves_the_end() {
        let (leases, end) = (holding("a"), start().plus(LEASE));
        leases.extended(&named("a"), end.plus(LEASE));
        assert_eq!(leases.lane(&named("a"), end), Ok(Lane::Change));
        leases.ended(&named("a"));
        leases.extended(&named("a"), end.plus(LEASE));
        assert_eq!(leases.lane(&named("a"), end), Err(QueueError::LeaseLost));
    }

    #[test]
    fn nothing_is_extended_past_twelve_hours_from_its_receive() {
        let leases = holding("a");
        let last = start().plus(MAX_HIDDEN);
        leases.extended(&named("a"), last.plus(LEASE));
        let by = |now| leases.extensible(&named("a"), LEASE, now).map(|(_, by)| by);
        assert_eq!(by(last.minus(LEASE)), Ok(LEASE));
        assert_eq!(by(last.minus(LEASE).plus(MOMENT)), Ok(Duration::from_secs(59)));
        assert_eq!(by(last.minus(Duration::from_secs(1))), Ok(Duration::from_secs(1)));
        assert_eq!(by(last.minus(Duration::from_millis(999))), Err(QueueError::LeaseLost));
    }

    #[test]
    fn what_has_lapsed_is_forgotten_at_the_next_receive() {
        let leases = holding("a");
        leases.add(Lane::Push, [named("b")].into_iter(), start().plus(LEASE).minus(MOMENT), LEASE);
        assert_eq!(leases.held().len(), 2);
        leases.add(Lane::Push, [named("c")].into_iter(), start().plus(LEASE), LEASE);
        assert_eq!(leases.held().len(), 2);
    }

    #[test]
    fn a_lease_begins_when_it_was_asked_for_or_shortly_before_it_came() {
        let came = start().plus(Duration::from_secs(20));
        assert_eq!(began(start(), came), came.minus(MAX_UNDER_WAY));
        assert_eq!(began(came.minus(MOMENT), came), came.minus(MOMENT));
    }
}

//! What is counted over runs: steps, faults by kind, await points passed and crashed at.

use std::collections::{BTreeMap, BTreeSet};

/// Before or after the effect of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Phase {
    Before,
    After,
    Waiting,
}

/// Where a future was suspended: the kind of process, the call, and on which side of its effect.
pub(crate) type Point = (&'static str, &'static str, Phase);

/// What was counted.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Steps of the simulation: a poll of a process, something that happens outside, a move of the time.
    pub events: u64,
    /// Faults and happenings by kind.
    pub kinds: BTreeMap<&'static str, u64>,
    /// Reports that were made.
    pub reports: u64,
    passed: BTreeSet<Point>,
    crashed: BTreeMap<Point, u64>,
    /// Polls after which a process was killed, by kind of process.
    crashed_polls: BTreeMap<&'static str, BTreeSet<u64>>,
}

impl Tally {
    pub(crate) fn count(&mut self, kind: &'static str) {
        *self.kinds.entry(kind).or_default() += 1;
    }

    pub(crate) fn passed(&mut self, point: Point) {
        self.passed.insert(point);
    }

    pub(crate) fn crashed(&mut self, point: Point) {
        *self.crashed.entry(point).or_default() += 1;
    }

    pub(crate) fn crashed_after(&mut self, kind: &'static str, polls: u64) {
        self.crashed_polls.entry(kind).or_default().insert(polls);
    }

    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.reports += other.reports;
        for (kind, times) in &other.kinds {
            *self.kinds.entry(kind).or_default() += times;
        }
        self.passed.extend(&other.passed);
        for (point, times) in &other.crashed {
            *self.crashed.entry(*point).or_default() += times;
        }
        for (kind, polls) in &other.crashed_polls {
            self.crashed_polls.entry(kind).or_default().extend(polls);
        }
    }

    /// How many await points were passed, and how many of them a process was killed at.
    #[must_use]
    pub fn await_points(&self) -> (usize, usize) {
        (self.passed.len(), self.crashed.len())
    }

    /// The await points that were passed and never crashed at, for people.
    #[must_use]
    pub fn never_crashed_at(&self) -> Vec<String> {
        let spared = self.passed.iter().filter(|point| !self.crashed.contains_key(point));
        spared.map(|(kind, call, phase)| format!("{kind} {call} {phase:?}").to_lowercase()).collect()
    }

    /// How often processes were killed, all in all, counting each await point that was open.
    #[must_use]
    pub fn crashes_at_points(&self) -> u64 {
        self.crashed.values().sum()
    }

    /// By kind of process: up to which poll every number of polls was one after which it was killed, and the
    /// greatest one.
    #[must_use]
    pub fn crashed_polls(&self) -> BTreeMap<&'static str, (u64, u64)> {
        let gapless = |polls: &BTreeSet<u64>| (1..).zip(polls).take_while(|(n, at)| n == *at).count() as u64;
        let greatest = |polls: &BTreeSet<u64>| polls.last().copied().unwrap_or(0);
        self.crashed_polls.iter().map(|(kind, polls)| (*kind, (gapless(polls), greatest(polls)))).collect()
    }
}

//! One run: a world, its processes, a plan of faults; to the last event, and then to rest.

mod process;
mod schedule;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cve_monitor_core::vocabulary::{ImageId, RegistryName, Timestamp};

use self::process::Process;
use crate::mutation::Mutation;
use crate::oracle::{self, Pass, Series};
use crate::stage::{Faults, Role, Stage, Tally};
use crate::world::World;

/// Simulated time within which everything must come to rest once nothing goes wrong any more.
const REST_WITHIN: Duration = Duration::from_secs(3 * 24 * 3600);
/// An absent image is asked about once a day.
const A_DAY: Duration = Duration::from_secs(25 * 3600);
/// After this long every image is swept.
const A_SWEEP: Duration = Duration::from_secs(8 * 24 * 3600);

/// What is run.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Decides about everything.
    pub seed: u64,
    /// Steps before the faults end: polls of processes, things that happen outside, moves of the time.
    pub events: u64,
    /// A part of the pipelines is broken like this.
    pub mutation: Option<Mutation>,
    /// Whether the story is kept: it takes memory.
    pub keeps_story: bool,
    /// One process (by its place) is killed after exactly this many polls, and none by chance.
    pub killed_after: Option<(usize, u64)>,
}

impl Settings {
    /// This seed and so many events, with nothing broken.
    #[must_use]
    pub fn of(seed: u64, events: u64) -> Self {
        Self { seed, events, mutation: None, keeps_story: false, killed_after: None }
    }
}

/// What came of a run.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What is not as it must be; none where all is well.
    pub violations: Vec<String>,
    /// Identifies everything that happened, in order.
    pub hash: u64,
    /// What was counted.
    pub tally: Tally,
    /// The story, where it was kept.
    pub story: Vec<String>,
    /// Whether the process that was to be killed lived long enough for it.
    pub killed: bool,
}

/// Runs a seed.
#[must_use]
pub fn run(settings: &Settings) -> Outcome {
    let mut simulation = Simulation::new(settings);
    simulation.play(settings.events);
    simulation.settle();
    let mut props = simulation.stage.props();
    let story = props.trace.take_story();
    let tally = props.tally.clone();
    Outcome {
        violations: props.violations.clone(),
        hash: props.trace.hash(),
        tally,
        story: oracle::named(&simulation.world, story),
        killed: simulation.processes.iter().any(|process| process.was_killed_as_planned),
    }
}

pub(crate) struct Simulation {
    pub(crate) stage: Arc<Stage>,
    pub(crate) world: Arc<World>,
    processes: Vec<Process>,
    mutation: Option<Mutation>,
    /// When something happens outside; none once the faults have ended.
    next_happening: Option<Timestamp>,
}

impl Simulation {
    fn new(settings: &Settings) -> Self {
        let seed = settings.seed;
        let mut faults = Faults { intensity: 100, crashes: 15, ..Faults::default() };
        // Some runs are quiet, some stormy; in some messages are lost for ever.
        match seed % 8 {
            0 => (faults.intensity, faults.crashes) = (10, 0),
            1 => (faults.intensity, faults.crashes) = (300, 60),
            2 => faults.loses_messages = true,
            3 => faults.crashes = 120,
            _ => {}
        }
        if settings.killed_after.is_some() {
            faults.crashes = 0;
        }
        let stage = Arc::new(Stage::new(seed, faults, settings.keeps_story));
        let name: RegistryName = "r.example".parse().unwrap_or_else(|_| unreachable!("a name"));
        let world = Arc::new(World::new(&stage, &name));
        world.begin();
        let mut roles =
            vec![Role::Ingest(0), Role::Ingest(1), Role::Notifier(0), Role::Pump, Role::Reconciler];
        if seed.is_multiple_of(3) {
            roles.extend([Role::Ingest(2), Role::Notifier(1)]);
        }
        let mut processes: Vec<Process> = roles.into_iter().map(|role| Process::new(&stage, role)).collect();
        if let Some((place, polls)) = settings.killed_after
            && let Some(process) = processes.get_mut(place)
        {
            process.killed_after = Some(polls);
        }
        let next_happening = Some(stage.now());
        Self { stage, world, processes, mutation: settings.mutation, next_happening }
    }

    /// So many events, with faults.
    fn play(&mut self, events: u64) {
        for _ in 0..events {
            if !self.step() || !self.stage.props().violations.is_empty() {
                return;
            }
        }
    }

    /// The faults end; what is left to do is done; then the world is judged.
    fn settle(&mut self) {
        self.next_happening = None;
        self.world.calm();
        // The second day asks again about what is absent. Nothing needs the sweep, unless a message was lost for ever.
        for pass in [Pass::AtRest, Pass::ADayLater] {
            if self.is_over() {
                return;
            }
            self.restart();
            self.rest();
            if self.is_over() {
                return;
            }
            oracle::judge(&self.world, pass, &self.lenient());
            self.advance(A_DAY);
        }
        if self.is_over() {
            return;
        }
        let before = Series::of(&self.world);
        self.advance(A_SWEEP);
        self.restart();
        self.rest();
        if self.is_over() {
            return;
        }
        oracle::judge(&self.world, Pass::AfterTheSweep, &BTreeSet::new());
        oracle::nothing_was_missed(&self.world, &before, &self.lenient());
        self.stage.props().tally.reports = Series::of(&self.world).reports();
        let (sleepers, processes) = (self.stage.timeline.sleepers(), self.processes.len());
        if sleepers > processes * 16 {
            self.stage.violated(format!("{sleepers} sleepers are left behind by {processes} processes"));
        }
    }

    /// Images that only the sweep can have put right: a message about them was lost for ever.
    fn lenient(&self) -> BTreeSet<ImageId> {
        self.world.queue.lost()
    }

    fn is_over(&self) -> bool {
        !self.stage.props().violations.is_empty()
    }

    fn advance(&mut self, by: Duration) {
        self.processes.iter_mut().for_each(Process::stop);
        self.stage.timeline.move_to(self.stage.now().plus(by));
    }

    /// All processes begin anew: the reconciler with a round.
    fn restart(&mut self) {
        for process in &mut self.processes {
            process.stop();
            process.start(&self.world, self.mutation);
        }
    }

    /// Goes on until nothing is left to do.
    fn rest(&mut self) {
        let until = self.stage.now().plus(REST_WITHIN);
        loop {
            if self.is_over() {
                return;
            }
            if self.is_idle() {
                let reconciled = self.processes.iter().all(Process::has_done_its_round);
                let unrest = self.world.unrest();
                if reconciled && unrest.is_none() {
                    return;
                }
                if self.stage.now() > until {
                    let what = unrest.unwrap_or_else(|| "the reconciler does not end its round".to_owned());
                    self.stage.violated(format!("it never comes to rest: {what}"));
                    return;
                }
            }
            if !self.step() {
                return;
            }
        }
    }
}

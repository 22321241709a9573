//! `sim`: many seeds, or the story of one.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Parser;
use cve_monitor_simulation::{Outcome, Settings, Tally, run};

/// How often a run over many seeds says how far it is.
const TELLS_EVERY: Duration = Duration::from_secs(10);

/// Plays the production pipelines under faults of every kind, on a clock of their own. The same seed gives the same story. At the
/// first seed that does not end as the registry and the newest data say, its story is printed and the run ends with 1.
#[derive(Debug, Parser)]
#[command(name = "sim")]
struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// Events of each before its faults end.
    #[arg(long, default_value_t = 10_000)]
    events: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Tell what happens, event by event.
    #[arg(long)]
    story: bool,
    /// Seeds played at a time: each by a thread of its own.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=64))]
    jobs: u64,
}

/// What the threads share.
struct Run<'a> {
    arguments: &'a Arguments,
    began: Instant,
    next: AtomicU64,
    is_over: AtomicBool,
    ended: Mutex<Ended>,
}

#[derive(Default)]
struct Ended {
    tally: Tally,
    seeds: u64,
    told: Option<Instant>,
    failed: Option<(u64, Outcome)>,
}

impl Run<'_> {
    /// Plays seeds until there are none left, or one has failed.
    fn play(&self) {
        let Arguments { seed: first, seeds, events, story, .. } = *self.arguments;
        while !self.is_over.load(Ordering::Relaxed) {
            let seed = first + self.next.fetch_add(1, Ordering::Relaxed);
            if seed - first >= seeds {
                return;
            }
            self.end(seed, run(&Settings { keeps_story: story, ..Settings::of(seed, events) }));
        }
    }

    fn end(&self, seed: u64, outcome: Outcome) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.tally.add(&outcome.tally);
        ended.seeds += 1;
        if self.arguments.story {
            outcome.story.iter().for_each(|line| println!("{line}"));
            println!("seed {seed}: hash {:016x}", outcome.hash);
        }
        if ended.told.unwrap_or(self.began).elapsed() >= TELLS_EVERY {
            ended.told = Some(Instant::now());
            let (done, of, seconds) = (ended.seeds, self.arguments.seeds, self.began.elapsed().as_secs_f64());
            let left = seconds / done as f64 * of.saturating_sub(done) as f64 / 60.0;
            eprintln!("{done} of {of} seeds, {} events; about {left:.0} min left", ended.tally.events);
        }
        if !outcome.violations.is_empty() && ended.failed.is_none() {
            self.is_over.store(true, Ordering::Relaxed);
            ended.failed = Some((seed, outcome));
        }
    }
}

fn tell_failure(arguments: &Arguments, seed: u64, outcome: &Outcome) {
    let events = arguments.events;
    if !arguments.story {
        let again = run(&Settings { keeps_story: true, ..Settings::of(seed, events) });
        again.story.iter().for_each(|line| println!("{line}"));
    }
    println!(
        "seed {seed} FAILED; `cargo xtask sim --seeds 1 --events {events} --seed {seed} --story` tells it again"
    );
    outcome.violations.iter().for_each(|violation| println!("  {violation}"));
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let run = Run {
        arguments: &arguments,
        began: Instant::now(),
        next: AtomicU64::new(0),
        is_over: AtomicBool::new(false),
        ended: Mutex::default(),
    };
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs {
            scope.spawn(|| run.play());
        }
    });
    let Ended { tally, seeds, failed, .. } = run.ended.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some((seed, outcome)) = failed {
        tell_failure(&arguments, seed, &outcome);
        return ExitCode::FAILURE;
    }
    let (passed, crashed) = tally.await_points();
    let seconds = run.began.elapsed().as_secs_f64();
    println!("{seeds} seeds, {} events, {} reports in {seconds:.1} s", tally.events, tally.reports);
    println!(
        "await points: {passed} passed, {crashed} crashed at, {} times; polls: {:?}",
        tally.crashes_at_points(),
        tally.crashed_polls()
    );
    println!("never crashed at: {:?}", tally.never_crashed_at());
    println!("{:#?}", tally.kinds);
    ExitCode::SUCCESS
}

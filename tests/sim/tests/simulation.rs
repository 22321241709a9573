//! Seeds, the same story twice, mutations that are caught, and a process killed at every await point.

use cve_monitor_simulation::{Mutation, Settings, Tally, run};

/// So many seeds of so many events: about a minute without optimisation.
const SEEDS: u64 = 40;
const EVENTS: u64 = 2500;
/// A mutation is caught within so many seeds.
const SEEDS_OF_A_MUTATION: u64 = 1000;
const EVENTS_OF_A_MUTATION: u64 = 1200;

#[test]
fn every_seed_ends_as_the_registry_and_the_newest_advisories_say() {
    let mut tally = Tally::default();
    for seed in 0..SEEDS {
        let outcome = run(&Settings::of(seed, EVENTS));
        assert!(
            outcome.violations.is_empty(),
            "`cargo xtask sim --seeds 1 --events {EVENTS} --seed {seed}` tells the story of {:#?}",
            outcome.violations
        );
        tally.add(&outcome.tally);
    }
    assert!(tally.reports > SEEDS, "the runs are about something: {} reports", tally.reports);
    println!("{} events, {} reports, {:?}", tally.events, tally.reports, tally.kinds);
}

#[test]
fn the_same_seed_tells_the_same_story_and_another_seed_another() {
    let told = Settings { keeps_story: true, ..Settings::of(11, 1500) };
    let (one, again) = (run(&told), run(&told));
    assert_eq!((one.hash, &one.story), (again.hash, &again.story));
    assert_eq!(run(&Settings::of(11, 1500)).hash, one.hash, "whether the story is kept changes nothing");
    assert_ne!(run(&Settings::of(12, 1500)).hash, one.hash);
    assert!(one.story.iter().any(|line| line.contains("store.append")), "it tells what happened");
}

#[test]
fn every_broken_pipeline_is_caught() {
    let mut spared = vec![];
    for mutation in Mutation::ALL {
        let caught = (0..SEEDS_OF_A_MUTATION).find_map(|seed| {
            let whole = Settings::of(seed, EVENTS_OF_A_MUTATION);
            let broken = run(&Settings { mutation: Some(*mutation), ..whole });
            let violation = broken.violations.into_iter().next()?;
            assert_eq!(run(&whole).violations, Vec::<String>::new(), "seed {seed} with nothing broken");
            Some((seed, violation))
        });
        match caught {
            Some((seed, violation)) => {
                println!("{mutation:?} ({}): seed {seed}: {violation}", mutation.told())
            }
            None => spared.push(mutation),
        }
    }
    assert!(spared.is_empty(), "nobody noticed {spared:?}");
}

/// One process after the other is killed after its first poll, its second, and so on, as long as it lives.
#[test]
fn whichever_poll_a_process_is_killed_after_the_end_is_the_same() {
    const PROCESSES: [&str; 5] = ["ingest 0", "ingest 1", "notifier", "pump", "reconciler"];
    let mut points = Tally::default();
    for (place, process) in PROCESSES.iter().enumerate() {
        let mut polls = 1;
        loop {
            let settings = Settings { killed_after: Some((place, polls)), ..Settings::of(4, 120) };
            let outcome = run(&settings);
            assert!(outcome.violations.is_empty(), "{process}, poll {polls}: {:#?}", outcome.violations);
            points.add(&outcome.tally);
            if !outcome.killed {
                break;
            }
            polls += 1;
        }
        assert!(polls > 1, "{process} was never killed");
        println!("{process}: killed after each of its first {} polls", polls - 1);
    }
    println!("await points: {:?}", points.await_points());
}

//! `sim --seeds N --events M --seed S`: many seeds, or the story of one.

use std::process::ExitCode;
use std::time::Instant;

use cve_monitor_simulation::{Settings, Tally, run};

struct Arguments {
    seeds: u64,
    events: u64,
    first: u64,
    story: bool,
}

fn arguments() -> Result<Arguments, String> {
    let mut read = Arguments { seeds: 100, events: 10_000, first: 0, story: false };
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        if name == "--story" {
            read.story = true;
            continue;
        }
        let value = given.next().ok_or_else(|| format!("{name} wants a number"))?;
        let value: u64 = value.parse().map_err(|_| format!("{name} wants a number, not `{value}`"))?;
        match name.as_str() {
            "--seeds" => read.seeds = value,
            "--events" => read.events = value,
            "--seed" => read.first = value,
            _ => return Err(format!("there is no `{name}`: --seeds N --events M --seed S --story")),
        }
    }
    Ok(read)
}

fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(problem) => {
            eprintln!("error: {problem}");
            return ExitCode::FAILURE;
        }
    };
    let began = Instant::now();
    let mut tally = Tally::default();
    for seed in arguments.first..arguments.first + arguments.seeds {
        let settings = Settings { keeps_story: arguments.story, ..Settings::of(seed, arguments.events) };
        let outcome = run(&settings);
        tally.add(&outcome.tally);
        if arguments.story {
            outcome.story.iter().for_each(|line| println!("{line}"));
            println!("seed {seed}: hash {:016x}", outcome.hash);
        }
        if !outcome.violations.is_empty() {
            if !arguments.story {
                let again = run(&Settings { keeps_story: true, ..settings });
                again.story.iter().for_each(|line| println!("{line}"));
            }
            println!(
                "seed {seed} FAILED; `cargo xtask sim --seeds 1 --events {} --seed {seed} --story` tells it again",
                arguments.events
            );
            outcome.violations.iter().for_each(|violation| println!("  {violation}"));
            return ExitCode::FAILURE;
        }
    }
    let (passed, crashed) = tally.await_points();
    println!(
        "{} seeds, {} events, {} reports in {:.1} s",
        arguments.seeds,
        tally.events,
        tally.reports,
        began.elapsed().as_secs_f64()
    );
    println!(
        "await points: {passed} passed, {crashed} crashed at, {} times; polls: {:?}",
        tally.crashes_at_points(),
        tally.crashed_polls()
    );
    println!("never crashed at: {:?}", tally.never_crashed_at());
    println!("{:#?}", tally.kinds);
    ExitCode::SUCCESS
}

//! What goes wrong, and for how long.

use std::time::{Duration, Instant};

use crate::bench::Bench;
use crate::bench::chance::Chance;
use crate::crew::Crew;
use crate::disk::Disk;
use crate::line::Line;

/// The longest cut, stop and full disk, in milliseconds.
const LONGEST: u64 = 3000;
/// One stop in so many outlasts a lease, by some seconds.
const ONE_LONG_STOP_IN: u64 = 12;
/// Longer than `ingest.lease` of these tests.
const LONG_STOP: Duration = Duration::from_secs(13);

/// How often what went wrong.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    pub(crate) kills: u64,
    pub(crate) stops: u64,
    pub(crate) cuts: u64,
    pub(crate) disk_full: u64,
}

#[derive(Clone, Copy)]
enum Heal {
    Resume { member: usize, pid: u32 },
    Mend { line: usize },
    Free,
}

pub(crate) struct Faults {
    pub(crate) lines: Vec<Line>,
    pub(crate) disk: Option<Disk>,
    pending: Vec<(Instant, Heal)>,
    pub(crate) counted: Counted,
}

impl Faults {
    pub(crate) fn of(lines: Vec<Line>, disk: Option<Disk>) -> Self {
        Self { lines, disk, pending: vec![], counted: Counted::default() }
    }

    /// The next fault, if any.
    pub(crate) fn strike(&mut self, bench: &Bench, chance: &mut Chance, crew: &mut Crew) {
        let until = Instant::now() + Duration::from_millis(chance.below(LONGEST));
        let member = chance.index(crew.members.len());
        match chance.below(10) {
            0..=2 if !crew.members[member].survives => {
                crew.kill(bench, member);
                self.counted.kills += 1;
            }
            3..=4 => {
                let pid = crew.pid(member);
                crew.signal(member, pid, "-STOP");
                self.counted.stops += 1;
                let long = chance.below(ONE_LONG_STOP_IN) == 0;
                let until = if long { Instant::now() + LONG_STOP } else { until };
                self.pending.push((until, Heal::Resume { member, pid }));
            }
            5..=6 => {
                let line = chance.index(self.lines.len());
                self.lines[line].cut();
                self.counted.cuts += 1;
                self.pending.push((until, Heal::Mend { line }));
            }
            7 => {
                if let Some(disk) = &self.disk {
                    disk.fill();
                    self.counted.disk_full += 1;
                    self.pending.push((until, Heal::Free));
                }
            }
            _ => {}
        }
    }

    /// Ends those whose time has come.
    pub(crate) fn heal(&mut self, crew: &Crew) {
        let now = Instant::now();
        for (_, heal) in self.pending.extract_if(.., |(until, _)| *until <= now) {
            end(&self.lines, self.disk.as_ref(), crew, heal);
        }
    }

    /// Ends all of them.
    pub(crate) fn heal_all(&mut self, crew: &Crew) {
        for (_, heal) in self.pending.drain(..) {
            end(&self.lines, self.disk.as_ref(), crew, heal);
        }
    }
}

fn end(lines: &[Line], disk: Option<&Disk>, crew: &Crew, heal: Heal) {
    match heal {
        Heal::Resume { member, pid } => crew.signal(member, pid, "-CONT"),
        Heal::Mend { line } => lines[line].mend(),
        Heal::Free => disk.into_iter().for_each(Disk::free),
    }
}

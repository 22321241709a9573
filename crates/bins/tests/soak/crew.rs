//! The programs, each started again when it has ended, and what they take of the machine.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::bench::{Bench, Running};

/// What the rest of a run may take more than its first quarter did, in KiB of memory of its own: room for a larger store, and none for a
/// leak of a message's worth with each message.
const MEMORY_ROOM_KIB: u64 = 96 * 1024;
/// The same in open files.
const FILES_ROOM: u64 = 48;

/// A program of the crew.
pub(crate) struct Member {
    pub(crate) name: &'static str,
    program: &'static str,
    running: Running,
    /// One that is never killed, so that a slow leak has time to show.
    pub(crate) survives: bool,
}

/// What a process had at a moment.
struct Sample {
    at: Duration,
    memory_kib: u64,
    files: u64,
}

pub(crate) struct Crew {
    pub(crate) members: Vec<Member>,
    variables: Vec<(&'static str, String)>,
    began: Instant,
    samples: Vec<Sample>,
    /// Ends that nobody asked for.
    pub(crate) ended: u64,
}

impl Crew {
    pub(crate) fn start(bench: &Bench, variables: Vec<(&'static str, String)>) -> Self {
        let programs = [
            ("ingest", env!("CARGO_BIN_EXE_ingest"), false),
            ("ingest-survivor", env!("CARGO_BIN_EXE_ingest"), true),
            ("notifier", env!("CARGO_BIN_EXE_notifier"), false),
            ("reconciler", env!("CARGO_BIN_EXE_reconciler"), false),
        ];
        let members = programs.map(|(name, program, survives)| Member {
            name,
            program,
            running: run(bench, program, name, &variables),
            survives,
        });
        let (members, began) = (members.into(), Instant::now());
        Self { members, variables, began, samples: vec![], ended: 0 }
    }

    /// Kills with SIGKILL, and starts another.
    pub(crate) fn kill(&mut self, bench: &Bench, at: usize) {
        let member = &mut self.members[at];
        // It is gone before the next one is there: what is put in its place ends the old one.
        let _ = (member.running.0.kill(), member.running.0.wait());
        member.running = run(bench, member.program, member.name, &self.variables);
    }

    pub(crate) fn pid(&self, at: usize) -> u32 {
        self.members[at].running.0.id()
    }

    /// Sends a signal to a process that is still this member.
    pub(crate) fn signal(&self, at: usize, pid: u32, signal: &str) {
        if self.pid(at) == pid {
            let _ = Command::new("kill").args([signal, &pid.to_string()]).status();
        }
    }

    /// Starts again what has ended by itself, and takes note of what the others have.
    pub(crate) fn look_after(&mut self, bench: &Bench) {
        for at in 0..self.members.len() {
            if let Some(status) = self.members[at].running.0.try_wait().unwrap() {
                println!("{} ended by itself: {status}", self.members[at].name);
                self.ended += 1;
                self.kill(bench, at);
            }
            let of = |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", self.pid(at)));
            let memory = of("status").ok().and_then(|status| {
                let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
                line.split_whitespace().next()?.parse().ok()
            });
            let files = std::fs::read_dir(format!("/proc/{}/fd", self.pid(at))).map(Iterator::count);
            if let (Some(memory_kib), Ok(files)) = (memory, files) {
                self.samples.push(Sample { at: self.began.elapsed(), memory_kib, files: files as u64 });
            }
        }
    }

    /// Asks a member to stop; its exit code.
    pub(crate) fn stop(&mut self, name: &str) -> Option<i32> {
        let at = self.members.iter().position(|member| member.name == name).unwrap();
        self.members.remove(at).running.stop()
    }

    /// The most that a process had in the first quarter and in the rest: memory in KiB, and files.
    pub(crate) fn most(&self) -> [[u64; 2]; 2] {
        let quarter = self.samples.last().map_or(Duration::ZERO, |last| last.at / 4);
        let most = |early: bool, of: fn(&Sample) -> u64| {
            self.samples.iter().filter(|sample| (sample.at <= quarter) == early).map(of).max().unwrap_or(0)
        };
        [
            [true, false].map(|early| most(early, |s| s.memory_kib)),
            [true, false].map(|early| most(early, |s| s.files)),
        ]
    }

    pub(crate) fn assert_flat(&self) {
        let [memory, files] = self.most();
        assert!(memory[1] <= 2 * memory[0] + MEMORY_ROOM_KIB, "memory grows: {memory:?} KiB");
        assert!(files[1] <= 2 * files[0] + FILES_ROOM, "open files grow: {files:?}");
    }
}

fn run(bench: &Bench, program: &str, name: &str, variables: &[(&str, String)]) -> Running {
    bench.start_with(program, &[], &format!("{name}.log"), variables)
}

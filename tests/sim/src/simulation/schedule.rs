//! Who acts next: one of those who can, by chance; where nobody can, the time moves on.

use std::time::Duration;

use super::Simulation;
use super::process::Polled;
use crate::stage::Role;

/// Between two things that happen outside lies at most this, in milliseconds.
const GAP_MAX_MS: u64 = 90_000;
/// A paused process is paused for at most this, in seconds: its leases end meanwhile.
const PAUSE_MAX_S: u64 = 240;
/// A process that was killed comes back after at most this, in seconds; one in ten sleeps a hundred times as long.
const DOWN_MAX_S: u64 = 60;

impl Simulation {
    /// Whether nobody can act before the time moves.
    pub(super) fn is_idle(&self) -> bool {
        !self.processes.iter().any(|process| process.can_act())
    }

    /// One event. False where nothing will ever happen again.
    pub(super) fn step(&mut self) -> bool {
        self.stage.props().tally.events += 1;
        let now = self.stage.now();
        for process in &mut self.processes {
            if process.comes_back(now) {
                process.start(&self.world, self.mutation);
            }
        }
        if self.next_happening.is_some_and(|at| at <= now) {
            self.world.happen();
            let gap = {
                let mut props = self.stage.props();
                if props.chance.happens(3000) { 0 } else { props.chance.between(1, GAP_MAX_MS) }
            };
            self.next_happening = Some(now.plus(Duration::from_millis(gap)));
            return true;
        }
        let ready: Vec<usize> =
            (0..self.processes.len()).filter(|place| self.processes[*place].can_act()).collect();
        let chosen = self.stage.props().chance.pick(&ready);
        match chosen {
            Some(place) => {
                self.act(place);
                true
            }
            None => self.move_on(),
        }
    }

    fn act(&mut self, place: usize) {
        let polled = self.processes[place].poll();
        let (role, polls) = (self.processes[place].role, self.processes[place].polls());
        let now = self.stage.now();
        if polled == Polled::Ended {
            self.processes[place].stay_down_until(now.plus(Duration::from_secs(1)));
            return;
        }
        let planned = self.processes[place].killed_after == Some(polls);
        let (crashes, pauses, seconds, passes) = {
            let mut props = self.stage.props();
            let props = &mut *props;
            let crashes = planned || (props.faults.crashes > 0 && props.chance.happens(props.faults.crashes));
            let pauses = props.faults.happens(&mut props.chance, 10);
            let seconds =
                props.chance.between(1, DOWN_MAX_S) * if props.chance.happens(1000) { 100 } else { 1 };
            (crashes, pauses, seconds, props.chance.happens(2000))
        };
        if crashes {
            self.stage.count("crash");
            self.stage.note(role, 13, || format!("is killed after {polls} polls, for {seconds} s"));
            self.stage.props().dying = true;
            self.processes[place].stop();
            self.stage.props().dying = false;
            self.stage.props().tally.crashed_after(role.kind(), polls);
            self.processes[place].stay_down_until(now.plus(Duration::from_secs(seconds)));
            if planned {
                self.processes[place].killed_after = None;
                self.processes[place].was_killed_as_planned = true;
            }
        } else if pauses {
            let seconds = self.stage.props().chance.between(1, PAUSE_MAX_S);
            self.stage.count("process paused");
            self.stage.note(role, 14, || format!("is paused for {seconds} s"));
            self.processes[place].pause_until(now.plus(Duration::from_secs(seconds)));
        }
        if passes {
            let millis = self.stage.props().chance.between(1, 20);
            self.stage.timeline.move_to(now.plus(Duration::from_millis(millis)));
        }
    }

    /// To the next moment at which anybody can act.
    fn move_on(&mut self) -> bool {
        let back = self.processes.iter().filter_map(super::Process::back_at);
        let next = back.chain(self.stage.timeline.next_wake()).chain(self.next_happening).min();
        match next {
            Some(at) => self.stage.timeline.move_to(at),
            None => self.stage.violated("nothing will ever happen again".to_owned()),
        }
        if next.is_some() {
            self.stage.note(Role::Outside, 0, || "…".to_owned());
        }
        next.is_some()
    }
}

//! The programs on real backends, while images are pushed and deleted and advisories change: killed, stopped, cut off, and
//! with a full disk. Then all is mended, and everything must be as if nothing had happened.
//!
//! `CVE_MONITOR_SOAK_SECONDS` says for how long (60 if not given), `CVE_MONITOR_SOAK_SEED` what happens. `cargo xtask soak`
//! sets both.

#[path = "processes/bench.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod bench;
#[path = "soak/crew.rs"]
mod crew;
#[path = "soak/disk.rs"]
mod disk;
#[path = "soak/faults.rs"]
mod faults;
#[path = "soak/gate.rs"]
mod gate;
#[path = "soak/ledger.rs"]
mod ledger;
#[path = "soak/line.rs"]
mod line;
#[path = "soak/stage.rs"]
mod stage;
#[path = "soak/world.rs"]
mod world;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Trial};

use stage::Stage;

fn trial(name: &str, raise: fn() -> Result<Stage, String>) -> Trial {
    Trial::ignorable_test(format!("soak::{name}"), move || {
        if let Some(program) = xtask::registry::missing() {
            return Ok(Completion::ignored_with(format!("needs `{program}`")));
        }
        match raise() {
            Ok(stage) => stage.play(),
            Err(why) => return Ok(Completion::ignored_with(why)),
        }
        Ok(Completion::Completed)
    })
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Each of them has the machine for itself: what is measured is theirs.
    arguments.test_threads = Some(1);
    let trials = vec![
        trial("on_one_machine", Stage::on_one_machine),
        trial("on_aws", Stage::on_aws),
        Trial::test("soak::of_made_up_histories_what_must_not_be_is_noticed", || {
            ledger::what_must_not_be_is_noticed();
            Ok(())
        }),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

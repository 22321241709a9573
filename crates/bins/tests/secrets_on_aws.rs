//! Planted secrets on what stands in for AWS: a whole run at the finest level of logging, then every way in which AWS refuses;
//! and none of them in any log, event, report, letter or answer.
//!
//! Where moto cannot be raised, it is *ignored*.

#[path = "processes/bench.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod bench;
#[path = "secrets_on_aws/echo.rs"]
mod echo;
#[path = "processes/planted.rs"]
mod planted;
#[path = "soak/stage/s3.rs"]
mod s3;
#[path = "secrets_on_aws/scene.rs"]
mod scene;

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Trial};
use xtask::aws::Emulator;

fn main() -> ExitCode {
    let trial = Trial::ignorable_test("secrets_on_aws::none_is_in_any_log_event_report_or_answer", || {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        match Emulator::Moto.install(&root) {
            Ok(installed) => scene::play(Emulator::Moto.start(&installed)?),
            Err(why) => return Ok(Completion::ignored_with(why)),
        }
        Ok(Completion::Completed)
    });
    libtest_mimic::run(&Arguments::from_args(), vec![trial]).exit_code()
}

//! Whole runs on what stands in for AWS: events in SQS, images in a fake ECR, state in DynamoDB, bodies and reports in S3,
//! and between them and us a proxy that counts calls and makes them fail.
//!
//! Where moto cannot be raised, or the registry that the last one needs, the scenarios are *ignored*.

mod clock;
#[path = "../../emulators.rs"]
mod emulators;
mod events;
mod many;
mod rights;
mod stage;
mod worker;

use std::path::Path;
use std::process::ExitCode;

use aws_config::SdkConfig;
use futures::future::BoxFuture;
use libtest_mimic::{Arguments, Completion, Trial};
use xtask::aws::Emulator;

/// A scenario, given the configuration for moto.
type Scenario = fn(SdkConfig) -> BoxFuture<'static, ()>;

/// What it needs besides moto; none where it is there.
type Needs = fn() -> Option<&'static str>;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn trial(name: &str, needs: Needs, scenario: Scenario) -> Trial {
    Trial::ignorable_test(format!("aws::{name}"), move || {
        if let Some(name) = needs() {
            return Ok(Completion::ignored_with(format!("needs `{name}`")));
        }
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(async {
            match emulators::config(Emulator::Moto).await {
                Err(why) => Ok(Completion::ignored_with(why)),
                Ok(moto) => {
                    scenario(moto).await;
                    Ok(Completion::Completed)
                }
            }
        })
    })
}

fn main() -> ExitCode {
    let nothing: Needs = || None;
    let trials = vec![
        trial("an_event_becomes_a_report", nothing, |moto| Box::pin(events::report(moto))),
        trial("every_call_fails_now_and_then", nothing, |moto| Box::pin(events::every_call_fails(moto))),
        trial("every_answer_is_lost_now_and_then", nothing, |moto| {
            Box::pin(events::every_answer_is_lost(moto))
        }),
        trial("two_workers_and_every_event_three_times", nothing, |moto| Box::pin(events::crowd(moto))),
        trial("accounts_regions_and_another_registry", xtask::registry::missing, |moto| {
            Box::pin(many::places(moto))
        }),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

//! `fake-ecr [ADDRESS]`: an ECR to try a deployment on. Prints where it answers, and stays until it is ended.

use std::process::ExitCode;

use cve_monitor_tests::fakes::ecr::FakeEcr;

/// Where it answers if nobody says: a free port of the loopback interface.
const ADDRESS: &str = "127.0.0.1:0";

#[tokio::main]
async fn main() -> ExitCode {
    let address = std::env::args().nth(1).unwrap_or_else(|| ADDRESS.to_owned());
    let fake = match FakeEcr::listen(&address).await {
        Ok(fake) => fake,
        Err(error) => {
            eprintln!("fake-ecr cannot listen on {address}: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("{}", fake.url());
    match tokio::signal::ctrl_c().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

//! Holds every adapter to every law of its port: rows are called `port::adapter::law::what_is_checked`.
//!
//! A row whose backend is not there is *ignored*, never passed, and only where `may-be-ignored.toml` says so.
//! To add an adapter: a file beside `models.rs` that implements the port's harness and registers itself, and a
//! line in [`register`].

mod clair_v2;
mod clair_v4;
mod dynamodb;
mod ecr;
mod embedded_scanner;
#[path = "../emulators.rs"]
mod emulators;
#[path = "../fakes/clair_v2.rs"]
mod fake_clair_v2;
mod ignorable;
mod models;
mod oci;
mod rows;
mod s3;
mod sqlite;
mod sqs;

use std::process::ExitCode;

use libtest_mimic::Arguments;

use self::ignorable::Ignorable;
use self::rows::Rows;

/// Every adapter, model and decorator.
fn register(rows: &mut Rows) {
    clair_v2::register(rows);
    clair_v4::register(rows);
    dynamodb::register(rows);
    ecr::register(rows);
    embedded_scanner::register(rows);
    models::register(rows);
    oci::register(rows);
    s3::register(rows);
    sqlite::register(rows);
    sqs::register(rows);
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let ignorable = match Ignorable::committed() {
        Ok(ignorable) => ignorable,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::FAILURE;
        }
    };
    let mut rows = Rows::default();
    register(&mut rows);
    rows.run(&arguments, ignorable)
}

//! What development and the tests share: backends that they raise (a registry, PostgreSQL, Clair, what stands in for AWS), and the
//! commands that the documentation shows.

pub mod aws;
pub mod clair;
pub mod documented;
mod ended;
mod install;
pub mod lake;
pub mod postgres;
pub mod process;
pub mod registry;

use std::path::Path;

use clap::Subcommand;

/// A backend.
#[derive(Debug, Subcommand)]
pub enum Backend {
    /// A container registry on the loopback interface, with its images under `target/dev`. Ctrl-C stops it.
    Registry {
        /// Where it listens.
        #[arg(long, default_value_t = 5000)]
        port: u16,
    },
    /// Clair on PostgreSQL, and a registry that holds the images of the examples. Ctrl-C stops it and removes its data.
    Clair {
        /// Clair 2.0.9 instead of 4.9.0.
        #[arg(long)]
        legacy: bool,
        /// Where Clair posts its notifications: the notifier of `cve-monitor`.
        #[arg(long, default_value = "http://127.0.0.1:8080/webhooks/clair")]
        webhook: String,
    },
    /// What stands in for AWS: SQS, DynamoDB, S3, and ECR with the images of the examples in two accounts and two regions.
    /// Ctrl-C stops it, and all is forgotten.
    Aws,
    /// Write `examples/clair` anew from `examples/advisories`: the same advisories in Clair's offline format.
    ClairData,
}

/// Raises a backend, until it is stopped.
///
/// # Errors
/// Why it cannot be raised, and what would help.
pub fn raise(root: &Path, backend: &Backend) -> Result<bool, String> {
    match backend {
        Backend::Registry { port } => Err(registry::become_one(root, *port)),
        Backend::Clair { legacy, webhook } => clair::raise(root, *legacy, webhook).map(|()| true),
        Backend::Aws => aws::raise(root).map(|()| true),
        Backend::ClairData => clair::offline::write(root).map(|()| true),
    }
}

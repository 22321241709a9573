//! Wire tests: adapters against servers that answer as the real ones do, and as broken ones do.

mod advisory_ecosystems;
mod advisory_mirror;
mod archives;
mod clair_v2;
mod clair_v4;
mod clair_v4_feed;
mod distribution;
mod dynamodb;
mod ecr;
#[path = "../emulators.rs"]
mod emulators;
#[path = "../fakes/clair_v2.rs"]
mod fake_clair_v2;
mod fake_server;
mod notification;
mod s3;
mod sqs;
mod tls_server;

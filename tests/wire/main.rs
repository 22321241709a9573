//! Wire tests: adapters against servers that answer as the real ones do, and as broken ones do.

mod advisory_ecosystems;
mod advisory_mirror;
mod archives;
mod clair_v2;
mod clair_v4;
mod clair_v4_feed;
mod distribution;
mod fake_server;
#[path = "../fakes/clair_v2/fetchable.rs"]
mod fetchable;
mod notification;

//! Wire tests: adapters against servers that answer as the real ones do, and as broken ones do.

mod advisory_mirror;
mod archives;
mod distribution;
mod fake_server;
mod notification;

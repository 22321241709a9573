//! Wire tests: adapters against servers that answer as the real ones do, and as broken ones do.

mod archives;
mod distribution;
mod fake_server;
mod notification;

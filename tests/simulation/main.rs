//! The production pipelines on the in-memory models and a hand-driven clock: whole stories, in microseconds.

mod contention;
mod faults;
mod inbox;
mod reports;
mod rounds;
mod world;

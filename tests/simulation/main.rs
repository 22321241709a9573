//! The production pipelines on the in-memory models and a hand-driven clock: whole stories, in microseconds.

mod archived;
mod bounds;
mod contention;
mod faults;
mod inbox;
mod reports;
mod rounds;
mod unannounced;
mod world;

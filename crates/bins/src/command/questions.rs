//! Commands that ask what is known, of registries, the store and the lake.

mod coverage;
mod image;
mod lake;

pub(super) use coverage::coverage;
pub(super) use image::{affected, history, tags};
pub(super) use lake::report;

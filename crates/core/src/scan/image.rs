//! The rules of an image: its state, what may happen to it, what to do next.

mod decide;
mod evolve;
mod retry;
mod state;
mod step;

pub use decide::{Command, Failure, FailureClass, Rejection, decide};
pub use evolve::{IllegalTransition, evolve};
pub use retry::{ATTEMPTS_MAX, CORRUPT_ATTEMPTS_MAX, backoff};
pub use state::{ImageState, LastReport, MAX_PARENTS, OpenRequest, RECENT_REQUESTS, Resolved};
pub use step::{Policy, Step, StepName, next_step};

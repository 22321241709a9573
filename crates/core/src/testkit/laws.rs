//! Each port's laws as checks that any adapter, model or decorator can be held to.
//!
//! A law's id is that of the port's documentation; a law with several sides has several checks under its id. A
//! check reaches the backend through the port and a harness alone, and keeps to itself by unique names: it never
//! empties a backend that others may share.

pub mod change_feed;
pub mod clock;
pub mod event_store;
pub mod layer_index;
pub mod queue;
pub mod registry;
pub mod report_archive;
pub mod report_sink;
pub mod scanner;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;

use crate::vocabulary::{Digest, ImageId};

/// A numbered law of a port, with its check.
pub struct Law<H: ?Sized + 'static> {
    /// The number in the port's documentation.
    pub id: &'static str,
    /// What is checked, as a name.
    pub title: &'static str,
    /// The check. It cannot hang where the backend keeps its bounds; who runs it sets a limit of time.
    pub check: for<'a> fn(&'a H) -> BoxFuture<'a, Outcome>,
}

impl<H: ?Sized> fmt::Debug for Law<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.id, self.title)
    }
}

/// What a check says.
pub type Outcome = Result<(), Unmet>;

/// Why a law could not be seen to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unmet {
    /// It does not hold.
    Broken(String),
    /// The backend cannot show the situation that the law speaks about: neither kept nor broken.
    NoFixture(String),
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(how) => f.write_str(how),
            Self::NoFixture(what) => write!(f, "the backend cannot provide {what}"),
        }
    }
}

// An error of a port where the law expects an answer breaks the law.
impl<E: Error> From<E> for Unmet {
    fn from(error: E) -> Self {
        Self::Broken(format!("unexpected error: {error}"))
    }
}

/// What every harness does: one fresh backend, and time for it.
#[async_trait]
pub trait Harness: Send + Sync {
    /// Lets this much time pass for the backend: moves the clock that was put into it, or waits.
    async fn advance(&self, by: Duration);

    /// A name that nothing else in the backend has: lower-case letters and digits, at most 24 of them. See
    /// [`UniqueNames`].
    fn unique(&self) -> String;
}

/// Makes names for [`Harness::unique`]: a prefix of the run and a number.
#[derive(Debug)]
pub struct UniqueNames {
    prefix: String,
    last: AtomicU64,
}

impl UniqueNames {
    /// Names that begin like this. For a backend that outlives the run, the prefix must differ from run to run.
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), last: AtomicU64::new(0) }
    }

    /// The next name.
    #[must_use]
    pub fn make(&self) -> String {
        format!("{}n{}", self.prefix, self.last.fetch_add(1, Ordering::Relaxed))
    }
}

fn broken<T>(how: impl Into<String>) -> Result<T, Unmet> {
    Err(Unmet::Broken(how.into()))
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(Unmet::Broken(otherwise())) }
}

fn same<T: PartialEq + fmt::Debug>(what: &str, found: &T, expected: &T) -> Outcome {
    ensure(found == expected, || format!("{what}: found {found:?}, expected {expected:?}"))
}

fn provided<T>(fixture: Option<T>, what: &str) -> Result<T, Unmet> {
    fixture.ok_or_else(|| Unmet::NoFixture(what.to_owned()))
}

/// Performs `work` while `wait` passes, in steps; what has not finished then must need no more time.
async fn while_time_passes<T>(
    harness: &(impl Harness + ?Sized),
    wait: Duration,
    work: impl Future<Output = T>,
) -> T {
    const STEPS: u32 = 4;
    let mut work = pin!(work);
    for _ in 0..STEPS {
        if let std::task::Poll::Ready(done) = futures::poll!(work.as_mut()) {
            return done;
        }
        harness.advance(wait / STEPS).await;
    }
    work.await
}

/// An image that only this check knows; `seed` tells its images apart.
fn image(registry: &str, seed: &str) -> Result<ImageId, Unmet> {
    let digest = Digest::of(format!("{registry} {seed}").as_bytes());
    Ok(ImageId { registry: registry.parse()?, repository: "team/app".parse()?, digest })
}

//! Clair v4: images are indexed by manifest digest; what is known of them is asked for as often as needed.
//!
//! The paths and their answers are those of Clair 4.9 (`httptransport` of quay/clair); where its OpenAPI document
//! says otherwise, the code is right.

mod assess;
mod bell;
mod client;
mod error;
mod feed;
mod index;
mod keys;
mod operations;
mod readiness;
mod scanner;

/// How often something is asked.
pub mod bounds {
    pub use super::feed::{MAX_ATTEMPTS, MAX_DIFF_FAILURES};
}

/// What is made of Clair's answers, as functions of bytes.
#[cfg(feature = "testkit")]
pub mod testkit {
    pub use super::assess::testkit::{assessed, told};
    pub use super::feed::testkit::{Diff, Entry, changed, entries};
}

pub use bell::{Bell, InvalidBell, parse_bell};
pub use client::{ClairV4Client, ClairV4Settings};
pub use feed::{ClairV4Feed, SETTLE};
pub use scanner::{CLAIR_V4_SCANNER, ClairV4Loading, ClairV4Scanner};

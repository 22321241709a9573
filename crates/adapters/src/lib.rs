//! Adapters: the ports of the core on real technologies.

#[cfg(feature = "clair")]
#[expect(dead_code, reason = "what the scanner and the feeds are made of comes before them")]
pub mod clair;
#[cfg(feature = "embedded")]
pub mod embedded;
#[cfg(feature = "oci")]
pub mod oci;
mod secret;
pub mod system_clock;

pub use secret::Secret;

//! Adapters: the ports of the core on real technologies.

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "clair")]
pub mod clair;
#[cfg(feature = "embedded")]
pub mod embedded;
#[cfg(feature = "oci")]
pub mod oci;
mod secret;
pub mod system_clock;

pub use secret::Secret;
